"""Automation success (guide, section 3): do the bot's own interventions work?"""

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
    Given,
    Heatmap,
    Proof,
    Query,
    Recording,
    Row,
    Runbook,
    Sample,
    Severity,
    SourceWatch,
    Stat,
    Step,
    TimeSeries,
    critical,
    warning,
)
from obsgen.promql import (
    Counter,
    Exposure,
    Histogram,
    Label,
    Status,
    Unit,
    events,
    histogram_quantile,
    max_,
    sum_,
    up,
)

from .sources import AUTOMATION_INGESTION, BOT
from .teams import COMPLIANCE_DESK

ACTION = Label("action", "What the automation did.", values=("queue_trim", "auto_restart", "command_throttled"))

ACTIONS = Counter(
    name="automation_actions_total",
    title="Automation actions",
    help="Counts queue trims, auto restarts, throttled commands.",
    source=AUTOMATION_INGESTION,
    labels=(ACTION,),
    exposure=Exposure(note="The API writes each action to MySQL; nothing counts them yet."),
)
FAILED = Counter(
    name="automation_actions_failed_total",
    title="Failed automation actions",
    help="Incremented when an automation action throws.",
    source=BOT,
    emitted_by="automation audit service",
    labels=(ACTION,),
    exposure=Exposure(status=Status.PLANNED, note="The audit service records successes only."),
)
DURATION = Histogram(
    name="automation_job_duration_ms",
    title="Automation job duration",
    help="Histogram measuring automation job latency.",
    source=BOT,
    emitted_by="automation worker",
    labels=(ACTION,),
    unit=Unit.MILLISECONDS,
    buckets=(10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000),
    exposure=Exposure(
        status=Status.PLANNED, note="Rules run inside slash commands; there is no worker to measure yet."
    ),
)

TRIM = {ACTION: "queue_trim"}


def an_hour_with(actions: str = "", failed: str = "") -> Given:
    """Return series of so many actions, all of them at 1 h 10 min, as the first of their kind."""
    given: Given = {up(AUTOMATION_INGESTION): "1x280", up(BOT): "1x280"}
    for counter, count in ((ACTIONS, actions), (FAILED, failed)):
        if count:
            given[counter.where(ACTION.equals("queue_trim"))] = f"_x140 {count}x140"
    return given


def failing(severity: Severity) -> Firing:
    """Return the alert for the hour in which these actions count."""
    return Firing(since="1h15m", until="2h10m", severity=severity, labels=TRIM)


FAILED_1H = Recording(
    name="action:automation_actions_failed:increase1h",
    expr=events(FAILED, "1h", by=[ACTION]),
    title="Failed actions in an hour",
    help="Automation actions that failed in the last hour.",
)
ACTIONS_1H = Recording(
    name="action:automation_actions:increase1h",
    expr=events(ACTIONS, "1h", by=[ACTION]),
    title="Counted actions in an hour",
    help="Automation actions that were counted in the last hour.",
)
ATTEMPTS_1H = Recording(
    name="action:automation_attempts:increase1h",
    # Two services count: should the one for all actions miss what the other saw fail, the failures are the attempts.
    expr=(ACTIONS_1H >= FAILED_1H).or_(FAILED_1H).or_(ACTIONS_1H),
    title="Attempted actions in an hour",
    help="Automation actions of the last hour, successful or not.",
)
FAILURE_RATIO = Recording(
    name="action:automation_actions_failed:ratio_increase1h",
    # An action that never failed has no failure series; it has a ratio of zero all the same.
    expr=FAILED_1H.or_(ACTIONS_1H * 0) / (ATTEMPTS_1H > 0),
    title="Failure ratio",
    help="Share of the automation actions of the last hour that failed.",
    # Of two counters, which could count anything: that one counts a part of the other is ours to say.
    unit=Unit.RATIO,
    proofs=(
        Proof(
            "An action that never failed has no series for it, and a ratio of 0 all the same.",
            given=an_hour_with(actions="100"),
            records=Sample(value=0, at="1h20m", labels=TRIM),
        ),
        Proof(
            "What the counter of all actions misses are attempts, too.",
            given=an_hour_with(actions="2", failed="3"),
            records=(
                Sample(value=1, at="1h20m", labels=TRIM),
                Sample(of=ATTEMPTS_1H, value=3, at="1h20m", labels=TRIM),
            ),
        ),
    ),
)

