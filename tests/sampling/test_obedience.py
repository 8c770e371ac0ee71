"""Scores of pieces whose answer is known, from their notes alone."""

from __future__ import annotations

import dataclasses

import pytest

from gen.errors import SettingError
from gen.harmony import parse_progression
from gen.piece import KeySignature, Note, Piece, Tempo, TimeSignature, Track
from gen.sampling.obedience import NOT_MEASURED, asked_and_got, missed
from gen.sampling.planning.controls import Controls
from gen.tokens.encoding import Annotations, encode
from gen.tokens.grid import to_grid
from gen.tokens.score import score_of

BAR = 1920
MAJOR = [0, 2, 4, 5, 7, 9, 11, 12]


def chordal(progression: str) -> Piece:
    """A piano that plays the chords, one a bar, and a bass its roots in quarters."""
    chords = [bar[0] for bar in parse_progression(progression)]
    piano = [
        Note(bar * BAR, BAR, 60 + pitch_class, 80)
        for bar, chord in enumerate(chords)
        for pitch_class in sorted(chord.pitch_classes)
    ]
    bass = [
        Note(bar * BAR + beat * 480, 480, 36 + chord.root, 90)
        for bar, chord in enumerate(chords)
        for beat in range(4)
    ]
    return Piece(
        480,
        [Track("", 0, False, None, piano), Track("", 33, False, None, bass)],
        [Tempo(0, 500_000)],
        [TimeSignature(0, 4, 4)],
    )


def melody(pitches: list[int]) -> Piece:
    notes = [Note(i * 480, 480, pitch, 80) for i, pitch in enumerate(pitches)]
    return Piece(480, [Track("", 73, False, None, notes)], [Tempo(0, 500_000)],
                 [TimeSignature(0, 4, 4)])  # fmt: skip


def judged(piece: Piece, told: Annotations | None = None, **asked: object) -> dict:
    """The row of the one control that was asked."""
    rows = encode(to_grid(score_of(piece)), told).tolist()
    (row,) = asked_and_got(rows, piece, Controls(**asked))
    return row


def judged_among(piece: Piece, told: Annotations, control: str, **asked: object) -> dict:
    """The row of one of the controls that were asked."""
    rows = encode(to_grid(score_of(piece)), told).tolist()
    table = asked_and_got(rows, piece, Controls(**asked))
    return next(row for row in table if row["control"] == control)


def test_nothing_asked_nothing_said():
    assert asked_and_got([], chordal("C"), Controls(returns=0.2)) == []


# Chords ---------------------------------------------------------------------------------


def chords(asked: str, played: str) -> dict:
    return judged(chordal(played), Annotations(chords=asked), chords=asked)


def test_chords_that_are_played_agree_in_full():
    row = chords("C | Am7 | F | G", "C | Am7 | F | G")
    assert (row["got"], row["met"]) == ("100% of 4 chords, 100% of the time", True)


def test_a_slash_is_met_only_by_the_note_behind_it_in_the_bass():
    assert chords("C/E", "C")["met"] is False
    over_e = chordal("C")
    bass = over_e.tracks[1]
    bass.notes = [dataclasses.replace(note, pitch=40) for note in bass.notes]
    assert judged(over_e, Annotations(chords="C"), chords="C/E")["met"] is True


def test_chords_are_judged_as_they_are_asked_not_as_the_model_is_told_them():
    asked = Controls(chords="C7alt | Cm(maj7) | E5 | F")
    assert asked.reductions() == ("C7alt as C7", "Cmmaj7 as Cm", "E5 as E")
    assert chords("C7#9#5", "C7")["got"] == "100% of 1 chords, 80% of the time"
    assert chords("C7", "C7")["got"] == "100% of 1 chords, 100% of the time"


