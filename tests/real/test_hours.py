"""Hours of people, as a real Prometheus sees them: at each beginning, all that happened since the last end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from obsgen.model import Hours, since_closing
from obsgen.model.hours import closed
from obsgen.model.proof import WEEKDAYS
from obsgen.prometheus import Prometheus
from obsgen.promql import vector
from obsgen.promql.metric import seconds
from obsgen.promql.text import render

pytestmark = pytest.mark.real

OFFICES = [
    Hours(name="h", weekdays=["monday:friday"], begin="08:00", end="20:00", location="Europe/Berlin"),
    Hours(name="h", weekdays=["monday:friday"], begin="08:30", end="17:15", location="Asia/Tokyo"),
    Hours(name="h", weekdays=["sunday", "tuesday:thursday"], begin="09:00", end="24:00", location="America/New_York"),
    Hours(name="h", weekdays=["saturday:monday"], begin="00:00", end="12:00", location="Australia/Lord_Howe"),
]


def times(hours: Hours, begin: datetime) -> list[tuple[datetime, datetime]]:
    """Return when the hours begin and end in the three weeks from a day on."""
    zone = ZoneInfo(hours.location)
    found = []
    for day in range(21):
        date = (begin + timedelta(days=day)).date()
        weekday = WEEKDAYS[date.weekday()]
        parts = [text.split(":") for text in hours.weekdays]
        spans = [(WEEKDAYS.index(part[0]), WEEKDAYS.index(part[-1])) for part in parts]
        if any((WEEKDAYS.index(weekday) - a) % 7 <= (b - a) % 7 for a, b in spans):
            midnight = datetime(date.year, date.month, date.day, tzinfo=zone)
            ends = [timedelta(hours=int(t[:2]), minutes=int(t[3:])) for t in (hours.begin, hours.end)]
            found.append((midnight + ends[0], midnight + ends[1]))
    return found


@pytest.mark.parametrize("hours", OFFICES, ids=lambda hours: hours.location)
@pytest.mark.parametrize("month", [1, 3, 7, 10], ids=["winter", "spring", "summer", "autumn"])
def test_each_morning_tells_of_the_night(server: Prometheus, hours: Hours, month: int) -> None:
    begin = datetime(2026, month, 13, tzinfo=UTC)
    text = render(since_closing(hours, lambda window: vector(seconds(window))))
    opened = [(a.timestamp(), b.timestamp()) for a, b in times(hours, begin)]

    for (_, ended), (opens, _) in pairwise(opened):
        if opens - ended < 1:
            continue
        for after in (0, 30 * 60):
            found = [float(each["value"][1]) for each in server.instant(text, opens + after)]
            assert found, f"nothing is told {after} s after {datetime.fromtimestamp(opens, UTC)}"
            assert opens + after - ended <= max(found) <= opens + after - ended + 3 * 3600
        assert opens - ended <= closed(hours)
        assert not server.instant(text, opens + 3 * 3600), "it is over some hours later"
