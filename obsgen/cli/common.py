"""What all commands share: how they report, and how they end."""

from __future__ import annotations

import errno
import gc
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TextIO, TypeVar

import click

from obsgen.errors import EXIT_FAILED, EXIT_PROBLEMS, DefinitionsRejected, ObsgenError, Problem
from obsgen.progress import Progress
from obsgen.secrets import redacted
from obsgen.style import harmless

if TYPE_CHECKING:
    from obsgen.model.catalog import Catalog

T = TypeVar("T")
EXIT_UNREAD = 141
"""The reader of a pipe left before the end: what a shell tells of a command that the broken pipe ended."""
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


definitions_option = click.option(
    "--definitions",
    "-d",
    type=click.Path(path_type=Path),
    default=Path("definitions"),
    show_default=True,
    help="Folder with the definition files.",
)
prometheus_option = click.option("--prometheus", "url", metavar="URL", help="A running Prometheus.")


class Command(click.Command):
    r"""A command whose docstring is its help; what follows a line with \b keeps its lines."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # A docstring with a backslash has to be raw, and then has two characters for click's one.
        self.help = (self.help or "").replace("\\b\n", "\b\n")


class Group(Command, click.Group):
    """A command with commands of its own."""

    command_class = Command


class Root(Group):
    """The command of all commands: one message, and no traceback, where standard output takes nothing."""

    def make_context(self, *arguments: Any, **named: Any) -> click.Context:
        """Parse, and print help and version."""
        with _heard():
            return super().make_context(*arguments, **named)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _heard():
            return super().invoke(ctx)


@contextmanager
def _heard() -> Iterator[None]:
    """Exit as a shell's tools do when a stream cannot be written: 141 when its reader left, else with a message."""
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        for stream in (sys.stdout, sys.stderr):
            _silence(stream)
        if error.errno == errno.EPIPE:
            sys.exit(EXIT_UNREAD)
        with suppress(OSError):
            click.echo(f"obsgen: the report cannot be written: {error.strerror}", err=True)
        sys.exit(EXIT_FAILED)


def _silence(stream: TextIO | None) -> None:
    """Lead a stream that cannot be written nowhere: Python writes what is left of it once more at the end."""
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


class Report(Protocol):
    """How a run that did not get to its end is told."""

    def rejected(self, problems: list[Problem]) -> None:
        """Tell the problems of the definitions."""

    def failed(self, error: ObsgenError) -> None:
        """Tell why the run could not go on."""


def format_option(*forms: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the option for how a command reports."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", *forms]),
        default="text",
        show_default=True,
        help="How to report: for people or for machines.",
    )


def run(report: Report, work: Callable[[Progress], T]) -> T:
    """Return what a command's work returns, or report why it did not get there and exit."""
    # A catalog lives until the end of the run: looking for garbage in it takes longer the larger it is.
    gc.disable()
    try:
        with Progress() as progress:
            return work(progress)
    except DefinitionsRejected as error:
        report.rejected(error.problems)
        sys.exit(EXIT_PROBLEMS)
    except ObsgenError as error:
        _fail(report, error)
    except Exception as error:  # a mistake of obsgen's: say so, and keep its traceback for the report
        # What it holds may be a server's.
        sys.stderr.write(harmless(redacted(traceback.format_exc())))
        _fail(report, ObsgenError(f"this is a bug of obsgen: {error!r}"))


def _fail(report: Report, error: ObsgenError) -> NoReturn:
    report.failed(error)
    sys.exit(EXIT_FAILED)


def catalog_of(definitions: Path, progress: Progress) -> Catalog:
    """Return the expanded catalog of a folder of definitions.

    Raises:
        DefinitionsRejected: it has problems.
    """
    from obsgen.checks import check
    from obsgen.checks.places import deep
    from obsgen.expand import expand
    from obsgen.load import blamed, load

    progress.step("loading definitions")
    loaded = load(definitions)
    problems: list[Problem] = list(loaded.problems)
    nested = list(deep(loaded.catalog)) if loaded.catalog is not None else []
    problems += nested
    if loaded.catalog is not None and not nested:
        try:
            expanded = expand(loaded.catalog)
            progress.step("checking")
            problems += check(expanded, whole=not problems)
        except (Exception, SystemExit) as error:
            # A line of the definitions ran and failed, or a part of the catalog is missing: what is known is told.
            guilty = blamed(error, definitions)
            if guilty is None and not problems:
                raise
            problems += [guilty] if guilty is not None else []
    if problems or loaded.catalog is None:
        raise DefinitionsRejected(sorted(problems, key=lambda p: (p.at is None, p.at, p.check, p.message)))
    return expanded
