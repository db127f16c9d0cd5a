"""The output folder: what differs from the artifacts, and how it is replaced as a whole.

A new tree is built beside the old one and the two change places in one system call, so that whoever looks, and
whenever obsgen is killed, sees one or the other. Unchanged files are linked into the new tree, not written again.

`.obsgen` in the folder lists the files that obsgen made. Only those are ever replaced or removed; everything else
in the folder moves along untouched.
"""

from __future__ import annotations

import ctypes
import difflib
import errno
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from obsgen.errors import OutputError

MANIFEST = ".obsgen"
_HEADER = "# Files that obsgen made from the catalog "
_NEW = ".obsgen-new-"
_NO_NEWLINE = "\\ No newline at end of file\n"
CONTEXT = 3
"""Lines around a difference."""
TOO_LONG = 20_000
"""Lines beyond which a diff is neither made nor read."""


class Kind(Enum):
    """What has to happen to a file."""

    MISSING = "missing"
    CHANGED = "changed"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Change:
    """A file that differs from the artifacts.

    Attributes:
        path: within the output folder.
        kind: how it differs.
        old: its text now; empty when it is missing.
        new: the text that it should have; empty when it is stale.
    """

    path: str
    kind: Kind
    old: str = ""
    new: str = ""

    def diff(self) -> str:
        """Return a unified diff from what is there to what should be."""
        old, new = self.old.splitlines(keepends=True), self.new.splitlines(keepends=True)
        # difflib takes minutes for files of some 100,000 lines, most of which are the same on both sides.
        head = _same(old, new)
        tail = _same(old[head:][::-1], new[head:][::-1])
        first, spare = max(0, head - CONTEXT), max(0, tail - CONTEXT)
        old, new = old[first : len(old) - spare], new[first : len(new) - spare]
        names = f"a/{self.path}", f"b/{self.path}"
        if max(len(old), len(new)) > TOO_LONG:
            return f"--- {names[0]}\n+++ {names[1]}\n(about {max(len(old), len(new)):,} lines differ)\n"
        lines = difflib.unified_diff(old, new, *names, n=CONTEXT)
        return "".join(_shifted(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}", first) for line in lines)


def _same(old: list[str], new: list[str]) -> int:
    """Return how many lines two texts begin with in common."""
    return next(
        (n for n, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new))
    )


def _shifted(line: str, lines: int) -> str:
    """Return a line of a diff of what begins some lines into its file, with the numbers in the file."""
    if not line.startswith("@@ "):
        return line
    return re.sub(r"([-+])(\d+)", lambda found: f"{found[1]}{int(found[2]) + lines}", line)


def manifest(catalog: str, artifacts: Mapping[str, str]) -> str:
    """Return the text of the manifest: the catalog's name and its files."""
    return f"{_HEADER}{catalog}.\n" + "".join(f"{path}\n" for path in sorted(artifacts))


def compare(folder: Path, catalog: str, artifacts: Mapping[str, str]) -> list[Change]:
    """Return what differs between the output folder and the artifacts, by path.

    Args:
        folder: the output folder; it need not exist.
        catalog: the catalog's name.
        artifacts: the text of every artifact, by its path.

    Raises:
        OutputError: the folder belongs to another catalog, an artifact's place is taken by a file that obsgen did
            not make, or it cannot be read.
    """
    owner, owned = _owned(folder)
    if owner is not None and owner != catalog:
        raise OutputError(
            f"{folder} holds the artifacts of the catalog {owner!r}, not of {catalog!r}\n"
            f"    name another folder with --output DIR, or delete {folder} if the catalog was renamed"
        )
    made = frozenset(owned)
    wanted = {**artifacts, MANIFEST: manifest(catalog, artifacts)}
    changes = [Change(path, Kind.STALE, _read(folder / path) or "") for path in owned if path not in wanted]
    foreign = []
    for path, text in wanted.items():
        old = _read(folder / path)
        if old is None:
            changes.append(Change(path, Kind.MISSING, new=text))
        elif old != text:
            changes.append(Change(path, Kind.CHANGED, old, text))
            if path not in made and path != MANIFEST:
                foreign.append(path)
    if foreign:
        listed = "\n".join(f"    {folder / path}" for path in foreign)
        raise OutputError(f"obsgen did not make these files, and will not overwrite them; move them away:\n{listed}")
    return sorted((c for c in changes if c.kind is not Kind.STALE or _exists(folder / c.path)), key=lambda c: c.path)


