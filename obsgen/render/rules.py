"""Prometheus rule files, one for each domain, as plain data."""

from __future__ import annotations

from typing import Any

from obsgen.index import Index
from obsgen.model.catalog import Domain
from obsgen.model.rule import ALERT_INTERVAL, HOLD, THRESHOLD, VALUE, Alert, Level, Recording, level_expr
from obsgen.promql.text import pretty
from obsgen.promql.tree import series_in
from obsgen.render.links import Links
from obsgen.words import spoken

Json = dict[str, Any]


def rule_files(index: Index) -> dict[str, Json]:
    """Return the rule file of every domain that has rules, by the domain's name.

    Recordings stand in the order of their dependencies, within a group and among groups; alerts come last.
    """
    links = Links(index)
    order = {name: place for place, name in enumerate(in_order(index.catalog.recordings))}
    files: dict[str, Json] = {}
    for domain in index.catalog.domains:
        groups = [*_recording_groups(domain, order), *_alert_groups(index, links, domain)]
        if groups:
            files[domain.name] = {"groups": groups}
    return files


def in_order(recordings: tuple[Recording, ...]) -> list[str]:
    """Return the names of recordings so that each comes after those that it reads, and else as they were given."""
    by_name = {recording.name: recording for recording in recordings}
    place = {name: number for number, name in enumerate(by_name)}
    reads = {r.name: [s.name for s in series_in(r.expr) if s.name in by_name] for r in recordings}

    def after(name: str, other: str) -> bool:
        """Return whether one has to come after another that it reads: of two that read each other, as given."""
        return name not in reads[other] or place[other] < place[name]

    done: dict[str, None] = {}
    # Iterative: a chain of recordings may be longer than Python's stack.
    stack = list(reversed(recordings))
    entered: set[str] = set()
    while stack:
        recording = stack[-1]
        needed = [
            by_name[name]
            for name in reads[recording.name]
            if name not in done and name not in entered and after(recording.name, name)
        ]
        entered.add(recording.name)
        if needed:
            stack.extend(reversed(needed))
        else:
            done.setdefault(stack.pop().name)
    return list(done)


def _recording_groups(domain: Domain, order: dict[str, int]) -> list[Json]:
    """Return the groups of a domain's recordings: one for each interval, more where two intervals need each other."""
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
        {
            "name": name,
            "interval": interval,
            "rules": [{"record": r.name, "expr": pretty(r.expr)} for r in members],
        }
        for name, (interval, members) in zip(names, groups, strict=True)
    ]


def _numbered(names: list[str]) -> list[str]:
    """Return names with a number after each that was there before."""
    return [f"{name}-{names[:n].count(name) + 1}" if name in names[:n] else name for n, name in enumerate(names)]


def _alert_groups(index: Index, links: Links, domain: Domain) -> list[Json]:
    intervals: dict[str, list[Json]] = {}
    for alert in sorted(domain.alerts, key=lambda each: each.interval != ALERT_INTERVAL):
        rules = [_alert(index, links, domain, alert, level) for level in alert.levels]
        intervals.setdefault(alert.interval, []).extend(rules)
    return [
        {
            "name": f"{domain.name}-alerts" + ("" if interval == ALERT_INTERVAL else f"-{interval}"),
            "interval": interval,
            "rules": rules,
        }
        for interval, rules in intervals.items()
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
