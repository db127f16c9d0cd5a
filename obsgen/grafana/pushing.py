"""From the reviewed artifacts to a live Grafana, and back: plan, sync, preview, pull."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from obsgen.errors import ObsgenError
from obsgen.grafana.commit import commit
from obsgen.grafana.diff import Difference, differences
from obsgen.grafana.files import file_name, open_file
from obsgen.grafana.filled import unfilled
from obsgen.grafana.instance import Instance
from obsgen.grafana.plan import Action, Choices, Kind, Plan, plan, suspects
from obsgen.grafana.reader import Step, data_source
from obsgen.grafana.session import Session
from obsgen.grafana.settings import environment
from obsgen.grafana.state import Json, Wanted
from obsgen.grafana.transport import Patience
from obsgen.grafana.wanted import Reviewed, dressed, reviewed, wanted
from obsgen.secrets import storable
from obsgen.style import json_text


@dataclass(frozen=True, slots=True)
class Pulled:
    """A live dashboard, as it would stand in `generated/`.

    Attributes:
        uid: its uid in Grafana.
        title: its title.
        path: the file that it was saved to, if it differs.
        reviewed: the path of what was reviewed.
        changes: what differs from that.
        by: who saved it last.
        at: when.
    """

    uid: str
    title: str
    path: Path
    reviewed: str
    changes: tuple[Difference, ...]
    by: str
    at: str


class Pushing(Session):
    """One environment's Grafana, and what was reviewed for it.

    Args:
        name: the environment; the only one when None.
        generated: the folder of the artifacts.
        shell: the shell's environment.
        preview: the name of a preview; empty for none.
        step: is told what is being done.
        patience: how requests are made again.

    Raises:
        ObsgenError: the settings or the artifacts cannot be used.
    """

    def __init__(
        self,
        name: str | None,
        generated: Path,
        shell: Mapping[str, str],
        *,
        preview: str = "",
        step: Step = lambda *_: None,
        patience: Patience | None = None,
    ) -> None:
        self.generated = generated
        self.artifacts: Reviewed = reviewed(generated)
        chosen = replace(environment(name, shell, self.artifacts.grafana_url), preview=preview)
        self.instance = Instance(self.artifacts.catalog, self.artifacts.title, chosen)
        folders = (self.instance.folder, self.instance.docs_folder)
        super().__init__(
            chosen,
            owner=self.instance.owner,
            commit=commit(generated, shell),
            folders={folder.uid: folder.title for folder in folders},
            step=step,
            patience=patience,
        )

    def wanted(self) -> Wanted:
        """Return what the environment should have."""
        reads = any(_variables(content) for content in self.artifacts.dashboards.values())
        source = data_source(self.grafana, self.environment.datasource) if reads else None
        return wanted(self.artifacts, self.instance, source)

    def plan(self, choices: Choices) -> Plan:
        """Return what has to be done.

        Raises:
            ObsgenError: Grafana cannot be read, or has no data source that fits.
        """
        self.meet()
        should = self.wanted()
        return plan(should, self.reader.live(should), choices)

    def removal(self) -> Plan:
        """Return what has to be done to take away a preview."""
        self.meet()
        should = wanted(self.artifacts, self.instance, None)
        live = self.reader.live(should)
        nothing = Wanted(should.owner, {}, {})
        histories = self.reader.histories(suspects(nothing, live), should.owner)
        found = plan(nothing, replace(live, histories=histories), Choices(overwrite_edits=True))
        boards = tuple(replace(a, reason="") for a in found.actions)
        folders = tuple(Action(Kind.DELETE, uid, f.title, f) for uid, f in live.folders.items())
        return replace(found, actions=(*boards, *folders))

    def pull(self, uid: str, path: Path | None) -> Pulled:
        """Save a live dashboard as it would stand in `generated/`, if it differs from that, and return what differs.

        Args:
            uid: its uid, there or in the definitions.
            path: the file to save it to; `.obsgen/pulled/UID.json` when None.

        Raises:
            ObsgenError: there is no such dashboard, or it cannot be saved.
        """
        known = {str(here["uid"]): (each, here) for each, here, _ in dressed(self.artifacts, self.instance, None)}
        there = uid if uid in known else self.instance.uid(uid)
        if there not in known:
            near = get_close_matches(uid, known, n=1) or [each for each in known if uid in each]
            hint = f"did you mean {near[0]!r}?" if near else "the docs list the dashboards with their uids"
            raise ObsgenError(f"{uid!r} is no dashboard of {self.artifacts.catalog}\n    {hint}")
        self.step(f"reading {there}", 0, 0)
        found = self.grafana.dashboard(there)
        if found is None:
            raise ObsgenError(f"there is no dashboard {there!r} in {self.environment.url}")
        if not found.readable:
            raise ObsgenError(
                f"{there} is kept in the form of the new layouts\n    open it in Grafana and copy its JSON model"
            )
        was, here = known[there]
        content = unfilled(was, self.instance.undress(found.content, was, here))
        target = path or Path(".obsgen/pulled") / f"{file_name(str(was['uid']))}.json"
        changes = tuple(differences(was, content))
        if changes:
            kept = storable(content, lambda: [json.dumps(was, ensure_ascii=False)])
            _write(target, json_text(kept, sort_keys=True))
        return Pulled(
            uid=there,
            title=found.title,
            path=target,
            reviewed=self._reviewed(was),
            changes=changes,
            by=found.updated_by or self.grafana.editor(there),
            at=found.updated,
        )

    def boards(self) -> list[str]:
        """Return the uids of the dashboards here, the docs left out."""
        return [self.instance.uid(str(each["uid"])) for each in self.artifacts.dashboards.values()]

    def _reviewed(self, content: Json) -> str:
        found = next((path for path, each in self.artifacts.dashboards.items() if each is content), "docs")
        return str(self.generated / found)


def _variables(content: Json) -> list[Json]:
    listed = content.get("templating", {}).get("list") or []
    return [each for each in listed if each.get("type") == "datasource"]


def _write(path: Path, text: str) -> None:
    try:
        with open_file(path, "w") as file:
            file.write(text)
    except OSError as error:
        raise ObsgenError(f"cannot write {path}: {error.strerror}\n    name another file with --output") from error
