"""API error budgets (guide, section 4): how much of the month's budget is left on each route?"""

from obsgen.model import (
    HOLD,
    THRESHOLD,
    VALUE,
    Agreement,
    AlertList,
    Dashboard,
    Domain,
    ErrorBudget,
    Events,
    Firing,
    Given,
    Objective,
    Proof,
    Query,
    Row,
    Runbook,
    Sample,
    Severity,
    SourceWatch,
    Stat,
    Step,
    SuccessRatio,
    Table,
    Text,
    TimeSeries,
    critical,
    warning,
)
from obsgen.promql import (
    INSTANCE,
    JOB,
    PROCESS_START,
    Counter,
    Exposure,
    Expr,
    Label,
    Unit,
    clamp_max,
    events,
    increase,
    max_,
    min_,
    rate,
    sum_,
    up,
)

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
    # 124 routes with five statuses or fewer each.
    limit=700,
    unit=Unit.REQUESTS,
    exposure=Exposure(note="The control panel has no Prometheus endpoint."),
)
ERRORS = Counter(
    name="api_errors_total",
    title="API errors",
    help="Any 5xx increments this counter.",
    source=API_MIDDLEWARE,
    labels=(ROUTE,),
    limit=150,
    unit=Unit.REQUESTS,
    exposure=Exposure(note="The control panel has no Prometheus endpoint."),
)

MIN_REQUESTS = 100

# The guide's number: the share of a month's requests that went well. It moves by a fifth when a fifth of them fail.
SUCCESS = SuccessRatio(
    name="api_error_budget_remaining",
    title="Error budget remaining",
    help="30-day rolling error budget (1 - error_rate).",
    alert="ApiErrorBudgetLow",
    applies_to=ROUTE.one_of(*CRITICAL_ROUTES),
    fires=(warning(below=0.80, hold="5m"), critical(below=0.60, hold="5m")),
    summary="Many requests of a critical API route failed in 30 days.",
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
        f"{HOLD} is a few of its steps. Below {MIN_REQUESTS} requests in 30 days, or with data for less than half of "
        "them, the ratio means nothing. The burn rates, ApiBudgetBurnsFast and ApiBudgetBurnsSlowly, tell of errors "
        "weeks before this does.",
    ),
)

SETTINGS = CRITICAL_ROUTES[0]
ON_SETTINGS = {ROUTE: SETTINGS}
WEB_UP = up(API_MIDDLEWARE).where(INSTANCE.equals("web:3060"))


def traffic(
    requests: str, errors: str = "", route: str = SETTINGS, instance: str = "web:3060", scraped: str = "1x288"
) -> Given:
    """Return the counters of a route on an instance of the control panel, and whether that was scraped."""
    given: Given = {
        up(API_MIDDLEWARE).where(INSTANCE.equals(instance)): scraped,
        REQUESTS.where(ROUTE.equals(route), STATUS.equals("200"), INSTANCE.equals(instance)): requests,
    }
    if errors:
        given[ERRORS.where(ROUTE.equals(route), INSTANCE.equals(instance))] = errors
    return given


def low(title: str, given: Given, *fires: Firing) -> Proof:
    """Return a proof of the alert on the ratio: sixteen days of samples every five minutes, the last two judged."""
    given[WEB_UP] = "1x4608"
    return Proof(title, given=given, fires=fires, every="5m", after="14d", until="16d", of=SUCCESS.alert)


def since_half(severity: Severity, description: str = "") -> Firing:
    """Return an alert that fires as soon as half of the 30 days have data, and the hold is over."""
    return Firing(since="15d5m", severity=severity, labels=ON_SETTINGS, description=description)


LOW_PROOFS = (
    low("80 % left are not below 80 %.", traffic("0+10x4608", "0+2x4608")),
    low(
        "79 % warn, once half of the window has data.",
        traffic("0+10x4608", "0+2.1x4608"),
        since_half(Severity.WARNING, f"79% of the 30-day error budget of {SETTINGS} are left, less than 80 %."),
    ),
    low("60 % left are not below 60 %.", traffic("0+10x4608", "0+4x4608"), since_half(Severity.WARNING)),
    low(
        "59 % page.",
        traffic("0+10x4608", "0+4.1x4608"),
        since_half(Severity.WARNING),
        since_half(Severity.CRITICAL, f"59% of the 30-day error budget of {SETTINGS} are left, less than 60 %."),
    ),
    low("A route without errors has no series of them.", traffic("0+10x4608")),
    low("A route that nobody called critical.", traffic("0+10x4608", "0+9x4608", route="/api/blog/[id]")),
    low(
        "A new route lacks no data: before it there was nothing to count.",
        traffic("_x4384 0+10x224", "_x4384 0+5x224"),
        Firing(since="15d6h30m", within="15m", severity=Severity.WARNING, labels=ON_SETTINGS),
        Firing(since="15d6h30m", within="15m", severity=Severity.CRITICAL, labels=ON_SETTINGS),
    ),
    low("99 requests are too few.", traffic("0 99x4607", "0 60x4607")),
    low(
        "100 requests are enough.",
        traffic("0 100x4607", "0 60x4607"),
        since_half(Severity.WARNING),
        since_half(Severity.CRITICAL),
    ),
)


