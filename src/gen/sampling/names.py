"""What a finished piece is called: by its genre or its source, its key, and a number of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gen.piece import Piece
from gen.rendering.labels import key_name
from gen.sampling.controls import Controls

_NUMBER = re.compile(r"-(\d+)$")


def title_of(piece: Piece, controls: Controls, source: Mapping[str, Any]) -> str:
    """Such as `waltz-a-minor`; of a file that was worked on, `song-infill`.

    Args:
        piece: as its file has it.
        controls: what was asked.
        source: the given file's name and what was done with it; empty where there was none.
    """
    if source:
        words = f"{Path(source['file']).stem} {source['mode']}"
    else:
        key = key_name(piece).replace(" \u2026", "").replace("#", " sharp")
        words = f"{controls.genre or 'piece'} {re.sub(r'(?<=[A-G])b', ' flat', key)}"
    return re.sub(r"[\W_]+", "-", words).strip("-").lower() or "piece"


def highest_number(folder: Path) -> int:
    """The highest number of a piece with a receipt in a folder, 0 where there is none."""
    stems = (path.name.partition(".")[0] for path in folder.glob("*.json"))
    return max((int(found[1]) for stem in stems if (found := _NUMBER.search(stem))), default=0)


def reserve(folder: Path, title: str, number: int, suffix: str) -> str:
    """A name that no file in the folder has, such as `waltz-a-minor-03`.

    The file of that name and suffix is created, empty, so that no command beside this one
    takes the name.

    Args:
        folder: which is there.
        title: see `title_of`.
        number: the first to be tried.
        suffix: of the file.

    Raises:
        OSError: the folder cannot be written.
    """
    while True:
        name = f"{title}-{number:02d}"
        if not any(folder.glob(f"{name}.*")):
            try:
                (folder / f"{name}{suffix}").touch(exist_ok=False)
            except FileExistsError:  # a command beside this one was faster
                pass
            else:
                return name
        number += 1
