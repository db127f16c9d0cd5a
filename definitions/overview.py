"""The overview: is anything wrong, and where do I look?"""

from obsgen.model import AlertList, Dashboard, Domain, Row, Stat, StateTimeline, TimeSeries
from obsgen.promql import JOB, UP, Unit, count, finite, max_, min_, sum_

from . import api, automation, concierge, lavalink, shards
from .sources import API_MIDDLEWARE, AUTOMATION_INGESTION, BOT, CONCIERGE_INGESTION, FAILOVER_CHECK, SUCCESS_POD

JOBS = tuple(
    source.job
    for source in (BOT, FAILOVER_CHECK, AUTOMATION_INGESTION, API_MIDDLEWARE, CONCIERGE_INGESTION, SUCCESS_POD)
)

OVERVIEW = Dashboard(
    uid="vectobeat-overview",
    title="VectoBeat / Overview",
    description="Is anything wrong with VectoBeat, and where do I look?",
    rows=(
        Row(
            title="Now",
            panels=(
                Stat(
                    shows=count(finite(shards.LATENCY)),
                    title="Connected shards",
                    description="Shards with a heartbeat that was answered.",
                    width=4,
                ),
                Stat(shows=max_(finite(shards.LATENCY)), title="Slowest shard", width=4),
                Stat(
                    shows=sum_(lavalink.HEALTH),
                    title="Healthy nodes",
                    description="Lavalink nodes whose last check succeeded.",
                    unit=Unit.COUNT,
                    width=4,
                ),
                Stat(shows=max_(automation.FAILURE_RATIO), title="Automation failures", width=4),
                Stat(shows=min_(api.BUDGET.ratio), title="Smallest error budget", width=4),
                Stat(shows=concierge.VIOLATIONS_1H, title="SLA violations in an hour", width=4),
            ),
        ),
        Row(
            title="Alerts and sources",
            panels=(
                AlertList(everything=True, height=10),
                StateTimeline(
                    shows=min_(UP.where(JOB.one_of(*JOBS)), by=[JOB]),
                    title="Sources",
                    description="Whether Prometheus can scrape each source. While one is down, its panels and alerts "
                    "say nothing.",
                    height=10,
                ),
            ),
        ),
        Row(
            title="The five sections",
            panels=(
                TimeSeries(
                    shows=max_(finite(shards.LATENCY)), title="Shard latency", description="Of the slowest shard."
                ),
                TimeSeries(shows=shards.GUILDS, legend=(shards.SHARD_ID,)),
                StateTimeline(shows=lavalink.HEALTH, legend=(lavalink.REGION, lavalink.NODE)),
                TimeSeries(shows=automation.FAILURE_RATIO, title="Automation failure ratio"),
                TimeSeries(shows=api.BUDGET.ratio, legend=(api.ROUTE,)),
                TimeSeries(shows=max_(concierge.VIOLATIONS_1H), title="Concierge SLA violations"),
            ),
        ),
    ),
)

DOMAIN = Domain(
    name="overview",
    title="Overview",
    description="Everything at a glance.",
    dashboards=(OVERVIEW,),
)
