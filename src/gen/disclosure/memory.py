"""What a model knows by heart: a work's first bars in, how much of what follows comes back.

Music repeats, so much comes back without a memory for it. So beside each work stand the given bars
played again, and held-out works, of which the model cannot know anything by heart: a work is
memorised where more than half of it comes back, and where that is further above playing on
than it is with any of them. (The measure is that of `gen.evaluation.originality`.)

By chance alone, one of k works that the model does not know is above all of m such controls with
a probability of at most k / (m + 1): ranks are all that is supposed, no distribution. So the more
works are asked about, the more controls are taken, twenty for each while the house has so many,
and how many false alarms are to be expected is said with the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gen.checkpoint import Checkpoint
from gen.evaluation.originality import ALMOST_GREEDY, repeated, share_back
from gen.evaluation.subjects import samples
from gen.evaluation.subjects.works import HouseWorks, MeasuredWork, gather, piece_of, spread_out
from gen.provenance.records.pin import Pin
from gen.tokens.events import Events

GIVEN_BARS = WRITTEN_BARS = 8
LEAST_CONTROLS, CONTROLS_PER_WORK, MOST_CONTROLS = 16, 20, 400
LEAST = 50
"""Percent that have to come back."""


def memory_test(pin: Pin, checkpoint: Checkpoint, works: Sequence[str]) -> dict[str, Any]:
    """Ask a model for these works; whole percents.

    Returns:
        `works`: by id `back`, `played_again`, `is_memorised` (None without controls).
        `controls`: the same two figures of each, a list.
        `limit`: what controls are above playing again at most.
        `false_alarms_percent`: how many of the works tested chance alone would have called
        memorised at most, in hundredths of a work; None without controls.
        `not_tested`: ids and why.

    Raises:
        HouseError: the model's settings do not say what was held out, or a file is refused.
    """
    house = gather(pin, [checkpoint])
    asked = [work for work in house.corpus if work.id in set(works)]
    controls = _controls(house, set(works))
    long = [work for work in [*asked, *controls] if _is_long(work)]
    found = dict(zip([work.id for work in long], _ask(checkpoint, long), strict=True))
    held = [found[work.id] for work in controls if work.id in found]
    limit = max((one["back"] - one["played_again"] for one in held), default=None)
    tested = {work.id: found[work.id] for work in asked if work.id in found}
    for one in tested.values():
        one["is_memorised"] = None if limit is None else _is_memorised(one, limit)
    return {
        "controls": held,
        "false_alarms_percent": _false_alarms(len(tested), controls, found),
        "given_bars": GIVEN_BARS,
        "limit": limit,
        "not_tested": [_why(work, house) for work in works if work not in tested],
        "works": tested,
        "written_bars": WRITTEN_BARS,
    }


def _controls(house: HouseWorks, asked: set[str]) -> list[MeasuredWork]:
    """Works that were held out and are not asked about, of many families."""
    held = [*house.sides["test"], *house.sides["validation"]]
    order = np.random.default_rng(0).permutation(len(held))
    long = [held[i] for i in order if held[i].id not in asked and _is_long(held[i])]
    wanted = max(LEAST_CONTROLS, CONTROLS_PER_WORK * len(asked))
    return spread_out(long)[: min(wanted, MOST_CONTROLS)]


def _is_memorised(one: Mapping[str, int], limit: int) -> bool:
    return one["back"] >= LEAST and one["back"] - one["played_again"] > limit


def _false_alarms(
    tested: int, controls: Sequence[MeasuredWork], found: Mapping[str, Any]
) -> int | None:
    """100 k / (m + 1), rounded up; relatives among the controls count as one."""
    families = {work.group for work in controls if work.id in found}
    return -(-100 * tested // (len(families) + 1)) if families else None


def _is_long(work: MeasuredWork) -> bool:
    """Whether there is music beyond the bars that are given."""
    return len(work.tokenised.bar_rows) > GIVEN_BARS


def _ask(checkpoint: Checkpoint, works: Sequence[MeasuredWork]) -> list[dict[str, Any]]:
    drafts = [samples.after(work, GIVEN_BARS, WRITTEN_BARS) for work in works]
    rows = samples.write(checkpoint.model, drafts, ALMOST_GREEDY, [0])
    return [
        {
            "back": _percent(share_back(work, piece_of(Events.of(r)), GIVEN_BARS, WRITTEN_BARS)),
            "played_again": _percent(
                share_back(work, repeated(work, GIVEN_BARS, WRITTEN_BARS), GIVEN_BARS, WRITTEN_BARS)
            ),
        }
        for work, r in zip(works, rows, strict=True)
    ]


def _percent(share: float) -> int:
    """Of a work that is silent there nothing can come back."""
    return 0 if np.isnan(share) else round(100 * share)


def _why(work: str, house: HouseWorks) -> dict[str, str]:
    is_here = any(work == each.id for each in house.corpus)
    why = f"it has no more than {GIVEN_BARS} bars" if is_here else "the gate does not admit it now"
    return {"why": why, "work": work}
