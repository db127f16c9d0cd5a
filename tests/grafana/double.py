"""A Grafana that keeps its state in memory and answers on a real socket as Grafana does, version by version.

What it does was read off a running Grafana 9.4 where there was one, and for later versions follows their source and
documentation. `Server` is the socket, with weather of its own; behind it stands a `Double`, or a real Grafana.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Json = dict[str, Any]
TOKEN = "glsa_obsgen_0123456789"
HAND = "glsa_a_person"
LOGINS = {TOKEN: "sa-obsgen", HAND: "anna"}
IDENTITIES = {"sa-obsgen": "service-account:bf00obsgen", "anna": "user:bf01anna"}
NAMES = {"service-account:bf00obsgen": "The robot", "user:bf01anna": "Anna"}
LARGEST = 16 * 2**20


@dataclass(frozen=True)
class Profile:
    """What tells the versions of Grafana apart.

    Attributes:
        name: of the profile.
        version: what it says of itself.
        titles_once: whether a folder takes a title once.
        folder_titles_once: whether there is a folder of a title once.
        stale: the status of a save that names another version than the one that is there.
        counts_all: whether each save makes a version, changed or not.
        listed: whether the history is a list; else an object with one.
        big_ids: whether ids are larger than 2^53.
        rejects_refresh: whether a refresh that is too short is refused; else it is raised.
        shy: whether a token that may see nothing yet is told 403 of what is not there.
        counts: whether a folder can be asked how much is in it.
        resources: whether it has the newer resources, and calls service accounts "Anonymous" elsewhere.
    """

    name: str
    version: str
    titles_once: bool = False
    folder_titles_once: bool = False
    stale: int = 412
    counts_all: bool = False
    listed: bool = False
    big_ids: bool = True
    rejects_refresh: bool = False
    shy: bool = False
    counts: bool = True
    resources: bool = True


P9 = Profile(
    "P9", "9.4.0", True, True, counts_all=True, listed=True, big_ids=False, shy=True, counts=False, resources=False
)
P11 = Profile("P11", "11.6.1", folder_titles_once=True, counts_all=True, listed=True, big_ids=False, resources=False)
P12 = Profile("P12", "12.3.0+security-01")
P13 = Profile("P13", "13.2.1", stale=409, rejects_refresh=True)
PROFILES = (P9, P11, P12, P13)


@dataclass(frozen=True)
class Request:
    """A request: its method, its path with what is behind the question mark, its headers and its body."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def params(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query)

    @property
    def writes(self) -> bool:
        return self.method != "GET"


@dataclass(frozen=True)
class Reply:
    """An answer: its status, what stands in it, and further headers."""

    status: int
    said: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        if isinstance(self.said, bytes):
            return self.said
        return b"" if self.said is None else json.dumps(self.said).encode() + b"\n"


class _Refusal(Exception):  # noqa: N818  # an answer, no failure
    def __init__(self, status: int, message: str, word: str = "", **more: Any) -> None:
        self.reply = Reply(status, {"message": message, **({"status": word} if word else {}), **more})


@dataclass
class Board:
    """A dashboard that is kept."""

    id: int
    content: Json
    folder: str
    version: int
    by: str
    at: str
    history: list[Json] = field(default_factory=list)
    provisioned: str = ""
    api: str = ""


