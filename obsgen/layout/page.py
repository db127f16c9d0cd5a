"""Pixels: what of a screen Grafana 12.4 leaves to a panel, and what of a panel to its title and its content.

Read from Grafana's source and, for the grid, `@grafana/scenes`; the files are named at the numbers. Older versions
have a lower head (32 px) and less navigation: what fits here fits there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from obsgen.layout import inter

COLUMNS = 24
"""Width of Grafana's grid."""
ROW, GAP = 30, 8
"""Height of a row of the grid, and what is between two panels (`public/app/core/constants.ts`)."""
_NAVIGATION = 300
"""Width of the menu that is open unless somebody closes it, from 1200 px on (`MegaMenu.tsx`, `AppChrome.tsx`)."""
_MARGIN = 2 * 16
"""What is left and right of a dashboard (`body` of `DashboardEditPaneSplitter.tsx`)."""
# The rest is from packages/grafana-ui/src/components/PanelChrome.
_BORDER, _PADDING = 1, 8
_HEAD = 40
_HEAD_PADDING, _HEAD_GAP = 12 + 8, 8
_MENU = 22
"""The menu's button takes its width when it is not seen, too (`PanelMenu.tsx`, a small button with an icon)."""
_INFO = 32
"""The icon of a description (`TitleItem.tsx`, 16 px and padding)."""
_LINKS = 34
"""The icon of two or more links; that of one is 2 px narrower (`PanelLinks.tsx`, a `ToolbarButton`)."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A browser's window.

    Args:
        pixels: its width.
        navigation: whether the menu is open beside the dashboard.
    """

    pixels: int
    navigation: bool = True

    def width(self, columns: int) -> float:
        """Return the width of a panel in pixels."""
        page = self.pixels - _MARGIN - (_NAVIGATION if self.navigation else 0)
        return (page + GAP) * columns / COLUMNS - GAP


NARROW, WIDE = Screen(1280), Screen(1600)
"""A laptop's screen, on which everything has to fit, and a desk's."""


def columns(needed: float, screen: Screen = NARROW) -> int | None:
    """Return the least columns of a panel of a width in pixels, None where even the whole grid is narrower."""
    return next((n for n in range(1, COLUMNS + 1) if screen.width(n) >= needed), None)


def pixels(rows: int) -> int:
    """Return the height of a panel in pixels."""
    return rows * (ROW + GAP) - GAP


def rows(needed: float) -> int:
    """Return the least rows of a panel of a height in pixels."""
    return ceil((needed + GAP) / (ROW + GAP))


def frame(*, titled: bool, padded: bool = True) -> tuple[int, int]:
    """Return what a panel is wider and higher than its content.

    Args:
        titled: whether it has a title: without one it has no head.
        padded: whether its kind has a padding around its content; a stat has none (`setNoPadding` of its module).
    """
    around = 2 * (_BORDER + (_PADDING if padded else 0))
    return around, around + (_HEAD if titled else 0)


def inside(
    columns: int, rows: int, *, titled: bool, padded: bool = True, screen: Screen = NARROW
) -> tuple[float, float]:
    """Return the width and height of a panel's content in pixels."""
    wide, high = frame(titled=titled, padded=padded)
    return screen.width(columns) - wide, pixels(rows) - high


def title_frame(*, described: bool, linked: bool) -> int:
    """Return what a panel is wider than its title may be.

    Args:
        described: whether it has a description, and so the icon of one.
        linked: whether it has links.
    """
    icons = (_INFO if described else 0) + (_LINKS if linked else 0)
    # Between the title, the icons, a stretch of nothing and the menu are three gaps, with and without icons.
    return 2 * _BORDER + _HEAD_PADDING + icons + 3 * _HEAD_GAP + _MENU


def title_width(title: str) -> float:
    """Return the width of a panel's title (`Text` with the variant `h6`)."""
    return inter.width(title, medium=True)
