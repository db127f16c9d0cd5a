"""A catalog with one error budget, for the benchmark of budgets."""

from __future__ import annotations

from obsgen.expand import expand
from obsgen.index import Index
from obsgen.model import Catalog, Domain, ErrorBudget, Events, Objective, Project, Runbook, SuccessRatio, Team, warning
from obsgen.promql import Counter, Label
from obsgen.promql.metric import Source
from obsgen.render.rules import rule_files
from tests.bench.past import Group
from tests.bench.peers import OBJECTIVE
from tests.bench.traffic import JOB

BUDGET = "api_error_budget_remaining"


def rule_groups() -> list[Group]:
    """Return the rule groups that obsgen makes of it."""
    source = Source(name="api", title="API", job=JOB, interval="30s")
    route, status = Label("route", "The route."), Label("status", "The HTTP status.")
    requests = Counter(
        name="api_requests_total", title="Requests", help="Requests.", source=source, labels=(route, status)
    )
    errors = Counter(name="api_errors_total", title="Errors", help="Those that failed.", source=source, labels=(route,))
    runbook = Runbook(meaning="Errors.", impact="Errors.", diagnosis=("Look.",), mitigation=("Repair.",))
    success = SuccessRatio(
        name=BUDGET,
        title="Error budget",
        help="30-day rolling error budget (1 - error_rate).",
        alert="ApiErrorBudgetLow",
        fires=warning(below=0.8, hold="5m"),
        summary="The error budget is low.",
        description="It is low.",
        runbook=runbook,
    )
    budget = ErrorBudget(
        name="api",
        title="API requests",
        help="Every request counts.",
        sli=Events(total=requests, bad=errors),
        by=(route,),
        objectives=(Objective(OBJECTIVE),),
        success=success,
        impact="Errors.",
        mitigation=("Repair.",),
    )
    domain = Domain(name="api", title="API", description="An API.", metrics=(requests, errors), budgets=(budget,))
    owner = Team(name="api", title="API")
    project = Project(
        name="api",
        title="API",
        description="An API.",
        owner=owner,
        docs_url="https://docs.example.org",
        grafana_url="https://grafana.example.org",
    )
    files = rule_files(Index(expand(Catalog(project=project, domains=(domain,)))))
    return [group for file in files.values() for group in file["groups"]]
