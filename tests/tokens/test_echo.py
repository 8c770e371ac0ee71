"""Echo columns, held against a search of every earlier row, and against the row-by-row memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.data.augment import transposed
from gen.data.holes import punched
from gen.tokens import vocabulary as v
from gen.tokens.echo import ECHO_COLUMNS, ECHO_SIZES, LEVELS, EchoMemory, echo_columns, echoes
from gen.tokens.encoding import Annotations
from gen.tokens.events import Events
from gen.tokens.vocabulary import SPANS, Kind
from music import FIRST, Theme, bos, events_of, pieces, track_row
from thorough import examples

HEARD = (Kind.BAR, Kind.CELL, Kind.FILL, Kind.NOTE, Kind.PEDAL)
VALUE, RHYME = ECHO_COLUMNS.index("echo_value"), ECHO_COLUMNS.index("rhyme_value")


def plain_echoes(events: Events) -> list[list[int]]:
    """The same by definition: compare each row's past with that of every earlier row."""
    rows: list[list[int]] = []
    exact, rhythm, pasts, slots = [], [], [], []
    streams, before, filled, slot, ordinal = {}, [], 0, 0, 0
    result = []
    for row in events.tolist():
        kind, position, value, extent, level = row
        if kind == Kind.HOLE:  # what stands before it, and nothing that what comes goes on from
            before.append((value, streams.pop(value, [])))
        if kind not in HEARD:
            result.append([0] * len(ECHO_COLUMNS))
            continue
        if kind == Kind.FILL:
            own = before[filled][1]
            if own or value not in [slot for slot, _ in before[:filled]]:
                streams[value] = own  # else it goes on from the hole just before
            filled += 1
        cell = kind in (Kind.CELL, Kind.FILL)
        slot = value if cell else 0 if kind == Kind.BAR else slot
        same = bool(rhythm) and rhythm[-1][:3] == (slot, cell or kind, position)
        ordinal = ordinal + 1 if same else 0
        exact.append((slot, cell or kind, position, None if cell else value))
        rhythm.append((slot, cell or kind, position, ordinal))
        slots.append(slot)
        rows.append([kind, position, value, 0 if cell else extent, 0 if cell else level])
        streams[slot] = [*streams.get(slot, []), len(rows) - 1]
        pasts.append(streams[slot])
        told = [0] * len(ECHO_COLUMNS)
        match, length = longest(pasts, exact)
        if match is not None:
            after = rows[match + 1]
            pitch = after[2] - FIRST["pitch"] + 1 if after[0] == Kind.NOTE else 0
            told[:6] = *after[:2], pitch, *after[3:], length
        match, length = longest(pasts, rhythm)
        if match is not None:
            after, there = rows[match + 1], rows[match]
            told[6], told[8] = after[1], length
            if kind == after[0] == Kind.NOTE and value < FIRST["drum"]:
                moved = value + after[2] - there[2]
                if moved in SPANS["pitch"]:
                    told[7] = moved - FIRST["pitch"] + 1
        result.append(told)
    return result


def longest(pasts: list[list[int]], keys: list) -> tuple[int | None, int]:
    """Of the last row: the latest with the longest equal past, and how long."""
    best = None, 0
    for level in range(LEVELS):
        size = 2**level
        if len(pasts[-1]) < size:
            break
        own = [keys[i] for i in pasts[-1][-size:]]
        for there, past in enumerate(pasts[:-1]):
            if len(past) >= size and own == [keys[i] for i in past[-size:]]:
                best = there, level + 1
    return best


@given(pieces(most_tracks=3), st.booleans())
@examples(40)
def test_echoes_are_what_a_search_of_all_that_went_before_finds(piece, annotated):
    events = events_of(
        piece, Annotations("waltz", chords="F | NC", sections="A:1") if annotated else None
    )
    assert echo_columns(echoes(events)).tolist() == plain_echoes(events)


def test_echoes_of_music_that_repeats():
    events = Theme(3, bars=16).events()
    found = echo_columns(echoes(events))
    assert found.tolist() == plain_echoes(events)
    assert found[:, ECHO_COLUMNS.index("echo_length")].max() > 4
    assert (found >= 0).all()
    assert (found < np.array(ECHO_SIZES)).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_memory_of_a_walk_tells_the_same_row_by_row(seed):
    events = Theme(seed, bars=12).events()
    memory = EchoMemory()
    assert [memory.take(row) for row in events.tolist()] == echo_columns(echoes(events)).tolist()


