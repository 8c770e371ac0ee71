"""How a finished piece is spelt, and where it ends."""

from __future__ import annotations

import pytest

from gen.harmony import Chord
from gen.piece import KeySignature, Note, Pedal, Piece, TimeSignature, Track
from gen.sampling.finishing.finish import finished, markers_of, name_of, signature_of
from gen.sampling.planning.controls import Controls
from gen.sampling.request import MODES
from gen.smf import write
from gen.tokens.encoding import encode
from gen.tokens.events import Events
from gen.tokens.grid import to_grid
from gen.tokens.tokenizer import score_of
from music import bar_event


@pytest.mark.parametrize(
    ("key", "fifths"),
    [
        ("Eb minor", -6), ("D# minor", 6), ("Gb major", -6), ("F#", 6), ("Ab minor", -7),
        ("C# major", 7), ("Db major", -5), ("G# major", -4), ("A minor", 0), ("Bb dorian", -4),
    ],
)  # fmt: skip
def test_a_key_is_written_as_it_is_called(key, fifths):
    assert signature_of(key).fifths == fifths


@pytest.mark.parametrize(
    ("key", "chord", "symbol"),
    [
        ("Eb minor", Chord(3, "min", 3), "Ebm"),
        ("Eb minor", Chord(11, "maj", 11), "Cb"),
        ("F# minor", Chord(5, "maj", 5), "F"),
        ("F# minor", Chord(5, "dim7", 5), "E#dim7"),
        ("C# minor", Chord(0, "min", 0), "Cm"),
        ("F# major", Chord(5, "m7b5", 5), "E#m7b5"),
    ],
)
def test_chords_are_called_as_in_their_key(key, chord, symbol):
    rows = [list(event) for event in bar_event(4, 4) + Events.chord(chord)]
    assert [marker.text for marker in markers_of(rows, [signature_of(key)])] == [symbol]


def test_tracks_are_named_and_pedals_are_up_before_they_are_pressed_again_or_the_end():
    notes = [Note(0, 480, 60, 80), Note(960, 480, 64, 80)]
    pedals = [Pedal(0, 960), Pedal(480, 960), Pedal(1440, 960)]
    piece = Piece(480, [Track("", 40, False, None, notes, pedals)])
    piece.time_signatures = [TimeSignature(0, 4, 4)]
    (track,) = finished(encode(to_grid(score_of(piece))).tolist(), Controls()).tracks
    assert track.name == "Violin"
    assert track.pedals == [Pedal(0, 480), Pedal(480, 960)]


@pytest.mark.parametrize(("meter", "bar"), [((4, 4), 1920), ((7, 8), 1680), ((3, 4), 1440)])
def test_a_loop_closes_at_the_end_of_its_last_bar(meter, bar):
    """Every track, that of the conductor too; `mido` counts the end-of-track event."""
    mido = pytest.importorskip("mido")
    import io

    piece = Piece(480, [Track("", 0, notes=[Note(0, 100, 60, 80), Note(bar, 50, 60, 80)])])
    piece.time_signatures = [TimeSignature(0, *meter)]
    piece.key_signatures = [KeySignature(0, 0, is_minor=False)]
    data = write(piece, end_ticks=piece.bars_end_ticks)
    file = mido.MidiFile(file=io.BytesIO(data))
    assert [sum(message.time for message in track) for track in file.tracks] == [2 * bar] * 2


def test_the_bass_behind_a_slash_is_named_where_its_chord_is():
    """Of a bar of three chords, by steps; a bar that asks for none has its chords as they are."""
    home, fourth = Chord(0, "maj", 0), Chord(5, "maj", 5)
    bar = bar_event(4, 4)
    rows = [list(row) for row in (*bar, *Events.chord(home), *bar, *Events.chord(fourth))]
    key = [signature_of("C major")]
    assert [m.text for m in markers_of(rows, key)] == ["C", "F"]
    assert [m.text for m in markers_of(rows, key, {0: ((0, 4),)})] == ["C/E", "F"]
    assert [m.text for m in markers_of(rows, key, {1: ((0, None), (12, 9))})] == ["C", "F"]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("lofi-f-major", "lofi-f-major"),
        ("lofi-f-major-02-infill", "lofi-f-major-02-infill"),
        ("lofi-f-major-02-infill-05-accompany-07-vary-11-infill", "lofi-f-major-02-infill"),
        ("vary-2-continue", "vary-2-continue"),
        ("a" * 400 + "-vary", "a" * 150),
        ("\u96e8" * 80, "\u96e8" * 50),
    ],
)
def test_a_piece_that_is_worked_on_for_long_keeps_a_name_that_systems_take(title, name):
    assert name_of(title, MODES) == name
