"""Differences between dashboards are told in the words of those who look at them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obsgen.grafana.diff import differences
from obsgen.grafana.state import checksum
from tests.grafana.house import Json, board


def told(change: Callable[[Json], Any], old: Json | None = None) -> list[str]:
    """Return what is told of a change to a small dashboard."""
    before = old or board("a", "A")
    panel(before)["fieldConfig"]["overrides"] = [override("Latency", 250)]
    after = copy.deepcopy(before)
    change(after)
    return [line for each in differences(before, after) for line in each.lines()]


def panel(content: Json) -> Json:
    found: Json = content["panels"][0]
    return found


def override(field: str, limit: float) -> Json:
    steps = [{"color": "green", "value": 0}, {"color": "red", "value": limit}]
    settings = [{"id": "unit", "value": "ms"}, {"id": "thresholds", "value": {"mode": "absolute", "steps": steps}}]
    return {"matcher": {"id": "byName", "options": field}, "properties": settings}


CASES: dict[str, tuple[Callable[[Json], Any], list[str]]] = {
    "title": (lambda d: d.update(title="B"), ["title A → B"]),
    "tag": (lambda d: d.update(tags=["x"]), ["tag x added"]),
    "refresh": (lambda d: d.update(refresh="30s"), ["refresh 30s added"]),
    "threshold": (
        lambda d: panel(d)["fieldConfig"]["defaults"]["thresholds"]["steps"][1].update(value=300),
        ['panel "Latency": threshold red 250 → 300'],
    ),
    "one threshold more": (
        lambda d: panel(d)["fieldConfig"]["defaults"]["thresholds"]["steps"].append({"color": "purple", "value": 500}),
        ['panel "Latency": threshold purple 500 added'],
    ),
    "mode of thresholds": (
        lambda d: panel(d)["fieldConfig"]["defaults"]["thresholds"].update(mode="percentage"),
        ['panel "Latency": thresholds.mode absolute → percentage'],
    ),
    "threshold of one field": (
        lambda d: panel(d)["fieldConfig"].update(overrides=[override("Latency", 300), override("Guilds", 5)]),
        ['panel "Latency", field "Latency": threshold red 250 → 300', 'panel "Latency", field "Guilds" added'],
    ),
    "unit": (
        lambda d: panel(d)["fieldConfig"]["defaults"].update(unit="ms"),
        ['panel "Latency": unit ms added'],
    ),
    "query": (lambda d: panel(d)["targets"][0].update(expr="up == 0"), ['panel "Latency": query A up → up == 0']),
    "long query": (
        lambda d: panel(d)["targets"][0].update(expr="sum(" + "x" * 90 + ")"),
        ['panel "Latency": query A', "  - up", f"  + sum({'x' * 90})"],
    ),
    "query of several lines": (
        lambda d: panel(d)["targets"][0].update(expr="sum(\n  up\n)"),
        ['panel "Latency": query A', "  -up", "  +sum(", "  +  up", "  +)"],
    ),
    "legend": (
        lambda d: panel(d)["targets"][0].update(legendFormat="{{x}}"),
        ['panel "Latency": query A legendFormat {{x}} added'],
    ),
    "another query": (
        lambda d: panel(d)["targets"].append({"refId": "B", "expr": "down"}),
        ['panel "Latency": query B down added'],
    ),
    "place and size": (
        lambda d: panel(d).update(gridPos={"x": 12, "y": 0, "w": 6, "h": 8}),
        ['panel "Latency": position 0,0 → 12,0', 'panel "Latency": size 12x8 → 6x8'],
    ),
    "title of a panel": (lambda d: panel(d).update(title="Delay"), ['panel "Latency": title Latency → Delay']),
    "a panel more": (
        lambda d: d["panels"].append({"id": 8, "type": "stat", "title": "New"}),
        ['panel "New" added'],
    ),
    "no panel": (lambda d: d["panels"].clear(), ['panel "Latency" removed']),
    "panel in a collapsed row": (
        lambda d: d.update(panels=[{"id": 1, "type": "row", "title": "Row", "panels": d["panels"]}]),
        ['row "Row" added'],
    ),
    "variable": (
        lambda d: d.update(templating={"list": [{"name": "env", "type": "query"}]}),
        ['variable "env" added'],
    ),
    "order of keys, way of numbers": (
        lambda d: panel(d)["fieldConfig"]["defaults"]["thresholds"]["steps"].__setitem__(
            1, {"value": 250.0, "color": "red"}
        ),
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_told(case: str) -> None:
    change, expected = CASES[case]
    assert told(change) == expected


def test_a_changed_text_is_told_by_its_lines() -> None:
    before: Json = {"panels": [{"id": 1, "type": "text", "title": "Docs", "options": {"content": "a\nb\nc"}}]}
    after: Json = {"panels": [{"id": 1, "type": "text", "title": "Docs", "options": {"content": "a\nB\nc"}}]}

    (found,) = differences(before, after)
    assert found.lines() == ['panel "Docs": text', "  -b", "  +B"]


def test_two_thresholds_of_a_colour_are_told_as_a_whole() -> None:
    def steps(content: Json) -> None:
        panel(content)["fieldConfig"]["defaults"]["thresholds"]["steps"].append({"color": "red", "value": 400})

    assert told(steps) == [
        'panel "Latency": thresholds',
        "  - green from 0, red from 250",
        "  + green from 0, red from 250, red from 400",
    ] or told(steps) == [
        'panel "Latency": thresholds green from 0, red from 250 → green from 0, red from 250, red from 400'
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
panels = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.integers(1, 3),
            "type": st.sampled_from(["row", "stat"]),
            "title": st.text(max_size=3),
            "targets": st.lists(st.dictionaries(st.sampled_from(["refId", "expr", "x"]), json_values, max_size=3)),
            "fieldConfig": json_values,
            "gridPos": json_values,
            "panels": st.lists(st.dictionaries(st.text(max_size=3), json_values, max_size=2), max_size=2),
            "links": json_values,
        },
    ),
    max_size=3,
)
contents = st.fixed_dictionaries(
    {"title": st.text(max_size=3)},
    optional={
        "panels": panels | json_values,
        "templating": json_values,
        "annotations": json_values,
        "tags": json_values,
        "links": json_values,
        "x": json_values,
    },
)


@given(contents, contents)
def test_any_two_dashboards_can_be_compared(old: Json, new: Json) -> None:
    found = differences(old, new)
    lines = [line for each in found for line in each.lines()]
    assert all("\n" not in line for line in lines)
    if checksum(old, "") == checksum(new, ""):
        assert found == []


@given(contents)
def test_a_dashboard_does_not_differ_from_itself(content: Json) -> None:
    assert differences(content, copy.deepcopy(content)) == []
