"""What the model is nudged towards where its own odds leave it open: parts that agree.

A *logit bias* is added to the model's scores of pitches and lengths before one is drawn; nothing is
forbidden by it. For key and chords see `home`. S grid steps of a bar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS
from gen.tokens.word_ids import chord_of

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

Sounding = tuple[int, int, int]
"""First grid step, the step after the last, and pitch of a note."""

CLASH: Final = 3.0
"""Of a pitch a semitone beside another part's, for all of the next eighth."""
PARALLEL: Final = 8.0
"""Of a pitch that moves the outer voices of a chorale in parallel fifths or octaves."""
FORBIDDEN: Final = 30.0
"""The same by the fourth rules, so much that any other pitch is likelier."""

LATER_CLASH: Final = 3.0
"""The same for all of the next half note, in music to which a part is added."""
HELD_CLASH: Final = 1.5
"""Of a length, for each eighth of it in which the note would clash."""
FIRM_CLASH: Final = 8.0
"""Of a pitch that clashes for all of the next eighth, in music to which a part is added."""
FIRM_HELD: Final = 8
"""By how much firmer a note is kept from lasting into a clash there."""
FIRM_OFF_CHORD: Final = 2.0
"""Of a pitch that the chord of the moment has not, there by the fourth rules."""
OFF_ROOT: Final = 1.5
"""Of a pitch other than the root, in the first quarter of a chord, of a bass that is added."""
CHORD_ALONE: Final = 8.0
ROOT_FIRST: Final = 3.0
"""The last two by the fifth rules."""
CHORDAL: Final = 0.15
"""How much of a clash within the chord of the moment counts there by the fifth rules."""
UNHEARD: Final = 5.0
"""For a pitch class of the chord that the part has not had in the bar there by the fifth rules."""
DOUBLED: Final = 0.8
"""For a pitch class that other parts sound for all of the next eighth there."""

SEMITONES: Final = (1, 11, 13)
"""A minor second, a major seventh, a minor ninth."""
AHEAD: Final = v.STEPS_PER_QUARTER // 2
"""Grid steps for which what else sounds is held against a note: an eighth."""
FARTHEST: Final = 8 * AHEAD
"""Grid steps after the bar for which it is held against how long a note lasts."""
LONGEST: Final = int(v.DURATIONS[-1])
"""The same in music to which a part is added: as long as any note."""
PITCHES: Final = 128
PITCH_CLASSES: Final = np.arange(PITCHES) % 12
"""Of each pitch. (128,)."""


def clashing(others: Iterable[Sounding], bar_start: int, steps: int) -> Bools:
    """Which pitches would clash with another part at each step. (S, 128).

    Args:
        others: notes of the other parts.
        bar_start: first grid step of the bar.
        steps: how many from there on.
    """
    return beside(_heard(others, bar_start, steps))


