"""Units of metrics, and how a value in one is written for people and in an alert's text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


# Compared by identity: two units may be written alike and are still two, where Enum would make one the other's alias.
@dataclass(frozen=True, slots=True, eq=False)
class _Writing:
    """How a unit is written: after a number, and as the Go template of an alert's value."""

    suffix: str
    template: str
    scale: float = 1


class Unit(Enum):
    """What a number counts or measures.

    `COUNT` counts things of any kind, so counts of two metrics need not be of the same things. `REQUESTS` counts
    requests: their rate is `REQUESTS_PER_SECOND`. `RATIO` is 0.05 where `PERCENT` is 5. `NONE` is not known.
    """

    NONE = _Writing("", "{{ $value | humanize }}")
    COUNT = _Writing("", '{{ $value | printf "%.0f" }}')
    REQUESTS = _Writing("", '{{ $value | printf "%.0f" }}')
    RATIO = _Writing(" %", "{{ $value | humanizePercentage }}", 100)
    PERCENT = _Writing(" %", '{{ $value | printf "%.4g" }}%')
    MILLISECONDS = _Writing(" ms", '{{ $value | printf "%.0f" }} ms')
    SECONDS = _Writing(" s", "{{ $value | humanizeDuration }}")
    TIMESTAMP = _Writing("", "{{ $value | humanizeTimestamp }}")
    BYTES = _Writing(" B", "{{ $value | humanize1024 }}B")
    TIMES = _Writing(" times", '{{ $value | printf "%.1f" }} times')
    PER_SECOND = _Writing("/s", "{{ $value | humanize }}/s")
    REQUESTS_PER_SECOND = _Writing(" req/s", "{{ $value | humanize }} req/s")
    BYTES_PER_SECOND = _Writing(" B/s", "{{ $value | humanize1024 }}B/s")
    CELSIUS = _Writing(" °C", '{{ $value | printf "%.1f" }} °C')
    STATE = _Writing("", '{{ $value | printf "%.0f" }}')
    BOOLEAN = _Writing("", '{{ $value | printf "%.0f" }}')

    @property
    def suffix(self) -> str:
        """What follows a number in this unit, the space before it included."""
        return self.value.suffix

    @property
    def template(self) -> str:
        """The template that writes an alert's value in this unit."""
        return self.value.template

    def write(self, number: float) -> str:
        """Return a number in this unit: 0.05 as a ratio is `5 %`."""
        scaled = round(number * self.value.scale, 6)
        return f"{scaled:,.12g}{self.suffix}"
