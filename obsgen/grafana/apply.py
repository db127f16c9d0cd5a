"""Does what a plan says, and looks whether it came out.

Each write names the version that it replaces, so that what somebody saves meanwhile is never overwritten. When the
answer to a write is lost, the writer looks first: what is there already is not written again. What fails fails alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from obsgen.grafana.api import Grafana
from obsgen.grafana.diff import differences
from obsgen.grafana.errors import GrafanaError, Refused, Unsure
from obsgen.grafana.plan import Action, Kind, Plan
from obsgen.grafana.reader import Step, each
from obsgen.grafana.runs import Run
from obsgen.grafana.state import Dashboard, Folder, LiveDashboard, same
from obsgen.style import printable

LOOKS = 4
"""How often the writer looks for what it has written: a second server behind the same address may be late."""
_CONFLICT = (409, 412)
_TITLE_TAKEN = ("name-exists", "name-match")


class Result(Enum):
    """What came of an action."""

    DONE = "done"
    FAILED = "failed"
    LEFT = "left"
    """Not tried: something that it needs has failed, or there is a reason not to."""
    WAITS = "waits"
    """Within a run only: it is tried again when another dashboard has given up the title."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an action, and why it did not where it did not."""

    action: Action
    result: Result
    reason: str = ""


class _Held(GrafanaError):  # noqa: N818  # a reason, no failure
    """There is a reason not to do it."""


class _TitleTaken(GrafanaError):  # noqa: N818  # it may be free later
    """Another dashboard has the title, which this Grafana takes once a folder."""


