"""Budgets of minutes: nodes that fail now and then, and exporters that die with what they watch."""

from __future__ import annotations

import random
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.bench import budget_catalog
from tests.bench.past import Past, rules_of
from tests.bench.pods import DAY, HOUR, MINUTE, Period, Pods
from tests.bench.prometheus import STALE, Points, Prometheus
from tests.bench.rates import WHOLE, relative, value
from tests.bench.text import progress
from tests.bench.traffic import Target, Traffic

WINDOWS = {"30d": 30 * DAY, "7d": 7 * DAY, "1d": DAY}
NODES = 4
BETWEEN = 8 * HOUR
"""Mean time from an outage to the next."""
SHORTEST, LONGEST = MINUTE, 90 * MINUTE
INSTANTS, APART = 24, 5 * HOUR
LITTLE = 5 * MINUTE
"""Of less bad time than that in a window, a relative error means nothing: a scrape would be a tenth of it."""
FAILS, DIES = "slices", "slices-dead-exporter"


@dataclass
class Slices:
    """What was found of a window: relative errors of the share of bad time, by node and instant; least coverage."""

    errors: list[float | None]
    coverage: float


class Nodes:
    """Nodes with outages.

    Args:
        end: how long they are watched, in seconds.
        scrape: seconds between two scrapes.
        base: when it begins, in Unix seconds.
        seed: what all chance follows from.
    """

    def __init__(self, *, end: float, scrape: float, base: int, seed: int) -> None:
        self.end = end
        self.random = random.Random(seed)
        self.outages = {(kind, n): list(self._outages()) for kind in (FAILS, DIES) for n in range(NODES)}
        self.traffic = Traffic((), end=end, scrape=scrape, base=base, seed=seed)

    def _outages(self) -> Iterator[Period]:
        at = self.random.expovariate(1 / BETWEEN)
        while at < self.end:
            length = self.random.uniform(SHORTEST, LONGEST)
            yield Period(at, min(at + length, self.end))
            at += length + MINUTE + self.random.expovariate(1 / BETWEEN)

    def series(self) -> Iterator[Points]:
        """Yield all series."""
        for (kind, number), outages in self.outages.items():
            lives = [Period(0, self.end)]
            if kind == DIES:
                bounds = [0.0, *(at for outage in outages for at in (outage.begin, outage.end)), self.end]
                lives = [Period(a, b) for a, b in pairwise(bounds)][::2]
            for target in self.traffic.targets(_node(f"{kind}-{number}", lives)):
                yield from self.traffic.own(target)
                yield from self._health(target, outages if kind == FAILS else ())

    def _health(self, target: Target, outages: Sequence[Period]) -> Iterator[Points]:
        health = array("d", [1.0]) * len(target.ends)
        for outage in outages:
            begin, end = (bisect_left(target.ends, at) for at in (outage.begin, outage.end))
            health[begin:end] = array("d", bytes(8 * (end - begin)))
        values = array("d", (health[place] if place >= 0 else STALE for place in target.seen))
        yield from self.traffic.written(target, {"__name__": "node_health", "node": target.instance}, values)

    def bad(self, kind: str, number: int, begin: float, end: float) -> float:
        """Return the share of a time in which a node was not healthy."""
        lost = (min(each.end, end) - max(each.begin, begin) for each in self.outages[kind, number])
        return sum(max(0.0, seconds) for seconds in lost) / (end - begin)


def measured(server: Prometheus, nodes: Nodes) -> dict[tuple[str, str], Slices]:
    """Evaluate the budgets; return what was found, by kind of node and window."""
    progress("evaluating budgets of minutes")
    budgets = {
        (kind, window): budget_catalog.slice_budget(window, nodes.traffic.interval, absent_is_bad=kind == DIES)
        for kind in (FAILS, DIES)
        for window in WINDOWS
    }
    at = [nodes.end - APART * n for n in range(INSTANTS)]
    Past(server, rules_of(budget_catalog.rule_groups(*budgets.values())), [Period(each, each) for each in at]).record()
    found: dict[tuple[str, str], Slices] = {}
    for kind in (FAILS, DIES):
        for window, length in WINDOWS.items():
            budget = budgets[kind, window]
            slices = found[kind, window] = Slices([], 1.0)
            for number in range(NODES):
                bad, total, covered = (
                    f"last_over_time({series.name}{{{matcher}}}[{WHOLE}])"
                    for series, matcher in (
                        (budget.bad, f'node="{kind}-{number}"'),
                        (budget.total, f'node="{kind}-{number}"'),
                        (budget.coverage, ""),
                    )
                )
                for each in at:
                    true = nodes.bad(kind, number, each - length, each)
                    if true * length < LITTLE:
                        continue
                    slices.errors.append(relative(value(server.query(f"{bad} / {total}", each)), true))
                slices.coverage = min(slices.coverage, value(server.query(covered, at[0])) or 0.0)
    return found


def _node(name: str, lives: list[Period]) -> Pods:
    return Pods(lambda slot, chance, end: iter([(name, lives)]), count=1)
