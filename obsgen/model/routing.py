"""Who is told of an alert, and when it is not worth telling."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

from obsgen.errors import DefinitionError, Location, here
from obsgen.model.severity import Severity
from obsgen.shape import conform

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_DAY = "(monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_DAYS = re.compile(rf"{_DAY}(:{_DAY})?")
_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+")
_SECRET_PATH = re.compile(r"/[^\s\"'{}]+")
_LONG_WORD = re.compile(r"[A-Za-z0-9_\-]{24,}")


def _check_name(kind: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise DefinitionError(f"{name!r} is no name for a {kind}", "use lower-case letters, digits and single dashes")


def _check_file(name: str, what: str, path: str) -> None:
    if not _SECRET_PATH.fullmatch(path):
        raise DefinitionError(
            f"{what} of {name} is {path if len(path) < 16 else path[:6] + '...'!r}, not the path of a file",
            "a secret stays out of the definitions: give the path of the file on Alertmanager's host that holds it",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """A channel in Slack.

    Args:
        name: its id.
        channel: the channel, with its `#`.
        url_file: the file on Alertmanager's host that holds the address of the incoming webhook, which is a secret.
    """

    name: str
    channel: str
    url_file: str
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        _check_name("receiver", self.name)
        _check_file(self.name, "url_file", self.url_file)
        if not self.channel.startswith(("#", "@")) or " " in self.channel:
            raise DefinitionError(f"{self.channel!r} is no channel of Slack", 'write it as in "#alerts"')

    @property
    def title(self) -> str:
        """What people call it."""
        return f"Slack {self.channel}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDuty:
    """A service in PagerDuty: who is on call is paged.

    Args:
        name: its id.
        service: what the service is called in PagerDuty.
        routing_key_file: the file on Alertmanager's host that holds the integration's routing key.
    """

    name: str
    service: str
    routing_key_file: str
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        _check_name("receiver", self.name)
        _check_file(self.name, "routing_key_file", self.routing_key_file)

    @property
    def title(self) -> str:
        """What people call it."""
        return f"PagerDuty {self.service}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that takes Alertmanager's own JSON.

    Args:
        name: its id.
        url: the address. It goes into the configuration as it is, so it may not hold a secret.
    """

    name: str
    url: str
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        _check_name("receiver", self.name)
        try:
            parts = urlsplit(self.url)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s\"'{}]", self.url):
            raise DefinitionError(f"url of {self.name} is {self.url!r}", "give an address with https:// or http://")
        if parts.username or parts.password or parts.query or _LONG_WORD.search(parts.path):
            raise DefinitionError(
                f"url of {self.name} looks as if it held a secret (at {parts.hostname})",
                "let a proxy beside Alertmanager add it: the generated configuration is read by everybody",
            )

    @property
    def title(self) -> str:
        """What people call it."""
        return f"webhook {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """A mailbox. The project's routing needs an `Smtp` server.

    Args:
        name: its id.
        to: the address.
    """

    name: str
    to: str
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        _check_name("receiver", self.name)
        if not _ADDRESS.fullmatch(self.to):
            raise DefinitionError(f"{self.to!r} is no mail address", "write it as in oncall@example.org")

    @property
    def title(self) -> str:
        """What people call it."""
        return f"mail to {self.to}"


Receiver = Slack | PagerDuty | Webhook | Email


@cache
def _time_zones() -> frozenset[str]:
    import zoneinfo

    return frozenset(zoneinfo.available_timezones())


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Times of the week.

    Args:
        name: its id.
        weekdays: days and ranges of them: `monday:friday`.
        begin: the time of day at which it begins, as in 09:00.
        end: the time at which it ends, up to 24:00.
        location: the time zone, a name of the IANA database.
    """

    name: str
    weekdays: Sequence[str]
    begin: str
    end: str
    location: str
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        _check_name("time interval", self.name)
        for days in self.weekdays:
            if not _DAYS.fullmatch(days):
                raise DefinitionError(f"{days!r} are no days of the week", 'write them as in "monday:friday"')
        for time in (self.begin, self.end):
            if not _TIME.fullmatch(time):
                raise DefinitionError(f"{time!r} is no time of day", "write it as in 09:00")
        if self.begin >= self.end:
            raise DefinitionError(
                f"{self.name} ends at {self.end}, before it begins at {self.begin}", "split it at midnight"
            )
        if self.location not in _time_zones():
            from difflib import get_close_matches

            near = get_close_matches(self.location, sorted(_time_zones()), n=1)
            raise DefinitionError(
                f"{self.location!r} is no time zone", f"did you mean {near[0]!r}?" if near else "as in Europe/Berlin"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Who is told of alerts, by how much they ask of people.

    Args:
        critical: who is woken.
        warning: who is told to act in working hours.
        info: who is told what only is good to know: nobody, most of the time.
        hours: when warnings are told; at any time when left out. What fires at another time is told when they begin.
    """

    critical: Sequence[Receiver]
    warning: Sequence[Receiver]
    info: Sequence[Receiver] = ()
    hours: Hours | None = None
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)

    def receivers(self, severity: Severity) -> tuple[Receiver, ...]:
        """Return who is told of a severity."""
        return tuple(getattr(self, severity.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """The server that takes mail.

    Args:
        host: `host:port`.
        sender: the address that mails come from.
        username: who logs in; nobody when left out.
        password_file: the file on Alertmanager's host that holds the password.
    """

    host: str
    sender: str
    username: str = ""
    password_file: str = ""
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        if self.password_file:
            _check_file("Smtp", "password_file", self.password_file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """How alerts get from Prometheus to people. With it, every warning and critical alert needs a way to somebody.

    Args:
        receivers: everybody who can be told.
        alertmanagers: where Prometheus sends alerts, `host:port` each.
        watchdog: who is told every minute that the whole chain works, and raises the alarm when that stops: a dead
            man's switch.
        smtp: for receivers of mail.
        prometheus: where Prometheus scrapes itself, `host:port`: alerts tell of rules that fail or are late, and of
            alerts that get lost.
    """

    receivers: Sequence[Receiver]
    alertmanagers: Sequence[str]
    watchdog: Webhook | None = None
    smtp: Smtp | None = None
    prometheus: str = "localhost:9090"
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
