"""A screen is packed and read back as it was: the same reports, now and after it has grown."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from disguises import COMING_HOME, merged, transposed
from gen.likeness.columns import Column, Voices, decode, encode, places_in
from gen.likeness.fingerprint import Fingerprint, NewPiece
from gen.likeness.report import OUTPUT, WITHDRAWN, WORK, Known
from gen.likeness.screening import Screen
from gen.likeness.voices import Voice
from pop_songs import pop_song


@functools.cache
def fingerprint(seed: int) -> Fingerprint:
    return NewPiece.of(pop_song(seed)).fingerprint


def add(screen: Screen, *numbers: int) -> None:
    for number in numbers:
        kind = (WORK, WORK, WORK, WITHDRAWN, OUTPUT)[number % 5]
        screen.add(Known(kind, f"piece {number}", (f"composer {number}",)), fingerprint(number))


@pytest.fixture(scope="module")
def screen() -> Screen:
    screen = Screen()
    add(screen, *range(40))
    screen.keep_up()
    return screen


@pytest.fixture
def again(screen: Screen) -> Screen:
    return Screen.of_state(decode(encode(screen.state())))


def reports(screen: Screen) -> list[dict[str, object]]:
    changes = [merged, transposed, *COMING_HOME.values()]
    songs = [pop_song(seed) for seed in (*range(36, 44), 1000)]
    news = [change(song) for song, change in zip(songs, changes, strict=False)]
    return [screen.compare(NewPiece.of(new), ("composer 36",)).to_dict() for new in news]


def test_a_screen_read_back_reports_the_same(screen: Screen, again: Screen) -> None:
    assert reports(again) == reports(screen)
    assert {report["verdict"] for report in reports(again)} >= {"block", "clear"}


def test_a_screen_read_back_grows_as_the_first_does(screen: Screen, again: Screen) -> None:
    first = Screen.of_state(decode(encode(screen.state())))
    for one in (first, again):
        add(one, *range(40, 44))
    anew = Screen()
    add(anew, *range(40))
    anew.keep_up()
    add(anew, *range(40, 44))
    assert reports(again) == reports(first) == reports(anew)


def test_a_work_that_was_withdrawn_since_is_known_as_withdrawn(again: Screen) -> None:
    assert again.known[0].kind == WORK
    again.withdraw(0, fingerprint(0))
    report = again.compare(NewPiece.of(pop_song(0)))
    assert report.rule == "withdrawn"
    assert again.known[0].kind == WITHDRAWN


def test_lines_come_back_as_they_were_put_in() -> None:
    lines = [voice for seed in range(3) for voice in fingerprint(seed).voices]
    lines.append(Voice("untimed", True, np.array([3, 4], np.int16), np.zeros(2, np.int32)))
    kept = Voices(lines)
    found = Voices.of_state(decode(encode(kept.state())))
    for ours, theirs in zip(lines, found, strict=True):
        assert (ours.label, ours.is_leading, ours.is_together) == (
            theirs.label, theirs.is_leading, theirs.is_together,
        )  # fmt: skip
        for name in ("pitches", "bars", "onsets"):
            assert np.array_equal(getattr(ours, name), getattr(theirs, name))
    with pytest.raises(IndexError):
        found[len(lines)]
    starts, notes = found.bounds(np.arange(len(lines)))
    assert np.array_equal(found.pitches[starts[2] : starts[2] + notes[2]], lines[2].pitches)


def test_a_column_that_grows_leaves_what_it_began_with_alone() -> None:
    begun = np.array([1, 2], np.int32)
    column = Column(np.int32, begun)
    column.extend([3])
    assert column.all.tolist() == [1, 2, 3]
    assert begun.tolist() == [1, 2]


def test_nothing_but_arrays_and_plain_values_is_packed() -> None:
    with pytest.raises(TypeError, match="a Voices in a state"):
        encode({"voices": Voices()})
    with pytest.raises(ValueError, match="kind 7"):
        decode(b"\xc7\x01\x07x")


@pytest.mark.parametrize(
    ("bounds", "pairs"),
    [
        ({}, [(0, 3), (0, 4), (0, 5), (2, 0), (3, 1), (3, 2)]),
        ({"common": 2}, [(2, 0), (3, 1), (3, 2)]),
        ({"most": 3}, [(2, 0), (3, 1), (3, 2)]),
        ({"most": 2}, [(2, 0)]),
    ],
)
def test_values_are_looked_up_pair_by_pair_the_common_ones_passed_over(bounds, pairs):
    ordered, wanted = np.array([1, 2, 2, 7, 7, 7]), np.array([7, 5, 1, 2])
    found = places_in(ordered, wanted, **bounds)
    assert [tuple(pair) for pair in np.column_stack(found).tolist()] == pairs


def test_nothing_is_found_in_nothing():
    nothing = np.zeros(0, dtype=np.int64)
    assert [len(places) for places in places_in(nothing, nothing)] == [0, 0]
