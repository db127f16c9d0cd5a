"""The generated rule files in a real Prometheus: it loads them, and every expression can be evaluated."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import requests

from obsgen.prove.server import running
from tests.conftest import ROOT
from tests.logs import complaints

pytestmark = pytest.mark.real


# Those that wait have to load, too, as soon as their source is there.
FILES = sorted(
    path for folder in ("rules", "planned") for path in (ROOT / "generated/prometheus" / folder).glob("*.yml")
)


def test_prometheus_loads_every_rule_and_finds_it_healthy() -> None:
    with running() as server:
        assert server.folder
        for path in FILES:
            shutil.copy(path, server.folder / "rules")
        server.reload()
        groups = requests.get(f"{server.url}/api/v1/rules", timeout=10).json()["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        for rule in rules:
            server.instant(rule["query"])
        log = (server.folder / "log").read_text()

    assert {Path(group["file"]).name for group in groups} == {path.name for path in FILES}
    assert len(rules) >= 80
    assert not [rule["lastError"] for rule in rules if rule.get("lastError")]
    assert complaints(log) == []
