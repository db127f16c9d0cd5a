"""How many events a counter saw in a window: exactly, the first one included, across restarts and outages.

`increase` extrapolates, never sees the value that a series is born with, and loses what happened while nothing was
scraped. What is written here takes no more than differences between samples, so that windows add up without loss.
Its idea is older than Prometheus' `increase(x[5m] anchored)` (3.16) and goes further: that one, too, does not count
the first value of a series and looks back five minutes only.

Source: windows that add up, https://github.com/prometheus/prometheus/issues/3806; the value that a series is born with,
https://github.com/prometheus/prometheus/issues/1673.
"""

from __future__ import annotations

from collections.abc import Sequence

from obsgen.promql.functions import (
    clamp_min,
    increase,
    last_over_time,
    max_over_time,
    min_over_time,
    present_over_time,
    resets,
    sum_,
    sum_over_time,
    time,
)
from obsgen.promql.label import INSTANCE, JOB, Label
from obsgen.promql.metric import PROCESS_START, UP, Gauge, Metric, Source, Vector, as_selector, seconds
from obsgen.promql.tree import Expr, Offset, Selector, Series, Subquery
from obsgen.words import duration

REMEMBERED = "5m"
"""How long before a scrape a series or its target still counts as being there: as long as for Prometheus itself."""
NEAR = "10m"
"""How far back the value at a window's start is looked up exactly."""
COARSE = "5m"
"""Between two looks further back, where reading every sample would cost more than it is worth."""
SELDOM = "30m"
"""Between two looks at a whole day."""
BRIDGED = "6h"
"""The longest outage of a target that loses no events."""
UNKNOWN = "30s"
"""Seconds from one sample to the next of a counter whose source is not known."""
JITTER = 2
"""Seconds by which some exporters' start time wavers without a restart: they add up the boot time and ticks."""
TARGET = (JOB, INSTANCE)


def events(counter: Vector, window: str, by: Sequence[Label] = (), bridge: str = BRIDGED) -> Expr:
    """Return how many events a counter saw in a window.

    Of each series it is the sum of what each scrape added to the one before (see `_added`): exact across restarts,
    however many, and for a series that is born within the window. Of a target that was not scraped for a while and
    comes back in the window it is the last value less the one before: exact across an outage.

    Args:
        counter: a counter, or a selector of one.
        window: the window, a PromQL duration.
        by: labels to keep; everything else is summed.
        bridge: how long an outage of a target loses nothing, a PromQL duration; of more than ten minutes the value
            before is looked up coarsely, so that at most five minutes' events may be counted twice.
    """
    selector = as_selector(counter)
    step = step_of(selector, window)
    last = last_over_time(Subquery(selector, window, step))
    first: Expr = last_over_time(Subquery(selector, NEAR, step, offset=window))
    target = as_selector(_of_its_job(UP, selector))
    if seconds(bridge) > seconds(NEAR):
        before_near = duration(seconds(window) + seconds(NEAR))
        first = first.or_(last_over_time(Subquery(selector, bridge, COARSE, offset=before_near)))
    # What its target did not have before the outage began at zero. The outage lasts for more than five minutes.
    before_outage = duration(seconds(window) + seconds(REMEMBERED))
    known = max_over_time(Subquery(target, bridge, COARSE, offset=before_outage)).equals(1)
    first = first.or_(last.and_(known, on=TARGET) * 0)
    returned = present_over_time(Subquery(_returned(selector, step), window, step))
    bridged = ((last - first) >= 0).and_(returned, on=TARGET)
    return sum_(bridged.or_(sum_over_time(Subquery(_added(selector, step), window, step))), by)


def events_since_outage(counter: Vector, window: str, tile: str, by: Sequence[Label] = ()) -> Expr:
    """Return how many events a counter saw in a long window, cheaply: what rules that were not evaluated have missed.

    Unlike `events` it looks only twice an hour, save for both ends of the window: of a process that ended in between,
    up to half an hour may be lost.

    Args:
        counter: a counter, or a selector of one.
        window: the window, a PromQL duration.
        tile: the window of the rules that are not evaluated: both see the same last sample.
        by: labels to keep; everything else is summed.
    """
    selector = as_selector(counter)
    step = step_of(selector, tile)
    coarse = Subquery(selector, window, SELDOM)
    last = last_over_time(Subquery(selector, tile, step)).or_(last_over_time(coarse))
    first = last_over_time(Subquery(selector, NEAR, step, offset=window))
    # What a target had when Prometheus met it may be old. Everything else that was not there at first began at zero.
    target = as_selector(_of_its_job(UP, selector))
    seen = last_over_time(Subquery(target, window, "2h", offset=SELDOM))
    met = target.equals(1).unless(seen, on=TARGET)
    if not persistent(selector):
        met = met.unless(as_selector(_of_its_job(PROCESS_START, selector)) > time() - seconds(window), on=TARGET)
    old = min_over_time(Subquery(selector.and_(met, on=TARGET), window, SELDOM))
    restarted = increase(coarse).and_(resets(coarse) > 0)
    return sum_(restarted.or_(clamp_min(last - first.or_(old).or_(last * 0), 0)), by)


