"""`obsgen slo` on a real Prometheus: where the budgets stand."""

from __future__ import annotations

import json
import time

import pytest
from click.testing import CliRunner

from obsgen.cli import main
from obsgen.prove.server import running
from tests.conftest import ROOT

pytestmark = pytest.mark.real

RECORDED = {
    "route:api_budget:objective": {"/a": 0.995, "/b": 0.999},
    "route:api_budget:remaining30d": {"/a": 0.25, "/b": -1.5},
    "route:api_budget:burn_rate6h": {"/a": 0.5, "/b": 3.0},
    "route:api_budget:exhausted_in_seconds": {"/a": 1_296_000.0},
    "route:api_bad:increase30d": {"/a": 375.0, "/b": 25.0},
    "route:api_total:increase30d": {"/a": 100_000.0, "/b": 10_000.0},
}


def slo(url: str, *more: str) -> str:
    result = CliRunner().invoke(main, ["slo", "-d", str(ROOT / "definitions"), "--prometheus", url, *more])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_worst_comes_first_and_little_data_is_marked() -> None:
    with running() as server:
        # Recorded a while ago, as a budget's window is.
        at = time.time() - 20 * 60
        for name, values in RECORDED.items():
            server.push({(("__name__", name), ("route", route)): [(at, value)] for route, value in values.items()})
        server.push({(("__name__", "all:api_budget:coverage30d"),): [(at, 0.2)]})
        text = slo(server.url)
        said = json.loads(slo(server.url, "--format", "json"))

    lines = [" ".join(line.split()) for line in text.splitlines()]
    place = lines.index("api route=/b -150 % 3 - 25 10,000 20 % (little)")
    assert lines[place + 1] == "api route=/a 25 % 0.5 15 days 375 100,000 20 % (little)"
    assert "nothing is recorded for lavalink_node: are its rules loaded, and its metrics scraped?" in lines
    assert [state["labels"] for state in said["states"]] == [{"route": "/b"}, {"route": "/a"}]
    assert [state["enough"] for state in said["states"]] == [False, False]
