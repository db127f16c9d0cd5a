"""The dashboard of all error budgets of a catalog: which is in trouble, how fast it burns, and where it went."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from obsgen.model.budget import ErrorBudget
from obsgen.model.catalog import Project
from obsgen.model.dashboard import AlertList, Dashboard, Panel, Query, Row, Stat, Table, Text, TimeSeries
from obsgen.model.rule import Level, critical, level, warning
from obsgen.model.severity import Severity
from obsgen.promql.functions import label_replace, max_, min_, sum_
from obsgen.promql.label import Label
from obsgen.promql.metric import seconds
from obsgen.promql.tree import Expr
from obsgen.promql.units import Unit
from obsgen.words import outage, spoken

LEFT = (warning(below=0.25), critical(below=0))
"""A quarter of a budget is little: one more incident of the kind that takes it could be the last."""
BUDGET = Label("error_budget", "Title of an error budget, on its dashboard.")
NOT_BURNING = "not burning"


def dashboard(project: Project, budgets: Sequence[ErrorBudget]) -> Dashboard:
    """Return the dashboard of a catalog's budgets that have objectives."""
    labels = dict.fromkeys(label for budget in budgets for label in budget.by)
    return Dashboard(
        uid=f"{project.name[:26]}-error-budgets",
        title=f"{project.title} / Error budgets",
        description="What remains of each error budget, how fast does it burn, and who spends it?",
        rows=(
            Row(title="All error budgets", panels=(_summary(budgets), AlertList(everything=True))),
            *(row for budget in budgets for row in _rows(budget)),
        ),
        filters=tuple(labels),
        time="7d",
        refresh="1m",
        at=project.at,
    )


def _summary(budgets: Sequence[ErrorBudget]) -> Table:
    """Return a table with a row for each budget: its worst series."""

    def each(of: Callable[[ErrorBudget], Expr]) -> Expr:
        return _together([label_replace(of(budget), BUDGET.name, budget.title) for budget in budgets])

    columns = (
        Query(expr=each(lambda b: min_(b.remaining)), legend="Remaining", unit=Unit.RATIO, levels=LEFT),
        Query(
            expr=each(lambda b: max_(b.burn_rate(b.pace))),
            legend="Burn rate",
            unit=Unit.TIMES,
            levels=_burning(*budgets),
        ),
        Query(expr=each(lambda b: min_(b.exhausted_in)), legend="Exhausted in", unit=Unit.SECONDS, absent=NOT_BURNING),
        Query(expr=each(lambda b: sum_(b.bad)), legend="Bad events", unit=Unit.COUNT),
        Query(expr=each(lambda b: max_(b.coverage)), legend="Measured", unit=Unit.RATIO),
    )
    return Table(
        title="Error budgets",
        description="The worst series of each error budget. Remaining: 100% is all of the errors that the objective "
        "allows, below 0% it is missed. Burn rate: at 1 the budget lasts exactly its window. Measured: the share of "
        "the window that has data.",
        by=(BUDGET,),
        shows=columns,
        sort_by="Remaining",
        height=3 + len(budgets),
    )


def _together(exprs: Sequence[Expr]) -> Expr:
    """Return all the series of some expressions, nested as little as can be: there may be hundreds."""
    if len(exprs) == 1:
        return exprs[0]
    half = (len(exprs) + 1) // 2
    return _together(exprs[:half]).or_(_together(exprs[half:]))


def _rows(budget: ErrorBudget) -> Iterator[Row]:
    yield Row(title=f"{budget.title}: {_targets(budget)}", panels=(*_now(budget), _explained(budget)))
    yield Row(title=f"{budget.title}: history", panels=tuple(_history(budget)), collapsed=True)


def _targets(budget: ErrorBudget) -> str:
    targets = " / ".join(dict.fromkeys(Unit.RATIO.write(each.target) for each in budget.objectives))
    return f"{targets} in {spoken(budget.window)}"


def _key(budget: ErrorBudget, what: str) -> str:
    return f"{budget.name} {what}"


