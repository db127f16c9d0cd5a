"""An `Agreement` as rules: what each of the two counters saw, and the alert that they differ."""

from __future__ import annotations

from math import ceil

from obsgen.model.agreement import Agreement
from obsgen.model.proof import Firing, Given, Proof
from obsgen.model.rule import (
    ALERT_INTERVAL,
    HOLD,
    THRESHOLD,
    VALUE,
    Alert,
    Comparison,
    Level,
    Recording,
    Runbook,
    Step,
    Threshold,
)
from obsgen.model.severity import Severity
from obsgen.promql.counting import events
from obsgen.promql.functions import abs_
from obsgen.promql.label import Label
from obsgen.promql.metric import Metric, as_selector, seconds
from obsgen.promql.text import render
from obsgen.promql.tree import Selector
from obsgen.words import duration, listed, spoken

HELD = "15m"
STEP = "5m"
"""From one sample of a proof to the next."""


def recordings(agreement: Agreement) -> tuple[Recording, Recording]:
    """Return what the two counters saw."""
    level = "_".join(label.name for label in agreement.by) or "all"
    made = [
        Recording(
            name=f"{level}:{agreement.name}_{which}:increase{agreement.window}",
            expr=events(counter, agreement.window, agreement.by),
            title=f"{agreement.title.capitalize()}, by {as_selector(counter).series.name}",
            help=f"How many {agreement.title} {render(as_selector(counter))} saw in {spoken(agreement.window)}.",
        )
        for which, counter in (("one", agreement.one), ("other", agreement.other))
    ]
    return made[0], made[1]


def alert(agreement: Agreement, one: Recording, other: Recording) -> Alert:
    """Return the alert that the two counters differ.

    Args:
        agreement: what is to agree.
        one: what the first counter saw.
        other: what the second one saw.
    """
    # A counter that never saw any of them has no series: it saw none.
    first, second = one.or_(other * 0), other.or_(one * 0)
    mean = (first + second) / 2
    counters = [render(as_selector(each)) for each in (agreement.one, agreement.other)]
    whose = listed([f"{label.name.replace('_', ' ')} {label.value}" for label in agreement.by])
    return Alert(
        name=agreement.alert,
        expr=abs_(first - second) / (mean >= agreement.at_least),
        fires=Level(
            severity=Severity.WARNING,
            threshold=Threshold(comparison=Comparison.ABOVE, value=agreement.within),
            hold=HELD,
            keep_firing="0s",
        ),
        summary=f"Two counts of the {agreement.title} disagree.",
        description=f"{counters[0]} and {counters[1]}{f' of {whose}' if whose else ''} differ by {VALUE}, more than "
        f"{THRESHOLD}, for {HOLD}.",
        runbook=Runbook(
            meaning=f"`{counters[0]}` and `{counters[1]}` count the same, and differ: one of them misses events, or "
            "counts what is none.",
            impact=agreement.impact,
            diagnosis=(
                Step(text="What does the one say?", query=one),
                Step(text="And the other?", query=other),
                *agreement.diagnosis,
            ),
            mitigation=agreement.mitigation,
            reason=f"{agreement.reason} Of fewer than {agreement.at_least} events in {spoken(agreement.window)} nobody "
            f"is told, and {HOLD} are more than two counters of one event can be apart.".strip(),
        ),
        fleeting="Counts that agree again need nobody.",
        equivalent={
            f"for {HELD} -> {duration(seconds(HELD) + by)}": "The counts are of a long window."
            for by in (seconds(ALERT_INTERVAL), -seconds(ALERT_INTERVAL))
        },
        proofs=_proofs(agreement),
    )


def _proofs(agreement: Agreement) -> tuple[Proof, ...]:
    """Return the proofs of the alert, with samples every five minutes: both counters stand, and then they count."""
    labels = {label: label.values[0] if label.values else "x" for label in agreement.by}
    one, other = (_one_series(as_selector(each), labels) for each in (agreement.one, agreement.other))
    # What was there before the window is known then.
    before, counting = _steps(seconds(agreement.window)) + 2, _steps(seconds(agreement.window)) + 6
    # So many in each step that all the differences are whole numbers.
    many = 10_000 * agreement.at_least

    def grows(by: float) -> str:
        return f"0x{before} {by:.0f}+{by:.0f}x{counting}"

    def differ(by: float) -> Given:
        """Return counters that differ by so many times what they may."""
        half = many * agreement.within * by / 2
        return {one: grows(many + half), other: grows(many - half)}

    def proof(title: str, given: Given, *fires: Firing) -> Proof:
        return Proof(title, given=given, fires=fires, every=STEP, at=agreement.at)

    begun = (before + 1) * seconds(STEP)
    since, until = duration(begun + seconds(HELD)), duration(begun + seconds(agreement.window))
    # Where scrapes and evaluations are out of step, what is counted shows an evaluation later.
    fires = Firing(since=since, within=ALERT_INTERVAL, labels=labels, at=agreement.at)
    brief = Firing(since=since, until=until, within=ALERT_INTERVAL, labels=labels, at=agreement.at)
    few, enough = (f"0x{before} {n}x{counting}" for n in (2 * agreement.at_least - 1, 2 * agreement.at_least))
    return (
        proof("They agree.", differ(0)),
        proof("They differ by as much as they may.", differ(1)),
        proof("The first one counts too much.", differ(1.04), fires),
        proof("The other one counts too much.", differ(-1.04), fires),
        proof("Only one of them counts at all.", {other: grows(many)}, fires),
        proof("On the average, too few to tell.", {one: few}),
        proof("On the average, enough to tell, for as long as they are in the window.", {one: enough}, brief),
    )


def _steps(time: float) -> int:
    return ceil(time / seconds(STEP))


def _one_series(selector: Selector, labels: dict[Label, str]) -> Selector:
    """Return a series that a selector selects: what it says of a label, as a value."""
    series = selector.series
    assert isinstance(series, Metric)
    said = {matcher.label: matcher for matcher in selector.matchers}
    found = [label.equals(value) for label, value in labels.items() if label not in said]
    for label, matcher in said.items():
        found.append(label.equals(matcher.literals[0] if matcher.literals else _fitting(matcher.value)))
    return series.where(*found)


def _fitting(pattern: str) -> str:
    """Return a value that fits a simple pattern: each dot a zero."""
    return pattern.replace(".", "0")
