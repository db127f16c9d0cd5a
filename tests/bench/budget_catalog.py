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
from obsgen.render.rules import rule_files
from tests.bench.past import Group
from tests.bench.peers import OBJECTIVE
from tests.bench.traffic import JOB

BUDGET = "api_error_budget_remaining"
SOURCE = Source(name="api", title="API", job=JOB, interval="30s")
ROUTE, STATUS, NODE = Label("route", "The route."), Label("status", "The HTTP status."), Label("node", "The node.")
REQUESTS = Counter(name="api_requests_total", title="Requests", help="Requests.", source=SOURCE, labels=(ROUTE, STATUS))
ERRORS = Counter(name="api_errors_total", title="Errors", help="Those that failed.", source=SOURCE, labels=(ROUTE,))
HEALTH = Gauge(name="node_health", title="Health", help="1 when it works.", source=SOURCE, labels=(NODE,))

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
REQUEST_BUDGET = ErrorBudget(
    name="api",
    title="API requests",
    help="Every request counts.",
    sli=Events(total=REQUESTS, bad=ERRORS),
    by=(ROUTE,),
    objectives=(Objective(OBJECTIVE),),
    success=SUCCESS,
    impact="Errors.",
    mitigation=("Repair.",),
)


def slice_budget(window: str) -> ErrorBudget:
    """Return a budget of minutes in which a node is healthy."""
    return ErrorBudget(
        name=f"node_{window}",
        title=f"Nodes, {window}",
        help="Every minute counts.",
        sli=TimeSlices(total=HEALTH, good=HEALTH.equals(1)),
        by=(NODE,),
        objectives=(Objective(0.95),),
        window=window,
        impact="Errors.",
        mitigation=("Repair.",),
    )


def rule_groups(*budgets: ErrorBudget) -> list[Group]:
    """Return the rule groups that obsgen makes of budgets."""
    metrics: tuple[Metric, ...] = (REQUESTS, ERRORS, HEALTH)
    domain = Domain(name="api", title="API", description="An API.", metrics=metrics, budgets=budgets)
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


def counted(metric: str, window: str) -> str:
    """Return the expression with which obsgen counts the events of a counter in a window, by route."""
    counter = {each.name: each for each in (REQUESTS, ERRORS)}[metric]
    return render(events(counter, window, by=[ROUTE]))
