"""How far generated pieces are from works in each musical statistic.

Definition: the statistics of `one_piece`, set against set as `contrast` has it; besides, the
pitches of each instrument (`ranges`: its lowest and highest, and where 90 % of its notes lie), and
what share of its chords and of its chord changes a piece has to itself.

Formula and source: in `one_piece` and `contrast`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from gen.evaluation import interval
from gen.evaluation.interval import Figure
from gen.evaluation.metrics.contrast import SIDES, contrast
from gen.evaluation.metrics.one_piece import (
    LONGEST_QUARTERS,
    QUALITY_NAMES,
    WIDEST_INTERVAL,
    measured,
)
from gen.evaluation.metrics.table import Floats, Ints, counts, sounding
from gen.piece import Piece
from gen.smf import instrument_name
from gen.tokens.vocabulary import STEPS_PER_QUARTER

FEATURES: dict[str, tuple[str, Any]] = {
    "pitch_class_entropy": ("bits", None),
    "scale_consistency": ("share", None),
    "groove_consistency": ("share", None),
    "polyphony": ("pitches", None),
    "polyphony_rate": ("share", None),
    "empty_beat_rate": ("share", None),
    "drum_pattern_consistency": ("share", None),
    "pitch_range": ("semitones", None),
    "note_density": ("notes a quarter", None),
    "intervals": ("semitones", np.arange(-WIDEST_INTERVAL, WIDEST_INTERVAL + 1)),
    "durations": (
        "quarters",
        np.arange(1, LONGEST_QUARTERS * STEPS_PER_QUARTER + 1) / STEPS_PER_QUARTER,
    ),
    "velocities": ("velocity", np.arange(1, 128)),
    "chords": ("share of time", None),
    "transitions": ("share of changes", None),
}
"""Unit of each statistic, and the values that a distribution is over (None: names, or a number)."""

WORTH = {"intervals": np.abs(np.arange(-WIDEST_INTERVAL, WIDEST_INTERVAL + 1))}
"""A leap down counts as one up in a piece's mean interval."""


def compare(
    generated: Sequence[Piece], reference: Sequence[Piece], train: Sequence[Piece], rng: Generator
) -> dict[str, Any]:
    """All statistics of generated pieces against works.

    Args:
        generated: what a model wrote.
        reference: works it never saw.
        train: works it learned from.
        rng: draws pieces, for the intervals.

    Returns:
        `counts`; `features`: for each statistic its `unit`, what `contrast` returns and, of a
        distribution, its mean in each set (`values`, `histogram`); `ranges` by instrument;
        `new_chords` and `new_transitions`: mean share of what a piece uses that no work has.

    Raises:
        HouseError: a set has no piece with notes.
    """
    given = dict(zip(SIDES, (generated, reference, train), strict=True))
    kept = {name: sounding(pieces, called=name) for name, pieces in given.items()}
    found = {name: [measured(piece) for piece in pieces] for name, pieces in kept.items()}
    rows = {name: [np.array([f[name] for f in found[side]]) for side in SIDES] for name in FEATURES}
    return {
        "counts": counts(**given),
        "features": {name: _feature(name, sets, rng) for name, sets in rows.items()},
        "ranges": ranges(kept["generated"], kept["reference"] + kept["train"], rng),
        "new_chords": _new(rows["chords"], rng),
        "new_transitions": _new(rows["transitions"], rng),
    }


def _feature(name: str, sets: list[Floats], rng: Generator) -> dict[str, Any]:
    unit, support = FEATURES[name]
    if sets[0].ndim == 1:
        return {"unit": unit, **contrast(sets, rng)}
    labels = support
    if support is None:  # names that nobody uses are left out
        used = np.nansum(np.concatenate(sets), axis=0) > 0
        labels, sets = _labels(name)[used], [rows[:, used] for rows in sets]
    means = (rows[np.isfinite(rows).all(axis=1)] for rows in sets)
    return {
        "unit": unit,
        **contrast(sets, rng, support=support, worth=WORTH.get(name)),
        "values": labels.tolist(),
        "histogram": {
            side: mean.mean(axis=0).tolist() if len(mean) else None
            for side, mean in zip(SIDES, means, strict=True)
        },
    }


def _labels(name: str) -> Any:
    """What chords and changes are called, (K,) of text: in C major `7 maj` is G."""
    if name == "chords":
        return np.array([f"{root} {q}" for root in range(12) for q in QUALITY_NAMES])
    return np.array(
        [f"{a} +{motion} {b}" for a in QUALITY_NAMES for motion in range(12) for b in QUALITY_NAMES]
    )


def _new(sets: list[Floats], rng: Generator) -> dict[str, Figure]:
    """Mean share of what generated pieces use that no work has, and of what works held out use
    that none learned from has (`real`).
    """
    generated, reference, train = sets
    in_train = np.nansum(train, axis=0) > 0
    in_works = in_train | (np.nansum(reference, axis=0) > 0)
    return {
        "generated": interval.mean(generated @ ~in_works, rng),
        "real": interval.mean(reference @ ~in_train, rng),
    }


def ranges(
    generated: Sequence[Piece], works: Sequence[Piece], rng: Generator
) -> list[dict[str, Any]]:
    """Pitches of each instrument, drums left out, in generated pieces and in works.

    Returns:
        One row an instrument, by program: `instrument`, and of either side `pieces` that use it,
        `notes`, `lowest` and `highest` pitch, `low` and `high` (5 % and 95 % of its notes);
        `outside`: share of generated notes beyond the works' lowest and highest, None where only
        one side uses it.
    """
    ours, theirs = (_pitches_by_program(pieces) for pieces in (generated, works))
    return [
        {
            "instrument": instrument_name(program),
            "generated": _range(ours.get(program, [])),
            "works": _range(theirs.get(program, [])),
            "outside": _outside(ours.get(program, []), theirs.get(program, []), rng),
        }
        for program in sorted(ours.keys() | theirs.keys())
    ]


def _pitches_by_program(pieces: Sequence[Piece]) -> dict[int, list[Ints]]:
    """The pitches that each program plays, one array a piece."""
    heard: dict[int, list[Ints]] = {}
    for piece in pieces:
        mine: dict[int, list[int]] = {}
        for track in piece.tracks:
            if track.notes and not track.is_drum:
                mine.setdefault(track.program, []).extend(n.pitch for n in track.notes)
        for program, pitches in mine.items():
            heard.setdefault(program, []).append(np.array(pitches))
    return heard


def _range(pitches: list[Ints]) -> dict[str, Any]:
    if not pitches:
        return {"pieces": 0, "notes": 0}
    together = np.concatenate(pitches)
    low, high = np.quantile(together, [0.05, 0.95])
    return {
        "pieces": len(pitches),
        "notes": len(together),
        "lowest": int(together.min()),
        "highest": int(together.max()),
        "low": float(low),
        "high": float(high),
    }


def _outside(ours: list[Ints], theirs: list[Ints], rng: Generator) -> Figure | None:
    if not ours or not theirs:
        return None
    lowest, highest = min(p.min() for p in theirs), max(p.max() for p in theirs)
    beyond = [np.count_nonzero((p < lowest) | (p > highest)) for p in ours]
    return interval.ratio(beyond, [len(p) for p in ours], rng)
