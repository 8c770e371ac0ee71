"""Text in pictures: the house's one font, and what of a text it can show."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FONT = "DejaVu Sans"  # comes with matplotlib, so the picture is the same everywhere


def put_text(drawn: Figure, x: float, y: float, text: str, **style: Any) -> None:
    """Text at a place of a figure; nothing in it is read as a formula."""
    drawn_text = drawn.text(x, y, printable(text), fontfamily=FONT, va="center", **style)
    drawn_text.set_parse_math(False)


def shortened(text: str, most: int) -> str:
    """The text in one line of at most so many characters."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def printable(text: str) -> str:
    """The text with a box for each character the font lacks, instead of a warning for each."""
    known = _characters()
    return "".join(c if ord(c) in known else "\N{WHITE SQUARE}" for c in text)


@cache
def _characters() -> frozenset[int]:
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(findfont(FONT)).get_charmap())
