"""The ways of alerts to people: which receivers an alert reaches, after which waits, and what silences it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from obsgen.index import Index
from obsgen.model.catalog import Domain
from obsgen.model.routing import Hours, Notify, Receiver
from obsgen.model.rule import Alert, Recording
from obsgen.model.severity import Severity
from obsgen.model.team import Team
from obsgen.model.watch import SourceWatch
from obsgen.promql.infer import labels_of
from obsgen.promql.label import TARGET_LABELS
from obsgen.promql.metric import Metric
from obsgen.promql.tree import series_in
from obsgen.renames import OBSOLETE
from obsgen.watches import WATCHDOG

GROUP_BY = ("catalog", "domain", "alertname")
"""One message for all that an alert finds, five shards or fifty."""
_PARTICULAR = ("alertname", "domain", "team")
Matchers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Waits:
    """How long Alertmanager waits, PromQL durations.

    Attributes:
        first: for others of the group, before it tells the first.
        more: before it tells what has joined or left the group.
        again: before it tells the same again.
    """

    first: str
    more: str
    again: str


WAITS = {
    # A minute of warning is worth more than a complete list; who was woken and does nothing is woken again.
    Severity.CRITICAL: Waits("10s", "1m", "1h"),
    # Nobody waits for it: few messages, complete ones, twice a day.
    Severity.WARNING: Waits("1m", "5m", "12h"),
    Severity.INFO: Waits("5m", "30m", "24h"),
}
NOBODY = "nobody"
"""The receiver of what only shows on dashboards."""
ALWAYS = Waits("0s", "1m", "1m")
"""For the alert that always fires: once a minute."""


@dataclass(frozen=True, slots=True)
class Way:
    """A route of Alertmanager.

    Attributes:
        name: of its receiver in Alertmanager.
        matchers: labels and values of the alerts that take it.
        receivers: who is told; nobody for what only shows on dashboards.
        waits: how long it waits.
        hours: when it tells; at any time where it is None.
        why: whose definition it follows, for people.
    """

    name: str
    matchers: Matchers
    receivers: tuple[Receiver, ...]
    waits: Waits
    hours: Hours | None
    why: str


@dataclass(frozen=True, slots=True)
class Silencing:
    """An inhibition of Alertmanager.

    Attributes:
        source: labels and values of the alert that silences; an empty value is a label that is not there.
        targets: names of the alerts that are silenced.
        severity: which level of them; all where it is None.
        equal: labels that have to be equal.
        reason: why nothing is missed.
    """

    source: Matchers
    targets: tuple[str, ...]
    severity: Severity | None
    equal: tuple[str, ...]
    reason: str


class Router:
    """The ways of a catalog's alerts.

    Args:
        index: the cross-references of an expanded catalog whose project has a routing.
    """

    def __init__(self, index: Index) -> None:
        self.index = index
        self.project = index.catalog.project

    @cached_property
    def ways(self) -> tuple[Way, ...]:
        """All ways, the most particular first: the first that fits an alert is its own."""
        alerts = self.index.catalog.alerts
        found = dict.fromkeys(self.way(alert, level.severity) for alert in alerts for level in alert.levels)
        return tuple(sorted(found, key=lambda way: _PARTICULAR.index(way.matchers[1][0])))

    def way(self, alert: Alert, severity: Severity) -> Way:
        """Return the way of a level of an alert."""
        domain = self.index.home[alert.name]
        watchdog = self.project.routing.watchdog if self.project.routing else None
        if alert.name == WATCHDOG and watchdog is not None:
            return Way("watchdog", self._matchers("alertname", WATCHDOG), (watchdog,), ALWAYS, None, "the watchdog")
        label, value, notify, why = self.notify(alert, domain)
        receivers = notify.receivers(severity) if notify is not None else ()
        hours = notify.hours if notify is not None and severity is Severity.WARNING else None
        matchers = (*self._matchers(label, value), ("severity", severity.value))
        name = f"{why.replace(' ', '-')}-{severity.value}" if receivers else NOBODY
        return Way(name, matchers, receivers, WAITS[severity], hours, why)

    def notify(self, alert: Alert, domain: Domain) -> tuple[str, str, Notify | None, str]:
        """Return who is told of an alert: the label and its value that lead there, the receivers, and who said so."""
        if alert.notify is not None:
            return "alertname", alert.name, alert.notify, f"alert {alert.name}"
        if domain.notify is not None:
            return "domain", domain.name, domain.notify, f"domain {domain.name}"
        team = self.team(domain)
        return "team", team.name, team.notify, f"team {team.name}"

    def team(self, domain: Domain) -> Team:
        """Return the team that acts on the alerts of a domain."""
        return domain.team or self.project.owner

    def _matchers(self, label: str, value: str) -> Matchers:
        return ("catalog", self.project.name), (label, value)

    @cached_property
    def silencings(self) -> tuple[Silencing, ...]:
        """All inhibitions."""
        return (*self._own(), *self._levels_of_one(), *self._burns(), *self._sources())

    def silencing(self, alert: str, severity: Severity) -> tuple[Silencing, ...]:
        """Return what silences a level of an alert."""
        return tuple(s for s in self.silencings if alert in s.targets and s.severity in (None, severity))

    def _own(self) -> Iterator[Silencing]:
        for domain in self.index.catalog.domains:
            for inhibition in domain.inhibitions:
                equal = ("catalog", *(label.name for label in inhibition.same))
                for source in inhibition.silencers:
                    yield Silencing((("alertname", source),), inhibition.silenced, None, equal, inhibition.reason)

    def _levels_of_one(self) -> Iterator[Silencing]:
        for alert in self.index.catalog.alerts:
            severities = sorted((level.severity for level in alert.levels), key=lambda s: -s.rank)
            equal = ("catalog", *sorted(labels_of(alert.expr) or ()))
            for place, milder in enumerate(severities[1:], 1):
                for harsher in severities[:place]:
                    source = (("alertname", alert.name), ("severity", harsher.value))
                    yield Silencing(source, (alert.name,), milder, equal, f"It is {harsher.value} already.")

    def _burns(self) -> Iterator[Silencing]:
        for domain in self.index.catalog.domains:
            for budget in domain.budgets:
                severities = [s for s in sorted(Severity, key=lambda s: -s.rank) if budget.burns_at(s)]
                equal = ("catalog", *(label.name for label in budget.by))
                for place, milder in enumerate(severities[1:], 1):
                    for harsher in severities[:place]:
                        source = (("alertname", budget.burn_alert(harsher)),)
                        target = (budget.burn_alert(milder),)
                        yield Silencing(source, target, None, equal, "The budget burns faster still.")

    def _sources(self) -> Iterator[Silencing]:
        """Yield what is silent while a source is down: what that alone feeds."""
        fed: dict[str, list[Alert]] = {}
        for alert in self.index.catalog.alerts:
            sources = self._fed_by(alert)
            if len(sources) == 1:
                fed.setdefault(sources.pop(), []).append(alert)
        for domain in self.index.catalog.domains:
            for watch in domain.watches:
                alone = fed.get(watch.source.name, [])
                yield from self._down(watch, [alert for alert in alone if alert.name != watch.down])

    def _down(self, watch: SourceWatch, alone: list[Alert]) -> Iterator[Silencing]:
        reason = f"{watch.source.title} is down: what it says is old."
        down = ("alertname", watch.down)
        # What wakes people is not silenced by what does not.
        worst = watch.severity is Severity.CRITICAL
        for severity in [None] if worst else [s for s in Severity if s.rank <= watch.severity.rank]:
            fitting = [a for a in alone if severity is None or severity in {level.severity for level in a.levels}]
            one = tuple(a.name for a in fitting if (labels_of(a.expr) or frozenset()) >= TARGET_LABELS)
            if one:
                yield Silencing((down,), one, severity, ("catalog", *sorted(TARGET_LABELS)), reason)
            if fitting:
                # Without an instance the whole job is gone, not one target of several.
                names = tuple(alert.name for alert in fitting)
                yield Silencing((down, ("instance", "")), names, severity, ("catalog",), reason)

    @cached_property
    def _watching(self) -> dict[str, str]:
        """The source that each alert of a watch is about, by the alert's name."""
        watches = (watch for domain in self.index.catalog.domains for watch in domain.watches)
        return {
            name: watch.source.name for watch in watches for name in (watch.down, watch.missing, watch.stands_still)
        }

    def _fed_by(self, alert: Alert) -> set[str]:
        """Return the names of the sources whose series an alert reads today."""
        if alert.name == OBSOLETE:  # about the catalog, not about what its metrics say
            return set()
        if alert.name in self._watching:
            return {self._watching[alert.name]}
        found: set[str] = set()
        stack, seen = [alert.expr], set[str]()
        while stack:
            for series in series_in(stack.pop()):
                recorded = self.index.series.get(series.name)
                if isinstance(recorded, Recording) and series.name not in seen:
                    seen.add(series.name)
                    stack.append(recorded.expr)
                elif isinstance(series, Metric) and series.exposed_by is not None:
                    found.add(series.exposed_by.name)
        return found
