"""A world: its past written, its exporters scraped, its rules evaluated, its incidents switched while it runs."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from obsgen.model import Catalog
from obsgen.model.rule import ALERT_INTERVAL
from obsgen.prometheus import Prometheus
from tests import alertmanager as alerting
from tests.bench.prometheus import binary, free_port, running
from tests.conftest import ROOT
from tests.world.catalog import configuration, live_catalog, write_rules
from tests.world.exporter import Exporters, serving
from tests.world.history import History
from tests.world.layout import layout, probe
from tests.world.services import families
from tests.world.traffic import DAY, Timeline

INCIDENTS = ("slow-shard", "node-down", "api-5xx", "automation-failing", "sla-violations", "bot-down")
ALL, NONE = "all", "none"
LASTED = 2 * 3600.0 + 300
"""Seconds for which an incident has lasted when a world begins with it."""
UNSEEN = 900.0
"""Seconds for which the bot has been down when a world begins with all incidents: it takes the shards' with it."""
HURRIED = "5s"
"""How often a quick world scrapes and evaluates alerts."""
MINUTE = 60.0
PAST = (
    ("bot-down", 13.2, 6 * MINUTE),
    ("slow-shard", 11.4, 25 * MINUTE),
    ("api-5xx", 9.3, 40 * MINUTE),
    ("sla-violations", 8.1, 25 * MINUTE),
    ("node-down", 6.6, 12 * MINUTE),
    ("automation-failing", 5.2, 80 * MINUTE),
)
"""What is over: how many days ago each incident began, and for how many seconds it lasted. No window but that of 30
days reaches back so far."""
FLAGS = (
    "--web.enable-lifecycle",
    # All samples of a series may be written in their order, however old they are: nothing is cut into blocks.
    "--storage.tsdb.min-block-duration=99y",
    "--storage.tsdb.max-block-duration=99y",
    # What alerts were pending for before the start counts.
    "--rules.alert.for-grace-period=0s",
    # The first alerts are sent before it has found its Alertmanager: not to wait a minute for the second time.
    "--rules.alert.resend-delay=5s",
    "--query.max-samples=200000000",
)

Json = dict[str, Any]
Say = Callable[[str], None]


@dataclass(frozen=True)
class World:
    """A running world.

    Attributes:
        prometheus_url: of its Prometheus.
        alertmanager_url: of its Alertmanager; None without any.
        control_url: where its incidents are switched, and its exporters scraped.
        catalog: the catalog whose rules it evaluates: all sources are live.
        timeline: its incidents.
    """

    prometheus_url: str
    alertmanager_url: str | None
    control_url: str
    catalog: Catalog
    timeline: Timeline

    def set(self, name: str, on: bool) -> None:
        """Switch an incident, or `all` of them, on or off.

        Raises:
            ValueError: there is no such incident.
        """
        switch(self.timeline, name, on)


def switch(timeline: Timeline, name: str, on: bool) -> None:
    """Switch an incident, or `all` of them, on or off now."""
    for each in named(name):
        (timeline.begin if on else timeline.end)(each, time.time())


def named(incident: str) -> tuple[str, ...]:
    """Return the incidents that a name means.

    Raises:
        ValueError: there is no such incident.
    """
    if incident not in (*INCIDENTS, ALL, NONE):
        raise ValueError(f"there is no incident {incident!r}; there are {', '.join(INCIDENTS)}, {ALL} and {NONE}")
    return {ALL: INCIDENTS, NONE: ()}.get(incident, (incident,))


def fixed(port: int) -> tuple[int, int, int]:
    """Return a port and the next two.

    Raises:
        ValueError: one is taken. Whoever answers there would be taken for ours, and be given the history.
    """
    ports = port, port + 1, port + 2
    for each in ports:
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", each))
            except OSError:
                raise ValueError(f"port {each} is taken; a world needs {ports[0]} to {ports[2]}: name others") from None
    return ports


def timeline_of(incident: str, begin: float, now: float) -> Timeline:
    """Return the incidents of a world that begins with some.

    Args:
        incident: the one that goes on; `all` or `none`.
        begin: when its past begins. What is over has been at least a day later.
        now: when it ends.
    """
    made = Timeline()
    for name, ago, lasted in PAST:
        at = now - ago * DAY
        if at > begin + DAY:
            made.begin(name, at, at + lasted)
    for name in named(incident):
        made.begin(name, now - (UNSEEN if incident == ALL and name == "bot-down" else LASTED))
    return made


