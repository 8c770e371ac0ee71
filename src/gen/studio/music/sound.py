"""A score as sound while it is being made: bar by bar, each as loud as in the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gen.errors import SettingError
from gen.piece import Note, Piece, Tempo, Track
from gen.rendering.roll import bars_of
from gen.rendering.sound import AudioSettings, mixed, wav
from gen.rendering.soundfont import load

_GAIN = 0.8
"""So loud that a band of six seldom reaches full scale; what does is rounded off."""
_QUICKLY = AudioSettings(sample_rate=32_000)
_SILENCE = wav(np.zeros((2, 1), np.float32), _QUICKLY.sample_rate)


def prepare() -> None:
    """Load what plays, before anybody waits for the first bar."""
    note = Track(notes=[Note(0, 1, 60, 1)])
    excerpt_wav(Piece(1, [note]), 0, 1, None, 1.0)


def excerpt_wav(
    piece: Piece, first_bar: int, bars: int, tracks: Sequence[int] | None, speed: float
) -> bytes:
    """What begins in some bars, from the first one's beginning until it has died away, as WAV.

    Args:
        piece: all of it, or only what begins in those bars.
        first_bar: counted from 0.
        bars: how many.
        tracks: those that sound; None: all.
        speed: 2 plays twice as fast.

    Raises:
        SettingError: there are no such bars.
    """
    if not piece.note_count:  # a bar in which nothing begins, asked for without the others
        return _SILENCE
    there = bars_of(piece)
    if first_bar >= len(there):
        raise SettingError(f"bar {first_bar + 1} of {len(there)}", where="first_bar")
    begin, last = there[first_bar].start_ticks, there[min(first_bar + bars, len(there)) - 1]
    part = _between(piece, begin, last.end_ticks, speed)
    chosen = [t for n, t in enumerate(part.tracks) if t.notes and (tracks is None or n in tracks)]
    if not chosen:
        return _SILENCE
    loud = mixed(part, chosen, load(), _QUICKLY) * np.float32(_GAIN)
    return wav(np.tanh(loud), _QUICKLY.sample_rate)


def _between(piece: Piece, begin: int, end: int, speed: float) -> Piece:
    """The notes that begin there, and all times counted from `begin`."""
    tracks = [
        replace(
            track,
            notes=[
                replace(note, onset_ticks=note.onset_ticks - begin)
                for note in track.notes
                if begin <= note.onset_ticks < end
            ],
            pedals=[
                replace(pedal, onset_ticks=pedal.onset_ticks - begin) for pedal in track.pedals
            ],
        )
        for track in piece.tracks
    ]
    before = [tempo for tempo in piece.tempos if tempo.onset_ticks <= begin]
    first = before[-1] if before else Tempo(0, 500_000)
    later = [tempo for tempo in piece.tempos if tempo.onset_ticks > begin]
    tempos = [
        Tempo(max(tempo.onset_ticks - begin, 0), round(tempo.microseconds_per_quarter / speed))
        for tempo in (first, *later)
    ]
    return Piece(piece.ticks_per_quarter, tracks, tempos)
