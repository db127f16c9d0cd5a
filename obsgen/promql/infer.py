"""What follows from an expression: the labels of its result and the unit of its values."""

from __future__ import annotations

from obsgen.promql import reader
from obsgen.promql.metric import Metric
from obsgen.promql.text import Scope, render
from obsgen.promql.tree import (
    Aggregate,
    Binary,
    Call,
    Expr,
    Number,
    Offset,
    Range,
    Raw,
    Selector,
    Series,
    Subquery,
    series_in,
)
from obsgen.promql.units import Unit

ANY_WINDOW = Scope(window="5m")
"""For reading an expression whose window the place will fill in."""

_COUNTING = ("increase", "changes", "present_over_time", "absent")
_KEEPING = ("max", "min", "avg", "sum")
_NEUTRAL = (Unit.COUNT, Unit.NONE)
_PER_SECOND = {Unit.COUNT: Unit.PER_SECOND, Unit.NONE: Unit.PER_SECOND, Unit.BYTES: Unit.BYTES_PER_SECOND}
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


def unit_of(expr: Expr) -> Unit:
    """Return the unit of an expression's values, `Unit.NONE` where it cannot be told."""
    match expr:
        case Selector(series=series, suffix=suffix):
            return Unit.COUNT if suffix in ("_count", "_bucket") else unit_of(series)
        case Series():
            return getattr(expr, "unit", Unit.NONE)
        case Range(selector=selector) | Offset(selector=selector):
            return unit_of(selector)
        case Aggregate(operator=operator, expr=inner):
            return unit_of(inner) if operator in _KEEPING else Unit.COUNT
        case Subquery(expr=inner):
            return unit_of(inner)
        case Call():
            return _unit_of_call(expr)
        case Binary():
            return _unit_of_binary(expr)
        case Raw(parts=((_, only),)):
            return unit_of(only)
    return Unit.NONE


def _unit_of_call(call: Call) -> Unit:
    if call.function in _COUNTING:
        return Unit.COUNT
    first = next((arg for arg in call.args if isinstance(arg, Expr) and not isinstance(arg, Number)), None)
    if call.function == "histogram_quantile" and first is not None:
        return next((s.unit for s in series_in(first) if isinstance(s, Metric)), Unit.NONE)
    inner = unit_of(first) if first is not None else Unit.NONE
    if call.function == "rate":
        return _PER_SECOND.get(inner, Unit.NONE)
    return inner


def _unit_of_binary(binary: Binary) -> Unit:
    left, right = unit_of(binary.left), unit_of(binary.right)
    if binary.operator == "/":
        if isinstance(binary.right, Number):
            return left
        return Unit.RATIO if left is right or {left, right} <= set(_NEUTRAL) else Unit.NONE
    if binary.operator == "*":
        return left if right in _NEUTRAL or isinstance(binary.right, Number) else right
    return right if isinstance(binary.left, Number) else left


def _stands_in(expr: Expr) -> bool:
    """Return whether an expression is a value for what is absent: `absent(x) * 0`."""
    match expr:
        case Binary(operator="*", left=Call(function="absent"), right=Number()):
            return True
    return False


def core(expr: Expr) -> Expr:
    """Return what an expression is about, without what only picks or guards its series.

    A panel with `max by (node) (latency)` and an alert on `latency unless health == 0` are about the same thing:
    a threshold on one is a threshold on the other.
    """
    while True:
        match expr:
            case Aggregate(operator="max" | "min" | "avg", expr=inner):
                expr = inner
            case Call(
                function="max_over_time" | "min_over_time" | "avg_over_time" | "last_over_time", args=(first, *_)
            ):
                expr = first if isinstance(first, Expr) else expr
            case Binary(operator="and" | "unless", left=left):
                expr = left
            case Binary(operator="or", left=left, right=right) if _stands_in(right):
                expr = left
            case Binary(operator=operator, left=left, right=Number()) if operator in COMPARISONS:
                expr = left
            case Range(selector=selector) | Offset(selector=selector):
                expr = selector
            case Selector(series=series, suffix=""):
                return series
            case _:
                return expr
