"""The output folder: whose it is, and what differs from the artifacts.

`.obsgen` in the folder lists the files that obsgen made. Only those are ever replaced or removed; everything else
in the folder stays as it is.
"""

from __future__ import annotations

import difflib
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

from obsgen.errors import OutputError

MANIFEST = ".obsgen"
_HEADER = "# Files that obsgen made from the catalog "
_NO_NEWLINE = "\\ No newline at end of file\n"
_NODES = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
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
        OutputError: as of `check_place`, the folder belongs to another catalog, an artifact's place is taken by a
            file that obsgen did not make, or it cannot be read.
    """
    check_place(folder)
    owner, listed_files = owned(folder)
    if owner is not None and owner != catalog:
        raise OutputError(
            f"{folder} holds the artifacts of the catalog {owner!r}, not of {catalog!r}\n"
            f"    name another folder with --output DIR, or delete {folder} if the catalog was renamed"
        )
    made = frozenset(listed_files)
    wanted = {**artifacts, MANIFEST: manifest(catalog, artifacts)}
    for parent in {parent for path in (*wanted, *made) for parent in PurePosixPath(path).parents}:
        if str(parent) != "." and (folder / parent).is_symlink():
            raise OutputError(
                f"{folder / parent} is a link to elsewhere; obsgen writes into its own folder only\n"
                "    delete the link, or put a folder in its place"
            )
    changes = [Change(path, Kind.STALE, _read(folder / path) or "") for path in listed_files if path not in wanted]
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
    return sorted((c for c in changes if c.kind is not Kind.STALE or exists(folder / c.path)), key=lambda c: c.path)


def check_place(folder: Path) -> None:
    """Refuse an output folder that is something else: only a folder, or nothing, may be replaced.

    Raises:
        OutputError: the path, or one above it, is a file, a device, a socket, a named pipe or a link to nothing, or
            cannot be read.
    """
    for place in (folder, *folder.parents):
        try:
            mode = place.stat().st_mode
            found = "" if stat.S_ISDIR(mode) else node(mode)
        except (FileNotFoundError, NotADirectoryError):
            if not place.is_symlink():
                continue  # something above may be a file
            found = "a link to nothing"
        except OSError as error:
            raise OutputError(f"cannot read {place}: {error.strerror}") from error
        if found:
            raise OutputError(
                f"{place} is {found}, and the artifacts need a folder: nothing was changed\n"
                "    name a folder, or a path where nothing is, with --output DIR"
            )
        return


def owned(folder: Path) -> tuple[str | None, list[str]]:
    """Return whose artifacts a folder holds and the paths of them."""
    text = _read(folder / MANIFEST)
    if text is None:
        return None, []
    head, *paths = text.splitlines() or [""]
    if not head.startswith(_HEADER) or any(path.startswith("/") or ".." in path.split("/") for path in paths):
        raise OutputError(f"{folder / MANIFEST} is not obsgen's list of files\n    restore it from version control")
    return head.removeprefix(_HEADER).removesuffix("."), [path for path in paths if path]


def exists(path: Path) -> bool:
    """Return whether there is anything at a path, a broken link included."""
    return path.is_symlink() or path.exists()


def node(mode: int) -> str:
    """Return in words what is at a path, by its mode: a file, a device."""
    return _NODES.get(stat.S_IFMT(mode), "no file")


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder itself, and no link to one."""
    return path.is_dir() and not path.is_symlink()


def _read(path: Path) -> str | None:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise OutputError(f"cannot read {path}: it is not a file; move it away")
        return path.read_bytes().decode("utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise OutputError(f"cannot read {path}: {error.strerror}") from error
