"""Where obsgen writes there may be links, pipes, sockets and devices: nothing is replaced, followed or waited for."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from obsgen import swap
from obsgen.errors import OutputError
from obsgen.swap import write
from obsgen.tree import MANIFEST, check_place, compare
from tests.conftest import ROOT

FILES = {"a.yml": "one\n", "deep/b.json": "two\n"}
LEFT = f"{swap._NEW}out-abcd1234"
SECONDS = 60
"""What would wait for ever is killed then."""


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        # The path of a socket may have 108 bytes.
        short = os.path.relpath(path)
        server.bind(short if len(short) < len(str(path)) else str(path))


def make_device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")


def make_link_to_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("target"))
    path.symlink_to("target")


NODES: dict[str, tuple[Callable[[Path], None], str]] = {
    "pipe": (os.mkfifo, "a named pipe"),
    "socket": (make_socket, "a socket"),
    "device": (make_device, "a device"),
    "file": (Path.touch, "a file"),
    "link": (make_link_to_pipe, "a named pipe"),
    "dangling": (lambda path: path.symlink_to("nothing"), "a link to nothing"),
}


def picture(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Return what is in a folder, and whether it is still the same: inode, mode, time."""
    return {
        str(path.relative_to(folder)): ((found := path.lstat()).st_ino, found.st_mode, found.st_mtime_ns)
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("more", [(), ("--check",), ("--format", "json")], ids=["write", "check", "json"])
def test_generate_refuses_what_is_no_folder_before_anything_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, more: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    make, words = NODES[kind]
    make(tmp_path / "out")
    # Definitions that would leave a trace if they were loaded.
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions/a.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'w')\n")
    before = picture(tmp_path)

    command = [sys.executable, "-c", "from obsgen.cli import main; main()", "generate", "-o", "out", *more]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, env=environment)

    assert ended.returncode == 2
    told = json.loads(ended.stdout)["error"] if more[:1] == ("--format",) else ended.stderr
    assert f"out is {words}, and the artifacts need a folder: nothing was changed" in told
    assert "name a folder, or a path where nothing is, with --output DIR" in told
    assert picture(tmp_path) == before


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("work", [write, compare])
@pytest.mark.parametrize("below", ["", "more/artifacts"], ids=["itself", "above"])
def test_the_output_folder_and_what_is_above_it_have_to_be_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, work: Callable[..., object], below: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make, words = NODES[kind]
    make(tmp_path / "out")
    before = picture(tmp_path)

    with pytest.raises(OutputError, match=f"out is {words}, and the artifacts need a folder"):
        work(tmp_path / "out" / below, "mine", FILES)

    assert picture(tmp_path) == before


def test_a_link_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("out")

    with pytest.raises(OutputError, match=r"cannot read .*out: "):
        check_place(tmp_path / "out")


@pytest.mark.parametrize("name", [LEFT, f"{LEFT}-old"])
@pytest.mark.parametrize("there", [True, False], ids=["output", "no-output"])
def test_a_link_named_like_a_leftover_is_not_followed(tmp_path: Path, name: str, there: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o750)
    (elsewhere / "precious").write_text("theirs")
    (elsewhere / "sub").mkdir(mode=0o755)
    (tmp_path / name).symlink_to("elsewhere")
    if there:
        (tmp_path / "out").mkdir()
    before = picture(elsewhere), elsewhere.stat().st_mode

    write(tmp_path / "out", "mine", FILES)

    assert (picture(elsewhere), elsewhere.stat().st_mode) == before
    assert not (tmp_path / "out").is_symlink()
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"a.yml", "deep", MANIFEST}
    assert (tmp_path / name).is_symlink()


@pytest.mark.parametrize("kind", NODES)
def test_what_is_named_like_a_leftover_and_is_no_folder_stays_and_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    NODES[kind][0](tmp_path / LEFT)
    program = (
        "import sys; from pathlib import Path; from obsgen.swap import write; write(Path('out'), 'mine', {'a': ''})"
    )

    for _ in range(2):
        subprocess.run(
            [sys.executable, "-c", program], check=True, timeout=SECONDS, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        (tmp_path / "out/a").write_text("changed")

    assert os.path.lexists(tmp_path / LEFT)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [MANIFEST, "a"]


def test_what_a_killed_run_left_is_not_moved_through_a_link(tmp_path: Path) -> None:
    write(tmp_path / "out", "mine", FILES)
    (tmp_path / LEFT / "sub").mkdir(parents=True)
    (tmp_path / LEFT / "sub/late").write_text("late")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/sub").symlink_to("../elsewhere")

    with pytest.raises(OutputError, match=rf"out/sub is a link to elsewhere; an earlier run left .*{LEFT}/sub/late"):
        write(tmp_path / "out", "mine", {"a.yml": "other\n"})

    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert (tmp_path / LEFT / "sub/late").read_text() == "late"
    (tmp_path / "out/sub").unlink()
    write(tmp_path / "out", "mine", {"a.yml": "other\n"})
    assert (tmp_path / "out/sub/late").read_text() == "late"


def test_a_link_that_becomes_a_folder_meanwhile_leads_nothing_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write(out, "mine", FILES)
    (tmp_path / "elsewhere").mkdir()
    (out / "sub").symlink_to("../elsewhere")
    exchange = swap._swap

    def late(new: Path, old: Path) -> None:
        (out / "sub").unlink()
        (out / "sub").mkdir()
        (out / "sub/late").write_text("late")
        exchange(new, old)

    monkeypatch.setattr(swap, "_swap", late)
    write(out, "mine", {"a.yml": "other\n"})

    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert not (out / "sub").is_symlink()
    assert (out / "sub/late").read_text() == "late"


@pytest.mark.parametrize("kind", NODES)
def test_what_is_no_file_inside_is_kept_or_refused_and_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "out"
    write(out, "mine", FILES)
    NODES[kind][0](out / "x")
    inode = (out / "x").lstat().st_ino

    write(out, "mine", {"a.yml": "other\n"})
    assert (out / "x").lstat().st_ino == inode

    def unable(*_: object, **__: object) -> None:
        raise OSError

    # Some systems do not link what is no file.
    monkeypatch.setattr(os, "link", unable)
    if kind in ("file", "link", "dangling"):
        (out / "target").unlink(missing_ok=True)  # a pipe itself
        write(out, "mine", FILES)
        assert os.path.lexists(out / "x")
    else:
        with pytest.raises(OutputError, match=f"x is {NODES[kind][1]}, which cannot be kept; move it away"):
            write(out, "mine", FILES)
        assert (out / "x").lstat().st_ino == inode


def test_a_link_in_the_place_of_an_artifact_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, "mine", FILES)
    (tmp_path / "theirs").write_text("theirs")
    (out / "a.yml").unlink()
    (out / "a.yml").symlink_to("../theirs")

    write(out, "mine", FILES)

    assert (tmp_path / "theirs").read_text() == "theirs"
    assert not (out / "a.yml").is_symlink()
    assert (out / "a.yml").read_text() == "one\n"


@pytest.mark.parametrize("work", [write, compare])
def test_a_linked_folder_with_stale_files_is_not_read_through(tmp_path: Path, work: Callable[..., object]) -> None:
    out = tmp_path / "out"
    write(out, "mine", FILES)
    (out / "deep").rename(tmp_path / "elsewhere")
    (out / "deep").symlink_to("../elsewhere")

    with pytest.raises(OutputError, match=r"out/deep is a link to elsewhere.*\n    delete the link"):
        work(out, "mine", {"a.yml": "one\n"})

    assert (tmp_path / "elsewhere/b.json").read_text() == "two\n"
