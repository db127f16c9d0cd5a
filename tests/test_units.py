"""Units: inferred where they are certain, stated where they are not, and written alike in texts and panels."""

from __future__ import annotations

from typing import Any

import pytest

from obsgen.expand import expand
from obsgen.index import Index
from obsgen.model import (
    THRESHOLD,
    VALUE,
    Alert,
    Catalog,
    Dashboard,
    Domain,
    Project,
    Query,
    Recording,
    Row,
    Runbook,
    Table,
    Team,
    TimeSeries,
    info,
)
from obsgen.model.dashboard import Panel
from obsgen.promql import (
    UP,
    Counter,
    Expr,
    Gauge,
    Histogram,
    Label,
    Source,
    Unit,
    absent,
    avg,
    avg_over_time,
    changes,
    clamp_max,
    count,
    count_over_time,
    events,
    finite,
    histogram_quantile,
    increase,
    max_,
    max_over_time,
    min_,
    rate,
    raw,
    scalar,
    sum_,
    sum_over_time,
    vector,
)
from obsgen.promql.quantity import is_share, unit_of
from obsgen.promql.tree import Call
from obsgen.render.dashboards import dashboards
from obsgen.render.fields import UNITS
from obsgen.render.metric_pages import UNITS as WORDS
from obsgen.render.rules import described
from obsgen.render.runbooks import condition

APP = Source(name="app", title="App", job="app", interval="30s")
NODE, CODE = Label("node"), Label("code")


def gauge(name: str, unit: Unit = Unit.NONE) -> Gauge:
    return Gauge(name=name, title=name, help="H.", source=APP, labels=(NODE,), unit=unit)


def counter(name: str, unit: Unit = Unit.COUNT) -> Counter:
    return Counter(name=name, title=name, help="H.", source=APP, labels=(NODE, CODE), unit=unit)


HITS, MISSES = counter("hits_total"), counter("misses_total")
REQUESTS, SENT = counter("requests_total", Unit.REQUESTS), counter("sent_bytes_total", Unit.BYTES)
LATENCY, LOAD, CORES = gauge("latency_ms", Unit.MILLISECONDS), gauge("load1"), gauge("cores", Unit.COUNT)
FREE, SIZE = gauge("free_bytes", Unit.BYTES), gauge("size_bytes", Unit.BYTES)
FULL, STATE = gauge("full_ratio", Unit.RATIO), gauge("state", Unit.STATE)
WAIT = Histogram(name="wait", title="W", help="W.", source=APP, unit=Unit.MILLISECONDS, buckets=(1, 2))
FAILED = REQUESTS.where(CODE.equals("500"))