MIN_FAILURES = 6

FAILING = Alert(
    name="AutomationFailureRatioHigh",
    # Of few attempts, one or two failures that happen by chance would be more than the threshold.
    expr=FAILURE_RATIO.and_(FAILED_1H >= MIN_FAILURES),
    fires=(warning(above=0.05, hold="5m"), critical(above=0.50, hold="5m")),
    summary="Automation actions fail.",
    description=f"{VALUE} of the {ACTION.value} actions of the last hour failed, more than {THRESHOLD}.",
    runbook=Runbook(
        meaning="The bot's automation throws more often than it may.",
        impact="Queues are not trimmed and players not restarted; customers have to step in by hand. "
        "The Compliance Desk's audit has gaps.",
        diagnosis=(
            Step(text="Which action fails, and since when?", query=FAILURE_RATIO),
            Step(text="How many were there?", query=FAILED_1H),
            "Look for the action's name with a traceback in the bot's log.",
        ),
        mitigation=(
            "After a release: roll the bot back.",
            "A single guild: switch its automation off until the cause is found.",
        ),
        reason="5 % and a warning are the guide's. Above 50 % automation does more harm than good, and the players "
        "that it should restart stay silent: that is ours, and pages. The minimum of "
        f"{MIN_FAILURES} failures in an hour is ours, too, and keeps chance out: where 1 % of the actions fail, as in "
        "good health, six or more of up to 119 attempts fail in 0.13 % of the hours (binomial; with more attempts, "
        "more than 5 % of them are rarer still). With two it would be 5.8 % of the hours. Where 10 % fail, an hour "
        f"with 100 attempts shows it with 94 %. The hour smooths bursts, {HOLD} of hold the restart of one of the two "
        "counters.",
    ),
    proofs=(
        Proof("One of three is too few to mean anything.", an_hour_with(actions="3", failed="1")),
        Proof("6 of 120 are not more than 5 %.", an_hour_with(actions="120", failed="6")),
        Proof(
            "6 of 100 are, for the hour that they count.",
            given=an_hour_with(actions="100", failed="6"),
            fires=Firing(
                since="1h15m",
                until="2h10m",
                severity=Severity.WARNING,
                labels=TRIM,
                description="6% of the queue_trim actions of the last hour failed, more than 5 %.",
            ),
        ),
        Proof(
            "11 of 200 are, too.",
            given=an_hour_with(actions="200", failed="11"),
            fires=failing(Severity.WARNING),
        ),
        Proof("An action that never failed has no series for it.", an_hour_with(actions="100")),
        Proof(
            "Failures alone tell, when the other counter is silent.",
            given=an_hour_with(failed="30"),
            fires=(failing(Severity.WARNING), failing(Severity.CRITICAL)),
        ),
        Proof("2 of 20 happen by chance.", an_hour_with(actions="20", failed="2")),
        Proof("5 of 30 may, too.", an_hour_with(actions="30", failed="5")),
        Proof("Even 5 of 5 are too few to tell.", an_hour_with(actions="5", failed="5")),
        Proof(
            "6 of 30 do not.",
            given=an_hour_with(actions="30", failed="6"),
            fires=failing(Severity.WARNING),
        ),
        Proof("Half of them are not yet a page.", an_hour_with(actions="100", failed="50"), failing(Severity.WARNING)),
        Proof(
            "More than half of 20 are.",
            given=an_hour_with(actions="20", failed="11"),
            fires=(failing(Severity.WARNING), failing(Severity.CRITICAL)),
        ),
        Proof(
            "54 of 100 are.",
            given=an_hour_with(actions="100", failed="54"),
            fires=(failing(Severity.WARNING), failing(Severity.CRITICAL)),
        ),
        Proof(
            "6 of 6 are no chance at all.",
            given=an_hour_with(actions="6", failed="6"),
            fires=(failing(Severity.WARNING), failing(Severity.CRITICAL)),
        ),
    ),
)

