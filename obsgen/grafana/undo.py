"""The way back from a run: a plan that makes of everything that it changed what was there before.

What somebody has changed since the run is kept, unless edits may be overwritten. The artifacts are not needed for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from obsgen.errors import ObsgenError
from obsgen.grafana.diff import Difference, differences
from obsgen.grafana.plan import Action, Choices, Edit, Kind, Plan, foreign
from obsgen.grafana.reader import Step
from obsgen.grafana.runs import Entry, Run, last, load, runs
from obsgen.grafana.session import Session
from obsgen.grafana.settings import environment
from obsgen.grafana.state import Dashboard, Folder, Live, LiveDashboard
from obsgen.grafana.transport import Patience

SINCE = "somebody has changed it since; --overwrite-edits undoes the run all the same"


class Undoing(Session):
    """A run that is to be undone, and the Grafana that it changed.

    Args:
        name: the run; the last sync of the environment when None.
        environment_name: the environment; the only one when None.
        backups: the folder of the runs.
        shell: the shell's environment.
        step: is told what is being done.
        patience: how requests are made again.

    Raises:
        ObsgenError: the settings cannot be used, or there is no such run.
    """

    def __init__(
        self,
        name: str | None,
        environment_name: str | None,
        backups: Path,
        shell: Mapping[str, str],
        *,
        step: Step = lambda *_: None,
        patience: Patience | None = None,
    ) -> None:
        known = [load(name, backups)] if name else runs(backups)
        chosen = environment(environment_name, shell, known[-1].facts.url if known else "")
        self.run = known[0] if name else last(known, chosen.name, chosen.url, backups)
        facts = self.run.facts
        if facts.url != chosen.url:
            hint = "name its environment with --env"
            place = f"{facts.environment} ({facts.url})"
            raise ObsgenError(f"the run {self.run.name} changed {place}, not {chosen.url}\n    {hint}")
        super().__init__(
            chosen,
            owner=facts.owner,
            commit=facts.commit,
            folders=dict(facts.folders),
            step=step,
            patience=patience,
        )

    def plan(self, choices: Choices) -> Plan:
        """Return what has to be done.

        Raises:
            ObsgenError: Grafana cannot be read, or what was there before cannot.
        """
        self.meet()
        run = self.run
        live = self.reader.dashboards([entry.uid for entry in run.entries if entry.subject == "dashboard"])
        concerned = dict.fromkeys([*self.folders, *(e.uid for e in run.entries if e.subject == "folder")])
        folders = {uid: folder for uid in concerned if (folder := self.reader.folder(uid)) is not None}
        histories = self.reader.histories(changed_since(run, live), self.owner)
        return undoing(run, Live(folders, live, histories), choices)


def undoing(run: Run, live: Live, choices: Choices) -> Plan:
    """Return what has to be done to undo a run.

    Args:
        run: the run, all of it done or only some.
        live: the dashboards and folders that it was about to change, as they are now, with the histories of those that
            somebody has changed since.
        choices: whether later edits may be overwritten.

    Raises:
        BackupError: what was there before cannot be read.
    """
    dashboards = [
        action
        for entry in run.entries
        if entry.subject == "dashboard"
        for action in _dashboard(run, entry, live, choices)
    ]
    folders = [action for entry in run.entries if entry.subject == "folder" for action in _folder(entry, live)]
    needed = {action.folder for action in dashboards if isinstance(action.after, Dashboard)} - {""}
    missing = [
        Action(Kind.CREATE, uid, title, after=Folder(uid, title))
        for uid, title in run.facts.folders.items()
        if uid in needed and uid not in live.folders
    ]
    made = [action for action in folders if action.kind is not Kind.DELETE or action.uid not in needed]
    done = sum(entry.subject == "dashboard" for entry in run.entries) - len(dashboards)
    return Plan((*missing, *dashboards, *made), done)


def changed_since(run: Run, dashboards: Mapping[str, LiveDashboard]) -> list[LiveDashboard]:
    """Return the dashboards that are not as a run has left them."""
    after = {entry.uid: entry.checksum for entry in run.entries if entry.subject == "dashboard"}
    return [found for uid, found in dashboards.items() if found.checksum != after.get(uid)]


def _dashboard(run: Run, entry: Entry, live: Live, choices: Choices) -> Iterator[Action]:
    before, found = run.before(entry), live.dashboards.get(entry.uid)
    if before is None and found is None:
        return
    if before is not None and found is not None and before.checksum == found.checksum:
        return
    kind = Kind.CREATE if found is None else Kind.DELETE if before is None else Kind.UPDATE
    title = before.title if before is not None else entry.title
    changes = () if before is None or found is None else _changes(found, before)
    action = Action(kind, entry.uid, title, found, before, changes)
    if found is not None and found.checksum != entry.checksum:
        history = live.histories.get(entry.uid)
        why = foreign(found, run.facts.owner, history, choices)
        if why:
            yield Action(Kind.REFUSE, entry.uid, found.title, found, before, changes, reason=why)
            return
    if found is not None and found.checksum != entry.checksum and not choices.overwrite_edits:
        edit = Edit(found.updated_by, found.updated, None)
        yield Action(Kind.KEEP, entry.uid, title, found, before, changes, edit, SINCE)
    else:
        yield action


def _changes(old: LiveDashboard, new: Dashboard) -> tuple[Difference, ...]:
    moved = (
        (Difference("", "folder", old.folder or "General", new.folder or "General"),)
        if old.folder != new.folder
        else ()
    )
    return (*moved, *differences(old.content, new.content))


def _folder(entry: Entry, live: Live) -> Iterator[Action]:
    found = live.folders.get(entry.uid)
    if entry.kind == Kind.CREATE.value and found is not None:
        yield Action(Kind.DELETE, entry.uid, found.title, found, reason="if nothing is left in it")
    elif entry.kind == Kind.UPDATE.value and found is not None and found.title != entry.title:
        changed = (Difference("", "title", found.title, entry.title),)
        yield Action(Kind.UPDATE, entry.uid, found.title, found, Folder(entry.uid, entry.title), changed)
    elif entry.kind == Kind.DELETE.value and found is None:
        yield Action(Kind.CREATE, entry.uid, entry.title, after=Folder(entry.uid, entry.title))
