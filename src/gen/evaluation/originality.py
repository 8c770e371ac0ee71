"""Originality: does the model borrow more from the house's works than they do from each other?

Definition: of each piece, the bits of the passage that says most of those that a line of it shares
with a line of any work that the model learned from, for melodies, basses and other accompaniments;
lines, passages, kinds and relatives are those of `likeness.originality`. First the corpus against
itself: the first bars of each work against all works unrelated to it, which is what the house
borrows from itself. Then the outputs, as long, against all works.

Formula: the house's line is the 95 % quantile of its works' bits of one kind (0 where they share
nothing), at least `LEAST_LINE`; `above`: share of outputs with more of any kind, beside the same
share of the house's own works. A longer piece shares more by chance, so both sides are cut to as
many bars.

Extraction: the first bars of a work are given and the model goes on, drawing almost always the
likeliest event. `back`: share of the work's own next notes (instrument, onset, pitch) that come
back. Music repeats, so that much comes back without a memory for it: beside the training works
stand held-out works (`held_out`), which the model cannot have learned, and the given bars played
again (`repeated`). Memorising is what training works give more than held-out ones.

Source: Yin et al. 2022, "Measuring when a music generation algorithm copies too much: the
originality report, cardinality score, and symbolic fingerprinting by geometric hashing", SN
Computer Science 3 (corpus first, then outputs, per epoch, 95 % line); Carlini et al. 2023,
"Quantifying memorization across neural language models", arXiv:2202.07646 (extraction by
prefixes). Deviations: bits of shared passages in place of their cardinality score; the share that
comes back in place of verbatim or not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gen.errors import HouseError
from gen.evaluation.measures import interval
from gen.evaluation.measures.interval import Groups
from gen.evaluation.subjects import samples
from gen.evaluation.subjects.works import MeasuredWork, piece_of
from gen.likeness.originality import (
    ENOUGH_WORKS,
    KINDS,
    MELODY,
    Finding,
    LearnedMusic,
    bits_of,
    line_of,
    lines_of_piece,
    most_shared,
)
from gen.model import Transformer
from gen.piece import Piece
from gen.sampling.decoding.draw import DrawConfig
from gen.tokens.events import Events

ALMOST_GREEDY = DrawConfig(temperature=0.1, top_p=1.0, min_p=0.0)
"""How the extraction test draws: what was learned by heart is what is likeliest."""
LISTED = 12
"""So many of the outputs nearest to a work are named with it."""


# The corpus against itself ---------------------------------------------------------------


def house(
    music: LearnedMusic,
    works: Sequence[MeasuredWork],
    bars: int,
    *,
    tick: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """What the house borrows from itself in the first `bars` bars of a work.

    Args:
        music: all works that the model learned from.
        works: those whose beginnings are held against the others; all of them are in `music`.
        bars: how many.
        tick: called with the share that is done.

    Returns:
        `works` and the `groups` that they are in; by kind `bits` (the most of each work), their
        `mean`, and `line`, None where fewer than `ENOUGH_WORKS` works tell none; `above`: share of
        works above any line.
    """
    place = {known.work: number for number, known in enumerate(music.works)}
    if foreign := [work.id for work in works if work.id not in place]:
        raise HouseError(
            "is no work behind this checkpoint", where=foreign[0], mend="name its own house"
        )
    related = music.known.relatives(range(len(music.works)))
    places = [place[work.id] for work in works]
    own = [min(related[at]) for at in places]
    found = []
    for number, (work, at) in enumerate(zip(works, places, strict=True), start=1):
        voices = lines_of_piece(work.piece(bars))
        found.append(most_shared(music.known, voices, related[at]))
        tick(number / len(works))
    bits = {kind: bits_of(found, kind) for kind in KINDS}
    lines = {kind: line_of(bits[kind]) if len(works) >= ENOUGH_WORKS else None for kind in KINDS}
    return {
        "works": len(works),
        "bars": bars,
        **{
            kind: {
                "bits": [round(each, 1) for each in bits[kind]],
                "mean": interval.mean(bits[kind], own),
                "line": lines[kind],
            }
            for kind in KINDS
        },
        "groups": own,
        "above": _share_above(bits, lines, own),
    }


def _share_above(
    bits: dict[str, list[float]], lines: dict[str, int | None], groups: Groups = None
) -> interval.Figure:
    """Share of pieces with a passage above its line."""
    if any(line is None for line in lines.values()):
        return interval.figure(math.nan, n=len(bits[MELODY]))
    above = np.zeros(len(bits[MELODY]), dtype=np.bool_)
    for kind in KINDS:
        above |= np.array(bits[kind]) > (lines[kind] or 0)
    return interval.share_of(above, groups)


# Outputs against the corpus --------------------------------------------------------------


def outputs(
    music: LearnedMusic,
    pieces: Sequence[Piece],
    borrowed: dict[str, Any],
    *,
    tick: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Outputs beside what the house borrows from itself.

    Args:
        music: all works that the model learned from.
        pieces: outputs, as long as the works in `borrowed`.
        borrowed: what `house` returned.
        tick: called with the share that is done.

    Returns:
        `pieces`; by kind `bits`, their `mean`, and `more`, that less the mean of the house's
        works, with its `verdict`; `above` (the share), and how much `more_above` than of the
        house's works, with its `verdict`; `nearest`: the outputs closest to a work, in words.
    """
    described = []
    for number, piece in enumerate(pieces, start=1):
        described.append({"piece": number, **_described(music.compare(piece))})
        tick(number / len(pieces))
    bits = {
        kind: [float(each[kind]["bits"]) if kind in each else 0.0 for each in described]
        for kind in KINDS
    }
    own = (None, borrowed["groups"])
    gaps = {kind: interval.difference(bits[kind], borrowed[kind]["bits"], own) for kind in KINDS}
    above = _share_above(bits, {kind: borrowed[kind]["line"] for kind in KINDS})
    more_above = interval.share_difference(above, borrowed["above"])
    return {
        "pieces": len(pieces),
        **{
            kind: {
                "bits": bits[kind],
                "mean": interval.mean(bits[kind]),
                "more": gaps[kind],
                "verdict": interval.verdict(gaps[kind]),
            }
            for kind in KINDS
        },
        "above": above,
        "more_above": more_above,
        "verdict": interval.verdict(more_above),
        "nearest": sorted(described, key=_closeness, reverse=True)[:LISTED],
    }


