"""What differs between two versions of a dashboard, in the words of those who look at it.

Panels are compared by their id, queries by their letter, variables, annotations and links by their name, thresholds by
their colour; whatever else differs is named by its path in the JSON. What Grafana itself adds or leaves out when
somebody saves is no difference.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from obsgen.grafana.filled import unfilled
from obsgen.grafana.state import MARK, Json
from obsgen.secrets import data_redacted
from obsgen.style import printable

LONGEST = 100
"""Characters of a value that is shown."""
_ABSENT: Any = object()
_PANEL_KEYS = frozenset({"targets", "fieldConfig", "gridPos", "panels", "id", "type", "title", "description", "links"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs.

    Attributes:
        where: on what: `panel "Latency"`; empty for the dashboard itself.
        what: `threshold red`, `query A`; or that the whole of it is added or removed.
        old: what it was; None where it was not there.
        new: what it is; None where it is not there any more.
    """

    where: str
    what: str
    old: Any = None
    new: Any = None

    def as_json(self) -> Json:
        """Return it for machines."""
        said: Json = data_redacted({"where": self.where, "what": self.what, "old": self.old, "new": self.new})
        return said

    def lines(self) -> list[str]:
        """Return it for people; texts of several lines as the lines that differ."""
        # Before anything of a text is cut off or quoted: half of a secret would be left.
        seen = Difference(*map(data_redacted, (self.where, self.what, self.old, self.new)))
        return [printable(line) for line in seen._lines()]

    def _lines(self) -> list[str]:
        if self.old is None and self.new is None:
            return [f"{self.where} {self.what}".strip()]
        name = f"{self.where}: {self.what}" if self.where else self.what
        if any(isinstance(value, str) and "\n" in value for value in (self.old, self.new)):
            old, new = (str(value or "").splitlines() for value in (self.old, self.new))
            changed = [
                line for line in difflib.unified_diff(old, new, n=0, lineterm="") if line[:2] not in ("--", "++", "@@")
            ]
            return [name, *(f"  {_short(line)}" for line in changed)]
        if self.old is None:
            return [f"{name} {_shown(self.new)} added"]
        if self.new is None:
            return [f"{name} {_shown(self.old)} removed"]
        old_text, new_text = _shown(self.old), _shown(self.new)
        if len(name) + len(old_text) + len(new_text) > LONGEST:
            return [name, f"  - {_short(old_text)}", f"  + {_short(new_text)}"]
        return [f"{name} {old_text} → {new_text}"]


