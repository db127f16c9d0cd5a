"""Learns what Grafana fills in when somebody saves a dashboard in the browser: `python -m tests.grafana.learn`.

It writes `obsgen/grafana/defaults.json` from what is in `saves/`:

* `<version>/bare.json` was pushed, opened in the browser and saved: `bare-saved.json` is what Grafana made of it. It
  has a panel of each kind, a variable of each type and so on, and says nothing about any of them, so that all that
  came is Grafana's own. `save.mjs` makes such a recording.
* `schemas/<version>.json` are the defaults that the npm package `@grafana/schema` has for the options of panels, for
  the versions of which there is no recording. Grafana 9 has no such package; its file follows the panels' source.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from obsgen.render.grafana import PLUGIN_VERSION
from obsgen.style import json_text

Json = dict[str, Any]
SAVES = Path(__file__).parent / "saves"
DEFAULTS = Path(__file__).parents[2] / "obsgen/grafana/defaults.json"
KINDS = (
    "alertlist",
    "barchart",
    "bargauge",
    "gauge",
    "heatmap",
    "histogram",
    "logs",
    "piechart",
    "row",
    "stat",
    "state-timeline",
    "status-history",
    "table",
    "text",
    "timeseries",
)
VARIABLES = {"constant": "x", "custom": "a,b", "interval": "1m,5m", "textbox": "x"}
"""Types of variables that ask nobody, with a query."""
LEFT_OUT = {"hide": 0, "sort": 0, "label": ""}
"""What Grafana 12 leaves out of any variable when it saves, as its source says."""
_OF_THE_SERVER = {
    *("id", "uid", "version", "schemaVersion", "pluginVersion", "title", "description", "tags", "gridPos", "current")
}
"""What a save writes that is no default: it tells of this dashboard, or of this server."""


def bare(uid: str) -> Json:
    """Return a dashboard with one of each, of which nothing is said.

    A data source variable has the `sort` that obsgen writes and that Grafana leaves out.
    """
    query = {"refId": "A", "expr": "up", "datasource": {"type": "prometheus", "uid": "${datasource}"}}
    panels: list[Json] = []
    for n, kind in enumerate(KINDS):
        place = {"x": n % 4 * 6, "y": n // 4 * 4, "w": 6, "h": 4}
        # Without a version Grafana would migrate the panel as one of Grafana 6.
        common = {"title": kind, "pluginVersion": PLUGIN_VERSION, "gridPos": place, "targets": [query]}
        # A heatmap without any option, too, is taken for an old one.
        options: Json = {"options": {"calculate": False}} if kind == "heatmap" else {}
        panels.append({"id": n + 1, "type": kind, **common, **options})
    source: Json = {"name": "datasource", "type": "datasource", "query": "prometheus", "current": {}, "sort": 1}
    asked = {"query": "label_values(up, job)", "datasource": query["datasource"], "refresh": 2}
    others = [{"name": f"a_{kind}", "type": kind, "query": query} for kind, query in VARIABLES.items()]
    marks = [{"name": "Mark", "datasource": query["datasource"], "expr": "up == 0"}]
    return {
        "uid": uid,
        "title": "Bare",
        "schemaVersion": 39,
        "panels": panels,
        "templating": {"list": [source, {"name": "a_query", "type": "query", **asked}, *others]},
        "annotations": {"list": marks},
        "links": [{"type": "link", "title": "Link", "url": "/"}],
    }


def learned(folder: Path = SAVES) -> dict[str, list[Any]]:
    """Return the defaults that a folder of recordings tells: for each place, alternatives."""
    found: dict[str, list[Any]] = {}
    told: list[tuple[str, Any]] = [
        ("variables", LEFT_OUT),
        *(each for path in sorted(folder.glob("*/bare.json")) for each in _recorded(path)),
        *(each for path in sorted(folder.glob("schemas/*.json")) for each in _schema(_read(path))),
    ]
    for place, values in told:
        known = found.setdefault(place, [])
        if values and not any(_within(values, each) for each in known):
            known.append(values)
    return {place: values for place, values in sorted(found.items()) if values}


def _recorded(path: Path) -> Iterator[tuple[str, Any]]:
    pushed, saved = _read(path), _read(path.with_name("bare-saved.json"))
    apart = {"panels", "templating", "annotations", "links"}
    yield "dashboard", _added({k: pushed.get(k) for k in pushed.keys() - apart}, _without(saved, apart))
    for old, new in _pairs(pushed["panels"], saved["panels"], "id"):
        yield f"panels.{old['type']}", _added(_without(old, {"targets"}), _without(new, {"targets"}))
        for query, kept in _pairs(old["targets"], new.get("targets", []), "refId"):
            yield "panels.targets", _added(query, kept)
    for old, new in _pairs(pushed["templating"]["list"], saved["templating"]["list"], "name"):
        yield f"variables.{old['type']}", _added(old, new)
    marks, kept_marks = pushed["annotations"]["list"], saved["annotations"]["list"]
    for old, new in _pairs(marks, kept_marks, "name"):
        yield "annotations.list", _added(old, new)
    # Grafana adds its own one, as a whole.
    names = {each["name"] for each in marks}
    grafanas = [each for each in kept_marks if each["name"] not in names]
    yield from (("annotations.list", each) for each in grafanas)
    yield "dashboard", {"annotations": {"list": grafanas}}
    for old, new in _pairs(pushed["links"], saved["links"], "title"):
        yield "links", _added(old, new)
        yield "panels.links", _added(old, new)


def _schema(kinds: Json) -> Iterator[tuple[str, Any]]:
    for kind, said in kinds.items():
        if kind == "dashboard":
            yield kind, said
            continue
        custom = {"fieldConfig": {"defaults": {"custom": said["custom"]}}} if "custom" in said else {}
        yield f"panels.{kind}", {**({"options": said["options"]} if "options" in said else {}), **custom}


def _pairs(old: list[Json], new: list[Json], key: str) -> Iterator[tuple[Json, Json]]:
    after = {each.get(key): each for each in new}
    yield from ((each, after[each.get(key)]) for each in old if each.get(key) in after)


def _added(old: Json, new: Json) -> Json:
    """Return what a save has added, and with its old value what it has left out."""
    found = {key: value for key, value in old.items() if key not in new and key not in _OF_THE_SERVER}
    for key, value in new.items():
        if key in _OF_THE_SERVER:
            continue
        if key not in old:
            found[key] = value
        elif isinstance(value, dict) and isinstance(old[key], dict) and (inner := _added(old[key], value)):
            found[key] = inner
    return found


def _within(values: Any, known: Any) -> bool:
    if isinstance(values, dict) and isinstance(known, dict):
        return all(key in known and _within(value, known[key]) for key, value in values.items())
    return bool(values == known)


def _without(content: Json, keys: set[str]) -> Json:
    return {key: value for key, value in content.items() if key not in keys}


def _read(path: Path) -> Json:
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return found


def text() -> str:
    """Return the file as it should be."""
    return json_text(learned(), sort_keys=True)


if __name__ == "__main__":
    DEFAULTS.write_text(text(), encoding="utf-8")
