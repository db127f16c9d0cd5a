"""What an error budget records.

The events of the window are not read from the raw counters: they are counted once in tiles, and the tiles are summed.
So a quiet night weighs as little as it should, a series without errors has a budget, and a rule reads 8,640 samples a
series instead of all the raw ones of 30 days. Tiles of five minutes serve the window and the slow burn rates, tiles of
one minute the fast ones.

Source: the rolling window of events is the "request-based" budget of the SRE workbook, chapter 2
(https://sre.google/workbook/implementing-slos/), its burn rates those of chapter 5; the two stages are those of
kubernetes-mixin's apiserver rules.
"""

from __future__ import annotations

from collections.abc import Iterator

from obsgen.model.budget import BudgetSeries, ErrorBudget
from obsgen.model.rule import Recording
from obsgen.model.sli import Events, TimeSlices
from obsgen.promql.functions import (
    clamp_max,
    clamp_min,
    count,
    count_over_time,
    events,
    last_over_time,
    sum_over_time,
)
from obsgen.promql.metric import seconds
from obsgen.promql.tree import Expr, Selector

FAST, SLOW = "1m", "5m"
"""The lengths of the tiles, and how often what is made of them is evaluated."""
WHOLE = "15m"
"""How often the whole window is summed: of 30 days it is the dearest, and moves the least."""
LOOKBACK = {FAST: "10m", SLOW: "1h"}
"""How long before a tile a sample still counts as the value at its start: it bridges an outage of that length."""
FIVE_SLICES = "4m59s999ms"
"""Five minutes of a series that has a sample each minute: Prometheus 2 would count a sixth one at the window's edge."""
REACH = {SLOW: "15m", WHOLE: "45m"}
"""How far back to look for the newest value of what is recorded less often than it is read: three intervals, so that
a slow evaluation leaves no gap."""
LONGEST_FAST = 6 * 3600
"""Burn rates over longer windows, in seconds, are made of the slow tiles."""


def recordings(budget: ErrorBudget) -> Iterator[Recording]:
    """Yield the recordings of a budget, in the order of their evaluation."""
    yield from _tiles(budget)
    for which, told in ((budget.total, "total"), (budget.bad, "bad")):
        yield _recorded(which, sum_over_time(budget.counted(told, SLOW), budget.window), WHOLE)
    tiles = seconds(budget.window) / seconds(SLOW)
    # Prometheus 2 counts the tiles at both ends of the window: hence the clamp.
    known = clamp_max(count_over_time(budget.counted("total", SLOW), budget.window) / tiles, 1)
    yield _recorded(budget.coverage, known, WHOLE)
    if budget.objectives:
        yield from _spent(budget)
    if budget.success is not None:
        yield _recorded(budget.ratio, _success(budget), FAST)


def fast_windows(budget: ErrorBudget) -> tuple[str, ...]:
    """Return the windows of the burn rates that are made of fast tiles, shortest first."""
    quick = (burn for burn in budget.burns if seconds(burn.long) <= LONGEST_FAST)
    return _windows({window for burn in quick for window in (burn.short, burn.long)})


def slow_windows(budget: ErrorBudget) -> tuple[str, ...]:
    """Return the windows of the burn rates that are made of slow tiles, shortest first."""
    every = {window for burn in budget.burns for window in (burn.short, burn.long)} | {budget.pace}
    return _windows(every - set(fast_windows(budget)))


def _windows(windows: set[str]) -> tuple[str, ...]:
    return tuple(sorted(windows, key=seconds))


def tile_of(budget: ErrorBudget, window: str) -> str:
    """Return the length of the tiles that a burn rate over a window is made of."""
    return FAST if window in fast_windows(budget) else SLOW


def recent(series: BudgetSeries, every: str = WHOLE) -> Expr:
    """Return the newest value of a series that is recorded less often than it is read."""
    return last_over_time(series, REACH[every])


