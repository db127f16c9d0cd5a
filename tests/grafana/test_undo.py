"""Each run can be undone: all is again as it was, but for what somebody has changed since."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from obsgen.errors import ObsgenError
from obsgen.grafana.apply import Result
from obsgen.grafana.runs import BackupError, last, load, runs
from obsgen.grafana.state import WRITTEN
from tests.grafana.double import Double, patched
from tests.grafana.house import House, Json, board, done


def state(home: House, *names: str) -> dict[str, tuple[Json, str] | None]:
    """Return content and folder of dashboards: all that an undo has to restore."""
    found: dict[str, tuple[Json, str] | None] = {}
    for name in names:
        shown = home.read(home.uid(name))
        kept = {k: v for k, v in (shown or {}).get("dashboard", {}).items() if k not in ("id", "version", WRITTEN)}
        found[name] = (kept, shown["meta"]["folderUid"]) if shown else None
    return found


def test_undo_restores_what_was_changed_made_and_deleted(home: House) -> None:
    home.write(board("a"), board("b"), board("c"))
    home.sync()
    home.edit(home.uid("a"), title="By hand", description="ä\U0001f600 <b>")
    before = state(home, "a", "b", "c", "d")
    home.write(board("a", limit=300), board("b", limit=300), board("d"))
    assert done(home.sync(edits=True)) == 4
    assert state(home, "a", "b", "c", "d") != before

    assert done(home.undo()) == 4

    assert state(home, "a", "b", "c", "d") == before
    with pytest.raises(ObsgenError, match="there is no run to undo for elsewhere"):
        last(runs(home.backups), "elsewhere", home.server.url, home.backups)


def test_an_undoing_can_be_undone_and_the_run_before_it_is_next(home: House) -> None:
    home.write(board("a"))
    home.sync()
    first = state(home, "a")
    home.write(board("a", limit=300))
    home.sync()
    second = state(home, "a")

    home.undo()
    assert state(home, "a") == first
    undoing = runs(home.backups)[-1]
    assert undoing.facts.undoes == runs(home.backups)[1].name
    home.undo(undoing.name)
    assert state(home, "a") == second


def test_undo_of_the_first_run_leaves_nothing_behind(home: House) -> None:
    home.write(board("a"), pages={"index.md": "# Docs\n"})
    home.sync()

    assert done(home.undo()) == 4

    assert home.read(home.uid("a")) is None
    assert not {home.catalog, f"{home.catalog}-docs"} & home.folders().keys()


def test_undo_keeps_a_folder_with_something_foreign_in_it(home: House) -> None:
    home.write(board("a"))
    home.sync()
    home.save({"uid": home.uid("theirs"), "title": "Theirs"}, home.catalog)

    outcomes = home.undo()

    assert [(o.result, o.action.subject) for o in outcomes] == [(Result.DONE, "dashboard"), (Result.LEFT, "folder")]
    assert home.read(home.uid("theirs")) is not None


def test_undo_makes_a_folder_again_that_is_gone(home: House) -> None:
    home.write(board("a"))
    home.sync()
    home.make_folder(home.uid("else"), f"Else {home.catalog}")
    home.edit(home.uid("a"), folder=home.uid("else"), mark=True)
    before = state(home, "a")
    home.sync(edits=True)
    home.person.delete(f"{home.server.url}/api/folders/{home.uid('else')}").raise_for_status()

    assert done(home.undo()) == 2

    assert state(home, "a") == before
    assert home.folders()[home.uid("else")] == f"Else {home.catalog}"


def test_undo_keeps_what_somebody_has_changed_since(home: House) -> None:
    home.write(board("a"), board("b"))
    home.sync()
    before = state(home, "a", "b")
    home.write(board("a", limit=300), board("b", limit=300))
    home.sync()
    home.edit(home.uid("a"), title="By hand")
    edited = state(home, "a")

    assert done(home.undo()) == 1
    assert state(home, "a") == edited
    assert state(home, "b")["b"] == before["b"]
    name = runs(home.backups)[1].name
    assert done(home.undo(name, edits=True)) == 1
    assert state(home, "a", "b") == before


def test_an_undone_edit_is_still_an_edit(home: House) -> None:
    home.write(board("a"))
    home.sync()
    home.edit(home.uid("a"), title="By hand")
    home.sync(edits=True)
    home.undo()

    (action,) = home.plan().actions
    assert action.edit is not None
    assert action.edit.by.startswith("obsgen undo of ")
    assert home.sync() == []


def test_what_is_saved_has_versions_folders_and_no_secret(home: House) -> None:
    home.write(board("a"))
    home.sync()
    home.edit(home.uid("a"), title="By hand")
    home.sync(edits=True)

    run = load(runs(home.backups)[-1].name, home.backups)
    (entry,) = run.entries
    assert (entry.kind, entry.uid, entry.folder, entry.version) == ("update", home.uid("a"), home.catalog, 2)
    assert entry.saved_at
    before = run.before(entry)
    assert before is not None
    assert before.title == "By hand"
    assert run.results() == {f"dashboard {home.uid('a')}": "done"}
    files = [path for path in home.backups.rglob("*") if path.is_file()]
    assert not any(home.token in path.read_text() for path in files)
    assert (home.backups / ".gitignore").read_text() == "*\n"


def test_nothing_is_written_where_nothing_can_be_saved(one: House, tmp_path: Path) -> None:
    one.write(board("a"))
    (tmp_path / ".obsgen").write_text("a file where the folder should be")

    with pytest.raises(BackupError, match="nothing was changed"):
        one.sync()

    assert one.server.asked("POST") == []


def test_a_run_of_another_grafana_is_not_undone_here(one: House) -> None:
    one.write(board("a"))
    one.sync()
    run = runs(one.backups)[0]
    said = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps({**said, "url": "https://elsewhere.example.org"}))

    with pytest.raises(ObsgenError, match="no run to undo"):
        one.undo()
    with pytest.raises(ObsgenError, match=r"changed default \(https://elsewhere.example.org\)"):
        one.undo(run.name)


def test_a_broken_backup_is_told(one: House) -> None:
    one.write(board("a"))
    one.sync()
    one.write(board("a", limit=300))
    one.sync()
    run = runs(one.backups)[-1]
    file = run.path / run.entries[0].file
    file.write_text(file.read_text()[:100])

    with pytest.raises(BackupError, match=r"cannot read .*0001"):
        one.undo()
    with pytest.raises(BackupError, match="there is no run 'nope'"):
        one.undo("nope")


def test_undo_refuses_what_another_has_made_in_its_place(home: House) -> None:
    home.write(board("a"), board("b"))
    home.sync()
    home.write(board("a"))
    home.sync()
    home.save({"uid": home.uid("b"), "title": "Theirs"})
    home.delete(home.uid("a"))
    home.save({"uid": home.uid("a"), "title": "Theirs, too"})
    theirs = state(home, "a", "b")

    assert home.undo(edits=True) == []
    assert [o.action.subject for o in home.undo(runs(home.backups)[0].name, edits=True)] == ["folder"]
    assert state(home, "a", "b") == theirs


def test_what_an_undoing_has_restored_is_still_obsgens(home: House) -> None:
    home.write(board("a", "One"), board("b", "Two"))
    home.sync()
    home.write(board("b", "One"))
    home.sync()
    home.undo()
    home.edit(home.uid("a"), description="By hand")

    assert done(home.sync(edits=True)) == 2
    assert home.plan().actions == ()


def test_an_undone_adoption_is_nobodys_again(home: House) -> None:
    home.make_folder(home.catalog, f"Team {home.catalog}")
    home.save({"uid": home.uid("a"), "title": "Handmade"}, home.catalog)
    home.write(board("a"))
    home.sync(adopt=(home.uid("a"),))
    home.undo()

    assert [action.kind.value for action in home.plan(edits=True).actions] == ["refuse"]
    assert done(home.sync(adopt=(home.uid("a"),))) == 1


def test_undo_needs_no_artifacts(home: House) -> None:
    home.preview = "pr-1"
    home.write(board("a"))
    home.sync()
    first = state(home, "a-pr-1")
    home.write(board("a", limit=300))
    home.sync()
    shutil.rmtree(home.generated)

    assert done(home.undo()) == 1

    assert state(home, "a-pr-1") == first
    url = f"{home.server.url}/api/dashboards/uid/{home.uid('a-pr-1')}/versions/3"
    assert home.person.get(url).json()["message"].endswith(f" for {home.catalog}:pr-1")


@pytest.mark.parametrize("late", [1, 9])
def test_a_folder_stays_with_what_the_index_does_not_know_yet(one: House, state: Double, late: int) -> None:
    one.write(board("a"))
    one.sync()
    with patched(state, late=late):
        one.save({"uid": one.uid("theirs"), "title": "Theirs"}, one.catalog)
        outcomes = one.undo()

    assert [o.result for o in outcomes] == [Result.DONE, Result.LEFT]
    assert "still in it" in outcomes[1].reason
    assert one.read(one.uid("theirs")) is not None
