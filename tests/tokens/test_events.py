"""The sequence of events: selecting, joining, and what follows from the order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from gen.data.holes import punched
from gen.errors import HouseError, SettingError
from gen.harmony import parse_chord
from gen.piece import DRUM_PROGRAM, ROLES
from gen.tokens import vocabulary as v
from gen.tokens.encoding import Annotations
from gen.tokens.events import Event, Events
from gen.tokens.vocabulary import WORDS, Kind
from music import bar_event, event, events_of, pieces

VELOCITY, DURATION = list(v.VELOCITIES).index, list(v.DURATIONS).index
NOTE = event(Kind.NOTE, position=12, pitch=60, duration=DURATION(6), velocity=VELOCITY(83))
TWO_BARS = Events.joined(
    [
        Events.bos(),
        Events.key("A minor"),
        event(Kind.TRACK, program=73, role=ROLES.index("main_melody"), register=5),
        Events.new_track(DRUM_PROGRAM),
        bar_event(4, 4),
        event(Kind.TEMPO, position=0, tempo=int(np.abs(v.TEMPOS - 120).argmin())),
        Events.chord(parse_chord("Am7"), 24),
        event(Kind.CELL, slot=0, density=2),
        event(Kind.PEDAL, position=0, duration=DURATION(48)),
        NOTE,
        event(Kind.CELL, slot=1),
        event(Kind.NOTE, position=0, drum=36, duration=DURATION(3), velocity=VELOCITY(99)),
        bar_event(3, 4),
        event(Kind.CELL, slot=1),
        event(Kind.NOTE, position=24, drum=38, duration=DURATION(3), velocity=VELOCITY(99)),
        Events.eos(),
    ]
)


def test_events_are_selected_like_any_sequence():
    assert len(TWO_BARS) == 16
    assert isinstance(TWO_BARS[3], Event)
    assert [event.kind for event in TWO_BARS[2:4]] == [Kind.TRACK, Kind.TRACK]
    assert TWO_BARS[TWO_BARS.is_a(Kind.NOTE)] == TWO_BARS[[9, 11, 14]] == TWO_BARS.only(Kind.NOTE)
    assert TWO_BARS[:5] + TWO_BARS[5:] == TWO_BARS
    assert Events.of(TWO_BARS) == TWO_BARS
    assert Events.of([]) == TWO_BARS[:0] == Events.joined([])


def test_events_of_other_ids_or_of_another_length_are_not_equal():
    assert TWO_BARS[:-1] != TWO_BARS
    assert Events.key("A minor") != Events.key("A major")
    assert Events.eos() != "the end"


def test_every_event_knows_its_bar_track_and_step():
    assert TWO_BARS.bar.tolist() == [-1] * 4 + [0] * 8 + [1] * 4
    assert TWO_BARS.track.tolist() == [-1, -1, 0, 1, -1, -1, -1, 0, 0, 0, 1, 1, -1, 1, 1, 1]
    assert TWO_BARS.cell.tolist() == [-1] * 7 + [7] * 3 + [10] * 2 + [-1] + [13] * 3
    assert TWO_BARS.step[[6, 9, 11, 14]].tolist() == [24, 12, 0, 24]
    assert TWO_BARS.bar_steps.tolist() == [48, 36]
    assert TWO_BARS.bar_starts.tolist() == [0, 48, 84]
    assert TWO_BARS.header == TWO_BARS[:4]
    assert (TWO_BARS.tracks, TWO_BARS.notes) == (2, 3)


def test_numbers_are_those_of_music():
    assert TWO_BARS.only(Kind.NOTE).number.tolist() == [60, 36, 38]
    assert TWO_BARS.only(Kind.TRACK).number.tolist() == [73, DRUM_PROGRAM]
    assert TWO_BARS.is_pitched.sum() == 1
    assert Events.bos().number.tolist() == [-1]


def test_what_fills_a_hole_stands_in_the_bar_of_the_hole():
    events, _ = punched(TWO_BARS, np.array([[True, False], [False, True]]))
    fills = events.rows_of(Kind.FILL)
    assert events.bar[fills].tolist() == [0, 1]
    assert events.track[fills + 1].tolist() == [0, 1]
    assert events.bar[-1] == 1


def test_what_cannot_be_told_is_refused_and_the_nearest_is_named():
    with pytest.raises(SettingError, match="waltz"):
        Events.genre("walz")
    with pytest.raises(HouseError, match="style 32"):
        Events.style(v.MAX_STYLES)


def test_events_are_shown_in_words():
    assert repr(NOTE) == "Events(Note Position_12 Pitch_60 Duration_6 Velocity_83)"
    assert NOTE[0].value == WORDS.pitch.id(60)
    assert repr(Events.bos() + Events.genre("waltz")) == "Events(Bos; Genre Genre_waltz)"


@given(pieces())
def test_bars_tracks_and_steps_are_those_of_the_piece(piece):
    events = Events(events_of(piece, Annotations("waltz")))
    notes = events.only(Kind.NOTE)
    rows = events.rows_of(Kind.NOTE)
    onsets = events.bar_starts[events.bar[rows]] + events.step[rows]
    found = sorted(zip(events.track[rows], onsets * 40, notes.number, strict=True))
    wanted = sorted(
        (t, n.onset_ticks, n.pitch) for t, p in enumerate(piece.tracks) for n in p.notes
    )
    assert found == wanted
