"""The parts of an expression over the time of a proof, as lines of text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from obsgen.model.rule import Alert, Recording, level_expr
from obsgen.prometheus import PrometheusError
from obsgen.promql.text import number, render
from obsgen.promql.tree import Binary, Expr, Number, Selector, Series, children
from obsgen.prove.run import Run
from obsgen.words import duration

COLUMNS = 60
"""Width of a plot, in characters."""
MOST_PARTS, MOST_SERIES = 8, 3
_BARS = "▁▂▃▄▅▆▇█"
_NOTHING, _NAN = "·", "?"


def plots(subject: Alert | Recording, run: Run, after: float, end: float) -> list[str]:
    """Return lines that show the value of each part of an expression over a time."""
    expr = level_expr(subject, subject.levels[0]) if isinstance(subject, Alert) else subject.expr
    lines = [f"values from {duration(after)} to {duration(end)} ({_NOTHING} no value, {_NAN} NaN):"]
    step = max((end - after) / (COLUMNS - 1), 1.0)
    for part in _parts(expr)[:MOST_PARTS]:
        text = render(part)
        lines.append(f"  {text if len(text) <= 100 else text[:97] + '...'}")
        try:
            found = run.server.range(text, run.base + after, run.base + end, step)
        except PrometheusError as error:
            lines.append(f"    {error}")
            continue
        lines += [f"    {line}" for line in _series(found, run.base + after, step)] or ["    no series"]
    return lines


def _parts(expr: Expr) -> list[Expr]:
    """Return an expression and the operands that it is made of, outermost first, each once."""
    found: dict[str, Expr] = {}
    stack = [expr]
    while stack:
        part = stack.pop(0)
        if isinstance(part, Number):
            continue
        found.setdefault(render(part), part)
        if isinstance(part, Binary):
            stack += [part.left, part.right]
        elif not isinstance(part, Series | Selector):
            stack += [child for child in children(part) if isinstance(child, Binary | Series | Selector)]
    return list(found.values())


def _series(found: Sequence[tuple[Mapping[str, str], object]], begin: float, step: float) -> Iterator[str]:
    for labels, samples in found[:MOST_SERIES]:
        values = {round((at - begin) / step): value for at, value in samples}  # type: ignore[attr-defined]
        shown = ", ".join(f'{k}="{v}"' for k, v in sorted(labels.items()) if k not in ("__name__", "job", "instance"))
        known = [value for value in values.values() if math.isfinite(value)]
        low, high = (min(known), max(known)) if known else (math.nan, math.nan)
        span = f"{_short(low)}" if low == high else f"{_short(low)} to {_short(high)}"
        yield f"|{_bars(values, low, high)}| {span}{f'  {{{shown}}}' if shown else ''}"
    if len(found) > MOST_SERIES:
        yield f"and {len(found) - MOST_SERIES} more series"


def _bars(values: Mapping[int, float], low: float, high: float) -> str:
    return "".join(_bar(values.get(n), low, high) for n in range(COLUMNS))


def _bar(value: float | None, low: float, high: float) -> str:
    if value is None:
        return _NOTHING
    if math.isnan(value):
        return _NAN
    if math.isinf(value):
        return _BARS[-1 if value > 0 else 0]
    return _BARS[0] if high == low else _BARS[round((value - low) / (high - low) * (len(_BARS) - 1))]


def _short(value: float) -> str:
    return number(float(f"{value:.4g}"))
