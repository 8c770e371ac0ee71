"""Which pitches each instrument plays, in generated pieces and in works."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gen.evaluation.measures import interval
from gen.evaluation.measures.interval import Figure
from gen.evaluation.measures.notes import Ints
from gen.piece import Piece
from gen.smf import instrument_name


def ranges(generated: Sequence[Piece], works: Sequence[Piece]) -> list[dict[str, Any]]:
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
            "outside": _outside(ours.get(program, []), theirs.get(program, [])),
        }
        for program in sorted(ours.keys() | theirs.keys())
    ]


def _pitches_by_program(pieces: Sequence[Piece]) -> dict[int, list[Ints]]:
    """The pitches that each program plays, one array a piece."""
    found: dict[int, list[Ints]] = {}
    for piece in pieces:
        mine: dict[int, list[int]] = {}
        for track in piece.tracks:
            if track.notes and not track.is_drum:
                mine.setdefault(track.program, []).extend(n.pitch for n in track.notes)
        for program, pitches in mine.items():
            found.setdefault(program, []).append(np.array(pitches))
    return found


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


def _outside(ours: list[Ints], theirs: list[Ints]) -> Figure | None:
    if not ours or not theirs:
        return None
    lowest, highest = min(p.min() for p in theirs), max(p.max() for p in theirs)
    beyond = [np.count_nonzero((p < lowest) | (p > highest)) for p in ours]
    return interval.ratio(beyond, [len(p) for p in ours], within=interval.SHARE)
