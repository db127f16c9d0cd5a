"""The legend of a graph: where it stands, and what comes first."""

from __future__ import annotations

from collections.abc import Sequence

from obsgen.layout import Position, contents, page
from obsgen.layout import legend as room
from obsgen.model.dashboard import TimeSeries
from obsgen.model.rule import Level
from obsgen.render.grafana import Json

BESIDE = 16
"""From this width on, of 24, a graph has room for a legend beside it whose names are not known."""


def legend_of(panel: TimeSeries, position: Position, *, several: bool, lowest_first: bool) -> Json:
    """Return the legend of a graph: none for one line, beside the graph where there is room, else below it.

    Args:
        panel: the graph.
        position: its place.
        several: whether it can have several lines.
        lowest_first: whether low values are the bad ones, which stand at the top.
    """
    if not several or _fits_below(panel, position):
        return {"displayMode": "list", "placement": "bottom", "showLegend": several}
    return {
        "calcs": ["lastNotNull"],
        "displayMode": "table",
        "placement": "right",
        "showLegend": True,
        "sortBy": "Last *",
        "sortDesc": not lowest_first,
    }


def _fits_below(panel: TimeSeries, position: Position) -> bool:
    known = [contents.names(query) for query in panel.queries]
    if not all(known):
        return position.w < BESIDE
    names = [name for each in known for name in each or ()]
    fits = room.legend(names, *page.inside(position.w, position.h, titled=True))
    return fits is None or fits.placement == "bottom"


def falls(levels: Sequence[Level]) -> bool:
    """Return whether what is below a threshold is bad."""
    return any(each.threshold and "<" in each.threshold.comparison.value for each in levels)
