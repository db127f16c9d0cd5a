"""Tables and lines on standard output, progress on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

_BEGUN = time.monotonic()


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under a heading, the first column to the left and all others to the right."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def say(text: str) -> None:
    """Print at once: what follows may take a while."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def progress(text: str) -> None:
    """Tell what is being done, and how long after the start."""
    sys.stderr.write(f"{time.monotonic() - _BEGUN:6.1f} s  {text}\n")
    sys.stderr.flush()
