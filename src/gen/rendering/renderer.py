"""Piano roll, audio and score of pieces on disk, several at a time where there is room."""

from __future__ import annotations

import re
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
from gen.marks.release import mark_beside
from gen.piece import Piece
from gen.rendering.playing import STEMS, Playing, midi_stems
from gen.rendering.roll import piano_roll
from gen.rendering.score import SUFFIX, musicxml


@dataclass(frozen=True, slots=True)
class Rendered:
    """Files beside a piece's .mid."""

    picture: Path
    score: Path
    sound: Path | None
    stems: tuple[Path, ...] = ()


LONG_TO_LOAD: Final = ("matplotlib.figure", "matplotlib.backends.backend_agg", "scipy.signal")
"""Modules that each helping process imports before the first piece is there."""
_USUAL: Final = Playing()
_KINDS: Final = (".png", ".musicxml", ".wav")


class Renderer:
    """Takes pieces as they are written; used as a context manager.

    Args:
        pieces: how many will come; two or more are rendered by other processes, if there is
            more than one processor.
        playing: how they are played, as WAV files of about 10 MB a minute; None for not at all.
        with_stems: whether each instrument is written by itself, too.
        authority: see `mark_beside`.
    """

    def __init__(
        self, pieces: int, *, playing: Playing | None = _USUAL, with_stems: bool = False,
        authority: str | None = None,
    ) -> None:  # fmt: skip
        self.playing, self._with_stems, self._authority = playing, with_stems, authority
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

    def begin(self, piece: Piece, midi: Path, written: Piece | None = None) -> None:
        """Take a piece that is on disk at `midi`, unless it was taken already.

        What an earlier piece of that name has left to see and hear goes. Its score is that of
        `written` where it is played otherwise than it is written.
        """
        if midi in self._begun:
            return
        _clear(midi)
        here = partial(
            rendered, piece, midi, self.playing,
            with_stems=self._with_stems, written=written, authority=self._authority,
        )  # fmt: skip
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
    folder = midi.with_name(midi.stem + STEMS)
    for stem in [*folder.glob("*.mid"), *folder.glob("*.wav")]:
        stem.unlink(missing_ok=True)


def rendered(
    piece: Piece,
    midi: Path,
    playing: Playing | None,
    *,
    with_stems: bool = False,
    written: Piece | None = None,
    authority: str | None = None,
) -> Rendered:
    """Write all there is to see and hear of a piece, marked as its file is."""
    picture = piano_roll(piece, midi.with_suffix(".png"), title=midi.stem)
    score = musicxml(written or piece, midi.with_suffix(SUFFIX), title=title_of(midi.stem))
    sound = playing.whole(piece, midi, midi.with_suffix(".wav")) if playing else None
    stems = midi_stems(midi) if with_stems else []
    stems += playing.each(piece, midi) if playing and with_stems else []
    mark_beside(midi, picture, score, *([sound] if sound else []), *stems, authority=authority)
    return Rendered(picture, score, sound, tuple(stems))


def title_of(stem: str) -> str:
    """A file's name as a title: `waltz-a-minor-03` is Waltz in A minor, No. 3."""
    words = re.sub(r"[\W_]+", " ", stem).strip()
    modes = "minor|major|dorian|phrygian|lydian|mixolydian"
    found = re.fullmatch(rf"(.*?) ?\b([a-g](?: sharp| flat)?) ({modes})(?: 0*(\d+))?", words)
    if not found:
        return words[:1].upper() + words[1:]
    name, tonic, mode, number = found.groups()
    accidental = tonic[1:].replace(" sharp", "-sharp").replace(" flat", "-flat")
    title = f"{(name or 'piece').capitalize()} in {tonic[0].upper()}{accidental} {mode}"
    return f"{title}, No. {number}" if number else title


def _load() -> None:
    """Import what takes a while."""
    for name in LONG_TO_LOAD:
        import_module(name)
