"""The texts of every alert in a real Prometheus, with label values that nobody expects."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
import yaml

from obsgen.prove.server import running
from tests.conftest import ROOT

pytestmark = pytest.mark.real

ODD = "a b&c=d?{{ .Value }}'é🎵/" + "x" * 200
RULES = [
    path
    for made in ("generated", "tests/golden/greenhouse")
    for folder in ("rules", "planned")
    for path in (ROOT / made / "prometheus" / folder).glob("*.yml")
]


def always(rule: dict[str, Any]) -> dict[str, Any]:
    """Return an alert that fires at once, for a series with odd values of all the labels that its texts use."""
    expr = "vector(0.123)"
    for label in sorted(set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))):
        expr = f'label_replace({expr}, "{label}", "{ODD}", "", "")'
    return {key: rule[key] for key in ("alert", "labels", "annotations")} | {"expr": expr}


def fired(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what Prometheus raises of alerts that all fire at once."""
    with running() as server:
        assert server.folder
        # Levels of one alert differ in their labels; so do the alerts of the two catalogs.
        groups = [{"name": str(n), "interval": "100ms", "rules": [rule]} for n, rule in enumerate(rules)]
        (server.folder / "rules/rules.yml").write_text(yaml.safe_dump({"groups": groups}))
        server.reload()
        for _ in range(100):
            alerts = server.alerts()
            if len(alerts) == len(rules):
                return alerts
            time.sleep(0.1)
    raise AssertionError(f"{len(alerts)} of {len(rules)} alerts fired")


def test_every_text_is_written_out_whatever_the_labels_hold() -> None:
    files = [yaml.safe_load(path.read_text()) for path in RULES]
    rules = [
        always(rule) for file in files for group in file.get("groups", ()) for rule in group["rules"] if "alert" in rule
    ]

    alerts = fired(rules)

    for alert in alerts:
        for name, text in alert["annotations"].items():
            assert "error expanding template" not in text, (alert["labels"]["alertname"], name, text)
            assert "<no value>" not in text
        url = urlparse(alert["annotations"]["dashboard_url"])
        assert url.scheme == "https"
        values = [value for name, found in parse_qs(url.query).items() if name.startswith("var-") for value in found]
        assert set(values) <= {ODD}


def test_a_value_is_written_in_its_unit() -> None:
    [latency] = [
        rule
        for group in yaml.safe_load((ROOT / "generated/prometheus/rules/shards.yml").read_text())["groups"]
        for rule in group["rules"]
        if rule.get("alert") == "ShardLatencyHigh"
    ]
    rule = always(latency) | {"expr": 'label_replace(vector(312.4), "shard_id", "3", "", "")'}

    [alert] = fired([rule])

    assert alert["annotations"]["description"] == (
        "Shard 3 has answered heartbeats in 312 ms, more than 250 ms, for 2 minutes."
    )
    assert alert["annotations"]["dashboard_url"].endswith("&var-shard_id=3")
