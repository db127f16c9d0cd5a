"""The benchmark of error budgets: `python -m tests.bench.budgets [--seed 1] [--scrape 60s] [--days 36]`.

Loads weeks of synthetic traffic into a Prometheus from PATH, and evaluates over them the rules of obsgen, those that
Sloth and Pyrra make by default, and the plain expression over 30 days. Prints how far each is from what really
happened, and what each costs. Exits with 1 if a goal is missed.

The traffic is loaded and the rules are evaluated with everything in one block, which is fast. For the cost Prometheus
is started again and cuts its usual blocks first: a rule over minutes must not search the pods of a month.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from obsgen.promql.metric import seconds
from tests.bench import budget_catalog, peers
from tests.bench.past import Group, Past, Rule, rules_of
from tests.bench.prometheus import BEGIN, Prometheus, running
from tests.bench.text import progress, say, table
from tests.bench.traffic import DAY, HOUR, MINUTE, WINDOW, Traffic

WORST_ERROR = 0.01
CHEAPER = 20
INSTANTS = 6
APART = 17 * HOUR
"""Seconds between two instants, so that they fall on different hours of the day."""
ONE_BLOCK = ("--storage.tsdb.min-block-duration=100d", "--storage.tsdb.max-block-duration=100d")
BLOCKS = ("--storage.tsdb.max-block-duration=3d",)
"""As with a retention of 30 days, of which a block spans a tenth at most."""
SETTLED = 4
"""Seconds without a new block after which there will be none."""
BATCH = 2_000_000
RUNS = 3
OURS, SLOTH = "obsgen", "Sloth"


@dataclass(frozen=True)
class Method:
    """A way to an error rate: its rule groups, and the query that asks them for a route's error rate."""

    groups: Sequence[Group]
    error_rate: Callable[[str], str]


@dataclass
class Cost:
    """What a set of rules takes: samples read and milliseconds of evaluation, both a minute; the most of one rule."""

    rules: int = 0
    samples: float = 0
    milliseconds: float = 0
    peak: int = 0


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.budgets", description="Measure error budgets.")
    parser.add_argument("--seed", type=int, default=1, help="what the traffic follows from")
    parser.add_argument("--scrape", choices=("15s", "30s", "60s"), default="60s", help="between two scrapes")
    parser.add_argument("--days", type=int, choices=range(31, 37), default=36, help="days of traffic", metavar="31-36")
    given = parser.parse_args()
    instants = measured_at(given.days)
    traffic = Traffic(
        days=given.days,
        scrape=seconds(given.scrape),
        base=BEGIN,
        seed=given.seed,
        span=instants[-1] - instants[0],
    )
    all_methods = methods([shape.route for shape in traffic.shapes])
    with tempfile.TemporaryDirectory() as folder:
        with running(Path(folder), flags=ONE_BLOCK) as server:
            _load(server, traffic)
            for name, method in all_methods.items():
                progress(f"evaluating {name}")
                Past(server, rules_of(method.groups), instants, traffic.outage).record()
            progress("measuring accuracy")
            errors = {name: _errors(server, traffic, method, instants) for name, method in all_methods.items()}
        with running(Path(folder), flags=BLOCKS) as server:
            _cut_blocks(server, instants[-1])
            progress("measuring cost")
            costs = {name: _cost(server, rules_of(method.groups), instants[-1]) for name, method in all_methods.items()}
    progress("done")
    say(f"{given.days} days, scraped every {given.scrape}, seed {given.seed}, {len(traffic.shapes)} routes")
    _accuracy(traffic, instants[-1], errors)
    _costs(costs)
    sys.exit(0 if _goals(errors[OURS], costs) else 1)


