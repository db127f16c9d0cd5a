"""Dashboards: Grafana knows every key, nothing overlaps, and ids stay when panels come and go."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard as GrafanaDashboard
from hypothesis import given
from hypothesis import strategies as st

from obsgen.index import Index
from obsgen.layout import COLUMNS, place, stable_id
from obsgen.model import (
    Annotation,
    Catalog,
    Dashboard,
    Query,
    Recording,
    Row,
    Stat,
    Table,
    TimeSeries,
    critical,
    info,
    warning,
)
from obsgen.model.dashboard import Panel
from obsgen.promql import JOB, UP, Expr, Gauge, Label, Source, Unit, avg_over_time, max_, min_, raw
from obsgen.render.dashboards import dashboards
from obsgen.render.fields import UNITS, steps
from obsgen.render.grafana import ref_id
from tests.conftest import ROOT
from tests.small import board, catalog

UNTYPED = {"step", "tagKeys", "textFormat", "titleFormat", "definition"}
"""Keys of Prometheus' annotations and of query variables that Grafana reads, but has not in its published types."""
FILES = [
    *sorted((ROOT / "generated/grafana/dashboards").glob("*.json")),
    *sorted((ROOT / "tests/golden/greenhouse/grafana/dashboards").glob("*.json")),
]


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", ())


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    data = json.loads(Path(request.param).read_text())
    assert data["uid"] == Path(request.param).stem
    return dict(data)