def ratio(title: str, bad: float, total: float, given: Given) -> Proof:
    """Return a proof of the recorded ratio after a day of samples every five minutes."""
    sample = Sample(value=1 - bad / total, at="1d", labels=ON_SETTINGS)
    return Proof(title, given=given, records=sample, every="5m", until="1d", of=SUCCESS.name)


def hourly_pods() -> Given:
    """Return a day of pods that live for an hour: each answers 115 requests, the first 5 before it is scraped.

    Its error happens before that, too: its counter is born with it.
    """
    given: Given = {}
    for hour in range(24):
        before, instance = f"_x{12 * hour} " if hour else "", f"pod-{hour}:3060"
        one = f"{before}1x11 stale"
        given |= traffic(f"{before}5+10x11 stale", one, instance=instance, scraped=one)
        started = PROCESS_START.where(JOB.equals(API_MIDDLEWARE.job), INSTANCE.equals(instance))
        given[started] = f"{before}{3600 * hour - 60}x11 stale"
    return given


RATIO_PROOFS = (
    ratio("Two of ten fail.", 2, 10, traffic("0+10x288", "0+2x288")),
    ratio("A route without errors has all of its budget.", 0, 1, traffic("0+10x288")),
    ratio("A route without requests has, too.", 0, 1, traffic("7x288")),
    ratio(
        "The first error ever is counted, although its series is born with it.",
        1,
        2880,
        traffic("0+10x288", "_x100 1x188"),
    ),
    ratio(
        "A deploy resets the counters: what came before counts, and what came after.",
        100 + 3 + 187,
        1000 + 7 + 1870,
        {
            up(API_MIDDLEWARE).where(INSTANCE.equals("web:3060")): "1x288",
            **traffic("0+10x100 7+10x187", "0+1x100 3+1x187"),
        },
    ),
    ratio("Pods come and go every hour.", 24, 24 * 115, hourly_pods()),
    ratio(
        "Nothing is lost in an hour without scrapes, not even an incident.",
        100 + 150 + 176,
        1000 + 120 + 1760,
        traffic("0+10x100 _x11 1120+10x176", "0+1x100 _x11 250+1x176", scraped="1x100 _x11 1x177"),
    ),
)

# What the public SLA page promises: so much of a month's requests are answered without a 5xx.
BUDGET = ErrorBudget(
    name="api",
    title="API requests",
    help="Every request to a route counts; those that are answered with a 5xx are bad.",
    sli=Events(total=REQUESTS, bad=ERRORS),
    by=(ROUTE,),
    window="30d",
    objectives=(
        Objective(
            0.995,
            where=ROUTE.matches("/api/control-panel/.*"),
            reason="The control panel's availability on the public SLA page.",
        ),
        Objective(0.999, reason="The platform's availability on the public SLA page."),
    ),
    # Of fewer requests, a single error would be more than one percent of the ratio.
    min_events=MIN_REQUESTS,
    success=SUCCESS,
    impact="Requests fail: customers see errors in the control panel, and the bot cannot report to it.",
    diagnosis=(
        Step(
            text="Which routes fail right now?",
            query=sum_(rate(ERRORS, "5m"), by=[ROUTE]) / sum_(rate(REQUESTS, "5m"), by=[ROUTE]),
        ),
        Step(text="Which statuses do they answer?", query=sum_(rate(REQUESTS, "5m"), by=[ROUTE, STATUS])),
        "Read the log of the route; most 500s come from the database helpers.",
    ),
    mitigation=(
        "It began with a release: roll the control panel back.",
        "All routes at once: look at MySQL and Redis first.",
    ),
    proofs=(*LOW_PROOFS, *RATIO_PROOFS),
)


def error_ratio(*by: Label) -> Expr:
    """Return the share of the requests that end with a 5xx; a route without errors has zero of them."""
    requests = sum_(rate(REQUESTS), by=by)
    return clamp_max(sum_(rate(ERRORS), by=by).or_(requests * 0) / requests, 1)


LEAST_BUDGET = Stat(
    shows=min_(BUDGET.remaining),
    title="Budget remaining",
    description="How much remains of the errors that the objective allows in 30 days, on the route with the least? "
    "100% is all, 0% nothing; below 0% the objective is missed. It is not the success ratio.",
    levels=(warning(below=0.25), critical(below=0)),
)
# A budget of 0.5 % is spent ten times too fast at 5 %, one of 0.1 % at 1 %.
FAILING = (warning(above=0.01), critical(above=0.05))
WORST_ROUTE = TimeSeries(
    shows=max_(error_ratio(ROUTE)),
    title="Error ratio of the worst route",
    description="Which share of its requests ends with a 5xx, on the route that fails most?",
    levels=FAILING,
)

