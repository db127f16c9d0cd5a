"""VectoBeat's alerts on a real Prometheus: what must fire fires, and the real system's quirks do not."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest

from obsgen.model import Catalog
from tests.lab import Lab
from tests.prometheus import STALE, Prometheus, every

pytestmark = pytest.mark.real

MINUTE, HOUR, DAY = 60, 3600, 86_400
BOT = 'job="vectobeat-bot",instance="bot:3052"'
CHECK = 'job="lavalink-failover-check",instance="check:9100"'
API = 'job="api-middleware",instance="web:3060"'
POD = 'job="success-pod",instance="pod:9100"'
INGESTION = 'job="automation-ingestion",instance="web:3060"'
Samples = dict[str, list[tuple[float, float]]]
NODE = f'region="eu",node="main",{CHECK}'


@pytest.fixture
def lab(prometheus: Prometheus, vectobeat: Catalog) -> Lab:
    return Lab(prometheus, vectobeat)


def flat(value: float, seconds: float, step: float = 30, start: float = 0) -> list[tuple[float, float]]:
    return every(step, [value] * (int(seconds / step) + 1), start)


def latency(shard: int = 0) -> str:
    return f'vectobeat_shard_latency_ms{{shard_id="{shard}",{BOT}}}'


def guilds(shard: int) -> str:
    return f'vectobeat_shard_guilds{{shard_id="{shard}",region="eu",{BOT}}}'


def wobbling(value: float, seconds: float, step: float = 30) -> list[tuple[float, float]]:
    """A latency as a living shard has it: never twice the same."""
    return every(step, [value + n % 7 / 10 for n in range(int(seconds / step) + 1)])


@pytest.mark.parametrize(("value", "fires"), [(250.0, False), (250.1, True), (math.nan, False), (math.inf, False)])
def test_shard_latency_fires_above_its_threshold_and_not_on_what_is_no_latency(
    lab: Lab, value: float, fires: bool
) -> None:
    lab.given({latency(): flat(value, 4 * MINUTE)}, until=4 * MINUTE)

    found = lab.firing("ShardLatencyHigh", until=4 * MINUTE)

    assert [(f.severity, f.labels["shard_id"]) for f in found] == ([("critical", "0")] if fires else [])


def test_shard_latency_waits_for_its_hold(lab: Lab) -> None:
    spike = every(30, [80, 900, 900, 900, 80, 80, 80])
    lab.given({latency(): spike}, until=3 * MINUTE)

    assert not lab.firing("ShardLatencyHigh", until=3 * MINUTE)


def test_a_shard_that_stands_still_is_stalled_and_a_living_one_is_not(lab: Lab) -> None:
    lab.given({latency(0): flat(80, 20 * MINUTE), latency(1): wobbling(80, 20 * MINUTE)}, until=20 * MINUTE)

    assert [f.labels["shard_id"] for f in lab.firing("ShardStalled", until=20 * MINUTE)] == ["0"]


def test_a_shard_that_reconnects_in_vain_is_stalled_and_a_phantom_is_not(lab: Lab) -> None:
    series = {latency(0): flat(math.inf, 20 * MINUTE), latency(1): flat(math.nan, 20 * MINUTE)}
    lab.given(series, until=20 * MINUTE)

    assert [f.labels["shard_id"] for f in lab.firing("ShardStalled", until=20 * MINUTE)] == ["0"]


@pytest.mark.parametrize(("other", "fires"), [(math.nan, True), (math.inf, True), (80, False)])
def test_shards_are_disconnected_when_none_has_a_latency(lab: Lab, other: float, fires: bool) -> None:
    lab.given({latency(0): flat(math.nan, 10 * MINUTE), latency(1): flat(other, 10 * MINUTE)}, until=10 * MINUTE)

    assert bool(lab.firing("ShardsDisconnected", until=10 * MINUTE)) is fires


@pytest.mark.parametrize(
    ("counts", "fires"),
    [
        ((5, 5, 2), []),  # 50 % off, of a handful
        ((1000, 1000, 1000, 1280), []),  # 19.6 % above the average of 1070
        ((1000, 1000, 1000, 1300), ["3"]),  # 20.9 % above 1075
        ((1000, 1000, 1000, 1000, 0), ["0", "1", "2", "3", "4"]),
    ],
)
def test_guild_deviation_needs_enough_guilds(lab: Lab, counts: Iterable[int], fires: list[str]) -> None:
    lab.given({guilds(n): flat(count, 20 * MINUTE) for n, count in enumerate(counts)}, until=20 * MINUTE)

    found = lab.firing("ShardGuildsUnbalanced", until=20 * MINUTE)

    assert sorted(f.labels["shard_id"] for f in found) == fires


def test_a_new_shard_has_time_to_fill(lab: Lab) -> None:
    filling = every(30, [min(1000, 50 * n) for n in range(41)])
    lab.given({**{guilds(n): flat(1000, 20 * MINUTE) for n in range(3)}, guilds(3): filling}, until=20 * MINUTE)

    assert not lab.firing("ShardGuildsUnbalanced", until=20 * MINUTE)


@pytest.mark.parametrize(("failed_for", "fires"), [(59, False), (61, True)])
def test_a_node_is_down_after_a_minute(lab: Lab, failed_for: int, fires: bool) -> None:
    health = [(float(t), 0.0 if 60 <= t < 60 + failed_for else 1.0) for t in range(0, 300)]
    lab.given({f"lavalink_node_health{{{NODE}}}": health}, until=300)

    found = lab.firing("LavalinkNodeDown", until=300)

    assert [(f.severity, dict(f.labels)) for f in found] == (
        [("critical", {"region": "eu", "node": "main"})] if fires else []
    )


def test_a_node_that_is_gone_is_missing_and_not_healthy(lab: Lab) -> None:
    gone = [*flat(1, 10 * MINUTE), (10 * MINUTE + 30, STALE)]
    other = f'lavalink_node_health{{region="eu",node="two",{CHECK}}}'
    series = {f"lavalink_node_health{{{NODE}}}": gone, other: flat(1, 30 * MINUTE)}
    lab.given(series, until=30 * MINUTE)

    assert [f.labels["node"] for f in lab.firing("LavalinkNodeMissing", until=30 * MINUTE)] == ["main"]
    assert not lab.firing("LavalinkNodeDown", until=30 * MINUTE)


def test_a_node_that_another_exporter_goes_on_checking_is_not_missing(lab: Lab) -> None:
    other = NODE.replace("check:9100", "check:9200")
    series = {
        f"lavalink_node_health{{{NODE}}}": [*flat(1, 10 * MINUTE), (10 * MINUTE + 30, STALE)],
        f"lavalink_node_health{{{other}}}": flat(1, 20 * MINUTE, start=10 * MINUTE),
    }
    lab.given(series, until=30 * MINUTE)

    assert not lab.firing("LavalinkNodeMissing", until=30 * MINUTE)


@pytest.mark.parametrize(("ms", "health", "fires"), [(500, 1, False), (501, 1, True), (5000, 0, False)])
def test_node_latency_speaks_only_of_healthy_nodes(lab: Lab, ms: float, health: float, fires: bool) -> None:
    series = {
        f"lavalink_node_latency_ms{{{NODE}}}": flat(ms, 10 * MINUTE),
        f"lavalink_node_health{{{NODE}}}": flat(health, 10 * MINUTE),
    }
    lab.given(series, until=10 * MINUTE)

    assert bool(lab.firing("LavalinkNodeLatencyHigh", until=10 * MINUTE)) is fires


def counter(values: Iterable[tuple[float, float]], until: float, step: float = 30) -> list[tuple[float, float]]:
    """Return samples of a counter that has each value from its time on, and no sample before the first."""
    steps = sorted(values)
    return [
        (t, [value for at, value in steps if at <= t][-1])
        for t in (n * step for n in range(int(until / step) + 1))
        if t >= steps[0][0]
    ]


def actions(ok: int, failed: int | None) -> Samples:
    """Two hours of scrapes; in the middle some actions happen, as the first of their kind."""
    until = 2 * HOUR
    series = {
        f"up{{{INGESTION}}}": flat(1, until),
        f"up{{{BOT}}}": flat(1, until),
    }
    if ok:
        series[f'automation_actions_total{{action="queue_trim",{INGESTION}}}'] = counter([(HOUR + 600, ok)], until)
    if failed is not None:
        name = f'automation_actions_failed_total{{action="queue_trim",{BOT}}}'
        series[name] = counter([(HOUR + 600, failed)], until)
    return series


@pytest.mark.parametrize(
    ("ok", "failed", "fires"),
    [
        (3, 1, False),  # too few to mean anything
        (100, 5, False),  # 5 % is not more than 5 %
        (100, 6, True),
        (100, None, False),  # an action that never failed has no series for it
        (0, 30, True),  # the counter of all actions misses what the other saw fail
    ],
)
def test_automation_failures_need_attempts(lab: Lab, ok: int, failed: int | None, fires: bool) -> None:
    lab.given(actions(ok, failed), until=2 * HOUR)

    found = lab.firing("AutomationFailureRatioHigh", until=2 * HOUR)

    assert [f.labels["action"] for f in found] == (["queue_trim"] if fires else [])


VIOLATIONS = f"concierge_sla_violation_total{{{POD}}}"


def test_the_first_violation_ever_fires_although_its_series_is_born_with_it(lab: Lab) -> None:
    series = {f"up{{{POD}}}": flat(1, 3 * HOUR, 60), VIOLATIONS: counter([(2 * HOUR, 1)], 3 * HOUR, 60)}
    lab.given(series, until=3 * HOUR)

    found = lab.firing("ConciergeSlaViolated", until=3 * HOUR)

    assert [(f.severity, f.since) for f in found] == [("warning", 2 * HOUR)]


def test_a_violation_counts_for_an_hour_and_no_longer(lab: Lab) -> None:
    series = {f"up{{{POD}}}": flat(1, 5 * HOUR, 60), VIOLATIONS: counter([(0, 7), (2 * HOUR, 8)], 5 * HOUR, 60)}
    lab.given(series, until=5 * HOUR)

    recorded = lab.server.range("all:concierge_sla_violation:increase1h", 0, 5 * HOUR, 60)
    counted = {at - lab.server.base: float(value) for at, value in recorded[0]["values"]}

    assert counted[2 * HOUR - 60] == 0
    assert counted[2 * HOUR] == 1
    assert counted[3 * HOUR - 60] == 1
    assert counted[3 * HOUR + 60] == 0


def test_old_violations_of_a_target_that_prometheus_just_met_are_no_news(lab: Lab) -> None:
    series = {f"up{{{POD}}}": flat(1, HOUR, 60), VIOLATIONS: flat(57, HOUR, 60)}
    lab.given(series, until=HOUR)

    assert not lab.firing("ConciergeSlaViolated", until=HOUR)


def test_a_scrape_outage_makes_no_violation(lab: Lab) -> None:
    hole = [(t, 57.0) for t in range(0, 5 * HOUR, 60) if not 2 * HOUR < t < 2 * HOUR + 40 * MINUTE]
    up = [(float(t), 0.0 if 2 * HOUR < t < 2 * HOUR + 40 * MINUTE else 1.0) for t in range(0, 5 * HOUR, 60)]
    lab.given({f"up{{{POD}}}": up, VIOLATIONS: hole}, until=5 * HOUR - 60)

    assert not lab.firing("ConciergeSlaViolated", until=5 * HOUR - 60)


def test_a_restart_loses_and_invents_no_violation(lab: Lab) -> None:
    restarted = [*flat(7, 2 * HOUR, 60), *flat(0, HOUR, 60, start=2 * HOUR + 60), (3 * HOUR + 120, 2.0)]
    lab.given({f"up{{{POD}}}": flat(1, 3 * HOUR + 120, 60), VIOLATIONS: restarted}, until=3 * HOUR + 120)

    found = lab.firing("ConciergeSlaViolated", until=3 * HOUR + 120)

    assert [f.since for f in found] == [3 * HOUR + 120]


ROUTE = "/api/analytics/export"


def traffic(
    requests: float, errors: float | None, days: int, route: str = ROUTE
) -> dict[str, list[tuple[float, float]]]:
    """Days of steady traffic in five-minute scrapes; the rates are per five minutes."""
    times = range(0, days * DAY + 1, 300)
    series = {
        f"up{{{API}}}": [(float(t), 1.0) for t in times],
        f'api_requests_total{{route="{route}",status="200",{API}}}': [(float(t), t / 300 * requests) for t in times],
    }
    if errors is not None:
        series[f'api_errors_total{{route="{route}",{API}}}'] = [(float(t), t / 300 * errors) for t in times]
    return series


@pytest.mark.parametrize(
    ("requests", "errors", "fires"),
    [
        (10, 1.9, []),
        (10, 2.1, ["warning"]),
        (10, 4.1, ["critical", "warning"]),
        (10, None, []),
        (0.03, 0.03, []),  # nine requests a day: too few to mean anything
    ],
)
def test_error_budget_alerts_by_its_thresholds(
    lab: Lab, requests: float, errors: float | None, fires: list[str]
) -> None:
    lab.given(traffic(requests, errors, days=3), until=3 * DAY)

    assert sorted(f.severity for f in lab.firing("ApiErrorBudgetLow", until=3 * DAY)) == fires


def test_error_budget_is_one_minus_the_error_rate_and_whole_without_errors(lab: Lab) -> None:
    lab.given(traffic(10, 1, days=3) | traffic(10, None, days=3, route="/api/blog/[id]"), until=3 * DAY)

    found = lab.server.query("api_error_budget_remaining", 3 * DAY)

    remaining = {each["metric"]["route"]: float(each["value"][1]) for each in found}
    assert remaining == pytest.approx({ROUTE: 0.9, "/api/blog/[id]": 1.0}, abs=1e-9)


def test_error_budget_of_an_uncritical_route_alerts_nobody(lab: Lab) -> None:
    lab.given(traffic(10, 9, days=1, route="/api/blog/[id]"), until=DAY)

    assert not lab.firing("ApiErrorBudgetLow", until=DAY)


def test_a_target_that_is_down_is_told(lab: Lab) -> None:
    up = [*flat(1, 10 * MINUTE), *flat(0, 10 * MINUTE, start=10 * MINUTE + 30)]
    lab.given({f"up{{{BOT}}}": up, latency(): wobbling(80, 10 * MINUTE)}, until=20 * MINUTE)

    found = lab.firing("VectobeatBotDown", until=20 * MINUTE)

    assert [(f.severity, f.since) for f in found] == [("critical", 12 * MINUTE + 30)]
    assert not lab.firing("VectobeatBotSeriesMissing", until=20 * MINUTE)


def test_a_target_that_prometheus_does_not_know_is_told(lab: Lab) -> None:
    lab.given({f"up{{{API}}}": flat(1, 10 * MINUTE)}, until=10 * MINUTE)

    assert [f.severity for f in lab.firing("VectobeatBotDown", until=10 * MINUTE)] == ["critical"]


def test_a_target_that_answers_without_its_key_series_is_told(lab: Lab) -> None:
    lab.given({f"up{{{BOT}}}": flat(1, 10 * MINUTE)}, until=10 * MINUTE)

    assert [f.severity for f in lab.firing("VectobeatBotSeriesMissing", until=10 * MINUTE)] == ["critical"]
    assert not lab.firing("VectobeatBotDown", until=10 * MINUTE)


def test_a_collector_that_stands_still_is_told_and_a_fresh_one_is_not(lab: Lab) -> None:
    frozen = [*wobbling(80, 20 * MINUTE), *flat(80.3, 30 * MINUTE, start=20 * MINUTE + 30)]
    lab.given({f"up{{{BOT}}}": flat(1, 50 * MINUTE), latency(): frozen}, until=50 * MINUTE)

    assert not lab.firing("VectobeatBotStandsStill", until=25 * MINUTE)
    assert [f.severity for f in lab.firing("VectobeatBotStandsStill", until=50 * MINUTE)] == ["warning"]
