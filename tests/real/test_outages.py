"""Events are counted once, whatever fails: the target, Prometheus, or the evaluation of the rules.

The rules of a budget are evaluated one after the other at the times of a rule manager, each seeing what those before it
recorded, over scrapes at times of their own. What comes out is held against what happened.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

import pytest

from obsgen.backfill import fill
from obsgen.budgets import tiles
from obsgen.model import ErrorBudget, Events, Objective
from obsgen.model.rule import Recording
from obsgen.prometheus import Prometheus
from obsgen.promql import Counter, Label, Source
from obsgen.promql.metric import seconds
from obsgen.promql.text import render
from obsgen.remote_write import STALE, Labels

pytestmark = pytest.mark.real

MINUTE, HOUR = 60, 3600
BEGIN = 1_600_000_000
SCRAPE, EVALUATED = 13.4, 47.9
"""Seconds from a multiple of the interval to a scrape, and to the evaluation of the group: never the same moment."""
KIND = Label("kind")
_jobs = itertools.count()


@dataclass
class World:
    """A service, its scrapes and the rules over them.

    Attributes:
        requests: how many requests it has answered by a time, in seconds since its begin.
        errors: how many of them failed; None as long as the series does not exist.
        end: when the world ends, in seconds.
        down: whether the target fails a scrape.
        off: whether Prometheus itself is off: no scrape, no evaluation.
        idle: whether no rules are evaluated.
        started: when the process started that runs at a time; None where it does not tell.
        restarts: when counters begin at zero again.
        hidden: whether a scrape succeeds, but lacks the counters.
        clock: by how many seconds the host's clock is wrong.
        age: of the first process, in seconds; 0 where it does not tell.
        relabelled: when the target gets another label.
        moved: when the target gets another instance.
    """

    requests: Callable[[float], float]
    errors: Callable[[float], float | None]
    end: float = 9 * HOUR
    down: Callable[[float], bool] = lambda at: False
    off: Callable[[float], bool] = lambda at: False
    idle: Callable[[float], bool] = lambda at: False
    restarts: Collection[float] = ()
    tells_start: bool = False
    hidden: Callable[[float], bool] = lambda at: False
    clock: Callable[[float], float] = lambda at: 0.0
    age: float = 0.0
    relabelled: float = math.inf
    moved: float = math.inf
    persistent: bool = False

    def __post_init__(self) -> None:
        self.job = f"app-{next(_jobs)}"

    @property
    def counters(self) -> list[Counter]:
        """The counters of all requests and of those that failed."""
        source = Source(name=self.job, title="App", job=self.job, interval="30s", persistent=self.persistent)
        name = self.job.replace("-", "_")
        return [
            Counter(name=f"{name}_{part}_total", title="T", help="H.", source=source, labels=(KIND,))
            for part in ("requests", "errors")
        ]

    def budget(self) -> ErrorBudget:
        """Return the budget of the counters."""
        requests, errors = self.counters
        return ErrorBudget(
            name=self.job.replace("-", "_"),
            title="App",
            help="H.",
            sli=Events(total=requests, bad=errors),
            by=(KIND,),
            objectives=(Objective(0.99),),
            impact="I.",
            mitigation=("M.",),
        )

    def counted(self, server: Prometheus) -> tuple[float, float]:
        """Return what the rules count over the whole time: requests and errors."""
        budget = self.budget()
        self._scrape(server, self.job, self.counters)
        found = self._evaluate(server, [tile for tile in tiles(budget) if tile.interval == "5m"])
        return found[budget.counted("total", "5m").name], found[budget.counted("bad", "5m").name]

    @property
    def evaluated(self) -> float:
        """The time of the last evaluation."""
        return (self.end - EVALUATED) // 300 * 300 + EVALUATED

    def _since(self, at: float) -> float:
        return max((restart for restart in self.restarts if restart <= at), default=0.0)

    def _scrape(self, server: Prometheus, job: str, counters: list[Counter]) -> None:
        samples: dict[Labels, list[tuple[float, float]]] = {}
        seen: set[Labels] = set()
        names = {part: counter.name for part, counter in zip(("requests", "errors"), counters, strict=True)}
        at = SCRAPE
        while at < self.end:
            if not self.off(at):
                target = {"instance": f"{job}:{2 if at >= self.moved else 1}", "job": job}
                if at >= self.relabelled:
                    target["env"] = "prod"
                now: dict[Labels, float] = {}
                exposed = {names[part]: value for part, value in self._counters(at).items()}
                if (self.tells_start or self.age) and not self.down(at):
                    since = self._since(at)
                    exposed["process_start_time_seconds"] = BEGIN + (since or -self.age) + self.clock(at)
                for name, value in exposed.items():
                    own = {} if name == "process_start_time_seconds" else {"kind": "a"}
                    now[tuple(sorted({**target, **own, "__name__": name}.items()))] = value
                now[tuple(sorted({**target, "__name__": "up"}.items()))] = float(not self.down(at))
                for labels in seen - now.keys():
                    samples[labels].append((BEGIN + at, STALE))
                seen = set(now)
                for labels, value in now.items():
                    samples.setdefault(labels, []).append((BEGIN + at, value))
            at += 30
        server.push(samples)

    def _counters(self, at: float) -> dict[str, float]:
        """Return what the process exposes."""
        if self.down(at) or self.hidden(at):
            return {}
        since = self._since(at)
        found = {"requests": self.requests(at) - (self.requests(since) if since else 0.0)}
        errors, before = self.errors(at), (self.errors(since) or 0.0) if since else 0.0
        # A label's child is created by its first event.
        if errors is not None and errors - before > 0:
            found["errors"] = errors - before
        return found

    def _evaluate(self, server: Prometheus, rules: list[Recording]) -> dict[str, float]:
        totals = {rule.name: 0.0 for rule in rules}
        before: dict[str, set[Labels]] = {}
        exprs = {rule.name: render(rule.expr) for rule in rules}
        every = seconds(rules[0].interval)
        at = EVALUATED
        while at < self.end:
            if not self.off(at) and not self.idle(at):
                for name, expr in exprs.items():
                    found: dict[Labels, float] = {}
                    for each in server.instant(expr, BEGIN + at):
                        labels = {**each["metric"], "__name__": name}
                        found[tuple(sorted(labels.items()))] = float(each["value"][1])
                    gone = dict.fromkeys(before.get(name, set()) - found.keys(), STALE)
                    server.push({labels: [(BEGIN + at, value)] for labels, value in {**found, **gone}.items()})
                    before[name] = set(found)
                    totals[name] += sum(found.values())
            at += every
        return totals


def last_scrape(before: float) -> float:
    """Return the time of the last scrape before a time."""
    return (before - SCRAPE - 1e-6) // 30 * 30 + SCRAPE


def steady(at: float) -> float:
    return 2 * at


def between(begin: float, end: float) -> Callable[[float], bool]:
    return lambda at: begin <= at < end


def incident(begin: float, end: float, rate: float = 1.0) -> Callable[[float], float | None]:
    """Return errors at a rate, a second, between two times; no series before."""
    return lambda at: None if at < begin else rate * (min(at, end) - begin)


def happened(world: World) -> tuple[float, float]:
    """Return what was exposed in the end: requests and errors, since the first evaluation that could see them."""
    seen = last_scrape(world.evaluated)
    return world.requests(seen) - world.requests(SCRAPE), world.errors(seen) or 0.0


INCIDENT = incident(3.1 * HOUR, 3.5 * HOUR)
OUTAGES = {
    "nothing fails": World(steady, INCIDENT),
    "scrapes fail for eight minutes": World(steady, INCIDENT, down=between(3.2 * HOUR, 3.2 * HOUR + 8 * MINUTE)),
    "the target cannot be reached for two hours": World(steady, INCIDENT, down=between(3 * HOUR, 5 * HOUR)),
    "Prometheus is off for 20 minutes": World(steady, INCIDENT, off=between(3.2 * HOUR, 3.2 * HOUR + 20 * MINUTE)),
    "Prometheus is off for two hours": World(steady, INCIDENT, off=between(3 * HOUR, 5 * HOUR)),
    "Prometheus is off for nearly a day": World(steady, INCIDENT, end=26 * HOUR, off=between(2 * HOUR, 25 * HOUR)),
    "rules are not evaluated for nearly a day": World(
        steady, INCIDENT, end=26 * HOUR, idle=between(2 * HOUR, 25 * HOUR)
    ),
    "rules are not evaluated for 20 minutes": World(steady, INCIDENT, idle=between(3.2 * HOUR, 3.2 * HOUR + 1200)),
    "rules are not evaluated for two hours": World(steady, INCIDENT, idle=between(3 * HOUR, 5 * HOUR)),
    "one evaluation is missed": World(steady, INCIDENT, idle=between(3.2 * HOUR, 3.2 * HOUR + 300)),
    "Prometheus is off twice": World(
        steady,
        incident(26.1 * HOUR, 28.5 * HOUR),
        end=32 * HOUR,
        off=lambda at: 26 * HOUR <= at < 27 * HOUR or 28 * HOUR <= at < 28.7 * HOUR,
    ),
}


@pytest.mark.parametrize("what", OUTAGES)
def test_an_outage_loses_no_event_as_long_as_the_counters_survive(server: Prometheus, what: str) -> None:
    world = OUTAGES[what]

    total, bad = world.counted(server)

    true_total, true_bad = happened(world)
    # What is looked up coarsely may be counted twice for up to five minutes: of requests, never of the incident.
    assert total == pytest.approx(true_total, abs=2 * 600 + 120)
    assert bad == pytest.approx(true_bad, rel=0.01)


def test_what_was_counted_before_prometheus_met_the_target_is_no_news_after_an_outage(server: Prometheus) -> None:
    world = World(
        lambda at: 1e6 + 2 * at,
        lambda at: 5e4 + at,
        end=5 * HOUR,
        off=lambda at: at < HOUR or 2 * HOUR <= at < 2.5 * HOUR,
    )

    total, bad = world.counted(server)

    seen = last_scrape(world.evaluated) - HOUR
    assert bad == pytest.approx(seen, abs=400)
    assert total == pytest.approx(2 * seen, abs=800)


@pytest.mark.parametrize("tells_start", [True, False], ids=["tells its start", "does not tell its start"])
@pytest.mark.parametrize("every", [90, 150, 300])
def test_restarts_lose_what_no_scrape_saw_and_nothing_else(server: Prometheus, every: int, tells_start: bool) -> None:
    restarts = [n * every + 0.5 for n in range(1, 2 * HOUR // every)]
    world = World(steady, lambda at: 0.5 * at, end=2.5 * HOUR, restarts=restarts, tells_start=tells_start)

    total, bad = world.counted(server)

    # The last scrape before a restart is up to 30 s old: so much of each life is in no sample.
    lives = zip([SCRAPE, *restarts], [*restarts, world.evaluated], strict=True)
    seen = sum(last_scrape(end) - begin for begin, end in lives)
    assert total == pytest.approx(2 * seen, rel=0.02)
    assert bad / total == pytest.approx(0.25, rel=0.01)


def test_every_first_error_of_a_process_counts(server: Prometheus) -> None:
    # One error in each life of ten minutes: the series is born with it, and always says 1.
    restarts = [n * 600.0 for n in range(1, 30)]
    errors = [begin + 200 for begin in (0.0, *restarts)]
    world = World(
        steady, lambda at: float(sum(e <= at for e in errors)), end=5 * HOUR, restarts=restarts, tells_start=True
    )

    _, bad = world.counted(server)

    assert bad == len(errors)


def test_a_fresh_instance_of_a_persistent_counter_brings_no_news(server: Prometheus) -> None:
    old = World(lambda at: 5000 + at / 60, lambda at: 57.0, end=HOUR, persistent=True)

    total, bad = old.counted(server)

    assert bad == 0
    assert total == pytest.approx((old.evaluated - SCRAPE) / 60, abs=1)


def backfilled(world: World, server: Prometheus, begin: float = 0) -> tuple[float, float]:
    """Return what the rules have counted together with what a backfill adds."""
    budget = world.budget()
    counted = world.counted(server)
    filled = fill(budget, server, BEGIN + begin, BEGIN + world.end)
    for labels, samples in filled.samples.items():
        server.push({labels: samples})
    again = fill(budget, server, BEGIN + begin, BEGIN + world.end)
    assert (again.slots, again.total, again.bad) == (0, 0, 0)
    return counted[0] + filled.total, counted[1] + filled.bad


LONG = {
    "rules are not evaluated for 30 hours": World(
        steady, incident(4 * HOUR, 5 * HOUR), end=34 * HOUR, idle=between(2 * HOUR, 32 * HOUR)
    ),
    "Prometheus is off for 30 hours": World(
        steady, incident(4 * HOUR, 5 * HOUR), end=34 * HOUR, off=between(2 * HOUR, 32 * HOUR)
    ),
    "rules are loaded late": World(steady, INCIDENT, idle=between(0, 7 * HOUR)),
    "an outage that was made up for": World(steady, INCIDENT, idle=between(3 * HOUR, 5 * HOUR)),
}


@pytest.mark.parametrize("what", LONG)
def test_a_backfill_counts_what_a_longer_outage_has_lost(server: Prometheus, what: str) -> None:
    world = LONG[what]

    total, bad = backfilled(world, server)

    true_total, true_bad = happened(world)
    assert total == pytest.approx(true_total, abs=2 * 600 + 120)
    assert bad == pytest.approx(true_bad, rel=0.01)


TEN_DAYS = 864_000
OLD = {
    "rules are not evaluated, and the target was away a day before": World(
        lambda at: 1e6 + 2 * at,
        lambda at: 0.0,
        end=28 * HOUR,
        down=between(2 * HOUR, 2 * HOUR + 40 * MINUTE),
        idle=between(26.2 * HOUR, 26.6 * HOUR),
    ),
    "Prometheus is off at night, and again for half an hour": World(
        lambda at: 1e6 + 2 * at,
        lambda at: 0.0,
        end=32 * HOUR,
        off=lambda at: HOUR <= at < 21 * HOUR or 29 * HOUR <= at < 29.5 * HOUR,
    ),
    "a series is left out for six minutes": World(
        lambda at: 1e6 + 2 * at, lambda at: 0.0, end=2 * HOUR, hidden=between(HOUR, HOUR + 6 * MINUTE), age=TEN_DAYS
    ),
    "a counter is no number for a moment": World(
        lambda at: math.nan if HOUR <= at < HOUR + 30 else 1e6 + 2 * at, lambda at: 0.0, end=2 * HOUR
    ),
    "the host's clock is set": World(
        lambda at: 1e6 + 2 * at, lambda at: 0.0, end=2 * HOUR, age=TEN_DAYS, clock=lambda at: 30.0 if at > HOUR else 0.0
    ),
    "an exporter of a database starts without its series": World(
        lambda at: 1e6 + 2 * at, lambda at: 0.0, end=2 * HOUR, hidden=between(HOUR, HOUR + 65 * MINUTE), persistent=True
    ),
    "the first scrapes of an exporter of a database lack its series": World(
        lambda at: 1e6 + 2 * at, lambda at: 0.0, end=2 * HOUR, hidden=between(0, MINUTE), persistent=True
    ),
}


@pytest.mark.parametrize("what", OLD)
def test_old_values_are_no_news(server: Prometheus, what: str) -> None:
    world = OLD[what]

    total, _ = world.counted(server)

    assert 0 <= total <= 2 * world.end


def test_a_label_that_the_scrape_configuration_adds_makes_no_events(server: Prometheus) -> None:
    world = World(lambda at: 1e6 + 2 * at, lambda at: 0.0, end=2 * HOUR, relabelled=HOUR)

    total, _ = world.counted(server)

    assert total == pytest.approx(2 * (world.evaluated - SCRAPE), abs=200)


def test_another_instance_after_an_outage_makes_no_events(server: Prometheus) -> None:
    world = World(
        lambda at: 1e6 + 2 * at, lambda at: 0.0, end=2 * HOUR, moved=HOUR, off=between(HOUR, HOUR + 10 * MINUTE)
    )

    total, _ = world.counted(server)

    # What the new instance had when Prometheus met it may be old: of the outage nothing is known.
    assert total == pytest.approx(2 * (world.evaluated - SCRAPE) - 1200, abs=700)
