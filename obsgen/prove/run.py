"""A proof's series on a Prometheus, at a time of their own, and what the rules make of them.

Rules are evaluated as the rule manager would have, only afterwards: a recording at each step of its interval, its
values written back for those that read it; an alert at each of its steps, from which follows what was pending and
firing. Prometheus evaluates every expression; what is added here is the state of an alert between two evaluations.

Source of the states: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Set
from copy import copy
from dataclasses import dataclass
from threading import Lock

from obsgen.model.proof import WEEKDAYS, Proof, identity
from obsgen.prometheus import Prometheus, PrometheusError
from obsgen.promql.metric import Metric
from obsgen.promql.notation import Mark, values
from obsgen.promql.reader import LOOKBACK
from obsgen.promql.tree import Selector
from obsgen.promql.units import Unit
from obsgen.prove.rules import Rule, Rules
from obsgen.remote_write import STALE, Labels

BEGIN = -5_364_662_400
"""Where the time of the first proof begins, in Unix seconds: 1800-01-01. Fixed, so that every run gives the same; and
long ago, since Prometheus takes no samples from the future and a large catalog needs decades."""
END = 1_577_836_800
"""Where the time for proofs ends: 2020-01-01. What a server that is given has of its own is later."""
DAY = 86_400
EPOCH = WEEKDAYS.index("thursday")
"""The day of the week on which Unix time began."""
JUST_BEFORE = 0.001
"""Seconds from a scrape to the evaluation that follows. At the same instant, a sample at the left edge of a window
would count for Prometheus 2 and not for 3; in real life the two never coincide."""
UNTIL: Labels = (("__name__", "obsgen_proven_until"),)
"""A series of obsgen's own: until when there are samples of proofs, in Unix seconds."""
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Episode:
    """An alert that fired.

    Attributes:
        severity: its level.
        labels: of what fired, those of the rule left out.
        since: when it began to fire, in seconds after the proof's first sample.
        until: the first evaluation at which it no longer fired; None where it fires at the end.
        value: of the expression when it began.
        rule: the rule that fired.
    """

    severity: str
    labels: Mapping[str, str]
    since: float
    until: float | None
    value: float
    rule: Rule


