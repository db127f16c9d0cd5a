"""What has to be done so that a Grafana is as wanted: a pure function of the two.

Only what is obsgen's is ever changed: what has the owner's tag, and either the mark of its content (nobody has edited
it) or an entry in its history that obsgen wrote. What a person has edited is kept unless the run may overwrite edits;
what another has made is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from obsgen.grafana.diff import Difference, differences
from obsgen.grafana.messages import UNDO
from obsgen.grafana.state import MARK, Dashboard, Folder, History, Live, LiveDashboard, Wanted, checksum, same
from obsgen.secrets import redacted

SAVED = "it was saved without a change, and Grafana has written its defaults into it"


class Kind(Enum):
    """What is done to a folder or a dashboard."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    KEEP = "keep"
    """It differs, but somebody has edited it: it stays."""
    REFUSE = "refuse"
    """It differs, but is not obsgen's: it stays."""

    @property
    def writes(self) -> bool:
        """Whether something is written."""
        return self in (Kind.CREATE, Kind.UPDATE, Kind.DELETE)


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person has done to a dashboard since obsgen wrote it.

    Attributes:
        by: who saved it last; empty where Grafana does not say.
        at: when, as Grafana writes it.
        differences: what they changed; None where that cannot be told.
        meanwhile: what else has changed of what was reviewed since obsgen wrote it.
        saves: how often it was saved since; 0 where that cannot be told.
    """

    by: str
    at: str
    differences: tuple[Difference, ...] | None
    meanwhile: tuple[Difference, ...] = ()
    saves: int = 0

    def as_json(self) -> dict[str, object]:
        """Return it for machines."""
        shown = None if self.differences is None else [each.as_json() for each in self.differences]
        meanwhile = [each.as_json() for each in self.meanwhile]
        said = {"by": self.by, "at": self.at, "saves": self.saves, "changes": shown}
        return {**said, "reviewed_meanwhile": meanwhile}


@dataclass(frozen=True, slots=True)
class Action:
    """What is done to one folder or dashboard.

    Attributes:
        kind: what is done.
        uid: of what.
        title: its title.
        before: what is there; None where nothing is.
        after: what is to be there; None where nothing is.
        changes: what that changes.
        edit: what a person has done to it; None where nobody has.
        reason: why it stays as it is, or what is particular; empty where there is nothing to say.
    """

    kind: Kind
    uid: str
    title: str
    before: LiveDashboard | Folder | None = None
    after: Dashboard | Folder | None = None
    changes: tuple[Difference, ...] = ()
    edit: Edit | None = None
    reason: str = ""

    @property
    def subject(self) -> str:
        """`folder` or `dashboard`."""
        return "folder" if isinstance(self.before or self.after, Folder) else "dashboard"

    @property
    def folder(self) -> str:
        """The uid of the folder that it is, or will be, in; its own, where it is one."""
        thing = self.after or self.before
        return thing.uid if isinstance(thing, Folder) else thing.folder if thing else ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done, folders first.

    Attributes:
        actions: what is done, and what is not although something differs.
        unchanged: how many dashboards are as they should be.
        notes: what else is to be known.
    """

    actions: tuple[Action, ...]
    unchanged: int
    notes: tuple[str, ...] = ()

    @property
    def writes(self) -> list[Action]:
        """The actions that write."""
        return [action for action in self.actions if action.kind.writes]


@dataclass(frozen=True, slots=True)
class Choices:
    """What a run may do beyond the harmless.

    Attributes:
        overwrite_edits: replace what people have edited.
        prune: delete dashboards of this owner that are not wanted any more.
        adopt: uids of dashboards that nobody's tool has made and that obsgen is to take over.
    """

    overwrite_edits: bool = False
    prune: bool = True
    adopt: frozenset[str] = frozenset()


def suspects(wanted: Wanted, live: Live) -> list[LiveDashboard]:
    """Return the dashboards whose history has to be read: they differ, and not by obsgen's own doing."""
    return [
        found
        for uid, found in live.dashboards.items()
        if not found.marked
        and found.provisioned is None
        and (uid not in wanted.dashboards or not same(wanted.dashboards[uid], found))
    ]


