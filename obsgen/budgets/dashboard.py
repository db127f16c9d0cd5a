"""The dashboard of all error budgets of a catalog: what is left, how fast it burns, where it went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from obsgen.model.budget import ErrorBudget
from obsgen.model.catalog import Project
from obsgen.model.dashboard import AlertList, BarGauge, Dashboard, Panel, Query, Row, Stat, Table, Text, TimeSeries
from obsgen.model.rule import Level, critical, warning
from obsgen.model.severity import Severity
from obsgen.promql.functions import max_, min_, raw, sum_
from obsgen.promql.label import Label
from obsgen.promql.metric import seconds
from obsgen.promql.tree import Expr
from obsgen.promql.units import Unit
from obsgen.words import outage, spoken

LEFT = (warning(below=0.25), critical(below=0))
"""A quarter of a budget is little: one more incident of the kind that takes it could be the last."""
WORST = 10
"""How many series the panel of the worst shows."""


def dashboard(project: Project, budgets: Sequence[ErrorBudget]) -> Dashboard:
    """Return the dashboard of a catalog's budgets that have objectives."""
    labels = dict.fromkeys(label for budget in budgets for label in budget.by)
    return Dashboard(
        uid=f"{project.name[:26]}-error-budgets",
        title=f"{project.title} / Error budgets",
        description="What is left of each error budget, how fast does it burn, and who spends it?",
        rows=(
            *(row for budget in budgets for row in _rows(budget)),
            Row(title="Alerts", panels=(AlertList(everything=True, width=24),)),
        ),
        filters=tuple(labels),
        time="7d",
        refresh="1m",
        at=project.at,
    )


def _rows(budget: ErrorBudget) -> Iterator[Row]:
    yield Row(title=budget.title, panels=(*_now(budget), _explained(budget)))
    yield Row(title=f"{budget.title}: history", panels=tuple(_history(budget)))


def _now(budget: ErrorBudget) -> Iterator[Panel]:
    title = budget.title
    least = "" if not budget.by else "Of the series with the least."
    yield Stat(
        shows=min_(budget.remaining),
        title=f"{title}: left",
        description=f"{budget.remaining.help} {least}".strip(),
        levels=LEFT,
    )
    yield Stat(
        shows=max_(budget.burn_rate(budget.pace)),
        title=f"{title}: burn rate",
        unit=Unit.TIMES,
        levels=_burning(budget),
    )
    yield Stat(shows=min_(budget.exhausted_in), title=f"{title}: exhausted in", unit=Unit.SECONDS)
    yield Stat(
        shows=sum_(budget.bad),
        title=f"{title}: bad {budget.events}",
        description=f"Bad {budget.events} of the last {spoken(budget.window)}.",
        width=3,
    )
    yield Stat(
        shows=budget.coverage,
        title=f"{title}: data in the window",
        levels=(warning(below=budget.min_coverage),),
        width=3,
    )


def _burning(budget: ErrorBudget) -> tuple[Level, ...]:
    """Return the lowest burn rate of each severity that alerts, as thresholds."""
    found: dict[Severity, float] = {}
    for burn in budget.burns:
        factor = burn.factor(budget.window)
        found[burn.severity] = min(factor, found.get(burn.severity, factor))
    return tuple(critical(above=f) if s is Severity.CRITICAL else warning(above=f) for s, f in found.items())


def _explained(budget: ErrorBudget) -> Text:
    lines = [budget.help, ""]
    for objective in budget.objectives:
        whose = (
            f" where `{objective.where.label.name} {objective.where.operator} {objective.where.value}`"
            if (objective.where)
            else ""
        )
        lines.append(
            f"* **{Unit.RATIO.write(objective.target)}** in {spoken(budget.window)}{whose}: "
            f"{_allowed(budget, objective.allowance)}. {objective.reason}".rstrip()
        )
    if budget.success is not None:
        lines += [
            "",
            f"This is not `{budget.success.name}`, which is the share of events that went well: that one is still at "
            f"{Unit.RATIO.write(min(o.target for o in budget.objectives))} when the objective's budget is gone.",
        ]
    return Text(
        title=f"{budget.title}: what is promised",
        description="The objectives of the budget.",
        markdown="\n".join(lines),
        height=3 + len(budget.objectives),
    )


def _allowed(budget: ErrorBudget, allowance: float) -> str:
    lasting = outage(allowance * seconds(budget.window))
    if budget.events == "minutes":
        return f"{lasting} may be bad"
    return f"of a million events {allowance * 1_000_000:,.0f} may be bad, as many as in a full outage of {lasting}"


def _history(budget: ErrorBudget) -> Iterator[Panel]:
    by = tuple(budget.by)
    yield TimeSeries(shows=budget.remaining, title=f"{budget.title}: left over time", legend=by or None, levels=LEFT)
    windows = dict.fromkeys(burn.long for burn in budget.burns)
    yield TimeSeries(
        shows=tuple(
            Query(expr=budget.burn_rate(w), legend=_legend(by, w), levels=_burning(budget))
            for w in windows or (budget.pace,)
        ),
        title=f"{budget.title}: burn rates",
        description="How many times faster than its objective allows the budget is spent, by window.",
        unit=Unit.TIMES,
    )
    if not by:
        return
    yield BarGauge(
        shows=_worst(min_(budget.remaining, by=by)),
        title=f"{budget.title}: worst",
        description=f"The {WORST} with the least left.",
        legend=by,
        levels=LEFT,
        width=8,
        height=10,
    )
    columns: list[tuple[str, Expr, tuple[Level, ...]]] = [
        ("Left", min_(budget.remaining, by=by), LEFT),
        ("Objective", max_(budget.objective, by=by), ()),
        (f"Burn rate, {budget.pace}", max_(budget.burn_rate(budget.pace), by=by), _burning(budget)),
        (f"Bad {budget.events}", max_(budget.bad, by=by), ()),
        (f"All {budget.events}", max_(budget.total, by=by), ()),
    ]
    yield Table(
        title=f"{budget.title}: all",
        description="Every series with an objective.",
        by=by,
        shows=tuple(Query(expr=expr, legend=head, levels=levels) for head, expr, levels in columns),
        width=16,
        height=10,
    )


def _legend(by: Sequence[Label], window: str) -> str:
    return " ".join([*(f"{{{{{label.name}}}}}" for label in by), window])


def _worst(expr: Expr) -> Expr:
    return raw(f"bottomk({WORST}, {{x}})", x=expr)
