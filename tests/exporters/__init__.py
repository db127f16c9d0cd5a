"""Exporters of the same metrics with real client libraries: what they expose, and what their work adds."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from obsgen.prove.server import passed_on

BOUNDS = (0.005, 250.0, 1e6, 3.6e6, 86_400_000.0)
"""Of the histogram's buckets, in milliseconds: from 5 microseconds to a day."""
WORK = {0.004: 1, 249.0: 2, 999_999.0: 4, 3_600_000.0: 8, 3_600_001.0: 16, 86_400_001.0: 32}
"""What is observed: so many times each value."""
JOBS, FAILED = 20, 3
"""What is counted. The series of failures begins with the first of them."""
COMMANDS = {
    "python": (sys.executable, str(Path(__file__).with_name("exporter.py"))),
    "node": ("node", str(Path(__file__).with_name("exporter.js"))),
}


def missing(language: str) -> str:
    """Return what there is to install before the exporter in a language runs; nothing where all is there."""
    if language == "python":
        return ""
    if which("node") is None:
        return "Node.js"
    found = subprocess.run(["node", "-e", "require('prom-client')"], capture_output=True, env=_environment())
    return "" if found.returncode == 0 else 'prom-client: eval "$(.ci/servers)"'


def _environment() -> dict[str, str]:
    return passed_on() | {name: os.environ[name] for name in ("NODE_PATH",) if name in os.environ}


@dataclass(frozen=True)
class Exporter:
    """A running exporter.

    Args:
        target: its host and port.
        process: it.
    """

    target: str
    process: subprocess.Popen[str]

    def work(self) -> None:
        """Make it observe and count, once."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"jobs": JOBS, "failed": FAILED, "waits": list(WORK.items())}) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"


@contextlib.contextmanager
def exporting(language: str) -> Iterator[Exporter]:
    """Start the exporter in a language on loopback, and stop it whatever happens. It says its port on its first line.

    Args:
        language: a key of `COMMANDS`.
    """
    command = [*COMMANDS[language], *map(str, BOUNDS)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=_environment()) as process:
        try:
            assert process.stdout
            port = process.stdout.readline().strip()
            assert port, f"the exporter does not start: {' '.join(command)}"
            yield Exporter(f"127.0.0.1:{port}", process)
        finally:
            process.kill()
