"""Renamed metrics on a real Prometheus that scrapes real exporters: as they are today, and when they change."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from obsgen import promql
from obsgen.artifacts import artifacts
from obsgen.prometheus import Prometheus
from obsgen.promql import Exposure, Source, Status
from obsgen.prove.server import running
from tests.conftest import ROOT
from tests.small import catalog

pytestmark = pytest.mark.real

MS, HEALTH = "vectobeat_shard_latency_ms", "lavalink_node_health"
PATIENCE = 60.0


class Bot:
    """An exporter with the eight families that VectoBeat's bot exposes today, whose numbers move."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for name in ("uptime_seconds", "guilds", "lavalink_players", "lavalink_active_players", "queue_tracks"):
            Gauge(f"vectobeat_{name}", "A number.", registry=self.registry).set(7)
        self.node_up = self.gauge("vectobeat_lavalink_node_up", "node")
        self.latency = self.gauge("vectobeat_shard_latency_seconds", "shard")
        # Declared, and never incremented: as it is wired today.
        Counter("vectobeat_commands", "Commands.", ("command", "status"), registry=self.registry)
        self.node_up.labels("main").set(1)
        self.shards: dict[str, float] = {"0": 0.042, "1": 0.08}

    def gauge(self, name: str, *labels: str) -> Gauge:
        return Gauge(name, "A number.", labels, registry=self.registry)

    def beat(self, stop: threading.Event) -> None:
        beats = 0
        while not stop.wait(0.1):
            beats += 1
            for shard, latency in self.shards.items():
                self.latency.labels(shard).set(latency + beats % 7 / 10_000)


