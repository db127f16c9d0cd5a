"""VectoBeat's catalog says what the guide says, and generated/ is what it makes."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from obsgen.artifacts import artifacts
from obsgen.checks import check
from obsgen.index import Index
from obsgen.model import Catalog
from obsgen.model.order import metrics_behind
from obsgen.promql import Metric, Unit
from obsgen.promql.tree import series_in
from obsgen.render.renames import FILE as RENAMES
from obsgen.tree import compare
from tests.conftest import ROOT

# name: type, labels, unit; the guide's tables
GUIDE = {
    "vectobeat_shard_guilds": ("gauge", ["shard_id", "region"], "COUNT"),
    "vectobeat_shard_latency_ms": ("gauge", ["shard_id"], "MILLISECONDS"),
    "vectobeat_shard_failover_total": ("counter", [], "COUNT"),
    "lavalink_node_players": ("gauge", ["region", "node"], "COUNT"),
    "lavalink_node_latency_ms": ("gauge", ["region", "node"], "MILLISECONDS"),
    "lavalink_node_health": ("gauge", ["region", "node"], "STATE"),
    "automation_actions_total": ("counter", ["action"], "COUNT"),
    "automation_actions_failed_total": ("counter", ["action"], "COUNT"),
    "automation_job_duration_ms": ("histogram", ["action"], "MILLISECONDS"),
    "api_requests_total": ("counter", ["route", "status"], "REQUESTS"),
    "api_errors_total": ("counter", ["route"], "REQUESTS"),
    "concierge_requests_total": ("counter", ["status"], "COUNT"),
    "concierge_sla_violation_total": ("counter", [], "COUNT"),
    "concierge_response_time_ms": ("histogram", [], "MILLISECONDS"),
}
# alert: severity, comparison, threshold, hold; the guide's list and its prose
ALERTS = {
    ("ShardLatencyHigh", "critical", ">", 250),
    ("ShardGuildsUnbalanced", "warning", ">", 0.2),
    ("LavalinkNodeLatencyHigh", "warning", ">", 500),
    # The guide says "health == 0 for 1m"; nothing but 1 is healthy.
    ("LavalinkNodeDown", "critical", "!=", 1),
    ("LavalinkNodeDownLately", "info", "!=", 1),
    ("AutomationFailureRatioHigh", "warning", ">", 0.05),
    ("ApiErrorBudgetLow", "warning", "<", 0.8),
    ("ApiErrorBudgetLow", "critical", "<", 0.6),
    # Ours, for the guide's "PagerDuty if SLA violation count exceeds thresholds", and for regressions that page.
    ("ConciergeSlaViolated", "critical", ">=", 3),
    ("AutomationFailureRatioHigh", "critical", ">", 0.5),
    ("ConciergeSlaViolated", "warning", ">", 0),
    # Ours: what the guide's warning cannot tell at night, and two counters of one thing.
    ("ConciergeSlaViolatedOffHours", "warning", ">", 0),
    ("ApiErrorsDisagree", "warning", ">", 0.05),
}


def test_all_fifteen_metrics_of_the_guide_are_there(vectobeat: Catalog) -> None:
    said = {m.name: (m.kind, [label.name for label in m.labels], m.unit.name) for m in vectobeat.metrics}
    assert said == GUIDE
    [derived] = [r for r in vectobeat.recordings if ":" not in r.name]
    assert derived.name == "api_error_budget_remaining"
    assert derived.label_names == frozenset({"route"})
    assert derived.unit is Unit.RATIO


def test_the_guides_alerts_are_there(vectobeat: Catalog) -> None:
    said = {
        (alert.name, level.severity.value, level.threshold.comparison.value, level.threshold.value)
        for alert in vectobeat.alerts
        for level in alert.levels
        if level.threshold and not any(watched.name == "up" for watched in series_in(alert.expr))
        # What obsgen adds to every budget is none of the guide's.
        if not alert.name.endswith(("BudgetUsedUp", "BudgetDataMissing"))
    }
    assert said == ALERTS
    [down] = [alert for alert in vectobeat.alerts if alert.name == "LavalinkNodeDown"]
    assert down.levels[0].hold == "1m"


def test_it_has_no_problems(vectobeat: Catalog) -> None:
    assert [str(problem) for problem in check(vectobeat)] == []


def test_generated_is_current(vectobeat: Catalog) -> None:
    changes = compare(ROOT / "generated", "vectobeat", artifacts(vectobeat))
    assert [f"{change.kind.value} {change.path}" for change in changes] == [], "run: make generate"


def test_every_metric_is_shown_and_every_alert_leads_to_a_dashboard(vectobeat: Catalog) -> None:
    index = Index(vectobeat)
    recorded = {recording.name: recording for recording in vectobeat.recordings}
    shown = {m.name for place in index.places for m in metrics_behind(index.read_by(place.panel), recorded)}
    assert [m.name for m in vectobeat.metrics if m.name not in shown] == []
    assert [alert.name for alert in vectobeat.alerts if index.dashboard_of(alert)[0] is None] == []


def test_every_source_is_watched(vectobeat: Catalog) -> None:
    watched = {watch.source.name for domain in vectobeat.domains for watch in domain.watches}
    assert {m.source.name for m in vectobeat.metrics if m.source} == watched
    assert (
        next(m.source.interval for m in vectobeat.metrics if m.name == "vectobeat_shard_guilds" and m.source) == "30s"
    )


def test_on_the_bot_of_today_only_what_can_be_there_is_scraped_and_watched() -> None:
    folder = ROOT / "generated/prometheus"
    config = yaml.safe_load((folder / "prometheus.yml").read_text())
    assert [job["job_name"] for job in config["scrape_configs"]] == ["vectobeat-bot", "prometheus"]
    assert {path.name for path in folder.glob("planned/*.yml")} == {
        "api-middleware.yml",
        "automation-ingestion.yml",
        "concierge-ingestion.yml",
        "lavalink-failover-check.yml",
        "success-pod.yml",
    }
    loaded = "".join((folder / path).read_text() for path in config["rule_files"])
    watching = re.findall(r"alert: (\w+(?:Down|SeriesMissing|StandsStill))$", loaded, re.MULTILINE)
    assert watching == ["LavalinkNodeDown", "VectobeatBotDown", "VectobeatBotSeriesMissing", "VectobeatBotStandsStill"]
    assert set(re.findall(r'job="([^"]*)"', (folder / "rules/renames.yml").read_text())) == {"vectobeat-bot"}


def test_every_alert_says_why_its_numbers_are_what_they_are(vectobeat: Catalog) -> None:
    assert [alert.name for alert in vectobeat.alerts if not alert.runbook.reason] == []


def test_every_rule_of_an_alert_has_what_routing_needs() -> None:
    for path in (ROOT / "generated/prometheus").glob("*/*.yml"):
        for group in yaml.safe_load(path.read_text()).get("groups", []):
            for rule in group["rules"]:
                if "alert" in rule:
                    assert rule["labels"].keys() == {"severity", "owner", "team", "catalog", "domain"}
                    assert rule["annotations"].keys() >= {"summary", "description", "runbook_url", "dashboard_url"}


def test_recordings_come_before_what_reads_them() -> None:
    # A renamed metric's rule reads its own name: it looks for what is scraped.
    for path in {*(ROOT / "generated/prometheus/rules").glob("*.yml")} - {ROOT / "generated/prometheus" / RENAMES}:
        groups = yaml.safe_load(path.read_text()).get("groups", [])
        rules = [rule for group in groups for rule in group["rules"]]
        reads = [{name for name in re.findall(r"[\w:]+", rule["expr"]) if ":" in name} for rule in rules]
        for position, rule in enumerate(rules):
            later = {other["record"]: reads[n] for n, other in enumerate(rules) if n > position and "record" in other}
            # Of two that read each other, one reads the other's past.
            assert not [name for name in reads[position] & later.keys() if rule.get("record") not in later[name]]


def test_yaml_says_what_was_rendered(vectobeat: Catalog) -> None:
    """A text that YAML would read as something else would be another rule."""
    from obsgen.render.rules import rule_files

    for path, data in rule_files(Index(vectobeat)).items():
        assert yaml.safe_load((ROOT / "generated/prometheus" / path).read_text()) == data


@pytest.mark.parametrize("name", sorted(GUIDE))
def test_a_metric_leads_to_its_docs_and_back(name: str) -> None:
    metric = next(
        m
        for m in json.loads((ROOT / "generated/catalog.json").read_text())["domains"]
        for m in m["metrics"]
        if m["name"] == name
    )
    page = metric["docs_url"].split("/docs/")[1].split("#")[0]

    text = (ROOT / "generated/docs" / page).read_text()

    assert f"### {name}\n" in text
    for alert in metric["used_by"]["alerts"]:
        assert f"../runbooks/{alert}.md" in text
        assert name in (ROOT / f"generated/docs/runbooks/{alert}.md").read_text()


def test_built_in_metrics_are_not_documented(vectobeat: Catalog) -> None:
    assert all(isinstance(m, Metric) and m.source for m in vectobeat.metrics)
