"""What may come next in the open cell: its notes and pedals.

Pure functions of the state and its terms, as `grammar`, which asks them. V ids of the field.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gen.sampling.drafting.masks import Mask, legal, lengths, span, steps_mask
from gen.sampling.drafting.state import PatternNote, State
from gen.sampling.planning.plan import Row
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind

CLOSENESS: Final = 0.75
"""Notes that a cell owes stand at least so close, in shares of an even spacing."""


def kinds(state: State) -> Mask:
    """Whether a NOTE or PEDAL may come next. (kinds,)."""
    mask = np.zeros(len(Kind), dtype=np.bool_)
    terms, stop = state.cell_terms, state.bar_terms.onset_stop
    if terms.is_over:
        return mask
    if terms.pattern:
        mask[Kind.NOTE] = next_of_pattern(state) is not None
        return mask
    mask[Kind.NOTE] = state.cell_notes < terms.most and _first_note(state) < stop
    mask[Kind.PEDAL] = _first_pedal(state) < stop
    if terms.struck or terms.keeps_room or terms.spacing > 1:
        for kind in (Kind.NOTE, Kind.PEDAL):
            mask[kind] = mask[kind] and bool(positions(state, kind).any())
    return mask


def owes_notes(state: State) -> bool:
    """Whether the cell may not be left yet."""
    return state.cell_notes < state.cell_terms.owed


# Positions ------------------------------------------------------------------------------


def positions(state: State, kind: Kind, onset_stop: int | None = None) -> Mask:
    """Where in the bar a NOTE or PEDAL may begin. (V,).

    Args:
        state: where the piece stands.
        kind: of the row.
        onset_stop: the first step where none may begin; by default the bar's own.
    """
    stop = state.bar_terms.onset_stop if onset_stop is None else onset_stop
    if kind == Kind.PEDAL:
        return _pedal_positions(state, stop)
    if not state.cell_terms.pattern:
        return _note_positions(state, stop)
    note = next_of_pattern(state)
    return span(v.FIELD_SIZES[v.POSITION], note.position) if note else legal(0, Kind.PAD)


def _note_positions(state: State, stop: int) -> Mask:
    first = _first_note(state)
    mask = steps_mask(first, max(first + 1, min(stop, _latest_note(state) + 1)))
    if state.cell_terms.spacing > 1 and state.cell_notes:
        mask = _spaced(mask, state)
    if state.cell_terms.struck:
        for place in np.flatnonzero(mask):
            mask[place] = pitches(state, WORDS.position.number(int(place))).any()
    return mask


def _spaced(mask: Mask, state: State) -> Mask:
    """Without the steps that follow the cell's latest note too soon. (V,)."""
    latest = next(row for row in reversed(state.rows) if row[v.KIND] == Kind.NOTE)[v.POSITION]
    found = mask.copy()
    found[latest + 1 : latest + state.cell_terms.spacing] = False
    return found


def _pedal_positions(state: State, stop: int) -> Mask:
    terms = state.cell_terms
    mask = steps_mask(_first_pedal(state), stop)
    if 0 in terms.struck:
        mask[WORDS.position.id(max(terms.struck[0] - state.bar_start, 0)) :] = False
    if terms.keeps_room and owes_notes(state):
        mask &= _note_positions(state, stop)
    return mask


def _first_pedal(state: State) -> int:
    """First step where the pedal may be pressed: released, and before its step's notes."""
    first = state.position + 1 if state.last in (Kind.NOTE, Kind.PEDAL) else 0
    return max(first, state.part.pedal_end - state.bar_start)


def _first_note(state: State) -> int:
    """First step where another note may begin; the bar's length or more if there is none."""
    terms = state.cell_terms
    first = state.position if _chord_goes_on(state) else state.position + terms.spacing
    if terms.ringing + state.cell_notes < terms.width:
        return first
    return max(first, first_free(state, state.slot, terms.palette))


def first_free(state: State, slot: int, palette: Mask) -> int:
    """First step of this bar where not all pitches of a palette sound in a track."""
    return max(0, int(state.parts[slot].ends[palette].min()) - state.bar_start)


