"""Shard load (guide, section 1): are the gateway shards alive, quick and evenly loaded?"""

from obsgen.model import (
    HOLD,
    THRESHOLD,
    VALUE,
    Alert,
    AlertList,
    Annotation,
    Dashboard,
    Domain,
    Firing,
    Given,
    Inhibition,
    Proof,
    Query,
    Recording,
    Row,
    Runbook,
    Sample,
    SourceWatch,
    Stat,
    Step,
    Table,
    TimeSeries,
    critical,
    warning,
)
from obsgen.promql import (
    INSTANCE,
    Counter,
    Exposure,
    Gauge,
    Label,
    Selector,
    Status,
    Unit,
    abs_,
    avg,
    changes,
    count,
    finite,
    increase,
    max_,
    max_over_time,
    scalar,
    sum_,
    up,
)

from .sources import BOT

SHARD_ID = Label("shard_id", "Number of the gateway shard, from 0.")
REGION = Label("region", "Region that the shard serves.")

GUILDS = Gauge(
    name="vectobeat_shard_guilds",
    title="Guilds per shard",
    help="Number of guilds per shard, emitted every 30 s.",
    source=BOT,
    labels=(SHARD_ID, REGION),
    limit=128,
    unit=Unit.COUNT,
    exposure=Exposure(status=Status.PLANNED, note="The bot exposes only the total, `vectobeat_guilds`."),
)
LATENCY = Gauge(
    name="vectobeat_shard_latency_ms",
    title="Gateway heartbeat latency",
    help="Gateway heartbeat latency, used to detect stalls. NaN before a shard's first heartbeat, +Inf while it "
    "reconnects.",
    source=BOT,
    labels=(SHARD_ID,),
    limit=128,
    unit=Unit.MILLISECONDS,
    exposure=Exposure(
        status=Status.RENAMED,
        name="vectobeat_shard_latency_seconds",
        scale=1000,
        labels={"shard": "shard_id"},
        note="In seconds, and the label is `shard`.",
    ),
)
FAILOVERS = Counter(
    name="vectobeat_shard_failover_total",
    title="Shard failovers",
    help="Counter incremented when AutoShardedBot promotes a hot spare.",
    source=BOT,
    exposure=Exposure(status=Status.PLANNED, note="The bot has no hot spares yet."),
)

MIN_GUILDS = 250

FIRST = {SHARD_ID: "0"}


def latency(shard: str) -> Selector:
    """Return the latency of a shard."""
    return LATENCY.where(SHARD_ID.equals(shard))


def guilds(*counts: str) -> Given:
    """Return the guild counts of shards, from shard 0 on."""
    return {
        GUILDS.where(SHARD_ID.equals(str(shard)), REGION.equals("eu")): samples for shard, samples in enumerate(counts)
    }


DEVIATION = Recording(
    name="shard:vectobeat_shard_guilds:deviation",
    # A single NaN would make the average of all shards NaN.
    expr=abs_(finite(GUILDS) / scalar(avg(finite(GUILDS))) - 1),
    title="Deviation from the average shard",
    help="How far a shard's guild count is from the average of all shards, as a share of the average.",
    proofs=(
        Proof(
            "Above and below the average count alike.",
            given=guilds("1000x4", "1500x4", "500x4"),
            records=[
                Sample(value=value, at="2m", labels={SHARD_ID: shard, REGION: "eu"})
                for shard, value in (("0", 0.0), ("1", 0.5), ("2", 0.5))
            ],
        ),
        Proof(
            "A shard without a number is not averaged, and deviates from nothing.",
            given=guilds("1000x4", "1500x4", "500x4", "NaNx4", "Infx4"),
            records=[
                Sample(value=value, at="2m", labels={SHARD_ID: shard, REGION: "eu"})
                for shard, value in (("0", 0.0), ("1", 0.5), ("2", 0.5))
            ],
        ),
    ),
)

