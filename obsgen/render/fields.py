"""How values look in Grafana: units, the steps of thresholds, the names and colours of states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from obsgen.model.rule import Comparison, Level
from obsgen.model.severity import Severity
from obsgen.promql.units import Unit
from obsgen.render.grafana import Json
from obsgen.words import plain_number

OK = "green"
NEUTRAL = ("blue", "purple", "yellow", "semi-dark-blue", "semi-dark-purple", "semi-dark-yellow")
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


def steps(levels: Sequence[Level]) -> list[Json]:
    """Return the threshold steps for an alert's levels, lowest first.

    Values below a `below` threshold and above an `above` threshold take the level's colour, those between are
    green. The first step is Grafana's base, which reaches down to -Infinity whatever its number says.
    """
    lows: list[tuple[float, str]] = []
    highs: list[tuple[float, str]] = []
    for level in levels:
        if level.threshold is None:
            continue
        side = {Comparison.BELOW: lows, Comparison.AT_MOST: lows}.get(level.threshold.comparison, highs)
        if level.threshold.comparison.ordered:
            side.append((level.threshold.value, COLOURS[level.severity]))
    lows.sort()
    highs.sort()
    colours = [colour for _, colour in lows] + [OK] + [colour for _, colour in highs]
    values = [value for value, _ in (*lows, *highs)]
    base = 0.0 if not values or values[0] > 0 else values[0] - 1
    return [
        {"color": c, "value": v} for c, v in zip(colours, [plain_number(base), *map(plain_number, values)], strict=True)
    ]


def mappings(states: Mapping[int, str], levels: Sequence[Level]) -> list[Json]:
    """Return value mappings for named states.

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
        str(value): {
            "text": name,
            "color": alerting.get(value, OK) if alerting else NEUTRAL[index % len(NEUTRAL)],
            "index": index,
        }
        for index, (value, name) in enumerate(states.items())
    }
    return [{"type": "value", "options": options}] if options else []
