"""Tiles of error budgets for a time in which their rules were not evaluated, counted from what Prometheus has scraped.

The rules make up for an outage of up to a day by themselves. What lies further back, and the time before a team
loaded the rules for the first time, is counted here: as samples for the same series, at the times at which the rules
would have recorded them. The sums over the window follow by themselves at their next evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from obsgen.budgets import OUTAGE, SLOW, from_raw, measured
from obsgen.errors import ObsgenError
from obsgen.model.budget import ErrorBudget
from obsgen.prometheus import Prometheus
from obsgen.promql.counting import BRIDGED
from obsgen.promql.metric import DURATION, seconds
from obsgen.promql.text import number, render, string
from obsgen.remote_write import Labels
from obsgen.words import duration

EVERY = seconds(SLOW)
AT_ONCE = 86_400.0
"""Seconds of tiles that one query counts."""
AT_MOST = 7 * 86_400
"""Seconds of the longest outage that is bridged: a counter that nobody saw for longer proves nothing."""
LEAST = 1e-6
"""Fewer events are an error of rounding."""

Slots = list[float]
"""Times of tiles, in Unix seconds, rising."""


@dataclass(slots=True)
class Filled:
    """What is counted for a budget.

    Attributes:
        budget: the budget's name.
        samples: the samples of each series, to be written.
        slots: how many tiles were missing, and are counted.
        healed: how many were missing, and their events are in the tile after them already.
        total: all events that are counted.
        bad: the bad ones.
    """

    budget: str
    samples: dict[Labels, list[tuple[float, float]]] = field(default_factory=dict)
    slots: int = 0
    healed: int = 0
    total: float = 0.0
    bad: float = 0.0


def moment(text: str, now: float) -> float:
    """Return a point in time in Unix seconds.

    Args:
        text: an ISO 8601 time (UTC where it names no zone), or a PromQL duration: so long ago.
        now: the present, in Unix seconds.

    Raises:
        ObsgenError: it is neither, or lies in the future.
    """
    if DURATION.fullmatch(text):
        return now - seconds(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ObsgenError(
            f"{text!r} is no time\n    write it as in 2026-11-02T14:00 (UTC), or as a duration: 2d is two days ago"
        ) from None
    found = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    if found > now:
        raise ObsgenError(f"{text} lies in the future\n    nothing has been scraped then")
    return found


def fill(budget: ErrorBudget, server: Prometheus, begin: float, end: float) -> Filled:
    """Return the tiles of a budget that are missing in a time.

    Args:
        budget: the budget.
        server: the Prometheus that has scraped what the budget counts, and evaluates its rules.
        begin: the first moment, in Unix seconds.
        end: the last moment.

    Raises:
        PrometheusError: it does not answer.
    """
    done = Filled(budget.name)
    reach = seconds(OUTAGE)
    live = sorted(at for at, _ in _samples(server, budget.measured.name, begin - reach, end + reach))
    phase = live[-1] % EVERY if live else 0.0
    for gap in _gaps(live, phase, begin, end):
        after = gap[-1] + EVERY
        followed = any(abs(at - after) < 1 for at in live)
        if followed and len(gap) * EVERY <= reach and any(at < gap[0] for at in live):
            done.healed += len(gap)
            continue
        done.slots += len(gap)
        _count(budget, server, gap, followed, done)
    return done


def _samples(server: Prometheus, name: str, begin: float, end: float) -> Iterator[tuple[float, float]]:
    """Yield the samples of a series as they were written."""
    while begin < end:
        until = min(end, begin + AT_ONCE)
        window = duration(until - begin)
        for each in server.instant(f"{name}[{window}]", until):
            yield from ((float(at), float(value)) for at, value in each["values"] if begin < float(at) <= until)
        begin = until


def _gaps(live: Slots, phase: float, begin: float, end: float) -> Iterator[Slots]:
    """Yield the times between two moments that have no tile, those without one in between together."""
    first = begin - (begin - phase) % EVERY
    slots = [first + n * EVERY for n in range(1, int((end - first) / EVERY) + 1)]
    have = {round(at) for at in live}
    missing = [at for at in slots if round(at) not in have]
    gap: Slots = []
    for at, after in pairwise([*missing, float("inf")]):
        gap.append(at)
        if after - at > EVERY * 1.5:
            yield gap
            gap = []


def _count(budget: ErrorBudget, server: Prometheus, gap: Slots, followed: bool, done: Filled) -> None:
    """Add the tiles of a gap.

    Args:
        budget: the budget.
        server: the Prometheus.
        gap: the times of the tiles.
        followed: whether there is a tile right after.
        done: what to add them to.
    """
    _add(done, budget.measured.name, _range(server, render(measured(budget)), gap), "")
    bridge = duration(min(len(gap) * EVERY + seconds(BRIDGED), AT_MOST))
    for which, expr in zip(("total", "bad"), from_raw(budget, bridge), strict=True):
        name, text = budget.counted(which, SLOW).name, render(expr)
        counted = _range(server, text, gap)
        if followed:
            _lost(counted, server, name, text, gap[-1])
        _add(done, name, counted, which)


def _lost(counted: dict[Labels, dict[float, float]], server: Prometheus, name: str, text: str, last: float) -> None:
    """Add to a gap's last tile what the tile after the gap should have, and has not: what happened unseen."""
    after = last + EVERY
    recorded = {_key(each["metric"]): float(each["value"][1]) for each in server.instant(name, after)}
    for each in server.instant(text, after):
        labels = _key(each["metric"])
        lost = float(each["value"][1]) - recorded.get(labels, 0.0)
        if lost > LEAST:
            tiles = counted.setdefault(labels, {})
            tiles[last] = tiles.get(last, 0.0) + lost


