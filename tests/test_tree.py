"""The output folder: only what changed is written, all or nothing, and nothing of anybody else is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obsgen import swap, tree
from obsgen.errors import OutputError
from obsgen.swap import write
from obsgen.tree import MANIFEST, Kind, compare

FILES = {"a.yml": "one\n", "deep/b.json": "two\n"}


def bring(folder: Path, files: dict[str, str], catalog: str = "mine") -> list[tuple[str, str]]:
    """Write the artifacts, and return what was done without the manifest."""
    changes = write(folder, catalog, files)
    assert compare(folder, catalog, files) == []
    return [(c.kind.value, c.path) for c in changes if c.path != MANIFEST]


def content(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    assert bring(tmp_path / "new/out", FILES) == [("missing", "a.yml"), ("missing", "deep/b.json")]
    assert content(tmp_path / "new/out") == {**FILES, MANIFEST: tree.manifest("mine", FILES)}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out"]


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    bring(tmp_path / "out", FILES)
    before = (tmp_path / "out/a.yml").stat()

    assert bring(tmp_path / "out", {**FILES, "deep/b.json": "three\n"}) == [("changed", "deep/b.json")]

    after = (tmp_path / "out/a.yml").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert (tmp_path / "out/deep/b.json").read_text() == "three\n"


def test_stale_files_go_and_what_obsgen_did_not_make_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    bring(out, FILES)
    (out / "deep/mine.txt").write_text("hand-made")
    (out / "script").write_text("#!")
    (out / "script").chmod(0o755)
    (out / "empty").mkdir()
    (out / "link").symlink_to("script")
    (out / "folder-link").symlink_to("deep")

    assert bring(out, {"a.yml": "one\n"}) == [("stale", "deep/b.json")]

    assert content(out).keys() == {"a.yml", MANIFEST, "deep/mine.txt", "script", "link"}
    assert (out / "deep/mine.txt").read_text() == "hand-made"
    assert (out / "script").stat().st_mode & 0o777 == 0o755
    assert (out / "empty").is_dir()
    assert str((out / "folder-link").readlink()) == "deep"


def test_a_folder_that_only_stale_files_filled_goes_with_them(tmp_path: Path) -> None:
    bring(tmp_path / "out", FILES)
    bring(tmp_path / "out", {"a.yml": "one\n"})

    assert not (tmp_path / "out/deep").exists()


def test_a_foreign_file_in_the_place_of_an_artifact_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("hand-made")

    with pytest.raises(OutputError, match=r"will not overwrite them; move them away:\n.*a\.yml"):
        compare(tmp_path, "mine", FILES)


def test_a_foreign_file_with_the_same_content_is_adopted(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("one\n")

    assert bring(tmp_path, FILES) == [("missing", "deep/b.json")]
    assert bring(tmp_path, {}) == [("stale", "a.yml"), ("stale", "deep/b.json")]


def test_the_folder_of_another_catalog_is_refused(tmp_path: Path) -> None:
    bring(tmp_path / "out", FILES, catalog="theirs")

    with pytest.raises(OutputError, match="holds the artifacts of the catalog 'theirs', not of 'mine'"):
        compare(tmp_path / "out", "mine", FILES)


@pytest.mark.parametrize("text", ["", "something else\n", "# Files that obsgen made from the catalog mine.\n../x\n"])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)

    with pytest.raises(OutputError, match="is not obsgen's list of files"):
        compare(tmp_path, "mine", FILES)


def test_a_folder_in_the_place_of_an_artifact_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.yml").mkdir()

    with pytest.raises(OutputError, match=r"cannot read .*a\.yml"):
        compare(tmp_path, "mine", FILES)


def test_a_file_in_the_place_of_a_folder_leaves_everything_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "deep").write_text("a file")

    with pytest.raises(OutputError, match="it is as it was"):
        bring(out, FILES)

    assert content(out) == {"deep": "a file"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_linked_output_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to("real")

    bring(tmp_path / "out", FILES)

    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "real/a.yml").read_text() == "one\n"


def test_without_the_system_call_the_folder_is_replaced_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap, "_exchange", lambda *_: False)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("hand-made")

    bring(tmp_path / "out", FILES)
    bring(tmp_path / "out", {"a.yml": "other\n"})

    assert content(tmp_path / "out").keys() == {"a.yml", "mine", MANIFEST}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_a_killed_run_left_is_cleared(tmp_path: Path) -> None:
    bring(tmp_path / "out", FILES)
    left = tmp_path / f"{swap._NEW}out-abcd1234"
    left.mkdir()
    (left / "half").write_text("")
    (tmp_path / "out").rename(tmp_path / f"{left.name}-old")

    bring(tmp_path / "out", {**FILES, "c": "new\n"})

    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("killed", [False, True])
def test_what_somebody_does_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: bool) -> None:
    out = tmp_path / "out"
    bring(out, FILES)
    for name in ("edited", "deleted", "left"):
        (out / name).write_text("before")
    exchange = swap._swap

    def late(new: Path, old: Path) -> None:
        (out / "deep/late.txt").write_text("just now")
        if not killed:
            (out / "saving").write_text("after")
            (out / "saving").replace(out / "edited")
            (out / "deleted").unlink()
        exchange(new, old)
        if killed:
            monkeypatch.setattr(swap, "_save_latecomers", save)
            raise KeyboardInterrupt

    save = swap._save_latecomers
    monkeypatch.setattr(swap, "_swap", late)
    if killed:
        monkeypatch.setattr(swap, "_remove", lambda _: None)
        with pytest.raises(KeyboardInterrupt):
            write(out, "mine", {"a.yml": "other\n"})
        monkeypatch.undo()
        bring(out, {"a.yml": "third\n"})
    else:
        bring(out, {"a.yml": "other\n"})

    found = content(out)
    assert found["deep/late.txt"] == "just now"
    assert found["left"] == "before"
    assert "deep/b.json" not in found
    if not killed:
        assert found["edited"] == "after"
        assert "deleted" not in found
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_output_of_another_run_beside_it_is_not_touched(tmp_path: Path) -> None:
    other = tmp_path / f"{swap._NEW}out-b-abcd1234-old"
    other.mkdir()
    (other / "mine").write_text("the only copy")

    bring(tmp_path / "out", FILES)

    assert (other / "mine").read_text() == "the only copy"


def test_modes_of_folders_stay(tmp_path: Path) -> None:
    out = tmp_path / "out"
    bring(out, FILES)
    (out / "secret").mkdir(mode=0o700)
    (out / "secret/key").write_text("")
    (out / "empty").mkdir(mode=0o711)
    (out / "fixed").mkdir()
    (out / "fixed/f").write_text("")
    (out / "fixed").chmod(0o555)

    bring(out, {"a.yml": "other\n"})

    modes = {name: (out / name).stat().st_mode & 0o777 for name in ("secret", "empty", "fixed")}
    assert modes == {"secret": 0o700, "empty": 0o711, "fixed": 0o555}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_mount_inside_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out/vol").mkdir(parents=True)
    monkeypatch.setattr(swap, "_mounts", lambda: [Path("/"), tmp_path.resolve() / "out/vol"])

    with pytest.raises(OutputError, match="out/vol is a mount"):
        write(tmp_path / "out", "mine", FILES)


def test_the_mounts_of_this_machine_are_known() -> None:
    assert Path("/proc") in list(swap._mounts()) or not Path("/proc/self/mountinfo").exists()


def test_a_linked_folder_inside_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/deep").symlink_to("../real")

    with pytest.raises(OutputError, match="is a link to elsewhere"):
        write(tmp_path / "out", "mine", FILES)


def test_what_is_no_file_in_the_place_of_an_artifact_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yml")

    with pytest.raises(OutputError, match="it is not a file"):
        compare(tmp_path, "mine", FILES)


KILLED = """
import sys
from pathlib import Path
from obsgen.swap import write
out, version = Path(sys.argv[1]), 0
while True:
    version += 1
    files = {f"{n % 7}/{n}.txt": f"version {version}" for n in range(60)}
    write(out, "mine", files)
    if version == 1:
        print("ready", flush=True)
