"""What obsgen asks of Grafana's HTTP API, as values of `state`.

Only routes that Grafana 9.3 to 13 all have. Which versions do what differently stands where it matters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from obsgen.grafana.errors import GrafanaError, Refused
from obsgen.grafana.state import MARK, ROOT, WRITTEN, DataSource, Folder, Json, LiveDashboard, Version
from obsgen.grafana.transport import Transport
from obsgen.secrets import excerpt

PAGE = 5_000
"""Hits of one search: Grafana takes no more."""
FOLDERS = 1_000
"""Folders of one page of their list."""
VERSIONS = 100
"""Entries of a dashboard's history that are read; a server keeps 20 by default."""
INITIAL = "Initial save"
"""What the history's list says of a first version, whatever was written about it."""
NOBODY = "Anonymous"
"""What Grafana says of an editor that it does not know; since 12 also of a service account."""
LONGEST_MESSAGE = 500
"""Characters of a version's message that Grafana takes."""


class Grafana:
    """A live Grafana.

    Args:
        transport: makes the requests.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._paths: dict[str, str] = {}

    def version(self) -> str:
        """Return its version; empty where it hides that."""
        said = self._dict(self.transport.get("/api/health"), "/api/health")
        return str(said.get("version", ""))

    def organisation(self) -> str:
        """Return the name of the organisation; empty where the token may not see it."""
        try:
            return str(self._dict(self.transport.get("/api/org"), "/api/org").get("name", ""))
        except Refused as error:
            if error.status == 401:
                raise
            return ""

    def data_sources(self) -> list[DataSource]:
        """Return the data sources that the token may see.

        Raises:
            Refused: it may see none (403).
        """
        return [_data_source(each) for each in self._list(self.transport.get("/api/datasources"), "/api/datasources")]

    def data_source(self, uid: str) -> DataSource | None:
        """Return a data source by its uid; None where there is none."""
        path = f"/api/datasources/uid/{quote(uid, safe='')}"
        found = self._found(path)
        return None if found is None else _data_source(found)

    def folders(self) -> dict[str, Folder]:
        """Return the folders that are in no folder, by uid."""
        found: dict[str, Folder] = {}
        for page in range(1, 1_000):
            params = {"limit": str(FOLDERS), "page": str(page)}
            listed = self._list(self.transport.get("/api/folders", params), "/api/folders")
            fresh = {folder.uid: folder for folder in map(_folder, listed)}
            if len(listed) < FOLDERS or fresh.keys() <= found.keys():
                return found | fresh
            found |= fresh
        return found

    def folder(self, uid: str) -> Folder | None:
        """Return a folder; None where there is none, or where the token may not see it.

        Of a folder that is not there, an Editor's token is told 403 by Grafana 9 and 10.
        """
        try:
            said = self._found(f"/api/folders/{quote(uid, safe='')}")
        except Refused as error:
            if error.status != 403 or error.foreign:
                raise
            return None
        return None if said is None else _folder(said)

    def dashboard(self, uid: str) -> LiveDashboard | None:
        """Return a dashboard; None where there is none, or where the token may not see it.

        A token that can see no dashboard at all yet is told 403 of one that is not there (Grafana 9.4). Taking it for
        missing is safe: what is there is not overwritten by a save that says it is new.
        """
        path = f"/api/dashboards/uid/{quote(uid, safe='')}"
        try:
            said = self._found(path)
        except Refused as error:
            if error.status == 406:
                # Grafana 12 does not show what was made with the new layouts.
                return LiveDashboard({"uid": uid}, ROOT, readable=False)
            if error.status != 403 or error.foreign:
                raise
            return None
        return None if said is None else _dashboard(said, uid)

    def editor(self, uid: str) -> str:
        """Return who saved a dashboard last, asked where a Grafana since 12 keeps it; empty where nobody says.

        With the dashboard itself that Grafana calls a service account "Anonymous".
        """
        try:
            path = f"{self._resources('dashboard.grafana.app')}/dashboards/{quote(uid, safe='')}"
            meta = self._dict(self.transport.get(path), path).get("metadata")
            notes = (meta.get("annotations") if isinstance(meta, dict) else None) or {}
            who = str(notes.get("grafana.app/updatedBy") or notes.get("grafana.app/createdBy") or "")
            kind = who.partition(":")[0]
            if kind not in ("user", "service-account"):
                return ""
            return self._display(who) or ("a service account" if kind == "service-account" else "")
        except GrafanaError:
            # A name is not worth a failure.
            return ""

    def _display(self, who: str) -> str:
        """Return the name that people see of an identity."""
        path = f"{self._resources('iam.grafana.app')}/display"
        try:
            said = self._dict(self.transport.get(path, {"key": who}), path)
        except Refused:
            return ""
        names = [str(each.get("displayName") or "") for each in self._list(said.get("display") or [], path)]
        return names[0] if names else ""

    def _resources(self, group: str) -> str:
        """Return the path of a group of Grafana's newer resources, in this organisation."""
        if group not in self._paths:
            settings = self._dict(self.transport.get("/api/frontend/settings"), "/api/frontend/settings")
            said = self._dict(self.transport.get(f"/apis/{group}/"), f"/apis/{group}/")
            version = (said.get("preferredVersion") or {}).get("version", "")
            self._paths[group] = f"/apis/{group}/{version}/namespaces/{settings.get('namespace', '')}"
        return self._paths[group]

    def tagged(self, tag: str) -> list[str]:
        """Return the uids of the dashboards with a tag.

        Since Grafana 12 it may be late: its index by some seconds, and by half a minute with what is in a new folder,
        because it remembers which folders a token may see.
        """
        return [str(hit.get("uid", "")) for hit in self._search({"type": "dash-db", "tag": tag})]

    def contents(self, folder: str) -> tuple[list[str], list[str], int]:
        """Return the uids of the dashboards in a folder, the names of what else is in it, and how many it says it has.

        The dashboards are those of the index, which may be some seconds late (Grafana 12+); so may the number be, which
        is 0 where Grafana does not say.
        """
        # Not every version can search by folder.
        hits = [hit for hit in self._search({}) if hit.get("folderUid") == folder]
        boards = [str(hit.get("uid", "")) for hit in hits if hit.get("type") == "dash-db"]
        held = [f"folder {hit.get('title')}" for hit in hits if hit.get("type") != "dash-db"]
        try:
            counts = self._found(f"/api/folders/{quote(folder, safe='')}/counts") or {}
        except Refused:
            counts = {}
        others = {k: v for k, v in counts.items() if isinstance(v, int) and v and k not in ("dashboard", "folder")}
        said = [f"{count} {kind}" for kind, count in others.items()]
        return boards, held + said, _number(counts.get("dashboard"))

    def versions(self, uid: str) -> list[Version]:
        """Return a dashboard's history, the newest first."""
        path = f"/api/dashboards/uid/{quote(uid, safe='')}/versions"
        said = self.transport.get(path, {"limit": str(VERSIONS)})
        # Since Grafana 12 the list is inside of an object.
        listed = self._list(said.get("versions") if isinstance(said, dict) else said, path)
        return sorted(map(_version, listed), key=lambda version: version.number, reverse=True)

    def version_of(self, uid: str, number: int) -> tuple[Version, Json | None]:
        """Return an entry of a dashboard's history, with what the dashboard was then."""
        path = f"/api/dashboards/uid/{quote(uid, safe='')}/versions/{number}"
        said = self._dict(self.transport.get(path), path)
        data = said.get("data")
        return _version(said), data if isinstance(data, dict) else None

    def save(self, content: Json, folder: str, version: int | None, message: str) -> None:
        """Save a dashboard.

        Args:
            content: its JSON.
            folder: the uid of its folder.
            version: which one is there now; None where there is none. Any other is not overwritten.
            message: for the history.

        Raises:
            Refused: with the status 409 or 412 where there is another version.
            Unsure: it may be saved or not.
        """
        dashboard = content if version is None else {**content, "version": version}
        if MARK in content:
            dashboard = {**dashboard, WRITTEN: (version or 0) + 1}
        body = {"dashboard": dashboard, "folderUid": folder, "message": message[:LONGEST_MESSAGE], "overwrite": False}
        self.transport.write("POST", "/api/dashboards/db", body)

    def delete(self, uid: str) -> None:
        """Delete a dashboard.

        Raises:
            Refused: with the status 404 where there is none.
            Unsure: it may be deleted or not.
        """
        self.transport.write("DELETE", f"/api/dashboards/uid/{quote(uid, safe='')}")

    def create_folder(self, uid: str, title: str) -> None:
        """Create a folder in the root.

        Raises:
            Refused: with the status 409 or 412 where the uid or the title is taken.
            Unsure: it may be created or not.
        """
        self.transport.write("POST", "/api/folders", {"uid": uid, "title": title})

    def rename_folder(self, uid: str, title: str, version: int) -> None:
        """Give a folder a title, if it still has a version."""
        self.transport.write("PUT", f"/api/folders/{quote(uid, safe='')}", {"title": title, "version": version})

    def delete_folder(self, uid: str) -> None:
        """Delete a folder, and all that is in it but alert rules."""
        self.transport.write("DELETE", f"/api/folders/{quote(uid, safe='')}")

    def _search(self, params: dict[str, str]) -> Iterator[Json]:
        for page in range(1, 1_000):
            asked = {**params, "limit": str(PAGE), "page": str(page)}
            hits = self._list(self.transport.get("/api/search", asked), "/api/search")
            yield from hits
            if len(hits) < PAGE:
                return

    def _found(self, path: str) -> Json | None:
        try:
            return self._dict(self.transport.get(path), path)
        except Refused as error:
            if error.status != 404 or error.foreign:
                raise
            return None

    def _dict(self, said: Any, path: str) -> Json:
        if not isinstance(said, dict):
            raise GrafanaError(
                f"{self.transport.environment.url}{path} answers {excerpt(said, 80)}, not as Grafana does"
            )
        return said

    def _list(self, said: Any, path: str) -> list[Json]:
        if not isinstance(said, list) or not all(isinstance(each, dict) for each in said):
            raise GrafanaError(
                f"{self.transport.environment.url}{path} answers {excerpt(said, 80)}, not as Grafana does"
            )
        return said

    def _odd(self, said: Any, path: str) -> GrafanaError:
        return GrafanaError(f"{self.transport.environment.url}{path} answers {excerpt(said, 80)}, not as Grafana does")


