"""Air and soil."""

from obsgen.model import (
    THRESHOLD,
    VALUE,
    Alert,
    AlertList,
    Dashboard,
    Domain,
    Firing,
    Notify,
    Proof,
    Row,
    Runbook,
    Severity,
    SourceWatch,
    Stat,
    Step,
    Text,
    TimeSeries,
    critical,
    warning,
)
from obsgen.promql import Gauge, Label, Unit, avg, max_

from .house import BELL, PAGER, SENSORS

BED = Label("bed", "Name of the bed.")

TEMPERATURE = Gauge(
    name="greenhouse_air_celsius",
    title="Air temperature",
    help="Temperature of the air above a bed.",
    source=SENSORS,
    labels=(BED,),
    limit=59,
    unit=Unit.CELSIUS,
)

TOO_HOT = Alert(
    name="BedTooHot",
    expr=TEMPERATURE,
    fires=[warning(above=31, hold="17m"), critical(above=37, hold="7m", keep_firing="3m")],
    summary="A bed is too hot.",
    description=f"Bed {BED.value} is at {VALUE}, above {THRESHOLD}.",
    notify=Notify(critical=[BELL, PAGER], warning=[BELL]),
    runbook=Runbook(
        meaning="The air above the bed is hotter than tomatoes like.",
        impact="Flowers drop.",
        diagnosis=(Step(text="Is it all of the house?", query=avg(TEMPERATURE)), "Look at the vents."),
        mitigation=("Open the vents.",),
    ),
    proofs=[
        Proof("A sunny hour.", {TEMPERATURE.where(BED.equals("a")): "29x300"}),
        Proof(
            "A hot bed beside a cool one.",
            given={
                TEMPERATURE.where(BED.equals("a")): "32x90 38x90 29x90",
                TEMPERATURE.where(BED.equals("b")): "29x300",
            },
            fires=[
                Firing(
                    since="17m",
                    until="33m30s",
                    severity=Severity.WARNING,
                    labels={BED: "a"},
                    description="Bed a is at 38.0 °C, above 31 °C.",
                ),
                Firing(
                    since="24m",
                    until="36m30s",
                    severity=Severity.CRITICAL,
                    labels={BED: "a"},
                    description="Bed a is at 38.0 °C, above 37 °C.",
                ),
            ],
        ),
    ],
)

DOMAIN = Domain(
    name="climate",
    title="Climate",
    description="Air and soil | above and below.",
    order=1,
    metrics=[TEMPERATURE],
    alerts=[TOO_HOT],
    watches=[
        SourceWatch(
            source=SENSORS,
            key=TEMPERATURE,
            still_after="19m",
            impact="Nobody knows how hot it is.",
            restart="Power-cycle the hub.",
            reason="The sensors are noisy.",
        )
    ],
    dashboards=[
        Dashboard(
            uid="greenhouse-climate",
            title="Greenhouse / Climate",
            description="How is the air?",
            filters=[BED],
            rows=[
                Row(
                    title="Air",
                    panels=[
                        Text(title="Hello", description="A greeting.", markdown="Mind the *step*."),
                        Stat(shows=max_(TEMPERATURE), title="Hottest bed"),
                        TimeSeries(shows=TEMPERATURE),
                        AlertList(),
                    ],
                )
            ],
        )
    ],
)
