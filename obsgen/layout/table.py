"""The columns of a table: how wide each has to be for what stands in it.

From `packages/grafana-ui/src/components/Table/TableNG` of Grafana 12.4 (`constants.ts`, `styles.ts`): without widths
of their own, columns share the panel equally, at least 150 px each, and what does not fit is cut.
"""

from __future__ import annotations

from dataclasses import dataclass

from obsgen.layout import inter
from obsgen.layout.contents import longest_values
from obsgen.model.dashboard import Table
from obsgen.words import titled

FRAME = 2 * 6 + 1
"""Padding and border of a cell."""
_ARROW = 18
"""The sign of the order, in the head of the column that the table is sorted by."""
_UNKNOWN = 150
"""A column of labels whose values the catalog does not know."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        head: what it is headed.
        pixels: the width that its head and its longest value need.
        fixed: whether it is as wide as that, as numbers are; labels share what is left.
    """

    head: str
    pixels: int
    fixed: bool


def columns(table: Table) -> list[Column]:
    """Return the columns of a table, from left to right: its labels, then its queries."""
    found = []
    for label in table.by:
        head = titled(label.name)
        needed = max((inter.width(value) for value in label.values), default=_UNKNOWN - FRAME)
        found.append(Column(head, _pixels(head, needed), fixed=False))
    for head, query in zip(table.heads, table.queries, strict=True):
        needed = max(map(inter.width, longest_values(table, query)))
        found.append(Column(head, _pixels(head, needed), fixed=True))
    return found


def _pixels(head: str, cell: float) -> int:
    return round(max(inter.width(head, medium=True) + _ARROW, cell) + FRAME + 0.5)
