"""Service level indicators: what counts as an event, and which events are bad.

Source of the kinds: the SRE workbook, chapter 2 (https://sre.google/workbook/implementing-slos/), and OpenSLO's
"occurrences" and "timeslices".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from obsgen.errors import DefinitionError, Location, here
from obsgen.promql.infer import labels_of
from obsgen.promql.metric import Counter, Histogram, Metric, Vector, as_selector
from obsgen.promql.reader import PromQLError
from obsgen.promql.tree import Expr, Selector, Series
from obsgen.shape import conform


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Events that counters count. Of `bad` and `good` one is given; the other is the rest of `total`.

    Args:
        total: counts all events: a counter, or a selector of one.
        bad: counts those that went wrong.
        good: counts those that went well.

    Raises:
        DefinitionError: what is given does not count, or the bad (good) events are no part of all.
    """

    total: Vector
    bad: Vector | None = None
    good: Vector | None = None
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        if (self.bad is None) == (self.good is None):
            raise DefinitionError(
                "an SLI of events counts either the bad or the good ones", "give one of bad=... and good=..."
            )
        for name, vector in (("total", self.total), (self.kind, self.part)):
            _counts(name, vector)
        whole, part = as_selector(self.total), as_selector(self.part)
        if whole.series == part.series and whole.suffix == part.suffix:
            _narrower(self.kind, part, whole)

    @property
    def kind(self) -> str:
        """Which part of all events is counted: `bad` or `good`."""
        return "bad" if self.bad is not None else "good"

    @property
    def part(self) -> Vector:
        """The counter of that part."""
        part = self.bad if self.bad is not None else self.good
        assert part is not None
        return part

    @property
    def metric(self) -> Series:
        """What counts all events."""
        return as_selector(self.total).series

    @property
    def reads(self) -> tuple[Expr, ...]:
        """What it is made of."""
        return (self.total, self.part)


def _counts(name: str, vector: Vector) -> None:
    selector = as_selector(vector)
    is_part = isinstance(selector.series, Histogram) and selector.suffix in ("_count", "_bucket")
    if not isinstance(selector.series, Counter) and not is_part:
        kind = selector.series.kind if isinstance(selector.series, Metric) else "recorded series"
        raise DefinitionError(
            f"{name} of an SLI of events is {selector.series.name}, a {kind}, which counts nothing",
            "events are counted by a Counter; for a histogram use Latency(...), for a gauge TimeSlices(...)",
        )


def _narrower(kind: str, part: Selector, whole: Selector) -> None:
    """Refuse a part of a counter that is all of it, or that has series which are not among the whole's."""
    if set(part.matchers) == set(whole.matchers):
        raise DefinitionError(
            f"the {kind} events of an SLI are all its events, those of {whole.series.name}",
            f'pick a part of them: {kind}={whole.series.name.upper()}.where(CODE.matches("5.."))',
        )
    if not set(whole.matchers) <= set(part.matchers):
        raise DefinitionError(
            f"the {kind} events of an SLI are no part of its total: both are {whole.series.name}, and total has a "
            "condition that they lack",
            f"give {kind} the conditions of total, and its own besides",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Observations of a histogram; those above a bucket's bound are bad.

    Args:
        of: the histogram, or a selector of it.
        within: the bound, in the histogram's unit. It is one of its buckets: between them nothing is known.

    Raises:
        DefinitionError: it is no histogram, or has no such bucket.
    """

    of: Histogram | Selector
    within: float
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        series = as_selector(self.of).series
        if not isinstance(series, Histogram):
            kind = series.kind if isinstance(series, Metric) else "recorded series"
            raise DefinitionError(f"an SLI of latency needs a histogram, and {series.name} is a {kind}")
        series.bucket(self.within)

    @property
    def metric(self) -> Histogram:
        """The histogram."""
        series = as_selector(self.of).series
        assert isinstance(series, Histogram)
        return series

    @property
    def reads(self) -> tuple[Expr, ...]:
        """What it is made of."""
        return (self.total, self.good)

    @property
    def total(self) -> Selector:
        """Counts all observations."""
        return Selector(self.metric, as_selector(self.of).matchers, "_count")

    @property
    def good(self) -> Selector:
        """Counts those within the bound."""
        return self.metric.bucket(self.within).where(*as_selector(self.of).matchers)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSlices:
    """Minutes in which something was measured; those without a good measurement are bad.

    Args:
        total: has a value for every minute that counts: a gauge, most of the time.
        good: has a value when the minute is good: `HEALTH.equals(1)`.
        absent_is_bad: minutes without a measurement are bad, for a day after the last one: for what a service says of
            itself, which it cannot when it is dead. Leave it out where something else measures the service.
    """

    total: Expr
    good: Expr
    absent_is_bad: bool = False
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        if self.total == self.good:
            raise DefinitionError("all minutes of an SLI are good ones", "give a condition: good=HEALTH.equals(1)")

    @property
    def reads(self) -> tuple[Expr, ...]:
        """What it is made of."""
        return (self.total, self.good)


Sli = Events | Latency | TimeSlices


def sli_labels(sli: Sli) -> Iterator[tuple[str, frozenset[str] | None]]:
    """Yield what an SLI reads, each with its labels; None where they cannot be told."""
    if isinstance(sli, TimeSlices):
        for name, expr in (("total", sli.total), ("good", sli.good)):
            try:
                yield f"its {name} expression", labels_of(expr)
            except (PromQLError, DefinitionError):
                return  # the checks report it, with everything else
    elif isinstance(sli, Latency):
        yield sli.metric.name, sli.metric.label_names
    else:
        for vector in (sli.total, sli.part):
            series = as_selector(vector).series
            yield series.name, series.label_names
