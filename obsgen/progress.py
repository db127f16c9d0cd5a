"""What obsgen is doing, for whoever waits longer than a second."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from obsgen.secrets import redacted
from obsgen.style import printable

PATIENCE = 1.0
"""Seconds before anything is shown."""

PAUSE = 0.1
"""Seconds between two counts of the same step."""

WIDTH = 24
"""Characters of the bar."""


class Progress:
    """Shows the current step on standard error once a run takes long, if that is a terminal."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._shown = False
        self._said = 0.0
        self._terminal = sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def step(self, name: str, done: int = 0, total: int = 0) -> None:
        """Say what is being done, and how much of it is done where that is known."""
        elapsed = time.monotonic() - self._started
        if not self._terminal or elapsed < PATIENCE or (done and elapsed - self._said < PAUSE):
            return
        self._said = elapsed
        count = f" {_bar(done, total)} {done}/{total}" if total else ""
        sys.stderr.write(f"\r\x1b[K{elapsed:4.0f} s  {printable(redacted(name))}{count}")
        sys.stderr.flush()
        self._shown = True


def _bar(done: int, total: int) -> str:
    full = WIDTH * done // total
    return f"[{'#' * full}{'.' * (WIDTH - full)}]"
