"""The list of firing alerts: a table of Prometheus' own series of alerts.

Grafana's alert list needs a data source whose rules Grafana may read, does not follow the dashboard's variables, and
leads to no runbook. Here each row does, the worst and newest comes first, and three cases look different: alerts fire,
none does while the Watchdog shows that rules are evaluated, and nothing is known, for not even that one fires.
"""

from __future__ import annotations

from obsgen.index import Index
from obsgen.model.catalog import Domain
from obsgen.model.dashboard import AlertList, Dashboard
from obsgen.model.order import metrics_behind
from obsgen.model.rule import Alert
from obsgen.model.severity import Severity
from obsgen.promql.infer import labels_of
from obsgen.promql.label import INSTANCE, TARGET_LABELS
from obsgen.promql.text import string
from obsgen.promql.tree import series_in
from obsgen.render import grafana
from obsgen.render.fields import COLOURS, NO_DATA, OK, UNKNOWN, WRAPPED, no_data
from obsgen.render.grafana import Json
from obsgen.render.links import Links
from obsgen.watches import WATCHDOG

ALERT, SEVERITY, WHERE, SINCE, RUNBOOK = "Alert", "Severity", "Where", "Since", "Runbook"
"""The columns. The last is hidden: the name of the alert again, for `obsgen.grafana.links` to map to its dashboard."""
_TRIMMED = r" *(\S.*?) *"
_SORTED = [{"displayName": SEVERITY, "desc": False}, {"displayName": SINCE, "desc": True}]
EVERYWHERE = "–"
"""Where an alert fires that has no labels, and what a row is called that has no alert."""
UNANSWERED = f"{NO_DATA}: does the data source answer?"
"""What the table says that gets no answer; and each cell without a value that has no text of its own."""
NOTHING, UNSEEN, UNWATCHED = "ok", "unknown", "none"
"""The severities of the rows that say that nothing fires, that not even the Watchdog does, so that it is not known
whether anything does, and that nothing is seen to fire where there is no Watchdog."""


def firing(index: Index, domain: Domain, dashboard: Dashboard, panel: AlertList) -> Json:
    """Return what makes a panel a list of the firing alerts of a domain, or of the whole catalog."""
    listed = [a for a in index.catalog.alerts if panel.everything or not domain.alerts or index.home[a.name] is domain]
    silencers = {name for d in index.catalog.domains for each in d.inhibitions for name in each.silencers}
    inner = {alert.name for alert in listed if _internal(alert, silencers)}
    shown = [alert for alert in listed if alert.name not in inner]
    expr = _query(index, dashboard, shown, inner, whole=len(listed) == len(index.catalog.alerts), domain=domain.name)
    return {
        "kind": "table",
        "targets": [grafana.target("A", expr, "", instant=True, form="table")],
        "options": {"cellHeight": "sm", "showHeader": True, "sortBy": _SORTED},
        "defaults": {"custom": {"align": "auto", "cellOptions": {"type": "auto"}}, "noValue": UNANSWERED},
        "overrides": _columns(Links(index), _severities(shown)),
        "transformations": [{"id": "organize", "options": _order()}],
    }


def _internal(alert: Alert, silencers: set[str]) -> bool:
    """Return whether an alert is for machines: the Watchdog, and what only silences others."""
    return alert.name == WATCHDOG or (
        alert.name in silencers and all(level.severity is Severity.INFO for level in alert.levels)
    )


def _severities(alerts: list[Alert]) -> list[Severity]:
    """Return the severities of alerts, the worst first."""
    return sorted({level.severity for alert in alerts for level in alert.levels}, key=lambda each: -each.rank)


