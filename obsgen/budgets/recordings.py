"""What an error budget records.

The events of the window are not read from the raw counters: they are counted once in tiles, and the tiles are summed.
So a quiet night weighs as little as it should, a series without errors has a budget, and a rule reads 8,640 samples a
series instead of all the raw ones of 30 days. Tiles of five minutes serve the window and the burn rates over more than
an hour, tiles of one minute the others.

Source: the rolling window of events is the "request-based" budget of the SRE workbook, chapter 2
(https://sre.google/workbook/implementing-slos/), its burn rates those of chapter 5; the two stages are those of
kubernetes-mixin's apiserver rules.
"""

from __future__ import annotations

from collections.abc import Iterator

from obsgen.budgets.tiles import BOTH, FAST, SLOW, recorded, tiles
from obsgen.model.budget import BudgetSeries, ErrorBudget
from obsgen.model.rule import Recording
from obsgen.model.sli import TimeSlices
from obsgen.promql.functions import clamp_max, clamp_min, last_over_time, sum_over_time
from obsgen.promql.metric import seconds
from obsgen.promql.tree import Expr, Selector

WHOLE = ((2 * 86_400, FAST), (14 * 86_400, SLOW), (float("inf"), "15m"))
"""How often a window of up to so many seconds is summed: that of 30 days is the dearest, and moves the least."""
REACH = {FAST: "5m", SLOW: "15m", "15m": "45m"}
"""How far back to look for the newest value of what is recorded less often than it is read: three intervals or more,
so that a slow evaluation leaves no gap."""
LONGEST_FAST = 3600
"""Burn rates over longer windows, in seconds, are made of the slow tiles."""


def recordings(budget: ErrorBudget) -> Iterator[Recording]:
    """Yield the recordings of a budget, in the order of their evaluation."""
    yield from tiles(budget)
    every = whole(budget)
    for which in BOTH:
        counted = sum_over_time(budget.counted(which, SLOW), budget.window)
        yield recorded(budget.counted(which, budget.window), counted, every)
    in_window = seconds(budget.window) / seconds(SLOW)
    # Prometheus 2 counts the tiles at both ends of the window: hence the clamp.
    known = clamp_max(sum_over_time(budget.measured, budget.window) / in_window, 1)
    yield recorded(budget.coverage, known, every)
    if budget.objectives:
        yield from _spent(budget)
    if budget.success is not None:
        yield recorded(budget.ratio, _success(budget), FAST)


def whole(budget: ErrorBudget) -> str:
    """Return how often the whole window of a budget is summed."""
    return next(every for longest, every in WHOLE if seconds(budget.window) <= longest)


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


def recent(series: BudgetSeries, every: str) -> Expr:
    """Return the newest value of a series that is recorded less often than it is read."""
    return last_over_time(series, REACH[every])


def counts(budget: ErrorBudget) -> tuple[Expr, Expr]:
    """Return the newest sums of all events of the window, and of the bad ones."""
    return recent(budget.total, whole(budget)), recent(budget.bad, whole(budget))


def _spent(budget: ErrorBudget) -> Iterator[Recording]:
    yield recorded(budget.objective, _objective(budget), SLOW)
    for window in (*slow_windows(budget), *fast_windows(budget)):
        tile = tile_of(budget, window)
        objective = budget.objective if tile == SLOW else recent(budget.objective, SLOW)
        yield recorded(budget.burn_rate(window), _bad_ratio(budget, tile, window) / (1 - objective), tile)
    total, bad = counts(budget)
    left = (1 - bad / (total > 0) / (1 - recent(budget.objective, SLOW))).or_(total.equals(0) + 1)
    yield recorded(budget.remaining, left, FAST)
    rate = budget.burn_rate(budget.pace)
    burning = (rate if tile_of(budget, budget.pace) == FAST else recent(rate, SLOW)) > 0
    seconds_left = clamp_min(budget.remaining, 0) * seconds(budget.window) / burning
    yield recorded(budget.exhausted_in, seconds_left, FAST)


def _bad_ratio(budget: ErrorBudget, tile: str, window: str) -> Expr:
    """Return the share of a window's events that was bad."""
    total, bad = (sum_over_time(budget.counted(which, tile), window) for which in BOTH)
    if isinstance(budget.sli, TimeSlices):
        # Of all the window's minutes: else the one bad minute of a series that is young would be a high rate.
        return bad / (seconds(window) / 60)
    # Without any event nothing burns: no series, instead of 0/0.
    return bad / (total > 0)


def _objective(budget: ErrorBudget) -> Expr:
    """Return the objective of every series that has events, now or in the window: the first that fits its labels."""
    chain: Expr | None = None
    for objective in budget.objectives:
        tile, window = (
            series.where(objective.where) if objective.where else Selector(series)
            for series in (budget.counted("total", SLOW), budget.total)
        )
        target = tile.or_(last_over_time(window, REACH[whole(budget)])) * 0 + objective.target
        chain = target if chain is None else chain.or_(target)
    assert chain is not None
    return chain


def _success(budget: ErrorBudget) -> Expr:
    total, bad = counts(budget)
    # The counters can be one scrape apart, hence the clamp. Without any event nothing went wrong.
    return (1 - clamp_max(bad / (total > 0), 1)).or_(total.equals(0) + 1)
