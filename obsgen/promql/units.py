"""Units of metrics, and how a value in one is written for people and in an alert's text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class _Writing:
    """How a unit is written: after a number, and as the Go template of an alert's value."""

    suffix: str
    template: str
    scale: float = 1


class Unit(Enum):
    """What a number counts or measures."""

    NONE = _Writing("", "{{ $value | humanize }}")
    COUNT = _Writing("", '{{ $value | printf "%.0f" }}')
    RATIO = _Writing(" %", "{{ $value | humanizePercentage }}", 100)
    MILLISECONDS = _Writing(" ms", '{{ $value | printf "%.0f" }} ms')
    SECONDS = _Writing(" s", "{{ $value | humanizeDuration }}")
    TIMESTAMP = _Writing("   ", "{{ $value | humanizeTimestamp }}")
    BYTES = _Writing(" B", "{{ $value | humanize1024 }}B")
    TIMES = _Writing(" times", '{{ $value | printf "%.1f" }} times')
    PER_SECOND = _Writing("/s", "{{ $value | humanize }}/s")
    BYTES_PER_SECOND = _Writing(" B/s", "{{ $value | humanize1024 }}B/s")
    CELSIUS = _Writing(" °C", '{{ $value | printf "%.1f" }} °C')
    STATE = _Writing(" ", '{{ $value | printf "%.0f" }}')
    BOOLEAN = _Writing("  ", '{{ $value | printf "%.0f" }}')

    @property
    def template(self) -> str:
        """The template that writes an alert's value in this unit."""
        return self.value.template

    def write(self, number: float) -> str:
        """Return a number in this unit: 0.05 as a ratio is `5 %`."""
        scaled = round(number * self.value.scale, 6)
        return f"{scaled:,.12g}{self.value.suffix}".strip()