def beside(pitches: Bools) -> Bools:
    """Which pitches stand a semitone beside one of these, the octave aside. (…, 128) both."""
    # In one line, each row with room behind it for what would reach into the next.
    rows = np.zeros((pitches.size // PITCHES, PITCHES + max(SEMITONES)), dtype=np.bool_)
    rows[:, :PITCHES] = pitches.reshape(-1, PITCHES)
    sounding, found = rows.ravel(), np.zeros(rows.size, dtype=np.bool_)
    for distance in SEMITONES:
        found[distance:] |= sounding[:-distance]
        found[:-distance] |= sounding[distance:]
    return found.reshape(rows.shape)[:, :PITCHES].reshape(pitches.shape)


def _heard(others: Iterable[Sounding], bar_start: int, steps: int) -> Bools:
    """Which pitches other parts sound at each step, as of `clashing`. (S, 128)."""
    found = np.zeros((steps, PITCHES), dtype=np.bool_)
    for begin, end, pitch in others:
        found[max(begin - bar_start, 0) : max(end - bar_start, 0), pitch] = True
    return found


def soon(near: Bools | Floats, steps: int, ahead: int = AHEAD) -> Floats:
    """Of `clashing`, which is longer by `ahead` or more, the mean from each step on. (S, 128)."""
    if near.dtype == np.bool_:  # counted, which is exact and takes a third of the time
        ones = near.view(np.uint8)
        counts = ones[:steps].copy()
        for later in range(1, ahead):
            counts += ones[later : later + steps]
        mean: Floats = np.divide(counts, ahead, dtype=np.float32)
        return mean
    near = near[: steps + ahead]
    sums = np.zeros((len(near) + 1, PITCHES), dtype=np.float32)
    near.cumsum(axis=0, out=sums[1:])
    share: Floats = (sums[ahead:-1] - sums[: -ahead - 1]) / np.float32(ahead)
    return share


def held_clashes(near: Bools | Floats) -> Floats:
    """The bias of the ids of all durations of a note, by where it would clash. (ids,).

    Args:
        near: (S,) how much its pitch clashes, from its first step on.
    """
    eighths = near.cumsum(dtype=np.float32)[np.minimum(v.DURATIONS, len(near)) - 1] / AHEAD
    bias = np.zeros(WORDS.duration.stop, dtype=np.float32)
    bias[WORDS.duration.start :] = -HELD_CLASH * eighths
    return bias


def doubled(others: Iterable[Sounding], bar_start: int, steps: int) -> Floats:
    """For which share of the eighth from each step on its pitch class sounds. (S, 128)."""
    sounds = np.zeros((steps + AHEAD, PITCHES), dtype=np.float32)
    for begin, end, pitch in others:
        sounds[max(begin - bar_start, 0) : max(end - bar_start, 0), pitch % 12 :: 12] = 1
    return soon(sounds, steps)


def off_chord(chords: Sequence[tuple[int, int]], steps: int) -> Floats:
    """1 for each pitch at each step that the chord of the moment has not, else 0. (S, 128).

    Args, as of `home.off_harmony`.
    """
    return along(chords, steps, _foreign)


def in_chord(chords: Sequence[tuple[int, int]], steps: int) -> Bools:
    """Which pitches the chord of each step has; none where there is no chord. (S, 128).

    Args, as of `home.off_harmony`.
    """
    found: Bools = along(chords, steps, _own) > 0
    return found


def fits_chord(
    others: Iterable[Sounding], chords: Sequence[tuple[int, int]], bar_start: int, steps: int
) -> Bools:
    """Which pitches the chord of each step has that clash with nothing foreign to it. (S, 128).

    Args, as of `clashing` and `home.off_harmony`.
    """
    own = in_chord(chords, steps)
    found: Bools = own & ~beside(_heard(others, bar_start, steps) & ~own)
    return found


def along(chords: Sequence[tuple[int, int]], steps: int, look: Callable[[int], Floats]) -> Floats:
    """What `look` gives for the chord of each step; for none, 0, before the first. (S, 128)."""
    found = np.empty((steps, PITCHES), dtype=np.float32)
    for (begin, chord), (end, _) in zip([(0, 0), *chords], [*chords, (steps, 0)], strict=True):
        found[max(begin, 0) : max(end, 0)] = look(chord)
    return found


def off_root(chords: Sequence[tuple[int, int]], steps: int) -> Floats:
    """1 for each pitch but the root in the first quarter of each chord, else 0. (S, 128).

    Args, as of `home.off_harmony`: of the first chord, which may have begun before,
    where the bar does.
    """
    found = np.zeros((steps, PITCHES), dtype=np.float32)
    for begin, value in chords:
        if chord := chord_of(value):
            first = max(begin, 0)
            found[first : first + v.STEPS_PER_QUARTER] = chord.root != PITCH_CLASSES
    return found


@cache
def _foreign(chord: int) -> Floats:
    """1 for each pitch that a chord has not, else 0; of one that has no notes 0. (128,)."""
    found = chord_of(chord)
    tones = found.pitch_classes if found else range(12)
    return (~np.isin(PITCH_CLASSES, list(tones))).astype(np.float32)


@cache
def _own(chord: int) -> Floats:
    """1 for each pitch that a chord has, else 0. (128,)."""
    found = chord_of(chord)
    tones = list(found.pitch_classes) if found else []
    return np.isin(PITCH_CLASSES, tones).astype(np.float32)


def parallels(
    before: Iterable[int], others: Iterable[int], pitches: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which new pitches would move the outer voices in parallel fifths or octaves. (N,).

    Args:
        before: all that sounded before the step.
        others: what sounds of other parts on it.
        pitches: (N,) that may begin on it.
    """
    was, now = sorted(before), sorted(others)
    if len(was) < 2 or not now or (was[-1] - was[0]) % 12 not in (0, 7):
        return np.zeros(len(pitches), dtype=np.bool_)
    low, high = np.minimum(pitches, now[0]), np.maximum(pitches, now[-1])
    same_way = (low - was[0]) * (high - was[-1]) > 0
    found: NDArray[np.bool_] = same_way & ((high - low) % 12 == (was[-1] - was[0]) % 12)
    return found