@pytest.mark.parametrize(
    ("expr", "unit"),
    [
        (LATENCY, Unit.MILLISECONDS),
        (max_(finite(LATENCY)), Unit.MILLISECONDS),
        (max_over_time(LATENCY, "5m"), Unit.MILLISECONDS),
        (histogram_quantile(0.5, WAIT), Unit.MILLISECONDS),
        (rate(WAIT.sum) / rate(WAIT.count), Unit.NONE),
        # Counts, and their rates: of requests, of bytes, of anything.
        (rate(HITS), Unit.PER_SECOND),
        (rate(WAIT.count), Unit.PER_SECOND),
        (sum_(rate(REQUESTS), by=[NODE]), Unit.REQUESTS_PER_SECOND),
        (rate(SENT), Unit.BYTES_PER_SECOND),
        (increase(HITS), Unit.COUNT),
        (increase(SENT), Unit.BYTES),
        (events(REQUESTS, "1h"), Unit.REQUESTS),
        (changes(LATENCY, "5m"), Unit.COUNT),
        (count_over_time(LATENCY, "5m"), Unit.COUNT),
        (count(LATENCY), Unit.COUNT),
        (absent(LATENCY), Unit.COUNT),
        # Times or by a number: another unit, which has a name only for some.
        (LATENCY * 2, Unit.NONE),
        (rate(HITS) * 60, Unit.NONE),
        (rate(SENT) * 8 / 1e6, Unit.NONE),
        (5 * LATENCY, Unit.NONE),
        (LATENCY / 5, Unit.NONE),
        (1 / LATENCY, Unit.NONE),
        (LATENCY / 0, Unit.NONE),
        (LATENCY / 1000, Unit.SECONDS),
        (LATENCY * 0.001, Unit.SECONDS),
        (LATENCY / 1000 * 1000, Unit.MILLISECONDS),
        (FREE / SIZE * 100, Unit.PERCENT),
        (100 * FULL, Unit.PERCENT),
        (FULL * 100 / 100, Unit.RATIO),
        (LOAD * 100, Unit.NONE),
        # What fills in for missing series, or only turns or moves values, is what it was.
        (LATENCY * 0, Unit.MILLISECONDS),
        (LATENCY * 1, Unit.MILLISECONDS),
        (LATENCY * -1, Unit.MILLISECONDS),
        (LATENCY + 5, Unit.MILLISECONDS),
        (1 - FULL, Unit.RATIO),
        (sum_(rate(HITS)).or_(sum_(rate(MISSES)) * 0), Unit.PER_SECOND),
        (UP.or_(absent(UP) * 0), Unit.BOOLEAN),
        (LATENCY > 5, Unit.MILLISECONDS),
        # Sums, and averages of what is only ever 0 or 1.
        (FREE + SIZE, Unit.BYTES),
        (FREE + LATENCY, Unit.NONE),
        (FREE - LOAD, Unit.NONE),
        (Call("time", ()) - gauge("ran_seconds", Unit.TIMESTAMP), Unit.SECONDS),
        (sum_(FREE), Unit.BYTES),
        (sum_(FULL), Unit.NONE),
        (sum_(STATE), Unit.NONE),
        (sum_over_time(FULL, "1h"), Unit.NONE),
        (sum_(UP), Unit.COUNT),
        (avg(UP), Unit.RATIO),
        (avg_over_time(UP, "1d"), Unit.RATIO),
        (avg(STATE), Unit.NONE),
        (FREE * FULL, Unit.BYTES),
        (FREE * SIZE, Unit.NONE),
        # Quotients: of the same measure in percent, of counts only where they count the same.
        (FREE / SIZE, Unit.RATIO),
        (1 - FREE / SIZE, Unit.RATIO),
        (HITS / HITS, Unit.RATIO),
        (CORES / scalar(avg(CORES)) - 1, Unit.RATIO),
        (LOAD / LOAD.ago("1w"), Unit.RATIO),
        (REQUESTS / REQUESTS, Unit.RATIO),
        (sum_(rate(FAILED)) / sum_(rate(REQUESTS)), Unit.RATIO),
        (count(UP.equals(1)) / count(UP), Unit.RATIO),
        (HITS / MISSES, Unit.NONE),
        (LOAD / CORES, Unit.NONE),
        (sum_(CORES) / count(CORES), Unit.NONE),
        (rate(HITS) / increase(HITS), Unit.NONE),
        (LATENCY / HITS, Unit.NONE),
        (FULL / FULL, Unit.RATIO),
        # The text of raw() may compute anything; what it only picks or renames is what it was.
        (raw("topk(5, {x})", x=FULL), Unit.RATIO),
        (raw("bottomk by (node) (5, {x})", x=LATENCY), Unit.MILLISECONDS),
        (raw('label_replace({x}, "new", "$1", "node", "(.*)-[0-9]{{2}}")', x=LATENCY), Unit.MILLISECONDS),
        (raw("{x} * 60", x=LATENCY), Unit.NONE),
        (raw("topk(5, {x}) * 60", x=LATENCY), Unit.NONE),
        (raw("topk(5, {x} * 60)", x=LATENCY), Unit.NONE),
        (raw("sqrt({x})", x=LATENCY), Unit.NONE),
        (vector(5), Unit.NONE),
    ],
)
def test_the_unit_of_a_result_is_known_where_it_is_certain(expr: Expr, unit: Unit) -> None:
    assert unit_of(expr) is unit


