"""Alerts about a budget itself: it is used up, or its numbers rest on too little data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from obsgen.budgets.examples import Course, given_by, values_of
from obsgen.budgets.recordings import counts, recent, whole
from obsgen.budgets.tiles import SLOW, sources
from obsgen.model.budget import ErrorBudget
from obsgen.model.proof import Firing, Proof
from obsgen.model.rule import VALUE, Alert, Comparison, Level, Runbook, Step, Threshold
from obsgen.model.severity import Severity
from obsgen.model.sli import Latency, TimeSlices
from obsgen.promql.functions import count, max_over_time, sum_over_time, up
from obsgen.promql.label import Label
from obsgen.promql.metric import LE, seconds
from obsgen.promql.text import number, render
from obsgen.promql.tree import Expr, Selector
from obsgen.promql.units import Unit
from obsgen.words import duration, listed, spoken

DAY = "1d"
LOST = 0.05
"""The share of a day's data that may be missing: 72 minutes."""
FAR = 4
"""Minutes from one sample to the next in a proof of weeks: Prometheus forgets them after five."""
SETTLED = "15m"


def guards(budget: ErrorBudget) -> Iterator[Alert]:
    """Yield the alerts about the budget itself, with their proofs."""
    if budget.objectives:
        yield _used_up(budget)
    if sources(budget):
        yield _data_missing(budget)
    if isinstance(budget.sli, Latency):
        yield _bucket_missing(budget, budget.sli)


def _level(threshold: Threshold | None, hold: str) -> Level:
    return Level(severity=Severity.WARNING, threshold=threshold, hold=hold, keep_firing="0s")


def _used_up(budget: ErrorBudget) -> Alert:
    total, bad = counts(budget)
    covered = recent(budget.coverage, whole(budget)) >= budget.min_coverage
    # Of few events, the first bad one is more than the objective allows.
    enough = budget.remaining.and_(total >= budget.min_events).and_(bad >= budget.enough).and_(covered, on=())
    whose = listed([f"{label.name.replace('_', ' ')} {label.value}" for label in budget.by])
    window = spoken(budget.window)
    return Alert(
        name=budget.used_up,
        expr=enough,
        fires=_level(Threshold(comparison=Comparison.AT_MOST, value=0), SETTLED),
        summary=f"The error budget of {budget.title} is used up.",
        description=f"{VALUE} of the error budget of {budget.title}{f' of {whose}' if whose else ''} remains: the "
        f"objective of the last {window} is missed.",
        runbook=Runbook(
            meaning=f"{budget.help} In the last {window} as many of them were bad as the objective allows, or more.",
            impact=f"The promise of the last {window} is broken, though nothing may fail right now. {budget.impact}",
            diagnosis=(
                Step(text="How much remains? Below 0 the objective is missed.", query=budget.remaining),
                Step(
                    text=f"Does it still burn? Above 1 in the last {spoken(budget.pace)} it gets worse.",
                    query=budget.burn_rate(budget.pace),
                ),
                *budget.diagnosis,
            ),
            mitigation=(
                "Until the errors leave the window, put reliability before features: hold back risky releases.",
                *budget.mitigation,
            ),
            reason="An objective that is missed is a decision to make, not an emergency: the burn rates have paged "
            f"before, if it was one. Nothing is reported with fewer than {budget.min_events} {budget.events}, fewer "
            f"than {budget.enough} bad ones, or data for less than {Unit.RATIO.write(budget.min_coverage)} of the "
            "window.",
        ),
        proofs=tuple(_used_up_proofs(budget)),
        interval=SLOW,
        equivalent=dict(_used_up_equivalent(budget, enough)),
    )


def _used_up_equivalent(budget: ErrorBudget, enough: Expr) -> Iterator[tuple[str, str]]:
    yield f"{render(enough)} <= 0 -> <", "A quotient of counts less 1 is never exactly 0; if it were, either would do."
    total, bad = counts(budget)
    few = "It keeps out ratios of few events: one more or less is as few."
    for counted, least in ((total, budget.min_events), (bad, budget.enough)):
        yield from ((f"{render(counted)} >= {least} -> {other}", few) for other in (">", least + 1, least - 1))
    yield from covered_equivalent(budget)
    yield from _settled_equivalent("The sum over the window moves by steps of its own: one evaluation is none of them.")


