"""What holds on every version of Prometheus: how it is reached, what it is given, and what configuration it loads."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import yaml
from click.testing import CliRunner

from obsgen.cli import main
from obsgen.index import Index
from obsgen.model import Catalog, Domain, Project, Routing, Team
from obsgen.prometheus import Prometheus, PrometheusError
from obsgen.promql import Gauge, Source
from obsgen.prove.run import BEGIN, UNTIL, Times
from obsgen.prove.server import running
from obsgen.render.prometheus import prometheus
from tests.conftest import ROOT
from tests.double import answering

pytestmark = pytest.mark.real

PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
PROJECT = Project(
    name="heat",
    title="Heat",
    description="",
    owner=Team(name="us", title="Us"),
    docs_url="https://docs.example.org",
    grafana_url="https://grafana.example.org",
    routing=Routing(receivers=(), alertmanagers=("127.0.0.1:1",)),
)


def test_the_own_server_is_reached_whatever_the_proxies_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    result = CliRunner().invoke(main, ["prove", "-d", str(ROOT / "definitions"), "LavalinkNodeDown"])

    assert result.exit_code == 0, result.output


def test_a_given_server_with_samples_of_today_takes_one_run_after_the_other() -> None:
    arguments = ["prove", "-d", str(ROOT / "tests/catalogs/greenhouse"), "BedTooHot", "--prometheus"]
    with running() as server:
        assert Times.on(server).take({"a"}, {"a"}, back=0, length=1) < BEGIN + 2 * 86_400
        server.push({(("__name__", "up"), ("job", "own")): [(time.time(), 1.0)]})
        for _ in range(2):
            result = CliRunner().invoke(main, [*arguments, server.url])
            assert result.exit_code == 0, result.output

        [newest] = server.instant(f"last_over_time({UNTIL[0][1]}[250y])", BEGIN + 86_400 * 365)
        assert Times.on(server).take({"a"}, {"a"}, back=0, length=1) >= float(newest["value"][1])


def test_scrapes_lie_before_the_evaluations_so_that_a_window_has_as_many_on_every_version(server: Prometheus) -> None:
    begin = BEGIN - 365 * 86_400
    times = [begin + 30 * n - 0.001 for n in range(40)]
    server.push({(("__name__", "steady"),): [(at, 1.0) for at in times]})

    found = server.range("count_over_time(steady[5m])", begin + 600, begin + 900, 30)

    assert {value for _, samples in found for _, value in samples} == {10}


def test_samples_that_are_refused_are_told_with_what_the_server_said() -> None:
    labels = (("__name__", "twice"),)
    # A server of its own: where there are newer samples, Prometheus drops an old duplicate and does not say so.
    with running() as server:
        server.push({labels: [(0, 1.0)]})
        with pytest.raises(PrometheusError, match=r"duplicate sample for timestamp.*\n.*empty storage"):
            server.push({labels: [(0, 2.0)]})


def loads(server: Prometheus, project: Project, target: str) -> bool:
    """Return whether a server takes the generated configuration of a project that scrapes a target."""
    source = Source(name="app", title="App", job="app", interval="1s", targets=(target,))
    heat = Gauge(name="heat", title="Heat", help="", source=source)
    catalog = Catalog(project=project, domains=(Domain(name="heat", title="Heat", description="", metrics=(heat,)),))
    assert server.folder
    assert project.routing
    config = prometheus(Index(catalog), project.routing, ())
    (server.folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    try:
        server.reload()
    except PrometheusError:
        return False
    return True


def test_every_version_loads_the_configuration_and_reads_a_target_without_a_content_type() -> None:
    with answering({"/metrics": (200, "heat 21\n")}) as url, running() as server:
        target = url.removeprefix("http://")
        assert loads(server, PROJECT, target)
        newer = loads(server, replace(PROJECT, prometheus="3.0"), target) or loads(server, PROJECT, target)
        assert newer
        for _ in range(50):
            if found := server.instant("heat"):
                break
            time.sleep(0.2)

    assert [each["value"][1] for each in found] == ["21"]
