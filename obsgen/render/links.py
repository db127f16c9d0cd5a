"""Addresses: where the docs and the dashboards of a catalog are, and how one part of them points at another."""

from __future__ import annotations

import re

from obsgen.index import Index, PanelPlace
from obsgen.model.catalog import Domain
from obsgen.model.dashboard import Dashboard
from obsgen.model.rule import Alert
from obsgen.promql.infer import labels_of
from obsgen.words import slug

_NOT_IN_ANCHOR = re.compile(r"[^\w\- ]")
INDEX_FILE = "index.md"
ALERTS_FILE = "alerts.md"
DASHBOARDS_FILE = "dashboards.md"
BUDGETS_FILE = "error-budgets.md"
ROUTING_FILE = "routing.md"


class Links:
    """The addresses of a catalog.

    Args:
        index: the catalog's cross-references.
    """

    def __init__(self, index: Index) -> None:
        self.index = index
        self.docs = index.catalog.project.docs_url.rstrip("/")
        self.grafana = index.catalog.project.grafana_url.rstrip("/")

    def domain_page(self, domain: Domain) -> str:
        """Return the address of a domain's page in the docs, or of their index where it has none."""
        return f"{self.docs}/{domain_file(domain) if has_page(domain) else INDEX_FILE}"

    def runbook(self, alert: str) -> str:
        """Return the address of an alert's runbook."""
        return f"{self.docs}/{runbook_file(alert)}"

    def series(self, name: str) -> str:
        """Return the address of a metric or recorded series in the docs."""
        return f"{self.docs}/{series_file(self.index, name)}"

    def dashboard(self, dashboard: Dashboard, place: PanelPlace | None = None) -> str:
        """Return the address of a dashboard in Grafana, or of one panel on it."""
        panel = f"?viewPanel={place.id}" if place else ""
        return f"{self.grafana}/d/{dashboard.uid}/{slug(dashboard.title)}{panel}"

    def alert(self, alert: Alert) -> str | None:
        """Return where to look when an alert fires, filtered to what fired: an address with Prometheus' templates.

        None where the catalog has no dashboard.
        """
        dashboard, place = self.index.dashboard_of(alert)
        if dashboard is None:
            return None
        url = self.dashboard(dashboard, place)
        kept = labels_of(alert.expr) or frozenset()
        filters = [
            f"var-{label.name}={{{{ $labels.{label.name} | urlquery }}}}"
            for label in dashboard.filters
            if label.name in kept
        ]
        return url + "".join(("&" if n or place else "?") + text for n, text in enumerate(filters))


def has_page(domain: Domain) -> bool:
    """Return whether the docs have a page for a domain: there is something to say about it."""
    return bool(domain.metrics or domain.recordings or domain.alerts)


def domain_file(domain: Domain) -> str:
    """Return the path of a domain's page in the docs."""
    return f"metrics/{domain.name}.md"


def series_file(index: Index, name: str) -> str:
    """Return the path of a metric or recorded series in the docs, with its anchor."""
    return f"{domain_file(index.home[name])}#{anchor(name)}"


def runbook_file(alert: str) -> str:
    """Return the path of an alert's runbook in the docs."""
    return f"runbooks/{alert}.md"


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return _NOT_IN_ANCHOR.sub("", heading.lower()).replace(" ", "-")
