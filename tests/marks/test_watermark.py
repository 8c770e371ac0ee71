"""The watermark in the notes: what it leaves as it is, what it outlives, and who finds it."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from gen.errors import HouseError
from gen.marks.evidence import (
    _CELLS,
    _UNIT,
    SCORES,
    evidence,
    log_bound,
    log_chance,
    tail,
)
from gen.marks.watermark import PLACES, VARIANTS, Choice, Circle, Line, Variant, Watermark, choices
from gen.marks.watermark_keys import keys_of, make_key
from gen.piece import Note, Piece, Tempo, TimeSignature, Track
from gen.sampling.decoding.draw import DrawConfig, draw_keyed
from houses import make_piece

SECRET = bytes(range(32))
HERE = Choice(b"l", False, 2, 36, b"here")


def written(mark: Watermark, seed: int = 0, notes: int = 400) -> Piece:
    """A melody and drums whose loudness the key chooses among four, else chance."""
    rng, seen = random.Random(seed), set()  # noqa: S311 - music
    tracks = [Track(program=0), Track(is_drum=True)]
    lines = [Line(track.is_drum) for track in tracks]
    for number in range(notes // 2):
        for track, line in zip(tracks, lines, strict=True):
            pitch = 36 + rng.randrange(3) if track.is_drum else 60 + rng.randrange(12)
            choice = line.of_level(number * 3 // 48 * 48, number * 3 % 48, pitch)
            labels, chances = [15, 17, 19, 21], mark.chances(choice, [15, 17, 19, 21])
            is_free = mark.decides(choice) in seen
            level = rng.choice(labels) if is_free else labels[chances.index(max(chances))]
            seen.add(mark.decides(choice))
            line.take(pitch, level)
            track.notes.append(Note(number * 120, 100, pitch, 3 + 4 * (level - 3)))
    return Piece(480, tracks, [Tempo(0, 500_000)], [TimeSignature(0, 4, 4)])


def changed(piece: Piece, share: float, seed: int = 1) -> Piece:
    """The piece with a share of its notes given another pitch and loudness."""
    rng = random.Random(seed)  # noqa: S311 - music
    tracks = [
        replace(
            track,
            notes=[
                replace(n, pitch=rng.randrange(30, 90), velocity=rng.randrange(1, 128))
                if rng.random() < share
                else n
                for n in track.notes
            ],
        )
        for track in piece.tracks
    ]
    return replace(piece, tracks=tracks)


def transposed(piece: Piece, by: int) -> Piece:
    tracks = [
        track
        if track.is_drum
        else replace(track, notes=[replace(n, pitch=n.pitch + by) for n in track.notes])
        for track in piece.tracks
    ]
    return replace(piece, tracks=tracks)


def from_bar(piece: Piece, bar: int) -> Piece:
    """The piece without the bars before one, in 4/4."""
    gone = (bar - 1) * 4 * piece.ticks_per_quarter
    tracks = [
        replace(
            track,
            notes=[replace(n, onset_ticks=n.onset_ticks - gone) for n in track.notes
                   if n.onset_ticks >= gone],
        )
        for track in piece.tracks
    ]  # fmt: skip
    return replace(piece, tracks=tracks)


MARKS = (Variant(SECRET, 3), Circle(SECRET, 21))
OTHERS = (Variant(b"o" * 32, 3), Circle(b"o" * 32, 21))
each_kind = pytest.mark.parametrize("mark", MARKS, ids=["variant", "circle"])


@each_kind
def test_a_piece_that_the_key_wrote_is_found(mark):
    assert evidence(written(mark), SECRET).is_sure


@pytest.mark.parametrize("mark", OTHERS, ids=["variant", "circle"])
def test_what_another_key_wrote_or_none_is_not_found(mark):
    assert not evidence(written(mark), SECRET).is_sure
    assert not evidence(make_piece(1, 32), SECRET).is_sure


@each_kind
@pytest.mark.parametrize(
    "change",
    [
        lambda piece: transposed(piece, 5),
        lambda piece: replace(piece, tempos=[Tempo(0, 300_000)]),
        lambda piece: changed(piece, 0.1),
        lambda piece: changed(transposed(piece, -3), 0.1),
        lambda piece: replace(piece, tracks=[replace(t, program=73) for t in piece.tracks]),
        lambda piece: replace(piece, tracks=piece.tracks[::-1]),
        lambda piece: from_bar(piece, 5),
        lambda piece: replace(piece, time_signatures=[TimeSignature(0, 3, 4)]),
    ],
    ids=["transposed", "tempo", "changed", "both", "instruments", "order", "trimmed", "meter"],
)
def test_what_is_done_to_a_piece_leaves_the_watermark(mark, change):
    assert evidence(change(written(mark)), SECRET).is_sure


def test_every_variant_and_every_place_of_the_circle_is_found():
    marks = [Variant(SECRET, n) for n in range(VARIANTS)]
    marks += [Circle(SECRET, n) for n in range(PLACES)]
    assert all(evidence(written(mark, notes=200), SECRET).is_sure for mark in marks)


def test_a_changed_note_spoils_hardly_a_number_of_the_circle():
    """The loudness of a drum: its own, and of the next pitch; by the first kind two more."""
    piece = written(MARKS[1])
    drums = piece.tracks[1].notes
    other = replace(drums[50], velocity=drums[50].velocity + 4)
    tracks = [piece.tracks[0], replace(piece.tracks[1], notes=[*drums[:50], other, *drums[51:]])]

    def numbers(mark, of):
        return Counter((mark.decides(choice), label) for choice, label in choices(of))

    after = replace(piece, tracks=tracks)
    assert (numbers(MARKS[1], piece) - numbers(MARKS[1], after)).total() == 2
    assert (numbers(MARKS[0], piece) - numbers(MARKS[0], after)).total() == 3


def test_chance_of_a_score_is_what_drawing_by_chance_shows():
    """Against many draws of numbers, within four standard errors; the bound is never below it."""
    rng, counts, draws = np.random.default_rng(1), {b"p": 40, b"l": 70}, 20_000
    drawn = sum(
        SCORES[what][rng.integers(_CELLS, size=(draws, count))].sum(axis=1)
        for what, count in counts.items()
    )
    for share in (0.5, 0.9, 0.99, 0.999):
        score = int(np.quantile(drawn, share))
        expected, seen = tail(score, counts), float((drawn >= score).mean())
        assert abs(seen - expected) < 4 * (expected / draws) ** 0.5
        assert log_bound(score, counts) >= math.log(expected)


def test_pieces_without_the_key_have_no_more_evidence_than_chance_allows():
    found = [evidence(written(OTHERS[seed % 2], seed, 60), SECRET).powers for seed in range(300)]
    assert sum(power >= 1 for power in found) < 0.1 * 300 + 4 * 27**0.5
    assert sum(power >= 2 for power in found) < 0.01 * 300 + 4 * 3**0.5
    assert max(found) < 3


def test_long_pieces_are_held_to_the_bound_and_empty_ones_to_nothing():
    counts = {b"p": 4_000, b"l": 4_000}
    assert log_chance(_UNIT * 400, counts) == log_bound(_UNIT * 400, counts) < math.log(1e-12)
    assert evidence(Piece(480, [Track("", 0)]), SECRET).powers == 0


@pytest.mark.parametrize("kind", [Variant, Circle])
def test_over_keys_each_choice_comes_as_often_as_it_weighs(kind):
    scores = np.log(np.array([0.5, 0.3, 0.15, 0.05], dtype=np.float32))
    config, counts = DrawConfig(1.0, 1.0, 0.0), np.zeros(4)
    for number in range(4_000):
        mark = kind(number.to_bytes(4, "big"))

        def choose(places, weights, mark=mark):
            chances = mark.chances(HERE, places.tolist())
            return int(np.argmax(np.log(chances) / weights))

        counts[draw_keyed(scores, config, choose)] += 1
    assert np.abs(counts / 4_000 - [0.5, 0.3, 0.15, 0.05]).max() < 0.03


def test_what_a_key_may_choose_among_is_what_chance_may_draw():
    scores = np.log(np.array([0.5, 0.3, 0.15, 0.04, 0.01], dtype=np.float32))
    seen = []
    draw_keyed(scores, DrawConfig(1.0, 0.9, 0.0), lambda places, _: seen.append(list(places)) or 0)
    draw_keyed(scores, DrawConfig(1.0, 1.0, 0.1), lambda places, _: seen.append(list(places)) or 0)
    assert seen == [[0, 1, 2], [0, 1, 2]]


@each_kind
def test_the_numbers_that_are_looked_for_are_those_that_chose(mark):
    """The piece's own choices have the largest of four numbers wherever each decided once."""
    seen, largest = set(), []
    for choice, label in choices(written(mark)):
        if choice.what == b"l" and mark.decides(choice) not in seen:
            chances = mark.chances(choice, [15, 17, 19, 21])
            largest.append(mark.chances(choice, [label])[0] == max(chances))
        seen.add(mark.decides(choice))
    assert len(largest) > 100
    assert all(largest)


def test_keys_of_a_house_are_told_apart_and_the_newest_comes_first(tmp_path):
    first, path = make_key("lantern")
    second, _ = make_key("lantern")
    make_key("other")
    assert {(key.id, key.secret) for key in keys_of("lantern")} == {
        (first.id, first.secret), (second.id, second.secret)
    }  # fmt: skip
    assert path.stat().st_mode & 0o077 == 0
    assert first.secret.hex() not in repr(first) + repr(first.trace([1], 1)) + repr(
        first.trace([1], 2)._mark
    )
    path.write_bytes(b"broken")
    with pytest.raises(HouseError, match="the watermark key cannot be read"):
        keys_of("lantern")
