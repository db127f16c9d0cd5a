"""The tables of the benchmark of budgets, and its goals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.bench import windows
from tests.bench.cost import Cost
from tests.bench.rates import INSTANTS, OURS, PLAIN, SLOTH, Measured, mean, size, worst
from tests.bench.slices import Slices
from tests.bench.text import say, table
from tests.bench.windows import Counts

TINY = 0.002
"""The largest mean error of a shape that is known."""
WORST = 0.01
"""The largest error of a shape that is known, at any instant."""
NO_WORSE = 0.005
"""How much worse than the plain `increase` a mean error may be: half a percentage point."""
CHEAPER = 30
"""How many times as many samples Sloth reads."""

Goal = tuple[str, str, str, bool]
"""What is measured, what it is to be, what it is, and whether that is enough."""


def told(
    rates: Mapping[str, Measured],
    costs: Mapping[str, Cost],
    counts: Mapping[str, Mapping[str, Counts]],
    slices: Mapping[tuple[str, str], Slices],
) -> bool:
    """Print all results; return whether all goals are met."""
    if rates:
        _rates(rates)
    if counts:
        _counts(counts)
    if slices:
        _slices(slices)
    if costs:
        _costs(costs)
    goals = [*_rate_goals(rates), *_count_goals(counts), *_cost_goals(costs)]
    if goals:
        say("\nGoals")
        rows = [(what, goal, found, "met" if met else "MISSED") for what, goal, found, met in goals]
        say(table(("", "goal", "found", ""), rows))
    return all(met for _, _, _, met in goals)


def _rates(rates: Mapping[str, Measured]) -> None:
    names = list(dict.fromkeys(name for about in rates.values() for name in about.errors))
    rows = []
    for route, about in rates.items():
        errors = [about.errors.get(name) for name in names]
        cells = [cell for each in errors for cell in (_shown(each, mean), _shown(each, worst))]
        covered = "absent" if about.coverage is None else f"{about.coverage:.3f}"
        rows.append((route, f"{about.rate:.4%}", *cells, covered))
    say(f"\nRelative error of the 30-day error rate, in percent: the mean of {INSTANTS} instants, and the worst")
    head = ("route", "true rate", *(cell for name in names for cell in (name, "worst")), "coverage")
    say(table(head, rows))


def _shown(errors: Sequence[float | None] | None, which: Callable[[Sequence[float | None]], float | None]) -> str:
    return "" if errors is None else _percent(which(errors))


def _counts(counts: Mapping[str, Mapping[str, Counts]]) -> None:
    rows, ratios = [], []
    for route, by_method in counts.items():
        for name, found in by_method.items():
            cells = [cell for w in found.error for cell in (_percent(found.error[w]), _percent(found.worst[w]))]
            rows.append((route, name, *cells))
            if found.ratio:
                ratios.append((route, name, *(f"{ratio:.1%}" for ratio in found.ratio), f"{found.above:.0%}"))
    say("\nRelative error of the bad events of short windows, in percent: of all windows, and of the worst hour's")
    say(table(("route", "", *(cell for window in windows.WINDOWS for cell in (window, "worst"))), rows))
    if ratios:
        say("\nRatio of bad events of an hour, truly 11 to 13 %, and at how many instants it is above the threshold")
        say(table(("route", "", "lowest", "mean", "highest", f"above {windows.THRESHOLD:.0%}"), ratios))


def _slices(slices: Mapping[tuple[str, str], Slices]) -> None:
    rows = [
        (kind, window, _percent(mean(each.errors)), _percent(worst(each.errors)), f"{each.coverage:.3f}")
        for (kind, window), each in slices.items()
    ]
    say("\nRelative error of the share of bad minutes, in percent")
    say(table(("nodes", "window", "mean", "worst", "coverage"), rows))


def _costs(costs: Mapping[str, Cost]) -> None:
    rows = [
        (
            name,
            f"{cost.rules}",
            f"{cost.samples:,.0f}",
            f"x {cost.samples / costs[OURS].samples:.1f}",
            f"{cost.milliseconds:.1f}",
            f"x {cost.milliseconds / costs[OURS].milliseconds:.1f}",
            f"{cost.peak:,}",
        )
        for name, cost in costs.items()
    ]
    say("\nCost of all rules, alerts included; milliseconds are those of the query engine")
    head = ("", "rules", "samples/min", f"/ {OURS}", "ms/min", f"/ {OURS}", "most samples of a rule")
    say(table(head, rows))


def _rate_goals(rates: Mapping[str, Measured]) -> Iterator[Goal]:
    means = {route: size(mean(about.errors[OURS])) for route, about in rates.items()}
    known = {route: means[route] for route, about in rates.items() if about.known}
    if known:
        route = max(known, key=known.__getitem__)
        yield "mean error of a known shape", f"< {TINY:.1%}", f"{known[route]:.2%} ({route})", known[route] < TINY
        peaks = {route: size(worst(rates[route].errors[OURS])) for route in known}
        route = max(peaks, key=peaks.__getitem__)
        yield "worst error of a known shape", f"< {WORST:.0%}", f"{peaks[route]:.2%} ({route})", peaks[route] < WORST
    # A route without errors has no series of them, and `increase` no value.
    worse = {route: found - size(mean(rates[route].errors[PLAIN])) for route, found in means.items()}
    if worse:
        yield _no_worse("mean error of a 30-day rate", worse)


def _count_goals(counts: Mapping[str, Mapping[str, Counts]]) -> Iterator[Goal]:
    for window in windows.WINDOWS:
        worse = {
            route: abs(found[OURS].error[window]) - abs(found[windows.PLAIN].error[window])
            for route, found in counts.items()
        }
        if worse:
            yield _no_worse(f"error of the events of {window}", worse)
    blind = {
        route: found[windows.PLAIN].above - found[OURS].above for route, found in counts.items() if found[OURS].ratio
    }
    if blind:
        yield _no_worse("share of instants above the threshold", blind)


def _no_worse(what: str, worse: Mapping[str, float]) -> Goal:
    route = max(worse, key=worse.__getitem__)
    found = f"{worse[route] * 100:+.2f} pp ({route})"
    return f"{what}, worse than increase", f"<= {NO_WORSE * 100} pp", found, worse[route] <= NO_WORSE


def _cost_goals(costs: Mapping[str, Cost]) -> Iterator[Goal]:
    if costs:
        ratio = costs[SLOTH].samples / costs[OURS].samples
        yield f"samples of {SLOTH} / {OURS}", f"> {CHEAPER}", f"{ratio:.1f}", ratio > CHEAPER


def _percent(error: float | None) -> str:
    if error is None:
        return "absent"
    return "NaN" if math.isnan(error) else f"{error * 100:+.2f}" if abs(error) < 1 else f"{error * 100:+.0f}"
