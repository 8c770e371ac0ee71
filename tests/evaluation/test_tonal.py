"""Measures of harmony, home and form, on pieces whose answer is known."""

from __future__ import annotations

import math

import pytest

from gen.analysis.key import krumhansl_kessler
from gen.evaluation.measures import tonal
from gen.harmony import Key
from gen.piece import KeySignature, Marker, Note, Piece, Tempo, Track

BAR = 1920


def part(pitches: list[int], role: str = "main_melody", quarters: int = 4) -> Track:
    notes = [Note(n * 480 * quarters, 480 * quarters, p, 80) for n, p in enumerate(pitches)]
    return Track(role, 0, role == "drums", role, notes)


def piece(*tracks: Track, **more: object) -> Piece:
    return Piece(480, list(tracks), **more)


@pytest.mark.parametrize(("distance", "share"), [(0, 0), (1, 0.5), (2, 0), (11, 0.5), (13, 0.5)])
def test_a_semitone_between_two_parts_is_a_clash_for_as_long_as_it_lasts(distance, share):
    two = piece(part([60, 60]), part([60 + distance, 64], "pad"))
    assert tonal.clash(two) == share
    assert tonal.melody_clash(two) == share


def test_one_part_alone_does_not_clash_with_itself():
    chord = part([60])
    chord.notes.append(Note(0, BAR, 61, 80))
    assert tonal.clash(piece(chord)) == 0
    assert math.isnan(tonal.melody_clash(piece(chord)))


@pytest.mark.parametrize(("last", "home"), [(36, 1), (43, 0)])
def test_a_piece_ends_at_home_on_the_bass_note_of_its_signatures_tonic(last, home):
    signature = [KeySignature(0, 0, is_minor=False)]
    found = piece(part([60, 67]), part([41, last], "bass"), key_signatures=signature)
    assert tonal.ends_at_home(found) == home
    assert tonal.ends_at_home(found, Key(7, "major")) == 1 - home


def test_a_scale_that_dwells_on_tonic_and_fifth_is_heard_in_its_key():
    for tonic in range(12):
        major = [60 + tonic + step for step in (0, 2, 4, 5, 7, 9, 11, 0, 7, 4, 0)]
        assert krumhansl_kessler(piece(part(major))) == Key(tonic, "major")
        minor = [60 + tonic + step for step in (0, 2, 3, 5, 7, 8, 10, 0, 7, 3, 0)]
        assert krumhansl_kessler(piece(part(minor))) == Key(tonic, "minor")
    assert krumhansl_kessler(piece()) is None


@pytest.mark.parametrize(("mood", "fits"), [("dark", 1), ("happy", 0), ("dreamy", math.nan)])
def test_only_moods_with_a_mode_are_judged_by_it(mood, fits):
    minor = piece(part([60, 62, 63, 65, 67, 68, 70, 60, 67, 63, 60]))
    assert tonal.fits_mood(minor, mood) == pytest.approx(fits, nan_ok=True)


def test_a_breaks_density_is_that_of_its_bars_by_the_others():
    markers = [Marker(0, "Verse"), Marker(2 * BAR, "Break"), Marker(3 * BAR, "Verse")]
    quarters = part([60] * 16, quarters=1)
    quarters.notes = [n for n in quarters.notes if not 2 * BAR < n.onset_ticks < 3 * BAR]
    assert tonal.section_density(piece(quarters, markers=markers), "break") == 0.25
    assert math.isnan(tonal.section_density(piece(quarters, markers=markers), "solo"))


def test_a_section_grows_by_as_much_as_its_second_half_has_more_notes():
    quarters = part([60] * 8 + [62] * 24, quarters=1)
    quarters.notes += [Note(n * 480, 240, 72, 80) for n in range(16, 24)]
    markers = [Marker(0, "A"), Marker(2 * BAR, "Build"), Marker(6 * BAR, "B")]
    assert tonal.section_growth(piece(quarters, markers=markers), "build") == 2
    assert math.isnan(tonal.section_growth(piece(quarters, markers=markers), "break"))


@pytest.mark.parametrize(
    ("tempos", "lowest", "faster"),
    [((120, 100, 90), 0.75, 0), ((120, 60, 100), 0.5, 1), ((120,), math.nan, math.nan)],
)
def test_a_close_is_as_slow_as_its_slowest_tempo_and_never_faster_again(tempos, lowest, faster):
    found = piece(
        part([60] * 12),
        tempos=[Tempo((0, 9 * BAR, 10 * BAR)[n], round(6e7 / t)) for n, t in enumerate(tempos)],
    )
    assert tonal.closing_tempo(found) == pytest.approx(lowest, abs=1e-4, nan_ok=True)
    assert tonal.speeds_up(found) == pytest.approx(faster, nan_ok=True)


