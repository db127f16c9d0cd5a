"""Alerts and recordings: what Prometheus evaluates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from obsgen.errors import DefinitionError, Location, here
from obsgen.model.proof import Proof
from obsgen.model.routing import Notify
from obsgen.model.severity import Severity
from obsgen.promql.infer import labels_of
from obsgen.promql.metric import positive, seconds
from obsgen.promql.quantity import is_share, unit_of
from obsgen.promql.reader import PromQLError
from obsgen.promql.tree import Binary, Expr, Number, Series
from obsgen.promql.units import Unit
from obsgen.shape import conform

VALUE = "{{ $value }}"
"""In an alert's text: the value that made it fire, in its unit."""
THRESHOLD = "{{ threshold }}"
"""In an alert's text: the threshold of the level that fires, in its unit."""
HOLD = "{{ hold }}"
"""In an alert's text: how long the condition held before the alert fired."""
ALERT_INTERVAL = "30s"
"""How often alerts are evaluated: as often as most sources are scraped."""


class Comparison(Enum):
    """How a value is compared with a threshold."""

    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="
    EQUALS = "=="
    DIFFERS = "!="

    @property
    def ordered(self) -> bool:
        """Whether values lie on one side of the threshold or the other: it can be drawn as a line."""
        return self not in (Comparison.EQUALS, Comparison.DIFFERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A comparison and its number, in the unit of what is compared."""

    comparison: Comparison
    value: float

    def __post_init__(self) -> None:
        conform(self)
        object.__setattr__(self, "value", float(self.value))
        if not math.isfinite(self.value):
            raise DefinitionError(f"a threshold of {self.value} is never reached", "give a number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One severity of an alert. Use `critical(...)`, `warning(...)` or `info(...)`.

    Attributes:
        severity: what it asks of people.
        threshold: what the value is compared with; None when the expression alone decides.
        hold: how long the condition has to hold first (`for`), a PromQL duration.
        keep_firing: how long it goes on firing after the condition ended (`keep_firing_for`, since Prometheus 2.42).
        at: the line that said so.
    """

    severity: Severity
    threshold: Threshold | None
    hold: str
    keep_firing: str
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        seconds(self.hold)
        seconds(self.keep_firing)


def level(
    severity: Severity,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    equals: float | None = None,
    differs: float | None = None,
    hold: str = "0s",
    keep_firing: str = "0s",
) -> Level:
    """Return a level of an alert.

    Args:
        severity: what it asks of people.
        above: fire when the value is above this number, in the unit of the alert's expression.
        at_least: as `above`, the number included.
        below: fire when the value is below this number.
        at_most: as `below`, the number included.
        equals: fire when the value is this number.
        differs: fire when the value is any other than this number, NaN included: for the one state that is healthy.
            Without any of the six, every series of the expression fires.
        hold: how long the condition has to hold first, a PromQL duration.
        keep_firing: how long to go on firing after the condition ended, a PromQL duration.

    Raises:
        DefinitionError: there are several thresholds.
    """
    said = [
        Threshold(comparison=comparison, value=value)
        for comparison, value in zip(Comparison, (above, at_least, below, at_most, equals, differs), strict=True)
        if value is not None
    ]
    if len(said) > 1:
        raise DefinitionError(
            f"a level has one threshold, not {len(said)}",
            "guard the expression instead: finite(x), x.and_(traffic > 20)",
        )
    return Level(severity=severity, threshold=said[0] if said else None, hold=hold, keep_firing=keep_firing)


critical = partial(level, Severity.CRITICAL)
"""A level that wakes somebody: `critical(above=250, hold="2m")`."""
warning = partial(level, Severity.WARNING)
"""A level that somebody acts on in working hours."""
info = partial(level, Severity.INFO)
"""A level that only shows on dashboards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do in a runbook.

    Args:
        text: what to do or look for, as a sentence.
        query: PromQL to run for it. A window that is open becomes 5m.
    """

    text: str
    query: Expr | None = None

    def __post_init__(self) -> None:
        conform(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """What to know and do when an alert fires, for somebody who was asleep a minute ago.

    `THRESHOLD` and `HOLD` may stand in its texts: they become those of all the levels.

    Args:
        meaning: what is the case.
        impact: what users notice.
        diagnosis: how to find the cause, in order; a plain string is a step without a query.
        mitigation: how to make it stop, in order.
        reason: why the threshold, the hold and the severity are what they are.
    """

    meaning: str
    impact: str
    diagnosis: Sequence[Step | str]
    mitigation: Sequence[Step | str]
    reason: str = ""

    def __post_init__(self) -> None:
        conform(self)
        for name in ("diagnosis", "mitigation"):
            steps = (Step(text=step) if isinstance(step, str) else step for step in getattr(self, name))
            object.__setattr__(self, name, tuple(steps))

    @property
    def diagnosis_steps(self) -> tuple[Step, ...]:
        """The steps of the diagnosis."""
        return tuple(step for step in self.diagnosis if isinstance(step, Step))

    @property
    def mitigation_steps(self) -> tuple[Step, ...]:
        """The steps of the mitigation."""
        return tuple(step for step in self.mitigation if isinstance(step, Step))


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A condition that people have to know of.

    Args:
        name: CamelCase, unique in the catalog.
        expr: what is watched. A level's threshold is compared with its value.
        fires: its levels: `critical(above=250, hold="2m")`, or a list of them.
        summary: one sentence without templates, for a list of alerts.
        description: what is the case, with `LABEL.value`, `VALUE`, `THRESHOLD` and `HOLD` where they belong.
        runbook: what to do.
        unit: the unit of its value; inferred from the expression when left out. State it after arithmetic:
            `TRAFFIC * 8 / 1e6` has none that could be told.
        notify: who is told of it, where that is not whom its domain or team names.
        fleeting: why nobody has to hear of it once it is over. An alert that only tells people at certain hours needs
            this, or has to fire on until these begin.
        when: when it fires, in words, for a level without a threshold: "the target is up and x is missing".
        proofs: with which series it fires, and with which it stays quiet.
        equivalent: changes of the rule that make no difference, as `obsgen prove --mutate` names them, each with the
            reason.
        interval: how often it is evaluated, a PromQL duration.

    Raises:
        DefinitionError: `expr` is a bool, as it is after Python's `==`.
    """

    name: str
    expr: Expr
    fires: Level | Sequence[Level]
    summary: str
    description: str
    runbook: Runbook
    unit: Unit = Unit.NONE
    notify: Notify | None = None
    fleeting: str = ""
    when: str = ""
    proofs: Sequence[Proof] = ()
    interval: str = ALERT_INTERVAL
    equivalent: Mapping[str, str] = field(default_factory=dict, hash=False)
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.expr, Expr):
            raise DefinitionError(
                f"the expression of alert {self.name} is {self.expr!r}, not PromQL",
                "Python's == compares objects: use fires=critical(equals=0), or expr.equals(0)",
            )
        object.__setattr__(self, "fires", (self.fires,) if isinstance(self.fires, Level) else self.fires)
        conform(self)
        positive(self.interval)
        if self.unit is Unit.NONE:
            object.__setattr__(self, "unit", unit_of(self.expr))

    @property
    def levels(self) -> tuple[Level, ...]:
        """Its levels, as they were given."""
        return (self.fires,) if isinstance(self.fires, Level) else tuple(self.fires)

    @property
    def share(self) -> bool:
        """Whether its value is certainly from 0 to 1."""
        return _share(self.expr, self.unit)


def _share(expr: Expr, unit: Unit) -> bool:
    """Return whether values are from 0 to 1: the expression proves it, or its author has stated it."""
    return unit is Unit.RATIO and (is_share(expr) or unit_of(expr) is not Unit.RATIO)


def level_expr(alert: Alert, level: Level) -> Expr:
    """Return the expression of one level of an alert: what is watched, compared with the level's threshold."""
    if level.threshold is None:
        return alert.expr
    return Binary(level.threshold.comparison.value, alert.expr, Number(level.threshold.value))


@dataclass(frozen=True, eq=False, kw_only=True)
class Recording(Series):
    """A recording rule. It is a series: use it in other expressions as it is.

    Args:
        name: `level:metric:operations`, the level being the labels that are left. A name without a colon
            publishes the series under a metric's name.
        expr: what is recorded.
        title: what a panel that shows it is called.
        help: what it tells, as a sentence.
        unit: its unit; inferred from the expression when left out.
        interval: how often it is evaluated, a PromQL duration.
        proofs: which values it records of which series.
        equivalent: as of an `Alert`.
        budget: name of the error budget that it is a part of; obsgen sets it.

    Source of the naming: https://prometheus.io/docs/practices/rules/
    """

    name: str
    expr: Expr
    title: str
    help: str
    unit: Unit = Unit.NONE
    interval: str = "30s"
    proofs: Sequence[Proof] = ()
    equivalent: Mapping[str, str] = field(default_factory=dict, hash=False)
    budget: str = ""
    at: Location = field(default_factory=here, repr=False, compare=False)
    labels: frozenset[str] = field(default=frozenset(), init=False, repr=False)

    def __post_init__(self) -> None:
        conform(self)
        positive(self.interval)
        if self.unit is Unit.NONE:
            object.__setattr__(self, "unit", unit_of(self.expr))
        try:
            labels = labels_of(self.expr)
        except (PromQLError, DefinitionError):
            labels = None  # the checks report it, with everything else
        object.__setattr__(self, "labels", labels or frozenset())

    @property
    def label_names(self) -> frozenset[str]:
        """Names of the labels that the expression's result carries."""
        return self.labels

    @property
    def share(self) -> bool:
        """Whether its values are certainly from 0 to 1."""
        return _share(self.expr, self.unit)
