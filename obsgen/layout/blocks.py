"""The blocks of a markdown text: paragraphs, headings, lists, tables, code, quotes and rules.

As much of CommonMark as texts for people use: code that is only indented, and HTML, are read as paragraphs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "head", "list", "table", "code", "quote", "rule"]

_HEAD = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_ITEM = re.compile(r" {0,3}([-*+]|\d{1,9}[.)])(?: {1,4}(?=\S)| *$)")
_RULE = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*")
_DELIMITERS = re.compile(r"[ \t]*\|?(?:[ \t]*:?-+:?[ \t]*\|)+(?:[ \t]*:?-+:?[ \t]*)?")
_QUOTED = re.compile(r" {0,3}> ?")
_PIPE = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Block:
    """A block.

    Attributes:
        kind: what it is.
        lines: its text, for all but lists and tables.
        level: of a heading, 1 to 6.
        items: the lines of each item of a list, or the cells of each row of a table.
        loose: whether blank lines stand between the items of a list or the blocks in them.
    """

    kind: Kind
    lines: Sequence[str] = ()
    level: int = 0
    items: Sequence[Sequence[str]] = ()
    loose: bool = False


def blocks(lines: Sequence[str]) -> Iterator[Block]:
    """Yield the blocks of a text."""
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif _FENCE.match(line):
            end = _fence_end(lines, at)
            closed = end > at + 1 and _FENCE.match(lines[end - 1]) is not None
            yield Block("code", lines[at + 1 : end - 1 if closed else end])
            at = end
        elif head := _HEAD.fullmatch(line):
            yield Block("head", (head[2],), level=len(head[1]))
            at += 1
        elif _RULE.fullmatch(line):
            yield Block("rule")
            at += 1
        elif _ITEM.match(line):
            block, at = _list(lines, at)
            yield block
        elif _is_table(lines, at):
            end = next((n for n in range(at, len(lines)) if "|" not in lines[n]), len(lines))
            yield _table([lines[at], *lines[at + 2 : end]])
            at = end
        else:
            end = next((n for n in range(at + 1, len(lines)) if _ends_paragraph(lines, n)), len(lines))
            if _QUOTED.match(line):
                yield Block("quote", [_unquoted(each) for each in lines[at:end]])
            else:
                yield Block("text", lines[at:end])
            at = end


def _unquoted(line: str) -> str:
    mark = _QUOTED.match(line)
    return line[mark.end() :] if mark else line


def _fence_end(lines: Sequence[str], at: int) -> int:
    """Return the line after a block of code."""
    fence = _FENCE.match(lines[at])
    assert fence
    ends = (n + 1 for n in range(at + 1, len(lines)) if lines[n].strip().startswith(fence[1]))
    return next(ends, len(lines))


def _is_table(lines: Sequence[str], at: int) -> bool:
    return "|" in lines[at] and at + 1 < len(lines) and _DELIMITERS.fullmatch(lines[at + 1]) is not None


def _table(lines: Sequence[str]) -> Block:
    rows = [[cell.strip().replace("\\|", "|") for cell in _PIPE.split(line.strip().strip("|"))] for line in lines]
    columns = len(rows[0])
    return Block("table", items=[(row + [""] * columns)[:columns] for row in rows])


def _ends_paragraph(lines: Sequence[str], at: int) -> bool:
    line = lines[at]
    starts = (_FENCE.match(line), _HEAD.fullmatch(line), _RULE.fullmatch(line), _ITEM.match(line))
    return not line.strip() or any(starts) or _is_table(lines, at)


def _list(lines: Sequence[str], at: int) -> tuple[Block, int]:
    """Return the list that begins on a line, and the line after it."""
    items: list[list[str]] = []
    indent, loose, fenced = 0, False, 0
    ordered = lines[at].lstrip()[0].isdigit()
    while at < len(lines):
        line = lines[at]
        blank_before = bool(items and items[-1] and not items[-1][-1].strip()) and at >= fenced
        mark = _ITEM.match(line)
        inside = items and (len(line) - len(line.lstrip()) >= indent or not line.strip())
        if at < fenced or inside:
            loose |= blank_before and bool(line.strip())
            items[-1].append(line[min(indent, len(line) - len(line.lstrip())) :])
        elif mark and mark[1][0].isdigit() is ordered:
            loose |= blank_before
            indent = len(mark[0]) if line[len(mark[0]) :] else len(mark[0]) + 1
            items.append([line[len(mark[0]) :]])
        elif mark or blank_before or _ends_paragraph(lines, at):
            break
        else:
            items[-1].append(line.strip())
        if at >= fenced and _FENCE.match(items[-1][-1]):
            fenced = at + len(_until_fence_ends(lines[at:]))
        at += 1
    return Block("list", items=items, loose=loose), at


def _until_fence_ends(lines: Sequence[str]) -> Sequence[str]:
    stripped = [line.strip() for line in lines]
    first = re.sub(r"^([-*+]|\d{1,9}[.)]) +", "", stripped[0])
    return lines[: _fence_end([first, *stripped[1:]], 0)]
