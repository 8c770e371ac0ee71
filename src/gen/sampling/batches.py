"""Many pieces at once: side by side in one process, and on as many processors as there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from itertools import pairwise
from typing import Final, TypeVar

from gen.processes import copies, told_by_copies

T = TypeVar("T")

MOST_AT_ONCE: Final = 32
"""Pieces being written at a time: more would take memory and no time off."""
FEWEST_AT_ONCE: Final = 4
"""Fewer together take so much longer, each, that a second processor hardly makes up for it."""


def dealt(indices: Sequence[int]) -> list[Sequence[int]]:
    """Batches of equal size, as many for one process that can write as for another."""
    count = min(copies(), len(indices) // FEWEST_AT_ONCE)
    most = max(2 * FEWEST_AT_ONCE, MOST_AT_ONCE // copies())
    if len(indices) > max(count, 1) * most:
        count = copies() * -(-len(indices) // (copies() * most))
    count = count or min(len(indices), 1)
    bounds = [len(indices) * n // max(count, 1) for n in range(count + 1)]
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
