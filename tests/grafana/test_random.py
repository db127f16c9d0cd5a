"""Whatever people, catalogs and the weather do: nothing foreign is touched, nothing is lost, and all comes right.

Random sequences of new artifacts, edits, moves, copies and deletions by hand, and of runs that are undone, hindered by
faults at any request, or killed at any. `OBSGEN_TEST_EXAMPLES` makes more of them.
"""

from __future__ import annotations

import copy
import itertools
import json
import os
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from obsgen.errors import ObsgenError
from obsgen.grafana.apply import Outcome, Result
from obsgen.grafana.plan import Choices, Kind
from obsgen.grafana.runs import BackupError, runs
from obsgen.grafana.session import Session
from obsgen.grafana.state import WRITTEN, own
from tests.grafana.double import PROFILES, Json
from tests.grafana.house import House, board, house
from tests.grafana.server import FAULTS

EXAMPLES = int(os.environ.get("OBSGEN_TEST_EXAMPLES", "20"))
NAMES = ("a", "b", "c", "d")
TITLES = ("One", "Two", "Three", "Four")
LIMITS = (250, 300)
PERSON = "anna"
OBSGEN = "sa-obsgen"
COUNTS: dict[str, int] = {}
"""How often each thing was tried, for whoever wants to know (`OBSGEN_TEST_COUNTS`)."""


class Killed(BaseException):
    """The run ends here and now."""


def counted(what: str) -> None:
    COUNTS[what] = COUNTS.get(what, 0) + 1


