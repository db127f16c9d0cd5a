"""Backups and what is pulled go where they belong, for nobody else to read: no link is followed, no uid leads away."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obsgen.errors import ObsgenError
from obsgen.grafana.api import Grafana
from obsgen.grafana.files import file_name
from obsgen.grafana.plan import Choices
from obsgen.grafana.runs import BackupError, load, runs
from obsgen.grafana.state import LiveDashboard
from tests.grafana.house import House, board, done


@pytest.fixture
def here(one: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A team whose project folder is the working directory; one of its dashboards is about to change."""
    project = one.folder / "project"
    project.mkdir()
    one.folder = project
    monkeypatch.chdir(project)
    one.write(board("a"))
    return one


def sync(here: House, backups: str = ".obsgen/backups") -> None:
    session = here.session()
    session.apply(session.plan(Choices()), "sync", Path(backups))


def elsewhere(here: House) -> Path:
    """Return a folder outside of the project."""
    made = here.folder.parent / "elsewhere"
    made.mkdir(exist_ok=True)
    return made


def test_only_the_owner_can_read_backups(here: House) -> None:
    before = os.umask(0o022)
    try:
        sync(here)
        here.write(board("a", limit=300))
        sync(here)
    finally:
        os.umask(before)

    run = runs()[-1]
    assert {path.name for path in run.path.iterdir()} == {"run.json", "done.jsonl", "dashboards"}
    for path in (Path(".obsgen/backups"), *Path(".obsgen/backups").rglob("*")):
        assert stat.S_IMODE(path.lstat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("link", [".obsgen", ".obsgen/backups"])
def test_a_linked_folder_of_backups_is_refused_and_nothing_is_changed(here: House, link: str) -> None:
    target = elsewhere(here)
    Path(link).parent.mkdir(exist_ok=True)
    Path(link).symlink_to(target)

    with pytest.raises(BackupError) as caught:
        sync(here)

    assert str(caught.value) == (
        f"cannot save what is there in .obsgen/backups: {link} is a link, which is not followed\n"
        "    nothing was changed in Grafana; name another folder with --backups"
    )
    assert list(target.iterdir()) == []
    assert here.folders() == {}


def test_a_link_above_the_working_folder_is_the_systems(here: House, monkeypatch: pytest.MonkeyPatch) -> None:
    link = here.folder.parent / "link"
    link.symlink_to(elsewhere(here))

    sync(here, str(link / "backups"))

    assert len(runs(elsewhere(here) / "backups")) == 1


def test_a_dangling_list_of_what_git_ignores_is_not_written_through(here: House) -> None:
    Path(".obsgen/backups").mkdir(parents=True)
    Path(".obsgen/backups/.gitignore").symlink_to(elsewhere(here) / "new")

    with pytest.raises(BackupError, match=r"\.obsgen/backups/\.gitignore is a link, which is not followed"):
        sync(here)

    assert list(elsewhere(here).iterdir()) == []
    assert here.folders() == {}


def test_backups_in_what_is_no_folder_are_refused(here: House) -> None:
    os.mkfifo("pipe")

    with pytest.raises(BackupError, match="pipe is a named pipe, which is not written to"):
        sync(here, "pipe")

    assert here.folders() == {}


def test_a_run_is_looked_for_among_the_runs_only(here: House) -> None:
    sync(here)
    run = runs()[0]
    run.path.rename(elsewhere(here) / run.name)

    for name in (f"../../../elsewhere/{run.name}", str(elsewhere(here) / run.name), f"./{run.name}", "..", ""):
        with pytest.raises(BackupError, match="there is no run"):
            load(name)


def pulled(here: House, path: Path | None = None, uid: str = "a") -> Path:
    return here.session().pull(here.uid(uid), path).path


@pytest.fixture
def edited(here: House) -> House:
    assert done(here.sync()) == 2
    here.edit(here.uid("a"), title="By hand")
    return here


@pytest.mark.parametrize("link", [".obsgen", ".obsgen/pulled", "file"])
def test_pull_follows_no_link(edited: House, link: str) -> None:
    target = elsewhere(edited)
    (target / "precious").write_text("theirs")
    place = Path(f".obsgen/pulled/{edited.uid('a')}.json") if link == "file" else Path(link)
    shutil.rmtree(".obsgen")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target / "precious" if link == "file" else target)

    with pytest.raises(ObsgenError) as caught:
        pulled(edited)

    assert str(caught.value) == (
        f"cannot write .obsgen/pulled/{edited.uid('a')}.json: {place} is a link, which is not followed\n"
        "    name another file with --output"
    )
    assert [(path.name, path.read_text()) for path in target.iterdir()] == [("precious", "theirs")]


def test_pull_makes_no_file_where_a_link_leads_to_nothing(edited: House) -> None:
    Path("out.json").symlink_to(elsewhere(edited) / "new")

    with pytest.raises(ObsgenError, match=r"out\.json is a link, which is not followed"):
        pulled(edited, Path("out.json"))

    assert list(elsewhere(edited).iterdir()) == []


@pytest.mark.parametrize("read", [False, True], ids=["alone", "read"])
def test_pull_does_not_wait_for_a_pipe(edited: House, read: bool) -> None:
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK) if read else None
    try:
        with pytest.raises(ObsgenError, match="cannot write pipe: pipe is a named pipe, which is not written to"):
            pulled(edited, Path("pipe"))
    finally:
        if reader is not None:
            os.close(reader)


def test_pull_writes_to_a_file_that_is_there_and_to_a_new_folder(edited: House) -> None:
    Path("out.json").write_text("x" * 100_000)

    assert pulled(edited, Path("out.json")).read_text() == pulled(edited, Path("new/deep/out.json")).read_text()


@pytest.mark.parametrize("uid", ["../../x", "../../../elsewhere/x", "/x", "..", "a/b"])
def test_no_uid_leads_out_of_the_folder_of_what_is_pulled(
    here: House, monkeypatch: pytest.MonkeyPatch, uid: str
) -> None:
    path = here.generated / f"grafana/dashboards/{here.uid('a')}.json"
    path.write_text(path.read_text().replace(f'"{here.uid("a")}"', f'"{uid}"'))
    known = set(here.folder.parent.rglob("*"))

    def found(_: Grafana, asked: str) -> LiveDashboard:
        # Grafana takes no such uid; a server that does is somebody's.
        return LiveDashboard({"uid": asked, "title": "By hand"}, "")

    monkeypatch.setattr(Grafana, "dashboard", found)
    session = here.session()
    session.pull(uid, None)

    made = set(here.folder.parent.rglob("*")) - known
    folder = here.folder / ".obsgen/pulled"
    assert {path.parent for path in made if path.is_file()} == {folder}
    assert made - {folder, folder.parent} == {folder / f"{file_name(uid)}.json"}


@given(st.text())
def test_a_file_is_named_by_any_uid_within_its_folder(uid: str) -> None:
    path = Path("folder") / f"{file_name(uid)}.json"

    assert path.parent == Path("folder")
    assert "\0" not in path.name
