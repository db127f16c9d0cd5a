"""The page of the docs about error budgets: what they promise, in events and in minutes, and when they alert."""

from __future__ import annotations

from collections.abc import Iterator

from obsgen.budgets import FAST, SLOW, recordings
from obsgen.index import Index
from obsgen.model.budget import ErrorBudget
from obsgen.model.catalog import Domain
from obsgen.model.objective import BurnRate, Objective
from obsgen.model.rule import Alert, Level
from obsgen.promql.label import Matcher
from obsgen.promql.metric import seconds
from obsgen.promql.units import Unit
from obsgen.render.links import BUDGETS_FILE, anchor, runbook_file, series_file
from obsgen.render.markdown import code, items, link, page, table
from obsgen.render.runbooks import condition
from obsgen.words import listed, outage, spoken

HERE = BUDGETS_FILE


def budget_page(index: Index) -> str:
    """Return the page about the error budgets of a catalog."""
    budgets = [(domain, budget) for domain in index.catalog.domains for budget in domain.budgets]
    return page(
        "# Error budgets",
        "An objective says which share of events is to go well in a rolling window. What may go wrong is the **error "
        "budget**: of 99.9 % it is one event of a thousand. Budgets count **events**, not time: a minute with a "
        "thousand requests weighs as much as the thousand requests in it. Where there are no events to count, minutes "
        "are the events.",
        table(
            ("Budget", "Of each", "Objective", "Window", "May go wrong", "Which is a full outage of"), _rows(budgets)
        ),
        *(part for domain, budget in budgets for part in _budget(index, domain, budget)),
        _data(index, [budget for _, budget in budgets]),
    )


def _rows(budgets: list[tuple[Domain, ErrorBudget]]) -> Iterator[tuple[str, ...]]:
    for _, budget in budgets:
        for objective in budget.objectives:
            yield (
                link(budget.title, f"{HERE}#{anchor(budget.title)}", HERE),
                _each(budget),
                Unit.RATIO.write(objective.target) + (f" where {_where(objective.where)}" if objective.where else ""),
                spoken(budget.window),
                _share(budget, objective.allowance),
                outage(objective.allowance * seconds(budget.window)),
            )


def _each(budget: ErrorBudget) -> str:
    return listed([code(label.name) for label in budget.by]) or "all together"


def _where(matcher: Matcher) -> str:
    return code(f"{matcher.label.name}{matcher.operator}{matcher.value}")


def _share(budget: ErrorBudget, share: float) -> str:
    if budget.events == "minutes":
        return f"{share * seconds(budget.window) / 60:.3g} minutes of {seconds(budget.window) / 60:,.0f}"
    return f"{share * 1_000_000:,.0f} of a million"


def _budget(index: Index, domain: Domain, budget: ErrorBudget) -> Iterator[str]:
    yield f"## {budget.title}"
    yield budget.help
    if budget.objectives:
        yield (
            f"{_series(index, budget.remaining.name)} tells what is left of it: 1 is all, 0 nothing, below 0 the "
            "objective is missed."
        )
        yield table(
            ("Objective", "Holds for", "May go wrong", "Why"), (_objective(budget, o) for o in budget.objectives)
        )
        yield from _burning(budget)
    if budget.success is not None:
        yield from _success(index, domain, budget)
    yield "### How it is counted"
    yield table(
        ("Recorded series", "Every", "What it is"),
        [(_series(index, r.name), spoken(r.interval), r.help) for r in recordings(budget)],
    )


def _objective(budget: ErrorBudget, objective: Objective) -> tuple[str, ...]:
    others = "all others" if objective is not budget.objectives[0] else "all"
    return (
        Unit.RATIO.write(objective.target),
        _where(objective.where) if objective.where else others,
        _share(budget, objective.allowance),
        objective.reason,
    )


def _burning(budget: ErrorBudget) -> Iterator[str]:
    if not budget.burns:
        return
    yield "### When it burns"
    yield (
        "A burn rate of 1 spends the budget exactly in its window. An alert fires when the long and the short window "
        "both show the burn rate" + _guard(budget)
    )
    head = (
        "Alert",
        "Severity",
        "Burn rate",
        "Over",
        "And over",
        "Spends",
        "All of it in",
        "If everything fails, after",
    )
    yield table(head, (_burn(budget, burn) for burn in budget.burns))


