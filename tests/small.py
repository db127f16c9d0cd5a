"""A small catalog, put together anew by each test that needs one."""

from __future__ import annotations

from collections.abc import Sequence

from obsgen.expand import expand
from obsgen.model import (
    Alert,
    Catalog,
    Domain,
    Notify,
    Project,
    Recording,
    Routing,
    Runbook,
    SourceWatch,
    Team,
    Webhook,
    critical,
)
from obsgen.model.dashboard import Dashboard, Panel, Row
from obsgen.promql import Expr, Metric, Source

BELL = Webhook(name="bell", url="http://bell.example.org")
TEAM = Team(name="us", title="Us", notify=Notify(critical=[BELL], warning=[BELL]))
BOOK = Runbook(meaning="M.", impact="I.", diagnosis=("D.",), mitigation=("M.",))


def watch(key: Metric, source: Source | None = None, moves: Metric | None = None) -> SourceWatch:
    """Return the watch of a metric's source."""
    of = source or key.source
    assert of is not None
    return SourceWatch(source=of, key=key, moves=moves, still_after="10m", impact="I.", restart="R.", reason="R.")


def alert(name: str, expr: Expr) -> Alert:
    """Return an alert on an expression."""
    return Alert(name=name, expr=expr, fires=critical(above=1), summary="S.", description="D.", runbook=BOOK)


def board(*panels: Panel) -> Dashboard:
    """Return a dashboard."""
    return Dashboard(uid="board", title="B", description="D.", rows=(Row(title="R", panels=panels),))


def catalog(
    metrics: Sequence[Metric],
    *,
    name: str = "app",
    alerts: Sequence[Alert] = (),
    watches: Sequence[SourceWatch] = (),
    recordings: Sequence[Recording] = (),
    dashboards: Sequence[Dashboard] = (),
    watchdog: Webhook | None = None,
) -> Catalog:
    """Return a catalog of one domain, expanded."""
    project = Project(
        name="p",
        title="P",
        description="D.",
        owner=TEAM,
        docs_url="https://docs.example.org",
        grafana_url="https://grafana.example.org",
        routing=Routing(receivers=[BELL], alertmanagers=["am:9093"], watchdog=watchdog),
    )
    domain = Domain(
        name=name,
        title="App",
        description="D.",
        metrics=metrics,
        alerts=alerts,
        watches=watches,
        recordings=recordings,
        dashboards=dashboards,
    )
    return expand(Catalog(project=project, domains=(domain,)))
