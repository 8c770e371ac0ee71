"""Musical statistics of one piece.

Definitions (steps are the grid's, 12 a quarter; a beat is a quarter; drums left out unless said;
NaN where a piece does not define it):

- `pitch_class_entropy`: -Σ p log2 p over the 12 pitch classes, by number of notes. Bits.
- `scale_consistency`: largest share of notes in any major or natural minor scale.
- `groove_consistency`: 1 - mean Hamming distance between the onsets (yes or no at each step, all
  tracks, drums too) of neighbouring bars, over steps; for pieces of one meter only.
- `polyphony`: mean number of different pitches sounding, over steps where any does.
- `polyphony_rate`: share of steps with three pitches or more.
- `empty_beat_rate`: share of beats in which nothing sounds, drums too.
- `drum_pattern_consistency`: share of drum notes on sixteenths, or on triplet eighths, whichever
  is larger.
- `pitch_range`: highest less lowest pitch. Semitones.
- `note_density`: notes a quarter up to the last note-off, drums too.
- `intervals`: steps between successive notes of each track's line, in semitones up, at most 24.
- `durations`: of notes, in quarters, at most 8; `velocities`: of notes, drums too.
- `chords`: share of time under each chord, as semitones above the tonic and quality; `transitions`:
  each change of chord, as the two qualities and the root's motion.

Chords and keys are inferred from the notes (`gen.analysis`), of works as of generated pieces;
slash basses do not count.

Sources: Dong et al. 2020, "MusPy", whose values these are for the first eight on the same notes
(tested); after Wu & Yang 2020 (entropy, groove), Mogren 2016 (scale), Dong et al. 2018 (drums,
empty beats, polyphony rate). Deviations from MusPy: none in the values, its own turns included: a
note that ends on a beat fills that beat too, bars are counted to the last note-off and one
further, and "multiple pitches" means more than two. The grid is chosen here (MusPy takes a file's
ticks, on which groove consistency depends), and groove consistency is refused where the meter
changes, where MusPy leaves that to the caller.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gen.analysis import infer_chords, infer_key
from gen.evaluation.measures.contrast import entropy, shares
from gen.evaluation.measures.notes import (
    Floats,
    Ints,
    NoteTable,
    lines,
    pitches_sounding,
    tabulate,
)
from gen.harmony import QUALITIES, Chord, parse_progression
from gen.piece import Piece
from gen.tokens.vocabulary import STEPS_PER_QUARTER

WIDEST_INTERVAL = 24
LONGEST_QUARTERS = 8
_SCALES = np.array(
    [
        np.roll(np.isin(np.arange(12), scale), tonic)
        for scale in ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))
        for tonic in range(12)
    ]
)  # (24, 12)
QUALITY_NAMES = tuple(QUALITIES)


def pitch_class_entropy(table: NoteTable) -> float:
    """0 to log2 12 bits."""
    return float(entropy(_pitch_classes(table)))


def scale_consistency(table: NoteTable) -> float:
    """7/12 and less for chance, 1 for a diatonic piece."""
    classes = _pitch_classes(table)
    return float((_SCALES @ classes).max() / classes.sum()) if classes.sum() else math.nan


def _pitch_classes(table: NoteTable) -> Floats:
    return np.bincount(table.pitched.pitch % 12, minlength=12).astype(np.float64)


def groove_consistency(table: NoteTable) -> float:
    """0 to 1; NaN where the meter changes, is no whole number of steps, or a bar is all."""
    if len(set(table.meters)) != 1:
        return math.nan
    numerator, denominator = table.meters[0]
    steps, rest = divmod(4 * STEPS_PER_QUARTER * numerator, denominator)
    bars = table.length // steps + 1 if steps else 0
    if rest or bars < 2:
        return math.nan
    grooves = np.zeros((bars, steps), dtype=bool)
    grooves[np.divmod(table.onset, steps)] = True
    return 1 - float((grooves[1:] != grooves[:-1]).mean())


def polyphony(table: NoteTable) -> float:
    """1 and more."""
    return _polyphony(pitches_sounding(table).sum(axis=1))


def polyphony_rate(table: NoteTable) -> float:
    """0 to 1."""
    return _polyphony_rate(pitches_sounding(table).sum(axis=1))


def _polyphony(voices: Ints) -> float:
    return float(voices.sum() / np.count_nonzero(voices)) if voices.any() else math.nan


def _polyphony_rate(voices: Ints) -> float:
    return float((voices > 2).mean()) if len(voices) else math.nan


def empty_beat_rate(table: NoteTable) -> float:
    """0 to 1."""
    if not table.length:
        return math.nan
    beats = table.length // STEPS_PER_QUARTER + 1
    edges = np.zeros(beats + 1, dtype=np.int64)
    np.add.at(edges, table.onset // STEPS_PER_QUARTER, 1)
    np.subtract.at(edges, table.end // STEPS_PER_QUARTER + 1, 1)
    return float((edges.cumsum()[:-1] == 0).mean())


def drum_pattern_consistency(table: NoteTable) -> float:
    """0 to 1."""
    steps = table.onset[table.drums] % STEPS_PER_QUARTER
    if not len(steps):
        return math.nan
    return float(max((steps % (STEPS_PER_QUARTER // parts) == 0).mean() for parts in (4, 3)))


def pitch_range(table: NoteTable) -> float:
    """Semitones."""
    pitches = table.pitched.pitch
    return float(pitches.max() - pitches.min()) if len(pitches) else math.nan


def note_density(table: NoteTable) -> float:
    """Notes a quarter."""
    return len(table.onset) * STEPS_PER_QUARTER / table.length if table.length else math.nan


def intervals(table: NoteTable) -> Floats:
    """Shares of the intervals -24 … 24; (49,)."""
    line = lines(table)
    leaps = np.diff(line.pitch)[np.diff(line.track) == 0]
    leaps = np.clip(leaps, -WIDEST_INTERVAL, WIDEST_INTERVAL) + WIDEST_INTERVAL
    return shares(np.bincount(leaps, minlength=2 * WIDEST_INTERVAL + 1))


def durations(table: NoteTable) -> Floats:
    """Shares of the durations of 1 … 96 steps; (96,)."""
    longest = LONGEST_QUARTERS * STEPS_PER_QUARTER
    notes = table.pitched
    lasting = np.minimum(notes.end - notes.onset, longest)
    return shares(np.bincount(lasting, minlength=longest + 1)[1:])


def velocities(table: NoteTable) -> Floats:
    """Shares of the velocities 1 … 127; (127,)."""
    return shares(np.bincount(table.velocity, minlength=128)[1:])


def chords(piece: Piece) -> tuple[Floats, Floats]:
    """Shares of time under each chord, and of the changes between chords.

    Returns:
        (12 * Q,) by root above the tonic, then quality; (Q * 12 * Q,) by quality, motion of the
        root, quality. Q qualities, as in `gen.harmony.QUALITIES`.
    """
    tonic = infer_key(piece)[0].tonic
    named = infer_chords(piece)
    bars = parse_progression(named) if named else []
    size = len(QUALITY_NAMES)
    times, changes = np.zeros(12 * size), np.zeros((size, 12, size))
    before: Chord | None = None
    for chord, share in ((c, 1 / len(bar)) for bar in bars for c in bar):
        if chord is not None:
            quality = QUALITY_NAMES.index(chord.quality)
            times[(chord.root - tonic) % 12 * size + quality] += share
            if before and (before.root, before.quality) != (chord.root, chord.quality):
                motion = (chord.root - before.root) % 12
                changes[QUALITY_NAMES.index(before.quality), motion, quality] += 1
        before = chord
    return shares(times), shares(changes.ravel())


def measured(piece: Piece) -> dict[str, Any]:
    """Every statistic of one piece by its name in `FEATURES`."""
    table = tabulate(piece)
    voices = pitches_sounding(table).sum(axis=1)
    times, changes = chords(piece)
    return {
        "pitch_class_entropy": pitch_class_entropy(table),
        "scale_consistency": scale_consistency(table),
        "groove_consistency": groove_consistency(table),
        "polyphony": _polyphony(voices),
        "polyphony_rate": _polyphony_rate(voices),
        "empty_beat_rate": empty_beat_rate(table),
        "drum_pattern_consistency": drum_pattern_consistency(table),
        "pitch_range": pitch_range(table),
        "note_density": note_density(table),
        "intervals": intervals(table),
        "durations": durations(table),
        "velocities": velocities(table),
        "chords": times,
        "transitions": changes,
    }
