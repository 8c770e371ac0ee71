"""Drafts of a job, drawn by chance."""

from __future__ import annotations

import numpy as np

from gen.sampling.drafting.draft import Draft
from gen.sampling.job import PieceJob
from music import random_row

CONTEXT = 96


def written(job: PieceJob, seed: int, *, notes: float = 0.5, context: int = CONTEXT) -> Draft:
    """A draft of the job, drawn by chance, shown as `decode` shows it."""
    draft, rng = job.draft([seed]), np.random.default_rng(seed)
    while not draft.done:
        while draft.forced:
            draft.take(draft.forced.popleft())
        room = context - len(draft.prompt(context))
        assert room > 0
        while room and not draft.rests:
            draft.take(random_row(draft, rng, notes))
            room -= 1
    return draft
