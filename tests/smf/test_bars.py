"""Bar lines: whatever a file says, the model can write it, and oddities are told."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given

from gen.piece import Note, Piece, TimeSignature, Track
from gen.smf import RuleBroken, normalise, parse, write
from gen.smf.bars import look_at_time, set_bar_lines
from gen.tokens.encoding import encode
from gen.tokens.grid import to_grid
from gen.tokens.score import score_of
from idiomatic_songs import KINDS, idiomatic_song
from midi_files import pieces
from thorough import examples


def piece_of(*meters: tuple[int, int, int], unit: int = 480, bars: int = 8) -> Piece:
    notes = [Note(n * unit, unit * 9 // 10, 60 + n % 5, 80) for n in range(bars * 4)]
    return Piece(unit, [Track("", 73, notes=notes)], [], [TimeSignature(*m) for m in meters])


@given(pieces(max_tracks=30))
@examples(80)
def test_what_the_gate_admits_the_tokenizer_writes(piece: Piece) -> None:
    if not piece.note_count:
        return
    try:
        found = normalise(write(piece))
    except RuleBroken as refusal:
        assert refusal.rule == "track-count"  # noqa: PT017 - drawn, not arranged
        return
    grid = to_grid(score_of(parse(found.data)))
    assert len(encode(grid)) > 2
    assert len(grid.parts) == len(found.piece.tracks)
    unit = found.piece.ticks_per_quarter
    lines = [start for start, _ in found.piece.bar_starts()]
    both = zip(grid.bars, lines, strict=False)
    assert all(step * unit == line * 12 for (step, _, _), line in both)


@given(pieces())
@examples(40)
def test_setting_bar_lines_moves_no_note(piece: Piece) -> None:
    before = deepcopy(piece)
    set_bar_lines(piece)
    factor = piece.ticks_per_quarter // before.ticks_per_quarter
    for track, old in zip(piece.tracks, before.tracks, strict=True):
        scaled = [
            Note(n.onset_ticks * factor, n.duration_ticks * factor, n.pitch, n.velocity)
            for n in old.notes
        ]
        assert track.notes == scaled


@pytest.mark.parametrize(
    ("meters", "written", "first"),
    [
        ([(0, 17, 8)], [(0, 9, 8), (2160, 4, 4), (4080, 9, 8)], 2),
        ([(0, 4, 4), (2480, 3, 4)], [(0, 4, 4), (1920, 5, 16), (2520, 3, 4)], 3),
        ([(0, 4, 4), (3841, 3, 4)], [(0, 4, 4), (3840, 3, 4)], 4),
    ],
)
def test_bars_that_the_model_cannot_write_are_set_anew_and_said(meters, written, first) -> None:
    found = normalise(write(piece_of(*meters)))
    assert found.piece.time_signatures[: len(written)] == [TimeSignature(*m) for m in written]
    (said,) = (change for change in found.changes if "no note was moved" in change)
    assert said.startswith(f"bar lines set anew from bar {first} on, since")
    assert found.piece.tracks == piece_of().tracks


def test_a_resolution_without_whole_sixteenths_is_refined() -> None:
    found = normalise(write(piece_of((0, 3, 4), (20, 4, 4), unit=30)))
    assert found.piece.ticks_per_quarter == 60
    assert found.piece.tracks[0].notes[1].onset_ticks == 60


def test_a_change_inside_a_bar_that_leaves_a_known_one_stays_and_is_told() -> None:
    data = write(piece_of((0, 4, 4), (4800, 3, 4)))
    found = normalise(data)
    assert found.data == data
    assert "3/4 begins inside bar 3 of 4/4 and cuts it to 2 quarter notes" in found.advice[0]


def test_many_empty_bars_before_the_music_are_told() -> None:
    piece = piece_of()
    late = [Note(n.onset_ticks + 32 * 1920, 400, n.pitch, 80) for n in piece.tracks[0].notes]
    piece.tracks[0].notes = late
    assert "32 empty bars come before the first note" in look_at_time(piece)[0]
    assert look_at_time(piece_of()) == []


@pytest.mark.parametrize(("silent", "said"), [(7, []), (8, ["bars 9 to 16 are empty"])])
def test_a_long_silence_within_the_music_is_told(silent: int, said: list[str]) -> None:
    piece, empty = piece_of(), silent * 1920
    end = max(n.end_ticks for n in piece.tracks[0].notes)
    start = -(-end // 1920) * 1920 + empty
    piece.tracks[0].notes.append(Note(start, 400, 60, 80))
    piece.tracks.append(Track("long", notes=[Note(0, end // 2, 40, 80), Note(start, 9, 40, 80)]))
    found = look_at_time(piece)
    assert len(found) == len(said)
    assert all(words in line for words, line in zip(said, found, strict=True))


@pytest.mark.parametrize(
    ("numerator", "denominator", "eighths", "stated"),
    [(4, 4, 1, "1/8"), (4, 4, 2, "1/4"), (4, 4, 3, "3/8"), (3, 4, 2, "1/4"), (2, 2, 4, "1/2"),
     (6, 8, 1, "1/8"), (12, 8, 3, "3/8")],
)  # fmt: skip
def test_a_pick_up_without_a_signature_is_told(numerator, denominator, eighths, stated) -> None:
    bar, pickup = numerator * 1920 // denominator, eighths * 240
    long = [Note(pickup + n * bar, bar - 240, 60 + n % 5, 80) for n in range(16)]
    short = [Note(pickup + (n + 1) * bar - 240, 230, 67, 80) for n in range(16)]
    tune = Track("Tune", notes=[Note(0, pickup - 10, 67, 80), *sorted([*long, *short])])
    bass = Track("Bass", 33, notes=[replace(n, pitch=n.pitch - 24) for n in long])
    piece = Piece(480, [tune, bass], [], [TimeSignature(0, numerator, denominator)])
    (told,) = look_at_time(piece)
    assert f"time signature of its own ({stated})" in told
    piece.time_signatures = [
        TimeSignature(0, eighths, 8), TimeSignature(pickup, numerator, denominator),
    ]  # fmt: skip
    assert look_at_time(piece) == []


def test_songs_that_begin_on_bar_lines_have_no_pick_up() -> None:
    songs = [idiomatic_song(kind, seed) for kind in KINDS for seed in range(4)]
    assert [told for piece in songs for told in look_at_time(piece) if "pick-up" in told] == []
