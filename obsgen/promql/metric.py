"""Metrics and where they come from. A metric is an expression, so that its name is typed once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from obsgen.errors import DefinitionError, Location, here
from obsgen.promql.bounds import notations
from obsgen.promql.durations import DURATION as DURATION
from obsgen.promql.durations import positive as positive
from obsgen.promql.durations import seconds as seconds
from obsgen.promql.label import RENAMED, TARGET_LABELS, Label
from obsgen.promql.source import EXPOSED, METRIC_NAME, Status
from obsgen.promql.source import Exposure as Exposure
from obsgen.promql.source import Source as Source
from obsgen.promql.tree import Range, Selector, Series
from obsgen.promql.units import Unit
from obsgen.shape import conform


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Metric(Series):
    """A metric that a source exposes. Use one of its kinds: `Counter`, `Gauge`, `Histogram`.

    Args:
        name: its name in the exposition; of a histogram the name without `_bucket`, `_sum` and `_count`.
        title: what a panel that shows it is called.
        help: what it measures, as a sentence.
        source: who exposes it; None for what Prometheus itself adds, such as `up`.
        labels: the labels that the exporter sets. `job` and `instance` come from Prometheus.
        unit: what its values are.
        emitted_by: the part of the source that sets it, where the source has several.
        limit: the most series that one target may expose of it; an alert tells of more. For a label whose values are
            not known, such as a route: what gets into it by mistake fills Prometheus.
        exposure: what the exporter really offers today.
        misnomer: why its name says another type or unit than this definition, where its exporter is not ours to mend:
            "Lavalink calls a gauge so."

    Raises:
        DefinitionError: the name is none that Prometheus accepts for an exposed metric, or the limit is none.
    """

    name: str
    title: str
    help: str
    source: Source | None
    labels: Sequence[Label] = ()
    unit: Unit = Unit.NONE
    emitted_by: str = ""
    limit: int | None = None
    exposure: Exposure = EXPOSED
    misnomer: str = ""
    at: Location = field(default_factory=here, repr=False, compare=False)

    kind = "untyped"

    def __post_init__(self) -> None:
        conform(self)
        if not METRIC_NAME.fullmatch(self.name):
            raise DefinitionError(
                f"{self.name!r} is not a metric name",
                "use letters, digits and underscores; colons are for recording rules",
            )
        if self.limit is not None and (self.limit < 1 or all(label.values for label in self.labels)):
            raise DefinitionError(
                f"{self.name} cannot be limited to {self.limit} series",
                "a limit is 1 or more, and for a metric with a label whose values=... are not all known",
            )
        if self.exposure.status is Status.RENAMED:
            self._check_renaming(self.exposure)

    def _check_renaming(self, today: Exposure) -> None:
        if today.name == self.name:
            raise DefinitionError(
                f"{self.name} is renamed to its own name",
                "a rule cannot tell the two apart: give the catalog's metric another name",
            )
        own = {label.name for label in self.labels}
        for label in (*today.labels.values(), *today.adds):
            if label not in own:
                raise DefinitionError(
                    f"{today.name} is to have the label {label!r}, and {self.name} has no such label",
                    f"its labels are {', '.join(sorted(own)) or 'none'}",
                )
        for label in sorted(set(today.adds) & set(today.labels.values())):
            raise DefinitionError(
                f"the label {label!r} of {self.name} has two sources", "take it out of adds, or out of labels"
            )
        if RENAMED.name in own:
            raise DefinitionError(
                f"{self.name} declares the label {RENAMED.name!r}", "obsgen sets it on what is renamed: choose another"
            )

    @property
    def label_names(self) -> frozenset[str]:
        """Names of its labels, with `job` and `instance`."""
        return frozenset(label.name for label in self.labels) | TARGET_LABELS

    @property
    def exposed_by(self) -> Source | None:
        """Who exposes it today, under whatever name."""
        return self.exposure.source or self.source

    @property
    def status(self) -> Status:
        """Whether it can be scraped today: what a planned source exposes is planned, whatever its exposure says."""
        source = self.exposed_by
        return Status.PLANNED if source is not None and not source.live else self.exposure.status


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Counter(Metric):
    """A metric that only grows, and starts at zero with its process (unless its source is `persistent`)."""

    unit: Unit = Unit.COUNT

    kind = "counter"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Gauge(Metric):
    """A metric that goes up and down.

    Args:
        states: what each value means, where the values are states: `{1: "healthy", 0: "failed"}`.
    """

    states: Mapping[int, str] = field(default_factory=dict)

    kind = "gauge"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Histogram(Metric):
    """A histogram with fixed buckets.

    Args:
        buckets: upper bounds of its buckets in its unit, rising, without `+Inf`.
    """

    buckets: Sequence[float]

    kind = "histogram"

    def __post_init__(self) -> None:
        # Spelt out: slots=True makes a new class, which a bare super() would not find.
        super(Histogram, self).__post_init__()
        if self.exposure.scale != 1:
            raise DefinitionError(
                f"the histogram {self.name} is multiplied by {self.exposure.scale:g}",
                "no rule can move the bounds of buckets: let the catalog's histogram have today's unit",
            )
        if (
            not self.buckets
            or list(self.buckets) != sorted(set(self.buckets))
            or not all(map(math.isfinite, self.buckets))
        ):
            raise DefinitionError(
                f"the buckets of {self.name} are {self.buckets}",
                "give rising upper bounds without +Inf, as in (100, 250, 500)",
            )

    @property
    def count(self) -> Selector:
        """How many observations there were: a counter."""
        return Selector(self, suffix="_count")

    @property
    def sum(self) -> Selector:
        """The sum of all observations: a counter."""
        return Selector(self, suffix="_sum")

    def bucket(self, bound: float) -> Selector:
        """Return how many observations were at most `bound` (all of them with +Inf): a counter.

        It fits every notation of the bound that a client library writes.

        Raises:
            DefinitionError: the histogram has no such bucket.
        """
        if bound == math.inf:
            return Selector(self, (LE.equals("+Inf"),), "_bucket")
        if bound not in self.buckets:
            raise DefinitionError(
                f"{self.name} has no bucket of {bound:g}",
                f"only a declared bucket counts exactly; there are {', '.join(f'{each:g}' for each in self.buckets)}",
            )
        texts = notations(bound)
        return Selector(self, (LE.one_of(*texts) if len(texts) > 1 else LE.equals(*texts),), "_bucket")


LE = Label("le", "Upper bound of a histogram's bucket.")

Vector = Series | Selector
"""Series selected by name: what a range can be taken of."""


def as_selector(vector: Vector) -> Selector:
    """Return the selector for a metric, a recorded series or a selector.

    Raises:
        DefinitionError: it is another expression, over which PromQL takes no range.
    """
    if isinstance(vector, Selector):
        return vector
    if isinstance(vector, Series):
        return Selector(vector)
    raise DefinitionError(
        f"a window can be taken over a metric or a recorded series, not over a {type(vector).__name__} expression",
        "record the expression with a Recording and take the window over that",
    )


def over(vector: Vector, window: str | None, offset: str | None = None) -> Range:
    """Return the samples of `vector` over a window; None leaves the window to the place that shows it."""
    for duration in (window, offset):
        if duration is not None:
            seconds(duration)
    return Range(as_selector(vector), window, offset)


UP = Gauge(
    name="up",
    title="Target up",
    help="1 while Prometheus can scrape the target, else 0. Prometheus adds it to every target.",
    source=None,
    unit=Unit.BOOLEAN,
    states={1: "up", 0: "down"},
)
PROCESS_START = Gauge(
    name="process_start_time_seconds",
    title="Process start",
    help="When the process started, in Unix seconds. Most client libraries expose it by themselves.",
    source=None,
    unit=Unit.TIMESTAMP,
)
ALERTS = Gauge(
    name="ALERTS",
    title="Alerts",
    help="One series of value 1 for each pending or firing alert. Prometheus adds it.",
    source=None,
    labels=(Label("alertname"), Label("alertstate"), Label("severity"), Label("domain"), Label("catalog")),
)
