"""The style of texts: plain data as JSON and YAML, the same bytes on every machine; tables for a terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NUMERIC = re.compile(r"[\d.,]+")
BEYOND_LIBYAML = re.compile(r"[^\x00-\uffff]")
"""Characters that libyaml would write as escapes: emoji and other rare signs."""
_ODD = r"\x00-\x1f\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff"
_LINE = rf"[^\s{_ODD}]([^{_ODD}]*\S)?"
_TAME = re.compile(_LINE)
_TAME_BLOCK = re.compile(rf"{_LINE}(\n *{_LINE})+")


def json_text(data: Any, *, sort_keys: bool = False) -> str:
    """Return plain data as JSON, one value a line."""
    return json.dumps(data, indent=2, ensure_ascii=False, sort_keys=sort_keys) + "\n"


def yaml_text(data: Any, header: str) -> str:
    """Return plain data as YAML under a comment, in the order of the data, texts of several lines as blocks."""
    import yaml

    fast = yaml.__with_libyaml__ and not BEYOND_LIBYAML.search(json.dumps(data, ensure_ascii=False))
    body = yaml.dump(data, Dumper=_dumper(fast), sort_keys=False, width=2**16, allow_unicode=True)
    return f"# {header}\n{body}"


@cache
def _dumper(fast: bool) -> Any:
    """Return PyYAML's dumper, or libyaml's, which is four times as fast.

    libyaml is not on every machine, so the two have to write the same. They do for texts without rare characters,
    as long as what is not a line or a block of lines without odd spaces is quoted.
    """
    import yaml

    base: Any = yaml.CSafeDumper if fast else yaml.SafeDumper

    def text(dumper: Any, value: str) -> Any:
        style = None if _TAME.fullmatch(value) else "|" if _TAME_BLOCK.fullmatch(value) else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    kind: Any = type("Dumper", (base,), {"ignore_aliases": lambda *_: True})
    kind.add_representer(str, text)
    return kind


def printable(text: str) -> str:
    """Return a text of somebody else's as one line that does nothing to a terminal."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def harmless(text: str) -> str:
    """Return a text of several lines that does nothing to a terminal."""
    return "\n".join(printable(line) for line in text.split("\n"))


def columns(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as lines of text, columns of numbers to the right."""
    body = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(line[n]) for line in (head, *body)) for n in range(len(head))]
    right = [bool(body) and all(_NUMERIC.fullmatch(line[n]) for line in body) for n in range(len(head))]
    return "\n".join(
        "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True)).rstrip()
        for line in (head, *body)
    )