def plan(wanted: Wanted, live: Live, choices: Choices) -> Plan:
    """Return what has to be done.

    Args:
        wanted: what was reviewed.
        live: what is there, with the histories of all `suspects`.
        choices: what the run may do.
    """
    folders = list(_folders(wanted, live, choices))
    refused = {action.uid for action in folders if action.kind is Kind.REFUSE}
    dashboards = list(_dashboards(wanted, live, choices, refused))
    pruned, notes = _prune(wanted, live, choices)
    touched = sum(action.uid in wanted.dashboards for action in dashboards)
    return Plan((*folders, *dashboards, *pruned), len(wanted.dashboards) - touched, tuple(notes))


def _folders(wanted: Wanted, live: Live, choices: Choices) -> Iterator[Action]:
    for uid, folder in wanted.folders.items():
        found = live.folders.get(uid)
        if found is None and folder.title in live.namesakes:
            other = live.namesakes[folder.title]
            reason = f"another folder ({other}) has this title: set folder_uid = {other!r}, or another folder"
            yield Action(Kind.REFUSE, uid, folder.title, after=folder, reason=reason)
        elif found is None:
            yield Action(Kind.CREATE, uid, folder.title, after=folder)
        elif found.title != folder.title:
            changed = (Difference("", "title", found.title, folder.title),)
            kind = Kind.UPDATE if choices.overwrite_edits and not found.managed else Kind.KEEP
            reason = "" if kind is Kind.UPDATE else "it is called otherwise there"
            yield Action(kind, uid, found.title, found, folder, changed, reason=reason)


def _dashboards(wanted: Wanted, live: Live, choices: Choices, refused: set[str]) -> Iterator[Action]:
    for uid, dashboard in wanted.dashboards.items():
        found = live.dashboards.get(uid)
        if found is not None and same(dashboard, found):
            continue
        if dashboard.folder in refused:
            reason = "its folder cannot be made"
            yield Action(Kind.REFUSE, uid, dashboard.title, found, dashboard, reason=reason)
        elif found is None:
            yield Action(Kind.CREATE, uid, dashboard.title, after=dashboard)
        else:
            yield _changed(dashboard, found, wanted.owner, live.histories.get(uid), choices)


def _changed(wanted: Dashboard, found: LiveDashboard, owner: str, history: History | None, choices: Choices) -> Action:
    """Return what is done to a dashboard that differs."""
    changes = _changes(found, wanted) if found.readable else ()
    said = Action(Kind.UPDATE, found.uid, wanted.title, found, wanted, changes)
    why = foreign(found, owner, history, choices)
    if why:
        return _stays(said, Kind.REFUSE, why)
    if found.owner is None and found.uid in choices.adopt:
        return _stays(said, Kind.UPDATE, "obsgen takes it over")
    edit = _edit(found, history, wanted.folder, wanted)
    if edit is not None and not choices.overwrite_edits:
        return _stays(said, Kind.KEEP, "somebody has edited it; --overwrite-edits replaces that", edit)
    reason = "the edit is overwritten" if edit else "" if changes or not found.readable else SAVED
    return _stays(said, Kind.UPDATE, reason, edit)


def _stays(action: Action, kind: Kind, reason: str, edit: Edit | None = None) -> Action:
    return Action(kind, action.uid, action.title, action.before, action.after, action.changes, edit=edit, reason=reason)


def _written_to(found: LiveDashboard, wanted: Wanted) -> str:
    """Return the folder that obsgen wrote a dashboard to, which is not wanted any more: its mark tells."""
    marked = (uid for uid in wanted.folders if checksum(found.content, uid) == found.content.get(MARK))
    usual = found.folder if found.folder in wanted.folders else next(iter(wanted.folders), found.folder)
    return next(marked, usual)