LATENCY_HIGH = Alert(
    name="ShardLatencyHigh",
    # A shard that is reconnecting says +Inf, one that was just started NaN: neither is a latency.
    expr=finite(LATENCY),
    # discord.py sets the value with each acknowledged heartbeat, every 41 s: the hold is three of them.
    fires=critical(above=250, hold="2m"),
    summary="A shard's gateway latency is high.",
    description=f"Shard {SHARD_ID.value} has answered heartbeats in {VALUE}, more than {THRESHOLD}, for {HOLD}.",
    runbook=Runbook(
        meaning="Discord's gateway acknowledges the shard's heartbeats, but slowly.",
        impact="Commands of the shard's guilds lag; past Discord's 3 s limit they fail with 'the application did not "
        "respond'.",
        diagnosis=(
            Step(text="Is it one shard or all of them?", query=max_(LATENCY, by=[SHARD_ID])),
            Step(text="Does the shard carry more guilds than the others?", query=DEVIATION),
            "All shards: look at the bot's event loop and CPU (`loopLagMs` of the Status API), then at Discord's "
            "status page.",
            "One shard: look for large guilds or a blocking command in its log.",
        ),
        mitigation=(
            "One shard: let the shard supervisor reconnect it.",
            "All shards: restart the bot outside of peak hours; if Discord reports an incident, wait for it to end.",
        ),
        reason=f"{THRESHOLD} is the guide's number. The value is set every 41 s: {HOLD} are about three slow "
        "heartbeats.",
    ),
    proofs=(
        Proof("250 ms are not above 250 ms.", given={latency("0"): "250x10"}),
        Proof("250.1 ms for two minutes page.", {latency("0"): "80x4 250.1x10"}, Firing(since="4m30s", labels=FIRST)),
        Proof(
            "Only the slow shard is named, with its latency.",
            given={latency("0"): "80x10", latency("1"): "312.4x6 80x4"},
            fires=Firing(
                since="2m",
                until="3m30s",
                labels={SHARD_ID: "1"},
                description="Shard 1 has answered heartbeats in 312 ms, more than 250 ms, for 2 minutes.",
            ),
        ),
        Proof("Three slow heartbeats in less than two minutes are a spike.", {latency("0"): "80 900x3 80x6"}),
        Proof("A shard that was just started says NaN.", {latency("0"): "NaNx10 80x4"}),
        Proof("A shard that reconnects says +Inf.", {latency("0"): "80x3 Infx10 80x3"}),
    ),
)
STALLED = Alert(
    name="ShardStalled",
    # A shard without acknowledged heartbeats keeps its last latency: a stall shows as a value that stands still.
    # `>= 0` leaves out NaN, which the bot keeps saying for shard 0 in a process that does not own that shard.
    expr=changes(LATENCY, "5m").equals(0).and_(LATENCY >= 0),
    fires=critical(hold="5m"),
    summary="A shard has stopped acknowledging heartbeats.",
    description=f"The latency of shard {SHARD_ID.value} stands still: no heartbeat was acknowledged for {HOLD} and "
    "more.",
    runbook=Runbook(
        meaning="The shard's connection hangs. Its latency is frozen at the last good value, or +Inf while it "
        "reconnects in vain.",
        impact="The shard's guilds get no answer to any command, and no event reaches the bot.",
        diagnosis=(
            Step(text="Which shards stand still?", query=changes(LATENCY, "5m").equals(0)),
            "All of them at once: then VectobeatBotStandsStill fires too, and the metrics collector is the more "
            "likely culprit.",
            "Look for the shard in the log of `shard_supervisor`: does it try to reconnect?",
        ),
        mitigation=(
            "Restart the bot process that owns the shard.",
            "If it stalls again at once, check the session start limit in Discord's developer portal before trying on.",
        ),
        reason=f"A living shard changes the value about seven times in five minutes. {HOLD} of hold on top let a "
        "reconnect end.",
    ),
    proofs=(
        Proof("A living shard has another latency with every heartbeat.", {latency("0"): "80+0.5x60"}),
        Proof(
            "A shard that stands still pages: five minutes to see it, and five to be sure.",
            given={latency("0"): "80+0.5x20 90x40", latency("1"): "80+0.5x60"},
            fires=Firing(
                since="19m30s",
                labels=FIRST,
                description="The latency of shard 0 stands still: no heartbeat was acknowledged for 5 minutes and "
                "more.",
            ),
        ),
        Proof("A stall of eight minutes ends before it pages.", {latency("0"): "80+0.5x20 90x17 95+0.5x20"}),
        Proof(
            "A shard that reconnects in vain says +Inf all the time.",
            given={latency("0"): "80+0.5x20 Infx40"},
            fires=Firing(since="20m", labels=FIRST),
        ),
        Proof("A process says NaN for a shard that it does not own.", {latency("0"): "NaNx60"}),
        Proof("A latency of 0 stands still, too.", {latency("0"): "0x20"}, Firing(since="5m", labels=FIRST)),
    ),
    equivalent={
        "vectobeat_shard_latency_ms >= 0 -> -1": "A latency is never negative: the comparison only leaves out NaN.",
    },
)
LOST = Alert(
    name="ShardLost",
    # `>= 0` leaves out NaN, and keeps +Inf: a shard that reconnects in vain is ShardStalled. With several processes,
    # one says NaN for a shard that another one owns. Without any heartbeat of another shard, ShardsDisconnected tells.
    expr=(max_over_time(LATENCY, "1d") >= 0).unless(LATENCY >= 0, on=(SHARD_ID,)).and_(count(finite(LATENCY)), on=()),
    fires=critical(hold="5m"),
    summary="A shard is gone, and others are not.",
    description=f"Shard {SHARD_ID.value} had a latency within the last day, and has had none for {HOLD}, while others "
    "have one.",
    runbook=Runbook(
        meaning="The series of the shard has disappeared, or is NaN, as before a first heartbeat. The alerts on "
        "latencies cannot see a shard that has none.",
        impact="The shard's guilds get no answer to any command, and no event reaches the bot.",
        diagnosis=(
            Step(text="Which shards are there, and which have a latency?", query=LATENCY),
            Step(text="Which were there within the last day?", query=max_(max_over_time(LATENCY, "1d"), by=[SHARD_ID])),
            "Did the process that owns the shard restart with fewer shards, or does it wait for a session start?",
            "Was the number of shards reduced on purpose? Then silence the alert for a day.",
        ),
        mitigation=(
            "Restart the bot process that owned the shard.",
            "On purpose: use the message's Silence link, for one day. The shard is forgotten then.",
        ),
        reason="A day is remembered, so that the alert does not end while the shard is still gone; a change of the "
        "shard count is rare enough for a silence by hand. A start of the bot takes one to three minutes until the "
        f"first heartbeat: {HOLD} are more than that.",
    ),
    proofs=(
        Proof(
            "A shard whose series has ended, while another one goes on.",
            given={latency("0"): "80x10 stale _x40", latency("1"): "80x50"},
            fires=Firing(
                since="10m30s",
                labels=FIRST,
                description="Shard 0 had a latency within the last day, and has had none for 5 minutes, while others "
                "have one.",
            ),
        ),
        Proof(
            "A shard that says NaN from some time on.",
            given={latency("0"): "0x10 NaNx40", latency("1"): "80x50"},
            fires=Firing(since="10m30s", labels=FIRST),
        ),
        Proof(
            "For as long as it is remembered.",
            given={latency("0"): "80x10 stale _x300", latency("1"): "80x310"},
            fires=Firing(since="23h", until="1d50m", within="10m", labels=FIRST),
            every="5m",
            after="23h",
        ),
        Proof("One shard of one is the bot itself.", {latency("0"): "80x10 stale _x40"}),
        Proof(
            "A restart of three minutes takes no shard away.",
            {latency("0"): "80x10 stale _x5 NaNx3 80x40", latency("1"): "80x60"},
        ),
        Proof("A shard that was never connected.", {latency("0"): "NaNx50", latency("1"): "80x50"}),
        Proof("A shard that reconnects in vain stalls.", {latency("0"): "80x10 Infx40", latency("1"): "80x50"}),
        Proof(
            "Another process says NaN for the shard, its own has a latency.",
            {
                LATENCY.where(SHARD_ID.equals("0"), INSTANCE.equals("a:3052")): "80x50",
                LATENCY.where(SHARD_ID.equals("0"), INSTANCE.equals("b:3052")): "80x5 NaNx45",
                latency("1"): "80x50",
            },
        ),
        Proof("All shards reconnect.", {latency("0"): "80x10 stale _x40", latency("1"): "80x10 Infx40"}),
    ),
    equivalent={
        f"{latency} >= 0 -> -1": "A latency is never negative: the comparison only leaves out NaN."
        for latency in (f"max_over_time({LATENCY.name}[1d])", LATENCY.name)
    },
)
NONE_CONNECTED = Alert(
    name="ShardsDisconnected",
    # Every latency is NaN or +Inf: none of them can fire the latency alert.
    expr=count(LATENCY).unless(count(finite(LATENCY))),
    fires=critical(hold="5m"),
    summary="No shard is connected to Discord.",
    description=f"Not one shard has had a heartbeat answered for {HOLD}.",
    runbook=Runbook(
        meaning="The bot runs and is scraped, but every shard reports NaN (never connected) or +Inf (reconnecting).",
        impact="The bot is offline for everybody.",
        diagnosis=(
            Step(text="What do the shards say?", query=LATENCY),
            "Look for a login error in the bot's log: a revoked token, missing intents, the session start limit.",
            "Look at Discord's status page.",
        ),
        mitigation=(
            "Token or intents: correct them and restart the bot.",
            "Session start limit: stop the restart loop and wait until the limit resets.",
        ),
        reason="A start of the bot takes one to three minutes until the first heartbeat.",
    ),
    proofs=(
        Proof("One connected shard is enough.", {latency("0"): "NaNx20", latency("1"): "80x20"}),
        Proof("A start of three minutes is no outage.", {latency("0"): "NaNx6 80x20", latency("1"): "NaNx9 80x17"}),
        Proof(
            "No shard is connected: one was never, the other reconnects.",
            given={latency("0"): "NaNx30", latency("1"): "80x10 Infx20"},
            fires=Firing(since="10m30s", description="Not one shard has had a heartbeat answered for 5 minutes."),
        ),
    ),
)
UNBALANCED = Alert(
    name="ShardGuildsUnbalanced",
    # Discord deals guilds out by their id, so a shard of n guilds varies by the square root of n from chance alone.
    # 20 % are more than three times that from 225 guilds on; below, the alert would cry over nothing.
    expr=DEVIATION.and_(avg(finite(GUILDS)) >= MIN_GUILDS, on=()),
    # After a start, shards fill up over several minutes.
    fires=warning(above=0.20, hold="15m"),
    summary="A shard's guild count is far from the average.",
    description=f"Shard {SHARD_ID.value} is {VALUE} off the average guild count, more than {THRESHOLD}, for {HOLD}.",
    runbook=Runbook(
        meaning="The shard has many more or many fewer guilds than the others.",
        impact="A shard with too many guilds is slow for all of them; one with too few has most likely lost some.",
        diagnosis=(
            Step(text="How are the guilds spread?", query=sum_(GUILDS, by=[SHARD_ID])),
            "Too few: did the shard reconnect without resuming? Its guilds come back with GUILD_CREATE events.",
            "Several shards, after a change of the shard count: the change has not reached every process.",
        ),
        mitigation=(
            "Too few: restart the shard, so that it asks for its guilds again.",
            "Too many: raise the shard count in the bot's configuration and restart all processes.",
        ),
        reason=f"{THRESHOLD} is the guide's number; it names no severity. Nobody is cut off yet, so it is a warning. "
        "The floor of "
        f"{MIN_GUILDS} guilds per shard keeps chance out (three standard deviations of a Poisson spread), "
        f"the hold of {HOLD} the time after a start.",
    ),
    proofs=(
        Proof("Of five guilds a shard, 60 % more or fewer are chance.", guilds("6x40", "7x40", "2x40")),
        Proof("A shard that says +Inf makes them no more.", guilds("6x40", "7x40", "2x40", "Infx40")),
        Proof("19.6 % off the average are within it.", guilds("1000x40", "1000x40", "1000x40", "1280x40")),
        Proof(
            "21 % off the average of a thousand guilds warn.",
            given=guilds("1000x40", "1000x40", "1000x40", "1302x40"),
            fires=Firing(
                since="15m",
                labels={SHARD_ID: "3", REGION: "eu"},
                description="Shard 3 is 21.06% off the average guild count, more than 20 %, for 15 minutes.",
            ),
        ),
        Proof("A new shard begins at 0 and fills up.", guilds("1000x60", "1000x60", "1000x60", "0+50x20 1000x40")),
        Proof(
            "An average of 250 guilds is enough to tell.",
            given=guilds("196x40", "304x40"),
            fires=[Firing(since="15m", labels={SHARD_ID: shard, REGION: "eu"}) for shard in ("0", "1")],
        ),
        Proof("An average of 249 guilds is not.", guilds("195x40", "303x40")),
        Proof(
            "A shard that says NaN or +Inf does not hide the others, and is none of them.",
            given=guilds("1000x40", "1000x40", "1000x40", "1302x40", "NaNx40", "Infx40"),
            fires=Firing(since="15m", labels={SHARD_ID: "3", REGION: "eu"}),
        ),
    ),
    equivalent={
        f"{DEVIATION.name} and on () avg({GUILDS.name} < +Inf) >= {MIN_GUILDS} > 0.2 -> >=": "A quotient less 1 "
        "is never exactly 0.2 in floating point.",
    },
)

