"""The tiles of an error budget: its events counted once, in five minutes and in one.

Every event is in one tile. At the first evaluation after an outage of the rules, or of Prometheus, the events of the
last two hours and of the last day are counted from the raw samples; the tile is what the tiles before the outage lack
of them. So an outage of up to a day loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from obsgen.model.budget import BudgetSeries, ErrorBudget
from obsgen.model.rule import Recording
from obsgen.model.sli import Latency, TimeSlices
from obsgen.promql.counting import BRIDGED, COARSE, LOOKS, NEAR, UNKNOWN, events, events_since_outage, source_of
from obsgen.promql.functions import (
    avg_over_time,
    clamp_max,
    clamp_min,
    count,
    last_over_time,
    max_,
    max_over_time,
    present_over_time,
    sum_over_time,
    up,
    vector,
)
from obsgen.promql.metric import Source, Vector, seconds
from obsgen.promql.tree import Expr, Subquery, series_in
from obsgen.words import duration

FAST, SLOW = "1m", "5m"
"""The lengths of the tiles, and how often what is made of them is evaluated."""
OUTAGES = tuple(LOOKS)
"""Lengths of outages of the rules, or of Prometheus: after one of up to the last nothing is lost. After the shorter
events are counted more closely, so that a deploy hours before does not matter."""
OUTAGE = OUTAGES[-1]
ABSENT = "1d"
"""For how long what was measured before counts as bad without data, where `TimeSlices.absent_is_bad` says so."""
BOTH = ("total", "bad")


def tiles(budget: ErrorBudget) -> Iterator[Recording]:
    """Yield the recordings of a budget's tiles, in the order of their evaluation."""
    yield recorded(budget.measured, measured(budget), SLOW)
    sli = budget.sli
    if isinstance(sli, TimeSlices):
        fast, slow, *missed = _slices(budget, sli)
    else:
        fast, slow, *missed = (_events(budget, window) for window in (FAST, SLOW, *OUTAGES))
    if budget.objectives or isinstance(sli, TimeSlices):
        for which, expr in zip(BOTH, fast, strict=True):
            yield recorded(budget.counted(which, FAST), expr, FAST)
    for window, exprs in zip(OUTAGES, missed, strict=True):
        for which, expr in zip(BOTH, exprs, strict=True):
            yield recorded(budget.since_outage(which, window), expr.and_(_outage(budget, window), on=()), SLOW)
    for which, expr in zip(BOTH, slow, strict=True):
        yield recorded(budget.counted(which, SLOW), _after_outage(budget, which).or_(expr), SLOW)


def recorded(series: BudgetSeries, expr: Expr, interval: str) -> Recording:
    """Return the recording of one of a budget's series."""
    return Recording(
        name=series.name, expr=expr, title=series.title, help=series.help, unit=series.unit, interval=interval
    )


def sources(budget: ErrorBudget) -> tuple[Source, ...]:
    """Return who exposes today what a budget counts, each once."""
    series = (series for expr in budget.sli.reads for series in series_in(expr))
    found = (source for each in series if (source := source_of(each)) is not None)
    return tuple({source.name: source for source in found}.values())


def _outage(budget: ErrorBudget, window: str) -> Expr:
    """Return a value at the first evaluation after one that was missed, if that was no longer ago than a window."""
    # The last evaluation before an outage of exactly that length is one tile further back.
    evaluated = present_over_time(budget.measured, duration(seconds(window) + seconds(SLOW) - 0.001), offset=SLOW)
    return evaluated.unless(last_over_time(budget.measured, FAST, offset=SLOW))


def _after_outage(budget: ErrorBudget, which: str) -> Expr:
    """Return what the tiles before an outage lack of a window's events: the larger number of the two windows.

    The short window is closer; it is too small where it begins within another outage.
    """

    def lacking(window: str) -> Expr:
        done = sum_over_time(budget.counted(which, SLOW), duration(seconds(window) - 0.001))
        every = budget.since_outage(which, window)
        return clamp_min(every - done.or_(every * 0), 0)

    short, long = map(lacking, OUTAGES)
    return (short > long).or_(long).or_(short)


