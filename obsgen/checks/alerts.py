"""Alerts that would say nothing, or say it too late."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from obsgen.checks.places import Survey, meant
from obsgen.errors import Problem
from obsgen.model.order import metrics_behind
from obsgen.model.rule import HOLD, THRESHOLD, VALUE, Alert, Comparison, Threshold
from obsgen.model.severity import Severity
from obsgen.promql.infer import EXTREMES, core
from obsgen.promql.metric import Counter, Gauge
from obsgen.promql.tree import series_in

RULE_LABELS = frozenset({"alertname", "severity", "owner", "team", "catalog", "domain"})
TEMPLATE = re.compile(r"\{\{.*?\}\}")
LABEL = re.compile(r"\{\{ \$labels\.(\w+) \}\}")


def alert_text(survey: Survey) -> Iterator[Problem]:
    """The text of an alert names a label that is not there, or a template that nobody fills in."""
    for alert in survey.catalog.alerts:
        if not alert.summary or TEMPLATE.search(alert.summary) or not alert.summary.endswith("."):
            hint = "write one sentence without templates, for people who see a list of alerts"
            yield Problem("alert-text", f"the summary of {alert.name} is {alert.summary!r}", alert.at, hint)
        if not alert.description.strip():
            yield Problem("alert-text", f"alert {alert.name} has no description", alert.at, "say what is the case")
        has = survey.labels(alert.expr)
        for template in TEMPLATE.findall(alert.description):
            label = LABEL.fullmatch(template)
            if label and has is not None and label[1] not in has:
                message = f"the text of {alert.name} uses the label {label[1]!r}, which its expression does not keep"
                yield Problem("alert-text", message, alert.at, meant(label[1], has) if has else "use no label")
            elif not label and template not in (VALUE, THRESHOLD, HOLD):
                hint = "use LABEL.value, VALUE, THRESHOLD and HOLD in an f-string"
                yield Problem("alert-text", f"the text of {alert.name} has the template {template}", alert.at, hint)
        if any(brace in TEMPLATE.sub("", alert.description) for brace in ("{{", "}}")):
            hint = "Prometheus takes {{ ... }} for a template: close it, or leave the braces out"
            yield Problem(
                "alert-text", f"the text of {alert.name} has a {{{{ or }}}} without its other half", alert.at, hint
            )
        if THRESHOLD in alert.description and any(level.threshold is None for level in alert.levels):
            message = f"the text of {alert.name} speaks of a threshold, and a level has none"
            yield Problem("alert-text", message, alert.at, "give the level one, as in critical(above=250)")
        yield from _unit_twice(alert)


def _unit_twice(alert: Alert) -> Iterator[Problem]:
    """Yield a text that writes the unit after a value that is written in its unit already: `5 % %`."""
    unit = alert.unit.suffix.strip()
    again = re.search(rf"({re.escape(VALUE)}|{re.escape(THRESHOLD)})\s?{re.escape(unit)}(?![\w%])", alert.description)
    if unit and again:
        message = f"the text of {alert.name} says its unit twice: the value is in {unit!r} already"
        yield Problem("alert-text", message, alert.at, f"leave out the {unit!r} that follows VALUE or THRESHOLD")


def alert_levels(survey: Survey) -> Iterator[Problem]:
    """Levels of an alert that exclude or repeat each other."""
    for alert in survey.catalog.alerts:
        if not alert.levels:
            yield Problem("alert-levels", f"alert {alert.name} never fires", alert.at, "give it fires=critical(...)")
        for severity in Severity:
            if sum(level.severity is severity for level in alert.levels) > 1:
                message = f"alert {alert.name} has two levels of severity {severity.value}"
                yield Problem("alert-levels", message, alert.at, "keep one level for each severity")
        yield from _out_of_order(alert)


def _out_of_order(alert: Alert) -> Iterator[Problem]:
    by_rank = sorted(alert.levels, key=lambda level: level.severity.rank)
    for milder, harsher in pairwise(by_rank):
        if milder.threshold and harsher.threshold and not _further(milder.threshold, harsher.threshold):
            message = (
                f"alert {alert.name} is {harsher.severity.value} at {harsher.threshold.value:g}, "
                f"before it is {milder.severity.value} at {milder.threshold.value:g}"
            )
            yield Problem("alert-levels", message, harsher.at, "swap the thresholds")


def _further(milder: Threshold, harsher: Threshold) -> bool:
    if milder.comparison is not harsher.comparison:
        return True
    if milder.comparison in (Comparison.BELOW, Comparison.AT_MOST):
        return harsher.value <= milder.value
    return harsher.value >= milder.value


def alert_labels(survey: Survey) -> Iterator[Problem]:
    """An alert on series with a label that the rule sets itself: the rule's value would replace the series'."""
    for alert in survey.catalog.alerts:
        for name in sorted(RULE_LABELS & (survey.labels(alert.expr) or frozenset())):
            message = f"alert {alert.name} keeps the label {name!r}, which every alert rule sets itself"
            yield Problem("alert-labels", message, alert.at, "aggregate it away, or rename the label at its exporter")


def impossible_threshold(survey: Survey) -> Iterator[Problem]:
    """A threshold that the value cannot reach, or cannot but reach.

    Only what is certain is told. Of a value whose unit is not known nothing is: load by cores is a quotient of two
    numbers, and well above 1 on a busy host.
    """
    for alert in survey.catalog.alerts:
        subject = core(alert.expr, EXTREMES)
        states = subject.states if isinstance(subject, Gauge) else {}
        for level in alert.levels:
            if level.threshold is None:
                continue
            value, equals = level.threshold.value, level.threshold.comparison is Comparison.EQUALS
            if alert.share and abs(value) > 1:
                message = f"alert {alert.name} compares a ratio, which is 0 to 1, with {value:g}"
                hint = f"is it {value / 100:g}? What may exceed 1 is no Unit.RATIO: state unit=Unit.TIMES"
                yield Problem("impossible-threshold", message, alert.at, hint)
            elif equals and states and value not in states:
                message = f"alert {alert.name} waits for {value:g}, which is no state of {getattr(subject, 'name', '')}"
                known = ", ".join(f"{number} = {name}" for number, name in states.items())
                yield Problem("impossible-threshold", message, alert.at, f"its states are {known}")


def silent_state(survey: Survey) -> Iterator[Problem]:
    """An alert on every declared state but one: values that are not declared would be silent."""
    for alert in survey.catalog.alerts:
        subject = core(alert.expr)
        thresholds = [level.threshold for level in alert.levels if level.threshold is not None]
        told = {each.value for each in thresholds if each.comparison is Comparison.EQUALS}
        if not isinstance(subject, Gauge) or subject.source is None or not told <= set(subject.states):
            continue
        silent = [state for state in subject.states if state not in told]
        if told and len(silent) == 1:
            values = " and ".join(f"{value:g}" for value in sorted(told))
            message = (
                f"alert {alert.name} waits for {subject.name} to be {values}: a value that is no state of it is silent"
            )
            known = f"{silent[0]} = {subject.states[silent[0]]}"
            yield Problem("silent-state", message, alert.at, f"alert on all but {known}: differs={silent[0]}")


def alert_on_counter(survey: Survey) -> Iterator[Problem]:
    """An alert on the raw value of a counter: it never falls, so the alert would fire for ever."""
    for alert in survey.catalog.alerts:
        subject = core(alert.expr)
        if isinstance(subject, Counter) and any(level.threshold for level in alert.levels):
            message = f"alert {alert.name} compares the counter {subject.name}, which never falls"
            hint = f'compare what it counted lately: events({subject.name.upper()}, "1h") or rate(...)'
            yield Problem("alert-on-counter", message, alert.at, hint)


def unwatched_source(survey: Survey) -> Iterator[Problem]:
    """An alert whose source nobody watches: when the source dies, the alert falls silent and looks like health."""
    watched = {watch.source.job for domain in survey.catalog.domains for watch in domain.watches}
    recorded = {recording.name: recording for recording in survey.catalog.recordings}
    readers: dict[str, dict[str, tuple[Alert, str]]] = {}
    for alert in survey.catalog.alerts:
        for metric in metrics_behind(series_in(alert.expr), recorded):
            for source in dict.fromkeys((metric.source, metric.exposed_by)):
                if source is not None and source.job not in watched:
                    readers.setdefault(source.job, {}).setdefault(alert.name, (alert, metric.name))
    for job, told in readers.items():  # one watch that is missing is one mistake
        (alert, read), *others = told.values()
        who = f"alert {alert.name} reads" if not others else f"alert {alert.name} and {len(others)} more read"
        message = f"{who} {read}{' and others' if any(name != read for _, name in others) else ''}"
        hint = f"add SourceWatch(source=..., key=...) for job {job!r} to the watches of a Domain"
        yield Problem("unwatched-source", f"{message}, and nothing tells when its source is gone", alert.at, hint)
