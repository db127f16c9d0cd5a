"""Metrics that have another name today: the rules that give them their own, and the alert that these can go.

A rule records under the catalog's own name, so that everything that reads a metric works before and after the exporter
is changed. The label `renamed` tells what is recorded from what is scraped: the rule looks for scraped series, and
steps aside for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

from obsgen.model.catalog import Catalog
from obsgen.model.proof import Firing, Given, Proof
from obsgen.model.rule import Alert, Level, Runbook, Step
from obsgen.model.severity import Severity
from obsgen.promql.functions import count, label_replace
from obsgen.promql.label import INSTANCE, JOB, RENAMED, Label
from obsgen.promql.metric import Histogram, Metric
from obsgen.promql.source import Source, Status
from obsgen.promql.tree import Expr, Selector, Series

OBSOLETE = "RenameObsolete"
RENAMES = "renames"
"""Name of the rule file."""
HOLD = "15m"
METRIC = Label("metric", "Name of the metric that is scraped under its own name.")
_PARTS = ("_bucket", "_count", "_sum")


@dataclass(frozen=True, eq=False, kw_only=True)
class Today(Series):
    """A series under the name that it has today."""

    name: str
    label_names: frozenset[str] = frozenset()


def renamed(catalog: Catalog) -> tuple[Metric, ...]:
    """Return the metrics that a source exposes today under another name."""
    return tuple(metric for metric in catalog.metrics if metric.status is Status.RENAMED)


def rules(metric: Metric) -> Iterator[tuple[str, Expr]]:
    """Yield the name and the expression of each series that is recorded for a renamed metric."""
    for part in _PARTS if isinstance(metric, Histogram) else ("",):
        yield metric.name + part, _today(metric, part).unless(_scraped(metric, part), on=_partner(metric))


def exposer(metric: Metric) -> Source:
    """Return who exposes a renamed metric today."""
    assert metric.exposed_by is not None
    return metric.exposed_by


def _today(metric: Metric, part: str) -> Expr:
    """Return what is scraped today, in the catalog's unit and with its labels."""
    today = metric.exposure
    expr: Expr = Selector(Today(name=today.name), (JOB.equals(exposer(metric).job),), part)
    if today.scale != 1:
        expr = expr * today.scale
    moved = {old: new for old, new in today.labels.items() if old != new}
    for old, new in moved.items():
        expr = label_replace(expr, new, "$1", old, "(.*)")
    for name, value in today.adds.items():
        expr = label_replace(expr, name, value.replace("$", "$$"))
    for old in moved:
        expr = label_replace(expr, old, "")
    return expr


def _scraped(metric: Metric, part: str = "") -> Selector:
    return Selector(metric, (RENAMED.equals(""),), part)


def _partner(metric: Metric) -> tuple[Label, ...]:
    """Return the labels that a scraped series shares with the one that it replaces.

    Of one source each target changes by itself, as a new release reaches it. Another source has other targets, and may
    have other values of all labels: its first series replaces them all.
    """
    return (JOB, INSTANCE) if exposer(metric) == metric.source else ()


def obsolete(catalog: Catalog) -> Alert | None:
    """Return the alert that a metric is scraped under its own name at last; None where none is renamed."""
    metrics = renamed(catalog)
    if not metrics:
        return None
    found = [label_replace(count(_scraped(metric, _whole(metric))), METRIC.name, metric.name) for metric in metrics]
    return Alert(
        name=OBSOLETE,
        expr=reduce(Expr.or_, found),
        fires=Level(severity=Severity.INFO, threshold=None, hold=HOLD, keep_firing="0s"),
        summary="A metric that was renamed is scraped under its own name.",
        description=f"{METRIC.value} is scraped as the catalog says: its Exposure is out of date.",
        runbook=Runbook(
            meaning="The catalog says that the metric has another name today, and a rule records it from there. Now "
            "an exporter offers it under its own name: the rule has stepped aside.",
            impact="None. The rule costs an evaluation for nothing, and the docs say what is no longer true.",
            diagnosis=(Step(text="Who exposes it?", query=count(_scraped(metrics[0], _whole(metrics[0])), by=[JOB])),),
            mitigation=(
                "When all targets expose it, take the `exposure=Exposure(status=Status.RENAMED, ...)` out of the "
                "metric's definition and generate again.",
            ),
            reason="Nobody has to act: the rule does no harm. The hold leaves a release the time to be rolled back.",
        ),
        when="a metric is scraped under its own name while the catalog says that it has another one",
        proofs=_proofs(metrics),
        at=catalog.project.at,
    )


def _whole(metric: Metric) -> str:
    return "_count" if isinstance(metric, Histogram) else ""


def _proofs(metrics: tuple[Metric, ...]) -> tuple[Proof, ...]:
    own: Given = {Selector(metric, (), _whole(metric)): "1x60" for metric in metrics}
    recorded: Given = {Selector(metric, (RENAMED.equals("true"),), _whole(metric)): "1x60" for metric in metrics}
    fires = [Firing(since=HOLD, labels={METRIC: metric.name}) for metric in metrics]
    return (
        Proof("What the rules record is not what is scraped.", given=recorded, every="30s"),
        Proof("What is scraped under its own name needs no rule.", given=own | recorded, fires=fires, every="30s"),
    )
