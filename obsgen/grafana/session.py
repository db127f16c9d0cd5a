"""One Grafana, as a command deals with it: who it is, what is done in it, and what is kept for an undoing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from obsgen.errors import ObsgenError
from obsgen.grafana import messages
from obsgen.grafana.api import Grafana
from obsgen.grafana.apply import LOOKS, Outcome, Result, Writer
from obsgen.grafana.errors import GrafanaError
from obsgen.grafana.plan import Kind, Plan
from obsgen.grafana.reader import Reader, Step
from obsgen.grafana.runs import Facts, Run, save
from obsgen.grafana.settings import Environment
from obsgen.grafana.state import Dashboard, LiveDashboard
from obsgen.grafana.transport import Patience, Transport


class Session:
    """One environment's Grafana.

    Args:
        environment: where it is, and who asks.
        owner: the tag of all that is dealt with.
        commit: which commit of the artifacts.
        folders: the titles of the folders that are dealt with, by uid.
        step: is told what is being done.
        patience: how requests are made again.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        owner: str,
        commit: str,
        folders: dict[str, str],
        step: Step,
        patience: Patience | None,
    ) -> None:
        self.environment = environment
        self.owner = owner
        self.commit = commit
        self.folders = folders
        self.step = step
        self.grafana = Grafana(Transport(environment, patience))
        self.reader = Reader(self.grafana, step)
        self.tell(step)
        self.version = ""
        self.organisation = ""

    @property
    def requests(self) -> int:
        """How many requests were made."""
        return self.grafana.transport.sent

    def meet(self) -> None:
        """Find out which Grafana it is.

        Raises:
            GrafanaError: it does not answer, or does not know who asks.
        """
        self.step(f"asking {self.environment.url}", 0, 0)
        self.version = self.grafana.version()
        self.organisation = self.grafana.organisation()

    def apply(self, todo: Plan, command: str, backups: Path, undoes: str = "") -> tuple[Run, list[Outcome]]:
        """Save what is there, do what a plan says, and return the run and what came of it.

        Args:
            todo: the plan.
            command: what the run is called.
            backups: the folder for what is there.
            undoes: the run that it undoes; empty for none.

        Raises:
            BackupError: what is there cannot be saved; nothing was changed.
            ObsgenError: somebody stopped it with Ctrl-C.
        """
        facts = Facts(
            command=command,
            environment=self.environment.name,
            url=self.environment.url,
            organisation=self.organisation,
            owner=self.owner,
            commit=self.commit,
            folders=self.folders | self._left(todo),
            undoes=undoes,
        )
        self.step("saving what is there", 0, 0)
        run = save(todo, facts, backups)
        words = messages.undoing(self.owner, undoes) if undoes else messages.pushing(self.owner, self.commit)
        try:
            outcomes = Writer(self.grafana, words, run, self.step).apply(todo)
            self._await_index(outcomes)
            return run, outcomes
        except KeyboardInterrupt:
            did = sum(outcome == Result.DONE.value for outcome in run.results().values())
            hint = f"run it again for the rest, or `obsgen grafana undo {run.name}`"
            raise ObsgenError(f"stopped after {did} of {len(todo.writes)} changes\n    {hint}") from None

    def tell(self, step: Step) -> None:
        """Tell somebody else from now on what is being done."""
        self.step = self.reader.step = step
        self.grafana.transport.says = lambda why: step(why, 0, 0)

    def _await_index(self, outcomes: Sequence[Outcome]) -> None:
        """Wait a little until the index has what was made: a next plan finds there what has left `generated/`.

        What it does not have by then is not lost: it is found by a later plan.
        """
        made = {
            o.action.uid
            for o in outcomes
            if o.result is Result.DONE and o.action.kind is Kind.CREATE and self.owner in _tags(o.action.after)
        }
        patience = self.grafana.transport.patience
        with suppress(GrafanaError):
            for failures in range(1, LOOKS + 1):
                if made <= set(self.grafana.tagged(self.owner) if made else ()):
                    return
                self.step("waiting for the search index", 0, 0)
                patience.pause(failures)

    def link(self, dashboard: str) -> str:
        """Return the address of a dashboard."""
        return f"{self.environment.url}/d/{dashboard}"

    def _left(self, todo: Plan) -> dict[str, str]:
        """Return the titles of the folders that dashboards are about to leave: an undo may have to make them again."""
        left = {a.before.folder for a in todo.writes if isinstance(a.before, LiveDashboard)} - {"", *self.folders}
        return {uid: folder.title for uid in sorted(left) if (folder := self.reader.folder(uid)) is not None}


def _tags(thing: object) -> tuple[str, ...]:
    return thing.tags if isinstance(thing, Dashboard) else ()
