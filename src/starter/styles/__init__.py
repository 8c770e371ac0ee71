"""One module per genre; each holds ``ARRANGEMENTS``, two or three ways to play its themes."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from gen.errors import HouseError
from gen.harmony import GENRES
from starter.arrangement import Arrangement


def arrangements(genre: str) -> tuple[Arrangement, ...]:
    """The ways this house plays a genre.

    Raises:
        HouseError: no style is written for it.
    """
    if genre not in written():
        raise HouseError(f"no style is written for {genre!r}", mend=" ".join(written()))
    module = import_module(f"starter.styles.{genre}")
    found: tuple[Arrangement, ...] = module.ARRANGEMENTS
    return found


def written() -> list[str]:
    """Genres that have a style module."""
    here = Path(__file__).parent
    return [genre for genre in GENRES if (here / f"{genre}.py").exists()]
