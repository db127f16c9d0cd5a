"""Files that obsgen writes beside the output: backups, and what was pulled.

A repository may hold a link, or a pipe, where obsgen writes. No link in the working folder is followed, and only files
are written to.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Literal, TextIO

from obsgen.tree import node

PUBLIC, PRIVATE = 0o666, 0o600
"""Modes of new files, before the umask: for everybody, and for oneself."""
_CAREFUL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def make_folder(path: Path) -> None:
    """Make a folder that only its owner may enter, and those above it, unless they are there.

    Raises:
        OSError: it cannot be made, or there is a link on the way; `strerror` says which.
    """
    _check_way(path)
    if path.exists() and not path.is_dir():
        raise _refused(path, path.stat().st_mode)
    path.mkdir(0o700, parents=True, exist_ok=True)


def open_file(path: Path, how: Literal["w", "a"], mode: int = PUBLIC) -> TextIO:
    """Open a file to write to, and make its folder unless that is there.

    Args:
        path: the file.
        how: `w` or `a`.
        mode: of the file, if it is made.

    Raises:
        OSError: it cannot be opened, is no file, or there is a link on the way; `strerror` says why.
    """
    _check_way(path)
    if path.exists() and not path.is_file():
        raise _refused(path, path.stat().st_mode)
    path.parent.mkdir(parents=True, exist_ok=True)

    def opener(name: str, flags: int) -> int:
        # Somebody may be quicker than the look above.
        handle = os.open(name, flags | _CAREFUL, mode)
        found = os.fstat(handle).st_mode
        if not stat.S_ISREG(found):
            os.close(handle)
            raise _refused(path, found)
        return handle

    return open(path, how, encoding="utf-8", errors="surrogatepass", opener=opener)


def file_name(uid: str) -> str:
    """Return the name of a file for a uid, whatever is in that: it names no other folder."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in uid)


def _check_way(path: Path) -> None:
    """Refuse a path that is a link, or leads through one in the working folder; further up they are the system's."""
    here = Path.cwd()
    for place in (path, *path.parents):
        above = Path(os.path.abspath(place))
        inside = above != here and above.is_relative_to(here)
        if (inside or place == path) and place.is_symlink():
            raise _refused(place, place.lstat().st_mode)


def _refused(path: Path, mode: int) -> OSError:
    why = "which is not followed" if stat.S_ISLNK(mode) else "which is not written to"
    return OSError(errno.EINVAL, f"{path} is {node(mode)}, {why}")
