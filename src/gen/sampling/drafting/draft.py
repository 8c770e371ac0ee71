"""A piece while it is written, row by row.

A `Draft` brings together what is asked (`plan`), where it stands (`state`), what may follow
(`grammar`), what is owed or forbidden (`policies`) and in which order its cells are written:
bar by bar here, hole by hole in `fill`. From nothing, going on after bars that are
there, or left off after some bars: these are plans, not kinds of drafts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np

from gen.marks.watermark import Trace
from gen.piece import DRUM_PROGRAM
from gen.sampling.drafting import grammar, open_cell, view
from gen.sampling.drafting.biases import FEWEST_BARS_TO_HEAR
from gen.sampling.drafting.closing import tempo_of
from gen.sampling.drafting.home import chord_bias, hold_of, homeward
from gen.sampling.drafting.last_chord import whole
from gen.sampling.drafting.masks import Mask
from gen.sampling.drafting.policies import Policies
from gen.sampling.drafting.state import CHORALE, KINDS, BarTerms, Held, State
from gen.sampling.drafting.steering import Floats, held_clashes
from gen.sampling.drafting.view import ContextColumns
from gen.sampling.drafting.voice_leading import against_parallels, onwards, unheard
from gen.sampling.planning.plan import Plan, Row, row_of
from gen.tokens import timing
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind


class Draft:
    """One piece that is being written.

    Args:
        plan: what is decided beforehand.
        seed: of what is decided by chance but not by the model: which cells of a section that
            comes back are as they were.
        order: in which its cells are written.

    Attributes:
        state: where it stands.
        context: the rows that the model has read, with context columns.
        forced: rows that are decided, and come before the model is asked again.
        done: whether it is finished.
        paused: whether the model has to read something else before it goes on.
        trace: the watermark that chooses with it; None where chance alone does.
        on_bar: called when a bar (in a given file: a cell) is whole; what it raises ends all.
    """

    def __init__(
        self, plan: Plan, seed: int | Sequence[int] = 0, order: Order | None = None
    ) -> None:
        self.plan = plan
        self.policies = Policies(seed)
        self.on_bar: Callable[[], None] = _nothing
        self.trace: Trace | None = None
        self.order = order or BarByBar()
        self.begin()

    @classmethod
    def continuing(
        cls, plan: Plan, held: Sequence[Iterable[Held]], seed: int | Sequence[int] = 0
    ) -> Draft:
        """The draft of a piece whose first bars are there already, and are played exactly.

        Args:
            plan: its header holds those bars too; meter and tempo are given.
            held: of each track, the notes and pedals that are there, on the grid.
            seed: see `Draft`.
        """
        assert plan.time_signature is not None  # noqa: S101 - a precondition
        draft = cls(plan, seed)
        while draft.forced:
            draft.take(draft.forced.popleft())
        state = draft.state
        for slot, track in enumerate(held):
            state.hold(track, slot)
        state.lasts_until = max(int(part.ends[1:].max()) for part in state.parts)
        state.sounds_until = 0  # what still rings is no music of the bars to come
        draft.forced.append(row_of(Kind.BAR, plan.time_signature))
        return draft

    def begin(self) -> None:
        """Stand before the first row."""
        self.state = State(self.plan)
        self.columns = ContextColumns()
        self.context: list[Row] = []
        self.forced: deque[Row] = deque(self.plan.header)
        self.done = self.paused = False

    @property
    def rows(self) -> list[Row]:
        """What is written so far; all of the piece once it is done."""
        return self.state.rows

    @property
    def rests(self) -> bool:
        """Whether no row may follow; `prompt` may end a rest, unless the draft is done."""
        return self.done or self.paused

    def prompt(self, context: int) -> list[Row]:
        """What the model reads before it goes on, with context columns; fewer than `context`."""
        return self.order.prompt(self, context)

    def kinds(self) -> Mask:
        """Which kinds may come next. (kinds,)."""
        return self.order.kinds(self.plan, self.state)

    def kind_scores(self, scores: Floats) -> Floats:
        """The model's scores of the kinds, read as scores of those that may come. (kinds,)."""
        return self.order.kind_scores(self.plan, self.state, scores)

    def allowed(self, field: int, row: Row) -> Mask:
        """Which ids a field of a row may take, given the fields before it. (V,)."""
        if field == v.KIND:
            return self.kinds()
        return grammar.allowed(self.plan, self.state, field, row)

    def bias(self, field: int, row: Row) -> Floats | None:
        """What is added to the model's scores of a field's first ids, given the fields before."""
        if field == v.EXTENT and row[v.KIND] == Kind.NOTE:
            return self._length_bias(row)
        if field != v.VALUE or not self.plan.steering:
            return None
        if row[v.KIND] == Kind.CHORD:
            return np.float32(self.plan.steering) * self._chord_bias(row)
        bias = self.state.cell_terms.bias
        if row[v.KIND] != Kind.NOTE or bias is None:
            return None
        at_step: Floats = bias[WORDS.position.number(row[v.POSITION])]
        if self.state.part.program == DRUM_PROGRAM:  # its biases are of drum sounds, too
            return at_step
        if self.plan.rules.avoids_parallels and self.state.genre == CHORALE:
            at_step = against_parallels(self.plan, self.state, row, at_step)
        if (line := onwards(self.plan, self.state, row)) is not None:
            at_step = at_step + np.float32(self.plan.steering) * line
        if self.state.bar_terms.is_struck:
            at_step = at_step + np.float32(self.plan.steering) * whole(self.state)
        if self.state.cell_terms.tones is not None:
            at_step = at_step + np.float32(self.plan.steering) * unheard(self.state, row)
        return at_step

    def _chord_bias(self, row: Row) -> Floats:
        """The bias of chords, in a bar's beginning against the one that holds already."""
        chords, begins = self.state.chords, row[v.POSITION] == WORDS.position.id(0)
        held = chords[-1][1] if chords and begins else 0
        hold = hold_of(self.plan.rules, scale=self.plan.scale)
        bias = chord_bias(self.state.key, hold, held)
        if self.plan.rules.hears_the_key and self.state.bar >= FEWEST_BARS_TO_HEAR:
            return bias + homeward(self.state.key, self.state.heard, hold)
        return bias

    def _length_bias(self, row: Row) -> Floats | None:
        """The bias of the lengths of a note, against those for which it would clash."""
        near = self.state.cell_terms.near
        if near is None:
            return None
        first, pitch = WORDS.position.number(row[v.POSITION]), WORDS.pitch.number(row[v.VALUE])
        clashes = near[first:, pitch]
        if not np.count_nonzero(clashes):
            return None
        return np.float32(self.plan.steering) * held_clashes(clashes)

    def drawable(self, field: int, row: Row) -> Mask:
        """Which ids may be drawn: those allowed, and in the closing bar all later positions.

        A note drawn where nothing may begin any more says that the cell is to end, see
        `begins_too_late`. A cell without a note goes on: its track may be one that has to sound.
        """
        kind, state = row[v.KIND], self.state
        if field != v.POSITION or kind not in (Kind.NOTE, Kind.PEDAL):
            return self.allowed(field, row)
        if state.bar_terms.closes and state.cell_notes:
            return open_cell.positions(state, KINDS[kind], onset_stop=state.bar_steps)
        return self.allowed(field, row)

    def begins_too_late(self, row: Row) -> bool:
        """Whether a drawn row begins where nothing may; then its cell is to end."""
        if row[v.KIND] not in (Kind.NOTE, Kind.PEDAL) or self.state.cell_terms.pattern:
            return False
        return WORDS.position.number(row[v.POSITION]) >= self.state.bar_terms.onset_stop

    def end_cell(self) -> None:
        """Let nothing more begin in the open cell."""
        self.state.cell_terms.is_over = True

    def take(self, row: Row) -> Row:
        """Take in a finished row; return it with its context columns, as the model sees it."""
        kind, plan = KINDS[row[v.KIND]], self.plan
        if plan.timing != timing.GRID:
            row = _timed(row, kind, is_played=plan.timing == timing.PLAYED)
        self.order.before(self, kind)
        self.state.take(row, plan)
        full = row + self.columns.of(row, self.state, plan.bars)
        if plan.timing != timing.GRID:
            full.append(int(plan.timing == timing.PLAYED))
        self.context.append(full)
        self.order.after(self, kind, row)
        return full


