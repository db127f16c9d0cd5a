"""The made-up world: its numbers fit together, its incidents begin and end, and it speaks as its exporters should."""

from __future__ import annotations

import math
import time
from itertools import pairwise

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from obsgen.model import Catalog
from obsgen.promql import Gauge, Histogram
from tests.world.catalog import Layout, configuration, live_catalog
from tests.world.exporter import Exporters, exposition, serving
from tests.world.grafana import PROMETHEUS, sources
from tests.world.history import slots
from tests.world.running import ALL, INCIDENTS, LASTED, NONE, fixed, switch, timeline_of
from tests.world.services import FAILED_NODE, FAILING_ROUTE, Family, families, is_up
from tests.world.tiles import plain
from tests.world.traffic import DAY, Flow, Timeline, noise, share_below

BORN = 1_700_000_000.0
HOUR = 3600.0
WEEK = 7 * DAY


@pytest.fixture(scope="module")
def live() -> Catalog:
    """VectoBeat's catalog with all sources live."""
    return live_catalog()


def value(found: tuple[Family, ...], at: float, name: str, **labels: str) -> float:
    """Return the sum of the series of a metric with some labels."""
    lines = [line for family in found for line in family.lines if line.name == name]
    chosen = [line for line in lines if labels.items() <= line.labels.items()]
    assert chosen, (name, labels)
    return sum(line.value(at) for line in chosen)


@pytest.mark.parametrize("swing", [0.0, 0.5, 0.8])
def test_a_flow_counts_what_its_pace_says_and_never_falls(swing: float) -> None:
    flow = Flow(2.0, swing=swing, born=BORN)
    times = [BORN + 60 * n for n in range(3 * 1440)]
    totals = [flow.total(at) for at in times]
    assert totals[0] == 0
    assert all(b > a for a, b in pairwise(totals))
    assert flow.total(BORN + WEEK) == pytest.approx(2.0 * WEEK, rel=0.01)
    steps = sum(60 * flow.pace(at + 30) for at in times[:-1])
    assert totals[-1] == pytest.approx(steps, rel=1e-4)


def test_a_flow_is_at_its_highest_at_its_peak() -> None:
    flow = Flow(1.0, swing=0.6, peak=15)
    by_hour = [flow.total((hour + 0.5) * HOUR) - flow.total((hour - 0.5) * HOUR) for hour in range(48, 72)]
    # The ripple moves it a little.
    assert abs(by_hour.index(max(by_hour)) - 15) <= 2
    assert max(by_hour) > 2 * min(by_hour)


def test_nothing_is_counted_before_a_flow_is_born_and_a_swing_may_not_stop_it() -> None:
    assert Flow(3.0, born=BORN).total(BORN - HOUR) == 0
    with pytest.raises(ValueError, match="a swing is 0 or more"):
        Flow(1.0, swing=0.9)


def test_an_incident_counts_only_while_it_lasts() -> None:
    flow, timeline = Flow(1.0, swing=0, born=BORN), Timeline()
    timeline.begin("x", BORN + DAY, BORN + DAY + HOUR)
    timeline.begin("x", BORN + 2 * DAY)
    timeline.begin("x", BORN + 2 * DAY + 60)  # goes on already
    timeline.end("x", BORN + 2 * DAY + HOUR)
    assert [timeline.active("x", BORN + at) for at in (0, DAY, DAY + HOUR, 2 * DAY, 2 * DAY + HOUR)] == [
        False,
        True,
        False,
        True,
        False,
    ]
    assert timeline.during("x", flow, BORN + DAY) == 0
    assert timeline.during("x", flow, BORN + DAY + HOUR / 2) == pytest.approx(HOUR / 2, rel=0.2)
    assert timeline.during("x", flow, BORN + WEEK) == pytest.approx(2 * HOUR, rel=0.2)
    assert timeline.during("y", flow, BORN + WEEK) == 0


def test_shares_of_a_lognormal_and_noise() -> None:
    assert share_below(60, 60, 0.9) == 0.5
    assert share_below(60 * math.e, 60, 1.0) == pytest.approx(0.8413, abs=1e-4)
    seen = [noise(BORN + 30 * n, 3) for n in range(500)]
    assert -1 <= min(seen) < -0.8
    assert 0.8 < max(seen) <= 1
    assert len(set(seen)) == 500


