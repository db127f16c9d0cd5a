"""The command line: parse, call, print, exit.

Exit codes: 0 clean, 1 problems or differences found, 2 obsgen or something that it talks to failed.
"""

from __future__ import annotations

import gc
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click

from obsgen.errors import EXIT_CLEAN, EXIT_FAILED, EXIT_PROBLEMS, DefinitionsRejected, ObsgenError, Problem
from obsgen.progress import Progress

if TYPE_CHECKING:
    from obsgen.model.catalog import Catalog
    from obsgen.tree import Change

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT)
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
    from obsgen.report import JsonReport, TextReport

    # A catalog lives until the end of the run: looking for garbage in it takes longer the larger it is.
    gc.disable()
    report = JsonReport() if form == "json" else TextReport(output, check=check)
    try:
        with Progress() as progress:
            changes, total = _generate(definitions, output, check, progress)
    except DefinitionsRejected as error:
        report.rejected(error.problems)
        sys.exit(EXIT_PROBLEMS)
    except ObsgenError as error:
        report.failed(error)
        sys.exit(EXIT_FAILED)
    except Exception as error:  # a mistake of obsgen's: say so, and keep its traceback for the report
        traceback.print_exc()
        report.failed(ObsgenError(f"this is a bug of obsgen: {error!r}"))
        sys.exit(EXIT_FAILED)
    report.done(changes, total)
    sys.exit(EXIT_PROBLEMS if check and changes else EXIT_CLEAN)


def _generate(definitions: Path, output: Path, check: bool, progress: Progress) -> tuple[list[Change], int]:
    """Return what differs, written unless `check` is set, and the number of artifacts."""
    from obsgen.artifacts import artifacts
    from obsgen.swap import write
    from obsgen.tree import compare

    catalog = _catalog(definitions, progress)
    files = artifacts(catalog, progress.step)
    progress.step("comparing" if check else "writing")
    changes = (compare if check else write)(output, catalog.project.name, files)
    return changes, len(files)


def _catalog(definitions: Path, progress: Progress) -> Catalog:
    """Return the expanded catalog of a folder of definitions.

    Raises:
        DefinitionsRejected: it has problems.
    """
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
