"""What obsgen is doing, for whoever waits longer than a second."""

from __future__ import annotations

import sys
import time
from types import TracebackType

PATIENCE = 1.0
"""Seconds before anything is shown."""

PAUSE = 0.1
"""Seconds between two counts of the same step."""

WIDTH = 24
"""Characters of the bar."""


class Progress:
    """Shows the current step on standard error once a run takes long: in place on a terminal, else a line a step."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._shown = False
        self._said = 0.0
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._shown and self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def step(self, name: str, done: int = 0, total: int = 0) -> None:
        """Say what is being done, and how much of it is done where that is known."""
        elapsed = time.monotonic() - self._started
        if elapsed < PATIENCE or (done and elapsed - self._said < PAUSE):
            return
        self._said = elapsed
        text = f"{elapsed:4.0f} s  {name}"
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{text}{f' {_bar(done, total)} {done}/{total}' if total else ''}")
        elif not done:
            sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
        self._shown = True


def _bar(done: int, total: int) -> str:
    full = WIDTH * done // total
    return f"[{'#' * full}{'.' * (WIDTH - full)}]"
