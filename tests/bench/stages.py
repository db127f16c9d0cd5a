"""One whole run of obsgen, stage by stage: `python -m tests.bench.stages STARTED DEFINITIONS OUTPUT`.

Runs in a process of its own, so that the peak memory is that of one run, and prints a `Report` as JSON.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

from obsgen import artifacts, swap, tree, validate
from obsgen.checks import check
from obsgen.expand import expand
from obsgen.load import load
from obsgen.model.catalog import Catalog
from tests.bench.meter import MEGA, Meter, Spent

# obsgen imports these when it gets there. Here they come first, so that they count as imports and not as rendering.
LATER = ("jsonschema", "obsgen.render.dashboards", "yaml")


@dataclass(frozen=True)
class Report:
    """What the stages took, and what they made."""

    stages: dict[str, Spent]
    files: int
    size: float


def main() -> None:
    """Measure, and print the report."""
    gc.disable()  # as the command does
    for name in LATER:
        import_module(name)
    started, definitions, output = sys.argv[1:]
    report = measure(Meter(float(started)), Path(definitions), Path(output))
    sys.stdout.write(json.dumps(asdict(report)))


def measure(meter: Meter, definitions: Path, output: Path) -> Report:
    """Make the artifacts of a folder of definitions, write them, and look for changes once more.

    Raises:
        SystemExit: the definitions have problems, or there are changes after everything was written.
    """
    catalog = _catalog(meter, definitions)
    files = _artifacts(meter, catalog)
    with meter.stage("write"):
        swap.write(output, catalog.project.name, files)
    with meter.stage("compare"):
        changes = tree.compare(output, catalog.project.name, files)
    if changes:
        raise SystemExit(f"{len(changes)} files differ right after they were written")
    return Report(meter.stages, len(files), sum(len(text.encode()) for text in files.values()) / MEGA)


def _catalog(meter: Meter, definitions: Path) -> Catalog:
    with meter.stage("load"):
        loaded = load(definitions)
    problems = list(loaded.problems)
    if loaded.catalog is not None:
        with meter.stage("check"):
            catalog = expand(loaded.catalog)
            problems += check(catalog)
    if problems:
        raise SystemExit("\n".join(map(str, problems)))
    return catalog


def _artifacts(meter: Meter, catalog: Catalog) -> dict[str, str]:
    """Return the artifacts: what is spent neither in a renderer nor on validating is spent on serializing."""
    parts = (
        ("render rules", artifacts, "rule_files", _whole),
        ("render dashboards", import_module("obsgen.render.dashboards"), "dashboards", _piecewise),
        ("render docs", artifacts, "docs", _whole),
        ("render catalog.json", artifacts, "catalog", _whole),
        ("validate", validate, "fits_schema", _whole),
        ("validate", validate, "is_promql", _whole),
        ("validate", validate, "links_hold", _whole),
    )
    with ExitStack() as patches, meter.stage("serialize"):
        for stage, module, name, measured in parts:
            patches.enter_context(patch.object(module, name, measured(meter, stage, getattr(module, name))))
        return artifacts.artifacts(catalog)


def _whole(meter: Meter, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def measured(*args: Any) -> Any:
        with meter.stage(stage):
            return function(*args)

    return measured


def _piecewise(meter: Meter, stage: str, function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """Measure a generator, which works only while it is asked for its next result."""

    def measured(*args: Any) -> Iterator[Any]:
        results = function(*args)
        while True:
            with meter.stage(stage):
                each = next(results, None)
            if each is None:
                return
            yield each

    return measured


if __name__ == "__main__":
    main()