class Double:
    """The state of a Grafana with one organisation.

    Args:
        profile: which version it is.
        refresh: the shortest refresh that it takes, in seconds.
        path: the sub-path that it is below.
    """

    def __init__(self, profile: Profile, *, refresh: int = 5, path: str = "") -> None:
        self.profile = profile
        self.refresh = refresh
        self.path = path
        self.boards: dict[str, Board] = {}
        self.folders: dict[str, Json] = {}
        self.sources: list[Json] = [source("prom", "Prometheus")]
        self.hide_version = False
        self.late = 0
        """How many searches go by before the index knows of a change (Grafana 12 and later)."""
        self.may_list_sources = True
        self.denied: set[str] = set()
        self.kept_versions = 20
        self.knows_editors = True
        self._index: list[list[Json]] = []
        self._lock = threading.RLock()
        self._ids = itertools.count(2**60 + 1 if profile.big_ids else 1)
        self._clock = itertools.count(1_790_000_000)

    def __call__(self, request: Request) -> Reply:
        """Return the answer to a request."""
        with self._lock:
            try:
                return self._answer(request)
            except _Refusal as refusal:
                return refusal.reply

    def _answer(self, request: Request) -> Reply:
        path = request.path.removeprefix(self.path)
        if not request.path.startswith((f"{self.path}/api/", f"{self.path}/apis/")):
            return Reply(302, b"", {"Location": f"{self.path}/login"})
        if path == "/api/health":
            said = {"database": "ok"} if self.hide_version else {"database": "ok", "version": self.profile.version}
            return Reply(200, said)
        self._check_login(request)
        for method, pattern, handler in self._routes():
            found = re.fullmatch(pattern, path)
            if found and method == request.method:
                return Reply(200, handler(request, *found.groups()))
        raise _Refusal(404, "Not found")

    def _routes(self) -> tuple[tuple[str, str, Callable[..., Any]], ...]:
        uid = "([^/]*)"
        return (
            ("GET", "/api/org", lambda _: {"id": 1, "name": "Main Org.", "address": {}}),
            ("GET", "/api/datasources", self._get_sources),
            ("GET", f"/api/datasources/uid/{uid}", self._get_source),
            ("GET", "/api/search", self._search),
            ("GET", "/api/folders", self._list_folders),
            ("POST", "/api/folders", self._make_folder),
            ("GET", f"/api/folders/{uid}", self._get_folder),
            ("PUT", f"/api/folders/{uid}", self._put_folder),
            ("DELETE", f"/api/folders/{uid}", self._delete_folder),
            ("GET", f"/api/folders/{uid}/counts", self._counts),
            ("POST", "/api/dashboards/db", self._save),
            ("GET", f"/api/dashboards/uid/{uid}", self._get_board),
            ("DELETE", f"/api/dashboards/uid/{uid}", self._delete_board),
            ("GET", f"/api/dashboards/uid/{uid}/versions", self._versions),
            ("GET", f"/api/dashboards/uid/{uid}/versions/(\\d+)", self._version),
            ("GET", "/api/frontend/settings", lambda _: {"namespace": "default"} if self.profile.resources else {}),
            *(self._resources() if self.profile.resources else ()),
        )

    def _resources(self) -> tuple[tuple[str, str, Callable[..., Any]], ...]:
        group = "/apis/([a-z]+).grafana.app/"
        here = "v1/namespaces/default"
        return (
            ("GET", group, lambda _, name: {"name": name, "preferredVersion": {"version": "v1"}}),
            ("GET", f"/apis/dashboard.grafana.app/{here}/dashboards/([^/]*)", self._resource),
            ("GET", f"/apis/iam.grafana.app/{here}/display", self._display),
        )

    def _resource(self, request: Request, uid: str) -> Json:
        self._get_board(request, uid)
        note = {"grafana.app/updatedBy": IDENTITIES[self.boards[uid].by]} if self.knows_editors else {}
        return {"metadata": {"name": uid, "annotations": note}, "spec": self.boards[uid].content}

    def _display(self, request: Request) -> Json:
        if "names" in self.denied:
            raise _Refusal(403, "forbidden")
        keys = request.params.get("key", [])
        return {"keys": keys, "display": [{"displayName": NAMES[key]} for key in keys if key in NAMES]}

    def _shown(self, by: str) -> str:
        return "Anonymous" if self.profile.resources and by == LOGINS[TOKEN] else by

    def _check_login(self, request: Request) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in LOGINS:
            more: Json = {} if self.profile.listed else {"messageId": "api-key.invalid", "statusCode": 401}
            raise _Refusal(401, "Invalid API key", **more)
        if request.method in ("POST", "PUT") and request.headers.get("Content-Type") != "application/json":
            raise _Refusal(400, "bad request data")

    def _now(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(next(self._clock)))

    def _who(self, request: Request) -> str:
        return LOGINS[request.headers["Authorization"].removeprefix("Bearer ")]

    def _missing(self, what: str, permission: str) -> _Refusal:
        if self.profile.shy and not self.folders:
            message = f"You'll need additional permissions to perform this action. Permissions needed: {permission}"
            return _Refusal(403, message, title="Access denied", accessErrorId="ACE0123456789")
        return _Refusal(404, what)

    def _get_sources(self, request: Request) -> list[Json]:
        if not self.may_list_sources:
            raise _Refusal(403, "You'll need additional permissions to perform this action.", title="Access denied")
        return self.sources

    def _get_source(self, request: Request, uid: str) -> Json:
        found = next((each for each in self.sources if each["uid"] == uid), None)
        if found is None:
            raise _Refusal(404, "Data source not found")
        return {**found, "version": 1, "secureJsonFields": {}}

    # Folders.

    def _list_folders(self, request: Request) -> list[Json]:
        limit, page = (
            int(request.params.get(key, [default])[0]) for key, default in (("limit", "1000"), ("page", "1"))
        )
        listed = [{"id": f["id"], "uid": f["uid"], "title": f["title"]} for f in self.folders.values()]
        return listed[limit * (page - 1) : limit * page]

    def _make_folder(self, request: Request) -> Json:
        said = _object(request)
        uid, title = str(said.get("uid") or f"f{next(self._ids)}"), str(said.get("title") or "")
        if not title:
            raise _Refusal(400, "folder title cannot be empty")
        if uid in self.folders:
            raise _Refusal(412, "the folder has been changed by someone else", "version-mismatch")
        if self.profile.folder_titles_once and any(f["title"] == title for f in self.folders.values()):
            raise _Refusal(409, "a folder with the same name already exists in the current location")
        made = {"id": next(self._ids), "uid": uid, "title": title, "version": 1, "canSave": True}
        self.folders[uid] = {**made, "url": f"{self.path}/dashboards/f/{uid}/x", "updatedBy": self._who(request)}
        self._changed()
        return self.folders[uid]

    def _get_folder(self, request: Request, uid: str) -> Json:
        if uid not in self.folders:
            raise self._missing("folder not found", "folders:read")
        return self.folders[uid]

    def _put_folder(self, request: Request, uid: str) -> Json:
        said, found = _object(request), self._get_folder(request, uid)
        if not said.get("overwrite") and said.get("version") != found["version"]:
            raise _Refusal(412, "the folder has been changed by someone else", "version-mismatch")
        self.folders[uid] = {**found, "title": said["title"], "version": found["version"] + 1}
        self._changed()
        return self.folders[uid]

    def _delete_folder(self, request: Request, uid: str) -> Any:
        self._get_folder(request, uid)
        for board in [each for each, kept in self.boards.items() if kept.folder == uid]:
            del self.boards[board]
        del self.folders[uid]
        self._changed()
        return None if self.profile is P9 else {"message": "Folder deleted"}

    def _counts(self, request: Request, uid: str) -> Json:
        if not self.profile.counts:
            raise _Refusal(404, "Not found")
        self._get_folder(request, uid)
        return {"folder": 0, "dashboard": sum(b.folder == uid for b in self.boards.values()), "alertrule": 0}

    # Dashboards.

    def _get_board(self, request: Request, uid: str) -> Json:
        board = self.boards.get(uid)
        if board is None:
            raise self._missing("Dashboard not found", "dashboards:read")
        meta = {
            "type": "db",
            "slug": "x",
            "url": f"{self.path}/d/{uid}/x",
            "created": board.at,
            "updated": board.at,
            "createdBy": self._shown(board.by),
            "updatedBy": self._shown(board.by),
            "version": board.version,
            "folderUid": board.folder,
            "folderTitle": self.folders[board.folder]["title"] if board.folder else "General",
            "provisioned": bool(board.provisioned),
            "provisionedExternalId": board.provisioned,
            **({"apiVersion": board.api} if board.api else {}),
        }
        return {"meta": meta, "dashboard": {**board.content, "id": board.id, "version": board.version}}

    def _save(self, request: Request) -> Json:
        said = _object(request)
        content = said.get("dashboard") or {}
        self._check_save(request, said, content)
        uid = content.get("uid") or f"u{next(self._ids)}"
        version = content.pop("version", None)
        content.pop("id", None)
        folder = said.get("folderUid") or ""
        found = self.boards.get(uid)
        if found is not None:
            if found.provisioned:
                raise _Refusal(400, "Cannot save provisioned dashboard")
            if not said.get("overwrite") and version != found.version:
                raise self._stale()
        self._check_title(uid, str(content["title"]), folder)
        return self._kept(uid, {**content, "uid": uid}, folder, self._who(request), str(said.get("message") or ""))

    def _check_save(self, request: Request, said: Json, content: Json) -> None:
        if "dashboards:write" in self.denied:
            needed = "Permissions needed: dashboards:write"
            raise _Refusal(403, f"You'll need additional permissions. {needed}", title="Access denied")
        if len(request.body) > LARGEST:
            raise _Refusal(413, "Dashboard is too large, max is 16 MB")
        if not str(content.get("title") or "").strip():
            raise _Refusal(400, "Dashboard title cannot be empty", "empty-name")
        if not re.fullmatch("[A-Za-z0-9_-]*", str(content.get("uid") or "")):
            raise _Refusal(400, "uid contains illegal characters")
        if len(str(content.get("uid") or "")) > 40:
            raise _Refusal(400, "uid too long, max 40 characters")
        if len(str(said.get("message") or "")) > 500:
            raise _Refusal(400, "message too long, max 500 characters")
        if said.get("folderUid") and said["folderUid"] not in self.folders:
            raise _Refusal(400, "Folder not found")
        content["title"] = content["title"].strip()
        refresh = re.fullmatch(r"(\d+)s", str(content.get("refresh") or ""))
        if refresh and int(refresh[1]) < self.refresh:
            if self.profile.rejects_refresh:
                raise _Refusal(400, "Dashboard refresh interval is too low")
            content["refresh"] = f"{self.refresh}s"

    def _stale(self) -> _Refusal:
        if self.profile.stale == 409:
            return _Refusal(409, "Dashboard already exists. Use overwrite flag to update.")
        return _Refusal(412, "The dashboard has been changed by someone else", "version-mismatch")

    def _check_title(self, uid: str, title: str, folder: str) -> None:
        if not self.profile.titles_once:
            return
        if folder and self.folders[folder]["title"] == title:
            raise _Refusal(400, "Dashboard name cannot be the same as folder", "name-match")
        others = (b for other, b in self.boards.items() if other != uid and b.folder == folder)
        if any(other.content["title"] == title for other in others):
            raise _Refusal(412, "A dashboard with the same name in the folder already exists", "name-exists")

    def _kept(self, uid: str, content: Json, folder: str, by: str, message: str) -> Json:
        board = self.boards.get(uid)
        at = self._now()
        if board is None:
            board = self.boards[uid] = Board(next(self._ids), content, folder, 0, by, at)
        if self.profile.counts_all or board.content != content or board.version == 0:
            board.version += 1
            entry = {"id": next(self._ids), "version": board.version, "created": at, "createdBy": by}
            board.history.insert(0, {**entry, "message": message, "data": content})
            del board.history[self.kept_versions :]
        board.content, board.folder, board.by, board.at, board.api = content, folder, by, at, ""
        self._changed()
        url = f"{self.path}/d/{uid}/x"
        return {"id": board.id, "uid": uid, "url": url, "status": "success", "version": board.version, "slug": "x"}

    def _delete_board(self, request: Request, uid: str) -> Json:
        self._get_board(request, uid)
        if self.boards[uid].provisioned:
            raise _Refusal(400, "provisioned dashboard cannot be deleted")
        title = self.boards.pop(uid).content["title"]
        self._changed()
        return {"title": title, "message": f"Dashboard {title} deleted", "uid": uid}

    def _versions(self, request: Request, uid: str) -> Any:
        self._get_board(request, uid)
        listed = []
        for entry in self.boards[uid].history[: int(request.params.get("limit", ["1000"])[0])]:
            # The list does not say what was written about a first version, and here who wrote as a number.
            message = "Initial save" if entry["version"] == 1 else entry["message"]
            listed.append(
                {**entry, "message": message, "data": None, "createdBy": 2 if self.profile.listed else "anna"}
            )
        return listed if self.profile.listed else {"continueToken": "", "versions": listed}

    def _version(self, request: Request, uid: str, number: str) -> Json:
        self._get_board(request, uid)
        found = next((e for e in self.boards[uid].history if e["version"] == int(number)), None)
        if found is None:
            raise _Refusal(404, "Dashboard version not found")
        return {**found, "data": {**found["data"], "id": self.boards[uid].id, "version": int(number)}}

    # Search.

    def _changed(self) -> None:
        self._index = [*self._index, self._listing()][-1 - self.late :] if self.late else []

    def _listing(self) -> list[Json]:
        folders = [
            {"uid": f["uid"], "title": f["title"], "type": "dash-folder", "tags": []} for f in self.folders.values()
        ]
        boards = [
            {"uid": uid, "title": b.content["title"], "type": "dash-db", "tags": b.content.get("tags") or []}
            | ({"folderUid": b.folder} if b.folder else {})
            for uid, b in self.boards.items()
        ]
        return folders + boards

    def _search(self, request: Request) -> list[Json]:
        limit, page = (
            int(request.params.get(key, [default])[0]) for key, default in (("limit", "1000"), ("page", "1"))
        )
        if limit > 5_000:
            raise _Refusal(422, "Limit is above maximum allowed (5000), use page parameter to access hits beyond limit")
        # The index is some changes behind, and catches up while it is asked.
        hits = self._index.pop(0) if len(self._index) > 1 else self._listing()
        tags, kinds = request.params.get("tag", []), request.params.get("type", [])
        hits = [hit for hit in hits if all(tag in hit["tags"] for tag in tags) and (not kinds or hit["type"] in kinds)]
        return hits[limit * (page - 1) : limit * page]


def source(uid: str, name: str, kind: str = "prometheus") -> Json:
    """Return a data source."""
    return {"id": 1, "uid": uid, "orgId": 1, "name": name, "type": kind, "access": "proxy", "isDefault": False}


def _object(request: Request) -> Json:
    try:
        said = json.loads(request.body)
    except ValueError:
        raise _Refusal(400, "bad request data") from None
    if not isinstance(said, dict):
        raise _Refusal(400, "bad request data")
    return said


@contextmanager
def patched(target: Any, **values: Any) -> Iterator[None]:
    """Give an object other values for a while."""
    before = {key: getattr(target, key) for key in values}
    for key, value in values.items():
        setattr(target, key, value)
    try:
        yield
    finally:
        for key, value in before.items():
            setattr(target, key, value)
