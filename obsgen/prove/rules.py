"""Rules as Prometheus reads them, and what each needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from obsgen.promql import reader
from obsgen.promql.metric import seconds


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a rule file.

    Attributes:
        name: of the recorded series, or of the alert.
        expr: its PromQL.
        interval: seconds from one evaluation to the next.
        reads: how far back it looks for each series, in seconds.
        alert: whether it is an alert.
        hold: seconds of `for`.
        keep: seconds of `keep_firing_for`.
        labels: labels that the rule adds.
        annotations: the alert's texts, as templates.
    """

    name: str
    expr: str
    interval: float
    reads: Mapping[str, float]
    alert: bool = False
    hold: float = 0.0
    keep: float = 0.0
    labels: Mapping[str, str] | None = None
    annotations: Mapping[str, str] | None = None

    @property
    def severity(self) -> str:
        """The level of an alert."""
        return (self.labels or {}).get("severity", "")


def read(rule: Mapping[str, Any], interval: str) -> Rule:
    """Return a rule of a rule file's data."""
    reads = reader.reach(rule["expr"])
    if "record" in rule:
        return Rule(rule["record"], rule["expr"], seconds(interval), reads)
    return Rule(
        rule["alert"],
        rule["expr"],
        seconds(interval),
        reads,
        alert=True,
        hold=seconds(rule.get("for", "0s")),
        keep=seconds(rule.get("keep_firing_for", "0s")),
        labels=rule.get("labels", {}),
        annotations=rule.get("annotations", {}),
    )


class Rules:
    """The rules of a catalog.

    Args:
        rules: in any order. A recording comes before what reads it.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.recordings: dict[str, Rule] = {}
        self.alerts: dict[str, tuple[Rule, ...]] = {}
        for rule in rules:
            if rule.alert:
                self.alerts[rule.name] = (*self.alerts.get(rule.name, ()), rule)
            else:
                self.recordings[rule.name] = rule

    @classmethod
    def of(cls, files: Iterable[Mapping[str, Any]]) -> Rules:
        """Return the rules of rule files' data."""
        return cls(
            read(rule, group["interval"]) for file in files for group in file["groups"] for rule in group["rules"]
        )

    def with_(self, changed: Rule) -> Rules:
        """Return the rules with one of them changed."""
        alerts = (rule for levels in self.alerts.values() for rule in levels)
        same = (changed.alert, changed.name, changed.severity)
        return Rules(
            changed if (rule.alert, rule.name, rule.severity) == same else rule
            for rule in (*self.recordings.values(), *alerts)
        )

    def needed(self, reads: Iterable[str]) -> tuple[Rule, ...]:
        """Return the recordings behind some series, each after those that it reads."""
        done: dict[str, Rule] = {}

        def visit(name: str, above: tuple[str, ...]) -> None:
            rule = self.recordings.get(name)
            if rule is None or name in done or name in above:
                return
            for below in rule.reads:
                visit(below, (*above, name))
            done[name] = rule

        for name in reads:
            visit(name, ())
        return tuple(done.values())

    def metrics(self, reads: Iterable[str]) -> Iterator[str]:
        """Yield the names of the metrics behind some series: what no rule records."""
        names = dict.fromkeys(reads)
        for rule in self.needed(names):
            names.update(dict.fromkeys(rule.reads))
        yield from (name for name in names if name not in self.recordings)
