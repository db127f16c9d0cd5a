"""The numbers of a made-up world as functions of time: what has been counted by a moment, and which incidents last.

A value follows from the moment and the incidents alone. So the history, which is written after the fact, and the
exporters, which are scraped later, tell one story.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

DAY = 86_400.0
RIPPLE = 97 * 60.0
"""Seconds of the shorter wave in all traffic: no multiple or fraction of an hour."""
RIPPLES = 0.15
"""How far that wave goes, as a share of the average."""
MOST = 1 - RIPPLES
"""The daily wave goes less far than this: a counter never falls."""


@dataclass(frozen=True)
class Flow:
    """Events that come more often in the evening than at night.

    Attributes:
        rate: events a second, on average.
        swing: by which share of the average the peak is above it.
        peak: the hour of the peak, UTC.
        born: when counting began, in Unix seconds.
    """

    rate: float
    swing: float = 0.5
    peak: float = 19.0
    born: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.swing < MOST:
            raise ValueError(f"a swing is 0 or more and less than {MOST}, not {self.swing}")

    def total(self, at: float) -> float:
        """Return how many events there have been by a time; a fraction of the next one among them."""
        return self.rate * (at - self.born + self._waves(at) - self._waves(self.born)) if at > self.born else 0.0

    def pace(self, at: float) -> float:
        """Return the events a second at a time."""
        daily = math.cos(math.tau * (at - self.peak * 3600) / DAY)
        return self.rate * (1 + self.swing * daily + RIPPLES * math.cos(math.tau * at / RIPPLE))

    def _waves(self, at: float) -> float:
        daily = math.sin(math.tau * (at - self.peak * 3600) / DAY)
        return (self.swing * DAY * daily + RIPPLES * RIPPLE * math.sin(math.tau * at / RIPPLE)) / math.tau


@dataclass
class Timeline:
    """Which incidents there are, and from when to when.

    Attributes:
        spans: begin and end of each time that an incident lasts, by its name; infinity for one that goes on.
    """

    spans: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def begin(self, name: str, at: float, end: float = math.inf) -> None:
        """Let an incident begin; nothing happens where it goes on already."""
        if not self.active(name, at):
            self.spans[name] = [*self.of(name), (at, end)]

    def end(self, name: str, at: float) -> None:
        """Let an incident end; nothing happens where there is none."""
        self.spans[name] = [(begin, min(until, at) if begin <= at else until) for begin, until in self.of(name)]

    def of(self, name: str) -> Sequence[tuple[float, float]]:
        """Return when an incident was, and is."""
        return self.spans.get(name, ())

    def active(self, name: str, at: float) -> bool:
        """Return whether an incident lasts at a time."""
        return any(begin <= at < end for begin, end in self.of(name))

    def during(self, name: str, flow: Flow, at: float) -> float:
        """Return how many events of a flow there have been by a time while an incident lasted."""
        spans = ((begin, min(end, at)) for begin, end in self.of(name) if begin < at)
        return sum(flow.total(end) - flow.total(begin) for begin, end in spans)


def noise(at: float, seed: float) -> float:
    """Return a number from -1 to 1 that looks like chance: another one each moment, the same for the same moment."""
    return math.modf(math.sin(at * 12.9898 + seed * 78.233) * 43_758.5453)[0]


def share_below(bound: float, median: float, spread: float) -> float:
    """Return which share of values lies at or below a bound, where their logarithms are spread normally.

    Args:
        bound: above 0.
        median: of the values.
        spread: the standard deviation of their logarithms.
    """
    return 0.5 * (1 + math.erf(math.log(bound / median) / (spread * math.sqrt(2))))