SHARE = Recording(name="all:failed:ratio", expr=HITS / MISSES, title="F", help="F.", unit=Unit.RATIO)
GROWTH = Recording(name="all:load:growth", expr=LOAD / LOAD.ago("1w"), title="G", help="G.")


@pytest.mark.parametrize(
    ("expr", "share"),
    [
        (FULL, True),
        (max_(finite(FULL)), True),
        (1 - FULL, True),
        (FULL * 0.5, True),
        (FULL * 2, False),
        (FULL * FULL, True),
        (avg_over_time(FULL, "1h"), True),
        (sum_over_time(FULL, "1h"), False),
        (sum_(FULL), False),
        (FULL - FULL, False),
        (clamp_max(FULL, 1), True),
        (changes(FULL, "1h"), False),
        (FULL.or_(LOAD * 0), True),
        (FULL.or_(LOAD), False),
        (raw("topk(3, {x})", x=FULL), True),
        (raw("{x} + 3", x=FULL), False),
        (avg(UP), True),
        (avg_over_time(UP, "1d"), True),
        (SHARE, True),
        (max_(SHARE), True),
        (GROWTH, False),
        # A part of the same, by construction.
        (sum_(rate(FAILED, "5m")) / sum_(rate(REQUESTS, "5m")), True),
        (sum_(rate(FAILED, "5m")).or_(sum_(rate(REQUESTS, "5m")) * 0) / (sum_(rate(REQUESTS, "5m")) > 0), True),
        (sum_(FREE.where(NODE.equals("a"))) / sum_(FREE), True),
        (sum_(FREE > 5) / sum_(FREE), True),
        (sum_(FREE > 5) / sum_(FREE > 5), True),
        (count(LOAD > 5) / count(LOAD), True),
        (count(LOAD.unless(CORES)) / count(LOAD), True),
        (count(UP.equals(1)) / count(UP), True),
        (sum_(UP) / count(UP), True),
        (sum_(rate(WAIT.bucket(1), "5m")) / sum_(rate(WAIT.count, "5m")), True),
        # Not, or not for certain.
        (sum_(rate(REQUESTS, "5m")) / sum_(rate(FAILED, "5m")), False),
        (sum_(rate(FAILED, "5m")) / sum_(rate(REQUESTS, "1h")), False),
        (sum_(rate(FAILED, "5m")) / min_(rate(REQUESTS, "5m")), False),
        (sum_(LOAD.where(NODE.equals("a"))) / sum_(LOAD), False),
        (sum_(CORES) / count(CORES), False),
        (count(LOAD) / count(LOAD > 5), False),
        (FREE / SIZE, False),
        (LOAD / CORES, False),
        (HITS / MISSES, False),
        (REQUESTS / counter("others_total", Unit.REQUESTS), False),
    ],
)
def test_what_is_certainly_a_share(expr: Expr, share: bool) -> None:
    assert is_share(expr) is share


def test_every_unit_can_be_written_everywhere() -> None:
    assert set(UNITS) == set(WORDS) == set(Unit)
    assert len(Unit.__members__) == len(set(Unit)), "two names for one unit"


@pytest.mark.parametrize(
    ("unit", "number", "text"),
    [
        (Unit.RATIO, 0.05, "5 %"),
        (Unit.PERCENT, 5, "5 %"),
        (Unit.REQUESTS, 1200, "1,200"),
        (Unit.REQUESTS_PER_SECOND, 0.5, "0.5 req/s"),
        (Unit.TIMESTAMP, 5, "5"),
    ],
)
def test_a_number_in_a_unit(unit: Unit, number: float, text: str) -> None:
    assert unit.write(number) == text


