"""What rules cost a server: samples read and time of evaluation."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.past import Rule
from tests.bench.pods import MINUTE
from tests.bench.prometheus import Prometheus
from tests.bench.text import progress

BLOCKS = ("--storage.tsdb.max-block-duration=3d",)
"""As with a retention of 30 days, of which a block spans a tenth at most."""
SETTLED = 4
"""Seconds without a new block after which there will be none."""
RUNS = 3


@dataclass
class Cost:
    """What a set of rules takes: samples read and milliseconds of evaluation, both a minute; the most of one rule."""

    rules: int = 0
    samples: float = 0
    milliseconds: float = 0
    peak: int = 0


def cut_blocks(server: Prometheus, end: float) -> None:
    """Wait until Prometheus has cut blocks and merged them."""
    progress("cutting blocks")
    server.push({"written": [(end, 1)]})  # it looks for blocks to cut when something is written
    blocks: set[str] = set()
    quiet = 0
    while quiet < SETTLED:
        time.sleep(1)
        now = {path.name for path in (server.folder / "data").iterdir()}
        busy = now != blocks or any("tmp" in name for name in now)
        blocks, quiet = now, 0 if busy else quiet + 1
    assert any(path.name == "meta.json" for path in (server.folder / "data").glob("*/*")), "no blocks were cut"


def cost(server: Prometheus, rules: Sequence[Rule], at: float) -> Cost:
    """Return what rules take at a time."""
    found = Cost(rules=len(rules))
    for rule in rules:
        runs = [server.cost(rule.expr, at) for _ in range(RUNS)]
        samples, spent = runs[0][0], min(spent for _, spent in runs)
        found.samples += samples * MINUTE / rule.every
        found.milliseconds += spent * 1000 * MINUTE / rule.every
        found.peak = max(found.peak, samples)
    return found
