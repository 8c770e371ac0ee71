"""Papers in the log: what the house said to others, each by the digest of its file.

A `paper` act says that a curator entered a file with this SHA-256, of which kind it is, and which
model it is about. The file itself is the house's to keep or to give away: whoever has it can tell
by the log whether it is what was entered, by whom and when.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from gen.provenance.canonical import StrictJsonError, is_sha256_hex
from gen.provenance.shapes import Digest, Shape


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
    model: str

    def __post_init__(self) -> None:
        if self.model and not is_sha256_hex(self.model):
            raise StrictJsonError("paper: its model is no digest")


@dataclass(frozen=True, slots=True)
class PaperAct:
    """A paper as the register keeps it; `time` is what its act says."""

    index: int
    by: str
    keyid: str
    time: str
    paper: Paper


@dataclass(slots=True)
class Papers:
    """Every paper in the log, in order."""

    acts: list[PaperAct] = field(default_factory=list)

    def of(self, sha256: str) -> list[PaperAct]:
        """The acts that entered a file with this digest."""
        return [act for act in self.acts if act.paper.sha256 == sha256]
