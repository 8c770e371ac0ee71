"""The piano roll shows every note, in systems that stay readable."""

import struct

import matplotlib as mpl
import pytest
from matplotlib.collections import PolyCollection

from gen.errors import HouseError
from gen.piece import Note, Piece, TimeSignature, Track
from gen.rendering import piano_roll
from gen.rendering.colours import track_colours
from gen.rendering.roll import bars_of, figure, systems_of


def drawn_notes(figure, kind="notes"):
    counts = {}
    for axes in figure.axes:
        for collection in axes.findobj(PolyCollection):
            what, _, track = (collection.get_gid() or "").partition(":")
            if what == kind:
                counts[int(track)] = counts.get(int(track), 0) + len(collection.get_paths())
    return counts


def texts(figure):
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_every_note_is_drawn_once(make):
    piece = make(bars=19)
    expected = {i: len(track.notes) for i, track in enumerate(piece.tracks)}
    assert drawn_notes(figure(piece)) == expected


def test_a_note_held_into_the_next_system_is_drawn_on_in_it(make):
    piece = make(bars=16)
    piece.tracks[1].notes = [Note(7 * 1920, 2 * 1920, 60, 50)]
    drawn = figure(piece)
    assert drawn_notes(drawn)[1] == 1
    assert drawn_notes(drawn, kind="held") == {1: 1}


def test_picture_is_1920_pixels_wide_and_the_same_twice(piece, tmp_path):
    first = piano_roll(piece, tmp_path / "new" / "a.png", title="Café $x_1$ 日本").read_bytes()
    second = piano_roll(piece, tmp_path / "b.png", title="Café $x_1$ 日本").read_bytes()
    width, height = struct.unpack(">II", first[16:24])
    assert (width, 300 < height < 900) == (1920, True)
    assert first == second
    assert 10_000 < len(first) < 400_000
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.png"]


def test_a_matplotlibrc_has_no_say_in_the_picture(piece, tmp_path):
    plain = piano_roll(piece, tmp_path / "plain.png").read_bytes()
    with mpl.rc_context({"text.usetex": True, "lines.linewidth": 9, "patch.linewidth": 9}):
        assert piano_roll(piece, tmp_path / "other.png").read_bytes() == plain
        assert mpl.rcParams["text.usetex"]


def test_sections_chords_bars_drums_and_instruments_are_named(piece):
    shown = texts(figure(piece, title="Rain"))
    for text in ("Rain", "A", "Am7", "4", "Kick", "Snare", "Closed hi-hat"):
        assert text in shown
    assert "Lead (Violin) · main melody" in shown
    assert any(text.startswith("A minor") and "120 bpm" in text for text in shown)


@pytest.mark.parametrize(
    ("bars", "meter", "lines"),
    [
        (1, (4, 4), [1]),
        (16, (4, 4), [8, 8]),
        (17, (4, 4), [8, 9]),
        (20, (3, 4), [8, 8, 4]),
        (10, (12, 8), [4, 4, 2]),
    ],
)
def test_systems_keep_phrases_of_four_bars_together(make, bars, meter, lines):
    assert [len(line) for line in systems_of(make(bars, *meter))] == lines


def test_a_very_long_piece_takes_at_most_thirteen_systems(make):
    lines = systems_of(make(bars=200))
    assert len(lines) <= 13
    assert sum(map(len, lines)) == 200


def test_a_bar_cut_short_by_a_new_meter_ends_there(make):
    piece = make(bars=3)
    piece.time_signatures.append(TimeSignature(2880, 3, 4))
    assert [(b.start_ticks, b.end_ticks) for b in bars_of(piece)[:3]] == [
        (0, 1920),
        (1920, 2880),
        (2880, 4320),
    ]


def test_tracks_of_one_role_have_different_colours():
    tracks = [Track(role="pad", notes=[]) for _ in range(3)] + [Track(), Track()]
    assert len(set(track_colours(tracks))) == 5


def test_louder_notes_are_more_opaque():
    colour = track_colours([Track(role="bass")])[0]
    opacities = [colour.at(velocity)[3] for velocity in (1, 64, 127)]
    assert opacities == sorted(opacities)
    assert (opacities[0], opacities[-1]) == (0.3, 1.0)


def test_drums_alone_have_their_lanes_and_no_roll(make):
    piece = make()
    piece.tracks = piece.tracks[3:]
    drawn = figure(piece)
    assert {axes.get_gid() for axes in drawn.axes} == {"drums"}


def test_a_piece_without_notes_is_refused(tmp_path):
    with pytest.raises(HouseError, match="no notes"):
        piano_roll(Piece(480), tmp_path / "a.png")
