"""Prometheus rule files, one for each domain, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from obsgen.index import Index
from obsgen.model.catalog import Domain
from obsgen.model.order import in_order
from obsgen.model.rule import ALERT_INTERVAL, HOLD, THRESHOLD, VALUE, Alert, Level, Recording, level_expr
from obsgen.promql.text import pretty
from obsgen.promql.tree import series_in
from obsgen.render.links import Links
from obsgen.words import spoken

Json = dict[str, Any]
RULES = "rules"
"""The folder of the rule files that Prometheus loads, below that of its configuration. Nothing else is in it, so that
`*.yml` fits rule files only."""
LARGEST = 20
"""Rules in a group at most: Mimir takes no more by default (`ruler_max_rules_per_rule_group`)."""


def rule_files(index: Index) -> dict[str, Json]:
    """Return the rule file of every domain that has rules, by its path below `prometheus/`.

    The rules that wait for a source have a file for each source, in a folder that Prometheus does not load.
    Recordings stand in the order of their dependencies, within a group and among groups; alerts come last. A group
    has at most `LARGEST` rules.
    """
    links = Links(index)
    order = {name: place for place, name in enumerate(in_order(index.catalog.recordings))}
    waiting = index.readiness.waiting
    loaded: dict[str, Json] = {}
    waits: dict[str, list[Json]] = {}
    for domain in index.catalog.domains:
        rules = {a.name: (a, [_alert(index, links, domain, a, level) for level in a.levels]) for a in domain.alerts}
        ready = (each for name, each in rules.items() if name not in waiting)
        groups = [*_recording_groups(domain, order), *_alert_groups(f"{domain.name}-alerts", ready)]
        if groups:
            loaded[f"{RULES}/{domain.name}.yml"] = {"groups": groups}
        for watch in domain.watches:
            own = [rules[name] for name, (of, _) in waiting.items() if of is watch]
            if own:
                # Named unlike any group that is loaded: a rule test may load both.
                groups = _alert_groups(f"{domain.name}-watch-{watch.source.name}", own)
                waits.setdefault(index.readiness.file(own[0][0].name), []).extend(groups)
    return loaded | {path: {"groups": groups} for path, groups in waits.items()}


def in_groups(name: str, interval: str, runs: Iterable[list[Json]]) -> Iterator[Json]:
    """Yield rules as groups of at most `LARGEST`, in their order.

    What is added at the end leaves the earlier groups, and their names, as they are.

    Args:
        name: of the first group; the others are numbered after it.
        interval: of their evaluation.
        runs: rules that stay together where a group is large enough for them.
    """
    groups: list[list[Json]] = []
    for run in runs:
        for start in range(0, len(run), LARGEST):
            piece = run[start : start + LARGEST]
            if not groups or len(groups[-1]) + len(piece) > LARGEST:
                groups.append([])
            groups[-1] += piece
    for number, rules in enumerate(groups, 1):
        yield {"name": name if number == 1 else f"{name}-part{number}", "interval": interval, "rules": rules}


def _recording_groups(domain: Domain, order: dict[str, int]) -> list[Json]:
    """Return the groups of a domain's recordings: one for each interval, more where two intervals need each other.

    Groups are evaluated at the same time, the rules of a group one after the other: what a budget records at an
    interval stays in one group.
    """
    groups: list[tuple[str, list[Recording]]] = []
    place: dict[str, int] = {}
    for recording in sorted(domain.recordings, key=lambda r: order[r.name]):
        behind = [place[s.name] for s in series_in(recording.expr) if s.name in place]
        earliest = max((n if groups[n][0] == recording.interval else n + 1 for n in behind), default=0)
        fitting = (n for n in range(earliest, len(groups)) if groups[n][0] == recording.interval)
        number = next(fitting, len(groups))
        if number == len(groups):
            groups.append((recording.interval, []))
        groups[number][1].append(recording)
        place[recording.name] = number
    names = _numbered([f"{domain.name}-recordings-{interval}" for interval, _ in groups])
    return [
        group
        for name, (interval, members) in zip(names, groups, strict=True)
        for group in in_groups(name, interval, _runs(members))
    ]


def _runs(recordings: list[Recording]) -> Iterator[list[Json]]:
    """Yield recordings as rules, those of a budget together."""
    for _, together in groupby(recordings, key=lambda recording: recording.budget or recording.name):
        yield [{"record": recording.name, "expr": pretty(recording.expr)} for recording in together]


def _numbered(names: list[str]) -> list[str]:
    """Return names with a number after each that was there before."""
    return [f"{name}-{names[:n].count(name) + 1}" if name in names[:n] else name for n, name in enumerate(names)]


def _alert_groups(name: str, alerts: Iterable[tuple[Alert, list[Json]]]) -> list[Json]:
    """Return the groups of alerts, each with the rules of its levels: one for each interval."""
    intervals: dict[str, list[list[Json]]] = {}
    for alert, levels in sorted(alerts, key=lambda each: each[0].interval != ALERT_INTERVAL):
        intervals.setdefault(alert.interval, []).append(levels)
    return [
        group
        for interval, rules in intervals.items()
        for group in in_groups(name + ("" if interval == ALERT_INTERVAL else f"-{interval}"), interval, rules)
    ]


def _alert(index: Index, links: Links, domain: Domain, alert: Alert, level: Level) -> Json:
    project = index.catalog.project
    rule: Json = {"alert": alert.name, "expr": pretty(level_expr(alert, level))}
    if level.hold != "0s":
        rule["for"] = level.hold
    if level.keep_firing != "0s":
        rule["keep_firing_for"] = level.keep_firing
    rule["labels"] = {
        "severity": level.severity.value,
        "owner": project.owner.name,
        "team": (domain.team or project.owner).name,
        "catalog": project.name,
        "domain": domain.name,
    }
    annotations = {
        "summary": alert.summary,
        "description": described(alert, level),
        "runbook_url": links.runbook(alert.name),
    }
    dashboard = links.alert(alert)
    rule["annotations"] = annotations | ({"dashboard_url": dashboard} if dashboard else {})
    return rule


def described(alert: Alert, level: Level) -> str:
    """Return an alert's description as Prometheus' template: threshold and hold written out, the value in its unit."""
    threshold = alert.unit.write(level.threshold.value) if level.threshold else ""
    text = alert.description.replace(VALUE, alert.unit.template)
    return text.replace(THRESHOLD, threshold).replace(HOLD, spoken(level.hold))
