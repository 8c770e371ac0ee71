"""What is heard of a given file while it is being written is what its file has in the end."""

from __future__ import annotations

import pytest

from gen.piece import Note, Piece, Track
from gen.sampling.request import SampleRequest
from gen.sampling.run import sample
from gen.smf import parse, split_chunks, write
from houses import make_midi

BARS = 12


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    path = tmp_path_factory.mktemp("songs") / "song.mid"
    path.write_bytes(make_midi(3, bars=BARS))
    return path


@pytest.fixture
def heard(asked):
    """The one piece that is written, and what was heard of it before it was whole."""

    def listen(**settings):
        seen = []
        request = SampleRequest.of(asked(**settings, n=1, originality="report"))
        (done,) = sample(request, watch=seen.append)
        return done, [progress.so_far for progress in seen if progress.so_far]

    return listen


def begun_in(piece: Piece, first: int, end: int) -> list[set[tuple]]:
    """Onset, duration and pitch of the notes of each track that begin in some bars."""
    starts = [start for start, _ in piece.bar_starts()]
    stop = starts[end] if end < len(starts) else piece.end_ticks + 1
    return [
        {
            (note.onset_ticks, note.duration_ticks, note.pitch)
            for note in track.notes
            if starts[first] <= note.onset_ticks < stop
        }
        for track in piece.tracks
    ]


@pytest.mark.parametrize(
    ("settings", "first"),
    [
        ({"continue": "", "bars": 4}, BARS),
        ({"infill": "", "cells": "bars 5-8 of bass, bar 7 of all"}, 4),
        ({"accompany": "", "add": ["violin", "cello"]}, 0),
        ({"harmonise": ""}, 0),
        ({"vary": "", "amount": 0.5}, None),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bars_that_were_heard_are_those_of_the_file(heard, song, settings, first):
    done, before = heard(**{name: value or str(song) for name, value in settings.items()})
    assert len({so_far.bars for so_far in before}) > 2, "it comes all at once"
    piece = parse(split_chunks(done.midi.read_bytes()).music)
    for so_far in before:
        assert so_far.bars > so_far.first
        if first is not None:
            assert so_far.first == first
        end = min(so_far.bars, len(piece.bar_starts()))
        now, then = begun_in(so_far.music, 0, end), begun_in(piece, 0, end)
        assert sum(map(len, then)) > 0
        assert now == then


def test_a_file_of_its_own_resolution_is_heard_in_time(heard, tmp_path):
    """New notes are counted in the file's ticks, not in those of the grid."""
    notes = [Note(at * 960, 900, 60 + at % 7, 80) for at in range(8 * 4)]
    path = tmp_path / "fine.mid"
    path.write_bytes(write(Piece(960, [Track("Line", 73, notes=notes)])))
    _, before = heard(infill=str(path), cells="bars 3-8")
    (line,) = before[-1].music.tracks
    assert line.notes[:8] == notes[:8]
    assert {note.onset_ticks // 3840 for note in line.notes} == set(range(8))
