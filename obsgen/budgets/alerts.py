"""The alerts of an error budget: its burn rates, and the success ratio where it is published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce

from obsgen.budgets.guards import covered_equivalent, guards
from obsgen.budgets.proofs import burn_proofs
from obsgen.budgets.recordings import LONGEST_FAST, counts, recent, tile_of, whole
from obsgen.budgets.tiles import FAST, SLOW
from obsgen.model.budget import ErrorBudget, SuccessRatio
from obsgen.model.objective import BurnRate
from obsgen.model.proof import Proof
from obsgen.model.rule import VALUE, Alert, Level, Runbook, Step
from obsgen.model.severity import Severity
from obsgen.model.sli import TimeSlices
from obsgen.promql.functions import sum_over_time
from obsgen.promql.metric import seconds
from obsgen.promql.text import number, render
from obsgen.promql.tree import Expr
from obsgen.promql.units import Unit
from obsgen.words import listed, spoken


def alerts(budget: ErrorBudget) -> Iterator[Alert]:
    """Yield the alerts of a budget, with the proofs that it has for each."""
    if budget.success is not None:
        yield _success(budget)
    for severity in sorted(Severity, key=lambda each: -each.rank):
        burns = tuple(burn for burn in budget.burns if burn.severity is severity)
        if burns:
            yield _burning(budget, severity, burns)
    for alert in guards(budget):
        yield replace(alert, proofs=(*alert.proofs, *_own(budget, alert.name)))


def _own(budget: ErrorBudget, alert: str) -> tuple[Proof, ...]:
    return tuple(proof for proof in budget.proofs if proof.of == alert)


def _success(budget: ErrorBudget) -> Alert:
    success = budget.success
    assert success is not None
    watched: Expr = budget.ratio.where(success.applies_to) if success.applies_to else budget.ratio
    # With little data, or of few events, the ratio is no number of the whole window.
    total, _ = counts(budget)
    enough = watched.and_(total >= budget.min_events).and_(
        recent(budget.coverage, whole(budget)) >= budget.min_coverage, on=()
    )
    return Alert(
        name=success.alert,
        expr=enough,
        fires=success.fires,
        summary=success.summary,
        description=success.description,
        runbook=success.runbook,
        proofs=_own(budget, success.alert),
        interval=FAST,
        equivalent=dict(_success_equivalent(budget, success)),
    )


def _success_equivalent(budget: ErrorBudget, success: SuccessRatio) -> Iterator[tuple[str, str]]:
    for level in success.levels:
        yield from covered_equivalent(budget, f"{level.severity.value}: " if len(success.levels) > 1 else "")


def _burning(budget: ErrorBudget, severity: Severity, burns: tuple[BurnRate, ...]) -> Alert:
    name = budget.burn_alert(severity)
    every = _every(burns)
    whose = listed([f"{label.name.replace('_', ' ')} {label.value}" for label in budget.by])
    return Alert(
        name=name,
        expr=reduce(Expr.or_, [_burns(budget, burn, every) for burn in burns]),
        fires=Level(severity=severity, threshold=None, hold="0s", keep_firing="0s"),
        summary=f"The error budget of {budget.title} burns "
        f"{'fast' if severity is Severity.CRITICAL else 'faster than it lasts'}.",
        description=_description(budget, severity, burns, f"{budget.title}{f' of {whose}' if whose else ''}"),
        runbook=_runbook(budget, severity, burns),
        when=f"the burn rate is {_conditions(budget, burns)}",
        proofs=(*burn_proofs(budget, name, burns), *_own(budget, name)),
        interval=every,
        equivalent=dict(_equivalent(budget, burns)),
    )


def _description(budget: ErrorBudget, severity: Severity, burns: tuple[BurnRate, ...], whose: str) -> str:
    spent = f"error budget of {whose} {VALUE} as fast as the objective allows"
    if severity is Severity.CRITICAL or not budget.burns_at(Severity.CRITICAL):
        return f"Errors spend the {spent}."
    # It often comes when the page has ended: whoever gets it has to see that it is the same incident.
    longest = spoken(max((burn.long for burn in burns), key=seconds))
    return (
        f"Over the last {longest}, errors have spent the {spent}. "
        f"What {budget.burn_alert(Severity.CRITICAL)} has reported in that time is part of it."
    )


def _equivalent(budget: ErrorBudget, burns: tuple[BurnRate, ...]) -> Iterator[tuple[str, str]]:
    """Yield the changes of burn rates that make no difference, each with the reason."""
    allowance = min(objective.allowance for objective in budget.objectives)
    every = _every(burns)
    for burn in burns:
        factor = burn.factor(budget.window)
        near = (factor + 1, factor - 1) if factor.is_integer() else (round(factor * 1.1, 9), round(factor * 0.9, 9))
        for window in (burn.long, burn.short):
            was = f"{render(_rate(budget, window, every))} > {number(factor)} -> "
            yield was + ">=", "A quotient of counts is never exactly the burn rate; if it were, either would do."
            minutes = seconds(window) / 60 * allowance
            for other in near if isinstance(budget.sli, TimeSlices) else ():
                if int(factor * minutes) == int(other * minutes):
                    reason = f"Both are reached by {int(factor * minutes) + 1} bad minutes, and not by one fewer."
                    yield was + number(other), reason


def _every(burns: tuple[BurnRate, ...]) -> str:
    """Return how often an alert on burn rates is evaluated: as often as the fastest of them is recorded."""
    return FAST if any(seconds(burn.long) <= LONGEST_FAST for burn in burns) else SLOW


def _rate(budget: ErrorBudget, window: str, every: str) -> Expr:
    """Return the newest burn rate over a window, for an alert that is evaluated so often."""
    rate = budget.burn_rate(window)
    return recent(rate, SLOW) if every == FAST and tile_of(budget, window) == SLOW else rate


def _burns(budget: ErrorBudget, burn: BurnRate, every: str) -> Expr:
    factor = burn.factor(budget.window)
    burns = (_rate(budget, burn.long, every) > factor).and_(_rate(budget, burn.short, every) > factor)
    bad = sum_over_time(budget.counted("bad", tile_of(budget, burn.long)), burn.long)
    return burns.and_(bad >= budget.enough) if budget.enough > 1 else burns


def _conditions(budget: ErrorBudget, burns: tuple[BurnRate, ...]) -> str:
    return ", or ".join(
        f"above {burn.factor(budget.window):g} over {spoken(burn.long)} and over {spoken(burn.short)}" for burn in burns
    )


def _guard(budget: ErrorBudget) -> str:
    if budget.enough == 1:
        return ""
    return (
        f" Fewer than {budget.enough} bad {budget.events} in the long window alert nobody: with little traffic a "
        "single error is a high rate."
    )


def _runbook(budget: ErrorBudget, severity: Severity, burns: tuple[BurnRate, ...]) -> Runbook:
    shares = [f"{Unit.RATIO.write(burn.spends)} of the budget in {spoken(burn.long)}" for burn in burns]
    what = "It pages" if severity is Severity.CRITICAL else "It warns"
    either = f"{', '.join(shares[:-1])} or {shares[-1]}" if len(shares) > 1 else shares[0]
    enough = f", with at least {budget.enough} bad {budget.events} in the longer window" if budget.enough > 1 else ""
    return Runbook(
        meaning=f"{budget.help} Errors come so fast that the error budget of {spoken(budget.window)} will not last: "
        f"the burn rate is {_conditions(budget, burns)}{enough}.",
        impact=budget.impact,
        diagnosis=(
            *(
                Step(
                    text=f"How fast has it burned in the last {spoken(burn.long)}? It alerts above "
                    f"{burn.factor(budget.window):g}.",
                    query=budget.burn_rate(burn.long),
                )
                for burn in burns
            ),
            Step(text="How much remains? 1 is all of it, below 0 the objective is missed.", query=budget.remaining),
            Step(
                text=f"In how many seconds will nothing remain, at the pace of the last {spoken(budget.pace)}?",
                query=budget.exhausted_in,
            ),
            *budget.diagnosis,
        ),
        mitigation=budget.mitigation,
        reason=f"{what} when errors spend {either} (the method of the SRE workbook, chapter 5). The short window lets "
        "the alert end soon after the errors do." + _guard(budget),
    )
