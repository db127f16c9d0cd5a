"""Of a save in the browser a plan tells what the person changed, and nothing of what Grafana has filled in."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from obsgen.grafana.diff import differences
from obsgen.grafana.plan import Kind
from tests.grafana import learn
from tests.grafana.house import House, Json, board

SAVES = sorted(path.parent for path in learn.SAVES.glob("*/edited.json"))
SCHEMAS = sorted((learn.SAVES / "schemas").glob("*.json"))
OTHER: dict[type, Any] = {bool: True, int: 7, float: 0.123, str: "by hand", list: ["by hand"]}


def merged(said: Any, usual: Any) -> Any:
    """Return what is said, and for what is not, what is usual: as Grafana writes a panel."""
    if not isinstance(said, dict) or not isinstance(usual, dict):
        return said
    return {**usual, **{key: merged(value, usual.get(key)) for key, value in said.items()}}


def kinds(path: Path) -> list[tuple[str, Json]]:
    """Return the kinds of panels in a schema, with their defaults as they stand in a dashboard."""
    said: dict[str, Json] = json.loads(path.read_text())
    found = []
    for kind, usual in said.items():
        if kind != "dashboard":
            custom = {"fieldConfig": {"defaults": {"custom": usual.get("custom", {})}, "overrides": []}}
            found.append((kind, {"options": usual.get("options", {}), **custom}))
    return found


def told(old: Json, new: Json) -> list[str]:
    return [line for each in differences(old, new) for line in each.lines()]


def of(panel: Json) -> Json:
    return {"uid": "a", "title": "A", "panels": [panel]}


CASES = [(path.stem, kind, usual) for path in SCHEMAS for kind, usual in kinds(path)]


@pytest.mark.parametrize(("version", "kind", "usual"), CASES, ids=[f"{v}-{k}" for v, k, _ in CASES])
def test_defaults_of_a_version_are_no_edit_and_other_values_are(version: str, kind: str, usual: Json) -> None:
    panel = {"id": 1, "type": kind, "title": "Flow", "pluginVersion": "10.0.0"}
    saved = merged(panel, usual) | {"pluginVersion": version, "description": "By hand"}

    assert told(of(panel), of(saved)) == ['panel "Flow": description By hand added']

    for option, value in usual["options"].items():
        if isinstance(value, dict) or type(value) not in OTHER:
            continue
        other = (not value) if isinstance(value, bool) else OTHER[type(value)]
        edited = copy.deepcopy(saved)
        edited["options"][option] = other
        (line,) = told(of(saved), of(edited))[:1]
        assert f"options.{option}" in line or 'panel "Flow": text' in line
        lines = told(of(panel), of(edited))
        assert len(lines) > 1, f"{option}: {lines}"


@pytest.mark.parametrize("folder", SAVES, ids=lambda folder: str(folder.name))
def test_one_changed_description_is_one_line_of_the_plan(one: House, folder: Path) -> None:
    reviewed, saved = (json.loads((folder / f"{name}.json").read_text()) for name in ("edited", "edited-saved"))
    one.write({**reviewed, "uid": "a"})
    one.sync()
    # The recording was not made by a sync: it has neither the names that one gives nor the data source of this server.
    there = (one.read(one.uid("a")) or {})["dashboard"]
    saved["templating"]["list"][0]["current"] = there["templating"]["list"][0]["current"]
    one.save({**saved, **{key: there[key] for key in ("uid", "title", "tags", "links")}}, one.catalog)

    (kept,) = one.plan().actions

    assert kept.kind is Kind.KEEP
    assert kept.edit is not None
    assert [line for each in kept.edit.differences or () for line in each.lines()] == [
        'panel "Flow": description Strokes per second of each valve. → By hand'
    ]
    pulled = one.session().pull(one.uid("a"), one.folder / "pulled.json")
    assert [each.what for each in pulled.changes] == ["description"]
    was = json.loads((one.generated / f"grafana/dashboards/{one.uid('a')}.json").read_text())
    was["panels"][2]["description"] = "By hand"
    assert json.loads(pulled.path.read_text()) == was


def test_what_was_learned_is_what_is_known() -> None:
    assert learn.DEFAULTS.read_text() == learn.text(), "run `python -m tests.grafana.learn`"


def test_a_default_that_was_said_and_is_changed_is_an_edit() -> None:
    panel = {"id": 1, "type": "stat", "title": "Flow", "options": {"graphMode": "area"}}

    assert told(of(panel), of({**panel, "options": {"graphMode": "none"}})) == [
        'panel "Flow": options.graphMode area → none'
    ]


def test_a_default_that_is_left_out_is_no_edit() -> None:
    panel = {"id": 1, "type": "stat", "title": "Flow", "options": {"graphMode": "area"}}

    assert told(of(panel), of({**panel, "options": {}})) == []
    assert told(of({**panel, "options": {"graphMode": "none"}}), of({**panel, "options": {}})) == [
        'panel "Flow": options.graphMode none removed'
    ]


def test_a_field_that_stays_hidden_under_another_name_is_no_edit() -> None:
    def hidden(prop: str, value: bool) -> Json:
        override = {
            "matcher": {"id": "byName", "options": "Runbook"},
            "properties": [{"id": prop, "value": value}, {"id": "unit", "value": "ms"}],
        }
        fields = {"defaults": {}, "overrides": [override]}
        return of({"id": 1, "type": "table", "title": "Alerts", "fieldConfig": fields})

    assert told(hidden("custom.hidden", True), hidden("custom.hideFrom.viz", True)) == []
    assert told(hidden("custom.hidden", True), hidden("custom.hideFrom.viz", False)) == [
        'panel "Alerts", field "Runbook": custom.hidden true → false'
    ]


def test_grafanas_own_annotation_is_no_edit() -> None:
    saved = json.loads((learn.SAVES / "12.4.3/bare-saved.json").read_text())
    own = [each for each in saved["annotations"]["list"] if each.get("builtIn")]
    panel = {"id": 1, "type": "stat", "title": "Flow"}

    assert told(of(panel), {**of(panel), "annotations": {"list": own}}) == []
    mark = {"name": "Mark", "expr": "up"}
    assert (
        told({**of(panel), "annotations": {"list": [mark]}}, {**of(panel), "annotations": {"list": [*own, mark]}}) == []
    )
    assert told(of(panel), {**of(panel), "annotations": {"list": [*own, mark]}}) != []


@pytest.mark.parametrize(("key", "value"), [("min", 0), ("decimals", 0), ("unit", "ms")])
def test_what_is_no_known_default_is_an_edit(key: str, value: Any) -> None:
    panel = {"id": 1, "type": "stat", "title": "Flow", "fieldConfig": {"defaults": {}, "overrides": []}}
    edited = {**panel, "fieldConfig": {"defaults": {key: value}, "overrides": []}}

    assert told(of(panel), of(edited)) == [f'panel "Flow": {key} {value} added']


def test_a_save_without_a_change_is_no_edit(home: House) -> None:
    home.write(board("a"))
    home.sync()
    home.edit(home.uid("a"), schemaVersion=42, fiscalYearStartMonth=0, weekStart="", liveNow=False)

    (action,) = home.plan().actions
    assert (action.kind, action.edit, action.changes) == (Kind.UPDATE, None, ())
    assert "without a change" in action.reason
    home.sync()
    assert home.plan().actions == ()


def test_making_a_dashboard_editable_as_it_is_reviewed_by_now_is_no_edit(home: House) -> None:
    home.write(board("a", editable=False))
    home.sync()
    home.edit(home.uid("a"), editable=True)
    home.write(board("a", editable=True))
    assert home.plan().actions == ()

    home.write(board("a", editable=True, limit=300))
    (action,) = home.plan().actions
    assert (action.kind, action.edit) == (Kind.UPDATE, None)

    home.edit(home.uid("a"), editable=True, description="By hand")
    (kept,) = home.plan().actions
    assert kept.kind is Kind.KEEP
    assert kept.edit is not None
    assert [line for each in kept.edit.differences or () for line in each.lines()] == ["description By hand added"]


def test_a_dashboard_that_was_read_only_becomes_editable_in_one_line(home: House) -> None:
    home.write(board("a", editable=False))
    home.sync()
    home.write(board("a", editable=True))

    (action,) = home.plan().actions
    assert action.kind is Kind.UPDATE
    assert [line for each in action.changes for line in each.lines()] == ["editable false → true"]
    home.sync()
    assert (home.read(home.uid("a")) or {})["dashboard"]["editable"] is True
    home.edit(home.uid("a"), editable=False)
    (kept,) = home.plan().actions
    assert kept.kind is Kind.KEEP
