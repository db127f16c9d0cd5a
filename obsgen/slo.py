"""Error budgets at a terminal: what they promise, when they alert, what their rules cost, and where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from obsgen.budgets import alerts, recordings
from obsgen.errors import ObsgenError
from obsgen.model.budget import BudgetSeries, ErrorBudget
from obsgen.model.catalog import Catalog, Domain
from obsgen.model.rule import level_expr
from obsgen.prometheus import Prometheus
from obsgen.promql import reader
from obsgen.promql.metric import Metric, seconds
from obsgen.promql.text import render
from obsgen.promql.tree import series_in
from obsgen.promql.units import Unit
from obsgen.report import Document, Lines, say
from obsgen.style import columns
from obsgen.words import outage

SCRAPED = 30.0
"""Seconds from one sample to the next of series whose source is not known."""


PROMISES = ("budget", "each", "objective", "where", "window", "may be bad", "full outage", "rules", "samples/min")
BURNS = ("budget", "alert", "severity", "burn rate", "over", "and over", "spends", "with at least")
STATES = ("budget", "of", "left", "burn rate", "exhausted in", "bad", "all", "data")


@dataclass(frozen=True, slots=True)
class Promise:
    """An objective of a budget.

    Attributes:
        budget: the budget's name.
        by: the labels that have a budget each.
        objective: the share that is to go well.
        where: the label values that it holds for; empty for all others.
        window: the rolling window, a PromQL duration.
        per_million: how many of a million events may be bad.
        minutes: how many minutes of full outage that is.
        samples_per_minute: what the budget's rules read in a minute, for each label value with one raw series.
        rules: how many rules it has.
    """

    budget: str
    by: list[str]
    objective: float
    where: str
    window: str
    per_million: float
    minutes: float
    samples_per_minute: float
    rules: int


@dataclass(frozen=True, slots=True)
class Burn:
    """A burn rate of a budget that alerts."""

    budget: str
    alert: str
    severity: str
    burn_rate: float
    long: str
    short: str
    spends: float
    min_bad_events: int


@dataclass(frozen=True, slots=True)
class State:
    """Where a budget stands for one combination of label values; None where nothing is recorded.

    Attributes:
        remaining: what is left of the objective's allowance: 1 is all.
        burn_rate: over the window `pace` of the budget.
        exhausted_in: seconds until nothing is left at that pace.
        covered: the share of the window that has data.
        enough: whether that is as much as the budget asks for.
    """

    budget: str
    labels: dict[str, str]
    objective: float | None
    remaining: float | None
    burn_rate: float | None
    exhausted_in: float | None
    bad: float | None
    total: float | None
    covered: float | None
    enough: bool


@dataclass(frozen=True, slots=True)
class Slos:
    """The budgets of a catalog; `states` is None unless a Prometheus was asked."""

    promises: list[Promise]
    burns: list[Burn]
    states: list[State] | None
    notes: list[str]


def slos(catalog: Catalog, server: Prometheus | None) -> Slos:
    """Return the budgets of a catalog, and where they stand.

    Args:
        catalog: the catalog, expanded.
        server: who knows where they stand.

    Raises:
        PrometheusError: it does not answer.
    """
    found = [(domain, budget) for domain in catalog.domains for budget in domain.budgets]
    budgets = [budget for _, budget in found]
    if server is None:
        return Slos(_promises(found), _burns(budgets), None, [])
    states = [state for budget in budgets if budget.objectives for state in _states(budget, server)]
    return Slos(_promises(found), _burns(budgets), states, list(_notes(budgets, states, server)))


def _promises(found: Iterable[tuple[Domain, ErrorBudget]]) -> list[Promise]:
    rows = []
    for domain, budget in found:
        rules, samples = cost(domain, budget)
        for objective in budget.objectives:
            where = objective.where
            rows.append(
                Promise(
                    budget=budget.name,
                    by=[label.name for label in budget.by],
                    objective=objective.target,
                    where=f"{where.label.name}{where.operator}{where.value}" if where else "",
                    window=budget.window,
                    per_million=round(objective.allowance * 1_000_000, 6),
                    minutes=round(objective.allowance * seconds(budget.window) / 60, 6),
                    samples_per_minute=round(samples, 1),
                    rules=rules,
                )
            )
    return rows


def cost(domain: Domain, budget: ErrorBudget) -> tuple[int, float]:
    """Return how many rules a budget has, and how many samples they read in a minute.

    For each combination of its labels, were there one raw series of each counter: the raw part grows with the number
    of targets, the rest does not.
    """
    recorded = {recording.name: seconds(recording.interval) for recording in domain.recordings}
    rules = [(r.expr, seconds(r.interval)) for r in recordings(budget)]
    rules += [(level_expr(alert, level), seconds(alert.interval)) for alert in alerts(budget) for level in alert.levels]
    total = 0.0
    for expr, interval in rules:
        scraped = {
            s.name: seconds(s.source.interval)
            for s in series_in(expr)
            if isinstance(s, Metric) and s.source is not None
        }
        apart = recorded | scraped
        read = reader.samples(render(expr), lambda name, apart=apart: _apart(name, apart))  # type: ignore[misc]
        total += read * 60 / interval
    return len(rules), total


def _apart(name: str, known: Mapping[str, float]) -> float:
    for part in ("", "_bucket", "_count", "_sum"):
        if name.removesuffix(part) in known:
            return known[name.removesuffix(part)]
    return SCRAPED


def _burns(budgets: Iterable[ErrorBudget]) -> list[Burn]:
    return [
        Burn(
            budget=budget.name,
            alert=budget.burn_alert(burn.severity),
            severity=burn.severity.value,
            burn_rate=burn.factor(budget.window),
            long=burn.long,
            short=burn.short,
            spends=burn.spends,
            min_bad_events=budget.enough,
        )
        for budget in budgets
        for burn in budget.burns
    ]


def _states(budget: ErrorBudget, server: Prometheus) -> Iterator[State]:
    asked = {
        "objective": budget.objective,
        "remaining": budget.remaining,
        "burn_rate": budget.burn_rate(budget.pace),
        "exhausted_in": budget.exhausted_in,
        "bad": budget.bad,
        "total": budget.total,
    }
    own = [label.name for label in budget.by]
    covered = next((float(each["value"][1]) for each in server.instant(_newest(budget.coverage))), None)
    values: dict[tuple[str, ...], dict[str, float]] = {}
    for key, series in asked.items():
        for each in server.instant(_newest(series)):
            labels = tuple(each["metric"].get(name, "") for name in own)
            values.setdefault(labels, {})[key] = float(each["value"][1])
    for labels, got in sorted(values.items(), key=lambda item: (item[1].get("remaining", 2.0), item[0])):
        yield State(
            budget=budget.name,
            labels=dict(zip(own, labels, strict=True)),
            covered=covered,
            enough=(covered or 0.0) >= budget.min_coverage,
            **{key: got.get(key) for key in asked},
        )


def _newest(series: BudgetSeries) -> str:
    """Return the query for the newest value of what is recorded every quarter of an hour."""
    return f"last_over_time({series.name}[45m])"


def _notes(budgets: Sequence[ErrorBudget], states: Sequence[State], server: Prometheus) -> Iterator[str]:
    kept = server.retention()
    first = kept.split(" or ")[0]
    for budget in budgets:
        if not any(state.budget == budget.name for state in states):
            yield f"nothing is recorded for {budget.name}: are its rules loaded, and its metrics scraped?"
        if first and _is_time(first) and seconds(first) < seconds(budget.window):
            yield f"Prometheus keeps {kept}, less than the window of {budget.name} ({budget.window})"


def _is_time(text: str) -> bool:
    try:
        seconds(text)
    except ObsgenError:
        return False
    return True


class TextReport(Lines):
    """For people."""

    def __init__(self) -> None:
        super().__init__("no budgets to show")

    def done(self, found: Slos) -> None:
        """Print the tables."""
        say(columns(PROMISES, map(_promised, found.promises)))
        say()
        say(columns(BURNS, map(_burning, found.burns)))
        if found.states is not None:
            say()
            say(columns(STATES, map(_standing, found.states)))
        for note in found.notes:
            say(note, fg="yellow")


def _promised(promise: Promise) -> tuple[str, ...]:
    return (
        promise.budget,
        ", ".join(promise.by) or "-",
        Unit.RATIO.write(promise.objective),
        promise.where or "-",
        promise.window,
        f"{promise.per_million:,.0f} in 1,000,000",
        outage(promise.minutes * 60),
        str(promise.rules),
        f"{promise.samples_per_minute:,.0f}",
    )


def _burning(burn: Burn) -> tuple[str, ...]:
    return (
        burn.budget,
        burn.alert,
        burn.severity,
        f"{burn.burn_rate:g}",
        burn.long,
        burn.short,
        Unit.RATIO.write(burn.spends),
        f"{burn.min_bad_events} bad",
    )


def _standing(state: State) -> tuple[str, ...]:
    covered = _percent(state.covered)
    return (
        state.budget,
        ", ".join(f"{name}={value}" for name, value in state.labels.items()) or "-",
        _percent(state.remaining),
        "-" if state.burn_rate is None else f"{state.burn_rate:.3g}",
        "-" if state.exhausted_in is None else outage(state.exhausted_in),
        "-" if state.bad is None else f"{state.bad:,.0f}",
        "-" if state.total is None else f"{state.total:,.0f}",
        covered if state.enough else f"{covered} (little)",
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:.4g} %"


class JsonReport(Document):
    """For machines: one document with `budgets`, `burn_rates` and, if a Prometheus was asked, `states`."""

    def __init__(self) -> None:
        super().__init__(budgets=[])

    def done(self, found: Slos) -> None:
        """Print the budgets."""
        self.print(
            budgets=[asdict(promise) for promise in found.promises],
            burn_rates=[asdict(burn) for burn in found.burns],
            states=None if found.states is None else [asdict(state) for state in found.states],
            notes=found.notes,
        )
