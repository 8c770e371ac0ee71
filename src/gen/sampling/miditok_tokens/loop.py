"""The decode loop of MidiTok's tokens: one piece after another, each word held to the grammar.

T rows, F fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from numpy.random import Generator

from gen.kv_cache import KVCache
from gen.model import Transformer
from gen.sampling.decoding.decode import undistracted
from gen.sampling.decoding.draw import DrawConfig, draw_one
from gen.sampling.decoding.step import TorchStep, step_of
from gen.sampling.miditok_tokens.compound import CompoundGrammar
from gen.sampling.miditok_tokens.flat import FlatGrammar
from gen.sampling.miditok_tokens.plan import TokenPlan
from gen.sampling.planning.plan import Row
from gen.tokens.miditok_tokens import BOS, EOS, MidiTokTokens

Ids = list[int]


@dataclass(slots=True)
class TokenDraft:
    """A piece being written.

    Attributes:
        tokens: the tokenization.
        plan: what is asked.
        ids: rows so far, from BOS on.
        bars: places in `ids` where bars begin.
        rows: the same as the house's events, once it is finished.
    """

    tokens: MidiTokTokens
    plan: TokenPlan
    ids: list[Ids] = field(default_factory=list)
    bars: list[int] = field(default_factory=lambda: [0])
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ids.append([BOS] * len(self.tokens.fields))

    def in_context(self, context: int) -> list[Ids]:
        """What the model reads as it goes on: all, or the bars of the last half context."""
        if len(self.ids) < context:
            return self.ids
        least = len(self.ids) - context // 2
        first = max((bar for bar in self.bars if bar <= least), default=0)
        return self.ids[first if len(self.ids) - first < context else least :]


def write_tokens(
    model: Transformer,
    drafts: Sequence[TokenDraft],
    rngs: Sequence[Generator],
    config: DrawConfig,
) -> Iterator[int]:
    """Write every draft to its end, one after another.

    Args:
        model: in evaluation mode.
        drafts: fresh ones; they hold the ids afterwards.
        rngs: one for each draft.
        config: how to draw.

    Yields:
        The index of each draft as it ends.
    """
    step = step_of(model)
    for index, (draft, rng) in enumerate(zip(drafts, rngs, strict=True)):
        _write(step, draft, rng, config)
        yield index


@torch.inference_mode()
@undistracted()
def _write(step: TorchStep, draft: TokenDraft, rng: Generator, config: DrawConfig) -> None:
    kind = CompoundGrammar if draft.tokens.is_compound else FlatGrammar
    grammar: CompoundGrammar | FlatGrammar = kind(draft.tokens, draft.plan)
    context = step.model.config.context
    state, cache = _prefill(step, draft.in_context(context))
    while True:
        bar = grammar.bar
        row: Ids
        if isinstance(grammar, FlatGrammar):
            row, grammar = _word(step, state, grammar, rng, config)
        else:
            row = _compound_row(step, state, grammar, rng, config)
        if grammar.bar > bar:
            draft.bars.append(len(draft.ids))
        draft.ids.append(row)
        if row[0] == EOS:
            return
        if cache.length < context:
            state = step.states([row], cache)
        else:
            state, cache = _prefill(step, draft.in_context(context))


def _prefill(step: TorchStep, rows: Sequence[Ids]) -> tuple[object, KVCache]:
    """State after the rows, (1, D), and a cache that holds them."""
    cache = KVCache(step.model.config, 1, device=step.device)
    return step.begin(torch.tensor([rows]), cache), cache


def _word(
    step: TorchStep, state: object, grammar: FlatGrammar, rng: Generator, config: DrawConfig
) -> tuple[Ids, FlatGrammar]:
    """Draw a word: one whose first token may come next, again until all its tokens may."""
    scores = step.scores(0, state)[0]
    allowed = grammar.mask()[grammar.first_parts]
    while True:
        ids = allowed.nonzero()[0]
        word = int(ids[draw_one(scores[ids], config, rng)] if len(ids) > 1 else ids[0])
        after = grammar.after(word)
        if after is not None:
            return [word], after
        allowed[word] = False


def _compound_row(
    step: TorchStep, state: object, grammar: CompoundGrammar, rng: Generator, config: DrawConfig
) -> Ids:
    """Draw the fields of a row in turn."""
    row: Ids = []
    for number in range(len(grammar.words)):
        ids = grammar.mask(number, row).nonzero()[0]
        place = 0
        if len(ids) > 1:
            place = draw_one(step.scores(number, state)[0][ids], config, rng)
        row.append(int(ids[place]))
        if number < len(grammar.words) - 1:
            state = step.add(number, state, [row[-1]])
    grammar.take_row(row)
    return row
