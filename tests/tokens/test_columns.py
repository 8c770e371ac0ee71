"""Context columns, held against one event after another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.piece import DRUM_PROGRAM, ROLES
from gen.tokens import vocabulary as v
from gen.tokens.columns import (
    COLUMNS,
    CONTEXT_SIZES,
    MOST_BARS,
    MOST_REMAINING,
    context_columns,
)
from gen.tokens.echo import ECHO_COLUMNS, echo_columns, echoes
from gen.tokens.encoding import Annotations
from gen.tokens.events import Events, latest
from gen.tokens.vocabulary import Kind
from gen.tokens.word_ids import chord_id, key_id
from music import FIRST, Theme, bos, events_of, pieces, track_row
from thorough import examples


def plain_columns(events: Events, first_bar: int, bars: int | None) -> list[list[int]]:
    programs, roles, result = [], [], []
    slot, bar, chord, chords, density, registers = None, None, 0, {}, 0, []
    told = dict.fromkeys(("genre", "mood", "key", "style", "section"), 0)
    for kind, position, value, extent, level in events.tolist():
        if Kind(kind).name.lower() in told:
            told[Kind(kind).name.lower()] = value - FIRST[Kind(kind).name.lower()] + 1
        if kind in (Kind.CELL, Kind.HOLE, Kind.FILL):
            density = extent - FIRST["density"] + 1 if extent else 0
        if kind == Kind.TRACK:
            registers.append(level - FIRST["register"] + 1 if level else 0)
            slot = len(programs)
            programs.append(value - FIRST["program"])
            roles.append(extent - FIRST["role"] + 1 if extent else 0)
        elif kind == Kind.BAR:
            bar = first_bar if bar is None else bar + 1
        if kind in (Kind.CELL, Kind.HOLE):
            slot = value - FIRST["slot"]
        elif kind == Kind.BAR or not (bar is not None or kind == Kind.TRACK):
            slot = None
        if kind == Kind.BAR and chords:
            chord, chords = chords[max(chords)], {}
        elif kind == Kind.CHORD:
            chords[position] = value - FIRST["chord"] + 1
        here = max(position, FIRST["position"])
        sounding = next((chords[p] for p in sorted(chords, reverse=True) if p <= here), chord)
        in_cell = slot is not None and bar is not None
        left = 0
        if bars is not None and bar is not None:
            left = min(max(bars - bar, 1), MOST_REMAINING + 1)
        result.append(
            [
                0 if slot is None else slot + 1,
                0 if slot is None else programs[slot] + 1,
                0 if slot is None else roles[slot],
                0 if slot is None else registers[slot],
                density if in_cell else 0,
                0 if bar is None else min(bar, MOST_BARS) + 1,
                0 if bar is None else bar % 16 + 1,
                left,
                plain_pitch_class(kind, value),
                sounding if in_cell else 0,
                *told.values(),
            ]
        )
    return result


def plain_pitch_class(kind: int, value: int) -> int:
    if kind == Kind.NOTE and value < FIRST["drum"]:
        return (value - FIRST["pitch"]) % 12 + 1
    if kind == Kind.CHORD and value > FIRST["chord"]:
        return (value - FIRST["chord"] - 1) // 13 + 1
    if kind == Kind.KEY:
        return (value - FIRST["key"]) // 2 + 1
    return 0


@given(pieces(most_tracks=3), st.integers(0, 300), st.none() | st.integers(1, 400))
@examples(50)
def test_columns_are_those_that_follow_event_by_event(piece, first_bar, bars):
    notes = Annotations("waltz", key="Eb minor", chords="F#m7 | NC | Db/F", sections="A:1")
    events = events_of(piece, notes)
    found = context_columns(events, first_bar=first_bar, bars=bars)
    assert found.dtype == np.int16
    own = len(COLUMNS) - len(ECHO_COLUMNS)
    assert found[:, :own].tolist() == plain_columns(events, first_bar, bars)
    assert np.array_equal(found[:, own:], echo_columns(echoes(events)))
    assert (found >= 0).all()
    assert (found < np.array(CONTEXT_SIZES)).all()


def test_columns_of_a_beginning_are_the_beginning_of_the_columns():
    events = Theme(1).events()
    whole = context_columns(events, bars=8)
    for end in range(1, len(events), 7):
        assert np.array_equal(context_columns(events[:end], bars=8), whole[:end])


def test_a_cell_knows_its_instrument_and_role():
    events = events_of(Theme(1).piece(), Annotations(roles=("main_melody", "bass", "drums")))
    columns = context_columns(events)
    for slot, (program, role) in enumerate([(73, "main_melody"), (33, "bass"), (128, "drums")]):
        inside = columns[columns[:, 0] == slot + 1]
        assert set(inside[:, COLUMNS.index("instrument")]) == {program + 1}
        assert set(inside[:, COLUMNS.index("role")]) == {ROLES.index(role) + 1}


def test_bars_left_count_down_to_one_and_are_hidden_when_open():
    events = Theme(1, bars=4).events()
    column = COLUMNS.index("remaining")
    is_bar = events[:, v.KIND] == Kind.BAR
    assert context_columns(events, bars=4)[is_bar, column].tolist() == [4, 3, 2, 1]
    assert not context_columns(events)[:, column].any()


def test_what_fills_a_hole_belongs_to_the_bar_and_track_of_its_hole():
    bar = [Kind.BAR, 0, FIRST["time_signature"], 0, 0]
    hole, fill = ([kind, 0, FIRST["slot"] + 1, 0, 0] for kind in (Kind.HOLE, Kind.FILL))
    note = [Kind.NOTE, FIRST["position"], FIRST["drum"], FIRST["duration"], FIRST["velocity"]]
    rows = [bos(), track_row(0), track_row(DRUM_PROGRAM), bar, bar, hole, bar, hole, bar]
    rows += [fill, note, fill, note, [Kind.EOS, 0, 0, 0, 0]]
    columns = context_columns(Events.of(rows))
    assert columns[9:, COLUMNS.index("bar")].tolist() == [2, 2, 3, 3, 3]
    assert columns[9:, COLUMNS.index("slot")].tolist() == [2] * 5
    assert columns[9:, COLUMNS.index("instrument")].tolist() == [129] * 5


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Kind.NOTE, FIRST["pitch"] + 61, 2),
        (Kind.NOTE, FIRST["drum"] + 61, 0),
        (Kind.CHORD, chord_id(None), 0),
        (Kind.CHORD, FIRST["chord"] + 1, 1),
        (Kind.CHORD, FIRST["chord"] + 13, 1),
        (Kind.CHORD, FIRST["chord"] + 14, 2),
        (Kind.KEY, key_id("B minor"), 12),
        (Kind.MOOD, FIRST["mood"], 0),
        (Kind.PEDAL, 0, 0),
    ],
)
def test_pitch_class_is_told_of_notes_chords_and_keys_alone(kind, value, expected):
    events = Events.of([bos(), [kind, 0, value, 0, 0]])
    column = context_columns(events)[:, COLUMNS.index("pitch_class")]
    assert column.tolist() == [0, expected]


def test_latest_is_the_last_marked_row_or_minus_one():
    marks = np.array([False, True, False, False, True])
    assert latest(marks).tolist() == [-1, 1, 1, 1, 4]
    assert latest(np.array([], dtype=np.bool_)).tolist() == []
