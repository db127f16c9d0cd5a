"""Lavalink node health (guide, section 2): do the audio nodes answer, and how fast?"""

from obsgen.model import (
    HOLD,
    THRESHOLD,
    VALUE,
    Alert,
    AlertList,
    BurnRate,
    Dashboard,
    Domain,
    ErrorBudget,
    Firing,
    Inhibition,
    Objective,
    Proof,
    Row,
    Runbook,
    Severity,
    SourceWatch,
    Stat,
    StateTimeline,
    Step,
    TimeSeries,
    TimeSlices,
    critical,
    warning,
)
from obsgen.promql import (
    INSTANCE,
    Exposure,
    Gauge,
    Label,
    Status,
    Unit,
    avg_over_time,
    changes,
    count,
    max_,
    present_over_time,
    sum_,
)

from .sources import BOT, FAILOVER_CHECK

REGION = Label("region", "Region that the node serves.")
NODE = Label("node", "Name of the Lavalink node in the bot's configuration.")

PLAYERS = Gauge(
    name="lavalink_node_players",
    title="Players per node",
    help="Current active players per node.",
    source=FAILOVER_CHECK,
    labels=(REGION, NODE),
    limit=50,
    unit=Unit.COUNT,
    exposure=Exposure(status=Status.PLANNED, note="The checker does not read players; the bot's Status API has them."),
)
LATENCY = Gauge(
    name="lavalink_node_latency_ms",
    title="Node latency",
    help="Latency to the node's `/metrics` endpoint. For a node that does not answer it is the time until the check "
    "gave up.",
    source=FAILOVER_CHECK,
    labels=(REGION, NODE),
    limit=50,
    unit=Unit.MILLISECONDS,
    exposure=Exposure(note="The checker writes it to Redis; nothing exports it from there."),
)
HEALTH = Gauge(
    name="lavalink_node_health",
    title="Node health",
    help="1 = healthy, 0 = failed.",
    source=FAILOVER_CHECK,
    labels=(REGION, NODE),
    limit=50,
    unit=Unit.STATE,
    states={1: "healthy", 0: "failed"},
    exposure=Exposure(
        status=Status.RENAMED,
        name="vectobeat_lavalink_node_up",
        source=BOT,
        # The bot knows the node's region and does not say it.
        adds={"region": "unknown"},
        note="From the bot's websocket, not from an HTTP check, and without `region`.",
    ),
)

MAIN_LABELS = {REGION: "eu", NODE: "main"}
MAIN = (REGION.equals("eu"), NODE.equals("main"))
OTHER = (REGION.equals("us"), NODE.equals("other"))

