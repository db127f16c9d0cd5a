"""PromQL as values: the nodes of an expression, and what authors may do with them.

An expression is built with Python's operators (`+ - * / > >= < <=`) and with methods where Python has no
operator that can be trusted (`equals`, `and_`, `or_`, `unless`). Nodes hold no text: `promql.text` writes
them. A node remembers the line that built it, so that a check can point at it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Union

from obsgen.errors import DefinitionError, Location, here
from obsgen.promql.label import Label, Matcher

Operand = Union["Expr", int, float]


class Expr:
    """A PromQL expression. `==` compares two expressions as Python values; use `equals` for PromQL's `==`."""

    __slots__ = ()
    at: Location

    def __bool__(self) -> bool:
        """Refuse: `and`, `or`, `not` and `a < b < c` would silently drop a part of the expression."""
        raise DefinitionError(
            "a PromQL expression has no truth value in Python",
            "write a.and_(b), a.or_(b) or a.unless(b); write a chained comparison as two",
        )

    def __add__(self, other: Operand) -> Expr:
        return Binary("+", self, operand(other))

    def __radd__(self, other: Operand) -> Expr:
        return Binary("+", operand(other), self)

    def __sub__(self, other: Operand) -> Expr:
        return Binary("-", self, operand(other))

    def __rsub__(self, other: Operand) -> Expr:
        return Binary("-", operand(other), self)

    def __mul__(self, other: Operand) -> Expr:
        return Binary("*", self, operand(other))

    def __rmul__(self, other: Operand) -> Expr:
        return Binary("*", operand(other), self)

    def __truediv__(self, other: Operand) -> Expr:
        return Binary("/", self, operand(other))

    def __rtruediv__(self, other: Operand) -> Expr:
        return Binary("/", operand(other), self)

    def __gt__(self, other: Operand) -> Expr:
        return Binary(">", self, operand(other))

    def __ge__(self, other: Operand) -> Expr:
        return Binary(">=", self, operand(other))

    def __lt__(self, other: Operand) -> Expr:
        return Binary("<", self, operand(other))

    def __le__(self, other: Operand) -> Expr:
        return Binary("<=", self, operand(other))

    def equals(self, other: Operand) -> Expr:
        """Return `self == other`: the series whose value is equal."""
        return Binary("==", self, operand(other))

    def differs(self, other: Operand) -> Expr:
        """Return `self != other`: the series whose value differs."""
        return Binary("!=", self, operand(other))

    def and_(self, other: Expr, on: Sequence[Label] | None = None) -> Expr:
        """Return the series of `self` that have a partner in `other`, matched on all labels or only on `on`."""
        return Binary("and", self, other, on=names(on))

    def or_(self, other: Expr, on: Sequence[Label] | None = None) -> Expr:
        """Return the series of `self`, and those of `other` that have no partner in it."""
        return Binary("or", self, other, on=names(on))

    def unless(self, other: Expr, on: Sequence[Label] | None = None) -> Expr:
        """Return the series of `self` that have no partner in `other`."""
        return Binary("unless", self, other, on=names(on))


def names(labels: Sequence[Label] | None) -> tuple[str, ...] | None:
    """Return the labels' names, or None for None.

    Raises:
        DefinitionError: one of them is not a label.
    """
    if labels is None:
        return None
    if isinstance(labels, Label):
        raise DefinitionError(f"the label {labels.name!r} stands alone", f"give a list: [{labels.name.upper()}]")
    for label in labels:
        if not isinstance(label, Label):
            raise DefinitionError(
                f"{label!r} is not a Label", f'define it once, as in {str(label).upper()} = Label("{label}", "...")'
            )
    return tuple(label.name for label in labels)


def operand(value: Operand) -> Expr:
    """Return the expression for one side of an operator.

    Raises:
        DefinitionError: the value is neither an expression nor a number.
    """
    if isinstance(value, Expr):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Number(value)
    raise DefinitionError(f"{value!r} is not a PromQL expression or a number")


def _expect(*parts: object) -> None:
    """Refuse what is no expression, at the line that takes it for one."""
    for part in parts:
        if not isinstance(part, Expr):
            raise DefinitionError(f"{part!r} is not a PromQL expression", "give a metric, or what a function returned")


