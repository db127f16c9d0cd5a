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
from functools import reduce

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
from obsgen.promql.metric import LE, PROCESS_START, UP, Gauge, Metric, Source, Vector, as_selector, seconds
from obsgen.promql.tree import Call, Expr, Offset, Selector, Series, Subquery
from obsgen.words import duration

REMEMBERED = "5m"
"""How long before a scrape a series or its target still counts as being there: as long as for Prometheus itself."""
NEAR = "10m"
"""How far back the value at a window's start is looked up exactly."""
COARSE = "5m"
"""Between two looks further back, where reading every sample would cost more than it is worth."""
LOOKS = {"2h": ("10m", "40m"), "1d": ("1h", "4h")}
"""The windows in which what rules have missed is counted, each with the time between two looks at a series, and at what
its target was before."""
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
    comes back in the window, or whose process has run for long, it is the last value less the one before the window:
    exact across an outage, and across a series that is left out for some time.

    Args:
        counter: a counter, or a selector of one.
        window: the window, a PromQL duration.
        by: labels to keep; everything else is summed.
        bridge: how long an outage of a target loses nothing, a PromQL duration; of more than ten minutes the value
            before is looked up coarsely, so that at most five minutes' events may be counted twice.
    """
    selector = as_selector(counter)
    step = step_of(selector, window)
    last = last_over_time(Subquery(_real(selector), window, step))
    first: Expr = last_over_time(Subquery(_real(selector), NEAR, step, offset=window))
    if seconds(bridge) > seconds(NEAR):
        before_near = duration(seconds(window) + seconds(NEAR))
        first = first.or_(last_over_time(Subquery(_real(selector), bridge, COARSE, offset=before_near)))
    through = present_over_time(Subquery(_returned(selector, step), window, step))
    if not persistent(selector):
        target, started = (as_selector(_of_its_job(each, selector)) for each in (UP, PROCESS_START))
        # What its target did not have before the outage began at zero. The outage lasts for more than five minutes.
        before_outage = duration(seconds(window) + seconds(REMEMBERED))
        known = max_over_time(Subquery(target, bridge, COARSE, offset=before_outage)).equals(1)
        first = first.or_(last.and_(known, on=TARGET) * 0)
        through = through.or_(started < time() - 2 * seconds(BRIDGED))
    bridged = ((last - first) >= 0).and_(through, on=TARGET)
    return sum_(bridged.or_(sum_over_time(Subquery(_added(selector, step), window, step))), by)


def events_since_outage(counter: Vector, window: str, tile: str, by: Sequence[Label] = ()) -> Expr:
    """Return how many events a counter saw in a long window, cheaply: what rules that were not evaluated have missed.

    Unlike `events` it looks only now and then, save for both ends of the window: of a process that ended in between,
    what it did after the last look is lost. Of each series it is the last value less that at the window's begin, or the
    last one before; where there is none,

    1. less zero, if the target was being scraped then, or its process has started since: the series is new;
    2. less what it was when the target was first seen;
    3. less zero, if the target was seen before without it: the series is new;
    4. nothing: Prometheus has met the target only now.

    Of a `persistent` source the first and third are left out.

    Args:
        counter: a counter, or a selector of one.
        window: the window, a PromQL duration: one of `LOOKS`.
        tile: the window of the rules that are not evaluated: both see the same last sample.
        by: labels to keep; everything else is summed.
    """
    selector = as_selector(counter)
    step, (looks, seldom) = step_of(selector, tile), LOOKS[window]
    coarse = Subquery(_real(selector), window, looks)
    last = last_over_time(Subquery(_real(selector), tile, step)).or_(last_over_time(coarse))
    begun: Expr = last_over_time(Subquery(_real(selector), NEAR, step, offset=window))
    # The window may begin within an outage itself.
    earlier = duration(seconds(window) + seconds(NEAR))
    begun = begun.or_(last_over_time(Subquery(_real(selector), "1d", "30m", offset=earlier)))
    target, started = (as_selector(_of_its_job(each, selector)) for each in (UP, PROCESS_START))
    if not persistent(selector):
        since: Expr = max_over_time(target, NEAR, offset=window).equals(1)
        since = since.or_(last_over_time(started, window) > time() - seconds(window))
        begun = begun.or_(last.and_(since, on=TARGET) * 0)
    met = target.equals(1).unless(last_over_time(Subquery(target, window, seldom, offset=looks)), on=TARGET)
    begun = begun.or_(min_over_time(Subquery(_real(selector).and_(met, on=TARGET), window, looks)))
    if not persistent(selector):
        known = max_over_time(Subquery(target, window, looks, offset=looks)).equals(1)
        begun = begun.or_(last.and_(known, on=TARGET) * 0)
    restarted = increase(coarse).and_(resets(coarse) > 0)
    return sum_(restarted.or_(clamp_min(last - begun.or_(last), 0)), by)


def _added(selector: Selector, step: str) -> Expr:
    """Return what the last scrape of each series added: what it is, less what it was before.

    The first of these holds:

    1. it was zero, if the process has started since the scrape before;
    2. it was what that scrape says, if that is not more;
    3. it was zero, if that scrape does not have it, and the process has started a few minutes ago: what there was of it
       before belongs to the process before;
    4. it was its last value of the last five minutes, if that is not more: scrapes fail, and exporters leave out a
       series now and then;
    5. it was zero, if this very target was being scraped: the series is new, or has fallen;
    6. as much as it is: Prometheus has met the target only now, and nobody can tell when it counted that.

    Of a `persistent` source, which has counted before its process began, the first and third are left out. Its series
    is new only if no instance has exposed it for a day, and its target has been scraped for a while.
    """
    now, up = _real(selector), as_selector(_of_its_job(UP, selector))
    # The last of these samples may be no number: the largest is one, and the last, too, unless the counter has fallen.
    samples = (function(selector, REMEMBERED, offset=step) for function in (last_over_time, max_over_time))
    lately = reduce(Expr.or_, (value <= selector for value in samples))
    if persistent(selector):
        while_ago = duration(seconds(step) + seconds(NEAR))
        born = selector.and_(_scraped(selector, REMEMBERED, while_ago), on=TARGET)
        seen = last_over_time(Subquery(selector, "1d", "30m", offset=step))
        return now - lately.or_(born.unless(seen, on=_own_labels(selector)) * 0).or_(selector)
    previous = Offset(selector, step) <= selector
    restarted = selector.and_(_restarted(selector, step), on=TARGET)
    started = as_selector(_of_its_job(PROCESS_START, selector))
    young = Offset(up, step).equals(1).and_(started > time() - seconds(REMEMBERED), on=TARGET)
    fresh = selector.and_(young, on=TARGET)
    # On all its labels: a target that has got another label is another one to Prometheus, and its counters are old.
    same = up.equals(1).and_(_scraped(selector, REMEMBERED, step))
    born = selector.and_(same, on=TARGET)
    return now - (restarted * 0).or_(previous).or_(fresh * 0).or_(lately).or_(born * 0).or_(selector)


def _real(selector: Selector) -> Expr:
    """Return the series whose value is a number: a counter that is not one for a moment has not fallen."""
    return selector >= 0


def _own_labels(selector: Selector) -> tuple[Label, ...]:
    """Return the labels that the exporter sets: those that another instance has, too."""
    series = selector.series
    own = tuple(series.labels) if isinstance(series, Metric) else ()
    return (*own, LE) if selector.suffix == "_bucket" else own


def _returned(selector: Selector, step: str) -> Expr:
    """Return the targets that are scraped again after an outage, their process the same for all that is known."""
    now = as_selector(_of_its_job(UP, selector)).equals(1)
    back = now.unless(_scraped(selector, REMEMBERED, step), on=TARGET)
    return back if persistent(selector) else back.unless(_restarted(selector, step), on=TARGET)


def _restarted(selector: Selector, step: str) -> Expr:
    """Return the targets whose process has started since the scrape before, where they tell when it started.

    A target that is new counts as well if its process is young. An old process stays old when its host's clock, from
    which its start is reckoned, is set.
    """
    started = as_selector(_of_its_job(PROCESS_START, selector))
    near = last_over_time(started, NEAR, offset=step)
    far = last_over_time(Subquery(started, BRIDGED, COARSE, offset=duration(seconds(step) + seconds(NEAR))))
    near, far = (
        Call("clamp_min", (before, time() - (seconds(back) + 2 * seconds(NEAR))))
        for before, back in ((near, "0s"), (far, BRIDGED))
    )
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
