"""Alerts that nobody hears of, and receivers that hear of nothing."""

from __future__ import annotations

from collections.abc import Iterator

from obsgen.checks.places import Survey
from obsgen.errors import Location, Problem
from obsgen.index import Index
from obsgen.model.routing import Email, Receiver
from obsgen.model.rule import Alert
from obsgen.model.severity import Severity
from obsgen.routing import Router


def unrouted_alert(survey: Survey) -> Iterator[Problem]:
    """A warning or critical alert that reaches nobody."""
    if survey.catalog.project.routing is None:
        return
    router = Router(Index(survey.catalog))
    for alert in survey.catalog.alerts:
        for level in alert.levels:
            if level.severity is not Severity.INFO and not router.way(alert, level.severity).receivers:
                domain = router.index.home[alert.name]
                _, _, _, who = router.notify(alert, domain)
                message = f"nobody is told of {alert.name} when it is {level.severity.value}"
                hint = f"give {who} a notify=Notify({level.severity.value}=(...)), or the alert one of its own"
                yield Problem("unrouted-alert", message, alert.at, hint)


def idle_receiver(survey: Survey) -> Iterator[Problem]:
    """A receiver that no alert reaches, one that is not listed, or two of one name."""
    routing = survey.catalog.project.routing
    if routing is None:
        return
    router = Router(Index(survey.catalog))
    used: dict[Receiver, str] = {receiver: way.why for way in router.ways for receiver in way.receivers}
    listed = [*routing.receivers, *((routing.watchdog,) if routing.watchdog is not None else ())]
    for receiver in routing.receivers:
        if receiver not in used:
            hint = "name it in the Notify of a team, or take it out of receivers=(...)"
            yield Problem("idle-receiver", f"no alert reaches {receiver.title}", receiver.at, hint)
    for receiver, why in used.items():
        if receiver not in listed:
            message = f"{receiver.title}, to which {why} leads, is not among the receivers"
            yield Problem("idle-receiver", message, receiver.at, f"list it at {routing.at}: receivers=(...)")
        if isinstance(receiver, Email) and routing.smtp is None:
            hint = f"give the routing at {routing.at} one: smtp=Smtp(...)"
            yield Problem("idle-receiver", f"{receiver.title} needs a mail server", receiver.at, hint)
    for place, receiver in enumerate(listed):
        if receiver.name in {other.name for other in listed[:place]}:
            message = f"there are two receivers named {receiver.name!r}"
            yield Problem("idle-receiver", message, receiver.at, "give each a name of its own")


def blind_silence(survey: Survey) -> Iterator[Problem]:
    """Alerts that silence each other, or one that is worse than what silences it."""
    alerts = {alert.name: alert for alert in survey.catalog.alerts}
    silences: dict[str, dict[str, Location]] = {}
    for domain in survey.catalog.domains:
        for inhibition in domain.inhibitions:
            for source in inhibition.sources:
                for target in inhibition.targets:
                    silences.setdefault(source, {})[target.name] = inhibition.at
                    if source in alerts and _worst(target) > _worst(alerts[source]):
                        message = f"{source} would silence {target.name}, which is more severe"
                        hint = "what wakes people must not be silenced by what does not: raise the first, or leave it"
                        yield Problem("blind-silence", message, inhibition.at, hint)
            has = [survey.labels(target.expr) for target in inhibition.targets]
            for label in inhibition.same:
                if any(labels is not None and label.name not in labels for labels in has):
                    message = f"an inhibition compares {label.name!r}, which its targets do not all have"
                    yield Problem("blind-silence", message, inhibition.at, "compare labels that both sides carry")
    for start in silences:
        circle = _circle(start, silences)
        if circle and start == min(circle):
            message = f"{' silences '.join([*circle, start])}: nobody would be told of any of them"
            yield Problem("blind-silence", message, silences[start][circle[1 % len(circle)]], "let one of them speak")


def _worst(alert: Alert) -> int:
    return max((level.severity.rank for level in alert.levels), default=0)


def _circle(start: str, silences: dict[str, dict[str, Location]]) -> list[str]:
    """Return the alerts of a circle of silencing from an alert back to itself, none where there is no such circle."""
    stack = [[start]]
    seen: set[str] = set()
    while stack:
        path = stack.pop()
        for target in silences.get(path[-1], ()):
            if target == start:
                return path
            if target not in seen:
                seen.add(target)
                stack.append([*path, target])
    return []
