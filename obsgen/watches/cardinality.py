"""The limits of metrics as an alert: a label whose values nobody has counted on can fill a Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from obsgen.model.catalog import Domain
from obsgen.model.proof import Firing, Given, Proof
from obsgen.model.rule import HOLD, VALUE, Alert, Level, Runbook, Step
from obsgen.model.severity import Severity
from obsgen.promql.functions import count, raw
from obsgen.promql.label import INSTANCE, JOB, Label
from obsgen.promql.metric import Histogram, Metric
from obsgen.promql.text import string
from obsgen.promql.tree import Expr, Selector
from obsgen.words import camel, listed

METRIC = Label("metric", "Name of the metric.")
HELD = "10m"


def limits(domain: Domain) -> Iterator[Alert]:
    """Yield the alert on the metrics of a domain that have more series than their limit, if any has one."""
    limited = [metric for metric in domain.metrics if metric.limit is not None]
    if not limited:
        return
    expr: Expr | None = None
    for metric in limited:
        expr = _above(metric) if expr is None else expr.or_(_above(metric))
    assert expr is not None
    name = f"{camel(domain.name)}TooManySeries"
    may = listed([f"`{metric.name}` {metric.limit}" for metric in limited])
    yield Alert(
        name=name,
        expr=expr,
        fires=Level(severity=Severity.WARNING, threshold=None, hold=HELD, keep_firing="0s"),
        summary="A metric has more series than it may have.",
        description=f"{METRIC.value} of {INSTANCE.value} has {VALUE} series, more than its limit, for {HOLD}.",
        runbook=Runbook(
            meaning="A label of the metric has more values than it was made for: most likely something unbounded gets "
            "into it, such as a raw path, an id or a message.",
            impact="Prometheus keeps every combination of labels that it has ever seen: it gets slow, then runs out of "
            "memory, and dashboards over the metric are full of noise.",
            diagnosis=[
                Step(text=f"Which labels of {metric.name} have how many values?", query=_counted(metric, label))
                for metric in limited
                for label in metric.labels
            ],
            mitigation=(
                "Let the exporter put a template or a class into the label, and drop what is unbounded.",
                "Until then, drop the series with `metric_relabel_configs` of the scrape job.",
                "The values are meant: raise the metric's `limit` in the catalog.",
            ),
            reason=f"The limits are of one target: {may}. {HOLD} are a few scrapes.",
        ),
        fleeting="A metric that keeps its limit again needs nobody.",
        when="a metric has more series than its limit",
        proofs=tuple(proof for metric in limited for proof in _proofs(metric)),
        at=limited[0].at,
    )


def _above(metric: Metric) -> Expr:
    counted = count(_part(metric), by=[JOB, INSTANCE]) > (metric.limit or 0)
    return raw(f'label_replace({{counted}}, "metric", {string(metric.name)}, "", "")', counted=counted)


def _counted(metric: Metric, label: Label) -> Expr:
    return count(count(_part(metric), by=[label]))


def _part(metric: Metric) -> Expr:
    return metric.count if isinstance(metric, Histogram) else metric


def _proofs(metric: Metric) -> Iterator[Proof]:
    assert metric.limit is not None
    free = next(label for label in metric.labels if not label.values)
    part = _part(metric)
    assert isinstance(part, Metric | Selector)

    def series(how_many: int) -> Given:
        return {part.where(free.equals(str(n))): "1x20" for n in range(how_many)}

    yield Proof(
        f"{metric.limit} series of {metric.name} are within its limit.", series(metric.limit), every="1m", at=metric.at
    )
    yield Proof(
        f"{metric.limit + 1} are not.",
        series(metric.limit + 1),
        Firing(since=HELD, labels={METRIC: metric.name}, at=metric.at),
        every="1m",
        at=metric.at,
    )
