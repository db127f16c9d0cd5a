"""Catalogs of error budgets, and rules over short windows, for the benchmark of budgets."""

from __future__ import annotations

from obsgen.expand import expand
from obsgen.index import Index
from obsgen.model import (
    Catalog,
    Domain,
    ErrorBudget,
    Events,
    Objective,
    Project,
    Runbook,
    SuccessRatio,
    Team,
    TimeSlices,
    warning,
)
from obsgen.promql import Counter, Gauge, Label, Metric, events
from obsgen.promql.metric import Source
from obsgen.promql.text import render
from obsgen.promql.tree import series_in
from obsgen.render.rules import rule_files
from tests.bench.past import Group
from tests.bench.peers import OBJECTIVE
from tests.bench.traffic import JOB

BUDGET = "api_error_budget_remaining"
ROUTE, STATUS, NODE = Label("route", "The route."), Label("status", "The HTTP status."), Label("node", "The node.")

SUCCESS = SuccessRatio(
    name=BUDGET,
    title="Error budget",
    help="30-day rolling error budget (1 - error_rate).",
    alert="ApiErrorBudgetLow",
    fires=warning(below=0.8, hold="5m"),
    summary="The error budget is low.",
    description="It is low.",
    runbook=Runbook(meaning="Errors.", impact="Errors.", diagnosis=("Look.",), mitigation=("Repair.",)),
)


def counter(name: str, interval: str) -> Counter:
    """Return the counter of a name, `api_requests_total` or `api_errors_total`, scraped so often."""
    source = Source(name="api", title="API", job=JOB, interval=interval)
    labels = (ROUTE, STATUS) if name == "api_requests_total" else (ROUTE,)
    return Counter(name=name, title="Requests", help="Requests.", source=source, labels=labels)


def request_budget(interval: str) -> ErrorBudget:
    """Return a budget of requests that are scraped so often."""
    return ErrorBudget(
        name="api",
        title="API requests",
        help="Every request counts.",
        sli=Events(total=counter("api_requests_total", interval), bad=counter("api_errors_total", interval)),
        by=(ROUTE,),
        objectives=(Objective(OBJECTIVE),),
        success=SUCCESS,
        impact="Errors.",
        mitigation=("Repair.",),
    )


def slice_budget(window: str, interval: str, *, absent_is_bad: bool) -> ErrorBudget:
    """Return a budget of minutes in which a node, scraped so often, is healthy."""
    source = Source(name="api", title="API", job=JOB, interval=interval)
    health = Gauge(name="node_health", title="Health", help="1 when it works.", source=source, labels=(NODE,))
    return ErrorBudget(
        name=f"node_{window}{'_dies' if absent_is_bad else ''}",
        title=f"Nodes, {window}",
        help="Every minute counts.",
        sli=TimeSlices(total=health, good=health.equals(1), absent_is_bad=absent_is_bad),
        by=(NODE,),
        objectives=(Objective(0.95),),
        window=window,
        impact="Errors.",
        mitigation=("Repair.",),
    )


def rule_groups(*budgets: ErrorBudget) -> list[Group]:
    """Return the rule groups that obsgen makes of budgets."""
    read = (series for budget in budgets for expr in budget.sli.reads for series in series_in(expr))
    metrics = {each.name: each for each in read if isinstance(each, Metric)}
    domain = Domain(name="api", title="API", description="An API.", metrics=tuple(metrics.values()), budgets=budgets)
    project = Project(
        name="api",
        title="API",
        description="An API.",
        owner=Team(name="api", title="API"),
        docs_url="https://docs.example.org",
        grafana_url="https://grafana.example.org",
    )
    files = rule_files(Index(expand(Catalog(project=project, domains=(domain,)))))
    return [group for file in files.values() for group in file["groups"]]


def counted(metric: str, window: str, interval: str) -> str:
    """Return the expression with which obsgen counts the events of a counter in a window, by route."""
    return render(events(counter(metric, interval), window, by=[ROUTE]))
