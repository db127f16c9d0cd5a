"""Lines of text: markdown's inline marks, the words between which a browser breaks, and how many lines they fill."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from obsgen.layout import inter

_INLINE = re.compile(
    r"(?P<code>`+)(?P<quoted>.*?[^`])(?P=code)(?!`)"
    r"|!?\[(?P<label>(?:\\.|[^\]\\])*)\]\((?:[^()\s]|\([^()]*\))*\)"
    r"|(?P<strong>\*\*|__)"
    r"|(?P<emphasis>\*|(?<![^\W_])_|_(?![^\W_]))"
    r"|(?P<break><br ?/?>)"
    r"|\\(?P<escaped>[!-/:-@[-`{-~])",
    re.DOTALL,
)
# Measured in Chromium: it breaks a line after these, and after no slash, dot or underscore.
_BREAKS = re.compile(r"(?<=[-–—…?])(?=[^\s.,;:!?)])")
_CODE_FRAME = 2 * (5 + 2 + 1)
"""Padding, margin and border of inline code (`code.ts` of `packages/grafana-ui/src/themes/GlobalStyles`)."""
_ROUNDING = 0.02
"""A cell is as wide as its text, and the sum of its words may come out a trace wider; Chromium counts 64ths."""


@dataclass(frozen=True, slots=True)
class Word:
    """What stays on one line: its width in pixels, and that of the space before it."""

    width: float
    space: float = 0
    starts_line: bool = False


def words(text: str, *, medium: bool = False) -> list[Word]:
    """Return the words of a paragraph of markdown."""
    found: list[Word] = []
    pending, space, start = 0.0, 0.0, False
    for piece, kind, bold in _pieces(text, medium):
        if kind == "code":
            pending += inter.mono(piece) + _CODE_FRAME
            continue
        if kind == "break":
            found.append(Word(pending, space, start))
            pending, space, start = 0.0, 0.0, True
            continue
        for part in re.split(r"([ \t\n]+)", piece):
            if part[:1] in (" ", "\t", "\n"):
                if pending:
                    found.append(Word(pending, space, start))
                    pending, start = 0.0, False
                space = inter.width(" ", medium=bold)
                continue
            for number, fragment in enumerate(_BREAKS.split(part)):
                if number:
                    found.append(Word(pending, space, start))
                    pending, space, start = 0.0, 0.0, False
                pending += inter.width(fragment, medium=bold)
    if pending or start:
        found.append(Word(pending, space, start))
    return found


def _pieces(text: str, medium: bool) -> Iterator[tuple[str, str, bool]]:
    """Yield the pieces of a paragraph: their text, `text`, `code` or `break`, and whether they are of weight 500."""
    bold, end = medium, 0
    for found in _INLINE.finditer(text):
        if found.start() > end:
            yield html.unescape(text[end : found.start()]), "text", bold
        end = found.end()
        kind = found.lastgroup
        if kind == "quoted":
            yield found["quoted"].replace("\n", " ").strip(), "code", bold
        elif kind == "label":
            yield from _pieces(found["label"], bold)
        elif kind == "strong":
            bold = not bold or medium
        elif kind == "break":
            yield "", "break", bold
        elif kind == "escaped":
            yield found["escaped"], "text", bold
    if end < len(text):
        yield html.unescape(text[end:]), "text", bold


def count(text: list[Word], width: float) -> int:
    """Return how many lines words fill in a width."""
    lines, used = 1, 0.0
    for number, word in enumerate(text):
        if number and (word.starts_line or used + word.space + word.width > width + _ROUNDING):
            lines, used = lines + 1, word.width
        else:
            used += (word.space if used else 0) + word.width
    return lines


def longest(text: list[Word]) -> float:
    """Return the width of the longest word."""
    return max((word.width for word in text), default=0)


def whole(text: list[Word]) -> float:
    """Return the width of the text where nothing but a break of its own breaks it."""
    widest = used = 0.0
    for word in text:
        used = word.width if word.starts_line else used + (word.space if used else 0) + word.width
        widest = max(widest, used)
    return widest
