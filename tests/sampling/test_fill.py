"""What the model is shown of a piece whose holes are filled in."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from gen.data.habits import Habits
from gen.data.holes import punched
from gen.evaluation.parts.infilling import draft_without
from gen.tokens import vocabulary as v
from gen.tokens.columns import COLUMNS
from gen.tokens.echo import ECHO_COLUMNS, echo_columns, echoes
from gen.tokens.vocabulary import WORDS, Kind
from music import Theme, random_row

BARS = 24


@pytest.mark.parametrize(("seed", "context"), [(0, 2048), (1, 400), (2, 400), (3, 240)])
def test_what_is_shown_hears_the_whole_piece_but_for_its_holes(seed, context):
    """The echoes are those of a training window: also of bars before and after what is shown."""
    events = Theme(seed % 3, bars=BARS).events()
    holes = np.zeros((BARS, 3), dtype=bool)
    holes[10:13, seed % 3] = holes[11, :] = True
    draft = draft_without(events, set(map(tuple, np.argwhere(holes).tolist())))
    shown = len(draft.prompt(context))
    whole, _ = punched(events, holes)
    first = int(np.argmax(whole[:, v.KIND] == Kind.FILL))
    for row in whole[first:].tolist():
        draft.take(row)
    assert draft.done
    rows = np.array(draft.context)
    bar = rows[:, len(v.FIELDS) + COLUMNS.index("bar")]
    assert (bar[bar > 0].min() > 1) == (context < 2048)  # it was a stretch of the piece
    found = rows[shown:, -len(ECHO_COLUMNS) :]
    assert np.array_equal(found, echo_columns(echoes(whole))[first:])
    assert found.any()


@pytest.mark.parametrize("context", [2048, 240])
def test_what_is_filled_in_has_no_bigger_chord_than_any_work(context):
    holes = {(bar, 0) for bar in range(4, 20)}
    draft, rng = draft_without(Theme(0, bars=BARS).events(), holes), np.random.default_rng(0)
    draft.plan = replace(draft.plan, habits=Habits(chord_sizes={"any:0": 2}))
    chords: Counter[tuple[int, int]] = Counter()
    while not draft.done:
        draft.prompt(context)
        while not draft.rests:
            row = draft.take(random_row(draft, rng, 0.97))
            chords[draft.state.bar, row[v.POSITION]] += row[v.KIND] == Kind.NOTE
    assert max(chords.values()) == 2


def test_a_hole_hears_what_goes_on_in_its_track_and_what_is_struck_before_it_ends():
    draft, rng = (
        draft_without(Theme(0, bars=8).events(), {(2, 0), (3, 0)}),
        np.random.default_rng(0),
    )
    start, _, stop = draft.order.starts[2:5].tolist()
    low, middle, high = (WORDS.pitch.id(pitch) for pitch in (48, 60, 72))
    draft.order.held[0] = [
        (0, start + 8, 0), (start, start + 4, low), (start + 4, start + 8, middle),
        (start + 2, start + 3, middle), (stop, stop + 4, high),
        (stop + 1, stop + 5, low),
    ]  # fmt: skip
    draft.prompt(2048)
    assert draft.take(random_row(draft, rng))[v.KIND] == Kind.FILL
    assert draft.state.cell_terms.struck == {middle: start + 2}
    part = draft.state.parts[0]
    assert (part.pedal_end, part.latest) == (start + 8, low)
    assert np.flatnonzero(part.ends).tolist() == [0, low]