def test_a_world_begins_with_the_incident_it_is_asked_for_and_with_past_ones() -> None:
    now = BORN + 17 * DAY
    timeline = timeline_of("node-down", BORN, now)
    assert [name for name in INCIDENTS if timeline.active(name, now)] == ["node-down"]
    assert timeline.active("node-down", now - LASTED)
    assert all(len(timeline.of(name)) == 1 + (name == "node-down") for name in INCIDENTS)
    everything = timeline_of(ALL, BORN, now)
    assert all(everything.active(name, now) for name in INCIDENTS)
    assert not timeline_of(NONE, now - DAY, now).spans
    switch(timeline, ALL, True)
    assert all(timeline.active(name, time.time() + 1) for name in INCIDENTS)
    switch(timeline, ALL, False)
    assert not any(timeline.active(name, time.time() + 1) for name in INCIDENTS)
    with pytest.raises(ValueError, match="there is no incident 'nod-down'; there are slow-shard"):
        switch(timeline, "nod-down", True)


def test_a_port_on_which_somebody_listens_is_refused() -> None:
    with serving(Exporters((), Timeline(), BORN), dict, lambda name, on: None) as url:
        taken = int(url.rpartition(":")[2])
        with pytest.raises(ValueError, match=rf"port {taken} is taken; a world needs {taken - 1} to {taken + 1}"):
            fixed(taken - 1)


def test_every_metric_of_the_contract_is_exposed_with_its_labels(live: Catalog) -> None:
    found = families(BORN, Timeline())
    assert {f.metric.name for f in found} == {metric.name for metric in live.metrics}
    for family in found:
        own = {label.name for label in family.metric.labels}
        for line in family.lines:
            assert set(line.labels) - {"le"} == own, line.name
            for label in family.metric.labels:
                assert not label.values or line.labels[label.name] in label.values
        assert family.metric.limit is None or len(family.lines) <= family.metric.limit


def test_counters_never_fall_whatever_happens() -> None:
    timeline = Timeline()
    found = families(BORN, timeline)
    for name in INCIDENTS:
        timeline.begin(name, BORN + DAY, BORN + DAY + 2 * HOUR)
    times = [BORN + DAY - HOUR + 90 * n for n in range(160)]
    for family in found:
        if not isinstance(family.metric, Gauge):
            for line in family.lines:
                values = [line.value(at) for at in times]
                assert values == sorted(values), line


def test_the_errors_are_the_answers_with_a_5xx() -> None:
    timeline = Timeline()
    found = families(BORN, timeline)
    timeline.begin("api-5xx", BORN + DAY)
    for after in (DAY, DAY + HOUR, 3 * DAY):
        for family in found:
            if family.metric.name == "api_errors_total":
                for line in family.lines:
                    counted = value(found, BORN + after, "api_requests_total", status="500", **line.labels)
                    assert counted == line.value(BORN + after)
    begin, end = BORN + DAY, BORN + DAY + HOUR
    of_route = [
        value(found, end, name, route=FAILING_ROUTE) - value(found, begin, name, route=FAILING_ROUTE)
        for name in ("api_errors_total", "api_requests_total")
    ]
    assert of_route[0] / of_route[1] == pytest.approx(0.6, abs=0.01)


def test_buckets_hold_what_is_below_them() -> None:
    at = BORN + 5 * DAY
    for family in families(BORN, Timeline()):
        if isinstance(family.metric, Histogram):
            by_labels: dict[tuple[tuple[str, str], ...], list[float]] = {}
            for line in family.lines:
                if line.name.endswith("_bucket"):
                    own = tuple(sorted((k, v) for k, v in line.labels.items() if k != "le"))
                    by_labels.setdefault(own, []).append(line.value(at))
            for own, buckets in by_labels.items():
                assert buckets == sorted(buckets)
                assert buckets[-1] == value((family,), at, f"{family.metric.name}_count", **dict(own)) > 0
                assert len(buckets) == len(family.metric.buckets) + 1


