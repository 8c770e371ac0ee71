"""Cells that are rewritten and keep their rhythm, or their contour, too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drafts import written
from gen.analysis import analyse
from gen.errors import SettingError
from gen.piece import Note, Piece, Tempo, TimeSignature, Track
from gen.safe_parse import Examined
from gen.sampling.in_file.rewriting import Rewriting
from gen.sampling.in_file.source import Source
from gen.sampling.planning.controls import Controls
from gen.sampling.request import FileTask, SampleRequest
from gen.sampling.run import sample
from gen.smf import normalise, write

LINE = (60, 64, 62, 62, 67, 65, 69, 71)


def song() -> Piece:
    """A line with rests and a chord, over whole notes."""
    line = [
        Note(bar * 1920 + n * 240, 200, pitch + bar, 70 + n)
        for bar in range(4)
        for n, pitch in enumerate(LINE)
        if (n + bar) % 5
    ]
    line.append(Note(1920, 200, 76, 71))
    low = [Note(bar * 1920, 1920, 40 + bar, 60) for bar in range(4)]
    tracks = [Track("Flute", 73, False, None, line), Track("Cello", 42, False, None, low)]
    return Piece(480, tracks, [Tempo(0, 500_000)], [TimeSignature(0, 4, 4)])


def rewritten(keep: str, seed: int) -> tuple[list[Note], list[Note]]:
    """The line before and after."""
    data = write(song())
    found = normalise(data)
    source = Source.of("song.mid", data, Examined(found, analyse(found.piece, found.cues)))
    task = FileTask("infill", Path("song.mid"), "bars 2-3 of 1", keep=keep)
    job = Rewriting.of(task, source, Controls())
    piece = job.finish(written(job, seed)).piece
    before, after = (sorted(p.tracks[0].notes, key=at) for p in (found.piece, piece))
    return before, after


def at(note: Note) -> tuple[int, int]:
    return note.onset_ticks, note.pitch


@pytest.mark.parametrize("keep", ["rhythm", "contour"])
@pytest.mark.parametrize("seed", range(6))
def test_only_the_pitches_of_the_rewritten_bars_are_new(keep, seed):
    before, after = rewritten(keep, seed=seed)
    assert [n.onset_ticks for n in after] == [n.onset_ticks for n in before]
    assert [n.duration_ticks for n in after] == [n.duration_ticks for n in before]
    inside = [1920 <= n.onset_ticks < 3 * 1920 for n in before]
    stays = [a.pitch == b.pitch for a, b in zip(before, after, strict=True)]
    assert all(same for same, within in zip(stays, inside, strict=True) if not within)
    assert not all(stays)


@pytest.mark.parametrize("seed", range(6))
def test_with_the_contour_the_pitch_goes_the_same_way_from_step_to_step(seed):
    before, after = rewritten("contour", seed=seed)
    ways = []
    for notes in (before, after):
        bar = [n for n in notes if 3840 <= n.onset_ticks < 3 * 1920]
        ways.append(np.sign(np.diff([n.pitch for n in bar])).tolist())
    agree = [a == b for a, b in zip(*ways, strict=True)]
    assert sum(agree) >= len(agree) - 1  # at the edge of its range a line may have to turn


def test_what_cannot_be_kept_is_refused_in_words(asked):
    with pytest.raises(SettingError, match="belongs to infill or vary"):
        SampleRequest.of(asked(keep="rhythm"))
    with pytest.raises(SettingError, match="did you mean 'contour'"):
        SampleRequest.of(asked(vary="song.mid", keep="contur", bars=None))


def test_a_variation_that_keeps_its_rhythm_comes_again_from_its_receipt(asked, tmp_path):
    path = tmp_path / "song.mid"
    path.write_bytes(write(song()))
    settings = asked(vary=str(path), keep="rhythm", amount=0.5, n=1, originality="off", bars=None,
                     sign="off")  # fmt: skip
    (done,) = sample(SampleRequest.of(settings))
    assert done.record["settings"]["keep"] == "rhythm"
    again = asked(receipt=str(done.receipt), vary=str(path), out=str(tmp_path / "again"))
    (same,) = sample(SampleRequest.of(again))
    assert same.midi.read_bytes() == done.midi.read_bytes()
