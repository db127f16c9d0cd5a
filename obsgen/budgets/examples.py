"""Series that a budget counts, with traffic of any course: what its proofs are made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from obsgen.budgets.tiles import sources
from obsgen.model.budget import ErrorBudget
from obsgen.model.objective import Objective
from obsgen.model.proof import Given
from obsgen.model.sli import Events, Latency, TimeSlices
from obsgen.promql import notation
from obsgen.promql.functions import up
from obsgen.promql.infer import COMPARISONS, core
from obsgen.promql.label import Label, Matcher
from obsgen.promql.metric import Vector, as_selector
from obsgen.promql.text import number
from obsgen.promql.tree import Binary, Number, Selector, Series

EXAMPLE = "example"

Runs = tuple[tuple[float, int], ...]
"""(events of a minute, minutes), one after the other."""


@dataclass(frozen=True, slots=True)
class Course:
    """Traffic of a proof.

    Attributes:
        history: minutes without errors, before the proof looks.
        bad: the bad events after that.
        total: events of every minute.
    """

    history: int
    bad: Runs
    total: float

    def bad_counter(self) -> str:
        """Return the samples of a counter of the bad events."""
        return _counter(((0.0, self.history), *self.bad))

    def good_counter(self) -> str:
        """Return the samples of a counter of the good events."""
        good = ((max(self.total, bad) - bad, minutes) for bad, minutes in self.bad)
        return _counter(((self.total, self.history), *good))

    def counter(self) -> str:
        """Return the samples of a counter of all events. A bad one is an event, however few there are on average."""
        return _counter(((self.total, self.history), *((max(self.total, bad), minutes) for bad, minutes in self.bad)))

    def gauge(self, good: float, bad: float) -> str:
        """Return the samples of a gauge that says whether a minute is bad."""
        states = ((0.0, self.history + 1), *self.bad)
        return " ".join(_run(bad if is_bad else good, 0, minutes - 1) for is_bad, minutes in states if minutes)


def _counter(runs: Runs) -> str:
    """Return the samples of a counter, which is 0 at first and then grows as told."""
    texts, value = ["0"], 0.0
    for step, minutes in runs:
        if minutes:
            texts.append(_run(value + step, step, minutes - 1))
            value += step * minutes
    return " ".join(texts)


def _run(start: float, step: float, times: int) -> str:
    plus = f"+{_short(step)}" if step and times else ""
    return f"{_short(start)}{plus}x{times}"


def _short(value: float) -> str:
    return number(round(value, 12))


def values_of(budget: ErrorBudget, objective: Objective) -> dict[Label, str] | None:
    """Return label values that have the objective, None where none can be told."""
    found = {label: label.values[0] if label.values else EXAMPLE for label in budget.by}
    if objective.where is not None:
        value = _fitting(objective.where)
        if value is None:
            return None
        found[objective.where.label] = value
    earlier = budget.objectives[: list(budget.objectives).index(objective)]
    if any(o.where is None or _fits(o.where, found.get(o.where.label, "")) for o in earlier):
        return None
    return found


def _fitting(matcher: Matcher, *, fits: bool = True) -> str | None:
    """Return a value that fits a matcher, or one that does not; None where none can be told."""
    known = matcher.label.values or (EXAMPLE, "200", "500", "404")
    return next((value for value in (*matcher.literals, *known) if _fits(matcher, value) is fits), None)


def _fits(matcher: Matcher, value: str) -> bool:
    if matcher.operator in ("=", "!="):
        return (matcher.value == value) == (matcher.operator == "=")
    return bool(re.fullmatch(matcher.value, value)) == (matcher.operator == "=~")


def given_by(budget: ErrorBudget, values: Mapping[Label, str], course: Course) -> Given | None:
    """Return series that the budget counts, with their targets scraped all the time; None where they cannot be told."""
    given = _given_by(budget, values, course)
    if given is None:
        return None
    longest = max(map(notation.length, given.values()))
    return {**{up(source): f"1x{longest - 1}" for source in sources(budget)}, **given}


def _given_by(budget: ErrorBudget, values: Mapping[Label, str], course: Course) -> Given | None:
    sli = budget.sli
    if isinstance(sli, TimeSlices):
        return _gauge(sli, values, course)
    if isinstance(sli, Latency):
        return _series({sli.total: course.counter(), sli.good: course.good_counter()}, values)
    assert isinstance(sli, Events)
    if as_selector(sli.part).series == as_selector(sli.total).series:
        return _one_counter(sli, values, course)
    part = course.good_counter() if sli.kind == "good" else course.bad_counter()
    return _series({sli.total: course.counter(), sli.part: part}, values)


def _one_counter(sli: Events, values: Mapping[Label, str], course: Course) -> Given | None:
    """Return the series of a counter of which some are the part, and others are not."""
    part, whole = as_selector(sli.part), as_selector(sli.total)
    own = next((matcher for matcher in part.matchers if matcher not in whole.matchers), None)
    other = _fitting(own, fits=False) if own is not None else None
    if own is None or other is None:
        return None
    counted, rest = course.bad_counter(), course.good_counter()
    if sli.kind == "good":
        counted, rest = rest, counted
    left = whole.where(own.label.equals(other))
    inside, outside = _series({part: counted}, values), _series({left: rest}, values)
    return inside | outside if inside is not None and outside is not None else None


def _series(texts: Mapping[Vector, str], values: Mapping[Label, str]) -> Given | None:
    found: Given = {}
    for vector, text in texts.items():
        selector = as_selector(vector)
        own = {label: value for label, value in values.items() if label.name in selector.series.label_names}
        for matcher in selector.matchers:
            value = own.get(matcher.label) or _fitting(matcher)
            if value is None or not _fits(matcher, value):
                return None
            own[matcher.label] = value
        matchers = tuple(label.equals(value) for label, value in own.items())
        found[Selector(selector.series, matchers, selector.suffix)] = text
    return found


def _gauge(sli: TimeSlices, values: Mapping[Label, str], course: Course) -> Given | None:
    match sli.good:
        case Binary(operator=operator, left=left, right=Number(value=limit)) if operator in COMPARISONS:
            series = core(left)
            higher, lower = limit + 1, limit - 1
            good = {">": higher, ">=": limit, "<": lower, "<=": limit, "==": limit, "!=": higher}[operator]
            bad = {">": lower, ">=": lower, "<": higher, "<=": higher, "==": lower, "!=": limit}[operator]
            return _series({series: course.gauge(good, bad)}, values) if isinstance(series, Series) else None
    return None
