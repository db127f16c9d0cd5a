"""Watching the watchers: whether a source still delivers."""

from __future__ import annotations

from dataclasses import dataclass, field

from obsgen.errors import DefinitionError, Location, here
from obsgen.model.severity import Severity
from obsgen.promql.metric import Metric, Source, positive
from obsgen.shape import conform
from obsgen.words import camel


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceWatch:
    """Alerts on a source that is gone, that has lost its key series, or whose numbers stand still.

    A missing series never fires an alert: without these, a dead exporter looks like perfect health.

    Args:
        source: who is watched.
        key: a metric that the source exposes from its first minute on.
        moves: a metric that changes all the time while the source works; `key` when left out.
        still_after: how long `moves` may stand still, a PromQL duration; None if nothing about the source has to move.
        missing_after: how long `key` may be missing while the source answers; ten scrapes when left out.
        severity: of its alerts.
        impact: what is not seen while the source is silent, as a sentence.
        restart: how to bring the source back, as a sentence.
        reason: why `still_after` is what it is.
    """

    source: Source
    key: Metric
    moves: Metric | None = None
    still_after: str | None
    missing_after: str | None = None
    severity: Severity = Severity.CRITICAL
    impact: str
    restart: str
    reason: str = ""
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        for after in (self.still_after, self.missing_after):
            if after is not None:
                positive(after)
        for metric in (self.key, self.moves):
            if metric is not None and metric.source != self.source:
                raise DefinitionError(
                    f"{metric.name} tells nothing about {self.source.title}",
                    f"watch it with a metric whose source is {self.source.name!r}",
                )

    @property
    def down(self) -> str:
        """Name of the alert on a target that cannot be scraped."""
        return f"{camel(self.source.name)}Down"

    @property
    def missing(self) -> str:
        """Name of the alert on a target without its key series."""
        return f"{camel(self.source.name)}SeriesMissing"

    @property
    def stands_still(self) -> str:
        """Name of the alert on numbers that stand still."""
        return f"{camel(self.source.name)}StandsStill"
