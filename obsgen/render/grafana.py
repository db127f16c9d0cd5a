"""Grafana's JSON: the only module that knows grafanalib and the shapes that Grafana reads.

grafanalib 0.7.1 is frozen in the time of Grafana 9. What it does wrong, and is mended here:

* it sets schemaVersion 12, whereupon Grafana migrates the dashboard and loses the shared crosshair;
* it sets no `pluginVersion`, whereupon Grafana migrates panels as if they came from version 6;
* its heatmap, bar gauge, gauge and alert list have the shapes of Grafana 7, and its `Threshold` writes "null";
* it writes some twenty nulls and as many dead keys for each panel, and merges extra JSON into shared defaults.

So panels go through one subclass of its `Panel`, and everything is reduced to the keys that Grafana reads today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grafanalib import core as G

Json = dict[str, Any]

SCHEMA_VERSION = 39
"""Grafana 10.4 and 11. Later ones migrate it without loss; 9.3 reads it as it is."""
PLUGIN_VERSION = "10.4.0"
DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
GRAFANA: Json = {"type": "grafana", "uid": "-- Grafana --"}


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


_PANEL_KEYS = _words(
    "datasource description fieldConfig gridPos id interval links options pluginVersion targets title",
    "transformations transparent type",
)
_TARGET_KEYS = _words("datasource expr format instant legendFormat refId")
_TEMPLATE_KEYS = _words(
    "allValue current datasource hide includeAll label multi name options query refresh regex sort type",
)
_DASHBOARD_KEYS = _words(
    "annotations description editable graphTooltip links panels refresh schemaVersion tags templating time",
    "timezone title uid",
)
_EMPTY: tuple[object, ...] = (None, [], {}, "", False)


def _keep(data: Mapping[str, Any], keys: Iterable[str]) -> Json:
    return {key: value for key, value in data.items() if key in keys and value is not None}


def _fill(data: Mapping[str, Any]) -> Json:
    """Return the entries that say something: Grafana takes the rest from its defaults."""
    return {key: value for key, value in data.items() if value not in _EMPTY}


class _Panel(G.Panel):  # type: ignore[misc]  # grafanalib has no types
    """A panel of today's Grafana: any kind, with its options and field configuration."""

    def __init__(self, *, kind: str, options: Json, defaults: Json, overrides: list[Json], **common: Any) -> None:
        super().__init__(**common)
        self.kind = kind
        self.options = options
        self.field_config = {"defaults": defaults, "overrides": overrides}

    def to_json_data(self) -> Json:
        data = self.panel_json({"type": self.kind, "pluginVersion": PLUGIN_VERSION, "options": self.options})
        data["fieldConfig"] = self.field_config
        if self.kind == "text":
            del data["fieldConfig"], data["datasource"]
        return _fill(_keep(data, _PANEL_KEYS))


class _Row(G.RowPanel):  # type: ignore[misc]  # grafanalib has no types
    """A heading; a collapsed one holds its panels, as Grafana wants it."""

    def to_json_data(self) -> Json:
        row = super().to_json_data()
        return {key: row[key] for key in ("type", "title", "id", "gridPos", "collapsed", "panels")}


class _Target(G.Target):  # type: ignore[misc]  # grafanalib has no types
    """A Prometheus query."""

    def to_json_data(self) -> Json:
        target = _keep(super().to_json_data(), _TARGET_KEYS)
        return {**target, "editorMode": "code", "range": not target["instant"]}


