"""Rules evaluated over time that has passed, as far as anybody reads what they record.

Each group is evaluated at its own offset within its interval, as Prometheus does it, so nothing is aligned.

A rule that reads its own earlier results cannot be evaluated by a range query alone: each evaluation has to see what
those before it recorded. It is evaluated again and again over the same hours, each time with the results of the last
time as its past. An evaluation depends on earlier ones only, so as far as two times agree, they are right: by
induction, each evaluation read what it would have read. Two or three times are enough for rules that look at their
past now and then; in the worst case each time settles one evaluation, which is the rule manager's own way.
"""

from __future__ import annotations

import math
import re
import zlib
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from obsgen.promql.metric import seconds
from tests.bench.pods import DAY, Period
from tests.bench.prometheus import STALE, Points, Prometheus, stamps

Group = Mapping[str, Any]
"""A rule group, as in a rule file."""
STEPS = 10_000
"""A range query may have at most 11,000."""
PATIENCE = 4
"""How often a stretch is evaluated before it is shortened."""
JITTER = 1e-9
"""Two sums of the same numbers in another order differ by less, relatively."""

Labels = tuple[tuple[str, str], ...]
Found = dict[Labels, dict[int, float]]
"""What a rule records: by series, then by the number of the evaluation."""


@dataclass(frozen=True, eq=False)
class Rule:
    """A rule: a recording, or an alert that records nothing.

    Attributes:
        expr: its expression.
        every: seconds between two evaluations.
        record: the name of what it records.
        labels: those that it adds.
        group: the name of its group.
    """

    expr: str
    every: float
    record: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    group: str = ""

    @property
    def offset(self) -> float:
        """Seconds from a multiple of the interval to an evaluation: the same for a group, other for another one."""
        return zlib.crc32(self.group.encode()) % round(self.every * 1000) / 1000

    def at(self, number: int) -> float:
        """Return the time of an evaluation."""
        return round(number * self.every + self.offset, 3)

    def number(self, at: float) -> int:
        """Return the number of the last evaluation up to a time."""
        return math.floor(round((at - self.offset) / self.every, 6))


def rules_of(groups: Sequence[Group]) -> list[Rule]:
    """Return the rules of groups. Every group says its interval."""
    return [
        Rule(rule["expr"], seconds(group["interval"]), rule.get("record", ""), rule.get("labels", {}), group["name"])
        for group in groups
        for rule in group["rules"]
    ]


