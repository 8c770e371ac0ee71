"""A piece to look at and to hear before anybody signs it: a piano roll and a WAV."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.cli.careful import echo
from gen.errors import HouseError

if TYPE_CHECKING:
    from gen.piece import Piece


def write_preview(piece: Piece, folder: Path, name: str) -> list[Path]:
    """Write NAME.png and NAME.wav of what the house holds of a piece.

    Args:
        piece: as it is signed.
        folder: made where it is not there.
        name: of the two files, without suffix.

    Raises:
        HouseError: the folder cannot be written, or the piece is too long to hear.
    """
    from gen.rendering import audio, piano_roll

    roll, sound = folder / f"{name}.png", folder / f"{name}.wav"
    return [piano_roll(piece, roll, title=name), audio(piece, sound)]


def show_preview(piece: Piece, folder: Path, name: str, *, is_opening: bool) -> None:
    """Write a preview, say where it is, and open it in the system's own programs if asked."""
    try:
        written = write_preview(piece, folder, name)
    except HouseError as error:
        echo(f"  no preview: {error}", err=True)
        return
    for path in written:
        echo(f"  to {'see' if path.suffix == '.png' else 'hear'}: {path}", err=True)
        if is_opening:
            open_file(path)


def open_file(path: Path) -> None:
    """Open a file in the program that the system has for it; say it where there is none."""
    from gen.provenance.signing.key_files import others_environment

    try:
        if sys.platform == "win32":
            os.startfile(path)  # noqa: S606 - a file that was just written here
            return
        opener = "open" if sys.platform == "darwin" else "xdg-open"
        subprocess.Popen(  # noqa: S603 - the system's own opener
            [opener, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=others_environment(),
        )  # fmt: skip
    except OSError:
        echo(f"  nothing here opens {path.name}: open it yourself", err=True)


def confirmed(question: str, hear: Callable[[], None], *, default: bool, err: bool) -> bool:
    """Ask yes or no, or `h` to see and hear first, as often as one likes.

    Args:
        question: without what may be typed.
        hear: shows the preview.
        default: what Enter means.
        err: whether to ask on stderr.
    """
    usual = "y" if default else "n"
    while True:
        typed = click.prompt(f"{question} y, n, or h to see and hear it", default=usual, err=err)
        letter = str(typed).strip()[:1].casefold()
        if letter in ("y", "n"):
            return letter == "y"
        if letter == "h":
            hear()


def default_folder() -> Path:
    """Where previews go that nobody gave a place: the user's own folder for such things."""
    import platformdirs

    return platformdirs.user_cache_path("music-house", appauthor=False) / "previews"
