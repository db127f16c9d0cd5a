"""Samples in the notation of Prometheus' rule tests: `0+10x20 _x5 stale`.

A value stands for itself, `_` for a scrape without a sample, `stale` for the end of the series. `1x5` is a value and
five more of the same, `0+10x20` a value and twenty more that each grow by ten, `_x5` five scrapes without a sample.

Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from enum import Enum

from obsgen.errors import DefinitionError
from obsgen.promql.text import number

MOST = 1_000_000
"""Samples of one series: more is a slip of the keyboard."""

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_VALUE = rf"[+-]?(?:{_NUMBER}|[iI]nf|[nN]a[nN])"
_ITEM = re.compile(rf"(?P<start>{_VALUE})(?:(?P<step>[+-]{_NUMBER})?x(?P<times>\d+))?")
_GAP = re.compile(r"_(?:x(\d+))?")


class Mark(Enum):
    """What may stand in the place of a value."""

    MISSING = "_"
    """A scrape without a sample."""
    STALE = "stale"
    """The end of the series."""


Value = float | Mark


def values(text: str) -> list[Value]:
    """Return what a text in the notation stands for, one for each scrape.

    Raises:
        DefinitionError: it is not in the notation, or stands for more than `MOST` samples.
    """
    length(text)
    return [value for item in text.split() for value in _expanded(item)]


def _count(item: str) -> int | None:
    """Return how many scrapes an item stands for, None where it is not in the notation."""
    if item == Mark.STALE.value:
        return 1
    if gap := _GAP.fullmatch(item):
        return int(gap[1] or 1)
    if found := _ITEM.fullmatch(item):
        return int(found["times"] or 0) + 1
    return None


def _expanded(item: str) -> Iterator[Value]:
    if item == Mark.STALE.value:
        yield Mark.STALE
    elif gap := _GAP.fullmatch(item):
        yield from [Mark.MISSING] * int(gap[1] or 1)
    elif found := _ITEM.fullmatch(item):
        start, step = float(found["start"]), float(found["step"] or 0)
        for _ in range(int(found["times"] or 0) + 1):
            yield start
            start += step  # one by one, as Prometheus does it: 0.1 ten times is not 1


def exported(text: str) -> str:
    """Return a text so that promtool reads it too: that takes no `NaNx5` or `Infx5`."""
    return " ".join(_plain(item) for item in text.split())


def _plain(item: str) -> str:
    found = _ITEM.fullmatch(item)
    if not found or not found["times"] or math.isfinite(float(found["start"])):
        return item
    return " ".join([number(float(found["start"]))] * (int(found["times"]) + 1))


def length(text: str) -> int:
    """Return how many scrapes a text in the notation stands for.

    Raises:
        DefinitionError: as of `values`.
    """
    total = 0
    for item in text.split():
        count = _count(item)
        if count is None:
            raise DefinitionError(
                f"{item!r} is not in the notation of series",
                "values are written as in '0+10x20 _x5 stale': start+stepxtimes, a value, _ for no sample, stale",
            )
        total += count
    if total > MOST:
        raise DefinitionError(f"{text!r} stands for {total:,} samples", f"{MOST:,} at most: take a longer step, every=")
    if not total:
        raise DefinitionError("a series has no values", "write some, as in '0+10x20', or _ for a series without any")
    return total


def split(text: str, place: int) -> tuple[str, str]:
    """Return a text cut in two: the first `place` scrapes and the rest."""
    before: list[str] = []
    items = text.split()
    left = place
    while items and left:
        item = items.pop(0)
        count = _count(item) or 0
        if count > left:
            item, rest = _cut(item, left)
            items.insert(0, rest)
            count = left
        before.append(item)
        left -= count
    return " ".join(before), " ".join(items)


def _cut(item: str, place: int) -> tuple[str, str]:
    """Return an item that stands for several scrapes as two, the first of them for `place`."""
    if gap := _GAP.fullmatch(item):
        return f"_x{place}", f"_x{int(gap[1]) - place}"
    found = _ITEM.fullmatch(item)
    assert found
    start, step, times = float(found["start"]), found["step"] or "", int(found["times"])
    later = number(round(start + float(step) * place, 9)) if step else found["start"]
    return f"{found['start']}{step}x{place - 1}", f"{later}{step}x{times - place}"
