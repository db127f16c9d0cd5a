"""The docs: an index, the alerts, the dashboards and the error budgets of a catalog."""

from __future__ import annotations

from obsgen.index import Index, PanelPlace
from obsgen.model.dashboard import Panel
from obsgen.promql.source import Status
from obsgen.renames import exposer
from obsgen.render import metric_pages, runbooks
from obsgen.render.budget_page import budget_page
from obsgen.render.links import (
    ALERTS_FILE,
    BUDGETS_FILE,
    DASHBOARDS_FILE,
    INDEX_FILE,
    ROUTING_FILE,
    Links,
    domain_file,
    runbook_file,
    series_file,
)
from obsgen.render.markdown import code, href, items, link, page, table
from obsgen.render.routing_page import routing_page
from obsgen.render.runbooks import condition
from obsgen.words import listed, spoken


def docs(index: Index) -> dict[str, str]:
    """Return the pages of the docs, by their path."""
    links = Links(index)
    pages = {INDEX_FILE: _index(index), ALERTS_FILE: _alerts(index)}
    if index.catalog.dashboards:
        pages[DASHBOARDS_FILE] = _dashboards(index, links)
    if any(domain.budgets for domain in index.catalog.domains):
        pages[BUDGETS_FILE] = budget_page(index)
    if index.catalog.project.routing is not None:
        pages[ROUTING_FILE] = routing_page(index, index.catalog.project.routing)
    pages |= {domain_file(d): metric_pages.metric_page(index, links, d) for d in metric_pages.documented(index)}
    pages |= {
        runbook_file(alert.name): runbooks.runbook(index, links, domain, alert)
        for domain in index.catalog.domains
        for alert in domain.alerts
    }
    return pages


def _index(index: Index) -> str:
    project, here = index.catalog.project, INDEX_FILE
    rows = [
        (
            link(domain.title, domain_file(domain), here),
            domain.description,
            str(len(domain.metrics)),
            str(len(domain.alerts)),
            (domain.team or project.owner).title,
        )
        for domain in metric_pages.documented(index)
    ]
    pages = [
        f"{link('Alerts', ALERTS_FILE, here)}: every alert, what it means and its runbook",
        f"{link('Dashboards', DASHBOARDS_FILE, here)}: every dashboard and its panels"
        if index.catalog.dashboards
        else "",
        f"{link('Error budgets', BUDGETS_FILE, here)}: what they promise, and what their numbers mean"
        if any(domain.budgets for domain in index.catalog.domains)
        else "",
        f"{link('Routing', ROUTING_FILE, here)}: who is told what, when and how"
        if index.catalog.project.routing is not None
        else "",
    ]
    return page(
        f"# {project.title}: metrics, alerts and dashboards",
        project.description,
        f"Owner: **{project.owner.title}**. These pages are generated from the catalog; change that, not them.",
        "## Subjects",
        table(("Subject", "What it is about", "Metrics", "Alerts", "Who acts"), rows),
        "## Pages",
        items(filter(None, pages)),
        _planned(index),
    )


def _planned(index: Index) -> str:
    waiting = [m for m in index.catalog.metrics if m.status is not Status.EXPOSED]
    if not waiting:
        return ""
    rows = [
        (
            link(code(metric.name), series_file(index, metric.name), INDEX_FILE),
            metric.status.value,
            f"{code(metric.exposure.name)} of {exposer(metric).title}" if metric.exposure.name else "",
            metric.exposure.note,
        )
        for metric in waiting
    ]
    return page(
        "## Not exported as documented",
        "Panels of planned metrics are empty, and their alerts cannot fire, until the exporters offer them; each says "
        "so itself. Renamed metrics are recorded under their own names from what there is today: their panels and "
        "alerts work.",
        table(("Metric", "Status", "Today", "What is missing"), rows),
    ).rstrip()


def _alerts(index: Index) -> str:
    here = ALERTS_FILE
    parts = [
        "# Alerts",
        table(
            ("Severity", "What it asks"),
            (
                ("critical", "Somebody has to act now."),
                ("warning", "Somebody has to act, but it can wait for working hours."),
                ("info", "Nobody is notified, save for the heartbeat of Watchdog; it shows on dashboards."),
            ),
        ),
    ]
    for domain in index.catalog.domains:
        if not domain.alerts:
            continue
        rows = [
            (
                link(alert.name, runbook_file(alert.name), here),
                level.severity.value,
                condition(alert, level),
                spoken(level.hold) or "at once",
                f"{alert.summary} {index.readiness.about_alert(alert)}".rstrip(),
            )
            for alert in domain.alerts
            for level in alert.levels
        ]
        team = (domain.team or index.catalog.project.owner).title
        parts += [
            f"## {domain.title}",
            f"Who acts: {team}. Their metrics: {link(domain.title, domain_file(domain), here)}.",
            table(("Alert", "Severity", "Fires when", "For", "Summary"), rows),
        ]
    return page(*parts)


def _dashboards(index: Index, links: Links) -> str:
    here = DASHBOARDS_FILE
    parts = ["# Dashboards"]
    for domain in index.catalog.domains:
        for dashboard in domain.dashboards:
            audience = f" Serves the {dashboard.audience}." if dashboard.audience else ""
            filters = listed([code(label.name) for label in dashboard.filters])
            panels = [PanelPlace(domain, dashboard, panel) for panel in dashboard.panels]
            rows = [
                (
                    href(p.panel.heading, links.dashboard(dashboard, p)),
                    index.readiness.about_panel(p.panel),
                    ", ".join(_read(index, p.panel, here)),
                )
                for p in panels
            ]
            parts += [
                f"## {dashboard.uid}",
                f"{href(dashboard.title, links.dashboard(dashboard))}: {dashboard.description}{audience}",
                f"Filters: {filters}." if filters else "",
                table(("Panel", "What it shows", "Series"), rows),
            ]
    return page(*parts)


def _read(index: Index, panel: Panel, here: str) -> list[str]:
    names = dict.fromkeys(s.name for s in index.read_by(panel))
    return [link(code(name), series_file(index, name), here) for name in names]
