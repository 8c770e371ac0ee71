"""The decode loop: prefill, then a row and a step at a time, many pieces side by side.

Side by side in one process, and on as many processors as there are; `draw` has how one id is drawn.

N pieces still being written, T events, C input columns, V ids of a field.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import pairwise
from typing import Any, Final, TypeVar

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gen.kv_cache import KVCache
from gen.marks.watermark import MARKED
from gen.processes import copies, results_of_copies
from gen.sampling.decoding.draw import DrawConfig, draw, draw_keyed, draw_one
from gen.sampling.decoding.step import ALL, TorchStep
from gen.sampling.drafting.draft import Draft
from gen.sampling.planning.plan import Row
from gen.tokens import vocabulary as v

T = TypeVar("T")

MOST_AT_ONCE: Final = 32
"""Pieces being written at a time by up to four processes: more take memory and no time off."""
FEWEST_AT_ONCE: Final = 4
"""Fewer together take so much longer, each, that a second processor hardly makes up for it."""


@contextmanager
def undistracted() -> Iterator[None]:
    """One thread, and nobody looking for garbage.

    Matrices of this size are done before a second thread has begun. The last bits of a sum depend
    on how many there are; and two wait for each other, in vain where another process has their
    processor. Python's search for unused cycles goes through all that PyTorch has in memory,
    which takes as long as writing two hundred events; drafts make no cycles.
    """
    threads, searches = torch.get_num_threads(), gc.isenabled()
    try:
        torch.set_num_threads(1)
        gc.disable()
        with threadpool_limits(1, user_api="blas"):  # numpy's
            yield
    finally:
        torch.set_num_threads(threads)
        if searches:
            gc.enable()


@torch.inference_mode()
@undistracted()
def decode(
    step: TorchStep,
    drafts: Sequence[Draft],
    rngs: Sequence[Generator],
    config: DrawConfig,
    *,
    on_done: Callable[[int], None] | None = None,
) -> None:
    """Write every draft to its end.

    Args:
        step: of the model that writes, see `step_of`.
        drafts: fresh ones; they hold the rows afterwards.
        rngs: one for each draft.
        config: how to draw.
        on_done: called with the index of each draft as it ends.
    """
    pending = list(range(len(drafts)))
    while pending:
        state, cache = _prefill(step, [drafts[i] for i in pending])
        active = pending
        while active and cache.length < step.model.config.context:
            rows = _next_rows(
                step, state, [drafts[i] for i in active], [rngs[i] for i in active], config
            )
            going = [n for n, i in enumerate(active) if not drafts[i].rests]
            if len(going) < len(active):
                for i in active:
                    if drafts[i].done and on_done:
                        on_done(i)
                order = cache.keep(going)
                active, rows = [active[n] for n in order], [rows[n] for n in order]
            if active:
                state = step.states(rows, cache)  # (N, D)
        pending = [i for i in pending if not drafts[i].done]


def _next_rows(
    step: TorchStep,
    state: Any,
    drafts: Sequence[Draft],
    rngs: Sequence[Generator],
    config: DrawConfig,
) -> list[Row]:
    """One row for each draft, forced or drawn, with context columns. State is (N, D)."""
    forced = [draft.forced.popleft() if draft.forced else None for draft in drafts]
    free = [n for n, row in enumerate(forced) if row is None]
    if len(free) == 1:
        n = free[0]
        forced[n] = _draw_row(step, state[n : n + 1], drafts[n], rngs[n], config)
    elif free:
        some = [drafts[n] for n in free], [rngs[n] for n in free]
        for n, row in zip(free, _draw_rows(step, state[free], *some, config), strict=True):
            forced[n] = row
    return [draft.take(row) for draft, row in zip(drafts, forced, strict=True) if row is not None]


def _drawn(
    draft: Draft, field: int, row: Row, ids: NDArray[np.int64], scores: NDArray[np.float32],
    config: DrawConfig,
) -> int | None:  # fmt: skip
    """The id that the watermark of a draft chooses among some; None where chance is to."""
    if (trace := draft.trace) is None:
        return None
    choice = trace.choice(field, row, draft.rows)
    if choice is None:
        return None

    def choose(places: NDArray[np.int64], weights: NDArray[np.float64]) -> int:
        return trace.choose(choice, ids[places].tolist(), weights.tolist())

    return int(ids[draw_keyed(scores, config, choose)])


def _draw_row(step: TorchStep, state: Any, draft: Draft, rng: Generator, config: DrawConfig) -> Row:
    """Field after field, each given those before it; nothing is computed for a forced field.

    State is (1, D).
    """
    fields = step.model.fields
    row, before = [0] * fields, state
    for field in range(fields):
        mask = draft.drawable(field, row)
        ids = mask.nonzero()[0]
        row[field] = first = int(mask.argmax())
        if len(ids) > 1:
            if field == v.KIND:
                scores = draft.kind_scores(step.scores(field, state)[0])[ids]
            else:
                scores = step.scores(field, state, slice(first, int(ids[-1]) + 1))[0, ids - first]
                bias = draft.bias(field, row)
                if bias is not None:
                    scores = scores + bias[ids]
            keyed = _drawn(draft, field, row, ids, scores, config)
            row[field] = int(ids[draw_one(scores, config, rng)]) if keyed is None else keyed
        if field == v.POSITION and draft.begins_too_late(row):
            draft.end_cell()
            return _draw_row(step, before, draft, rng, config)
        if field < fields - 1:
            state = step.add(field, state, [row[field]])
    return row


def _draw_rows(
    step: TorchStep,
    state: Any,
    drafts: Sequence[Draft],
    rngs: Sequence[Generator],
    config: DrawConfig,
) -> list[Row]:
    """The same for many pieces at once. State is (N, D)."""
    fields = step.model.fields
    rows: list[Row] = [[0] * fields for _ in drafts]
    before, whole = state, set[int]()  # those drawn once more, which have all their fields
    for field in range(fields):
        free, masks = [], []
        for n, (draft, row) in enumerate(zip(drafts, rows, strict=True)):
            if n in whole:
                continue
            mask = draft.drawable(field, row)
            if np.count_nonzero(mask) > 1:
                free.append(n)
                masks.append(mask)
            else:
                row[field] = int(mask.argmax())
        if free:
            allowed = np.array(masks)  # (N, V)
            some = _some(allowed) if field == v.VALUE else ALL  # of 791, a note has some 50
            scores = step.scores(field, state if len(free) == len(rows) else state[free], some)
            if field == v.KIND:
                for place, n in enumerate(free):
                    scores[place] = drafts[n].kind_scores(scores[place])
            if field in (v.VALUE, v.EXTENT):
                _add_bias(scores, [drafts[n].bias(field, rows[n]) for n in free], some)
            first, keyed = some.start or 0, set[int]()
            for place, n in enumerate(free) if field in MARKED else ():
                if drafts[n].trace is None:
                    continue
                ids = allowed[place].nonzero()[0]
                own = scores[place, ids - first]
                if (found := _drawn(drafts[n], field, rows[n], ids, own, config)) is not None:
                    rows[n][field] = found
                    keyed.add(place)
            left = [place for place in range(len(free)) if place not in keyed]
            if keyed:
                scores, allowed = scores[left], allowed[left]
            if left:
                of_chance = [rngs[free[place]] for place in left]
                drawn = draw(scores, allowed[:, some], config, of_chance)
                for place, drawn_id in zip(left, drawn, strict=True):
                    rows[free[place]][field] = drawn_id + first
        if field == v.POSITION:
            for n, draft in enumerate(drafts):
                if draft.begins_too_late(rows[n]):
                    draft.end_cell()
                    rows[n] = _draw_row(step, before[n : n + 1], draft, rngs[n], config)
                    whole.add(n)
        if field < fields - 1:
            state = step.add(field, state, [row[field] for row in rows])
    return rows


def _add_bias(
    scores: NDArray[np.float32], biases: Sequence[NDArray[np.float32] | None], some: slice
) -> None:
    """Add to the scores of some ids what each draft has for its first ones. (N, ids)."""
    for own, bias in zip(scores, biases, strict=True):
        if bias is not None:
            wanted = bias[some]
            own[: len(wanted)] += wanted


def _some(allowed: NDArray[np.bool_]) -> slice:
    """From the first to the last id that any piece may take. (N, V)."""
    any_may: NDArray[np.bool_] = np.logical_or.reduce(allowed)
    return slice(int(any_may.argmax()), len(any_may) - int(any_may[::-1].argmax()))


def _prefill(step: TorchStep, drafts: Sequence[Draft]) -> tuple[Any, KVCache]:
    """Prefill: read what there is of each draft.

    Returns:
        State after the last event (N, D), and a cache padded on the left.
    """
    prompts = []
    for draft in drafts:
        while draft.forced:
            draft.take(draft.forced.popleft())
        prompts.append(draft.prompt(step.model.config.context))
    longest = max(len(prompt) for prompt in prompts)
    columns = torch.zeros(len(prompts), longest, len(prompts[0][0]), dtype=torch.int64)
    for n, prompt in enumerate(prompts):
        columns[n, longest - len(prompt) :] = torch.tensor(prompt)
    left_pad = torch.tensor([longest - len(prompt) for prompt in prompts])
    ragged = left_pad if bool(left_pad.any()) else None
    cache = KVCache(step.model.config, len(drafts), device=step.device, left_pad=ragged)
    return step.begin(columns, cache), cache


# Batches --------------------------------------------------------------------------------


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
    report: Callable[[T], None],
    *,
    on_gpu: bool = False,
) -> None:
    """Write batches one after another, or side by side where copies of this process can.

    Args:
        batches: indices of the pieces of each.
        write: takes a batch, and a function that it calls with each piece as it ends.
        report: called with the same, in this process.
        on_gpu: whether `write` uses one, which copies cannot.
    """
    if len(batches) > 1 and copies() > 1 and not on_gpu:
        with closing(results_of_copies(partial(write, batch) for batch in batches)) as all_results:
            for result in all_results:
                report(result)
        return
    for batch in batches:
        write(batch, report)
