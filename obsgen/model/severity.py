"""How urgent an alert is."""

from __future__ import annotations

from enum import Enum


class Severity(Enum):
    """What an alert asks of people, least first."""

    INFO = "info"
    """Good to know; nobody is told."""
    WARNING = "warning"
    """Somebody has to act, in working hours."""
    CRITICAL = "critical"
    """Somebody has to act now."""

    @property
    def rank(self) -> int:
        """0 for the least severe."""
        return list(Severity).index(self)
