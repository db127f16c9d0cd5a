"""Real client libraries, scraped by a real Prometheus: the generated rules count what the exporter really did."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator

import pytest
import yaml

from obsgen.expand import expand
from obsgen.index import Index
from obsgen.model import Catalog, Domain, ErrorBudget, Events, Latency, Objective, Project, Team, TimeSlices
from obsgen.prometheus import Prometheus
from obsgen.promql import Counter, Gauge, Histogram, Label, Source, histogram_buckets, histogram_quantile
from obsgen.promql.text import render
from obsgen.prove.rules import Rules
from obsgen.prove.server import running
from obsgen.render.rules import rule_files
from tests.exporters import BOUNDS, COMMANDS, FAILED, JOBS, WORK, Exporter, exporting, missing

pytestmark = pytest.mark.real

APP = Source(name="app", title="App", job="app", interval="1s")
KIND, PART = Label("kind"), Label("part")
ALL_JOBS = Counter(name="jobs_total", title="Jobs", help="", source=APP)
FAILED_JOBS = Counter(name="jobs_failed_total", title="Failed", help="", source=APP, labels=(KIND,))
READY = Gauge(name="ready", title="Ready", help="", source=APP, labels=(PART,))
WAIT = Histogram(name="wait_ms", title="Wait", help="", source=APP, buckets=BOUNDS)
SLIS = {
    "failures": Events(total=ALL_JOBS, bad=FAILED_JOBS),
    "buckets": Events(total=WAIT.count, good=WAIT.bucket(1e6)),
    "ready": TimeSlices(total=READY, good=READY.equals(1)),
    **{f"within_{n}": Latency(of=WAIT, within=bound) for n, bound in enumerate(BOUNDS)},
}
BUDGETS = {
    name: ErrorBudget(
        name=name,
        title=name,
        help="H.",
        sli=sli,
        by=(PART,) if name == "ready" else (),
        objectives=(Objective(0.99),),
        impact="I.",
        mitigation=("M.",),
    )
    for name, sli in SLIS.items()
}
CATALOG = expand(
    Catalog(
        project=Project(
            name="jobs",
            title="Jobs",
            description="",
            owner=Team(name="us", title="Us"),
            docs_url="https://docs.example.org",
            grafana_url="https://grafana.example.org",
        ),
        domains=(
            Domain(
                name="jobs",
                title="Jobs",
                description="",
                metrics=(ALL_JOBS, FAILED_JOBS, READY, WAIT),
                budgets=tuple(BUDGETS.values()),
            ),
        ),
    )
)
RULES = Rules.of(rule_files(Index(CATALOG)).values())


@pytest.fixture(scope="module", params=list(COMMANDS))
def scraped(request: pytest.FixtureRequest) -> Iterator[tuple[Prometheus, float]]:
    """A Prometheus that has scraped an exporter while it worked, and the time when it had seen all of the work."""
    if (lacking := missing(request.param)) and not os.environ.get("CI"):
        pytest.skip(f"needs {lacking}")
    assert not lacking, f"install {lacking}"
    with exporting(request.param) as exporter, running() as server:
        _scrape(server, exporter)
        _wait(lambda: value(server, "count_over_time(jobs_total[1m])") >= 3)
        exporter.work()
        _wait(lambda: value(server, "jobs_total") == JOBS)
        # Rules look at whole seconds, the scrape interval: that after the scrape is the first to see it.
        seen = math.ceil(time.time())
        _wait(lambda: time.time() > seen)
        yield server, seen


def _scrape(server: Prometheus, exporter: Exporter) -> None:
    assert server.folder
    config = server.folder / "prometheus.yml"
    job = {
        "job_name": APP.job,
        "scrape_interval": APP.interval,
        "scrape_timeout": APP.interval,
        "static_configs": [{"targets": [exporter.target]}],
    }
    config.write_text(yaml.safe_dump({**yaml.safe_load(config.read_text()), "scrape_configs": [job]}))
    server.reload()


def _wait(enough: Callable[[], bool]) -> None:
    begun = time.monotonic()
    while not enough():
        assert time.monotonic() - begun < 30
        time.sleep(0.2)


def value(server: Prometheus, expr: str) -> float:
    """Return the only value of an expression now, -1 without any."""
    found = [float(each["value"][1]) for each in server.instant(expr)]
    assert len(found) <= 1, found
    return found[0] if found else -1


def counted(server: Prometheus, budget: ErrorBudget, at: float) -> tuple[dict[str, float], dict[str, float]]:
    """Return all and bad events of the last minute by the label `part`, as the generated rules record them."""
    total, bad = (budget.counted(which, "1m").name for which in ("total", "bad"))
    results: dict[str, dict[str, float]] = {}
    for rule in RULES.needed([total, bad]):
        found = server.instant(rule.expr, at)
        results[rule.name] = {each["metric"].get("part", ""): float(each["value"][1]) for each in found}
        named = [({**each["metric"], "__name__": rule.name}, float(each["value"][1])) for each in found]
        server.push({tuple(sorted(labels.items())): [(at, number)] for labels, number in named})
    return results[total], results[bad]


def above(bound: float) -> int:
    return sum(times for observed, times in WORK.items() if observed > bound)


def test_events_are_those_of_the_exporter(scraped: tuple[Prometheus, float]) -> None:
    server, at = scraped

    assert counted(server, BUDGETS["failures"], at) == ({"": JOBS}, {"": FAILED})
    assert counted(server, BUDGETS["buckets"], at) == ({"": above(0)}, {"": above(1e6)})


@pytest.mark.parametrize("number", range(len(BOUNDS)))
def test_observations_above_a_bound_are_bad_and_no_others(scraped: tuple[Prometheus, float], number: int) -> None:
    server, at = scraped

    assert counted(server, BUDGETS[f"within_{number}"], at) == ({"": above(0)}, {"": above(BOUNDS[number])})


def test_slices_are_bad_where_the_gauge_says_so(scraped: tuple[Prometheus, float]) -> None:
    server, at = scraped

    assert counted(server, BUDGETS["ready"], at) == ({"well": 1, "ill": 1}, {"well": 0, "ill": 1})


def test_every_bucket_is_found_by_its_bound_and_drawn_once(scraped: tuple[Prometheus, float]) -> None:
    server, at = scraped

    for bound in (*BOUNDS, float("inf")):
        [bucket] = server.instant(render(WAIT.bucket(bound)), at)
        assert float(bucket["value"][1]) == above(0) - above(bound)
    drawn = server.instant(render(histogram_buckets(WAIT, "1m")), at)
    assert sorted(float(each["metric"]["le"]) for each in drawn) == [*BOUNDS, float("inf")]
    # Half of the 63 waits are longer than an hour, and no bucket above that has an upper bound but the last.
    [half] = server.instant(render(histogram_quantile(0.4, WAIT, window="1m")), at)
    assert 3.6e6 < float(half["value"][1]) <= 86_400_000