# While the bot cannot be scraped its failures are not counted: the ratio falls to 0, and means nothing.
KNOWN_RATIO = FAILURE_RATIO.unless(max_(up(BOT)).equals(0), on=())
WORST_FAILURES = Stat(
    shows=max_(KNOWN_RATIO),
    title="Worst failure ratio",
    description="Which share of the attempts of the last hour failed, of the action that fails most?",
)

AUTOMATION_DASHBOARD = Dashboard(
    uid="vectobeat-automation-success",
    title="VectoBeat / Automation",
    description="Do the bot's own interventions work, how often are they needed, and how long do they take?",
    audience="Compliance Desk",
    filters=(ACTION,),
    time="24h",
    rows=(
        Row(title="What is wrong", panels=(AlertList(),)),
        Row(
            title="Now",
            panels=(
                WORST_FAILURES,
                Stat(
                    shows=sum_(FAILED_1H),
                    title="Failures, 1 h",
                    description="How many automation actions failed in the last hour?",
                ),
                Stat(
                    shows=sum_(ATTEMPTS_1H),
                    title="Actions, 1 h",
                    description="How many automation actions were attempted in the last hour?",
                ),
                Stat(
                    shows=histogram_quantile(0.95, DURATION, window="1h"),
                    title="Duration, p95",
                    description="How long did the slowest 5% of the jobs of the last hour take at least?",
                ),
            ),
        ),
        Row(
            title="Success",
            panels=(
                TimeSeries(
                    shows=KNOWN_RATIO,
                    title="Failure ratio",
                    description="Which action fails, and since when? The share of the attempts of the hour before.",
                    width=24,
                ),
                TimeSeries(
                    shows=FAILED_1H,
                    title="Failures per hour",
                    description="How many attempts of each action failed in the hour before?",
                ),
                TimeSeries(
                    shows=ATTEMPTS_1H,
                    title="Actions per hour",
                    description="How many attempts of each action were there in the hour before?",
                ),
            ),
        ),
        Row(
            title="Duration",
            panels=(
                TimeSeries(
                    shows=(
                        Query(
                            expr=histogram_quantile(0.50, DURATION, by=[ACTION], window="30m"),
                            legend="{{action}} median",
                        ),
                        Query(
                            expr=histogram_quantile(0.95, DURATION, by=[ACTION], window="30m"), legend="{{action}} p95"
                        ),
                    ),
                    title="Duration by action",
                    description="How long do the jobs of each action take, and how long do its slowest 5% take at "
                    "least? Those of half an hour before.",
                    width=24,
                ),
                Heatmap(of=DURATION, description="How are the durations of all jobs distributed?"),
                BarGauge(
                    shows=histogram_quantile(0.95, DURATION, by=[ACTION], window="1d"),
                    title="Duration, p95, 24 h",
                    description="Which action was slow within a day? The slowest 5% of its jobs took at least so long.",
                    width=12,
                ),
            ),
        ),
    ),
)

DOMAIN = Domain(
    name="automation",
    title="Automation Success",
    description="What the bot does by itself: it trims queues, restarts players and throttles commands.",
    order=3,
    team=COMPLIANCE_DESK,
    metrics=(ACTIONS, FAILED, DURATION),
    recordings=(FAILED_1H, ACTIONS_1H, ATTEMPTS_1H, FAILURE_RATIO),
    alerts=(FAILING,),
    watches=(
        SourceWatch(
            source=AUTOMATION_INGESTION,
            key=ACTIONS,
            still_after="1d",
            missing_after="1d",
            severity=Severity.WARNING,
            impact="Automation actions are not counted: their failure ratio is not known, and the audit charts are "
            "empty.",
            restart="Restart the service behind `/api/bot/automation-actions`.",
            reason="The series are created by the first action after a start. With automation in use, a day without "
            "any action is unheard of.",
        ),
    ),
    dashboards=(AUTOMATION_DASHBOARD,),
    notes=(
        "`command_throttled` counts commands that were held back. No automation runs for them, so they have a line "
        "of their own and never dilute the ratio of another action.",
    ),
)