def watching(expr: Expr, **more: Any) -> Alert:
    return Alert(
        name="Watching",
        expr=expr,
        fires=info(above=20),
        summary="S.",
        description=f"{VALUE}, more than {THRESHOLD}.",
        runbook=Runbook(meaning="M.", impact="I.", diagnosis=("D.",), mitigation=("M.",)),
        **more,
    )


@pytest.mark.parametrize(
    ("alert", "text", "when"),
    [
        (
            watching(rate(HITS, "5m") * 60),
            "{{ $value | humanize }}, more than 20.",
            "the value is above 20",
        ),
        (
            watching(rate(SENT, "5m") * 8 / 1e6, unit=Unit.TIMES),
            '{{ $value | printf "%.1f" }} times, more than 20 times.',
            "the value is above 20 times",
        ),
        (
            watching(FREE / SIZE * 100),
            '{{ $value | printf "%.4g" }}%, more than 20 %.',
            "the value is above 20 %",
        ),
        (
            watching(rate(REQUESTS, "5m")),
            "{{ $value | humanize }} req/s, more than 20 req/s.",
            "the value is above 20 req/s",
        ),
    ],
)
def test_an_alert_speaks_in_its_unit(alert: Alert, text: str, when: str) -> None:
    assert described(alert, alert.levels[0]) == text
    assert condition(alert, alert.levels[0]) == when


def drawn(panel: Panel) -> dict[str, Any]:
    """Return how Grafana formats the fields of a panel."""
    team = Team(name="us", title="Us")
    project = Project(
        name="p", title="P", description="", owner=team, docs_url="https://d.example.org", grafana_url="https://g.org"
    )
    board = Dashboard(uid="b", title="B", description="B", rows=[Row(title="R", panels=[panel])])
    domain = Domain(name="d", title="D", description="", metrics=(HITS, REQUESTS), dashboards=[board])
    made = dict(dashboards(Index(expand(Catalog(project=project, domains=(domain,))))))["b"]["panels"]
    [found] = [each for each in made if each["type"] != "row"]
    return dict(found["fieldConfig"])


@pytest.mark.parametrize(
    ("panel", "unit"),
    [
        (TimeSeries(shows=rate(REQUESTS), title="T"), "reqps"),
        (TimeSeries(shows=rate(HITS), title="T"), "cps"),
        (TimeSeries(shows=rate(HITS) * 60, title="T"), "short"),
        (TimeSeries(shows=rate(HITS) * 60, title="T", unit=Unit.REQUESTS), "short"),
        (TimeSeries(shows=sum_(rate(FAILED)) / sum_(rate(REQUESTS)) * 100, title="T"), "percent"),
        (TimeSeries(shows=Query(expr=rate(HITS) * 8, unit=Unit.BYTES_PER_SECOND), title="T"), "Bps"),
    ],
)
def test_a_panel_is_in_its_unit(panel: Panel, unit: str) -> None:
    fields = drawn(panel)

    assert fields["defaults"]["unit"] == unit
    assert fields["overrides"] == []


def test_a_query_may_have_another_unit_than_its_panel() -> None:
    other = Query(expr=sum_(rate(HITS) * 60), unit=Unit.PERCENT)

    fields = drawn(TimeSeries(shows=(rate(REQUESTS), other), title="T"))

    assert fields["defaults"]["unit"] == "reqps"
    assert fields["overrides"] == [
        {"matcher": {"id": "byFrameRefID", "options": "B"}, "properties": [{"id": "unit", "value": "percent"}]}
    ]


def test_a_table_has_the_panels_unit_where_a_column_has_none() -> None:
    columns = (
        Query(expr=sum_(HITS, by=[NODE]) * 2, legend="A"),
        Query(expr=count(HITS, by=[NODE]), legend="B", unit=Unit.NONE),
    )

    fields = drawn(Table(shows=columns, title="T", by=[NODE], unit=Unit.BYTES))

    units = [prop["value"] for each in fields["overrides"] for prop in each["properties"] if prop["id"] == "unit"]
    assert units == ["bytes", "short"]
