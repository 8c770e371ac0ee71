"""Echo columns, held against a search of every earlier row, and against the row-by-row memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gen.data.windows import transposed
from gen.tokens import vocabulary as v
from gen.tokens.echo import ECHO_COLUMNS, ECHO_SIZES, LEVELS, EchoMemory, echoes, shown
from gen.tokens.events import Annotations
from gen.tokens.vocabulary import FIRST, SPANS, Kind
from music import Theme, bos, events_of, pieces, track_row

HEARD = (Kind.BAR, Kind.CELL, Kind.FILL, Kind.NOTE, Kind.PEDAL)
VALUE, RHYME = ECHO_COLUMNS.index("echo_value"), ECHO_COLUMNS.index("rhyme_value")


def plain_echoes(events: np.ndarray) -> list[list[int]]:
    """The same by definition: compare each row's past with that of every earlier row."""
    rows = [row for row in events.tolist() if row[0] in HEARD]
    slot, slots, streams, exact, rhythm, ordinals = 0, [], {}, [], [], []
    for index, (kind, position, value, _, _) in enumerate(rows):
        slot = value if kind in (Kind.CELL, Kind.FILL) else 0 if kind == Kind.BAR else slot
        stream = streams.setdefault(slot, [])
        before = rhythm[stream[-1]][:2] if stream else None
        ordinals.append(ordinals[stream[-1]] + 1 if before == (kind, position) else 0)
        exact.append((kind, position, None if kind in (Kind.CELL, Kind.FILL) else value))
        rhythm.append((kind, position, ordinals[-1]))
        stream.append(index)
        slots.append(slot)
    result, index = [], -1
    for row in events.tolist():
        if row[0] not in HEARD:
            result.append([0] * len(ECHO_COLUMNS))
            continue
        index += 1
        stream = streams[slots[index]]
        told = [0] * len(ECHO_COLUMNS)
        match, length = longest(stream, index, exact)
        if match is not None:
            kind, position, value, extent, level = rows[match + 1]
            cell = kind in (Kind.CELL, Kind.FILL)
            pitch = value - FIRST["pitch"] + 1 if kind == Kind.NOTE else 0
            told[:6] = kind, position, pitch, 0 if cell else extent, level, length
        match, length = longest(stream, index, rhythm)
        if match is not None:
            after, here, there = rows[match + 1], rows[index], rows[match]
            told[6], told[8] = after[1], length
            if here[0] == after[0] == Kind.NOTE and here[2] < FIRST["drum"]:
                moved = here[2] + after[2] - there[2]
                if moved in SPANS["pitch"]:
                    told[7] = moved - FIRST["pitch"] + 1
        result.append(told)
    return result


def longest(stream: list[int], index: int, keys: list) -> tuple[int | None, int]:
    here, best = stream.index(index), (None, 0)
    for level in range(LEVELS):
        size = 2**level
        past = [keys[i] for i in stream[here + 1 - size : here + 1]] if here + 1 >= size else None
        for there in range(size - 1, here):
            if past == [keys[i] for i in stream[there + 1 - size : there + 1]]:
                best = stream[there], level + 1
    return best


@given(pieces(most_tracks=3), st.booleans())
@settings(max_examples=40)
def test_echoes_are_what_a_search_of_all_that_went_before_finds(piece, annotated):
    events = events_of(
        piece, Annotations("waltz", chords="F | NC", sections="A:1") if annotated else None
    )
    assert shown(echoes(events)).tolist() == plain_echoes(events)


def test_echoes_of_music_that_repeats():
    events = Theme(3, bars=16).events()
    found = shown(echoes(events))
    assert found.tolist() == plain_echoes(events)
    assert found[:, ECHO_COLUMNS.index("echo_length")].max() > 4
    assert (found >= 0).all()
    assert (found < np.array(ECHO_SIZES)).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_memory_of_a_walk_tells_the_same_row_by_row(seed):
    events = Theme(seed, bars=12).events()
    memory = EchoMemory()
    assert [memory.take(row) for row in events.tolist()] == shown(echoes(events)).tolist()


@given(pieces(most_tracks=3))
@settings(max_examples=40)
def test_the_memory_of_a_walk_tells_the_same_of_any_piece(piece):
    events = events_of(piece)
    memory = EchoMemory()
    assert [memory.take(row) for row in events.tolist()] == shown(echoes(events)).tolist()


@pytest.mark.parametrize("semitones", [-5, 1, 7])
def test_echoes_shown_higher_are_the_echoes_of_the_music_played_higher(semitones):
    events = Theme(2).events()
    told = echoes(events)
    expected = shown(echoes(transposed(events, semitones)))
    assert np.array_equal(shown(told, semitones=semitones), expected)


def test_an_interval_that_leads_off_the_keyboard_tells_no_pitch():
    rows = [bos(), track_row(0)]
    for first, second in ((10, 110), (30, 100)):
        rows.append([Kind.BAR, 0, FIRST["time_signature"] + 6, 0, 0])
        rows.append([Kind.CELL, 0, FIRST["slot"], 0, 0])
        for step, pitch in ((0, first), (12, second)):
            rows.append([Kind.NOTE, FIRST["position"] + step, FIRST["pitch"] + pitch, 14, 20])
    found = shown(echoes(np.array(rows, dtype=np.int16)))
    assert found[8, RHYME] == 0  # 30 + 100 is above 127
    assert found[8, ECHO_COLUMNS.index("rhyme_position")] == FIRST["position"] + 12
    assert shown(echoes(np.array(rows, dtype=np.int16)), semitones=-3)[8, RHYME] == 30 + 100 - 3 + 1


def test_louder_echoes_stay_within_what_exists():
    events = Theme(1).events()
    level = ECHO_COLUMNS.index("echo_level")
    plain, loud = shown(echoes(events)), shown(echoes(events), velocity=40)
    struck = plain[:, level] > 0
    assert set(loud[struck, level]) == {SPANS["velocity"].stop - 1}
    assert not loud[~struck, level].any()


def test_densities_are_told_to_a_model_but_never_echoed():
    events = Theme(1, bars=8).events()
    silent = events.copy()
    silent[silent[:, v.KIND] == Kind.CELL, v.EXTENT] = 0
    assert (events != silent).any()
    assert np.array_equal(shown(echoes(events)), shown(echoes(silent)))
