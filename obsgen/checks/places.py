"""Where expressions stand in a catalog, and where in the definitions a mistake in them is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from obsgen.errors import DefinitionError, Location, Problem
from obsgen.layout import Position, place
from obsgen.model.catalog import Catalog
from obsgen.model.dashboard import Dashboard, Panel
from obsgen.promql.infer import labels_of, lost_labels
from obsgen.promql.reader import PromQLError
from obsgen.promql.tree import Expr, Series, children, walk

DEEPEST = 100
"""So deep may an expression of the definitions be nested: what reads them goes down a level at a time."""


@dataclass(frozen=True, slots=True)
class Place:
    """An expression and what it belongs to.

    Attributes:
        expr: the expression.
        at: the line of what it belongs to.
        what: what it belongs to, for messages.
        fills_window: whether an open window is filled in here.
        interval: how often it is evaluated, a PromQL duration; empty for what people ask.
    """

    expr: Expr
    at: Location
    what: str
    fills_window: bool = False
    interval: str = ""

    def line(self, node: Expr) -> Location:
        """Return the line of a part of the expression, or of the whole where the part has none of its own.

        A series has the line where it was declared, and what obsgen built itself has one of obsgen's.
        """
        at = self.at if isinstance(node, Series) else node.at
        return at if os.path.dirname(at.file) == os.path.dirname(self.at.file) else self.at


class Survey:
    """A catalog under examination: its expressions, walked once for all the checks.

    Args:
        catalog: the catalog, expanded.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._labels: dict[int, frozenset[str] | None] = {}

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every expression of the catalog."""
        return tuple(_places(self.catalog))

    @cached_property
    def nodes(self) -> tuple[tuple[Place, Expr], ...]:
        """Every part of every expression of the catalog, with its place."""
        return tuple((place, node) for place in self.places for node in walk(place.expr))

    @cached_property
    def placed(self) -> tuple[tuple[Dashboard, Panel, Position], ...]:
        """Every panel of the catalog, with its dashboard and its place on it."""
        return tuple(
            (dashboard, panel, position)
            for dashboard in self.catalog.dashboards
            for row in place(dashboard)
            for panel, _, position in row.panels
        )

    def labels(self, expr: Expr) -> frozenset[str] | None:
        """Return the labels of an expression's result, None where they are not known or it is no PromQL."""
        # By identity: two series may share a name, which is one of the mistakes to be found.
        if id(expr) not in self._labels:
            try:
                self._labels[id(expr)] = labels_of(expr)
            except (PromQLError, DefinitionError):
                self._labels[id(expr)] = None
        return self._labels[id(expr)]

    def lost_labels(self, expr: Expr) -> tuple[str, ...]:
        """Return the labels that the text of an expression aggregates by although they are not there."""
        try:
            return lost_labels(expr)
        except (PromQLError, DefinitionError):
            return ()


def deep(catalog: Catalog) -> Iterator[Problem]:
    """Yield what is nested so deep that no check may read it, of a catalog that is not yet expanded."""
    for found in _places(catalog):
        # A level at a time, each part once: a part may stand in many places.
        level, depth = [found.expr], 1
        while level and depth <= DEEPEST:
            level = list({id(part): part for node in level for part in children(node)}.values())
            depth += 1
        if level:
            hint = "make a Recording of a part of it, and read that"
            yield Problem("deep-expression", f"{found.what} is nested more than {DEEPEST} deep", found.at, hint)


def _places(catalog: Catalog) -> Iterator[Place]:
    for recording in catalog.recordings:
        yield Place(recording.expr, recording.at, f"recording {recording.name}", interval=recording.interval)
    for alert in catalog.alerts:
        yield Place(alert.expr, alert.at, f"alert {alert.name}", interval=alert.interval)
        for step in (*alert.runbook.diagnosis_steps, *alert.runbook.mitigation_steps):
            if step.query is not None:
                yield Place(step.query, alert.at, f"the runbook of {alert.name}", fills_window=True)
    for annotation in catalog.annotations:
        yield Place(annotation.expr, annotation.at, f"annotation {annotation.title!r}")
    for dashboard in catalog.dashboards:
        for panel in dashboard.panels:
            what = f"panel {panel.heading!r} of {dashboard.uid}"
            for expr in panel.expressions:
                yield Place(expr, panel.at, what, fills_window=True)


def meant(name: str, known: frozenset[str] | list[str]) -> str:
    """Return a hint with the known name nearest to a wrong one, or with all of them where none is near."""
    near = get_close_matches(name, sorted(known), n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known are {', '.join(sorted(known))}" if known else ""
