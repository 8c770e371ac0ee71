"""What requests have in common: a page of a list, what was signed in a browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

T = TypeVar("T")
MOST_AT_ONCE = 200

Hex64 = Annotated[str, Field(pattern="^[0-9a-f]{128}$")]
"""A signature: 64 bytes in hex."""


class Signed(BaseModel, extra="forbid"):
    """What a person signed in their browser, where their key is.

    `time` is in what they signed; `signatures` are those of the change: of a work's statement
    where there is one, of the act, of the log's new head.
    """

    time: Annotated[str, Field(max_length=40)]
    signatures: Annotated[list[Hex64], Field(max_length=3)]


class Page(BaseModel):
    """So many of a list, from the `first` on, counted from 0."""

    first: Annotated[int, Query(ge=0)] = 0
    most: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = MOST_AT_ONCE

    def of(self, found: Sequence[T]) -> Sequence[T]:
        """That part."""
        return found[self.first : self.first + self.most]
