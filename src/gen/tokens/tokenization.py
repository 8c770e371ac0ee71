"""What data, training and evaluation ask of a tokenization: music as rows of ids.

T rows, F fields. Id 0 of the first field is padding. The house's events are one; MidiTok's own
are in `miditok_tokens`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gen.tokens import timing
from gen.tokens import vocabulary as v
from gen.tokens.choice import GRID, HOUSE, PLAYED, TokenizerChoice, TokenizerPlugin
from gen.tokens.columns import context_sizes_of
from gen.tokens.vocabulary import Kind

Ids = NDArray[np.int16]
"""Rows of ids, (T, F)."""


class Tokenization(Protocol):
    """One way to write music as rows of ids.

    Attributes:
        name: one of `choice.NAMES`, or a plug-in's.
        fields: their names, F of them.
        field_sizes: ids in each.
        context_sizes: ids in each column that is seen beside them and never predicted.
        fingerprint: SHA-256; equal fingerprints, equal ids.
        notes: (ids of the first field,) how many notes a row with it begins.
        first_bar_id: rows whose first id is below it stand before the first bar.
    """

    name: str
    fields: tuple[str, ...]
    field_sizes: tuple[int, ...]
    context_sizes: tuple[int, ...]
    notes: NDArray[np.int64]
    first_bar_id: int

    @property
    def fingerprint(self) -> str: ...

    @property
    def is_house(self) -> bool:
        """Whether it is that of the house's events."""
        ...

    def to_dict(self) -> dict[str, Any] | None:
        """What a checkpoint keeps of it; None where its code says it all."""
        ...


class HouseEvents:
    """The house's compound events, see `vocabulary`; of `PLAYED` timing, see `timing`."""

    name: str = HOUSE
    first_bar_id: int = int(Kind.BAR)
    notes: NDArray[np.int64] = (np.arange(v.FIELD_SIZES[v.KIND]) == Kind.NOTE).astype(np.int64)
    is_house = True

    def __init__(self, timing_: str = GRID) -> None:
        self.timing = timing_
        words = timing if timing_ == PLAYED else v
        self.fields: tuple[str, ...] = words.FIELDS
        self.field_sizes: tuple[int, ...] = words.FIELD_SIZES
        self.context_sizes = context_sizes_of(len(self.fields))

    @property
    def fingerprint(self) -> str:
        return timing.fingerprint() if self.timing == PLAYED else v.fingerprint()

    def to_dict(self) -> dict[str, Any] | None:
        return {"name": HOUSE, "timing": self.timing} if self.timing == PLAYED else None


HOUSE_EVENTS = HouseEvents()
PLAYED_EVENTS = HouseEvents(PLAYED)


def house_events(chosen: TokenizerChoice) -> HouseEvents:
    """The house's events with the timing that is chosen."""
    return PLAYED_EVENTS if chosen.timing == PLAYED else HOUSE_EVENTS


def tokenization_of(
    saved: Mapping[str, Any] | None, plugin: TokenizerPlugin | None = None
) -> Tokenization:
    """The tokenization that a checkpoint kept.

    Args:
        saved: from its file.
        plugin: that its manifest names; None where there is none.

    Raises:
        HouseError: it is none that this version writes.
    """
    if saved is None:
        return HOUSE_EVENTS
    if saved == PLAYED_EVENTS.to_dict():
        return PLAYED_EVENTS
    from gen.tokens.miditok_tokens import MidiTokTokens

    return MidiTokTokens.from_dict(saved, plugin)
