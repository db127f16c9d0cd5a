"""The shapes of traffic that are measured: each is one known difficulty, and each has a route of its own.

Shapes that need no outage of Prometheus share a run. An outage concerns all routes, so each has a run to itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.bench.pods import (
    DAY,
    FIXED,
    HOUR,
    HOURLY,
    MINUTE,
    NEVER,
    STEADY,
    Period,
    Pods,
    deployed,
    restarting,
    steady,
)
from tests.bench.traffic import Shape

QUICK = 15
"""Seconds between two scrapes of what restarts often."""
OUTAGES = {"20m": 20 * MINUTE, "2h": 2 * HOUR, "1d": DAY}
"""Lengths of outages of Prometheus, or of its rules."""
CUTS = {"30m": 30 * MINUTE, "2h": 2 * HOUR}
"""How long an exporter cannot be reached."""
CRASHES = (13, 14)
"""Hours of the day in which pods crash."""


@dataclass(frozen=True)
class Run:
    """Shapes that are simulated together.

    Attributes:
        shapes: what they are.
        down: when Prometheus neither scrapes nor evaluates.
        idle: when it scrapes, but does not evaluate.
        known: whether these are the shapes that obsgen's budgets were designed for: others may be hard for anybody.
    """

    shapes: tuple[Shape, ...]
    down: Period = NEVER
    idle: Period = NEVER
    known: bool = False


def known(end: int, span: float) -> Run:
    """Return the shapes whose errors are to be tiny.

    Args:
        end: how long the traffic is, in seconds.
        span: seconds before the end in which is measured: nothing that matters falls into them.
    """
    down = _outage(end, 40 * MINUTE)
    peak = (end // DAY - 10) * DAY + 15 * HOUR
    incident = Period(peak, peak + 45 * MINUTE)
    unseen = Period(down.begin + 8 * MINUTE, down.begin + 33 * MINUTE)
    born = end - span - 26 * HOUR
    shapes = (
        Shape("/steady", lambda at: 600, lambda at: 0.001),
        Shape("/diurnal", _diurnal, lambda at: 0.3 if at in incident else 0.0003),
        Shape("/nightly", lambda at: 60 if _quiet(at) else 600, lambda at: 0.02 if _quiet(at) else 0),
        Shape("/sparse", lambda at: 0.6, lambda at: 0.00425),
        Shape("/rare", lambda at: 30, lambda at: 0.0001),
        Shape("/clean", lambda at: 60, lambda at: 0),
        Shape("/office", _office, lambda at: 0.005),
        Shape("/new", lambda at: 300 if at >= born else 0, lambda at: 0.005),
        Shape("/outage", lambda at: 300, lambda at: 0.8 if at in unseen else 0.0002),
        Shape("/reset", lambda at: 300, lambda at: 0.003, FIXED),
        Shape("/churn", lambda at: 150, lambda at: 0.001, HOURLY),
    )
    return Run(shapes, down=down, known=True)


def hard(end: int) -> Run:
    """Return shapes with trouble at the pods: they crash, cannot be reached, or are gone at night."""
    crashing = Pods(restarting("crash", (88, 92), CRASHES), count=2, scrape=QUICK)
    shapes = [
        Shape("/crashes-2h", lambda at: 300, lambda at: 0.02 if at % DAY // HOUR in CRASHES else 0.0002, crashing),
        Shape("/office-deploys", _office, lambda at: 0.005, Pods(deployed(22, "night"))),
    ]
    for name, length in CUTS.items():
        cut = _outage(end, length)
        pods = Pods(steady(f"cut-{name}"), unreachable=cut)
        shapes.append(Shape(f"/unreachable-{name}", lambda at: 300, _incident(cut), pods))
    return Run(tuple(shapes))


def outages(end: int) -> Iterator[Run]:
    """Yield runs in which an incident falls into an outage of the rules, and of Prometheus; counters survive."""
    for name, length in OUTAGES.items():
        outage = _outage(end, length)
        incident = _incident(outage)
        yield Run((Shape(f"/rules-idle-{name}", lambda at: 300, incident, STEADY),), idle=outage)
        yield Run((Shape(f"/server-down-{name}", lambda at: 300, incident, STEADY),), down=outage)


def restarts() -> Run:
    """Return pods that never stop crashing, for windows of minutes and hours, not for budgets."""
    shapes = [
        Shape(
            f"/crashes-{every}s",
            lambda at: 300,
            lambda at: 0.05,
            Pods(restarting(f"crash-{every}", (every - 2, every + 2)), count=2, scrape=QUICK),
        )
        for every in (90, 150, 300)
    ]
    actions = Pods(steady("ingestion"), count=1, scrape=QUICK)
    shapes += [
        Shape(
            f"/bot-{minutes}m",
            lambda at: 8,
            _failing,
            Pods(restarting(f"bot-{minutes}", (0.8 * minutes * MINUTE, 1.2 * minutes * MINUTE)), 1, scrape=QUICK),
            counted_by=actions,
        )
        for minutes in (5, 10, 20, 60)
    ]
    return Run(tuple(shapes))


def _failing(at: float) -> float:
    """From 11 to 13 %, in waves of six hours."""
    return 0.12 + 0.01 * math.sin(2 * math.pi * at / (6 * HOUR))


def _outage(end: int, length: float) -> Period:
    """Return an outage twelve days before the end, which begins in the afternoon, between two deploys."""
    begin = end - 12 * DAY + 14 * HOUR
    return Period(begin, begin + length)


def _incident(outage: Period) -> Callable[[float], float]:
    """Return the share of failures when there is an incident in the middle half of an outage."""
    quarter = (outage.end - outage.begin) / 4
    incident = Period(outage.begin + quarter, outage.end - quarter)
    return lambda at: 0.8 if at in incident else 0.0002


def _hour(at: float) -> float:
    return at % DAY / HOUR


def _quiet(at: float) -> bool:
    return 3 <= _hour(at) < 4


def _office(at: float) -> float:
    """120 requests a minute on working days from 8 to 18. Test time begins on a Monday."""
    return 120 if at // DAY % 7 < 5 and 8 <= _hour(at) < 18 else 0


def _diurnal(at: float) -> float:
    """From 60 requests a minute at three in the morning to 1,200 at three in the afternoon."""
    return 630 - 570 * math.cos(2 * math.pi * (_hour(at) - 3) / 24)
