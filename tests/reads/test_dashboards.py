"""What a person reads on every panel of every dashboard: general truths, whatever the panel is about."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from obsgen.budgets.dashboard import NOT_BURNING
from obsgen.expand import expand
from obsgen.index import Index
from obsgen.layout import place
from obsgen.load import load
from obsgen.model import AlertList, Level, Panel, Query, StateTimeline
from obsgen.model.rule import Comparison
from obsgen.model.severity import Severity
from obsgen.promql import Gauge, Unit
from obsgen.promql.infer import core
from obsgen.render.fields import PLANNED
from tests.conftest import ROOT
from tests.reads import ABSENT, Frame, Read, Reader

pytestmark = pytest.mark.reads

CATALOGS = {
    ROOT / "generated": ROOT / "definitions",
    ROOT / "tests/golden/greenhouse": ROOT / "tests/catalogs/greenhouse",
}
FILES = [path for made in CATALOGS for path in sorted((made / "grafana/dashboards").glob("*.json"))]
KINDS = ("stat", "gauge", "bargauge", "table", "timeseries", "state-timeline")
"""Panels that show the values of series, one by one."""
OTHERS = ("row", "text", "alertlist", "heatmap")
ABSENCES = (NOT_BURNING, PLANNED)
"""What else has no value: a column that says what that means, and a panel that waits for its metrics."""
UNKNOWN: tuple[float | None, ...] = (None, math.nan)
KNOWN = (0.0, 0.0003, 0.5, 1.0, 42.0, 86_400.0, 123_456_789.0, -3.0, math.inf)
ALARMING = {Severity.CRITICAL: "red", Severity.WARNING: "orange", Severity.INFO: "blue"}


@dataclass(frozen=True)
class Shown:
    """A panel of a dashboard.

    Args:
        panel: what the catalog says of it.
        json: what became of it.
        index: the catalog's.
    """

    panel: Panel
    json: Mapping[str, Any]
    index: Index

    @property
    def is_drawn(self) -> bool:
        """Whether it is a graph, on which a value that is not known is a gap."""
        return bool(self.json["type"] == "timeseries")

    def frames(self, value: float | None, of: Query | None = None) -> list[Frame]:
        """Return frames in which a query has one value; all have it where none is named, else the others nothing."""
        found = []
        for target, query in zip(self.json["targets"], self.panel.queries, strict=True):
            values = [value] if of is None or of is query else ABSENT
            found.append(Frame(values, target["refId"], {"node": "n1"}))
        return found

    def absent(self) -> list[Frame]:
        """Return what its queries return where none has a series."""
        return [Frame(ABSENT, target["refId"]) for target in self.json["targets"]]

    def values(self, read: list[Read]) -> list[Read]:
        """Return what was read of values: without the labels in a table."""
        return [each for each in read if self.json["type"] != "table" or each.text != "n1"]


@cache
def _index(definitions: Path) -> Index:
    catalog = load(definitions).catalog
    assert catalog
    return Index(expand(catalog))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def shown(request: pytest.FixtureRequest) -> list[Shown]:
    """The panels of a dashboard that show values of series, those in collapsed rows among them."""
    path: Path = request.param
    index = _index(CATALOGS[path.parents[2]])
    dashboard = next(d for domain in index.catalog.domains for d in domain.dashboards if d.uid == path.stem)
    placed = {number: panel for row in place(dashboard) for panel, number, _ in row.panels}
    rows = json.loads(path.read_text())["panels"]
    made = [panel for row in rows for panel in (row, *row.get("panels", ())) if panel["type"] in KINDS]
    shown = [Shown(placed[panel["id"]], panel, index) for panel in made]
    # The list of firing alerts shows no series of the catalog: it has tests of its own.
    return [each for each in shown if not isinstance(each.panel, AlertList)]


def test_all_kinds_of_panels_are_known_here() -> None:
    rows = [row for path in FILES for row in json.loads(path.read_text())["panels"]]

    assert {panel["type"] for row in rows for panel in (row, *row.get("panels", ()))} - {*OTHERS} <= {*KINDS}


def read_all(reads: Reader, asked: list[tuple[Shown, list[Frame]]]) -> Iterator[tuple[str, Read]]:
    """Yield each thing that is read, after words that say where and what."""
    answers = reads.all([(shown.json, frames) for shown, frames in asked])
    for (shown, frames), answer in zip(asked, answers, strict=True):
        told = ", ".join(f"{frame.ref}={'no series' if frame.values is None else frame.values[-1]}" for frame in frames)
        for read in shown.values(answer):
            yield f"{shown.json['title']} ({shown.json['type']}) at {told or 'no frames'}: {read.said}", read


def none(wrong: Iterable[str]) -> None:
    """Fail with all that is wrong, a line each."""
    told = list(wrong)
    assert not told, "\n".join(told)


def test_every_value_has_a_text(reads: Reader, shown: list[Shown]) -> None:
    asked = [(each, each.frames(value)) for each in shown for value in KNOWN]
    asked += [(each, each.frames(value)) for each in shown for value in UNKNOWN if not each.is_drawn]

    bad = ("", "undefined", "null", "nan")
    none(where for where, read in read_all(reads, asked) if read.text.casefold() in bad)


def test_what_is_not_known_says_so_in_a_colour_of_its_own(reads: Reader, shown: list[Shown]) -> None:
    nothing = [(each, frames) for each in shown for frames in ([], each.absent())]
    gaps = [(each, each.frames(value)) for each in shown for value in UNKNOWN if not each.is_drawn]

    none(
        where
        for where, read in read_all(reads, nothing + gaps)
        # Grafana itself says it in grey where there is nothing to draw; what has no colour in a table has none here.
        if read.text not in ABSENCES
        if read.text.casefold() != "no data" or read.colour not in ("purple", "secondary", None)
    )


def test_what_is_known_is_never_in_the_colour_of_what_is_not(reads: Reader, shown: list[Shown]) -> None:
    asked = [(each, each.frames(value)) for each in shown for value in KNOWN if not each.is_drawn]

    none(where for where, read in read_all(reads, asked) if read.colour == "purple")


def _around(level: Level, unit: Unit) -> Iterator[float]:
    """Yield a value on either side of a threshold, whole ones where things are counted, and what is met exactly."""
    assert level.threshold
    value, counted = level.threshold.value, unit in (Unit.COUNT, Unit.REQUESTS)
    step = 1.0 if counted else max(abs(value), 1) / 1000
    yield from (value - step, value + step)
    if counted or value == 0:
        yield value


def _fires(level: Level, value: float) -> bool:
    assert level.threshold
    limit = level.threshold.value
    return {
        Comparison.ABOVE: value > limit,
        Comparison.AT_LEAST: value >= limit,
        Comparison.BELOW: value < limit,
        Comparison.AT_MOST: value <= limit,
    }[level.threshold.comparison]


def test_a_value_beyond_a_threshold_has_its_colour_and_one_that_is_fine_has_none(
    reads: Reader, shown: list[Shown]
) -> None:
    asked: list[tuple[Shown, list[Frame]]] = []
    expected: list[str | None] = []
    for each in shown:
        for query in each.panel.queries:
            found = query.levels or each.index.levels(query.expr)
            levels = [level for level in found if level.threshold and level.threshold.comparison.ordered]
            for value in {v for level in levels for v in _around(level, each.panel.unit_of(query))}:
                worst = max((lv for lv in levels if _fires(lv, value)), key=lambda lv: lv.severity.rank, default=None)
                asked.append((each, each.frames(value, of=query)))
                expected.append(ALARMING[worst.severity] if worst else None)

    answers = reads.all([(each.json, frames) for each, frames in asked])
    wrong = []
    for (each, frames), colour, answer in zip(asked, expected, answers, strict=True):
        colours = {r.threshold if each.is_drawn else r.colour for r in each.values(answer) if r.text != "no data"}
        if each.is_drawn and colours == {None}:  # A graph need not show thresholds; where it does, they are right.
            continue
        fine = colours.isdisjoint({*ALARMING.values(), "purple"}) if colour is None else colour in colours
        if not fine:
            wrong.append(f"{each.json['title']} at {[f.values for f in frames]}: {colours}, not {colour or 'fine'}")

    none(wrong)


def test_a_state_has_its_name_and_looks_bad_only_where_it_alerts(reads: Reader, shown: list[Shown]) -> None:
    timelines = [each for each in shown if isinstance(each.panel, StateTimeline)]
    wrong = []
    for each in timelines:
        for query in each.panel.queries:
            subject = core(query.expr)
            assert isinstance(subject, Gauge)
            levels = query.levels or each.index.levels(query.expr)
            for value, name in subject.states.items():
                (read,) = (r for r in reads(each.json, *each.frames(float(value), of=query)) if r.text != "no data")
                alerting = any(_is_state(level, value) for level in levels)
                if read.text != name or (read.colour in ("red", "orange")) is not alerting:
                    wrong.append(f"{each.json['title']}: {read.said} is {name}")

    none(wrong)


def _is_state(level: Level, value: int) -> bool:
    assert level.threshold
    return (value == level.threshold.value) is (level.threshold.comparison is Comparison.EQUALS)
