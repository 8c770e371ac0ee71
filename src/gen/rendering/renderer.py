"""Piano roll, audio and score of pieces on disk, several at a time where there is room."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Self

from gen import processes
from gen.piece import Piece
from gen.rendering.roll import piano_roll
from gen.rendering.score import musicxml
from gen.rendering.sound import audio


@dataclass(frozen=True, slots=True)
class Rendered:
    """Files beside a piece's .mid."""

    picture: Path
    score: Path
    sound: Path | None


class Renderer:
    """Takes pieces as they are written; used as a context manager.

    Args:
        pieces: how many will come; two or more are rendered by other processes, if there is
            more than one processor.
        with_audio: whether to write WAV files, about 6 MB a minute.
        soundfont: a SoundFont 2 file to play them with; None takes the built-in one.
    """

    def __init__(
        self, pieces: int, *, with_audio: bool = True, soundfont: str | None = None
    ) -> None:
        self._with_audio, self._soundfont = with_audio, soundfont
        self._begun: dict[Path, Callable[[], Rendered]] = {}
        self._pool: ProcessPoolExecutor | None = None
        room = min(processes.cores(), pieces)
        if room > 1:
            self._pool = processes.pool(room, _load)
            self._pool.submit(_load)  # they start now, while the first piece is being written

    def begin(self, piece: Piece, midi: Path) -> None:
        """Take a piece that is on disk at `midi`, unless it was taken already."""
        if midi in self._begun:
            return
        here = partial(rendered, piece, midi, self._with_audio, self._soundfont)
        self._begun[midi] = here
        if self._pool is not None:
            with suppress(BrokenProcessPool):  # then it is rendered here
                self._begun[midi] = partial(_awaited, self._pool.submit(here), here)

    def of(self, midi: Path) -> Rendered:
        """What was begun for `midi`, when it is there.

        Raises:
            HouseError: it has no notes, is too long to hear, or the folder cannot be written.
        """
        return self._begun[midi]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _awaited(future: Future[Rendered], here: Callable[[], Rendered]) -> Rendered:
    try:
        return future.result()
    except BrokenProcessPool:  # a process was ended from outside
        return here()


def rendered(piece: Piece, midi: Path, with_audio: bool, soundfont: str | None) -> Rendered:
    """Write all there is to see and hear of a piece."""
    picture = piano_roll(piece, midi.with_suffix(".png"), title=midi.stem)
    score = musicxml(piece, midi.with_suffix(".musicxml"))
    sound = audio(piece, midi.with_suffix(".wav"), soundfont=soundfont) if with_audio else None
    return Rendered(picture, score, sound)


def _load() -> None:
    """Import what takes a while."""
    for name in ("matplotlib.figure", "matplotlib.backends.backend_agg", "scipy.signal"):
        import_module(name)
