"""What data, training and evaluation ask of a tokenization: music as rows of ids.

T rows, F fields. Id 0 of the first field is padding. The house's events are one; MidiTok's own
are in `miditok_tokens`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gen.tokens import vocabulary as v
from gen.tokens.choice import HOUSE, TokenizerPlugin
from gen.tokens.columns import CONTEXT_SIZES
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
    """The house's compound events, see `vocabulary`."""

    name: str = HOUSE
    fields: tuple[str, ...] = v.FIELDS
    field_sizes: tuple[int, ...] = v.FIELD_SIZES
    context_sizes: tuple[int, ...] = CONTEXT_SIZES
    first_bar_id: int = int(Kind.BAR)
    notes: NDArray[np.int64] = (np.arange(v.FIELD_SIZES[v.KIND]) == Kind.NOTE).astype(np.int64)
    is_house = True

    @property
    def fingerprint(self) -> str:
        return v.fingerprint()

    def to_dict(self) -> None:
        return None


HOUSE_EVENTS = HouseEvents()


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
    from gen.tokens.miditok_tokens import MidiTokTokens

    return MidiTokTokens.from_dict(saved, plugin)