class Writer:
    """Does what a plan says.

    Args:
        grafana: the Grafana.
        message: for the dashboards' history.
        run: notes what is done; None where nothing needs to be noted.
        step: is told what is being done.
    """

    def __init__(self, grafana: Grafana, message: str, run: Run | None = None, step: Step = lambda *_: None) -> None:
        self.grafana = grafana
        self.patience = grafana.transport.patience
        self.connections = grafana.transport.environment.connections
        self.message = message
        self.run = run
        self.step = step

    def apply(self, plan: Plan) -> list[Outcome]:
        """Do all of a plan that writes, and return what came of each part.

        Folders come first, one at a time; then dashboards, several at once; then what is deleted.
        """
        outcomes: list[Outcome] = []
        folders = [a for a in plan.writes if a.subject == "folder"]
        outcomes += self._all([a for a in folders if a.kind is not Kind.DELETE], self._folder, 1, "making folders")
        lost = {
            o.action.uid: o.reason for o in outcomes if o.result is not Result.DONE and o.action.kind is Kind.CREATE
        }
        saved = [a for a in plan.writes if a.subject == "dashboard" and a.kind is not Kind.DELETE]
        left = [a for a in saved if a.folder in lost]
        outcomes += [self._noted(Outcome(a, Result.LEFT, f"its folder is not there: {lost[a.folder]}")) for a in left]
        deleted = [a for a in plan.writes if a.subject == "dashboard" and a.kind is Kind.DELETE]
        outcomes += self._dashboards([a for a in saved if a.folder not in lost], deleted)
        emptied = [a for a in folders if a.kind is Kind.DELETE]
        return outcomes + self._all(emptied, self._delete_folder, 1, "deleting folders")

    def _dashboards(self, saved: Sequence[Action], deleted: Sequence[Action]) -> list[Outcome]:
        """Save and delete dashboards.

        Grafana before 11.3 takes a title once a folder: those whose title is still taken wait until the others have
        their new ones.
        """
        outcomes: list[Outcome] = []
        waiting = list(saved)
        while waiting:
            came = self._all(waiting, self._save, self.connections, "saving dashboards")
            again = [o for o in came if o.result is Result.WAITS]
            outcomes += [o for o in came if o.result is not Result.WAITS]
            if deleted:
                outcomes += self._all(deleted, self._delete, self.connections, "deleting dashboards")
                deleted = ()
            elif again and len(again) == len(waiting):
                freed = self._break_ring([o.action for o in again])
                if freed is None:
                    return outcomes + [self._failed(o.action, o.reason) for o in again]
                waiting = freed
                continue
            waiting = [o.action for o in again]
        return outcomes + self._all(deleted, self._delete, self.connections, "deleting dashboards")

    def _all(
        self,
        actions: Sequence[Action],
        work: Callable[[Action], None],
        connections: int,
        words: str,
    ) -> list[Outcome]:
        """Do some actions; what fails does not stop the others."""
        by_uid = {action.uid: action for action in actions}

        def done(uid: str) -> Outcome:
            action = by_uid[uid]
            try:
                work(action)
                return self._noted(Outcome(action, Result.DONE))
            except _TitleTaken as error:
                return Outcome(action, Result.WAITS, str(error))
            except _Held as error:
                return self._noted(Outcome(action, Result.LEFT, str(error)))
            except GrafanaError as error:
                return self._failed(action, str(error))
            except Exception as error:  # it must not stop the others
                return self._failed(action, f"this is a bug of obsgen: {error!r}")

        came = dict(each(by_uid, done, connections, lambda n, of: self.step(words, n, of)))
        return [came[uid] for uid in by_uid]

    def _failed(self, action: Action, reason: str) -> Outcome:
        return self._noted(Outcome(action, Result.FAILED, reason))

    def _noted(self, outcome: Outcome) -> Outcome:
        if self.run is not None:
            words = f"{outcome.result.value}: {outcome.reason}" if outcome.reason else outcome.result.value
            self.run.done(outcome.action.uid, outcome.action.subject, words)
        return outcome

    def _save(self, action: Action) -> None:
        """Save a dashboard, and look whether it is there."""
        assert isinstance(action.after, Dashboard)
        before = action.before.version if isinstance(action.before, LiveDashboard) else None
        self._saved(action.after, before)

    def _saved(self, wanted: Dashboard, before: int | None) -> None:
        for failures in range(1, self.patience.attempts + 1):
            try:
                self.grafana.save(wanted.content, wanted.folder, before, self.message)
            except (Unsure, Refused) as error:
                if isinstance(error, Refused) and error.status not in _CONFLICT:
                    raise _titled(error) from None
                failed: GrafanaError = error
            else:
                return self._verify(wanted)
            found = self.grafana.dashboard(wanted.uid)
            if found is not None and same(wanted, found):
                return None
            if (found.version if found is not None else None) != before:
                raise _overtaken(found)
            if isinstance(failed, Refused) and failed.reason in _TITLE_TAKEN:
                raise _titled(failed) from None
            if isinstance(failed, Refused) and failed.reason == "plugin-dashboard":
                raise failed
            self.patience.pause(failures)
        hint = "\n    is there one with this uid that the token may not see?" if isinstance(failed, Refused) else ""
        raise GrafanaError(f"{failed}{hint}")

    def _verify(self, wanted: Dashboard) -> None:
        """Look whether a dashboard is as it was saved."""
        for failures in range(1, LOOKS + 1):
            found = self.grafana.dashboard(wanted.uid)
            if found is not None and same(wanted, found):
                return
            if failures < LOOKS:
                self.patience.pause(failures)
        if found is None:
            raise GrafanaError("it was saved, but is not there")
        kept = [line for d in differences(wanted.content, found.content)[:3] for line in d.lines()]
        if found.folder != wanted.folder:
            kept.insert(0, f"folder {found.folder or 'General'} instead of {wanted.folder}")
        raise GrafanaError(f"it was saved, but is not as it should be: {'; '.join(kept) or 'it is marked otherwise'}")

    def _delete(self, action: Action) -> None:
        """Delete a dashboard, unless somebody has saved it meanwhile."""
        assert isinstance(action.before, LiveDashboard)
        failed: GrafanaError | None = None
        for failures in range(1, self.patience.attempts + 1):
            found = self.grafana.dashboard(action.uid)
            if found is None:
                return
            if found.version != action.before.version or found.checksum != action.before.checksum:
                raise _overtaken(found)
            if failed is not None:
                self.patience.pause(failures - 1)
            try:
                self.grafana.delete(action.uid)
            except Unsure as error:
                failed = error
            except Refused as error:
                if error.status != 404:
                    raise
        if failed is not None:
            raise GrafanaError(str(failed))
        raise GrafanaError("it was deleted, but is still there")

    def _folder(self, action: Action) -> None:
        """Create or rename a folder. Grafana may say that it failed, and have done it."""
        assert isinstance(action.after, Folder)
        for failures in range(1, self.patience.attempts + 1):
            try:
                if action.kind is Kind.CREATE:
                    self.grafana.create_folder(action.uid, action.after.title)
                else:
                    self._rename(action.after)
            except (Unsure, Refused) as error:
                if isinstance(error, Refused) and error.status not in _CONFLICT:
                    raise
                failed: GrafanaError = error
            else:
                failed = GrafanaError("it was made, but is not there")
            found = self.grafana.folder(action.uid)
            if found is not None and found.title == action.after.title:
                return
            if isinstance(failed, Refused) and found is None and failures >= LOOKS:
                # Not the race that Grafana has when folders are made in a hurry: its title is taken.
                break
            self.patience.pause(failures)
        raise GrafanaError(str(failed))

    def _rename(self, folder: Folder) -> None:
        found = self.grafana.folder(folder.uid)
        self.grafana.rename_folder(folder.uid, folder.title, found.version if found is not None else 0)

    def _delete_folder(self, action: Action) -> None:
        """Delete a folder with nothing in it; Grafana would delete what is in it, too."""
        for failures in range(1, self.patience.attempts + 1):
            if self.grafana.folder(action.uid) is None:
                return
            held = self._contents(action.uid)
            if held:
                more = f" and {len(held) - 3} more" if len(held) > 3 else ""
                raise _Held(printable(f"it stays: {', '.join(held[:3])}{more} still in it"))
            try:
                self.grafana.delete_folder(action.uid)
            except Unsure:
                self.patience.pause(failures)
            except Refused as error:
                if error.status != 404:
                    raise
        raise GrafanaError("it is still there")

    def _contents(self, uid: str) -> list[str]:
        """Return the titles of what is in a folder.

        Grafana's index may still have what was deleted a moment ago, and may not have yet what somebody has just made:
        where the folder says that it has more than is found, it is asked again.
        """
        for failures in range(1, LOOKS + 1):
            dashboards, others, number = self.grafana.contents(uid)
            there = dict(each(dashboards, self.grafana.dashboard, self.connections))
            titles = [found.title for found in there.values() if found is not None and found.folder == uid]
            if titles or others or not number:
                return titles + others
            if failures < LOOKS:
                self.patience.pause(failures)
        return [f"{number} dashboard{'s' if number > 1 else ''}"]

    def _break_ring(self, waiting: Sequence[Action]) -> list[Action] | None:
        """Free a title where dashboards wait for each other's: one of them gets another title for the moment.

        Returns:
            what is still to be saved; None where no title could be freed.
        """
        for number, action in enumerate(waiting):
            before, after = action.before, action.after
            if not isinstance(before, LiveDashboard) or not isinstance(after, Dashboard):
                continue
            title = f"{after.title} ({action.uid})"
            if before.title == title:
                continue
            try:
                self._saved(Dashboard({**before.content, "title": title}, before.folder), before.version)
                found = self.grafana.dashboard(action.uid)
            except GrafanaError:
                continue
            return [*waiting[:number], *waiting[number + 1 :], replace(action, before=found)]
        return None


def _titled(error: Refused) -> GrafanaError:
    return _TitleTaken(str(error)) if error.reason in _TITLE_TAKEN else error


def _overtaken(found: LiveDashboard | None) -> GrafanaError:
    if found is None:
        return _Held("somebody has deleted it meanwhile: run again")
    by = f" ({printable(found.updated_by)})" if found.updated_by else ""
    return _Held(f"somebody has saved it meanwhile{by}: run again")
