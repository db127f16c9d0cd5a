"""How values look in Grafana: units, the steps of thresholds, the names and colours of states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from obsgen.model.rule import Comparison, Level, Threshold
from obsgen.model.severity import Severity
from obsgen.promql.units import Unit
from obsgen.render.grafana import Json
from obsgen.words import plain_number

OK = "green"
NEUTRAL = ("blue", "yellow", "light-blue", "light-yellow", "dark-blue", "dark-yellow")
UNKNOWN = "purple"
"""What is not known: no state and no level has it. Icinga's plugins have made it the colour of that."""
NO_DATA = "no data"
PLANNED, WAITING = "planned", "#808080"
"""What a panel says that waits for metrics which nobody exposes yet, in grey: it is no trouble that it has no data."""
WRAPPED: Json = {"id": "custom.wrapText", "value": True}
"""The setting of a column of texts since Grafana 12: cut ones look alike. The one before, 12 renames at each save."""
COLOURS = {Severity.INFO: "blue", Severity.WARNING: "orange", Severity.CRITICAL: "red"}

# https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts
UNITS = {
    Unit.NONE: "short",
    Unit.TIMES: "short",
    Unit.TIMESTAMP: "none",
    Unit.COUNT: "short",
    Unit.REQUESTS: "short",
    Unit.RATIO: "percentunit",
    Unit.PERCENT: "percent",
    Unit.MILLISECONDS: "ms",
    Unit.SECONDS: "s",
    Unit.BYTES: "bytes",
    # Grafana's unit for rates of anything (https://github.com/grafana/grafana/pull/18702). `ops` would call it
    # operations, and Grafana 9 has no `eps`, which would call it events.
    Unit.PER_SECOND: "cps",
    Unit.REQUESTS_PER_SECOND: "reqps",
    Unit.BYTES_PER_SECOND: "Bps",
    Unit.CELSIUS: "celsius",
    Unit.STATE: "none",
    Unit.BOOLEAN: "bool_on_off",
}


def number_now(unit: Unit) -> Json:
    """Return the unit and the decimals of a number that stands alone, as in a stat or in a table.

    A count is written out, and whole: `increase` estimates it, and `10 K` hides how many there were.
    """
    return {"unit": "locale", "decimals": 0} if unit in (Unit.COUNT, Unit.REQUESTS) else {"unit": UNITS[unit]}


def steps(levels: Sequence[Level], *, whole: bool = False) -> list[Json]:
    """Return the threshold steps for an alert's levels, lowest first.

    Values below a `below` threshold and above an `above` threshold take the level's colour, those between are
    green. The first step is Grafana's base, which reaches down to -Infinity whatever its number says; Grafana saves 0.

    Args:
        levels: the levels.
        whole: whether the values are whole numbers.
    """
    lows: list[tuple[float, str]] = []
    highs: list[tuple[float, str]] = []
    for level in levels:
        if level.threshold is None:
            continue
        side = {Comparison.BELOW: lows, Comparison.AT_MOST: lows}.get(level.threshold.comparison, highs)
        if level.threshold.comparison.ordered:
            side.append((_step(level.threshold, whole), COLOURS[level.severity]))
    lows.sort()
    highs.sort()
    colours = [colour for _, colour in lows] + [OK] + [colour for _, colour in highs]
    values = [value for value, _ in (*lows, *highs)]
    return [{"color": c, "value": v} for c, v in zip(colours, [0, *map(plain_number, values)], strict=True)]


def _step(threshold: Threshold, whole: bool) -> float:
    """Return where the colour of a threshold begins.

    A step of Grafana takes in its own value, so `> 0` begins above it. That matters where a value is met exactly, as 0
    is, and counts are: between two of these lies the step, so that 0 is not drawn on the line. The step of `> 250` on a
    latency stays a number that people read.
    """
    value = threshold.value
    if threshold.comparison not in (Comparison.ABOVE, Comparison.AT_MOST):
        return value
    if whole and value.is_integer():
        return value + 0.5
    return value or 1e-9


def no_data(text: str = NO_DATA, colour: str = UNKNOWN, index: int = 0) -> Json:
    """Return the value mapping of what has no value: no series, a null or a NaN.

    Without it Grafana gives "No data" the colour of the lowest threshold, which is green for most.
    """
    return {"type": "special", "options": {"match": "null+nan", "result": _result(text, colour, index)}}


def _result(text: str, colour: str, index: int) -> Json:
    return {"text": text, "color": colour, "index": index}


def mappings(states: Mapping[int, str], levels: Sequence[Level], *, planned: bool = False) -> list[Json]:
    """Return value mappings for named states, and for what has none.

    A state that alerts has the colour of its severity and the others are green; where none alerts, none is good
    or bad, and the colours only tell them apart.
    """
    alerting = {
        value: COLOURS[level.severity]
        for level in levels
        for value in states
        if level.threshold
        and not level.threshold.comparison.ordered
        and (value == level.threshold.value) is (level.threshold.comparison is Comparison.EQUALS)
    }
    options = {
        str(value): _result(name, alerting.get(value, OK) if alerting else NEUTRAL[index % len(NEUTRAL)], index)
        for index, (value, name) in enumerate(states.items())
    }
    named = [{"type": "value", "options": options}] if options else []
    absent = no_data(PLANNED, WAITING, len(options)) if planned else no_data(index=len(options))
    return [*named, absent]