def _data_source(said: Json) -> DataSource:
    return DataSource(uid=str(said.get("uid", "")), name=str(said.get("name", "")), type=str(said.get("type", "")))


def _folder(said: Json) -> Folder:
    return Folder(
        uid=str(said.get("uid", "")),
        title=str(said.get("title", "")),
        version=_number(said.get("version")),
        managed=str(said.get("managedBy") or ""),
    )


def _dashboard(said: Json, uid: str) -> LiveDashboard:
    content, meta = said.get("dashboard"), said.get("meta")
    if not isinstance(content, dict) or not isinstance(meta, dict):
        raise GrafanaError(f"Grafana shows the dashboard {uid} as {excerpt(said, 80)}")
    version = _number(meta.get("version", content.get("version")))
    kept = {key: value for key, value in content.items() if key not in ("id", "version", WRITTEN)}
    written = content.get(WRITTEN)
    return LiveDashboard(
        content={**kept, "uid": uid},
        folder=str(meta.get("folderUid") or ROOT),
        version=version,
        url=str(meta.get("url", "")),
        provisioned=str(meta.get("provisionedExternalId") or "a file") if meta.get("provisioned") else None,
        updated_by="" if meta.get("updatedBy") == NOBODY else str(meta.get("updatedBy") or ""),
        updated=str(meta.get("updated") or ""),
        # From Grafana 13 on it may be kept in the new form, of which this is only a picture.
        readable=not re.match(r"v[2-9]", str(meta.get("apiVersion") or "")),
        written=written if isinstance(written, int) else None,
    )


def _version(said: Json) -> Version:
    return Version(
        number=_number(said.get("version")),
        by=str(said.get("createdBy") or ""),
        at=str(said.get("created") or ""),
        message=str(said.get("message") or ""),
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