def test_degrees_are_those_of_the_asked_key():
    assert Controls(key="C", chords="ii V7 | Imaj7").reductions() == ()
    row = judged_among(chordal("Dm"), Annotations(chords="Dm"), "chords", key="C", chords="ii")
    assert row["got"] == "100% of 1 chords, 100% of the time"
    with pytest.raises(SettingError, match="is a degree, and no key is given"):
        Controls(chords="ii V7 | I").reductions()


def test_chords_count_span_by_span_and_three_in_four_are_enough():
    # Dm holds no tone of C; the other spans are as asked.
    assert chords("C | F | G | C", "C | F | G | Dm")["met"] is True
    row = chords("C | F | C | C", "C | F | Dm | Dm")
    assert row["got"].startswith("50% of 4 chords")
    assert row["met"] is False


def test_half_of_the_sounding_time_makes_a_span_agree():
    # Of Em and its bass, G and E are in C: 1 + 1 + 1 of 4 voices; of Bm none is.
    assert chords("C", "Em")["got"] == "100% of 1 chords, 75% of the time"
    assert chords("C", "Bm")["met"] is False


def test_nothing_is_asked_of_no_chord_and_of_silence():
    assert chords("NC | C", "F# | C")["got"] == "100% of 1 chords, 100% of the time"
    drums = Track("", 0, True, None, [Note(0, 240, 36, 90)])
    silent = dataclasses.replace(chordal("C"), tracks=[drums])
    assert judged(silent, Annotations(chords="C"), chords="C")["met"] is True


# Key ------------------------------------------------------------------------------------


def in_key(tonic: int) -> Piece:
    return melody([60 + tonic + step for step in [*MAJOR, *MAJOR[::-1], 0, 4, 7, 0]])


@pytest.mark.parametrize(
    ("asked", "met"),
    [("D", True), ("B minor", True), ("G", False), ("F", False), ("E dorian", True)],
)
def test_a_scale_is_its_key_or_the_relative_one_and_no_other(asked, met):
    row = judged(in_key(2), key=asked)
    assert row["met"] is met
    assert row["got"].endswith("nearest to D major")


def test_a_piece_within_the_scale_is_in_its_key_wherever_it_ends():
    row = judged(chordal("C | G | Am | F | F | F"), key="C")
    assert row["got"] == "100% of the time in its scale, nearest to F major"
    assert row["met"] is True


def test_what_a_file_says_of_its_key_does_not_count():
    lied = dataclasses.replace(in_key(2), key_signatures=[KeySignature(0, -1, False)])
    assert judged(lied, key="F")["met"] is False
    assert judged(lied, key="D")["got"] == "100% of the time in its scale, nearest to D major"


def test_a_chromatic_line_is_in_no_key():
    assert judged(melody([*range(60, 84), 60, 60]), key="C")["met"] is False


@pytest.mark.parametrize(("sixth", "met"), [(11, True), (10, False)])
def test_a_mode_that_was_steered_to_is_met_by_its_scale_and_its_tonic(sixth, met):
    line = [2, 4, 5, 9, sixth, 9, 5, 2, 4, 0, 2, 9, 5, 2]  # around d, with b or b flat
    piece, asked = melody([60 + pitch for pitch in line]), Controls(key="D dorian")
    rows = encode(to_grid(score_of(piece)), None).tolist()
    (row,) = asked_and_got(rows, piece, asked, strict_key=True, has_scale=True)
    assert row["got"].startswith("nearest to D minor")
    assert row["met"] is met
    (row,) = asked_and_got(rows, piece, asked, strict_key=True)
    assert row["met"] is True  # as by earlier rules


# Density, roles -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "met"),
    [
        ("sparse", True),
        (("medium", "medium"), False),
        (("sparse", 0), True),
        (("sparse", 5), False),
    ],
)
def test_density_is_notes_a_quarter_while_a_track_plays(asked, met):
    quarters = [Note(i * 480, 480, 70, 80) for i in range(8)]
    late = [Note(3 * BAR + i * 960, 960, 40, 80) for i in range(2)]  # two minims in one bar
    piece = dataclasses.replace(
        chordal("C | C | C | C"),
        tracks=[Track("", 73, notes=quarters), Track("", 33, notes=late)],
    )
    row = judged(piece, density=asked)
    assert row["got"] == "1.0, 0.5 notes a quarter"
    assert row["met"] is met


