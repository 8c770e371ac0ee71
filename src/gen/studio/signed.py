"""What people sign in their browsers, as the interface takes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Hex64 = Annotated[str, Field(pattern="^[0-9a-f]{128}$")]
"""A signature: 64 bytes in hex."""


class Signed(BaseModel):
    """What a person signed in their browser, where their key is.

    `time` is in what they signed; `signatures` are those of the change: of a work's statement
    where there is one, of the act, of the log's new head.
    """

    model_config = ConfigDict(extra="forbid")

    time: Annotated[str, Field(max_length=40)]
    signatures: Annotated[list[Hex64], Field(max_length=3)]
