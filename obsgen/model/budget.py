"""Error budgets: how many events of a window may go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from obsgen.errors import DefinitionError, Location, here
from obsgen.model.proof import Proof
from obsgen.model.rule import Level, Runbook, Step
from obsgen.model.severity import Severity
from obsgen.model.sli import Sli, TimeSlices, sli_labels
from obsgen.promql.label import Label, Matcher
from obsgen.promql.metric import positive, seconds
from obsgen.promql.tree import Series
from obsgen.promql.units import Unit
from obsgen.shape import conform
from obsgen.words import camel, spoken

DAY = 86_400


@dataclass(frozen=True, eq=False, kw_only=True)
class BudgetSeries(Series):
    """A series that an error budget records, by its name."""

    name: str
    title: str
    help: str
    label_names: frozenset[str] = frozenset()
    unit: Unit = Unit.RATIO


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SuccessRatio:
    """The share of the window's events that went well, published under a name of its own.

    It is 1 minus the error rate: not what is left of an objective's budget, which is gone long before this moves. Its
    alert is for documents that promise something about this number.

    Args:
        name: the recorded series.
        title: what a panel that shows it is called.
        help: what it tells, as a sentence.
        alert: name of the alert on it.
        applies_to: the label values that alert; all when left out.
        fires: the levels of the alert.
        summary: as of an `Alert`.
        description: as of an `Alert`.
        runbook: as of an `Alert`.
    """

    name: str
    title: str
    help: str
    alert: str
    applies_to: Matcher | None = None
    fires: Level | Sequence[Level]
    summary: str
    description: str
    runbook: Runbook
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fires", (self.fires,) if isinstance(self.fires, Level) else self.fires)
        conform(self)
        for level in self.levels:
            threshold = level.threshold
            if threshold is None or not 0 < threshold.value <= 1 or "<" not in threshold.comparison.value:
                raise DefinitionError(
                    f"a level of {self.alert} says nothing about a ratio that goes from 1 down to 0",
                    "write it as in warning(below=0.8)",
                )

    @property
    def levels(self) -> tuple[Level, ...]:
        """Its levels, as they were given."""
        return (self.fires,) if isinstance(self.fires, Level) else tuple(self.fires)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBudget:
    """How many events of a rolling window may go wrong, how many did, and how fast they do.

    Args:
        name: its id: the names of its recorded series and alerts begin with it.
        title: what is promised, for tables and panels.
        help: what counts as an event and what as a bad one, as a sentence.
        sli: what is counted.
        by: the labels that have a budget each.
        objectives: the first that fits a label value is its own. Without any, nothing is promised.
        window: the rolling window, a PromQL duration.
        burn_rates: when to alert; those of the SRE workbook that suit the window when left out.
        min_bad_events: fewer bad events than this in the long window of a burn rate alert nobody; when left out 5, but
            1 of minutes, which are never too few to tell.
        min_events: of fewer events in the window the success ratio alerts nobody.
        min_coverage: the share of the window that must have data before the success ratio alerts anybody. Burn rates
            look at hours, not at the window, and need no more data than these.
        success: the success ratio, where it is published.
        impact: what users notice, as a sentence.
        diagnosis: how to find the cause, for the runbooks of its burn rates.
        mitigation: how to make it stop.
        proofs: further proofs of its alerts (each says which, with `of`) and of its recorded series.
    """

    name: str
    title: str
    help: str
    sli: Sli
    by: Sequence[Label] = ()
    objectives: Sequence[Objective] = ()
    window: str = "30d"
    burn_rates: Sequence[BurnRate] | None = None
    min_bad_events: int | None = None
    min_events: int = 100
    min_coverage: float = 0.5
    success: SuccessRatio | None = None
    impact: str
    diagnosis: Sequence[Step | str] = ()
    mitigation: Sequence[Step | str]
    proofs: Sequence[Proof] = ()
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        if positive(self.window) < DAY:
            raise DefinitionError(f"a window of {self.window} is too short for a budget", "give a day or more")
        if self.min_events < 0 or self.enough < 1:
            raise DefinitionError(
                f"{self.min_events} events of which {self.enough} are bad cannot be a minimum",
                "min_events is 0 or more, min_bad_events 1 or more",
            )
        if not 0 <= self.min_coverage <= 1:
            raise DefinitionError(
                f"a coverage of {self.min_coverage:g} cannot be", "min_coverage is a share of the window, from 0 to 1"
            )
        if not self.objectives and self.success is None:
            raise DefinitionError(
                f"budget {self.name} promises nothing", "give it objectives=(Objective(0.999),), or a success ratio"
            )
        self._check_burn_rates()
        self._check_labels()

    def _check_burn_rates(self) -> None:
        for burn in self.burn_rates or ():
            if seconds(burn.long) >= seconds(self.window):
                raise DefinitionError(
                    f"the window of budget {self.name}, {self.window}, is not longer than its burn window of "
                    f"{burn.long}",
                    "shorten the burn window, or lengthen the budget's",
                )
            for objective in self.objectives:
                share = burn.factor(self.window) * objective.allowance
                if share >= 1:
                    raise DefinitionError(
                        f"budget {self.name} cannot burn {burn.factor(self.window):g} times too fast with an objective "
                        f"of {objective.target:g}: {share:.0%} of all {self.events} would have to be bad",
                        "leave the burn rate out, or give it a longer window",
                    )

    def _check_labels(self) -> None:
        for what, has in sli_labels(self.sli):
            for label in self.by:
                if has is not None and label.name not in has:
                    raise DefinitionError(
                        f"budget {self.name} is by {label.name!r}, which {what} does not have",
                        f"its labels are {', '.join(sorted(has))}: all that the SLI reads needs those of by=...",
                    )
        applies = (self.success.applies_to,) if self.success is not None else ()
        for matcher in (*(objective.where for objective in self.objectives), *applies):
            if matcher is not None and matcher.label.name not in self._labels:
                raise DefinitionError(
                    f"budget {self.name} picks values of {matcher.label.name!r}, by which it does not count",
                    f"add the label to by=..., or pick values of {', '.join(sorted(self._labels)) or 'nothing'}",
                )
        for objective in self.objectives[:-1]:
            if objective.where is None:
                raise DefinitionError(
                    f"the objective of {objective.target:g} of budget {self.name} leaves nothing to those after it",
                    "the first that fits counts: put the one without where=... last",
                )

    @property
    def burns(self) -> tuple[BurnRate, ...]:
        """When it alerts, the fastest first. Of the workbook's burn rates, those that would ever spend the budget."""
        if self.burn_rates is not None:
            return tuple(self.burn_rates)
        least = max((objective.allowance for objective in self.objectives), default=1.0)
        return tuple(
            burn
            for burn in SRE_WORKBOOK
            if seconds(burn.long) < seconds(self.window) and 1 <= burn.factor(self.window) < 1 / least
        )

    @property
    def enough(self) -> int:
        """The fewest bad events in the long window of a burn rate that alert."""
        if self.min_bad_events is not None:
            return self.min_bad_events
        return 1 if isinstance(self.sli, TimeSlices) else 5

    @property
    def events(self) -> str:
        """What its events are called."""
        return "minutes" if isinstance(self.sli, TimeSlices) else "events"

    def burn_alert(self, severity: Severity) -> str:
        """Return the name of the alert on its burn rates of a severity."""
        how = {Severity.CRITICAL: "Fast", Severity.WARNING: "Slowly"}.get(severity, "Somewhat")
        return f"{camel(self.name)}BudgetBurns{how}"

    @property
    def level(self) -> str:
        """The first part of the names of its recorded series: the labels that are left."""
        return "_".join(label.name for label in self.by) or "all"

    @property
    def total(self) -> BudgetSeries:
        """All events of the window."""
        return self.counted("total", self.window)

    @property
    def bad(self) -> BudgetSeries:
        """The bad events of the window."""
        return self.counted("bad", self.window)

    def counted(self, which: str, window: str) -> BudgetSeries:
        """Return the series that counts all events (`total`) or the bad ones (`bad`) of a window."""
        name, what = ("total", f"All {self.events}") if which == "total" else ("bad", f"Bad {self.events}")
        title, told = f"{what}, {window}", f"{what} of {self.title} in {spoken(window)}."
        return self._series(f"{self.name}_{name}:increase{window}", title, told, Unit.COUNT)

    @property
    def ratio(self) -> BudgetSeries:
        """The success ratio.

        Raises:
            DefinitionError: the budget publishes none.
        """
        if self.success is None:
            raise DefinitionError(f"budget {self.name} publishes no success ratio", "give it success=SuccessRatio(...)")
        return BudgetSeries(
            name=self.success.name, title=self.success.title, help=self.success.help, label_names=self._labels
        )

    @property
    def remaining(self) -> BudgetSeries:
        """What is left of the objective's allowance: 1 is all, 0 nothing, below 0 the objective is missed."""
        told = f"What is left of the errors that the objective of {self.title} allows in {spoken(self.window)}: "
        return self._budget(f"remaining{self.window}", "Error budget left", told + "1 is all; below 0 it is missed.")

    @property
    def objective(self) -> BudgetSeries:
        """The objective that holds for each series."""
        told = f"The share of the {self.events} of {self.title} that is to go well."
        return self._budget("objective", "Objective", told)

    @property
    def coverage(self) -> BudgetSeries:
        """The share of the window that has data."""
        told = f"The share of the last {spoken(self.window)} for which the {self.events} of {self.title} are known."
        return self._budget(f"coverage{self.window}", "Data in the window", told)

    def burn_rate(self, window: str) -> BudgetSeries:
        """Return the burn rate over a window: at 1 the budget lasts exactly its own window."""
        told = f"How many times faster than allowed {self.title} spent its error budget in the last {spoken(window)}."
        return self._budget(f"burn_rate{window}", f"Burn rate, {window}", told, Unit.TIMES)

    @property
    def exhausted_in(self) -> BudgetSeries:
        """Seconds until nothing is left, at the pace of the last hours. No value while nothing burns."""
        told = f"When nothing of the error budget of {self.title} is left, if errors go on as in the last "
        return self._budget("exhausted_in_seconds", "Exhausted in", f"{told}{spoken(self.pace)}.", Unit.SECONDS)

    @property
    def pace(self) -> str:
        """The window whose burn rate tells when the budget will be spent."""
        return min((b.long for b in self.burns), key=lambda long: abs(seconds(long) - 6 * 3600), default="6h")

    def _budget(self, operation: str, title: str, told: str, unit: Unit = Unit.RATIO) -> BudgetSeries:
        return self._series(f"{self.name}_budget:{operation}", title, told, unit)

    def _series(self, name: str, title: str, told: str, unit: Unit) -> BudgetSeries:
        return BudgetSeries(name=f"{self.level}:{name}", title=title, help=told, label_names=self._labels, unit=unit)

    @property
    def _labels(self) -> frozenset[str]:
        return frozenset(label.name for label in self.by)
