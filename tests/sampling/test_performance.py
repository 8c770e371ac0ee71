"""Swing and humanise: other ticks and velocities, the same notes in the same order."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from gen.errors import SettingError
from gen.piece import Note, Pedal, Piece, Tempo, TimeSignature, Track
from gen.rendering import Renderer
from gen.sampling.finishing.performance import LOUDNESS, SECONDS, Performance

UNIT = 480


def eighths(meter: tuple[int, int] = (4, 4), bars: int = 2) -> Piece:
    """A line of eighths, with a pedal, over a held note that is struck again."""
    signature = TimeSignature(0, *meter)
    length = bars * 4 * UNIT * meter[0] // meter[1]
    line = [Note(tick, UNIT // 2, 60 + tick // 240 % 5, 80) for tick in range(0, length, UNIT // 2)]
    held = [Note(tick, UNIT, 48, 80) for tick in range(0, length, UNIT)]
    tracks = [Track("a", notes=line, pedals=[Pedal(240, 480)]), Track("b", notes=held)]
    return Piece(UNIT, tracks, [Tempo(0, 500_000)], [signature])


def onsets(piece: Piece, track: int = 0) -> list[int]:
    return [note.onset_ticks for note in piece.tracks[track].notes]


def test_a_full_swing_plays_off_beat_eighths_as_triplets_and_beats_in_time():
    found = onsets(Performance(swing=1).of(eighths()))
    assert found[:4] == [0, 320, 480, 800]
    assert onsets(Performance(swing=0.5).of(eighths()))[1] == 280


def test_nothing_overlaps_or_parts_that_did_not():
    played = Performance(swing=0.7).of(eighths())
    notes = played.tracks[0].notes
    assert all(one.end_ticks == next_.onset_ticks for one, next_ in pairwise(notes))
    assert played.tracks[0].pedals == [Pedal(296, 480 + 240 + 56 - 296)]
    assert played.end_ticks == eighths().end_ticks


def test_triplets_and_bars_counted_in_eighths_stay_straight():
    assert Performance(swing=1).of(eighths((6, 8))) == eighths((6, 8))
    piece = eighths()
    piece.tracks[1].notes[0] = Note(160, 160, 48, 80)
    assert onsets(Performance(swing=1).of(piece))[:4] == [0, 240, 480, 800]


def test_humanised_notes_are_the_same_ones_about_where_and_as_loud_as_they_were():
    piece = eighths(bars=64)
    for strength in (0.3, 1.0):
        played = Performance(humanise=strength).of(piece)
        apart = np.subtract(onsets(played), onsets(piece))
        assert [n.pitch for n in played.tracks[0].notes] == [n.pitch for n in piece.tracks[0].notes]
        assert abs(apart.std() / (strength * SECONDS * UNIT / 0.5) - 1) < 0.2
        louder = np.array([n.velocity for n in played.tracks[0].notes]) - 80
        assert abs(louder.std() / (strength * LOUDNESS) - 1) < 0.2
        assert played.end_ticks <= piece.bars_end_ticks


def test_equal_pieces_are_played_alike_and_no_pitch_begins_while_it_sounds():
    piece = eighths(bars=32)
    played = Performance(1, 1).of(piece)
    assert Performance(1, 1).of(piece) == played
    for track in played.tracks:
        until: dict[int, int] = {}
        for note in track.notes:
            assert until.get(note.pitch, 0) <= note.onset_ticks
            until[note.pitch] = note.end_ticks


def test_no_velocity_leaves_the_range_that_was_asked_for():
    played = Performance(humanise=1, velocities=(78, 82)).of(eighths(bars=16))
    assert {n.velocity for track in played.tracks for n in track.notes} <= set(range(78, 83))


@pytest.mark.parametrize("settings", [{"swing": 1.1}, {"humanise": -0.1}])
def test_a_strength_outside_its_range_is_refused(ask, settings):
    with pytest.raises(SettingError, match="outside 0 to 1"):
        ask(n=1, **settings)


def test_what_is_written_into_a_file_is_not_swung(ask, tmp_path):
    with pytest.raises(SettingError, match="pieces from nothing"):
        ask(n=1, swing=0.5, accompany=str(tmp_path / "a.mid"), add=["cello"])


def test_the_score_stays_and_the_receipt_plays_it_again(ask, tmp_path):
    usual = {"n": 1, "bars": 6, "time_signature": "4/4", "originality": "off", "sign": "off"}
    (straight,) = ask(**usual)
    (swung,) = ask(swing=0.6, humanise=0.5, **usual)
    assert straight.score is None
    assert swung.score == straight.piece != swung.piece
    assert swung.record["asked_and_got"] == straight.record["asked_and_got"]
    settings = json.loads(swung.receipt.read_text("utf-8"))["settings"]
    assert (settings["swing"], settings["humanise"]) == (0.6, 0.5)
    (again,) = ask(receipt=str(swung.receipt), out=str(tmp_path / "again"))
    assert again.midi.read_bytes() == swung.midi.read_bytes()
    assert again.score == swung.score
    measures = []
    for done in (straight, swung):
        with Renderer(1, playing=None) as renderer:
            renderer.begin(done.piece, done.midi, done.score)
            text = renderer.of(done.midi).score.read_text("utf-8")
        measures.append(re.findall(r"<measure.*?</measure>", text, re.DOTALL))
    assert measures[0] == measures[1]


def test_a_plain_performance_changes_nothing():
    assert Performance().is_plain
    assert replace(Performance(swing=0.1)).is_plain is False
