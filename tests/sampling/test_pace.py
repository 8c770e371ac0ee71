"""Tempo means density where no work has been: fewer notes a beat above, more below."""

from __future__ import annotations

import numpy as np
import pytest

from drafts import written
from gen.sampling.drafting.cell_table import CellTable
from gen.sampling.drafting.draft import Draft
from gen.sampling.drafting.pace import FEWEST_A_SECOND, MOST_A_SECOND
from gen.sampling.job import job_of
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.rules import Rules
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind

SEEDS = range(8)
BAND = {"instruments": ("flute", "piano", "bass", "drums"), "time_signature": "4/4", "bars": 6,
        "roles": ("main_melody", "accompaniment", "bass", "drums")}  # fmt: skip


def drafts(*, rules: int = 3, notes: float = 0.8, **asked: object) -> list[Draft]:
    """Drafts by chance."""
    job = job_of(Controls(**{**BAND, **asked}), None, steering=1.0, rules=Rules(rules))
    return [written(job, seed, notes=notes, context=600) for seed in SEEDS]


def onsets(draft: Draft) -> list[np.ndarray]:
    """Of each cell with notes, but of the last bar, the grid steps where they begin."""
    cells = CellTable.of(draft.rows).cells
    found = [
        np.array([WORDS.position.number(r[v.POSITION]) for r in cell if r[v.KIND] == Kind.NOTE])
        for (bar, _), cell in cells.items()
        if bar + 1 < draft.plan.limit
    ]
    return [steps for steps in found if len(steps)]


@pytest.mark.parametrize("tempo", [185.0, 210.0, 240.0])
def test_above_every_works_tempo_onsets_are_a_twelfth_of_a_second_apart(tempo):
    shortest = min(
        int(np.diff(np.unique(steps)).min())
        for draft in drafts(tempo=tempo)
        for steps in onsets(draft)
        if len(np.unique(steps)) > 1
    )
    assert shortest * 60 / tempo / v.STEPS_PER_QUARTER >= 0.97 / MOST_A_SECOND
    assert shortest == 4


@pytest.mark.parametrize("tempo", [50.0, 120.0, 180.0])
def test_at_the_works_tempos_nothing_changes(tempo):
    for new, old in zip(drafts(tempo=tempo), drafts(rules=2, tempo=tempo), strict=True):
        assert new.rows == old.rows


def test_below_every_works_tempo_a_track_that_plays_has_notes_enough():
    fewest = int(FEWEST_A_SECOND * 8)  # a bar takes 8 s
    counts = [len(steps) for draft in drafts(tempo=30.0, notes=0.3) for steps in onsets(draft)]
    usual = [len(steps) for draft in drafts(tempo=120.0, notes=0.3) for steps in onsets(draft)]
    assert np.mean(np.array(counts) >= fewest) > 0.95  # a note that rings on may leave no room
    assert np.mean(np.array(usual) >= fewest) < 0.6


def test_a_density_that_was_asked_for_is_kept_however_slow():
    for draft in drafts(tempo=30.0, density=1):
        assert max(len(steps) for steps in onsets(draft)) <= 4


@pytest.mark.parametrize("tempo", [30.0, 240.0])
def test_however_slow_or_fast_a_draft_comes_to_its_end(tempo):
    for notes in (0.05, 0.5, 0.98):
        assert all(draft.done for draft in drafts(tempo=tempo, notes=notes, density=None))
        assert all(draft.done for draft in drafts(tempo=tempo, notes=notes, density="dense"))