def _timed(row: Row, kind: Kind, *, is_played: bool) -> Row:
    """A row with fields of timing: those it has, or that nothing in it is off the grid."""
    full = [*row, *[0] * (len(timing.FIELDS) - len(row))]
    if kind == Kind.BOS:
        full[timing.ONSET] = timing.MARK if is_played else 0
    elif is_played and kind in timing.TIMED and not full[timing.ONSET]:
        last = timing.TOUCH if kind == Kind.NOTE else timing.RELEASE
        full[timing.ONSET : last + 1] = map(timing.zero, range(timing.ONSET, last + 1))
    return full


def _nothing() -> None:
    """Nobody watches."""


class Order(Protocol):
    """In which order the cells of a piece are written."""

    def prompt(self, draft: Draft, context: int) -> list[Row]:
        """See `Draft.prompt`."""

    def kinds(self, plan: Plan, state: State) -> Mask:
        """See `Draft.kinds`."""

    def kind_scores(self, plan: Plan, state: State, scores: Floats) -> Floats:
        """See `Draft.kind_scores`."""

    def before(self, draft: Draft, kind: Kind) -> None:
        """Get the state ready for a row of this kind."""

    def after(self, draft: Draft, kind: Kind, row: Row) -> None:
        """Draw the consequences of a row that was taken: new terms, forced rows, an end."""


