"""The unit of an expression's values, as far as it is certain, and whether they are a share of a whole.

Arithmetic changes what a number means, and few of the changes have a name: milliseconds divided by 1000 are seconds,
a ratio times 100 is a percentage. Everything else is `Unit.NONE`, which is not known: its author states it at the
alert, the recording or the panel. A text without a unit says too little; one with a wrong unit misleads.
"""

from __future__ import annotations

import re

from obsgen.promql.infer import COMPARISONS
from obsgen.promql.metric import LE, Counter, Histogram, Metric
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

_COUNTING = ("changes", "count_over_time", "present_over_time", "absent")
_KEEPING = ("abs", "scalar", "clamp_max", "clamp_min")
_FILTERS = ("and", "unless", *COMPARISONS)
_PER_SECOND = {
    Unit.COUNT: Unit.PER_SECOND,
    Unit.NONE: Unit.PER_SECOND,
    Unit.REQUESTS: Unit.REQUESTS_PER_SECOND,
    Unit.BYTES: Unit.BYTES_PER_SECOND,
}
_MEASURES = (
    Unit.BYTES,
    Unit.SECONDS,
    Unit.MILLISECONDS,
    Unit.BYTES_PER_SECOND,
    Unit.REQUESTS,
    Unit.REQUESTS_PER_SECOND,
)
"""Units that say what is measured: two of a kind have a quotient in percent."""
_ADDS_UP = (Unit.COUNT, Unit.PER_SECOND, *_MEASURES)
"""Units of which a sum has the same. That of temperatures, states or ratios means something else."""
_CONVERSIONS = {
    (Unit.SECONDS, 1000): Unit.MILLISECONDS,
    (Unit.MILLISECONDS, 0.001): Unit.SECONDS,
    (Unit.RATIO, 100): Unit.PERCENT,
    (Unit.PERCENT, 0.01): Unit.RATIO,
}
_STRING = re.compile(r'"(?:\\.|[^"\\])*"')
_PICKING = re.compile(
    r"(topk|bottomk|limitk|sort|sort_desc|label_replace|label_join)\s*((by|without)\s*\([^()]*\)\s*)?"
    r"\(([^(){},]+,)?\s*\{\w+\}\s*(,[^(){}]*)?\)"
)
"""A text of `raw` that only picks, sorts or renames the series of its part."""


def unit_of(expr: Expr) -> Unit:
    """Return the unit of an expression's values, `Unit.NONE` where it is not certain."""
    match expr:
        case Selector(series=series, suffix=suffix):
            return Unit.COUNT if suffix in ("_count", "_bucket") else unit_of(series)
        case Series():
            return getattr(expr, "unit", Unit.NONE)
        case Range(selector=selector) | Offset(selector=selector):
            return unit_of(selector)
        case Subquery(expr=inner):
            return unit_of(inner)
        case Aggregate(operator=operator, expr=inner):
            return _combined(operator, unit_of(inner))
        case Call():
            return _unit_of_call(expr)
        case Binary():
            return _unit_of_binary(expr)
        case Raw():
            return unit_of(part) if (part := _picked(expr)) is not None else Unit.NONE
    return Unit.NONE


def _picked(raw: Raw) -> Expr | None:
    """Return the part of a `raw` whose values are its result, None where the text may do more to them."""
    if len(raw.parts) == 1 and _PICKING.fullmatch(_STRING.sub('""', raw.template).strip()):
        return raw.parts[0][1]
    return None


def _combined(operator: str, unit: Unit) -> Unit:
    """Return the unit of several values in one, over series or over time."""
    match operator:
        case "max" | "min" | "last":
            return unit
        case "avg":
            return {Unit.BOOLEAN: Unit.RATIO, Unit.STATE: Unit.NONE}.get(unit, unit)
        case "sum":
            return Unit.COUNT if unit is Unit.BOOLEAN else unit if unit in _ADDS_UP else Unit.NONE
    return Unit.COUNT


