"""Who exposes metrics, and what of a metric there is today."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from obsgen.errors import DefinitionError, Location, here
from obsgen.promql.durations import positive
from obsgen.promql.label import NAME
from obsgen.shape import conform

METRIC_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class SourceStatus(Enum):
    """Whether a source can be scraped today."""

    LIVE = "live"
    """It is there: Prometheus scrapes it, and alerts tell when it is gone."""
    PLANNED = "planned"
    """Not yet: it is not scraped, and the rules that watch it wait in a folder that Prometheus does not load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Something that exposes metrics to Prometheus.

    Args:
        name: its id, used in the names of the alerts about it.
        title: what people call it.
        job: the scrape job in Prometheus.
        interval: how often it is scraped, a PromQL duration.
        path: HTTP path of the exposition.
        targets: what Prometheus scrapes, `host:port` each. Without any, Prometheus reads them from
            `targets-JOB.yml` beside its configuration, as soon as there is such a file.
        exporter: how its numbers get to Prometheus, as a sentence or less.
        persistent: its counters outlive its process, since it reads them from a database or a queue: a fresh process
            or instance exposes what was counted long ago, and that is not news.
        status: whether it can be scraped today. All metrics of a source that is only planned are planned, too.
    """

    name: str
    title: str
    job: str
    interval: str
    path: str = "/metrics"
    targets: Sequence[str] = ()
    exporter: str = ""
    persistent: bool = False
    status: SourceStatus = SourceStatus.LIVE
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        positive(self.interval)

    @property
    def live(self) -> bool:
        """Whether it can be scraped today."""
        return self.status is SourceStatus.LIVE


class Status(Enum):
    """Whether a metric can be scraped today."""

    EXPOSED = "exposed"
    """As the catalog says."""
    RENAMED = "renamed"
    """Under another name, unit or labels: a recording rule makes the catalog's series of it."""
    PLANNED = "planned"
    """Not yet: panels are empty and alerts cannot fire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What the exporter really offers for a metric today, where that is not what the catalog asks for.

    Args:
        status: whether the metric can be scraped, once its source can.
        name: what it is called today, if it is renamed; of a histogram the name without `_bucket`, `_sum` and `_count`.
        scale: what today's values have to be multiplied by to be in the catalog's unit.
        labels: today's label names, each with the catalog's name for it. A label that is not among them keeps its name.
        adds: labels of the catalog that today's series lack, each with the value that they get.
        source: who exposes it today, if that is not the metric's source.
        note: what is missing, as a sentence.

    Raises:
        DefinitionError: it is renamed and does not say from what, or it is not and does.
    """

    status: Status = Status.EXPOSED
    name: str = ""
    scale: float = 1
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    adds: Mapping[str, str] = field(default_factory=dict, hash=False)
    source: Source | None = None
    note: str = ""

    def __post_init__(self) -> None:
        conform(self)
        if not math.isfinite(self.scale) or self.scale <= 0:
            raise DefinitionError(
                f"values cannot be multiplied by {self.scale}",
                "give a number above 0: a counter must go on growing, and a zero says nothing",
            )
        if self.status is Status.RENAMED:
            self._check_name()
        elif self.name or self.scale != 1 or self.labels or self.adds or self.source is not None:
            raise DefinitionError(
                f"an Exposure tells what a metric is today, and its status is {self.status.value}",
                "give it status=Status.RENAMED, or leave out name, scale, labels, adds and source",
            )

    def _check_name(self) -> None:
        if not METRIC_NAME.fullmatch(self.name):
            raise DefinitionError(
                f"a renamed metric is called {self.name!r} today, which is not a metric name",
                'say what it is called in the exposition: name="..."',
            )
        for label in (*self.labels, *self.labels.values(), *self.adds):
            if not NAME.fullmatch(label) or label.startswith("__"):
                raise DefinitionError(f"{label!r} is not a label name", "use letters, digits and underscores")
        moved = {old: new for old, new in self.labels.items() if old != new}
        twice = sorted(set(moved) & set(self.labels.values()))
        if twice or len(set(self.labels.values())) < len(self.labels):
            raise DefinitionError(
                f"the labels of {self.name} change places: {dict(self.labels)}",
                "each of today's labels needs a name of the catalog that no other one has today",
            )


EXPOSED = Exposure()
