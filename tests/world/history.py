"""The past of a world: what would have been scraped, recorded and raised by now, written into a Prometheus."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from obsgen.budgets.tiles import OUTAGES
from obsgen.index import Index
from obsgen.model import Catalog
from obsgen.prometheus import Prometheus
from obsgen.promql.metric import seconds
from obsgen.promql.tree import series_in
from obsgen.prove.rules import Rule, Rules
from obsgen.watches.prometheus import itself
from tests.bench.prometheus import STALE, Points, stamps
from tests.bench.prometheus import Prometheus as Loader
from tests.world.catalog import Group, instances
from tests.world.services import Family, is_up
from tests.world.tiles import plain
from tests.world.traffic import Timeline

CLOSE = 4 * 3600.0
"""Seconds at the end of the past in which there is all that a real Prometheus would have."""
COARSE, SELDOM = 60.0, 60.0
"""Seconds from one scrape to the next before that, and from one evaluation to the next, of what is done more often."""
CLOSEST = 30.0
"""Seconds from one evaluation to the next of what has no old past, unless a dashboard shows it: guards of alerts."""
WINDOW = 3600.0
"""Seconds for which a recording is read at least where its samples are summed: each of them counts."""
RAISED = 3 * 3600.0
"""Seconds at the end of the past for which it is known which alerts were raised."""
AROUND = 3600.0
"""Seconds after the end of an incident for which that is known, too."""

Labels = tuple[tuple[str, str], ...]
Samples = list[tuple[float, float]]
Run = tuple[float, float, float]
"""First and last of some times, in Unix seconds, and the seconds from one to the next."""


def slots(since: float, until: float, every: float, offset: float) -> Iterator[float]:
    """Yield the times after `since`, up to `until`, that lie so many seconds after a multiple of an interval."""
    first = math.floor((since - offset) / every) + 1
    last = math.floor((until - offset) / every)
    yield from (round(n * every + offset, 3) for n in range(first, last + 1))


@dataclass
class History:
    """Writes the past.

    Attributes:
        catalog: the catalog.
        groups: its rule groups.
        families: the metrics, as the exporters have them.
        timeline: the incidents.
        begin: when the past begins, in Unix seconds.
        now: when the world is started: the hours before, and all after, are as fine as in reality.
        written: up to when there is a past.
        fine: when those hours begin.
    """

    catalog: Catalog
    groups: Sequence[Group]
    families: Sequence[Family]
    timeline: Timeline
    begin: float
    now: float
    written: float = field(init=False)
    fine: float = field(init=False)
    _plain: Mapping[str, str] = field(init=False, repr=False)
    _rules: Rules = field(init=False, repr=False)
    _summed: set[str] = field(init=False, repr=False)
    _shown: set[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.written = self.begin
        self.fine = self.now - CLOSE
        self._plain = plain(self.catalog)
        every = [rule for group in self.groups for rule in group.rules]
        self._rules = Rules(every)
        self._summed = {name for rule in every for name, back in rule.reads.items() if back >= WINDOW}
        expressions = (expr for place in Index(self.catalog).places for expr in place.panel.expressions)
        reads = {series.name for expr in expressions for series in series_in(expr)}
        self._shown = {rule.name for rule in self._rules.needed(reads)}

    def catch_up(self, server: Prometheus, until: float) -> None:
        """Write what was scraped and recorded from where the past ends up to a time."""
        assert server.folder is not None
        loader = Loader(server.url, server.folder)
        loader.load(self._scraped(self.written, until))
        for rule, offset in self._recordings():
            loader.load(_recorded(server, rule, self._queries(rule, offset, until)))
        self.written = until

    def raise_alerts(self, server: Prometheus) -> None:
        """Write which alerts were pending and firing at the end of the past, and around the incidents before."""
        assert server.folder is not None
        times = [(max(self.written - RAISED, self.begin), self.written)]
        for spans in self.timeline.spans.values():
            times += [(begin, end + AROUND) for begin, end in spans if end + AROUND < times[0][0]]
        loader = Loader(server.url, server.folder)
        for since, until in sorted(_apart(times)):
            for group in self.groups:
                for rule in group.rules:
                    if rule.alert:
                        when = list(slots(since, until, group.interval, group.offset))
                        loader.load(_raised(server, rule, when))

    def _queries(self, rule: Rule, offset: float, until: float) -> Iterator[tuple[str, Run]]:
        """Yield what to ask for the samples of a recording, and when."""
        least = 0.0 if rule.name in self._summed else SELDOM
        for run in self._runs(self.written, until, rule.interval, offset, least):
            old = run[1] <= self.fine
            if not old or rule.interval > CLOSEST or rule.name in self._shown:
                yield (self._plain.get(rule.name, rule.expr) if old else rule.expr), run

    def _times(self, since: float, until: float, every: float, offset: float) -> Iterator[float]:
        for begin, end, step in self._runs(since, until, every, offset, COARSE):
            yield from slots(begin - step, end, step, offset)

    def _runs(self, since: float, until: float, every: float, offset: float, least: float) -> Iterator[Run]:
        """Yield the times after `since`, up to `until`: coarse ones at least so far apart, then fine ones."""
        coarse = max(every, least)
        for begin, end, step in ((since, min(until, self.fine), coarse), (max(since, self.fine), until, every)):
            when = list(slots(begin, end, step, offset))
            if when:
                yield when[0], when[-1], step

    def _recordings(self) -> Iterator[tuple[Rule, float]]:
        """Yield the recordings in the order of their dependencies, with their groups' offsets.

        What is recorded only after an outage is left out: there has been none.
        """
        offsets = {rule.name: group.offset for group in self.groups for rule in group.rules}
        never = {
            budget.since_outage(which, window).name
            for domain in self.catalog.domains
            for budget in domain.budgets
            for which in ("total", "bad")
            for window in OUTAGES
        }
        rules = self._rules.needed(self._rules.recordings)
        yield from ((rule, offsets[rule.name]) for rule in rules if rule.name not in never)

    def _scraped(self, since: float, until: float) -> Iterator[Points]:
        hosts = instances(self.catalog)
        born = self.begin
        yield self._own(since, until)
        for place, source in enumerate(self.catalog.sources):
            job = source.job
            interval = seconds(source.interval)
            own = {"job": job, "instance": hosts[job]}
            # Every target has its own time, somewhere in the interval.
            times = list(self._times(since, until, interval, (7.3 + 4.1 * place) % interval))
            up = [is_up(job, at, self.timeline) for at in times]
            every = stamps(times)
            yield {"__name__": "up", **own}, every, array("d", map(float, up))
            # Marks the first scrape that fails; the series has nothing at those after it.
            kept = [n for n, is_ in enumerate(up) if is_ or (n > 0 and up[n - 1])]
            seen = [(times[n], up[n]) for n in kept]
            when = stamps(at for at, _ in seen)
            start = array("d", (born if is_ else STALE for _, is_ in seen))
            yield {"__name__": "process_start_time_seconds", **own}, when, start
            for family in self.families:
                if family.metric.source is not None and family.metric.source.job == job:
                    for line in family.lines:
                        values = array("d", (line.value(at) if is_ else STALE for at, is_ in seen))
                        yield {"__name__": line.name, **line.labels, **own}, when, values

    def _own(self, since: float, until: float) -> Points:
        """Return that Prometheus has scraped itself."""
        assert self.catalog.project.routing is not None
        source = itself(self.catalog.project.routing)
        times = list(self._times(since, until, seconds(source.interval), 3.1))
        labels = {"__name__": "up", "job": source.job, "instance": source.targets[0]}
        return labels, stamps(times), array("d", [1.0] * len(times))


def _apart(times: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yield spans of time with those that overlap made one."""
    joined: tuple[float, float] | None = None
    for since, until in sorted(times):
        if joined is not None and since <= joined[1]:
            joined = joined[0], max(until, joined[1])
            continue
        if joined is not None:
            yield joined
        joined = since, until
    if joined is not None:
        yield joined


