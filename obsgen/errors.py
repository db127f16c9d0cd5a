"""What can go wrong, as values and as exceptions.

A mistake in the definitions is a `Problem`: what is wrong, where, and what to do. Problems are collected and
reported together. An exception ends the run:

    ObsgenError                 the run cannot go on (exit code 2)
    ├── DefinitionError         a definition that cannot even be built; the loader turns it into a Problem
    ├── DefinitionsRejected     the problems of a whole run, after all of them were found (exit code 1)
    └── OutputError             the output folder cannot be read or replaced
"""

from __future__ import annotations

import dataclasses
import os
import sys
from dataclasses import dataclass
from pathlib import Path

DATACLASSES = dataclasses.__file__
"""Where `replace` is: a definition made from another has the line that called it."""
PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep

EXIT_CLEAN = 0
"""Nothing to report."""
EXIT_PROBLEMS = 1
"""The definitions have problems, or the artifacts differ from them."""
EXIT_FAILED = 2
"""obsgen itself, or something it talks to, failed."""


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A line of a definition file."""

    file: str
    line: int

    @property
    def name(self) -> str:
        """The name of the file, without its folder."""
        return Path(self.file).name

    def __str__(self) -> str:
        """Return `file:line`, relative to the working directory where that is shorter."""
        relative = os.path.relpath(self.file)
        return f"{self.file if relative.startswith('..') else relative}:{self.line}"


def here() -> Location:
    """Return the line of the nearest caller outside of obsgen: the line of a definition."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        name = frame.f_code.co_filename
        # A dataclass's generated __init__ has no file of its own.
        if not name.startswith(PACKAGE) and name[0] != "<" and name != DATACLASSES:
            break
        frame = frame.f_back
    return Location(frame.f_code.co_filename, frame.f_lineno)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the definitions.

    Attributes:
        check: id of the check that found it, for example `rate-of-gauge`.
        message: what is wrong, with the guilty value.
        at: the line to look at; None when the mistake has no line (an empty folder).
        hint: what to do about it.
    """

    check: str
    message: str
    at: Location | None = None
    hint: str = ""

    def __str__(self) -> str:
        """Return the problem as a person reads it: one line, and the way out below it."""
        where = f"{self.at}: " if self.at else ""
        hint = f"\n    {self.hint}" if self.hint else ""
        return f"{where}{self.message} [{self.check}]{hint}"

    def as_json(self) -> dict[str, str | int]:
        """Return the problem for machines."""
        place: dict[str, str | int] = {"file": str(Path(self.at.file)), "line": self.at.line} if self.at else {}
        return {"check": self.check, "message": self.message, "hint": self.hint, **place}


class ObsgenError(Exception):
    """The run cannot go on; the text is for the person at the terminal."""


class DefinitionError(ObsgenError):
    """A definition that cannot be built, found at the line that builds it.

    Args:
        message: what is wrong, with the guilty value.
        hint: what to do about it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        self.at = here()
        super().__init__(f"{self.at}: {message}" + (f"\n    {hint}" if hint else ""))


class DefinitionsRejected(ObsgenError):  # noqa: N818  # what happened, not what failed
    """The definitions have problems; `problems` holds all that were found, in the order of the files."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class OutputError(ObsgenError):
    """The output folder cannot be read, or cannot be replaced as a whole."""
