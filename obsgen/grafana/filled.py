"""What Grafana adds to a dashboard, or leaves out of it, when somebody saves it in the browser.

A save writes out the defaults of every panel that was drawn, and leaves out what it finds needless. A person has done
none of that. `defaults.json` knows the defaults: of each kind of panel, variable and so on a list of alternatives, for
Grafana's versions differ. `tests/grafana/learn.py` makes it. What has another value than a default, or is not known to
be one, counts as a person's edit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from obsgen.grafana.state import Json

_ABSENT: Any = object()
_EMPTY: tuple[object, ...] = (None, "", [], {})
_SERVERS_OWN = {
    (): {"schemaVersion", "version", "id", "iteration"},
    ("panels",): {"pluginVersion"},
}
"""Keys that tell of the server and of nothing that is seen, by where they are."""
_NAMES = {
    "panels": ("id",),
    "targets": ("refId",),
    "list": ("name",),
    "links": ("title",),
    "overrides": ("matcher",),
    "properties": ("id",),
    "transformations": ("id",),
}
"""What the entries of a list are known by, by the list's key."""
_RENAMED = {"custom.hidden": "custom.hideFrom.viz"}
"""Properties of fields that Grafana 12 gives another id when it saves."""

Path = tuple[str, ...]


def unfilled(old: Mapping[str, Any], new: Mapping[str, Any]) -> Json:
    """Return a dashboard as it would be if Grafana had neither added nor left out anything.

    Args:
        old: an earlier version of the dashboard.
        new: the dashboard.
    """
    return _object(dict(old), dict(new), (), _known("dashboard"))


def _object(old: Json, new: Json, path: Path, usual: Sequence[Any]) -> Json:
    servers_own = _SERVERS_OWN.get(path, ())
    said: Json = {}
    for key in dict.fromkeys((*new, *old)):
        one, other = old.get(key, _ABSENT), new.get(key, _ABSENT)
        values = [each[key] for each in usual if isinstance(each, dict) and key in each]
        renamed = path[-1:] == ("properties",) and key == "id" and _named(one) == _named(other)
        kept = one if key in servers_own or renamed else _value(one, other, (*path, key), values)
        if kept is not _ABSENT:
            said[key] = kept
    return said


def _value(old: Any, new: Any, path: Path, usual: Sequence[Any]) -> Any:
    if new is _ABSENT:
        return old if _beyond(old, usual) is _ABSENT else _ABSENT
    if old is _ABSENT:
        return _beyond(new, usual)
    if isinstance(old, dict) and isinstance(new, dict):
        return _object(old, new, path, usual)
    if isinstance(old, list) and isinstance(new, list):
        return _list(old, new, path)
    return new


def _beyond(value: Any, usual: Sequence[Any]) -> Any:
    """Return what of a value that only one side has is no default."""
    if any(_alike(value, empty) for empty in (*_EMPTY, *usual)) or (value is False and not usual):
        return _ABSENT
    if isinstance(value, dict):
        inner = {
            key: _beyond(each, [u[key] for u in usual if isinstance(u, dict) and key in u])
            for key, each in value.items()
        }
        return {key: each for key, each in inner.items() if each is not _ABSENT} or _ABSENT
    return value


def _alike(one: Any, other: Any) -> bool:
    """Return whether two values are the same, numbers and truth told apart."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _list(old: list[Any], new: list[Any], path: Path) -> list[Any]:
    before = dict(zip(names(old, path[-1]), old, strict=True))
    said = []
    for key, each in zip(names(new, path[-1]), new, strict=True):
        one = before.get(key, _ABSENT)
        if one is _ABSENT and each in _known(".".join(path)):
            continue
        both = isinstance(one, dict) and isinstance(each, dict)
        said.append(_object(one, each, path[-1:] if path[-1] == "panels" else path, _of(each, path)) if both else each)
    return said


def names(entries: list[Any], key: str) -> list[str]:
    """Return what each entry of a list is known by, no two by the same.

    Args:
        entries: the list.
        key: what the list is called in the JSON.
    """
    found: dict[str, None] = {}
    for place, each in enumerate(entries):
        fields = [name for name in _NAMES.get(key, ()) if isinstance(each, dict) and name in each]
        named = json.dumps([_named(each[name]) for name in fields] if fields else each, sort_keys=True)
        name = named if fields or not isinstance(each, dict) else ""
        found[f"{name} at {place}" if not name or name in found else name] = None
    return list(found)


def _named(name: Any) -> Any:
    return _RENAMED.get(name, name) if isinstance(name, str) else name


def _of(entry: Json, path: Path) -> Sequence[Any]:
    """Return the defaults of an entry of a list."""
    kind = str(entry.get("type", ""))
    if path[-1] == "panels":
        return [*_known("panels"), *_known(f"panels.{kind}")]
    if path == ("templating", "list"):
        return [*_known("variables"), *_known(f"variables.{kind}")]
    return _known(".".join(path))


def _known(what: str) -> Sequence[Any]:
    return _defaults().get(what, ())


@cache
def _defaults() -> dict[str, list[Any]]:
    text = resources.files("obsgen.grafana").joinpath("defaults.json").read_text(encoding="utf-8")
    found: dict[str, list[Any]] = json.loads(text)
    return found
