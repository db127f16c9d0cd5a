"""Error budgets: how many events of a window may go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from obsgen.errors import DefinitionError, Location, here
from obsgen.model.rule import Level, Runbook
from obsgen.promql.label import Label, Matcher
from obsgen.promql.metric import Counter, positive
from obsgen.promql.tree import Series
from obsgen.promql.units import Unit
from obsgen.shape import conform


@dataclass(frozen=True, eq=False, kw_only=True)
class BudgetSeries(Series):
    """The series that an error budget records, by its name."""

    name: str
    title: str
    help: str
    label_names: frozenset[str] = frozenset()
    unit: Unit = Unit.RATIO


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBudget:
    """The share of events in a rolling window that went well: 1 minus the error rate.

    Args:
        name: the recorded series.
        title: what a panel that shows it is called.
        help: what it tells, as a sentence.
        bad: counts the events that went wrong.
        total: counts all events.
        by: the labels that have a budget each; both counters carry them.
        window: the rolling window, a PromQL duration.
        min_events: below so many events in the window the budget alerts on nothing.
        alert: name of the alert on the budget.
        applies_to: the label values that alert.
        fires: the levels of the alert.
        summary: as of an `Alert`.
        description: as of an `Alert`.
        runbook: as of an `Alert`.
    """

    name: str
    title: str
    help: str
    bad: Counter
    total: Counter
    by: Sequence[Label]
    window: str
    min_events: int
    alert: str
    applies_to: Matcher | None = None
    fires: Level | Sequence[Level]
    summary: str
    description: str
    runbook: Runbook
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        if positive(self.window) < 3600:
            raise DefinitionError(f"a window of {self.window} is too short for a budget", "give an hour or more")
        if self.min_events < 0:
            raise DefinitionError(f"{self.min_events} events cannot be", "min_events is 0 or more")
        for level in (self.fires,) if isinstance(self.fires, Level) else self.fires:
            threshold = level.threshold
            if threshold is None or not 0 < threshold.value <= 1 or "<" not in threshold.comparison.value:
                raise DefinitionError(
                    f"a level of {self.alert} says nothing about a budget, which goes from 1 down to 0",
                    "write it as in warning(below=0.8)",
                )

    @property
    def remaining(self) -> BudgetSeries:
        """The recorded budget, from 1 (no event went wrong) down to 0."""
        return BudgetSeries(name=self.name, title=self.title, help=self.help, label_names=self._labels)

    @property
    def requests(self) -> BudgetSeries:
        """All events of the window."""
        return self._counted(self.total, "all events")

    @property
    def errors(self) -> BudgetSeries:
        """The events of the window that went wrong."""
        return self._counted(self.bad, "events that went wrong")

    @property
    def _labels(self) -> frozenset[str]:
        return frozenset(label.name for label in self.by)

    def _counted(self, counter: Counter, what: str) -> BudgetSeries:
        return BudgetSeries(
            name=self.recorded_name(counter, self.window),
            title=f"{counter.title}, {self.window}",
            help=f"{counter.title} in the budget's window of {self.window}: {what}.",
            label_names=self._labels,
            unit=Unit.COUNT,
        )

    def recorded_name(self, counter: Counter, window: str) -> str:
        """Return the name under which the growth of a counter over a window is recorded."""
        level = "_".join(label.name for label in self.by) or "all"
        return f"{level}:{counter.name.removesuffix('_total')}:increase{window}"
