"""A piece's worst cells written anew, everything else held: what is better stays.

The model fills the hole as it does in a producer's file (`drafting.fill`), until nothing is wrong
in its bar, and in those that follow, or as often as is asked; of these cells the best takes the
place of the old one where it has less wrong. One cell after another, so that each is written
beside what stands by then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Final

import numpy as np

from gen.marks.watermark import Trace
from gen.sampling.decoding.decode import decode
from gen.sampling.decoding.draw import DrawConfig
from gen.sampling.decoding.step import TorchStep
from gen.sampling.drafting.cell_table import CellTable, Place
from gen.sampling.drafting.draft import Draft
from gen.sampling.drafting.fill import Hole, HoleByHole
from gen.sampling.drafting.grammar import rings_on
from gen.sampling.planning.plan import Plan
from gen.sampling.polishing.critic import Critic, worst
from gen.tokens import vocabulary as v

MOST_CELLS: Final = 0.25
"""Cells that are looked at, by the bars of a piece."""
MOST_READ: Final = 256
"""Rows of the bars around a cell: to read them is most of what it takes to write one anew."""


@dataclass(frozen=True, slots=True)
class PolishedCell:
    """A cell that was written anew.

    Attributes:
        place: which.
        why: what was wrong with it.
    """

    place: Place
    why: tuple[str, ...]

    def said(self) -> dict[str, object]:
        """As a receipt says it: bar and track counted from 1."""
        return {"bar": self.place[0] + 1, "track": self.place[1] + 1, "why": list(self.why)}


def polished(
    step: TorchStep, draft: Draft, seed: Sequence[int], config: DrawConfig, tries: int
) -> tuple[PolishedCell, ...]:
    """Write the worst cells of a finished draft anew; it holds the better rows afterwards.

    The cadence and the last chord stay: how a piece ends was decided beforehand.

    Args:
        step: of the model that wrote it.
        draft: of a piece from nothing, done.
        seed: of the chance in it.
        config: how to draw.
        tries: how often each cell is written.
    """
    table = CellTable.of(draft.rows[:-1])
    critic = Critic(table)
    bars = len(table.bars)
    open_bars = range(bars - 1 - rings_on(draft.plan, draft.state) - draft.plan.cadence)
    faulty = worst(critic.faults(open_bars))[: max(int(MOST_CELLS * bars), 1)]
    traced, found = _traced(draft, table), []
    for number, (place, why) in enumerate(faulty):
        trace = partial(traced, place)
        if _improve(step, draft.plan, critic, place, [*seed, number], config, tries, trace):
            found.append(PolishedCell(place, why))
    if found:
        draft.state.rows = [*table.excerpt(0, bars), draft.rows[-1]]
    return tuple(found)


def _traced(draft: Draft, table: CellTable) -> Callable[[Place], Trace | None]:
    """What makes the watermark of a cell, as the table stands; None where it is to have none."""
    trace, rows, starts = draft.trace, draft.rows, table.bar_starts()

    def of(place: Place) -> Trace | None:
        if trace is None or not trace.is_in_cells:
            return None
        bar, slot = place
        before = chain.from_iterable(table.cells.get((b, slot), ()) for b in range(bar))
        return trace.of_cell(rows, before, slot, int(starts[bar]))

    return of


def _improve(
    step: TorchStep, plan: Plan, critic: Critic, place: Place, seed: Sequence[int],
    config: DrawConfig, tries: int, traced: Callable[[], Trace | None],
) -> bool:  # fmt: skip
    """Write a cell up to so often, until nothing is wrong; whether it is better than it was."""
    table, is_better = critic.table, False
    least = critic.weight(place[0])
    best = old = table.cells[place]
    for attempt in range(tries if least else 0):
        order = _order(table, place, old[0][v.EXTENT])
        rng = np.random.default_rng([*seed, attempt])
        draft = Draft(_of_holes(plan, table), order=order)
        draft.trace = traced()
        decode(step, [draft], [rng], config)
        table.cells[place] = order.table.cells.get(place, best)
        if (weight := critic.weight(place[0])) < least:
            is_better, least, best = True, weight, table.cells[place]
        table.cells[place] = best
        if not least:
            break
    return is_better


def _order(table: CellTable, place: Place, density: int) -> HoleByHole:
    """One cell to be written, given all others."""
    rest = table.without([place])
    hole = Hole(*place, sounds=True, density=density)
    return HoleByHole(rest, [hole], rest.held(), most_read=MOST_READ)


def _of_holes(plan: Plan, table: CellTable) -> Plan:
    """The plan of a piece whose bars are there."""
    bars = len(table.bars)
    return replace(plan, header=[], tracks_open=False, ensemble=(), bars=bars, cut=None)
