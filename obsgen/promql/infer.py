"""What follows from an expression: the labels of its result, and what it is about."""

from __future__ import annotations

from obsgen.promql import reader
from obsgen.promql.text import Scope, render
from obsgen.promql.tree import Aggregate, Binary, Call, Expr, Number, Offset, Range, Selector, Series, series_in

ANY_WINDOW = Scope(window="5m")
"""For reading an expression whose window the place will fill in."""

COMPARISONS = (">", ">=", "<", "<=", "==", "!=")


def labels_of(expr: Expr) -> frozenset[str] | None:
    """Return the label names of an expression's result, or None where they cannot be told.

    Raises:
        reader.PromQLError: the expression is not PromQL.
        DefinitionError: it cannot be written at all.
    """
    return reader.result_labels(render(expr, ANY_WINDOW), _known(expr))


def lost_labels(expr: Expr) -> tuple[str, ...]:
    """Return the labels that an expression aggregates by although what it aggregates has none of them.

    Raises:
        reader.PromQLError: the expression is not PromQL.
        DefinitionError: it cannot be written at all.
    """
    return tuple(reader.lost_labels(render(expr, ANY_WINDOW), _known(expr)))


def _known(expr: Expr) -> reader.LabelsOf:
    """Return the labels of the series that an expression reads, by their names in its text."""
    known = {series.name: series for series in series_in(expr)}

    def of(name: str) -> frozenset[str] | None:
        if name in known:
            return known[name].label_names
        base, _, part = name.rpartition("_")
        if base in known:
            return known[base].label_names | (frozenset({"le"}) if part == "bucket" else frozenset())
        return None

    return of


def _stands_in(expr: Expr) -> bool:
    """Return whether an expression is a value for what is absent: `absent(x) * 0`."""
    match expr:
        case Binary(operator="*", left=Call(function="absent"), right=Number()):
            return True
    return False


def _picks_all(aggregate: Aggregate) -> bool:
    """Return whether every group of an aggregation is a single series: by all the labels that there are."""
    inner = aggregate.expr
    series = inner.series if isinstance(inner, Selector) else inner
    if aggregate.operator not in ("sum", "max", "min", "avg") or not isinstance(series, Series):
        return False
    # Without labels there may be one series, or the labels are not known.
    return bool(series.label_names) and series.label_names <= set(aggregate.by)


PICKERS = frozenset({"max", "min", "avg"})
EXTREMES = frozenset({"max", "min"})
"""The pickers whose result is one of the values that were there: an average need not be."""


def core(expr: Expr, pickers: frozenset[str] = PICKERS) -> Expr:
    """Return what an expression is about, without what only picks or guards its series.

    Panels with `max by (node) (latency)` and with `latency unless health == 0` are about the same thing. Whether the
    threshold of an alert on one is true on the other is another question: `obsgen.model.drawing` answers it.

    Args:
        expr: the expression.
        pickers: the aggregations to look through, over series and over time.
    """
    subject = watched(expr, pickers)
    return subject.series if isinstance(subject, Selector) and not subject.suffix else subject


def watched(expr: Expr, pickers: frozenset[str] = PICKERS) -> Expr:
    """Return the `core` of an expression with the matchers that it stands under there."""
    over_time = frozenset(f"{each}_over_time" for each in (*pickers, "last"))
    while True:
        match expr:
            case Aggregate(operator=operator, expr=inner) if operator in pickers or _picks_all(expr):
                expr = inner
            case Call(function=function, args=(Expr() as inner, *_)) if function in over_time:
                expr = inner
            case Binary(operator="and" | "unless", left=left):
                expr = left
            case Binary(operator="or", left=left, right=right) if _stands_in(right):
                expr = left
            case Binary(operator=operator, left=left, right=Number()) if operator in COMPARISONS:
                expr = left
            case Range(selector=selector) | Offset(selector=selector):
                expr = selector
            case _:
                return expr