def measured_at(days: int) -> list[float]:
    """Return the instants that are measured: the last is the end, and before the first lie 30 days and half a one."""
    room = days * DAY - WINDOW - 12 * HOUR
    apart = min(APART, room // (INSTANTS - 1) // (5 * MINUTE) * 5 * MINUTE)
    return [days * DAY - apart * n for n in reversed(range(INSTANTS))]


def methods(routes: Sequence[str]) -> dict[str, Method]:
    """Return what is compared, by its name."""
    return {
        OURS: Method(budget_catalog.rule_groups(), lambda route: f'1 - {budget_catalog.BUDGET}{{route="{route}"}}'),
        SLOTH: Method(
            peers.sloth(routes), lambda route: f'slo:sli_error:ratio_rate30d{{sloth_slo="{peers.sloth_name(route)}"}}'
        ),
        "Pyrra": Method(peers.pyrra(routes), peers.pyrra_error_rate),
        "increase[30d]": Method(peers.plain(routes), lambda route: f'route:api_errors:ratio30d{{route="{route}"}}'),
    }


def _load(server: Prometheus, traffic: Traffic) -> None:
    progress("making traffic")
    waiting: list[bytes] = []
    size = total = 0
    for series in traffic.series():
        waiting.append(series)
        size += len(series)
        if size > BATCH:
            server.write(b"".join(waiting))
            total, size = total + size, 0
            waiting.clear()
    server.write(b"".join(waiting))
    progress(f"loaded {(total + size) / 18 / 1e6:.1f} million samples")


def _cut_blocks(server: Prometheus, end: float) -> None:
    """Wait until Prometheus has cut blocks and merged them."""
    progress("cutting blocks")
    server.push({"written": [(end, 1)]})  # it looks for blocks to cut when something is written
    blocks: set[str] = set()
    quiet = 0
    while quiet < SETTLED:
        time.sleep(1)
        now = {path.name for path in (server.folder / "data").iterdir()}
        busy = now != blocks or any("tmp" in name for name in now)
        blocks, quiet = now, 0 if busy else quiet + 1
    assert any(path.name == "meta.json" for path in (server.folder / "data").glob("*/*")), "no blocks were cut"


def _errors(
    server: Prometheus, traffic: Traffic, method: Method, instants: Sequence[float]
) -> dict[str, list[float | None]]:
    """Return the relative error at every instant, by route; None where the method has no value."""
    errors: dict[str, list[float | None]] = {}
    for shape in traffic.shapes:
        truth = traffic.truth[shape.route]
        errors[shape.route] = [
            _relative(server.query(method.error_rate(shape.route), at), truth.error_rate(at)) for at in instants
        ]
    return errors


def _relative(result: Sequence[Mapping[str, Sequence[str]]], true: float) -> float | None:
    if not result:
        return None
    found = float(result[0]["value"][1])
    if true:
        return found / true - 1
    return math.inf if found else 0.0


def _cost(server: Prometheus, rules: Sequence[Rule], at: float) -> Cost:
    cost = Cost(rules=len(rules))
    for rule in rules:
        runs = [server.cost(rule.expr, at) for _ in range(RUNS)]
        samples, spent = runs[0][0], min(spent for _, spent in runs)
        cost.samples += samples * MINUTE / rule.every
        cost.milliseconds += spent * 1000 * MINUTE / rule.every
        cost.peak = max(cost.peak, samples)
    return cost


def _accuracy(traffic: Traffic, end: float, errors: Mapping[str, Mapping[str, Sequence[float | None]]]) -> None:
    rows = []
    for shape in traffic.shapes:
        found = [errors[name][shape.route] for name in errors]
        cells = [cell for each in found for cell in (_percent(each[-1]), _percent(_mean(each)))]
        rows.append((shape.route, f"{traffic.truth[shape.route].error_rate(end):.4%}", *cells))
    say(f"\nRelative error of the 30-day error rate, in percent: at the end, and the mean of {INSTANTS} instants")
    say(table(("route", "true rate", *(cell for name in errors for cell in (name, "mean"))), rows))


def _mean(errors: Sequence[float | None]) -> float | None:
    known = [error for error in errors if error is not None]
    return sum(known) / len(known) if known else None


def _percent(error: float | None) -> str:
    if error is None:
        return "absent"
    return "NaN" if math.isnan(error) else f"{error * 100:+.2f}" if abs(error) < 1 else f"{error * 100:+.0f}"


def _costs(costs: Mapping[str, Cost]) -> None:
    rows = [
        (
            name,
            f"{cost.rules}",
            f"{cost.samples:,.0f}",
            f"x {cost.samples / costs[OURS].samples:.1f}",
            f"{cost.milliseconds:.1f}",
            f"x {cost.milliseconds / costs[OURS].milliseconds:.1f}",
            f"{cost.peak:,}",
        )
        for name, cost in costs.items()
    ]
    say("\nCost of all rules, alerts included; milliseconds are those of the query engine")
    head = ("", "rules", "samples/min", f"/ {OURS}", "ms/min", f"/ {OURS}", "most samples of a rule")
    say(table(head, rows))


def _goals(errors: Mapping[str, Sequence[float | None]], costs: Mapping[str, Cost]) -> bool:
    """Print the goals; return whether all are met."""
    size = {route: max(map(_size, each)) for route, each in errors.items()}
    route = max(size, key=size.__getitem__)
    ratio = costs[SLOTH].samples / costs[OURS].samples
    met = size[route] < WORST_ERROR, ratio > CHEAPER
    rows = (
        ("worst error at any instant", f"< {WORST_ERROR:.0%}", f"{size[route]:.2%} ({route})", _verdict(met[0])),
        ("samples of Sloth / obsgen", f"> {CHEAPER}", f"{ratio:.1f}", _verdict(met[1])),
    )
    say("\nGoals")
    say(table(("", "goal", "found", ""), rows))
    return all(met)


def _size(error: float | None) -> float:
    return math.inf if error is None or math.isnan(error) else abs(error)


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


if __name__ == "__main__":
    main()