NODE_DOWN = Alert(
    name="LavalinkNodeDown",
    expr=HEALTH,
    # Only 1 is healthy: a half, a 2 or a NaN of an exporter is not.
    fires=critical(differs=1, hold="1m"),
    summary="A Lavalink node is down.",
    description=f"Node {NODE.value} in {REGION.value} has failed its health checks for {HOLD}.",
    runbook=Runbook(
        meaning="The node does not answer its health check, or says that it is not well.",
        impact="Players on the node stop until they are moved; with no other node in the region, music is off there.",
        diagnosis=(
            Step(text="Which nodes are left?", query=HEALTH.equals(1)),
            Step(text="How many players were on it?", query=PLAYERS),
            "Ask the node itself: `curl http://NODE:2333/version`. "
            "Whoever checks it (see the top of the page) has the reason in its log.",
        ),
        mitigation=(
            "Restart the node's container. The bot moves its players to other nodes by itself.",
            "If it does not come back, take it out of the bot's configuration (`LAVALINK_NODES`), and silence "
            "LavalinkNodeMissing for it for three days.",
        ),
        reason=f"The guide's rule, {HOLD} included: a failed check and its repetition.",
    ),
    proofs=(
        Proof("A node that is healthy.", {HEALTH.where(*MAIN): "1x10"}),
        Proof("Failed checks for 59 seconds.", {HEALTH.where(*MAIN): "1x59 0x58 1x60"}, every="1s"),
        Proof(
            "Failed checks for 61 seconds.",
            given={HEALTH.where(*MAIN): "1x59 0x60 1x60"},
            fires=Firing(
                since="2m",
                until="2m30s",
                labels=MAIN_LABELS,
                description="Node main in eu has failed its health checks for 1 minute.",
            ),
            every="1s",
        ),
        *(
            Proof(
                f"A health of {value} is not healthy.",
                given={HEALTH.where(*MAIN): f"1x3 {value}x10"},
                fires=Firing(since="3m", labels=MAIN_LABELS),
            )
            for value in ("0.5", "2", "NaN")
        ),
        Proof("Gone is not failed: LavalinkNodeMissing tells.", {HEALTH.where(*MAIN): "1x10 stale _x20"}),
    ),
)
NODE_MISSING = Alert(
    name="LavalinkNodeMissing",
    # By the node's name: another exporter may have taken over, with another name for the region. While no node is
    # checked at all, the alerts on the checker itself fire.
    expr=max_(present_over_time(HEALTH, "3d"), by=[REGION, NODE]).unless(HEALTH, on=(NODE,)).and_(count(HEALTH), on=()),
    fires=warning(hold="5m"),
    summary="A Lavalink node has dropped out of the health checks.",
    description=f"Node {NODE.value} in {REGION.value} was checked within the last 3 days, but not for {HOLD}, while "
    "others are.",
    runbook=Runbook(
        meaning="This node is no longer checked, while at least one other is. Nobody would see it fail.",
        impact="Unknown: the node may be well.",
        diagnosis=(
            Step(text="Which nodes are still checked?", query=count(HEALTH, by=[REGION, NODE])),
            "Was the node taken out of `LAVALINK_NODES` on purpose? Then silence the alert for three days.",
            "Does the bot, or the checker, still have the node in its configuration?",
        ),
        mitigation=(
            "Put the node back into `LAVALINK_NODES`.",
            "If it was taken out on purpose: use the message's Silence link, for three days.",
        ),
        reason="The state in Redis lives for 120 s, so one late run of the checker makes a short gap; "
        f"{HOLD} are more than that. It warns and does not page, for a node that fails for certain has "
        "LavalinkNodeDown. A node is remembered for three days, a weekend and more, so that the alert does not end "
        "while the node is still gone. Taking a node out is rare and done by the people who are told: one silence "
        "costs less than a node that nobody misses.",
    ),
    proofs=(
        Proof(
            "A node that is no longer checked, for as long as it is remembered.",
            given={HEALTH.where(*MAIN): "1x20 stale _x900", HEALTH.where(*OTHER): "1x920"},
            fires=Firing(since="2d12h", until="3d1h40m", within="10m", labels=MAIN_LABELS),
            every="5m",
            after="2d12h",
        ),
        Proof(
            "A node that is no longer checked, while another one is.",
            given={HEALTH.where(*MAIN): "1x20 stale _x40", HEALTH.where(*OTHER): "1x60"},
            fires=Firing(
                since="15m30s",
                labels=MAIN_LABELS,
                description="Node main in eu was checked within the last 3 days, but not for 5 minutes, while others "
                "are.",
            ),
        ),
        Proof("No node is checked any more: the checker is gone.", {HEALTH.where(*MAIN): "1x20 stale _x40"}),
        Proof(
            "One late run of the checker.",
            {HEALTH.where(*MAIN): "1x20 stale _x7 1x40", HEALTH.where(*OTHER): "1x68"},
        ),
        Proof("A node that fails is checked.", {HEALTH.where(*MAIN): "0x40"}),
        Proof(
            "Another exporter has taken over.",
            given={
                HEALTH.where(*MAIN, INSTANCE.equals("check:9100")): "1x20 stale _x40",
                HEALTH.where(*MAIN, INSTANCE.equals("check:9200")): "_x20 1x40",
                HEALTH.where(*OTHER): "1x60",
            },
        ),
    ),
)
LATENCY_HIGH = Alert(
    name="LavalinkNodeLatencyHigh",
    # A failed node's latency is the check's time-out. LavalinkNodeDown has said so already.
    expr=LATENCY.unless(HEALTH.differs(1), on=(REGION, NODE)),
    fires=warning(above=500, hold="5m"),
    summary="A Lavalink node answers slowly.",
    description=f"Node {NODE.value} in {REGION.value} has answered in {VALUE}, more than {THRESHOLD}, for {HOLD}.",
    runbook=Runbook(
        meaning="The node is healthy, but its HTTP endpoint takes long.",
        impact="Searching and starting tracks lags; what plays already goes on playing.",
        diagnosis=(
            Step(text="Is it the node or its region?", query=max_(LATENCY, by=[REGION, NODE])),
            Step(text="Is it overloaded?", query=PLAYERS),
            "Look at the node's CPU and garbage collection.",
        ),
        mitigation=(
            "Overloaded: add a node to the region; new players go to the least loaded one.",
            "A whole region: look at the network between the checker and the region first.",
        ),
        reason=f"{THRESHOLD} is the guide's number; it names no severity and no hold. Playback goes on, so it warns, "
        f"and only after {HOLD}, for one slow check is nothing.",
    ),
    proofs=(
        Proof("500 ms are not above 500 ms.", {LATENCY.where(*MAIN): "500x20", HEALTH.where(*MAIN): "1x20"}),
        Proof(
            "501 ms for five minutes warn.",
            given={LATENCY.where(*MAIN): "80x4 501x20", HEALTH.where(*MAIN): "1x25"},
            fires=Firing(
                since="7m30s",
                labels=MAIN_LABELS,
                description="Node main in eu has answered in 501 ms, more than 500 ms, for 5 minutes.",
            ),
        ),
        Proof(
            "The latency of a node that fails is the check's time-out.",
            {LATENCY.where(*MAIN): "5000x20", HEALTH.where(*MAIN): "0x20"},
        ),
    ),
)

