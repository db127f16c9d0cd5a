"""What a person reads of changed files: a line or a diff for each, and a summary."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from obsgen.tree import Change, Kind

_DONE = {Kind.MISSING: "new", Kind.CHANGED: "changed", Kind.STALE: "removed"}
_COLOURS = {Kind.MISSING: "green", Kind.CHANGED: "yellow", Kind.STALE: "red"}


def print_changes(output: Path, changes: list[Change], *, check: bool) -> None:
    """Print a line for each change, and its diff where nothing was written."""
    for change in changes:
        word = change.kind.value if check else _DONE[change.kind]
        click.echo(f"{click.style(f'{word:<8}', fg=_COLOURS[change.kind])} {output / change.path}")
    if check:
        for change in changes:
            # A whole new or stale file says nothing that its name does not.
            if change.kind is Kind.CHANGED:
                click.echo()
                _print_diff(change.diff())
        if changes:
            click.echo()


def _print_diff(diff: str) -> None:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in diff.splitlines():
        click.secho(line, fg=None if line.startswith(("+++", "---")) else colours.get(line[:1]))


def summary(output: Path, changes: list[Change], *, total: int, check: bool) -> str:
    """Return one line on a run of `total` artifacts."""
    if not changes:
        return f"{output}: {total} files, all current"
    counts = Counter(change.kind for change in changes)
    words = {kind: kind.value if check else _DONE[kind] for kind in Kind}
    done = ", ".join(f"{counts[kind]} {words[kind]}" for kind in Kind if counts[kind])
    return f"{output}: {total} files, {done}" + ("; run `obsgen generate`" if check else "")
