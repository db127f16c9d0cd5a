"""The rules of a catalog, evaluated on a real Prometheus over time that has passed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from obsgen.index import Index
from obsgen.model import Catalog
from obsgen.promql.metric import seconds
from obsgen.render.rules import rule_files
from tests.prometheus import Prometheus, Series


@dataclass(frozen=True)
class Firing:
    """An alert that fired: its severity, the labels of what fired, and when it began."""

    severity: str
    labels: Mapping[str, str]
    since: float


class Lab:
    """Evaluates the generated rules of a catalog as Prometheus' rule manager would, group by group."""

    def __init__(self, server: Prometheus, catalog: Catalog) -> None:
        self.server = server
        self.groups = [group for file in rule_files(Index(catalog)).values() for group in file["groups"]]

    def given(self, series: Series, until: float) -> None:
        """Write the series, and record what the catalog records of them until a time."""
        self.server.push(series)
        for group in self.groups:
            step = seconds(group["interval"])
            for rule in group["rules"]:
                if "record" in rule:
                    self._record(rule, until, step)

    def _record(self, rule: Mapping[str, Any], until: float, step: float) -> None:
        found = self.server.range(rule["expr"], 0, until, step)
        recorded = {_named(rule["record"], each["metric"]): self._samples(each) for each in found}
        if recorded:
            self.server.push(recorded)

    def _samples(self, result: Mapping[str, Any]) -> list[tuple[float, float]]:
        return [(at - self.server.base, float(value)) for at, value in result["values"]]

    def firing(self, alert: str, until: float) -> list[Firing]:
        """Return what of an alert fired up to a time."""
        found = []
        for group in self.groups:
            step = seconds(group["interval"])
            for rule in group["rules"]:
                if rule.get("alert") == alert:
                    found += self._fired(rule, until, step)
        return found

    def _fired(self, rule: Mapping[str, Any], until: float, step: float) -> list[Firing]:
        hold = seconds(rule.get("for", "0s"))
        fired = []
        for result in self.server.range(rule["expr"], 0, until, step):
            labels = {k: v for k, v in result["metric"].items() if k not in ("__name__", "job", "instance")}
            begun: float | None = None
            last = -step
            for at, _ in self._samples(result):
                begun = at if begun is None or at > last + step else begun
                last = at
                if at - begun >= hold:
                    fired.append(Firing(rule["labels"]["severity"], labels, at))
                    break
        return fired


def _named(name: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{key}="{value}"' for key, value in labels.items() if key != "__name__")
    assert not re.search(r'[,"].*=', "".join(labels.values())), labels
    return f"{name}{{{inside}}}"
