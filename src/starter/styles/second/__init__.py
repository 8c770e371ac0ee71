"""The second volume's ways to play each genre, one module per program voice.

Where the first volume teaches a genre's craft, these differ in how works begin, speak and end:
without an introduction, with a pick-up or a riff first, in dialogue, with another key at the
climax, slowing down in several ways or not at all.
"""

from __future__ import annotations

from starter.arrangement import Arrangement
from starter.styles.second import groove, lyric, night, stage

_BY_GENRE = {**lyric.ARRANGEMENTS, **stage.ARRANGEMENTS, **groove.ARRANGEMENTS,
             **night.ARRANGEMENTS}  # fmt: skip


def arrangements(genre: str) -> tuple[Arrangement, ...]:
    """The second volume's ways to play a genre."""
    return _BY_GENRE[genre]
