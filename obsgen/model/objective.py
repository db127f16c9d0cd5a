"""Objectives, and when their budget burns too fast."""

from __future__ import annotations

from dataclasses import dataclass, field

from obsgen.errors import DefinitionError, Location, here
from obsgen.model.severity import Severity
from obsgen.promql.label import Matcher
from obsgen.promql.metric import positive, seconds
from obsgen.shape import conform


@dataclass(frozen=True, slots=True)
class Objective:
    """The share of events that are to go well.

    Args:
        target: a ratio: 0.999 for 99.9 %.
        where: the label values that it holds for; all that no earlier objective of the budget has when left out.
        reason: where the number comes from, as a sentence.
    """

    target: float
    where: Matcher | None = None
    reason: str = ""
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        if self.target == 1:
            raise DefinitionError(
                "an objective of 1 has no error budget: the first error would spend all of it",
                "promise less than everything, as in 0.999",
            )
        if not 0 < self.target < 1:
            hint = f"a ratio is meant: {self.target / 100:g}" if 1 < self.target < 100 else "give a ratio, as in 0.999"
            raise DefinitionError(f"an objective of {self.target:g} is not between 0 and 1", hint)

    @property
    def allowance(self) -> float:
        """The share of events that may go wrong."""
        return round(1 - self.target, 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnRate:
    """When a budget is spent so fast that somebody has to know.

    Args:
        severity: critical to page, warning for a ticket.
        spends: the share of the whole budget that is gone when it fires, if the errors keep their pace.
        long: the window that has to show it, a PromQL duration.
        short: the window that has to show it as well, so that it ends soon after the errors do.

    Source: the SRE workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts"
    (https://sre.google/workbook/alerting-on-slos/).
    """

    severity: Severity
    spends: float
    long: str
    short: str
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        if not 0 < self.spends < 1:
            raise DefinitionError(
                f"a burn rate spends {self.spends:g} of the budget", "give a share between 0 and 1, as in spends=0.02"
            )
        if not 60 <= positive(self.short) < positive(self.long):
            raise DefinitionError(
                f"the short window of a burn rate is {self.short}, its long one {self.long}",
                "the short one is at least 1m, and shorter than the long one: a twelfth of it",
            )

    def factor(self, window: str) -> float:
        """Return the burn rate: how many times faster than its window the budget is spent."""
        return round(self.spends * seconds(window) / seconds(self.long), 6)


SRE_WORKBOOK = (
    BurnRate(severity=Severity.CRITICAL, spends=0.02, long="1h", short="5m"),
    BurnRate(severity=Severity.CRITICAL, spends=0.05, long="6h", short="30m"),
    BurnRate(severity=Severity.WARNING, spends=0.10, long="3d", short="6h"),
)
"""The workbook's recommended parameters (its table 5-8): of a 30-day budget they burn at 14.4, 6 and 1.

Its examples have a fourth, 10 % in a day. It can go: what spends 10 % in a day has spent 10 % in three days, so the
alert fires at the same moment without it.
"""
WEEK = (
    BurnRate(severity=Severity.CRITICAL, spends=0.05, long="1h", short="5m"),
    BurnRate(severity=Severity.CRITICAL, spends=0.10, long="6h", short="30m"),
    BurnRate(severity=Severity.WARNING, spends=0.20, long="1d", short="2h"),
)
"""For windows of about a week, of which an hour is a larger share: of 7 days they burn at 8.4, 2.8 and 1.4."""
DAY = (
    BurnRate(severity=Severity.CRITICAL, spends=0.25, long="1h", short="5m"),
    BurnRate(severity=Severity.WARNING, spends=0.25, long="3h", short="15m"),
)
"""For windows of about a day: of one day they burn at 6 and 2."""


def usual(window: str) -> tuple[BurnRate, ...]:
    """Return the burn rates that are usual for a budget's window, the fastest first."""
    days = seconds(window) / 86_400
    return SRE_WORKBOOK if days >= 28 else WEEK if days >= 5 else DAY