def test_outer_voices_that_move_in_fifths_or_octaves_are_counted():
    fifths = piece(part([67, 69, 71]), part([48, 50, 52], "bass"))
    assert tonal.parallels(fifths) == (2, 2)
    sixths = piece(part([69, 71, 72]), part([48, 50, 52], "bass"))
    assert tonal.parallels(sixths) == (2, 0)
    contrary = piece(part([67, 69]), part([48, 47], "bass"))
    assert tonal.parallels(contrary) == (0, 0)


def test_a_bar_of_kick_and_snare_alone_is_told_from_one_with_a_hat():
    drums = part([36, 38, 42], "drums")
    assert tonal.drums_alone(piece(drums)) == pytest.approx(2 / 3)


def test_a_mean_leaves_out_what_is_not_known():
    assert tonal.mean([1.0, math.nan, 0.0]) == (0.5, 2)
    assert math.isnan(tonal.mean([math.nan])[0])


# Harmony that moves ---------------------------------------------------------------------


TRIADS = {"C": [48, 52, 55], "F": [53, 57, 60], "G": [55, 59, 62]}


def harmony(symbols: str, *more: Track) -> Piece:
    chords = Track("pad", 0, role="pad")
    for bar, symbol in enumerate(symbols):
        chords.notes += [Note(bar * BAR, BAR, pitch, 80) for pitch in TRIADS[symbol]]
    return piece(chords, *more, key_signatures=[KeySignature(0, 0, is_minor=False)])


@pytest.mark.parametrize(("symbols", "share"), [("CCCC", 1), ("CFGC", 0), ("CCFFG", 0.5)])
def test_how_often_harmony_stays_is_heard_in_the_notes(symbols, share):
    assert tonal.stays(harmony(symbols)) == share


def test_without_a_second_bar_no_harmony_stays():
    assert math.isnan(tonal.stays(harmony("C")))
    assert math.isnan(tonal.stays(piece()))


def test_what_lies_beside_the_stated_key_counts_by_how_long_it_sounds():
    assert tonal.beside_key(harmony("CF")) == 0
    assert tonal.beside_key(harmony("C", part([61]))) == pytest.approx(1 / 4)
    assert math.isnan(tonal.beside_key(piece()))


def test_in_minor_the_leading_note_is_of_the_key():
    minor = [KeySignature(0, 0, is_minor=True)]
    assert tonal.beside_key(piece(part([57, 68]), key_signatures=minor)) == 0
    assert tonal.beside_key(piece(part([57, 66]), key_signatures=minor)) == 0.5


def test_a_melody_goes_by_steps_leaps_and_not_at_all():
    moves = piece(part([60, 62, 61, 61, 65]))
    assert tonal.steps(moves) == 0.5
    assert tonal.repeats(moves) == 0.25
    assert math.isnan(tonal.steps(piece(part([60, 62], "pad"))))


def test_a_part_is_stuck_on_one_pitch_only_while_chords_change():
    assert tonal.stuck(harmony("CFGCF", part([67] * 5, "sub_melody"))) == pytest.approx(2 / 4)
    assert tonal.stuck(harmony("CCCCC", part([67] * 5, "sub_melody"))) == 0
    assert tonal.stuck(harmony("CFGCF", part([67, 69] * 2 + [67], "sub_melody"))) == 0
    assert math.isnan(tonal.stuck(harmony("CFG")))


def test_a_tune_that_comes_back_is_recalled_by_its_notes():
    markers = [Marker(n * 2 * BAR, title) for n, title in enumerate(("a", "b", "a"))]
    tune = [60, 64, 65, 67, 60, 62]
    assert tonal.recalls(piece(part(tune), markers=markers)) == 0.5
    assert tonal.recalls(piece(part([*tune[:4], 60, 64]), markers=markers)) == 1
    assert math.isnan(tonal.recalls(piece(part(tune), markers=markers[:2])))


@pytest.mark.parametrize(("late", "struck"), [(0, 1), (480, 0)])
def test_a_close_is_struck_where_nothing_but_drums_comes_after_its_first_beat(late, struck):
    close = Track("", 0, False, None, [Note(BAR + late, 480, 60, 80), Note(BAR, 480, 64, 80)])
    drums = part([36] * 8, "drums", quarters=1)
    assert tonal.struck_close(piece(part([60, 60]), close, drums)) == struck


def test_inner_voices_are_lines_between_melody_and_bass():
    chords = part([60, 60])
    chords.role, chords.notes = "pad", chords.notes * 2
    voices = part([60, 62, 62], "accompaniment"), part([72, 48]), part([36, 48], "bass")
    assert tonal.inner_moves(piece(*voices, chords)) == [2, 0]
