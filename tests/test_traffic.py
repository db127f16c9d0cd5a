"""The benchmark's traffic: what is scraped of it is what happened, as far as a scrape can see it."""

from __future__ import annotations

import math
import random
from itertools import pairwise

from tests.bench.pods import DAY, HOUR, MINUTE, NEVER, Period, Pods, restarting, steady
from tests.bench.shapes import Run, hard, known, outages, restarts
from tests.bench.slices import DIES, Nodes
from tests.bench.traffic import Shape, Traffic

END = 6 * HOUR


def simulated(pods: Pods, down: Period = NEVER) -> tuple[Traffic, dict[str, list[float]]]:
    """Return traffic with some errors, and the values of each series by its name; of requests, those that failed."""
    shape = Shape("/x", lambda at: 60, lambda at: 0.5, pods)
    traffic = Traffic([shape], end=END, scrape=MINUTE, base=0, seed=1, down=down)
    series = {
        labels["__name__"]: list(values) for labels, _, values in traffic.series() if labels.get("status") != "200"
    }
    return traffic, series


def test_a_counter_that_never_restarts_has_seen_all_but_the_last_minute() -> None:
    traffic, series = simulated(Pods(steady("x"), count=1))
    values = [value for value in series["api_errors_total"] if not math.isnan(value)]
    assert values == sorted(values)
    truth = traffic.truth["/x"]
    assert truth.events("bad", 0, END - 2 * MINUTE) <= values[-1] <= truth.events("bad", 0, END)
    assert values[-1] > 1000


def test_a_counter_begins_again_with_every_life() -> None:
    traffic, series = simulated(Pods(restarting("x", (290, 310)), count=1))
    values = [value for value in series["api_errors_total"] if not math.isnan(value)]
    lives = END / 302
    assert abs(sum(b < a for a, b in pairwise(values)) - lives) < 0.1 * lives
    seen = sum(max(0.0, b - a) if b >= a else b for a, b in pairwise([0.0, *values]))
    # What happens between the last scrape of a life and its end, nobody can see.
    assert 0.8 < seen / traffic.truth["/x"].events("bad", 0, END) < 0.95


def test_a_scrape_that_fails_marks_all_series_once_and_counters_go_on() -> None:
    cut = Period(HOUR, 2 * HOUR)
    _, series = simulated(Pods(steady("x"), count=1, unreachable=cut))
    failed = series["up"].count(0)
    assert 60 <= failed <= 65
    errors = series["api_errors_total"]
    assert not any(math.isnan(a) and math.isnan(b) for a, b in pairwise(errors))
    assert len(series["up"]) - len(errors) == failed - sum(map(math.isnan, errors))


def test_prometheus_scrapes_nothing_while_it_is_down() -> None:
    _, whole = simulated(Pods(steady("x"), count=1))
    _, series = simulated(Pods(steady("x"), count=1), down=Period(HOUR, 2 * HOUR))
    assert len(whole["up"]) - len(series["up"]) == 60


def test_pods_crash_in_their_hours_only() -> None:
    ((_, lives),) = restarting("x", (88, 92), hours=(13, 14))(0, random.Random(1), 2 * DAY)
    assert len(lives) > 150
    assert all(13 * HOUR <= life.end % DAY < 15 * HOUR for life in lives[:-1])
    assert all(0 < b.begin - a.end <= 5 for a, b in pairwise(lives))


def test_every_shape_has_a_route_of_its_own() -> None:
    runs: list[Run] = [known(36 * DAY, 85 * HOUR), hard(36 * DAY), *outages(36 * DAY), restarts()]
    routes = [shape.route for run in runs for shape in run.shapes]
    assert len(routes) == len(set(routes))


def test_a_dead_exporter_is_down_for_as_long_as_its_node() -> None:
    nodes = Nodes(end=5 * DAY, scrape=MINUTE, base=0, seed=1)
    ups = [
        values
        for labels, _, values in nodes.series()
        if labels["__name__"] == "up" and labels["instance"] == f"{DIES}-0"
    ]
    (up,) = ups
    assert abs(list(up).count(0) / len(up) - nodes.bad(DIES, 0, 0, 5 * DAY)) < 0.01
