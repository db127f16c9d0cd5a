"""Durations as PromQL writes them."""

from __future__ import annotations

import re

from obsgen.errors import DefinitionError

# Ten decades at most: Prometheus' own limit is 292 years in all.
_PARTS = r"(\d{1,2}y)?(\d{1,4}w)?(\d{1,5}d)?(\d{1,6}h)?(\d{1,7}m)?(\d{1,9}s)?(\d{1,12}ms)?"
DURATION = re.compile(rf"(?=\d){_PARTS}", re.ASCII)
_SECONDS = {"y": 31_536_000, "w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 0.001}


def seconds(duration: str) -> float:
    """Return a PromQL duration (`1h30m`) in seconds.

    Raises:
        DefinitionError: the text is not a duration.
    """
    if not isinstance(duration, str) or not DURATION.fullmatch(duration):
        raise DefinitionError(f"{duration!r} is not a duration", 'write it as Prometheus does: "30s", "5m", "1h30m"')
    return sum(float(n) * _SECONDS[unit] for n, unit in re.findall(r"(\d+)(ms|[ywdhms])", duration))


def positive(duration: str) -> float:
    """Return a PromQL duration in seconds.

    Raises:
        DefinitionError: the text is not a duration, or no time at all.
    """
    if not seconds(duration):
        raise DefinitionError(f"{duration!r} is no time at all", 'give one, as in "30s"')
    return seconds(duration)
