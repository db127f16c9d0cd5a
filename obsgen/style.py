"""The text style of artifacts: plain data as JSON and YAML, the same bytes on every machine."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

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