@contextmanager
def serving(registry: CollectorRegistry) -> Iterator[str]:
    """Serve a registry on loopback, and give its host and port."""
    server, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def beating(*bots: Bot) -> Iterator[None]:
    stop = threading.Event()
    threads = [threading.Thread(target=bot.beat, args=(stop,)) for bot in bots]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def loaded(files: dict[str, str], targets: dict[str, list[str]]) -> Iterator[Prometheus]:
    """Start a Prometheus with generated files, quicker only: intervals of a second, targets on this machine."""
    with running() as server:
        assert server.folder
        config = yaml.safe_load(files["prometheus/prometheus.yml"])
        assert [job["job_name"] for job in config["scrape_configs"]] == [*list(targets)[:1], "prometheus"]
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["scrape_configs"] = [
            {"job_name": job, "scrape_interval": "1s", "static_configs": [{"targets": found}]}
            for job, found in targets.items()
        ]
        del config["alerting"]["alertmanagers"]
        for path in config["rule_files"]:
            text = files[f"prometheus/{path}"].replace("interval: 30s", "interval: 1s").replace("for: 15m", "for: 1s")
            (server.folder / path).write_text(text)
        (server.folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        server.reload()
        yield server
        assert broken(server) == []


def broken(server: Prometheus) -> list[str]:
    """Return what Prometheus says of rules that fail, and of results that it cannot store."""
    assert server.folder
    groups = requests.get(f"{server.url}/api/v1/rules", timeout=10).json()["data"]["groups"]
    errors = [rule["lastError"] for group in groups for rule in group["rules"] if rule.get("lastError")]
    log = (server.folder / "log").read_text().lower().splitlines()
    return errors + [line for line in log if "rule manager" in line and ("warn" in line or "err" in line)]


def series(server: Prometheus, name: str) -> list[tuple[dict[str, str], float]]:
    """Return the series of a name now, without the name."""
    found = server.instant(name, time.time())
    return [({k: v for k, v in each["metric"].items() if k != "__name__"}, float(each["value"][1])) for each in found]


OWN = {"Watchdog", "PrometheusUnseen"}
"""Alerts that are right here: one always fires, and this Prometheus does not scrape itself."""


def until(reached: Callable[[], Any], expected: Any) -> None:
    """Wait until something is as expected."""
    begun = time.monotonic()
    while (found := reached()) != expected:
        assert time.monotonic() - begun < PATIENCE, found
        time.sleep(0.2)


def who(server: Prometheus, name: str) -> list[dict[str, str]]:
    """Return the labels of the series of a name, without the job."""
    found = [{k: v for k, v in labels.items() if k != "job"} for labels, _ in series(server, name)]
    return sorted(found, key=lambda labels: sorted(labels.items()))


def stays(reached: Callable[[], Any], expected: Any) -> None:
    """Look for some evaluations whether something stays as it is: a rule that saw its own output would flap."""
    until(reached, expected)
    for _ in range(12):
        assert reached() == expected
        time.sleep(0.25)


def generated() -> dict[str, str]:
    folder = ROOT / "generated"
    paths = [*(folder / "prometheus/rules").glob("*.yml"), folder / "prometheus/prometheus.yml"]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


def test_the_bot_of_today_is_seen_and_nothing_fires() -> None:
    bot = Bot()
    with beating(bot), serving(bot.registry) as at, loaded(generated(), {"vectobeat-bot": [at]}) as server:
        target = {"instance": at, "renamed": "true"}
        stays(lambda: who(server, MS), [{"shard_id": shard, **target} for shard in ("0", "1")])
        stays(lambda: who(server, HEALTH), [{"node": "main", "region": "unknown", **target}])
        for labels, value in series(server, MS):
            assert labels["job"] == "vectobeat-bot"
            assert value == pytest.approx({"0": 42.3, "1": 80.3}[labels["shard_id"]], abs=0.5)
        assert [value for _, value in series(server, HEALTH)] == [1]
        # Nothing even thinks of firing, once a shard's latency has changed for the first time.
        until(lambda: {alert["labels"]["alertname"] for alert in server.alerts()} - OWN, set())

        # Two more shards: one never connected, the other reconnects.
        bot.shards |= {"2": math.nan, "3": math.inf}
        until(lambda: len(series(server, MS)), 4)
        values = {labels["shard_id"]: value for labels, value in series(server, MS)}
        assert math.isnan(values["2"])
        assert values["3"] == math.inf
        bot.shards["1"] = 0.3
        until(lambda: "ShardLatencyHigh" in {alert["labels"]["alertname"] for alert in server.alerts()}, True)
        bot.node_up.labels("main").set(0)
        until(lambda: "LavalinkNodeDown" in {alert["labels"]["alertname"] for alert in server.alerts()}, True)


def test_the_rules_step_aside_for_what_is_scraped_under_its_own_name_and_come_back() -> None:
    """A new release reaches one of two targets; a source that was planned goes live; the release is rolled back."""
    old, new, checker = Bot(), Bot(), CollectorRegistry()
    with (
        beating(old, new),
        serving(old.registry) as at_old,
        serving(new.registry) as at_new,
        serving(checker) as at_check,
        loaded(generated(), {"vectobeat-bot": [at_old, at_new], "lavalink-failover-check": [at_check]}) as server,
    ):

        def recorded(at: str) -> list[dict[str, str]]:
            return [{"shard_id": shard, "instance": at, "renamed": "true"} for shard in ("0", "1")]

        def both(*found: dict[str, str]) -> list[dict[str, str]]:
            return sorted(found, key=lambda labels: sorted(labels.items()))

        before = both(*recorded(at_old), *recorded(at_new))
        until(lambda: who(server, MS), before)
        own = new.gauge(MS, "shard_id")
        for shard in ("0", "1"):
            own.labels(shard).set(50)
        health = Gauge(HEALTH, "A number.", ("region", "node"), registry=checker)
        health.labels("eu", "main").set(1)
        scraped = [{"shard_id": shard, "instance": at_new} for shard in ("0", "1")]
        until(lambda: who(server, MS), both(*recorded(at_old), *scraped))
        until(lambda: who(server, HEALTH), [{"node": "main", "region": "eu", "instance": at_check}])

        def obsolete() -> list[str]:
            found = [alert for alert in server.alerts() if alert["labels"]["alertname"] == "RenameObsolete"]
            return sorted(alert["annotations"]["description"] for alert in found if alert["state"] == "firing")

        said = "is scraped as the catalog says: its Exposure is out of date."
        until(obsolete, [f"{HEALTH} {said}", f"{MS} {said}"])
        # One series of each shard and node, and no other.
        stays(lambda: who(server, MS), both(*recorded(at_old), *scraped))
        stays(lambda: who(server, HEALTH), [{"node": "main", "region": "eu", "instance": at_check}])

        new.registry.unregister(own)
        until(lambda: who(server, MS), before)
        until(obsolete, [f"{HEALTH} {said}"])


def test_counters_and_histograms_are_counted_under_their_new_names(tmp_path: Path) -> None:
    app = Source(name="app", title="App", job="app", interval="30s", targets=("app:1",))
    exposures = {name: Exposure(status=Status.RENAMED, name=name) for name in ("old_hits_total", "old_wait")}
    metrics = (
        promql.Counter(name="hits_total", title="H", help="H.", source=app, exposure=exposures["old_hits_total"]),
        promql.Histogram(
            name="wait_s", title="W", help="W.", source=app, buckets=(0.5, 2), exposure=exposures["old_wait"]
        ),
    )
    registry = CollectorRegistry()
    hits = Counter("old_hits", "Hits.", registry=registry)
    wait = Histogram("old_wait", "Wait.", buckets=(0.5, 2), registry=registry)
    hits.inc(3)
    with serving(registry) as at, loaded(artifacts(catalog(metrics)), {"app": [at]}) as server:
        until(lambda: [value for _, value in series(server, "hits_total")], [3])
        hits.inc(4)
        for seconds in (0.2, 1, 9):
            wait.observe(seconds)
        until(lambda: [value for _, value in series(server, "hits_total")], [7])
        buckets = {labels["le"]: value for labels, value in series(server, "wait_s_bucket")}
        assert sorted(buckets.values()) == [1, 2, 3]
        assert buckets["+Inf"] == 3
        assert [value for _, value in series(server, "wait_s_count")] == [3]
        assert [value for _, value in series(server, "wait_s_sum")] == [pytest.approx(10.2)]
        assert float(server.instant("changes(hits_total[1m])", time.time())[0]["value"][1]) == 1
