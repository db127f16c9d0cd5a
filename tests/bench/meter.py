"""What a stage of a run or a whole command takes: CPU time, time by the clock, memory."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MEGA = 1_000_000
START = "start, imports"
BETWEEN = "between"
"""What a benchmark itself does between two stages."""
_RSS_BYTES = 1 if sys.platform == "darwin" else 1024  # what one of `ru_maxrss` stands for


@dataclass(slots=True)
class Spent:
    """What something took: seconds of CPU, seconds by the clock, and the process's peak memory at its end in MB."""

    cpu: float = 0.0
    wall: float = 0.0
    peak: float = 0.0


class Meter:
    """Divides the time of this process among named stages.

    A stage inside of another one is taken out of it: no time counts twice.

    Args:
        since: when the process was started, in seconds since the epoch. All time until the first stage counts as
            `START`.

    Attributes:
        stages: what each stage took, in the order in which they ended.
    """

    def __init__(self, since: float) -> None:
        self.stages: dict[str, Spent] = {}
        self._now = START
        self._cpu, self._wall = 0.0, since

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens inside under a name, together with what was counted under it before."""
        outer = self._switch(name)
        try:
            yield
        finally:
            self._switch(BETWEEN if outer == START else outer)

    def _switch(self, name: str) -> str:
        cpu, wall = time.process_time(), time.time()
        before = self._now
        spent = self.stages[before] = self.stages.pop(before, Spent())
        spent.cpu += cpu - self._cpu
        spent.wall += wall - self._wall
        spent.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_BYTES / MEGA
        self._now, self._cpu, self._wall = name, cpu, wall
        return before


def run(arguments: Sequence[str]) -> tuple[Spent, str]:
    """Run Python as a new process; return what it took, its start included, and what it wrote to standard output.

    On Linux a process starts with the peak memory of the one that started it, so whoever calls this has to be small.

    Raises:
        SystemExit: it failed; the message is what it wrote to standard error.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        started = time.time()
        process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=out, stderr=err)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.time() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            err.seek(0)
            raise SystemExit(f"python {' '.join(arguments)} failed with {process.returncode}:\n{err.read()}")
        out.seek(0)
        return Spent(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * _RSS_BYTES / MEGA), out.read()


def least(arguments: Sequence[str], *, patience: float = 10.0, runs: int = 5) -> Spent:
    """Return what the cheapest of several runs of Python took: what else the machine does can only add to it.

    Args:
        arguments: as of `run`; `{new}` in one of them becomes the path of a folder that does not exist.
        patience: seconds of CPU after which it is not run again.
        runs: how often it is run at most.
    """
    found: list[Spent] = []
    while not found or (len(found) < runs and sum(spent.cpu for spent in found) < patience):
        with tempfile.TemporaryDirectory() as scratch:
            new = str(Path(scratch, "new"))
            found.append(run([argument.replace("{new}", new) for argument in arguments])[0])
    return min(found, key=lambda spent: spent.cpu)