@given(pieces(most_tracks=3))
@examples(40)
def test_the_memory_of_a_walk_tells_the_same_of_any_piece(piece):
    events = events_of(piece)
    memory = EchoMemory()
    assert [memory.take(row) for row in events.tolist()] == echo_columns(echoes(events)).tolist()


@pytest.mark.parametrize("seed", range(12))
def test_what_fills_a_hole_goes_on_from_what_stands_before_it(seed):
    rng = np.random.default_rng(seed)
    work = Theme(seed % 3, bars=10).events()
    holes = rng.random((10, 3)) < rng.uniform(0.05, 0.6)
    holes[:, 1] |= seed % 2 == 0  # a whole track too
    events, _ = punched(work, holes)
    found = echo_columns(echoes(events)).tolist()
    assert found == plain_echoes(events)
    memory = EchoMemory()
    assert [memory.take(row) for row in events.tolist()] == found


def test_a_hole_echoes_what_comes_after_it_in_time():
    """Bars 3 and 7 of a track are alike; bar 3 is left out, and bar 7 tells it note for note."""
    bars = [Theme(0, bars=8).events()]
    events, rows = bars[0], np.flatnonzero(bars[0][:, v.KIND] == Kind.BAR)
    again = events[: rows[4]] + events[rows[0] : rows[4]] + events[-1:]
    holes = np.zeros((8, 3), dtype=bool)
    holes[2, 0] = True
    holed, _ = punched(again, holes)
    fill = int(np.argmax(holed[:, v.KIND] == Kind.FILL))
    notes = holed[fill + 1 : -1]
    told = echo_columns(echoes(holed))[fill:-2]
    assert len(notes) > 2
    assert told[:, 0].tolist() == [Kind.NOTE] * len(notes)
    assert told[:, VALUE].tolist() == (notes[:, v.VALUE] - FIRST["pitch"] + 1).tolist()


@pytest.mark.parametrize("semitones", [-5, 1, 7])
def test_echoes_shown_higher_are_the_echoes_of_the_music_played_higher(semitones):
    events = Theme(2).events()
    told = echoes(events)
    expected = echo_columns(echoes(transposed(events, semitones)))
    assert np.array_equal(echo_columns(told, semitones=semitones), expected)


def test_an_interval_that_leads_off_the_keyboard_tells_no_pitch():
    rows = [bos(), track_row(0)]
    for first, second in ((10, 110), (30, 100)):
        rows.append([Kind.BAR, 0, FIRST["time_signature"] + 6, 0, 0])
        rows.append([Kind.CELL, 0, FIRST["slot"], 0, 0])
        for step, pitch in ((0, first), (12, second)):
            rows.append([Kind.NOTE, FIRST["position"] + step, FIRST["pitch"] + pitch, 14, 20])
    found = echo_columns(echoes(Events.of(rows)))
    assert found[8, RHYME] == 0  # 30 + 100 is above 127
    assert found[8, ECHO_COLUMNS.index("rhyme_position")] == FIRST["position"] + 12
    assert echo_columns(echoes(Events.of(rows)), semitones=-3)[8, RHYME] == 30 + 100 - 3 + 1


def test_louder_echoes_stay_within_what_exists():
    events = Theme(1).events()
    level = ECHO_COLUMNS.index("echo_level")
    plain, loud = echo_columns(echoes(events)), echo_columns(echoes(events), velocity=40)
    struck = plain[:, level] > 0
    assert set(loud[struck, level]) == {SPANS["velocity"].stop - 1}
    assert not loud[~struck, level].any()


def test_densities_are_told_to_a_model_but_never_echoed():
    events = Theme(1, bars=8).events()
    ids = events.array.copy()
    ids[events.is_a(Kind.CELL), v.EXTENT] = 0
    silent = Events(ids)
    assert events != silent
    assert np.array_equal(echo_columns(echoes(events)), echo_columns(echoes(silent)))
