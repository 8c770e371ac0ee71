"""Drawn figures as PNG files, the same everywhere."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def png_of(draw: Callable[[], Figure], **options: Any) -> bytes:
    """Draw a figure and return the file's bytes.

    Matplotlib's own style holds, whatever a `matplotlibrc` of the current folder says: that may
    run LaTeX. Without matplotlib's version in it, the file is the same after an upgrade.

    Args:
        draw: makes the figure.
        options: further ones of `savefig`.
    """
    import matplotlib as mpl

    file = io.BytesIO()
    with mpl.rc_context():
        mpl.rcdefaults()
        draw().savefig(file, format="png", metadata={"Software": None}, **options)
    return file.getvalue()
