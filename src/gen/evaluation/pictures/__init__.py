"""The pictures of an evaluation, each drawn from the report alone.

Points are figures, lines through them their 95 % intervals. Generated music is orange (further
checkpoints have colours of their own), works held out are blue, works learned from are green,
whatever is only there to compare with is grey.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from gen.evaluation.pictures import foresight, music, use
from gen.evaluation.pictures.tools import Report
from gen.rendering.colours import PAPER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_PICTURES: dict[str, Callable[[Report], Figure | None]] = {
    "ladder": foresight.ladder,
    "bits": foresight.bits,
    "spent": foresight.spent,
    "distances": music.distances,
    "distributions": music.distributions,
    "compass": music.compass,
    "neighbours": music.neighbours,
    "structure": music.structure,
    "matrices": music.matrices,
    "diversity": music.diversity,
    "control": use.control,
    "infilling": use.infilling,
    "originality": use.runs,
    "curve": use.curve,
}


def draw(report: Report) -> dict[str, bytes]:
    """Every picture that the report has the figures for: name to PNG."""
    pictures = {}
    for name, make in _PICTURES.items():
        figure = make(report)
        if figure is not None:
            pictures[name] = _png(figure)
    return pictures


def _png(figure: Figure) -> bytes:
    """The file; without the version of matplotlib in it, the same after an upgrade."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110, facecolor=PAPER, metadata={"Software": None})
    return file.getvalue()