class World(RuleBasedStateMachine):
    """A team, a Grafana, and people."""

    @initialize(profile=st.sampled_from(PROFILES), late=st.integers(0, 2))
    def begin(self, profile: Any, late: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.context = house(profile, Path(self.folder.name))
        self.home: House = self.context.__enter__()
        assert self.home.double is not None
        self.state = self.home.double
        self.state.late = late if not profile.listed else 0
        self.numbers = itertools.count()
        self.foreign: dict[str, tuple[Json, str, int]] = {}
        self.home.write(*(board(name, title) for name, title in zip(NAMES[:2], TITLES, strict=False)))

    def teardown(self) -> None:
        if hasattr(self, "context"):
            self.context.__exit__(None, None, None)
            self.folder.cleanup()

    # What people do.

    @rule(
        titles=st.permutations(TITLES),
        names=st.sets(st.sampled_from(NAMES), min_size=1),
        limits=st.tuples(*(st.sampled_from(LIMITS) for _ in NAMES)),
        docs=st.booleans(),
    )
    def new_artifacts(self, titles: list[str], names: set[str], limits: tuple[int, ...], docs: bool) -> None:
        """Other dashboards are reviewed: new ones, other thresholds, titles that change places, some gone."""
        boards = [
            board(name, title, limit=limit)
            for name, title, limit in zip(NAMES, titles, limits, strict=True)
            if name in names
        ]
        self.home.write(*boards, pages={"index.md": f"# Docs\n\n{titles[0]}\n"} if docs else {})
        counted("new artifacts")

    def theirs(self) -> list[str]:
        """Return the uids of the dashboards there that obsgen has made."""
        return [uid for uid in sorted(self.state.boards) if uid not in self.foreign]

    @precondition(lambda self: self.theirs())
    @rule(
        pick=st.integers(0, 99), how=st.sampled_from(["edit", "edit with mark", "delete", "move", "untag", "restore"])
    )
    def by_hand(self, pick: int, how: str) -> None:
        """Somebody edits, moves or deletes one of obsgen's dashboards."""
        uid = self.theirs()[pick % len(self.theirs())]
        counted(f"{how} by hand")
        if how == "delete":
            return self.home.delete(uid)
        if how == "move":
            if "elsewhere" not in self.state.folders:
                self.home.make_folder("elsewhere", "Elsewhere")
            if self.taken(self.state.boards[uid].content["title"], "elsewhere"):
                return None
            return self.home.edit(uid, folder="elsewhere", mark=True)
        if how == "restore":
            board = self.state.boards[uid]
            old = {**board.history[-1]["data"], "title": board.content["title"]}
            if own(old) == own(board.content):
                # Not an edit: nothing differs.
                return None
            return self.home.save(old, board.folder, "Restored from version 1")
        if how == "untag":
            if not any(entry["createdBy"] == OBSGEN for entry in self.state.boards[uid].history):
                # Somebody's own, with the tag by mistake: nothing that obsgen may touch.
                return None
            return self.home.edit(uid, tags=[])
        return self.home.edit(uid, mark=how.endswith("mark"), description=f"edit {next(self.numbers)}")

    @rule(where=st.booleans(), name=st.sampled_from([*NAMES, "x", "y"]), tagged=st.booleans())
    def make_foreign(self, where: bool, name: str, tagged: bool) -> None:
        """Somebody makes a dashboard, maybe with a uid that obsgen will want, maybe with its tag."""
        uid, folder = self.home.uid(name), self.home.catalog if where else ""
        title = f"Foreign {next(self.numbers)}"
        if uid in self.state.boards or (folder and folder not in self.state.folders):
            return
        self.home.save({"uid": uid, "title": title, "tags": [f"obsgen:{self.home.catalog}"] if tagged else []}, folder)
        if tagged and name in NAMES:
            # With the uid and the tag of obsgen's own it is one of obsgen's that somebody has edited.
            return
        kept = self.state.boards[uid]
        self.foreign[uid] = (copy.deepcopy(kept.content), kept.folder, kept.version)
        counted("foreign dashboards")

    def taken(self, title: str, folder: str) -> bool:
        return any(b.content["title"] == title and b.folder == folder for b in self.state.boards.values())

    # What obsgen does.

    @rule(edits=st.booleans(), seed=st.integers(0, 10**6), share=st.sampled_from([0.0, 0.05, 0.2, 0.5]))
    def sync(self, edits: bool, seed: int, share: float) -> None:
        """Obsgen syncs, in fair weather or foul."""
        dice = random.Random(seed)
        self.home.server.weather = lambda _: dice.choice(FAULTS) if dice.random() < share else None
        self.run(lambda session: session.plan(Choices(overwrite_edits=edits)), edits=edits)
        counted("syncs with faults" if share else "syncs")

    @rule(edits=st.booleans(), at=st.integers(1, 40), after=st.booleans())
    def killed(self, edits: bool, at: int, after: bool) -> None:
        """Obsgen is killed at some request, before or after Grafana has got it."""
        self.run(lambda session: session.plan(Choices(overwrite_edits=edits)), edits=edits, kill=(at, after))

    @precondition(lambda self: bool(runs(self.home.backups)))
    @rule(pick=st.integers(0, 99), edits=st.booleans(), share=st.sampled_from([0.0, 0.2]), seed=st.integers(0, 10**6))
    def undo(self, pick: int, edits: bool, share: float, seed: int) -> None:
        """One of the runs is undone."""
        known = runs(self.home.backups)
        name = known[-1 - pick % min(3, len(known))].name
        dice = random.Random(seed)
        self.home.server.weather = lambda _: dice.choice(FAULTS) if dice.random() < share else None
        self.run(lambda s: s.plan(Choices(overwrite_edits=edits)), edits=edits, undoes=name)
        counted("undoings")

    def run(
        self,
        planned: Callable[[Any], Any],
        *,
        edits: bool,
        kill: tuple[int, bool] | None = None,
        undoes: str = "",
    ) -> list[Outcome]:
        """Plan and apply something, and see that no edit and nothing that is not saved was overwritten."""
        before = {uid: (copy.deepcopy(b.content), b.folder, b.by) for uid, b in self.state.boards.items()}
        outcomes: list[Outcome] = []
        with patch("obsgen.grafana.settings.CONNECTIONS", 1):
            session = self.home.undoing(undoes) if undoes else self.home.session()
        if kill is not None:
            kill_at(session, *kill)
        try:
            plan = planned(session)
            command = "undo" if undoes else "sync"
            outcomes = session.apply(plan, command, self.home.backups, undoes)[1] if plan.writes else []
        except Killed:
            counted("killed runs")
        except BackupError:
            raise
        except ObsgenError:
            counted("runs that failed as a whole")
        self.home.server.weather = None
        saved = self.saved()
        for uid, (content, folder, by) in before.items():
            now = self.state.boards.get(uid)
            if now is not None and (now.content, now.folder) == (content, folder):
                continue
            counted("dashboards that were overwritten or deleted")
            assert (uid, folder, canonical(content)) in saved, f"{uid} was overwritten and not saved"
            assert edits or undoes or by != PERSON, f"an edit of {uid} was overwritten"
        return outcomes

    def saved(self) -> set[tuple[str, str, str]]:
        found = set()
        for run in runs(self.home.backups):
            for entry in run.entries:
                before = run.before(entry) if entry.subject == "dashboard" else None
                if before is not None:
                    found.add((entry.uid, before.folder, canonical(before.content)))
        return found

    # What holds at any time.

    @invariant()
    def nothing_foreign_is_touched(self) -> None:
        for uid, (content, folder, version) in getattr(self, "foreign", {}).items():
            kept = self.state.boards.get(uid)
            assert kept is not None, f"{uid} is gone"
            assert (kept.content, kept.folder, kept.version) == (content, folder, version)

    @rule()
    def comes_right(self) -> None:
        """In fair weather one sync does all that can be done, and the next has nothing to do."""
        for _ in range(1 + self.state.late):
            outcomes = self.run(lambda session: session.plan(Choices(overwrite_edits=True)), edits=True)
            assert [o for o in outcomes if o.result is not Result.DONE] == []
        with patch("obsgen.grafana.settings.CONNECTIONS", 1):
            left = self.home.plan(edits=True)
        assert {action.kind for action in left.actions} <= {Kind.REFUSE}
        for action in left.actions:
            # What somebody has taken obsgen's tag from, and an undoing has restored, is theirs until it is adopted.
            tags = self.state.boards[action.uid].content.get("tags") or []
            assert action.uid in self.foreign or f"obsgen:{self.home.catalog}" not in tags
        counted("times that all came right")


def canonical(content: Json) -> str:
    """Return a dashboard's JSON without what only the server knows, to be compared."""
    return json.dumps({k: v for k, v in content.items() if k not in ("id", "version", WRITTEN)}, sort_keys=True)


def kill_at(session: Session, at: int, after: bool) -> None:
    """Kill a run at a request of it."""
    wire = session.grafana.transport._session
    send, number = wire.send, itertools.count(1)

    def sending(*arguments: Any, **named: Any) -> Any:
        if next(number) != at:
            return send(*arguments, **named)
        if after:
            send(*arguments, **named).close()
        raise Killed

    wire.send = sending  # type: ignore[method-assign]


World.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # To shrink a sequence takes minutes, and they are short enough to be read.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
TestWorld = World.TestCase


def teardown_module() -> None:
    path = os.environ.get("OBSGEN_TEST_COUNTS")
    if path:
        Path(path).write_text("".join(f"{count:>7} {what}\n" for what, count in sorted(COUNTS.items())))
