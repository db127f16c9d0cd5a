"""Where panels stand on the grid, and the ids that they keep for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from obsgen.layout import markdown
from obsgen.layout.page import COLUMNS, NARROW, Screen, frame, rows
from obsgen.model.dashboard import Dashboard, Panel, Row, Text

HEADING = 1
"""Height of a row's heading."""


@dataclass(frozen=True, slots=True)
class Position:
    """A rectangle on the grid, in columns and rows."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row's heading and its panels, placed."""

    row: Row
    id: int
    position: Position
    panels: tuple[tuple[Panel, int, Position], ...]


def place(dashboard: Dashboard) -> Iterator[PlacedRow]:
    """Yield the rows of a dashboard from top to bottom, every line filled from edge to edge."""
    y = 0
    for row in dashboard.rows:
        heading = Position(0, y, COLUMNS, HEADING)
        y += HEADING
        panels: list[tuple[Panel, int, Position]] = []
        for line in lines(row.panels):
            height = max(map(rows_of, line, widths(line)))
            x = 0
            for panel, width in zip(line, widths(line), strict=True):
                panels.append((panel, panel_id(dashboard.uid, panel), Position(x, y, width, height)))
                x += width
            y += height
        yield PlacedRow(row, stable_id(dashboard.uid, "row", row.title), heading, tuple(panels))


def lines(panels: Sequence[Panel]) -> Iterator[list[Panel]]:
    """Yield the panels line by line, as many to a line as fit with their preferred widths."""
    line: list[Panel] = []
    for panel in panels:
        if line and sum(p.width for p in line) + panel.width > COLUMNS:
            yield line
            line = []
        line.append(panel)
    if line:
        yield line


def widths(line: Sequence[Panel]) -> list[int]:
    """Return the widths of a line's panels, stretched in proportion until they fill the grid."""
    total = sum(panel.width for panel in line)
    edges = [round(COLUMNS * sum(panel.width for panel in line[:n]) / total) for n in range(len(line) + 1)]
    return [right - left for left, right in pairwise(edges)]


def rows_of(panel: Panel, columns: int) -> int:
    """Return the height of a panel: its own, or that of a text which leaves it out."""
    if isinstance(panel, Text) and not panel.height:
        return text_rows(panel.markdown, columns, titled=bool(panel.heading))
    return panel.height


def text_rows(text: str, columns: int, *, titled: bool, screen: Screen = NARROW) -> int:
    """Return the rows of the grid that a text panel needs to show all of a text in markdown.

    Args:
        text: the markdown.
        columns: width of the panel.
        titled: whether it has a title.
        screen: where it is read; on a wider one a few lines fewer may be needed.
    """
    wide, high = frame(titled=titled)
    return rows(markdown.height(text, screen.width(columns) - wide) + high)


def panel_id(uid: str, panel: Panel) -> int:
    """Return the id of a panel: from its dashboard and its key, so that an inserted panel moves no other id."""
    return stable_id(uid, "panel", panel.key or panel.heading)


def stable_id(*parts: str) -> int:
    """Return a positive number below 2^31 made of texts."""
    digest = hashlib.blake2s("\0".join(parts).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1 or 1
