"""Pieces that a model writes to be measured: in batches, each a function of the seed alone.

They are rows in memory, never files: nothing here is handed to a producer, so nothing is entered
in the house's log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from gen.evaluation.subjects.works import MeasuredWork, excerpt, genre_rows
from gen.model import Transformer
from gen.sampling.decoding.decode import decode, write_all
from gen.sampling.decoding.draw import DrawConfig
from gen.sampling.decoding.step import step_of
from gen.sampling.drafting.draft import Draft
from gen.sampling.miditok_tokens.job import TokenJob
from gen.sampling.miditok_tokens.loop import write_tokens
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.plan import Plan, Row, row_of
from gen.tokens import vocabulary as v
from gen.tokens.choice import PLAYED
from gen.tokens.miditok_tokens import MidiTokTokens
from gen.tokens.vocabulary import Kind

BATCH = 16
"""Pieces written side by side, whatever the machine, so that it has no part in what is written."""


def write(
    model: Transformer,
    drafts: Sequence[Draft],
    draw: DrawConfig,
    seed: Sequence[int],
    *,
    tick: Callable[[float], None] = lambda share: None,
) -> list[list[Row]]:
    """Finish every draft; draft i draws from the seed and i alone.

    A model of played music writes as players play; what it writes is compared on the grid.

    With several processes the drafts passed in are not changed; use the return value.

    Returns:
        The rows of each.
    """
    found: dict[int, list[Row]] = {}
    step = step_of(model)
    if model.fields > len(v.FIELDS):
        for draft in drafts:
            draft.plan = replace(draft.plan, timing=PLAYED)

    def together(batch: Sequence[int], tell: Callable[[tuple[int, list[Row]]], None]) -> None:
        chosen, rngs = (
            [drafts[i] for i in batch],
            [np.random.default_rng([*seed, i]) for i in batch],
        )
        decode(
            step,
            chosen,
            rngs,
            draw,
            on_done=lambda place: tell((batch[place], _on_grid(chosen[place].rows))),
        )

    def take(done: tuple[int, list[Row]]) -> None:
        found[done[0]] = done[1]
        tick(len(found) / len(drafts))

    # Pieces of one length together, as a batch is over when its longest piece is; long ones first.
    order = sorted(range(len(drafts)), key=lambda i: -(drafts[i].plan.bars or 0))
    batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    write_all(batches, together, take, on_gpu=model.embedding.weight.device.type != "cpu")
    return [found[i] for i in range(len(drafts))]


def _on_grid(rows: Sequence[Row]) -> list[Row]:
    return [row[: len(v.FIELDS)] for row in rows]


def write_tokens_like(
    tokens: MidiTokTokens,
    model: Transformer,
    works: Sequence[MeasuredWork],
    bars: int,
    draw: DrawConfig,
    seed: Sequence[int],
    *,
    tick: Callable[[float], None] = lambda share: None,
) -> list[list[Row]]:
    """A piece in other tokens for each work, of its length, cut: they cannot say its genre.

    Returns:
        The rows of each, as the house's events.
    """
    found = []
    for number, work in enumerate(works):
        length = min(len(work.tokenised.bar_rows), bars)
        job = TokenJob.of(Controls(bars=length), None, tokens)
        draft = job.draft()
        for _ in write_tokens(model, [draft], [np.random.default_rng([*seed, number])], draw):
            job.finish(draft)
        found.append(draft.rows)
        tick((number + 1) / len(works))
    return found


def like(works: Sequence[MeasuredWork], bars: int) -> list[Draft]:
    """Requests for one piece for each work: of its genre (where it has one) and length, cut."""
    drafts: list[Draft] = []
    for work in works:
        header: list[Row] = [row_of(Kind.BOS), *genre_rows(work)]
        length = len(work.tokenised.bar_rows)
        plan = Plan(header, tracks_open=True, bars=length, most_bars=length, cut=bars)
        drafts.append(Draft(plan))
    return drafts


def after(work: MeasuredWork, prompt: int, bars: int) -> Draft:
    """A request to go on after the first `prompt` bars of a work, for `bars` more.

    The density of its cells is left out, as it is of those that follow.
    """
    events = excerpt(work.tokenised.events, prompt)
    rows = events.array.copy()
    rows[events.is_a(Kind.CELL), v.EXTENT] = 0
    length = len(work.tokenised.bar_rows)
    plan = Plan(rows.tolist(), tracks_open=False, bars=length, most_bars=length, cut=prompt + bars)
    return Draft(plan)
