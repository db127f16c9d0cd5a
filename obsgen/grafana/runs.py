"""What was there before a run changed it: kept in a folder of its own for each run, so that it can be undone.

    .obsgen/backups/20261123-154210-production/
        run.json            what the run was about to do: of which commit, where, to what, which versions were there
        dashboards/*.json   each dashboard that it was about to change or delete, as it was
        done.jsonl          a line for each thing that was done, or failed

It is all on disk before the first request that writes, and none of this run's secrets is in it. Only who ran it can
read it: it may hold dashboards of other people.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from obsgen.errors import ObsgenError
from obsgen.grafana.files import PRIVATE, file_name, make_folder, open_file
from obsgen.grafana.plan import Action, Kind, Plan
from obsgen.grafana.state import Dashboard, Folder, Json, LiveDashboard, parsed
from obsgen.secrets import redacted, storable
from obsgen.style import json_text
from obsgen.tree import exists

FOLDER = Path(".obsgen/backups")
RUN = "run.json"
DONE = "done.jsonl"
SYNC = "sync"


class BackupError(ObsgenError):
    """A backup cannot be written or read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a run was about to do to one folder or dashboard.

    Attributes:
        kind: what.
        subject: `folder` or `dashboard`.
        uid: of what.
        title: its title.
        checksum: of the dashboard that it was to become; empty for none, and for a folder.
        new_title: the title that a folder was to get; empty for none.
        folder: the uid of the folder that a dashboard was in; None where it was not there.
        version: which version was there; None where there was none.
        saved_by: who had saved it last.
        saved_at: when.
        file: where it is saved, within the run's folder; empty where there was nothing to save.
    """

    kind: str
    subject: str
    uid: str
    title: str
    checksum: str = ""
    new_title: str = ""
    folder: str | None = None
    version: int | None = None
    saved_by: str = ""
    saved_at: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a run is.

    Attributes:
        command: `sync`, `preview` or `undo`.
        environment: the environment's name.
        url: the Grafana.
        organisation: the organisation there.
        owner: the tag of all that it makes.
        commit: which commit of the artifacts; empty where that is not known.
        folders: the title of each folder that is concerned, by uid.
        undoes: the run that it undoes; empty for none.
    """

    command: str
    environment: str
    url: str
    organisation: str
    owner: str
    commit: str
    folders: Mapping[str, str]
    undoes: str = ""


