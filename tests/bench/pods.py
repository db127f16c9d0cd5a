"""The processes that serve traffic: how long each lives, under which name, and when nobody can scrape it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

MINUTE, HOUR, DAY = 60, 3600, 86_400


@dataclass(frozen=True)
class Period:
    """A time with a begin and an end."""

    begin: float
    end: float

    def __contains__(self, at: float) -> bool:
        return self.begin <= at < self.end


NEVER = Period(0, 0)

Lives = Iterator[tuple[str, list[Period]]]
"""Instances, each with the lives of its process: its counters begin at zero when one begins."""


@dataclass(frozen=True, eq=False)
class Pods:
    """Some pods that behave alike.

    Attributes:
        lives: yields the instances of one pod, given its number, chance, and the end of time.
        count: how many pods.
        unreachable: when no scrape of them succeeds, though they serve.
        scrape: seconds between two scrapes; 0 is what all others have.
    """

    lives: Callable[[int, random.Random, float], Lives]
    count: int = 3
    unreachable: Period = NEVER
    scrape: float = 0


def deployed(hour: float, name: str) -> Callable[[int, random.Random, float], Lives]:
    """Return pods of a deploy a day, each with an instance of its own."""

    def lives(slot: int, chance: random.Random, end: float) -> Lives:
        deploys = [day * DAY + hour * HOUR + slot * 120 + chance.uniform(1, 60) for day in range(int(end) // DAY)]
        yield from _apart(f"{name}-{slot}", [0.0, *deploys, end])

    return lives


def short_lived(slot: int, chance: random.Random, end: float) -> Lives:
    """Yield pods that live an hour."""
    shift = slot * 20 * MINUTE
    times = [hour * HOUR + shift + chance.uniform(1, 60) for hour in range(int(end) // HOUR)]
    yield from _apart(f"short-{slot}", [*times, end])


def now_and_then(slot: int, chance: random.Random, end: float) -> Lives:
    """Yield a pod that restarts in place every nine hours or so."""
    times = [0.0]
    while times[-1] < end:
        times.append(times[-1] + 20 * MINUTE + chance.expovariate(1 / (9 * HOUR)))
    yield f"node-{slot}", [Period(a, b) for a, b in pairwise([*times[:-1], end])]


def steady(name: str) -> Callable[[int, random.Random, float], Lives]:
    """Return pods that never end."""
    return lambda slot, chance, end: iter([(f"{name}-{slot}", [Period(0, end)])])


def restarting(
    name: str, every: tuple[float, float], hours: Sequence[int] = range(24)
) -> Callable[[int, random.Random, float], Lives]:
    """Return pods that restart in place in some hours of the day.

    Args:
        name: the beginning of their names.
        every: the shortest and the longest life, in seconds. A restart takes one to five seconds.
        hours: the hours of the day in which they do.
    """

    def lives(slot: int, chance: random.Random, end: float) -> Lives:
        found = []
        begin = at = 0.0
        while at < end:
            at += chance.uniform(*every)
            if at % DAY // HOUR in hours and at < end:
                found.append(Period(begin, at))
                begin = at = at + chance.uniform(1, 5)
        yield f"{name}-{slot}", [*found, Period(begin, end)]

    return lives


def _apart(name: str, times: Sequence[float]) -> Lives:
    for number, (begin, end) in enumerate(pairwise(times)):
        yield f"{name}-{number}", [Period(begin, end)]


DAILY = Pods(deployed(10, "web"))
HOURLY = Pods(short_lived)
FIXED = Pods(now_and_then)
STEADY = Pods(steady("steady"))
