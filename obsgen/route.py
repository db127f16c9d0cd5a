"""The ways of alerts at a terminal: whom an alert reaches, after which waits, and what silences it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches

import click

from obsgen.errors import ObsgenError
from obsgen.index import Index
from obsgen.model.catalog import Catalog
from obsgen.model.rule import Alert, Level
from obsgen.promql.infer import labels_of
from obsgen.report import Document, Lines
from obsgen.routing import Router, Silencing, Way
from obsgen.style import columns
from obsgen.words import listed

HEAD = ("alert", "severity", "tells", "after", "again", "when", "silent while")
SEVERITY = "severity"


@dataclass(frozen=True, slots=True)
class Silence:
    """What silences an alert: another one, with the same values of some labels."""

    while_fires: str
    severity: str
    same: list[str]
    whole_job: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """Whom a level of an alert reaches.

    Attributes:
        receiver: the receiver in Alertmanager.
        tells: what people call those who are told.
        follows: whose definition it follows.
        hours: when they are told; empty for at any time.
        not_yet: why it cannot fire yet; empty where it can.
    """

    alert: str
    severity: str
    receiver: str
    tells: list[str]
    follows: str
    group_wait: str
    group_interval: str
    repeat_interval: str
    hours: str
    not_yet: str
    silences: list[Silence]


def deliveries(catalog: Catalog, name: str | None, labels: Mapping[str, str]) -> list[Delivery]:
    """Return whom an alert reaches, level by level.

    Args:
        catalog: the catalog, expanded.
        name: of the alert; all alerts when None.
        labels: labels that it has; `severity` picks a level.

    Raises:
        ObsgenError: the catalog has no routing, no such alert, or the alert no such label or level.
    """
    if catalog.project.routing is None:
        hint = "give the PROJECT a routing=Routing(...), and its teams a notify=Notify(...)"
        raise ObsgenError(f"{catalog.project.name} does not say how alerts get to people\n    {hint}")
    router = Router(Index(catalog))
    chosen = [_named(catalog, name)] if name is not None else list(catalog.alerts)
    found = [
        _delivery(router, alert, level)
        for alert in chosen
        for level in alert.levels
        if labels.get(SEVERITY, level.severity.value) == level.severity.value
    ]
    if name is not None:
        _check_labels(chosen[0], labels)
        if not found:
            known = listed([level.severity.value for level in chosen[0].levels])
            raise ObsgenError(f"{name} is never {labels[SEVERITY]}\n    its levels are {known}")
    return found


def _named(catalog: Catalog, name: str) -> Alert:
    known = {alert.name: alert for alert in catalog.alerts}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        raise ObsgenError(f"there is no alert {name!r}" + (f"\n    did you mean {near[0]!r}?" if near else ""))
    return known[name]


def _check_labels(alert: Alert, labels: Mapping[str, str]) -> None:
    has = labels_of(alert.expr)
    for label in labels:
        if label != SEVERITY and has is not None and label not in has:
            known = ", ".join(sorted({SEVERITY, *has}))
            raise ObsgenError(f"{alert.name} has no label {label!r}\n    it has {known}")


def _delivery(router: Router, alert: Alert, level: Level) -> Delivery:
    way: Way = router.way(alert, level.severity)
    return Delivery(
        alert=alert.name,
        severity=level.severity.value,
        receiver=way.name,
        tells=[receiver.title for receiver in way.receivers],
        follows=way.why,
        group_wait=way.waits.first,
        group_interval=way.waits.more,
        repeat_interval=way.waits.again,
        hours=hours_told(way),
        not_yet=router.index.readiness.about_alert(alert).replace("**", ""),
        silences=[_silence(each) for each in router.silencing(alert.name, level.severity)],
    )


def hours_told(way: Way) -> str:
    """Return when a way tells, as people say it; empty for at any time."""
    if way.hours is None:
        return ""
    days = listed([days.replace(":", " to ") for days in way.hours.weekdays])
    return f"{days}, {way.hours.begin} to {way.hours.end} ({way.hours.location})"


def _silence(silencing: Silencing) -> Silence:
    source = dict(silencing.source)
    return Silence(
        while_fires=source["alertname"],
        severity=source.get(SEVERITY, ""),
        same=[label for label in silencing.equal if label != "catalog"],
        whole_job=source.get("instance") == "",
        reason=silencing.reason,
    )


class TextReport(Lines):
    """For people.

    Args:
        table: whether all alerts are shown, a line each.
        labels: the labels that were asked about.
    """

    def __init__(self, *, table: bool, labels: Mapping[str, str]) -> None:
        super().__init__("no way to show")
        self.table = table
        self.labels = labels

    def done(self, found: Sequence[Delivery]) -> None:
        """Print the ways."""
        if self.table:
            click.echo(columns(HEAD, map(_row, found)))
        for delivery in () if self.table else found:
            click.echo("\n".join(self._explained(delivery)))

    def _explained(self, delivery: Delivery) -> list[str]:
        lines = [
            f"{delivery.alert}, {delivery.severity}",
            f"  tells     {listed(delivery.tells) or 'nobody: it only shows on dashboards'} ({delivery.follows})",
        ]
        if delivery.tells:
            lines.append(
                f"  waits     {delivery.group_wait} for others of its kind, {delivery.group_interval} for more of "
                f"them; tells again every {delivery.repeat_interval}"
            )
            lines.append(f"  when      {delivery.hours or 'at any time'}")
        for silence in delivery.silences:
            lines.append(f"  silent    while {_fires(silence, self.labels)}: {silence.reason}")
        if delivery.not_yet:
            lines.append(f"  yet       {delivery.not_yet}")
        return lines


def _fires(silence: Silence, labels: Mapping[str, str]) -> str:
    severity = f" is {silence.severity}" if silence.severity else " fires"
    same = [f"{label}={labels[label]}" if label in labels else f"the same {label}" for label in silence.same]
    job = " for its whole job" if silence.whole_job else ""
    return f"{silence.while_fires}{severity}{job}{f' with {listed(same)}' if same else ''}"


def _row(delivery: Delivery) -> tuple[str, ...]:
    sources = dict.fromkeys(
        silence.while_fires + (f" ({silence.severity})" if silence.severity else "") for silence in delivery.silences
    )
    return (
        delivery.alert,
        delivery.severity,
        ", ".join(delivery.tells) or "-",
        delivery.group_wait if delivery.tells else "-",
        delivery.repeat_interval if delivery.tells else "-",
        delivery.hours or "at any time",
        ", ".join(sources) or "-",
    )


class JsonReport(Document):
    """For machines: one document with `deliveries`."""

    def __init__(self) -> None:
        super().__init__(deliveries=[])

    def done(self, found: Sequence[Delivery]) -> None:
        """Print the ways."""
        self.print(deliveries=[asdict(delivery) for delivery in found])