def _chord_goes_on(state: State) -> bool:
    """Whether another note may begin on the step of the last one."""
    if state.last != Kind.NOTE:
        return True
    if state.at_once >= state.cell_terms.at_once:
        return False
    return bool(np.count_nonzero(pitches(state, state.position)))


def _latest_note(state: State) -> int:
    """Last step for the next note that leaves room for all those the cell still owes.

    They need not be even: as close as `CLOSENESS` of that will do.
    """
    fewest = state.cell_terms.spaced
    if state.cell_notes >= fewest:
        return state.bar_steps
    spacing = CLOSENESS * state.bar_steps / fewest
    return int(state.bar_steps - (fewest - state.cell_notes) * spacing)


# Values and lengths ---------------------------------------------------------------------


def values(state: State, row: Row) -> Mask:
    """Pitches that a note may have, given its position. (V,)."""
    mask = pitches(state, WORDS.position.number(row[v.POSITION]))
    return _below_the_next(_along_contour(mask, state), state) if state.cell_terms.pattern else mask


def pitches(state: State, position: int) -> Mask:
    """Pitches that may begin at a step: ascending, and none that still sounds. (V,)."""
    terms = state.cell_terms
    mask: Mask = state.part.ends <= state.bar_start + position
    mask &= terms.palette
    if state.last == Kind.NOTE and position == state.position:
        mask[: state.pitch_id + 1] = False
    for value, step in terms.struck.items():
        if step <= state.bar_start + position:
            mask[value] = False
    return _over_slash(mask, state, position) if terms.basses else mask


def next_of_pattern(state: State) -> PatternNote | None:
    """The next note of the cell's pattern for which a pitch is free; None where none is left."""
    for note in state.cell_terms.pattern[state.patterned :]:
        if pitches(state, WORDS.position.number(note.position)).any():
            return note
    return None


def _along_contour(mask: Mask, state: State) -> Mask:
    """Of these pitches those that lie as the pattern goes; all where none does."""
    note = next_of_pattern(state)
    if note is None or note.direction is None or not state.cell_notes:
        return mask
    asked = mask.copy()
    if note.direction >= 0:
        asked[: state.pitch_id + (note.direction > 0)] = False
    if note.direction <= 0:
        asked[state.pitch_id + (note.direction == 0) :] = False
    return asked if asked.any() else mask


def _below_the_next(mask: Mask, state: State) -> Mask:
    """Of these pitches those that leave as many above them as the next of the pattern needs."""
    note = next_of_pattern(state)
    if note is None or not note.room:
        return mask
    asked, found = mask.copy(), np.flatnonzero(mask)
    asked[found[max(len(found) - note.room, 1) :]] = False
    return asked


def _over_slash(mask: Mask, state: State, position: int) -> Mask:
    """Of these pitches those that a slash chord asks for at a step.

    Where all of them sound still the others are left, but not to a second note on the step.
    """
    basses = reversed(state.cell_terms.basses)
    bass = next((ids for first, ids in basses if first <= position), None)
    if bass is None:
        return mask
    is_second = state.last == Kind.NOTE and position == state.position
    asked: Mask = mask & bass
    return asked if asked.any() or is_second else mask


def lengths_left(state: State, row: Row) -> Mask:
    """How long a note or pedal may last, given its position and pitch. (V,)."""
    reach = state.cell_terms.reach
    reach = min(state.cell_terms.struck.get(row[v.VALUE], reach), reach)
    mask = lengths(reach - state.bar_start - WORDS.position.number(row[v.POSITION]))
    if state.bar_terms.is_struck and row[v.VALUE] < WORDS.pitch.stop:
        if state.bar_terms.rings:
            mask = mask & lengths(state.bar_terms.rings)
        return span(len(mask), int(np.flatnonzero(mask)[-1]))  # as long as it may
    note = next_of_pattern(state)
    return span(len(mask), min(note.extent, int(np.flatnonzero(mask)[-1]))) if note else mask