def test_roles_are_heard_not_read():
    piece = chordal("C | F | G | C")
    for track in piece.tracks:
        track.role, track.name = "main_melody", "main melody"
    asked = {"instruments": ("piano", "bass"), "roles": ("accompaniment", "bass")}
    rows = encode(to_grid(score_of(piece))).tolist()
    row = asked_and_got(rows, piece, Controls(**asked))[1]
    assert row["control"] == "roles"
    assert row["got"][1] == "bass"
    assert row["met"] is True
    assert [track.role for track in piece.tracks] == ["main_melody"] * 2


# Guaranteed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "got", "met"),
    [
        ({"bars": 2}, 2, True),
        ({"bars": 3}, 2, False),
        ({"tempo": 120}, 120, True),
        ({"tempo": 121}, 120, False),
        ({"time_signature": " 4 / 4"}, "4/4", True),
        ({"time_signature": "3/4"}, "4/4", False),
        ({"time_signature": "changing"}, "4/4", None),
        ({"pitch_range": (36, 67)}, [36, 67], True),
        ({"pitch_range": (36, 66)}, [36, 67], False),
        ({"velocity_range": (80, 90)}, [80, 90], True),
        ({"velocity_range": (81, 90)}, [80, 90], False),
        ({"instruments": ("piano", "bass")}, ["acoustic grand piano", "fingered bass"],
         True),
        ({"instruments": ("bass", "piano")}, ["acoustic grand piano", "fingered bass"],
         False),
    ],
)  # fmt: skip
def test_what_is_guaranteed_is_checked_on_the_piece(asked, got, met):
    row = judged(chordal("C | C"), **asked)
    assert (row["got"], row["met"]) == (got, met)


def test_a_second_tempo_is_one_too_many():
    piece = dataclasses.replace(chordal("C | C"), tempos=[Tempo(0, 500_000), Tempo(BAR, 400_000)])
    row = judged(piece, tempo=120)
    assert (row["got"], row["met"]) == ([120, 150], False)


def test_sections_are_read_back_bar_by_bar():
    told = Annotations(sections="intro:1 A:3")
    piece = chordal("C | C | C")
    assert judged(piece, told, sections="intro:1 a:3")["got"] == "intro:1 a:3"
    assert judged(piece, told, sections="intro:1 a:3")["met"] is True
    assert judged(piece, told, sections="intro:1 b:3")["met"] is False
    assert judged(piece, told, sections="intro:1 a:2")["met"] is False


@pytest.mark.parametrize("asked", [{"genre": "waltz"}, {"mood": "calm"}])
def test_what_cannot_be_measured_is_said_to_be_so_and_never_missed(asked):
    row = judged(chordal("C"), **asked)
    assert (row["got"], row["met"]) == (NOT_MEASURED, None)
    assert missed([row]) == []


def test_a_piece_without_notes_is_scored_too():
    rows = encode(to_grid(score_of(chordal("C | C"))), Annotations(chords="C | C")).tolist()
    empty = Piece(480, [], [Tempo(0, 500_000)], [TimeSignature(0, 4, 4)])
    asked = Controls(key="C", chords="C", time_signature="4/4", density=("sparse",), bars=2,
                     pitch_range=(40, 50), velocity_range=(3, 90), roles=("bass",),
                     instruments=("bass",))  # fmt: skip
    table = asked_and_got(rows, dataclasses.replace(empty, tracks=[Track("", 33)]), asked)
    assert {row["control"] for row in table} >= {"key", "chords", "density", "roles"}
