"""The PromQL builder: what it writes is what was built, whatever the names, values and shapes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obsgen.errors import DefinitionError
from obsgen.promql import (
    INF,
    Counter,
    Expr,
    Gauge,
    Histogram,
    Label,
    Source,
    Unit,
    absent,
    avg,
    events,
    finite,
    histogram_quantile,
    max_,
    rate,
    raw,
    reader,
    scalar,
    sum_,
)
from obsgen.promql.infer import labels_of
from obsgen.promql.text import Scope, pretty, render
from obsgen.promql.tree import series_in

SOURCE = Source(name="app", title="App", job="app", interval="30s")
ROUTE, CODE = Label("route"), Label("code")
HITS = Counter(name="hits_total", title="Hits", help="Hits.", source=SOURCE, labels=(ROUTE, CODE))
HEAT = Gauge(name="heat", title="Heat", help="Heat.", source=SOURCE, labels=(ROUTE,), unit=Unit.MILLISECONDS)
WAIT = Histogram(
    name="wait_ms", title="Wait", help="W.", source=SOURCE, labels=(ROUTE,), unit=Unit.MILLISECONDS, buckets=(1, 2)
)


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (HITS, "hits_total"),
        (finite(HEAT) > 250, "heat < +Inf > 250"),
        (HEAT - (HEAT - HEAT), "heat - (heat - heat)"),
        ((HEAT + 1) * 2, "(heat + 1) * 2"),
        (1 - HEAT / 100, "1 - heat / 100"),
        (HEAT > 2, "heat > 2"),
        (HEAT.equals(0), "heat == 0"),
        (HEAT.where(ROUTE.equals('a"b\\c\n')), 'heat{route="a\\"b\\\\c\\n"}'),
        (HEAT.where(ROUTE.one_of("/a/[id]", "b.c")), 'heat{route=~"/a/\\\\[id\\\\]|b\\\\.c"}'),
        (sum_(rate(HITS, "5m"), by=[ROUTE]), "sum by (route) (rate(hits_total[5m]))"),
        (rate(WAIT.sum, "1h"), "rate(wait_ms_sum[1h])"),
        (
            histogram_quantile(0.9, WAIT, by=[ROUTE], window="5m"),
            "histogram_quantile(0.9, sum by (le, route) (rate(wait_ms_bucket[5m])))",
        ),
        (HEAT.unless(HEAT.equals(0), on=(ROUTE,)), "heat unless on (route) heat == 0"),
        (absent(HEAT).and_(max_(HEAT), on=()), "absent(heat) and on () max(heat)"),
        (HEAT.ago("1h"), "heat offset 1h"),
        (raw("topk(5, {x})", x=HEAT), "topk(5, heat)"),
        (raw("{x} > 1", x=HEAT) + 1, "(heat > 1) + 1"),
        (HEAT < -INF, "heat < -Inf"),
    ],
)
def test_an_expression_is_written_as_promql(expr: Expr, text: str) -> None:
    assert render(expr) == text


def test_a_scope_fills_in_the_window_and_filters_only_series_that_have_the_label() -> None:
    scope = Scope(window="$__rate_interval", matchers=(CODE.matches("$code"),))

    assert render(sum_(rate(HITS)) / scalar(avg(HEAT)), scope) == (
        'sum(rate(hits_total{code=~"$code"}[$__rate_interval])) / scalar(avg(heat))'
    )


def test_an_open_window_without_a_scope_is_an_error() -> None:
    with pytest.raises(DefinitionError, match="the window over hits_total is open here"):
        render(rate(HITS))


@pytest.mark.parametrize(
    "slip", [lambda: bool(HEAT), lambda: HEAT > 1 and HEAT, lambda: 1 < HEAT < 2, lambda: not HEAT]
)
def test_python_operators_that_would_lose_a_part_are_refused(slip: object) -> None:
    assert callable(slip)
    with pytest.raises(DefinitionError, match="no truth value"):
        slip()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Label("1st"), "'1st' is not a label name"),
        (lambda: Label("__name__"), "'__name__' is not a label name"),
        (lambda: rate(HITS, "5 min"), "'5 min' is not a duration"),
        (lambda: rate(sum_(HITS)), "a window can be taken over a metric"),  # type: ignore[arg-type]
        (lambda: sum_(HITS, by=["route"]), "'route' is not a Label"),  # type: ignore[list-item]
        (lambda: HEAT + "1", "'1' is not a PromQL expression or a number"),  # type: ignore[operator]
        (lambda: HEAT + True, "True is not a PromQL expression or a number"),
        (lambda: Source(name="a", title="A", job="a", interval="often"), "'often' is not a duration"),
        (lambda: Histogram(name="h", title="", help="", source=None, buckets=(2, 1)), "the buckets of h"),
        (lambda: Gauge(name="a-b", title="", help="", source=None), "'a-b' is not a metric name"),
        (lambda: Gauge(name="a", title="", help="", source=None, labels=("x",)), "labels of Gauge"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_built_says_so_at_its_line(build: object, message: str) -> None:
    assert callable(build)
    with pytest.raises(DefinitionError) as caught:
        build()

    assert message in str(caught.value)
    assert caught.value.at.file == __file__


@pytest.mark.parametrize(
    ("expr", "labels"),
    [
        (HITS, {"route", "code", "job", "instance"}),
        (sum_(HITS, by=[CODE]), {"code"}),
        (sum_(HITS), set()),
        (sum_(HITS, by=[ROUTE]) / sum_(HITS, by=[ROUTE]), {"route"}),
        (histogram_quantile(0.5, WAIT, by=[ROUTE]), {"route"}),
        (HEAT.or_(sum_(HITS, by=[ROUTE])), {"route"}),
        (1 - HEAT, {"route", "job", "instance"}),
        (scalar(avg(HEAT)) < HEAT, {"route", "job", "instance"}),
        (absent(HEAT.where(ROUTE.equals("a"))), {"route"}),
        (absent(HEAT > 1), set()),
        (events(HITS, "1h", by=[CODE]), {"code"}),
        (raw("topk(5, {x})", x=HEAT), {"route", "job", "instance"}),
        (raw('label_replace({x}, "new", "$1", "route", "(.*)")', x=HEAT), {"route", "job", "instance", "new"}),
    ],
)
def test_the_labels_of_a_result_are_known(expr: Expr, labels: set[str]) -> None:
    assert set(labels_of(expr) or ()) == labels


def test_or_between_matchers_is_no_promql() -> None:
    with pytest.raises(reader.PromQLError, match="`or` between matchers"):
        reader.parse('a{b="1" or c="2"}')


def test_series_are_found_once_and_a_recording_is_a_leaf() -> None:
    assert [series.name for series in series_in(HITS / HEAT + HITS)] == ["hits_total", "heat"]


CHARACTERS = st.characters(codec="utf-8")
leaves = st.one_of(
    st.sampled_from([HITS, HEAT, HEAT.ago("1h")]),
    st.text(CHARACTERS, max_size=8).map(lambda v: HEAT.where(ROUTE.equals(v))),
    st.lists(st.text(CHARACTERS, min_size=1, max_size=5), min_size=1).map(
        lambda values: HEAT.where(ROUTE.none_of(*values))
    ),
    st.just(rate(HITS)),
)


def bigger(smaller: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    numbers = st.floats(allow_nan=False, width=32)
    return st.one_of(
        st.tuples(smaller, smaller).map(lambda pair: pair[0] + pair[1]),
        st.tuples(smaller, smaller).map(lambda pair: pair[0] / pair[1]),
        st.tuples(smaller, numbers).map(lambda pair: pair[0] - pair[1]),
        st.tuples(numbers, smaller).map(lambda pair: pair[0] * pair[1]),
        st.tuples(smaller, smaller).map(lambda pair: pair[0] >= pair[1]),
        st.tuples(smaller, smaller).map(lambda pair: pair[0].and_(pair[1], on=[ROUTE])),
        st.tuples(smaller, smaller).map(lambda pair: pair[0].or_(pair[1])),
        st.tuples(smaller, smaller).map(lambda pair: pair[0].unless(pair[1])),
        smaller.map(lambda expr: sum_(expr, by=[ROUTE])),
        smaller.map(lambda expr: absent(expr)),
        smaller.map(lambda expr: raw("{x} + 1", x=expr)),
    )


expressions = st.recursive(leaves, bigger, max_leaves=12)


@given(expressions, st.integers(10, 120))
def test_a_laid_out_expression_means_the_same_as_on_one_line(expr: Expr, width: int) -> None:
    scope = Scope(window="5m")

    laid_out = pretty(expr, scope, width)

    assert reader.normal(laid_out) == reader.normal(render(expr, scope))
    assert not any(line != line.rstrip(" \t") for line in laid_out.split("\n") if '"' not in line)


@given(expressions)
def test_brackets_keep_the_tree(expr: Expr) -> None:
    """With every operand in brackets the parser reads the same tree."""
    scope = Scope(window="5m")

    assert _structure(reader.parse(render(expr, scope))) == _structure(reader.parse(_bracketed(expr, scope)))


def _structure(node: object) -> object:
    name = type(node).__name__
    if name == "ParenExpr":
        return _structure(node.expr)  # type: ignore[attr-defined]
    if name == "BinaryExpr":
        return (str(node.op), _structure(node.lhs), _structure(node.rhs))  # type: ignore[attr-defined]
    if name == "AggregateExpr":
        return (str(node.op), _structure(node.expr))  # type: ignore[attr-defined]
    return name


def _bracketed(expr: Expr, scope: Scope) -> str:
    from obsgen.promql.tree import Aggregate, Binary, Call, Raw

    if isinstance(expr, Binary):
        on = "" if expr.on is None else f" on ({', '.join(expr.on)})"
        return f"({_bracketed(expr.left, scope)}) {expr.operator}{on} ({_bracketed(expr.right, scope)})"
    if isinstance(expr, Aggregate):
        return f"sum by (route) (({_bracketed(expr.expr, scope)}))"
    if isinstance(expr, Call) and expr.function == "absent" and isinstance(expr.args[0], Expr):
        return f"absent(({_bracketed(expr.args[0], scope)}))"
    if isinstance(expr, Raw):
        # The text of raw() is PromQL of its author, brackets and all.
        return render(expr, scope)
    return render(expr, scope)
