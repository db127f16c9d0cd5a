"""Names that say another type or unit than the definition.

Source of what a name says: https://prometheus.io/docs/practices/naming/ and what client libraries append by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from obsgen.checks.places import Survey
from obsgen.errors import Problem
from obsgen.promql.metric import Counter, Histogram, Metric
from obsgen.promql.units import Unit

_UNKNOWN = (Unit.NONE, Unit.COUNT)
"""What a number in a unit may be that `Unit` does not have."""
_SAID: dict[str, tuple[Unit, ...]] = {
    **dict.fromkeys(("ms", "milliseconds", "millis"), (Unit.MILLISECONDS,)),
    "seconds": (Unit.SECONDS, Unit.TIMESTAMP),
    "bytes": (Unit.BYTES,),
    "ratio": (Unit.RATIO,),
    **dict.fromkeys(("percent", "percentage", "pct"), (Unit.PERCENT,)),
    "celsius": (Unit.CELSIUS,),
    **dict.fromkeys(("us", "microseconds", "ns", "nanoseconds", "minutes", "hours", "days"), _UNKNOWN),
    **dict.fromkeys(("kb", "kilobytes", "mb", "megabytes", "gb", "gigabytes", "fahrenheit"), _UNKNOWN),
}
"""The units that the last word of a name leaves open."""
_PARTS = ("_count", "_sum", "_bucket")
"""Counters that are part of a histogram or summary, whose names say so."""


def misleading_name(survey: Survey) -> Iterator[Problem]:
    """A name that says another type or unit than the definition: one of them is wrong, and so is what is made of it.

    A counter without `_total` reads nothing at all where its client library appends that. Names of an exporter that is
    not ours stay as they are: its metric has a `misnomer` then, which says why.
    """
    for metric in survey.catalog.metrics:
        said = [*_type(metric), *_unit(metric.name, metric.unit, counts=isinstance(metric, Counter | Histogram))]
        if metric.misnomer and not said:
            message = f"{metric.name} has a misnomer, and its name says what it is"
            yield Problem("misleading-name", message, metric.at, "leave out misnomer=...")
        elif said and not metric.misnomer:
            for message, hint in said:
                more = 'where its exporter is not yours to mend, say why: misnomer="..."'
                yield Problem("misleading-name", message, metric.at, f"{hint}; {more}")
    for recording in survey.catalog.recordings:
        # A name with colons is not a metric's: its middle names the metric, and its end what was done to it.
        for message, hint in _unit(recording.name, recording.unit) if ":" not in recording.name else ():
            yield Problem("misleading-name", message, recording.at, hint)


def _type(metric: Metric) -> Iterator[tuple[str, str]]:
    total = metric.name.endswith("_total")
    if isinstance(metric, Counter) and not total and not metric.name.endswith(_PARTS):
        hint = f"client libraries append it, so the name is {metric.name}_total"
        yield f"the counter {metric.name} has no _total at its end", hint
    elif total and not isinstance(metric, Counter):
        hint = "make it a Counter if it only grows, else rename it"
        yield f"the {metric.kind} {metric.name} has _total at its end, as only counters do", hint


def _unit(name: str, unit: Unit, *, counts: bool = False) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a unit and a name.

    Args:
        name: of a metric or a recording.
        unit: its unit.
        counts: whether the name may end in what a counter appends to the unit.
    """
    base = name.removesuffix("_total").removesuffix("_sum") if counts else name
    word = base.rpartition("_")[2] if "_" in base else ""
    allowed = _SAID.get(word, (unit,))
    if unit not in allowed:
        declared = "no unit" if unit is Unit.NONE else f"Unit.{unit.name}"
        hint = "rename it" if allowed is _UNKNOWN else f"state unit=Unit.{allowed[0].name}, or rename it"
        yield f"{name} has {declared}, and its name says {word!r}", hint