class Times:
    """Hands out times to proofs, so that no rule of one can see the samples of another.

    Proofs of different series may share a time: else a large catalog would need more years than there are.

    Args:
        begin: the first time that is free, in Unix seconds.
    """

    def __init__(self, begin: float = BEGIN) -> None:
        self._begin = begin
        self._written: dict[str, float] = {}
        self._read: dict[str, float] = {}
        self._lock = Lock()

    @classmethod
    def on(cls, server: Prometheus) -> Times:
        """Return the times that are free on a server, on which proofs may have run before."""
        found = server.instant(f"max_over_time({UNTIL[0][1]}[250y])", END)
        return cls(max((float(each["value"][1]) for each in found), default=BEGIN))

    def take(self, reads: Set[str], writes: Set[str], back: float, length: float, weekday: str = "") -> float:
        """Return where a proof begins.

        Args:
            reads: names of the series that its rules look for.
            writes: names of the series that it gives or records.
            back: how many seconds the rules look back.
            length: how many seconds it lasts.
            weekday: the day whose midnight it is; some day's when left out.

        Raises:
            PrometheusError: no time is left.
        """
        with self._lock:
            after = [self._written.get(name, self._begin) for name in reads]
            after += [self._read.get(name, self._begin) for name in writes]
            base = math.ceil((max(after, default=self._begin) + back + LOOKBACK) / DAY) * DAY
            if weekday:
                base += DAY * ((WEEKDAYS.index(weekday) - (base // DAY + EPOCH)) % 7)
            end = base + length + LOOKBACK
            if end > END:
                raise PrometheusError(
                    "the proofs need more time than there is from 1800 to 2020\n    "
                    "a Prometheus that has seen many runs needs an empty storage; else prove fewer alerts at once"
                )
            self._written |= {name: max(end, self._written.get(name, end)) for name in writes}
            self._read |= {name: max(end, self._read.get(name, end)) for name in reads}
        return base


class Run:
    """A proof under way.

    Args:
        server: where it runs.
        times: where it gets its time from.
        rules: all rules.
        proof: what is given.
        reads: the series that will be asked for, and how far back, in seconds.
    """

    def __init__(
        self, server: Prometheus, times: Times, rules: Rules, proof: Proof, reads: Mapping[str, float]
    ) -> None:
        self.server, self.rules, self.proof = server, rules, proof
        self._done: dict[str, Span] = {}
        wanted = set(reads)
        needed = rules.needed(wanted)
        deepest = max((*reads.values(), *(back for rule in needed for back in rule.reads.values())), default=0.0)
        # A mutant may look twice as far back.
        given_names = {dict(labels)["__name__"] for labels in proof.series.values()}
        read = wanted.union(*(rule.reads for rule in needed)) | given_names
        self.base = times.take(
            read, given_names | {rule.name for rule in needed}, 2 * deepest, proof.end, proof.weekday
        )
        step = proof.step
        given: dict[Labels, list[tuple[float, float]]] = {}
        for key, text in proof.given.items():
            series = key.series if isinstance(key, Selector) else key
            zero = self.base if isinstance(series, Metric) and series.unit is Unit.TIMESTAMP else 0.0
            given[identity(key)] = [
                (self.base + n * step - JUST_BEFORE, STALE if value is Mark.STALE else value + zero)
                for n, value in enumerate(values(text))
                if value is not Mark.MISSING
            ]
        until = self.base + proof.end + LOOKBACK
        server.push(given | {UNTIL: [(until, until)]})

    def under(self, rules: Rules) -> Run:
        """Return the run with other alerts: what is recorded stays."""
        other = copy(self)
        other.rules = rules
        return other

    def record(self, wanted: Mapping[str, Span]) -> None:
        """Record what is wanted of recorded series, and all that these need.

        Args:
            wanted: from when to when each series is needed, in seconds after the first sample.
        """
        spans = dict(wanted)
        needed = self.rules.needed(spans)
        for rule in reversed(needed):
            for name, back in rule.reads.items():
                _widen(spans, name, (spans[rule.name][0] - back - rule.interval, spans[rule.name][1]))
        for rule in needed:
            self._evaluate(rule, spans[rule.name])

    def _evaluate(self, rule: Rule, span: Span) -> None:
        first, last = max(0.0, math.floor(span[0] / rule.interval) * rule.interval), span[1]
        if last < first:
            return
        recorded = self._done.get(rule.name)
        if recorded is None:
            self._record(rule, first, last)
        else:
            # Without a gap, which a rule may take for an outage; from the last sample on, so that its end is marked.
            first, last = min(first, recorded[0]), max(last, recorded[1])
            if first < recorded[0]:
                self._record(rule, first, recorded[0])
            if last > recorded[1]:
                self._record(rule, math.floor(recorded[1] / rule.interval) * rule.interval, last)
        self._done[rule.name] = (first, last)

    def _record(self, rule: Rule, first: float, last: float) -> None:
        """Evaluate a recording at each of its times, both ends included, and write what comes of it."""
        result = self.server.range(rule.expr, self.base + first, self.base + last, rule.interval)
        pushed: dict[Labels, list[tuple[float, float]]] = {}
        for labels, samples in result:
            named = {**labels, **(rule.labels or {}), "__name__": rule.name}
            pushed[tuple(sorted(named.items()))] = list(_with_ends(samples, rule.interval, self.base + last))
        self.server.push(pushed)

    def episodes(self, rule: Rule, start: float, end: float) -> Iterator[Episode]:
        """Yield what an alert's rule fired from a time on, up to another (seconds after the first sample)."""
        self.record({name: (start - back - rule.interval, end) for name, back in rule.reads.items()})
        first = max(0.0, math.floor(start / rule.interval) * rule.interval)
        grid = [n * rule.interval for n in range(round(first / rule.interval), int(end / rule.interval) + 1)]
        if not grid:
            return
        found = self.server.range(rule.expr, self.base + grid[0], self.base + grid[-1], rule.interval)
        # An alert has no metric name: what one `or` picks from two series is one alert all the time.
        hits: dict[Labels, dict[float, float]] = {}
        for labels, samples in found:
            own = tuple(sorted((name, value) for name, value in labels.items() if name != "__name__"))
            hits.setdefault(own, {}).update((round(at - self.base, 3), value) for at, value in samples)
        for own, values_at in hits.items():
            for since, until in states(grid, values_at, rule.hold, rule.keep):
                yield Episode(rule.severity, dict(own), since, until, values_at.get(since, math.nan), rule)

    def value(self, name: str, at: float) -> list[tuple[dict[str, str], float]]:
        """Return the recorded values of a series at a time."""
        self.record({name: (at - LOOKBACK, at)})
        found = self.server.instant(name, self.base + at)
        return [
            ({k: v for k, v in each["metric"].items() if k != "__name__"}, float(each["value"][1])) for each in found
        ]


def states(
    grid: Iterable[float], hits: Mapping[float, float], hold: float, keep: float
) -> Iterator[tuple[float, float | None]]:
    """Yield from when to when an alert fires, None for an end that is not reached.

    Args:
        grid: the times of its evaluations.
        hits: the times at which its expression has a result.
        hold: for how long it has to have one before it fires (`for`), in seconds.
        keep: for how long it goes on firing without one (`keep_firing_for`), in seconds.
    """
    active = firing = lost = None
    for at in grid:
        if at in hits:
            active, lost = at if active is None else active, None
            if firing is None and at - active >= hold:
                firing = at
        elif firing is not None and keep > 0:
            lost = at if lost is None else lost
            if at - lost >= keep:
                yield firing, at
                active = firing = lost = None
        else:
            if firing is not None:
                yield firing, at
            active = firing = None
    if firing is not None:
        yield firing, None


def _widen(spans: dict[str, Span], name: str, span: Span) -> None:
    known = spans.get(name)
    spans[name] = (min(known[0], span[0]), max(known[1], span[1])) if known else span


def _with_ends(samples: Iterable[tuple[float, float]], interval: float, last: float) -> Iterator[tuple[float, float]]:
    """Yield recorded samples, and the marker that Prometheus writes at the first evaluation without a result."""
    before: float | None = None
    for at, value in samples:
        if before is not None and at - before > interval * 1.5:
            yield before + interval, STALE
        yield at, value
        before = at
    if before is not None and before + interval <= last:
        yield before + interval, STALE
