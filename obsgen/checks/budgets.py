"""Error budgets that the data cannot bear."""

from __future__ import annotations

from collections.abc import Iterator

from obsgen.checks.places import Survey
from obsgen.errors import Problem
from obsgen.promql.metric import seconds
from obsgen.words import duration

LOOKBACK = 3600
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