def _owned(folder: Path) -> tuple[str | None, list[str]]:
    """Return whose artifacts a folder holds and the paths of them."""
    text = _read(folder / MANIFEST)
    if text is None:
        return None, []
    head, *paths = text.splitlines() or [""]
    if not head.startswith(_HEADER) or any(path.startswith("/") or ".." in path.split("/") for path in paths):
        raise OutputError(f"{folder / MANIFEST} is not obsgen's list of files\n    restore it from version control")
    return head.removeprefix(_HEADER).removesuffix("."), [path for path in paths if path]


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise OutputError(f"cannot read {path}: {error.strerror}") from error


def write(folder: Path, catalog: str, artifacts: Mapping[str, str]) -> list[Change]:
    """Bring the output folder to the artifacts, all or nothing, and return what was done.

    Args:
        folder: the output folder; it is made if it is not there.
        catalog: the catalog's name.
        artifacts: the text of every artifact, by its path.

    Raises:
        OutputError: as of `compare`, or the folder cannot be replaced; it is as it was.
    """
    if not compare(folder, catalog, artifacts):
        return []
    target = folder.resolve()
    if Path.cwd().is_relative_to(target):
        raise OutputError(
            f"{folder} is where you are, or above it: the whole folder would be replaced\n"
            "    name a folder for the artifacts alone with --output DIR"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target.parent):
            _recover(target)
            changes = compare(folder, catalog, artifacts)  # again: another run may have been quicker
            new = Path(tempfile.mkdtemp(prefix=f"{_NEW}{target.name}-", dir=target.parent))
            try:
                _build(new, target, changes)
                _swap(new, target)
                _save_latecomers(old=new, new=target, changes=changes)
            finally:
                shutil.rmtree(new, ignore_errors=True)
    except OSError as error:
        raise OutputError(f"cannot replace {folder}: {error.strerror or error}; it is as it was") from error
    return changes


def _build(new: Path, old: Path, changes: list[Change]) -> None:
    """Fill the new tree: links to what stays, new files for what changes."""
    new.chmod(old.stat().st_mode & 0o7777 if old.exists() else 0o755)
    touched = {change.path for change in changes}
    for path in _files(old):
        relative = path.relative_to(old)
        if relative.as_posix() not in touched:
            _link(path, new / relative)
    # A folder that was empty before is somebody's; one that only stale files filled goes with them.
    for folder in (p for p in old.rglob("*") if p.is_dir() and not p.is_symlink() and not any(p.iterdir())):
        (new / folder.relative_to(old)).mkdir(parents=True, exist_ok=True)
    for change in changes:
        if change.kind is not Kind.STALE:
            path = new / change.path
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", encoding="utf-8", newline="\n") as file:
                file.write(change.new)


def _files(folder: Path) -> Iterator[Path]:
    for directory, folders, names in os.walk(folder):
        for name in names:
            yield Path(directory, name)
        # os.walk lists a link to a folder among the folders and does not follow it: it is one more file to keep.
        yield from (Path(directory, name) for name in folders if Path(directory, name).is_symlink())


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _swap(new: Path, old: Path) -> None:
    """Let two folders change places; afterwards `new` is the path of the old tree."""
    if not old.exists():
        new.rename(old)
        return
    if _exchange(new, old):
        return
    # Without the system call there is a moment without any folder; `_recover` mends what is killed in it.
    aside = new.with_name(f"{new.name}-old")
    old.rename(aside)
    try:
        new.rename(old)
    except OSError:
        aside.rename(old)
        raise
    aside.rename(new)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two paths in one system call; return False where the system has none."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            swapped = libc.renamex_np(os.fsencode(one), os.fsencode(other), ctypes.c_uint(2))  # RENAME_SWAP
        else:
            here = ctypes.c_int(-100)  # AT_FDCWD
            exchange = ctypes.c_uint(2)  # RENAME_EXCHANGE
            swapped = libc.renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange)
    except (AttributeError, OSError, TypeError):
        return False
    if swapped == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number))


def _save_latecomers(old: Path, new: Path, changes: list[Change]) -> None:
    """Move over what somebody else put into the old tree while the new one was built."""
    gone = {change.path for change in changes}
    if not old.exists():
        return
    for path in list(_files(old)):
        relative = path.relative_to(old)
        if relative.as_posix() not in gone and not _exists(new / relative):
            (new / relative).parent.mkdir(parents=True, exist_ok=True)
            path.rename(new / relative)


def _recover(target: Path) -> None:
    """Clear what an earlier run left when it was killed, and bring back a folder that it had moved aside."""
    for left in sorted(target.parent.glob(f"{_NEW}{target.name}-*"), reverse=True):
        if left.name.endswith("-old") and not target.exists():
            left.rename(target)
        else:
            shutil.rmtree(left)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Wait until no other obsgen writes below the folder, and keep others waiting."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