AVAILABILITY = ErrorBudget(
    name="lavalink_node",
    title="Lavalink availability",
    help="Every minute in which a node is checked counts; those in which its check fails are bad.",
    # Of several exporters that check a node, one good answer is enough.
    sli=TimeSlices(total=max_(HEALTH, by=[REGION, NODE]), good=max_(HEALTH, by=[REGION, NODE]).equals(1)),
    by=(REGION, NODE),
    objectives=(Objective(0.999, reason="The platform's availability on the public SLA page."),),
    # Without the workbook's fastest: it would page for a single bad minute, for which LavalinkNodeDown is there.
    burn_rates=(
        BurnRate(severity=Severity.CRITICAL, spends=0.05, long="6h", short="30m"),
        BurnRate(severity=Severity.WARNING, spends=0.10, long="3d", short="6h"),
    ),
    impact="Listeners of the node's guilds hear nothing for as long as their players are being moved.",
    diagnosis=(
        Step(text="Which nodes fail now?", query=HEALTH.differs(1)),
        Step(text="How often did they fail and come back today?", query=changes(HEALTH, "1d")),
        "Failing now and then: look at the node's memory limit and its restarts.",
    ),
    mitigation=(
        "Failing now: LavalinkNodeDown says what to do.",
        "Failing again and again: take the node out of the bot's configuration until the cause is found.",
    ),
)

FAILED_NODES = Stat(
    shows=count(HEALTH.differs(1)).or_(count(HEALTH) * 0),
    title="Nodes down",
    description="How many nodes have failed their last check?",
    unit=Unit.COUNT,
    levels=(critical(above=0),),
    width=6,
)
HEALTH_OVER_TIME = StateTimeline(
    shows=HEALTH,
    legend=(REGION, NODE),
    title="Node health",
    description="Which node failed, and when? A gap is a time without any check.",
    width=24,
    height=9,
)

