"""What a PromQL text says: the only module that knows promql-parser.

The parser's `str()` of a node is not PromQL, and its errors have no position: only `prettify()` and the whole
expression are shown to people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import promql_parser as parser

Labels = frozenset[str]
LabelsOf = Callable[[str], Labels | None]
"""The labels of the series of a name; None where they are not known."""

NEWER = frozenset(
    """
    double_exponential_smoothing first_over_time histogram_avg histogram_quantiles histogram_stddev histogram_stdvar
    info limit_ratio limitk mad_over_time sort_by_label sort_by_label_desc step ts_of_first_over_time
    ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time
    """.split()  # noqa: SIM905  # a list of words reads better as words
)
"""Functions that the parser knows, and Prometheus 2.42 does not."""
LOOKBACK = 300.0
"""Seconds for which Prometheus takes the last sample of a series for its value."""
_SET = ("and", "or", "unless")
_PARTS = ("expr", "lhs", "rhs", "param", "vector_selector")


class PromQLError(ValueError):
    """A text that is not PromQL; the message is the parser's."""


def parse(text: str) -> Any:
    """Return the syntax tree of a PromQL text.

    Raises:
        PromQLError: it does not parse, or only in a dialect that Prometheus does not speak.
    """
    try:
        tree = parser.parse(text)
    except ValueError as error:
        raise PromQLError(str(error)) from None
    if "or" in text.lower() or any(name in text for name in NEWER):
        for node in nodes(tree):
            if isinstance(node, parser.VectorSelector) and node.matchers.or_matchers:
                raise PromQLError("`or` between matchers is not PromQL")
            name = node.func.name if isinstance(node, parser.Call) else str(getattr(node, "op", ""))
            if name in NEWER:
                raise PromQLError(f"{name}() is not in Prometheus 2.42")
    return tree


def is_value(text: str) -> bool:
    """Return whether the result of a PromQL text is a vector or a number, as a rule needs it."""
    tree = parse(text)
    return not isinstance(tree, parser.MatrixSelector | parser.SubqueryExpr | parser.StringLiteral)


def nodes(tree: Any) -> Iterator[Any]:
    """Yield a syntax tree and all its parts, outermost first."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(_parts_of(node)))


def _parts_of(node: Any) -> list[Any]:
    parts = [part for name in _PARTS if isinstance(part := getattr(node, name, None), parser.Expr)]
    parts.extend(getattr(node, "args", ()))
    return parts


def metric_names(text: str) -> tuple[str, ...]:
    """Return the names of the series that a PromQL text reads, each once, in the order of their appearance."""
    found = (n.name for n in nodes(parse(text)) if isinstance(n, parser.VectorSelector) and n.name)
    return tuple(dict.fromkeys(found))


def samples(text: str, interval_of: Callable[[str], float]) -> float:
    """Return how many samples Prometheus reads to evaluate a PromQL text once, each selector reading one series.

    Args:
        text: a PromQL text.
        interval_of: seconds from one sample to the next, of the series of a name.
    """
    total = 0.0
    stack: list[tuple[Any, float]] = [(parse(text), 1.0)]
    while stack:
        node, times = stack.pop()
        if isinstance(node, parser.VectorSelector):
            total += times
            continue
        if isinstance(node, parser.MatrixSelector):
            total += times * max(1.0, _seconds(node.range) / interval_of(node.vector_selector.name or ""))
            continue
        if isinstance(node, parser.SubqueryExpr):
            times *= max(1.0, _seconds(node.range) / (_seconds(node.step) or interval_of("")))
        stack.extend((part, times) for part in _parts_of(node))
    return total


def reach(text: str) -> dict[str, float]:
    """Return how far back a PromQL text looks for each series that it reads, in seconds."""
    found: dict[str, float] = {}
    stack: list[tuple[Any, float]] = [(parse(text), 0.0)]
    while stack:
        node, window = stack.pop()
        if isinstance(node, parser.VectorSelector):
            back, name = (window or LOOKBACK) + _seconds(node.offset), node.name or ""
            found[name] = max(found.get(name, 0.0), back)
            continue
        if isinstance(node, parser.MatrixSelector):
            window += _seconds(node.range)
        elif isinstance(node, parser.SubqueryExpr):
            window += _seconds(node.range) + _seconds(node.offset) + LOOKBACK
        stack.extend((part, window) for part in _parts_of(node))
    return found


def _seconds(duration: timedelta | None) -> float:
    return duration.total_seconds() if duration else 0.0


def normal(text: str) -> str:
    """Return a PromQL text in Prometheus' own layout: two texts with the same meaning have the same."""
    return str(parse(text).prettify())


