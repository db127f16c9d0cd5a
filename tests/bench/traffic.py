"""Weeks of traffic on an API's routes, as Prometheus would have scraped it, and what really happened.

Each route has the shape of one known difficulty. All of it follows from a seed.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise

from tests.bench.prometheus import STALE, STAMP, encoded, stamps

MINUTE, HOUR, DAY = 60, 3600, 86_400
PODS = 3
JOB = "api"
FAILED_SCRAPES = 0.002
WINDOW = 30 * DAY
_FIRST_DAY = 2  # of the week, Monday is 0: test time begins on a Wednesday


@dataclass(frozen=True)
class Shape:
    """The traffic of one route.

    Attributes:
        route: its name.
        rate: requests a minute at a time, on all pods.
        share: the share of them that fails at a time.
        pods: which pods serve it: those of a `daily` deploy, those that live an `hourly` life, or `fixed` ones, which
            restart in place.
    """

    route: str
    rate: Callable[[float], float]
    share: Callable[[float], float]
    pods: str = "daily"


@dataclass(frozen=True)
class Period:
    """A time with a begin and an end."""

    begin: float
    end: float

    def __contains__(self, at: float) -> bool:
        return self.begin <= at < self.end


@dataclass
class Truth:
    """The events of a route by minute, as they happened."""

    total: array[int]
    bad: array[int]

    def error_rate(self, end: float) -> float:
        """Return the share of the events of the 30 days before a time that went wrong."""
        begin, until = (int(at // MINUTE) for at in (end - WINDOW, end))
        return sum(self.bad[begin:until]) / sum(self.total[begin:until])


@dataclass(frozen=True)
class Process:
    """One life of a pod: its counters begin at zero when it starts."""

    pods: str
    instance: str
    phase: float
    start: float
    end: float


@dataclass
class Scrapes:
    """The scrapes of a process.

    Attributes:
        ends: what happens between two of these times, the next scrape sees, if there is one.
        seen: which of them are scrapes, failed ones among them.
        failed: which of `seen` failed.
        gone: whether a stale marker follows: not when Prometheus was down when the process ended.
    """

    ends: list[float] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    gone: bool = True
    when: bytes = b""


class Traffic:
    """Traffic of some days.

    Args:
        days: how many; the last instants of them are measured.
        scrape: seconds between two scrapes.
        base: when it begins, in Unix seconds.
        seed: what all chance follows from.
        span: seconds before the end in which is measured: nothing that matters falls into them.
    """

    def __init__(self, *, days: int, scrape: float, base: int, seed: int, span: float) -> None:
        self.end = days * DAY
        self.scrape, self.base, self.span = scrape, base, span
        self.random = random.Random(seed)
        # In the afternoon, between two deploys.
        begin = (days - 12) * DAY + 14 * HOUR
        self.outage = Period(begin, begin + 40 * MINUTE)
        minutes = [0] * (days * 24 * 60 + 1)
        self.truth = {s.route: Truth(array("q", minutes), array("q", minutes)) for s in self.shapes}

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """The routes."""
        peak = (self.end // DAY - 10) * DAY + 15 * HOUR
        incident = Period(peak, peak + 45 * MINUTE)
        unseen = Period(self.outage.begin + 8 * MINUTE, self.outage.begin + 33 * MINUTE)
        born = self.end - self.span - 26 * HOUR
        return (
            Shape("/steady", lambda at: 600, lambda at: 0.001),
            Shape("/diurnal", _diurnal, lambda at: 0.3 if at in incident else 0.0003),
            Shape("/nightly", lambda at: 60 if _quiet(at) else 600, lambda at: 0.02 if _quiet(at) else 0),
            Shape("/sparse", lambda at: 0.6, lambda at: 0.00425),
            Shape("/rare", lambda at: 30, lambda at: 0.0001),
            Shape("/clean", lambda at: 60, lambda at: 0),
            Shape("/office", lambda at: 120 if _office(at) else 0, lambda at: 0.005),
            Shape("/new", lambda at: 300 if at >= born else 0, lambda at: 0.005),
            Shape("/outage", lambda at: 300, lambda at: 0.8 if at in unseen else 0.0002),
            Shape("/reset", lambda at: 300, lambda at: 0.003, "fixed"),
            Shape("/churn", lambda at: 150, lambda at: 0.001, "hourly"),
        )

    def series(self) -> Iterator[bytes]:
        """Yield all series as remote write takes them, and count what happens."""
        for process in (*self._daily(), *self._fixed(), *self._hourly()):
            scrapes = self._scrapes(process)
            yield from self._target(process, scrapes)
            for shape in self.shapes:
                if shape.pods == process.pods:
                    yield from self._counters(process, shape, scrapes)

    def _daily(self) -> Iterator[Process]:
        deploys = [0.0, *(day * DAY + 10.0 * HOUR for day in range(self.end // DAY)), float(self.end)]
        for slot in range(PODS):
            late = [0.0, *(slot * 120 + self.random.uniform(1, 60) for _ in deploys[1:-1]), 0.0]
            yield from self._lives("daily", [a + b for a, b in zip(deploys, late, strict=True)], f"web-{slot}-{{}}")

    def _hourly(self) -> Iterator[Process]:
        for slot in range(PODS):
            shift = slot * 20 * MINUTE
            times = [hour * HOUR + shift + self.random.uniform(1, 60) for hour in range(self.end // HOUR)]
            yield from self._lives("hourly", [*times, self.end], f"short-{slot}-{{}}")

    def _fixed(self) -> Iterator[Process]:
        for slot in range(PODS):
            times = [0.0]
            while times[-1] < self.end:
                times.append(times[-1] + 20 * MINUTE + self.random.expovariate(1 / (9 * HOUR)))
            yield from self._lives("fixed", [*times[:-1], self.end], f"node-{slot}")

    def _lives(self, pods: str, times: list[float], instance: str) -> Iterator[Process]:
        """Yield a process from each time to the next, each under a name of its own unless the name is fixed."""
        phase = self.random.random() * self.scrape
        for number, (start, end) in enumerate(pairwise(times)):
            if "{}" in instance:
                phase = self.random.random() * self.scrape
            yield Process(pods, instance.format(number), phase, start, end)

    def _scrapes(self, process: Process) -> Scrapes:
        scrapes = Scrapes(gone=process.end < self.end and process.end not in self.outage)
        # A process listens a moment after its start.
        at = process.phase + math.ceil((process.start + 1 - process.phase) / self.scrape) * self.scrape
        while at < process.end:
            if at not in self.outage:
                if self.random.random() < FAILED_SCRAPES:
                    scrapes.failed.append(len(scrapes.seen))
                scrapes.seen.append(len(scrapes.ends))
            scrapes.ends.append(at)
            at += self.scrape
        times = [scrapes.ends[n] for n in scrapes.seen]
        # Later than the last scrape in any case. Prometheus writes the marker at its next one, which is all the same
        # to what reads ranges, and could be the first of the next process.
        scrapes.when = stamps(self.base + at for at in (*times, process.end + 0.002))
        scrapes.ends.append(process.end)
        return scrapes

    def _target(self, process: Process, scrapes: Scrapes) -> Iterator[bytes]:
        up = array("d", [1.0]) * len(scrapes.seen)
        started = array("d", [self.base + process.start]) * len(scrapes.seen)
        for place in scrapes.failed:
            up[place], started[place] = 0, STALE
        yield from _encoded({"__name__": "up"}, process, scrapes, up)
        yield from _encoded({"__name__": "process_start_time_seconds"}, process, scrapes, started)

    def _counters(self, process: Process, shape: Shape, scrapes: Scrapes) -> Iterator[bytes]:
        good, bad = self._happened(process, shape, scrapes)
        for values, labels in (
            (good, {"__name__": "api_requests_total", "status": "200"}),
            (bad, {"__name__": "api_requests_total", "status": "500"}),
            (bad, {"__name__": "api_errors_total"}),
        ):
            # Client libraries make a series at its first event.
            birth = next((n for n, value in enumerate(values) if value > 0), len(values))
            yield from _encoded({**labels, "route": shape.route}, process, scrapes, values, birth)

    def _happened(self, process: Process, shape: Shape, scrapes: Scrapes) -> tuple[array[float], array[float]]:
        """Let requests happen; return both counters at the scrapes."""
        chance, truth = self.random.random, self.truth[shape.route]
        good, bad = [], []
        begin = process.start
        for end in scrapes.ends:
            middle = (begin + end) / 2
            mean = shape.rate(middle) * (end - begin) / MINUTE / PODS
            # Both numbers have the right mean, whatever it is, and need no logarithm.
            requests = int(mean * (0.5 + chance()) + chance()) if mean else 0
            errors = min(requests, int(requests * shape.share(middle) + chance())) if requests else 0
            if requests:
                minute = int(middle // MINUTE)
                truth.total[minute] += requests
                truth.bad[minute] += errors
            good.append(requests - errors)
            bad.append(errors)
            begin = end
        return _counter(good, scrapes), _counter(bad, scrapes)


def _counter(events: list[int], scrapes: Scrapes) -> array[float]:
    values = list(accumulate(events))
    seen = array("d", map(values.__getitem__, scrapes.seen))
    for place in scrapes.failed:
        # Of a failed scrape nothing is known: Prometheus marks all series of the target as stale.
        seen[place] = STALE
    return seen


def _encoded(
    labels: Mapping[str, str], process: Process, scrapes: Scrapes, values: array[float], birth: int = 0
) -> Iterator[bytes]:
    """Yield a series of a process from its birth to its end, if it was born."""
    values = values[birth:]
    if values:
        if scrapes.gone:
            values.append(STALE)
        when = scrapes.when[STAMP * birth :][: STAMP * len(values)]
        yield encoded({**labels, "job": JOB, "instance": process.instance}, when, values)


def _hour(at: float) -> float:
    return at % DAY / HOUR


def _quiet(at: float) -> bool:
    return 3 <= _hour(at) < 4


def _office(at: float) -> bool:
    return (at // DAY + _FIRST_DAY) % 7 < 5 and 8 <= _hour(at) < 18


def _diurnal(at: float) -> float:
    """From 60 requests a minute at three in the morning to 1,200 at three in the afternoon."""
    return 630 - 570 * math.cos(2 * math.pi * (_hour(at) - 3) / 24)
