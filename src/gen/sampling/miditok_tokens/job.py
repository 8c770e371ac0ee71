"""A new piece in one of MidiTok's tokenizations, and what it is as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gen.model import Transformer
from gen.piece import Piece
from gen.sampling.decoding.draw import DrawConfig
from gen.sampling.finishing.finish import Finished, finished
from gen.sampling.miditok_tokens.loop import TokenDraft, write_tokens
from gen.sampling.miditok_tokens.plan import TokenPlan, plan_of_tokens
from gen.sampling.planning.controls import Controls, instrument_number
from gen.sampling.request import FileTask
from gen.sampling.takes import OnBar, OnDone
from gen.smf import write
from gen.smf.writer import sharing
from gen.tokens.miditok_tokens import MidiTokTokens
from gen.tokens.reading import decode
from gen.tokens.tokenizer import HouseTokenizer


@dataclass(frozen=True, slots=True)
class TokenJob:
    """New pieces from nothing.

    Attributes:
        controls: what is asked.
        plan: what follows from it for the tokens.
        tokens: the tokenization.
    """

    controls: Controls
    plan: TokenPlan
    tokens: MidiTokTokens

    @classmethod
    def of(cls, controls: Controls, task: FileTask | None, tokens: MidiTokTokens) -> TokenJob:
        """The job that is asked for.

        Raises:
            SettingError: one asks for what the tokenization cannot say.
        """
        return cls(controls, plan_of_tokens(controls, task, tokens.base), tokens)

    def draft(self) -> TokenDraft:
        """A fresh draft of one piece."""
        return TokenDraft(self.tokens, self.plan)

    def finish(self, draft: TokenDraft) -> Finished:
        """What a finished draft is as a file; its rows are then the house's events, too."""
        piece = decode(self.tokens.events(draft.ids))
        instruments = map(instrument_number, self.controls.instruments)
        order = {number: place for place, number in enumerate(instruments)}
        piece.tracks.sort(key=lambda track: order.get(track.instrument, len(order)))
        events = HouseTokenizer().events(_ended(piece, self.plan.bars))
        draft.rows = events.tolist()
        piece = finished(draft.rows, self.controls)
        music = write(piece, end_ticks=piece.bars_end_ticks)
        return Finished(piece, music, piece, {}, sharing(piece.tracks))


def write_in_tokens(
    job: TokenJob,
    model: Transformer,
    draw: DrawConfig,
    seeds: Sequence[Sequence[int]],
    on_done: OnDone,
    on_bar: OnBar | None = None,
) -> None:
    """As `job.write_events`, in MidiTok's tokens; nobody watches their bars."""
    drafts = [job.draft() for _ in seeds]
    rngs = [np.random.default_rng(seed) for seed in seeds]
    for place in write_tokens(model, drafts, rngs, draw):
        on_done(place, job.finish(drafts[place]), drafts[place].rows, ())


def _ended(piece: Piece, bars: int | None) -> Piece:
    """The piece with no note beyond its last bar, where it is decided which that is."""
    starts = piece.bar_starts()
    if bars is None or len(starts) <= bars:
        return piece
    end = starts[bars][0]
    for track in piece.tracks:
        track.notes = [
            replace(note, duration_ticks=min(note.duration_ticks, end - note.onset_ticks))
            for note in track.notes
        ]
    return piece
