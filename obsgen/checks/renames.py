"""Mistakes with metrics that have another name today."""

from __future__ import annotations

from collections.abc import Iterator

from obsgen.checks.places import Survey
from obsgen.errors import DefinitionError, Problem
from obsgen.model.order import in_order
from obsgen.promql import reader
from obsgen.promql.infer import ANY_WINDOW
from obsgen.promql.label import RENAMED
from obsgen.promql.reader import PromQLError
from obsgen.promql.source import Status
from obsgen.promql.text import render
from obsgen.promql.tree import Binary, Expr, series_in


def renamed_partner(survey: Survey) -> Iterator[Problem]:
    """An operator between a renamed metric and one that is not: what is recorded has a label more and never matches."""
    marks = _Marks(survey)
    if not marks.marked:
        return
    for place, node in survey.nodes:
        if not isinstance(node, Binary) or node.on is not None or node.operator == "or":
            continue
        left, right = survey.labels(node.left), survey.labels(node.right)
        if not left or not right or marks.has(node.left) == marks.has(node.right):
            continue
        message = (
            f"one side of {node.operator!r} is renamed today and the other is not: what a rule records has the label "
            f"{RENAMED.name!r}, and the sides never match"
        )
        yield Problem("renamed-partner", message, place.line(node), "aggregate both sides, or match with on=(...)")


class _Marks:
    """Which series carry the label that tells what is recorded under a metric's name.

    Args:
        survey: the catalog.
    """

    def __init__(self, survey: Survey) -> None:
        catalog = survey.catalog
        self.marked = {metric.name for metric in catalog.metrics if metric.status is Status.RENAMED}
        if self.marked:
            known = {recording.name: recording for recording in catalog.recordings}
            self.marked |= {name for name in in_order(catalog.recordings) if self.has(known[name].expr)}

    def has(self, expr: Expr) -> bool:
        """Return whether the result of an expression carries the label."""
        read = {series.name: series for series in series_in(expr)}

        def labels(name: str) -> frozenset[str]:
            base = name if name in read else name.rpartition("_")[0]
            own = read[base].label_names if base in read else frozenset()
            return own | ({RENAMED.name} if base in self.marked else frozenset())

        try:
            return RENAMED.name in (reader.result_labels(render(expr, ANY_WINDOW), labels) or ())
        except (PromQLError, DefinitionError):
            return False
