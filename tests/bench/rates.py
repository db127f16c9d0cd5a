"""Error rates over 30 days: of each method, held against what happened."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench import budget_catalog, peers
from tests.bench.budget_catalog import request_budget
from tests.bench.past import Group, Past, rules_of
from tests.bench.pods import DAY, HOUR, MINUTE, Period
from tests.bench.prometheus import Prometheus
from tests.bench.shapes import Run
from tests.bench.text import progress
from tests.bench.traffic import Traffic

WINDOW = 30 * DAY
INSTANTS = 6
APART = 17 * HOUR
"""Seconds between two instants, so that they fall on different hours of the day."""
OURS, SLOTH, PLAIN = "obsgen", "Sloth", "increase[30d]"
ANCHORED = "anchored"
"""The method of servers that know `increase(x[5m] anchored)`: Prometheus 3.16 does."""
WHOLE = "45m"
"""How far back to look for what is recorded every quarter of an hour."""


@dataclass(frozen=True)
class Method:
    """A way to an error rate: its rule groups, and the query that asks them for a route's error rate."""

    groups: Sequence[Group]
    error_rate: Callable[[str], str]


@dataclass
class Measured:
    """What was found out about a route.

    Attributes:
        known: whether it is one of the shapes whose errors are to be tiny.
        rate: the true error rate at the end.
        errors: relative errors at every instant, by method; None where the method has no value.
        coverage: what obsgen's budget says of its data at the end, None if nothing.
    """

    known: bool
    rate: float
    errors: dict[str, list[float | None]] = field(default_factory=dict)
    coverage: float | None = None


def instants(days: int) -> list[float]:
    """Return when it is measured: the last is the end, and before the first lie 30 days and half a one."""
    room = days * DAY - WINDOW - 12 * HOUR
    apart = min(APART, room // (INSTANTS - 1) // (5 * MINUTE) * 5 * MINUTE)
    return [days * DAY - apart * n for n in reversed(range(INSTANTS))]


def methods(server: Prometheus, traffic: Traffic, *, everybody: bool) -> dict[str, Method]:
    """Return what is compared, by its name: with `everybody` the rules of other generators, too."""
    routes = [shape.route for shape in traffic.shapes]
    ratio = 'last_over_time({}{{route="{}"}}[' + WHOLE + "])"
    found = {
        OURS: Method(
            budget_catalog.rule_groups(request_budget(traffic.interval)),
            lambda route: f'1 - {budget_catalog.BUDGET}{{route="{route}"}}',
        )
    }
    if everybody:
        found[SLOTH] = Method(
            peers.sloth(routes), lambda route: f'slo:sli_error:ratio_rate30d{{sloth_slo="{peers.sloth_name(route)}"}}'
        )
        found["Pyrra"] = Method(peers.pyrra(routes), peers.pyrra_error_rate)
    found[PLAIN] = Method(peers.plain(routes), lambda route: ratio.format("route:api_errors:ratio30d", route))
    if server.understands("increase(up[5m] anchored)"):
        found[ANCHORED] = Method(peers.anchored(routes), lambda route: ratio.format("anchored:ratio30d", route))
    return found


def measured(
    server: Prometheus, run: Run, traffic: Traffic, compared: Mapping[str, Method], at: Sequence[float]
) -> dict[str, Measured]:
    """Evaluate all methods; return what was found out, by route."""
    found = {
        shape.route: Measured(run.known, traffic.truth[shape.route].error_rate(at[-1] - WINDOW, at[-1]))
        for shape in run.shapes
    }
    for name, method in compared.items():
        progress(f"evaluating {name}")
        Past(server, rules_of(method.groups), [Period(each, each) for each in at], (run.down, run.idle)).record()
        for route, about in found.items():
            truth = traffic.truth[route]
            about.errors[name] = [
                relative(value(server.query(method.error_rate(route), each)), truth.error_rate(each - WINDOW, each))
                for each in at
            ]
    covered = value(server.query(f"last_over_time({request_budget('15s').coverage.name}[{WHOLE}])", at[-1]))
    for about in found.values():
        about.coverage = covered
    return found


def value(result: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the value of the only series of a result, None if it has none."""
    return float(result[0]["value"][1]) if result else None


def relative(found: float | None, true: float) -> float | None:
    """Return a relative error, None where nothing was found."""
    if found is None:
        return None
    if true:
        return found / true - 1
    return math.inf if found else 0.0


def mean(errors: Sequence[float | None]) -> float | None:
    """Return the mean of those that are known."""
    known = [error for error in errors if error is not None]
    return sum(known) / len(known) if known else None


def worst(errors: Sequence[float | None]) -> float | None:
    """Return the error that is furthest from zero; None where one is not known."""
    return None if None in errors else max((e for e in errors if e is not None), key=size)


def size(error: float | None) -> float:
    """Return how large an error is: what is not known is infinitely wrong."""
    return math.inf if error is None or math.isnan(error) else abs(error)