class _Template(G.Template):  # type: ignore[misc]  # grafanalib has no types
    """A variable; `definition` is the text of its query, None for one that asks no query."""

    def __init__(self, *, definition: str | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.definition = definition

    def to_json_data(self) -> Json:
        template = _keep(super().to_json_data(), _TEMPLATE_KEYS)
        if self.definition is None:
            return {**template, "current": {}}
        return {**template, "definition": self.definition, "current": {"text": ["All"], "value": ["$__all"]}}


def grid(x: int, y: int, w: int, h: int) -> dict[str, int]:
    """Return a place on the grid."""
    return {"h": h, "w": w, "x": x, "y": y}


def target(ref: str, expr: str, legend: str, *, instant: bool = False, form: str = "time_series") -> _Target:
    """Return a query. `form` is `time_series`, `table` or `heatmap`."""
    return _Target(datasource=DATASOURCE, expr=expr, legendFormat=legend, refId=ref, instant=instant, format=form)


def ref_id(index: int) -> str:
    """Return the id of a panel's n-th query: A to Z, then AA."""
    return (ref_id(index // 26 - 1) if index >= 26 else "") + chr(ord("A") + index % 26)


def panel(
    kind: str,
    *,
    id: int,
    title: str,
    description: str,
    grid: Mapping[str, int],
    targets: Sequence[_Target] = (),
    interval: str | None = None,
    links: Sequence[Json] = (),
    options: Json | None = None,
    defaults: Json | None = None,
    overrides: Sequence[Json] = (),
    transformations: Sequence[Json] = (),
) -> _Panel:
    """Return a panel of any kind; `grid` has x, y, w and h."""
    return _Panel(
        kind=kind,
        id=id,
        title=title,
        description=description,
        gridPos=dict(grid),
        dataSource=DATASOURCE,
        targets=list(targets),
        interval=interval,
        links=list(links),
        options=options or {},
        defaults=defaults or {},
        overrides=list(overrides),
        transformations=list(transformations),
    )


def row(*, id: int, title: str, grid: Mapping[str, int], collapsed: bool, panels: Sequence[_Panel]) -> list[Any]:
    """Return a heading and its panels as they stand in a dashboard: inside it when it is collapsed, else after it."""
    inside, after = (list(panels), []) if collapsed else ([], list(panels))
    return [_Row(title=title, id=id, gridPos=dict(grid), collapsed=collapsed, panels=inside), *after]


def datasource_variable() -> _Template:
    """Return the variable that picks the Prometheus to read from."""
    return _Template(name="datasource", label="Data source", type="datasource", query="prometheus", refresh=1)


def label_variable(name: str, label: str, query: str) -> _Template:
    """Return the variable that filters by a label; `query` is `label_values(...)`."""
    return _Template(
        name=name,
        label=label,
        type="query",
        dataSource=DATASOURCE,
        definition=query,
        query={"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        refresh=2,
        multi=True,
        includeAll=True,
        allValue=".*",
        # Sorts by the first number in a value, and leaves values without one in Prometheus' order, the alphabet's.
        sort=G.SORT_NUMERIC_ASC,
    )


def annotation(
    name: str, expr: str, *, title: str, text: str, colour: str, tags: str = "", enable: bool = True
) -> Json:
    """Return an annotation that marks where a Prometheus query has a result; readers switch on what is not enabled."""
    marks = {
        "name": name,
        "datasource": DATASOURCE,
        "iconColor": colour,
        "expr": expr,
        "step": "60s",
        "titleFormat": title,
        "textFormat": text,
        "tagKeys": tags,
    }
    return _fill(marks) | {"enable": enable}


def override(ref: str, properties: Json) -> Json:
    """Return what the series of one query have of their own: another unit than the panel, or the names of states."""
    return {
        "matcher": {"id": "byFrameRefID", "options": ref},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }


def link(title: str, url: str) -> Json:
    """Return a link of a panel."""
    return {"title": title, "url": url, "targetBlank": True}


def dashboard(
    *,
    uid: str,
    title: str,
    description: str,
    tags: Sequence[str],
    panels: Sequence[Any],
    variables: Sequence[_Template],
    annotations: Sequence[Json],
    family: tuple[str, str],
    docs: tuple[str, str],
    time: str,
    refresh: str,
) -> Json:
    """Return a dashboard as plain data.

    Args:
        uid: its id.
        title: its title.
        description: what it answers.
        tags: its tags.
        panels: headings and panels, in order.
        variables: its variables, in order.
        annotations: its annotations, the built-in one left out.
        family: title and tag of the drop-down with the other dashboards.
        docs: title and address of the link to the docs.
        time: how far back it shows, a duration.
        refresh: how often it reloads, a duration.
    """
    built_in = {
        "builtIn": 1,
        "datasource": GRAFANA,
        "enable": True,
        "hide": True,
        "iconColor": "rgba(0, 211, 255, 1)",
        "name": "Annotations & Alerts",
        "type": "dashboard",
    }
    others = G.DashboardLink(
        title=family[0], type="dashboards", tags=[family[1]], asDropdown=True, includeVars=True, keepTime=True
    )
    pages = G.DashboardLink(title=docs[0], type="link", uri=docs[1], icon="doc", targetBlank=True)
    made = G.Dashboard(
        uid=uid,
        title=title,
        description=description,
        tags=list(tags),
        panels=list(panels),
        templating=G.Templating(list=list(variables)),
        annotations=G.Annotations(list=[built_in, *annotations]),
        links=[others, pages],
        time=G.Time(f"now-{time}", "now"),
        refresh=refresh,
        timezone="browser",
        graphTooltip=G.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
        schemaVersion=SCHEMA_VERSION,
        editable=True,
    )
    return {**_plain(_keep(made.to_json_data(), _DASHBOARD_KEYS)), "timepicker": {}}


def _plain(value: Any) -> Any:
    """Return grafanalib's objects, at any depth, as dicts and lists."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    to_json_data = getattr(value, "to_json_data", None)
    return _plain(to_json_data()) if to_json_data else value