def foreign(found: LiveDashboard, owner: str, history: History | None, choices: Choices) -> str:
    """Return why a dashboard is not obsgen's to change; empty where it is."""
    if found.provisioned is not None:
        return f"it is provisioned from {found.provisioned}"
    if not found.readable and not found.version:
        return "it is kept in the form of the new layouts, and this Grafana does not show it otherwise"
    untagged = found.owner is None and _ours(history) and not _restored(history)
    if owner in found.tags or untagged:
        return ""
    if found.owner is not None:
        return f"it belongs to {found.owner}"
    if found.uid in choices.adopt:
        return ""
    by = f", by {found.updated_by}" if found.updated_by else ""
    return f"obsgen did not make it (last saved {redacted(found.updated)[:10]}{by}); --adopt {found.uid} takes it over"


def _ours(history: History | None) -> bool:
    return history is not None and history.ours


def _restored(history: History | None) -> bool:
    """Return whether the newest version is one that an undoing has restored."""
    return history is not None and bool(history.versions) and history.versions[0].message.startswith(UNDO)


def _edit(found: LiveDashboard, history: History | None, folder: str, wanted: Dashboard | None = None) -> Edit | None:
    """Return what a person has done to a dashboard since obsgen wrote it to a folder; None where nobody has."""
    if found.marked:
        return None
    pushed = history.content if history is not None else None
    moved = (Difference("", "folder", folder or "General", found.folder or "General"),)
    if found.folder != folder and checksum(found.content, folder) == found.content.get(MARK):
        return Edit(found.updated_by, found.updated, moved)
    if pushed is not None and checksum(pushed, found.folder) == found.checksum:
        return Edit(found.updated_by, found.updated, moved) if found.folder != folder else None
    if history is not None and history.pushed is not None and history.versions[0] == history.pushed:
        # Nobody has saved it since: it was Grafana itself, with an update or when it was saved.
        return None
    by = history.versions[0].message if history is not None and _restored(history) else found.updated_by
    if pushed is None or not found.readable:
        return Edit(by, found.updated, None)
    changed = differences(pushed, found.content)
    reviewed = differences(pushed, wanted.content) if wanted is not None else []
    # What was reviewed since is no edit any more.
    ported = [each for each in changed if each not in reviewed]
    shown = (*moved, *ported) if found.folder != folder else tuple(ported)
    if not shown:
        return None
    meanwhile = tuple(each for each in reviewed if each not in changed)
    return Edit(by, found.updated, shown, meanwhile, _saves(history))


def _saves(history: History | None) -> int:
    """Return how many versions there are since obsgen wrote one."""
    if history is None or history.pushed is None:
        return 0
    return sum(version.number > history.pushed.number for version in history.versions)


def _changes(old: Dashboard, new: Dashboard) -> tuple[Difference, ...]:
    moved = (Difference("", "folder", old.folder or "General", new.folder),) if old.folder != new.folder else ()
    return (*moved, *differences(old.content, new.content))


def _prune(wanted: Wanted, live: Live, choices: Choices) -> tuple[list[Action], list[str]]:
    """Return what is deleted because it left what is wanted, and what looks as if it should be, but is not obsgen's."""
    actions, notes = [], []
    for uid, found in live.dashboards.items():
        if uid in wanted.dashboards or wanted.owner not in found.tags:
            continue
        history = live.histories.get(uid)
        if found.provisioned is not None or not (found.marked or _ours(history)):
            notes.append(f"{found.title!r} ({uid}) has the tag {wanted.owner}, but obsgen did not make it: it stays")
            continue
        edit = _edit(found, history, _written_to(found, wanted))
        action = Action(Kind.DELETE, uid, found.title, found, edit=edit)
        if edit is not None and not choices.overwrite_edits:
            reason = "it has left generated/, but somebody has edited it; --overwrite-edits deletes it"
            actions.append(_stays(action, Kind.KEEP, reason, edit))
        elif choices.prune:
            actions.append(_stays(action, Kind.DELETE, "it has left generated/", edit))
        else:
            notes.append(f"{found.title!r} ({uid}) has left generated/; it stays, with --no-prune")
    return actions, notes
