"""Chord symbols of a piece: templates on each half bar, the likeliest path through them.

Emissions are cosine similarities between what sounds and each chord's tones, with a bonus for
a root in the bass; a change costs a little, so that passing notes make no chord.
Source: Fujishima 1999 (templates); Sheh & Ellis 2003 (the path).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gen.analysis.key import Floats, note_table
from gen.harmony import FLAT_NAMES, QUALITIES, Chord, format_progression
from gen.piece import Piece, TimeSignature

# What is told apart reliably; rarer qualities need clearer evidence (the second number).
_CANDIDATES = {
    "maj": 0.0, "min": 0.0, "7": 0.03, "m7": 0.03, "maj7": 0.03, "sus4": 0.06, "m7b5": 0.06,
    "dim": 0.06, "dim7": 0.08, "6": 0.08, "aug": 0.1,
}  # fmt: skip
_TONE_WEIGHTS = (1.0, 0.9, 0.7, 0.7)
_ROOT_IN_BASS = 0.15
_CHANGE_COST = 0.12
_SOUNDING_SHARE = 0.05
_INVERSION_SHARE = 0.5


def infer_chords(piece: Piece, names: Sequence[str] = FLAT_NAMES) -> str:
    """A progression that `gen.harmony.parse_progression` reads; "" without pitched notes.

    Args:
        piece: any piece.
        names: what the twelve pitch classes are called, C first.
    """
    table = note_table(piece)
    bars = _segment_bars(piece)
    if not len(table) or not bars:
        return ""
    edges = np.array([edge for bar in bars for edge in bar[:-1]] + [bars[-1][-1]])
    chroma, bass = _weigh(table, edges)
    labels = _likeliest_path(_similarities(chroma, bass))
    chords = _with_basses(labels, chroma, bass, np.diff(edges))
    return format_progression(_group(chords, [len(bar) - 1 for bar in bars]), names)


def _segment_bars(piece: Piece) -> list[list[int]]:
    """Each bar's segment edges in ticks: two halves where the meter has them, else one."""
    starts = piece.bar_starts()
    ends = [start for start, _ in starts[1:]]
    if starts:
        ends.append(starts[-1][0] + piece.bar_ticks(starts[-1][1]))
    return [
        _edges(start, end, signature)
        for (start, signature), end in zip(starts, ends, strict=True)
        if end > start
    ]


def _edges(start: int, end: int, signature: TimeSignature) -> list[int]:
    is_even = signature.numerator % 2 == 0 and signature.numerator > 2
    return [start, (start + end) // 2, end] if is_even and end - start > 1 else [start, end]


def _weigh(table: NDArray[np.int64], edges: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """What sounds in each segment by pitch class, and what its lowest voice sounds.

    Returns:
        Two arrays (S, 12): ticks, and ticks that count double for each half octave further down.
    """
    chroma, bass = np.zeros((2, len(edges) - 1, 12))
    for pitch in np.unique(table[:, 2]):
        notes = table[table[:, 2] == pitch]
        ticks = np.diff(
            _sounded(np.sort(notes[:, 0]), edges) - _sounded(np.sort(notes[:, 1]), edges)
        )
        chroma[:, pitch % 12] += ticks
        bass[:, pitch % 12] += ticks * 2.0 ** (-(pitch - 24) / 6)
    return chroma, bass


def _sounded(onsets: NDArray[np.int64], edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ticks that notes from these onsets (ascending) would have sounded by each edge."""
    begun = np.searchsorted(onsets, edges)
    before: NDArray[np.int64] = np.concatenate([[0], np.cumsum(onsets)])
    ticks: NDArray[np.int64] = edges * begun - before[begun]
    return ticks


@cache
def _templates() -> tuple[Floats, Floats]:
    """Tones of every candidate chord, shape (12 * qualities, 12) of length 1, and their costs."""
    templates = np.zeros((len(_CANDIDATES), 12, 12))
    for number, quality in enumerate(_CANDIDATES):
        for step, weight in zip(QUALITIES[quality], _TONE_WEIGHTS, strict=False):
            templates[number, np.arange(12), (np.arange(12) + step) % 12] = weight
    flat = templates.reshape(-1, 12)
    costs = np.repeat(list(_CANDIDATES.values()), 12)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True), costs


def _similarities(chroma: Floats, bass: Floats) -> Floats:
    """Score of every candidate chord in every segment; shape (S, 12 * qualities)."""
    templates, costs = _templates()
    norms = np.maximum(np.linalg.norm(chroma, axis=1, keepdims=True), 1e-9)
    scores = chroma / norms @ templates.T - costs
    share = bass / np.maximum(bass.sum(axis=1, keepdims=True), 1e-9)
    result: Floats = scores + _ROOT_IN_BASS * np.tile(share, (1, len(_CANDIDATES)))
    return result


def _likeliest_path(scores: Floats) -> list[int]:
    """Viterbi over segments: best sum of scores, each change costing `_CHANGE_COST`."""
    best, back = scores[0], []
    for row in scores[1:]:
        leader = int(np.argmax(best))
        changes = best < best[leader] - _CHANGE_COST
        back.append(np.where(changes, leader, np.arange(len(best))))
        best = np.maximum(best, best[leader] - _CHANGE_COST) + row
    path = [int(np.argmax(best))]
    for step in reversed(back):
        path.append(int(step[path[-1]]))
    return path[::-1]


def _with_basses(
    labels: list[int], chroma: Floats, bass: Floats, lengths: NDArray[np.int64]
) -> list[Chord | None]:
    """Chords with their slash basses; None where almost nothing sounds."""
    qualities = list(_CANDIDATES)
    chords: list[Chord | None] = []
    for label, sounding, low, length in zip(labels, chroma, bass, lengths, strict=True):
        root, quality = label % 12, qualities[label // 12]
        lowest = int(np.argmax(low))
        is_tone = (lowest - root) % 12 in QUALITIES[quality]
        is_clear = low[lowest] > _INVERSION_SHARE * low.sum()
        is_silent = sounding.sum() < _SOUNDING_SHARE * length
        inverted = lowest if is_tone and is_clear else root
        chords.append(None if is_silent else Chord(root, quality, inverted))
    return chords


def _group(chords: list[Chord | None], counts: list[int]) -> list[list[Chord | None]]:
    """Chords bar by bar; a bar whose halves agree has one."""
    bars, position = [], 0
    for count in counts:
        bar = chords[position : position + count]
        bars.append(bar[:1] if len(set(bar)) == 1 else bar)
        position += count
    return bars
