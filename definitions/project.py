"""What holds for the whole of VectoBeat's catalog."""

from obsgen.model import Project

from .teams import OBSERVABILITY

PROJECT = Project(
    name="vectobeat",
    title="VectoBeat",
    description="A Discord music bot: its gateway shards, its Lavalink nodes, its control panel and its concierge.",
    owner=OBSERVABILITY,
    # Where people open the links of alerts and dashboards. Change them together with the deployment.
    docs_url="https://github.com/VectoDE/VectoBeat/blob/main/generated/docs",
    grafana_url="https://grafana.vectobeat.com",
    # The 30 days of the error budgets, and some to look back at.
    retention="35d",
)
