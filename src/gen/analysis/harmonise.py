"""Chords for a melody that has none: one a bar, of its key.

The likeliest path through the seven triads: each bar by how its notes fit, each step by how usual
that progression is. Source of the progressions: Piston 1941, Harmony, chapter 3 (the table of
usual root progressions).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gen import harmony
from gen.harmony import Chord, Key
from gen.piece import Piece

Floats = NDArray[np.float64]

_PROGRESSIONS: Final = {  # degree: usually, sometimes, less often followed by
    1: ((4, 5), (6,), (2, 3)),
    2: ((5,), (4, 6), (1, 3)),
    3: ((6,), (4,), (1, 2, 5)),
    4: ((5,), (1, 2), (3, 6)),
    5: ((1,), (4, 6), (2, 3)),
    6: ((2, 5), (3, 4), (1,)),
    7: ((3, 6), (1,), ()),
}
_HELD, _WEIGHTS, _RARE = 2.0, (4.0, 2.0, 1.0), 0.3
_TRIADS: Final = {
    False: ("maj", "min", "min", "maj", "maj", "min", "dim"),
    True: ("min", "dim", "maj", "min", "maj", "maj", "maj"),
}
"""On the seven degrees of a major and of a minor key; the minor dominant is raised."""

_FIT, _ROOT_BONUS, _STRONG = 6.0, 0.2, 2.0
_AT_FIRST, _AT_LAST = 1.5, 2.0  # for the tonic
_ONE_VOICE: Final = 1.2


def is_bare(piece: Piece) -> bool:
    """Whether hardly more than one pitched note sounds at a time: chords cannot be heard."""
    notes = sorted(n for track in piece.tracks if not track.is_drum for n in track.notes)
    sounding = covered = reached = 0
    for note in notes:
        sounding += note.duration_ticks
        covered += max(note.end_ticks - max(note.onset_ticks, reached), 0)
        reached = max(reached, note.end_ticks)
    return sounding <= _ONE_VOICE * covered


def harmonised(piece: Piece, key: Key) -> str:
    """A progression for the notes of a piece that `gen.harmony.parse_progression` reads."""
    triads = _TRIADS[key.is_minor]
    chords = [Chord(root, triad, root) for root, triad in zip(key.scale, triads, strict=True)]
    fits = np.full((12, len(chords)), -1.0)
    for index, chord in enumerate(chords):
        fits[list(chord.pitch_classes), index] = 1.0
        fits[chord.root, index] += _ROOT_BONUS
    scores = _FIT * _weights(piece) @ fits  # (bars, chords)
    scores[0, 0] += _AT_FIRST
    scores[-1, 0] += _AT_LAST
    path = _best_path(scores, _progressions())
    return harmony.format_progression([chords[degree]] for degree in path)


def _weights(piece: Piece) -> Floats:
    """How much of each bar each pitch class sounds, strong beats counted double. (bars, 12)."""
    bars = piece.bar_starts()
    starts = [start for start, _ in bars]
    ends = [*starts[1:], starts[-1] + piece.bar_ticks(bars[-1][1])]
    weights = np.zeros((len(bars), 12))
    notes = [note for track in piece.tracks if not track.is_drum for note in track.notes]
    for note in notes:
        first = max(int(np.searchsorted(starts, note.onset_ticks, side="right")) - 1, 0)
        last = int(np.searchsorted(starts, note.end_ticks, side="left"))
        for bar in range(first, last):
            start, end = starts[bar], ends[bar]
            shared = min(end, note.end_ticks) - max(start, note.onset_ticks)
            is_strong = note.onset_ticks <= start or 2 * note.onset_ticks == start + end
            weights[bar, note.pitch % 12] += shared / (end - start) * (_STRONG if is_strong else 1)
    return weights


def _progressions() -> Floats:
    """Log-likelihood of each degree after each. (7, 7)."""
    table = np.full((7, 7), _RARE)
    for degree, followers in _PROGRESSIONS.items():
        table[degree - 1, degree - 1] = _HELD
        for weight, group in zip(_WEIGHTS, followers, strict=True):
            table[degree - 1, [after - 1 for after in group]] = weight
    result: Floats = np.log(table / table.sum(axis=1, keepdims=True))
    return result


def _best_path(scores: Floats, steps: Floats) -> list[int]:
    """The likeliest path (Viterbi). (T, S), (S, S) -> T states."""
    best, back = scores[0], []
    for row in scores[1:]:
        ways = best[:, None] + steps
        back.append(ways.argmax(axis=0))
        best = ways.max(axis=0) + row
    path = [int(best.argmax())]
    for came_from in reversed(back):
        path.append(int(came_from[path[-1]]))
    return path[::-1]
