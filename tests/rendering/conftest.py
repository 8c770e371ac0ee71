"""Pieces for the rendering tests, made by code."""

import pytest

from gen.piece import (
    KeySignature,
    Marker,
    Note,
    Piece,
    Tempo,
    TimeSignature,
    Track,
)

QUARTER = 480


def make_piece(bars=4, numerator=4, denominator=4, drums=True):
    """Melody with a triplet, held pad, bass and drums; a section and a chord every bar."""
    bar = QUARTER * 4 * numerator // denominator
    melody, pad, bass, kit = [], [], [], []
    for number in range(bars):
        start = number * bar
        melody += [Note(start + third * 160, 150, 72 + third, 90) for third in range(3)]
        melody.append(Note(start + QUARTER, bar - QUARTER, 76, 70))
        pad += [Note(start, bar, pitch, 45) for pitch in (57, 60, 64)]
        bass += [Note(beat, QUARTER - 20, 33, 80) for beat in range(start, start + bar, QUARTER)]
        kit += [Note(beat, 60, 42, 60) for beat in range(start, start + bar, QUARTER // 2)]
        kit += [Note(start, 60, 36, 110), Note(start + QUARTER, 60, 38, 100)]
    tracks = [
        Track("Lead", 40, False, "main_melody", melody),
        Track("Pad", 48, False, "pad", pad),
        Track("Bass", 33, False, "bass", bass),
        Track("Kit", 0, True, "drums", sorted(kit)),
    ]
    markers = [Marker(0, "A")] + [Marker(n * bar, "Am7") for n in range(bars)]
    return Piece(
        QUARTER,
        tracks if drums else tracks[:3],
        [Tempo(0, 500_000)],
        [TimeSignature(0, numerator, denominator)],
        [KeySignature(0, 0, True)],
        markers,
    )


@pytest.fixture
def piece():
    return make_piece()


@pytest.fixture
def make():
    return make_piece
