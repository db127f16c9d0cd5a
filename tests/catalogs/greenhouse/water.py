"""Water: valves, pumps, and what they promise."""

from obsgen.model import (
    VALUE,
    Agreement,
    Annotation,
    BarGauge,
    Dashboard,
    Domain,
    ErrorBudget,
    Events,
    Firing,
    Heatmap,
    Inhibition,
    Objective,
    Proof,
    Query,
    Recording,
    Row,
    Runbook,
    SourceWatch,
    StateTimeline,
    SuccessRatio,
    Table,
    TimeSeries,
    warning,
)
from obsgen.promql import Counter, Gauge, Histogram, Label, Unit, histogram_quantile, increase, max_, rate, sum_, up

from .climate import TOO_HOT
from .house import PLUMBERS, PUMPS

VALVE = Label("valve", "Number of the valve.", values=("1", "2"))

STATE = Gauge(
    name="valve_open",
    title="Valve",
    help="Whether a valve is open.",
    source=PUMPS,
    labels=(VALVE,),
    unit=Unit.STATE,
    states={0: "shut", 1: "open"},
)
STROKES = Counter(
    name="pump_strokes_total", title="Strokes", help="Strokes of the pump.", source=PUMPS, labels=(VALVE,)
)
STUCK = Counter(
    name="pump_stuck_total", title="Stuck strokes", help="Strokes that moved no water.", source=PUMPS, labels=(VALVE,)
)
LIFTED = Counter(
    name="valve_strokes_total", title="Lifted strokes", help="Strokes at the valve.", source=PUMPS, labels=(VALVE,)
)
DURATION = Histogram(
    name="watering_seconds",
    title="Watering time",
    help="How long a watering takes.",
    source=PUMPS,
    labels=(VALVE,),
    unit=Unit.SECONDS,
    buckets=(23, 29, 31),
)
FLOW = Recording(
    name="valve:pump_strokes:rate2m",
    expr=sum_(rate(STROKES, "2m"), by=[VALVE]),
    title="Flow",
    help="Strokes per second of each valve.",
    interval="41s",
)
BUDGET = ErrorBudget(
    name="pump",
    title="Pump strokes",
    help="Strokes that move no water are bad.",
    sli=Events(total=STROKES, bad=STUCK),
    by=[VALVE],
    window="7d",
    objectives=[Objective(0.93, where=VALVE.equals("1"), reason="An old pump."), Objective(0.97)],
    min_events=43,
    success=SuccessRatio(
        name="pump_budget_remaining",
        title="Pump budget",
        help="Share of the week's strokes that moved water.",
        alert="PumpBudgetLow",
        fires=warning(below=0.97, hold="47m"),
        summary="A pump is stuck too often.",
        description=f"{VALUE} of the week's strokes of valve {VALVE.value} moved water.",
        runbook=Runbook(
            meaning="The pump runs dry.",
            impact="Tomatoes thirst.",
            diagnosis=("Look.",),
            mitigation=("Prime the pump.",),
        ),
    ),
    impact="Tomatoes thirst.",
    mitigation=["Prime the pump."],
    proofs=[
        Proof(
            "Four of a hundred strokes are too many for valve 2, and no stroke at all is fine.",
            given={
                up(PUMPS): "1x1300",
                STROKES.where(VALVE.equals("1")): "7x1300",
                STROKES.where(VALVE.equals("2")): "0+100x1300",
                STUCK.where(VALVE.equals("2")): "0+4x1300",
            },
            fires=Firing(since="3d12h42m", within="10m", labels={VALVE: "2"}),
            every="5m",
            after="3d",
            of="PumpBudgetLow",
        ),
        Proof(
            "Three of a hundred are not.",
            given={
                up(PUMPS): "1x1300",
                STROKES.where(VALVE.equals("2")): "0+100x1300",
                STUCK.where(VALVE.equals("2")): "0+3x1300",
            },
            every="5m",
            after="3d",
            of="PumpBudgetLow",
        ),
    ],
)

DOMAIN = Domain(
    name="water",
    title="Water",
    description="Valves and pumps.",
    order=2,
    team=PLUMBERS,
    metrics=[STATE, STROKES, STUCK, LIFTED, DURATION],
    recordings=[FLOW],
    budgets=[BUDGET],
    watches=[
        SourceWatch(
            source=PUMPS, key=STROKES, still_after=None, impact="Nobody knows of the water.", restart="Kick the pump."
        )
    ],
    agreements=[
        Agreement(
            name="strokes",
            title="strokes of the pump",
            one=STROKES,
            other=LIFTED,
            by=[VALVE],
            window="37m",
            within=0.13,
            at_least=7,
            impact="Nobody knows how much water flows.",
            diagnosis=["Is the pipe tight?"],
            mitigation=["Tighten it."],
        )
    ],
    inhibitions=[
        Inhibition(
            source=TOO_HOT, targets=[BUDGET], lasting="53m", reason="Hot pumps are stuck until they have cooled."
        )
    ],
    annotations=[Annotation(title="Watering", expr=increase(STROKES, "53s") > 0, text="Valve {{valve}}.")],
    dashboards=[
        Dashboard(
            uid="greenhouse-water",
            title="Greenhouse / Water",
            description="Does it flow?",
            audience="Plumber",
            filters=[VALVE],
            rows=[
                Row(title="Flow", panels=[StateTimeline(shows=STATE), TimeSeries(shows=FLOW), Heatmap(of=DURATION)]),
                Row(
                    title="Details",
                    collapsed=True,
                    panels=[
                        BarGauge(shows=BUDGET.ratio),
                        TimeSeries(
                            shows=histogram_quantile(0.59, DURATION, by=[VALVE]), title="Watering time, 59th percentile"
                        ),
                        Table(
                            title="Valves",
                            description="All of them.",
                            by=[VALVE],
                            shows=[
                                Query(expr=max_(STATE, by=[VALVE]), legend="State"),
                                Query(expr=FLOW, legend="Flow"),
                                Query(expr=max_(BUDGET.ratio, by=[VALVE]), legend="Budget"),
                            ],
                        ),
                    ],
                ),
            ],
        )
    ],
)
