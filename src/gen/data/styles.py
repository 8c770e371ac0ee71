"""Whose style a work is in: learned only where its composer grants a model of themselves.

To write in the style of one composer is what the scope `artist_model:<composer>` is for. A work
bears its composer's style if it grants that scope on the day of the run, besides the purpose that
it was admitted for; the style of a work of several is that of whom most of it is by.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from gen.errors import SettingError
from gen.provenance.admission.corpus import Corpus, Work
from gen.provenance.records.consent import ARTIST_MODEL
from gen.tokens.events import Events
from gen.tokens.vocabulary import MAX_STYLES, Kind

_BEFORE_STYLE = (Kind.BOS, Kind.GENRE, Kind.MOOD, Kind.KEY)


def granted_styles(corpus: Corpus) -> tuple[dict[str, int], dict[str, int]]:
    """Which style is whose, and which work is in which.

    Returns:
        Composer → style, by name of composer, from 0; work id → style. Where more composers
        grant it than there are styles, those with the most works have one.

    Raises:
        SettingError: nobody grants it.
    """
    owners = {work.work_id: owner for work in corpus.admitted if (owner := _owner(work, corpus))}
    counts = Counter(owners.values())
    most = sorted(counts, key=lambda person: (-counts[person], person))[:MAX_STYLES]
    if not most:
        raise SettingError(
            "no composer of an admitted work grants artist_model:<their id> today",
            where="data.styles",
            mend="ask the composers for that consent, or set data.styles=false",
        )
    styles = {person: style for style, person in enumerate(sorted(most))}
    return styles, {work: styles[owner] for work, owner in owners.items() if owner in styles}


def _owner(work: Work, corpus: Corpus) -> str | None:
    """The composer, of those who grant it, whom most of the work is by."""
    granted = [
        (-share, person)
        for person, share in work.composers
        if work.consent.allows(f"{ARTIST_MODEL}:{person}", corpus.judged_on)
    ]
    return min(granted)[1] if granted else None


def with_style(events: Events, style: int | None) -> Events:
    """The work's events with its style in the header, as the tokenizer would tell it."""
    if style is None:
        return events
    place = place_of_style(events)
    return Events.joined([events[:place], Events.style(style), events[place:]])


def place_of_style(events: Events) -> int:
    """The row before which a STYLE stands."""
    return int(np.argmin(events.is_a(*_BEFORE_STYLE)))
