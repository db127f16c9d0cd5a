"""Rules evaluated over time that has passed, as far as anybody reads what they record."""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from obsgen.promql.metric import seconds
from tests.bench.prometheus import STALE, Prometheus, encoded, stamps
from tests.bench.traffic import DAY, Period

Group = Mapping[str, Any]
"""A rule group, as in a rule file."""
STEPS = 10_000
"""A range query may have at most 11,000."""


@dataclass(frozen=True, eq=False)
class Rule:
    """A rule: a recording, or an alert that records nothing."""

    expr: str
    every: float
    record: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


def rules_of(groups: Sequence[Group]) -> list[Rule]:
    """Return the rules of groups. Every group says its interval."""
    return [
        Rule(rule["expr"], seconds(group["interval"]), rule.get("record", ""), rule.get("labels", {}))
        for group in groups
        for rule in group["rules"]
    ]


class Past:
    """Evaluates rules where their results are read, directly or by another rule, at some instants.

    Args:
        server: has what the rules read.
        rules: the rules.
        instants: when somebody looks.
        down: when Prometheus evaluated nothing.
    """

    def __init__(self, server: Prometheus, rules: Sequence[Rule], instants: Sequence[float], down: Period) -> None:
        self.server, self.rules, self.down = server, rules, down
        self.read = {rule: [(at, at) for at in instants] for rule in rules}
        self._by_name: dict[str, list[Rule]] = defaultdict(list)
        for rule in rules:
            if rule.record:
                self._by_name[rule.record].append(rule)
        self._reads = {rule: list(self._read_by(rule)) for rule in rules}
        self.order = self._in_order()
        for rule in reversed(self.order):
            for other, reach in self._reads[rule]:
                # A series that is read as it stands was recorded up to an interval ago.
                self.read[other] += [(a - max(reach, other.every), b) for a, b in self.read[rule]]

    def record(self) -> None:
        """Evaluate all recordings, those that others read before them."""
        for rule in self.order:
            if rule.record:
                for begin, end in _merged(self.read[rule]):
                    self._evaluate(rule, begin, end)

    def _read_by(self, rule: Rule) -> Iterator[tuple[Rule, float]]:
        """Yield the recordings that a rule reads, each with how far back."""
        outer = max((seconds(window) for window in re.findall(r"\[(\w+):\w*\]", rule.expr)), default=0.0)
        for name, others in self._by_name.items():
            pattern = (
                rf"(?<![\w:]){re.escape(name)}(?![\w:])(?:\s*\{{[^}}]*\}})?(?:\s*\[(\w+)\])?(?:\s*offset\s+(\w+))?"
            )
            for window, offset in re.findall(pattern, rule.expr):
                reach = outer + sum(seconds(part) for part in (window, offset) if part)
                yield from ((other, reach) for other in others)

    def _in_order(self) -> list[Rule]:
        done: dict[Rule, None] = {}

        def visit(rule: Rule) -> None:
            if rule not in done:
                for other, _ in self._reads[rule]:
                    visit(other)
                done[rule] = None

        for rule in self.rules:
            visit(rule)
        return list(done)

    def _evaluate(self, rule: Rule, begin: float, end: float) -> None:
        step = rule.every
        begin = max(0.0, begin // step * step)
        found: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = defaultdict(list)
        # By the day, so that a query does not carry along series of pods that are long gone.
        width = min(STEPS * step, DAY)
        at = begin
        while at <= end:
            until = min(at + width - step, end)
            for result in self.server.range(rule.expr, at, until, step):
                labels = {**result["metric"], **rule.labels, "__name__": rule.record}
                found[tuple(sorted(labels.items()))] += (
                    (when - self.server.base, float(value)) for when, value in result["values"]
                )
            at += width
        body = b"".join(_recorded(dict(labels), self._marked(got, step, end)) for labels, got in found.items())
        if body:
            self.server.write(body)

    def _marked(self, samples: list[tuple[float, float]], step: float, end: float) -> list[tuple[float, float]]:
        """Return samples with a stale marker where the series disappears, without what Prometheus did not evaluate."""
        kept = []
        for n, (at, value) in enumerate(samples):
            if at not in self.down:
                kept.append((self.server.base + at, value))
            following = samples[n + 1][0] if n + 1 < len(samples) else end + step
            if following > at + step and at + step <= end and at + step not in self.down:
                kept.append((self.server.base + at + step, STALE))
        return kept


def _recorded(labels: Mapping[str, str], samples: Sequence[tuple[float, float]]) -> bytes:
    return encoded(labels, stamps(at for at, _ in samples), array("d", (value for _, value in samples)))


def _merged(periods: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for begin, end in sorted(periods):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged
