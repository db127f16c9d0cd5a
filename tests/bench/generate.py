"""The benchmark of `obsgen generate`: `python -m tests.bench.generate [--sizes 10 100 1000]`.

Prints what each stage of a run takes for catalogs of several sizes, what whole commands take, what dashboards take
with grafanalib alone, and whether the goals are met. A goal that is missed is no failure: only obsgen failing is.

Files are written below TMPDIR. What a file system charges for thousands of new files differs by the second; in memory
(`TMPDIR=/dev/shm` on Linux) it is next to nothing.

This process starts all the others and hands its peak memory down to them: it imports neither obsgen nor grafanalib.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.bench import catalogs
from tests.bench.meter import BETWEEN, MEGA, ROOT, START, Spent, least, run
from tests.bench.text import say, table

SIZES = (10, 100, 1000)
HELP = "obsgen --help"
VECTOBEAT = "obsgen generate, VectoBeat"


@dataclass(frozen=True)
class Goal:
    """What a command may take: seconds of CPU, and MB of memory where that matters."""

    command: str
    cpu: float
    peak: float | None = None


def _services(size: int) -> str:
    return f"obsgen generate, {size:,} services"


GOALS = (
    Goal(_services(100), cpu=2.0),
    Goal(_services(1000), cpu=20.0, peak=500.0),
    Goal(VECTOBEAT, cpu=0.5),
    Goal(HELP, cpu=0.2),
)


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.generate", description="Measure obsgen generate.")
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="services of the catalogs to measure")
    sizes = sorted(set(parser.parse_args().sizes))
    say(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} CPUs")
    with tempfile.TemporaryDirectory() as scratch:
        folders = {size: Path(scratch, f"services-{size}") for size in sizes}
        for size, folder in folders.items():
            catalogs.write(folder, size)
        _growth({size: _stages(size, folder) for size, folder in folders.items()})
        for folder in folders.values():
            _against_grafanalib(folder)
        _goals(_commands(folders))


def _stages(size: int, definitions: Path) -> dict[str, Spent]:
    """Measure one run stage by stage, and print it."""
    with tempfile.TemporaryDirectory() as output:
        _, text = run(["-m", "tests.bench.stages", str(time.time()), str(definitions), str(Path(output, "new"))])
    report = json.loads(text)
    stages = _with_totals(_spent(report))
    say(f"\n{size:,} services: {report['files']:,} artifacts, {report['size']:.1f} MB")
    say(table(("stage", "CPU s", "wall s", "peak MB"), [_row(*item) for item in stages.items()]))
    return stages


def _with_totals(stages: dict[str, Spent]) -> dict[str, Spent]:
    """Return stages and their totals: that without the start, which costs the same for any size, shows growth."""
    grows = _sum(spent for name, spent in stages.items() if name != START)
    return {**stages, "all but the start": grows, "total": _sum(stages.values())}


def _growth(measured: dict[int, dict[str, Spent]]) -> None:
    """Print what a service costs in each size: with linear growth, as much in a large catalog as in a small one."""
    sizes = list(measured)
    head = ["stage", *(f"{size:,}" for size in sizes), *(f"{b:,} / {a:,}" for a, b in pairwise(sizes))]
    rows = []
    for name in measured[sizes[0]]:
        each = [measured[size][name].cpu / size * 1000 for size in sizes]
        rows.append((name, *(f"{cost:.3f}" for cost in each), *(f"x {b / a:.2f}" for a, b in pairwise(each))))
    say("\nCPU milliseconds for each service, by size; x 1.00 means that twice the services take twice the time")
    say(table(head, rows))


def _against_grafanalib(definitions: Path) -> None:
    """Measure the dashboards made by obsgen and by grafanalib alone, and print it."""
    _, text = run(["-m", "tests.bench.alone", str(time.time()), str(definitions)])
    report = json.loads(text)
    stages, count = _spent(report), report["dashboards"]
    figures = []
    for who in ("obsgen", "grafanalib"):
        build, write = stages[f"{who}, build"].cpu, stages[f"{who}, write"].cpu
        cpu, size = build + write, report[f"{who}_bytes"]
        figures.append((build, write, cpu, cpu / count * 1000, size / MEGA, size / count / 1000))
    ratios = [ours / theirs for ours, theirs in zip(*figures, strict=True)]
    rows = [
        (who, *(f"{figure:.{digits}f}" for figure, digits in zip(row, (3, 3, 3, 3, 2, 1), strict=True)))
        for who, row in zip(("obsgen", "grafanalib"), figures, strict=True)
    ]
    rows.append(("obsgen / grafanalib", *(f"x {ratio:.2f}" for ratio in ratios)))
    say(f"\n{count:,} dashboards: obsgen without its validation; grafanalib alone, with all texts and numbers ready")
    say(table(("", "build s", "write s", "CPU s", "ms each", "MB", "KB each"), rows))


def _commands(folders: dict[int, Path]) -> dict[str, Spent]:
    """Measure whole commands, from their start to their exit, and print it."""
    generate = ("-m", "obsgen", "generate", "--output", "{new}", "--definitions")
    commands: dict[str, Sequence[str]] = {
        HELP: ("-m", "obsgen", "--help"),
        VECTOBEAT: (*generate, str(ROOT / "definitions")),
        **{_services(size): (*generate, str(folder)) for size, folder in folders.items()},
    }
    measured = {name: least(arguments) for name, arguments in commands.items()}
    say("\nWhole commands as processes of their own; the cheapest of up to five runs")
    say(table(("command", "CPU s", "wall s", "peak MB"), [_row(*item) for item in measured.items()]))
    return measured


def _goals(measured: dict[str, Spent]) -> None:
    """Print the goals, and say plainly which are missed."""
    rows = []
    for goal in GOALS:
        spent = measured.get(goal.command)
        wanted = [("CPU", goal.cpu, spent.cpu if spent else None, "s", 3)]
        if goal.peak is not None:
            wanted.append(("memory", goal.peak, spent.peak if spent else None, "MB", 0))
        for what, limit, found, unit, digits in wanted:
            shown = "-" if found is None else f"{found:.{digits}f} {unit}"
            verdict = "not measured" if found is None else "met" if found < limit else "MISSED"
            rows.append((goal.command, what, f"< {limit:g} {unit}", shown, verdict))
    say("\nGoals")
    say(table(("command", "of", "goal", "found", ""), rows))


def _spent(report: dict[str, Any]) -> dict[str, Spent]:
    return {name: Spent(**spent) for name, spent in report["stages"].items() if name != BETWEEN}


def _sum(spent: Iterable[Spent]) -> Spent:
    each = list(spent)
    return Spent(sum(s.cpu for s in each), sum(s.wall for s in each), max(s.peak for s in each))


def _row(name: str, spent: Spent) -> tuple[str, ...]:
    return name, f"{spent.cpu:.3f}", f"{spent.wall:.3f}", f"{spent.peak:.0f}"


if __name__ == "__main__":
    main()
