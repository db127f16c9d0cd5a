"""One catalog in one environment: how its dashboards are called there, and how that is undone.

Environments beside each other in one organisation, and previews, differ in their uids: a prefix, a preview's name
behind. The tag that marks them as their owner's has both, so that none ever touches what another has made.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from obsgen.grafana.filled import names
from obsgen.grafana.settings import Environment
from obsgen.grafana.state import MARK, OWNER_TAG, DataSource, Folder, Json

LONGEST_UID = 40
"""Characters of a uid that Grafana takes."""
LONGEST_TAG = 50
"""Characters of a tag that Grafana's database takes."""
_ABSENT: Any = object()
_VARIABLE = {"type": "datasource", "query": "prometheus"}


@dataclass(frozen=True, slots=True)
class Instance:
    """A catalog in an environment.

    Attributes:
        catalog: the catalog's name: the tag of all its dashboards.
        title: the project's title.
        environment: the environment.
    """

    catalog: str
    title: str
    environment: Environment

    @property
    def owner(self) -> str:
        """The tag of all that is this instance's."""
        parts = (self.catalog, self.environment.prefix, self.environment.preview)
        return shortened(OWNER_TAG + ":".join(part for part in parts if part), LONGEST_TAG)

    @property
    def folder(self) -> Folder:
        """The folder of the dashboards."""
        uid = self.environment.folder_uid if not self.environment.preview else ""
        return Folder(uid or self.uid(self.catalog), self._titled(self.environment.folder or self.title))

    @property
    def docs_folder(self) -> Folder:
        """The folder of the docs."""
        base = self.folder
        title = f"{self.environment.folder or self.title} docs"
        return Folder(shortened(f"{base.uid}-docs", LONGEST_UID), self._titled(title))

    def uid(self, uid: str) -> str:
        """Return the uid of a dashboard here."""
        parts = (self.environment.prefix, uid, self.environment.preview)
        return shortened("-".join(part for part in parts if part), LONGEST_UID)

    def dress(self, content: Json, source: DataSource | None) -> Json:
        """Return a reviewed dashboard as it should be here: uid, title, tags, and the data source that it reads."""
        said = {
            **content,
            "uid": self.uid(str(content["uid"])),
            "title": self._titled(str(content["title"]).strip()),
            "tags": [*(self._tag(str(tag)) for tag in content.get("tags") or ()), self.owner],
        }
        if "links" in content:
            said["links"] = [self._link(link) for link in content["links"]]
        if source is not None and content.get("templating", {}).get("list"):
            chosen = {"text": source.name, "value": source.uid}
            variables = [{**v, "current": chosen} if _picks_prometheus(v) else v for v in content["templating"]["list"]]
            said["templating"] = {**content["templating"], "list": variables}
        return said

    def undress(self, content: Json, reviewed: Json, dressed: Json) -> Json:
        """Return a dashboard of here as it would stand in `generated/`.

        Args:
            content: its JSON here.
            reviewed: what was reviewed.
            dressed: what that is here.
        """
        said = {key: value for key, value in content.items() if key not in ("id", "version", MARK)}
        listed = said.get("templating", {}).get("list") if isinstance(said.get("templating"), dict) else None
        if listed:
            variables = [{**v, "current": {}} if _picks_prometheus(v) else v for v in listed]
            said["templating"] = {**said["templating"], "list": variables}
        found: Json = _undressed(said, dressed, reviewed, "")
        return found

    def _titled(self, title: str) -> str:
        return f"{title} ({self.environment.preview})" if self.environment.preview else title

    def _tag(self, tag: str) -> str:
        """Return a tag; the catalog's own leads from dashboard to dashboard, and must not lead elsewhere."""
        if tag != self.catalog:
            return tag
        parts = (tag, self.environment.prefix, self.environment.preview)
        return shortened("-".join(part for part in parts if part), LONGEST_TAG)

    def _link(self, link: Any) -> Any:
        if not isinstance(link, dict) or not link.get("tags"):
            return link
        return {**link, "tags": [self._tag(str(tag)) for tag in link["tags"]]}


def _undressed(here: Any, dressed: Any, reviewed: Any, key: str) -> Any:
    """Return a value of here with what was reviewed in place of what that became here; `key` is what holds it."""
    if here == dressed:
        return reviewed
    if isinstance(here, dict) and isinstance(dressed, dict) and isinstance(reviewed, dict):
        pairs = {k: _undressed(v, dressed.get(k, _ABSENT), reviewed.get(k, _ABSENT), k) for k, v in here.items()}
        return {k: v for k, v in pairs.items() if v is not _ABSENT}
    if isinstance(here, list) and isinstance(dressed, list) and isinstance(reviewed, list):
        # What dressing has added stands behind what was reviewed.
        before = dict(zip(names(dressed, key), zip_longest(dressed, reviewed, fillvalue=_ABSENT), strict=False))
        known = [
            (each, *before.get(name, (_ABSENT, _ABSENT))) for name, each in zip(names(here, key), here, strict=True)
        ]
        entries = [_undressed(each, one, other, key) for each, one, other in known]
        return [each for each in entries if each is not _ABSENT]
    return here


def _picks_prometheus(variable: Any) -> bool:
    return isinstance(variable, dict) and all(variable.get(key) == value for key, value in _VARIABLE.items())


def shortened(text: str, longest: int) -> str:
    """Return a text, or where it is too long its beginning and a checksum."""
    if len(text) <= longest:
        return text
    return f"{text[: longest - 9]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
