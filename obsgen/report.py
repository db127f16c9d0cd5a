"""What a run says: to a person in lines, to a machine as one JSON document. Here of all commands, and of `generate`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import click

from obsgen.errors import ObsgenError, Problem
from obsgen.secrets import data_redacted, redacted
from obsgen.style import harmless
from obsgen.tree import MANIFEST, Change, Kind

_DONE = {Kind.MISSING: "new", Kind.CHANGED: "changed", Kind.STALE: "removed"}
_COLOURS = {Kind.MISSING: "green", Kind.CHANGED: "yellow", Kind.STALE: "red"}


def _shown(changes: list[Change]) -> list[Change]:
    """Return the changes without that of the manifest, which follows from the others."""
    return [change for change in changes if change.path != MANIFEST] or changes


def say(text: str = "", *, fg: str | None = None, err: bool = False, end: bool = True) -> None:
    """Print a text for people, without secrets, and without what does something to their terminal.

    Args:
        text: one line or several.
        fg: its colour.
        err: whether it goes to standard error.
        end: whether the line ends with it.
    """
    shown = harmless(redacted(text))
    click.echo(click.style(shown, fg=fg) if fg else shown, err=err, nl=end)


class Lines:
    """For people: what stopped a run.

    Args:
        undone: what a run that was stopped has not done.
    """

    def __init__(self, undone: str = "nothing was written") -> None:
        self.undone = undone

    def rejected(self, problems: list[Problem]) -> None:
        """Print the problems of the definitions."""
        for problem in problems:
            say(str(problem), err=True)
        many = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        say(f"{many}; {self.undone}", err=True, fg="red")

    def failed(self, error: ObsgenError) -> None:
        """Print why the run could not go on."""
        say(f"obsgen: {error}", err=True, fg="red")


class Document:
    """For machines: one JSON document, with `problems` and `error` in any case.

    Args:
        empty: what else it has in any case, as it is when the run was stopped.
    """

    def __init__(self, **empty: object) -> None:
        self.empty = empty

    def rejected(self, problems: list[Problem]) -> None:
        """Print the problems of the definitions."""
        self.print(problems=[problem.as_json() for problem in problems])

    def failed(self, error: ObsgenError) -> None:
        """Print why the run could not go on."""
        self.print(error=str(error))

    def print(self, **said: object) -> None:
        """Print the document."""
        document = {"problems": [], **self.empty, "error": None, **said}
        click.echo(json.dumps(data_redacted(document, keys=False), indent=2))


class TextReport(Lines):
    """Of `generate`, for people.

    Args:
        output: the output folder, as it was named.
        check: whether nothing was written.
    """

    def __init__(self, output: Path, *, check: bool) -> None:
        super().__init__()
        self.output = output
        self.check = check
        self.words = {kind: kind.value if check else _DONE[kind] for kind in Kind}

    def done(self, changes: list[Change], total: int) -> None:
        """Print a line for each change, its diff where nothing was written, and a summary."""
        shown = _shown(changes)
        for change in shown:
            click.echo(f"{click.style(f'{self.words[change.kind]:<8}', fg=_COLOURS[change.kind])} {self._path(change)}")
        # A whole new or stale file says nothing that its name does not.
        for change in shown if self.check else ():
            if change.kind is Kind.CHANGED:
                click.echo()
                _print_diff(change.diff())
        click.echo(("\n" if self.check and shown else "") + self._summary(shown, total))

    def _path(self, change: Change) -> Path:
        return self.output / change.path

    def _summary(self, changes: list[Change], total: int) -> str:
        if not changes:
            return f"{self.output}: {total} files, all current"
        counts = Counter(change.kind for change in changes)
        done = ", ".join(f"{counts[kind]} {self.words[kind]}" for kind in Kind if counts[kind])
        return f"{self.output}: {total} files, {done}" + ("; run `obsgen generate`" if self.check else "")


def _print_diff(diff: str) -> None:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in diff.splitlines():
        click.secho(line, fg=None if line.startswith(("+++", "---")) else colours.get(line[:1]))


class JsonReport(Document):
    """Of `generate`, for machines: `problems`, `changes` and `error`."""

    def __init__(self) -> None:
        super().__init__(changes=[])

    def done(self, changes: list[Change], total: int) -> None:
        """Print the changes."""
        listed = [{"path": change.path, "kind": change.kind.value} for change in _shown(changes)]
        self.print(changes=listed, files=total)
