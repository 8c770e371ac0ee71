"""A run's transcript: what it had become at regular steps, and what it learned from in between.

A file of canonical JSON lines (`gen.provenance.signing.canonical`), each ended by a newline. The
first says which run it is:

    {"begin_sha256":…,"every":50,"format":"gen transcript 1"}

`begin_sha256` is SHA-256 over the canonical JSON of the data of the run's begin act, without its
`name` and `continues`; `every` is how many steps lie between two marks. Each other line is a mark,
the first of them before any step, the last after the last one:

    {"batches":50,"previous":…,"state_sha256":…,"step":50,"weights_sha256":…,"windows_sha256":…}

`previous` is SHA-256 of the line before, without its newline; the same of the last line is the
root, which the end act names. `weights_sha256` is over the tensors of the model and
`state_sha256` over those of the whole state, both as `model_file.tensors_digest` counts them.
The random numbers of a step follow from the run's seed and the step, its batches from the seed and
their number, so that `step` and `batches` are all there is of them. `windows_sha256` is over the
digests of the batches since the mark before, 32 bytes each (`gen.data.batches.digest_of`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from gen.disk.reading import TRANSCRIPT, read
from gen.errors import HouseError
from gen.provenance.signing.canonical import (
    StrictJsonError,
    canonical,
    canonical_json,
    is_sha256_hex,
    sha256_hex,
)
from gen.provenance.signing.shapes import Digest, Shape

FILE = "transcript.jsonl"
FORMAT: Final = "gen transcript 1"


class Mark(
    Shape, frozen=True, rename={name: f"{name}_sha256" for name in ("windows", "weights", "state")}
):
    """What a run was after so many steps.

    Attributes:
        step: how many were done.
        batches: how many batches they took.
        windows: digest of the batches since the mark before.
        weights: digest of the model's tensors.
        state: digest of all tensors that the next step depends on.
    """

    WHAT: ClassVar[str] = "mark"

    step: int
    batches: int
    windows: Digest
    weights: Digest
    state: Digest


class _Head(Shape, frozen=True, tag_field="format", tag=FORMAT):
    """The first line."""

    WHAT: ClassVar[str] = "transcript"

    begin_sha256: Digest
    every: int


@dataclass(frozen=True, slots=True)
class Transcript:
    """The marks of a run.

    Attributes:
        begin: digest of what its begin act says (`Begin.digest`).
        every: steps from a mark to the next; the last stretch may be shorter.
        marks: from step 0 on; segment k, counted from 1, lies between marks k - 1 and k.
    """

    begin: str
    every: int
    marks: tuple[Mark, ...]

    @property
    def segments(self) -> int:
        return len(self.marks) - 1

    def lines(self) -> list[bytes]:
        """Its lines, without their newlines."""
        found = [canonical(_Head(self.begin, self.every).to_dict())]
        for mark in self.marks:
            found.append(canonical({**mark.to_dict(), "previous": sha256_hex(found[-1])}))
        return found

    def encode(self) -> bytes:
        """The file."""
        return b"".join(line + b"\n" for line in self.lines())

    @property
    def root(self) -> str:
        """What the end act names: SHA-256 of the last line."""
        return sha256_hex(self.lines()[-1])

    @staticmethod
    def decode(data: bytes) -> Transcript:
        """Read what `encode` wrote.

        Raises:
            StrictJsonError: anything else, also a line that is not chained to the one before.
        """
        first, *rest = data.removesuffix(b"\n").split(b"\n")
        head = _Head.from_dict(canonical_json(first))
        found = Transcript(head.begin_sha256, head.every, tuple(map(_mark, rest)))
        if found.encode() != data:
            raise StrictJsonError("a line of the transcript is not chained to the one before")
        steps = [mark.step for mark in found.marks]
        if not steps or steps[0] != 0 or steps != sorted(set(steps)):
            raise StrictJsonError("the marks of the transcript are not in order, from step 0 on")
        return found


def _mark(line: bytes) -> Mark:
    found = canonical_json(line)
    if not isinstance(found, dict) or not is_sha256_hex(found.pop("previous", None)):
        raise StrictJsonError("a mark of the transcript names no line before it")
    return Mark.from_dict(found)


def read_transcript(path: Path) -> Transcript:
    """The transcript in a file.

    Raises:
        HouseError: it cannot be read, or is none.
    """
    try:
        return Transcript.decode(read(path, TRANSCRIPT))
    except StrictJsonError as error:
        raise HouseError(
            error.what, where=str(path), mend="take the file that the run left beside its model"
        ) from error
