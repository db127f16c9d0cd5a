"""Alerts that obsgen makes by itself, and what VectoBeat's say."""

from __future__ import annotations

from math import comb

import pytest

from definitions import automation
from obsgen.index import Index
from obsgen.model import Catalog, Hours, since_closing
from obsgen.model.hours import closed
from obsgen.promql import vector
from obsgen.promql.text import render
from obsgen.routing import Router

HOUR = 3600


def hours(weekdays: list[str], begin: str, end: str, location: str) -> Hours:
    return Hours(name="h", weekdays=weekdays, begin=begin, end=end, location=location)


@pytest.mark.parametrize(
    ("given", "longest"),
    [
        (hours(["monday:friday"], "08:00", "20:00", "UTC"), 60 * HOUR),
        (hours(["monday:friday"], "08:00", "20:00", "Europe/Berlin"), 61 * HOUR),
        (hours(["monday:sunday"], "00:00", "24:00", "Asia/Tokyo"), 0),
        (hours(["wednesday"], "09:00", "10:00", "UTC"), 167 * HOUR),
        (hours(["saturday:monday", "monday"], "09:00", "17:30", "UTC"), (4 * 24 + 15.5) * HOUR),
    ],
)
def test_the_longest_time_without_anybody(given: Hours, longest: float) -> None:
    assert closed(given) == longest


def test_days_with_the_same_night_are_one_condition() -> None:
    office = hours(["monday:friday"], "08:00", "20:00", "Europe/Berlin")

    text = render(since_closing(office, lambda window: vector(len(window))))

    hour, day = "(hour(vector(time() - 21600)))", "((day_of_week(vector(time() - 21600)) + 6) % 7)"
    assert text == (
        f"vector(5) and on () {hour} < 2 and on () {day} == 0"
        f" or vector(3) and on () {hour} < 2 and on () {day} >= 1 <= 4"
    )


def chance(failures: int, attempts: int, ratio: float) -> float:
    """Return how likely that many failures or more are."""
    few = (comb(attempts, n) * ratio**n * (1 - ratio) ** (attempts - n) for n in range(failures))
    return 1 - sum(few)


def test_healthy_automation_alerts_in_hardly_any_hour() -> None:
    needed = {attempts: max(automation.MIN_FAILURES, attempts // 20 + 1) for attempts in range(6, 400)}

    worst = max(chance(failures, attempts, 0.01) for attempts, failures in needed.items())

    assert round(worst, 4) == 0.0013, "the runbook says so"
    assert chance(2, 39, 0.01) == pytest.approx(0.058, abs=0.0005)
    assert chance(needed[100], 100, 0.10) == pytest.approx(0.94, abs=0.005)


def test_a_node_that_was_down_until_a_moment_ago_pages_once(vectobeat: Catalog) -> None:
    [silencing] = [
        each
        for each in Router(Index(vectobeat)).silencings
        if each.source == (("alertname", "LavalinkNodeDownLately"),)
    ]
    lately = next(alert for alert in vectobeat.alerts if alert.name == "LavalinkNodeDownLately")
    [budget] = next(domain.budgets for domain in vectobeat.domains if domain.name == "lavalink")

    assert set(silencing.targets) == {"LavalinkNodeBudgetBurnsFast", "LavalinkNodeBudgetBurnsSlowly"}
    assert silencing.equal == ("catalog", "region", "node")
    assert [(level.severity.value, level.hold) for level in lately.levels] == [("info", "1m")]
    assert [burn.short for burn in budget.burns if burn.severity.value == "critical"] == ["30m"]
    assert lately.levels[0].keep_firing == "35m", "longer than the window in which the outage is seen"


def test_prometheus_watches_itself_where_alerts_are_routed(vectobeat: Catalog) -> None:
    [alerting] = [domain for domain in vectobeat.domains if domain.name == "alerting"]

    assert {alert.name for alert in alerting.alerts} == {
        "PrometheusUnseen",
        "PrometheusRulesFail",
        "PrometheusRulesMissed",
        "PrometheusAlertsDropped",
        "PrometheusAlertsRefused",
        "Watchdog",
        "RenameObsolete",
    }
