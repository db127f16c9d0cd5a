"""An expression tree as PromQL text, under a `Scope`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from obsgen.errors import DefinitionError
from obsgen.promql.label import Matcher
from obsgen.promql.metric import seconds
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
)
from obsgen.words import duration

# https://prometheus.io/docs/prometheus/latest/querying/operators/#binary-operator-precedence
PRECEDENCE = {"or": 1, "and": 2, "unless": 2, "+": 4, "-": 4, "*": 5, "/": 5}
COMPARISON = 3
ATOM = 9
_JSON = json.JSONEncoder(ensure_ascii=False)
WIDTH = 100
"""Longest line of a laid out expression, in characters."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a place adds to an expression that stands in it.

    Attributes:
        window: for ranges that leave their window open: `5m`, or `$__rate_interval` on a dashboard.
        matchers: for every series that has the matcher's label: the variables of a dashboard.
        held: how far back to look for the newest sample of a series, by its name, where that is further than Prometheus
            looks by itself: see `obsgen.model.seldom`.
    """

    window: str | None = None
    matchers: tuple[Matcher, ...] = ()
    held: Mapping[str, str] = field(default_factory=dict)


BARE = Scope()


def render(expr: Expr, scope: Scope = BARE) -> str:
    """Return the PromQL of an expression, on one line.

    Raises:
        DefinitionError: a window is open and the scope has none, or a `raw` template is broken.
    """
    return _text(expr, scope)


def pretty(expr: Expr, scope: Scope = BARE, width: int = WIDTH) -> str:
    """Return the PromQL of an expression, on several lines where one would be wider than `width`.

    Each line after the first of a chain of operands starts with its operator; what stands in brackets is indented.

    Raises:
        DefinitionError: as of `render`.
    """
    return "\n".join(_lines(expr, scope, width))


def _lines(expr: Expr, scope: Scope, width: int) -> list[str]:
    text = _text(expr, scope)
    if len(text) <= width:
        return [text]
    match expr:
        case Binary():
            return _chain(expr, scope, width)
        case Aggregate(operator=operator, expr=inner):
            return _bracketed(f"{operator}{_grouping(expr)}(", [_lines(inner, scope, width - 2)], ")")
        case Subquery(expr=inner):
            return _bracketed("(", [_lines(inner, scope, width - 2)], f"){_steps(expr)}")
        case Call(function=function, args=(Subquery() as only,)):
            return _bracketed(f"{function}((", [_lines(only.expr, scope, width - 2)], f"){_steps(only)})")
        case Call(function=function, args=args) if not any(isinstance(arg, Range) for arg in args):
            inside = [[string(a)] if isinstance(a, str) else _lines(a, scope, width - 2) for a in args]
            return _bracketed(f"{function}(", inside, ")")
    return [text]


def _bracketed(head: str, parts: list[list[str]], tail: str) -> list[str]:
    inside = []
    for number, part in enumerate(parts, 1):
        comma = "," if number < len(parts) else ""
        inside += [*part[:-1], part[-1] + comma]
    return [head, *(f"  {line}" for line in inside), tail]


def _chain(binary: Binary, scope: Scope, width: int) -> list[str]:
    own = precedence(binary)
    left, right = precedence(binary.left), precedence(binary.right)
    lead = f"{binary.operator}{_on(binary)} "
    first = _operand(binary.left, left < own, scope, width)
    second = _operand(binary.right, right <= own, scope, width - len(lead))
    # Operators of the same rank go on below each other; what binds tighter hangs from its first line.
    return [*_hanging(first, own < left < ATOM), *_hanging([lead + second[0], *second[1:]], own < right < ATOM)]


def _hanging(lines: list[str], hangs: bool) -> list[str]:
    return [lines[0], *(f"  {line}" for line in lines[1:])] if hangs else lines


def _operand(expr: Expr, brackets: bool, scope: Scope, width: int) -> list[str]:
    if not brackets:
        return _lines(expr, scope, width)
    lines = _lines(expr, scope, width - 2)
    return [f"({lines[0]})"] if len(lines) == 1 else _bracketed("(", [lines], ")")


def _text(expr: Expr, scope: Scope) -> str:
    match expr:
        case Number(value=value):
            return number(value)
        case Series():
            return _newest(Selector(expr), scope)
        case Selector():
            return _newest(expr, scope)
        case Range(selector=selector, window=window, offset=offset):
            return f"{_selector(selector, scope)}[{window or _window(expr, scope)}]{_offset(offset)}"
        case Offset(selector=selector, offset=offset):
            return _newest(selector, scope, offset)
        case Subquery(expr=inner):
            text = _text(inner, scope)
            return (text if isinstance(inner, Selector | Series | Call) else f"({text})") + _steps(expr)
        case Call(function=function, args=args):
            return f"{function}({', '.join(string(a) if isinstance(a, str) else _text(a, scope) for a in args)})"
        case Aggregate(operator=operator, expr=inner):
            return f"{operator}{_grouping(expr)}({_text(inner, scope)})"
        case Binary():
            return _binary(expr, scope)
        case Raw():
            return _raw(expr, scope)
    raise TypeError(f"{type(expr).__name__} is not a node of an expression")


def number(value: float) -> str:
    """Return a number as PromQL writes it."""
    value = float(value)
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def string(value: str) -> str:
    """Return a PromQL string literal. JSON's escapes are a subset of Go's, save for the slash, which needs none."""
    return _JSON.encode(value)


def _newest(selector: Selector, scope: Scope, offset: str | None = None) -> str:
    """Return the newest samples that a selector finds."""
    text, window = _selector(selector, scope), scope.held.get(selector.series.name)
    return f"last_over_time({text}[{window}]{_offset(offset)})" if window else text + _offset(offset)


def _selector(selector: Selector, scope: Scope) -> str:
    series = selector.series
    has = series.label_names if scope.matchers else frozenset()
    matchers = [*selector.matchers, *(m for m in scope.matchers if m.label.name in has)]
    inside = ", ".join(f"{m.label.name}{m.operator}{string(m.value)}" for m in matchers)
    return f"{series.name}{selector.suffix}" + (f"{{{inside}}}" if inside else "")


def _window(expr: Range, scope: Scope) -> str:
    if scope.window is None:
        raise DefinitionError(
            f"the window over {expr.selector.series.name} is open here",
            'only a dashboard fills in a window by itself: give one, as in rate(metric, "5m")',
        )
    return scope.window


def _steps(subquery: Subquery) -> str:
    """Return the window of a subquery, a millisecond short: see `Subquery`."""
    return f"[{duration(seconds(subquery.window) - 0.001)}:{subquery.step}]{_offset(subquery.offset)}"


def _offset(offset: str | None) -> str:
    return f" offset {offset}" if offset else ""


def _grouping(aggregate: Aggregate) -> str:
    if aggregate.without is not None:
        return f" without ({', '.join(aggregate.without)}) "
    return f" by ({', '.join(aggregate.by)}) " if aggregate.by else ""


def precedence(expr: Expr) -> int:
    """Return how tightly an expression binds; a higher number binds tighter."""
    if isinstance(expr, Binary):
        return PRECEDENCE.get(expr.operator, COMPARISON)
    if isinstance(expr, Raw):
        return 0
    return ATOM


def _binary(binary: Binary, scope: Scope) -> str:
    own = precedence(binary)
    left, right = _text(binary.left, scope), _text(binary.right, scope)
    if precedence(binary.left) < own:
        left = f"({left})"
    # Operators of one rank are evaluated from the left, so the right side needs brackets at the same rank too.
    if precedence(binary.right) <= own:
        right = f"({right})"
    return f"{left} {binary.operator}{_on(binary)} {right}"


def _on(binary: Binary) -> str:
    return "" if binary.on is None else f" on ({', '.join(binary.on)})"


def _raw(raw: Raw, scope: Scope) -> str:
    # A text that takes a window, or the time of a sample, wants the series itself.
    if "[" in raw.template or "timestamp" in raw.template:
        scope = replace(scope, held={})
    parts = {name: _text(part, scope) for name, part in raw.parts}
    try:
        return raw.template.format_map(parts)
    except (KeyError, ValueError, IndexError, AttributeError, TypeError) as error:
        raise DefinitionError(
            f"the template of raw({raw.template!r}) is broken: {error}",
            "holes are written {name} and given as raw(template, name=expression); a brace is written {{ or }}",
        ) from error
