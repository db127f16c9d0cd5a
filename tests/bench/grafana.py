"""The benchmark of `obsgen grafana`: `python -m tests.bench.grafana`.

Plans and syncs 500 dashboards against a double of Grafana in a process of its own, which answers each request after
20 ms; obsgen has eight connections to it. The dashboards are VectoBeat's, many times over. Whole commands are measured,
their start included, and the requests are counted by the double.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from obsgen.style import json_text
from obsgen.tree import MANIFEST, manifest
from tests.bench.text import say, table
from tests.grafana.double import P12, TOKEN, Double
from tests.grafana.server import Server

DASHBOARDS = 500
LATENCY = 0.02
CONNECTIONS = 8
GOAL = 4.0
GENERATED = Path(__file__).parents[2] / "generated"
RUNS = (
    ("sync, all new", "30s", "sync", 0),
    ("plan, nothing changed", "30s", "plan", 0),
    ("sync, all changed", "1m", "sync", 0),
    ("sync, nothing changed", "1m", "sync", 0),
)


def main() -> None:
    """Run everything and print it."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,))
    server.start()
    url, rows = ours.recv(), []
    try:
        with tempfile.TemporaryDirectory() as name:
            for title, refresh, command, expected in RUNS:
                size = _write(Path(name, "generated"), refresh)
                took = _run(Path(name), url, command, expected)
                ours.send("count")
                reads, writes, most = ours.recv()
                alone = (reads + writes) * LATENCY / CONNECTIONS
                rows.append((title, f"{reads:,}", f"{writes:,}", f"{most}", f"{took:.2f}", f"{alone:.2f}"))
    finally:
        ours.send("stop")
        server.join()
    say(f"{DASHBOARDS} dashboards, {size / 1e6:.1f} MB; {LATENCY * 1000:.0f} ms a request, {CONNECTIONS} connections")
    say(table(("command", "reads", "writes", "at once", "wall s", "latency alone"), rows))
    say(f"goal, all changed: {GOAL} s")


def _serve(pipe: Connection) -> None:
    """Run the double until somebody says stop."""
    with Server(Double(P12), latency=LATENCY) as server:
        pipe.send(server.url)
        while pipe.recv() != "stop":
            writes = sum(request.writes for request in server.requests)
            pipe.send((len(server.requests) - writes, writes, server.most_open))
            server.requests.clear()


def _write(folder: Path, refresh: str) -> int:
    """Write artifacts with many dashboards, and return the bytes of all of them."""
    known = [json.loads(path.read_text()) for path in sorted(GENERATED.glob("grafana/dashboards/*.json"))]
    project = {"name": "bench", "title": "Bench", "docs_url": "", "grafana_url": ""}
    files = {"catalog.json": json_text({"project": project})}
    for number in range(DASHBOARDS):
        content = {**known[number % len(known)], "uid": f"bench-{number}", "title": f"Bench {number}"}
        files[f"grafana/dashboards/{number}.json"] = json_text({**content, "refresh": refresh}, sort_keys=True)
    for path, text in {**files, MANIFEST: manifest("bench", files)}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return sum(map(len, files.values()))


def _run(folder: Path, url: str, command: str, expected: int) -> float:
    """Return the seconds of a command by the clock."""
    shell = {**os.environ, "GRAFANA_URL": url, "GRAFANA_TOKEN": TOKEN, "CI": "true"}
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "obsgen", "grafana", command],
        cwd=folder,
        env=shell,
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - begun
    if done.returncode != expected:
        raise SystemExit(f"obsgen grafana {command}: {done.returncode}\n{done.stdout[-2_000:]}{done.stderr}")
    return took


if __name__ == "__main__":
    main()