def _range(server: Prometheus, text: str, gap: Slots) -> dict[Labels, dict[float, float]]:
    found: dict[Labels, dict[float, float]] = {}
    per = int(AT_ONCE / EVERY)
    for place in range(0, len(gap), per):
        part = gap[place : place + per]
        for labels, samples in server.range(text, part[0], part[-1], EVERY):
            found.setdefault(_key(labels), {}).update(samples)
    return found


def _key(labels: dict[str, str]) -> Labels:
    return tuple(sorted((name, value) for name, value in labels.items() if name != "__name__"))


def _add(done: Filled, name: str, counted: dict[Labels, dict[float, float]], which: str) -> None:
    for labels, tiles in counted.items():
        done.samples[tuple(sorted((*labels, ("__name__", name))))] = sorted(tiles.items())
        if which == "total":
            done.total += sum(tiles.values())
        elif which == "bad":
            done.bad += sum(tiles.values())


def openmetrics(filled: Iterable[Filled]) -> Iterator[str]:
    """Yield the lines of what was counted in OpenMetrics' text format, as `promtool tsdb create-blocks-from` reads it.

    Source: https://prometheus.io/docs/prometheus/latest/storage/#backfilling-from-openmetrics-format
    """
    by_name: dict[str, list[tuple[Labels, list[tuple[float, float]]]]] = {}
    for each in filled:
        for labels, tiles in each.samples.items():
            by_name.setdefault(dict(labels)["__name__"], []).append((labels, tiles))
    for name, series in by_name.items():
        yield f"# TYPE {name} gauge\n"
        for labels, samples in series:
            inside = ",".join(f"{key}={string(value)}" for key, value in labels if key != "__name__")
            yield from (f"{name}{{{inside}}} {number(value)} {at:.3f}\n" for at, value in samples)
    yield "# EOF\n"


def budgets_named(budgets: Sequence[ErrorBudget], names: Sequence[str]) -> list[ErrorBudget]:
    """Return the budgets with these names; all without any.

    Raises:
        ObsgenError: there is none of a name.
    """
    known = {budget.name: budget for budget in budgets}
    for name in names:
        if name not in known:
            raise ObsgenError(f"there is no error budget {name!r}\n    there are {', '.join(known) or 'none at all'}")
    return [known[name] for name in names] or list(budgets)
