"""Papers in the log: what the house said to others, each by the digest of its file.

A `paper` act says that a curator entered a file with this SHA-256, of which kind it is, and which
model it is about. The file itself is the house's to keep or to give away: whoever has it can tell
by the log whether it is what was entered, by whom and when.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gen.provenance.signing.shapes import Digest, DigestOrNone, Shape


class Paper(Shape, frozen=True):
    """What a `paper` says.

    Attributes:
        kind: what it is, for people: `summary`, `card`, `royalties`.
        sha256: of the file.
        model: SHA-256 of the model's file that it is about; "" for none.
    """

    WHAT: ClassVar[str] = "paper"

    kind: str
    sha256: Digest
    model: DigestOrNone


@dataclass(frozen=True, slots=True)
class PaperAct:
    """A paper as the register keeps it; `time` is what its act says."""

    index: int
    by: str
    keyid: str
    time: str
    paper: Paper
