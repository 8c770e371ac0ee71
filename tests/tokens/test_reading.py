from __future__ import annotations

import numpy as np
import pytest

from gen.errors import HouseError
from gen.piece import DRUM_PROGRAM, Note, Pedal
from gen.tokens import vocabulary as v
from gen.tokens.reading import decode
from gen.tokens.vocabulary import Kind
from music import FIRST, STEP, Theme, bos, track_row

FOUR_FOUR = FIRST["time_signature"] + v.TIME_SIGNATURES.index((4, 4))
BAR = [int(Kind.BAR), 0, FOUR_FOUR, 0, 0]
EOS = [int(Kind.EOS), 0, 0, 0, 0]


def cell(slot: int = 0, kind: Kind = Kind.CELL) -> list[int]:
    return [int(kind), 0, FIRST["slot"] + slot, 0, 0]


def note(step: int = 0, pitch: int = 60, base: str = "pitch") -> list[int]:
    return [
        int(Kind.NOTE), FIRST["position"] + step, FIRST[base] + pitch,
        FIRST["duration"] + 11, FIRST["velocity"] + 20,
    ]  # fmt: skip


def pedal(step: int = 0) -> list[int]:
    return [int(Kind.PEDAL), FIRST["position"] + step, 0, FIRST["duration"] + 11, 0]


def read(*rows: list[int]):
    return decode(np.array(rows, dtype=np.int16))


def test_a_note_stands_in_its_bar_and_cell():
    piece = read(bos(), track_row(0), BAR, BAR, cell(), note(12), EOS)
    assert piece.tracks[0].notes == [Note((48 + 12) * STEP, 12 * STEP, 60, 83)]


def test_a_meter_is_told_only_where_it_changes():
    seven = [int(Kind.BAR), 0, FIRST["time_signature"] + v.TIME_SIGNATURES.index((7, 8)), 0, 0]
    piece = read(bos(), track_row(0), BAR, BAR, seven, seven, BAR, EOS)
    assert [(s.onset_ticks // STEP, s.numerator) for s in piece.time_signatures] == [
        (0, 4), (96, 7), (180, 4),
    ]  # fmt: skip


def test_holes_are_filled_in_their_order_at_the_end():
    rows = [
        bos(), track_row(0), track_row(33), BAR, cell(0, Kind.HOLE), cell(1), note(0, 40),
        BAR, cell(0), note(0, 62), cell(1, Kind.HOLE),
        cell(0, Kind.FILL), note(24, 60), pedal(30), cell(1, Kind.FILL), note(6, 41), EOS,
    ]  # fmt: skip
    piece = read(*rows)
    found = [[(n.onset_ticks // STEP, n.pitch) for n in t.notes] for t in piece.tracks]
    assert found == [[(24, 60), (48, 62)], [(0, 40), (54, 41)]]
    assert piece.tracks[0].pedals == [Pedal(30 * STEP, 12 * STEP)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([BAR, note()], r"event 3 \(NOTE\): stands outside any cell"),
        ([BAR, pedal()], r"event 3 \(PEDAL\): stands outside any cell"),
        ([BAR, cell(), note(), BAR, note()], r"event 6 \(NOTE\): stands outside any cell"),
        ([BAR, cell(0, Kind.HOLE), note()], r"event 4 \(NOTE\): stands outside any cell"),
        ([BAR, cell(1)], r"event 3 \(CELL\): belongs to track 2 of 1 declared ones"),
        ([BAR, cell(), note(48)], r"event 4 \(NOTE\): stands on step 48 of a bar of 48 steps"),
        ([cell(), note()], r"event 3 \(NOTE\): stands on step 0 of a bar of 0 steps"),
        ([BAR, cell(0, Kind.FILL)], r"event 3 \(FILL\): does not fill the next hole"),
        (
            [BAR, cell(0, Kind.HOLE), cell(1, Kind.FILL)],
            r"event 4 \(FILL\): does not fill the next hole",
        ),
        ([BAR, cell(), note(0, 36, "drum")], r"event 4 \(NOTE\): is a drum in a melodic track"),
        (
            [track_row(DRUM_PROGRAM), BAR, cell(1), note()],
            r"event 5 \(NOTE\): is a pitch among drums",
        ),
        ([BAR, [17, 0, 0, 0, 0]], r"event 3 \(kind 17\): may not carry \[0, 0, 0, 0\]"),
        ([[-1, 0, 0, 0, 0]], r"event 2 \(kind -1\): may not carry"),
        ([[8, 0, FIRST["pitch"], 0, 0]], r"event 2 \(BAR\): may not carry \[0, 3, 0, 0\]"),
        ([[15, 0, 0, 0, 0]], r"event 2 \(NOTE\): may not carry"),
        ([[8, 0, 9999, 0, 0]], r"event 2 \(BAR\): may not carry \[0, 9999, 0, 0\]"),
        ([[8, 0, -1, 0, 0]], r"event 2 \(BAR\): may not carry"),
    ],
)  # fmt: skip
def test_what_the_grammar_forbids_is_refused_with_its_event(rows, message):
    with pytest.raises(HouseError, match=message):
        read(bos(), track_row(0), *rows, EOS)


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 2, 5)])
def test_what_is_no_table_of_five_fields_is_refused_with_its_shape(shape):
    with pytest.raises(HouseError, match=str(shape)[1:-1]):
        decode(np.zeros(shape, dtype=np.int16))


def test_any_id_changed_at_random_is_read_or_refused_with_its_event():
    events = Theme(1, bars=3).events()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(400):
        broken = events.array.copy()
        row, field = rng.integers(len(events)), rng.integers(5)
        broken[row, field] = rng.integers(0, v.FIELD_SIZES[field])
        try:
            decode(broken)
        except HouseError as error:
            refused += 1
            assert str(error).startswith("event ")  # noqa: PT017 - drawn, not arranged
    assert 100 < refused < 400


def test_an_empty_sequence_is_an_empty_piece():
    assert read(bos(), EOS).tracks == []
