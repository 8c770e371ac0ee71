"""How much of each control a piece has, whatever was asked of it.

A receipt says of a control whether it was met (`gen.sampling.obedience`), with allowances; pieces
that were asked for other things are compared by how much of it there is. A chord fits by one rule.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from gen import harmony
from gen.analysis import infer_key, infer_roles
from gen.analysis.key import note_table
from gen.piece import Piece
from gen.sampling.obedience import in_common
from gen.sampling.planning.controls import Controls
from gen.tokens import vocabulary as v
from gen.tokens.events import Events
from gen.tokens.reading import decode
from gen.tokens.vocabulary import Kind


def shares(events: Events, music: Piece, asked: Controls) -> dict[str, float]:
    """How much of each control the notes alone have, each in [0, 1]; NaN where nothing tells.

    Args:
        events: what was written.
        music: the same as music, without the key and the names that `finish.finished` writes.
        asked: of what.
    """
    table = note_table(music)
    pitch, lasting = table[:, 2], (table[:, 1] - table[:, 0]).astype(np.float64)
    velocity = note_table(music, drums=True)[:, 3]
    found = {
        "roles": _roles_met(decode(events), asked.roles),
        "pitches": _share_within(pitch, asked.pitch_range),
        "velocity_range": _share_within(velocity, asked.velocity_range),
        "chords": chord_fit(music, asked.chords) if asked.chords else math.nan,
        "density": _density_met(events, asked),
    }
    if len(table) and asked.key:
        key = harmony.parse_key(asked.key)
        inferred, _ = infer_key(music)
        inside = np.isin(pitch % 12, key.scale)
        low, high = asked.pitch_range
        found["key"] = float((inferred.tonic, inferred.is_minor) == (key.tonic, key.is_minor))
        found["scale"] = float(lasting[inside].sum() / lasting.sum())
        found["pitch_range"] = float(low <= pitch.mean() <= high)
    return found


def _share_within(values: NDArray[np.int64], bounds: tuple[int, ...]) -> float:
    low, high = bounds
    return float(((low <= values) & (values <= high)).mean()) if len(values) else math.nan


def _roles_met(music: Piece, roles: tuple[str, ...]) -> float:
    """Share of the asked tracks that do what was asked; one that never plays does not."""
    if not roles:
        return math.nan
    plays = [bool(track.notes) for track in music.tracks]
    music.tracks = [track for track in music.tracks if track.notes]
    inferred = iter(infer_roles(music))
    found = [next(inferred) if sounds else None for sounds in plays]
    return float(np.mean([one == other for one, other in itertools.zip_longest(roles, found)]))


def _density_met(events: Events, asked: Controls) -> float:
    """Share of the cells with notes whose density lies in the asked classes."""
    cells = events.rows_of(Kind.CELL)
    notes = np.bincount(events.cell[events.rows_of(Kind.NOTE)], minlength=len(events))[cells]
    quarters = events.bar_steps[events.bar[cells]] / v.STEPS_PER_QUARTER
    classes = np.searchsorted(v.DENSITIES, notes[notes > 0] / quarters[notes > 0])
    ((low, high),) = asked.densities(1) or ((0, len(v.DENSITIES)),)
    return float(((low <= classes) & (classes <= high)).mean()) if len(classes) else math.nan


def chord_fit(music: Piece, chords: str) -> float:
    """Share of the melodic notes' time that belongs to the chord of its moment.

    Args:
        music: a piece.
        chords: bar by bar; begins again when it is through. Nothing is asked of NC.
    """
    progression, table = harmony.parse_progression(chords), note_table(music)
    starts, ends, asked = [], [], []
    for number, (start, signature) in enumerate(music.bar_starts()):
        bar = progression[number % len(progression)]
        length = music.bar_ticks(signature)
        for place, chord in enumerate(bar):
            if chord is not None:
                starts.append(start + place * length // len(bar))
                ends.append(start + (place + 1) * length // len(bar))
                asked.append(chord)
    if not starts or not len(table):
        return math.nan
    both, fits = in_common(table, np.array(starts), np.array(ends), asked)
    return float((both * fits).sum() / both.sum()) if both.sum() else math.nan