def result_labels(text: str, labels_of: LabelsOf) -> Labels | None:
    """Return the labels that the result of a PromQL text carries.

    Args:
        text: a PromQL text.
        labels_of: the labels of the series of a name.

    Returns:
        The label names without `__name__`, or None where a part of the text has unknown labels.
    """
    return _labels(parse(text), labels_of)


def lost_labels(text: str, labels_of: LabelsOf) -> Iterator[str]:
    """Yield the labels that a PromQL text aggregates by although what it aggregates has none of them."""
    for node in nodes(parse(text)):
        if isinstance(node, parser.AggregateExpr) and node.modifier is not None:
            has = _labels(node.expr, labels_of)
            if has is not None and node.modifier.type == parser.AggModifierType.By:
                yield from (label for label in node.modifier.labels if label not in has)


def _labels(node: Any, labels_of: LabelsOf) -> Labels | None:
    match type(node).__name__:
        case "VectorSelector":
            return labels_of(node.name) if node.name else None
        case "MatrixSelector":
            return _labels(node.vector_selector, labels_of)
        case "ParenExpr" | "UnaryExpr" | "SubqueryExpr":
            return _labels(node.expr, labels_of)
        case "AggregateExpr":
            return _aggregate(node, labels_of)
        case "BinaryExpr":
            return _binary(node, labels_of)
        case "Call":
            return _call(node, labels_of)
    return frozenset()


def _aggregate(node: Any, labels_of: LabelsOf) -> Labels | None:
    inner = _labels(node.expr, labels_of)
    if str(node.op) in ("topk", "bottomk", "limitk", "limit_ratio"):
        return inner
    if node.modifier is None:
        return frozenset()
    listed = frozenset(node.modifier.labels)
    if node.modifier.type == parser.AggModifierType.By:
        return listed if inner is None else listed & inner
    return None if inner is None else inner - listed


def _binary(node: Any, labels_of: LabelsOf) -> Labels | None:
    left, right = _labels(node.lhs, labels_of), _labels(node.rhs, labels_of)
    if _is_scalar(node.lhs):
        return right
    if _is_scalar(node.rhs):
        return left
    if str(node.op) == "or":
        # A series comes from either side: only the labels of both are sure to be there.
        return None if left is None or right is None else left & right
    matching = node.modifier.matching if node.modifier else None
    if str(node.op) in _SET or matching is None:
        return left
    if node.modifier.group_labels is not None:
        return None
    if matching.type == parser.LabelModifierType.Include:
        return frozenset(matching.labels)
    return None if left is None else left - frozenset(matching.labels)


def _is_scalar(node: Any) -> bool:
    if isinstance(node, parser.ParenExpr | parser.UnaryExpr):
        return _is_scalar(node.expr)
    if isinstance(node, parser.BinaryExpr):
        return _is_scalar(node.lhs) and _is_scalar(node.rhs)
    if isinstance(node, parser.Call):
        return bool(node.func.return_type == parser.ValueType.Scalar)
    return isinstance(node, parser.NumberLiteral)


def _call(node: Any, labels_of: LabelsOf) -> Labels | None:
    name = node.func.name
    if name in ("absent", "absent_over_time"):
        selector = node.args[0]
        selector = getattr(selector, "vector_selector", selector)
        matchers = getattr(selector, "matchers", None)
        return frozenset(m.name for m in matchers.matchers if m.op == parser.MatchOp.Equal) if matchers else frozenset()
    if _is_scalar(node) or not node.args or name == "vector":
        return frozenset()
    if name == "label_replace":
        inner = _labels(node.args[0], labels_of)
        return None if inner is None else inner | {node.args[1].val}
    inner = _labels(node.args[1 if name == "histogram_quantile" else 0], labels_of)
    return inner if inner is None or name != "histogram_quantile" else inner - {"le"}
