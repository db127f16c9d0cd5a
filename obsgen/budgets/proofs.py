"""Proofs of the burn rates that follow from the definition alone.

For each burn rate: errors a little faster than it alert, a little slower do not; a total failure stops alerting soon
after it ends; as many bad events as the minimum alert, one fewer do not. They are made where series can be found that
the budget counts: for a matcher with a regular expression, or time slices with a condition of their own kind, the
author writes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from obsgen.budgets.examples import Course, Runs, given_by, values_of
from obsgen.budgets.recordings import tile_of
from obsgen.budgets.tiles import sources
from obsgen.model.budget import ErrorBudget
from obsgen.model.objective import BurnRate
from obsgen.model.proof import Firing, Proof, Sample
from obsgen.model.sli import TimeSlices
from obsgen.promql import notation
from obsgen.promql.label import Label
from obsgen.promql.metric import seconds
from obsgen.promql.tree import Selector, Series
from obsgen.words import duration, spoken

NEAR = 0.05
"""How far above and below a burn rate the two proofs of it are."""
MOST = 0.25
"""Share of bad events at a burn rate from which on there is no room for errors twice as fast, or for few events."""
STEP = "1m"
MANY = 1000
"""Bad events of a minute at the burn rate."""
FAR = 4
"""Minutes from one sample to the next where a proof lasts for the whole window: Prometheus forgets them after five."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A course and what comes of it: when it fires, and until when, in minutes after the history."""

    title: str
    course: Course
    since: float | None = None
    until: float | None = None
    within: float = 0.0


def burn_proofs(budget: ErrorBudget, alert: str, burns: tuple[BurnRate, ...]) -> Iterator[Proof]:
    """Yield the proofs of an alert on burn rates, as far as they can be made."""
    objective = next((o for o in budget.objectives if values_of(budget, o) is not None), None)
    values = values_of(budget, objective) if objective else None
    if objective is None or values is None:
        return
    for burn in burns:
        share = burn.factor(budget.window) * objective.allowance
        history = int(max(seconds(b.long) for b in burns) / 60) + 10
        cases = _events(budget, burn, share, history)
        if isinstance(budget.sli, TimeSlices):
            cases = _minutes(budget, burn, burns, objective.allowance, history)
        for case in cases:
            given = given_by(budget, values, case.course)
            if given is None:
                return
            yield _proof(budget, alert, case, values, given)


def _events(budget: ErrorBudget, burn: BurnRate, share: float, history: int) -> Iterator[_Case]:
    """Yield the cases of a budget of events; `share` of them are bad at the burn rate."""
    long, short = seconds(burn.long) / 60, seconds(burn.short) / 60
    tile = seconds(tile_of(budget, burn.long)) / 60
    rate = f"a burn rate of {burn.factor(budget.window):g} over {spoken(burn.long)}"
    # So many that whole numbers of them are near enough to any share.
    total = math.ceil(MANY / share)
    over, double, under = (float(round(total * share * times)) for times in (1 + NEAR, 2, 1 - NEAR))
    lasting = int(long + 3 * tile)
    steady = Course(history, ((min(over, total), lasting),), total)
    at = max(long / (1 + NEAR), long * share)
    # Each tile lags a scrape behind, and Prometheus 2 counts the tiles at both ends of a window.
    yield _Case(f"Errors a little above {rate} alert.", steady, at, within=3 * tile + 1)
    if share > MOST:
        yield _Case(f"Errors a little below {rate} do not.", Course(history, ((under, lasting),), total))
        return
    burst = (double, int((1 - NEAR) * long / 2)), (0.0, int(short))
    yield _Case(f"A burst that does not reach {rate} does not alert.", Course(history, burst, total))
    easing = (double, int(0.6 * long)), (under, int(short + 6 * tile))
    yield _Case(
        f"Errors above {rate} that ease off alert, and stop alerting within {spoken(burn.short)}.",
        Course(history, easing, total),
        since=long / 2,
        # The share of the short window that still shows the double rate no longer makes up for the rest.
        until=int(0.6 * long) + short * (1 - NEAR / (1 + NEAR)),
        within=tile if _in_step(budget, tile) else 2 * tile + 1,
    )
    if budget.enough > 1:
        yield from _least(budget, burn, share, history)


def _in_step(budget: ErrorBudget, tile: float) -> bool:
    """Return whether scrapes and tiles (in minutes) are in step; else a tile lags up to a scrape behind."""
    return all((tile * 60 / seconds(source.interval)).is_integer() for source in sources(budget))


def _least(budget: ErrorBudget, burn: BurnRate, share: float, history: int) -> Iterator[_Case]:
    """Yield as many bad events as alert, and one fewer at a time, both of so few events that the rate is too high."""
    long, tile = seconds(burn.long) / 60, seconds(tile_of(budget, burn.long)) / 60
    enough, window = budget.enough, spoken(burn.long)
    # The rate is a fifth above the burn rate, bad events counted in; a sum of eighths or so has no rounding errors.
    total = _few(((enough - 1) / (1.2 * share) - (enough - 1)) / (long - enough + 1))
    if total <= 0:
        return
    spread = _every(int(0.9 * long / enough), enough, tile)
    yield _Case(
        f"{enough} errors in {window} are enough.", Course(history, spread, total), _last(spread, history, tile)
    )
    spread = _every(math.ceil((long + 2 * tile) / (enough - 1)), enough, tile)
    yield _Case(f"{enough - 1} errors in {window}, and one before, are too few.", Course(history, spread, total))


def _few(value: float) -> float:
    """Return a number cut to three binary digits: its multiples add up exactly."""
    if value <= 0:
        return 0.0
    unit = 2.0 ** (math.floor(math.log2(value)) - 2)
    return math.floor(value / unit) * unit


