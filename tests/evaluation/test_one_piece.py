"""Each statistic has the value that MusPy gave, or that a person counts.

MUSPY was computed once with muspy 0.5.0: `muspy.Music(resolution=12, tracks=…)` with the very notes
of `golden(0)` to `golden(2)`, then the function of each name; `groove_consistency` with
`measure_resolution` 48, 36 and 36. Its values of drums without drums are NaN.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from gen.evaluation.measures import one_piece
from gen.evaluation.measures.notes import lines, pitches_sounding, tabulate
from gen.evaluation.measures.one_piece import measured
from gen.harmony import QUALITIES
from gen.piece import Note, Piece, TimeSignature, Track
from metric_pieces import golden

NAN = math.nan
MUSPY = {
    "pitch_class_entropy": (3.2242654628235465, 3.372702064125179, 2.805406631330608),
    "scale_consistency": (0.8571428571428571, 0.7702702702702703, 1.0),
    "groove_consistency": (0.9345238095238095, 0.9848484848484849, 0.9791666666666666),
    "polyphony": (3.6382978723404253, 3.8507462686567164, 1.0),
    "polyphony_rate": (0.6666666666666666, 0.9029850746268657, 0.0),
    "empty_beat_rate": (0.125, 0.0, 0.0),
    "drum_pattern_consistency": (0.75, NAN, NAN),
    "pitch_range": (31, 48, 11),
}


def piece(*notes, drums=(), signatures=(), ticks=12):
    tracks = [Track("", 0, notes=[Note(*n) for n in notes])]
    if drums:
        tracks.append(Track("", 0, True, notes=[Note(*n) for n in drums]))
    return Piece(ticks, tracks, [], [TimeSignature(*s) for s in signatures])


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("name", MUSPY)
def test_statistic_is_what_muspy_gives(name, number):
    function = getattr(one_piece, name)
    expected = pytest.approx(MUSPY[name][number], nan_ok=True, abs=1e-12)
    assert function(tabulate(golden(number))) == expected
    assert measured(golden(number))[name] == expected


@pytest.mark.parametrize("ticks", [24, 480, 960])
def test_statistics_do_not_depend_on_a_files_ticks(ticks):
    original = golden(0)
    finer = replace(original, ticks_per_quarter=ticks, tracks=[], tempos=[])
    for track in original.tracks:
        notes = [
            replace(
                n,
                onset_ticks=n.onset_ticks * ticks // 12,
                duration_ticks=n.duration_ticks * ticks // 12,
            )
            for n in track.notes
        ]
        finer.tracks.append(replace(track, notes=notes))
    for name, value in measured(original).items():
        assert measured(finer)[name] == pytest.approx(value, nan_ok=True)


def test_notes_go_to_the_nearest_step_and_last_one_at_least():
    table = tabulate(piece((19, 3, 60, 1), (21, 3, 61, 1), (61, 60, 62, 1), ticks=480))
    assert table.onset.tolist() == [0, 1, 2]
    assert table.end.tolist() == [1, 2, 3]


def test_groove_is_refused_where_the_meter_changes_or_no_second_bar_begins():
    notes = [(i * 12, 12, 60, 80) for i in range(12)]
    changing = piece(*notes, signatures=[(0, 4, 4), (48, 3, 4)])
    assert math.isnan(one_piece.groove_consistency(tabulate(changing)))
    short = piece((0, 6, 60, 80))
    assert math.isnan(one_piece.groove_consistency(tabulate(short)))


def test_a_piece_without_pitched_notes_has_only_what_drums_define():
    found = measured(piece(drums=[(0, 1, 36, 80), (12, 1, 38, 80)]))
    for name in ("pitch_class_entropy", "scale_consistency", "polyphony", "pitch_range"):
        assert math.isnan(found[name])
    for name in ("intervals", "durations", "chords", "transitions"):
        assert np.isnan(found[name]).all()
    assert found["drum_pattern_consistency"] == 1
    assert found["velocities"][79] == 1


def test_an_empty_piece_defines_nothing():
    for value in measured(Piece(480)).values():
        assert np.isnan(value).all()


def test_line_is_the_highest_note_at_each_onset_of_each_track():
    both = Piece(
        12,
        [
            Track("", 0, notes=[Note(0, 12, 60, 80), Note(0, 12, 64, 80), Note(12, 12, 62, 80)]),
            Track("", 1, notes=[Note(0, 12, 40, 80), Note(12, 12, 47, 80)]),
            Track("", 0, True, notes=[Note(0, 1, 99, 80)]),
        ],
    )
    line = lines(tabulate(both))
    assert line.pitch.tolist() == [64, 62, 40, 47]
    found = one_piece.intervals(tabulate(both))
    assert {i - 24: share for i, share in enumerate(found) if share} == {-2: 0.5, 7: 0.5}


def test_wide_intervals_and_long_notes_count_as_the_widest_and_longest():
    found = measured(piece((0, 200, 20, 80), (12, 3, 100, 80), (24, 3, 20, 80)))
    assert found["intervals"][[0, -1]].tolist() == [0.5, 0.5]
    assert found["durations"][[2, -1]] == pytest.approx([2 / 3, 1 / 3])


def test_pitches_that_overlap_sound_once():
    roll = pitches_sounding(tabulate(piece((0, 4, 60, 80), (2, 4, 60, 80), (2, 1, 61, 80))))
    assert roll.sum(axis=1).tolist() == [1, 1, 2, 1, 1, 1]


def test_note_density_counts_drums_up_to_the_last_note_off():
    counted = piece((0, 12, 60, 80), drums=[(0, 1, 36, 80), (24, 24, 36, 80)])
    assert one_piece.note_density(tabulate(counted)) == 3 / 4


def test_chords_are_counted_from_the_tonic_and_changes_by_the_roots_motion():
    bars = {"C": (48, 52, 55), "F": (41, 45, 48), "G": (43, 47, 50)}
    notes = [(bar * 48, 48, pitch, 80) for bar, name in enumerate("CCFGC") for pitch in bars[name]]
    for up in (0, 5):  # in F major the same
        times, changes = one_piece.chords(piece(*[(a, b, c + up, d) for a, b, c, d in notes]))
        names = list(QUALITIES)
        of_major = times.reshape(12, -1)[:, names.index("maj")]
        assert of_major[[0, 5, 7]] == pytest.approx([3 / 5, 1 / 5, 1 / 5])
        motions = changes.reshape(len(names), 12, -1)[0, :, 0]
        assert motions[[5, 2]] == pytest.approx([2 / 3, 1 / 3])  # C-F, G-C; F-G
