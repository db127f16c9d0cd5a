"""The data sources of a made-up world, and the artifacts that read them, in a Grafana: made once, then kept current."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from obsgen.errors import ObsgenError
from tests.bench.prometheus import direct
from tests.grafana.double import P12, TOKEN, Double, Reply, Request
from tests.grafana.house import board, done, house
from tests.grafana.server import Server
from tests.world.grafana import ALERTMANAGER, PROMETHEUS, connect

VARIABLE = {"name": "datasource", "type": "datasource", "query": "prometheus"}


class Sourced:
    """A Grafana that takes data sources, too."""

    def __init__(self, double: Double) -> None:
        self.double = double
        self.written: list[tuple[str, str]] = []
        self.full = False

    def __call__(self, request: Request) -> Reply:
        if not request.target.startswith("/api/datasources") or request.method not in ("POST", "PUT"):
            return self.double(request)
        if self.full:
            return Reply(403, {"message": "no permission to create a data source"})
        source = json.loads(request.body)
        self.written.append((request.method, source["uid"]))
        self.double.sources = [each for each in self.double.sources if each["uid"] != source["uid"]] + [source]
        return Reply(200, {"datasource": source})


@pytest.fixture
def grafana() -> Iterator[tuple[Sourced, str]]:
    """A Grafana with a data source of somebody else, and its address."""
    backend = Sourced(Double(P12))
    with Server(backend) as server:
        yield backend, server.url


def test_the_sources_are_made_once_and_follow_the_next_world(grafana: tuple[Sourced, str], tmp_path: Path) -> None:
    backend, url = grafana
    shell = {"GRAFANA_URL": url, "GRAFANA_TOKEN": TOKEN}
    with house(P12, tmp_path) as team:
        team.write(board("one", templating={"list": [VARIABLE]}), pages={"index.md": "# Docs\n"})

        first = connect(shell, "http://127.0.0.1:1", "http://127.0.0.1:2", team.generated)
        again = connect(shell, "http://127.0.0.1:3", "http://127.0.0.1:2", team.generated)

    assert done(first) >= 3  # folders, the dashboard and the page
    assert again == []
    assert backend.written == [
        ("POST", PROMETHEUS),
        ("POST", ALERTMANAGER),
        ("PUT", PROMETHEUS),
        ("PUT", ALERTMANAGER),
    ]
    found = {each["uid"]: each.get("url") for each in backend.double.sources}
    assert found[PROMETHEUS] == "http://127.0.0.1:3"
    assert "prom" in found
    asked = direct().get(
        f"{url}/api/dashboards/uid/{team.uid('one')}", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=5
    )
    there = asked.json()["dashboard"]
    assert there["templating"]["list"][0]["current"]["value"] == PROMETHEUS


def test_without_an_alertmanager_there_is_one_source(grafana: tuple[Sourced, str], tmp_path: Path) -> None:
    backend, url = grafana
    with house(P12, tmp_path) as team:
        team.write(board("one"))
        connect({"GRAFANA_URL": url, "GRAFANA_TOKEN": TOKEN}, "http://127.0.0.1:1", None, team.generated)
    assert backend.written == [("POST", PROMETHEUS)]


def test_a_source_that_is_refused_is_told(grafana: tuple[Sourced, str], tmp_path: Path) -> None:
    backend, url = grafana
    backend.full = True
    with pytest.raises(ObsgenError, match=r"does not take the data source obsgen-world: .*no permission"):
        connect({"GRAFANA_URL": url, "GRAFANA_TOKEN": TOKEN}, "http://127.0.0.1:1", None, tmp_path)
