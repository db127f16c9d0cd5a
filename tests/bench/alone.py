"""Dashboards by obsgen and by grafanalib alone: `python -m tests.bench.alone STARTED DEFINITIONS`.

grafanalib gets everything ready that obsgen works out first (expressions, titles, units, thresholds, ids, places),
builds its own objects of it and writes them as its own command does. Prints a `Report` as JSON.
"""

from __future__ import annotations

import gc
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grafanalib import core as G
from grafanalib._gen import DashboardEncoder

from obsgen.expand import expand
from obsgen.index import Index
from obsgen.load import load
from obsgen.render.dashboards import dashboards
from obsgen.style import json_text
from tests.bench.meter import Meter, Spent

Json = dict[str, Any]


def _same(names: str) -> dict[str, str]:
    """Return places for `_pick` where the argument has the name that the JSON has."""
    return {name: name for name in names.split()}


_FIELD = "fieldConfig.defaults"
_COMMON = _same("title description id interval links transformations") | {
    "dataSource": "datasource",
    "thresholds": f"{_FIELD}.thresholds.steps",
}
# For each kind of panel its class, and where in the rendered panel the arguments of the class are.
KINDS: dict[str, tuple[Any, dict[str, str]]] = {
    "timeseries": (
        G.TimeSeries,
        _COMMON
        | {
            "unit": f"{_FIELD}.unit",
            "colorMode": f"{_FIELD}.color.mode",
            "valueMin": f"{_FIELD}.min",
            "lineWidth": f"{_FIELD}.custom.lineWidth",
            "fillOpacity": f"{_FIELD}.custom.fillOpacity",
            "showPoints": f"{_FIELD}.custom.showPoints",
            "thresholdsStyleMode": f"{_FIELD}.custom.thresholdsStyle.mode",
            "legendCalcs": "options.legend.calcs",
            "legendDisplayMode": "options.legend.displayMode",
            "tooltipMode": "options.tooltip.mode",
            "tooltipSort": "options.tooltip.sort",
        },
    ),
    "stat": (G.Stat, _COMMON | {"format": f"{_FIELD}.unit", "color": f"{_FIELD}.color"}),
    "heatmap": (G.Heatmap, _COMMON | {"options": "options"}),
    "bargauge": (G.BarGauge, _COMMON | {"format": f"{_FIELD}.unit", "displayMode": "options.displayMode"}),
    "table": (G.Table, _COMMON | {"overrides": "fieldConfig.overrides"}),
    "alertlist": (G.AlertList, _same("title description id")),
    "row": (G.RowPanel, _same("title id collapsed")),
}
_TARGET = _same("expr format instant legendFormat refId datasource")
_TEMPLATE = _same("name label type query refresh multi includeAll allValue sort") | {"dataSource": "datasource"}
_LINK = _same("title type tags asDropdown includeVars keepTime icon") | {"uri": "url"}
_DASHBOARD = _same("uid title description tags refresh timezone graphTooltip schemaVersion editable")


@dataclass(frozen=True)
class Report:
    """What building and writing took, and how many bytes came of it."""

    stages: dict[str, Spent]
    dashboards: int
    obsgen_bytes: int
    grafanalib_bytes: int


@dataclass(frozen=True)
class Recipe:
    """The arguments of everything that a dashboard of grafanalib is built of."""

    dashboard: Json
    panels: list[tuple[Any, Json, dict[str, int], list[Json]]]
    templates: list[Json]
    links: list[Json]
    annotations: list[Json]
    time: tuple[str, str]


def main() -> None:
    """Measure, and print the report."""
    gc.disable()  # as obsgen's command does, so that neither side pays for looking through the catalog
    started, definitions = sys.argv[1:]
    sys.stdout.write(json.dumps(asdict(measure(Meter(float(started)), Path(definitions)))))


def measure(meter: Meter, definitions: Path) -> Report:
    """Make every dashboard of a folder of definitions twice, one dashboard after the other: both sides take turns."""
    with meter.stage("load"):
        loaded = load(definitions)
        assert loaded.catalog is not None, loaded.problems
        index = Index(expand(loaded.catalog))
    rendered = dashboards(index)
    made = obsgen_bytes = grafanalib_bytes = 0
    while True:
        with meter.stage("obsgen, build"):
            _, data = next(rendered, (None, None))
        if data is None:
            return Report(meter.stages, made, obsgen_bytes, grafanalib_bytes)
        with meter.stage("obsgen, write"):
            text = json_text(data, sort_keys=True)
        recipe = _recipe(data)
        with meter.stage("grafanalib, build"):
            built = build(recipe)
        with meter.stage("grafanalib, write"):
            other = json.dumps(built.to_json_data(), sort_keys=True, indent=2, cls=DashboardEncoder) + "\n"
        assert _shown(json.loads(other)) == _shown(data), "the two do not show the same"
        made += 1
        obsgen_bytes += len(text.encode())
        grafanalib_bytes += len(other.encode())


def build(recipe: Recipe) -> Any:
    """Return the dashboard of a recipe."""
    panels = []
    for kind, arguments, grid, targets in recipe.panels:
        if targets:
            arguments["targets"] = [G.Target(**target) for target in targets]
        panels.append(kind(gridPos=G.GridPos(**grid), **arguments))
    return G.Dashboard(
        panels=panels,
        templating=G.Templating(list=[G.Template(**template) for template in recipe.templates]),
        annotations=G.Annotations(list=recipe.annotations),
        links=[G.DashboardLink(**link) for link in recipe.links],
        time=G.Time(*recipe.time),
        **recipe.dashboard,
    )


def _recipe(data: Json) -> Recipe:
    return Recipe(
        dashboard=_pick(data, _DASHBOARD),
        panels=[_panel(panel) for panel in data["panels"]],
        templates=[_pick(variable, _TEMPLATE) for variable in data["templating"]["list"]],
        links=[_pick(link, _LINK) for link in data["links"]],
        annotations=data["annotations"]["list"],
        time=(data["time"]["from"], data["time"]["to"]),
    )


def _panel(panel: Json) -> tuple[Any, Json, dict[str, int], list[Json]]:
    kind, places = KINDS[panel["type"]]
    targets = [_pick(target, _TARGET) for target in panel.get("targets", ())]
    return kind, _pick(panel, places), panel["gridPos"], targets


def _pick(data: Json, places: dict[str, str]) -> Json:
    """Return the values at some dotted places, by their new names; what is not there is left out."""
    found: Json = {}
    for name, place in places.items():
        value: Any = data
        for key in place.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            found[name] = value
    return found


def _shown(dashboard: Json) -> list[tuple[Any, ...]]:
    """Return what every panel of a dashboard is, where it is and what it asks."""
    return [
        (p["type"], p["id"], p["title"], p["gridPos"], [(t["refId"], t["expr"]) for t in p.get("targets", ())])
        for p in dashboard["panels"]
    ]


if __name__ == "__main__":
    main()
