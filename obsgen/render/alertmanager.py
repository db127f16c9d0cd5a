"""Alertmanager's configuration, as plain data.

Every text of a message is in the template file: Alertmanager reads that when it starts, and refuses a broken one. What
stands in the configuration itself it would only parse at the moment of an alert.

Source: https://prometheus.io/docs/alerting/latest/configuration/
"""

from __future__ import annotations

from typing import Any

from obsgen.index import Index
from obsgen.model.routing import Email, Hours, PagerDuty, Receiver, Routing, Slack, Webhook
from obsgen.model.severity import Severity
from obsgen.promql.text import string
from obsgen.routing import GROUP_BY, NOBODY, WAITS, Matchers, Router, Silencing, Way

Json = dict[str, Any]
TEMPLATES = "templates/obsgen.tmpl"
UNROUTED = "unrouted"
"""The receiver of alerts that are not the catalog's."""


def alertmanager(index: Index, routing: Routing) -> Json:
    """Return the configuration of Alertmanager."""
    router = Router(index)
    owner = index.catalog.project.owner
    strangers = owner.notify.receivers(Severity.WARNING) if owner.notify is not None else ()
    hours = dict.fromkeys(way.hours for way in router.ways if way.hours is not None)
    receivers = {way.name: _receiver(way.name, way.receivers) for way in router.ways}
    receivers[UNROUTED] = _receiver(UNROUTED, strangers)
    config: Json = {"global": _global(routing)} if routing.smtp is not None else {}
    config |= {
        "templates": [TEMPLATES],
        "route": _root(router),
        "inhibit_rules": [_inhibition(each) for each in router.silencings],
        "receivers": list(receivers.values()),
    }
    if hours:
        config["time_intervals"] = [_hours(each) for each in hours]
    return config


def _global(routing: Routing) -> Json:
    smtp = routing.smtp
    assert smtp is not None
    data = {"smtp_smarthost": smtp.host, "smtp_from": smtp.sender}
    if smtp.username:
        data["smtp_auth_username"] = smtp.username
    if smtp.password_file:
        data["smtp_auth_password_file"] = smtp.password_file
    return data


def _root(router: Router) -> Json:
    waits = WAITS[Severity.WARNING]
    return {
        "receiver": UNROUTED,
        "group_by": list(GROUP_BY),
        "group_wait": waits.first,
        "group_interval": waits.more,
        "repeat_interval": waits.again,
        "routes": [_route(way) for way in router.ways],
    }


def _route(way: Way) -> Json:
    route: Json = {"receiver": way.name, "matchers": _matchers(way.matchers)}
    if way.hours is not None:
        route["active_time_intervals"] = [way.hours.name]
    if way.name != NOBODY:
        route |= {
            "group_wait": way.waits.first,
            "group_interval": way.waits.more,
            "repeat_interval": way.waits.again,
        }
    return route


def _matchers(matchers: Matchers) -> list[str]:
    return [f"{name}={string(value)}" for name, value in matchers]


def _inhibition(silencing: Silencing) -> Json:
    targets = silencing.targets
    names = f"alertname={string(targets[0])}" if len(targets) == 1 else f"alertname=~{string('|'.join(targets))}"
    level = [f"severity={string(silencing.severity.value)}"] if silencing.severity is not None else []
    return {
        "source_matchers": _matchers(silencing.source),
        "target_matchers": [names, *level],
        "equal": list(silencing.equal),
    }


def _receiver(name: str, receivers: tuple[Receiver, ...]) -> Json:
    data: Json = {"name": name}
    for receiver in receivers:
        kind, config = _config(receiver)
        data.setdefault(kind, []).append(config)
    return data


def _config(receiver: Receiver) -> tuple[str, Json]:
    match receiver:
        case Slack():
            return "slack_configs", _slack(receiver)
        case PagerDuty():
            return "pagerduty_configs", _pagerduty(receiver)
        case Webhook():
            return "webhook_configs", {"url": receiver.url, "send_resolved": True}
        case Email():
            subject = {"Subject": _text("title")}
            return "email_configs", {
                "to": receiver.to,
                "send_resolved": True,
                "headers": subject,
                "html": "",
                "text": _text("text"),
            }


def _slack(receiver: Slack) -> Json:
    return {
        "channel": receiver.channel,
        "api_url_file": receiver.url_file,
        "send_resolved": True,
        "color": _text("slack.colour"),
        "title": _text("slack.title"),
        "title_link": _text("runbook"),
        "fallback": _text("title"),
        "text": _text("slack.text"),
        "footer": "",
        "actions": [
            {"type": "button", "text": "Runbook", "url": _text("runbook")},
            {"type": "button", "text": "Dashboard", "url": _text("dashboard")},
            {"type": "button", "text": "Silence", "url": _text("silence")},
        ],
    }


def _pagerduty(receiver: PagerDuty) -> Json:
    return {
        "routing_key_file": receiver.routing_key_file,
        "send_resolved": True,
        "severity": _text("severity"),
        "description": _text("title"),
        "client": "obsgen",
        "client_url": _text("runbook"),
        "class": _text("class"),
        "component": _text("domain"),
        "group": _text("group"),
        "details": {"summary": _text("text")},
        "links": [
            {"href": _text("runbook"), "text": "Runbook"},
            {"href": _text("dashboard"), "text": "Dashboard"},
            {"href": _text("silence"), "text": "Silence"},
        ],
    }


def _text(name: str) -> str:
    return f'{{{{ template "obsgen.{name}" . }}}}'


def _hours(hours: Hours) -> Json:
    return {
        "name": hours.name,
        "time_intervals": [
            {
                "weekdays": list(hours.weekdays),
                "times": [{"start_time": hours.begin, "end_time": hours.end}],
                "location": hours.location,
            }
        ],
    }
