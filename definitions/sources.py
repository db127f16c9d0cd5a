"""Who exposes VectoBeat's metrics, and how Prometheus gets at them."""

from obsgen.promql import Source, SourceStatus

BOT = Source(
    name="vectobeat-bot",
    title="VectoBeat bot",
    job="vectobeat-bot",
    interval="30s",
    targets=("bot:3052",),
    exporter="The bot's own `/metrics` endpoint (port 3052).",
)

FAILOVER_CHECK = Source(
    name="lavalink-failover-check",
    title="Lavalink failover checker",
    job="lavalink-failover-check",
    interval="30s",
    exporter="`scripts/lavalink-failover-check.mjs` writes each node's state to Redis, with a lifetime of 120 s; "
    "an exporter reads it from there.",
    status=SourceStatus.PLANNED,
)

AUTOMATION_INGESTION = Source(
    name="automation-ingestion",
    title="Automation ingestion API",
    job="automation-ingestion",
    interval="30s",
    exporter="The bot posts every action to `/api/bot/automation-actions`, which writes it to MySQL: counted there.",
    persistent=True,
    status=SourceStatus.PLANNED,
)

API_MIDDLEWARE = Source(
    name="api-middleware",
    title="Next.js API middleware",
    job="api-middleware",
    interval="30s",
    exporter="A metrics hook around every API route of the control panel.",
    status=SourceStatus.PLANNED,
)

CONCIERGE_INGESTION = Source(
    name="concierge-ingestion",
    title="Concierge ingestion API",
    job="concierge-ingestion",
    interval="1m",
    exporter="`/api/concierge` writes tickets to MySQL; an exporter counts them from there.",
    persistent=True,
    status=SourceStatus.PLANNED,
)

SUCCESS_POD = Source(
    name="success-pod",
    title="Success pod workflow",
    job="success-pod",
    interval="1m",
    exporter="The workflow writes each ticket's times to MySQL; an exporter derives what it exposes from there.",
    persistent=True,
    status=SourceStatus.PLANNED,
)
