"""Holes in works: what they cost a model whose answer is known, and how seams are measured."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from corpora import song, work, works
from gen.evaluation import seams as edges
from gen.evaluation.parts import infilling
from gen.evaluation.seams import Gap
from gen.evaluation.subjects import models, samples
from gen.piece import Note, Piece, Tempo, TimeSignature, Track
from gen.sampling.decoding.draw import DrawConfig
from gen.tokens import vocabulary as v
from gen.tokens.columns import Events
from gen.tokens.reading import decode
from gen.tokens.vocabulary import FIELD_SIZES, Kind

WORKS = works(6, bars=16)
WINDOW = 300


def rng():
    return np.random.default_rng(4)


def gaps(window=WINDOW):
    return [edges.gap_of(one, window, np.random.default_rng(i)) for i, one in enumerate(WORKS)]


def count(events: Events, kind: Kind) -> int:
    return int((events[:, v.KIND] == kind).sum())


@pytest.mark.parametrize("window", [120, WINDOW, 2048])
def test_a_hole_lies_inside_a_stretch_that_fits_the_window(window):
    for gap in gaps(window):
        assert gap.first < gap.bars.start < gap.bars.stop < gap.end
        assert 1 <= len(gap.bars) <= edges.LONGEST_HOLE
        events, _ = infilling.stretch(gap.work.tokenised.bare(), gap)
        assert len(events) + 2 * len(gap.bars) <= window
        assert count(events, Kind.BAR) == gap.end - gap.first
        assert count(events, Kind.EOS) == 1


def test_no_hole_where_three_bars_do_not_fit():
    assert edges.gap_of(WORKS[0], 40, rng()) is None
    assert edges.gap_of(work(song(1, 2)), WINDOW, rng()) is None


def test_a_model_that_knows_nothing_pays_alike_for_every_note_and_gains_nothing():
    each = sum(math.log2(size) for size in FIELD_SIZES)
    rows = infilling.measure(models.untrained(), gaps())
    for row in rows:
        assert row["notes"] > 0
        assert row["infilled"] == pytest.approx(each * row["notes"], rel=1e-5)
        assert row["left_to_right"] == pytest.approx(each * row["notes"], rel=1e-5)


def test_only_the_hole_is_written():
    model = models.bigram([one.tokenised.bare().events for one in WORKS])
    found = gaps()
    drafts = [infilling.draft_of(gap) for gap in found]
    for gap, rows in zip(found, samples.write(model, drafts, DrawConfig(), [1]), strict=True):
        before = decode(gap.work.tokenised.events)
        after = decode(np.array(rows, dtype=np.int16))
        starts = edges._starts(gap.work)
        begin, end = starts[gap.bars.start], starts[gap.bars.stop]
        assert len(after.tracks) == len(before.tracks)
        for slot, (old, new) in enumerate(zip(before.tracks, after.tracks, strict=True)):
            if slot != gap.slot:
                assert new.notes == old.notes
            outside = [n for n in new.notes if not begin <= n.onset_ticks < end]
            assert outside == [n for n in old.notes if not begin <= n.onset_ticks < end]
        assert edges.seams(gap, after)["notes"] >= len(gap.bars)


def tune(*pitches, program=0, others=((60, 64, 67),) * 3):
    """A line of one note a quarter, and chords of one bar each beneath it."""
    line = [Note(i * 480, 480, pitch, 83) for i, pitch in enumerate(pitches)]
    chords = [Note(bar * 1920, 1920, p, 63) for bar, c in enumerate(others) for p in c]
    return Piece(
        480,
        [Track("", program, False, "main_melody", line), Track("", 0, False, "pad", chords)],
        [Tempo(0, 500_000)],
        [TimeSignature(0, 4, 4)],
    )


def test_seams_are_those_worked_out_by_hand():
    music = tune(60, 60, 60, 60, 64, 60, 60, 67, 72, 72, 72, 72)
    gap = Gap(work(music), 0, 3, range(1, 2), 0)
    found = edges.seams(gap, music)
    assert found["leap"] == (4 + 5) / 2  # c'-e', and g'-c'' at the end
    # c e g of 2, 1, 1 quarters against c alone, on both sides; all of it in c e g of four each.
    assert found["edge"] == pytest.approx(2 / math.sqrt(6))
    assert found["ensemble"] == pytest.approx(4 / math.sqrt(6 * 3))
    assert found["notes"] == 4
    far = edges.seams(gap, edges.moved(gap, music))
    assert far["ensemble"] == 0
    assert far["edge"] == 0


def test_silence_and_drums_have_no_seams():
    music = tune(60, 60, 60, 60, 64, 60, 60, 67, 72, 72, 72, 72)
    gap = Gap(work(music), 0, 3, range(1, 2), 0)
    empty = replace(music, tracks=[replace(music.tracks[0], notes=[]), music.tracks[1]])
    assert edges.seams(gap, empty)["notes"] == 0
    assert math.isnan(edges.seams(gap, empty)["leap"])
    drums = replace(music, tracks=[replace(music.tracks[0], is_drum=True), music.tracks[1]])
    assert math.isnan(edges.seams(gap, drums)["ensemble"])


def test_what_fits_is_told_from_what_does_not():
    found = gaps()
    rows = [gap.work.tokenised.events.tolist() for gap in found]  # filled as the composer had it
    bits = infilling.measure(models.untrained(), found)
    figures = infilling.figures(found, bits, rows)
    for name in edges.SEAMS:
        assert figures["seams"][name]["difference"]["value"] == 0
        assert figures["seams"][name]["verdict"] == "none"
    ensemble = figures["seams"]["ensemble"]
    assert ensemble["moved"]["value"] < ensemble["original"]["value"]
    assert figures["bits"]["gain"]["value"] == pytest.approx(0, abs=1e-4)
