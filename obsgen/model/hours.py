"""Hours of people in the time of Prometheus, which is UTC: how long nobody is told, and what happened meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import groupby
from math import ceil

from obsgen.model.proof import WEEKDAYS
from obsgen.model.routing import Hours
from obsgen.promql.functions import raw
from obsgen.promql.tree import Expr
from obsgen.words import duration

HOUR, DAY = 60, 1440
"""In minutes."""


def closed(hours: Hours) -> float:
    """Return how many seconds there are between two of the hours at most, daylight saving included."""
    winter, summer = _offsets(hours)
    return 60 * (max(gap for _, gap in _gaps(hours)) + abs(summer - winter))


def since_closing(hours: Hours, of: Callable[[str], Expr]) -> Expr:
    """Return what an expression says of the time since the hours last ended, whenever they begin.

    An alert on it tells in the morning what happened at night, when nobody was told: it fires from when the hours
    begin, for one hour or, with daylight saving, two. Its window reaches as much further back than needed.

    Args:
        hours: when people are told.
        of: the expression, for a window that is a PromQL duration: `lambda window: events(ERRORS, window)`.
    """
    winter, summer = _offsets(hours)
    lasts = ceil((HOUR + abs(summer - winter)) / HOUR) * HOUR
    # A clock on which the hours begin at midnight, or as much later as daylight saving is.
    clock = f"vector(time() - {60 * (_minutes(hours.begin) - max(winter, summer))})"
    hour, weekday = raw(f"hour({clock})"), raw(f"(day_of_week({clock}) + 6) % 7")
    found: Expr | None = None
    # Days that follow each other have the same difference to their place.
    for (gap, _), days in groupby(enumerate(_gaps(hours)), key=lambda each: (each[1][1], each[1][0] - each[0])):
        numbers = [day for _, (day, _) in days]
        today = (weekday >= numbers[0]) <= numbers[-1] if len(numbers) > 1 else weekday.equals(numbers[0])
        told = of(duration(60 * (gap + lasts))).and_(hour < lasts // HOUR, on=()).and_(today, on=())
        found = told if found is None else found.or_(told)
    assert found is not None
    return found


def _gaps(hours: Hours) -> Iterator[tuple[int, int]]:
    """Yield each day of the hours, Monday being 0, with the minutes since they last ended."""
    days = sorted(set(_days(hours)))
    lasts = _minutes(hours.end) - _minutes(hours.begin)
    for place, day in enumerate(days):
        yield day, ((day - days[place - 1] - 1) % 7 + 1) * DAY - lasts


def _days(hours: Hours) -> Iterator[int]:
    for text in hours.weekdays:
        first, _, last = text.partition(":")
        start = WEEKDAYS.index(first)
        yield from ((start + n) % 7 for n in range((WEEKDAYS.index(last or first) - start) % 7 + 1))


def _minutes(time: str) -> int:
    hour, minute = time.split(":")
    return int(hour) * HOUR + int(minute)


def _offsets(hours: Hours) -> tuple[int, int]:
    """Return how many minutes the clocks are ahead of UTC in January and in July."""
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(hours.location)
    found = (datetime(2024, month, 1, tzinfo=zone).utcoffset() for month in (1, 7))
    winter, summer = (int(offset.total_seconds() // 60) if offset is not None else 0 for offset in found)
    return winter, summer
