"""The watermark in the notes: what it leaves as it is, what it outlives, and who finds it."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from gen.errors import HouseError
from gen.marks.watermark import (
    _CELLS,
    _SCORES,
    _UNIT,
    VARIANTS,
    Line,
    Watermark,
    _log_bound,
    _log_chance,
    _tail,
    choices,
    evidence,
)
from gen.marks.watermark_keys import key_with, keys_of, make_key
from gen.piece import Note, Piece, Tempo, TimeSignature, Track
from gen.sampling.decode import DrawConfig, draw_keyed
from houses import make_piece

SECRET = bytes(range(32))


def written(secret: bytes, seed: int = 0, notes: int = 400, variant: int = 3) -> Piece:
    """A melody and drums whose loudness the key chooses among four, else chance."""
    rng = random.Random(seed)  # noqa: S311 - music
    mark, seen = Watermark(secret, variant), set()
    tracks = [Track(program=0), Track(is_drum=True)]
    lines = [Line(track.is_drum) for track in tracks]
    for number in range(notes // 2):
        for track, line in zip(tracks, lines, strict=True):
            pitch = 36 + rng.randrange(3) if track.is_drum else 60 + rng.randrange(12)
            context = line.level_context(number * 3 % 48, pitch)
            labels = [15, 17, 19, 21]
            level = (
                rng.choice(labels)
                if context in seen
                else max(labels, key=lambda label: mark.chance(context, label))
            )
            seen.add(context)
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


def test_a_piece_that_the_key_wrote_is_found_and_no_other():
    assert evidence(written(SECRET), SECRET).is_sure
    assert not evidence(written(b"o" * 32), SECRET).is_sure
    assert not evidence(make_piece(1, 32), SECRET).is_sure


@pytest.mark.parametrize(
    "change",
    [
        lambda piece: transposed(piece, 5),
        lambda piece: replace(piece, tempos=[Tempo(0, 300_000)]),
        lambda piece: changed(piece, 0.1),
        lambda piece: changed(transposed(piece, -3), 0.1),
        lambda piece: replace(piece, tracks=[replace(t, program=73) for t in piece.tracks]),
        lambda piece: replace(piece, tracks=piece.tracks[::-1]),
    ],
    ids=["transposed", "tempo", "changed", "both", "instruments", "order"],
)
def test_what_is_done_to_a_piece_leaves_the_watermark(change):
    assert evidence(change(written(SECRET)), SECRET).is_sure


def test_every_variant_is_found():
    assert all(evidence(written(SECRET, variant=n), SECRET).is_sure for n in range(VARIANTS))


def test_chance_of_a_score_is_what_drawing_by_chance_shows():
    """Against many draws of numbers, within four standard errors; the bound is never below it."""
    rng, counts, draws = np.random.default_rng(1), {b"p": 40, b"l": 70}, 20_000
    drawn = sum(
        np.array(_SCORES[kind])[rng.integers(_CELLS, size=(draws, count))].sum(axis=1)
        for kind, count in counts.items()
    )
    for share in (0.5, 0.9, 0.99, 0.999):
        score = int(np.quantile(drawn, share))
        expected, seen = _tail(score, counts), float((drawn >= score).mean())
        assert abs(seen - expected) < 4 * (expected / draws) ** 0.5
        assert _log_bound(score, counts) >= math.log(expected)


def test_pieces_without_the_key_have_no_more_evidence_than_chance_allows():
    found = [evidence(written(b"o" * 32, seed, 60), SECRET).powers for seed in range(300)]
    assert sum(power >= 1 for power in found) < 0.1 * 300 + 4 * 27**0.5
    assert sum(power >= 2 for power in found) < 0.01 * 300 + 4 * 3**0.5
    assert max(found) < 3


def test_long_pieces_are_held_to_the_bound_and_empty_ones_to_nothing():
    counts = {b"p": 4_000, b"l": 4_000}
    assert _log_chance(_UNIT * 400, counts) == _log_bound(_UNIT * 400, counts) < math.log(1e-12)
    assert evidence(Piece(480, [Track("", 0)]), SECRET).powers == 0


def test_over_keys_each_choice_comes_as_often_as_it_weighs():
    scores = np.log(np.array([0.5, 0.3, 0.15, 0.05], dtype=np.float32))
    config, counts = DrawConfig(1.0, 1.0, 0.0), np.zeros(4)
    for number in range(4_000):
        mark = Watermark(number.to_bytes(4, "big"))

        def choose(places, weights, mark=mark):
            times = [
                np.log(mark.chance(b"here", n)) / w for n, w in zip(places, weights, strict=True)
            ]
            return int(np.argmax(times))

        counts[draw_keyed(scores, config, choose)] += 1
    assert np.abs(counts / 4_000 - [0.5, 0.3, 0.15, 0.05]).max() < 0.03


def test_what_a_key_may_choose_among_is_what_chance_may_draw():
    scores = np.log(np.array([0.5, 0.3, 0.15, 0.04, 0.01], dtype=np.float32))
    seen = []
    draw_keyed(scores, DrawConfig(1.0, 0.9, 0.0), lambda places, _: seen.append(list(places)) or 0)
    draw_keyed(scores, DrawConfig(1.0, 1.0, 0.1), lambda places, _: seen.append(list(places)) or 0)
    assert seen == [[0, 1, 2], [0, 1, 2]]


def test_a_context_is_counted_once():
    contexts = [context for context, _ in choices(written(SECRET))]
    assert len(contexts) == len(set(contexts))


def test_keys_of_a_house_are_told_apart_and_the_newest_comes_first(tmp_path):
    first, path = make_key("lantern")
    second, _ = make_key("lantern")
    make_key("other")
    assert {key.id for key in keys_of("lantern")} == {first.id, second.id}
    assert key_with("lantern", first.id).secret == first.secret
    assert path.stat().st_mode & 0o077 == 0
    assert first.secret.hex() not in repr(first) + repr(first.trace([1]))
    path.write_bytes(b"broken")
    with pytest.raises(HouseError, match="the watermark key cannot be read"):
        keys_of("lantern")
