"""The arranger by rule: chords, meter and instrument decide every note."""

from __future__ import annotations

import numpy as np

from gen.evaluation.arranger import HI_HAT, KICK, SNARE, arranged
from gen.harmony import Chord
from gen.piece import DRUM_PROGRAM
from gen.sampling.drafting.cell_table import CellTable
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_id

QUARTER = v.STEPS_PER_QUARTER
C, F, G7 = Chord(0, "maj", 0), Chord(5, "maj", 5), Chord(7, "7", 7)


def table(*bars: list[tuple[int, Chord]], meter: tuple[int, int] = (4, 4)) -> CellTable:
    """Bars without cells, with chords from these beats on."""
    signature = WORDS.time_signature.id(v.TIME_SIGNATURES.index(meter))
    rows = [
        [[int(Kind.BAR), 0, signature, 0, 0]]
        + [[int(Kind.CHORD), WORDS.position.id(beat * QUARTER), chord_id(c), 0, 0]
           for beat, c in bar]
        for bar in bars
    ]  # fmt: skip
    return CellTable([[int(Kind.BOS), 0, 0, 0, 0]], rows, {})


def notes(cells, bar, words=WORDS.pitch):
    """Beat, length in beats and pitch of each note of a bar."""
    return [
        (
            WORDS.position.number(row[v.POSITION]) / QUARTER,
            v.DURATIONS[WORDS.duration.number(row[v.EXTENT])] / QUARTER,
            words.number(row[v.VALUE]),
        )
        for row in cells[bar, 0][1:]
    ]


def test_a_bass_plays_root_and_fifth_and_the_root_of_each_chord_that_comes():
    cells = arranged(table([(0, C)], [(0, F), (2, G7)]), 0, 33, "bass")
    (first, length, root), (middle, _, fifth) = notes(cells, 0)
    assert (first, length, middle, root % 12, fifth - root) == (0, 2, 2, 0, 7)
    assert [(beat, pitch % 12) for beat, _, pitch in notes(cells, 1)] == [(0, 5), (2, 7)]


def test_a_pad_holds_every_tone_in_the_nearest_inversion():
    cells = arranged(table([(0, C)], [(0, F)], []), 0, 89, "pad")
    voiced = [[pitch for _, _, pitch in notes(cells, bar)] for bar in range(3)]
    assert [{pitch % 12 for pitch in chord} for chord in voiced] == [
        {0, 4, 7},
        {5, 9, 0},
        {5, 9, 0},
    ]
    assert all(max(chord) - min(chord) < 12 for chord in voiced)
    assert abs(np.mean(voiced[0]) - np.mean(voiced[1])) <= 3
    assert voiced[1] == voiced[2]  # the chord holds on


def test_other_parts_break_the_chord_in_eighths():
    cells = arranged(table([(0, G7)]), 0, 0, "accompaniment")
    found = notes(cells, 0)
    assert [beat for beat, _, _ in found] == [number / 2 for number in range(8)]
    assert {pitch % 12 for _, _, pitch in found} == {7, 11, 2, 5}


def test_drums_beat_the_meter():
    for meter, kicks, snares in (((4, 4), [0, 2], [1, 3]), ((3, 4), [0], [1, 2])):
        found = notes(arranged(table([], meter=meter), 0, DRUM_PROGRAM, "drums"), 0, WORDS.drum)
        assert [beat for beat, _, sound in found if sound == KICK] == kicks
        assert [beat for beat, _, sound in found if sound == SNARE] == snares
        assert sum(sound == HI_HAT for _, _, sound in found) == 2 * meter[0]


def test_where_no_chord_holds_nothing_is_played():
    assert not arranged(table([], []), 0, 33, "bass")
