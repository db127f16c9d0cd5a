"""The command line: parse, call, print, exit.

Exit codes: 0 clean, 1 problems or differences found, 2 obsgen or something that it talks to failed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from obsgen.cli import grafana, slo
from obsgen.cli.common import CONTEXT, Root, catalog_of, definitions_option, format_option, prometheus_option, run
from obsgen.errors import EXIT_CLEAN, EXIT_PROBLEMS
from obsgen.progress import Progress
from obsgen.secrets import forget

if TYPE_CHECKING:
    from obsgen.prove.report import Outcome
    from obsgen.tree import Change


@click.group(cls=Root, context_settings=CONTEXT)
@click.version_option(package_name="obsgen")
def main() -> None:
    r"""Compile a metric catalog into dashboards, rules and docs, and prove its rules.

    \b
    Example:
      obsgen generate            write generated/ from definitions/
      obsgen generate --check    show what would change, and exit 1 if anything would
      obsgen prove               prove every alert on a real Prometheus
      obsgen slo                 show the error budgets
      obsgen route --all         show who is told of which alert
      obsgen grafana plan        show what would change in a live Grafana
    """
    forget()


main.add_command(grafana.commands)
main.add_command(slo.commands)


@main.command()
@definitions_option
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    default=Path("generated"),
    show_default=True,
    help="Folder for the artifacts.",
)
@click.option("--check", is_flag=True, help="Write nothing; show what is missing, changed or stale.")
@format_option("json")
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

    report = JsonReport() if form == "json" else TextReport(output, check=check)
    changes, total = run(report, lambda progress: _generate(definitions, output, check, progress))
    report.done(changes, total)
    sys.exit(EXIT_PROBLEMS if check and changes else EXIT_CLEAN)


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@definitions_option
@prometheus_option
@click.option("--prometheus-binary", "binary", metavar="PATH", default="", help="The Prometheus to start.")
@click.option("--coverage", is_flag=True, help="Show how often each alert, level and recording is proven.")
@click.option("--mutate", is_flag=True, help="Change each rule a little, and show the changes that no proof notices.")
@format_option("json", "junit")
def prove(
    names: tuple[str, ...], definitions: Path, url: str | None, binary: str, coverage: bool, mutate: bool, form: str
) -> None:
    r"""Prove alerts and recordings on a real Prometheus.

    Each proof writes its series to Prometheus, evaluates the generated rules over their time, and compares what
    fires with what it says. NAME is an alert, a recording or a budget, or a pattern of them; all are proven when
    left out. The Prometheus at --prometheus-binary, else in the environment variable OBSGEN_PROMETHEUS, else on PATH
    is started on loopback with private storage and taken away again, unless a running one is named: that must take
    remote write and samples of any age (out_of_order_time_window: 250y), and no other run at the same time.
    Exit codes: 0 all proofs hold, 1 some do not or a mutant survives, 2 failed.

    \b
    Example:
      obsgen prove
      obsgen prove ShardLatencyHigh 'Lavalink*'
      obsgen prove --mutate --format json
    """
    from obsgen.prove import report as told

    report: told.TextReport | told.JsonReport | told.JunitReport = told.TextReport(table=coverage)
    if form != "text":
        report = told.JsonReport() if form == "json" else told.JunitReport()
    outcome = run(report, lambda progress: _prove(names, definitions, url, binary, mutate, progress))
    report.done(outcome)
    sys.exit(EXIT_CLEAN if outcome.clean else EXIT_PROBLEMS)


@main.command()
@click.argument("alert", required=False)
@click.argument("labels", nargs=-1, metavar="[LABEL=VALUE]...")
@click.option("--all", "everything", is_flag=True, help="Show all alerts, a line each.")
@definitions_option
@format_option("json")
def route(alert: str | None, labels: tuple[str, ...], everything: bool, definitions: Path, form: str) -> None:
    r"""Show whom an alert reaches, after which waits, and what silences it.

    LABEL=VALUE are labels of the alert; severity=... picks one of its levels. Exit codes: 0 done, 1 the definitions
    have problems, 2 failed.

    \b
    Example:
      obsgen route ShardLatencyHigh severity=critical shard_id=3
      obsgen route --all
    """
    from obsgen import route as room

    if (alert is None) is not everything:
        raise click.UsageError("name an alert, or --all")
    pairs = dict(_pair(text) for text in labels)
    report: room.TextReport | room.JsonReport = room.TextReport(table=everything, labels=pairs)
    if form == "json":
        report = room.JsonReport()
    report.done(run(report, lambda progress: room.deliveries(catalog_of(definitions, progress), alert, pairs)))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.UsageError(f"{text!r} is no label: write it as in severity=critical")
    return name, value


def _generate(definitions: Path, output: Path, check: bool, progress: Progress) -> tuple[list[Change], int]:
    """Return what differs, written unless `check` is set, and the number of artifacts."""
    from obsgen.artifacts import artifacts
    from obsgen.swap import write
    from obsgen.tree import check_place, compare

    check_place(output)
    catalog = catalog_of(definitions, progress)
    files = artifacts(catalog, progress.step)
    progress.step("comparing" if check else "writing")
    changes = (compare if check else write)(output, catalog.project.name, files)
    return changes, len(files)


def _prove(
    names: tuple[str, ...], definitions: Path, url: str | None, binary: str, mutate: bool, progress: Progress
) -> Outcome:
    """Return what came of the proofs."""
    from obsgen.prove import Proofs, chosen
    from obsgen.prove.coverage import coverage, tallies
    from obsgen.prove.report import Outcome
    from obsgen.prove.server import given, running

    begun = time.monotonic()
    catalog = catalog_of(definitions, progress)
    claims = chosen(catalog, names)
    with given(url) if url else running(binary=binary) as server:
        proofs = Proofs(catalog, server, progress.step, binary)
        verdicts = proofs.run(claims)
        found = proofs.mutate([v.claim for v in verdicts if v.holds]) if mutate else None
        compared = proofs.texts(verdicts)
    covered = [c for c in coverage(catalog, verdicts) if c.name in {claim.name for claim in claims} or not names]
    told = list(tallies(found)) if found is not None else None
    return Outcome(verdicts, covered, told, time.monotonic() - begun, compared)
