"""A screen is packed and read back as it was: the same reports, now and after it has grown."""

from __future__ import annotations

import functools
import math
from pathlib import Path

import numpy as np
import pytest

from disguises import COMING_HOME, merged, transposed
from gen.disk.arrays import SealedArrays
from gen.likeness.columns import Ascending, Column, Postings, Voices, decode, encode, places_in
from gen.likeness.fingerprint import Fingerprint, NewPiece
from gen.likeness.report import OUTPUT, WITHDRAWN, WORK, Known
from gen.likeness.screening import Screen
from gen.likeness.voices import Voice
from gen.piece import Note, Piece, Track
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


@pytest.fixture(params=["memory", "disk"])
def again(screen: Screen, request: pytest.FixtureRequest, tmp_path: Path) -> Screen:
    if request.param == "memory":
        return Screen.of_state(decode(encode(screen.state())))
    return on_disk(screen, tmp_path)


def on_disk(screen: Screen, folder: Path) -> Screen:
    """The same, of which what is asked for is read."""
    file = SealedArrays(folder / "screen", "screen")
    file.write(screen.state())
    state = file.read()
    assert state is not None
    return Screen.of_state(state)


@functools.cache
def disguised() -> list[NewPiece]:
    changes = [merged, transposed, *COMING_HOME.values()]
    songs = [pop_song(seed) for seed in (*range(36, 44), 1000)]
    return [NewPiece.of(change(song)) for song, change in zip(songs, changes, strict=False)]


def reports(screen: Screen) -> list[dict[str, object]]:
    return [screen.compare(new, ("composer 36",)).to_dict() for new in disguised()]


def test_a_screen_read_back_reports_the_same(screen: Screen, again: Screen) -> None:
    found = reports(again)
    assert found == reports(screen)
    assert {report["verdict"] for report in found} >= {"block", "clear"}


def test_a_screen_read_back_grows_as_the_first_does(screen: Screen, again: Screen) -> None:
    first = Screen.of_state(decode(encode(screen.state())))
    for one in (first, again):
        add(one, *range(40, 44))
    anew = Screen()
    add(anew, *range(40))
    anew.keep_up()
    add(anew, *range(40, 44))
    assert reports(again) == reports(first) == reports(anew)


def random_piece(chance: np.random.Generator, shared: Piece | None = None) -> Piece:
    """A tune over a bass; a part of it may be another piece's, in another key."""
    if shared is not None:
        return merged(transposed(shared)) if chance.random() < 0.5 else transposed(shared)
    tracks = [
        Track(name, 0, False, None, [
            Note(place * 240, 200, int(base + pitch), 80)
            for place, pitch in enumerate(np.cumsum(chance.integers(-3, 4, 48)) % 24)
        ])
        for name, base in (("tune", 60), ("bass", 30))
    ]  # fmt: skip
    return Piece(480, tracks)


@pytest.mark.parametrize("seed", range(3))
def test_random_pieces_are_judged_as_by_a_screen_that_is_all_in_memory(
    seed: int, tmp_path: Path
) -> None:
    """Works, outputs and withdrawn works that are kept, some that came since, and new ones."""
    chance, plain, pieces = np.random.default_rng(seed), Screen(), []
    kinds = (WORK, WORK, WORK, WITHDRAWN, OUTPUT)

    def grow(count: int, *screens: Screen) -> None:
        for _ in range(count):
            copied = pieces[chance.integers(len(pieces))] if chance.random() < 0.1 else None
            pieces.append(random_piece(chance, copied))
            known = Known(kinds[chance.integers(5)], f"piece {len(pieces)}", ("ana",))
            fingerprint = NewPiece.of(pieces[-1]).fingerprint
            for screen in screens:
                screen.add(known, fingerprint)

    pieces.append(random_piece(chance))
    grow(50, plain)
    plain.keep_up()
    in_memory = Screen.of_state(decode(encode(plain.state())))
    kept = on_disk(plain, tmp_path)
    for later in (0, 15):
        grow(later, in_memory, kept)
        drawn = [random_piece(chance) for _ in range(5)]
        drawn += [random_piece(chance, pieces[chance.integers(len(pieces))]) for _ in range(20)]
        news = [NewPiece.of(piece) for piece in drawn]
        found = [kept.compare(new, ("ben",)).to_dict() for new in news]
        assert found == [in_memory.compare(new, ("ben",)).to_dict() for new in news]
        assert {report["verdict"] for report in found} >= {"clear", "block"}
    again = on_disk(kept, tmp_path)
    assert list(again.known) == list(in_memory.known)
    assert encode(again.state()) == encode(in_memory.state())


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
    assert np.array_equal(found.pitches.span(starts[2], starts[2] + notes[2]), lines[2].pitches)


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
    found = places_in(Ascending(ordered), wanted, **bounds)
    assert [tuple(pair) for pair in np.column_stack(found).tolist()] == pairs


def test_nothing_is_found_in_nothing():
    nothing = np.zeros(0, dtype=np.int64)
    assert [len(places) for places in places_in(Ascending(nothing), nothing)] == [0, 0]


@pytest.mark.parametrize("seed", range(10))
def test_values_on_disk_are_looked_up_as_in_memory(seed: int, tmp_path: Path) -> None:
    chance = np.random.default_rng(seed)
    values = np.sort(chance.integers(0, (50, 5_000, 10**9)[seed % 3], chance.integers(0, 9_000)))
    file = SealedArrays(tmp_path / "kept", "values")
    file.write(Ascending(values).state())
    state = file.read()
    assert state is not None
    edges = values[:: max(len(values) // 7, 1)]
    wanted = np.concatenate([chance.integers(-9, 10**9, 20), edges, edges + 1, edges - 1])
    for few in (wanted, wanted[:1], wanted[:0]):
        found = Ascending.of_state(state).bounds(few)
        assert np.array_equal(found[0], np.searchsorted(values, few, side="left"))
        assert np.array_equal(found[1], np.searchsorted(values, few, side="right"))


@pytest.mark.parametrize("most_recent", [0, 5, 10**6])
def test_an_index_that_grows_finds_every_row_in_the_order_in_which_it_came(most_recent):
    chance, postings = np.random.default_rng(most_recent), Postings(np.int64, 1, most_recent)
    wanted, kept = np.arange(12), []
    for count in range(20):
        keys = chance.integers(0, 9, chance.integers(0, 4))
        numbers = np.arange(len(kept), len(kept) + len(keys), dtype=np.int32)
        postings.add([(keys, numbers[:, None])])
        kept += keys.tolist()
        if count % 3:
            continue
        found = [t.find(wanted, common=math.inf, most=math.inf) for t in postings.tables()]
        for value in wanted.tolist():
            rows = [row for ours, theirs in found for row in theirs[ours == value, 0].tolist()]
            assert rows == [number for number, key in enumerate(kept) if key == value]
