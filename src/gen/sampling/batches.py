"""Many pieces at once: side by side in one process, and on as many processors as there are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from itertools import pairwise
from typing import Final, TypeVar

from gen.processes import copies, told_by_copies

T = TypeVar("T")

MOST_AT_ONCE: Final = 32
"""Pieces being written at a time by up to four processes: more take memory and no time off."""
FEWEST_AT_ONCE: Final = 4
"""Fewer together take so much longer, each, that a second processor hardly makes up for it."""


def dealt(indices: Sequence[int], *, on_gpu: bool = False) -> list[Sequence[int]]:
    """Batches of equal size, as many for one process that can write as for another."""
    if not indices:
        return []
    processes = 1 if on_gpu else copies()
    most = max(2 * FEWEST_AT_ONCE, MOST_AT_ONCE // processes)
    turns = math.ceil(len(indices) / (processes * most))
    count = min(processes * turns, max(1, len(indices) // FEWEST_AT_ONCE))
    bounds = [len(indices) * n // count for n in range(count + 1)]
    return [indices[first:end] for first, end in pairwise(bounds)]


def write_all(
    batches: Sequence[Sequence[int]],
    write: Callable[[Sequence[int], Callable[[T], None]], None],
    tell: Callable[[T], None],
    *,
    on_gpu: bool = False,
) -> None:
    """Write batches one after another, or side by side where copies of this process can.

    Args:
        batches: indices of the pieces of each.
        write: takes a batch, and a function that it tells of each piece as it ends.
        tell: told the same, in this process.
        on_gpu: whether `write` uses one, which copies cannot.
    """
    if len(batches) > 1 and copies() > 1 and not on_gpu:
        with closing(told_by_copies(partial(write, batch) for batch in batches)) as all_told:
            for told in all_told:
                tell(told)
        return
    for batch in batches:
        write(batch, tell)
