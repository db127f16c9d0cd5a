"""What is only planned is neither scraped nor watched, and says so wherever people look at it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml

from obsgen.artifacts import artifacts
from obsgen.index import Index
from obsgen.model import Catalog, Recording, Stat, Table, TimeSeries
from obsgen.promql import (
    Counter,
    Exposure,
    Expr,
    Gauge,
    Label,
    Source,
    SourceStatus,
    Status,
    absent,
    count,
    max_,
    rate,
    raw,
    sum_,
    up,
    vector,
)
from obsgen.prove.rules import Rules
from obsgen.readiness import Readiness
from obsgen.render.rules import rule_files
from obsgen.route import TextReport, deliveries
from obsgen.routing import Router
from tests.small import alert, board, catalog, watch

NODE = Label("node")
LIVE = Source(name="the-app", title="App", job="app", interval="30s", targets=("app:1",))
LATER = Source(name="the-job", title="Job", job="job", interval="1m", targets=("job:1",), status=SourceStatus.PLANNED)
HEAT = Gauge(name="heat", title="Heat", help="Heat.", source=LIVE, labels=(NODE,))
DUE = Gauge(
    name="due",
    title="Due",
    help="Due.",
    source=LIVE,
    labels=(NODE,),
    exposure=Exposure(status=Status.PLANNED, note="N."),
)
DONE = Counter(
    name="done_total", title="Done", help="Done.", source=LATER, exposure=Exposure(note="Nobody counts yet.")
)


def made(*, live: bool = False, key: Gauge = HEAT, moves: Gauge | None = None) -> Catalog:
    """Return a catalog with a live source and one that is planned, or live, too."""
    done = replace(DONE, source=replace(LATER, status=SourceStatus.LIVE)) if live else DONE
    return catalog(
        (HEAT, DUE, done),
        alerts=(alert("TooHot", HEAT), alert("TooDue", DUE), alert("TooMuch", rate(done, "5m"))),
        watches=(watch(key, moves=moves), watch(done)),
        dashboards=(
            board(
                Stat(shows=HEAT),
                TimeSeries(shows=rate(done), title="Done"),
                Table(
                    title="Both", description="All.", by=(NODE,), shows=(max_(HEAT, by=[NODE]), max_(DUE, by=[NODE]))
                ),
            ),
        ),
    )


def alerts_in(files: dict[str, Any]) -> dict[str, list[str]]:
    return {
        path: [rule["alert"] for group in file["groups"] for rule in group["rules"]] for path, file in files.items()
    }


def test_what_watches_a_planned_source_waits_in_a_file_that_is_not_loaded() -> None:
    files = artifacts(made())

    watching = ["TheJobDown", "TheJobSeriesMissing", "TheJobStandsStill"]
    config = yaml.safe_load(files["prometheus/prometheus.yml"])
    assert config["rule_files"] == ["rules/alerting.yml", "rules/app.yml"]
    assert [job["job_name"] for job in config["scrape_configs"]] == ["app", "prometheus"]
    waits = yaml.safe_load(files["prometheus/planned/the-job.yml"])
    assert alerts_in({"": waits}) == {"": watching}
    # Rules over its metrics stay: without data they are silent.
    assert alerts_in({"": yaml.safe_load(files["prometheus/rules/app.yml"])})[""] == [
        "TooHot",
        "TooDue",
        "TooMuch",
        "TheAppDown",
        "TheAppSeriesMissing",
        "TheAppStandsStill",
    ]


def test_a_source_goes_live_by_its_status_alone() -> None:
    before, after = artifacts(made()), artifacts(made(live=True))

    assert before.keys() - after.keys() == {"prometheus/planned/the-job.yml"}
    config = yaml.safe_load(after["prometheus/prometheus.yml"])
    assert [job["job_name"] for job in config["scrape_configs"]] == ["app", "job", "prometheus"]
    rules = {
        rule["alert"]: rule
        for text in (after["prometheus/rules/app.yml"], before["prometheus/planned/the-job.yml"])
        for group in yaml.safe_load(text)["groups"]
        for rule in group["rules"]
    }
    for group in yaml.safe_load(before["prometheus/planned/the-job.yml"])["groups"]:
        for rule in group["rules"]:
            assert rules[rule["alert"]] == rule
    assert "Cannot fire yet" not in after["docs/runbooks/TooMuch.md"]


def test_the_rules_that_wait_are_proven_as_all_are() -> None:
    rules = Rules.of(rule_files(Index(made())).values())
    tests = yaml.safe_load(artifacts(made())["prometheus/tests/app.yml"])

    assert "TheJobDown" in rules.alerts
    assert tests["rule_files"] == ["../rules/app.yml", "../planned/the-job.yml"]
    assert any(test["name"].startswith("TheJobDown: ") for test in tests["tests"])
    assert len(set(tests["group_eval_order"])) == len(tests["group_eval_order"])


@pytest.mark.parametrize(
    ("key", "moves", "waiting"),
    [
        (HEAT, None, []),
        (DUE, HEAT, ["TheAppSeriesMissing"]),
        (HEAT, DUE, ["TheAppStandsStill"]),
        (DUE, None, ["TheAppSeriesMissing", "TheAppStandsStill"]),
    ],
)
def test_a_live_source_is_not_blamed_for_a_series_that_it_does_not_expose_yet(
    key: Gauge, moves: Gauge | None, waiting: list[str]
) -> None:
    files = alerts_in(rule_files(Index(made(live=True, key=key, moves=moves))))

    assert files.get("planned/the-app.yml", []) == waiting
    assert "TheAppDown" in files["rules/app.yml"]
    assert not set(waiting) & set(files["rules/app.yml"])


@pytest.mark.parametrize(
    ("renamed_from", "waiting"), [(None, []), (LIVE, ["TheJobSeriesMissing", "TheJobStandsStill"])]
)
def test_a_renamed_key_is_there_if_its_own_source_has_it(renamed_from: Source | None, waiting: list[str]) -> None:
    job = replace(LATER, status=SourceStatus.LIVE)
    key = Gauge(
        name="new",
        title="N",
        help="N.",
        source=job,
        exposure=Exposure(status=Status.RENAMED, name="old", source=renamed_from),
    )
    files = alerts_in(rule_files(Index(catalog((HEAT, key), watches=(watch(HEAT), watch(key))))))

    assert files.get("planned/the-job.yml", []) == waiting


def test_what_cannot_fire_or_show_anything_says_so_itself_and_why() -> None:
    files = artifacts(made())

    for page in ("docs/alerts.md", "docs/runbooks/TooMuch.md"):
        assert "**Cannot fire yet.** `done_total` is planned: Nobody counts yet." in files[page]
    assert "**Cannot fire yet.** `due` is planned: N." in files["docs/runbooks/TooDue.md"]
    assert "fire yet" not in files["docs/runbooks/TooHot.md"]
    said = "**Not loaded yet.** Job is planned. Its rule waits in `prometheus/planned/the-job.yml`."
    for page in ("docs/alerts.md", "docs/runbooks/TheJobDown.md"):
        assert said in files[page]
    assert "`prometheus/planned/the-job.yml`" in files["docs/routing.md"]

    panels = json.loads(files["grafana/dashboards/board.json"])["panels"]
    described = {panel["title"]: panel.get("description", "") for panel in panels}
    assert described["Heat"] == "Heat."
    assert described["Done"].endswith("**Shows nothing yet.** `done_total` is planned: Nobody counts yet.")
    assert described["Both"] == "All. **Shows a part only yet.** `due` is planned: N."
    assert described["Done"] in files["docs/dashboards.md"]


def test_machines_are_told_too() -> None:
    data = json.loads(artifacts(made())["catalog.json"])

    assert {source["name"]: source["status"] for source in data["sources"]} == {"the-app": "live", "the-job": "planned"}
    [domain] = [domain for domain in data["domains"] if domain["name"] == "app"]
    alerts = {each["name"]: each for each in domain["alerts"]}
    assert (alerts["TooHot"]["loaded"], alerts["TooHot"]["waits_for"]) == (True, [])
    done = {"kind": "metric", "name": "done_total", "reason": "`done_total` is planned: Nobody counts yet."}
    assert (alerts["TooMuch"]["loaded"], alerts["TooMuch"]["waits_for"]) == (True, [done])
    assert alerts["TheJobDown"]["loaded"] is False
    assert alerts["TheJobDown"]["waits_for"] == [{"kind": "source", "name": "the-job", "reason": "Job is planned."}]
    [board] = domain["dashboards"]
    assert [panel["waits_for"] for panel in board["panels"]][:2] == [[], [done]]
    assert {m["name"]: m["exposure"]["status"] for m in domain["metrics"]}["done_total"] == "planned"


def test_route_says_that_an_alert_cannot_come_yet(capsys: pytest.CaptureFixture[str]) -> None:
    found = deliveries(made(), None, {})

    report = TextReport(table=False, labels={})
    report.done([delivery for delivery in found if delivery.alert in ("TheJobDown", "TooHot")])

    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  yet ")]
    assert told == ["  yet       Not loaded yet. Job is planned. Its rule waits in `prometheus/planned/the-job.yml`."]
    ready = {delivery.alert for delivery in found if not delivery.not_yet}
    assert {name for name in ready if not name.startswith("Prometheus")} == {
        "TooHot",
        "TheAppDown",
        "TheAppSeriesMissing",
        "TheAppStandsStill",
    }


def test_the_inhibitions_of_an_alert_that_waits_stay_valid() -> None:
    silencings = Router(Index(made())).silencings

    down = [s for s in silencings if ("alertname", "TheJobDown") in s.source]
    assert {name for s in down for name in s.targets} >= {"TooMuch", "TheJobStandsStill"}


RECORDED = Recording(name="a:due:sum", expr=sum_(DUE), title="T", help="H.")
TWICE = Recording(name="a:due:max", expr=max_(RECORDED), title="T", help="H.")


@pytest.mark.parametrize(
    ("expr", "lacks"),
    [
        (HEAT, []),
        (DUE, ["due"]),
        (DUE.where(NODE.equals("a")), ["due"]),
        (DUE.ago("5m"), ["due"]),
        (TWICE > 3, ["due"]),
        (rate(DONE, "5m"), ["done_total"]),
        (HEAT / DUE, ["due"]),
        (HEAT.and_(DUE), ["due"]),
        (HEAT.unless(DUE), []),
        (DUE.unless(HEAT), ["due"]),
        (HEAT.or_(DUE), []),
        (DUE.or_(HEAT), []),
        (DUE.or_(DONE), ["due", "done_total"]),
        # A zero stands in for what did not happen: it says nothing of what nobody counts.
        (DUE.or_(HEAT * 0), ["due"]),
        (HEAT.or_(DUE * 0), []),
        (absent(DUE), []),
        (absent(DUE).and_(max_(up(LIVE)).equals(1), on=()), []),
        (up(LATER).or_(absent(up(LATER)) * 0), []),
        (count(DUE).or_(vector(0)), []),
        (raw("topk(3, {x})", x=DUE), ["due"]),
        (raw("{x} / {y}", x=HEAT, y=DUE), ["due"]),
        (raw("{x} or {y}", x=HEAT, y=DUE), []),
    ],
)
def test_an_expression_lacks_the_planned_metrics_that_it_cannot_do_without(expr: Expr, lacks: list[str]) -> None:
    of = Readiness(catalog((HEAT, DUE, DONE), recordings=(TWICE, RECORDED)))

    assert [metric.name for metric in of.lacks(expr)] == lacks


def test_a_recording_that_reads_its_own_past_has_none_before_it_has_anything_else() -> None:
    def past(name: str) -> Recording:
        return Recording(name=name, expr=sum_(HEAT), title="T", help="H.")

    own = Recording(name="a:own:sum", expr=sum_(DUE).or_(past("a:own:sum").ago("5m")), title="T", help="H.")
    one = Recording(name="a:one:sum", expr=past("a:two:sum").or_(sum_(DUE)), title="T", help="H.")
    two = Recording(name="a:two:sum", expr=one.ago("5m").or_(sum_(HEAT)), title="T", help="H.")

    of = Readiness(catalog((HEAT, DUE), recordings=(own, one, two)))

    assert [metric.name for metric in of.lacks(own)] == ["due"]
    assert of.lacks(one) == of.lacks(two) == ()


def test_a_long_chain_of_recordings_is_no_trouble() -> None:
    chain = [Recording(name="a:r:0", expr=sum_(DUE), title="T", help="H.")]
    for number in range(1, 2000):
        chain.append(Recording(name=f"a:r:{number}", expr=max_(chain[-1]), title="T", help="H."))

    of = Readiness(catalog((DUE,), recordings=tuple(reversed(chain))))

    assert [metric.name for metric in of.lacks(chain[-1])] == ["due"]
