"""The PromQL functions that definitions call. A function is added when a definition needs it.

A name that Python already uses has an underscore at its end. `window=None` leaves the window to the dashboard
that shows the expression; alerts and recordings need one.
"""

from __future__ import annotations

from collections.abc import Sequence

from obsgen.promql.label import INSTANCE, JOB, Label
from obsgen.promql.metric import (
    PROCESS_START,
    UP,
    Counter,
    Gauge,
    Histogram,
    Metric,
    Source,
    Vector,
    as_selector,
    over,
    seconds,
)
from obsgen.promql.tree import Aggregate, Call, Expr, Number, Raw, Selector, names

INF = float("inf")


def rate(counter: Vector, window: str | None = None) -> Expr:
    """Return the growth of a counter per second."""
    return Call("rate", (over(counter, window),))


def increase(counter: Vector, window: str | None = None) -> Expr:
    """Return the growth of a counter over a window. The first value of a new series is not counted: see `events`."""
    return Call("increase", (over(counter, window),))


def changes(vector: Vector, window: str) -> Expr:
    """Return how often the value changed."""
    return Call("changes", (over(vector, window),))


def avg_over_time(vector: Vector, window: str | None = None) -> Expr:
    """Return the mean of the samples in a window."""
    return Call("avg_over_time", (over(vector, window),))


def max_over_time(vector: Vector, window: str | None = None) -> Expr:
    """Return the largest sample in a window."""
    return Call("max_over_time", (over(vector, window),))


def min_over_time(vector: Vector, window: str | None = None) -> Expr:
    """Return the smallest sample in a window."""
    return Call("min_over_time", (over(vector, window),))


def sum_over_time(vector: Vector, window: str | None = None) -> Expr:
    """Return the sum of the samples in a window."""
    return Call("sum_over_time", (over(vector, window),))


def last_over_time(vector: Vector, window: str, offset: str | None = None) -> Expr:
    """Return the newest sample in a window."""
    return Call("last_over_time", (over(vector, window, offset),))


def count_over_time(vector: Vector, window: str | None = None) -> Expr:
    """Return the number of samples in a window."""
    return Call("count_over_time", (over(vector, window),))


def present_over_time(vector: Vector, window: str) -> Expr:
    """Return 1 for every series that has a sample in a window."""
    return Call("present_over_time", (over(vector, window),))


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


def label_replace(expr: Expr, name: str, replacement: str, source: str = "", pattern: str = "") -> Expr:
    """Return the series with a label set to `replacement`, `$1` in it being what `pattern` finds in `source`.

    Without a source all series get the same value; an empty one takes the label away.
    """
    return Call("label_replace", (expr, name, replacement, source, pattern))


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


def events(counter: Vector, window: str, by: Sequence[Label] = (), lookback: str = "1h") -> Expr:
    """Return how many events a counter saw in a window, exactly, the first one included.

    `increase` extrapolates, and never sees the value a series is born with: client libraries create the series
    of a label value at its first event, so the first violation, error or failure would be lost. This subtracts
    instead, in four cases of falling preference:

    1. the series had a sample before the window (`lookback` bridges scrapes that failed): last minus that;
    2. it also has a smaller value now, so its process restarted: what came before the restart, and since;
    3. it is new while its target was already being scraped, or its process has only just started: it started at
       zero (a `persistent` counter's process may be as young as it likes);
    4. its target is new to Prometheus too: only the growth that was seen, as `increase` does.

    Args:
        counter: a counter, or a selector of one.
        window: the window, a PromQL duration.
        by: labels to keep; everything else is summed.
        lookback: how long before the window a sample still counts as the value at its start.

    Source: the growth is a difference of samples, so that windows add up without loss, as in the discussion
    https://github.com/prometheus/prometheus/issues/3806; the case of a new series is
    https://github.com/prometheus/prometheus/issues/1673.
    """
    selector = as_selector(counter)
    now = last_over_time(selector, window)
    before = last_over_time(selector, lookback, offset=window)
    highest = max_over_time(selector, window)
    known = Call("max_over_time", (over(_of_its_job(UP, selector), lookback, window),)).equals(1)
    if not (isinstance(selector.series, Counter) and selector.series.persistent):
        # Looked up over the window, for the process may have ended within it.
        started = last_over_time(_of_its_job(PROCESS_START, selector), window)
        known = known.or_(started > Call("time", ()) - (seconds(lookback) + seconds(window)))
    grown = (now - before) >= 0
    restarted = now + ((highest - before) >= 0)
    born = now.and_(known, on=(JOB, INSTANCE))
    return sum_(grown.or_(restarted).or_(born).or_(increase(selector, window)), by)


def _of_its_job(gauge: Gauge, selector: Selector) -> Vector:
    series = selector.series
    if isinstance(series, Metric) and series.source is not None:
        return gauge.where(JOB.equals(series.source.job))
    return gauge


def up(source: Source) -> Selector:
    """Return whether Prometheus can scrape a source: 1 or 0 for each of its targets."""
    return UP.where(JOB.equals(source.job))


def raw(template: str, **parts: Expr) -> Expr:
    """Return PromQL that the builder has no function for: `raw("topk(5, {x})", x=expr)`.

    The text may not name a metric; metrics come in through the parts.
    """
    return Raw(template, tuple(parts.items()))
