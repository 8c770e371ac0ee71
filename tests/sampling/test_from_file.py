"""Pieces that begin with a producer's file, from settings to files on disk."""

from __future__ import annotations

import hashlib

import pytest

from gen.errors import HouseError
from gen.smf import parse, split_chunks
from houses import make_midi

FROM_FILE = [
    {"continue": "", "bars": 6},
    {"infill": "", "cells": "bars 5-8 of bass, bar 3 of all"},
    {"accompany": "", "add": ["violin", "cello"]},
    {"harmonise": ""},
    {"vary": "", "amount": 0.2},
]


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """A file longer than the model's context."""
    path = tmp_path_factory.mktemp("songs") / "song.mid"
    path.write_bytes(make_midi(3, bars=24))
    return path


@pytest.mark.parametrize("settings", FROM_FILE, ids=lambda settings: next(iter(settings)))
def test_what_is_written_into_a_file_leaves_the_rest_and_has_a_receipt(ask, song, settings):
    mode = next(iter(settings))
    asked = {name: value or str(song) for name, value in settings.items()}
    first, second = ask(**asked, originality="report")
    before = parse(song.read_bytes())
    for result in (first, second):
        piece = parse(split_chunks(result.midi.read_bytes()).music)
        kept = 0
        for track, old in zip(piece.tracks, before.tracks, strict=False):
            assert (track.name, track.instrument) == (old.name, old.instrument)
            kept += len(set(old.notes) & set(track.notes))
        share = kept / before.note_count
        assert 0.6 < share < 1 if mode in ("infill", "vary") else share == 1
        assert (piece.tempos, piece.time_signatures) == (before.tempos, before.time_signatures)
        told = result.record["source"]
        assert told["file_sha256"] == hashlib.sha256(song.read_bytes()).hexdigest()
        assert told["mode"] == mode
        assert all(row["met"] for row in result.record["asked_and_got"])
    assert first.midi.read_bytes() != second.midi.read_bytes()
    again, _ = ask(**asked, originality="report")
    assert again.midi.read_bytes() == first.midi.read_bytes()


def test_a_file_that_cannot_be_read_gives_one_message_and_nothing_is_written(ask, tmp_path):
    with pytest.raises(HouseError, match=r"nowhere\.mid: cannot be read"):
        ask(**{"continue": "nowhere.mid"})
    assert not (tmp_path / "out").exists()
