"""The proofs of a catalog in the format of Prometheus' own rule tests (`promtool test rules`).

What cannot be said in that format is left out: promtool evaluates all groups at one interval, so windows over recorded
series count too much there.

Its samples lie at the very times of the evaluations, and one at the left edge of a window counts for promtool 2 but
not for promtool 3. So an alert that depends on a window may come and go one evaluation earlier or later than its proof
says: that it is quiet, or fires, is asserted outside of that time.

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
from obsgen.model.rule import ALERT_INTERVAL, Alert, Recording
from obsgen.promql.infer import labels_of
from obsgen.promql.label import TARGET_LABELS
from obsgen.promql.metric import seconds
from obsgen.promql.notation import Mark, exported, values
from obsgen.promql.reader import LOOKBACK
from obsgen.promql.text import string
from obsgen.promql.tree import Call, Expr, Range, Raw, series_in, walk
from obsgen.render.rules import RULES
from obsgen.words import duration

Json = dict[str, Any]
LONGEST = 86_400
"""Seconds of the longest proof that is exported: promtool evaluates every rule of a file all along."""
MOST = 100
"""Series of the largest proof that is exported: more fill a file that nobody reads."""
_LABEL = re.compile(r"\{\{ \$labels\.(\w+)( \| urlquery)? \}\}")


def rule_tests(index: Index, files: Mapping[str, Json]) -> dict[str, Json]:
    """Return the rule tests of every domain that has any, by the domain's name.

    Args:
        index: the catalog's cross-references.
        files: the rule files, by their path below `prometheus/`.
    """
    writer = _Writer(index, files)
    found = {
        domain.name: (_files(index, domain, files), list(writer.tests(domain))) for domain in index.catalog.domains
    }
    return {
        name: {
            "rule_files": [f"../{path}" for path in paths],
            "evaluation_interval": ALERT_INTERVAL,
            # promtool would evaluate the groups in any order.
            "group_eval_order": [group["name"] for path in paths for group in files[path]["groups"]],
            "tests": tests,
        }
        for name, (paths, tests) in found.items()
        if tests
    }


def _files(index: Index, domain: Domain, files: Mapping[str, Json]) -> list[str]:
    """Return the paths of the rule files with the rules of a domain, those that wait included."""
    waiting = (index.readiness.file(alert.name) for alert in domain.alerts if alert.name in index.readiness.waiting)
    return [path for path in dict.fromkeys((f"{RULES}/{domain.name}.yml", *waiting)) if path in files]


class _Writer:
    def __init__(self, index: Index, files: Mapping[str, Json]) -> None:
        self.recorded = {recording.name: recording for recording in index.catalog.recordings}
        rules = (rule for file in files.values() for group in file["groups"] for rule in group["rules"])
        self.rules = {(rule["alert"], rule["labels"]["severity"]): rule for rule in rules if "alert" in rule}

    def tests(self, domain: Domain) -> Iterator[Json]:
        own = {recording.name for recording in domain.recordings}
        for recording in domain.recordings:
            for proof in recording.proofs:
                reads = [recording if sample.of is None else sample.of for sample in proof.samples]
                if proof.end <= LONGEST and all(self._means_the_same(series, own) for series in reads):
                    yield _test(recording.name, proof) | {"promql_expr_test": list(_samples(recording, proof))}
        for alert in domain.alerts:
            # promtool's time begins on a Thursday.
            proofs = [p for p in alert.proofs if p.end <= LONGEST and len(p.given) <= MOST and not p.weekday]
            if proofs and alert.interval == ALERT_INTERVAL and self._means_the_same(alert.expr, own):
                kept = labels_of(alert.expr) or frozenset()
                windowed = self._has_window(alert.expr)
                for proof in proofs:
                    off = seconds(alert.interval) if windowed or _fades(proof) else 0.0
                    if found := self._alert(alert, proof, kept & TARGET_LABELS, off):
                        yield _test(alert.name, proof) | found

    def _means_the_same(self, expr: Expr, own: set[str]) -> bool:
        """Return whether promtool evaluates an expression as Prometheus does: see above.

        Args:
            expr: the expression.
            own: the recordings of its rule file: promtool reads no other.
        """
        behind = self._behind(expr)
        exprs = [expr, *(self.recorded[name].expr for name in behind)]
        return own.issuperset(behind) and not any(self._sums_recorded(each) for each in exprs)

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

    def _has_window(self, expr: Expr) -> bool:
        """Return whether an expression, or a recording behind it, reads samples of a window."""
        exprs = [expr, *(self.recorded[name].expr for name in self._behind(expr))]
        return any(
            isinstance(node, Range) or (isinstance(node, Raw) and "[" in node.template)
            for each in exprs
            for node in walk(each)
        )

    def _alert(self, alert: Alert, proof: Proof, kept: frozenset[str], off: float) -> Json:
        """Return what promtool has to find of an alert, nothing where all of it is too brief to be told.

        Args:
            alert: the alert.
            proof: its proof.
            kept: the labels of a target that its expression keeps.
            off: by how many seconds it may come and go earlier or later than the proof says.
        """
        if not proof.firings:
            window = duration(max(proof.end - seconds(proof.after), 1))
            never = f"max_over_time({_firing_alerts(alert)}[{window}])"
            return {"promql_expr_test": [{"expr": never, "eval_time": duration(proof.end), "exp_samples": []}]}
        times = _times(alert, proof, off)
        if not times:
            return {}
        first = self._expected(alert, proof, proof.firings[0], kept) if len(proof.firings) == 1 else None
        if first is None:
            return {"promql_expr_test": [self._firing(alert, proof, at) for at in times]}
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

    def _expected(self, alert: Alert, proof: Proof, firing: Firing, kept: frozenset[str]) -> Json | None:
        """Return an alert with all its labels and texts, None where they are not known."""
        labels = {label.name: value for label, value in firing.labels.items()}
        target = _target(alert, proof, labels, kept)
        if not firing.description or target is None:
            return None
        labels |= target
        rule = self._rule(alert, firing)
        texts = {name: _filled(text, labels) for name, text in rule["annotations"].items()}
        return {
            "exp_labels": dict(sorted((labels | rule["labels"]).items())),
            "exp_annotations": texts | {"description": firing.description},
        }

    def _rule(self, alert: Alert, firing: Firing) -> Json:
        severity = firing.severity or alert.levels[0].severity
        rule: Json = self.rules[alert.name, severity.value]
        return rule

    def _firing(self, alert: Alert, proof: Proof, at: float) -> Json:
        firings = [firing for firing in proof.firings if _fires_at(firing, at)]
        samples = []
        for firing in firings:
            labels = {label.name: value for label, value in firing.labels.items()}
            labels |= self._rule(alert, firing)["labels"] | {"alertname": alert.name, "alertstate": "firing"}
            samples.append({"labels": _series(dict(sorted(labels.items()))), "value": 1})
        left_out = sorted(TARGET_LABELS - {label.name for firing in firings for label in firing.labels})
        return {
            "expr": f"sum without ({', '.join(left_out)}) ({_firing_alerts(alert)})",
            "eval_time": duration(at),
            "exp_samples": samples,
        }


def _firing_alerts(alert: Alert) -> str:
    return f'ALERTS{{alertname={string(alert.name)}, alertstate="firing"}}'


def _target(alert: Alert, proof: Proof, labels: dict[str, str], kept: frozenset[str]) -> dict[str, str] | None:
    """Return the `job` and `instance` of the only series that an alert with these labels can come from."""
    read = {series.name for series in series_in(alert.expr)}
    found = {
        tuple((name, pairs[name]) for name in sorted(kept) if name in pairs)
        for pairs in map(dict, proof.series.values())
        if pairs["__name__"] in read and labels.items() <= pairs.items()
    }
    if not kept:
        return {}
    return dict(found.pop()) if len(found) == 1 else None


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


def _fades(proof: Proof) -> bool:
    """Return whether a series has no sample for so long that it is forgotten, without a marker of its end."""
    for text in proof.given.values():
        seen = [(n * proof.step, v) for n, v in enumerate(values(text)) if v is not Mark.MISSING]
        nexts = [at for at, _ in seen[1:]] + [proof.end]
        if any(v is not Mark.STALE and after - at >= LOOKBACK for (at, v), after in zip(seen, nexts, strict=False)):
            return True
    return False


def _times(alert: Alert, proof: Proof, off: float) -> list[float]:
    """Return when to look: just before and at each change, or as much earlier and later as it may be off."""
    step = seconds(alert.interval)
    changes = [seconds(text) for firing in proof.firings for text in (firing.since, firing.until) if text]
    looks = {at for change in changes for at in (change - step - off, change + off)}
    sure = (at for at in looks if not any(change - step - off < at < change + off for change in changes))
    return sorted(at for at in sure if 0 <= at <= proof.end)


def _fires_at(firing: Firing, at: float) -> bool:
    return seconds(firing.since) <= at and (not firing.until or at < seconds(firing.until))


def _filled(text: str, labels: dict[str, str]) -> str:
    def fill(found: re.Match[str]) -> str:
        value = labels.get(found[1], "")
        return quote_plus(value) if found[2] else value

    return _LABEL.sub(fill, text)