class Run:
    """A run, saved.

    Args:
        path: its folder.
        facts: what it is.
        entries: what it was about to do.
        public: returns texts that everybody can read: what stands in them is no secret.
    """

    def __init__(
        self, path: Path, facts: Facts, entries: tuple[Entry, ...], public: Callable[[], Iterable[str]] = tuple
    ) -> None:
        self.path = path
        self.facts = facts
        self.entries = entries
        self._public = public
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Its name: when it began, and where."""
        return self.path.name

    def done(self, uid: str, subject: str, outcome: str) -> None:
        """Note what came of something, if that can be written: an undoing does without."""
        said = {"uid": storable(uid, self._public), "subject": subject, "outcome": redacted(outcome)}
        line = json.dumps(said)
        with contextlib.suppress(OSError), self._lock, open_file(self.path / DONE, "a", PRIVATE) as file:
            file.write(line + "\n")

    def results(self) -> dict[str, str]:
        """Return what came of each thing, by its uid; nothing of what a killed run did not get to."""
        found = {}
        try:
            lines = (self.path / DONE).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        for line in lines:
            # The last line of a killed run may be cut off.
            if line.endswith("}"):
                said = parsed(line)
                found[f"{said['subject']} {said['uid']}"] = str(said["outcome"])
        return found

    def before(self, entry: Entry) -> Dashboard | None:
        """Return a dashboard as it was before the run; None where it was not there."""
        if not entry.file:
            return None
        said = _read(self.path / entry.file)
        content = said.get("dashboard")
        if not isinstance(content, dict):
            raise BackupError(f"{self.path / entry.file} holds no dashboard")
        return Dashboard(content, str(said.get("folderUid", "")))


def save(plan: Plan, facts: Facts, folder: Path = FOLDER, now: datetime | None = None) -> Run:
    """Save all that a plan is about to change or delete.

    Raises:
        BackupError: it cannot be written; then nothing may be changed either.
    """

    def public() -> list[str]:
        after = [action.after.content for action in plan.writes if isinstance(action.after, Dashboard)]
        # An undoing writes what a server has said, and variables have the name of its data source.
        wanted = [{**content, "templating": {}} for content in after if not facts.undoes]
        return [facts.url, facts.owner, *(json.dumps(content, ensure_ascii=False) for content in wanted)]

    stamp = (now or datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
    try:
        make_folder(folder)
        _ignored_by_git(folder)
        path = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder))
        try:
            entries = tuple(_save(action, number, path, public) for number, action in enumerate(plan.writes, 1))
            said = {**asdict(facts), "actions": [_filled(asdict(entry)) for entry in entries]}
            _write(path / RUN, json_text(storable(said, public)))
            # Once for all files; one by one it takes as long as all the rest.
            os.sync()
            final = _moved(path, folder, f"{stamp}-{facts.environment}")
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
    except OSError as error:
        hint = "nothing was changed in Grafana; name another folder with --backups"
        raise BackupError(f"cannot save what is there in {folder}: {error.strerror}\n    {hint}") from error
    return Run(final, facts, entries, public)


def load(name: str, folder: Path = FOLDER) -> Run:
    """Return a run by its name.

    Raises:
        BackupError: there is none, or it cannot be read.
    """
    if Path(name).name != name or not (folder / name / RUN).is_file():
        known = ", ".join(run.name for run in runs(folder)[-3:]) or "none"
        raise BackupError(f"there is no run {name!r} in {folder}\n    the last ones are: {known}")
    said = _read(folder / name / RUN)
    try:
        entries = tuple(Entry(**each) for each in said.pop("actions"))
        return Run(folder / name, Facts(**said), entries)
    except (TypeError, KeyError) as error:
        raise BackupError(f"{folder / name / RUN} is not what obsgen writes: {error}") from None


def runs(folder: Path = FOLDER) -> list[Run]:
    """Return all runs, the oldest first."""
    if not folder.is_dir():
        return []
    names = sorted(path.name for path in folder.iterdir() if (path / RUN).is_file() and not path.name.startswith("."))
    return [load(name, folder) for name in names]


def last(known: Sequence[Run], environment: str, url: str, folder: Path) -> Run:
    """Return the newest sync in an environment that is not undone. Previews and undoings are undone by their name.

    Args:
        known: all runs, the oldest first.
        environment: the environment's name.
        url: its Grafana.
        folder: where the runs are, for the message.

    Raises:
        BackupError: there is none.
    """
    undone = {run.facts.undoes for run in known}
    here = [run for run in known if run.facts.environment == environment and run.facts.url == url]
    found = [run for run in here if run.facts.command == SYNC and run.name not in undone]
    if not found:
        raise BackupError(f"there is no run to undo for {environment} ({url}) in {folder}")
    return found[-1]


def _save(action: Action, number: int, path: Path, public: Callable[[], Iterable[str]]) -> Entry:
    before, after = action.before, action.after
    checksum = after.checksum if isinstance(after, Dashboard) else ""
    new_title = after.title if isinstance(after, Folder) else ""
    entry = Entry(action.kind.value, action.subject, action.uid, action.title, checksum, new_title)
    if isinstance(before, Folder):
        return Entry(*_head(entry, before.title), version=before.version)
    if not isinstance(before, LiveDashboard):
        return entry
    file = f"dashboards/{number:04}-{file_name(storable(action.uid, public))}.json"
    kept = storable({"dashboard": before.content, "folderUid": before.folder}, public)
    _write(path / file, json.dumps(kept, sort_keys=True))
    return Entry(*_head(entry, action.title), before.folder, before.version, before.updated_by, before.updated, file)


def _head(entry: Entry, title: str) -> tuple[str, str, str, str, str, str]:
    return entry.kind, entry.subject, entry.uid, title, entry.checksum, entry.new_title


def _filled(entry: Json) -> Json:
    return {key: value for key, value in entry.items() if value not in ("", None) or key == "title"}


def _moved(path: Path, folder: Path, name: str) -> Path:
    """Give a finished backup its name; a second run of the same second gets a number."""
    for number in range(1, 1_000):
        final = folder / (name if number == 1 else f"{name}-{number}")
        if not exists(final):
            path.rename(final)
            return final
    raise BackupError(f"there are too many runs of this second in {folder}")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(0o700, exist_ok=True)
    with open_file(path, "w", PRIVATE) as file:
        file.write(text)


def _read(path: Path) -> Json:
    try:
        said: Any = parsed(path.read_text(encoding="utf-8", errors="surrogatepass"))
    except (OSError, ValueError) as error:
        raise BackupError(f"cannot read {path}: {error}") from None
    if not isinstance(said, dict):
        raise BackupError(f"{path} is not what obsgen writes")
    return said


def _ignored_by_git(folder: Path) -> None:
    """Keep backups out of commits: they may hold what nobody has reviewed."""
    ignore = folder / ".gitignore"
    if not ignore.exists():
        _write(ignore, "*\n")


def kinds(entries: tuple[Entry, ...]) -> dict[Kind, int]:
    """Return how many things a run was about to create, change and delete."""
    return {kind: count for kind in Kind if (count := sum(entry.kind == kind.value for entry in entries))}
