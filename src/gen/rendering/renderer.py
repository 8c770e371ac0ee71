"""Piano roll, audio and score of pieces on disk, several at a time where there is room."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Final, Self

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


_KINDS: Final = (".png", ".musicxml", ".wav")


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
        self._room = min(processes.cores(), pieces)
        self._begun: dict[Path, Callable[[], Rendered]] = {}
        self._futures: dict[Path, Future[Rendered]] = {}
        self._made: dict[Path, Rendered] = {}
        self._pool: ProcessPoolExecutor | None = None
        self._deadline: float | None = None

    def start(self) -> None:
        """Start the other processes, so that they are ready for the first piece."""
        if self._pool is None and self._room > 1:
            self._pool = processes.pool(self._room, _load)
            self._pool.submit(_load)

    def begin(self, piece: Piece, midi: Path) -> None:
        """Take a piece that is on disk at `midi`, unless it was taken already.

        What an earlier piece of that name has left to see and hear goes.
        """
        if midi in self._begun:
            return
        _clear(midi)
        here = partial(rendered, piece, midi, self._with_audio, self._soundfont)
        self._begun[midi] = here
        self.start()
        if self._pool is not None:
            with suppress(BrokenProcessPool):  # then it is rendered here
                self._futures[midi] = self._pool.submit(here)

    def of(self, midi: Path) -> Rendered | None:
        """What was begun for `midi`, when it is there; None if that is too late (see `hurry`).

        Raises:
            HouseError: it has no notes, is too long to hear, or the folder cannot be written.
        """
        if midi not in self._made:
            try:
                self._made[midi] = self._awaited(midi)
            except (TimeoutError, CancelledError):
                return None
        return self._made[midi]

    def hurry(self, seconds: float) -> None:
        """From now on wait no longer than this, in all, and begin nothing."""
        self._deadline = time.monotonic() + seconds

    def _awaited(self, midi: Path) -> Rendered:
        left = None if self._deadline is None else max(self._deadline - time.monotonic(), 0)
        if midi in self._futures:
            with suppress(BrokenProcessPool):  # a process was ended from outside
                return self._futures[midi].result(left)
        if left is not None:
            raise TimeoutError
        return self._begun[midi]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            processes.end_all()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        if kind is not None:
            lost = self._begun.keys() - self._made.keys()
            for midi in lost:
                _clear(midi)
            for folder in {midi.parent for midi in lost}:
                for begun in folder.glob(".*.new"):  # .NAME.PROCESS.new
                    path = folder / begun.stem.rpartition(".")[0][1:]
                    if path.with_suffix(".mid") in lost:
                        begun.unlink(missing_ok=True)


def _clear(midi: Path) -> None:
    """Leave nothing to see and hear of a piece."""
    for kind in _KINDS:
        midi.with_suffix(kind).unlink(missing_ok=True)


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
