"""Tiles of error budgets in a past without failures, as cheap queries.

The rules see to restarts and outages, of which there were none: what they count of a counter is what it has more than
before. The queries of the rules would take minutes for two weeks.
"""

from __future__ import annotations

from obsgen.budgets import FAST, SLOW
from obsgen.model import Catalog, ErrorBudget
from obsgen.model.sli import Latency, TimeSlices
from obsgen.promql.metric import Vector
from obsgen.promql.text import render


def plain(catalog: Catalog) -> dict[str, str]:
    """Return the query of every tile that is counted from events, by the name under which it is recorded."""
    budgets = (budget for domain in catalog.domains for budget in domain.budgets)
    counted = [budget for budget in budgets if not isinstance(budget.sli, TimeSlices)]
    windows = (FAST, SLOW)
    return {
        budget.counted(which, window).name: expr
        for budget in counted
        for window in windows
        for which, expr in zip(("total", "bad"), _tile(budget, window), strict=True)
    }


def _tile(budget: ErrorBudget, window: str) -> tuple[str, str]:
    """Return the queries for all events of a tile, and for the bad ones."""
    sli = budget.sli
    assert not isinstance(sli, TimeSlices)
    by = f"by ({', '.join(label.name for label in budget.by)}) " if budget.by else ""

    def more(vector: Vector) -> str:
        return f"sum {by}({render(vector)} - {render(vector)} offset {window})"

    total = more(sli.total)
    if isinstance(sli, Latency):
        return total, f"{total} - {more(sli.good)}"
    part = f"({more(sli.part)} or {total} * 0)"
    return total, part if sli.bad is not None else f"{total} - {part}"
