"""Traffic on an API's routes, as Prometheus would have scraped it, and what really happened.

All of it follows from a seed.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from tests.bench.pods import DAILY, MINUTE, NEVER, Period, Pods
from tests.bench.prometheus import STALE, STAMP, Points, stamps

JOB = "api"
FAILED_SCRAPES = 0.002
LISTENS = 1
"""Seconds from the start of a process until it answers."""


@dataclass(frozen=True, eq=False)
class Shape:
    """The traffic of one route.

    Attributes:
        route: its name.
        rate: requests a minute at a time, on all pods.
        share: the share of them that fails at a time.
        pods: which pods serve it.
        counted_by: the pods that count all requests, where those that serve them count the failed ones only.
    """

    route: str
    rate: Callable[[float], float]
    share: Callable[[float], float]
    pods: Pods = DAILY
    counted_by: Pods | None = None


@dataclass
class Truth:
    """The events of a route by minute, as they happened."""

    total: array[int]
    bad: array[int]

    def error_rate(self, begin: float, end: float) -> float:
        """Return the share of the events between two times that went wrong."""
        return self.events("bad", begin, end) / self.events("total", begin, end)

    def events(self, which: str, begin: float, end: float) -> int:
        """Return how many events of a kind, `total` or `bad`, were between two times, to the minute."""
        counted: array[int] = getattr(self, which)
        return sum(counted[int(begin // MINUTE) : int(end // MINUTE)])


@dataclass
class Target:
    """An instance that is scraped.

    Attributes:
        instance: its name.
        lives: of its process, in order.
        ends: what happens between two of these times, the next scrape sees, if there is one.
        born: which of `ends` are the first of a life, and how many there are.
        when: the times of the scrapes, as remote write has them, and that of a last marker.
        seen: for each scrape, which of `ends` it is; -1 if it failed.
        gone: whether a stale marker follows: not when Prometheus was down when the process ended.
    """

    instance: str
    lives: Sequence[Period]
    ends: list[float] = field(default_factory=list)
    born: list[int] = field(default_factory=list)
    when: bytes = b""
    seen: list[int] = field(default_factory=list)
    gone: bool = True


class Traffic:
    """Traffic of some days.

    Args:
        shapes: the routes.
        end: how long it is, in seconds.
        scrape: seconds between two scrapes.
        base: when it begins, in Unix seconds.
        seed: what all chance follows from.
        down: when Prometheus was down, and scraped nothing.
    """

    def __init__(
        self, shapes: Sequence[Shape], *, end: float, scrape: float, base: int, seed: int, down: Period = NEVER
    ) -> None:
        self.shapes, self.end, self.scrape, self.base, self.down = shapes, end, scrape, base, down
        self.random = random.Random(seed)
        minutes = [0] * (int(end) // MINUTE + 1)
        self.truth = {s.route: Truth(array("q", minutes), array("q", minutes)) for s in shapes}

    @property
    def interval(self) -> str:
        """How often the quickest of the targets is scraped, a PromQL duration."""
        groups = [pods for s in self.shapes for pods in (s.pods, s.counted_by) if pods is not None]
        return f"{min((pods.scrape or self.scrape for pods in groups), default=self.scrape):.0f}s"

    def series(self) -> Iterator[Points]:
        """Yield all series, and count what happens."""
        groups = dict.fromkeys(pods for s in self.shapes for pods in (s.pods, s.counted_by) if pods is not None)
        for pods in groups:
            for target in self.targets(pods):
                yield from self.own(target)
                for shape in self.shapes:
                    if pods in (shape.pods, shape.counted_by):
                        yield from self._counters(target, pods, shape)

    def targets(self, pods: Pods) -> Iterator[Target]:
        """Yield the instances of some pods, with their scrapes."""
        for slot in range(pods.count):
            for instance, lives in pods.lives(slot, self.random, self.end):
                target = Target(instance, lives)
                self._scrape(target, pods)
                yield target

    def _scrape(self, target: Target, pods: Pods) -> None:
        every = pods.scrape or self.scrape
        phase = self.random.random() * every
        lives = target.lives
        times = []
        at = phase + math.ceil((lives[0].begin + LISTENS - phase) / every) * every
        for life in lives:
            while at < life.begin + LISTENS:  # between two lives: nobody answers
                if at not in self.down:
                    times.append(at)
                    target.seen.append(-1)
                at += every
            target.born.append(len(target.ends))
            while at < life.end:
                if at not in self.down:
                    failed = at in pods.unreachable or self.random.random() < FAILED_SCRAPES
                    times.append(at)
                    target.seen.append(-1 if failed else len(target.ends))
                target.ends.append(at)
                at += every
            target.ends.append(life.end)
        target.born.append(len(target.ends))
        end = lives[-1].end
        target.gone = end < self.end and end not in self.down
        # The marker is later than the last scrape in any case. Prometheus writes it at its next one, which is all the
        # same to what reads the series of an instance that is gone.
        target.when = stamps(self.base + at for at in (*times, end + 0.002))

    def own(self, target: Target) -> Iterator[Points]:
        """Yield what every target exposes: whether it was scraped, and when its process started."""
        up = array("d", (0.0 if place < 0 else 1.0 for place in target.seen))
        yield from self.written(target, {"__name__": "up"}, up)
        started = array("d", bytes(8 * len(target.ends)))
        for life, (first, end) in zip(target.lives, pairwise(target.born), strict=True):
            started[first:end] = array("d", [self.base + life.begin]) * (end - first)
        yield from self.written(target, {"__name__": "process_start_time_seconds"}, self.scraped(target, started))

    def _counters(self, target: Target, pods: Pods, shape: Shape) -> Iterator[Points]:
        good, bad = self._happened(target, pods, shape)
        counters = [
            (good, {"__name__": "api_requests_total", "status": "200"}),
            (bad, {"__name__": "api_requests_total", "status": "500"}),
            (bad, {"__name__": "api_errors_total"}),
        ]
        if shape.counted_by is not None:
            counters = counters[2:] if pods is shape.pods else counters[:1]
        for events, labels in counters:
            values = array("d")
            for first, end in pairwise(target.born):
                values.extend(accumulate(events[first:end]))
            yield from self.written(target, {**labels, "route": shape.route}, self.scraped(target, values))

    def _happened(self, target: Target, pods: Pods, shape: Shape) -> tuple[list[int], list[int]]:
        """Let requests happen; return the good and the bad ones of each step."""
        chance, truth = self.random.random, self.truth[shape.route]
        apart = shape.counted_by is not None
        good, bad = [], []
        for life, (first, last) in zip(target.lives, pairwise(target.born), strict=True):
            begin = life.begin
            for end in target.ends[first:last]:
                middle = (begin + end) / 2
                mean = shape.rate(middle) * (end - begin) / MINUTE / pods.count
                # Both numbers have the right mean, whatever it is, and need no logarithm.
                requests = int(mean * (0.5 + chance()) + chance()) if mean else 0
                errors = min(requests, int(requests * shape.share(middle) + chance())) if requests else 0
                if requests:
                    minute = int(middle // MINUTE)
                    if pods is (shape.counted_by if apart else shape.pods):
                        truth.total[minute] += requests
                    if pods is shape.pods:
                        truth.bad[minute] += errors
                good.append(requests if apart else requests - errors)
                bad.append(errors)
                begin = end
        return good, bad

    @staticmethod
    def scraped(target: Target, values: array[float]) -> array[float]:
        """Return what the scrapes find of a value that has a number for each of `ends`: zero is not exposed.

        Client libraries make a series at its first event. Where a scrape finds none, or fails, Prometheus marks the
        series as stale.
        """
        return array("d", (values[place] or STALE if place >= 0 else STALE for place in target.seen))

    @staticmethod
    def written(target: Target, labels: Mapping[str, str], values: array[float]) -> Iterator[Points]:
        """Yield a series of a target, if it was ever there; of markers in a row the first is one."""
        kept = [n for n, value in enumerate(values) if value == value or (n and values[n - 1] == values[n - 1])]
        if not kept:
            return
        values = array("d", map(values.__getitem__, kept))
        if target.gone and values[-1] == values[-1]:
            values.append(STALE)
            kept.append(len(target.when) // STAMP - 1)
        if kept[-1] - kept[0] == len(kept) - 1:
            when = target.when[STAMP * kept[0] : STAMP * (kept[-1] + 1)]
        else:
            when = b"".join(target.when[STAMP * n : STAMP * (n + 1)] for n in kept)
        yield {**labels, "job": JOB, "instance": target.instance}, when, values
