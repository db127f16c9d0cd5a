"""When a Prometheus evaluates its groups: found out from one that it evaluates every second."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from obsgen.prometheus import Prometheus
from obsgen.style import yaml_text
from tests.bench.prometheus import direct
from tests.world.catalog import Layout

NAME = "probe"
PATIENCE = 20.0


def probe(folder: Path) -> Path:
    """Write the rule file with the group that is looked at, and return its path. It records nothing."""
    path = folder / f"{NAME}.yml"
    rule = {"record": "probe", "expr": "vector(1) > 1"}
    path.write_text(yaml_text({"groups": [{"name": NAME, "interval": "1s", "rules": [rule]}]}, "A probe."))
    return path


def layout(server: Prometheus, path: Path) -> Layout:
    """Return how a Prometheus with the probe lays labels out.

    Args:
        server: the Prometheus.
        path: the rule file of the probe.
    """
    begun = time.monotonic()
    while (seen := evaluated(server, NAME)) is None:
        assert time.monotonic() - begun < PATIENCE, "the probe is not evaluated"
        time.sleep(0.1)
    # An evaluation begins at its time or a little later, never earlier.
    return min(Layout, key=lambda each: (seen - each.offset(NAME, str(path), 1.0)) % 1.0)


def evaluated(server: Prometheus, group: str) -> float | None:
    """Return when a group was evaluated last, in Unix seconds; None where it was not yet."""
    answer = direct().get(f"{server.url}/api/v1/rules", timeout=10)
    times = (each["lastEvaluation"] for each in answer.json()["data"]["groups"] if each["name"] == group)
    return next((datetime.fromisoformat(at).timestamp() for at in times if not at.startswith("0001")), None)