def _described(finding: Finding) -> dict[str, Any]:
    """What one output has in common with a work, in words, by the kinds that it shares."""
    return {
        "nearest": finding.nearest.words if finding.nearest else None,
        "share_of_melody": round(finding.share, 3),
        **{
            kind: {
                "bits": s.bits, "notes": s.notes, "of": s.of.words, "here": s.here,
                "there": s.there,
            }
            for kind, s in finding.passages.items()
        },
    }  # fmt: skip


def _closeness(output: dict[str, Any]) -> tuple[int, float, int]:
    """By the most bits, then by how much of its melody a work has, then the earlier first."""
    most = max(output[kind]["bits"] if kind in output else 0 for kind in KINDS)
    return most, output["share_of_melody"], -output["piece"]


# Extraction ------------------------------------------------------------------------------


def extraction(
    model: Transformer,
    train: Sequence[MeasuredWork],
    held_out: Sequence[MeasuredWork],
    prompt: int,
    bars: int,
    seed: Sequence[int],
    *,
    tick: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """How much of a work comes back when its first bars are given.

    Args:
        model: in evaluation mode.
        train: works that it learned from.
        held_out: works that it did not.
        prompt: bars given.
        bars: how many it writes.
        seed: of what little is drawn.
        tick: called with the share that is done.

    Returns:
        `train` and `held_out`: `back`, `repeated`, `beyond` (the difference of the two) and each
        work's share; `more`: what training works give more, with its `verdict`. Works of no more
        than `prompt` bars are left out.
    """
    sides = {
        "train": [work for work in train if len(work.tokenised.bar_rows) > prompt],
        "held_out": [work for work in held_out if len(work.tokenised.bar_rows) > prompt],
    }
    chosen = [work for works in sides.values() for work in works]
    drafts = [samples.after(work, prompt, bars) for work in chosen]
    rows = samples.write(model, drafts, ALMOST_GREEDY, seed, tick=tick)
    back = [
        share_back(work, piece_of(Events.of(r)), prompt, bars)
        for work, r in zip(chosen, rows, strict=True)
    ]
    again = [share_back(work, repeated(work, prompt, bars), prompt, bars) for work in chosen]
    edge = len(sides["train"])
    parts = {"train": slice(0, edge), "held_out": slice(edge, None)}
    beyond = np.array(back) - np.array(again)
    groups = [work.group for work in chosen]
    gap = interval.difference(beyond[:edge], beyond[edge:], (groups[:edge], groups[edge:]))
    return {
        "given_bars": prompt,
        "written_bars": bars,
        **{side: _returned(chosen[part], back[part], again[part]) for side, part in parts.items()},
        "more": gap,
        "verdict": interval.verdict(gap),
    }


def _returned(
    works: Sequence[MeasuredWork], back: Sequence[float], again: Sequence[float]
) -> dict[str, Any]:
    """What came back of some works, beside what comes back where the given bars are repeated."""
    groups = [work.group for work in works]
    return {
        "back": interval.mean(back, groups, within=interval.SHARE),
        "repeated": interval.mean(again, groups, within=interval.SHARE),
        "beyond": interval.mean(np.array(back) - np.array(again), groups),
        "works": [
            {"work": work.id, "title": work.title, "back": interval.figure(value)["value"]}
            for work, value in zip(works, back, strict=True)
        ],
    }


def share_back(work: MeasuredWork, piece: Piece, prompt: int, bars: int) -> float:
    """Share of the work's notes in the `bars` bars after `prompt` that `piece` has too.

    NaN where the work is silent there.
    """
    whole = work.piece()
    start, end = _tick(whole, prompt), _tick(whole, prompt + bars)
    wanted = {note for note in _notes(whole) if start <= note[1] < end}
    return len(wanted & _notes(piece)) / len(wanted) if wanted else math.nan


def repeated(work: MeasuredWork, prompt: int, bars: int) -> Piece:
    """The first `prompt` bars played over and over, for `bars` more."""
    length = _tick(work.piece(), prompt)
    piece = work.piece(prompt)
    times = 1 + math.ceil(bars / prompt)
    for track in piece.tracks:
        track.notes = [
            type(n)(n.onset_ticks + time * length, n.duration_ticks, n.pitch, n.velocity)
            for time in range(times)
            for n in track.notes
        ]
    return piece


def _tick(piece: Piece, bar: int) -> int:
    """Where a bar begins, counted from 0; past the last one, the end."""
    starts = [start for start, _ in piece.bar_starts()]
    return starts[bar] if bar < len(starts) else piece.end_ticks + 1


def _notes(piece: Piece) -> set[tuple[int, int, int]]:
    """(instrument, onset, pitch) of every note."""
    return {(t.instrument, n.onset_ticks, n.pitch) for t in piece.tracks for n in t.notes}
