"""Names are General MIDI's; markers are told apart as sections and chords."""

import pytest

from gen.piece import KeySignature, Marker, Piece, Tempo, Track
from gen.rendering.labels import (
    DRUMS,
    INSTRUMENTS,
    drum_lanes,
    key_name,
    legend_label,
    signs,
    tempo_name,
)


def told(*texts_at):
    found = signs(Piece(480, markers=[Marker(tick, text) for tick, text in texts_at]))
    return [m.text for m in found.sections], [m.text for m in found.chords]


def test_instruments_and_drums_are_those_of_general_midi():
    assert len(INSTRUMENTS) == 128
    assert (INSTRUMENTS[0], INSTRUMENTS[40], INSTRUMENTS[127]) == (
        "Acoustic Grand Piano",
        "Violin",
        "Gunshot",
    )
    assert set(DRUMS) == set(range(35, 82))


@pytest.mark.parametrize(
    ("markers", "sections", "chords"),
    [
        ([(0, "intro"), (0, "Am7"), (9, "F")], ["intro"], ["Am7", "F"]),
        ([(0, "A"), (0, "Am7"), (9, "B"), (9, "F")], ["A", "B"], ["Am7", "F"]),
        ([(0, "Am7"), (0, "B")], ["B"], ["Am7"]),
        ([(0, "A"), (0, "A"), (9, "F#m"), (18, "D")], ["A"], ["A", "F#m", "D"]),
        ([(0, "A"), (9, "B"), (18, "A'")], ["A", "B", "A'"], []),
        ([(0, "[A]"), (9, "section: B"), (18, "chord: C"), (27, "NC")], ["A", "B"], ["C", "NC"]),
        ([(0, "A"), (9, "B"), (18, "A"), (27, "C2")], ["A", "B", "A", "C2"], []),
        ([(0, "C"), (9, "F"), (18, "G"), (27, "C")], [], ["C", "F", "G", "C"]),
        ([(0, "A"), (9, "D"), (18, "A")], [], ["A", "D", "A"]),
        ([(0, "  ")], [], []),
    ],
)
def test_sections_and_chords_are_told_apart(markers, sections, chords):
    assert told(*markers) == (sections, chords)


@pytest.mark.parametrize(
    ("track", "label"),
    [
        (Track("", 40, False, "main_melody"), "Violin · main melody"),
        (Track("Lead", 40, False, "main_melody"), "Lead (Violin) · main melody"),
        (Track("Electric Piano", 4, False, "pad"), "Electric Piano 1 · pad"),
        (Track("Fingered Bass", 33, False, "bass"), "Fingered Bass"),
        (Track("Violin (main melody)", 40, False, "main_melody"), "Violin (main melody)"),
        (Track("Kit", 0, True, "drums"), "Kit"),
    ],
)
def test_legend_says_nothing_twice(track, label):
    assert legend_label(track) == label


def test_drum_lanes_go_from_kick_to_crash_and_then_the_rest():
    assert drum_lanes({49, 36, 35, 42, 81, 54}) == [
        "Kick",
        "Closed hi-hat",
        "Crash",
        "Tambourine",
        "Open triangle",
    ]


def test_key_and_tempo_are_written_as_people_write_them():
    piece = Piece(480, key_signatures=[KeySignature(0, -3, True)], tempos=[Tempo(0, 500_000)])
    assert (key_name(piece), tempo_name(piece)) == ("C minor", "120 bpm")
    piece.tempos.append(Tempo(960, 600_000))
    assert tempo_name(piece) == "100 to 120 bpm"
    assert key_name(Piece(480)) == ""
