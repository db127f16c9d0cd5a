"""What holds for the whole of VectoBeat's catalog."""

from obsgen.model import Project, Routing, Webhook

from . import teams

PROJECT = Project(
    name="vectobeat",
    title="VectoBeat",
    description="A Discord music bot: its gateway shards, its Lavalink nodes, its control panel and its concierge.",
    owner=teams.OBSERVABILITY,
    # Where people open the links of alerts and dashboards. Change them together with the deployment.
    docs_url="https://github.com/VectoDE/VectoBeat/blob/main/generated/docs",
    grafana_url="https://grafana.vectobeat.com",
    routing=Routing(
        receivers=(teams.ON_CALL, teams.OPS, teams.AUTOMATION, teams.CONCIERGE, teams.CONCIERGE_ON_CALL),
        alertmanagers=("alertmanager:9093",),
        # Raises the alarm by itself when nothing comes any more. Change it together with the deployment.
        watchdog=Webhook(name="dead-mans-switch", url="https://watchdog.vectobeat.com/prometheus"),
    ),
    # The 30 days of the error budgets, and some to look back at.
    retention="35d",
)