@contextmanager
def world(
    incident: str = NONE,
    days: float = 17,
    *,
    prometheus: str = "",
    alertmanager: str = "",
    port: int = 0,
    quick: bool = False,
    say: Say = lambda text: None,
) -> Iterator[World]:
    """Start a world, and stop it and take it away whatever happens.

    Args:
        incident: what goes on since two hours: a name of `INCIDENTS`, `all` or `none`.
        days: how long its past is.
        prometheus: the binary; that of `OBSGEN_PROMETHEUS`, else the one on PATH when left out.
        alertmanager: the binary; found likewise. Without any there is no Alertmanager.
        port: of the exporters and the switches; the next two are Prometheus' and Alertmanager's. Free ones when 0.
        quick: whether it scrapes and evaluates alerts every few seconds once it runs, for tests that cannot wait.
        say: is told what is being done.

    Raises:
        ValueError: there is no such incident, or a port is taken.
    """
    named(incident)
    program, ports = binary(prometheus), fixed(port) if port else (0, free_port(), 0)
    now = time.time()
    begin = now - days * DAY
    timeline = timeline_of(incident, begin, now)
    catalog = live_catalog()
    metrics = families(begin, timeline)
    urls: dict[str, str | None] = {}

    def status() -> Mapping[str, Any]:
        going_on = [name for name in INCIDENTS if timeline.active(name, time.time())]
        return {"incidents": going_on, "days": days, **urls}

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="obsgen-world-")))
        exporters = Exporters(metrics, timeline, begin)
        control = stack.enter_context(serving(exporters, status, lambda n, on: switch(timeline, n, on), ports[0]))
        alerts = _alertmanager(stack, folder, alertmanager, ports[2])
        with _started(folder, program, {"rule_files": [str(probe(folder))]}) as server:
            groups = write_rules(catalog, folder / "rules", layout(server, folder / "probe.yml"))
            history = History(catalog, groups, metrics, timeline, begin, now)
            say(f"writing {days:g} days of history")
            history.catch_up(server, time.time())
            say("writing what has happened meanwhile, and the alerts that were raised")
            history.catch_up(server, time.time())
            history.raise_alerts(server)
        say("starting Prometheus with the rules")
        own = f"127.0.0.1:{ports[1]}"
        config = configuration(catalog, _host(control), own, _host(alerts) if alerts else None)
        if quick:
            _hurry(config, folder / "rules")
        # What it evaluates by itself from now on must not be written twice.
        launched = time.time()
        server = stack.enter_context(_started(folder, program, config, ports[1]))
        history.catch_up(server, launched)
        urls |= {"prometheus": server.url, "alertmanager": alerts, "control": control}
        yield World(server.url, alerts, control, catalog, timeline)


@contextmanager
def _started(folder: Path, program: str, config: Json, port: int = 0) -> Iterator[Prometheus]:
    with running(folder, program, yaml.safe_dump(config), FLAGS, port) as server:
        yield Prometheus(server.url, folder)


def _hurry(config: Json, rules: Path) -> None:
    """Make a configuration and its rules scrape and evaluate more often what they do most often."""
    for job in config["scrape_configs"]:
        job["scrape_interval"] = HURRIED
    for path in rules.iterdir():
        path.write_text(path.read_text().replace(f"interval: {ALERT_INTERVAL}\n", f"interval: {HURRIED}\n"))


def _alertmanager(stack: ExitStack, folder: Path, program: str, port: int) -> str | None:
    """Start an Alertmanager that tells an inbox of ours, and return its address; None where there is no binary."""
    found = program or alerting.binary()
    if found is None:
        return None
    box = stack.enter_context(alerting.inbox())
    own = folder / "alertmanager"
    own.mkdir()
    config = alerting.at_inbox(own, ROOT / "generated/alertmanager", box, quick=False)
    return stack.enter_context(alerting.running(config, own, found, port)).url


def _host(url: str) -> str:
    return urlsplit(url).netloc
