"""Pieces as symusic knows them: what MidiTok is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from symusic import Note, Pedal, Score, Tempo, TimeSignature, Track

from gen.piece import Note as OurNote
from gen.piece import Piece


def score_of(piece: Piece) -> Any:
    """A `symusic.Score` of a piece, on its own division."""
    score: Any = Score(piece.ticks_per_quarter)
    score.tempos.extend(Tempo(t.onset_ticks, mspq=t.microseconds_per_quarter) for t in piece.tempos)
    score.time_signatures.extend(
        TimeSignature(s.onset_ticks, s.numerator, s.denominator) for s in piece.time_signatures
    )
    for part in piece.tracks:
        track: Any = Track(part.name, part.program, part.is_drum)
        track.notes = _notes(part.notes)
        track.pedals.extend(Pedal(p.onset_ticks, p.duration_ticks) for p in part.pedals)
        score.tracks.append(track)
    return score


def _notes(notes: Sequence[OurNote]) -> Any:
    """The same notes, a column at a time: one by one they take five times as long."""
    onset = np.array([n.onset_ticks for n in notes], dtype=np.int32)
    duration = np.array([n.duration_ticks for n in notes], dtype=np.int32)
    pitch = np.array([n.pitch for n in notes], dtype=np.int8)
    velocity = np.array([n.velocity for n in notes], dtype=np.int8)
    return Note.from_numpy(onset, duration, pitch, velocity, "Tick")