NODE_DASHBOARD = Dashboard(
    uid="vectobeat-lavalink-nodes",
    title="VectoBeat / Lavalink nodes",
    description="Do the audio nodes answer, how fast, and how many players are on them?",
    filters=(REGION, NODE),
    rows=(
        Row(title="What is wrong", panels=(AlertList(),)),
        Row(
            title="Now",
            panels=(
                FAILED_NODES,
                Stat(
                    shows=max_(LATENCY.unless(HEALTH.differs(1), on=(REGION, NODE))),
                    title="Slowest node",
                    description="How long does the slowest node that is healthy take to answer its check?",
                ),
                Stat(
                    shows=count(HEALTH.equals(1)).or_(count(HEALTH) * 0),
                    title="Nodes up",
                    description="How many nodes have passed their last check?",
                    unit=Unit.COUNT,
                ),
                Stat(shows=sum_(PLAYERS), title="Players", description="How many players are active on all nodes?"),
            ),
        ),
        Row(
            title="Health",
            panels=(
                HEALTH_OVER_TIME,
                TimeSeries(
                    shows=LATENCY.unless(HEALTH.differs(1), on=(REGION, NODE)),
                    legend=(REGION, NODE),
                    title="Node latency",
                    description="Which node became slow, and when? A failed node has no line: it would be the time-out "
                    "of its check.",
                ),
                TimeSeries(
                    shows=avg_over_time(HEALTH, "1d"),
                    title="Availability, 24 h",
                    description="For which share of the 24 hours before was each node healthy?",
                    unit=Unit.RATIO,
                    legend=(REGION, NODE),
                    levels=(warning(below=AVAILABILITY.objectives[0].target),),
                ),
            ),
        ),
        Row(
            title="Load",
            panels=(
                TimeSeries(
                    shows=PLAYERS, legend=(REGION, NODE), description="How many players are active on each node?"
                ),
                TimeSeries(
                    shows=sum_(PLAYERS, by=[REGION]),
                    title="Players per region",
                    description="How many players are active on all nodes of a region?",
                    stacked=True,
                ),
            ),
        ),
    ),
)

DOMAIN = Domain(
    name="lavalink",
    title="Lavalink Node Health",
    description="The audio nodes: they search, decode and stream what the bot plays.",
    order=2,
    metrics=(PLAYERS, LATENCY, HEALTH),
    budgets=(AVAILABILITY,),
    alerts=(NODE_DOWN, NODE_MISSING, LATENCY_HIGH),
    watches=(
        SourceWatch(
            source=FAILOVER_CHECK,
            key=HEALTH,
            moves=LATENCY,
            still_after="15m",
            impact="Nothing is known about the Lavalink nodes: their alerts cannot fire.",
            restart="Start the failover checker's schedule and its exporter again.",
            reason="Every check measures a new latency. That long without any change means that the exporter serves "
            "old values.",
        ),
    ),
    inhibitions=(
        Inhibition(
            source=NODE_DOWN,
            targets=(LATENCY_HIGH,),
            same=(REGION, NODE),
            reason="A node that fails is not slow.",
        ),
        Inhibition(
            source=NODE_DOWN,
            targets=(AVAILABILITY,),
            same=(REGION, NODE),
            # The short window of the burn rate that pages, and some minutes until it is empty.
            lasting="35m",
            reason="A node that is down spends its error budget. That has been told, and the burn rates see it for as "
            "long as it is in their short window. A node that fails for less than a minute, again and again, is never "
            "down, and its burn rate pages.",
        ),
    ),
    dashboards=(NODE_DASHBOARD,),
    notes=(
        "The control panel's node list (`/api/control-panel/lavalink/nodes`) asks the bot itself, so the two can "
        "differ for a moment.",
    ),
)
