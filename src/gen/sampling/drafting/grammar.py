"""What may come next: masks that follow from the plan, the state and its terms.

Pure functions: to compute a mask changes nothing. A mask says of each id of a field whether a
row may have it, given the fields before; of notes and pedals `open_cell` says it. V ids of the
field.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from gen.harmony import GENRES
from gen.piece import DRUM_PROGRAM, ROLES
from gen.sampling.drafting import open_cell
from gen.sampling.drafting.masks import TIMINGS, Mask, legal, span, steps_mask
from gen.sampling.drafting.state import KINDS, State
from gen.sampling.planning.plan import Close, Plan, Row, compass_of, steps_of
from gen.smf.general_midi import RANGES
from gen.tokens import timing
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import SPANS, WORDS, Kind

CLOSING_BARS: Final = 8
"""The last bars, in which a steered piece gets no faster."""

MOST_RITARDANDO: Final = 9
"""Steps of 1/24 octave that its tempo may sink by then: to 77 % of the first, as in the works."""

FEWEST_BARS_TO_CLOSE: Final = 4
"""A shorter piece is a fragment and need not come to an end."""

SHORT_BAR: Final = 3 * v.STEPS_PER_QUARTER
"""Grid steps of a bar that is too short for a last chord."""

_DRUMS: Final = WORDS.role.id(ROLES.index("drums"))


def allowed(plan: Plan, state: State, field: int, row: Row) -> Mask:
    """Which ids a field after KIND may take, given the fields of `row` before it. (V,)."""
    kind = KINDS[row[v.KIND]]
    if field == v.POSITION:
        return _positions(state, kind)
    if field == v.VALUE:
        return _values(plan, state, kind, row)
    if field == v.EXTENT:
        return _extents(plan, state, kind, row)
    if field > v.LEVEL:
        return _timings(plan, state, field, row)
    if kind == Kind.NOTE and (note := open_cell.next_of_pattern(state)) and note.level:
        softest, loudest = map(WORDS.velocity.id, plan.velocities)
        return span(v.FIELD_SIZES[v.LEVEL], min(max(note.level, softest), loudest))
    return _velocities(*plan.velocities) if kind == Kind.NOTE else legal(3, kind)


# Kinds ----------------------------------------------------------------------------------


def bar_kinds(plan: Plan, state: State) -> Mask:
    """Which kinds may come next in a piece that is written bar by bar. (kinds,)."""
    mask = _bar_kinds(plan, state)
    if state.given_bars and not mask.any():  # what may be played rings on from before, to the end
        mask[Kind.EOS] = True
    return mask


def _bar_kinds(plan: Plan, state: State) -> Mask:
    terms = state.bar_terms
    mask = np.zeros(len(Kind), dtype=np.bool_)
    if _begins_anew(plan, state):
        mask[Kind.SECTION] = True
        return mask
    if state.bar < 0:
        is_missing = len(state.parts) < len(plan.ensemble)
        is_open = plan.tracks_open and len(state.parts) < v.MAX_TRACKS
        mask[Kind.TRACK] = is_missing or is_open
        mask[Kind.BAR] = bool(state.parts) and not is_missing
        return mask
    if state.slot >= 0:
        mask |= open_cell.kinds(state)
        if state.last == Kind.CELL or (open_cell.owes_notes(state) and mask[Kind.NOTE]):
            return mask
    elif state.tempo == 0:  # every piece begins with its tempo
        mask[Kind.TEMPO] = True
        mask[Kind.SECTION] = state.last == Kind.BAR and not plan.sections_given
        return mask
    else:
        mask = _before_cells(plan, state)
        if mask[Kind.CHORD] and _owes_a_chord(plan, state):
            return span(len(Kind), Kind.CHORD)
        if terms.chords:
            return mask
    mask[Kind.CELL] = bool(terms.next_slots)
    if not terms.owed:
        mask[Kind.BAR] = not is_last_bar(plan, state)
        mask[Kind.EOS] = _may_end(plan, state)
    return mask


def is_last_bar(plan: Plan, state: State) -> bool:
    """Whether no further bar may begin."""
    return state.bar + 1 >= plan.limit


def _before_cells(plan: Plan, state: State) -> Mask:
    """Between a BAR and its first cell: section, tempos, chords, in this order. (kinds,)."""
    mask = np.zeros(len(Kind), dtype=np.bool_)
    terms = state.bar_terms
    rank = {Kind.BAR: 0, Kind.SECTION: 1, Kind.TEMPO: 2, Kind.CHORD: 3}[state.last]
    room = state.position + 1 < state.bar_steps
    mask[Kind.SECTION] = rank == 0 and not plan.sections_given
    mask[Kind.TEMPO] = plan.tempo is None and (rank < 2 or (rank == 2 and room))
    if mask[Kind.TEMPO] and plan.steering:
        mask[Kind.TEMPO] = bool(_tempos(plan, state).any())
    if plan.rules.plans_closes and _is_close(plan, state):
        mask[Kind.TEMPO] = False  # decided beforehand
    mask[Kind.CHORD] = bool(terms.chords) or (not terms.chords_decided and (rank < 3 or room))
    return mask


def _owes_a_chord(plan: Plan, state: State) -> bool:
    """Whether a piece from nothing has none yet, or not that on which it ends.

    All begin with one by the fifth rules.
    """
    end = state.bar_terms.ending
    if end and state.chords and state.chords[-1][1] != end.chord:
        return True
    return plan.rules.begins_with_a_chord and not state.given_bars and not state.chords


def _may_end(plan: Plan, state: State) -> bool:
    """Only with a bar in which something sounds, and never while something goes on."""
    if state.sounds_until <= state.bar_start:
        return False
    if is_last_bar(plan, state) or plan.bars is not None:
        return is_last_bar(plan, state)
    all_heard = not any(part.is_silent for part in state.parts)
    return all_heard and state.lasts_until <= state.bar_start + state.bar_steps


# Positions ------------------------------------------------------------------------------


def _positions(state: State, kind: Kind) -> Mask:
    """Where in the bar a row may stand. (V,)."""
    if kind not in v.POSITIONED:
        return legal(0, kind)
    if kind in (Kind.NOTE, Kind.PEDAL):
        return open_cell.positions(state, kind)
    chords = state.bar_terms.chords
    if kind == Kind.CHORD and chords:
        return span(v.FIELD_SIZES[v.POSITION], chords[0][v.POSITION])
    if kind == state.last:
        return steps_mask(state.position + 1, state.bar_steps)
    begins_bar = kind == Kind.CHORD or (kind == Kind.TEMPO and state.bar == 0)
    return steps_mask(0, 1 if begins_bar else state.bar_steps)


# Values ---------------------------------------------------------------------------------


def _values(plan: Plan, state: State, kind: Kind, row: Row) -> Mask:
    if kind == Kind.NOTE:
        return open_cell.values(state, row)
    if kind in (Kind.CELL, Kind.FILL):
        mask = np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.bool_)
        mask[[WORDS.slot.id(slot) for slot in state.bar_terms.next_slots]] = True
        return mask
    if kind == Kind.BAR:
        return _signatures(plan, state)
    if kind == Kind.CHORD:
        return _chords(state)
    if kind == Kind.TRACK:
        return _instruments(plan, state)
    mask = legal(1, kind)
    if kind == Kind.TEMPO and state.tempo:
        mask = _tempos(plan, state)
    elif kind == Kind.SECTION and _begins_anew(plan, state):
        mask = np.zeros_like(mask)
        mask[list(plan.next_sections)] = True
    return mask


def _tempos(plan: Plan, state: State) -> Mask:
    """Another than the one in force; towards the end a slower one, but not by much."""
    mask = legal(1, Kind.TEMPO).copy()
    mask[state.tempo] = False  # a change changes something
    if plan.steering and _is_close(plan, state):
        mask[state.tempo :] = False
        mask[: max(state.first_tempo - MOST_RITARDANDO, 0)] = False
    return mask


def _is_close(plan: Plan, state: State) -> bool:
    return plan.bars is not None and state.bar >= plan.bars - CLOSING_BARS


def _begins_anew(plan: Plan, state: State) -> bool:
    """Whether a section has to begin here, with which a piece goes on."""
    first = state.bar == state.given_bars and state.last == Kind.BAR
    return first and bool(plan.next_sections)


def _chords(state: State) -> Mask:
    """The one that is decided, those that a piece may end on, or any."""
    terms = state.bar_terms
    if terms.chords:
        return span(v.FIELD_SIZES[v.VALUE], terms.chords[0][v.VALUE])
    if not terms.chord_choices:
        return legal(1, Kind.CHORD)
    mask = np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.bool_)
    mask[list(terms.chord_choices)] = True
    return mask


def _instruments(plan: Plan, state: State) -> Mask:
    """Those that can play in the range, and of them those that the genre's works have, if any."""
    if len(state.parts) < len(plan.ensemble):
        return span(v.FIELD_SIZES[v.VALUE], plan.ensemble[len(state.parts)])
    mask = legal(1, Kind.TRACK).copy()
    for program in RANGES:
        low, high = compass_of(program, plan.pitches)
        mask[WORDS.program.id(program)] = low <= high
    genre = GENRES[WORDS.genre.number(state.genre)] if state.genre else ""
    usual = np.zeros_like(mask)
    usual[[WORDS.program.id(n) for n in plan.habits.instruments.get(genre, ())]] = True
    usual &= mask
    return usual if usual.any() else mask