def _at() -> Location:
    return field(default_factory=here, init=False, repr=False, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Number(Expr):
    """A number, `+Inf` and `NaN` included."""

    value: float
    at: Location = _at()

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", float(self.value))


@dataclass(frozen=True, slots=True)
class Selector(Expr):
    """Series of one name, filtered by matchers. `suffix` picks a part of a histogram (`_bucket`, `_count`, `_sum`)."""

    series: Series
    matchers: tuple[Matcher, ...] = ()
    suffix: str = ""
    at: Location = _at()

    def __post_init__(self) -> None:
        for matcher in self.matchers:
            if not isinstance(matcher, Matcher):
                raise DefinitionError(
                    f"where() of {self.series.name} takes conditions on labels, not {matcher!r}",
                    'write them as in where(NODE.equals("main"))',
                )

    def where(self, *matchers: Matcher) -> Selector:
        """Return the selector with further matchers."""
        return Selector(self.series, self.matchers + matchers, self.suffix)


@dataclass(frozen=True, slots=True)
class Range(Expr):
    """The samples of a selector over a window; a window of None is filled in by the `Scope` at rendering."""

    selector: Selector
    window: str | None = None
    offset: str | None = None
    at: Location = _at()


@dataclass(frozen=True, slots=True)
class Offset(Expr):
    """A selector as it was some time ago."""

    selector: Selector
    offset: str
    at: Location = _at()


@dataclass(frozen=True, slots=True)
class Subquery(Expr):
    """The values of an expression at every step of a window, as samples.

    The steps lie at multiples of `step` since 1970, whatever the time of evaluation. The window is open at its left end
    in every version of Prometheus: it is written a millisecond short, since Prometheus 2 would take in both ends.
    """

    expr: Expr
    window: str
    step: str
    offset: str | None = None
    at: Location = _at()

    def __post_init__(self) -> None:
        _expect(self.expr)


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """A PromQL function. Strings are PromQL string literals."""

    function: str
    args: tuple[Expr | str, ...]
    at: Location = _at()

    def __post_init__(self) -> None:
        _expect(*(arg for arg in self.args if not isinstance(arg, str)))


@dataclass(frozen=True, slots=True)
class Aggregate(Expr):
    """An aggregation. With neither `by` nor `without` everything becomes one series."""

    operator: str
    expr: Expr
    by: tuple[str, ...] = ()
    without: tuple[str, ...] | None = None
    at: Location = _at()

    def __post_init__(self) -> None:
        _expect(self.expr)


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    """A binary operator. `on` None matches on all labels, `()` on none."""

    operator: str
    left: Expr
    right: Expr
    on: tuple[str, ...] | None = None
    at: Location = _at()

    def __post_init__(self) -> None:
        _expect(self.left, self.right)


@dataclass(frozen=True, slots=True)
class Raw(Expr):
    """PromQL text with holes, for what the builder lacks. The text may not name a metric: the parts do."""

    template: str
    parts: tuple[tuple[str, Expr], ...] = ()
    at: Location = _at()

    def __post_init__(self) -> None:
        _expect(*(part for _, part in self.parts))


class Series(Expr):
    """Something with a name that can be selected: a metric or a recorded series."""

    __slots__ = ()
    name: str

    def __eq__(self, other: object) -> bool:
        """Compare by name: in Prometheus, the name is the identity."""
        return isinstance(other, Series) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def label_names(self) -> frozenset[str]:
        """Names of the labels that its series carry, those that Prometheus adds while scraping included."""
        raise NotImplementedError(type(self).__name__)  # pragma: no cover

    def where(self, *matchers: Matcher) -> Selector:
        """Return the series that fit all the matchers."""
        return Selector(self, matchers)

    def ago(self, offset: str) -> Offset:
        """Return the series as they were `offset` (a PromQL duration) ago."""
        if not isinstance(offset, str) or not offset:
            raise DefinitionError(f"{offset!r} is not a duration", 'write it as Prometheus does: "5m", "1h30m"')
        return Offset(Selector(self), offset)


def children(expr: Expr) -> tuple[Expr, ...]:
    """Return the direct parts of an expression. A series has none: what a recording computes is not part of it."""
    match expr:
        case Selector(series=series):
            return (series,)
        case Range(selector=selector) | Offset(selector=selector):
            return (selector,)
        case Call(args=args):
            return tuple(arg for arg in args if isinstance(arg, Expr))
        case Aggregate(expr=inner) | Subquery(expr=inner):
            return (inner,)
        case Binary(left=left, right=right):
            return (left, right)
        case Raw(parts=parts):
            return tuple(part for _, part in parts)
    return ()


def walk(expr: Expr) -> Iterator[Expr]:
    """Yield an expression and all its parts, outermost first."""
    stack = [expr]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))


def series_in(expr: Expr) -> tuple[Series, ...]:
    """Return the series that an expression reads, each once, in the order of their appearance."""
    found: dict[str, Series] = {}
    for node in walk(expr):
        if isinstance(node, Series):
            found.setdefault(node.name, node)
    return tuple(found.values())
