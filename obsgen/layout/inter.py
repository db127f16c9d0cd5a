"""How wide a text is in Grafana: Inter, of which Grafana brings two weights, and Roboto Mono for code.

The widths were measured in Chromium with the fonts of Grafana 12.4 (`public/fonts/inter` and `public/fonts/roboto`).
Pairs of letters that Inter moves together (kerning) are not known here: a line comes out up to 1 % too wide.
"""

from __future__ import annotations

BODY, SMALL = 14, 12
"""Sizes of text in pixels, `typography.body` and `typography.bodySmall` of `packages/grafana-data/src/themes`."""
_SPACING = 0.15
"""Pixels after each letter: `letterSpacing` of the page's body, which smaller texts inherit as it is."""
_MONO = 0.6 + 0.15 / 14
"""Width of a character of code and the spacing after it, as a share of the size."""
_UNKNOWN, _WIDE = 620, 1000
"""A character that is not in the table: of an alphabet, or of a script or an emoji that fills a square."""

_CHARACTERS = "".join(map(chr, range(32, 127))) + "°±µ·ÄÖ×Üßäèéö÷üΔσ–—‘’“”•…€←→∞≠≤≥"
_REGULAR = (
    "281 288 466 633 642 982 644 300 365 365 501 662 288 460 288 360 631 407 610 618 646 608 620 566 619 620 "
    "288 302 662 662 662 511 966 690 654 730 722 601 590 746 743 269 571 672 565 903 753 765 639 765 644 642 "
    "646 744 690 985 682 679 629 365 360 365 471 456 323 562 612 571 612 583 370 613 591 242 242 549 242 876 "
    "591 600 612 612 376 528 327 591 562 818 546 562 552 426 333 426 662 456 662 586 288 690 765 662 744 616 "
    "562 583 583 600 662 591 681 624 500 1000 261 261 440 440 563 864 667 954 954 936 662 662 662"
)
_MEDIUM = (
    "267 304 494 639 646 993 653 313 369 369 521 667 303 462 303 370 646 415 616 627 656 618 630 571 629 630 "
    "303 315 667 667 667 527 982 709 657 733 722 603 589 748 745 272 575 688 565 913 756 767 642 769 648 646 "
    "653 740 709 1003 701 696 641 369 370 369 477 463 337 568 618 577 618 587 379 620 602 252 252 559 252 888 "
    "602 604 618 618 387 539 340 602 575 829 557 575 559 440 346 440 667 457 667 600 303 709 767 667 740 630 "
    "568 587 587 604 667 602 702 633 500 1000 277 277 474 471 533 910 672 954 954 951 667 667 667"
)
# Thousandths of the size.
_WIDTHS = {
    medium: dict(zip(_CHARACTERS, map(int, text.split()), strict=True))
    for medium, text in ((False, _REGULAR), (True, _MEDIUM))
}


def width(text: str, size: float = BODY, *, medium: bool = False, spaced: bool = True) -> float:
    """Return the width of a line of text in pixels.

    Args:
        text: the text; a no-break space is as wide as a space.
        size: of the font, in pixels.
        medium: whether it has weight 500, as titles and heads of tables have.
        spaced: whether it has the letter spacing of Grafana's page; what Grafana measures by itself has none.
    """
    widths = _WIDTHS[medium]
    total = sum(widths.get(c) or _other(c) for c in text.replace("\u00a0", " "))
    return size * total / 1000 + (_SPACING * len(text) if spaced else 0)


def mono(text: str) -> float:
    """Return the width of a line of code in pixels."""
    return SMALL * _MONO * len(text)


def _other(character: str) -> int:
    return _WIDE if character >= "\u1100" else _UNKNOWN
