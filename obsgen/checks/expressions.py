"""PromQL that Prometheus would take, and that would still never mean what it says."""

from __future__ import annotations

from collections.abc import Iterator

from obsgen.checks.places import Place, Survey, meant
from obsgen.errors import DefinitionError, Location, Problem
from obsgen.model import seldom
from obsgen.model.rule import level_expr
from obsgen.promql import reader
from obsgen.promql.infer import ANY_WINDOW
from obsgen.promql.label import RENAMED
from obsgen.promql.metric import Counter, Histogram, Metric, seconds
from obsgen.promql.text import number, render
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
    children,
    series_in,
    walk,
)
from obsgen.words import duration

PARTS = ("_bucket", "_count", "_sum")


def undeclared_series(survey: Survey) -> Iterator[Problem]:
    """A metric or recording that is read, and that no domain lists."""
    declared = {s.name for s in (*survey.catalog.metrics, *survey.catalog.recordings)}
    readers: dict[Series, list[Place]] = {}
    for place in survey.places:
        for series in series_in(place.expr):
            built_in = isinstance(series, Metric) and series.source is None
            if series.name not in declared and not built_in:
                readers.setdefault(series, []).append(place)
    for series, places in readers.items():
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        message = f"no domain declares {series.name}, which is read by {places[0].what}{more}"
        kind = "metrics" if isinstance(series, Metric) else "recordings"
        at = getattr(series, "at", places[0].at)
        yield Problem("undeclared-series", message, at, f"add it to the {kind}=(...) of a Domain")


def rate_of_gauge(survey: Survey) -> Iterator[Problem]:
    """`rate` and `increase` take every fall of a value for a restart: only a counter may be given to them."""
    for place, node in survey.nodes:
        if not isinstance(node, Call) or node.function not in ("rate", "increase"):
            continue
        selector = node.args[0].selector if isinstance(node.args[0], Range) else None
        if selector is None or isinstance(selector.series, Counter | Histogram) or selector.suffix in PARTS:
            continue
        kind = selector.series.kind if isinstance(selector.series, Metric) else "recorded series"
        message = f"{node.function}() needs a counter, and {selector.series.name} is a {kind}"
        hint = "for a gauge, use avg_over_time() or changes(); for a histogram, its .count or .sum"
        yield Problem("rate-of-gauge", message, place.line(node), hint)


def seldom_recorded(survey: Survey) -> Iterator[Problem]:
    """A rule that reads a series less often recorded than Prometheus looks back: it has no value most of the time.

    An interval of its own helps nothing: each group is evaluated at another time of it, which Prometheus makes up from
    the group's name. Only where the interval is no longer than what Prometheus looks back, there always is a sample.
    """
    held = seldom.held(survey.catalog)
    interval = {recording.name: seconds(recording.interval) for recording in survey.catalog.recordings}
    for place in survey.places:
        for selector in _at_once(place.expr) if place.interval else ():
            name = selector.series.name
            if name in held and not interval.get(name, 0) == seconds(place.interval) <= seldom.LOOKBACK:
                message = (
                    f"{place.what} is evaluated every {place.interval} and reads {name}, which has a sample every "
                    f"{duration(seconds(held[name]) / seldom.REACH)}: Prometheus looks back five minutes and does not "
                    "always find one"
                )
                hint = f'write last_over_time({name}, "{held[name]}")'
                yield Problem("seldom-recorded", message, place.line(selector), hint)


def _at_once(expr: Expr) -> Iterator[Selector]:
    """Yield what an expression selects the newest samples of: what stands under no window."""
    match expr:
        case Series():
            yield Selector(expr)
        case Selector():
            yield expr
        case Range() | Subquery() | Raw():
            # What a text around them makes of its parts is not known.
            return
        case Offset(selector=selector):
            yield selector
        case _:
            for child in children(expr):
                yield from _at_once(child)


def quantile_of_counter(survey: Survey) -> Iterator[Problem]:
    """A quantile needs the buckets of a histogram, and a number from 0 to 1."""
    for place, node in survey.nodes:
        if isinstance(node, Selector) and node.suffix in PARTS and not isinstance(node.series, Histogram):
            kind = node.series.kind if isinstance(node.series, Metric) else "recorded series"
            message = f"a histogram is needed, and {node.series.name} is a {kind}"
            hint = "histogram_quantile() reads the buckets of a Histogram"
            yield Problem("quantile-of-counter", message, place.line(node), hint)
        if isinstance(node, Call) and node.function == "histogram_quantile":
            quantile = node.args[0]
            if isinstance(quantile, Number) and not 0 <= quantile.value <= 1:
                message = f"the quantile {number(quantile.value)} is not from 0 to 1"
                hint = f"the 95th percentile is 0.95, so write {quantile.value / 100}" if quantile.value <= 100 else ""
                yield Problem("quantile-of-counter", message, place.line(node), hint)


