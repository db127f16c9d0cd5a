"""The PromQL functions that definitions call. A function is added when a definition needs it.

A name that Python already uses has an underscore at its end. `window=None` leaves the window to the dashboard
that shows the expression; alerts and recordings need one.
"""

from __future__ import annotations

from collections.abc import Sequence

from obsgen.promql.label import JOB, Label
from obsgen.promql.metric import UP, Histogram, Source, Vector, as_selector, over
from obsgen.promql.tree import Aggregate, Call, Expr, Number, Range, Raw, Selector, Subquery, names

INF = float("inf")

Windowed = Vector | Subquery
"""What a window can be taken over; a subquery has its own."""


def _samples(vector: Windowed, window: str | None, offset: str | None = None) -> Range | Subquery:
    return vector if isinstance(vector, Subquery) else over(vector, window, offset)


def rate(counter: Vector, window: str | None = None) -> Expr:
    """Return the growth of a counter per second."""
    return Call("rate", (over(counter, window),))


def increase(counter: Windowed, window: str | None = None) -> Expr:
    """Return the growth of a counter over a window. The first value of a new series is not counted: see `events`."""
    return Call("increase", (_samples(counter, window),))


def resets(vector: Windowed, window: str | None = None) -> Expr:
    """Return how often a counter fell back."""
    return Call("resets", (_samples(vector, window),))


def changes(vector: Windowed, window: str | None = None) -> Expr:
    """Return how often the value changed."""
    return Call("changes", (_samples(vector, window),))


def avg_over_time(vector: Windowed, window: str | None = None) -> Expr:
    """Return the mean of the samples in a window."""
    return Call("avg_over_time", (_samples(vector, window),))


def max_over_time(vector: Windowed, window: str | None = None, offset: str | None = None) -> Expr:
    """Return the largest sample in a window."""
    return Call("max_over_time", (_samples(vector, window, offset),))


def min_over_time(vector: Windowed, window: str | None = None) -> Expr:
    """Return the smallest sample in a window."""
    return Call("min_over_time", (_samples(vector, window),))


def sum_over_time(vector: Windowed, window: str | None = None) -> Expr:
    """Return the sum of the samples in a window."""
    return Call("sum_over_time", (_samples(vector, window),))


def last_over_time(vector: Windowed, window: str | None = None, offset: str | None = None) -> Expr:
    """Return the newest sample in a window."""
    return Call("last_over_time", (_samples(vector, window, offset),))


def count_over_time(vector: Windowed, window: str | None = None) -> Expr:
    """Return the number of samples in a window."""
    return Call("count_over_time", (_samples(vector, window),))


def present_over_time(vector: Windowed, window: str | None = None, offset: str | None = None) -> Expr:
    """Return 1 for every series that has a sample in a window."""
    return Call("present_over_time", (_samples(vector, window, offset),))


def sum_(expr: Expr, by: Sequence[Label] = ()) -> Expr:
    """Return the sum, one for each combination of the `by` labels."""
    return Aggregate("sum", expr, names(by) or ())


def avg(expr: Expr, by: Sequence[Label] = ()) -> Expr:
    """Return the mean, one for each combination of the `by` labels."""
    return Aggregate("avg", expr, names(by) or ())


def max_(expr: Expr, by: Sequence[Label] = ()) -> Expr:
    """Return the largest value, one for each combination of the `by` labels."""
    return Aggregate("max", expr, names(by) or ())


def min_(expr: Expr, by: Sequence[Label] = ()) -> Expr:
    """Return the smallest value, one for each combination of the `by` labels."""
    return Aggregate("min", expr, names(by) or ())


def count(expr: Expr, by: Sequence[Label] = ()) -> Expr:
    """Return the number of series, one for each combination of the `by` labels."""
    return Aggregate("count", expr, names(by) or ())


def abs_(expr: Expr) -> Expr:
    """Return the values without their sign."""
    return Call("abs", (expr,))


def time() -> Expr:
    """Return the time of the evaluation, in Unix seconds."""
    return Call("time", ())


def scalar(expr: Expr) -> Expr:
    """Return the value of the only series as a number, NaN if there are none or several."""
    return Call("scalar", (expr,))


def clamp_max(expr: Expr, maximum: float) -> Expr:
    """Return the values, none above `maximum`."""
    return Call("clamp_max", (expr, Number(maximum)))


def clamp_min(expr: Expr, minimum: float) -> Expr:
    """Return the values, none below `minimum`."""
    return Call("clamp_min", (expr, Number(minimum)))


def vector(value: float) -> Expr:
    """Return a number as a series without labels."""
    return Call("vector", (Number(value),))


def absent(expr: Expr) -> Expr:
    """Return 1 when the expression has no result."""
    return Call("absent", (expr,))


def finite(expr: Expr) -> Expr:
    """Return the series whose value is a real number: a comparison drops NaN and +Inf."""
    return expr < INF


def histogram_quantile(
    quantile: float, histogram: Histogram | Selector, by: Sequence[Label] = (), window: str | None = None
) -> Expr:
    """Return an estimated quantile (0 to 1) of what a histogram observed, one for each combination of `by`."""
    buckets = _buckets(histogram)
    grouped = Aggregate("sum", rate(buckets, window), ("le", *(names(by) or ())))
    return Call("histogram_quantile", (Number(quantile), grouped))


def histogram_buckets(histogram: Histogram | Selector, window: str | None = None) -> Expr:
    """Return how many observations fell below each bucket's bound in a window: what a heatmap draws."""
    return Aggregate("sum", increase(_buckets(histogram), window), ("le",))


def _buckets(histogram: Histogram | Selector) -> Selector:
    selector = as_selector(histogram)
    return Selector(selector.series, selector.matchers, "_bucket")


def up(source: Source) -> Selector:
    """Return whether Prometheus can scrape a source: 1 or 0 for each of its targets."""
    return UP.where(JOB.equals(source.job))


def raw(template: str, **parts: Expr) -> Expr:
    """Return PromQL that the builder has no function for: `raw("topk(5, {x})", x=expr)`.

    The text may not name a metric; metrics come in through the parts.
    """
    return Raw(template, tuple(parts.items()))
