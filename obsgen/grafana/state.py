"""What is, or should be, in a Grafana: folders, dashboards and their history, as plain values."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Json = dict[str, Any]

MARK = "obsgenChecksum"
"""Key of a dashboard for the checksum of what obsgen last wrote: where it is right, nobody has edited since."""
WRITTEN = "obsgenVersion"
"""Key for the version that this made: a restored old version has the right mark, and another number."""
OWNER_TAG = "obsgen:"
"""How the tag begins that says which catalog a dashboard is of."""
ROOT = ""
"""The uid of the folder of what is in no folder."""
_SERVERS_OWN = ("id", "version", MARK, WRITTEN)
_LENGTH = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True)
class Dashboard:
    """A dashboard, wanted or found.

    Attributes:
        content: its JSON, with its uid; without what only the server knows (id, version).
        folder: the uid of its folder, "" for none.
    """

    content: Json
    folder: str

    @property
    def uid(self) -> str:
        """Its uid."""
        return str(self.content.get("uid", ""))

    @property
    def title(self) -> str:
        """Its title."""
        return str(self.content.get("title", ""))

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags."""
        return tuple(map(str, self.content.get("tags") or ()))

    @cached_property
    def checksum(self) -> str:
        """A checksum of all that obsgen writes: the JSON but for the mark, and the folder."""
        return checksum(self.content, self.folder)

    @property
    def marked(self) -> bool:
        """Whether it is as obsgen wrote it: its mark says so."""
        return self.content.get(MARK) == self.checksum

    def with_mark(self) -> Dashboard:
        """Return it with the mark of its content."""
        return Dashboard({**self.content, MARK: self.checksum}, self.folder)


@dataclass(frozen=True)
class LiveDashboard(Dashboard):
    """A dashboard of a live Grafana.

    Attributes:
        version: counts its changes.
        url: where it is, from the root of the server.
        provisioned: the file that it is provisioned from; None where it is not.
        updated_by: who saved it last.
        updated: when, as Grafana writes it.
        readable: whether its content is the classic JSON; False for a dashboard that was made with the new layouts.
        written: the version that obsgen's last write has made; None where its content does not say.
    """

    version: int = 0
    url: str = ""
    provisioned: str | None = None
    updated_by: str = ""
    updated: str = ""
    readable: bool = True
    written: int | None = None

    @property
    def marked(self) -> bool:
        """Whether it is as obsgen wrote it last: its mark says so, and nobody has gone back to an older version."""
        return super().marked and self.written == self.version

    @property
    def owner(self) -> str | None:
        """The tag that says whose it is; None where obsgen did not make it."""
        return next((tag for tag in self.tags if tag.startswith(OWNER_TAG)), None)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder.

    Attributes:
        uid: its uid.
        title: its title.
        version: counts its changes.
        managed: what else manages it (a repository, Terraform); empty for nothing.
    """

    uid: str
    title: str
    version: int = 0
    managed: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """An entry of a dashboard's history: its number, who saved it, when, and what they wrote about it."""

    number: int
    by: str
    at: str
    message: str


@dataclass(frozen=True, slots=True)
class History:
    """What was done to a dashboard.

    Attributes:
        versions: the newest first.
        ours: whether obsgen wrote one of them for this owner.
        pushed: the newest one that was pushed; None where none is left.
        content: what that one was; None where Grafana does not say.
    """

    versions: tuple[Version, ...]
    ours: bool = False
    pushed: Version | None = None
    content: Json | None = None


@dataclass(frozen=True, slots=True)
class DataSource:
    """A data source: its uid, its name, and its type."""

    uid: str
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was reviewed, as one environment should have it.

    Attributes:
        owner: the tag of all its dashboards.
        folders: the folders, by uid.
        dashboards: the dashboards, by uid.
    """

    owner: str
    folders: Mapping[str, Folder]
    dashboards: Mapping[str, Dashboard]


@dataclass(frozen=True, slots=True)
class Live:
    """What of interest is in a Grafana.

    Attributes:
        folders: those that are wanted and there, by uid.
        dashboards: those that are wanted and there, and all others with the owner's tag, by uid.
        histories: of those that somebody else seems to have changed, by uid.
        namesakes: the uids of other folders with the title of a wanted one that is not there, by title.
    """

    folders: Mapping[str, Folder]
    dashboards: Mapping[str, LiveDashboard]
    histories: Mapping[str, History] = field(default_factory=dict)
    namesakes: Mapping[str, str] = field(default_factory=dict)


def own(content: Mapping[str, Any]) -> Json:
    """Return a dashboard's JSON without what only the server, or obsgen, knows."""
    return {key: value for key, value in content.items() if key not in _SERVERS_OWN}


def checksum(content: Mapping[str, Any], folder: str) -> str:
    """Return a checksum of a dashboard's JSON, as `parsed` reads it, and folder; the order of keys does not count."""
    text = json.dumps([own(content), folder], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def parsed(text: str | bytes) -> Any:
    """Return JSON with whole numbers as such: a server may write 250.0 as 250.

    Raises:
        ValueError: it is no JSON.
    """
    return json.loads(text, parse_float=_number)


def _number(text: str) -> float | int:
    value = float(text)
    return int(value) if value.is_integer() else value


def same(wanted: Dashboard, live: Dashboard) -> bool:
    """Return whether a live dashboard is as wanted.

    A server raises a `refresh` that is below its own minimum when it saves (until Grafana 13.0): that is no difference.
    """
    if wanted.content == live.content and wanted.folder == live.folder:
        # With the mark in both of them; to compare is faster than to make a checksum.
        return True
    if wanted.checksum == live.checksum:
        return True
    asked, got = (interval(each.content.get("refresh")) for each in (wanted, live))
    if not asked or not got or got <= asked or live.content.get(MARK) != wanted.checksum:
        return False
    return checksum({**live.content, "refresh": wanted.content["refresh"]}, live.folder) == wanted.checksum


def interval(text: object) -> float:
    """Return the seconds of a `refresh`; 0 where it is none."""
    found = re.fullmatch(r"(\d+)(ms|[smhd])", text) if isinstance(text, str) else None
    return int(found[1]) * _LENGTH[found[2]] if found else 0.0