def _tiles(budget: ErrorBudget) -> Iterator[Recording]:
    if isinstance(budget.sli, TimeSlices):
        yield from _slices(budget, budget.sli)
        return
    for tile in (SLOW, FAST) if budget.objectives else (SLOW,):
        total = budget.counted("total", tile)
        yield _recorded(total, events(budget.sli.total, tile, budget.by, LOOKBACK[tile]), tile)
        yield _recorded(budget.counted("bad", tile), _bad(budget, tile, total), tile)


def _bad(budget: ErrorBudget, tile: str, total: BudgetSeries) -> Expr:
    """Return the bad events of a tile. Without a single one of its kind a part has no series: it is zero then."""
    sli = budget.sli
    assert not isinstance(sli, TimeSlices)
    if isinstance(sli, Events) and sli.bad is not None:
        return events(sli.bad, tile, budget.by, LOOKBACK[tile]).or_(total * 0)
    good = sli.part if isinstance(sli, Events) else sli.good
    # The two are read in one scrape but may be a restart apart: never less than none.
    return clamp_min(total - events(good, tile, budget.by, LOOKBACK[tile]).or_(total * 0), 0)


def _slices(budget: ErrorBudget, sli: TimeSlices) -> Iterator[Recording]:
    """Yield one slice a minute: whether anything was measured, and whether it was bad; five make a slow tile."""
    total, bad = budget.counted("total", FAST), budget.counted("bad", FAST)
    yield _recorded(total, clamp_max(count(sli.total, budget.by), 1), FAST)
    yield _recorded(bad, clamp_max(count(sli.total.unless(sli.good), budget.by), 1).or_(total * 0), FAST)
    for which, minute in (("total", total), ("bad", bad)):
        yield _recorded(budget.counted(which, SLOW), sum_over_time(minute, FIVE_SLICES), SLOW)


def _spent(budget: ErrorBudget) -> Iterator[Recording]:
    yield _recorded(budget.objective, _objective(budget), SLOW)
    for window in (*slow_windows(budget), *fast_windows(budget)):
        tile = tile_of(budget, window)
        objective = budget.objective if tile == SLOW else recent(budget.objective, SLOW)
        total, bad = (sum_over_time(budget.counted(which, tile), window) for which in ("total", "bad"))
        # Without any event nothing burns: no series, instead of 0/0.
        yield _recorded(budget.burn_rate(window), bad / (total > 0) / (1 - objective), tile)
    total, bad = recent(budget.total), recent(budget.bad)
    left = (1 - bad / (total > 0) / (1 - recent(budget.objective, SLOW))).or_(total.equals(0) + 1)
    yield _recorded(budget.remaining, left, FAST)
    rate = budget.burn_rate(budget.pace)
    burning = (rate if tile_of(budget, budget.pace) == FAST else recent(rate, SLOW)) > 0
    seconds_left = clamp_min(budget.remaining, 0) * seconds(budget.window) / burning
    yield _recorded(budget.exhausted_in, seconds_left, FAST)


def _objective(budget: ErrorBudget) -> Expr:
    """Return the objective of every series that has events, now or in the window: the first that fits its labels."""
    chain: Expr | None = None
    for objective in budget.objectives:
        tile, whole = (
            series.where(objective.where) if objective.where else Selector(series)
            for series in (budget.counted("total", SLOW), budget.total)
        )
        target = tile.or_(last_over_time(whole, REACH[WHOLE])) * 0 + objective.target
        chain = target if chain is None else chain.or_(target)
    assert chain is not None
    return chain


def _success(budget: ErrorBudget) -> Expr:
    total, bad = recent(budget.total), recent(budget.bad)
    # The counters can be one scrape apart, hence the clamp. Without any event nothing went wrong.
    return (1 - clamp_max(bad / (total > 0), 1)).or_(total.equals(0) + 1)


def _recorded(series: BudgetSeries, expr: Expr, interval: str) -> Recording:
    return Recording(
        name=series.name, expr=expr, title=series.title, help=series.help, unit=series.unit, interval=interval
    )
