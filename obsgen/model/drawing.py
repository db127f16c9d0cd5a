"""Where the threshold of an alert may be drawn: on what shows the value that it is compared with.

An alert and a panel are about the same series, or nothing is drawn. Then the panel may pick:

| the alert fires when                | the threshold is true on a panel of       | and not on one of        |
| ----------------------------------- | ----------------------------------------- | ------------------------ |
| `x > 250`, `x >= 250`               | `x`, `max(x)`, `max_over_time(x[1d])`     | `min`, `avg`, `sum`      |
| `x < 0.8`, `x <= 0.8`               | `x`, `min(x)`, `min_over_time(x[1d])`     | `max`, `avg`, `sum`      |
| `x == 0`, the lowest value of x     | `x`, `min(x)`, `min_over_time(x[1d])`     | `max`, `avg`, `sum`      |
| `x == 1`, the highest value of x    | `x`, `max(x)`, `max_over_time(x[1d])`     | `min`, `avg`, `sum`      |
| `x == 5`, another value             | `x`                                       | everything else          |
| `max(x) > 250`                      | as of `x > 250`                           | as of `x > 250`          |
| `min(x) > 250`, `avg(x) > 250`      | the same, and a `max` of it               | `x`, another aggregation |

The reason is the same in each line: the largest value is above a threshold exactly when any value is. So `max` may
stand on either side of `>`, by whatever labels; what else is computed has to be the same on both sides.

An aggregation by all the labels that a recorded series has picks one series of one, whatever it is called.

What guards an alert (`and`, `unless`, `finite(x)`) leaves out series and changes no value, so the threshold stays true
for those that it watches; a panel may show others besides. It may not show only others: an alert on
`x{region="eu"}` is not drawn on `x{region="us"}`.
"""

from __future__ import annotations

from obsgen.model.rule import Alert, Comparison, Level, Threshold
from obsgen.promql.infer import core, watched
from obsgen.promql.metric import Gauge
from obsgen.promql.tree import Expr, Selector
from obsgen.promql.units import Unit

_UP = (Comparison.ABOVE, Comparison.AT_LEAST)
_DOWN = (Comparison.BELOW, Comparison.AT_MOST)


def is_true_on(alert: Alert, level: Level, shown: Expr) -> bool:
    """Return whether a level's threshold is true for the values of an expression on a panel."""
    if level.threshold is None:
        return False
    picker = _picker(level.threshold, alert.expr)
    ours, theirs = watched(alert.expr, picker), watched(shown, picker)
    return core(ours, picker) == core(theirs, picker) and not _apart(ours, theirs)


def _picker(threshold: Threshold, expr: Expr) -> frozenset[str]:
    """Return the aggregation whose result reaches a threshold exactly when one of its values does; none for some."""
    if threshold.comparison in _UP:
        return frozenset({"max"})
    if threshold.comparison in _DOWN:
        return frozenset({"min"})
    possible = _possible(expr)
    if possible and threshold.value == min(possible):
        return frozenset({"min"})
    return frozenset({"max"}) if possible and threshold.value == max(possible) else frozenset()


def _possible(expr: Expr) -> tuple[int, ...]:
    """Return the values that the watched series can have, where they are known."""
    subject = core(expr)
    if not isinstance(subject, Gauge):
        return ()
    return tuple(subject.states) or ((0, 1) if subject.unit is Unit.BOOLEAN else ())


def _apart(ours: Expr, theirs: Expr) -> bool:
    """Return whether two selections have no series in common, as far as their matchers name values."""
    if not isinstance(ours, Selector) or not isinstance(theirs, Selector):
        return False
    return any(
        one.label == other.label and not set(one.literals) & set(other.literals)
        for one in ours.matchers
        for other in theirs.matchers
        if one.literals and other.literals and {one.operator, other.operator} <= {"=", "=~"}
    )
