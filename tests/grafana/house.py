"""A team with artifacts of its own, a Grafana, and a person who edits in it by hand."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from obsgen.grafana.apply import Outcome, Result
from obsgen.grafana.plan import Choices, Plan
from obsgen.grafana.pushing import Pushing
from obsgen.grafana.transport import Patience
from obsgen.grafana.undo import Undoing
from obsgen.style import json_text
from obsgen.tree import MANIFEST, manifest
from tests.grafana.double import HAND, PROFILES, TOKEN, Double, Profile
from tests.grafana.server import Server, forwarded, said

Json = dict[str, Any]
REAL = "real"
HASTY = Patience(base=0.001, longest=0.004, sleep=lambda _: None)
"""No pauses: the weather of tests changes with every request."""


def real_grafana() -> tuple[str, str] | None:
    """Return address and token of the real Grafana that the tests are to use; None where there is none."""
    url, token = os.environ.get("OBSGEN_TEST_GRAFANA_URL"), os.environ.get("OBSGEN_TEST_GRAFANA_TOKEN")
    return (url.rstrip("/"), token) if url and token else None


def kinds() -> list[object]:
    """Return the Grafanas that the tests run against."""
    return [*PROFILES, *([REAL] if real_grafana() else [])]


def board(uid: str, title: str = "", *, limit: float = 250, expr: str = "up", **more: Any) -> Json:
    """Return a small dashboard with one panel, in a catalog's `generated/`."""
    panel = {
        "id": 7,
        "type": "timeseries",
        "title": "Latency",
        "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8},
        "fieldConfig": {
            "defaults": {"thresholds": {"mode": "absolute", "steps": [_step("green", 0), _step("red", limit)]}},
            "overrides": [],
        },
        "targets": [{"refId": "A", "expr": expr}],
    }
    return {"uid": uid, "title": title or f"Board {uid}", "schemaVersion": 39, "panels": [panel], **more}


def _step(colour: str, value: float) -> Json:
    return {"color": colour, "value": value}


