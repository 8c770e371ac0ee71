"""Pieces as symusic knows them."""

from __future__ import annotations

from typing import Any

from symusic import Note, Pedal, Score, Tempo, TimeSignature, Track

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
        track.notes.extend(
            Note(n.onset_ticks, n.duration_ticks, n.pitch, n.velocity) for n in part.notes
        )
        track.pedals.extend(Pedal(p.onset_ticks, p.duration_ticks) for p in part.pedals)
        score.tracks.append(track)
    return score