class Past:
    """Evaluates rules where their results are read, directly or by another rule.

    Args:
        server: has what the rules read.
        rules: the rules.
        looked_at: when somebody looks.
        idle: when Prometheus evaluated nothing.
    """

    def __init__(
        self, server: Prometheus, rules: Sequence[Rule], looked_at: Sequence[Period], idle: Sequence[Period] = ()
    ) -> None:
        self.server, self.rules, self.idle = server, rules, idle
        self._by_name: dict[str, list[Rule]] = defaultdict(list)
        for rule in rules:
            if rule.record:
                self._by_name[rule.record].append(rule)
        self._reads = {rule: list(self._read_by(rule)) for rule in rules}
        self.order = self._in_order()
        self._tries = 0
        wanted = {rule: list(looked_at) for rule in rules}
        self.read: dict[Rule, list[Period]] = {}
        for together in reversed(self.order):
            periods = [period for rule in together for period in wanted[rule]]
            # What reads its own past has one from as long before as it reads back.
            own = self._reach(together)
            merged = _merged([Period(each.begin - own, each.end) for each in periods])
            for rule in together:
                self.read[rule] = merged
                for other, reach in self._reads[rule]:
                    # A series that is read as it stands was recorded up to an interval ago.
                    back = max(reach, other.every)
                    wanted[other] += [Period(each.begin - back, each.end) for each in merged]

    def record(self) -> None:
        """Evaluate all recordings, those that others read before them."""
        for together in self.order:
            if together[0].record:
                for period in self.read[together[0]]:
                    self._record(together, period)

    def _read_by(self, rule: Rule) -> Iterator[tuple[Rule, float]]:
        """Yield the recordings that a rule reads, each with how far back."""
        outer = max((seconds(window) for window in re.findall(r"\[(\w+):\w*\]", rule.expr)), default=0.0)
        for name, others in self._by_name.items():
            for _, window, offset in _reading(name).findall(rule.expr):
                reach = outer + sum(seconds(part) for part in (window, offset) if part)
                yield from ((other, reach) for other in others)

    def _in_order(self) -> list[list[Rule]]:
        """Return the rules in the order of their evaluation, those that read each other together."""
        behind: dict[Rule, set[Rule]] = {}
        for rule in self.rules:
            found, ahead = set[Rule](), [rule]
            while ahead:
                new = {other for other, _ in self._reads[ahead.pop()]} - found
                found |= new
                ahead += new
            behind[rule] = found
        done: dict[Rule, list[Rule]] = {}
        # What a rule reads has fewer rules behind it, itself included, or as many if the two read each other.
        for rule in sorted(self.rules, key=lambda each: len(behind[each] | {each})):
            if rule not in done:
                mutual = [other for other in self.rules if other in behind[rule] and rule in behind[other]]
                done |= dict.fromkeys(mutual or [rule], mutual or [rule])
        return list({id(together): together for together in done.values()}.values())

    def _reach(self, together: Sequence[Rule]) -> float:
        """Return how far back rules read themselves or each other; 0 if they do not."""
        return max(
            (max(reach, other.every) for rule in together for other, reach in self._reads[rule] if other in together),
            default=0.0,
        )

    def _record(self, together: Sequence[Rule], period: Period) -> None:
        rule = together[0]
        first, last = max(0, rule.number(period.begin)), rule.number(period.end)
        if self._reach(together):
            assert len({each.group for each in together}) == 1, "two groups read each other"
            found = self._settled(together, first, last)
        else:
            found = [self._evaluated(rule, rule.expr, first, last)]
        for each, series in zip(together, found, strict=True):
            self._write(each, each.record, series, last)

    def _evaluated(self, rule: Rule, expr: str, first: int, last: int) -> Found:
        found: Found = defaultdict(dict)
        # By the day, so that a query does not carry along series of pods that are long gone.
        width = int(min(STEPS, DAY // rule.every))
        for number in range(first, last + 1, width):
            until = min(number + width - 1, last)
            for result in self.server.range(expr, rule.at(number), rule.at(until), rule.every):
                labels = {**result["metric"], **rule.labels}
                labels.pop("__name__", None)
                into = found[tuple(sorted(labels.items()))]
                for when, value in result["values"]:
                    at = when - self.server.base
                    if not self._is_idle(at):
                        into[rule.number(at)] = float(value)
        return found

    def _settled(self, together: Sequence[Rule], first: int, last: int) -> list[Found]:
        """Return what rules record that read their own past."""
        rule = together[0]
        done: list[Found] = [defaultdict(dict) for _ in together]
        day = width = int(DAY // rule.every)
        while first <= last:
            until = min(first + width - 1, last)
            guess = [self._continued(rule, found, first, until) for found in done]
            tries = 0
            while first <= until:
                tries += 1
                if tries > PATIENCE:
                    width, tries = max(1, width // 4), 1
                    until = min(until, first + width - 1)
                names = self._past(together, done, guess, first, until)
                found = [self._evaluated(each, _renamed(each, together, names), first, until) for each in together]
                agreed = min(_differ(a, b, first, until + 1) for a, b in zip(guess, found, strict=True))
                if len(together) == 1:
                    agreed = max(agreed, first + 1)  # of what comes first, the whole past is right
                for into, new in zip(done, found, strict=True):
                    for labels, values in new.items():
                        into[labels].update((n, value) for n, value in values.items() if n < agreed)
                guess, first = found, agreed
            width = min(day, 2 * width)
        return done

    def _continued(self, rule: Rule, found: Found, first: int, until: int) -> Found:
        """Return a guess at what comes next: all as it was."""
        return {
            labels: dict.fromkeys(
                (n for n in range(first, until + 1) if not self._is_idle(rule.at(n))), values[first - 1]
            )
            for labels, values in found.items()
            if first - 1 in values
        }

    def _past(
        self, together: Sequence[Rule], done: Sequence[Found], guess: Sequence[Found], first: int, until: int
    ) -> dict[str, str]:
        """Write the past of some evaluations under names that were never used; return them by the rules' own."""
        self._tries += 1
        back = first - math.ceil(self._reach(together) / together[0].every) - 1
        names = {}
        for rule, old, new in zip(together, done, guess, strict=True):
            names[rule.record] = f"{rule.record}:{self._tries}"
            series: Found = defaultdict(dict)
            for labels, values in old.items():
                series[labels].update((n, values[n]) for n in range(back, first) if n in values)
            for labels, values in new.items():
                series[labels].update((n, value) for n, value in values.items() if first <= n <= until)
            self._write(rule, names[rule.record], series, until)
        return names

    def _write(self, rule: Rule, name: str, found: Found, last: int) -> None:
        self.server.load(self._points(rule, name, found, last))

    def _points(self, rule: Rule, name: str, found: Found, last: int) -> Iterator[Points]:
        for labels, values in found.items():
            samples = list(self._marked(rule, values, last))
            if samples:
                when = stamps(self.server.base + at for at, _ in samples)
                yield {**dict(labels), "__name__": name}, when, array("d", (value for _, value in samples))

    def _marked(self, rule: Rule, values: Mapping[int, float], last: int) -> Iterator[tuple[float, float]]:
        """Yield samples with a stale marker where the series disappears."""
        for number in sorted(values):
            yield rule.at(number), values[number]
            following = rule.at(number + 1)
            if number + 1 not in values and number < last and not self._is_idle(following):
                yield following, STALE

    def _is_idle(self, at: float) -> bool:
        return any(at in period for period in self.idle)


def _reading(name: str) -> re.Pattern[str]:
    """Return what matches a selector of a name: its matchers, its window and its offset are groups."""
    return re.compile(rf"(?<![\w:]){re.escape(name)}(?![\w:])(\s*\{{[^}}]*\}})?(?:\s*\[(\w+)\])?(?:\s*offset\s+(\w+))?")


def _renamed(rule: Rule, together: Sequence[Rule], names: Mapping[str, str]) -> str:
    """Return the expression of a rule that reads the past under other names.

    Of itself and of the rules behind it in its group it cannot see the evaluation that is going on.
    """
    expr = rule.expr
    unseen = {other.record for other in together[together.index(rule) :]}
    for name, new in names.items():

        def renamed(match: re.Match[str], name: str = name, new: str = new) -> str:
            matchers, window, offset = (part or "" for part in match.groups())
            if offset or name not in unseen:
                return f"{new}{matchers}" + f"[{window}]" * bool(window) + f" offset {offset}" * bool(offset)
            assert window, f"{rule.record} reads {name} as it stands, before it is recorded: give it a window"
            return f"{new}{matchers}[{round(seconds(window) * 1000) - 1}ms] offset 1ms"

        expr = _reading(name).sub(renamed, expr)
    return expr


def _differ(one: Found, other: Found, begin: int, end: int) -> int:
    """Return the number of the first evaluation from `begin` of which two results differ, `end` if there is none."""
    first = end
    for labels in one.keys() | other.keys():
        a, b = one.get(labels, {}), other.get(labels, {})
        for number in a.keys() | b.keys():
            if begin <= number < first and not _same(a.get(number), b.get(number)):
                first = number
    return first


def _same(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=JITTER) or (math.isnan(a) and math.isnan(b))


def _merged(periods: Sequence[Period]) -> list[Period]:
    merged: list[Period] = []
    for period in sorted(periods, key=lambda each: each.begin):
        if merged and period.begin <= merged[-1].end:
            merged[-1] = Period(merged[-1].begin, max(period.end, merged[-1].end))
        else:
            merged.append(period)
    return merged
