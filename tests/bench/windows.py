"""Events of minutes and hours while pods never stop crashing: counts, and the ratio that an alert reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.bench import budget_catalog
from tests.bench.past import Group, Past, rules_of
from tests.bench.pods import DAY, HOUR, MINUTE, Period
from tests.bench.prometheus import Prometheus
from tests.bench.rates import ANCHORED, OURS
from tests.bench.text import progress
from tests.bench.traffic import Shape, Traffic

WINDOWS = {"5m": 5 * MINUTE, "1h": HOUR}
DAYS = 3
FROM = DAY
"""The day before it is history."""
THRESHOLD = 0.05
"""Of AutomationFailureRatioHigh. The bot's ratio is above it all the time."""
PLAIN = "increase"
METRICS = {"total": "api_requests_total", "bad": "api_errors_total"}


@dataclass
class Counts:
    """What a method found of a route.

    Attributes:
        error: relative error of the bad events of all windows, by window.
        worst: the same for the worst hour.
        ratio: the lowest, mean and highest ratio of bad events of an hour, None where no alert reads it.
        above: the share of instants at which the ratio is above the threshold.
    """

    error: dict[str, float]
    worst: dict[str, float]
    ratio: tuple[float, float, float] | None = None
    above: float = 0


def measured(server: Prometheus, traffic: Traffic) -> dict[str, dict[str, Counts]]:
    """Evaluate all methods; return what they found, by route and method."""
    counting: dict[str, Callable[[str, str], str]] = {
        OURS: lambda metric, window: budget_catalog.counted(metric, window, traffic.interval),
        PLAIN: lambda metric, window: f"sum by (route) (increase({metric}[{window}]))",
    }
    if server.understands("increase(up[5m] anchored)"):
        counting[ANCHORED] = lambda metric, window: f"sum by (route) (increase({metric}[{window}] anchored))"
    found: dict[str, dict[str, Counts]] = {shape.route: {} for shape in traffic.shapes}
    period = Period(FROM, DAYS * DAY)
    for name, count in counting.items():
        progress(f"evaluating windows of {name}")
        groups = _groups(name, count)
        Past(server, rules_of(groups), [period]).record()
        for shape in traffic.shapes:
            found[shape.route][name] = _counts(server, traffic, name, shape)
    return found


def _recorded(name: str, which: str, window: str) -> str:
    return f"windows:{name}:{which}{window}"


def _groups(name: str, count: Callable[[str, str], str]) -> list[Group]:
    rules = [
        {"record": _recorded(name, which, window), "expr": count(metric, window)}
        for window in WINDOWS
        for which, metric in METRICS.items()
    ]
    return [{"name": f"windows-{name}", "interval": "1m", "rules": rules}]


def _counts(server: Prometheus, traffic: Traffic, name: str, shape: Shape) -> Counts:
    values = {
        (which, window): _read(server, f'{_recorded(name, which, window)}{{route="{shape.route}"}}')
        for which in METRICS
        for window in WINDOWS
    }
    error, worst = {}, {}
    hours = range(FROM, DAYS * DAY, HOUR)
    for window, length in WINDOWS.items():
        shares = []
        for begin in hours:
            seen = range(begin, begin + HOUR, MINUTE)
            true = sum(traffic.truth[shape.route].events("bad", at - length, at) for at in seen)
            shares.append((sum(values["bad", window].get(at, 0.0) for at in seen), true))
        error[window] = sum(got for got, _ in shares) / sum(true for _, true in shares) - 1
        worst[window] = max((got / true - 1 for got, true in shares), key=abs)
    if shape.counted_by is None:
        return Counts(error, worst)
    total = values["total", "1h"]
    # Nothing that failed has no series: its ratio is zero.
    ratios = [values["bad", "1h"].get(at, 0.0) / count for at, count in total.items() if count]
    above = sum(ratio > THRESHOLD for ratio in ratios) / len(ratios)
    return Counts(error, worst, (min(ratios), sum(ratios) / len(ratios), max(ratios)), above)


def _read(server: Prometheus, series: str) -> Mapping[int, float]:
    """Return the values of every minute."""
    result = server.range(f"last_over_time({series}[1m])", FROM, DAYS * DAY - MINUTE, MINUTE)
    return {round(when - server.base): float(value) for each in result for when, value in each["values"]}
