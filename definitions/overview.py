"""The overview: is anything wrong, and where do I look?"""

from dataclasses import replace

from obsgen.model import AlertList, Dashboard, Domain, Row, Stat, StateTimeline, TimeSeries
from obsgen.promql import JOB, UP, finite, max_, min_

from . import api, automation, concierge, lavalink, shards
from .sources import API_MIDDLEWARE, AUTOMATION_INGESTION, BOT, CONCIERGE_INGESTION, FAILOVER_CHECK, SUCCESS_POD

JOBS = tuple(
    source.job
    for source in (BOT, FAILOVER_CHECK, AUTOMATION_INGESTION, API_MIDDLEWARE, CONCIERGE_INGESTION, SUCCESS_POD)
)


def narrow(stat: Stat, title: str) -> Stat:
    """Return a domain's number for the line of all domains."""
    return replace(stat, title=title, width=8, height=3)


OVERVIEW = Dashboard(
    uid="vectobeat-overview",
    title="VectoBeat / Overview",
    description="Is anything wrong with VectoBeat, and where do I look?",
    rows=(
        Row(title="What is wrong", panels=(AlertList(everything=True, height=11),)),
        Row(
            title="Now",
            panels=(
                shards.SHARDS_OFF_STAT,
                shards.SLOWEST_SHARD,
                narrow(lavalink.FAILED_NODES, "Nodes down"),
                narrow(automation.WORST_FAILURES, "Automation failures"),
                narrow(api.LEAST_BUDGET, "API budget remaining"),
                narrow(concierge.VIOLATIONS_NOW, "SLA violations, 1 h"),
            ),
        ),
        Row(
            title="Sources",
            panels=(
                StateTimeline(
                    shows=min_(UP.where(JOB.one_of(*JOBS)), by=[JOB]),
                    title="Sources",
                    description="Can Prometheus scrape each source? While one is down, its panels and alerts say "
                    "nothing.",
                    width=24,
                ),
            ),
        ),
        Row(
            title="Trends",
            panels=(
                TimeSeries(
                    shows=max_(finite(shards.LATENCY)),
                    title="Slowest shard over time",
                    description="Since when is a shard slow?",
                ),
                replace(lavalink.HEALTH_OVER_TIME, width=12, height=8),
                TimeSeries(
                    shows=max_(automation.KNOWN_RATIO),
                    title="Automation failures over time",
                    description="Since when does an automation action fail? The share of the hour before, of the "
                    "action that fails most.",
                ),
                replace(api.WORST_ROUTE, title="API error ratio, worst route"),
                TimeSeries(
                    shows=min_(api.BUDGET.remaining),
                    title="API budget over time",
                    description="When was the budget of the route with the least spent?",
                    levels=api.LEAST_BUDGET.levels,
                ),
                TimeSeries(
                    shows=max_(concierge.VIOLATIONS_1H),
                    title="SLA violations per hour",
                    description="When were tickets resolved too late?",
                ),
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