KNOWN_SHARDS = count(max_(max_over_time(LATENCY, "1d") >= 0, by=[SHARD_ID]))
CONNECTED_SHARDS = count(max_(finite(LATENCY), by=[SHARD_ID]))
# While the bot cannot be scraped, nothing is known of its shards.
SHARDS_OFF = (KNOWN_SHARDS - CONNECTED_SHARDS.or_(KNOWN_SHARDS * 0)).unless(max_(up(BOT)).equals(0), on=())

SHARDS_OFF_STAT = Stat(
    shows=SHARDS_OFF,
    title="Shards disconnected",
    description="Is a shard not connected? Shards that had a heartbeat within a day and have none now. Without the bot "
    "that is not known.",
    levels=(critical(above=0),),
    width=8,
    height=3,
)
SLOWEST_SHARD = Stat(
    shows=max_(finite(LATENCY)),
    title="Slowest shard",
    description="How long does the slowest shard wait for its heartbeat to be answered?",
    width=8,
    height=3,
)

SHARD_DASHBOARD = Dashboard(
    uid="vectobeat-shard-command-overview",
    title="VectoBeat / Shards",
    description="Are the gateway shards alive, quick and evenly loaded?",
    filters=(REGION, SHARD_ID),
    rows=(
        Row(title="What is wrong", panels=(AlertList(),)),
        Row(
            title="Now",
            panels=(
                SHARDS_OFF_STAT,
                SLOWEST_SHARD,
                Stat(
                    shows=max_(DEVIATION),
                    title="Guild imbalance",
                    description="How far is the guild count of one shard from the average of all?",
                    width=8,
                    height=3,
                ),
                Stat(
                    shows=CONNECTED_SHARDS,
                    title="Shards connected",
                    description="How many shards have a heartbeat that was answered?",
                    width=8,
                    height=3,
                ),
                Stat(
                    shows=sum_(GUILDS),
                    title="Guilds",
                    description="How many guilds do all shards serve?",
                    width=8,
                    height=3,
                ),
                Stat(
                    shows=sum_(increase(FAILOVERS, "1d")),
                    title="Failovers, 24 h",
                    description="How often was a hot spare promoted within a day?",
                    width=8,
                    height=3,
                ),
            ),
        ),
        Row(
            title="Shards",
            panels=(
                Table(
                    title="Shard Load & Health",
                    description="Which shard is slow, and which has too many guilds? The slowest comes first.",
                    by=(SHARD_ID,),
                    shows=(
                        Query(expr=max_(LATENCY, by=[SHARD_ID]), legend="Latency"),
                        Query(expr=sum_(GUILDS, by=[SHARD_ID]), legend="Guilds"),
                        Query(expr=max_(DEVIATION, by=[SHARD_ID]), legend="Deviation"),
                    ),
                    sort_by="-Latency",
                    width=12,
                    height=12,
                ),
                TimeSeries(
                    shows=finite(LATENCY),
                    description="When did which shard become slow? A shard without a heartbeat has no line.",
                    width=12,
                    height=12,
                ),
            ),
        ),
        Row(
            title="Load",
            panels=(
                TimeSeries(shows=GUILDS, legend=(SHARD_ID,), description="How many guilds does each shard serve?"),
                TimeSeries(
                    shows=DEVIATION,
                    legend=(SHARD_ID,),
                    title="Guild imbalance over time",
                    description="Since when is a shard loaded more, or less, than the others?",
                ),
                TimeSeries(
                    shows=sum_(increase(FAILOVERS)),
                    title="Failovers",
                    description="When was a hot spare promoted?",
                    width=24,
                    height=6,
                ),
            ),
        ),
    ),
)

