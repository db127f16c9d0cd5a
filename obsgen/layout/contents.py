"""What stands in a panel as far as the catalog knows it: the longest values, and the names of series."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from math import prod

from obsgen.errors import DefinitionError
from obsgen.model.dashboard import Panel, Query
from obsgen.promql.infer import EXTREMES, core, labels_of
from obsgen.promql.label import TARGET_LABELS, Label
from obsgen.promql.metric import Gauge, Metric
from obsgen.promql.reader import PromQLError
from obsgen.promql.tree import Aggregate, Expr, Selector, series_in, walk
from obsgen.promql.units import Unit

_LONGEST = {
    Unit.NONE: "-12.3 Mil",
    Unit.TIMES: "-12.3 Mil",
    Unit.TIMESTAMP: "1700000000",
    Unit.COUNT: "12,345,678",
    Unit.REQUESTS: "12,345,678",
    Unit.RATIO: "-100.0%",
    Unit.PERCENT: "-100.0%",
    Unit.MILLISECONDS: "12.3 hours",
    Unit.SECONDS: "12.3 weeks",
    Unit.BYTES: "12.3 GiB",
    Unit.PER_SECOND: "0.0123 c/s",
    Unit.REQUESTS_PER_SECOND: "12.3K req/s",
    Unit.BYTES_PER_SECOND: "12.3 MB/s",
    Unit.CELSIUS: "-12.3 °C",
    Unit.STATE: "12",
    Unit.BOOLEAN: "Off",
}
"""How long a value gets as Grafana writes it (`packages/grafana-data/src/valueFormats`)."""
_IN_LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_MANY = 200
"""More names than these are not made up: nothing could show them."""


def longest_values(panel: Panel, query: Query) -> list[str]:
    """Return how the values of a query may be written, the longest or all: names of states, or a number."""
    subject = core(query.expr, EXTREMES)
    states = subject.states if isinstance(subject, Gauge) else {}
    absent = [query.absent] if query.absent else []
    return [*states.values(), *absent] if states else [_LONGEST[panel.unit_of(query)], *absent]


def names(query: Query) -> list[str] | None:
    """Return the names of a query's series; None where the catalog does not know the values of a label in them."""
    by = _shown(query)
    if by is None:
        return None
    picked = {
        matcher.label.name: matcher.literals
        for node in walk(query.expr)
        if isinstance(node, Selector)
        for matcher in node.matchers
        if matcher.operator in ("=", "=~") and matcher.literals
    }
    known = [picked.get(label.name) or label.values for label in by]
    if not all(known) or prod(map(len, known)) > _MANY:
        return None
    return list(dict.fromkeys(_name(query, by, values) for values in product(*known)))


def _shown(query: Query) -> Sequence[Label] | None:
    """Return the labels in the names of a query's series."""
    if query.legend is not None and not isinstance(query.legend, str):
        return query.legend
    labels = {label.name: label for series in series_in(query.expr) for label in _labels(series)}
    if isinstance(query.legend, str):
        wanted = _IN_LEGEND.findall(query.legend)
    else:
        try:
            found = labels_of(query.expr)
        except (PromQLError, DefinitionError):
            return None
        if found is None:
            return None
        # What it was aggregated by names it, be it only the job.
        own = found - TARGET_LABELS or (found if isinstance(query.expr, Aggregate) else frozenset())
        wanted = sorted(own, key=lambda name: list(labels).index(name) if name in labels else 0)
    return [labels[name] for name in wanted] if all(name in labels for name in wanted) else None


def _labels(series: Expr) -> Sequence[Label]:
    return series.labels if isinstance(series, Metric) else ()


def _name(query: Query, by: Sequence[Label], values: Sequence[str]) -> str:
    if isinstance(query.legend, str):
        filled = dict(zip((label.name for label in by), values, strict=True))
        return _IN_LEGEND.sub(lambda found: filled[found[1]], query.legend)
    subject = core(query.expr)
    return " ".join(values) or getattr(subject, "title", "")
