"""Metrics that have another name today: which rules are made for them, and what says that these can go."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from obsgen.artifacts import artifacts
from obsgen.checks import check
from obsgen.index import Index
from obsgen.model import Catalog
from obsgen.promql import Counter, Exposure, Gauge, Histogram, Label, Metric, Source, SourceStatus, Status, max_
from obsgen.promql.reader import normal
from obsgen.renames import OBSOLETE
from obsgen.render.renames import rename_file
from obsgen.routing import Router
from tests.small import alert, catalog, watch

NODE, AREA = Label("node"), Label("area")
APP = Source(name="the-app", title="App", job="app", interval="30s")
CHECK = Source(name="the-check", title="Check", job="check", interval="1m", status=SourceStatus.PLANNED)


def old(**given: Any) -> Exposure:
    return Exposure(status=Status.RENAMED, **given)


HEAT = Gauge(
    name="heat_ms",
    title="H",
    help="H.",
    source=APP,
    labels=(NODE,),
    exposure=old(name="heat_s", scale=1000, labels={"n": "node"}),
)
HEALTH = Gauge(
    name="health",
    title="H",
    help="H.",
    source=CHECK,
    labels=(AREA, NODE),
    exposure=old(name="app_up", source=APP, adds={"area": "$a"}),
)
HITS = Counter(name="hits_total", title="H", help="H.", source=APP, exposure=old(name="hit_count"))
WAIT = Histogram(name="wait", title="W", help="W.", source=APP, buckets=(1, 2), exposure=old(name="waited"))


def rules(*metrics: Metric) -> dict[str, dict[str, Any]]:
    """Return the rename rules of metrics, by the recorded name."""
    file = rename_file(Index(catalog(metrics)))
    return {rule["record"]: rule for group in file["groups"] for rule in group["rules"]} if file else {}


def expr(metric: Metric, part: str = "") -> str:
    return normal(rules(metric)[metric.name + part]["expr"])


def test_name_scale_and_labels_become_those_of_the_catalog() -> None:
    assert expr(HEAT) == normal(
        'label_replace(label_replace(heat_s{job="app"} * 1000, "node", "$1", "n", "(.*)"), "n", "", "", "")'
        ' unless on (job, instance) heat_ms{renamed=""}'
    )
    assert rules(HEAT)["heat_ms"]["labels"] == {"renamed": "true"}


def test_of_another_source_the_first_series_replaces_all() -> None:
    assert expr(HEALTH) == normal(
        'label_replace(app_up{job="app"}, "area", "$$a", "", "") unless on () health{renamed=""}'
    )


def test_a_counter_stays_one() -> None:
    assert expr(HITS) == normal('hit_count{job="app"} unless on (job, instance) hits_total{renamed=""}')


def test_a_histogram_is_renamed_with_all_its_parts() -> None:
    assert list(rules(WAIT)) == ["wait_bucket", "wait_count", "wait_sum"]
    assert expr(WAIT, "_bucket") == normal('waited_bucket{job="app"} unless on (job, instance) wait_bucket{renamed=""}')


def test_nothing_is_recorded_of_a_source_that_is_not_there() -> None:
    gone = Source(name="gone", title="Gone", job="gone", interval="30s", status=SourceStatus.PLANNED)
    metric = Gauge(name="x", title="X", help="X.", source=APP, exposure=old(name="y", source=gone))

    assert rules(metric) == {}
    assert metric.status is Status.PLANNED


def test_each_is_recorded_as_often_as_it_is_scraped_in_groups_of_twenty() -> None:
    slow = Source(name="slow", title="Slow", job="slow", interval="5m")
    many = [
        Histogram(name=f"m{n}", title="M", help="M.", source=APP, buckets=(1,), exposure=old(name=f"o{n}"))
        for n in range(8)
    ]
    file = rename_file(
        Index(catalog([Gauge(name="s", title="S", help="S.", source=slow, exposure=old(name="t")), *many]))
    )

    assert file
    assert [(group["name"], group["interval"], len(group["rules"])) for group in file["groups"]] == [
        ("renames", "30s", 18),
        ("renames-part2", "30s", 6),
        ("renames-5m", "5m", 1),
    ]


def whole(name: str = "app") -> Catalog:
    alerts = (alert("TooHot", HEAT), alert("NotWell", max_(HEALTH, by=[NODE])))
    metrics = (HEAT, HEALTH, HITS, WAIT)
    return catalog(metrics, name=name, alerts=alerts, watches=(watch(HEAT), watch(HEALTH)))


def test_prometheus_loads_them_and_alertmanager_does_not_hear_of_the_label() -> None:
    config = yaml.safe_load(artifacts(whole())["prometheus/prometheus.yml"])

    assert config["rule_files"] == ["rules/alerting.yml", "rules/app.yml", "rules/renames.yml"]
    assert config["alerting"]["alert_relabel_configs"] == [{"regex": "renamed", "action": "labeldrop"}]


def test_a_catalog_without_renames_has_no_trace_of_them() -> None:
    files = artifacts(catalog((Gauge(name="x", title="X", help="X.", source=APP),)))

    assert not [path for path in files if "renames" in path or OBSOLETE in path]
    assert "renamed" not in files["prometheus/prometheus.yml"]


def test_what_the_source_of_today_feeds_is_silent_while_that_is_down() -> None:
    silencings = Router(Index(whole())).silencings

    silent = {name for s in silencings if ("alertname", "TheAppDown") in s.source for name in s.targets}
    assert {"TooHot", "NotWell", "TheAppStandsStill"} <= silent
    assert OBSOLETE not in silent
    assert "TheCheckStandsStill" not in silent


def test_something_says_that_a_rule_can_go() -> None:
    [obsolete] = [alert for alert in whole().alerts if alert.name == OBSOLETE]

    assert [proof.quiet for proof in obsolete.proofs] == [True, False]
    assert [problem for problem in check(whole()) if "RenameObsolete" in str(problem)] == []
    files = artifacts(whole())
    assert 'count(wait_count{renamed=""})' in files["docs/runbooks/RenameObsolete.md"]
    assert "Today it is `app_up` of App, scrape job `app`." in files["docs/metrics/app.md"]


def test_a_domain_cannot_have_the_file_of_the_renames() -> None:
    assert [str(p) for p in check(whole("renames")) if "two rule files renames.yml" in str(p)]
    assert not [p for p in check(whole()) if "renames.yml" in str(p)]


@pytest.mark.real
def test_promtool_finds_the_exported_tests_to_hold(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    assert promtool
    for path, text in artifacts(whole()).items():
        if path.startswith("prometheus/"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)

    said = [
        subprocess.run([promtool, "test", "rules", f"prometheus/tests/{name}.yml"], cwd=tmp_path, capture_output=True)
        for name in ("renames", "alerting")
    ]

    assert [result.returncode for result in said] == [0, 0], said
    tests = yaml.safe_load((tmp_path / "prometheus/tests/renames.yml").read_text())["tests"]
    assert len(tests) == 2 * 6