BOT_WATCH = SourceWatch(
    source=BOT,
    key=LATENCY,
    # ShardStalled follows from it, and must not be told first: five minutes and five of hold, and the shards' last
    # heartbeats are up to 41 s apart.
    still_after="3m",
    impact="Nothing is known about the shards: their alerts cannot fire.",
    restart="Restart the bot; its metrics server starts with it.",
    reason="The collector's task ends at its first exception while the HTTP server goes on serving the last "
    "values. "
    "Every shard's latency changes with every heartbeat, each 41 s: that long without any change of any shard, and "
    "five minutes more, mean that nothing is collected.",
)

DOMAIN = Domain(
    name="shards",
    title="Shard Load",
    description="The bot's connections to Discord's gateway: each shard serves a part of the guilds.",
    order=1,
    metrics=(GUILDS, LATENCY, FAILOVERS),
    recordings=(DEVIATION,),
    alerts=(LATENCY_HIGH, STALLED, LOST, NONE_CONNECTED, UNBALANCED),
    watches=(BOT_WATCH,),
    inhibitions=(
        Inhibition(
            source=BOT_WATCH,
            targets=(STALLED,),
            reason="When the bot's numbers stand still, so does the latency of every shard.",
        ),
        Inhibition(
            source=NONE_CONNECTED,
            targets=(STALLED, BOT_WATCH),
            reason="No shard is connected at all: all of them say NaN or +Inf, and go on saying it.",
        ),
    ),
    dashboards=(SHARD_DASHBOARD,),
    annotations=(
        Annotation(
            title="Shard failover",
            expr=increase(FAILOVERS, "2m") > 0,
            text="A hot spare was promoted.",
        ),
    ),
    notes=(
        "The latency is set only when a heartbeat is acknowledged. A shard that stalls therefore keeps its last good "
        "value: "
        "ShardStalled looks for values that stand still, not for high ones.",
    ),
)
