"""How much of a graph its legend takes, and the names of bars.

From `packages/grafana-ui/src/components/VizLegend`, `VizLayout/VizLayout.tsx` and `BarGauge/BarGauge.tsx` of Grafana
12.4; heights of lines were measured in Chromium.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from obsgen.layout import inter

_ITEM = 14 + 8 + 10
"""The sign of a series, the gap behind it, and what follows its name."""
_LINE, _PADDING = 23.5, 4
_ROW = 24
"""A row of a legend that is a table, and its head."""
_CELL = 2 * 8
_MOST_HEIGHT, _MOST_WIDTH = 0.35, 0.6
"""What of a graph Grafana gives to a legend below it, and beside it; the rest scrolls."""
_FIGURE = "-12.3 Mil"
_BAR_GAP, _LEAST_BAR = 10, 16
"""Bars below 16 px scroll (`calculateTitleDimensions`)."""
_NAME_OF_BAR = 0.6 / 1.5
"""Size of the name, of the height of a bar; it has at least the height of `MIN_VALUE_HEIGHT`."""
_LEAST_NAME = 18 / 1.5
_BEHIND_NAME = 15


@dataclass(frozen=True, slots=True)
class Legend:
    """A legend that fits.

    Attributes:
        placement: where it stands.
        table: whether it is a table, with a column for each figure.
        pixels: its height below a graph, its width beside it.
    """

    placement: Literal["bottom", "right"]
    table: bool
    pixels: float


def below(names: Sequence[str], width: float) -> float:
    """Return the height of a legend that is a list below a graph of a width."""
    lines, used = 1, 0.0
    for name in names:
        item = inter.width(name, inter.SMALL) + _ITEM
        if used and used + item > width - 2 * _PADDING:
            lines, used = lines + 1, 0.0
        used += item
    return lines * _LINE + 2 * _PADDING


def beside(names: Sequence[str], figures: Sequence[str]) -> tuple[float, float]:
    """Return the width and height of a legend that is a table, with columns of figures that are headed so."""
    name = max((inter.width(each, inter.SMALL) for each in names), default=0)
    columns = (max(inter.width(text, inter.SMALL, medium=True) for text in (head, _FIGURE)) for head in figures)
    return 14 + 8 + name + _CELL + sum(column + _CELL for column in columns), _ROW * (len(names) + 1)


def legend(names: Sequence[str], width: float, height: float, figures: Sequence[str] = ()) -> Legend | None:
    """Return a legend that shows all the names on a graph, None where there is none.

    A list below the graph comes first: it leaves the graph its width, and time is what a graph has most of.

    Args:
        names: of the series.
        width: of the panel's content, in pixels.
        height: of the panel's content, in pixels.
        figures: what a table shows of each series.
    """
    needed = below(names, width)
    if needed <= _MOST_HEIGHT * height and not figures:
        return Legend("bottom", table=False, pixels=needed)
    wide, high = beside(names, figures)
    if wide <= _MOST_WIDTH * width and high <= height:
        return Legend("right", table=True, pixels=wide)
    if needed <= _MOST_HEIGHT * height:
        return Legend("bottom", table=False, pixels=needed)
    return None


def bars_fit(names: Sequence[str], width: float, height: float) -> bool:
    """Return whether a bar gauge shows all its bars, and their names, which stand above them, whole."""
    bar = (height + _BAR_GAP) / len(names) - _BAR_GAP
    if bar < _LEAST_BAR:
        return False
    size = max(bar * _NAME_OF_BAR, _LEAST_NAME)
    needed = max(inter.width(name, size, spaced=False) for name in names) + _BEHIND_NAME
    return needed <= width