def _shown(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Return what differs between two versions of a dashboard; first the dashboard itself, then its panels."""
    said = unfilled(old, new)
    return [*_dashboard(old, said), *_panels(_flat(old), _flat(said))]


def _dashboard(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    yield from _named("variable", "name", _listed(old, "templating"), _listed(new, "templating"))
    yield from _named("annotation", "name", _listed(old, "annotations"), _listed(new, "annotations"))
    yield from _named("link", "title", _dicts(old.get("links")), _dicts(new.get("links")))
    before, after = _words(old.get("tags")), _words(new.get("tags"))
    yield from (Difference("", "tag", None, tag) for tag in after if tag not in before)
    yield from (Difference("", "tag", tag, None) for tag in before if tag not in after)
    done = {"panels", "templating", "annotations", "links", "tags", MARK}
    yield from _leaves("", _without(old, done), _without(new, done))


def _listed(content: Mapping[str, Any], key: str) -> list[Json]:
    held = content.get(key)
    return _dicts(held.get("list")) if isinstance(held, dict) else []


def _dicts(value: Any) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _words(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _without(content: Mapping[str, Any], keys: set[str] | frozenset[str]) -> Json:
    return {key: value for key, value in content.items() if key not in keys}


def _named(kind: str, key: str, old: list[Json], new: list[Json]) -> Iterator[Difference]:
    """Yield what differs between lists of things that have names."""
    yield from _matched(
        {str(each.get(key, "")): each for each in old},
        {str(each.get(key, "")): each for each in new},
        lambda name: f'{kind} "{name}"',
        lambda where, one, other: _leaves(where, one, other),
    )


def _matched(
    old: Mapping[Any, Json],
    new: Mapping[Any, Json],
    name: Callable[[Any], str],
    compared: Callable[[str, Json, Json], Iterator[Difference]],
) -> Iterator[Difference]:
    """Yield what is added, what differs, and what is removed of things with keys."""
    for key, each in new.items():
        if key not in old:
            yield Difference(name(key), "added")
        elif old[key] != each:
            yield from compared(name(key), old[key], each)
    yield from (Difference(name(key), "removed") for key in old if key not in new)


def _flat(content: Mapping[str, Any]) -> list[Json]:
    """Return all panels, those in collapsed rows included."""
    return [each for panel in _dicts(content.get("panels")) for each in (panel, *_dicts(panel.get("panels")))]


def _panels(old: Sequence[Json], new: Sequence[Json]) -> Iterator[Difference]:
    before, after = _by_id(old), _by_id(new)
    names = {key: _panel_name(panel) for key, panel in (*after.items(), *before.items())}
    yield from _matched(before, after, names.__getitem__, _panel)


def _by_id(panels: Sequence[Json]) -> dict[Any, Json]:
    """Return panels by their id; those with an id that another one has, by their place."""
    found: dict[Any, Json] = {}
    for n, panel in enumerate(panels):
        key = panel.get("id")
        found[("place", n) if key is None or key in found else key] = panel
    return found


def _panel_name(panel: Json) -> str:
    kind = "row" if panel.get("type") == "row" else "panel"
    return f'{kind} "{panel.get("title") or panel.get("type", "")}"'


def _panel(where: str, old: Json, new: Json) -> Iterator[Difference]:
    for key in ("title", "type", "description"):
        if (old.get(key) or "") != (new.get(key) or ""):
            yield Difference(where, key, old.get(key) or None, new.get(key) or None)
    yield from _queries(where, _dicts(old.get("targets")), _dicts(new.get("targets")))
    yield from _fields(where, _object(old, "fieldConfig"), _object(new, "fieldConfig"))
    yield from _place(where, old.get("gridPos"), new.get("gridPos"))
    yield from (
        Difference(where, f"{each.where} {each.what}".strip(), each.old, each.new)
        for each in _named("link", "title", _dicts(old.get("links")), _dicts(new.get("links")))
    )
    rest, new_rest = _without(old, _PANEL_KEYS), _without(new, _PANEL_KEYS)
    if old.get("type") == new.get("type") == "text":
        texts = _object(old, "options"), _object(new, "options")
        if texts[0].get("content") != texts[1].get("content"):
            yield Difference(where, "text", texts[0].get("content"), texts[1].get("content"))
        rest, new_rest = (
            {**r, "options": _without(t, {"content"})} for r, t in ((rest, texts[0]), (new_rest, texts[1]))
        )
    yield from _leaves(where, rest, new_rest)


def _object(content: Json, key: str) -> Json:
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def _queries(where: str, old: list[Json], new: list[Json]) -> Iterator[Difference]:
    before, after = ({str(q.get("refId", n)): q for n, q in enumerate(queries)} for queries in (old, new))
    for ref in dict.fromkeys((*after, *before)):
        one, other = before.get(ref, {}), after.get(ref, {})
        if one.get("expr") != other.get("expr"):
            yield Difference(where, f"query {ref}", one.get("expr"), other.get("expr"))
        elif not one or not other:
            yield Difference(where, f"query {ref} {'added' if other else 'removed'}")
        if one and other:
            yield from _leaves(where, _without(one, {"expr"}), _without(other, {"expr"}), f"query {ref} ")


def _fields(where: str, old: Json, new: Json) -> Iterator[Difference]:
    yield from _settings(where, _object(old, "defaults"), _object(new, "defaults"))
    before, after = _overrides(old), _overrides(new)
    done = {"defaults"}
    if before is not None and after is not None:
        done.add("overrides")
        yield from _matched(before, after, lambda name: f'{where}, field "{name}"', _settings)
    yield from _leaves(where, _without(old, done), _without(new, done))


def _settings(where: str, old: Json, new: Json) -> Iterator[Difference]:
    """Yield what differs of the settings of a panel's fields."""
    one, other = _object(old, "thresholds"), _object(new, "thresholds")
    steps, new_steps = _dicts(one.get("steps")), _dicts(other.get("steps"))
    if steps != new_steps:
        yield from _thresholds(where, steps, new_steps)
    # What else thresholds have: whether they are numbers or percentages.
    kept = [{**each, "thresholds": _without(t, {"steps"})} for each, t in ((old, one), (new, other))]
    yield from _leaves(where, kept[0], kept[1])


def _overrides(config: Json) -> dict[str, Json] | None:
    """Return the settings of single fields by the name of the field, None where two of them have the same name."""
    found: dict[str, Json] = {}
    overrides = _dicts(config.get("overrides"))
    for each in overrides:
        options = _object(each, "matcher").get("options")
        name = options if isinstance(options, str) else json.dumps(options)
        found[name] = {str(prop.get("id")): prop.get("value") for prop in _dicts(each.get("properties"))}
    return found if len(found) == len(overrides) else None


def _thresholds(where: str, old: list[Json], new: list[Json]) -> Iterator[Difference]:
    """Yield thresholds by their colour; as a whole where a colour occurs twice."""
    before, after = ([str(step.get("color")) for step in steps] for steps in (old, new))
    if len(set(before)) < len(before) or len(set(after)) < len(after):
        yield Difference(where, "thresholds", _steps(old), _steps(new))
        return
    one, other = ({str(step.get("color")): step.get("value") for step in steps} for steps in (old, new))
    for colour in dict.fromkeys((*other, *one)):
        if one.get(colour, _ABSENT) != other.get(colour, _ABSENT):
            yield Difference(where, f"threshold {colour}", one.get(colour), other.get(colour))


def _steps(steps: list[Json]) -> str:
    return ", ".join(f"{step.get('color')} from {_shown(step.get('value'))}" for step in steps)


def _place(where: str, old: Any, new: Any) -> Iterator[Difference]:
    if not isinstance(old, dict) or not isinstance(new, dict) or old == new:
        return
    if any(old.get(key) != new.get(key) for key in ("x", "y")):
        yield Difference(where, "position", f"{old.get('x')},{old.get('y')}", f"{new.get('x')},{new.get('y')}")
    if any(old.get(key) != new.get(key) for key in ("w", "h")):
        yield Difference(where, "size", f"{old.get('w')}x{old.get('h')}", f"{new.get('w')}x{new.get('h')}")


def _leaves(where: str, old: Any, new: Any, path: str = "") -> Iterator[Difference]:
    """Yield the values that differ anywhere below, each with its path."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            inner = f"{path}.{key}" if path and not path.endswith(" ") else f"{path}{key}"
            yield from _leaves(where, old.get(key, _ABSENT), new.get(key, _ABSENT), inner)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for n, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _leaves(where, one, other, f"{path}[{n}]")
    else:
        yield Difference(where, path, None if old is _ABSENT else old, None if new is _ABSENT else new)
