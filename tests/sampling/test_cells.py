"""Cells as a producer names them."""

from __future__ import annotations

import pytest

from gen.errors import SettingError
from gen.piece import Track
from gen.sampling.in_file.cells import read_cells

TRACKS = [
    Track("Lead Vocal", 73),
    Track("Left", 0),
    Track("Right", 0),
    Track("", 33),
    Track("Kit", 0, is_drum=True),
]
ROLES = ("main_melody", "accompaniment", "accompaniment", "bass", "drums")


def read(text: str, bars: int = 8) -> set[tuple[int, int]]:
    return read_cells(text, TRACKS, ROLES, bars)


def cells(bars: range, *slots: int) -> set[tuple[int, int]]:
    return {(bar - 1, slot) for bar in bars for slot in slots}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("bar 3 of all", cells(range(3, 4), 0, 1, 2, 3, 4)),
        ("bars 5-8 of bass", cells(range(5, 9), 3)),
        ("bars 5-8", cells(range(5, 9), *range(5))),
        ("last 2 bars", cells(range(7, 9), *range(5))),
        ("the last two bars of bass", cells(range(7, 9), 3)),
        ("Bars 5 to 8 of Bass", cells(range(5, 9), 3)),
        ("bars 5\u20138 of fingered bass", cells(range(5, 9), 3)),
        ("bars 7-end of drums", cells(range(7, 9), 4)),
        ("all of piano", cells(range(1, 9), 1, 2)),
        ("all bars of left", cells(range(1, 9), 1)),
        ("bar 1 of 3", cells(range(1, 2), 2)),
        ("bar 1 of track 3", cells(range(1, 2), 2)),
        ("bar 1 of lead vocal", cells(range(1, 2), 0)),
        ("bar 1 of main melody", cells(range(1, 2), 0)),
        ("bar 1 of melody", cells(range(1, 2), 0)),
        ("bar 1 of vocal and grand", cells(range(1, 2), 0, 1, 2)),
        ("bar 1 of flute and drums", cells(range(1, 2), 0, 4)),
        ("bars 1-8 of main_melody", cells(range(1, 9), 0)),
        ("last 2 bars of bass", cells(range(7, 9), 3)),
        ("the last bar of the drums", cells(range(8, 9), 4)),
        ("first 3 bars in piano", cells(range(1, 4), 1, 2)),
        ("bars 7 until end of all", cells(range(7, 9), *range(5))),
        ("bar end of bass", cells(range(8, 9), 3)),
        ("bars 1-2 of bass,  bar 2 of all", cells(range(1, 3), 3) | cells(range(2, 3), *range(5))),
    ],
)
def test_cells_are_named_by_bars_and_track(text, meant):
    assert read(text) == meant


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no cells"),
        ("bars 3, 5 of bass", "'5 of bass' names no cells"),
        ("last 9 bars of bass", "the file has 8 bars"),
        ("first of bass", "names no cells"),
        ("bar three of bass", "names no cells"),
        ("bar 9 of bass", "the file has 8 bars"),
        ("bars 6-5 of bass", "the file has 8 bars"),
        ("bar 0 of bass", "the file has 8 bars"),
        ("bar 1 of bas", "did you mean 'bass'"),
        ("bar 1 of flute and dums", "did you mean 'drums'"),
        ("bar 1 of lead vokal", "did you mean 'lead vocal'"),
    ],
)
def test_what_names_no_cell_of_the_file_is_refused_with_the_nearest_name(text, message):
    with pytest.raises(SettingError) as refused:
        read(text)
    assert message in str(refused.value)


@pytest.mark.parametrize("text", ["bar 1", "first bar", "bar 1 of all", "bar 1 of lead vocal"])
def test_a_file_of_one_track_needs_no_name(text):
    assert read_cells(text, TRACKS[:1], ROLES[:1], 8) == {(0, 0)}
