"""`obsgen slo`: error budgets at a terminal, and the tiles that they lack."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from obsgen.cli.common import Group, catalog_of, definitions_option, format_option, prometheus_option, run
from obsgen.errors import ObsgenError
from obsgen.report import Document, Lines, say
from obsgen.secrets import address
from obsgen.style import columns

if TYPE_CHECKING:
    from obsgen.backfill import Filled
    from obsgen.progress import Progress
    from obsgen.slo import Slos

WRITTEN = 5_000
"""Samples of one remote-write request."""


@click.group("slo", cls=Group, invoke_without_command=True)
@definitions_option
@prometheus_option
@format_option("json")
@click.pass_context
def commands(context: click.Context, definitions: Path, url: str | None, form: str) -> None:
    r"""Show the error budgets: what they promise, when they alert, what their rules cost.

    With --prometheus also where they stand: what is left, how fast it burns, how much data there is. Samples a minute
    are for each label value with one raw series. Exit codes: 0 done, 1 the definitions have problems, 2 failed.

    \b
    Example:
      obsgen slo
      obsgen slo --prometheus http://localhost:9090
      obsgen slo backfill --prometheus http://localhost:9090 --from 30d
    """
    if context.invoked_subcommand is not None:
        return
    from obsgen import slo as room

    report: room.TextReport | room.JsonReport = room.JsonReport() if form == "json" else room.TextReport()
    report.done(run(report, lambda progress: _slo(definitions, url, progress)))


def _slo(definitions: Path, url: str | None, progress: Progress) -> Slos:
    """Return the budgets, and where they stand."""
    from obsgen.prometheus import Prometheus
    from obsgen.slo import slos

    catalog = catalog_of(definitions, progress)
    progress.step("asking Prometheus" if url else "counting")
    return slos(catalog, Prometheus(url) if url else None)


@dataclass(frozen=True, slots=True)
class _Job:
    """What `backfill` is asked for."""

    definitions: Path
    names: tuple[str, ...]
    url: str
    begin: str
    end: str
    output: Path | None
    write: bool


@commands.command()
@click.argument("names", nargs=-1, metavar="[BUDGET]...")
@definitions_option
@click.option("--prometheus", "url", metavar="URL", required=True, help="The Prometheus that has the raw samples.")
@click.option("--from", "begin", required=True, metavar="TIME", help="Begin: 2026-11-02T14:00 (UTC), or 30d ago.")
@click.option("--to", "end", default="0s", metavar="TIME", help="End; now when left out.")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="File for the samples.")
@click.option("--write", is_flag=True, help="Write the samples to that Prometheus.")
@format_option("json")
def backfill(
    names: tuple[str, ...],
    definitions: Path,
    url: str,
    begin: str,
    end: str,
    output: Path | None,
    write: bool,
    form: str,
) -> None:
    r"""Count what error budgets lack: from before their rules were loaded, or after an outage.

    Counts, in tiles of five minutes, what Prometheus has scraped while the rules of a budget were not evaluated. An
    outage of up to a day is left alone: the rules have made up for it. Without --output and --write it only shows how
    much is missing.

    --output writes OpenMetrics text; put it into Prometheus with
    `promtool tsdb create-blocks-from openmetrics FILE DATA_DIR`. --write sends the samples by remote write; that needs
    --web.enable-remote-write-receiver and a storage.tsdb.out_of_order_time_window that reaches back as far.
    Exit codes: 0 done, 1 the definitions have problems, 2 failed.

    \b
    Example:
      obsgen slo backfill --prometheus http://localhost:9090 --from 30d
      obsgen slo backfill --prometheus http://localhost:9090 --from 30d --output tiles.om
      obsgen slo backfill api --prometheus http://localhost:9090 --from 2026-11-02T14:00 --to 2026-11-03 --write
    """
    job = _Job(definitions, names, url, begin, end, output, write)
    report: _TextReport | _JsonReport = _JsonReport() if form == "json" else _TextReport(job)
    report.done(run(report, lambda progress: _backfill(job, progress)))


def _backfill(job: _Job, progress: Progress) -> list[Filled]:
    from obsgen.backfill import budgets_named, fill, moment, openmetrics
    from obsgen.prometheus import Prometheus

    catalog = catalog_of(job.definitions, progress)
    budgets = budgets_named([budget for domain in catalog.domains for budget in domain.budgets], job.names)
    now = time.time()
    first, last = moment(job.begin, now), moment(job.end, now)
    if first >= last:
        raise ObsgenError(f"--from {job.begin} is not before --to {job.end}\n    give an earlier time to begin with")
    server = Prometheus(job.url)
    filled = []
    for done, budget in enumerate(budgets):
        progress.step(f"counting {budget.name}", done, len(budgets))
        filled.append(fill(budget, server, first, last))
    if job.output is not None:
        progress.step("writing")
        _write_file(job.output, openmetrics(filled))
    if job.write:
        progress.step("writing")
        for each in filled:
            for labels, samples in each.samples.items():
                for place in range(0, len(samples), WRITTEN):
                    server.push({labels: samples[place : place + WRITTEN]})
    return filled


def _write_file(path: Path, lines: Iterator[str]) -> None:
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError as error:
        raise ObsgenError(f"{path} cannot be written: {error.strerror}") from None


class _TextReport(Lines):
    """For people."""

    def __init__(self, job: _Job) -> None:
        super().__init__("nothing was counted")
        self.job = job

    def done(self, filled: list[Filled]) -> None:
        """Print what was counted, and what to do with it."""
        head = ("budget", "missing", "made up for", "events", "bad")
        rows = (
            (f.budget, f"{f.slots * 5} min", f"{f.healed * 5} min", f"{f.total:,.0f}", f"{f.bad:,.0f}") for f in filled
        )
        say(columns(head, rows))
        if not any(f.slots for f in filled):
            say("nothing is missing")
        elif self.job.output is not None:
            say(f"{self.job.output} is written; next: promtool tsdb create-blocks-from openmetrics FILE DATA_DIR")
        elif self.job.write:
            say(f"written to {address(self.job.url)}; the budgets follow within 15 minutes")
        else:
            say("nothing is written: --output FILE makes a file for promtool, --write sends it to Prometheus")
        sys.stdout.flush()


class _JsonReport(Document):
    """For machines: one document with `filled`."""

    def __init__(self) -> None:
        super().__init__(filled=[])

    def done(self, filled: list[Filled]) -> None:
        """Print what was counted."""
        self.print(
            filled=[
                {
                    "budget": f.budget,
                    "missing_seconds": f.slots * 300,
                    "made_up_for_seconds": f.healed * 300,
                    "total": f.total,
                    "bad": f.bad,
                }
                for f in filled
            ]
        )