def from_raw(budget: ErrorBudget, bridge: str) -> tuple[Expr, Expr]:
    """Return all events of a slow tile and the bad ones, counted without anything that is recorded.

    Args:
        budget: the budget.
        bridge: the longest outage of a target that loses nothing, a PromQL duration.
    """
    if isinstance(budget.sli, TimeSlices):
        measured, bad, _ = _moments(budget, budget.sli)
        return sum_over_time(Subquery(measured, SLOW, FAST)), sum_over_time(Subquery(bad, SLOW, FAST))
    return _parts(budget, lambda vector: events(vector, SLOW, budget.by, bridge), None)


def measured(budget: ErrorBudget) -> Expr:
    """Return 1 for a tile in which all that the budget counts could be scraped, else 0.

    It has a value whenever the rules are evaluated: where it has none, they were not.
    """
    scraped: Expr | None = None
    for source in sources(budget):
        one = max_(max_over_time(up(source), SLOW))
        scraped = one if scraped is None else scraped * one
    return vector(1) if scraped is None else scraped.or_(vector(0))


def _events(budget: ErrorBudget, window: str) -> tuple[Expr, Expr]:
    """Return all events of a window and the bad ones, the latter with what is recorded of the former."""

    def counted(vector: Vector) -> Expr:
        if window in OUTAGES:
            return events_since_outage(vector, window, SLOW, budget.by)
        return events(vector, window, budget.by, NEAR if window == FAST else BRIDGED)

    after = window in OUTAGES
    recorded = budget.since_outage("total", window) if after else budget.counted("total", window)
    return _parts(budget, counted, recorded)


def _parts(budget: ErrorBudget, counted: Callable[[Vector], Expr], recorded: BudgetSeries | None) -> tuple[Expr, Expr]:
    """Return all events and the bad ones.

    Args:
        budget: the budget, of events or of a latency.
        counted: counts the events of a counter.
        recorded: where all events are recorded already.
    """
    sli = budget.sli
    assert not isinstance(sli, TimeSlices)
    whole = counted(sli.total)
    total = whole if recorded is None else recorded
    if isinstance(sli, Latency):
        # All buckets are exposed together: without the one that is asked for nothing is known, and nothing is bad.
        return whole, clamp_min(total - counted(sli.good), 0)
    # A series is created by its first event: until then there were none.
    part = counted(sli.part).or_(total * 0)
    # Total and good are read in one scrape but may be a restart apart: never less than none.
    return whole, part if sli.bad is not None else clamp_min(total - part, 0)


def _moments(budget: ErrorBudget, sli: TimeSlices) -> tuple[Expr, Expr, str]:
    """Return whether anything is measured at a moment, whether it is bad, and how often there is news."""
    seen = sli.total
    if sli.absent_is_bad:
        seen = seen.or_(present_over_time(Subquery(sli.total, ABSENT, COARSE)))
    measured = clamp_max(count(seen, budget.by), 1)
    bad = clamp_max(count(seen.unless(sli.good), budget.by), 1).or_(measured * 0)
    step = min((source.interval for source in sources(budget)), key=seconds, default=UNKNOWN)
    return measured, bad, min(step, FAST, key=seconds)


def _slices(budget: ErrorBudget, sli: TimeSlices) -> Iterator[tuple[Expr, Expr]]:
    """Yield the slices of a minute, their sums of five, and those of the hours that an outage may last.

    A minute is a slice if anything was measured in it, and as bad as the share of its scrapes that was.
    """
    measured, bad, step = _moments(budget, sli)
    yield max_over_time(Subquery(measured, FAST, step)), avg_over_time(Subquery(bad, FAST, step))
    # Spelt out: Prometheus 2 would count a sixth slice at the window's edge.
    five = duration(seconds(SLOW) - 0.001)
    total_five, bad_five = (sum_over_time(budget.counted(which, FAST), five) for which in BOTH)
    yield total_five, bad_five
    for window in OUTAGES:
        yield sum_over_time(Subquery(measured, window, FAST)), sum_over_time(Subquery(bad, window, FAST))
