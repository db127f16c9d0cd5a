"""The last look at artifacts finds what a mistake in a renderer would let through."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from obsgen import validate
from obsgen.errors import ObsgenError
from tests.conftest import ROOT

DASHBOARD = json.loads((ROOT / "generated/grafana/dashboards/vectobeat-lavalink-nodes.json").read_text())
DOCS = "https://docs.example.org/x"
PAGES = {"index.md": "# Index\n\n[a](deep/a.md#the-a)\n", "deep/a.md": "# The A\n\n[up](../index.md)\n"}


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (("uid",), "x" * 41, "$.uid"),
        (("schemaVersion",), 12, "$.schemaVersion"),
        (("sharedCrosshair",), False, "$: Additional properties"),
        (("panels", 1, "type"), "graph", "$.panels[1].type"),
        (("panels", 1, "gridPos", "w"), 25, "$.panels[1].gridPos.w"),
        (("panels", 1, "description"), None, "$.panels[1].description"),
        (("panels", 1, "fieldConfig", "defaults", "thresholds"), {"mode": "absolute", "steps": []}, "steps"),
        (("panels", 1, "targets", 0, "intervalFactor"), 2, "$.panels[1].targets[0]"),
        (("templating", "list", 1, "multi"), False, "$.templating.list[1].multi"),
        (("annotations", "list", 1, "expr"), "", "$.annotations.list[1].expr"),
    ],
)
def test_the_schema_of_dashboards_tells_where(path: tuple[Any, ...], value: Any, where: str) -> None:
    broken = copy.deepcopy(DASHBOARD)
    place = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    with pytest.raises(ObsgenError) as caught:
        validate.fits_schema("dashboard", "d.json", broken)

    assert where in str(caught.value)


def test_every_expression_of_a_dashboard_is_parsed() -> None:
    found = list(validate.dashboard_expressions(DASHBOARD))

    assert 'lavalink_node_health{region=~"$region", node=~"$node"}' in found, "a panel"
    assert 'lavalink_node_health{region=~"$region"}' in found, "a variable"
    assert 'ALERTS{alertstate="firing", catalog="vectobeat", domain="lavalink"}' in found, "an annotation"
    with pytest.raises(ObsgenError, match="is not PromQL"):
        validate.is_promql("d.json", iter(["sum(a"]))


def test_links_hold() -> None:
    validate.links_hold(PAGES, DOCS, {"a.yml": f"url: {DOCS}/deep/a.md#the-a\n"})


@pytest.mark.parametrize("link", ["[x](gone.md)", "[x](deep/a.md#gone)", "[x](#gone)"])
def test_a_dead_link_between_pages_is_found(link: str) -> None:
    with pytest.raises(ObsgenError, match=r"docs/index\.md links to"):
        validate.links_hold({**PAGES, "index.md": f"# Index\n\n{link}\n"}, DOCS, {})


@pytest.mark.parametrize("target", ["gone.md", "deep/a.md#gone"])
def test_a_dead_link_from_another_artifact_is_found(target: str) -> None:
    with pytest.raises(ObsgenError, match=r"a\.yml links to"):
        validate.links_hold(PAGES, f"{DOCS}/", {"a.yml": f'url: "{DOCS}/{target}"'})
