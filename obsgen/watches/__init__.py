"""A `SourceWatch` as alerts: the target is down, its key series is missing, its numbers stand still."""

from __future__ import annotations

from collections.abc import Iterator

from obsgen.model.routing import Routing
from obsgen.model.rule import HOLD, Alert, Comparison, Level, Runbook, Step, Threshold
from obsgen.model.severity import Severity
from obsgen.model.watch import SourceWatch
from obsgen.promql.functions import absent, changes, count, max_, up, vector
from obsgen.promql.label import JOB
from obsgen.promql.metric import Histogram, Metric, Vector, seconds
from obsgen.promql.tree import Offset, Selector
from obsgen.watches import agreement, cardinality, lately, prometheus, proofs
from obsgen.words import duration, spoken

__all__ = ["WATCHDOG", "agreement", "cardinality", "expand", "lately", "prometheus", "watchdog"]
MISSED_SCRAPES = 4
"""So many scrapes have to fail before a target counts as down: one or two fail on every deploy."""
STILL_HOLD = "5m"
WATCHDOG = "Watchdog"


def expand(watch: SourceWatch) -> Iterator[Alert]:
    """Yield the alerts of a watched source."""
    yield _down(watch)
    yield _missing(watch)
    if watch.still_after is not None:
        yield _still(watch, watch.still_after)


def _down(watch: SourceWatch) -> Alert:
    source = watch.source
    target = up(source)
    hold = duration(max(120, MISSED_SCRAPES * seconds(source.interval)))
    return Alert(
        name=watch.down,
        # A job that Prometheus does not know has no `up` at all: absent() stands in for its 0.
        expr=target.or_(absent(target) * 0),
        fires=_level(watch.severity, hold, Threshold(comparison=Comparison.EQUALS, value=0)),
        summary=f"{source.title} cannot be scraped.",
        description=f"Prometheus has had no answer from job {JOB.value} for {HOLD}. {watch.impact}",
        runbook=Runbook(
            meaning=f"Every scrape of {source.title} has failed, or Prometheus has no such target at all.",
            impact=watch.impact,
            diagnosis=(
                Step(text="Is it the whole job or one instance?", query=target),
                "Open Prometheus' page Status > Targets: it shows the error of the last scrape.",
                f"From the Prometheus host, ask for the exposition by hand: `curl http://HOST:PORT{source.path}`.",
            ),
            mitigation=(
                watch.restart,
                "If it answers by hand but not to Prometheus, mend the scrape job or the network between them.",
            ),
            reason=f"A hold of {spoken(hold)} is {MISSED_SCRAPES} scrapes or more: one or two fail at any restart.",
        ),
        proofs=proofs.down(watch, hold),
    )


def _missing(watch: SourceWatch) -> Alert:
    source, key = watch.source, watch.key
    series = _moving(key)
    target = up(source)
    hold = watch.missing_after or duration(max(300, 10 * seconds(source.interval)))
    return Alert(
        name=watch.missing,
        expr=absent(series).and_(max_(target).equals(1), on=()),
        fires=_level(watch.severity, hold),
        summary=f"{source.title} answers, but exposes no {key.name}.",
        description=f"The target has been up for {HOLD} while {key.name} is missing. {watch.impact}",
        runbook=Runbook(
            meaning=f"The exposition of {source.title} can be scraped but lacks its key series, `{key.name}`. "
            "Alerts on it cannot fire.",
            impact=watch.impact,
            diagnosis=(
                Step(text="How many targets answer?", query=count(target.equals(1))),
                f"Look for `{key.name}` in the exposition ({source.path}): was it renamed, or never set?",
                "Compare with the last release: did instrumentation change?",
            ),
            mitigation=(
                watch.restart,
                "If a release renamed the series, roll it back or change the catalog, and say so to the owner.",
            ),
            reason=f"A hold of {spoken(hold)} leaves a restarting process the time to set its first values.",
        ),
        when=f"the target is up and {key.name} is missing",
        proofs=proofs.missing(watch, series, hold),
    )


def _still(watch: SourceWatch, window: str) -> Alert:
    source = watch.source
    metric = watch.key if watch.moves is None else watch.moves
    series = _moving(metric)
    existed = count(Offset(series if isinstance(series, Selector) else Selector(series), window))
    return Alert(
        name=watch.stands_still,
        expr=max_(changes(series, window)).equals(0).and_(existed),
        fires=_level(watch.severity, STILL_HOLD),
        summary=f"The numbers of {source.title} stand still.",
        description=f"No series of {metric.name} has changed for {spoken(window)}. {watch.impact}",
        runbook=Runbook(
            meaning=f"{source.title} is scraped, but no series of `{metric.name}` has changed for {spoken(window)}: "
            "what collects the numbers has most likely stopped while the HTTP server goes on serving old ones.",
            impact=watch.impact,
            diagnosis=(
                Step(text="When did they last change?", query=max_(changes(series, window))),
                "Look for an exception in the log of the collecting task around that time.",
            ),
            mitigation=(watch.restart,),
            reason=watch.reason,
        ),
        when=f"no {metric.name} has changed for {spoken(window)}",
        proofs=proofs.still(watch, series, window, STILL_HOLD),
    )


def _moving(metric: Metric) -> Vector:
    return metric.count if isinstance(metric, Histogram) else metric


def _level(severity: Severity, hold: str, threshold: Threshold | None = None) -> Level:
    return Level(severity=severity, threshold=threshold, hold=hold, keep_firing="0s")


def watchdog(routing: Routing) -> Alert:
    """Return the alert that always fires: when it stops, alerts no longer get through."""
    return Alert(
        name=WATCHDOG,
        expr=vector(1),
        fires=Level(severity=Severity.INFO, threshold=None, hold="0s", keep_firing="0s"),
        summary="Alerts get through.",
        description="This alert always fires. Whoever receives it raises the alarm when it stops coming.",
        runbook=Runbook(
            meaning="It is meant to fire. If the dead man's switch says that it stopped, Prometheus, Alertmanager or "
            "the way between them is down, and no other alert gets through.",
            impact="Nobody is told of anything.",
            diagnosis=(
                "Does Prometheus answer, and does its page Status > Runtime name the Alertmanagers?",
                "Does Alertmanager answer, and is Watchdog on its page?",
                "Look for errors of notification in Alertmanager's log.",
            ),
            mitigation=("Restart what does not answer; until then, watch the dashboards.",),
            reason="A dead man's switch: silence is the alarm.",
        ),
        when="always",
        at=routing.at,
    )
