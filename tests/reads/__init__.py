"""What a person reads on panels: their field configuration run through Grafana's own code, `@grafana/data` from npm."""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any

from obsgen.prove.server import passed_on

FOLDERS = [Path(folder) for folder in os.environ.get("OBSGEN_GRAFANA_DATA", "").split(os.pathsep) if folder]
"""Where npm put @grafana/data and jsdom, one folder for each version of Grafana."""
ABSENT: tuple[float | None, ...] | None = None
"""The values of a query that returns no series at all."""


def missing() -> str:
    """Return what there is to install before panels can be read; nothing where all is there."""
    if which("node") is None:
        return "Node.js"
    found = FOLDERS and all((folder / name).is_dir() for folder in FOLDERS for name in ("@grafana/data", "jsdom"))
    return "" if found else '@grafana/data: eval "$(.ci/servers)"'


@dataclass(frozen=True)
class Frame:
    """One series that a query of a panel returns.

    Args:
        values: from the oldest to the newest, None where there is none; `ABSENT` for a query that returns no series.
        ref: of the query.
        labels: of the series.
    """

    values: Sequence[float | None] | None
    ref: str = "A"
    labels: Mapping[str, str] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it in the shape of `read.js`; JSON has no NaN and no infinity, so that numbers are texts there."""
        values = None if self.values is None else [None if v is None else _javascript(v) for v in self.values]
        return {"ref": self.ref, "labels": dict(self.labels or {}), "values": values}


def _javascript(value: float) -> str:
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return "NaN" if math.isnan(value) else repr(value)


@dataclass(frozen=True)
class Read:
    """One thing that a person reads on a panel.

    Args:
        name: what it is called: the title of a number, the head of a column, the legend of a line.
        text: what stands there.
        colour: the name of its colour in Grafana, its hex code where it has none; None for what is not coloured.
        hex: its hex code in the dark theme.
        threshold: the colour that it stands in where thresholds are drawn behind lines.
    """

    name: str
    text: str
    colour: str | None
    hex: str | None
    threshold: str | None = None

    @property
    def said(self) -> tuple[str, str | None]:
        """Its text and its colour."""
        return self.text, self.colour


@dataclass(frozen=True)
class Reader:
    """A running `read.js`.

    Args:
        version: of Grafana, as (9, 3, 16).
        process: it.
    """

    version: tuple[int, ...]
    process: subprocess.Popen[str]

    def __call__(self, panel: Mapping[str, Any], *frames: Frame) -> list[Read]:
        """Return what is read on a panel in the order in which it stands there: columns of a table one by one."""
        return self.all([(panel, frames)])[0]

    def all(self, asked: Sequence[tuple[Mapping[str, Any], Sequence[Frame]]]) -> list[list[Read]]:
        """Return what is read on each of several panels."""
        assert self.process.stdin
        assert self.process.stdout
        request = [{"panel": panel, "frames": [frame.as_json() for frame in frames]} for panel, frames in asked]
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "read.js ended: its reason stands on stderr"
        answers = json.loads(line)
        failed = [answer["error"] for answer in answers if isinstance(answer, dict)]
        assert not failed, failed[0]
        return [[Read(**each) for each in answer] for answer in answers]


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[Reader]:
    """Start `read.js` on the packages in a folder, and stop it whatever happens."""
    version = json.loads((folder / "@grafana/data/package.json").read_text())["version"]
    command = ["node", str(Path(__file__).with_name("read.js")), str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=passed_on()) as process:
        try:
            yield Reader(tuple(map(int, version.split("."))), process)
        finally:
            process.kill()
