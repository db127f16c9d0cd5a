"""The command line: parse, call, print, exit.

Exit codes: 0 clean, 1 problems or differences found, 2 obsgen or something that it talks to failed.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from obsgen.errors import EXIT_CLEAN, EXIT_FAILED, EXIT_PROBLEMS, DefinitionsRejected, ObsgenError, Problem
from obsgen.progress import Progress

if TYPE_CHECKING:
    from obsgen.model.catalog import Catalog

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Group(click.Group):
    """Turns obsgen's errors into a message and an exit code; everything else is a bug and keeps its traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except DefinitionsRejected as error:
            _print_problems(error.problems)
            ctx.exit(EXIT_PROBLEMS)
        except ObsgenError as error:
            click.secho(f"obsgen: {error}", err=True, fg="red")
            ctx.exit(EXIT_FAILED)


@click.group(cls=_Group, context_settings=CONTEXT)
@click.version_option(package_name="obsgen")
def main() -> None:
    r"""Compile a metric catalog into dashboards, rules and docs.

    \b
    Example:
      obsgen generate            write generated/ from definitions/
      obsgen generate --check    show what would change, and exit 1 if anything would
    """


@main.command()
@click.option(
    "--definitions",
    "-d",
    type=click.Path(path_type=Path),
    default=Path("definitions"),
    show_default=True,
    help="Folder with the definition files.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("generated"),
    show_default=True,
    help="Folder for the artifacts.",
)
@click.option("--check", is_flag=True, help="Write nothing; show what is missing, changed or stale.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to report: for people or for machines.",
)
def generate(definitions: Path, output: Path, check: bool, form: str) -> None:
    r"""Write dashboards, rules, docs and catalog.json.

    Only what changed is written, all of it or nothing. Files in the output folder that obsgen did not make are
    left alone. Exit codes: 0 done, 1 the definitions have problems or (with --check) the artifacts are not
    current, 2 failed.

    \b
    Example:
      obsgen generate --definitions definitions/ --output generated/
      obsgen generate --check --format json
    """
    from obsgen.artifacts import artifacts
    from obsgen.tree import MANIFEST, compare, write

    # A catalog lives until the end of the run: looking for garbage in it takes longer the larger it is.
    gc.disable()
    with Progress() as progress:
        try:
            catalog = _catalog(definitions, progress)
        except DefinitionsRejected as error:
            if form == "json":
                click.echo(json.dumps({"problems": [p.as_json() for p in error.problems], "changes": []}, indent=2))
                sys.exit(EXIT_PROBLEMS)
            raise
        files = artifacts(catalog, progress.step)
        progress.step("comparing")
        changes = compare(output, catalog.project.name, files)
        if changes and not check:
            progress.step("writing")
            write(output, changes)
    shown = [change for change in changes if change.path != MANIFEST] or changes
    if form == "json":
        listed = [{"path": change.path, "kind": change.kind.value} for change in shown]
        click.echo(json.dumps({"problems": [], "changes": listed}, indent=2))
    else:
        from obsgen.report import print_changes, summary

        print_changes(output, shown, check=check)
        click.echo(summary(output, shown, total=len(files), check=check))
    sys.exit(EXIT_PROBLEMS if check and changes else EXIT_CLEAN)


def _catalog(definitions: Path, progress: Progress) -> Catalog:
    """Return the expanded catalog of a folder of definitions; raise `DefinitionsRejected` with all its problems."""
    from obsgen.checks import check
    from obsgen.expand import expand
    from obsgen.load import load

    progress.step("loading definitions")
    loaded = load(definitions)
    problems: list[Problem] = list(loaded.problems)
    if loaded.catalog is not None:
        expanded = expand(loaded.catalog)
        progress.step("checking")
        problems += check(expanded, whole=not problems)
    if problems or loaded.catalog is None:
        raise DefinitionsRejected(sorted(problems, key=lambda p: (p.at is None, p.at, p.check, p.message)))
    return expanded


def _print_problems(problems: list[Problem]) -> None:
    for problem in problems:
        click.echo(str(problem), err=True)
    many = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    click.secho(f"{many}; nothing was written", err=True, fg="red")
