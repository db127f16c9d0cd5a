"""The exporters of a world, and the switches of its incidents, on one socket on loopback."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from obsgen.promql.text import number, string
from tests.world.services import Family, is_up
from tests.world.traffic import Timeline


@dataclass(frozen=True)
class Answer:
    """What is answered to a request."""

    status: int
    text: str
    kind: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Exporters:
    """The exporters of all jobs.

    Attributes:
        families: all metrics; each belongs to the job of its source.
        timeline: the incidents.
        born: when the processes started, in Unix seconds.
    """

    families: Sequence[Family]
    timeline: Timeline
    born: float

    def scrape(self, job: str, at: float) -> Answer:
        """Return what the exporter of a job answers at a time."""
        own = [f for f in self.families if f.metric.source is not None and f.metric.source.job == job]
        if not own:
            return Answer(404, f"there is no job {job!r}\n")
        if not is_up(job, at, self.timeline):
            return Answer(503, "out of order\n")
        text = "".join(exposition(own, at))
        start = f"# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {number(self.born)}\n"
        return Answer(200, text + start, "text/plain; version=0.0.4; charset=utf-8")


def exposition(families: Iterable[Family], at: float) -> Iterator[str]:
    """Yield the lines of Prometheus' text format for some metrics at a time."""
    for family in families:
        metric = family.metric
        yield f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.kind}\n"
        for line in family.lines:
            labels = ",".join(f"{name}={string(value)}" for name, value in line.labels.items())
            yield f"{line.name}{{{labels}}} {number(line.value(at))}\n"


@contextlib.contextmanager
def serving(
    exporters: Exporters, status: Callable[[], Mapping[str, Any]], switch: Callable[[str, bool], None], port: int = 0
) -> Iterator[str]:
    """Serve the exporters at `/metrics/JOB`, the switches at `/incident/NAME?on=1`, and the status at `/`.

    Args:
        exporters: what is scraped.
        status: what is known of the world.
        switch: switches an incident on or off; a ValueError says why it cannot.
        port: where to listen; one that is free when 0.

    Yields:
        Its address.
    """

    def get(path: str) -> Answer:
        if path == "/":
            return Answer(200, json.dumps(status(), indent=2) + "\n", "application/json")
        if path.startswith("/metrics/"):
            return exporters.scrape(path.removeprefix("/metrics/"), time.time())
        return Answer(404, "there are /, /metrics/JOB, and POST /incident/NAME?on=1\n")

    def post(path: str, query: Mapping[str, list[str]]) -> Answer:
        wish = query.get("on", ["1"])[-1]
        if not path.startswith("/incident/") or wish not in ("0", "1"):
            return Answer(404, "POST /incident/NAME?on=1 switches an incident on, ?on=0 off\n")
        try:
            switch(path.removeprefix("/incident/"), wish == "1")
        except ValueError as error:
            return Answer(404, f"{error}\n")
        return get("/")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(get(urlsplit(self.path).path))

        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            self._say(post(parts.path, parse_qs(parts.query)))

        def _say(self, answer: Answer) -> None:
            body = answer.text.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=lambda: server.serve_forever(0.05), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