def _now(budget: ErrorBudget) -> Iterator[Panel]:
    least = " Of the worst series." if budget.by else ""
    yield Stat(
        shows=min_(budget.remaining),
        title="Budget remaining",
        key=_key(budget, "remaining"),
        description=f"{budget.remaining.help}{least}",
        levels=LEFT,
    )
    yield Stat(
        shows=max_(budget.burn_rate(budget.pace)),
        title=f"Burn rate, {budget.pace}",
        key=_key(budget, "burn rate"),
        description=f"{budget.burn_rate(budget.pace).help} At 1 the budget lasts exactly its window.{least}",
        unit=Unit.TIMES,
        levels=_burning(budget),
    )
    yield Stat(
        shows=sum_(budget.bad),
        title=f"Bad {budget.events}",
        key=_key(budget, "bad"),
        description=f"Bad {budget.events} of the last {spoken(budget.window)}, of all series.",
    )
    yield Stat(
        shows=budget.coverage,
        title="Measured",
        key=_key(budget, "data"),
        description=budget.coverage.help,
        levels=(warning(below=budget.min_coverage),),
    )


def _burning(*budgets: ErrorBudget) -> tuple[Level, ...]:
    """Return the lowest burn rate of each severity that alerts, as thresholds."""
    found: dict[Severity, float] = {}
    for budget in budgets:
        for burn in budget.burns:
            factor = burn.factor(budget.window)
            found[burn.severity] = min(factor, found.get(burn.severity, factor))
    return tuple(level(severity, above=factor) for severity, factor in found.items())


def _explained(budget: ErrorBudget) -> Text:
    lines = [budget.help, ""]
    for objective in budget.objectives:
        whose = (
            f" where `{objective.where.label.name} {objective.where.operator} {objective.where.value}`"
            if objective.where
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
        title="Objective",
        key=_key(budget, "objective"),
        description="What the budget promises.",
        markdown="\n".join(lines),
    )


def _allowed(budget: ErrorBudget, allowance: float) -> str:
    lasting = outage(allowance * seconds(budget.window))
    if budget.events == "minutes":
        return f"{lasting} may be bad"
    return f"of a million events {allowance * 1_000_000:,.0f} may be bad, as many as in a full outage of {lasting}"


def _history(budget: ErrorBudget) -> Iterator[Panel]:
    by = tuple(budget.by)
    if by:
        yield _all(budget, by)
    title = "Remaining by series" if by else "Remaining over time"
    yield TimeSeries(
        shows=budget.remaining,
        title=title,
        key=_key(budget, title.lower()),
        description=budget.remaining.help,
        legend=by or None,
        levels=LEFT,
        width=24,
        height=10 if by else 8,
    )
    windows = dict.fromkeys(burn.long for burn in budget.burns)
    yield TimeSeries(
        shows=tuple(
            Query(expr=max_(budget.burn_rate(w)), legend=f"over {spoken(w)}", levels=_burning(budget))
            for w in windows or (budget.pace,)
        ),
        title="Burn rates",
        key=_key(budget, "burn rates"),
        description="How many times faster than its objective allows the budget is spent, by window."
        + (" Of the worst series." if by else ""),
        unit=Unit.TIMES,
        width=24,
    )


def _all(budget: ErrorBudget, by: tuple[Label, ...]) -> Table:
    columns: list[tuple[str, Expr, tuple[Level, ...], str]] = [
        ("Remaining", min_(budget.remaining, by=by), LEFT, ""),
        ("Objective", max_(budget.objective, by=by), (), ""),
        (f"Burn rate, {budget.pace}", max_(budget.burn_rate(budget.pace), by=by), _burning(budget), ""),
        ("Exhausted in", min_(budget.exhausted_in, by=by), (), NOT_BURNING),
        (f"Bad {budget.events}", max_(budget.bad, by=by), (), ""),
    ]
    return Table(
        title="All series",
        key=_key(budget, "all series"),
        description="Every series with an objective, that with the least budget first.",
        by=by,
        shows=tuple(Query(expr=e, legend=head, levels=levels, absent=absent) for head, e, levels, absent in columns),
        sort_by="Remaining",
        height=10,
    )
