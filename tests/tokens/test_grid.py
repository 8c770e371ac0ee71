"""The vectorised way to the grid, held against the obvious one."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from symusic import ControlChange, Score

from gen import smf
from gen.errors import HouseError
from gen.meter import signature_of
from gen.piece import DRUM_PROGRAM, Note, Pedal, Piece, Tempo, TimeSignature, Track
from gen.tokens import vocabulary as v
from gen.tokens.encoding import Annotations, encode
from gen.tokens.grid import Grid, to_grid
from gen.tokens.reading import decode
from gen.tokens.tokenizer import score_of
from midi_files import pieces as strict_pieces
from music import STEP, loose_pieces, pieces
from thorough import examples

LONGEST = 192


def grid_of(piece: Piece) -> Grid:
    return to_grid(score_of(piece))


def one_track(*notes: Note, **changes) -> Piece:
    return Piece(480, [Track(notes=list(notes))], **changes)


# The obvious way ------------------------------------------------------------------------


def nearest_step(tick: int, division: int) -> int:
    return int(Fraction(tick * 12, division) + Fraction(1, 2))


def nearest(wanted: float, table) -> int:
    return min(range(len(table)), key=lambda i: (abs(float(table[i]) - wanted), i))


def fitting(duration: int, room: int) -> int:
    return max(d for d in v.DURATIONS.tolist() if d <= min(duration, room))


def span(item: Note | Pedal, division: int) -> tuple[int, int]:
    onset = nearest_step(item.onset_ticks, division)
    end = nearest_step(item.onset_ticks + item.duration_ticks, division)
    return onset, min(max(end - onset, 1), LONGEST)


Found = list[tuple[int, int, int, int, int]]


def separated(found: Found) -> Found:
    """(onset, pitch, duration, velocity, played): the longest of each onset, cut when restruck."""
    kept: dict[tuple[int, int], tuple[int, int, int]] = {}
    for onset, pitch, played, velocity in found:
        duration = int(v.DURATIONS[nearest(played, v.DURATIONS)])
        here = kept.get((onset, pitch), (0, 0, 0))
        kept[onset, pitch] = max(here, (duration, velocity, played))
    result = []
    for onset, pitch in sorted(kept):
        duration, velocity, played = kept[onset, pitch]
        struck_again = [o for o, p in kept if p == pitch and o > onset]
        room = min(struck_again, default=9999) - onset
        result.append((onset, pitch, fitting(duration, room), velocity, played))
    return result


def ended(found: Found, end: int) -> list[tuple[int, int, int, int]]:
    return [(o, p, fitting(d, end - o), vel) for o, p, d, vel, _ in found if o < end]


def plain_bars(piece: Piece, end: int) -> list[tuple[int, int]]:
    """(first step, length) of each bar, walked one by one."""
    meters = {0: (4, 4)}
    for s in piece.time_signatures:
        meters[nearest_step(s.onset_ticks, piece.ticks_per_quarter)] = (s.numerator, s.denominator)
    starts = sorted(step for step in meters if step < end)
    bars, step = [], 0
    while step < end:
        length = v.bar_steps(*meters[max(s for s in starts if s <= step)])
        following = min([s for s in starts if s > step], default=step + length)
        bars.append((step, min(length, following - step)))
        step += bars[-1][1]
    return bars


def plain_tempos(piece: Piece, end: int) -> list[tuple[int, int]]:
    said = {0: nearest(120, v.TEMPOS)}
    for tempo in piece.tempos:
        step = nearest_step(tempo.onset_ticks, piece.ticks_per_quarter)
        if step < end:
            said[step] = nearest(tempo.quarters_per_minute, v.TEMPOS)
    steps = sorted(said)
    changes = [b for a, b in pairwise(steps) if said[a] != said[b]]
    return [(step, said[step]) for step in [0, *changes]]


@given(loose_pieces())
def test_anything_lands_where_the_obvious_way_puts_it(piece):
    division = piece.ticks_per_quarter
    grid = grid_of(piece)
    tracks = []
    for track in piece.tracks:
        spans = [(n, *span(n, division)) for n in track.notes]
        notes = [(o, n.pitch, d, nearest(n.velocity, v.VELOCITIES)) for n, o, d in spans]
        tracks.append(separated(notes))
    end = max(o + min(d, played) for notes in tracks for o, _, d, _, played in notes)
    bars = plain_bars(piece, end)
    if any(signature_of(length) is None for _, length in bars):
        return  # written otherwise: tests/test_meter.py
    assert [(start, v.bar_steps(n, d)) for start, n, d in grid.bars] == bars
    end = sum(bars[-1])
    assert grid.tempos == plain_tempos(piece, end)
    for part, track, notes in zip(grid.parts, piece.tracks, tracks, strict=True):
        assert part.program == track.instrument
        columns = (part.onset, part.pitch, part.duration, part.velocity)
        assert list(zip(*(c.tolist() for c in columns), strict=True)) == ended(notes, end)
        held = [(o, 0, d, 0) for o, d in (span(p, division) for p in track.pedals)]
        wanted = [(onset, duration) for onset, _, duration, _ in ended(separated(held), end)]
        found = zip(part.pedal_onset.tolist(), part.pedal_duration.tolist(), strict=True)
        assert list(found) == wanted


@given(pieces())
def test_bars_are_those_that_the_piece_counts(piece):
    starts = [(tick // STEP, s.numerator, s.denominator) for tick, s in piece.bar_starts()]
    assert grid_of(piece).bars == starts


@given(st.integers(24, 9600), st.integers(0, 50_000))
@examples(200)
def test_an_onset_moves_by_at_most_half_a_step(division, tick):
    piece = Piece(division, [Track(notes=[Note(tick, division, 60, 99)])])
    onset = int(grid_of(piece).parts[0].onset[0])
    assert abs(Fraction(tick * 12, division) - onset) <= Fraction(1, 2)


# By example -----------------------------------------------------------------------------


def test_a_swung_eighth_is_exact_and_a_human_one_goes_to_its_step():
    human = one_track(Note(0, 320, 60, 80), Note(320, 160, 62, 80), Note(491, 220, 64, 80))
    grid = grid_of(human)
    assert grid.parts[0].onset.tolist() == [0, 8, 12]
    assert grid.parts[0].duration.tolist() == [8, 4, 6]


def test_a_note_of_any_length_lasts_from_one_step_to_sixteen_quarters():
    grid = grid_of(one_track(Note(0, 1, 60, 80), Note(0, 480 * 40, 62, 80)))
    assert grid.parts[0].duration.tolist() == [1, LONGEST]
    assert len(grid.bars) == 4


def test_a_duration_rounded_up_makes_no_further_bar():
    meters = [TimeSignature(0, 5, 4)]
    grid = grid_of(one_track(Note(8 * STEP, 52 * STEP, 60, 80), time_signatures=meters))
    assert grid.bars == [(0, 5, 4)]
    assert grid.parts[0].duration.tolist() == [48]  # 54 is nearer, and does not fit


def test_of_two_notes_struck_together_on_one_pitch_the_longer_stays_then_the_louder():
    notes = [Note(0, 480, 60, 7), Note(0, 240, 60, 127), Note(480, 480, 60, 7)]
    grid = grid_of(one_track(*notes, Note(480, 480, 60, 11)))
    assert grid.parts[0].duration.tolist() == [12, 12]
    assert v.VELOCITIES[grid.parts[0].velocity].tolist() == [7, 11]


def test_a_meter_change_inside_a_bar_leaves_a_short_bar_with_its_own_signature():
    meters = [TimeSignature(0, 4, 4), TimeSignature(480 * 4 + 720, 4, 4)]
    grid = grid_of(one_track(Note(0, 480 * 8, 60, 80), time_signatures=meters))
    assert grid.bars == [(0, 4, 4), (48, 3, 8), (66, 4, 4)]


def test_four_four_holds_until_the_first_signature():
    meters = [TimeSignature(1920, 3, 4)]
    grid = grid_of(one_track(Note(0, 480 * 7, 60, 80), time_signatures=meters))
    assert grid.bars == [(0, 4, 4), (48, 3, 4)]


def test_without_a_word_the_tempo_is_120():
    assert grid_of(one_track(Note(0, 480, 60, 80))).tempos == [(0, nearest(120, v.TEMPOS))]


def test_a_tempo_that_changes_nothing_is_not_told_again():
    tempos = [Tempo(0, 500_000), Tempo(480, 500_001), Tempo(960, 400_000)]
    grid = grid_of(one_track(Note(0, 1920, 60, 80), tempos=tempos))
    assert [step for step, _ in grid.tempos] == [0, 24]


def test_of_two_pedals_pressed_on_one_step_the_longer_is_kept():
    piece = one_track(Note(0, 1920, 60, 80))
    piece.tracks[0].pedals = [Pedal(0, 10), Pedal(15, 945)]
    part = grid_of(piece).parts[0]
    assert (part.pedal_onset.tolist(), part.pedal_duration.tolist()) == ([0], [24])


def test_pedals_of_a_file_are_found_in_every_track_where_they_are():
    notes = [Note(0, 1920, 60, 83)]
    pedals = [[Pedal(480, 480)], [], [Pedal(960, 40), Pedal(1000, 920)]]
    piece = Piece(480, [Track(notes=notes, pedals=p) for p in pedals], [Tempo(0, 500_000)])
    grid = to_grid(Score.from_midi(smf.write(piece)))
    assert [part.pedal_onset.tolist() for part in grid.parts] == [[12], [], [24, 25]]
    assert [part.pedal_duration.tolist() for part in grid.parts] == [[12], [], [1, 23]]


def test_a_pedal_never_released_is_held_to_the_end():
    score = score_of(one_track(Note(0, 1920, 60, 80)))
    moves = [(0, 63), (240, 64), (240, 63), (480, 127), (600, 90)]
    score.tracks[0].controls.extend(ControlChange(tick, 64, value) for tick, value in moves)
    part = to_grid(score).parts[0]
    assert (part.pedal_onset.tolist(), part.pedal_duration.tolist()) == ([12], [36])


def test_tracks_without_notes_are_left_out_and_the_others_keep_their_order():
    programs = (40, 0, 0, 33)
    piece = Piece(480, [Track(program=p, notes=[Note(0, 480, 60, 80)]) for p in programs])
    piece.tracks.insert(1, Track(program=99))
    piece.tracks.append(Track(is_drum=True, notes=[Note(0, 40, 36, 80)]))
    assert [part.program for part in grid_of(piece).parts] == [*programs, DRUM_PROGRAM]


@pytest.mark.parametrize("signature", [(13, 4), (3, 32), (17, 16), (4, 1), (5, 64)])
def test_a_meter_that_the_model_cannot_write_becomes_several_bars_that_last_as_long(signature):
    meters = [TimeSignature(0, *signature)]
    grid = grid_of(one_track(Note(240_000, 480, 60, 80), time_signatures=meters))
    starts = {start for start, _, _ in grid.bars}
    bar = Fraction(48 * signature[0], signature[1])
    assert starts >= {int(n * bar * 16) for n in range(int(6000 / (bar * 16)))}
    assert all((n, d) in v.TIME_SIGNATURES for _, n, d in grid.bars)


def test_a_cut_bar_that_no_signature_measures_ends_at_the_nearest_sixteenth():
    meters = [TimeSignature(0, 4, 4), TimeSignature(560, 4, 4)]
    grid = grid_of(one_track(Note(0, 4800, 60, 80), Note(560, 480, 64, 80), time_signatures=meters))
    assert grid.bars[:3] == [(0, 5, 16), (15, 4, 4), (63, 4, 4)]
    assert grid.parts[0].onset.tolist() == [0, 14]


def test_of_too_many_tracks_those_of_one_instrument_are_joined():
    tracks = [Track(program=n % 20, notes=[Note(n * 40, 40, 60 + n, 80)]) for n in range(30)]
    grid = grid_of(Piece(480, tracks))
    assert len(grid.parts) == v.MAX_TRACKS
    assert {part.program for part in grid.parts} == {*range(20)}
    assert sorted(int(p) for part in grid.parts for p in part.pitch) == [*range(60, 90)]
    assert len(grid_of(Piece(480, tracks[:24])).parts) == 24


def test_of_too_many_instruments_those_of_one_family_are_joined_and_no_role_is_told():
    tracks = [Track(program=n, notes=[Note(n * 40, 40, 60, 80)]) for n in range(60)]
    tracks += [Track(is_drum=True, notes=[Note(0, 40, 36, 80)])]
    grid = grid_of(Piece(480, tracks))
    assert len(grid.parts) == v.MAX_TRACKS
    assert grid.parts[-1].program == DRUM_PROGRAM
    events = encode(grid, Annotations(roles=("bass",) * 61))
    assert not events.array[events.rows_of(v.Kind.TRACK), v.EXTENT].any()


@given(strict_pieces(max_tracks=40))
@examples(60)
def test_whatever_the_strict_walker_reads_the_tokenizer_writes(piece):
    if piece.note_count:
        grid = grid_of(smf.parse(smf.write(piece)))
        assert decode(encode(grid)).note_count > 0


def test_a_score_without_notes_is_refused():
    with pytest.raises(HouseError, match="no track holds a note"):
        grid_of(Piece(480, [Track()]))


def test_the_grid_leaves_the_score_as_it_was():
    score = score_of(one_track(Note(7, 333, 60, 80)))
    before = score.copy()
    to_grid(score)
    assert score == before
    assert np.array_equal(score.tracks[0].notes.numpy()["time"], [7])
