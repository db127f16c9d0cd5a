"""How high Grafana draws a text in markdown.

From the styles of Grafana 12.4, `packages/grafana-ui/src/themes/GlobalStyles/elements.ts`, `markdownStyles.ts` and
`code.ts`, and the line heights of `packages/grafana-data/src/themes/createTypography.ts`. Tables are laid out as CSS
lays out a table without a width: https://www.w3.org/TR/css-tables-3/#width-distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from obsgen.layout import inter
from obsgen.layout.blocks import Block, blocks
from obsgen.layout.lines import Word, count, longest, whole, words

LINE = 22
"""Height of a line of text."""
_GAP = 16
"""Margin below paragraphs, lists, tables, code and quotes; there is none above."""
_CODE_LINE, _CODE_FRAME = 12 * 22 / 14, 2 * (10 + 1)
_INDENT = 24
_QUOTE, _QUOTE_SIZE, _QUOTE_LINE = 16 + 5, 14 * 1.25, 14 * 1.25 * 1.25
_CELL_PADDING, _BORDER = (4, 8), 1
_FRAME_OF_CELL = 2 * _CELL_PADDING[1] + _BORDER
_HEADS = {1: (28, 32), 2: (24, 28), 3: (22, 24), 4: (18, 22), 5: (16, 22), 6: (14, 22)}
"""Font size and line height of headings."""
_BELOW_HEAD = 0.45
"""Margin below a heading, as a share of its font size."""


@lru_cache(maxsize=4096)
def height(markdown: str, width: float) -> float:
    """Return the height in pixels that a text needs in a width."""
    return _stacked(list(blocks(markdown.split("\n"))), width)[0]


def _stacked(parts: Sequence[Block], width: float, *, tight: bool = False) -> tuple[float, float]:
    """Return the height of blocks below each other, and the margin of the last one.

    A margin counts only between two blocks: the larger of the two. Paragraphs, lists and tables that end their parent
    have none, and paragraphs in a list without blank lines never have one.
    """
    total = margin = 0.0
    for number, block in enumerate(parts):
        last = number == len(parts) - 1
        inside, below = _measured(block, width)
        if (last and block.kind in ("text", "list", "table")) or (tight and block.kind == "text"):
            own = 0.0
        else:
            own = _BELOW_HEAD * _HEADS[block.level][0] if block.kind == "head" else _GAP
        total += (max(margin, _GAP if block.kind == "rule" else 0.0) if number else 0.0) + inside
        margin = max(own, below)
    return total, margin


def _measured(block: Block, width: float) -> tuple[float, float]:
    """Return the height of a block without its margins, and the margin that what ends it has below."""
    if block.kind == "list":
        return _list(block, width)
    if block.kind == "code":
        return _code(block.lines, width - _CODE_FRAME), 0
    if block.kind == "table":
        return _table(block.items, width), 0
    if block.kind == "rule":
        return 1, 0
    if block.kind == "quote":
        text = words(" ".join(block.lines))
        return _QUOTE_LINE * count(text, (width - _QUOTE) * inter.BODY / _QUOTE_SIZE), 0
    size, line = _HEADS[block.level] if block.kind == "head" else (inter.BODY, LINE)
    text = words("\n".join(block.lines), medium=block.level == 6)
    return line * count(text, width * inter.BODY / size), 0


def _list(block: Block, width: float) -> tuple[float, float]:
    total = margin = 0.0
    for item in block.items:
        inside, below = _stacked(list(blocks(item)), width - _INDENT, tight=not block.loose)
        total += margin + max(inside, LINE)
        margin = below
    return total, margin


def _code(lines: Sequence[str], width: float) -> float:
    rows = sum(max(1, -(-inter.mono(line) // width)) for line in lines)
    return _CODE_FRAME + _CODE_LINE * max(1, rows)


def _table(rows: Sequence[Sequence[str]], width: float) -> float:
    cells = [[words(cell, medium=not number) for cell in row] for number, row in enumerate(rows)]
    inside = [each - _FRAME_OF_CELL for each in _columns(cells, width - _BORDER)]
    lines = (max(count(cell, room) for cell, room in zip(row, inside, strict=True)) for row in cells)
    return sum(LINE * number + 2 * _CELL_PADDING[0] + _BORDER for number in lines) + _BORDER


def _columns(cells: Sequence[Sequence[list[Word]]], width: float) -> list[float]:
    """Return the widths of a table's columns: as wide as their texts, or between that and their longest words."""
    least = [max(map(longest, column)) + _FRAME_OF_CELL for column in zip(*cells, strict=True)]
    most = [max(map(whole, column)) + _FRAME_OF_CELL for column in zip(*cells, strict=True)]
    if sum(most) <= width or sum(most) == sum(least):
        return most
    share = max(0.0, width - sum(least)) / (sum(most) - sum(least))
    return [low + share * (high - low) for low, high in zip(least, most, strict=True)]
