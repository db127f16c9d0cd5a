"""Where panels stand and what fits on them: a small model of what Grafana 12.4 draws.

`place` puts the panels of a dashboard on Grafana's grid. What it rests on, and what checks and renderers ask:

    grid       lines of panels, their widths and heights, ids
    page       pixels: a screen, a panel on it, what is left to its title and its content
    inter      how wide a text is
    lines      where the lines of a paragraph break
    blocks     the blocks of a text in markdown
    markdown   how high a text is
    contents   what stands in a panel, as far as the catalog knows it: values, names of series
    stat       font sizes of a stat panel
    legend     the size of legends, the names of bars
    table      the widths of a table's columns
"""

from __future__ import annotations

from obsgen.layout.grid import PlacedRow, Position, panel_id, place, stable_id, text_rows
from obsgen.layout.page import COLUMNS, NARROW, WIDE

__all__ = ["COLUMNS", "NARROW", "WIDE", "PlacedRow", "Position", "panel_id", "place", "stable_id", "text_rows"]
