"""A real Alertmanager for tests, and a server in the place of Slack, PagerDuty and webhooks."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import requests
import yaml

from obsgen.prove.server import passed_on

NAMES = ("prometheus-alertmanager", "alertmanager")
BINARY = "OBSGEN_ALERTMANAGER"
Json = dict[str, Any]


def binary() -> str | None:
    """Return the Alertmanager that the environment names, else the one on PATH.

    Debian calls it prometheus-alertmanager.
    """
    named = os.environ.get(BINARY)
    found = next(filter(None, map(shutil.which, (named,) if named else NAMES)), None)
    assert found or not named, f"{BINARY} names {named!r}, which is no executable file"
    return found


@dataclass
class Inbox:
    """What was received, by path: `/slack`, `/pagerduty`, `/webhook`."""

    url: str
    received: list[tuple[str, Json]] = field(default_factory=list)

    def at(self, path: str) -> list[Json]:
        """Return what was received at a path."""
        return [data for where, data in self.received if where == path]

    def wait(self, enough: Callable[[Inbox], bool], seconds: float = 20) -> None:
        """Wait until enough was received."""
        begun = time.monotonic()
        while not enough(self):
            assert time.monotonic() - begun < seconds, self.received
            time.sleep(0.05)


@contextlib.contextmanager
def inbox() -> Iterator[Inbox]:
    """Serve in the place of everybody who is told."""
    received: list[tuple[str, Json]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            received.append((self.path, json.loads(text)))
            # Slack answers `ok`, and Alertmanager 0.34 looks for it.
            status, said = (200, b"ok") if self.path == "/slack" else (202 if self.path == "/pagerduty" else 200, b"{}")
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield Inbox(f"http://127.0.0.1:{server.server_port}", received)
        server.shutdown()


@dataclass(frozen=True)
class Alertmanager:
    """A running Alertmanager."""

    url: str
    log: Path

    def post(
        self, alerts: Sequence[Mapping[str, str]], annotations: Mapping[str, str], *, resolved: bool = False
    ) -> None:
        """Raise alerts, or end them."""
        now = datetime.now(UTC)
        # Of alerts older than its wait Alertmanager tells at once, without the others of the same request.
        starts = now - timedelta(minutes=1) if resolved else now
        ends = now - timedelta(seconds=1) if resolved else now + timedelta(minutes=5)
        body = [
            {
                "labels": dict(labels),
                "annotations": dict(annotations),
                "startsAt": starts.isoformat(),
                "endsAt": ends.isoformat(),
            }
            for labels in alerts
        ]
        requests.post(f"{self.url}/api/v2/alerts", json=body, timeout=10).raise_for_status()

    def alerts(self) -> list[Json]:
        """Return the alerts that it knows, with their receivers and whether they are inhibited."""
        return list(requests.get(f"{self.url}/api/v2/alerts", timeout=10).json())


def at_inbox(folder: Path, source: Path, box: Inbox, *, inhibit: bool = True, quick: bool = True) -> Path:
    """Write a generated configuration so that everybody who is told is the inbox, and told at once."""
    shutil.copytree(source / "templates", folder / "templates")
    config = yaml.safe_load((source / "alertmanager.yml").read_text())
    if not inhibit:
        del config["inhibit_rules"]
    (folder / "slack").write_text(f"{box.url}/slack")
    for receiver in config["receivers"]:
        for slack in receiver.get("slack_configs", ()):
            slack["api_url_file"] = str(folder / "slack")
        for pager in receiver.get("pagerduty_configs", ()):
            key = folder / Path(pager["routing_key_file"]).name
            key.write_text(key.name)
            pager |= {"routing_key_file": str(key), "url": f"{box.url}/pagerduty"}
        for hook in receiver.get("webhook_configs", ()):
            hook["url"] = f"{box.url}/webhook"
    for route in (config["route"], *config["route"]["routes"]) if quick else ():
        route |= {"group_wait": "300ms", "group_interval": "1s"}
        route.pop("active_time_intervals", None)
    path = folder / "alertmanager.yml"
    path.write_text(yaml.safe_dump(config))
    return path


@contextlib.contextmanager
def running(config: Path, folder: Path, program: str | None = None, port: int = 0) -> Iterator[Alertmanager]:
    """Start an Alertmanager on loopback with private storage, and stop it whatever happens.

    Args:
        config: its configuration.
        folder: where its files are.
        program: its binary; the one that `binary` finds when left out.
        port: where it listens; one that is free when left out.
    """
    program = program or binary()
    assert program, "no Alertmanager on PATH; on Debian: apt-get install prometheus-alertmanager"
    if not port:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
    log = folder / "alertmanager.log"
    command = [
        program,
        f"--config.file={config}",
        f"--storage.path={folder / 'alertmanager-data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env=passed_on()) as process:
        server = Alertmanager(f"http://127.0.0.1:{port}", log)
        try:
            _wait(server, process)
            yield server
        finally:
            process.terminate()


def _wait(server: Alertmanager, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, server.log.read_text()
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(f"{server.url}/-/ready", timeout=5).ok:
                return
        time.sleep(0.05)
    raise AssertionError(server.log.read_text())
