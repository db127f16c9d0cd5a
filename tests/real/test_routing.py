"""The generated routing on a real Alertmanager: every alert reaches whom `obsgen route` says, in words that help."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from obsgen.index import Index
from obsgen.model import Catalog
from obsgen.model.routing import PagerDuty, Slack
from obsgen.prove.server import running as prometheus
from obsgen.route import deliveries
from obsgen.routing import Router, Silencing
from obsgen.watches.prometheus import DROPPED, FAILED, MISSED, REFUSED
from tests.alertmanager import Alertmanager, Inbox, at_inbox, inbox, running
from tests.conftest import ROOT
from tests.logs import complaints

pytestmark = pytest.mark.real

GENERATED = ROOT / "generated/alertmanager"
NOTES = {
    "summary": "It is summed up.",
    "description": "It is described.",
    "runbook_url": "https://docs.example.org/runbook",
    "dashboard_url": "https://grafana.example.org/d/x",
}


@pytest.fixture
def box() -> Iterator[Inbox]:
    with inbox() as found:
        yield found


def labels(catalog: Catalog, alert: str, severity: str) -> dict[str, str]:
    """Return the labels that Prometheus gives to an alert."""
    rules = (
        rule
        for path in (ROOT / "generated/prometheus").glob("*/*.yml")
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    )
    own: dict[str, str] = next(
        rule["labels"] for rule in rules if rule.get("alert") == alert and rule["labels"]["severity"] == severity
    )
    assert own["catalog"] == catalog.project.name
    return {"alertname": alert, **own}


def test_the_generated_configuration_loads_as_it_is(tmp_path: Path) -> None:
    with running(GENERATED / "alertmanager.yml", tmp_path) as server:
        status = requests.get(f"{server.url}/api/v2/status", timeout=10).json()

    assert "receiver: unrouted" in status["config"]["original"]
    # Newer ones warn of matchers that older ones read otherwise.
    assert complaints(server.log.read_text()) == []


def test_every_alert_reaches_exactly_whom_route_says(tmp_path: Path, box: Inbox, vectobeat: Catalog) -> None:
    found = deliveries(vectobeat, None, {})
    posted = {(d.alert, d.severity): labels(vectobeat, d.alert, d.severity) for d in found}
    with running(at_inbox(tmp_path, GENERATED, box, inhibit=False), tmp_path) as server:
        server.post(list(posted.values()), NOTES)
        box.wait(lambda b: len(b.received) >= sum(len(d.tells) for d in found))
        taken = {
            (a["labels"]["alertname"], a["labels"]["severity"]): [r["name"] for r in a["receivers"]]
            for a in server.alerts()
        }

    assert taken == {(d.alert, d.severity): [d.receiver] for d in found}
    told = sorted(_told(path, data) for path, data in box.received)
    expected = sorted(
        (d.alert, d.severity if not who.startswith("webhook") else "", who) for d in found for who in d.tells
    )
    assert told == expected


def _told(path: str, data: dict[str, Any]) -> tuple[str, str, str]:
    """Return alert, severity and who was told of it."""
    if path == "/slack":
        [attachment] = data["attachments"]
        found = re.match(r"(\w+): firing \((\w+)\)", attachment["title"])
        assert found, attachment
        return found[1], found[2], f"Slack {data['channel']}"
    if path == "/pagerduty":
        found = re.match(r"(\w+): It is summed up\. \((\w+)\)$", data["payload"]["summary"])
        assert found, data
        services = {"pagerduty-ops-key": "VectoBeat", "pagerduty-concierge-key": "VectoBeat Concierge"}
        return found[1], found[2], f"PagerDuty {services[data['routing_key']]}"
    return data["commonLabels"]["alertname"], "", "webhook dead-mans-switch"


def inhibited(server: Alertmanager, catalog: str) -> set[str]:
    return {
        alert["labels"]["alertname"]
        for alert in server.alerts()
        if alert["labels"]["catalog"] == catalog and alert["status"]["inhibitedBy"]
    }


def settled(server: Alertmanager, catalog: str, expected: set[str]) -> set[str]:
    """Return what is inhibited, as soon as it is as expected or after a second."""
    for _ in range(20):
        found = inhibited(server, catalog)
        if found == expected:
            break
        time.sleep(0.05)
    return found


def test_each_inhibition_holds_and_ends(tmp_path: Path, box: Inbox, vectobeat: Catalog) -> None:
    silencings = Router(Index(vectobeat)).silencings
    assert len(silencings) >= 15
    with running(at_inbox(tmp_path, GENERATED, box), tmp_path) as server:
        for number, silencing in enumerate(silencings):
            for target in silencing.targets:
                _holds_and_ends(server, silencing, target, f"case-{number}-{target}")


def _holds_and_ends(server: Alertmanager, silencing: Silencing, name: str, case: str) -> None:
    same = {label: "x" for label in silencing.equal if label != "catalog"}
    given = dict(silencing.source)
    # An empty value is a label that is not there.
    source = {"severity": "critical", **same, **given, "catalog": case}
    source = {label: value for label, value in source.items() if value}
    severity = silencing.severity.value if silencing.severity else "warning"
    target = {"alertname": name, "severity": severity, "catalog": case, **same}

    server.post([source, target], NOTES)
    assert settled(server, case, {name}) == {name}, silencing
    server.post([source], NOTES, resolved=True)
    assert settled(server, case, set()) == set(), silencing
    for label in same:
        server.post([{**source, label: "other"}], NOTES)
        assert inhibited(server, case) == set(), (silencing, label)
        server.post([{**source, label: "other"}], NOTES, resolved=True)


ODD = {
    "quotes": "say \"hi\" and 'ho' \\ back",
    "template": "{{ .Broken }} {{ end",
    "emoji": "🎵 <b>&amp;",
    "long": "x" * 1000,
    "empty": "",
}


@pytest.mark.parametrize("odd", list(ODD))
def test_messages_survive_odd_labels(tmp_path: Path, box: Inbox, vectobeat: Catalog, odd: str) -> None:
    alert = labels(vectobeat, "ShardLatencyHigh", "critical") | {"shard_id": ODD[odd]}
    with running(at_inbox(tmp_path, GENERATED, box), tmp_path) as server:
        server.post([alert], NOTES | {"description": f"Shard {ODD[odd]} is slow."})
        box.wait(lambda b: bool(b.at("/slack") and b.at("/pagerduty")))
        said = server.log.read_text()

    assert complaints(said) == []
    [slack] = box.at("/slack")
    text = slack["attachments"][0]["text"]
    escaped = ODD[odd].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert f"Shard {escaped} is slow." in text
    [page] = box.at("/pagerduty")
    assert f"Shard {ODD[odd]} is slow." in page["payload"]["custom_details"]["summary"]


def test_a_message_holds_what_a_person_needs_and_tells_the_end(tmp_path: Path, box: Inbox, vectobeat: Catalog) -> None:
    alert = labels(vectobeat, "ShardLatencyHigh", "critical") | {"shard_id": "3", "instance": "bot:3052"}
    with running(at_inbox(tmp_path, GENERATED, box), tmp_path) as server:
        server.post([alert, alert | {"shard_id": "4"}], NOTES)
        box.wait(lambda b: bool(b.at("/slack") and b.at("/pagerduty")))
        server.post([alert, alert | {"shard_id": "4"}], NOTES, resolved=True)
        box.wait(lambda b: len(b.at("/slack")) == len(b.at("/pagerduty")) == 2)
        host = server.url.rsplit(":", 1)[1]

    firing, resolved = (message["attachments"][0] for message in box.at("/slack"))
    assert firing["title"] == "ShardLatencyHigh: firing (critical)"
    assert firing["color"] == "danger"
    assert firing["text"] == (
        "It is summed up.\n\n• It is described.  `shard_id`: 3\n• It is described.  `shard_id`: 4"
    )
    links = {action["text"]: action["url"] for action in firing["actions"]}
    assert links["Runbook"] == NOTES["runbook_url"] == firing["title_link"]
    assert links["Dashboard"] == NOTES["dashboard_url"]
    assert f":{host}/#/silences/new?filter=%7Balertname%3D%22ShardLatencyHigh%22%2C" in links["Silence"]
    assert (resolved["title"], resolved["color"]) == ("ShardLatencyHigh: resolved", "good")
    assert "• ~It is described.  `shard_id`: 3~" in resolved["text"]

    page, end = box.at("/pagerduty")
    assert (page["event_action"], end["event_action"]) == ("trigger", "resolve")
    assert page["dedup_key"] == end["dedup_key"]
    assert page["payload"]["severity"] == "critical"
    assert {link["text"] for link in page["links"]} == {"Runbook", "Dashboard", "Silence"}


def page_of(folder: Path, box: Inbox, alerts: list[dict[str, str]]) -> tuple[dict[str, Any], str]:
    """Return what PagerDuty shows of alerts, and the text that Slack shows."""
    with running(at_inbox(folder, GENERATED, box), folder) as server:
        server.post(alerts, NOTES)
        box.wait(lambda b: bool(b.at("/slack") and b.at("/pagerduty")))
        said = server.log.read_text()
    assert not re.search("level=(error|warn)", said, re.IGNORECASE), said
    payload: dict[str, Any] = box.at("/pagerduty")[0]["payload"]
    return payload, box.at("/slack")[0]["attachments"][0]["text"].partition("\n\n")[2]


def test_a_phone_shows_what_is_the_case_and_where(tmp_path: Path, box: Inbox, vectobeat: Catalog) -> None:
    alert = labels(vectobeat, "ApiBudgetBurnsFast", "critical") | {"route": "/api/blog/[id]"}

    page, _ = page_of(tmp_path, box, [alert])

    assert page["summary"] == "ApiBudgetBurnsFast: It is summed up. route=/api/blog/[id] (critical)"
    assert (page["class"], page["component"], page["group"]) == ("ApiBudgetBurnsFast", "api", "vectobeat")
    assert page["severity"] == "critical"


@pytest.mark.parametrize(
    ("count", "where"), [(2, "shard_id=0, shard_id=1"), (5, "shard_id=0, shard_id=1, shard_id=2, …")]
)
def test_a_phone_names_the_first_of_several(
    tmp_path: Path, box: Inbox, vectobeat: Catalog, count: int, where: str
) -> None:
    alert = labels(vectobeat, "ShardStalled", "critical") | {"job": "vectobeat-bot", "instance": "bot:3052"}

    page, _ = page_of(tmp_path, box, [alert | {"shard_id": str(n)} for n in range(count)])

    assert page["summary"] == f"ShardStalled: It is summed up. {count} of them: {where} (critical)"


def test_a_message_says_which_instance_where_nothing_else_tells(tmp_path: Path, box: Inbox, vectobeat: Catalog) -> None:
    alert = labels(vectobeat, "VectobeatBotDown", "critical") | {"job": "vectobeat-bot", "instance": "bot:3052"}

    page, slack = page_of(tmp_path, box, [alert])

    assert page["summary"] == "VectobeatBotDown: It is summed up. instance=bot:3052 job=vectobeat-bot (critical)"
    assert slack == "• It is described.  `instance`: bot:3052  `job`: vectobeat-bot"


def test_a_message_says_which_instance_where_they_differ(tmp_path: Path, box: Inbox, vectobeat: Catalog) -> None:
    alert = labels(vectobeat, "ShardLatencyHigh", "critical") | {"job": "vectobeat-bot", "shard_id": "0"}

    _, slack = page_of(tmp_path, box, [alert | {"instance": each} for each in ("a:1", "b:1")])

    assert slack.splitlines() == [
        f"• It is described.  `instance`: {each}  `job`: vectobeat-bot  `shard_id`: 0" for each in ("a:1", "b:1")
    ]


def test_a_long_label_leaves_room_for_the_rest(tmp_path: Path, box: Inbox, vectobeat: Catalog) -> None:
    alert = labels(vectobeat, "ApiBudgetBurnsFast", "critical") | {"route": "é" * 1000}

    page, _ = page_of(tmp_path, box, [alert])

    assert page["summary"] == f"ApiBudgetBurnsFast: It is summed up. route={'é' * 100}… (critical)"


def test_no_secret_is_in_the_artifacts(vectobeat: Catalog) -> None:
    routing = vectobeat.project.routing
    assert routing
    text = (GENERATED / "alertmanager.yml").read_text()
    assert not re.search(r"hooks\.slack\.com|routing_key:|api_url:|password:", text)
    for receiver in routing.receivers:
        if isinstance(receiver, Slack | PagerDuty):
            path = receiver.url_file if isinstance(receiver, Slack) else receiver.routing_key_file
            assert path in text


def test_prometheus_and_alertmanager_as_generated_bring_an_alert_to_people(tmp_path: Path, box: Inbox) -> None:
    """Quicker only: intervals and holds of seconds, and addresses on this machine."""
    quick = ("--rules.alert.resend-delay=1s",)
    with running(at_inbox(tmp_path, GENERATED, box), tmp_path) as alertmanager, prometheus(quick) as server:
        assert server.folder
        generated = ROOT / "generated/prometheus"
        for path in (generated / "prometheus.yml", *(generated / "rules").glob("*.yml")):
            text = path.read_text().replace("interval: 30s", "interval: 1s").replace("for: 2m", "for: 1s")
            text = text.replace("alertmanager:9093", alertmanager.url.removeprefix("http://"))
            (server.folder / path.relative_to(generated)).write_text(text.replace("bot:3052", "127.0.0.1:1"))
        server.reload()
        box.wait(lambda b: any("VectobeatBotDown" in json.dumps(d) for d in b.at("/pagerduty")), seconds=40)
        box.wait(lambda b: bool(b.at("/webhook")), seconds=40)
        exposed = requests.get(f"{server.url}/metrics", timeout=10).text
        log = (server.folder / "log").read_text()

    for own in (FAILED, MISSED, DROPPED, REFUSED):
        assert f"\n{own.series.name}" in exposed, "what the alerts on Prometheus itself read"
    assert [line for line in complaints(log) if "level=warn" not in line.lower()] == []
    slack = [m["attachments"][0] for m in box.at("/slack") if "VectobeatBotDown" in m["attachments"][0]["title"]]
    assert "Prometheus has had no answer from job vectobeat-bot for 2 minutes." in slack[0]["text"]
    assert slack[0]["title_link"].endswith("/runbooks/VectobeatBotDown.md")
    assert box.at("/webhook")[0]["commonLabels"]["alertname"] == "Watchdog"
