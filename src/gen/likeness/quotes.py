"""Shared passages as people read them: track, bars, note names, here and there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gen.likeness.alignment import Stretch
from gen.likeness.passages import SharedRun
from gen.likeness.report import Passage
from gen.likeness.voices import Voice
from gen.smf import note_name

_STEP_SEMITONES = 2
_TUNE_STEPS_SHARE = 0.25
_NOTES_SHOWN = 24


def passage_of(ours: Voice, theirs: Voice, run: SharedRun, bits: float = 0.0) -> Passage:
    """A run of a new voice and a known one, in words."""
    return Passage(
        ours=_spell(ours, run.our_first, run.intervals),
        theirs=_spell(theirs, run.their_first, run.intervals),
        notes=run.intervals + 1,
        bits=round(bits),
        is_leading=is_somebodys(ours, theirs),
        is_tune=is_tune(ours, theirs, run),
    )


def passage_of_stretch(ours: Voice, theirs: Voice, found: Stretch, form: str = "") -> Passage:
    """A stretch of a part and a known line, in words; `form` is how the new piece was turned."""
    edges = np.searchsorted(ours.onsets, found.our_onsets, side="right") - 1
    moves = found.ours[np.diff(found.ours, prepend=-1) != 0]
    here = _words(ours.label, ours.bars[np.maximum(edges, 0)], moves)
    leads = is_somebodys(ours, theirs)
    return Passage(
        ours=f"the piece {form}" if form else here,
        theirs=_spell(theirs, found.first, found.last - found.first),
        notes=found.notes,
        bits=round(found.bits),
        is_leading=leads,
        is_tune=leads and moves_by_steps(theirs.pitches[found.first : found.last + 1]),
        form=form,
    )


def is_somebodys(ours: Voice, theirs: Voice) -> bool:
    """Whether one of two lines is a work's own rather than an accompaniment."""
    return ours.is_leading or theirs.is_leading


def is_tune(ours: Voice, theirs: Voice, run: SharedRun) -> bool:
    """Whether a run is somebody's own line: a leading voice that moves by steps too."""
    line = ours.pitches[run.our_first : run.our_first + run.intervals + 1]
    return is_somebodys(ours, theirs) and moves_by_steps(line)


def moves_by_steps(line: NDArray[np.int16]) -> bool:
    """Whether a quarter of its moves are no wider than a whole tone: broken chords leap."""
    narrow = np.abs(np.diff(line)) <= _STEP_SEMITONES
    return bool(narrow.any() and narrow.mean() >= _TUNE_STEPS_SHARE)


def _spell(voice: Voice, first: int, intervals: int) -> str:
    """A run as people read it: track, bars, note names."""
    notes = voice.pitches[first : first + intervals + 1]
    bars = voice.bars[first : first + intervals + 1]
    if not bars.any():
        steps = " ".join(f"{step:+d}" for step in np.diff(notes)[:_NOTES_SHOWN])
        return f"{voice.label}: {steps}{' …' if intervals > _NOTES_SHOWN else ''}"
    return _words(voice.label, bars, notes)


def _words(label: str, bars: NDArray[Any], notes: NDArray[Any]) -> str:
    names = " ".join(note_name(int(pitch)) for pitch in notes[:_NOTES_SHOWN])
    more = " …" if len(notes) > _NOTES_SHOWN else ""
    place = f"bar {bars[0]}" if bars[0] == bars[-1] else f"bars {bars[0]}-{bars[-1]}"
    return f"{label}, {place}: {names}{more}"
