"""Error budgets that the data cannot bear."""

from __future__ import annotations

from collections.abc import Iterator

from obsgen.checks.places import Survey
from obsgen.errors import Problem
from obsgen.model.objective import usual
from obsgen.model.order import metrics_behind
from obsgen.model.severity import Severity
from obsgen.promql.counting import BRIDGED
from obsgen.promql.metric import seconds
from obsgen.promql.tree import series_in
from obsgen.words import duration, spoken

SLOWEST = 120
"""Seconds between two scrapes at most: of less than two samples in five minutes, nothing can be counted for sure."""
LOOKBACK = seconds(BRIDGED)
"""Seconds that a tile looks back before its own time."""


def short_retention(survey: Survey) -> Iterator[Problem]:
    """A window that is longer than Prometheus keeps its data: it would silently be as short."""
    project = survey.catalog.project
    for domain in survey.catalog.domains:
        for budget in domain.budgets:
            needed = seconds(budget.window) + LOOKBACK
            if seconds(project.retention) < needed:
                message = (
                    f"the window of budget {budget.name} is {budget.window}, and Prometheus keeps its data for "
                    f"{project.retention}"
                )
                hint = (
                    f"start Prometheus with --storage.tsdb.retention.time of {duration(needed)} or more, and say so at "
                    f"{project.at}: retention=..."
                )
                yield Problem("short-retention", message, budget.at, hint)


def slow_source(survey: Survey) -> Iterator[Problem]:
    """A budget of a source that is scraped so rarely that its minutes are empty: it would count nothing."""
    recorded = {recording.name: recording for recording in survey.catalog.recordings}
    for domain in survey.catalog.domains:
        for budget in domain.budgets:
            read = tuple(series for expr in budget.sli.reads for series in series_in(expr))
            sources = {m.source for m in metrics_behind(read, recorded) if m.source is not None}
            for source in sorted(sources, key=lambda each: each.name):
                if seconds(source.interval) > SLOWEST:
                    message = (
                        f"budget {budget.name} counts minutes of {source.title}, which is scraped every "
                        f"{spoken(source.interval)}"
                    )
                    often = spoken(duration(SLOWEST))
                    hint = f"scrape it at least every {often}: interval=... of the Source at {source.at}"
                    yield Problem("slow-source", message, budget.at, hint)


def silent_budget(survey: Survey) -> Iterator[Problem]:
    """A budget whose usual burn rates are out of reach: nobody would be paged, or nobody would get a ticket."""
    for domain in survey.catalog.domains:
        for budget in domain.budgets:
            if budget.burn_rates is not None or not budget.objectives:
                continue
            least = max(objective.allowance for objective in budget.objectives)
            for severity in (Severity.CRITICAL, Severity.WARNING):
                usual_ones = [burn for burn in usual(budget.window) if burn.severity is severity]
                if not budget.burns_at(severity):
                    lowest = min(burn.factor(budget.window) for burn in usual_ones)
                    yield Problem(
                        "silent-budget",
                        f"budget {budget.name} has no {severity.value} burn rate: with an objective of {1 - least:g} "
                        f"in {budget.window} the lowest usual one, {lowest:g}, "
                        + (f"takes {lowest * least:.0%} of bad events" if lowest >= 1 else "spends no budget"),
                        budget.at,
                        'choose some, as in burn_rates=(BurnRate(severity=Severity.CRITICAL, spends=0.5, long="1d", '
                        'short="2h"),), or say with burn_rates=() that it alerts nobody',
                    )
