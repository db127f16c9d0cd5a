"""Proofs that prove nothing, and alerts that have none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from obsgen.checks.places import Survey, meant
from obsgen.errors import Problem
from obsgen.model.proof import Firing, Proof
from obsgen.model.rule import Alert, Recording
from obsgen.promql.label import RENAMED, TARGET_LABELS
from obsgen.promql.metric import Histogram, Metric, seconds
from obsgen.promql.tree import Selector, Series, series_in
from obsgen.words import duration

PARTS = ("_bucket", "_count", "_sum")


def unproven_alert(survey: Survey) -> Iterator[Problem]:
    """An alert without a proof that it fires, or without one that it stays quiet."""
    for alert in survey.catalog.alerts:
        fires = any(proof.fires for proof in alert.proofs)
        quiet = any(proof.quiet for proof in alert.proofs)
        always = not series_in(alert.expr)
        if (fires and quiet) or always:
            continue
        lacking = "no proofs" if not alert.proofs else f"no proof that it {'stays quiet' if fires else 'fires'}"
        hint = 'write one: proofs=(Proof("...", given={METRIC: "0x20"}'
        hint += ")," if fires else ', fires=Firing(since="5m")),'
        yield Problem("unproven-alert", f"alert {alert.name} has {lacking}", alert.at, f"{hint} ...)")


def _proofs(survey: Survey) -> Iterator[tuple[Proof, Alert | Recording]]:
    subjects: list[Alert | Recording] = [*survey.catalog.alerts, *survey.catalog.recordings]
    for subject in subjects:
        for proof in subject.proofs:
            yield proof, subject


def proof_series(survey: Survey) -> Iterator[Problem]:
    """A proof gives series that no exporter of the catalog could expose."""
    declared = {metric.name for metric in survey.catalog.metrics}
    for proof, _ in _proofs(survey):
        for key in proof.given:
            selector = key if isinstance(key, Selector) else Selector(key)
            yield from _series(proof, selector, declared)
        for labels, times in Counter(proof.series.values()).items():
            if times > 1:
                message = f"the proof {proof.title!r} gives one series twice: {dict(labels)}"
                yield Problem("proof-series", message, proof.at, "tell them apart by their labels, or instance")


def _series(proof: Proof, selector: Selector, declared: set[str]) -> Iterator[Problem]:
    series = selector.series
    if not isinstance(series, Metric):
        hint = "give the metrics that it is recorded from: proofs run the rules"
        yield Problem(
            "proof-series", f"the proof {proof.title!r} gives {series.name}, which is recorded", proof.at, hint
        )
        return
    if series.name not in declared and series.source is not None:
        hint = "add it to the metrics=(...) of a Domain"
        yield Problem("proof-series", f"no domain declares {series.name}, which a proof gives", proof.at, hint)
    if isinstance(series, Histogram) != (selector.suffix in PARTS):
        hint = "a histogram has parts: give its .count, .sum or .bucket(...)"
        yield Problem("proof-series", f"the proof {proof.title!r} gives {series.name} as a whole", proof.at, hint)
    has = series.label_names | {RENAMED.name} | ({"le"} if selector.suffix == "_bucket" else frozenset())
    for matcher in selector.matchers:
        name = matcher.label.name
        if name not in has:
            message = f"a proof gives {series.name} the label {name!r}, which it does not have"
            yield Problem("proof-series", message, proof.at, meant(name, has))
        elif matcher.operator != "=" and name != "le":
            message = f"a proof gives {series.name} with {name}{matcher.operator}{matcher.value!r}: no series has that"
            yield Problem("proof-series", message, proof.at, f'give it a value: {name.upper()}.equals("...")')
        elif matcher.label.values and matcher.value not in matcher.label.values and name != "le":
            message = f"a proof gives {series.name} {name}={matcher.value!r}, a value that it never has"
            yield Problem("proof-series", message, proof.at, meant(matcher.value, list(matcher.label.values)))


def proof_firing(survey: Survey) -> Iterator[Problem]:
    """A proof expects of an alert what it can never do."""
    names = {alert.name for alert in survey.catalog.alerts} | {each.name for each in survey.catalog.recordings}
    for domain in survey.catalog.domains:
        for budget in domain.budgets:
            for proof in budget.proofs:
                if proof.of not in names:
                    message = f"a proof of budget {budget.name} is of {proof.of!r}, which is no alert and not recorded"
                    hint = meant(proof.of, sorted(names)) if proof.of else 'say what is meant: of="..."'
                    yield Problem("proof-firing", message, proof.at, hint)
    for proof, subject in _proofs(survey):
        if isinstance(subject, Recording) and proof.fires:
            hint = "let it expect samples: records=Sample(...)"
            yield Problem("proof-firing", f"a proof of recording {subject.name} expects an alert", proof.at, hint)
        elif isinstance(subject, Alert):
            for firing in proof.firings:
                yield from _firing(survey, proof, firing, subject)


def _firing(survey: Survey, proof: Proof, firing: Firing, alert: Alert) -> Iterator[Problem]:
    levels = [level.severity.value for level in alert.levels]
    if firing.severity is None and len(levels) > 1:
        hint = f"say which: severity=Severity.{levels[0].upper()}"
        yield Problem(
            "proof-firing", f"a proof of {alert.name} does not say which of its levels fires", firing.at, hint
        )
    elif firing.severity is not None and firing.severity.value not in levels:
        message = f"a proof of {alert.name} expects {firing.severity.value}, which is none of its levels"
        yield Problem("proof-firing", message, firing.at, f"its levels are {', '.join(levels)}")
    for text in filter(None, (firing.since, firing.until)):
        if seconds(text) % seconds(alert.interval) and not seconds(firing.within):
            message = f"a proof expects {alert.name} to change at {text}, when it is not evaluated"
            hint = f"it is evaluated every {alert.interval}: expect a multiple of that"
            yield Problem("proof-firing", message, firing.at, hint)
        if seconds(text) > proof.end:
            message = f"a proof expects {alert.name} to change at {text}, after its end at {duration(proof.end)}"
            yield Problem("proof-firing", message, firing.at, "give the series more samples, or until=...")
    has = survey.labels(alert.expr)
    for label in firing.labels:
        if has is not None and label.name not in has:
            message = f"a proof expects {alert.name} with the label {label.name!r}, which it does not have"
            yield Problem("proof-firing", message, firing.at, meant(label.name, has))


def proof_sample(survey: Survey) -> Iterator[Problem]:
    """A proof expects values of something that is not recorded, or with labels that it does not have."""
    recorded = {recording.name: recording for recording in survey.catalog.recordings}
    for proof, subject in _proofs(survey):
        for sample in proof.samples:
            series: Series | None = sample.of if sample.of is not None else None
            name = series.name if series is not None else subject.name
            if name not in recorded:
                message = f"the proof {proof.title!r} expects a sample of {name}, which is not recorded"
                yield Problem("proof-sample", message, proof.at, meant(name, sorted(recorded)))
                continue
            has = survey.labels(recorded[name].expr)
            given = {label.name for label in sample.labels}
            if has is not None and given | TARGET_LABELS != has | TARGET_LABELS:
                message = f"the proof {proof.title!r} expects {name} with the labels {sorted(given)}"
                yield Problem("proof-sample", message, proof.at, f"it has {sorted(has - TARGET_LABELS)}")
            if seconds(sample.at) > proof.end:
                message = f"the proof {proof.title!r} expects a sample at {sample.at}, after {duration(proof.end)}"
                yield Problem("proof-sample", message, proof.at, "give the series more samples, or until=...")
