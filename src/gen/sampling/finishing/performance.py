"""A piece as it is played: swung, and not quite in time. What is written of it stays as it is.

*Swing* delays what begins between two beats: of strength 1 an off-beat eighth falls on the third
triplet of its quarter. Quarters in which triplets begin are left as they are, and so are bars that
are counted in eighths. *Humanise* lets each note begin a little early or late, and a little
softer or louder. Chance follows from the notes: equal pieces are played alike.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.random import Generator

from gen.errors import SettingError
from gen.piece import Note, Pedal, Piece, Track
from gen.smf import musical_hash

SECONDS: Final = 0.012
"""Standard deviation of an onset, of strength 1: of trained ensembles some 10 to 20 ms."""
LOUDNESS: Final = 6.0
"""Of a velocity."""
_OFF_BEAT, _SWUNG = Fraction(1, 2), Fraction(2, 3)
_TRIPLETS: Final = (Fraction(1, 3), Fraction(2, 3))


@dataclass(frozen=True, slots=True)
class Performance:
    """How a piece is played.

    Args:
        swing: 0 to 1; 0 is straight.
        humanise: 0 to 1; 0 is exact.
        velocities: lowest and highest that a note may get.
    """

    swing: float = 0.0
    humanise: float = 0.0
    velocities: tuple[int, int] = (1, 127)

    def __post_init__(self) -> None:
        for name in ("swing", "humanise"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingError(f"{getattr(self, name)} is outside 0 to 1", where=name)

    @property
    def is_plain(self) -> bool:
        """Whether everything is played as it is written."""
        return not (self.swing or self.humanise)

    def of(self, piece: Piece) -> Piece:
        """The piece as it is played: the same notes, at other ticks and velocities."""
        played = _swung(piece, Fraction(self.swing)) if self.swing else piece
        if self.humanise:
            rng = np.random.default_rng(int(musical_hash(piece)[:16], 16))
            tracks = [self._humanised(track, played, rng) for track in played.tracks]
            played = replace(played, tracks=tracks)
        return played

    def _humanised(self, track: Track, piece: Piece, rng: Generator) -> Track:
        end, unit = piece.bars_end_ticks, piece.ticks_per_quarter
        tempos = sorted(piece.tempos)
        starts = [tempo.onset_ticks for tempo in tempos]
        moved = []
        for note in track.notes:
            place = max(bisect_right(starts, note.onset_ticks) - 1, 0)
            seconds = tempos[place].microseconds_per_quarter / 1e6 if tempos else 0.5
            ticks, louder = rng.normal(0, self.humanise, 2) * (SECONDS * unit / seconds, LOUDNESS)
            onset = min(max(note.onset_ticks + round(ticks), 0), end - 1)
            velocity = int(np.clip(note.velocity + round(louder), *self.velocities))
            stop = max(min(note.end_ticks, end), onset + 1)
            moved.append(Note(onset, stop - onset, note.pitch, velocity))
        return replace(track, notes=_apart(moved))


def _apart(notes: Iterable[Note]) -> list[Note]:
    """Each note over before its pitch begins again."""
    found: list[Note] = []
    latest: dict[int, int] = {}  # place in `found` by pitch
    for note in sorted(notes):
        place = latest.get(note.pitch)
        if place is not None and found[place].end_ticks > note.onset_ticks:
            before = found[place]
            if before.onset_ticks == note.onset_ticks:
                continue
            length = note.onset_ticks - before.onset_ticks
            found[place] = replace(before, duration_ticks=length)
        latest[note.pitch] = len(found)
        found.append(note)
    return found


# Swing ----------------------------------------------------------------------------------


def _swung(piece: Piece, strength: Fraction) -> Piece:
    """The piece with all of its ticks within a quarter moved, those between the beats the most."""
    unit, straight = piece.ticks_per_quarter, _straight(piece)

    def at(tick: int) -> int:
        quarter, inside = divmod(tick, unit)
        if quarter in straight or not inside:
            return tick
        middle = _OFF_BEAT + strength * (_SWUNG - _OFF_BEAT)
        place = Fraction(inside, unit)
        if place <= _OFF_BEAT:
            return quarter * unit + round(place / _OFF_BEAT * middle * unit)
        late = (place - _OFF_BEAT) / (1 - _OFF_BEAT)
        return quarter * unit + round((middle + late * (1 - middle)) * unit)

    def moved(onset: int, length: int) -> tuple[int, int]:
        return at(onset), max(at(onset + length) - at(onset), 1)

    return replace(piece, tracks=[
        replace(
            track,
            notes=sorted(
                Note(*moved(n.onset_ticks, n.duration_ticks), n.pitch, n.velocity)
                for n in track.notes
            ),
            pedals=[Pedal(*moved(p.onset_ticks, p.duration_ticks)) for p in track.pedals],
        )
        for track in piece.tracks
    ])  # fmt: skip


def _straight(piece: Piece) -> set[int]:
    """The quarters that are not swung: with triplets, or in bars that are counted in eighths."""
    unit = piece.ticks_per_quarter
    onsets = {note.onset_ticks for track in piece.tracks for note in track.notes}
    found = {tick // unit for tick in onsets if Fraction(tick % unit, unit) in _TRIPLETS}
    meters = sorted(piece.time_signatures)
    ends = [meter.onset_ticks for meter in meters[1:]] + [piece.bars_end_ticks]
    for meter, end in zip(meters, ends, strict=True):
        if meter.denominator > 4 or meter.onset_ticks % unit:
            found |= set(range(meter.onset_ticks // unit, -(-end // unit)))
    return found
