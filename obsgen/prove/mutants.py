"""Rules with one number, comparison or time changed: a proof that still holds for all of them proves little.

A threshold that is a whole number changes by one, another by a tenth; a comparison takes in its limit or loses it, an
equality turns around; a window doubles and halves; a hold gets one evaluation longer and shorter. What `last_over_time`
alone looks at, how recently a target was scraped, and the tiles of error budgets are no windows that anything is
measured over: they stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from obsgen import budgets
from obsgen.model.catalog import Catalog
from obsgen.model.rule import Alert, Level, Recording, level_expr
from obsgen.promql import reader
from obsgen.promql.infer import COMPARISONS
from obsgen.promql.metric import PROCESS_START, UP, Counter, Histogram, seconds
from obsgen.promql.text import number, render
from obsgen.promql.tree import Aggregate, Binary, Call, Expr, Number, Offset, Range, Raw, Subquery, series_in, walk
from obsgen.prove.rules import Rule, Rules
from obsgen.words import duration

FLIPPED = {">": ">=", ">=": ">", "<": "<=", "<=": "<", "==": "!=", "!=": "=="}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed rule.

    Attributes:
        subject: the alert or recording that it is of.
        change: what is changed, as it is written in `equivalent`.
        rule: the changed rule.
        reason: why the change makes no difference, where the definition says so.
    """

    subject: Alert | Recording
    change: str
    rule: Rule
    reason: str = ""

    @property
    def name(self) -> str:
        """The name of the alert or recording."""
        return self.subject.name


def mutants(catalog: Catalog, rules: Rules) -> Iterator[Mutant]:
    """Yield every mutant of the alerts of a catalog, and of the recordings that they read."""
    behind: set[str] = set()
    for alert in catalog.alerts:
        for level in alert.levels:
            yield from _of_alert(alert, level, rules)
        behind.update(rule.name for rule in rules.needed(name for r in rules.alerts[alert.name] for name in r.reads))
    tiles = {tile.name for domain in catalog.domains for budget in domain.budgets for tile in budgets.tiles(budget)}
    for recording in catalog.recordings:
        if recording.name in behind and recording.name not in tiles:
            yield from _of_recording(recording, rules)


def _of_alert(alert: Alert, level: Level, rules: Rules) -> Iterator[Mutant]:
    [rule] = [r for r in rules.alerts[alert.name] if r.severity == level.severity.value]
    where = f"{level.severity.value}: " if len(alert.levels) > 1 else ""
    for change, expr in changed(level_expr(alert, level)):
        text = render(expr)
        yield _mutant(alert, where + change, replace(rule, expr=text, reads=reader.reach(text)))
    for hold in (rule.hold + rule.interval, rule.hold - rule.interval):
        if hold >= 0:
            change = f"for {duration(rule.hold)} -> {duration(hold)}"
            yield _mutant(alert, where + change, replace(rule, hold=hold))


def _of_recording(recording: Recording, rules: Rules) -> Iterator[Mutant]:
    rule = rules.recordings[recording.name]
    for change, expr in _measured(recording.expr):
        text = render(expr)
        yield _mutant(recording, change, replace(rule, expr=text, reads=reader.reach(text)))


def _mutant(subject: Alert | Recording, change: str, rule: Rule) -> Mutant:
    return Mutant(subject, change, rule, subject.equivalent.get(change, ""))


def changed(expr: Expr) -> Iterator[tuple[str, Expr]]:
    """Yield each change of an expression as it is named, and the changed expression."""
    yield from _compared(expr)
    yield from _measured(expr)


def _measured(expr: Expr) -> Iterator[tuple[str, Expr]]:
    """Yield an expression with one of its windows changed, wherever it stands in it."""
    for window in _windows(expr):
        for other in (2 * seconds(window), seconds(window) / 2):
            if other >= 1:
                new = duration(other)
                yield f"[{window}] -> [{new}]", _with_window(expr, window, new)


def _compared(expr: Expr) -> Iterator[tuple[str, Expr]]:
    """Yield an expression with one of its comparisons changed."""
    if isinstance(expr, Binary) and expr.operator in COMPARISONS:
        was = f"{render(expr.left)} {expr.operator} "
        flipped = FLIPPED[expr.operator]
        yield f"{was}{render(expr.right)} -> {flipped}", replace(expr, operator=flipped)
        if isinstance(expr.right, Number):
            for value in _near(expr.right.value):
                yield f"{was}{number(expr.right.value)} -> {number(value)}", replace(expr, right=Number(value))
    for place, part in _parts(expr):
        for change, new in _compared(part):
            yield change, _with_part(expr, place, new)


def _near(value: float) -> tuple[float, ...]:
    if value in (float("inf"), float("-inf")):
        return ()
    if value.is_integer():
        return (value + 1, value - 1)
    return (round(value * 1.1, 9), round(value * 0.9, 9))


def _windows(expr: Expr) -> tuple[str, ...]:
    """Return the windows that something is measured over, each once."""
    found: dict[str, None] = {}
    looked_up, largest = (
        {id(arg) for node in walk(expr) if isinstance(node, Call) and node.function == function for arg in node.args}
        for function in ("last_over_time", "max_over_time")
    )
    for node in walk(expr):
        if not isinstance(node, Range | Subquery) or set(series_in(node)) <= {UP, PROCESS_START}:
            continue
        if isinstance(node, Range) and id(node) in largest and isinstance(node.selector.series, Counter | Histogram):
            continue  # the largest value of a counter is its last, looked up
        if node.window and id(node) not in looked_up:
            found.setdefault(node.window)
    return tuple(found)


def _with_window(expr: Expr, window: str, new: str) -> Expr:
    match expr:
        case Subquery():
            expr = replace(
                expr,
                window=new if expr.window == window else expr.window,
                offset=new if expr.offset == window else expr.offset,
            )
        case Range():
            return replace(
                expr,
                window=new if expr.window == window else expr.window,
                offset=new if expr.offset == window else expr.offset,
            )
        case Offset():
            return replace(expr, offset=new) if expr.offset == window else expr
    for place, part in _parts(expr):
        expr = _with_part(expr, place, _with_window(part, window, new))
    return expr


Place = str | int


def _parts(expr: Expr) -> list[tuple[Place, Expr]]:
    """Return the parts of an expression that are expressions themselves, and where they stand."""
    match expr:
        case Binary():
            return [("left", expr.left), ("right", expr.right)]
        case Aggregate() | Subquery():
            return [("expr", expr.expr)]
        case Call():
            return [(n, arg) for n, arg in enumerate(expr.args) if isinstance(arg, Expr)]
        case Raw():
            return [(n, part) for n, (_, part) in enumerate(expr.parts)]
    return []


def _with_part(expr: Expr, place: Place, part: Expr) -> Expr:
    match expr:
        case Binary():
            return replace(expr, left=part) if place == "left" else replace(expr, right=part)
        case Aggregate() | Subquery():
            return replace(expr, expr=part)
        case Call():
            return replace(expr, args=tuple(part if n == place else arg for n, arg in enumerate(expr.args)))
        case Raw():
            named = tuple((name, part if n == place else old) for n, (name, old) in enumerate(expr.parts))
            return replace(expr, parts=named)
    return expr
