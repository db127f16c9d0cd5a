"""How large Grafana writes the number of a stat panel, and the name of what it is of.

The rules are those of `packages/grafana-ui/src/components/BigValue/BigValueLayout.tsx` in Grafana 12.4, `VizRepeater`
and `utils/squares.ts` beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt

from obsgen.layout import inter

_SPACING = 3
_LINE_HEIGHT = 1.2
_LARGEST_NAME = 30
_WIDE = 2.5
"""From this ratio of width to height on the name stands left of the value, and the value gets a part of the width."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Font sizes in pixels; that of names is 0 where none is shown.

    Attributes:
        value: of the value.
        name: of the name.
    """

    value: float
    name: float


def sizes(values: Sequence[str], names: Sequence[str], width: float, height: float) -> Sizes:
    """Return the sizes on a panel.

    Args:
        values: how the values may be written.
        names: of the series; a single one is not shown.
        width: of the panel's content, in pixels.
        height: of the panel's content, in pixels.
    """
    if len(names) > 1:
        width, height = _cell(width, height, len(names))
    padding = 12 if height > 100 else 8
    room, tall = width - 2 * padding, height - 2 * padding
    named = len(names) > 1
    if width / height > _WIDE:
        value = _fitting(values, room * (0.3 if named else 1), tall, medium=True)
        return Sizes(value, min(0.7 * value, _fitting(names, room * 0.6, tall)) if named else 0)
    name = _fitting(names, room, height * 0.15) if named else 0
    value = _fitting(values, room, tall - name * _LINE_HEIGHT, medium=True)
    return Sizes(value, min(0.7 * value, name))


def _fitting(texts: Sequence[str], width: float, height: float, *, medium: bool = False) -> float:
    """Return the size at which the longest text fits, `calculateFontSize` of `utils/measureText.ts`."""
    longest = max((inter.width(text, medium=medium, spaced=False) for text in texts), default=0)
    size = min(height / _LINE_HEIGHT, width / (longest + 2) * inter.BODY)
    return max(0.0, size if medium else min(size, _LARGEST_NAME))


def _cell(width: float, height: float, number: int) -> tuple[float, float]:
    """Return the width and height of one of several values, `calculateGridDimensions`."""
    square = max(_child(width, height, number), _child(height, width, number))
    lines = ceil(number / max(1, floor(width / square)))
    across = ceil(number / lines)
    return (width + _SPACING) / across - _SPACING, (height + _SPACING) / lines - _SPACING


def _child(width: float, height: float, number: int) -> float:
    parts = ceil(sqrt(number * width / height))
    if floor(parts * height / width) * parts < number:
        return height / ceil(parts * height / width)
    return width / parts
