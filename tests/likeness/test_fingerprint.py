"""Fingerprints: compact, versioned, read back as they were, and harmless when they are not."""

from __future__ import annotations

import base64
import json
import zlib

import numpy as np
import pytest

from gen.errors import HouseError
from gen.likeness.fingerprint import MOST_NOTES, Fingerprint, NewPiece
from gen.likeness.report import REVIEW, WORK, Known
from gen.likeness.screening import Screen
from gen.likeness.voices import pack_voices
from gen.piece import Note, Piece, Track
from pop_songs import pop_song


def test_a_fingerprint_survives_being_logged_as_json() -> None:
    one = NewPiece.of(pop_song(1)).fingerprint
    other = Fingerprint.unpack(json.loads(json.dumps(one.pack())))
    assert other.bars.tolist() == one.bars.tolist()
    for ours, theirs in zip(one.voices, other.voices, strict=True):
        assert (ours.label, ours.is_leading, ours.is_together) == (
            theirs.label, theirs.is_leading, theirs.is_together,
        )  # fmt: skip
        for name in ("pitches", "onsets", "bars", "again"):
            assert getattr(ours, name).tolist() == getattr(theirs, name).tolist()


def test_a_fingerprint_without_lines_survives_too() -> None:
    assert Fingerprint.unpack(json.loads(json.dumps(Fingerprint(()).pack()))).voices == ()


def test_a_fingerprint_that_was_logged_without_repeats_is_read() -> None:
    packed = NewPiece.of(pop_song(1)).fingerprint.pack()
    assert any(len(voice.again) for voice in Fingerprint.unpack(packed).voices)
    del packed["repeats"]
    assert not any(len(voice.again) for voice in Fingerprint.unpack(packed).voices)


def test_a_fingerprint_is_a_few_kilobytes() -> None:
    sizes = [len(json.dumps(NewPiece.of(pop_song(n)).fingerprint.pack())) for n in range(5)]
    assert max(sizes) < 8_000


def test_lists_of_lines_that_earlier_versions_logged_are_read() -> None:
    one = NewPiece.of(pop_song(1)).fingerprint
    other = Fingerprint.unpack(pack_voices(one.tracks))
    assert [v.pitches.tolist() for v in other.voices] == [v.pitches.tolist() for v in one.tracks]


@pytest.mark.parametrize(
    "change",
    [
        {"format": 3},
        {"notes": "?"},
        {"repeats": "?"},
        {"repeats": base64.b64encode(zlib.compress(bytes([255] * 400))).decode()},
        {"repeats": base64.b64encode(zlib.compress(b"")).decode()},
        {"notes": base64.b64encode(zlib.compress(bytes(100_000_000))).decode()},
        {"lines": [["x", True, False, 2**40]]},
        {"lines": [["x", True, False, -1]]},
        {"lines": 7},
        {"bars": "AAA="},
    ],
)
def test_a_broken_fingerprint_is_refused_in_words(change: dict[str, object]) -> None:
    packed = {**NewPiece.of(pop_song(1)).fingerprint.pack(), **change}
    with pytest.raises(HouseError, match="cannot be read"):
        Fingerprint.unpack(packed)


def monster(notes: int, period: int = 7) -> Piece:
    """A file that repeats itself for ever, to make every place of it like every other."""
    line = [Note(i * 60, 50, 60 + i % period, 80) for i in range(notes)]
    return Piece(480, [Track(f"track {n}", notes=line) for n in range(4)])


def test_files_made_to_be_like_themselves_everywhere_cost_no_more_memory_than_others() -> None:
    import tracemalloc

    screen = Screen()
    screen.add(Known(WORK, "monster"), NewPiece.of(monster(20_000)).fingerprint)
    tracemalloc.start()
    screen.compare(NewPiece.of(monster(20_000, period=11)))
    screen.compare(NewPiece.of(monster(20_000)))
    assert tracemalloc.get_traced_memory()[1] < 400_000_000
    tracemalloc.stop()


def test_a_piece_of_too_many_notes_is_compared_by_its_first_and_looked_at_by_a_person() -> None:
    piece = NewPiece.of(monster(MOST_NOTES // 4 + 100))
    assert not piece.is_whole
    assert sum(len(part.onsets) for part in piece.parts[:-1]) <= MOST_NOTES
    report = Screen().compare(piece)
    assert report.verdict == REVIEW
    assert "too many notes" in report.side_by_side()
    assert json.loads(report.encode())["is_whole"] is False


def test_bars_are_the_same_in_any_key_and_order() -> None:
    bars = [[60, 64, 67, 72], [62, 65, 69, 65], [59, 62, 67, 71]]

    def piece(order: list[int], up: int) -> Piece:
        notes = [
            Note(place * 1920 + i * 480, 400, pitch + up, 80)
            for place, bar in enumerate(order)
            for i, pitch in enumerate(bars[bar])
        ]
        return Piece(480, [Track(notes=notes)])

    one, other = NewPiece.of(piece([0, 1, 2], 0)), NewPiece.of(piece([2, 0, 1, 0], 5))
    assert np.array_equal(one.fingerprint.bars, other.fingerprint.bars)
    assert one.bar_weights.sum() == 12
