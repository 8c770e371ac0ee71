"""A form and a key of its own for a piece that was asked for neither.

A model that sees some forty bars at once begins new sections where the old ones end, but seldom
comes back to one. Works do: so their forms are kept beside the model (`gen.data.habits`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, chain, cycle
from typing import Final

import numpy as np

from gen import harmony
from gen.data.habits import Form
from gen.sampling.plan import Plan, row_of, section_rows
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import section_id

FEWEST_BARS: Final = 24
"""A shorter piece has no room for sections that come back."""
FEWEST_BARS_A_SECTION: Final = 4
"""What would be shorter belongs to the section before it."""
MINOR_MOODS: Final = frozenset({"dark", "sad", "tense"})
MAJOR_MOODS: Final = frozenset({"happy", "playful", "heroic"})
"""Moods that the works write in one mode."""
MAJOR_OTHERWISE: Final = 0.6
"""Share of the works of other moods that are in major."""


def at_home(
    plan: Plan, mood: str | None, seed: Sequence[int], known: harmony.Key | None = None
) -> Plan:
    """The plan with a key of its own, whose mode is that of the mood where it has one.

    Args:
        plan: of a piece from nothing that has no key.
        mood: of `harmony.MOODS`.
        seed: equal ones, equal keys.
        known: the key that its chords have, in place of one by chance.
    """
    rng = np.random.default_rng(seed)
    tonic, is_minor = int(rng.integers(12)), rng.random() >= MAJOR_OTHERWISE
    if mood in MINOR_MOODS | MAJOR_MOODS:
        is_minor = mood in MINOR_MOODS
    if known:
        tonic, is_minor = known.tonic, known.is_minor
    key = row_of(Kind.KEY, WORDS.key.id(2 * tonic + int(is_minor)))
    place = sum(row[v.KIND] in (Kind.BOS, Kind.GENRE, Kind.MOOD) for row in plan.header)
    return replace(plan, header=[*plan.header[:place], key, *plan.header[place:]])


def formed(plan: Plan, genre: str | None, seed: Sequence[int]) -> Plan:
    """A plan with the form of one of the works, and as many bars where they are left open.

    Args:
        plan: of a piece from nothing.
        genre: whose works are chosen from; all where it is none, or has none.
        seed: equal ones, equal forms.

    Returns:
        The same plan where its sections are decided, where it is too short to have any, and
        where no forms are known.
    """
    own = plan.habits.forms.get(genre) if genre else None
    forms = own or [form for known in plan.habits.forms.values() for form in known]
    short = plan.bars is not None and plan.bars < FEWEST_BARS
    if plan.sections_given or short or not forms:
        return plan
    form = forms[int(np.random.default_rng(seed).integers(len(forms)))]
    bars = plan.bars or min(sum(length for _, length in form), plan.most_bars)
    rows = dict(plan.plan_rows)
    for bar, row in section_rows(laid_out(fitted(form, bars)), bars):
        rows[bar] = [row, *rows.get(bar, ())]
    return replace(plan, plan_rows=rows, sections_given=True, bars=bars)


def fitted(form: Form, bars: int) -> list[tuple[str, int]]:
    """Sections of a form that fill so many bars.

    An introduction and an ending keep their places and lengths. Those between come in their
    order and then again (without the first, where the last is the same) until the bars are
    full, the last of them cut short; what would be too short belongs to the one before.

    Args:
        form: name and bars of each section.
        bars: above 0.
    """
    first = list(form[:1]) if _is(form[0], "intro") else []
    last = list(form[-1:]) if _is(form[-1], "ending") else []
    body = list(form[len(first) : len(form) - len(last)])
    room = bars - sum(length for _, length in [*first, *last])
    if not body or room < FEWEST_BARS_A_SECTION:  # one section is all of it
        return [((body or form)[0][0], bars)]
    closes = len(body) > 1 and section_id(body[0][0]) == section_id(body[-1][0])
    made: list[tuple[str, int]] = []
    for name, length in chain(body, cycle(body[1:] if closes else body)):
        if room < FEWEST_BARS_A_SECTION:
            break
        made.append((name, min(length, room)))
        room -= made[-1][1]
    name, length = made.pop()
    return [*first, *made, (name, length + room), *last]


def _is(section: tuple[str, int], name: str) -> bool:
    return section_id(section[0]) == section_id(name)


def laid_out(form: Form, first: int = 1) -> str:
    """`intro:1 a:5 …`, as `sections` are asked for, from bar `first` on."""
    bars = accumulate((length for _, length in form), initial=first)
    return " ".join(f"{name}:{bar}" for (name, _), bar in zip(form, bars, strict=False))