class House:
    """A team's project folder and its Grafana.

    Args:
        folder: the project folder.
        server: the socket before the Grafana.
        token: obsgen's.
        hand: the person's token.
        catalog: the name of the team's catalog; all uids and titles of a team begin with it.
        double: the state behind the socket; None behind which a real Grafana is.
    """

    def __init__(
        self, folder: Path, server: Server, token: str, hand: str, catalog: str, double: Double | None
    ) -> None:
        self.folder = folder
        self.server = server
        self.token = token
        self.catalog = catalog
        self.double = double
        self.shell: dict[str, str] = {"GRAFANA_URL": server.url, "GRAFANA_TOKEN": token}
        self.patience = HASTY
        self.env: str | None = None
        self.preview = ""
        self.person = requests.Session()
        self.person.trust_env = False
        self.person.headers["Authorization"] = f"Bearer {hand}"

    @property
    def profile(self) -> Profile | None:
        return self.double.profile if self.double is not None else None

    @property
    def titles_once(self) -> bool:
        """Whether this Grafana takes a title once a folder."""
        if self.profile is not None:
            return self.profile.titles_once
        version = self.person.get(f"{self.server.url}/api/health").json()["version"]
        return tuple(map(int, version.split(".")[:2])) < (11, 3)

    @property
    def generated(self) -> Path:
        return self.folder / "generated"

    def uid(self, name: str) -> str:
        return f"{self.catalog}-{name}"

    def write(self, *boards: Json, pages: Mapping[str, str] | None = None) -> None:
        """Write the artifacts: dashboards whose uids get the catalog's name before them, and pages."""
        project = {
            "name": self.catalog,
            "title": f"Team {self.catalog}",
            "docs_url": "https://docs.example.org/docs",
            "grafana_url": "https://grafana.example.org",
        }
        files = {"catalog.json": json_text({"project": project})}
        for each in boards:
            uid = self.uid(each["uid"])
            content = {"tags": [self.catalog], **each, "uid": uid, "title": f"{self.catalog} {each['title']}"}
            files[f"grafana/dashboards/{uid}.json"] = json_text(content, sort_keys=True)
        files |= {f"docs/{path}": text for path, text in (pages or {}).items()}
        for path, text in {**files, MANIFEST: manifest(self.catalog, files)}.items():
            target = self.generated / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)

    def session(self) -> Pushing:
        return Pushing(self.env, self.generated, self.shell, preview=self.preview, patience=self.patience)

    def plan(self, *, edits: bool = False, prune: bool = True, adopt: tuple[str, ...] = ()) -> Plan:
        return self.session().plan(Choices(edits, prune, frozenset(adopt)))

    def sync(self, *, edits: bool = False, prune: bool = True, adopt: tuple[str, ...] = ()) -> list[Outcome]:
        """Plan and apply, and return what came of it."""
        session = self.session()
        plan = session.plan(Choices(edits, prune, frozenset(adopt)))
        return session.apply(plan, "sync", self.backups)[1] if plan.writes else []

    def undoing(self, name: str | None = None) -> Undoing:
        return Undoing(name, self.env, self.backups, self.shell, patience=self.patience)

    def undo(self, name: str | None = None, *, edits: bool = False) -> list[Outcome]:
        session = self.undoing(name)
        plan = session.plan(Choices(overwrite_edits=edits))
        return session.apply(plan, "undo", self.backups, session.run.name)[1]

    @property
    def backups(self) -> Path:
        return self.folder / ".obsgen/backups"

    # The person.

    def read(self, uid: str) -> Json | None:
        """Return a dashboard as Grafana shows it; None where there is none."""
        got = self.person.get(f"{self.server.url}/api/dashboards/uid/{uid}")
        return None if got.status_code in (403, 404) else said(got)

    def save(self, content: Json, folder: str = "", message: str = "") -> None:
        body = {"dashboard": content, "folderUid": folder, "message": message, "overwrite": True}
        said(self.person.post(f"{self.server.url}/api/dashboards/db", json=body))

    def edit(self, uid: str, *, folder: str | None = None, mark: bool = False, **changes: Any) -> None:
        """Change a dashboard by hand, in the browser: what obsgen has added to its JSON is lost unless it is kept."""
        found = self.read(uid)
        assert found is not None
        content = {**found["dashboard"], **changes}
        if not mark:
            content.pop("obsgenChecksum", None)
        self.save(content, found["meta"]["folderUid"] if folder is None else folder)

    def delete(self, uid: str) -> None:
        self.person.delete(f"{self.server.url}/api/dashboards/uid/{uid}").raise_for_status()

    def make_folder(self, uid: str, title: str) -> None:
        said(self.person.post(f"{self.server.url}/api/folders", json={"uid": uid, "title": title}))

    def folders(self) -> dict[str, str]:
        """Return the titles of the folders, by uid."""
        listed = self.person.get(f"{self.server.url}/api/folders?limit=1000").json()
        return {each["uid"]: each["title"] for each in listed}

    def limit(self, uid: str) -> float:
        """Return the red threshold of a small dashboard."""
        found = self.read(uid)
        assert found is not None
        return float(found["dashboard"]["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"])

    def clean(self) -> None:
        """Take away all that a test has left in a real Grafana."""
        if self.double is not None:
            return
        for uid, title in self.folders().items():
            if self.catalog in uid or self.catalog in title:
                self.person.delete(f"{self.server.url}/api/folders/{uid}?forceDeleteRules=true")
        for hit in self.person.get(f"{self.server.url}/api/search?limit=5000&type=dash-db").json():
            if self.catalog in hit["uid"]:
                self.person.delete(f"{self.server.url}/api/dashboards/uid/{hit['uid']}")


@contextmanager
def house(kind: object, folder: Path, **double: Any) -> Iterator[House]:
    """Run a Grafana for a while: of a profile, or the real one, with a team that nobody else has."""
    catalog = f"t{uuid.uuid4().hex[:6]}"
    if isinstance(kind, Profile):
        state = Double(kind, **double)
        with Server(state) as server:
            yield House(folder, server, TOKEN, HAND, catalog, state)
        return
    real = real_grafana()
    assert real is not None
    with Server(forwarded(real[0])) as server:
        made = House(folder, server, real[1], real[1], catalog, None)
        try:
            yield made
        finally:
            server.weather = None
            made.clean()


def done(outcomes: list[Outcome]) -> int:
    """Return how many things were done, where nothing else came of anything."""
    assert [o for o in outcomes if o.result is not Result.DONE] == []
    return len(outcomes)