def _signatures(plan: Plan, state: State) -> Mask:
    """The one that was asked for or chosen, else those whose bars hold what still sounds."""
    kept = plan.time_signature
    if kept is None and not plan.meter_changes and state.bar_rows:
        kept = state.rows[state.bar_rows[-1]][v.VALUE]
    if kept is not None:
        return span(v.FIELD_SIZES[v.VALUE], kept)
    mask = np.zeros(v.FIELD_SIZES[v.VALUE], dtype=np.bool_)
    begin = state.bar_start + state.bar_steps
    bars = plan.limit - state.bar - 1
    mask[SPANS["time_signature"]] = begin + bars * v.BAR_STEPS >= state.lasts_until
    return mask


# Extents --------------------------------------------------------------------------------


def _extents(plan: Plan, state: State, kind: Kind, row: Row) -> Mask:
    if kind in (Kind.NOTE, Kind.PEDAL):
        return open_cell.lengths_left(state, row)
    if kind in (Kind.CELL, Kind.FILL):
        slot = WORDS.slot.number(row[v.VALUE])
        decided = state.bar_terms.densities.get(slot)
        return densities(plan, slot, state.bar) if decided is None else decided
    return _roles(plan, row) if kind == Kind.TRACK else legal(2, kind)


def _roles(plan: Plan, row: Row) -> Mask:
    """Of a track that is drawn: by the fifth rules one, and drums those of drums. (V,)."""
    mask = legal(2, Kind.TRACK).copy()
    if plan.rules.gives_roles:
        is_drum = row[v.VALUE] == WORDS.program.id(DRUM_PROGRAM)
        mask[0] = False
        drums = np.arange(len(mask)) == _DRUMS
        mask &= drums if is_drum else ~drums
    return mask


