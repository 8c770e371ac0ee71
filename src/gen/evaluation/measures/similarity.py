"""How alike two pieces are: rhythm x melody x harmony, each 0 to 1.

Definition: a piece is described by three distributions:

- rhythm: where in its bar each note begins (steps of 1/12 quarter; drums apart from the rest);
- melody: each pair of successive intervals in the lines of its tracks (semitones, at most 12);
- harmony: each pair of pitch classes that follow one another from beat to beat, weighed by how
  long they sound, as semitones above the tonic.

Formula: two distributions p and q are alike by Σ √(p q) (Bhattacharyya's coefficient: 1 for
equals, 0 for those that share nothing); two pieces by the product of the three. A piece without
pitched notes has neither melody nor harmony: in these it is like another such piece (1) and unlike
all others (0). Distance is 1 - similarity.

Source: Bhattacharyya 1943. After the grooving and chroma similarities of Wu & Yang 2021,
"MuseMorphose" (cosines of such vectors, bar by bar). Deviations: over the whole piece, since
generated pieces and works have no bars in common; in relation to the tonic, so that a transposed
piece is the same piece; melody is added; the coefficient in place of the cosine, which a few
frequent entries rule.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gen.analysis import infer_key
from gen.evaluation.measures.notes import Floats, Ints, NoteTable, lines, pitches_sounding, tabulate
from gen.piece import Piece
from gen.tokens.vocabulary import MAX_BAR_STEPS, STEPS_PER_QUARTER

ASPECTS = ("rhythm", "melody", "harmony")
ASPECT_NAMES = {"together": "all together", **{aspect: aspect for aspect in ASPECTS}}
"""What they are called, and all of them."""
_OCTAVE = 12


def rhythm(table: NoteTable) -> Floats:
    """Shares of the notes' places in their bars, pitched then drums; (288,)."""
    place = np.clip(table.onset - table.bars[table.bar], 0, MAX_BAR_STEPS - 1)
    return _distribution(place + MAX_BAR_STEPS * table.drums, 2 * MAX_BAR_STEPS)


def melody(table: NoteTable) -> Floats:
    """Shares of pairs of successive intervals; (625,), zero where no line has three notes."""
    line = lines(table)
    leaps = np.clip(np.diff(line.pitch), -_OCTAVE, _OCTAVE) + _OCTAVE
    size = 2 * _OCTAVE + 1
    in_line = line.track[2:] == line.track[:-2]
    return _distribution((leaps[:-1] * size + leaps[1:])[in_line], size**2)


def harmony(table: NoteTable, tonic: int) -> Floats:
    """Shares of pairs of pitch classes from one beat to the next; (144,).

    Zero where no two neighbouring beats sound.
    """
    beats = _beat_chroma(table)
    beats = np.roll(beats, -tonic, axis=1)
    pairs = (beats[:-1].T @ beats[1:]).ravel()
    return np.asarray(pairs / (pairs.sum() or 1))


def _beat_chroma(table: NoteTable) -> Floats:
    """Share of each pitch class in what sounds in each beat, (beats, 12); 0 in silence."""
    by_step = pitches_sounding(table)
    starts = np.arange(0, len(by_step), STEPS_PER_QUARTER)
    if not len(starts):
        return np.zeros((0, 12))
    by_beat = np.add.reduceat(by_step, starts, axis=0, dtype=np.float64)  # (beats, 128)
    chroma = np.stack([by_beat[:, c::12].sum(axis=1) for c in range(12)], axis=1)
    return np.asarray(chroma / np.maximum(chroma.sum(axis=1, keepdims=True), 1))


def _distribution(numbers: Ints, size: int) -> Floats:
    found = np.bincount(numbers, minlength=size)
    return np.asarray(found / max(found.sum(), 1))


def described(pieces: Sequence[Piece]) -> dict[str, Floats]:
    """The three distributions of each piece, as square roots; (n, K) by aspect."""
    tables = [tabulate(piece) for piece in pieces]
    tonics = [infer_key(piece)[0].tonic for piece in pieces]
    return {
        "rhythm": np.sqrt([rhythm(t) for t in tables]),
        "melody": np.sqrt([melody(t) for t in tables]),
        "harmony": np.sqrt([harmony(t, k) for t, k in zip(tables, tonics, strict=True)]),
    }


def distances(pieces: Sequence[Piece]) -> dict[str, Floats]:
    """Distance of each piece from each, (n, n), by aspect and `together`; 0 to 1."""
    alike = {aspect: _alike(roots) for aspect, roots in described(pieces).items()}
    together = np.prod([alike[aspect] for aspect in ASPECTS], axis=0)
    # Twelve digits: the same pieces are to be exactly as far apart, whatever the order of sums.
    return {name: np.round(1 - s, 12) for name, s in {**alike, "together": together}.items()}


def _alike(roots: Floats) -> Floats:
    """Bhattacharyya's coefficients of n distributions, (n, K) roots -> (n, n)."""
    missing = ~roots.any(axis=1)
    result: Floats = np.clip(roots @ roots.T, 0, 1)
    result[np.ix_(missing, missing)] = 1
    return result
