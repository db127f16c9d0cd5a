"""The generated rule files in a real Prometheus: it loads them, and every expression can be evaluated."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from tests.conftest import ROOT
from tests.prometheus import running

pytestmark = pytest.mark.real


def test_prometheus_loads_every_rule_and_finds_it_healthy(tmp_path: Path) -> None:
    files = sorted(str(path) for path in (ROOT / "generated/prometheus").glob("*.yml"))
    assert files
    with running(tmp_path, f"rule_files: {files}\nglobal: {{evaluation_interval: 1s}}\n") as server:
        groups = requests.get(f"{server.url}/api/v1/rules", timeout=10).json()["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        for rule in rules:
            server.query(rule["query"], at=0)

    assert {rule["file"] for rule in groups} == set(files)
    assert len(rules) >= 40
    assert not [rule["lastError"] for rule in rules if rule.get("lastError")]
    assert not [line for line in (tmp_path / "log").read_text().splitlines() if "level=error" in line]