def _unit_of_call(call: Call) -> Unit:
    if call.function in _COUNTING:
        return Unit.COUNT
    if call.function == "time":
        return Unit.TIMESTAMP
    first = next((arg for arg in call.args if isinstance(arg, Expr) and not isinstance(arg, Number)), None)
    if first is None:
        return Unit.NONE
    if call.function == "histogram_quantile":
        return next((s.unit for s in series_in(first) if isinstance(s, Metric)), Unit.NONE)
    inner = unit_of(first)
    if call.function == "rate":
        return _PER_SECOND.get(inner, Unit.NONE)
    if call.function == "increase":
        return Unit.COUNT if inner is Unit.NONE else inner
    if call.function.endswith("_over_time"):
        return _combined(call.function.removesuffix("_over_time"), inner)
    return inner if call.function in _KEEPING else Unit.NONE


def _unit_of_binary(binary: Binary) -> Unit:
    left, right = unit_of(binary.left), unit_of(binary.right)
    match binary:
        case Binary(operator="*", left=Number(value=factor)):
            return _scaled(right, factor)
        case Binary(operator="*", right=Number(value=factor)):
            return _scaled(left, factor)
        case Binary(operator="/", right=Number(value=divisor)):
            return _scaled(left, 1 / divisor) if divisor else Unit.NONE
        case Binary(operator="*"):
            return _product(left, right)
        case Binary(operator="/"):
            return Unit.RATIO if _comparable(binary) else Unit.NONE
        case Binary(left=Number()):
            return right
        case Binary(operator="+" | "-", right=right_side) if not isinstance(right_side, Number):
            if left is right is Unit.TIMESTAMP:
                return Unit.SECONDS if binary.operator == "-" else Unit.NONE
            return left if left is right else Unit.NONE
    return left


def _scaled(unit: Unit, factor: float) -> Unit:
    """Return the unit of values times a number. Times 0 they are a fill-in for what is missing, times 1 the same."""
    return unit if abs(factor) in (0, 1) else _CONVERSIONS.get((unit, factor), Unit.NONE)


def _product(left: Unit, right: Unit) -> Unit:
    """Return the unit of a product. A share of something, or something where a condition holds, is what it was."""
    plain = (Unit.RATIO, Unit.BOOLEAN)
    if left in plain:
        return right
    return left if right in plain else Unit.NONE


def _comparable(quotient: Binary) -> bool:
    """Return whether both sides of a quotient measure the same, so that it can be said in percent.

    Two counts need not: players divided by nodes, or load by cores, are an average and no percentage. They do where
    they are counts of the same metric, or of requests. Whether the quotient stays below 1 is for `is_share` to tell.
    """
    if is_share(quotient):
        return True
    left, right = unit_of(quotient.left), unit_of(quotient.right)
    measured = _measured(quotient.left)
    return (left is right and left in _MEASURES) or (measured is not None and measured == _measured(quotient.right))


def _measured(expr: Expr) -> tuple[Series, str, str] | None:
    """Return whose values an expression's are: a series, its suffix and `rate` or `increase`; None for any other's."""
    match expr:
        case Series():
            return expr, "", ""
        case Selector(series=series, suffix=suffix):
            return series, suffix, ""
        case Range(selector=selector) | Offset(selector=selector):
            return _measured(selector)
        case Call(function="rate" | "increase" as function, args=(Range(selector=selector),)):
            return selector.series, selector.suffix, function
        case Call(function="abs" | "scalar", args=(Expr() as inner,)):
            return _measured(inner)
        case Call(
            function="avg_over_time" | "max_over_time" | "min_over_time" | "last_over_time", args=(Range() as r,)
        ):
            return _measured(r)
        case Aggregate(operator="sum" | "avg" | "max" | "min", expr=inner):
            return _measured(inner)
        case Binary(operator=operator, left=left) if operator in _FILTERS:
            return _measured(left)
    return None


