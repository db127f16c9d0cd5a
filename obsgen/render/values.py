"""What the values of a panel are: states with names, whole numbers, numbers that are never negative."""

from __future__ import annotations

from collections.abc import Mapping

from obsgen.model.dashboard import Panel
from obsgen.model.rule import Recording
from obsgen.promql.infer import EXTREMES, core
from obsgen.promql.metric import Gauge
from obsgen.promql.quantity import unit_of
from obsgen.promql.tree import Aggregate, Binary, Call, Expr, Raw, Selector, Series, walk
from obsgen.promql.units import Unit

NEVER_NEGATIVE = (
    Unit.COUNT,
    Unit.REQUESTS,
    Unit.MILLISECONDS,
    Unit.SECONDS,
    Unit.BYTES,
    Unit.PER_SECOND,
    Unit.REQUESTS_PER_SECOND,
    Unit.BYTES_PER_SECOND,
)
_FRACTIONS = ("avg", "rate", "irate", "increase", "delta", "deriv", "quantile", "histogram", "stddev", "stdvar")
"""What the functions begin with that make fractions of counts; `increase` estimates."""


def states_of(expr: Expr) -> dict[int, str]:
    """Return the names of the states that an expression's values are; none of an average, which is none of them."""
    subject = core(expr, EXTREMES)
    return dict(subject.states) if isinstance(subject, Gauge) else {}


def shared_states(panel: Panel) -> dict[int, str]:
    """Return the names of states where all queries of a panel are about the same: else a ratio would read `healthy`."""
    each = [states_of(expr) for expr in panel.expressions]
    return each[0] if each and all(states == each[0] for states in each) else {}


def is_whole(expr: Expr, series: Mapping[str, Series], seen: frozenset[str] = frozenset()) -> bool:
    """Return whether the values of an expression are certainly whole numbers.

    Args:
        expr: the expression.
        series: the metrics and recordings of the catalog, by name.
        seen: the recordings that are being looked into: they may read each other.
    """
    if unit_of(expr) not in (Unit.COUNT, Unit.REQUESTS):
        return False
    for node in walk(expr):
        match node:
            case Aggregate(operator="avg" | "quantile" | "stddev" | "stdvar") | Binary(operator="/") | Raw():
                return False
            case Call(function=function) if function.startswith(_FRACTIONS):
                return False
            case Series(name=name) | Selector(series=Series(name=name)):
                made = series.get(name)
                if isinstance(made, Recording) and name not in seen and not is_whole(made.expr, series, seen | {name}):
                    return False
    return True