def covered_equivalent(budget: ErrorBudget, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield the change of the comparison with `min_coverage` that makes no difference, with the reason.

    Args:
        budget: the budget.
        where: what the change's name begins with, for an alert with several levels.
    """
    covered = render(recent(budget.coverage, whole(budget)))
    change = f"{where}{covered} >= {number(budget.min_coverage)} -> >"
    yield change, "A moment later more is covered: coverage passes the limit, and does not stay at it."


def _settled_equivalent(reason: str) -> Iterator[tuple[str, str]]:
    for other in (seconds(SETTLED) + seconds(SLOW), seconds(SETTLED) - seconds(SLOW)):
        yield f"for {SETTLED} -> {duration(other)}", reason


def _used_up_proofs(budget: ErrorBudget) -> Iterator[Proof]:
    objective = next((o for o in budget.objectives if values_of(budget, o) is not None), None)
    values = values_of(budget, objective) if objective else None
    if objective is None or values is None:
        return
    # In steps of FAR minutes: bad from the begin, until the data are enough to tell and a while longer.
    known = math.ceil(seconds(budget.window) * budget.min_coverage / 60 / FAR)
    steps = known + 60
    for title, share, fires in (
        ("More errors than the objective allows use the budget up.", 1.2, True),
        ("Somewhat fewer errors than the objective allows do not.", 0.8, False),
    ):
        given = given_by(budget, values, _course(budget, share * objective.allowance, known, steps))
        if given is None:
            return
        firing = Firing(
            since=duration(known * FAR * 60 + seconds(SETTLED)),
            within="40m",
            labels=_own(budget, values),
            at=budget.at,
        )
        yield Proof(
            title,
            given=given,
            fires=firing if fires else (),
            every=f"{FAR}m",
            after=duration((known - 30) * FAR * 60),
            of=budget.used_up,
            at=budget.at,
        )


def _course(budget: ErrorBudget, share: float, known: int, steps: int) -> Course:
    """Return traffic of which a share is bad: of every step for events, of the last day's for minutes."""
    if isinstance(budget.sli, TimeSlices):
        bad = round(share * known)
        quiet = known - bad - 60
        return Course(quiet, ((1.0, bad), (0.0, steps - quiet - bad)), 1)
    total = math.ceil(100 / share)
    return Course(0, ((round(share * total, 6), steps),), total)


def _own(budget: ErrorBudget, values: Mapping[Label, str]) -> dict[Label, str]:
    return {label: value for label, value in values.items() if label in tuple(budget.by)}


def _data_missing(budget: ErrorBudget) -> Alert:
    tiles = seconds(DAY) / seconds(SLOW)
    missing = 1 - sum_over_time(budget.measured, DAY) / tiles
    before = max_over_time(budget.measured, DAY, offset=DAY).equals(1)
    return Alert(
        name=budget.data_missing,
        unit=Unit.RATIO,
        # Of a source that never was there, nothing is missing.
        expr=missing.and_(before),
        fires=_level(Threshold(comparison=Comparison.ABOVE, value=LOST), "0s"),
        summary=f"The error budget of {budget.title} lacks data.",
        description=f"{VALUE} of the last day's data for the error budget of {budget.title} are missing.",
        runbook=Runbook(
            meaning="For a part of the last day the rules of the budget were not evaluated, or its source could not "
            "be scraped.",
            impact="What happened in that time may not be counted: the budget may look better than it is. The alert "
            "lasts until the gap is a day old, and at most two days: that it ends does not mean that anything is "
            "repaired.",
            diagnosis=(
                Step(
                    text="Draw this over two days. 0 means that the source was not scraped, a gap that the rules were "
                    "not evaluated.",
                    query=budget.measured,
                ),
                *(Step(text=f"Is {source.title} scraped now?", query=up(source)) for source in sources(budget)),
                "Was Prometheus down, or are its rules slow? See its page Status > Rules (Prometheus 3: Rule health).",
            ),
            mitigation=(
                "If the source is not scraped, restore it. Events of up to six hours are recovered from its counters, "
                "unless they were reset; those of a longer outage are lost.",
                "If the rules were not evaluated for up to a day, do nothing: the first evaluation made up for it.",
                "If it was longer, count the missing time from what Prometheus has scraped: `obsgen slo backfill "
                f"{budget.name} --prometheus URL --from 3d` shows it, with `--output FILE` or `--write` it is added.",
            ),
            reason=f"{Unit.RATIO.write(LOST)} of a day are {spoken(duration(LOST * seconds(DAY)))}: longer than a "
            "restart or an upgrade.",
        ),
        proofs=tuple(_data_proofs(budget)),
        interval=SLOW,
        equivalent=dict(_data_equivalent(missing.and_(before))),
    )


def _data_equivalent(missing: Expr) -> Iterator[tuple[str, str]]:
    reason = "It is a limit of about an hour: a tile of five minutes more or less is no difference."
    for other in (">=", number(round(LOST * 1.1, 9)), number(round(LOST * 0.9, 9))):
        yield f"{render(missing)} > {number(LOST)} -> {other}", reason
    yield f"for 0s -> {SLOW}", "Nobody minds whether a gap that is over is reported five minutes later."


def _data_proofs(budget: ErrorBudget) -> Iterator[Proof]:
    for title, failed, fires in (
        ("An hour without scrapes is within bounds.", 12, ()),
        ("Two hours without scrapes are reported.", 24, Firing(since="2d1h20m", within="15m", at=budget.at)),
        ("A source that was never there lacks nothing.", 0, ()),
    ):
        samples = f"1x575 0x{failed - 1} 1x{60 - failed}" if failed else "0x636"
        yield Proof(
            title,
            given={up(source): samples for source in sources(budget)},
            fires=fires,
            every="5m",
            after="1d12h",
            of=budget.data_missing,
            at=budget.at,
        )


def _bucket_missing(budget: ErrorBudget, sli: Latency) -> Alert:
    metric, bound = sli.metric, sli.metric.unit.write(sli.within)
    return Alert(
        name=budget.bucket_missing,
        expr=count(sli.total).unless(count(sli.good)),
        fires=_level(None, SETTLED),
        summary=f"A histogram bucket that {budget.title} needs is missing.",
        fleeting="What was observed without the bucket is not counted as bad.",
        description=f"{metric.name} is exposed without a bucket of {bound}: {budget.title} cannot be judged.",
        when=f"{metric.name} is exposed without a bucket of {bound}",
        runbook=Runbook(
            meaning=f"The error budget counts the observations of `{metric.name}` within {bound} as good. The exporter "
            "exposes no such bucket.",
            impact="The budget has no bad events and no burn rate, whatever happens.",
            diagnosis=(
                Step(text="Which buckets are there?", query=count(Selector(metric, suffix="_bucket"), by=[LE])),
                f"Look for `{metric.name}_bucket` in the exposition: has the instrumentation other bounds?",
            ),
            mitigation=(
                f"Give the histogram a bucket of {bound} in the service, or change the objective's bound and the "
                "declared buckets in the definitions.",
            ),
            reason=f"{spoken(SETTLED)} leave a rollout of new buckets the time to finish.",
        ),
        proofs=tuple(_bucket_proofs(budget)),
        interval=SLOW,
        equivalent=dict(_settled_equivalent("A bucket is missing for good: five minutes are no difference.")),
    )


def _bucket_proofs(budget: ErrorBudget) -> Iterator[Proof]:
    values = next((v for o in budget.objectives if (v := values_of(budget, o)) is not None), {})
    given = given_by(budget, values, Course(0, ((0.0, 40),), 1))
    if given is None:
        return
    lacking = {key: text for key, text in given.items() if "_bucket" not in getattr(key, "suffix", "")}
    firing = Firing(since=SETTLED, within="5m", at=budget.at)
    for title, series, fires in (
        ("The bucket is exposed.", given, ()),
        ("The histogram is exposed without the bucket.", lacking, firing),
    ):
        yield Proof(title, given=series, fires=fires, every="1m", of=budget.bucket_missing, at=budget.at)