def _guard(budget: ErrorBudget) -> str:
    if budget.enough == 1:
        return "."
    return (
        f", and the long one has at least {budget.enough} bad {budget.events}: one error among three requests alerts "
        "nobody."
    )


def _burn(budget: ErrorBudget, burn: BurnRate) -> tuple[str, ...]:
    name, factor = budget.burn_alert(burn.severity), burn.factor(budget.window)
    strictest = min(objective.allowance for objective in budget.objectives)
    return (
        link(name, runbook_file(name), HERE),
        burn.severity.value,
        f"{factor:g}",
        spoken(burn.long),
        spoken(burn.short),
        f"{Unit.RATIO.write(burn.spends)} of the budget",
        outage(seconds(budget.window) / factor),
        outage(factor * strictest * seconds(burn.long)) + " or more",
    )


def _success(index: Index, domain: Domain, budget: ErrorBudget) -> Iterator[str]:
    success = budget.success
    assert success is not None
    alert = next(alert for alert in domain.alerts if alert.name == success.alert)
    window = spoken(budget.window)
    yield f"### {success.title}: another number"
    gone = [
        f"{Unit.RATIO.write(o.target)}, when the budget of an objective of {Unit.RATIO.write(o.target)} is gone"
        for o in budget.objectives
    ]
    yield (
        f"{_series(index, success.name)}: {success.help} It is `1 - bad / total` over the last {window}: the share of "
        f"events that went well, not what is left of an objective's budget. It still stands at {listed(gone)}."
        if gone
        else f"{_series(index, success.name)}: {success.help} It is `1 - bad / total` over the last {window}."
    )
    yield (
        f"{link(alert.name, runbook_file(alert.name), HERE)} fires as below, unless there are fewer than "
        f"{budget.min_events} {budget.events} in {window} or data for less than "
        f"{Unit.RATIO.write(budget.min_coverage)} of it."
    )
    rows = [_meaning(budget, alert, level) for level in alert.levels if level.threshold]
    yield table(("Severity", "Fires when", "Error rate", "As much as a full outage of", "Of a million events"), rows)
    watched = success.applies_to
    if watched:
        which = "all but these" if watched.operator.startswith("!") else "these"
        yield f"It watches {which}:\n\n" + items(code(value) for value in watched.literals or (watched.value,))


def _meaning(budget: ErrorBudget, alert: Alert, level: Level) -> tuple[str, ...]:
    assert level.threshold is not None
    lost = round(1 - level.threshold.value, 12)
    return (
        level.severity.value,
        condition(alert, level),
        f"more than {Unit.RATIO.write(lost)}",
        outage(lost * seconds(budget.window)),
        f"{lost * 1_000_000:,.0f} failed",
    )


def _data(index: Index, budgets: list[ErrorBudget]) -> str:
    longest = max((budget.window for budget in budgets), key=seconds)
    retention = index.catalog.project.retention
    return page(
        "## What the numbers rest on",
        f"New events are counted from the raw counters into tiles of {spoken(SLOW)} (for burn rates over an hour or "
        f"less, of {spoken(FAST)}), and the tiles of a window are summed. Each scrape adds what it has more than the "
        "one before: a counter's first value counts, and so does what came before a restart. A series without errors "
        "has zero of them. A quiet night weighs as little as it has events.",
        "An outage loses nothing as long as the counters survive it. If a target could not be scraped for up to six "
        "hours, the first scrape after that is compared with the last before. If Prometheus was down or did not "
        "evaluate the rules for up to a day, the first evaluation counts that day from the raw samples and adds what "
        "is missing; burn rates over more than an hour show it, so an incident within the outage is reported when "
        "Prometheus is back. A longer outage shows as missing data (the alerts ending in BudgetDataMissing), and "
        "`obsgen slo backfill` counts it afterwards.",
        f"The longest window is {spoken(longest)}; Prometheus keeps its data for {spoken(retention)} "
        f"(`--storage.tsdb.retention.time={retention}`; its own default is 15 days). With a "
        "shorter retention the window would silently be as short.",
        "Tiles begin when the rules are loaded for the first time; `obsgen slo backfill` counts what Prometheus has "
        "scraped before. Each budget records its coverage: the share of its window in which its rules were evaluated "
        "and its sources could be scraped. Below 100% the numbers speak of that share only. A route or node that is "
        "new lacks nothing: there was nothing to count before. Burn rates need no more data than their own windows.",
    ).rstrip()


def _series(index: Index, name: str) -> str:
    return link(code(name), series_file(index, name), HERE)