def test_each_incident_shows_in_the_numbers_of_its_service() -> None:
    timeline = Timeline()
    found = families(BORN, timeline)
    before, at = BORN + DAY, BORN + DAY + HOUR
    for name in INCIDENTS:
        timeline.begin(name, before)

    def more(name: str, **labels: str) -> float:
        return value(found, at, name, **labels) - value(found, before - 1, name, **labels)

    slow = [line.value(at) for f in found if f.metric.name == "vectobeat_shard_latency_ms" for line in f.lines]
    assert sum(latency > 800 for latency in slow) == 1
    assert value(found, at, "lavalink_node_health", node=FAILED_NODE) == 0
    assert value(found, at, "lavalink_node_health") == value(found, before - 1, "lavalink_node_health") - 1
    action = "queue_trim"
    ratio = more("automation_actions_failed_total", action=action) / more("automation_actions_total", action=action)
    assert ratio == pytest.approx(0.3, abs=0.05)
    assert more("concierge_sla_violation_total") >= 3
    assert not is_up("vectobeat-bot", at, timeline)
    assert is_up("api-middleware", at, timeline)


def test_what_is_exposed_is_read_by_the_official_parser_and_a_bot_that_is_down_answers_nothing() -> None:
    timeline = Timeline()
    found = families(BORN, timeline)
    text = "".join(exposition(found, BORN + DAY))
    names = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    assert {line.name for family in found for line in family.lines} == names

    switched: list[tuple[str, bool]] = []
    exporters = Exporters(found, timeline, BORN)
    with serving(exporters, lambda: {"days": 1}, lambda name, on: switched.append((name, on))) as url:
        assert "vectobeat_shard_guilds{" in requests.get(f"{url}/metrics/vectobeat-bot", timeout=5).text
        assert requests.get(f"{url}/metrics/nobody", timeout=5).status_code == 404
        assert requests.post(f"{url}/incident/bot-down?on=1", timeout=5).json() == {"days": 1}
        assert requests.post(f"{url}/incident/bot-down?on=0", timeout=5).ok
        assert requests.post(f"{url}/incident/bot-down?on=maybe", timeout=5).status_code == 404
        timeline.begin("bot-down", BORN)
        assert requests.get(f"{url}/metrics/vectobeat-bot", timeout=5).status_code == 503
    assert switched == [("bot-down", True), ("bot-down", False)]


def test_slots_are_the_times_of_a_group() -> None:
    assert list(slots(0, 900, 300, 17.5)) == [17.5, 317.5, 617.5]
    assert list(slots(17.5, 317.5, 300, 17.5)) == [317.5]


def test_the_offsets_of_groups_are_spread_and_hold_for_a_file() -> None:
    for layout in Layout:
        found = {layout.offset(f"group-{n}", "/rules/a.yml", 900) for n in range(50)}
        assert len(found) == 50
        assert all(0 <= at < 900 for at in found)
        assert max(found) - min(found) > 600
        assert layout.offset("group-1", "/rules/b.yml", 900) not in found


def test_all_sources_are_live_and_scraped_here(live: Catalog, vectobeat: Catalog) -> None:
    assert all(source.live for source in live.sources)
    # The catalog of the other tests is another one.
    assert any(not source.live for source in vectobeat.sources)
    config = configuration(live, "127.0.0.1:1", "127.0.0.1:2", None)
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    assert set(jobs) == {source.job for source in live.sources} | {"prometheus"}
    assert {job["static_configs"][0]["targets"][0] for job in jobs.values()} == {"127.0.0.1:1", "127.0.0.1:2"}
    assert {job: each["scrape_interval"] for job, each in jobs.items() if job != "prometheus"} == {
        source.job: source.interval for source in live.sources
    }
    assert "alertmanagers" not in config["alerting"]


def test_every_tile_of_events_has_a_plain_query(live: Catalog) -> None:
    found = plain(live)
    assert found["route:api_total:increase5m"] == "sum by (route) (api_requests_total - api_requests_total offset 5m)"
    assert set(found) <= {recording.name for recording in live.recordings}


def test_the_data_sources_of_a_world() -> None:
    assert [source["uid"] for source in sources("http://p", None)] == [PROMETHEUS]
    both = sources("http://p", "http://a")
    assert [source["url"] for source in both] == ["http://p", "http://a"]
    assert both[0]["jsonData"]["timeInterval"] == "30s"