API_DASHBOARD = Dashboard(
    uid="vectobeat-api-error-budgets",
    title="VectoBeat / API error budgets",
    description="Does the API answer, how much of the 30-day error budget remains on each route, and where does it go?",
    filters=(ROUTE,),
    time="24h",
    refresh="1m",
    rows=(
        Row(title="What is wrong", panels=(AlertList(),)),
        Row(
            title="Now",
            panels=(
                LEAST_BUDGET,
                Stat(
                    shows=max_(error_ratio(ROUTE)),
                    title="Worst error ratio",
                    description="Which share of the requests of the last minutes ended with a 5xx, on the route that "
                    "fails most?",
                    levels=FAILING,
                ),
                Stat(
                    shows=sum_(BUDGET.bad),
                    title="Errors, 30 d",
                    description="How many requests of the last 30 days ended with a 5xx?",
                ),
                Stat(
                    shows=sum_(BUDGET.total),
                    title="Requests, 30 d",
                    description="How many requests were there in the last 30 days?",
                ),
            ),
        ),
        Row(
            title="Routes",
            panels=(
                Table(
                    title="Routes",
                    description="Which route has spent its budget, and does it still fail? That with the least budget "
                    "comes first.",
                    by=(ROUTE,),
                    shows=(
                        Query(
                            expr=min_(BUDGET.remaining, by=[ROUTE]),
                            legend="Budget remaining",
                            levels=LEAST_BUDGET.levels,
                        ),
                        Query(expr=error_ratio(ROUTE), legend="Error ratio", levels=FAILING),
                        Query(expr=max_(BUDGET.bad, by=[ROUTE]), legend="Errors, 30 d"),
                        Query(expr=max_(BUDGET.total, by=[ROUTE]), legend="Requests, 30 d"),
                    ),
                    sort_by="Budget remaining",
                    height=12,
                ),
            ),
        ),
        Row(
            title="Traffic",
            panels=(
                WORST_ROUTE,
                TimeSeries(
                    shows=sum_(rate(REQUESTS), by=[STATUS]),
                    title="Requests by status",
                    description="How many requests per second end with which status?",
                    stacked=True,
                ),
                TimeSeries(
                    shows=max_(events(ERRORS, "5m", by=[ROUTE]), by=[ROUTE]),
                    title="Errors in five minutes",
                    description="Which routes fail, and when? The 5xx answers of the five minutes before.",
                    unit=Unit.COUNT,
                    width=24,
                ),
                TimeSeries(
                    shows=sum_(rate(REQUESTS), by=[ROUTE]),
                    title="Requests by route",
                    description="How many requests per second does each route serve?",
                    width=24,
                    height=10,
                ),
            ),
        ),
        Row(
            title="Success ratio: the number of the metrics guide",
            collapsed=True,
            panels=(
                Text(
                    title="Not the error budget",
                    description="What the success ratio is.",
                    markdown="The guide calls `api_error_budget_remaining` what is **1 - error rate** of 30 days: the "
                    "share of the requests that went well. It moves little: with an objective of 99.9%, it still says "
                    "99.9% when nothing remains of the budget. The two alerts on it are the guide's; for what "
                    "remains, see **Budget remaining**.",
                ),
                TimeSeries(
                    shows=BUDGET.ratio,
                    legend=(ROUTE,),
                    decimals=2,
                    title="Success ratio, 30 d",
                    description="Which share of the requests of the 30 days before went well, on each route?",
                    width=24,
                    height=10,
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
    agreements=(
        Agreement(
            name="api_errors",
            title="errors of the API",
            one=ERRORS,
            other=REQUESTS.where(STATUS.matches("5..")),
            impact="Error budgets count `api_errors_total`: they say too much or too little.",
            diagnosis=(
                Step(
                    text="On which routes do they differ? Above 0 `api_errors_total` counts more.",
                    query=sum_(increase(ERRORS, "1h"), by=[ROUTE])
                    - sum_(increase(REQUESTS.where(STATUS.matches("5..")), "1h"), by=[ROUTE]),
                ),
                "Look into the metrics hook: does every way out of a route pass both counters?",
            ),
            mitigation=("Count both in one place, where the status of the answer is known.",),
            reason="The hook counts an error and its status in one go; they differ when one of the two is forgotten. "
            "5 % leave room for requests that are scraped between the two.",
        ),
    ),
    dashboards=(API_DASHBOARD,),
    notes=(
        "Only answers with a 5xx are errors. Some routes answer 200 with an empty body after a database error; those "
        "are not counted.",
        "Requests that the rate limit refuses (429) never reach the hook.",
    ),
)
