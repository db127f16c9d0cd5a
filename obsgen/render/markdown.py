"""Markdown: tables, lists, code and links between pages."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from obsgen.promql.infer import ANY_WINDOW
from obsgen.promql.text import pretty
from obsgen.promql.tree import Expr

_CODE_OR_LESS = re.compile(r"```.*?```|`[^`\n]*`|<", re.DOTALL)


def cell(text: str) -> str:
    """Return a text as the cell of a table: a pipe or a line break would end it, also inside of code."""
    return text.replace("|", "\\|").replace("\n", " ")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines)


def code(text: str) -> str:
    """Return a text as inline code."""
    return f"`{text}`"


def promql(expr: Expr, held: Mapping[str, str] | None = None) -> str:
    """Return an expression as a block of code; a window that is open becomes 5m.

    Args:
        expr: the expression.
        held: see `Scope`, for what people ask Prometheus by hand.
    """
    return f"```promql\n{pretty(expr, replace(ANY_WINDOW, held=held or {}))}\n```"


def items(texts: Iterable[str], *, numbered: bool = False) -> str:
    """Return a list; further lines of an item are indented to stay inside it."""
    return "\n".join(_item(f"{number}. " if numbered else "- ", text) for number, text in enumerate(texts, 1))


def _item(mark: str, text: str) -> str:
    first, *rest = text.split("\n")
    return "\n".join([mark + first, *(" " * len(mark) + line if line else "" for line in rest)])


def link(text: str, target: str, page: str) -> str:
    """Return a link from one page to another, or to an anchor on it; both are paths within the docs."""
    path, _, anchor = target.partition("#")
    relative = _relative(path, posixpath.dirname(page) or ".") if path != page else ""
    return f"[{_in_brackets(text)}]({relative}{'#' + anchor if anchor else ''})"


@lru_cache
def _relative(path: str, folder: str) -> str:
    return posixpath.relpath(path, folder)


def href(text: str, url: str) -> str:
    """Return a link to an address outside of the docs."""
    return f"[{_in_brackets(text)}]({url})"


def _in_brackets(text: str) -> str:
    return text.replace("[", "\\[").replace("]", "\\]")


def page(*parts: str) -> str:
    """Return the parts of a page, those that are not empty, a blank line between them.

    What looks like HTML outside of code is text: `<node>` would be there and not be seen.
    """
    text = "\n\n".join(part for part in parts if part) + "\n"
    return _CODE_OR_LESS.sub(lambda found: "&lt;" if found[0] == "<" else found[0], text)
