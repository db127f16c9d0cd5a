"""A made-up world on real servers: healthy, it is quiet and its budgets have values; with an incident, it says so."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from obsgen.prometheus import Prometheus
from tests.world import World, world
from tests.world.catalog import Layout
from tests.world.layout import evaluated, layout, probe

pytestmark = pytest.mark.real

PATIENCE = 40.0
DAYS = 1


def wait(done: Callable[[], bool], what: Callable[[], object]) -> None:
    """Wait until something is so; what there is instead is told when it does not become so."""
    begun = time.monotonic()
    while not done():
        assert time.monotonic() - begun < PATIENCE, what()
        time.sleep(0.3)


def firing(server: Prometheus) -> set[str]:
    """Return the names of the alerts that fire."""
    return {alert["labels"]["alertname"] for alert in server.alerts() if alert["state"] == "firing"}


def scraped(server: Prometheus, made: World) -> bool:
    """Return whether all sources were scraped since the history ended."""
    recent = server.instant("count_over_time(up[11s]) > 0")
    return len(recent) == len(made.catalog.sources) + 1


def last(server: Prometheus, name: str) -> list[float]:
    """Return the newest values of what is recorded every quarter of an hour or more often."""
    return [float(each["value"][1]) for each in server.instant(f"last_over_time({name}[45m])")]


def told(made: World) -> list[str]:
    """Return the names of the alerts that the Alertmanager knows."""
    answer = requests.get(f"{made.alertmanager_url}/api/v2/alerts", timeout=5)
    return [each["labels"]["alertname"] for each in answer.json()]


def test_a_healthy_world_is_quiet_and_all_its_budgets_have_values() -> None:
    with world(days=DAYS, quick=True) as made:
        server = Prometheus(made.prometheus_url)
        wait(lambda: scraped(server, made), lambda: server.instant("up"))
        wait(lambda: "Watchdog" in firing(server), lambda: server.alerts())

        assert firing(server) == {"Watchdog"}
        [unhealthy] = server.instant("count(up != 1) or vector(0)")
        assert unhealthy["value"][1] == "0"
        budgets = [budget for domain in made.catalog.domains for budget in domain.budgets if budget.objectives]
        assert budgets
        for budget in budgets:
            remaining = last(server, budget.remaining.name)
            assert remaining, budget.name
            assert all(0 < left <= 1 for left in remaining), budget.name
            assert all(total > 0 for total in last(server, budget.total.name)), budget.name
            # All of the day that there was, and 30 of them are asked for.
            [covered] = last(server, budget.coverage.name)
            assert covered == pytest.approx(DAYS / 30, rel=0.03)
            [samples] = server.instant(f"{budget.coverage.name}[3h]")
            assert len(samples["values"]) == 12
            assert len({round(at % 900, 1) for at, _ in samples["values"]}) == 1

        assert made.alertmanager_url
        wait(lambda: told(made) == ["Watchdog"], lambda: told(made))


def test_a_node_that_was_down_before_the_start_fires_right_after_it() -> None:
    with world("node-down", days=DAYS, quick=True) as made:
        server = Prometheus(made.prometheus_url)

        wait(lambda: "LavalinkNodeDown" in firing(server), lambda: server.alerts())

        assert firing(server) <= {"Watchdog", "LavalinkNodeDown", "LavalinkNodeDownLately"} | {
            alert.name for alert in made.catalog.alerts if alert.name.startswith("LavalinkNodeBudget")
        }
        # It has fired for as long as the node has been down.
        [since] = server.instant('min(min_over_time(ALERTS_FOR_STATE{alertname="LavalinkNodeDown"}[1h]))')
        assert time.time() - float(since["value"][1]) > 7200
        assert server.instant('ALERTS{alertname="LavalinkNodeDown", alertstate="firing"}', time.time() - 1800)

        requests.post(f"{made.control_url}/incident/node-down?on=0", timeout=5).raise_for_status()
        wait(lambda: "LavalinkNodeDown" not in firing(server), lambda: server.alerts())


def test_groups_are_evaluated_at_the_offsets_that_the_history_has(tmp_path: Path) -> None:
    from tests.bench.prometheus import binary, running

    rules = probe(tmp_path)
    text = rules.read_text().replace("interval: 1s", "interval: 7s")
    slow = tmp_path / "slow.yml"
    slow.write_text(text.replace("name: probe", "name: slow"))
    with running(tmp_path, binary(), f"rule_files: [{rules}, {slow}]\n") as started:
        server = Prometheus(started.url)
        found = layout(server, rules)
        wait(lambda: evaluated(server, "slow") is not None, lambda: "the group is not evaluated")
        at = evaluated(server, "slow")

    assert found in Layout
    assert at is not None
    assert (at - found.offset("slow", str(slow), 7.0)) % 7.0 < 0.5
