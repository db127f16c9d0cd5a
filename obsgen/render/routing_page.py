"""The page of the docs about routing: who is told what, when and how."""

from __future__ import annotations

from collections.abc import Iterator

from obsgen.index import Index
from obsgen.model.routing import Email, PagerDuty, Receiver, Routing, Slack, Webhook
from obsgen.model.severity import Severity
from obsgen.readiness import reasons
from obsgen.render.links import ROUTING_FILE, runbook_file
from obsgen.render.markdown import code, link, page, table
from obsgen.routing import WAITS, Router, Way
from obsgen.words import listed, spoken

HERE = ROUTING_FILE


def routing_page(index: Index, routing: Routing) -> str:
    """Return the page about how alerts get to people."""
    router = Router(index)
    return page(
        "# Who is told what, when and how",
        "Prometheus sends every alert to Alertmanager, which tells the team of the alert's subject, by how much the "
        "alert asks of people. What an alert finds is one message, however much it is.",
        "## Who",
        table(("Alerts", "Severity", "Who is told", "When"), _who(router)),
        "## How soon, and how often",
        table(
            ("Severity", "Waits for others of its kind", "Tells of more after", "Tells the same again after"),
            [(s.value, *(spoken(t) for t in (w.first, w.more, w.again))) for s, w in WAITS.items()],
        ),
        "Each message tells what fired with its values, and links to the runbook, to the panel that shows it, and to "
        "the form that silences it. When it is over, that is told, too.",
        "## What is not told",
        "While one alert says all there is to say, those that follow from it are silent. They still show in "
        "Prometheus, in Alertmanager and on dashboards.",
        table(("While this fires", "These are silent", "With the same", "Because"), _silent(router)),
        _waiting(router),
        "## With what",
        table(("Receiver", "Id", "Secret"), map(_receiver, routing.receivers)),
        _watchdog(routing),
        "Secrets are files on Alertmanager's host; the configuration names them and holds none.",
    )


def _who(router: Router) -> Iterator[tuple[str, ...]]:
    for way in router.ways:
        severity = dict(way.matchers).get("severity", "")
        told = listed([receiver.title for receiver in way.receivers])
        if severity != Severity.INFO.value or told:
            yield way.why, severity or "-", told or "nobody: it shows on dashboards", _hours(way)


def _hours(way: Way) -> str:
    if way.hours is None:
        return "at any time"
    days = listed([days.replace(":", " to ") for days in way.hours.weekdays])
    return f"{days}, {way.hours.begin} to {way.hours.end} ({way.hours.location}); what fires at another time, then"


def _silent(router: Router) -> Iterator[tuple[str, ...]]:
    for each in router.silencings:
        source = dict(each.source)
        name = source["alertname"]
        said = link(name, runbook_file(name), HERE) + (f" is {source['severity']}" if "severity" in source else "")
        whole = " (the whole job)" if source.get("instance") == "" else ""
        targets = listed([link(target, runbook_file(target), HERE) for target in each.targets])
        level = f" ({each.severity.value})" if each.severity is not None else ""
        same = listed([code(label) for label in each.equal if label != "catalog"])
        yield said + whole, targets + level, same, each.reason


def _waiting(router: Router) -> str:
    """Return which of these alerts are not loaded yet."""
    readiness = router.index.readiness
    if not readiness.waiting:
        return ""
    rows = [
        (link(name, runbook_file(name), HERE), f"{reasons([lack])}", code(f"prometheus/{readiness.file(name)}"))
        for name, (_, lack) in readiness.waiting.items()
    ]
    return page(
        "## What waits",
        "These alerts have their ways, and are not loaded yet: they would cry for ever.",
        table(("Alert", "Waits, because", "Its rule"), rows),
    ).rstrip()


def _receiver(receiver: Receiver) -> tuple[str, ...]:
    match receiver:
        case Slack():
            secret = receiver.url_file
        case PagerDuty():
            secret = receiver.routing_key_file
        case Webhook() | Email():
            secret = ""
    return receiver.title, code(receiver.name), code(secret) if secret else ""


def _watchdog(routing: Routing) -> str:
    if routing.watchdog is None:
        return ""
    return (
        f"{link('Watchdog', runbook_file('Watchdog'), HERE)} fires all the time and is told to "
        f"{routing.watchdog.title} every minute: when that hears nothing any more, alerts no longer get "
        "through, and it raises the alarm."
    )
