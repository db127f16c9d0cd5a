"""Alerts that nobody hears of, and receivers that hear of nothing."""

from __future__ import annotations

from collections.abc import Iterator

from obsgen.checks.places import Survey
from obsgen.errors import Location, Problem
from obsgen.index import Index
from obsgen.model.budget import BudgetSeries
from obsgen.model.hours import closed
from obsgen.model.inhibition import Inhibition
from obsgen.model.routing import Email, Receiver
from obsgen.model.rule import Alert, Recording
from obsgen.model.severity import Severity
from obsgen.promql.metric import seconds
from obsgen.promql.tree import Binary, Number, Range, series_in, walk
from obsgen.routing import Router
from obsgen.words import duration


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
    for inhibition in _inhibitions(survey):
        for name in (*inhibition.sources, *inhibition.silenced):
            if name not in alerts:
                message = f"an inhibition names {name}, and there is no such alert"
                hint = "list the alert in a Domain; a watch has the alert with still_after, a budget with objectives"
                yield Problem("blind-silence", message, inhibition.at, hint)
        targets = [alerts[name] for name in inhibition.silenced if name in alerts]
        for source in inhibition.sources:
            for target in targets:
                silences.setdefault(source, {})[target.name] = inhibition.at
                if source in alerts and _worst(target) > _worst(alerts[source]):
                    message = f"{source} would silence {target.name}, which is more severe"
                    hint = "what wakes people must not be silenced by what does not: raise the first, or leave it"
                    yield Problem("blind-silence", message, inhibition.at, hint)
        has = [survey.labels(target.expr) for target in targets]
        for label in inhibition.same:
            if any(labels is not None and label.name not in labels for labels in has):
                message = f"an inhibition compares {label.name!r}, which its targets do not all have"
                yield Problem("blind-silence", message, inhibition.at, "compare labels that both sides carry")
    for start in silences:
        circle = _circle(start, silences)
        if circle and start == min(circle):
            message = f"{' silences '.join([*circle, start])}: nobody would be told of any of them"
            yield Problem("blind-silence", message, silences[start][circle[1 % len(circle)]], "let one of them speak")


def _inhibitions(survey: Survey) -> Iterator[Inhibition]:
    for domain in survey.catalog.domains:
        yield from domain.inhibitions


def late_silence(survey: Survey) -> Iterator[Problem]:
    """An alert that fires later than what it silences: people are told of the effect first, then of its cause."""
    alerts = {alert.name: alert for alert in survey.catalog.alerts}
    for inhibition in _inhibitions(survey):
        for source in (alerts[name] for name in inhibition.sources if name in alerts):
            for target in (alerts[name] for name in inhibition.silenced if name in alerts):
                if any(isinstance(series, Recording | BudgetSeries) for series in series_in(target.expr)):
                    continue  # when it fires depends on what happened, not on its windows alone
                late, early = _soonest(source), _soonest(target)
                if late > early:
                    message = (
                        f"{source.name} fires {duration(late)} after its cause at the earliest, and {target.name}, "
                        f"which it silences, after {duration(early)}"
                    )
                    hint = f"shorten the hold or the window of {source.name}, or let {target.name} hold longer"
                    yield Problem("late-silence", message, inhibition.at, hint)


def _soonest(alert: Alert) -> float:
    """Return the seconds after which an alert can fire: its hold, and the window in which nothing may have happened."""
    still = (
        seconds(part.window)
        for node in walk(alert.expr)
        if isinstance(node, Binary) and node.operator == "==" and node.right == Number(0)
        for part in walk(node.left)
        if isinstance(part, Range) and part.window
    )
    return min(seconds(level.hold) for level in alert.levels) + max(still, default=0.0)


def unheard_alert(survey: Survey) -> Iterator[Problem]:
    """An alert that may begin and end while those who are told have no hours: nobody would ever hear of it."""
    if survey.catalog.project.routing is None:
        return
    router = Router(Index(survey.catalog))
    for alert in survey.catalog.alerts:
        for level in alert.levels:
            hours = router.way(alert, level.severity).hours
            if hours is None or alert.fleeting or seconds(level.keep_firing) >= closed(hours):
                continue
            message = (
                f"{alert.name} may begin and end outside of the hours {hours.name!r}, and nobody would hear of it when "
                f"it is {level.severity.value}"
            )
            hint = (
                f'let it fire on with keep_firing="{duration(closed(hours))}", watch since_closing(...), or say why '
                "nothing is missed: fleeting=..."
            )
            yield Problem("unheard-alert", message, alert.at, hint)


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
