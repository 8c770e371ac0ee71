"""A hash of what sounds, whatever the file's resolution, track order or encoding."""

from __future__ import annotations

import hashlib
from math import gcd

from gen.piece import Piece


def musical_hash(piece: Piece) -> str:
    """SHA-256 (hex) of the sorted notes.

    One line a note: onset and duration as reduced fractions of a quarter note, pitch,
    velocity, program (0 for drums), 1 for drums or 0. Names, tempo, meter and pedal are left
    out: a re-saved work keeps its hash. It never admits a file.
    """
    unit = piece.ticks_per_quarter
    notes = sorted(
        (
            n.onset_ticks,
            n.duration_ticks,
            n.pitch,
            n.velocity,
            t.program * (not t.is_drum),
            t.is_drum,
        )
        for t in piece.tracks
        for n in t.notes
    )
    ticks = {ticks for note in notes for ticks in note[:2]}
    fractions = {value: _fraction(value, unit) for value in ticks}
    lines = [
        f"{fractions[onset]} {fractions[duration]} {pitch} {velocity} {program} {is_drum:d}\n"
        for onset, duration, pitch, velocity, program, is_drum in notes
    ]
    return hashlib.sha256("".join(lines).encode("ascii")).hexdigest()


def _fraction(ticks: int, ticks_per_quarter: int) -> str:
    divisor = gcd(ticks, ticks_per_quarter)
    return f"{ticks // divisor}/{ticks_per_quarter // divisor}"