def _query(index: Index, dashboard: Dashboard, shown: list[Alert], inner: set[str], *, whole: bool, domain: str) -> str:
    kept = {alert.name: labels_of(alert.expr) or frozenset() for alert in shown}
    every = frozenset[str]().union(*kept.values())
    declared = {label.name: None for metric in index.catalog.metrics for label in metric.labels}
    own = [name for name in (*declared, *sorted(every - {*declared})) if name in every - TARGET_LABELS]
    if any(INSTANCE.name in kept[alert.name] and _several_targets(index, alert) for alert in shown):
        own.append(INSTANCE.name)
    catalog = f"catalog={string(index.catalog.project.name)}"
    matchers = [catalog, *([] if whole else [f"domain={string(domain)}"])]
    if inner:
        matchers.append(f"alertname!~{string('|'.join(sorted(inner)))}")
    # An alert that lacks the label of a filter concerns every choice.
    matchers += [f'{label.name}=~"${label.name}|"' for label in dashboard.filters if label.name in every]
    picked = ", ".join(matchers)
    fires = f'ALERTS{{alertstate="firing", {picked}}}'
    expr = f"ALERTS_FOR_STATE{{{picked}}} * 1000 and ignoring (alertstate) {fires}"
    expr = _where(expr, own)
    for number, severity in enumerate(_severities(shown), 1):
        expr = f'label_replace({expr}, "severity", "{number} $0", "severity", "{severity.value}")'
    expr = _with_runbook(f"min by (severity, alertname, where) ({expr})")
    if not any(alert.name == WATCHDOG for alert in index.catalog.alerts):
        return f"{expr} or on () {_row(UNWATCHED)}"
    watchdog = f'ALERTS{{alertstate="firing", {catalog}, alertname="{WATCHDOG}"}}'
    quiet = f'label_replace({watchdog} unless on () {fires}, "severity", "{NOTHING}", "", "")'
    unseen = f'label_replace({_row(UNSEEN)}, "alertname", "{WATCHDOG}", "", "")'
    nothing = _with_runbook(f"max by (severity, alertname) ({quiet}) * NaN")
    return f"{expr} or {nothing} or on () {_with_runbook(unseen)}"


def _with_runbook(expr: str) -> str:
    return f'label_replace({expr}, "{RUNBOOK}", "$0", "alertname", ".+")'


def _row(severity: str) -> str:
    """Return a row without an alert."""
    return f'label_replace(vector(NaN), "severity", "{severity}", "", "")'


def _where(expr: str, labels: list[str]) -> str:
    """Return alerts with a label that says where each fires: its own labels, or the instance where it has none."""
    found = f'label_replace({expr}, "where", "$1", "{INSTANCE.name}", "(.+)")'
    if not labels:
        return found
    own = f'label_join({found}, "obsgen_own", " ", {", ".join(map(string, labels))})'
    return f'label_replace({own}, "where", "$1", "obsgen_own", {string(_TRIMMED)})'


def _several_targets(index: Index, alert: Alert) -> bool:
    """Return whether the instances behind an alert tell its series apart: there may be more than one."""
    recorded = {recording.name: recording for recording in index.catalog.recordings}
    metrics = metrics_behind(series_in(alert.expr), recorded)
    return any(metric.source is not None and len(metric.source.targets) != 1 for metric in metrics)


def _order() -> Json:
    names = {"severity": SEVERITY, "alertname": ALERT, "where": WHERE, "Value": SINCE}
    return {
        "excludeByName": {"Time": True},
        "indexByName": {name: position for position, name in enumerate(names)},
        "renameByName": names,
    }


def _columns(links: Links, severities: list[Severity]) -> list[Json]:
    words = {
        **{f"{n} {s.value}": (s.value, COLOURS[s]) for n, s in enumerate(severities, 1)},
        NOTHING: ("nothing fires", OK),
        UNSEEN: (NO_DATA, UNKNOWN),
        UNWATCHED: ("nothing seen", "text"),
    }
    options = {raw: {"text": t, "color": c, "index": n} for n, (raw, (t, c)) in enumerate(words.items())}
    runbook = {"title": "Runbook", "url": links.runbook(f"${{__data.fields.{RUNBOOK}}}"), "targetBlank": True}
    return [
        _column(
            SEVERITY,
            mappings=[{"type": "value", "options": options}],
            cell={"mode": "basic", "type": "color-background"},
            width=130,
        ),
        _column(ALERT, links=[runbook], noValue=EVERYWHERE, wrapped=True),
        _column(WHERE, noValue=EVERYWHERE, wrapped=True),
        {
            "matcher": {"id": "byName", "options": RUNBOOK},
            # The first is read by Grafana before 12, the second since.
            "properties": [{"id": "custom.hidden", "value": True}, {"id": "custom.hideFrom.viz", "value": True}],
        },
        _column(SINCE, unit="dateTimeFromNow", mappings=[no_data("", "text")], width=150),
    ]


def _column(
    name: str, *, cell: Json | None = None, width: int = 0, wrapped: bool = False, **properties: object
) -> Json:
    """Return the settings of a column, by the name in its head."""
    custom = {"custom.cellOptions": cell, "custom.width": width or None}
    given = [{"id": key, "value": value} for key, value in (properties | custom).items() if value is not None]
    return {"matcher": {"id": "byName", "options": name}, "properties": [*given, *([WRAPPED] if wrapped else [])]}