def _every(apart: int, times: int, tile: float) -> Runs:
    """Return minutes of which some are bad, evenly apart, and two tiles after the last of them."""
    return (*(((1.0, 1), (0.0, apart - 1)) * (times - 1)), (1.0, 1), (0.0, int(2 * tile)))


def _last(bad: Runs, history: int, tile: float) -> float:
    """Return when the last bad minute is evaluated, in minutes after the history."""
    last = sum(minutes for _, minutes in bad[:-1])
    return math.ceil((history + last) / tile) * tile - history


def _minutes(
    budget: ErrorBudget, burn: BurnRate, burns: tuple[BurnRate, ...], allowance: float, history: int
) -> Iterator[_Case]:
    """Yield the cases of a budget of minutes: of these a whole number is bad."""
    long, short, tile = (seconds(w) / 60 for w in (burn.long, burn.short, tile_of(budget, burn.long)))
    least = {each: _least_minutes(budget, each, allowance) for each in burns}
    enough, window = least[burn], spoken(burn.long)
    if burn is min(burns, key=lambda each: least[each]):
        # As many are enough for every burn rate that needs no more: the alert ends with the last of them.
        shares = {each: each.factor(budget.window) * allowance for each in burns if least[each] <= enough}
        lasting = max(seconds(each.short) / 60 * (1 - share) for each, share in shares.items())
        fading = (0.0, int(lasting + short + 6 * tile))
        bad = (1.0, enough), fading
        yield _Case(
            f"{enough} bad minutes in {window} are too many.",
            Course(history, bad, 1),
            since=_last(bad, history, tile),
            until=enough + lasting,
            within=2 * tile,
        )
        fewer = math.floor(round(burn.factor(budget.window) * allowance * long, 9))
        yield _Case(f"{fewer} bad minutes in {window} are not.", Course(history, ((1.0, fewer), fading), 1))
    apart = max(1, int(0.95 * (long - enough) / max(enough - 1, 1)))
    others = (each for each in burns if each is not burn)
    if all(seconds(each.long) / 60 / apart + 2 < least[each] for each in others):
        spread = _every(apart, enough, tile)
        at = _last(spread, history, tile)
        yield _Case(f"{enough} bad minutes in {window}, one by one, are.", Course(history, spread, 1), at)


def _least_minutes(budget: ErrorBudget, burn: BurnRate, allowance: float) -> int:
    """Return the fewest bad minutes in its long window that are above a burn rate.

    Prometheus 2 counts the tiles at both ends of a window: one more than fit into it.
    """
    share = burn.factor(budget.window) * allowance
    minutes = (seconds(burn.long) + seconds(tile_of(budget, burn.long))) / 60
    return max(math.floor(round(share * minutes, 9)) + 1, budget.enough)


def _proof(
    budget: ErrorBudget, alert: str, case: _Case, values: Mapping[Label, str], given: Mapping[Series | Selector, str]
) -> Proof:
    history = case.course.history
    own = {label: value for label, value in values.items() if label in tuple(budget.by)}
    fires: tuple[Firing, ...] = ()
    if case.since is not None:
        fires = (
            Firing(
                since=_minute(history + case.since),
                until=_minute(history + case.until) if case.until is not None else "",
                within=_minute(case.within),
                labels=own,
                at=budget.at,
            ),
        )
    return Proof(case.title, given=given, fires=fires, every=STEP, after=_minute(history), of=alert, at=budget.at)


def _minute(minutes: float) -> str:
    return duration(round(minutes) * 60)


def window_proof(budget: ErrorBudget) -> Proof | None:
    """Return a proof of what is recorded of the whole window, None where no series can be told.

    A sixth of the window has traffic, a third has no data, then there is traffic to the end of the window, and a sixth
    of it further, when the first errors have left.
    """
    objective = next((o for o in budget.objectives if values_of(budget, o) is not None), None)
    values = values_of(budget, objective) if objective else None
    if objective is None or values is None:
        return None
    sixth = int(seconds(budget.window) / 60 / FAR) // 6
    half = sixth // 2
    # One event a minute; ten minutes are bad in the first sixth, and ten in the fifth.
    bad = ((0.0, half), (FAR, 5), (0.0, 4 * sixth), (FAR, 5), (0.0, 3 * sixth - half - 10))
    given = given_by(budget, values, Course(0, bad, FAR))
    if given is None:
        return None
    own = {label: value for label, value in values.items() if label in tuple(budget.by)}
    known = 4 * sixth * FAR
    records = [
        # A tile at each of the edges is counted or not: eight of five minutes are more than that ever makes.
        Sample(
            value=value,
            at=_minute(at * sixth * FAR),
            of=of,
            labels=own if of.label_names else {},
            within=max(0.002, 40 / (6 * sixth * FAR)),
        )
        for at, count in ((6, 10 * FAR), (7, 5 * FAR))
        for of, value in (
            (budget.remaining, 1 - count / known / objective.allowance),
            (budget.bad, count),
            (budget.total, known),
            (budget.coverage, known / 6 / sixth / FAR),
        )
    ]
    return Proof(
        f"Errors leave the window after {spoken(budget.window)}, and a gap in the data is no traffic.",
        given={series: _with_gap(text, sixth) for series, text in given.items()},
        records=records,
        every=f"{FAR}m",
        at=budget.at,
    )


def _with_gap(text: str, sixth: int) -> str:
    """Return samples with those of the second and third sixth left out, and the end before them marked."""
    before, after = notation.split(text, sixth + 1)[0], notation.split(text, 3 * sixth)[1]
    return f"{before} stale _x{2 * sixth - 2} {after}"
