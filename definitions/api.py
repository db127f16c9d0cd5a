"""API error budgets (guide, section 4): how much of the month's budget is left on each route?"""

from obsgen.model import (
    HOLD,
    THRESHOLD,
    VALUE,
    AlertList,
    BarGauge,
    Dashboard,
    Domain,
    ErrorBudget,
    Row,
    Runbook,
    SourceWatch,
    Stat,
    Step,
    TimeSeries,
    critical,
    warning,
)
from obsgen.promql import Counter, Exposure, Expr, Label, Status, Unit, clamp_max, events, max_, min_, rate, sum_

from .sources import API_MIDDLEWARE

ROUTE = Label("route", "Template of the API route, such as `/api/blog/[id]`, never the raw path.")
STATUS = Label("status", "HTTP status code of the answer.")

# The guide's "control panel server settings, analytics export, compliance endpoints".
CRITICAL_ROUTES = (
    "/api/control-panel/server-settings",
    "/api/analytics/export",
    "/api/control-panel/compliance/export",
    "/api/control-panel/security/audit",
    "/api/control-panel/security/access",
    "/api/control-panel/security/residency",
    "/api/control-panel/security/residency/[id]",
    "/api/admin/compliance/export-requests",
)

REQUESTS = Counter(
    name="api_requests_total",
    title="API requests",
    help="Request volumes per API route.",
    source=API_MIDDLEWARE,
    labels=(ROUTE, STATUS),
    exposure=Exposure(status=Status.PLANNED, note="The control panel has no Prometheus endpoint."),
)
ERRORS = Counter(
    name="api_errors_total",
    title="API errors",
    help="Any 5xx increments this counter.",
    source=API_MIDDLEWARE,
    labels=(ROUTE,),
    exposure=Exposure(status=Status.PLANNED, note="The control panel has no Prometheus endpoint."),
)

MIN_REQUESTS = 100

BUDGET = ErrorBudget(
    name="api_error_budget_remaining",
    title="Error budget remaining",
    help="30-day rolling error budget (1 - error_rate).",
    bad=ERRORS,
    total=REQUESTS,
    by=(ROUTE,),
    window="30d",
    # Of fewer requests, a single error would be more than one percent of the budget.
    min_events=MIN_REQUESTS,
    alert="ApiErrorBudgetLow",
    applies_to=ROUTE.one_of(*CRITICAL_ROUTES),
    fires=(warning(below=0.80, hold="5m"), critical(below=0.60, hold="5m")),
    summary="The error budget of a critical API route is low.",
    description=f"{VALUE} of the 30-day error budget of {ROUTE.value} are left, less than {THRESHOLD}.",
    runbook=Runbook(
        meaning="Of the requests to the route in the last 30 days, so many ended with a 5xx that less than the "
        "threshold went well.",
        impact="Customers cannot change settings, export analytics or get their compliance data.",
        diagnosis=(
            Step(
                text="Does the route fail right now?",
                query=sum_(rate(ERRORS, "5m"), by=[ROUTE]) / sum_(rate(REQUESTS, "5m"), by=[ROUTE]),
            ),
            Step(text="When did the errors happen?", query=events(ERRORS, "1h", by=[ROUTE])),
            Step(text="Which statuses does it answer?", query=sum_(rate(REQUESTS, "1h"), by=[ROUTE, STATUS])),
            "Read the route's log around that time; most 500s come from the database helpers.",
        ),
        mitigation=(
            "It still fails: roll back the last release of the control panel, then look for the cause.",
            "It is over: the budget comes back as the errors leave the window. Until then, be careful with changes "
            "to the route.",
        ),
        reason=f"{THRESHOLD} are the guide's. The budget is a number of 30 days, which no single bad scrape moves: a "
        "hold of "
        f"{HOLD} is one of its own steps. Below {MIN_REQUESTS} requests in 30 days the ratio means nothing.",
    ),
)


def error_ratio(*by: Label) -> Expr:
    """Return the share of the requests that end with a 5xx; a route without errors has zero of them."""
    requests = sum_(rate(REQUESTS), by=by)
    return clamp_max(sum_(rate(ERRORS), by=by).or_(requests * 0) / requests, 1)


API_DASHBOARD = Dashboard(
    uid="vectobeat-api-error-budgets",
    title="VectoBeat / API error budgets",
    description="How much of the 30-day error budget is left on each route, and where does it go?",
    filters=(ROUTE,),
    time="7d",
    refresh="1m",
    rows=(
        Row(
            title="Now",
            panels=(
                Stat(
                    shows=min_(BUDGET.remaining),
                    title="Smallest budget",
                    description="The route with the least error budget.",
                ),
                Stat(shows=sum_(BUDGET.requests), title="Requests in 30 days", description="On all routes shown."),
                Stat(shows=sum_(BUDGET.errors), title="Errors in 30 days", description="On all routes shown."),
                Stat(
                    shows=error_ratio(),
                    title="Error ratio now",
                    description="Share of the requests that end with a 5xx.",
                ),
            ),
        ),
        Row(
            title="Budgets",
            panels=(
                TimeSeries(shows=BUDGET.remaining, legend=(ROUTE,), width=16, height=10),
                AlertList(width=8, height=10),
                BarGauge(
                    shows=min_(BUDGET.remaining, by=[ROUTE]),
                    title="Budget by route",
                    description="30-day error budget of every route, 1 - error rate.",
                    width=24,
                    height=12,
                ),
            ),
        ),
        Row(
            title="Traffic",
            panels=(
                TimeSeries(
                    shows=sum_(rate(REQUESTS), by=[ROUTE]),
                    title="Requests by route",
                    description="Requests per second.",
                ),
                TimeSeries(
                    shows=error_ratio(ROUTE),
                    title="Error ratio by route",
                    description="Share of the requests that end with a 5xx.",
                ),
                TimeSeries(
                    shows=sum_(rate(REQUESTS), by=[STATUS]),
                    title="Requests by status",
                    description="Requests per second.",
                    stacked=True,
                ),
                TimeSeries(
                    shows=max_(events(ERRORS, "5m", by=[ROUTE]), by=[ROUTE]),
                    title="Errors in five minutes",
                    description="5xx answers, the first of a new route included.",
                    unit=Unit.COUNT,
                ),
            ),
        ),
    ),
)

DOMAIN = Domain(
    name="api",
    title="API Error Budgets",
    description="The control panel's API: requests, errors, and what is left of each route's budget.",
    order=4,
    metrics=(REQUESTS, ERRORS),
    budgets=(BUDGET,),
    watches=(
        SourceWatch(
            source=API_MIDDLEWARE,
            key=REQUESTS,
            still_after="15m",
            impact="Requests and errors are not counted: error budgets do not move, whatever happens.",
            restart="Restart the control panel; its metrics hook starts with it.",
            reason="The bot posts to the API every 30 s, so requests are counted at any time of the day.",
        ),
    ),
    dashboards=(API_DASHBOARD,),
    notes=(
        "Only answers with a 5xx are errors. Some routes answer 200 with an empty body after a database error; those "
        "are not counted.",
        "Requests that the rate limit refuses (429) never reach the hook.",
    ),
)
