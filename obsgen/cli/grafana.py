"""`obsgen grafana`: a live Grafana, brought to what was reviewed."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from obsgen.cli.common import CONTEXT, Group, format_option, run
from obsgen.errors import EXIT_CLEAN, EXIT_FAILED, EXIT_PROBLEMS, ObsgenError
from obsgen.progress import Progress

if TYPE_CHECKING:
    from obsgen.grafana.apply import Outcome
    from obsgen.grafana.plan import Plan
    from obsgen.grafana.pushing import Pushing
    from obsgen.grafana.report import JsonReport, TextReport
    from obsgen.grafana.runs import Run
    from obsgen.grafana.session import Session
    from obsgen.grafana.undo import Undoing

T = TypeVar("T")
_TRUE = ("1", "true", "yes")

env_option = click.option("--env", metavar="NAME", help="Table under [tool.obsgen.grafana] in pyproject.toml.")
generated_option = click.option(
    "--generated",
    "-g",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("generated"),
    show_default=True,
    help="Folder of the reviewed artifacts.",
)
edits_option = click.option("--overwrite-edits", is_flag=True, help="Replace what people have edited in Grafana.")
prune_option = click.option("--no-prune", is_flag=True, help="Keep own dashboards that left the artifacts.")
adopt_option = click.option(
    "--adopt", multiple=True, metavar="UID", help="Take over a dashboard that was made by hand."
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask. Nothing is asked in CI either.")
backups_option = click.option(
    "--backups",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".obsgen/backups"),
    show_default=True,
    help="Folder for what was there before.",
)


@click.group("grafana", cls=Group, context_settings=CONTEXT)
def commands() -> None:
    r"""Bring a live Grafana to what was reviewed.

    What stands in generated/ is pushed: dashboards, and the docs as dashboards of text. obsgen changes only what it has
    made, keeps what people have edited, and can undo each run. Grafana 9.3 to 13; the service account needs the role
    Editor. Where Grafana is, and who asks, say pyproject.toml and the shell:

    \b
      [tool.obsgen.grafana.production]
      url = "https://grafana.example.org"    or GRAFANA_URL
      folder = "VectoBeat"                   title of the folder; folder_uid for one that is there
      datasource = "prometheus-main"         uid or name, where there are several
      token_env = "GRAFANA_TOKEN"            GRAFANA_TOKEN_FILE names a file with it

    Also: prefix (of uids), docs = false, org_id, user, password_env, ca_cert, headers_env (a table of header =
    variable), connections. Proxies are taken from HTTPS_PROXY and NO_PROXY.

    \b
    Example:
      obsgen grafana plan
      obsgen grafana sync --env production
      obsgen grafana undo
    """


@commands.command()
@env_option
@generated_option
@edits_option
@prune_option
@adopt_option
@format_option("json")
def plan(
    env: str | None, generated: Path, overwrite_edits: bool, no_prune: bool, adopt: tuple[str, ...], form: str
) -> None:
    r"""Show what sync would change.

    Exit codes: 0 nothing to do, 1 something differs, 2 failed.

    \b
    Example:
      obsgen grafana plan --env staging
      obsgen grafana plan --format json
    """
    report = _report(form)
    session, found = run(report, lambda progress: _planned(env, generated, overwrite_edits, no_prune, adopt, progress))
    report.planned(session, found, "`obsgen grafana sync` does it")
    _finish(report, EXIT_PROBLEMS if found.actions else EXIT_CLEAN)


@commands.command()
@env_option
@generated_option
@edits_option
@prune_option
@adopt_option
@yes_option
@click.option("--dry-run", is_flag=True, help="Only show what would change, as plan does.")
@backups_option
@format_option("json")
def sync(
    env: str | None,
    generated: Path,
    overwrite_edits: bool,
    no_prune: bool,
    adopt: tuple[str, ...],
    yes: bool,
    dry_run: bool,
    backups: Path,
    form: str,
) -> None:
    r"""Change Grafana to what was reviewed.

    Shows the plan, asks, saves what is there, writes, and looks whether it came out. What fails does not stop the
    others, and a second run does the rest. Exit codes: 0 all is as reviewed, 1 something was kept, refused or left,
    or (with --dry-run) differs, 2 failed.

    \b
    Example:
      obsgen grafana sync --env production
      obsgen grafana sync --yes --format json
    """
    report = _report(form)
    session, found = run(report, lambda progress: _planned(env, generated, overwrite_edits, no_prune, adopt, progress))
    report.planned(session, found)
    if dry_run:
        _finish(report, EXIT_PROBLEMS if found.actions else EXIT_CLEAN)
    _change(report, session, found, yes, lambda: _applied(report, session, found, "sync", backups))


@commands.command()
@click.argument("name", metavar="[RUN]", required=False)
@env_option
@edits_option
@yes_option
@click.option("--list", "listed", is_flag=True, help="Show the runs that are saved.")
@backups_option
@format_option("json")
def undo(
    name: str | None,
    env: str | None,
    overwrite_edits: bool,
    yes: bool,
    listed: bool,
    backups: Path,
    form: str,
) -> None:
    r"""Restore what a run has changed or deleted: the last run when RUN is left out.

    What somebody has changed since is kept. An undoing is a run itself, and can be undone. Exit codes: 0 all is as it
    was, 1 something was kept or left, 2 failed.

    \b
    Example:
      obsgen grafana undo
      obsgen grafana undo --list
      obsgen grafana undo 20261123-154210-production
    """
    from obsgen.grafana.plan import Choices
    from obsgen.grafana.runs import runs
    from obsgen.grafana.undo import Undoing

    report = _report(form)
    if listed:
        report.runs(run(report, lambda _: runs(backups)))
        _finish(report, EXIT_CLEAN)

    def planned(progress: Progress) -> tuple[Undoing, Plan]:
        session = Undoing(name, env, backups, os.environ, step=progress.step)
        return session, session.plan(Choices(overwrite_edits=overwrite_edits))

    session, found = run(report, planned)
    report.planned(session, found)
    _change(report, session, found, yes, lambda: _applied(report, session, found, "undo", backups, session.run.name))


@commands.command()
@click.argument("uid")
@env_option
@generated_option
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="File to save it to.")
@format_option("json")
def pull(uid: str, env: str | None, generated: Path, output: Path | None, form: str) -> None:
    r"""Save a live dashboard, to port an edit into the definitions.

    It is saved as it would stand in generated/, so that the two can be compared. Exit codes: 0 it is as reviewed, 1 it
    differs, 2 failed.

    \b
    Example:
      obsgen grafana pull vectobeat-overview
    """
    from obsgen.grafana.pushing import Pushing

    report = _report(form)
    pulled = run(report, lambda p: Pushing(env, generated, os.environ, step=p.step).pull(uid, output))
    report.pulled(pulled)
    _finish(report, EXIT_PROBLEMS if pulled.changes else EXIT_CLEAN)


@commands.command()
@click.option("--name", required=True, metavar="NAME", help="Of the preview: pr-123.")
@click.option("--delete", is_flag=True, help="Take the preview away.")
@env_option
@generated_option
@backups_option
@format_option("json")
def preview(name: str, delete: bool, env: str | None, generated: Path, backups: Path, form: str) -> None:
    r"""Show a pull request in a folder of its own.

    Everything gets the name behind its uid and title; nothing else is touched, and nothing is asked. Prints where the
    dashboards are. Exit codes: 0 done, 1 something was left, 2 failed.

    \b
    Example:
      obsgen grafana preview --name pr-123
      obsgen grafana preview --name pr-123 --delete
    """
    from obsgen.grafana.plan import Choices
    from obsgen.grafana.pushing import Pushing

    if not re.fullmatch(r"[A-Za-z0-9_-]{1,20}", name):
        raise click.UsageError(f"--name is {name!r}: it may have up to 20 letters, digits, - and _")
    report = _report(form)

    def planned(progress: Progress) -> tuple[Pushing, Plan]:
        session = Pushing(env, generated, os.environ, preview=name, step=progress.step)
        return session, session.removal() if delete else session.plan(Choices(overwrite_edits=True))

    session, found = run(report, planned)
    report.planned(session, found)
    outcomes = _applied(report, session, found, "preview", backups) if found.writes else []
    if not delete:
        report.links(session, session.boards())
    _finish(report, _exit(found, outcomes))


def _report(form: str) -> TextReport | JsonReport:
    from obsgen.grafana.report import JsonReport, TextReport

    return JsonReport() if form == "json" else TextReport()


def _planned(
    env: str | None,
    generated: Path,
    overwrite_edits: bool,
    no_prune: bool,
    adopt: tuple[str, ...],
    progress: Progress,
) -> tuple[Pushing, Plan]:
    from obsgen.grafana.plan import Choices
    from obsgen.grafana.pushing import Pushing

    session = Pushing(env, generated, os.environ, step=progress.step)
    return session, session.plan(Choices(overwrite_edits, not no_prune, frozenset(adopt)))


def _change(
    report: TextReport | JsonReport, session: Session, found: Plan, yes: bool, work: Callable[[], list[Outcome]]
) -> None:
    """Ask whether a plan is to be done, do it, and exit."""
    if found.writes and not (yes or os.environ.get("CI", "").lower() in _TRUE):
        _ask(report, session, len(found.writes))
    _finish(report, _exit(found, work() if found.writes else []))


def _ask(report: TextReport | JsonReport, session: Session, changes: int) -> None:
    if not _terminal():
        report.failed(ObsgenError("there is no terminal to ask whether to do this\n    --yes does it without asking"))
        sys.exit(EXIT_FAILED)
    what = "this change" if changes == 1 else f"these {changes} changes"
    if not click.confirm(f"Make {what} in {session.environment.url}?", err=True):
        report.failed(ObsgenError("nothing was changed in Grafana"))
        sys.exit(EXIT_PROBLEMS)


def _terminal() -> bool:
    return sys.stdin.isatty()


def _applied(
    report: TextReport | JsonReport, session: Session, found: Plan, command: str, backups: Path, undoes: str = ""
) -> list[Outcome]:
    begun = time.monotonic()

    def work(progress: Progress) -> tuple[Run, list[Outcome]]:
        session.tell(progress.step)
        return session.apply(found, command, backups, undoes)

    made, outcomes = run(report, work)
    report.applied(session, made, outcomes, time.monotonic() - begun)
    return outcomes


def _exit(found: Plan, outcomes: list[Outcome]) -> int:
    from obsgen.grafana.apply import Result

    results = {outcome.result for outcome in outcomes}
    if Result.FAILED in results:
        return EXIT_FAILED
    left = Result.LEFT in results or any(not action.kind.writes for action in found.actions)
    return EXIT_PROBLEMS if left else EXIT_CLEAN


def _finish(report: TextReport | JsonReport, code: int) -> None:
    """Say what is left to say, and exit."""
    report.finish()
    sys.exit(code)
