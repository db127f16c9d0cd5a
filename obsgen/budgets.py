"""An `ErrorBudget` as recordings and an alert.

The events of the window are not read from the raw counters: they are counted once in tiles of five minutes, and
the tiles are summed. So a quiet night weighs as little as it should, a route without errors has a budget, and a
rule reads 8,640 samples a route instead of all the raw ones of 30 days.

Source: the rolling window of events is the "request-based" budget of the SRE workbook, chapter 2
(https://sre.google/workbook/implementing-slos/); the two stages are those of kubernetes-mixin's apiserver rules.
"""

from __future__ import annotations

from obsgen.model.budget import ErrorBudget
from obsgen.model.rule import Alert, Recording
from obsgen.promql.functions import clamp_max, events, last_over_time, sum_over_time
from obsgen.promql.metric import Counter
from obsgen.promql.tree import Expr
from obsgen.promql.units import Unit
from obsgen.words import spoken

TILE = "5m"
PUBLISHED_EVERY = "1m"
TILE_REACH = "15m"
"""How far back to look for the newest tile: three of them, so that one slow evaluation leaves no gap."""


def expand(budget: ErrorBudget) -> tuple[tuple[Recording, ...], Alert]:
    """Return the recordings of a budget, in the order of their evaluation, and its alert."""
    total = _tile(budget, budget.total, events(budget.total, TILE, by=budget.by))
    # Without a single error there is no error series: the requests say for which labels zero is meant.
    bad = _tile(budget, budget.bad, events(budget.bad, TILE, by=budget.by).or_(total * 0))
    all_events = _window(budget, budget.total, total)
    bad_events = _window(budget, budget.bad, bad)
    recent_bad, recent_all = last_over_time(bad_events, TILE_REACH), last_over_time(all_events, TILE_REACH)
    # The counters can be one scrape apart, hence the clamp. Without any event, nothing went wrong: the budget is whole.
    remaining = (1 - clamp_max(recent_bad / (recent_all > 0), 1)).or_(recent_all.equals(0) + 1)
    published = Recording(
        name=budget.name,
        expr=remaining,
        title=budget.title,
        help=budget.help,
        unit=Unit.RATIO,
        interval=PUBLISHED_EVERY,
    )
    return (total, bad, all_events, bad_events, published), _alert(budget)


def _tile(budget: ErrorBudget, counter: Counter, expr: Expr) -> Recording:
    return Recording(
        name=budget.recorded_name(counter, TILE),
        expr=expr,
        title=f"{counter.title}, {TILE}",
        help=f"{counter.title} in the last {spoken(TILE)}, the first event of a new series included.",
        unit=Unit.COUNT,
        interval=TILE,
    )


def _window(budget: ErrorBudget, counter: Counter, tile: Recording) -> Recording:
    return Recording(
        name=budget.recorded_name(counter, budget.window),
        expr=sum_over_time(tile, budget.window),
        title=f"{counter.title}, {budget.window}",
        help=f"{counter.title} in the budget's window of {spoken(budget.window)}.",
        unit=Unit.COUNT,
        interval=TILE,
    )


def _alert(budget: ErrorBudget) -> Alert:
    series = budget.remaining
    watched: Expr = series.where(budget.applies_to) if budget.applies_to else series
    enough = last_over_time(budget.requests, TILE_REACH) >= budget.min_events
    return Alert(
        name=budget.alert,
        expr=watched.and_(enough),
        fires=budget.fires,
        summary=budget.summary,
        description=budget.description,
        runbook=budget.runbook,
    )