def densities(plan: Plan, slot: int, bar: int | None = None) -> Mask:
    """Density is given only where it is asked for. (V,)."""
    size = v.FIELD_SIZES[v.EXTENT]
    asked = plan.densities_of(slot, bar)
    if asked is None:
        return span(size, 0)
    return span(size, WORDS.density.id(asked[0]), WORDS.density.id(asked[1]))


@cache
def _velocities(low: int, high: int) -> Mask:
    """Velocities of these classes, both included. (V,)."""
    return span(v.FIELD_SIZES[v.LEVEL], WORDS.velocity.id(low), WORDS.velocity.id(high))


# Timing ---------------------------------------------------------------------------------


def _timings(plan: Plan, state: State, field: int, row: Row) -> Mask:
    """What a player does beside the grid; nothing in music that stays on it. (V,)."""
    kind, number = KINDS[row[v.KIND]], field - timing.ONSET
    if plan.timing != timing.PLAYED or kind not in timing.TIMED:
        return span(timing.FIELD_SIZES[field], 0)
    if kind == Kind.NOTE and (note := open_cell.next_of_pattern(state)) and note.timing:
        return span(timing.FIELD_SIZES[field], note.timing[number])
    mask = TIMINGS[number][kind]
    return _touches(plan, row, mask) if field == timing.TOUCH and kind == Kind.NOTE else mask


def _touches(plan: Plan, row: Row, mask: Mask) -> Mask:
    """Of these touches those that leave a note as soft and as loud as is asked. (V,)."""
    none, (softest, loudest) = timing.zero(timing.TOUCH), plan.velocities
    velocity, found = WORDS.velocity.number(row[v.LEVEL]), mask.copy()
    if velocity <= softest:
        found[:none] = False
    if velocity >= loudest:
        found[none + 1 :] = False
    return found


def last_step(plan: Plan, state: State) -> int:
    """Grid step at which the last bar ends, if the meter stays.

    By the sixth rules, of what is written before the bar of the last chord, its first.
    """
    following = state.bar_steps
    if plan.time_signature is not None:
        following = steps_of(plan.time_signature)
    to_come = plan.limit - state.bar - 1
    if plan.rules.closes_with_one_chord and comes_to_close(plan, state):
        before = bars_to_close(plan, state)
        to_come = before - 1 if before > 0 else to_come
    return state.bar_start + state.bar_steps + to_come * following


def comes_to_close(plan: Plan, state: State) -> bool:
    """Whether the music that is written has a bar in which it closes."""
    return plan.bars is not None and plan.limit - state.given_bars >= FEWEST_BARS_TO_CLOSE


def bars_to_close(plan: Plan, state: State) -> int:
    """How many bars after this one the last chord is struck; -1 in a bar in which it rings on."""
    return plan.limit - 1 - state.bar - rings_on(plan, state)


def rings_on(plan: Plan, state: State) -> bool:
    """Whether the last chord rings for two bars.

    So it does by the eighth rules, as in all works, where bars have three quarters or fewer.
    """
    return (
        plan.close in (Close.STRUCK, Close.SPREAD)
        and state.bar_steps <= SHORT_BAR
        and not (plan.chords_given or plan.meter_changes)
        and any(part.program != DRUM_PROGRAM for part in state.parts)
    )