class BarByBar:
    """One bar after another, in each one track after another."""

    def prompt(self, draft: Draft, context: int) -> list[Row]:
        """All of the piece, while that is half the context; else its latest bars."""
        if len(draft.context) <= context // 2:
            return draft.context
        return view.readable(draft.context, context, draft.plan.bars, len(draft.rows[0]))

    def kinds(self, plan: Plan, state: State) -> Mask:
        return grammar.bar_kinds(plan, state)

    def kind_scores(self, plan: Plan, state: State, scores: Floats) -> Floats:
        """BAR and EOS stand in for each other.

        Another bar, where none may follow, counts as the end, and an end too early as another
        bar; where a track may not be passed over, both count for the one before, and by the eighth
        rules a track counts for both where all that follow have to rest. Without this what is left
        over would go to unlikely notes.
        """
        owed, is_last = state.bar_terms.owed, grammar.is_last_bar(plan, state)
        if state.bar < 0 or not (owed or is_last or plan.bars is not None):
            return scores
        result = scores.copy()
        over = np.logaddexp(scores[Kind.BAR], scores[Kind.EOS])
        if plan.rules.passes_over and state.slot >= 0 and not state.bar_terms.next_slots:
            over = np.logaddexp(over, scores[Kind.CELL])
        if owed:
            result[Kind.CELL] = np.logaddexp(scores[Kind.CELL], over)
        else:
            result[Kind.EOS if is_last else Kind.BAR] = over
        return result

    def before(self, draft: Draft, kind: Kind) -> None:
        """Nothing has to be got ready."""

    def after(self, draft: Draft, kind: Kind, row: Row) -> None:
        plan, state, policies = draft.plan, draft.state, draft.policies
        if kind == Kind.BAR:
            self._bar(draft)
        elif kind == Kind.SECTION and state.bar >= state.given_bars:
            policies.begin_bar(plan, state)
        elif kind == Kind.CHORD:
            draft.forced.extend(state.bar_terms.chords[1:])
            policies.take_chord(plan, state, row[v.VALUE])
        elif kind == Kind.CELL:
            policies.begin_cell(plan, state)
            draft.forced.extend(state.bar_terms.copies.get(state.slot, [])[1:])
        elif kind == Kind.EOS:
            draft.done = True

    def _bar(self, draft: Draft) -> None:
        plan, state = draft.plan, draft.state
        state.bar_terms = BarTerms(onset_stop=state.bar_steps)
        if state.bar > state.given_bars:
            draft.on_bar()
        if state.bar >= state.given_bars:
            draft.forced.extend(plan.planned(state.bar, Kind.SECTION))
            if state.tempo == 0 and plan.tempo is not None:
                draft.forced.append(row_of(Kind.TEMPO, plan.tempo, step=0))
            if slower := tempo_of(plan, state):
                draft.forced.append(slower)
            draft.policies.begin_bar(plan, state)
        if plan.cut is not None and state.bar >= plan.cut:
            state.rows.pop()  # the bar after the last wanted one
            draft.done = True