def _added(selector: Selector, step: str) -> Expr:
    """Return what the last scrape of each series added: what it is, less what it was before.

    The first of these holds:

    1. it was zero, if the process has started since the scrape before;
    2. it was what that scrape says, if that is not more;
    3. it was zero, if that scrape does not have it, and the process has started a few minutes ago: what there was of it
       before belongs to the process before;
    4. it was its last value of the last five minutes, if that is not more: scrapes fail, and exporters leave out a
       series now and then;
    5. it was zero, if the target was being scraped: the series is new, or has fallen;
    6. as much as it is: Prometheus has met the target only now, and nobody can tell when it counted that.

    Of a `persistent` source, which has counted before its process began, the first and third are left out. What it has
    hidden for less than an hour is not new.
    """
    previous = Offset(selector, step) <= selector
    lately = last_over_time(selector, REMEMBERED, offset=step) <= selector
    born = selector.and_(_scraped(selector, REMEMBERED, step), on=TARGET)
    if persistent(selector):
        seen = last_over_time(Subquery(selector, "1h", COARSE, offset=step))
        return selector - lately.or_(born.unless(seen) * 0).or_(selector)
    restarted = selector.and_(_restarted(selector, step), on=TARGET)
    started = as_selector(_of_its_job(PROCESS_START, selector))
    scraped = Offset(as_selector(_of_its_job(UP, selector)), step).equals(1)
    young = scraped.and_(started > time() - seconds(REMEMBERED), on=TARGET)
    fresh = selector.and_(young, on=TARGET)
    return selector - (restarted * 0).or_(previous).or_(fresh * 0).or_(lately).or_(born * 0).or_(selector)


def _returned(selector: Selector, step: str) -> Expr:
    """Return the targets that are scraped again after an outage, their process the same for all that is known."""
    now = as_selector(_of_its_job(UP, selector)).equals(1)
    back = now.unless(_scraped(selector, REMEMBERED, step), on=TARGET)
    return back if persistent(selector) else back.unless(_restarted(selector, step), on=TARGET)


def _restarted(selector: Selector, step: str) -> Expr:
    """Return the targets whose process has started since the scrape before, where they tell when it started.

    A target that is new counts as well if its process is young.
    """
    started = as_selector(_of_its_job(PROCESS_START, selector))
    near = last_over_time(started, NEAR, offset=step)
    far = last_over_time(Subquery(started, BRIDGED, COARSE, offset=duration(seconds(step) + seconds(NEAR))))
    young = started * 0 + (time() - seconds(NEAR))
    return started - JITTER > near.or_(far).or_(young)


def _scraped(selector: Selector, window: str, offset: str) -> Expr:
    """Return the targets that were scraped in a window that ended `offset` ago."""
    least = duration(max(seconds(window), 2 * seconds(_interval(selector))))
    return max_over_time(_of_its_job(UP, selector), least, offset=offset).equals(1)


def _of_its_job(gauge: Gauge, selector: Selector) -> Vector:
    source = source_of(selector.series)
    return gauge.where(JOB.equals(source.job)) if source is not None else gauge


def _interval(selector: Selector) -> str:
    source = source_of(selector.series)
    return source.interval if source is not None else UNKNOWN


def source_of(series: Series) -> Source | None:
    """Return who exposes a series today, None where that is not known."""
    return series.exposed_by if isinstance(series, Metric) else None


def step_of(selector: Selector, window: str) -> str:
    """Return how far apart a window is looked at: as often as the counter is scraped, so that no restart hides."""
    return min(_interval(selector), window, key=seconds)


def persistent(selector: Selector) -> bool:
    """Return whether a counter outlives the process that exposes it."""
    source = source_of(selector.series)
    return source is not None and source.persistent
