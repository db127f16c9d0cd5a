"""What a person reads on each kind of panel, as Grafana's own code has it: healthy, failed, absent, zero, NaN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from obsgen.index import Index
from obsgen.model import (
    Alert,
    AlertList,
    BarGauge,
    Level,
    Panel,
    Query,
    Stat,
    StateTimeline,
    Table,
    TimeSeries,
    critical,
    warning,
)
from obsgen.promql import Expr, Gauge, Label, Source, Unit, avg_over_time
from obsgen.render.dashboards import dashboards
from tests import small
from tests.reads import ABSENT, Frame, Reader

pytestmark = pytest.mark.reads

APP = Source(name="app", title="App", job="app", interval="30s")
NODE = Label("node")
UNKNOWN = ("no data", "purple")
NAN = math.nan


def gauge(name: str, unit: Unit = Unit.NONE, **states: int) -> Gauge:
    named = {value: state for state, value in states.items()}
    return Gauge(name=name, title=name.title(), help="H.", source=APP, labels=(NODE,), unit=unit, states=named)


HEALTH = gauge("health", Unit.STATE, failed=0, healthy=1)
VIOLATIONS = gauge("violations", Unit.COUNT)
LATENCY = gauge("latency", Unit.MILLISECONDS)
LEFT = gauge("left", Unit.RATIO)
PLAYERS = gauge("players", Unit.COUNT)


def drawn(panel: Panel, expr: Expr | None = None, *levels: Level) -> dict[str, Any]:
    """Return the JSON of a panel, in a catalog with an alert on an expression where there is one."""
    metrics = (HEALTH, VIOLATIONS, LATENCY, LEFT, PLAYERS)
    alerts: Sequence[Alert] = ()
    if expr is not None:
        alerts = (Alert(name="Bad", expr=expr, fires=levels, summary="S.", description="D.", runbook=small.BOOK),)
    watches = (small.watch(PLAYERS),)
    made = small.catalog(metrics, alerts=alerts, watches=watches, dashboards=(small.board(panel),), watchdog=small.BELL)
    panels = dict(dashboards(Index(made)))["board"]["panels"]
    return next(dict(each) for each in panels if each["title"] == panel.heading)


def said(reads: Reader, panel: dict[str, Any], *values: float | None) -> list[tuple[str, str | None]]:
    """Return the text and the colour of each value where it is the only one."""
    return [reads(panel, Frame([value]))[0].said for value in values]


KINDS = [Stat, BarGauge]


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_above_its_threshold_is_red_and_at_it_green(reads: Reader, kind: type[Panel]) -> None:
    slow = drawn(kind(shows=LATENCY), LATENCY, critical(above=250))
    least = drawn(kind(shows=LATENCY), LATENCY, critical(at_least=250))

    many = drawn(kind(shows=VIOLATIONS), VIOLATIONS, critical(above=250))

    assert said(reads, slow, 20, 249.4, 250.5, 900) == [
        ("20 ms", "green"), ("249 ms", "green"), ("251 ms", "red"), ("900 ms", "red"),
    ]  # fmt: skip
    assert said(reads, many, 250, 251) == [("250", "green"), ("251", "red")]
    assert [colour for _, colour in said(reads, least, 249.5, 250, 900)] == ["green", "red", "red"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_below_its_threshold_is_red_and_at_it_green(reads: Reader, kind: type[Panel]) -> None:
    budget = drawn(kind(shows=LEFT), LEFT, warning(below=0.25), critical(below=0))
    least = drawn(kind(shows=LEFT), LEFT, critical(at_most=0))

    assert said(reads, budget, 1, 0.25, 0.2, 0, -4.73) == [
        ("100%", "green"), ("25%", "green"), ("20%", "orange"), ("0%", "orange"), ("-473%", "red"),
    ]  # fmt: skip
    assert [colour for _, colour in said(reads, least, 1, 0.001, 0, -1)] == ["green", "green", "red", "red"]


@pytest.mark.parametrize("kind", KINDS)
def test_none_of_what_must_not_be_is_green_and_one_is_red(reads: Reader, kind: type[Panel]) -> None:
    panel = drawn(kind(shows=VIOLATIONS), VIOLATIONS, critical(above=0))

    assert said(reads, panel, 0, 1, 3) == [("0", "green"), ("1", "red"), ("3", "red")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_that_nothing_alerts_on_has_no_colour_that_means_something(reads: Reader, kind: type[Panel]) -> None:
    panel = drawn(kind(shows=PLAYERS))

    assert said(reads, panel, 0, 12) == [("0", "text"), ("12", "text")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [critical(above=250), critical(below=1), None], ids=["above", "below", "no alert"])
@pytest.mark.parametrize("frames", [[], [Frame(ABSENT)], [Frame([])], [Frame([None])], [Frame([NAN])]], ids=[
    "source down", "no series", "no samples", "null", "nan",
])  # fmt: skip
def test_a_number_that_is_not_known_says_so(
    reads: Reader, kind: type[Panel], level: Level | None, frames: list[Frame]
) -> None:
    panel = drawn(kind(shows=LATENCY), LATENCY, level) if level else drawn(kind(shows=LATENCY))

    assert [each.said for each in reads(panel, *frames)] == [UNKNOWN]


def test_a_number_is_the_newest_that_is_known(reads: Reader) -> None:
    panel = drawn(Stat(shows=LATENCY), LATENCY, critical(above=250))

    assert [each.said for each in reads(panel, Frame([900, 20, None]))] == [("20 ms", "green")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_has_its_name_and_the_colour_of_its_alert(reads: Reader, kind: type[Panel]) -> None:
    panel = drawn(kind(shows=HEALTH), HEALTH, critical(equals=0))

    assert said(reads, panel, 1, 0, None) == [("healthy", "green"), ("failed", "red"), UNKNOWN]


def test_a_state_over_time_has_its_name_and_the_colour_of_its_alert(reads: Reader) -> None:
    panel = drawn(StateTimeline(shows=HEALTH, legend=[NODE]), HEALTH, critical(equals=0))

    read = reads(panel, Frame([1, 0, None, NAN], labels={"node": "n1"}))

    assert [each.said for each in read] == [("healthy", "green"), ("failed", "red"), UNKNOWN, UNKNOWN]
    assert {each.name for each in read} == {"n1"}


def test_the_one_state_that_is_well_is_green(reads: Reader) -> None:
    panel = drawn(StateTimeline(shows=HEALTH), HEALTH, warning(differs=1))

    assert [each.said for each in reads(panel, Frame([1, 0]))] == [("healthy", "green"), ("failed", "orange")]


def test_states_that_nothing_alerts_on_are_told_apart(reads: Reader) -> None:
    panel = drawn(StateTimeline(shows=HEALTH))

    healthy, failed = reads(panel, Frame([1, 0]))

    assert (healthy.text, failed.text) == ("healthy", "failed")
    assert healthy.colour != failed.colour
    assert not {healthy.colour, failed.colour} & {"green", "orange", "red", "purple"}


@pytest.mark.parametrize("kind", [Stat, BarGauge, TimeSeries])
def test_the_share_of_the_time_in_a_state_is_no_state(reads: Reader, kind: type[Panel]) -> None:
    ratio = Query(expr=avg_over_time(HEALTH, "1h"), unit=Unit.RATIO)
    panel = drawn(kind(shows=ratio), HEALTH, critical(equals=0))

    assert [text for text, _ in said(reads, panel, 1, 0.5, 0)] == ["100%", "50%", "0%"]


@pytest.mark.parametrize("kind", [Stat, TimeSeries])
def test_a_state_keeps_its_names_to_itself_beside_a_share(reads: Reader, kind: type[Panel]) -> None:
    ratio = Query(expr=avg_over_time(HEALTH, "1h"), unit=Unit.RATIO)
    panel = drawn(kind(title="Both", shows=[Query(expr=HEALTH), ratio]), HEALTH, critical(equals=0))

    read = reads(panel, Frame([1], "A"), Frame([1], "B"))

    assert [each.text for each in read] == ["healthy", "100%"]


def test_the_lines_of_a_graph_have_units_and_stand_before_thresholds(reads: Reader) -> None:
    panel = drawn(TimeSeries(shows=LATENCY, legend=[NODE]), LATENCY, warning(above=100), critical(above=250))

    read = reads(panel, Frame([20, 150, 900], labels={"node": "n1"}))

    assert [(each.name, each.text, each.threshold) for each in read] == [
        ("n1", "20 ms", "green"), ("n1", "150 ms", "orange"), ("n1", "900 ms", "red"),
    ]  # fmt: skip


def test_none_of_what_must_not_be_lies_in_the_green_of_a_graph(reads: Reader) -> None:
    panel = drawn(TimeSeries(shows=VIOLATIONS), VIOLATIONS, critical(above=0))

    assert [each.threshold for each in reads(panel, Frame([0, 1]))] == ["green", "red"]


TABLE = Table(
    title="Nodes", by=[NODE], shows=[Query(expr=LATENCY, legend="Latency"), Query(expr=HEALTH, legend="Health")]
)


def test_a_table_has_a_row_for_each_label_and_says_what_is_not_known(reads: Reader) -> None:
    panel = drawn(TABLE, LATENCY, critical(above=250))
    nodes = {name: {"node": name} for name in ("n1", "n2", "n3")}

    read = reads(
        panel,
        *(Frame([value], "A", nodes[name]) for name, value in (("n1", 20.0), ("n2", 900.0), ("n3", NAN))),
        *(Frame([value], "B", nodes[name]) for name, value in (("n1", 1.0), ("n2", 0.0))),
    )
    columns = {name: [each.said for each in read if each.name == name] for name in ("Node", "Latency", "Health")}

    assert columns["Node"] == [("n1", None), ("n2", None), ("n3", None)]
    assert columns["Latency"] == [("20 ms", "green"), ("900 ms", "red"), UNKNOWN]
    assert [text for text, _ in columns["Health"]] == ["healthy", "failed", "no data"]
    assert {each.name for each in read} == set(columns)


def test_a_state_in_a_table_has_the_colour_of_its_alert(reads: Reader) -> None:
    panel = drawn(Table(title="T", by=[NODE], shows=HEALTH), HEALTH, critical(equals=0))

    read = reads(panel, *(Frame([value], labels={"node": str(value)}) for value in (1, 0, NAN)))

    assert [each.said for each in read if each.name == "Health"] == [
        ("healthy", "green"), ("failed", "red"), UNKNOWN,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("severity", "told"),
    [
        ("1 critical", ("critical", "red")),
        ("2 warning", ("warning", "orange")),
        ("ok", ("nothing fires", "green")),
        ("unknown", ("no data", "purple")),
    ],
)
def test_alerts_fire_or_none_does_or_that_is_not_known(reads: Reader, severity: str, told: tuple[str, str]) -> None:
    panel = drawn(AlertList(everything=True), LATENCY, critical(above=1))
    row = {"severity": severity, "alertname": "Bad", "where": "n1", "Runbook": "Bad"}

    read = reads(panel, Frame([NAN if told[0] in ("nothing fires", "no data") else 1.7e12], labels=row))

    assert read[0].said == told
    assert [each.text for each in read[1:3]] == ["Bad", "n1"]
    assert (read[3].text == "") is (severity in ("ok", "unknown")), "nothing has no beginning"
