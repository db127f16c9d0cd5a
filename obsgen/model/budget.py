"""Error budgets: how many events of a window may go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from obsgen.errors import DefinitionError, Location, here
from obsgen.model.objective import BurnRate, Objective, usual
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
        burn_rates: when to alert; those usual for the window when left out: of 28 days or more the SRE workbook's.
        min_bad_events: fewer bad events than this in the long window of a burn rate alert nobody; when left out 5, but
            1 of minutes, which are never too few to tell.
        min_events: of fewer events in the window the success ratio alerts nobody.
        min_coverage: the share of the window in which the rules must have been evaluated and the sources scraped,
            before the success ratio alerts anybody or the budget counts as used up. Burn rates look at hours, not at
            the window, and need no more data than these.
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
        return tuple(burn for burn in usual(self.window) if 1 <= burn.factor(self.window) < 1 / least)

    def burns_at(self, severity: Severity) -> bool:
        """Return whether any burn rate has a severity."""
        return any(burn.severity is severity for burn in self.burns)

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
    def used_up(self) -> str:
        """Name of the alert on a budget of which nothing remains."""
        return f"{camel(self.name)}BudgetUsedUp"

    @property
    def data_missing(self) -> str:
        """Name of the alert on a budget whose data are incomplete."""
        return f"{camel(self.name)}BudgetDataMissing"

    @property
    def bucket_missing(self) -> str:
        """Name of the alert on a histogram that lacks the objective's bucket."""
        return f"{camel(self.name)}BucketMissing"

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
    def measured(self) -> BudgetSeries:
        """Whether what the budget counts could be scraped, for each tile of five minutes."""
        told = f"1 for five minutes in which the sources of {self.title} could be scraped, else 0."
        return self._of_all("measured5m", "Measured", told)

    @property
    def coverage(self) -> BudgetSeries:
        """The share of the window that has data: of all its series together, for a series that is new lacks none."""
        told = (
            f"The share of the last {spoken(self.window)} in which the rules of {self.title} were evaluated and its "
            "sources could be scraped."
        )
        return self._of_all(f"coverage{self.window}", "Data in the window", told)

    def since_outage(self, which: str, window: str) -> BudgetSeries:
        """Return the series of a window's events (`total` or `bad`) that is recorded only right after an outage."""
        what = f"All {self.events}" if which == "total" else f"Bad {self.events}"
        told = (
            f"{what} of {self.title} in {spoken(window)}, at the first evaluation after one that was missed. Else it "
            "has no value."
        )
        name = f"{self.name}_{which}:increase{window}_after_outage"
        return self._series(name, f"{what}, {window}", told, Unit.COUNT)

    def burn_rate(self, window: str) -> BudgetSeries:
        """Return the burn rate over a window: at 1 the budget lasts exactly its own window."""
        told = f"How many times faster than allowed the error budget of {self.title} was spent in {spoken(window)}."
        return self._budget(f"burn_rate{window}", f"Burn rate, {window}", told, Unit.TIMES)

    @property
    def exhausted_in(self) -> BudgetSeries:
        """Seconds until nothing is left, at the pace of the last hours. No value while nothing burns."""
        told = f"Seconds until the error budget of {self.title} is used up, if errors go on as in the last "
        return self._budget("exhausted_in_seconds", "Exhausted in", f"{told}{spoken(self.pace)}.", Unit.SECONDS)

    @property
    def pace(self) -> str:
        """The window whose burn rate tells when the budget will be spent."""
        return min((b.long for b in self.burns), key=lambda long: abs(seconds(long) - 6 * 3600), default="6h")

    def _budget(self, operation: str, title: str, told: str, unit: Unit = Unit.RATIO) -> BudgetSeries:
        return self._series(f"{self.name}_budget:{operation}", title, told, unit)

    def _series(self, name: str, title: str, told: str, unit: Unit) -> BudgetSeries:
        return BudgetSeries(name=f"{self.level}:{name}", title=title, help=told, label_names=self._labels, unit=unit)

    def _of_all(self, operation: str, title: str, told: str) -> BudgetSeries:
        return BudgetSeries(name=f"all:{self.name}_budget:{operation}", title=title, help=told)

    @property
    def _labels(self) -> frozenset[str]:
        return frozenset(label.name for label in self.by)