def is_share(expr: Expr) -> bool:
    """Return whether the values of an expression are certainly from 0 to 1.

    Those of a metric are by its unit: `Unit.RATIO` says so. Those of a quotient are where its numerator is by
    construction a part of its denominator: the same metric with more matchers, fewer of its series, or a bucket of a
    histogram by its count. Two metrics never are: memory used by memory promised is a ratio, and may be 1.3.
    """
    match expr:
        case Series():
            return bool(getattr(expr, "share", unit_of(expr) is Unit.RATIO))
        case Selector(series=series, suffix=""):
            return is_share(series)
        case Range(selector=selector) | Offset(selector=selector):
            return is_share(selector)
        case Aggregate(operator="avg", expr=inner) if unit_of(inner) is Unit.BOOLEAN:
            return True
        case Call(function="avg_over_time", args=(Range() as inner, *_)) if unit_of(inner) is Unit.BOOLEAN:
            return True
        case Aggregate(operator="max" | "min" | "avg", expr=inner):
            return is_share(inner)
        case Call(function="histogram_quantile" | "rate" | "increase" | "sum_over_time"):
            return False
        case Call(args=(Expr() as inner, *_)):
            return unit_of(expr) is Unit.RATIO and is_share(inner)
        case Binary():
            return _is_share_of_two(expr)
        case Raw():
            return (part := _picked(expr)) is not None and is_share(part)
    return False


def _is_share_of_two(binary: Binary) -> bool:
    match binary:
        case Binary(operator="/", left=left, right=right):
            # A comparison with a number leaves out series here, and changes none.
            while isinstance(right, Binary) and right.operator in COMPARISONS:
                right = right.left
            return _part_of(left, right)
        case Binary(operator="-", left=Number(value=1), right=right):
            return is_share(right)
        case Binary(operator="*", left=left, right=right):
            return all(is_share(side) or (isinstance(side, Number) and 0 <= side.value <= 1) for side in (left, right))
        case Binary(operator="or", left=left, right=right):
            return is_share(left) and (_is_zero(right) or is_share(right))
        case Binary(operator=operator, left=left, right=right) if operator in _FILTERS:
            return is_share(right if isinstance(left, Number) else left)
    return False


def _is_zero(expr: Expr) -> bool:
    """Return whether an expression is a fill-in of zeros: `requests * 0`."""
    match expr:
        case Binary(operator="*", left=Number(value=0)) | Binary(operator="*", right=Number(value=0)):
            return True
    return False


def _part_of(part: Expr, whole: Expr, *, counted: bool = False) -> bool:
    """Return whether one expression adds up some of the values that another adds up, none of which is negative.

    Args:
        part: the one.
        whole: the other.
        counted: whether the values are only counted, so that it does not matter what they are.
    """
    match part, whole:
        case Binary(operator="or", left=left, right=right), _ if _is_zero(right):
            return _part_of(left, whole, counted=counted)
        case Binary(operator=operator, left=left), Binary(left=other) if operator in _FILTERS and part == whole:
            return _part_of(left, other, counted=counted)
        case Binary(operator=operator, left=left), _ if operator in _FILTERS:
            return _part_of(left, whole, counted=counted)
        case Aggregate(operator="sum" | "count"), Aggregate(operator="sum" | "count"):
            if part.without != whole.without or not set(whole.by) <= set(part.by):
                return False
            # How many of the targets are up: a sum of ones and zeros is a count, too.
            counts = part.operator == "sum" and whole.operator == "count" and unit_of(part.expr) is Unit.BOOLEAN
            if part.operator != whole.operator and not counts:
                return False
            return _part_of(part.expr, whole.expr, counted=whole.operator == "count")
        case Call(function="rate" | "increase" as function, args=(Range() as some,)), Call(args=(Range() as all_, *_)):
            same = (function, some.window, some.offset) == (whole.function, all_.window, all_.offset)
            return same and _part_of(some.selector, all_.selector)
        case Series() | Selector(), Series() | Selector():
            return _selects_of(_selector(part), _selector(whole)) and (counted or _never_negative(_selector(whole)))
    return False


def _selector(vector: Series | Selector) -> Selector:
    return vector if isinstance(vector, Selector) else Selector(vector)


def _selects_of(some: Selector, every: Selector) -> bool:
    # A bucket of a histogram holds a part of what its count counts; all buckets together hold it several times.
    bucket = (some.suffix, every.suffix) == ("_bucket", "_count") and any(m.label == LE for m in some.matchers)
    same = some.series == every.series and (bucket or some.suffix == every.suffix)
    return same and set(every.matchers) <= set(some.matchers)


def _never_negative(selector: Selector) -> bool:
    return isinstance(selector.series, Counter | Histogram) or unit_of(selector) in (Unit.BOOLEAN, *_ADDS_UP)
