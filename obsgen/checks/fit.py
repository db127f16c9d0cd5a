"""What a panel cannot show on a laptop's screen: titles, texts, columns, values and names that would be cut."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from obsgen.checks.places import Survey
from obsgen.errors import Location, Problem
from obsgen.layout import COLUMNS, NARROW, Position, page, text_rows
from obsgen.layout.contents import longest_values, names
from obsgen.layout.legend import bars_fit, below, beside, legend
from obsgen.layout.stat import sizes
from obsgen.layout.table import columns
from obsgen.model.dashboard import BarGauge, Dashboard, Panel, Stat, Table, Text, TimeSeries

LEAST_VALUE, LEAST_NAME = 16, 10
"""Font sizes in pixels: a value is larger than the title above it, and a name can be read."""
SCREEN = f"at {NARROW.pixels} px"
HIGHEST = 20
"""Rows of the highest panel that is proposed."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A panel in its place on a dashboard."""

    dashboard: Dashboard
    panel: Panel
    at: Position

    def __str__(self) -> str:
        return f"{self.panel.heading!r} of {self.dashboard.uid}"

    @property
    def line(self) -> Location:
        """The line of the panel, or that of its dashboard where obsgen made it."""
        own, around = self.panel.at, self.dashboard.at
        return own if os.path.dirname(own.file) == os.path.dirname(around.file) else around

    def inside(self, columns: int = 0, rows: int = 0) -> tuple[float, float]:
        """Return the width and height of its content, in its place or of another size."""
        titled, padded = bool(self.panel.heading), not isinstance(self.panel, Stat)
        return page.inside(columns or self.at.w, rows or self.at.h, titled=titled, padded=padded)


def title_does_not_fit(survey: Survey) -> Iterator[Problem]:
    """A title that Grafana cuts: it shares its line with the icons of the description, the links and the menu."""
    for placed in _all(survey):
        frame = page.title_frame(described=True, linked=bool(placed.panel.expressions))
        title, room = placed.panel.heading, NARROW.width(placed.at.w) - frame
        needed = page.title_width(title)
        if title and needed > room:
            shown = max((n for n in range(len(title)) if page.title_width(title[:n]) <= room), default=0)
            message = f"the title {placed} is cut {SCREEN}: it needs {needed:.0f} px and has {max(0, room):.0f}"
            wider = page.columns(needed + frame)
            ways = [f"shorten it to {shown} characters"] * (shown > 2) + [f"give it width={wider}"] * bool(wider)
            yield Problem("title-does-not-fit", message, placed.line, ", or ".join(ways) or "shorten it")


def text_does_not_fit(survey: Survey) -> Iterator[Problem]:
    """A text panel with a height of its own that is too small for its text."""
    for placed in _all(survey):
        panel = placed.panel
        if isinstance(panel, Text):
            needed = text_rows(panel.markdown, placed.at.w, titled=bool(panel.heading))
            if needed > placed.at.h:
                message = f"the text {placed} is cut {SCREEN}: it needs height={needed} and has {placed.at.h}"
                yield Problem("text-does-not-fit", message, placed.line, "leave its height out: it is computed")


def table_does_not_fit(survey: Survey) -> Iterator[Problem]:
    """A table whose columns, as wide as their heads and values need them, are wider than its panel."""
    for placed in _all(survey):
        if isinstance(placed.panel, Table):
            needed, room = sum(column.pixels for column in columns(placed.panel)), placed.inside()[0]
            if needed > room:
                widest = max(columns(placed.panel), key=lambda column: column.pixels)
                message = (
                    f"the columns of table {placed} do not fit {SCREEN}: they need {needed} px and have {room:.0f}, "
                    f"{widest.head!r} alone {widest.pixels}"
                )
                wider = page.columns(needed + page.frame(titled=True)[0])
                hint = f"shorten their heads, leave one out{f', or give it width={wider}' if wider else ''}"
                yield Problem("table-does-not-fit", message, placed.line, hint)


def stat_does_not_fit(survey: Survey) -> Iterator[Problem]:
    """A stat whose value, or the names of whose values, Grafana has to write too small to be read."""
    for placed in _all(survey):
        panel = placed.panel
        if not isinstance(panel, Stat) or not panel.queries:
            continue
        values = [value for query in panel.queries for value in longest_values(panel, query)]
        shown = _names(panel) or [""] * len(panel.queries)
        fits = partial(_stat_fits, values, shown)
        if not fits(*placed.inside()):
            size = sizes(values, shown, *placed.inside())
            what = f"{len(shown)} values" if len(shown) > 1 else f"a value like {max(values, key=len)!r}"
            message = f"{what} in stat {placed} would be written {size.value:.0f} px high {SCREEN}"
            yield Problem("stat-does-not-fit", message, placed.line, _larger(placed, fits))


def names_do_not_fit(survey: Survey) -> Iterator[Problem]:
    """Series, known by the values of their labels, whose names the legend of a graph or its bars have no room for."""
    for placed in _all(survey):
        found = _names(placed.panel)
        if not found:
            continue
        width, height = placed.inside()
        if isinstance(placed.panel, BarGauge):
            fits = partial(bars_fit, found)
            message = (
                f"bar gauge {placed} cuts its {len(found)} bars or their names {SCREEN}, as {max(found, key=len)!r}"
            )
        elif isinstance(placed.panel, TimeSeries):
            fits = partial(_legend_fits, found)
            message = (
                f"the legend of {placed} does not show its {len(found)} series {SCREEN}: "
                f"it needs {below(found, width):.0f} px below the graph or {beside(found, ())[0]:.0f} px beside it, "
                f"and the panel is {width:.0f} x {height:.0f}"
            )
        else:
            continue
        if not fits(width, height):
            yield Problem("names-do-not-fit", message, placed.line, _larger(placed, fits))


def _stat_fits(values: list[str], shown: list[str], width: float, height: float) -> bool:
    size = sizes(values, shown, width, height)
    return size.value >= LEAST_VALUE and (len(shown) < 2 or not any(shown) or size.name >= LEAST_NAME)


def _legend_fits(shown: list[str], width: float, height: float) -> bool:
    return legend(shown, width, height) is not None


def _all(survey: Survey) -> Iterator[_Placed]:
    return (_Placed(*each) for each in survey.placed)


def _names(panel: Panel) -> list[str]:
    """Return the names of all the series of a panel, none where those of a query are not known."""
    found = [names(query) for query in panel.queries]
    return [name for each in found for name in each or ()] if all(found) else []


def _larger(placed: _Placed, fits: Callable[[float, float], bool]) -> str:
    """Return which width or height would do."""
    width = next((n for n in range(placed.at.w + 1, COLUMNS + 1) if fits(*placed.inside(columns=n))), None)
    height = next((n for n in range(placed.at.h + 1, HIGHEST + 1) if fits(*placed.inside(rows=n))), None)
    ways = [f"width={width}"] * bool(width) + [f"height={height}"] * bool(height)
    return f"give it {' or '.join(ways)}, or let it show less" if ways else "let it show less"
