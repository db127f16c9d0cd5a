"""Whether a proof holds: what was to fire and to be recorded, against what was."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from obsgen.model.proof import Firing, Proof, Sample
from obsgen.model.rule import Alert, Recording
from obsgen.prometheus import Prometheus
from obsgen.promql.label import TARGET_LABELS
from obsgen.promql.metric import seconds
from obsgen.promql.text import number
from obsgen.prove.rules import Rule, Rules
from obsgen.prove.run import Episode, Run, Times
from obsgen.words import duration


@dataclass(frozen=True, slots=True)
class Claim:
    """A proof and what it is about.

    Attributes:
        proof: the proof.
        subject: the alert or recording that it stands at.
    """

    proof: Proof
    subject: Alert | Recording

    @property
    def name(self) -> str:
        """The name of the alert or recording."""
        return self.subject.name


@dataclass(slots=True)
class Verdict:
    """What came of a claim.

    Attributes:
        claim: the claim.
        differences: what is not as the proof says, each as a sentence; none when it holds.
        episodes: what fired.
        took: seconds.
        parts: for a proof that does not hold, the values of each part of the expression over time.
        texts: descriptions to compare: (what is expected, the episode that it is expected of).
    """

    claim: Claim
    differences: list[str] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    took: float = 0.0
    parts: list[str] = field(default_factory=list)
    texts: list[tuple[str, Episode]] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether everything is as the proof says."""
        return not self.differences


def claims(alerts: Sequence[Alert], recordings: Sequence[Recording]) -> list[Claim]:
    """Return the claims of alerts and recordings."""
    subjects: list[Alert | Recording] = [*recordings, *alerts]
    return [Claim(proof, subject) for subject in subjects for proof in subject.proofs]


def prepared(claim: Claim, server: Prometheus, times: Times, rules: Rules) -> Run:
    """Return a run in which a claim can be judged: its series are written."""
    reads = {_of(claim, sample): 0.0 for sample in claim.proof.samples}
    for rule in _levels(claim, rules):
        reads |= {name: max(back, reads.get(name, 0.0)) for name, back in rule.reads.items()}
    return Run(server, times, rules, claim.proof, reads)


def judge(claim: Claim, run: Run) -> Verdict:
    """Return what comes of a claim, its texts not compared yet."""
    verdict = Verdict(claim)
    proof = claim.proof
    if isinstance(claim.subject, Alert):
        after = seconds(proof.after)
        for rule in _levels(claim, run.rules):
            early = after - rule.hold - rule.keep - rule.interval
            found = run.episodes(rule, max(early, 0.0), proof.end)
            verdict.episodes += [e for e in found if e.until is None or e.until > after]
        verdict.differences += _firings(proof, verdict, claim.subject)
    for sample in proof.samples:
        verdict.differences += _sample(claim, sample, run)
    return verdict


def _levels(claim: Claim, rules: Rules) -> tuple[Rule, ...]:
    return rules.alerts.get(claim.name, ()) if isinstance(claim.subject, Alert) else ()


def _of(claim: Claim, sample: Sample) -> str:
    return sample.of.name if sample.of is not None else claim.name


def _firings(proof: Proof, verdict: Verdict, alert: Alert) -> Iterator[str]:
    left = list(verdict.episodes)
    for firing in proof.firings:
        same = [episode for episode in left if _is(firing, episode)]
        exact = next((episode for episode in same if not list(_times(firing, episode))), None)
        found = exact or next(iter(same), None)
        if found is None:
            yield f"does not fire: {_expected(firing, alert)}"
            continue
        left.remove(found)
        yield from _times(firing, found)
        if firing.description:
            verdict.texts.append((firing.description, found))
    for episode in left:
        yield f"fires although nothing says so: {told(episode)}"


def _is(firing: Firing, episode: Episode) -> bool:
    if firing.severity is not None and firing.severity.value != episode.severity:
        return False
    wanted = {label.name: value for label, value in firing.labels.items()}
    return wanted == _named(episode.labels, set(wanted))


def _times(firing: Firing, episode: Episode) -> Iterator[str]:
    off = seconds(firing.within)
    if abs(episode.since - seconds(firing.since)) > off:
        yield f"fires since {_at(episode.since)}, not since {firing.since}: {told(episode)}"
    if not firing.until and episode.until is not None:
        yield f"fires until {_at(episode.until)}, not until the end of the proof: {told(episode)}"
    if firing.until and (episode.until is None or abs(episode.until - seconds(firing.until)) > off):
        end = "the end of the proof" if episode.until is None else _at(episode.until)
        yield f"fires until {end}, not until {firing.until}: {told(episode)}"


def _expected(firing: Firing, alert: Alert) -> str:
    severity = firing.severity or (alert.levels[0].severity if len(alert.levels) == 1 else None)
    labels = {label.name: value for label, value in firing.labels.items()}
    return f"{severity.value if severity else 'any severity'} {_labels(labels)} since {firing.since}"


def told(episode: Episode) -> str:
    """Return an episode as people read it: `critical {shard_id="0"} from 2m to 6m`."""
    until = "the end" if episode.until is None else _at(episode.until)
    return f"{episode.severity} {_labels(episode.labels)} from {_at(episode.since)} to {until}"


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"


def _at(at: float) -> str:
    return duration(at)


def _sample(claim: Claim, sample: Sample, run: Run) -> Iterator[str]:
    name = _of(claim, sample)
    named = {label.name for label in sample.labels}
    found = [(_named(labels, named), value) for labels, value in run.value(name, seconds(sample.at))]
    wanted = {
        _key({label.name: value for label, value in s.labels.items()}): s
        for s in claim.proof.samples
        if _of(claim, s) == name and s.at == sample.at
    }
    first = next(iter(wanted.values()))
    key = _key({label.name: value for label, value in sample.labels.items()})
    value = next((value for labels, value in found if _key(labels) == key), None)
    if value is None:
        yield f"{name}{_labels(dict(key))} has no value at {sample.at}, expected {number(sample.value)}"
    elif not _equal(value, sample):
        yield f"{name}{_labels(dict(key))} is {value!r} at {sample.at}, expected {sample.value!r}"
    if sample is first:
        for labels, extra in found:
            if _key(labels) not in wanted:
                yield f"{name}{_labels(labels)} is {extra!r} at {sample.at}, although nothing says so"


def _named(labels: Mapping[str, str], named: set[str]) -> dict[str, str]:
    """Return labels without those of the target that a proof may leave out."""
    return {name: value for name, value in labels.items() if name in named or name not in TARGET_LABELS}


def _key(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


def _equal(value: float, sample: Sample) -> bool:
    if math.isnan(sample.value):
        return math.isnan(value)
    if value == sample.value:
        return True
    return math.isclose(value, sample.value, rel_tol=sample.within, abs_tol=1e-12)