def lost(mine: Any, theirs: Any, path: str = "$") -> Iterator[str]:
    """Yield what Grafana's own types lose or change of a dashboard."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        for key, value in mine.items():
            if key in theirs:
                yield from lost(value, theirs[key], f"{path}.{key}")
            elif key not in UNTYPED:
                yield f"{path}.{key}"
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        for number, (one, other) in enumerate(zip(mine, theirs, strict=True)):
            yield from lost(one, other, f"{path}[{number}]")
    elif mine != theirs:
        yield f"{path}: {mine!r} became {theirs!r}"


def test_grafanas_own_types_know_every_key(dashboard: dict[str, Any]) -> None:
    register_default_plugins()
    read = GrafanaDashboard.from_json(json.loads(json.dumps(dashboard)))

    assert list(lost(dashboard, json.loads(json.dumps(read, cls=JSONEncoder)))) == []


def test_there_is_no_null_and_no_old_schema(dashboard: dict[str, Any]) -> None:
    assert ": null" not in json.dumps(dashboard)
    assert dashboard["schemaVersion"] >= 39
    assert all(panel["pluginVersion"] for panel in panels(dashboard) if panel["type"] != "row")


def test_panels_fill_their_lines_without_holes_or_overlaps(dashboard: dict[str, Any]) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in panels(dashboard):
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in taken, (panel["title"], taken[x, y])
                taken[x, y] = panel["title"]
    height = 1 + max(y for _, y in taken)
    assert len(taken) == height * COLUMNS


def test_ids_and_refs_are_unique(dashboard: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in panels(dashboard)]
    assert len(ids) == len(set(ids))
    for panel in panels(dashboard):
        refs = [target["refId"] for target in panel.get("targets", ())]
        assert len(refs) == len(set(refs))


def test_every_dashboard_has_its_data_source_alerts_and_links(dashboard: dict[str, Any]) -> None:
    variables = dashboard["templating"]["list"]
    assert (variables[0]["name"], variables[0]["type"]) == ("datasource", "datasource")
    assert any(panel["title"] == "Firing alerts" for panel in panels(dashboard)) or "water" in dashboard["uid"]
    marks = {annotation["name"]: annotation["enable"] for annotation in dashboard["annotations"]["list"]}
    assert marks["Firing alerts"] is False, "readers switch it on: it would bury the graphs of an incident"
    assert [link["type"] for link in dashboard["links"]] == ["dashboards", "link"]
    assert all(panel["title"] and panel.get("description") for panel in panels(dashboard) if panel["type"] != "row")


def test_the_guides_dashboards_are_there() -> None:
    names = {path.stem for path in FILES}
    assert {"vectobeat-shard-command-overview", "vectobeat-lavalink-nodes"} <= names
    shards = json.loads((ROOT / "generated/grafana/dashboards/vectobeat-shard-command-overview.json").read_text())
    assert "Shard Load & Health" in [panel["title"] for panel in panels(shards)]
    assert "Shard failover" in [a["name"] for a in shards["annotations"]["list"]]


def by_title(catalog: Catalog, uid: str) -> dict[str, dict[str, Any]]:
    return {panel["title"]: panel for panel in panels(dict(dashboards(Index(catalog)))[uid])}


def test_a_threshold_is_drawn_where_it_is_watched(vectobeat: Catalog) -> None:
    found = by_title(vectobeat, "vectobeat-shard-command-overview")

    red = {"color": "red", "value": 250}
    for title in ("Gateway heartbeat latency", "Slowest shard"):
        assert red in found[title]["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert found["Gateway heartbeat latency"]["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"] == {
        "mode": "dashed"
    }
    assert "thresholds" not in found["Guilds per shard"]["fieldConfig"]["defaults"]


def test_a_state_that_alerts_has_the_colour_of_its_severity(vectobeat: Catalog) -> None:
    health = by_title(vectobeat, "vectobeat-lavalink-nodes")["Node health"]

    assert health["type"] == "state-timeline"
    mapping, absent = health["fieldConfig"]["defaults"]["mappings"]
    assert mapping["options"]["0"] == {"text": "failed", "color": "red", "index": 1}
    assert mapping["options"]["1"]["color"] == "green"
    assert absent["options"]["result"]["color"] == "purple"
    assert health["fieldConfig"]["defaults"]["color"]["mode"] == "fixed", "by thresholds Grafana would merge the states"


def test_filters_apply_only_to_series_that_have_the_label(vectobeat: Catalog) -> None:
    found = by_title(vectobeat, "vectobeat-shard-command-overview")

    assert found["Gateway heartbeat latency"]["targets"][0]["expr"] == (
        'vectobeat_shard_latency_ms{shard_id=~"$shard_id"} < +Inf'
    )
    assert 'region=~"$region", shard_id=~"$shard_id"' in found["Guilds per shard"]["targets"][0]["expr"]


def test_a_later_filter_offers_only_what_fits_the_earlier(vectobeat: Catalog) -> None:
    variables = dict(dashboards(Index(vectobeat)))["vectobeat-shard-command-overview"]["templating"]["list"]

    assert [variable.get("definition") for variable in variables] == [
        None,
        "label_values(vectobeat_shard_guilds, region)",
        'label_values(vectobeat_shard_guilds{region=~"$region"}, shard_id)',
    ]


def test_an_inserted_panel_moves_no_other_id() -> None:
    one, two, new = (TimeSeries(shows=UP, title=title) for title in ("One", "Two", "New"))

    def ids(*shown: TimeSeries) -> dict[str, int]:
        made = Dashboard(uid="u", title="", description="", rows=[Row(title="R", panels=shown)])
        return {panel.title: number for row in place(made) for panel, number, _ in row.panels}

    assert ids(one, new, two).items() >= ids(one, two).items()
    assert ids(replace(one, title="Reworded", key="One"))["Reworded"] == ids(one)["One"]


@given(st.lists(st.lists(st.integers(1, 24), min_size=1, max_size=9), min_size=1, max_size=4))
def test_whatever_the_widths_every_line_is_filled(rows: list[list[int]]) -> None:
    made = Dashboard(
        uid="u",
        title="",
        description="",
        rows=[
            Row(
                title=str(r),
                panels=[Stat(title=f"{r} {p}", shows=UP, width=w, height=2 + p) for p, w in enumerate(row)],
            )
            for r, row in enumerate(rows)
        ],
    )
    taken: set[tuple[int, int]] = set()
    for row in place(made):
        for at in (row.position, *(position for _, _, position in row.panels)):
            cells = {(x, y) for x in range(at.x, at.x + at.w) for y in range(at.y, at.y + at.h)}
            assert at.w > 0
            assert not cells & taken
            taken |= cells
    assert taken == {(x, y) for x in range(COLUMNS) for y in range(1 + max(y for _, y in taken))}


@given(st.text(), st.text())
def test_ids_are_positive_and_fit_grafanas_integers(one: str, other: str) -> None:
    assert 0 < stable_id(one, other) < 2**31


@pytest.mark.parametrize(
    ("levels", "colours"),
    [
        ([], [("green", 0)]),
        ([critical(above=250)], [("green", 0), ("red", 250)]),
        ([warning(above=5), critical(above=9)], [("green", 0), ("orange", 5), ("red", 9)]),
        ([warning(below=0.8), critical(below=0.6)], [("red", 0), ("orange", 0.6), ("green", 0.8)]),
        ([warning(above=-5)], [("green", 0), ("orange", -5)]),
        ([info(below=2), critical(above=7)], [("blue", 0), ("green", 2), ("red", 7)]),
        ([critical(equals=0)], [("green", 0)]),
        ([critical(above=0)], [("green", 0), ("red", 1e-9)]),
        ([warning(at_least=0)], [("green", 0), ("orange", 0)]),
    ],
)
def test_threshold_steps(levels: list[Any], colours: list[tuple[str, float]]) -> None:
    assert [(step["color"], step["value"]) for step in steps(levels)] == [(c, pytest.approx(v)) for c, v in colours]


def test_the_step_of_a_count_lies_between_two_counts_where_the_values_are_whole() -> None:
    assert [step["value"] for step in steps([critical(above=2)], whole=True)] == [0, 2.5]
    players = Gauge(name="players", title="Players", help="H.", source=APP, unit=Unit.COUNT)
    found = []
    for shown in (players, avg_over_time(players, "1h")):
        field = only(Stat(shows=shown, title="T", levels=[critical(above=2)]))["fieldConfig"]["defaults"]
        found.append(field["thresholds"]["steps"][1]["value"])
    assert found == [2.5, 2], "an average of 2.3 is above 2"


def test_every_unit_is_one_that_grafana_knows() -> None:
    known = {value for value in vars(units).values() if isinstance(value, str)}
    assert set(UNITS.values()) <= known


def test_ref_ids_go_on_after_z() -> None:
    assert [ref_id(n) for n in (0, 25, 26, 51, 52)] == ["A", "Z", "AA", "AZ", "BA"]


APP = Source(name="app", title="App", job="app", interval="30s")
SLOW = Source(name="slow", title="Slow", job="slow", interval="10m")
ROUTE = Label("route")
HEAT = Gauge(name="heat", title="Heat", help="H.", source=APP, labels=(ROUTE,))
COLD = Gauge(name="cold", title="Cold", help="H.", source=SLOW)
SEEN = Recording(name="all:seen", expr=max_(HEAT), title="Seen", help="H.", interval="15m")
OFTEN = Recording(name="all:often", expr=max_(HEAT), title="Often", help="H.", interval="1m")


def drawn(*panels: Panel, annotations: Sequence[Annotation] = (), filters: Sequence[Label] = ()) -> dict[str, Any]:
    """Return a dashboard of a small catalog."""
    made = catalog([HEAT, COLD], recordings=[SEEN, OFTEN], dashboards=[replace(board(*panels), filters=filters)])
    [domain, *others] = made.domains
    made = replace(made, domains=(replace(domain, annotations=tuple(annotations)), *others))
    return dict(dashboards(Index(made)))["board"]


def only(panel: Panel) -> dict[str, Any]:
    """Return a panel as Grafana gets it."""
    [made] = [each for each in panels(drawn(panel)) if each["type"] != "row"]
    return made


@pytest.mark.parametrize(
    ("shown", "expr"),
    [
        (SEEN, "last_over_time(all:seen[45m])"),
        (OFTEN, "all:often"),
        (COLD, "last_over_time(cold[30m])"),
        (max_(SEEN) - OFTEN, "max(last_over_time(all:seen[45m])) - all:often"),
        (SEEN.ago("1d"), "last_over_time(all:seen[45m] offset 1d)"),
        (avg_over_time(SEEN, "1d"), "avg_over_time(all:seen[1d])"),
        (raw("bottomk(3, {x})", x=SEEN), "bottomk(3, last_over_time(all:seen[45m]))"),
        (raw("deriv({x}[1h])", x=SEEN), "deriv(all:seen[1h])"),
        (raw("time() - timestamp({x})", x=SEEN), "time() - timestamp(all:seen)"),
    ],
)
def test_the_newest_sample_is_found_however_seldom_there_is_one(shown: Expr, expr: str) -> None:
    assert only(Stat(shows=shown, title="T"))["targets"][0]["expr"] == expr


def test_what_marks_an_event_looks_as_far_back() -> None:
    made = drawn(Stat(shows=HEAT), annotations=[Annotation(title="Late", expr=COLD > 5)])

    assert [mark.get("expr") for mark in made["annotations"]["list"]][-1] == "last_over_time(cold[30m]) > 5"


def test_events_are_marked_on_the_dashboards_of_their_own_domain(vectobeat: Catalog) -> None:
    marks = {uid: [each["name"] for each in made["annotations"]["list"]] for uid, made in dashboards(Index(vectobeat))}

    assert [uid for uid, names in marks.items() if "Shard failover" in names] == ["vectobeat-shard-command-overview"]


@pytest.mark.parametrize(
    ("panel", "legend"),
    [
        (TimeSeries(shows=max_(HEAT), title="T"), {"showLegend": False, "placement": "bottom", "displayMode": "list"}),
        (TimeSeries(shows=HEAT), {"showLegend": True, "placement": "bottom", "displayMode": "list"}),
    ],
)
def test_a_legend_is_where_it_has_room(panel: TimeSeries, legend: dict[str, Any]) -> None:
    narrow = [made for made in panels(drawn(panel, Stat(shows=COLD, width=12))) if made["type"] == "timeseries"]

    assert narrow[0]["options"]["legend"] == legend


def test_a_wide_graph_has_its_legend_beside_it_with_the_worst_at_the_top() -> None:
    above, below = (
        only(TimeSeries(shows=HEAT, width=24, levels=[level]))["options"]["legend"]
        for level in (critical(above=5), critical(below=5))
    )

    assert above["placement"] == below["placement"] == "right"
    assert (above["sortBy"], above["sortDesc"], below["sortDesc"]) == ("Last *", True, False)


def test_lines_that_may_overlap_are_not_filled() -> None:
    one, several, stacked = (
        only(TimeSeries(shows=shown, title="T", stacked=stack))["fieldConfig"]["defaults"]["custom"]["fillOpacity"]
        for shown, stack in ((max_(HEAT), False), (HEAT, False), (HEAT, True))
    )

    assert (one, several, stacked) == (10, 0, 40)


def test_a_number_is_that_of_now() -> None:
    [target] = only(Stat(shows=HEAT))["targets"]

    assert target["instant"], "the last of a range would be the newest of what is gone"
    assert "links" not in only(Stat(shows=HEAT)), "they would take the room of the title"


def test_series_without_a_legend_of_their_own_are_known_by_their_labels() -> None:
    [target] = only(TimeSeries(shows=min_(UP, by=[JOB]), title="Sources"))["targets"]

    assert target["legendFormat"] == "{{job}}"


def test_decimals_are_those_of_a_tables_columns_too() -> None:
    heat = Query(expr=max_(HEAT, by=[ROUTE]), legend="Heat")
    overrides = only(Table(shows=heat, title="T", by=[ROUTE], decimals=3))["fieldConfig"]["overrides"]

    assert {"id": "decimals", "value": 3} in overrides[-1]["properties"]
