"""The rule file that gives renamed metrics their own names, and its tests for promtool, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from obsgen.index import Index
from obsgen.model.rule import ALERT_INTERVAL
from obsgen.promql.label import RENAMED
from obsgen.promql.metric import Metric
from obsgen.promql.text import pretty, string
from obsgen.renames import RENAMES, exposer, renamed, rules
from obsgen.render.rules import RULES, in_groups

Json = dict[str, Any]
FILE = f"{RULES}/{RENAMES}.yml"


def rename_file(index: Index) -> Json | None:
    """Return the rule file of the renamed metrics; None where there are none.

    A group for each interval at which sources are scraped: what is recorded is as fresh as what was scraped.
    """
    intervals: dict[str, list[list[Json]]] = {}
    for metric in renamed(index.catalog):
        intervals.setdefault(exposer(metric).interval, []).append(_recorded(metric))
    groups = [
        group
        for interval, runs in sorted(intervals.items(), key=lambda each: each[0] != ALERT_INTERVAL)
        for group in in_groups(RENAMES if interval == ALERT_INTERVAL else f"{RENAMES}-{interval}", interval, runs)
    ]
    return {"groups": groups} if groups else None


def _recorded(metric: Metric) -> list[Json]:
    return [{"record": name, "expr": pretty(expr), "labels": {RENAMED.name: "true"}} for name, expr in rules(metric)]


def rename_tests(index: Index) -> Json:
    """Return the tests of the renamed metrics: each is recorded, and steps aside for what is scraped."""
    return {
        "rule_files": [f"../{FILE}"],
        "evaluation_interval": ALERT_INTERVAL,
        "tests": [test for metric in renamed(index.catalog) for test in _tests(metric)],
    }


def _tests(metric: Metric) -> Iterator[Json]:
    today, job = metric.exposure, exposer(metric).job
    target = {"instance": f"{job}:9100", "job": job}
    back = {new: old for old, new in today.labels.items()}
    kept = [label.name for label in metric.labels if label.name not in today.adds]
    given = {back.get(name, name): f"{name} of today" for name in kept} | target
    expected = {name: f"{name} of today" for name in kept} | dict(today.adds) | target | {RENAMED.name: "true"}
    own = {label.name: "its own" for label in metric.labels} | target
    for name, _ in rules(metric):
        part = name.removeprefix(metric.name)
        before = {"series": _series(today.name + part, given), "values": "1+0x20"}
        after = {"series": _series(name, own), "values": "_x10 7+0x10"}
        yield _test(
            f"{name} is recorded of {today.name + part}.", [before], name, {_series(name, expected): today.scale}
        )
        yield _test(f"{name} is no longer recorded once it is scraped.", [before, after], name, {_series(name, own): 7})


def _test(title: str, given: list[Json], expr: str, samples: dict[str, float]) -> Json:
    expected = [{"labels": labels, "value": value} for labels, value in samples.items()]
    return {
        "name": title,
        "interval": ALERT_INTERVAL,
        "input_series": given,
        # At two evaluations: a rule that saw its own output would record at every other one.
        "promql_expr_test": [{"expr": expr, "eval_time": at, "exp_samples": expected} for at in ("8m", "8m30s")],
    }


def _series(name: str, labels: dict[str, str]) -> str:
    inside = ", ".join(f"{label}={string(value)}" for label, value in sorted(labels.items()))
    return f"{name}{{{inside}}}"
