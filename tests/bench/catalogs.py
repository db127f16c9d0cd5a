"""Folders of definitions for any number of services, each as large as one section of VectoBeat's metrics guide.

A service has three metrics, four recordings, three alerts with runbooks, a watched source and a dashboard with
eight panels. All have the same shape and differ in their names and subjects.
"""

from __future__ import annotations

from pathlib import Path
from string import Template

# What a service is called and what it is for; a number makes the name unique.
SUBJECTS = {
    "checkout": "turns a basket into an order and reserves the goods for it",
    "payments": "talks to the card processors and books what they answer",
    "search": "answers what customers type into the search box, and suggests what they meant",
    "inventory": "knows how many of each article lie in which warehouse",
    "shipping": "asks the carriers for labels and follows the parcels",
    "notifications": "sends mails and messages that other services put into its queue",
    "sessions": "keeps customers signed in, and signs them out when their password changes",
    "invoices": "writes invoices at the end of the day and sends them to the archive",
    "reports": "runs the reports that managers have scheduled, and those they wait for",
    "uploads": "takes pictures from customers, scans them and stores them in all sizes",
}
TEAMS = ("STOREFRONT", "MONEY", "LOGISTICS")


def write(folder: Path, services: int) -> None:
    """Write the definitions of a catalog.

    Args:
        folder: where to write the files; it is made when it does not exist.
        services: how many services the catalog has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "project.py").write_text(PROJECT, encoding="utf-8")
    for number in range(1, services + 1):
        kind, purpose = list(SUBJECTS.items())[number % len(SUBJECTS)]
        names = {
            "dashed": f"{kind}-{number:04}",
            "snake": f"{kind}_{number:04}",
            "camel": f"{kind.capitalize()}{number:04}",
            "title": f"{kind.capitalize()} {number:04}",
            "purpose": purpose,
            "number": str(number),
            "team": TEAMS[number % len(TEAMS)],
        }
        (folder / f"{names['snake']}.py").write_text(Template(SERVICE).substitute(names), encoding="utf-8")


PROJECT = '''\
"""What holds for all services of the shop."""

from obsgen.model import Project, Team

RELIABILITY = Team(name="reliability", title="Reliability Team")
STOREFRONT = Team(name="storefront", title="Storefront Team")
MONEY = Team(name="money", title="Money Team")
LOGISTICS = Team(name="logistics", title="Logistics Team")

PROJECT = Project(
    name="shop",
    title="Shop",
    description="A mail-order shop: what customers see, what moves their money, and what moves their parcels.",
    owner=RELIABILITY,
    docs_url="https://docs.example.org/shop/observability",
    grafana_url="https://grafana.example.org",
)
'''

_METRICS = '''\
"""$title: it $purpose."""

from obsgen.model import (
    HOLD,
    THRESHOLD,
    VALUE,
    Alert,
    AlertList,
    BarGauge,
    Dashboard,
    Domain,
    Firing,
    Heatmap,
    Proof,
    Query,
    Recording,
    Row,
    Runbook,
    Severity,
    SourceWatch,
    Stat,
    Step,
    Table,
    TimeSeries,
    critical,
    warning,
)
from obsgen.promql import (
    INF,
    Counter,
    Gauge,
    Histogram,
    Label,
    Source,
    Unit,
    events,
    histogram_quantile,
    increase,
    max_,
    rate,
    sum_,
)

from .project import $team

SERVICE = Source(
    name="$dashed",
    title="$title",
    job="$dashed",
    interval="30s",
    exporter="The service's own `/metrics` endpoint, on the port of its health check.",
)

ROUTE = Label("route", "Template of the route, such as `/orders/[id]`, never the raw path.")
OUTCOME = Label("outcome", "How the request ended.", values=("ok", "refused", "failed"))
QUEUE = Label("queue", "Name of the queue in the message broker.")

WAITING = Gauge(
    name="${snake}_queue_length",
    title="Waiting jobs",
    help="Jobs that wait in a queue of $title, set whenever a worker takes one.",
    source=SERVICE,
    labels=(QUEUE,),
    unit=Unit.COUNT,
)
REQUESTS = Counter(
    name="${snake}_requests_total",
    title="Requests",
    help="Requests that $title has answered, those that it refused included.",
    source=SERVICE,
    labels=(ROUTE, OUTCOME),
    unit=Unit.REQUESTS,
)
DURATION = Histogram(
    name="${snake}_request_duration_ms",
    title="Request duration",
    help="Time from the first byte of a request to the last byte of its answer, measured inside of the service.",
    source=SERVICE,
    emitted_by="HTTP middleware",
    labels=(ROUTE,),
    unit=Unit.MILLISECONDS,
    buckets=(5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000),
)

REQUEST_RATE = Recording(
    name="route:${snake}_requests:rate5m",
    expr=sum_(rate(REQUESTS, "5m"), by=[ROUTE]),
    title="Requests by route",
    help="Requests per second to a route, whatever became of them.",
)
FAILED_1H = Recording(
    name="route:${snake}_requests_failed:increase1h",
    # The series of an outcome is born with its first request, and `increase` would not see that one.
    expr=events(REQUESTS.where(OUTCOME.equals("failed")), "1h", by=[ROUTE]),
    title="Failed requests in an hour",
    help="Requests of the last hour that ended with an error of ours.",
)
FAILURE_RATIO = Recording(
    name="route:${snake}_requests_failed:ratio_increase1h",
    expr=FAILED_1H / (sum_(increase(REQUESTS, "1h"), by=[ROUTE]) > 0),
    title="Failure ratio",
    help="Share of the requests of the last hour that ended with an error of ours.",
)
LATENCY = Recording(
    name="route:${snake}_request_duration_ms:p95_5m",
    expr=histogram_quantile(0.95, DURATION, by=[ROUTE], window="5m"),
    title="Request duration, 95th percentile",
    help="What 19 of 20 requests to a route stay below.",
    unit=Unit.MILLISECONDS,
)
'''

_ALERTS = """
FAILING = Alert(
    name="${camel}Failing",
    # On a route with a request every few minutes, a single failure would be more than the 2 %.
    expr=FAILURE_RATIO.and_(REQUEST_RATE > 0.05),
    fires=(warning(above=0.02, hold="5m"), critical(above=0.10, hold="5m")),
    summary="Requests to $title fail.",
    description=f"{VALUE} of the requests to {ROUTE.value} failed in the last hour, more than {THRESHOLD}.",
    runbook=Runbook(
        meaning="The service answers with errors of its own more often than it may; what it refuses is not counted.",
        impact="The service $purpose. "
        "Customers see an error page or have to try again, and some of them give up.",
        diagnosis=(
            Step(text="Which routes fail, and since when?", query=FAILURE_RATIO),
            Step(text="What became of the requests?", query=sum_(rate(REQUESTS, "5m"), by=[ROUTE, OUTCOME])),
            "Look for the route's name with a traceback in the service's log.",
            "Compare the time with the last release and with the incidents of the database.",
        ),
        mitigation=(
            "After a release: roll the service back.",
            "The database refuses connections: lower the number of workers until it recovers.",
        ),
        reason="2 % is what the service's objective leaves for an hour, 10 % uses up the month's in three days. "
        "The hour smooths bursts, and five minutes of hold outlast a restart.",
    ),
    proofs=(
        Proof("All goes well.", {REQUESTS.where(ROUTE.equals("/")): "0+10x200"}),
        Proof(
            "One of twenty fails.",
            given={
                REQUESTS.where(ROUTE.equals("/"), OUTCOME.equals("ok")): "0+19x200",
                REQUESTS.where(ROUTE.equals("/"), OUTCOME.equals("failed")): "0+1x200",
            },
            fires=Firing(since="5m30s", severity=Severity.WARNING, labels={ROUTE: "/"}),
        ),
    ),
)
SLOW = Alert(
    name="${camel}Slow",
    expr=LATENCY,
    fires=warning(above=500, hold="10m"),
    summary="$title answers slowly.",
    description=f"19 of 20 requests to {ROUTE.value} took up to {VALUE}, more than {THRESHOLD}, for {HOLD}.",
    runbook=Runbook(
        meaning="The slowest twentieth of the requests takes longer than customers notice.",
        impact="Pages that wait for the service fill in late; past ten seconds their requests are given up.",
        diagnosis=(
            Step(text="Is it one route or all of them?", query=LATENCY),
            Step(text="Are there more requests than usual?", query=REQUEST_RATE),
            Step(text="How slow are the very slowest?", query=histogram_quantile(0.99, DURATION, by=[ROUTE])),
            "One route: look at the plans of its database queries. All: look at the CPU limit of the containers.",
        ),
        mitigation=(
            "More requests than usual: add instances.",
            "One route after a release: roll the service back.",
        ),
        reason="500 ms is a bound of the buckets, so that the threshold is read off exactly. Ten minutes of hold leave "
        "out the nightly backup.",
    ),
    proofs=(
        Proof("All are quick.", {DURATION.bucket(500): "0+10x100", DURATION.bucket(INF): "0+10x100"}),
        Proof(
            "All are slow.",
            given={
                DURATION.bucket(500).where(ROUTE.equals("/")): "0x100",
                DURATION.bucket(1_000).where(ROUTE.equals("/")): "0+10x100",
                DURATION.bucket(INF).where(ROUTE.equals("/")): "0+10x100",
            },
            fires=Firing(since="10m30s", labels={ROUTE: "/"}),
        ),
    ),
)
JAMMED = Alert(
    name="${camel}QueueJammed",
    expr=WAITING,
    fires=critical(above=1_000, hold="5m"),
    summary="Jobs of $title pile up.",
    description=f"{VALUE} jobs wait in the queue {QUEUE.value}, more than {THRESHOLD}, for {HOLD}.",
    runbook=Runbook(
        meaning="Jobs come in faster than the workers take them, or no worker takes any.",
        impact="What the jobs do is late by minutes at least; at 10,000 the broker refuses new ones and they are lost.",
        diagnosis=(
            Step(text="Which queue is it?", query=sum_(WAITING, by=[QUEUE])),
            "Open the broker's page of the queue: does it have consumers, and do they acknowledge?",
            "Look for a job that fails and comes back again and again in the worker's log.",
        ),
        mitigation=(
            "No consumers: restart the workers.",
            "One job comes back: move it to the dead letters by hand, and write to its owner.",
        ),
        reason="The workers take about ten jobs in a second: 1,000 of them are more than a minute and a half of delay.",
    ),
    proofs=(
        Proof("A thousand jobs wait.", {WAITING.where(QUEUE.equals("mail")): "1000x40"}),
        Proof(
            "More do.",
            given={WAITING.where(QUEUE.equals("mail")): "1001x40"},
            fires=Firing(since="5m", labels={QUEUE: "mail"}),
        ),
    ),
)
"""

_DASHBOARD = """
DASHBOARD = Dashboard(
    uid="shop-$dashed",
    title="Shop / $title",
    description="Does $title answer, how fast, and does it keep up with its queues?",
    filters=(ROUTE, QUEUE),
    rows=(
        Row(
            title="Now",
            panels=(
                Stat(
                    shows=sum_(REQUEST_RATE),
                    title="Requests now",
                    description="Requests per second to all routes shown.",
                    width=12,
                ),
                Stat(shows=max_(FAILURE_RATIO), title="Worst failure ratio", width=12),
            ),
        ),
        Row(
            title="Requests",
            panels=(
                TimeSeries(shows=FAILURE_RATIO, legend=(ROUTE,)),
                AlertList(),
                Table(
                    title="Routes",
                    description="Every route with its requests, the share of them that fails, and its latency.",
                    by=(ROUTE,),
                    shows=(
                        Query(expr=sum_(REQUEST_RATE, by=[ROUTE]), legend="Requests"),
                        Query(expr=max_(FAILURE_RATIO, by=[ROUTE]), legend="Failures"),
                        Query(expr=max_(LATENCY, by=[ROUTE]), legend="95th percentile"),
                    ),
                ),
            ),
        ),
        Row(
            title="Duration and queues",
            panels=(
                Heatmap(of=DURATION),
                TimeSeries(
                    shows=(histogram_quantile(0.50, DURATION, by=[ROUTE]), LATENCY),
                    title="Duration, median and 95th percentile",
                    description="How long requests take. Of each route the lower line is the median.",
                ),
                BarGauge(
                    shows=max_(WAITING, by=[QUEUE]),
                    title="Queues",
                    description="Jobs that wait in each queue now.",
                    width=24,
                    height=6,
                ),
            ),
        ),
    ),
)
"""

_DOMAIN = """
DOMAIN = Domain(
    name="$dashed",
    title="$title",
    description="The service that $purpose.",
    order=$number,
    team=$team,
    metrics=(WAITING, REQUESTS, DURATION),
    recordings=(REQUEST_RATE, FAILED_1H, FAILURE_RATIO, LATENCY),
    alerts=(FAILING, SLOW, JAMMED),
    watches=(
        SourceWatch(
            source=SERVICE,
            key=REQUESTS,
            still_after=None,
            impact="Nothing is known about $title: its alerts cannot fire.",
            restart="Restart the service; its metrics endpoint starts with it.",
        ),
    ),
    dashboards=(DASHBOARD,),
    notes=(
        "Requests that the rate limit in front of the service refuses never reach it and are not counted here.",
        "The length of a queue is set by whoever takes a job: without any worker it stays as it was.",
    ),
)
"""

SERVICE = f"{_METRICS}{_ALERTS}{_DASHBOARD}{_DOMAIN}"
