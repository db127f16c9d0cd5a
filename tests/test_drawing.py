"""Where an alert's threshold is drawn: on panels whose values it is true for, and on no others."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from obsgen.expand import expand
from obsgen.index import Index
from obsgen.model import (
    Alert,
    Catalog,
    Dashboard,
    Domain,
    Level,
    Project,
    Recording,
    Row,
    Runbook,
    Stat,
    Team,
    TimeSeries,
    critical,
    warning,
)
from obsgen.model.drawing import is_true_on
from obsgen.promql import (
    JOB,
    UP,
    Expr,
    Gauge,
    Label,
    Source,
    Unit,
    absent,
    avg,
    avg_over_time,
    count,
    finite,
    max_,
    max_over_time,
    min_,
    min_over_time,
    raw,
    sum_,
    sum_over_time,
)
from obsgen.promql.infer import core

APP = Source(name="app", title="App", job="app", interval="30s")
NODE, REGION = Label("node"), Label("region")


def gauge(name: str, unit: Unit = Unit.NONE, **states: int) -> Gauge:
    named = {value: state for state, value in states.items()}
    return Gauge(name=name, title=name, help="H.", source=APP, labels=(NODE, REGION), unit=unit, states=named)


X, Y = gauge("x"), gauge("y")
HEALTH = gauge("health", Unit.STATE, failed=0, slow=1, healthy=2)
EU, US = REGION.equals("eu"), REGION.equals("us")

UPWARDS = [X, finite(X), X.unless(Y), max_(X), max_(X, by=[NODE]), max_(max_(X, by=[NODE])), max_over_time(X, "1d")]
DOWNWARDS = [X, finite(X), X.unless(Y), min_(X), min_(X, by=[NODE]), min_(min_(X, by=[NODE])), min_over_time(X, "1d")]
OTHERS = [avg(X), avg_over_time(X, "1d"), avg_over_time(X), sum_(X), sum_over_time(X, "1h"), count(X), X * 2, Y]


ABOVE, AT_LEAST, BELOW, AT_MOST = critical(above=5), critical(at_least=5), critical(below=5), critical(at_most=5)
RECENT = avg_over_time(X, "5m")
BY_NODE = Recording(name="node:x:sum", expr=sum_(X, by=[NODE]), title="N", help="N.")
MEAN, LOWEST = avg(X, by=[NODE]), min_(X, by=[NODE])

# what the alert watches, when it fires, the panels that its threshold is true on, and those that it is not
RULES: list[tuple[Expr, Level, list[Expr], list[Expr]]] = [
    (X, ABOVE, UPWARDS, [min_(X), min_over_time(X, "1d"), max_(min_(X, by=[NODE])), *OTHERS]),
    (X, AT_LEAST, UPWARDS, [min_(X), min_over_time(X, "1d"), *OTHERS]),
    (X, BELOW, DOWNWARDS, [max_(X), max_over_time(X, "1d"), min_(max_(X, by=[NODE])), *OTHERS]),
    (X, AT_MOST, DOWNWARDS, [max_(X), max_over_time(X, "1d"), *OTHERS]),
    # Guards leave out series, and change no value.
    (finite(X), ABOVE, UPWARDS, OTHERS),
    (X.and_(Y > 20), ABOVE, UPWARDS, OTHERS),
    (X.unless(Y.equals(0)), BELOW, DOWNWARDS, OTHERS),
    (X.or_(absent(X) * 0), BELOW, DOWNWARDS, OTHERS),
    # The largest is above a threshold exactly when one of them is, however they are grouped.
    (max_(X), ABOVE, UPWARDS, [min_(X), *OTHERS]),
    (max_(X, by=[NODE, REGION]), ABOVE, [max_(X, by=[NODE, REGION]), max_(X, by=[NODE]), max_(X)], [min_(X), *OTHERS]),
    (max_over_time(X, "5m"), ABOVE, UPWARDS, OTHERS),
    (min_(X), BELOW, DOWNWARDS, [max_(X), *OTHERS]),
    # What else is computed has to be the same.
    (LOWEST, ABOVE, [LOWEST, max_(LOWEST)], [X, max_(X), min_(X), MEAN, avg(LOWEST)]),
    (MEAN, ABOVE, [MEAN, max_(MEAN), MEAN.and_(Y)], [X, max_(X), avg(X), min_(MEAN), avg(X, by=[REGION])]),
    (MEAN, BELOW, [MEAN, min_(MEAN)], [X, max_(MEAN)]),
    (RECENT, ABOVE, [RECENT, max_(RECENT)], [X, avg_over_time(X, "1h")]),
    (sum_(X), ABOVE, [sum_(X)], [X, max_(X), sum_(X, by=[NODE])]),
    (X * 2, ABOVE, [X * 2, max_(X * 2)], [X]),
    # A state: the lowest shows in the minimum, the highest in the maximum, those between in neither.
    (HEALTH, critical(equals=0), [HEALTH, min_(HEALTH)], [max_(HEALTH), avg(HEALTH), sum_(HEALTH), count(HEALTH)]),
    (HEALTH, critical(equals=2), [HEALTH, max_(HEALTH)], [min_(HEALTH), avg(HEALTH)]),
    (HEALTH, critical(equals=1), [HEALTH], [min_(HEALTH), max_(HEALTH), avg(HEALTH)]),
    (HEALTH, critical(below=2), [HEALTH, min_(HEALTH)], [max_(HEALTH), avg(HEALTH), sum_(HEALTH)]),
    (UP, critical(equals=0), [UP, min_(UP, by=[JOB])], [max_(UP, by=[JOB]), avg_over_time(UP, "1d")]),
    (X, critical(equals=0), [X], [min_(X), max_(X)]),
    # By all the labels that there are, an aggregation changes nothing.
    (BY_NODE, BELOW, [BY_NODE, max_(BY_NODE, by=[NODE]), sum_(BY_NODE, by=[NODE])], [max_(BY_NODE), sum_(BY_NODE)]),
    # Matchers that cannot both be fulfilled.
    (X.where(EU), ABOVE, [X, X.where(EU), max_(X.where(REGION.one_of("us", "eu"))), X.where(NODE.equals("a"))], []),
    (
        X.where(EU),
        ABOVE,
        [X.where(REGION.matches("e.*")), X.where(REGION.differs("us"))],
        [X.where(US), max_(X.where(US))],
    ),
    # Without a threshold there is nothing to draw.
    (X > 5, critical(), [], [X, max_(X)]),
]
CASES = [(watched, level, shown, True) for watched, level, there, _ in RULES for shown in there] + [
    (watched, level, shown, False) for watched, level, _, elsewhere in RULES for shown in elsewhere
]


def alert(expr: Expr, *levels: Level, name: str = "A") -> Alert:
    book = Runbook(meaning="M.", impact="I.", diagnosis=("D.",), mitigation=("M.",))
    return Alert(name=name, expr=expr, fires=levels, summary="S.", description="D.", runbook=book)


@pytest.mark.parametrize(("watched", "level", "shown", "true"), CASES)
def test_a_threshold_is_drawn_only_where_it_is_true(watched: Expr, level: Level, shown: Expr, true: bool) -> None:
    assert is_true_on(alert(watched, level), level, shown) is true


def catalog(alerts: Sequence[Alert], *panels: TimeSeries | Stat) -> Index:
    team = Team(name="us", title="Us")
    project = Project(
        name="p", title="P", description="", owner=team, docs_url="https://d.example.org", grafana_url="https://g.org"
    )
    board = Dashboard(uid="b", title="B", description="B", rows=[Row(title="R", panels=panels)])
    domain = Domain(name="d", title="D", description="", metrics=(X, Y), alerts=alerts, dashboards=[board])
    return Index(expand(Catalog(project=project, domains=(domain,))))


def test_each_panel_has_the_levels_that_are_true_on_it() -> None:
    high, low = alert(X, warning(above=7), critical(above=9), name="High"), alert(X, warning(below=1), name="Low")
    index = catalog([high, low])

    def drawn(expr: Expr) -> list[float]:
        return [level.threshold.value for level in index.levels(expr) if level.threshold]

    assert drawn(X) == [7, 1, 9]
    assert drawn(max_(X)) == [7, 9]
    assert drawn(min_(X)) == [1]
    assert drawn(avg(X)) == []
    assert [each.name for each in index.watching(avg(X))] == ["High", "Low"], "its runbooks are linked all the same"


def test_an_alert_leads_to_a_panel_that_shows_its_threshold() -> None:
    mean = TimeSeries(shows=avg(X), title="Mean")
    hottest, all_, plain = Stat(shows=max_(X), title="Max"), TimeSeries(shows=X, title="All"), Stat(shows=Y, title="Y")
    high = alert(X, critical(above=9))
    shown = catalog([high], mean, hottest, all_, plain)
    only = catalog([high], mean, plain)

    assert [place.panel for place in shown.panels_of(high)] == [all_, hottest, mean]
    assert [place.panel for place in only.panels_of(high)] == [mean], "better than none"


@pytest.mark.parametrize("expr", [X, finite(X), max_(X, by=[NODE]), avg(X), X.unless(Y), X.and_(Y), avg_over_time(X)])
def test_guards_and_pickers_leave_the_subject(expr: Expr) -> None:
    assert core(expr) == X


@pytest.mark.parametrize("expr", [sum_(X), X * 2, raw("topk(3, {x})", x=X), count(X)])
def test_what_computes_is_another_subject(expr: Expr) -> None:
    assert core(expr) != X
    assert core(max_(expr)) == expr
