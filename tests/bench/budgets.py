"""The benchmark of error budgets: `python -m tests.bench.budgets [--shapes NAME...] [--seed 1] [--scrape 60s] ...`.

Loads weeks of synthetic traffic into a real Prometheus, and evaluates over them the rules of obsgen, those that Sloth
and Pyrra make by default, and the plain expression over 30 days. Prints how far each is from what really happened, and
what each costs. Exits with 1 if a goal is missed.

The traffic is loaded and the rules are evaluated with everything in one block, which is fast. For the cost Prometheus
is started again and cuts its usual blocks first: a rule over minutes must not search the pods of a month.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from obsgen.promql.metric import seconds
from tests.bench import rates, results, shapes, slices, windows
from tests.bench.cost import BLOCKS, Cost, cost, cut_blocks
from tests.bench.past import rules_of
from tests.bench.pods import DAY
from tests.bench.prometheus import BEGIN, Prometheus, binary, running
from tests.bench.shapes import Run
from tests.bench.text import progress, say
from tests.bench.traffic import Traffic

ONE_BLOCK = ("--storage.tsdb.min-block-duration=100d", "--storage.tsdb.max-block-duration=100d")


@dataclass(frozen=True)
class Settings:
    """What is simulated: days of traffic, seconds between scrapes, the seed; and on which server."""

    days: int
    scrape: float
    seed: int
    program: str

    @property
    def end(self) -> int:
        """Seconds of traffic."""
        return self.days * DAY


@dataclass
class Found:
    """All that was measured; parts that were not asked for are empty."""

    version: str = ""
    rates: dict[str, rates.Measured] = field(default_factory=dict)
    costs: dict[str, Cost] = field(default_factory=dict)
    windows: dict[str, dict[str, windows.Counts]] = field(default_factory=dict)
    slices: dict[tuple[str, str], slices.Slices] = field(default_factory=dict)


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.budgets", description="Measure error budgets.")
    parser.add_argument("--shapes", nargs="+", default=[], metavar="NAME", help="of traffic; all when left out")
    parser.add_argument("--seed", type=int, default=1, help="what the traffic follows from")
    parser.add_argument("--scrape", choices=("15s", "30s", "60s"), default="60s", help="between two scrapes")
    parser.add_argument("--days", type=int, choices=range(31, 37), default=36, help="days of traffic", metavar="31-36")
    parser.add_argument(
        "--prometheus-binary", default="", help="the server; else $OBSGEN_PROMETHEUS, else that on PATH"
    )
    given = parser.parse_args()
    settings = Settings(given.days, seconds(given.scrape), given.seed, binary(given.prometheus_binary))
    wanted = set(given.shapes) or names(settings)
    if unknown := wanted - names(settings):
        parser.error(f"no shape {', '.join(sorted(unknown))}; there are {', '.join(sorted(names(settings)))}")
    found = measured(settings, wanted)
    progress("done")
    say(f"Prometheus {found.version}, {given.days} days, scraped every {given.scrape}, seed {given.seed}")
    sys.exit(0 if results.told(found.rates, found.costs, found.windows, found.slices) else 1)


def runs(settings: Settings) -> Iterator[Run]:
    """Yield the runs over 30 days."""
    at = rates.instants(settings.days)
    yield shapes.known(settings.end, at[-1] - at[0])
    yield shapes.hard(settings.end)
    yield from shapes.outages(settings.end)


def names(settings: Settings) -> set[str]:
    """Return the names of all shapes."""
    routes = [shape.route for run in (*runs(settings), shapes.restarts()) for shape in run.shapes]
    return {route.strip("/") for route in routes} | {"slices"}


def measured(settings: Settings, wanted: set[str]) -> Found:
    """Simulate the shapes that are wanted, and measure."""
    found = Found()
    for whole in runs(settings):
        if run := _only(whole, wanted):
            progress(", ".join(shape.route for shape in run.shapes))
            _measure_rates(settings, run, found, costs=run.known and run == whole)
    if run := _only(shapes.restarts(), wanted):
        progress(", ".join(shape.route for shape in run.shapes))
        with _server(settings) as server:
            traffic = _traffic(settings, run, windows.DAYS * DAY)
            _load(server, traffic)
            found.windows = windows.measured(server, traffic)
            found.version = server.version()
    if "slices" in wanted:
        progress("slices")
        with _server(settings) as server:
            nodes = slices.Nodes(end=settings.end, scrape=settings.scrape, base=BEGIN, seed=settings.seed)
            _load(server, nodes)
            found.slices = slices.measured(server, nodes)
            found.version = server.version()
    return found


def _only(run: Run, wanted: set[str]) -> Run | None:
    kept = tuple(shape for shape in run.shapes if shape.route.strip("/") in wanted)
    return replace(run, shapes=kept) if kept else None


def _measure_rates(settings: Settings, run: Run, found: Found, *, costs: bool) -> None:
    at = rates.instants(settings.days)
    traffic = _traffic(settings, run, settings.end)
    with tempfile.TemporaryDirectory() as folder:
        with running(Path(folder), settings.program, flags=ONE_BLOCK) as server:
            _load(server, traffic)
            compared = rates.methods(server, traffic, everybody=run.known)
            found.rates |= rates.measured(server, run, traffic, compared, at)
            found.version = server.version()
        if costs:
            with running(Path(folder), settings.program, flags=BLOCKS) as server:
                cut_blocks(server, at[-1])
                progress("measuring cost")
                found.costs = {name: cost(server, rules_of(each.groups), at[-1]) for name, each in compared.items()}


def _traffic(settings: Settings, run: Run, end: float) -> Traffic:
    return Traffic(run.shapes, end=end, scrape=settings.scrape, base=BEGIN, seed=settings.seed, down=run.down)


def _load(server: Prometheus, traffic: Traffic | slices.Nodes) -> None:
    progress(f"loaded {server.load(traffic.series()) / 1e6:.1f} million samples")


@contextlib.contextmanager
def _server(settings: Settings) -> Iterator[Prometheus]:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), settings.program, flags=ONE_BLOCK) as server:
        yield server


if __name__ == "__main__":
    main()
