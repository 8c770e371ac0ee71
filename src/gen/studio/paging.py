"""Which part of a list an answer holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Query
from pydantic import BaseModel

T = TypeVar("T")
MOST_AT_ONCE = 200


class Page(BaseModel):
    """So many of a list, from the `first` on, counted from 0."""

    first: Annotated[int, Query(ge=0)] = 0
    most: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = MOST_AT_ONCE

    def of(self, found: Sequence[T]) -> Sequence[T]:
        """That part."""
        return found[self.first : self.first + self.most]
