"""One offline page on which a run's pieces are looked at and listened to.

The page is a single HTML file: styles and its few lines of script inside, no network, links
relative, so that the folder can be zipped, mailed and opened from a disk. Without the script it
still works: pictures open as files, players play.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gen.errors import HouseError
from gen.rendering import files
from gen.rendering.pages import render

_TALL = 0.75  # height to width, from which a picture is shown in part


@dataclass(frozen=True, slots=True)
class Row:
    """One setting as it was asked and as the piece has it; `kept` is None where not judged."""

    setting: str
    asked: str
    got: str
    kept: bool | None = None


@dataclass(frozen=True, slots=True)
class PieceEntry:
    """One piece on the page.

    Args:
        title: the piece's name.
        piano_roll: PNG, if it was drawn.
        midi: the .mid file to download.
        audio: WAV, if it was rendered.
        score: MusicXML, if it was written.
        receipt: the receipt's JSON file, if there is one.
        summary: one line under the title, such as `A minor · 3/4 · 32 bars`.
        rows: the asked-versus-got table.
        originality: the finding against the corpus, in words.
        warning: what must not be overlooked, in few words; seen while the receipt is closed, too.
        record: further (name, value) pairs of the receipt: seed, checkpoint, manifest …
            A value of 32 and more hexadecimal digits is shown short, whole on hovering.
    """

    title: str
    piano_roll: Path | None
    midi: Path
    audio: Path | None = None
    score: Path | None = None
    receipt: Path | None = None
    summary: str = ""
    rows: Sequence[Row] = ()
    originality: str = ""
    warning: str = ""
    record: Sequence[tuple[str, str]] = ()


def page(
    entries: Iterable[PieceEntry],
    path: Path | str,
    *,
    title: str,
    facts: Sequence[tuple[str, str]] = (),
    note: str = "",
) -> Path:
    """Write the page.

    Args:
        entries: the pieces, in order.
        path: the .html file to write.
        title: heading and window title.
        facts: (name, value) pairs about the run, shown under the heading.
        note: a closing sentence or two at the foot.

    Raises:
        HouseError: no entry, a file that is not there, or a folder that cannot be written.
    """
    path = Path(path)
    pieces = [_piece(entry, path) for entry in entries]
    if not pieces:
        raise HouseError("there is no piece to put on the page", where=str(path))
    return files.write(
        path, render("pieces.html", title=title, facts=facts, pieces=pieces, note=note)
    )


def _piece(entry: PieceEntry, page_path: Path) -> dict[str, Any]:
    """What the template shows of a piece: the entry, links to its files, settings missed."""
    found = (("MIDI", entry.midi), ("Score", entry.score), ("Receipt", entry.receipt))
    return {
        "entry": entry,
        "roll": _roll(entry.piano_roll, page_path) if entry.piano_roll else None,
        "audio": _link(entry.audio, page_path) if entry.audio else None,
        "downloads": [(kind, _link(file, page_path)) for kind, file in found if file],
        "missed": sum(row.kept is False for row in entry.rows),
    }


def _roll(picture: Path, page_path: Path) -> dict[str, Any]:
    """The picture; a tall one is cut off with a fade, since a click shows it whole."""
    link = _link(picture, page_path)
    width, height = _png_size(picture)
    return {"link": link, "width": width, "height": height, "tall": height > _TALL * width}


def _png_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels, from a PNG's header."""
    with path.open("rb") as file:
        head = file.read(24)
    if head[:8] != b"\x89PNG\r\n\x1a\n" or len(head) < 24:
        raise HouseError("not a PNG picture", where=str(path), mend="draw it with piano_roll")
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def _link(target: Path, page_path: Path) -> str:
    """A relative, percent-encoded link from the page to a file that is there."""
    if not target.is_file():
        raise HouseError("the page would link to a file that is not there", where=str(target))
    try:
        relative = os.path.relpath(target.resolve(), page_path.resolve().parent)
    except ValueError as error:  # Windows: another drive
        mend = "write the page to the drive its pieces are on"
        raise HouseError(f"cannot be linked ({error})", where=str(target), mend=mend) from error
    return quote(Path(relative).as_posix())