def _recorded(server: Prometheus, rule: Rule, queries: Iterable[tuple[str, Run]]) -> Iterator[Points]:
    """Yield what a rule records, with a marker where a series ends as Prometheus itself writes it."""
    found: dict[Labels, Samples] = {}
    for expr, (first, last, step) in queries:
        for metric, samples in server.range(expr, first, last, step):
            labels = _labels(metric, rule.name, rule.labels or {})
            found.setdefault(labels, []).extend(_marked(list(samples), last, step))
    yield from (_points(labels, samples) for labels, samples in found.items())


def _labels(metric: Mapping[str, str], name: str, added: Mapping[str, str]) -> Labels:
    return tuple(sorted({**metric, **added, "__name__": name}.items()))


def _points(labels: Labels, samples: Samples) -> Points:
    return dict(labels), stamps(at for at, _ in samples), array("d", (value for _, value in samples))


def _marked(samples: Samples, last: float, step: float) -> Iterator[tuple[float, float]]:
    """Yield samples with a marker at each step that has none, after one that has."""
    for (at, value), (after, _) in pairwise([*samples, (last + step, 0.0)]):
        yield at, value
        if after - at > 1.5 * step:
            yield round(at + step, 3), STALE


def _raised(server: Prometheus, rule: Rule, when: Sequence[float]) -> Iterator[Points]:
    """Yield the series in which Prometheus keeps an alert's state."""
    if not when:
        return
    states: dict[Labels, Samples] = {}
    for metric, samples in server.range(rule.expr, when[0], when[-1], rule.interval):
        labels = {**metric, **(rule.labels or {}), "alertname": rule.name}
        firing = "ALERTS", {**labels, "alertstate": "firing"}
        pending = "ALERTS", {**labels, "alertstate": "pending"}
        since = _labels(labels, "ALERTS_FOR_STATE", {})
        active = before = -math.inf
        for at, _ in samples:
            if at - before > 1.5 * rule.interval:
                active = at
            before = at
            name, state = firing if at - active >= rule.hold else pending
            states.setdefault(_labels(state, name, {}), []).append((at, 1.0))
            states.setdefault(since, []).append((at, float(math.floor(active))))
    for key, values in states.items():
        yield _points(key, list(_marked(values, when[-1], rule.interval)))
