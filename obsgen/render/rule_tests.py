"""The proofs of a catalog in the format of Prometheus' own rule tests (`promtool test rules`).

What cannot be said in that format is left out: promtool evaluates all groups at one interval, so windows over recorded
series count too much there.

Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote_plus

from obsgen.index import Index
from obsgen.model.catalog import Domain
from obsgen.model.proof import Firing, Proof, Sample
from obsgen.model.rule import ALERT_INTERVAL, Alert, Level, Recording
from obsgen.promql.infer import labels_of
from obsgen.promql.label import TARGET_LABELS
from obsgen.promql.metric import seconds
from obsgen.promql.notation import exported
from obsgen.promql.text import string
from obsgen.promql.tree import Call, Expr, Range, series_in, walk
from obsgen.render.links import Links
from obsgen.render.rules import alert_rule
from obsgen.words import duration

Json = dict[str, Any]
LONGEST = 86_400
"""Seconds of the longest proof that is exported: promtool evaluates every rule of a file all along."""
_LABEL = re.compile(r"\{\{ \$labels\.(\w+)( \| urlquery)? \}\}")


def rule_tests(index: Index, files: Mapping[str, Json]) -> dict[str, Json]:
    """Return the rule tests of every domain that has any, by the domain's name.

    Args:
        index: the catalog's cross-references.
        files: the rule files, by the domain's name.
    """
    writer = _Writer(index)
    found = {domain.name: list(writer.tests(domain)) for domain in index.catalog.domains}
    return {
        name: {
            "rule_files": [f"../{name}.yml"],
            "evaluation_interval": ALERT_INTERVAL,
            # promtool would evaluate the groups in any order.
            "group_eval_order": [group["name"] for group in files[name]["groups"]],
            "tests": tests,
        }
        for name, tests in found.items()
        if tests
    }


class _Writer:
    def __init__(self, index: Index) -> None:
        self.index = index
        self.links = Links(index)
        self.recorded = {recording.name: recording for recording in index.catalog.recordings}

    def tests(self, domain: Domain) -> Iterator[Json]:
        for recording in domain.recordings:
            for proof in recording.proofs:
                reads = [recording if sample.of is None else sample.of for sample in proof.samples]
                if all(self._fits(series, proof, domain) for series in reads):
                    yield _test(recording.name, proof) | {"promql_expr_test": list(_samples(recording, proof))}
        for alert in domain.alerts:
            if alert.interval != ALERT_INTERVAL:
                continue
            for proof in alert.proofs:
                if self._fits(alert.expr, proof, domain):
                    yield _test(alert.name, proof) | self._alert(domain, alert, proof)

    def _fits(self, expr: Expr, proof: Proof, domain: Domain) -> bool:
        """Return whether a proof of an expression means the same to promtool: see above."""
        own = {recording.name for recording in domain.recordings}
        if proof.end > LONGEST:
            return False
        for series in series_in(expr):
            if series.name in self.recorded and series.name not in own:
                return False
        exprs = [expr, *(self.recorded[name].expr for name in self._behind(expr))]
        return not any(self._sums_recorded(each) for each in exprs)

    def _behind(self, expr: Expr) -> list[str]:
        found: dict[str, None] = {}
        stack = [series.name for series in series_in(expr)]
        while stack:
            name = stack.pop()
            if name in self.recorded and name not in found:
                found[name] = None
                stack += [series.name for series in series_in(self.recorded[name].expr)]
        return list(found)

    def _sums_recorded(self, expr: Expr) -> bool:
        return any(
            isinstance(node, Call)
            and node.function != "last_over_time"
            and any(isinstance(arg, Range) and arg.selector.series.name in self.recorded for arg in node.args)
            for node in walk(expr)
        )

    def _alert(self, domain: Domain, alert: Alert, proof: Proof) -> Json:
        if not proof.firings:
            window = duration(max(proof.end - seconds(proof.after), 1))
            never = f'max_over_time(ALERTS{{alertname={string(alert.name)}, alertstate="firing"}}[{window}])'
            return {"promql_expr_test": [{"expr": never, "eval_time": duration(proof.end), "exp_samples": []}]}
        times = _times(alert, proof)
        first = self._expected(domain, alert, proof, proof.firings[0]) if len(proof.firings) == 1 else None
        if first is None:
            return {"promql_expr_test": [self._firing(domain, alert, proof, at) for at in times]}
        return {
            "alert_rule_test": [
                {
                    "eval_time": duration(at),
                    "alertname": alert.name,
                    "exp_alerts": [first for firing in proof.firings if _fires_at(firing, at)],
                }
                for at in times
            ]
        }

    def _expected(self, domain: Domain, alert: Alert, proof: Proof, firing: Firing) -> Json | None:
        """Return an alert with all its labels and texts, None where they are not known."""
        level = _level(alert, firing)
        labels = {label.name: value for label, value in firing.labels.items()}
        if not firing.description or (labels_of(alert.expr) or TARGET_LABELS) & TARGET_LABELS - labels.keys():
            target = self._target(alert, proof, labels)
            if target is None or not firing.description:
                return None
            labels |= target
        rule = alert_rule(self.index, self.links, domain, alert, level)
        texts = {name: _filled(text, labels) for name, text in rule["annotations"].items()}
        return {
            "exp_labels": dict(sorted((labels | rule["labels"]).items())),
            "exp_annotations": texts | {"description": firing.description},
        }

    def _target(self, alert: Alert, proof: Proof, labels: dict[str, str]) -> dict[str, str] | None:
        """Return the `job` and `instance` of the only series that an alert with these labels can come from."""
        read = {series.name for series in series_in(alert.expr)}
        kept = (labels_of(alert.expr) or frozenset()) & TARGET_LABELS
        found = {
            tuple((name, pairs[name]) for name in sorted(kept) if name in pairs)
            for pairs in map(dict, proof.series.values())
            if pairs["__name__"] in read and labels.items() <= pairs.items()
        }
        return dict(found.pop()) if len(found) == 1 else None

    def _firing(self, domain: Domain, alert: Alert, proof: Proof, at: float) -> Json:
        firings = [firing for firing in proof.firings if _fires_at(firing, at)]
        samples = []
        for firing in firings:
            labels = {label.name: value for label, value in firing.labels.items()}
            labels |= alert_rule(self.index, self.links, domain, alert, _level(alert, firing))["labels"]
            labels |= {"alertname": alert.name, "alertstate": "firing"}
            samples.append({"labels": _series(dict(sorted(labels.items()))), "value": 1})
        left_out = sorted(TARGET_LABELS - {label.name for firing in firings for label in firing.labels})
        selected = f'ALERTS{{alertname={string(alert.name)}, alertstate="firing"}}'
        return {
            "expr": f"sum without ({', '.join(left_out)}) ({selected})",
            "eval_time": duration(at),
            "exp_samples": samples,
        }


def _test(name: str, proof: Proof) -> Json:
    return {
        "name": f"{name}: {proof.title}",
        "interval": duration(proof.step),
        "input_series": [
            {"series": _series(dict(labels)), "values": exported(proof.given[key])}
            for key, labels in proof.series.items()
        ],
    }


def _series(labels: dict[str, str]) -> str:
    inside = ", ".join(f"{name}={string(value)}" for name, value in labels.items() if name != "__name__")
    return f"{labels.get('__name__', '')}{{{inside}}}"


def _samples(recording: Recording, proof: Proof) -> Iterator[Json]:
    """Yield a test for each series and time, with all the samples that a proof expects there."""
    together: dict[tuple[str, str], list[Sample]] = {}
    for sample in proof.samples:
        name = recording.name if sample.of is None else sample.of.name
        together.setdefault((name, sample.at), []).append(sample)
    for (name, at), samples in together.items():
        expected = [({label.name: value for label, value in s.labels.items()}, s.value) for s in samples]
        left_out = sorted(TARGET_LABELS - expected[0][0].keys())
        yield {
            "expr": f"sum without ({', '.join(left_out)}) ({name})",
            "eval_time": at,
            "exp_samples": [{"labels": _series(labels), "value": value} for labels, value in expected],
        }


def _level(alert: Alert, firing: Firing) -> Level:
    return next(level for level in alert.levels if firing.severity in (None, level.severity))


def _times(alert: Alert, proof: Proof) -> list[float]:
    """Return when to look: just before and at each change."""
    step, found = seconds(alert.interval), set()
    for firing in proof.firings:
        for text in filter(None, (firing.since, firing.until)):
            found |= {seconds(text) - step, seconds(text)}
    return sorted(at for at in found if at >= 0)


def _fires_at(firing: Firing, at: float) -> bool:
    return seconds(firing.since) <= at and (not firing.until or at < seconds(firing.until))


def _filled(text: str, labels: dict[str, str]) -> str:
    def fill(found: re.Match[str]) -> str:
        value = labels.get(found[1], "")
        return quote_plus(value) if found[2] else value

    return _LABEL.sub(fill, text)
