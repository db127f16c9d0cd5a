"""The whole catalog, resolved, for machines: the Status API, the control panel, scripts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from obsgen.index import Index
from obsgen.layout import panel_id
from obsgen.model.budget import ErrorBudget
from obsgen.model.catalog import Domain
from obsgen.model.dashboard import Dashboard
from obsgen.model.rule import Alert, Level, Recording, level_expr
from obsgen.model.team import Team
from obsgen.promql.infer import ANY_WINDOW
from obsgen.promql.label import Label
from obsgen.promql.metric import Gauge, Histogram, Metric
from obsgen.promql.source import Source
from obsgen.promql.text import render, string
from obsgen.promql.tree import Series
from obsgen.readiness import Lack, reasons
from obsgen.renames import exposer
from obsgen.render.links import Links
from obsgen.words import plain_number

Json = dict[str, Any]
SCHEMA_FILE = "catalog.schema.json"


def catalog(index: Index) -> Json:
    """Return the catalog as plain data, in the shape of `catalog.schema.json`."""
    return _Writer(index).write()


class _Writer:
    def __init__(self, index: Index) -> None:
        self.index = index
        self.links = Links(index)
        self.project = index.catalog.project

    def write(self) -> Json:
        project = self.project
        return {
            "$schema": SCHEMA_FILE,
            "project": {
                "name": project.name,
                "title": project.title,
                "description": project.description,
                "owner": _team(project.owner),
                "docs_url": self.links.docs,
                "grafana_url": self.links.grafana,
                "retention": project.retention,
            },
            "sources": [_source(source) for source in self.index.catalog.sources],
            "domains": [self._domain(domain) for domain in self.index.catalog.domains],
        }

    def _domain(self, domain: Domain) -> Json:
        return {
            "name": domain.name,
            "title": domain.title,
            "description": domain.description,
            "team": _team(domain.team or self.project.owner),
            "metrics": [self._metric(metric) for metric in domain.metrics],
            "recordings": [self._recording(recording) for recording in domain.recordings],
            "budgets": [_budget(budget) for budget in domain.budgets],
            "alerts": [self._alert(alert) for alert in domain.alerts],
            "dashboards": [self._dashboard(dashboard) for dashboard in domain.dashboards],
        }

    def _metric(self, metric: Metric) -> Json:
        data: Json = {
            "name": metric.name,
            "type": metric.kind,
            "title": metric.title,
            "help": metric.help,
            "unit": metric.unit.name.lower(),
            "labels": [_label(label) for label in metric.labels],
            "exposure": _exposure(metric),
            "docs_url": self.links.series(metric.name),
            "used_by": self._used(metric),
        }
        if metric.source is not None:
            data["source"] = metric.source.name
        if metric.emitted_by:
            data["emitted_by"] = metric.emitted_by
        if metric.limit is not None:
            data["limit"] = metric.limit
        if metric.misnomer:
            data["misnomer"] = metric.misnomer
        if isinstance(metric, Gauge) and metric.states:
            data["states"] = {str(value): name for value, name in metric.states.items()}
        if isinstance(metric, Histogram):
            data["buckets"] = list(metric.buckets)
        return data

    def _recording(self, recording: Recording) -> Json:
        return {
            "name": recording.name,
            "title": recording.title,
            "help": recording.help,
            "unit": recording.unit.name.lower(),
            "labels": sorted(recording.label_names),
            "expr": render(recording.expr),
            "interval": recording.interval,
            "docs_url": self.links.series(recording.name),
            "used_by": self._used(recording),
        }

    def _used(self, series: Series) -> Json:
        uses = self.index.uses(series)
        return {
            "panels": [{"dashboard": p.dashboard.uid, "panel": p.id} for p in uses.panels],
            "alerts": [alert.name for alert in uses.alerts],
            "recordings": [recording.name for recording in uses.recordings],
        }

    def _alert(self, alert: Alert) -> Json:
        dashboard, place = self.index.dashboard_of(alert)
        data: Json = {
            "name": alert.name,
            "summary": alert.summary,
            "unit": alert.unit.name.lower(),
            "levels": [_level(alert, level) for level in alert.levels],
            "loaded": alert.name not in self.index.readiness.waiting,
            "waits_for": _lacks(self.index.readiness.alert(alert)),
            "runbook_url": self.links.runbook(alert.name),
        }
        return data | ({"dashboard_url": self.links.dashboard(dashboard, place)} if dashboard else {})

    def _dashboard(self, dashboard: Dashboard) -> Json:
        panels = [
            {
                "id": panel_id(dashboard.uid, panel),
                "title": panel.heading,
                "type": type(panel).__name__,
                "unit": panel.value_unit.name.lower(),
                "expr": [render(expr, ANY_WINDOW) for expr in panel.expressions],
                "waits_for": _lacks(self.index.readiness.panel(panel)),
            }
            for panel in dashboard.panels
        ]
        return {
            "uid": dashboard.uid,
            "title": dashboard.title,
            "description": dashboard.description,
            "audience": dashboard.audience,
            "url": self.links.dashboard(dashboard),
            "panels": panels,
        }


def _team(team: Team) -> Json:
    return {"name": team.name, "title": team.title}


def _source(source: Source) -> Json:
    return {
        "name": source.name,
        "title": source.title,
        "job": source.job,
        "interval": source.interval,
        "path": source.path,
        "exporter": source.exporter,
        "status": source.status.value,
    }


def _label(label: Label) -> Json:
    return {"name": label.name, "help": label.help, "values": list(label.values)}


def _lacks(lacks: Iterable[Lack]) -> list[Json]:
    """Return what is not there yet, as the docs say it."""
    return [
        {"kind": "source" if isinstance(lack, Source) else "metric", "name": lack.name, "reason": reasons([lack])}
        for lack in lacks
    ]


def _exposure(metric: Metric) -> Json:
    exposure = metric.exposure
    data: Json = {"status": metric.status.value}
    if exposure.name:
        data |= {"name": exposure.name, "scale": exposure.scale, "labels": dict(exposure.labels)}
        data |= {"adds": dict(exposure.adds), "source": exposer(metric).name}
    return data | ({"note": exposure.note} if exposure.note else {})


def _level(alert: Alert, level: Level) -> Json:
    data: Json = {"severity": level.severity.value, "expr": render(level_expr(alert, level))}
    if level.threshold is not None:
        data |= {"comparison": level.threshold.comparison.value, "threshold": plain_number(level.threshold.value)}
    return data | {"for": level.hold, "keep_firing_for": level.keep_firing}


def _budget(budget: ErrorBudget) -> Json:
    data: Json = {
        "name": budget.name,
        "title": budget.title,
        "help": budget.help,
        "sli": type(budget.sli).__name__,
        "by": [label.name for label in budget.by],
        "window": budget.window,
        "objectives": [
            {"target": o.target, "reason": o.reason}
            | ({"where": f"{o.where.label.name}{o.where.operator}{string(o.where.value)}"} if o.where else {})
            for o in budget.objectives
        ],
        "burn_rates": [
            {
                "severity": burn.severity.value,
                "factor": burn.factor(budget.window),
                "long": burn.long,
                "short": burn.short,
                "alert": budget.burn_alert(burn.severity),
            }
            for burn in budget.burns
        ],
        "min_bad_events": budget.enough,
        "total": budget.total.name,
        "bad": budget.bad.name,
        "coverage": budget.coverage.name,
    }
    if budget.objectives:
        data["remaining"] = budget.remaining.name
    if budget.success is not None:
        applies = budget.success.applies_to
        data["success_ratio"] = {
            "name": budget.success.name,
            "alert": budget.success.alert,
            "applies_to": render(budget.ratio.where(applies) if applies else budget.ratio),
            "min_events": budget.min_events,
            "min_coverage": budget.min_coverage,
        }
    return data
