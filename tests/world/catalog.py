"""VectoBeat's catalog as it will be once all its sources are live, and its rule groups as Prometheus evaluates them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import xxhash

from obsgen.expand import expand
from obsgen.index import Index
from obsgen.load import load
from obsgen.model import Catalog
from obsgen.promql import SourceStatus
from obsgen.promql.metric import seconds
from obsgen.promql.source import EXPOSED
from obsgen.prove.rules import Rule, read
from obsgen.render.prometheus import prometheus
from obsgen.render.rules import rule_files
from obsgen.style import yaml_text
from tests.conftest import ROOT

Json = dict[str, Any]


def live_catalog(definitions: Path = ROOT / "definitions") -> Catalog:
    """Return the catalog of a folder, expanded, with all sources live and all metrics exposed as it says."""
    loaded = load(definitions)
    assert loaded.catalog is not None, loaded.problems
    # What was loaded is ours alone: each load makes its own objects, which refer to each other all over the catalog.
    for source in loaded.catalog.sources:
        object.__setattr__(source, "status", SourceStatus.LIVE)
    for metric in loaded.catalog.metrics:
        object.__setattr__(metric, "exposure", EXPOSED)
    return expand(loaded.catalog)


@dataclass(frozen=True)
class Group:
    """A rule group.

    Attributes:
        interval: seconds from one evaluation to the next.
        offset: seconds from a multiple of the interval to an evaluation.
        rules: in their order.
    """

    interval: float
    offset: float
    rules: tuple[Rule, ...]


class Layout(Enum):
    """How a build of Prometheus lays labels out in memory. It hashes that, and so places its groups."""

    SLICES = "slices"
    STRING = "string"
    """Since 2.44, where the build does not say otherwise."""

    def offset(self, name: str, file: str, interval: float) -> float:
        """Return how many seconds after a multiple of its interval Prometheus evaluates a group.

        Args:
            name: of the group.
            file: path of its file, as Prometheus was given it.
            interval: in seconds.
        """
        parts = [part.encode() for part in ("file", file, "name", name)]
        if self is Layout.SLICES:
            text = b"".join(part + b"\xff" for part in parts)
        else:
            assert all(len(part) < 128 for part in parts), "longer texts have a length of several bytes"
            text = b"".join(bytes((len(part),)) + part for part in parts)
        return int(xxhash.xxh64_intdigest(text)) % round(interval * 1e9) // 1_000_000 / 1000


def write_rules(catalog: Catalog, folder: Path, layout: Layout) -> tuple[Group, ...]:
    """Write the rule files of a catalog into a folder, and return their groups.

    Args:
        catalog: the catalog.
        folder: where to; it is made.
        layout: of the Prometheus that will evaluate them.
    """
    folder.mkdir()
    return tuple(_written(rule_files(Index(catalog)), folder, layout))


def _written(files: Mapping[str, Json], folder: Path, layout: Layout) -> Iterator[Group]:
    for place, data in files.items():
        path = folder / Path(place).name
        path.write_text(yaml_text(data, "Made of the definitions, all sources live."), encoding="utf-8")
        for group in data["groups"]:
            interval = seconds(group["interval"])
            rules = tuple(read(rule, group["interval"]) for rule in group["rules"])
            yield Group(interval, layout.offset(group["name"], str(path), interval), rules)


def configuration(catalog: Catalog, exporters: str, own: str, alertmanager: str | None) -> Json:
    """Return the generated configuration of Prometheus with the hosts that there are here.

    Args:
        catalog: the catalog, all its sources live.
        exporters: host and port at which the exporter of a job answers at `/metrics/JOB`.
        own: host and port of the Prometheus.
        alertmanager: host and port of the Alertmanager, if there is one.
    """
    routing = catalog.project.routing
    assert routing is not None
    config = prometheus(Index(catalog), routing, ("rules/*.yml",))
    hosts = instances(catalog)
    for job in config["scrape_configs"]:
        name = job["job_name"]
        known = hosts.get(name, routing.prometheus)
        job.pop("file_sd_configs", None)
        job["static_configs"] = [{"targets": [exporters if name in hosts else own]}]
        # What people read is the name that the target has in the definitions.
        job["relabel_configs"] = [{"target_label": "instance", "replacement": known}]
        if name in hosts:
            job["metrics_path"] = f"/metrics/{name}"
    config["alerting"].pop("alertmanagers")
    if alertmanager is not None:
        config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [alertmanager]}]}]
    return config


def instances(catalog: Catalog) -> dict[str, str]:
    """Return the instance of every job."""
    return {source.job: (*source.targets, f"{source.name}:9100")[0] for source in catalog.sources}
