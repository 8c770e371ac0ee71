from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.piece import DRUM_PROGRAM, Note, Piece, Tempo, TimeSignature, Track
from music import Theme, pieces


def held(quarters: float, **changes) -> Piece:
    return Piece(480, [Track(notes=[Note(0, int(quarters * 480), 60, 80)])], **changes)


def starts(piece: Piece) -> list[tuple[int, int, int]]:
    return [(tick, s.numerator, s.denominator) for tick, s in piece.bar_starts()]


def test_a_track_of_drums_has_the_drums_number_whatever_its_program():
    assert Track(program=5).instrument == 5
    assert Track(program=5, is_drum=True).instrument == DRUM_PROGRAM


def test_notes_and_end_are_counted_over_all_tracks():
    piece = Theme(1, bars=4).piece()
    assert piece.note_count == 32 + 4 + 8
    assert piece.end_ticks == 4 * 1920
    assert (Piece(480).note_count, Piece(480).end_ticks) == (0, 0)


def test_bars_are_four_four_until_said_otherwise_and_reach_the_last_note_off():
    assert starts(held(4)) == [(0, 4, 4)]
    assert starts(held(4.01)) == [(0, 4, 4), (1920, 4, 4)]
    late = held(7, time_signatures=[TimeSignature(1920, 3, 4)])
    assert starts(late) == [(0, 4, 4), (1920, 3, 4)]


def test_a_signature_inside_a_bar_cuts_it_short():
    piece = held(8, time_signatures=[TimeSignature(0, 4, 4), TimeSignature(2400, 7, 8)])
    assert [tick for tick, _, _ in starts(piece)] == [0, 1920, 2400]


def test_signatures_after_the_last_note_off_make_no_bars():
    piece = held(4, time_signatures=[TimeSignature(0, 4, 4), TimeSignature(19200, 3, 4)])
    assert starts(piece) == [(0, 4, 4)]


def test_of_two_signatures_on_one_tick_one_bar_begins():
    piece = held(3, time_signatures=[TimeSignature(0, 3, 4), TimeSignature(0, 4, 4)])
    assert len(starts(piece)) == 1


@given(pieces())
def test_bars_follow_each_other_without_a_gap_and_hold_every_note(piece):
    bars = piece.bar_starts()
    ends = [tick + piece.bar_ticks(signature) for tick, signature in bars]
    assert [tick for tick, _ in bars] == [0, *ends[:-1]]
    assert bars[-1][0] < piece.end_ticks <= ends[-1]


def test_seconds_follow_the_tempo_map():
    piece = held(8, tempos=[Tempo(0, 1_000_000), Tempo(960, 250_000)])
    assert piece.seconds_at(0) == 0
    assert piece.seconds_at(960) == 2
    assert piece.seconds_at(1920) == 2.5
    assert held(8).seconds_at(480) == 0.5


@given(
    st.lists(st.builds(Tempo, st.integers(0, 2000), st.integers(100_000, 2_000_000)), max_size=4),
    st.integers(0, 3000),
)
def test_seconds_add_up_tick_by_tick(tempos, tick):
    tempos = list({tempo.onset_ticks: tempo for tempo in tempos}.values())
    piece = held(8, tempos=tempos)
    in_force = {tempo.onset_ticks: tempo.microseconds_per_quarter for tempo in tempos}
    now, total = 500_000, Fraction(0)
    for each in range(tick):
        now = in_force.get(each, now)
        total += Fraction(now, 480)
    assert piece.seconds_at(tick) == pytest.approx(float(total / 1_000_000))


def test_a_tempo_says_its_quarters_a_minute():
    assert Tempo(0, 500_000).quarters_per_minute == 120


@given(pieces())
def test_pretty_midi_has_the_same_notes_in_seconds(piece):
    heard = piece.to_pretty_midi()
    ours = sorted(
        (track.is_drum, track.instrument if not track.is_drum else 0, n.pitch, n.velocity,
         round(piece.seconds_at(n.onset_ticks), 4), round(piece.seconds_at(n.end_ticks), 4))
        for track in piece.tracks
        for n in track.notes
    )  # fmt: skip
    theirs = sorted(
        (one.is_drum, 0 if one.is_drum else one.program, n.pitch, n.velocity,
         round(n.start, 4), round(n.end, 4))
        for one in heard.instruments
        for n in one.notes
    )  # fmt: skip
    for one, other in zip(ours, theirs, strict=True):
        assert one == pytest.approx(other, abs=2e-4)
    meters = [(s.numerator, s.denominator) for s in heard.time_signature_changes]
    assert meters == [(s.numerator, s.denominator) for s in piece.time_signatures]