"""


def test_killed_at_any_moment_the_folder_holds_one_version(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for attempt in range(12):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(out)], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        process.stdout.readline()
        # Spread over the steps of a write, which takes a few milliseconds.
        time.sleep(0.05 + attempt * 0.0037)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()

        found = content(out)
        assert len(found) == 61
        assert len({text for path, text in found.items() if path != MANIFEST}) == 1

    bring(out, FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


names = st.sampled_from(["a", "b", "x/a", "x/b", "y/z/c"])
trees = st.dictionaries(names, st.text("abc\n", max_size=4), max_size=5)


@given(st.lists(trees, max_size=4))
def test_whatever_came_before_the_folder_holds_exactly_the_artifacts(
    tmp_path_factory: pytest.TempPathFactory, versions: list[dict[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("trees")
    out = folder / "out"
    (out / "keep").mkdir(parents=True)
    (out / "keep/mine").write_text("hand-made")
    for files in versions:
        bring(out, files)
        assert content(out) == {**files, "keep/mine": "hand-made", MANIFEST: tree.manifest("mine", files)}


def test_a_diff_shows_what_is_there_and_what_should_be() -> None:
    change = tree.Change("a.yml", Kind.CHANGED, "one\ntwo\n", "one\nthree")

    assert change.diff() == (
        "--- a/a.yml\n+++ b/a.yml\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n\\ No newline at end of file\n"
    )


def test_the_working_folder_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")

    for folder in (Path(), Path(".."), tmp_path):
        with pytest.raises(OutputError, match="the whole folder would be replaced"):
            write(folder, "mine", FILES)

    assert content(tmp_path) == {}


def test_two_runs_at_once_leave_one_of_both(tmp_path: Path) -> None:
    out = tmp_path / "out"
    runs = [subprocess.Popen([sys.executable, "-c", KILLED, str(out)], stdout=subprocess.PIPE) for _ in range(2)]
    time.sleep(1)
    for run in runs:
        run.kill()
        run.communicate()

    assert len({text for path, text in content(out).items() if path != MANIFEST}) == 1


lines = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n"]), max_size=30).map("".join)


@given(lines, lines, lines, lines)
def test_a_diff_is_what_difflib_makes_of_the_whole(head: str, old: str, new: str, tail: str) -> None:
    """Cutting off what both begin and end with may move where equal lines are matched, never what the diff does."""
    change = tree.Change("f", Kind.CHANGED, head + old + tail, head + new + tail)

    assert patched(change.old, change.diff()) == change.new


def patched(text: str, diff: str) -> str:
    """Apply a unified diff without its safety nets."""
    old, out, position = text.splitlines(keepends=True), [], 0
    for line in diff.splitlines(keepends=True)[2:]:
        if line.startswith("@@"):
            first, _, count = line.split()[1][1:].partition(",")
            begin = int(first) - (0 if count == "0" else 1)
            out += old[position:begin]
            position = begin
        elif line[0] == "+":
            out.append(line[1:])
        else:
            assert old[position] == line[1:]
            out += [line[1:]] if line[0] == " " else []
            position += 1
    return "".join(out + old[position:])


def test_a_diff_of_very_long_files_is_quick_and_short() -> None:
    many = "".join(f"line {n}\n" for n in range(400_000))
    change = tree.Change("f", Kind.CHANGED, many, many.replace("line 200000\n", "line x\n"))
    all_of_it = tree.Change("f", Kind.CHANGED, many, many.replace("line", "word"))

    assert change.diff().splitlines()[2:] == [
        "@@ -199998,7 +199998,7 @@",
        *(f" line {n}" for n in (199997, 199998, 199999)),
        "-line 200000",
        "+line x",
        *(f" line {n}" for n in (200001, 200002, 200003)),
    ]
    assert all_of_it.diff() == "--- a/f\n+++ b/f\n(about 400,000 lines differ)\n"
