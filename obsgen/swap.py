"""Replacing the output folder as a whole.

A new tree is built beside the old one and the two change places in one system call, so that whoever looks, and
whenever obsgen is killed, sees one or the other. What stays as it is, is linked into the new tree and not written
again; what somebody else does in the old tree meanwhile is repeated in the new one.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from obsgen.errors import OutputError
from obsgen.tree import MANIFEST, Change, Kind, compare, exists, is_folder, node, owned

_NEW = ".obsgen-new-"
_UNFINISHED = ".obsgen-unfinished"
"""Stands in a new tree until it is complete: what a killed run leaves with it is half a tree."""


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
    for mount in _mounts():
        if mount.is_relative_to(target):
            raise OutputError(
                f"{mount} is a mount, and {folder} cannot be replaced with it inside\n"
                "    name a folder without mounts with --output DIR"
            )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target.parent):
            _recover(target)
            changes = compare(folder, catalog, artifacts)  # again: another run may have been quicker
            new = Path(tempfile.mkdtemp(prefix=f"{_NEW}{target.name}-", dir=target.parent))
            try:
                (new / _UNFINISHED).touch()
                kept = _build(new, target, changes)
                (new / _UNFINISHED).unlink()
                _swap(new, target)
                _save_latecomers(new, target, kept, {change.path for change in changes})
            finally:
                _remove(new)
    except OSError as error:
        raise OutputError(f"cannot replace {folder}: {error.strerror or error}; it is as it was") from error
    return changes


def _mounts() -> Iterator[Path]:
    """Yield where file systems are mounted; a bind mount shows nowhere else. Linux only."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        yield Path(re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), line.split()[4]))


def _build(new: Path, old: Path, changes: list[Change]) -> dict[str, Stamp]:
    """Fill the new tree with links to what stays and files for what changes; return what stays, as it was."""
    touched = {change.path for change in changes}
    kept = {}
    for path in _files(old):
        relative = path.relative_to(old)
        if relative.as_posix() not in touched:
            kept[relative.as_posix()] = _stamp(path)
            _link(path, new / relative)
    # A folder that was empty before is somebody's; one that only stale files filled goes with them.
    for folder in (p for p in old.rglob("*") if is_folder(p) and not any(p.iterdir())):
        (new / folder.relative_to(old)).mkdir(parents=True, exist_ok=True)
    for change in changes:
        if change.kind is not Kind.STALE:
            path = new / change.path
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", encoding="utf-8", newline="\n") as file:
                file.write(change.new)
    _copy_modes(old, new)
    return kept


def _copy_modes(old: Path, new: Path) -> None:
    """Give the folders of the new tree the modes and owners of the old ones."""
    if not old.exists():
        umask = os.umask(0)
        os.umask(umask)
        new.chmod(0o777 & ~umask)
        return
    for directory, _, _ in os.walk(new, topdown=False):
        before = old / Path(directory).relative_to(new)
        if before.is_dir():
            wanted, given = before.stat(), Path(directory).stat()
            if (wanted.st_uid, wanted.st_gid) != (given.st_uid, given.st_gid):
                with suppress(PermissionError):
                    os.chown(directory, wanted.st_uid, wanted.st_gid)
            Path(directory).chmod(wanted.st_mode & 0o7777)


Stamp = tuple[int, int, int]


def _stamp(path: Path) -> Stamp:
    """Return what changes whenever somebody saves a file: its inode, time and size."""
    found = path.lstat()
    return found.st_ino, found.st_mtime_ns, found.st_size


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
        mode = source.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            # To read it may wait, or never end.
            raise OSError(errno.EINVAL, f"{source} is {node(mode)}, which cannot be kept; move it away") from None
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


def _save_latecomers(old: Path, new: Path, kept: Mapping[str, Stamp], ours: Collection[str]) -> None:
    """Repeat in the new tree what somebody else did in the old one while the new one was built.

    Args:
        old: the old tree.
        new: the new tree.
        kept: the files that were taken over, as they were then.
        ours: the files that this run replaced or removed.

    Raises:
        OutputError: a folder on the way to one of the files is a link in the new tree.
    """
    if not old.exists():
        return
    found = {path.relative_to(old).as_posix(): path for path in _files(old)}
    # First what is gone: a link that somebody has replaced by a folder must not lead elsewhere what is in it now.
    for relative in kept.keys() - found.keys():
        (new / relative).unlink(missing_ok=True)
    for relative, path in found.items():
        saved_since = relative in kept and _stamp(path) != kept[relative]
        if saved_since or (relative not in kept and relative not in ours and not exists(new / relative)):
            _check_way(new, relative, path)
            (new / relative).parent.mkdir(parents=True, exist_ok=True)
            path.replace(new / relative)


def _check_way(folder: Path, relative: str, saved: Path) -> None:
    """Refuse to move a file through a link: it would be out of the output folder."""
    for parent in Path(relative).parents:
        if (folder / parent).is_symlink() and parent != Path():
            raise OutputError(
                f"{folder / parent} is a link to elsewhere; an earlier run left {saved}, which belongs there\n"
                "    move that file to where you want it, or delete it"
            )


def _recover(target: Path) -> None:
    """Clear what an earlier run left when it was killed, and bring back a folder that it had moved aside."""
    name = re.compile(re.escape(f"{_NEW}{target.name}-") + r"[a-z0-9_]{8}(-old)?")
    # obsgen makes folders only: a link or a pipe of such a name is somebody else's, and leads who knows where.
    lefts = [path for path in target.parent.iterdir() if name.fullmatch(path.name) and is_folder(path)]
    for left in sorted(lefts, reverse=True):
        if left.name.endswith("-old") and not target.exists():
            left.rename(target)
            continue
        if target.exists() and not (left / _UNFINISHED).exists():
            # An old tree: what is in it and in no list of obsgen's came too late to be saved.
            _save_latecomers(left, target, {}, {*owned(left)[1], *owned(target)[1], MANIFEST})
        _remove(left)


def _remove(folder: Path) -> None:
    """Remove a tree that nobody needs, folders without write permission included; nothing but a folder."""
    if not is_folder(folder):
        return
    for directory, _, _ in os.walk(folder):
        with suppress(OSError):
            Path(directory).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Wait until no other obsgen writes below the folder, and keep others waiting."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock
        yield
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
