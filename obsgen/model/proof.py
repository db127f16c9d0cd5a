"""Proofs: what an alert or a recording does with given series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from obsgen.errors import DefinitionError, Location, here
from obsgen.model.severity import Severity
from obsgen.promql import notation
from obsgen.promql.label import Label
from obsgen.promql.metric import Metric, positive, seconds
from obsgen.promql.tree import Selector, Series
from obsgen.shape import conform

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Given = dict[Series | Selector, str]
"""Samples of series, in the notation of Prometheus' rule tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """An alert that fires in a proof, for one set of labels.

    Args:
        since: when it begins to fire, as a PromQL duration after the first sample: one of the times at which the
            alert is evaluated.
        until: the first evaluation at which it no longer fires; it goes on to the end of the proof when left out.
        within: how far off the two times may be, a PromQL duration.
        severity: which level fires; the only one of the alert when left out.
        labels: the labels of what fires, by name or as `Label`. `job` and `instance` may be left out.
        description: the alert's description as people read it, with all templates filled in; not compared when left
            out.
    """

    since: str
    until: str = ""
    within: str = "0s"
    severity: Severity | None = None
    labels: Mapping[Label, str] = field(default_factory=dict, hash=False)
    description: str = ""
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        for text in (self.since, self.until or self.since, self.within):
            seconds(text)
        if self.until and seconds(self.until) <= seconds(self.since):
            raise DefinitionError(
                f"a firing ends at {self.until}, before it begins at {self.since}", "until comes after since"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A value that is recorded in a proof.

    Args:
        value: the value; NaN fits NaN.
        at: when, as a PromQL duration after the first sample of the proof.
        of: the recorded series; that which the proof stands at when left out.
        labels: the labels of the series; `job` and `instance` may be left out.
        within: how far off the value may be, as a share of it.
    """

    value: float
    at: str
    of: Series | None = None
    labels: Mapping[Label, str] = field(default_factory=dict, hash=False)
    within: float = 1e-9

    def __post_init__(self) -> None:
        conform(self)
        seconds(self.at)


def identity(given: Series | Selector) -> tuple[tuple[str, str], ...]:
    """Return the labels of a series that is given, sorted by name, the metric's name among them.

    The labels are those of the selector's matchers; `job` and `instance` are made up where they are not among them.
    """
    selector = given if isinstance(given, Selector) else Selector(given)
    series = selector.series
    labels = {"__name__": series.name + selector.suffix}
    if isinstance(series, Metric):
        if series.source is not None:
            labels["job"] = series.source.job
        labels |= {m.label.name: m.literals[0] if m.literals else m.value for m in selector.matchers}
        job = labels.get("job", "")
        labels.setdefault("instance", f"{job or 'host'}:9100")
    return tuple(sorted(labels.items()))


@dataclass(frozen=True, slots=True)
class Proof:
    """What an alert does with given series: all of it, from the first sample to the last.

    Without any firing the proof says that the alert stays quiet.

    Args:
        title: what is proven, as a sentence.
        given: the samples of each series, in the notation of Prometheus' rule tests: `0+10x20 _x5 stale`. A series
            gets the `job` of its metric's source, and an `instance`, unless it has them. A timestamp is given in
            seconds after the first sample.
        fires: everything of the alert that fires, and when.
        records: values of recorded series. At the time of one, a series has the values listed and no others.
        every: time from one sample to the next, a PromQL duration; the shortest scrape interval of the given metrics
            when left out.
        after: judge only from then on, a PromQL duration: what comes before is history.
        until: the end, where it is later than the last sample.
        weekday: the day whose midnight, in UTC, is the first sample: `monday`. Some day's when left out.
        of: name of the alert or recorded series that is meant, for a proof of a budget.
    """

    title: str
    given: Mapping[Series | Selector, str] = field(hash=False)
    fires: Firing | Sequence[Firing] = ()
    records: Sample | Sequence[Sample] = ()
    every: str = ""
    after: str = "0s"
    until: str = ""
    weekday: str = ""
    of: str = ""
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, kind in (("fires", Firing), ("records", Sample)):
            value = getattr(self, name)
            object.__setattr__(self, name, (value,) if isinstance(value, kind) else value)
        conform(self)
        if not self.given:
            raise DefinitionError(f"the proof {self.title!r} has no series", "give some: given={METRIC: '0+1x20'}")
        if self.weekday and self.weekday not in WEEKDAYS:
            raise DefinitionError(f"{self.weekday!r} is no day of the week", 'write it as in "monday"')
        for text in filter(None, (self.every, self.until, self.after)):
            seconds(text)
        if self.every:
            positive(self.every)
        for text in self.given.values():
            notation.length(text)

    @property
    def firings(self) -> tuple[Firing, ...]:
        """What fires, as a tuple."""
        return (self.fires,) if isinstance(self.fires, Firing) else tuple(self.fires)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """What is recorded, as a tuple."""
        return (self.records,) if isinstance(self.records, Sample) else tuple(self.records)

    @property
    def quiet(self) -> bool:
        """Whether it says that the alert stays quiet."""
        return not self.fires and not self.records

    @property
    def step(self) -> float:
        """Seconds from one sample to the next."""
        if self.every:
            return seconds(self.every)
        metrics = (s.series if isinstance(s, Selector) else s for s in self.given)
        scraped = [seconds(m.source.interval) for m in metrics if isinstance(m, Metric) and m.source is not None]
        return min(scraped, default=60.0)

    @property
    def series(self) -> dict[Series | Selector, tuple[tuple[str, str], ...]]:
        """The labels of each series that is given, sorted by name, the metric's name among them."""
        return {key: identity(key) for key in self.given}

    @property
    def end(self) -> float:
        """Seconds from the first sample to the end."""
        longest = max(notation.length(text) for text in self.given.values())
        return max((longest - 1) * self.step, seconds(self.until) if self.until else 0)