def bare_histogram(survey: Survey) -> Iterator[Problem]:
    """A histogram has no series of its own name, only parts."""
    for place in survey.places:
        stack = [place.expr]
        while stack:
            node = stack.pop()
            selected = node.series if isinstance(node, Selector) else node
            if isinstance(selected, Histogram) and not getattr(node, "suffix", ""):
                message = f"{place.what} reads the histogram {selected.name} as if it had values of its own"
                hint = "use histogram_quantile(), or its .count or .sum"
                yield Problem("bare-histogram", message, place.line(node), hint)
            if not isinstance(node, Selector):
                stack.extend(children(node))


def unknown_label(survey: Survey) -> Iterator[Problem]:
    """A label in `by`, `on` or a matcher that its series do not carry."""
    for place, node in survey.nodes:
        if isinstance(node, Aggregate):
            yield from _missing(place.line(node), node.by, survey.labels(node.expr), f"{node.operator}(..., by=...)")
        elif isinstance(node, Raw):
            for name in survey.lost_labels(node):
                message = f"raw({node.template!r}) aggregates by the label {name!r}, which is not there"
                yield Problem("unknown-label", message, place.line(node))
        elif isinstance(node, Binary) and node.on:
            for side in (node.left, node.right):
                yield from _missing(place.line(node), node.on, survey.labels(side), f"{node.operator}(..., on=...)")
        elif isinstance(node, Selector):
            has = node.series.label_names | ({"le"} if node.suffix == "_bucket" else frozenset())
            used = tuple(m.label.name for m in node.matchers if m.label.name != RENAMED.name)
            yield from _missing(place.line(node), used, has, f"{node.series.name}.where(...)")


def _missing(at: Location, used: tuple[str, ...], has: frozenset[str] | None, what: str) -> Iterator[Problem]:
    for name in used:
        if has is not None and name not in has:
            message = f"{what} uses the label {name!r}, which is not there"
            yield Problem("unknown-label", message, at, meant(name, has))


def unknown_value(survey: Survey) -> Iterator[Problem]:
    """A matcher asks for a value that the label cannot have."""
    for place, node in survey.nodes:
        if not isinstance(node, Selector) or not isinstance(node.series, Metric):
            continue
        values = {label.name: label.values for label in node.series.labels if label.values}
        for matcher in node.matchers:
            for value in matcher.literals:
                allowed = values.get(matcher.label.name)
                if allowed is not None and value not in allowed:
                    message = f"{node.series.name} never has {matcher.label.name}={value!r}"
                    yield Problem("unknown-value", message, place.line(node), meant(value, list(allowed)))


def unmatched_labels(survey: Survey) -> Iterator[Problem]:
    """Two sides of an operator with different labels never match: the result is always empty."""
    for place, node in survey.nodes:
        if not isinstance(node, Binary) or node.on is not None or node.operator == "or":
            continue
        left, right = survey.labels(node.left), survey.labels(node.right)
        if left is None or right is None or left == right or _scalar(node.left) or _scalar(node.right):
            continue
        message = (
            f"the sides of {node.operator!r} have different labels and never match: "
            f"{{{', '.join(sorted(left))}}} and {{{', '.join(sorted(right))}}}"
        )
        hint = "aggregate both by the same labels, or match with on=(...)"
        yield Problem("unmatched-labels", message, place.line(node), hint)


def _scalar(node: Expr) -> bool:
    match node:
        case Number() | Call(function="scalar" | "time"):
            return True
        case Binary(left=left, right=right):
            return _scalar(left) and _scalar(right)
    return False


def open_window(survey: Survey) -> Iterator[Problem]:
    """A rule or an annotation has no dashboard to fill in a window."""
    for place, node in survey.nodes:
        if isinstance(node, Range) and node.window is None and not place.fills_window:
            message = f"{place.what} leaves the window over {node.selector.series.name} open"
            hint = 'only a panel fills it in: give one, as in rate(metric, "5m")'
            yield Problem("open-window", message, place.line(node), hint)


def not_promql(survey: Survey) -> Iterator[Problem]:
    """What is written is not PromQL, or names a metric in the text of `raw`."""
    for place in survey.places:
        yield from _unreadable(place)
    for alert in survey.catalog.alerts:
        for level in alert.levels:
            if level.threshold is not None:
                # A scalar, for one, is PromQL, and cannot be compared with a threshold.
                yield from _unreadable(Place(level_expr(alert, level), alert.at, f"alert {alert.name}"))


def _unreadable(place: Place) -> Iterator[Problem]:
    try:
        written = render(place.expr, ANY_WINDOW)
        read = reader.metric_names(written)
        if not reader.is_value(written):
            raise reader.PromQLError("a range or a text is no result")
    except reader.PromQLError as error:
        message = f"{place.what} is not PromQL for Prometheus ({error}): {render(place.expr, ANY_WINDOW)}"
        yield Problem("not-promql", message, place.at)
        return
    except DefinitionError as error:
        yield Problem("not-promql", error.message, place.at, error.hint)
        return
    known = {s.name + part for s in series_in(place.expr) for part in ("", *PARTS)}
    for name in read:
        if name not in known:
            raws = [node for node in walk(place.expr) if isinstance(node, Raw) and name in node.template]
            at = place.line(raws[0]) if raws else place.at
            hint = 'give the metric as a part: raw("topk(5, {x})", x=METRIC)'
            yield Problem("not-promql", f"the text of raw() names the metric {name!r}", at, hint)
