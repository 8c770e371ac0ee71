"""A proof of fraud: two signed heads of one log that cannot both be true, for anybody to check.

```
{"format": 1,
 "notes": [smaller, larger],    the two notes, whole
 "old_root": "…",               of different sizes: the root that the larger log had at the
                                smaller size, hex; empty where the sizes are the same
 "path": ["…"]}                 the consistency proof that shows it, hex
```

Two heads of one size and with different roots contradict each other by themselves. Of different
sizes, the larger tree determines what its beginning hashed to; the consistency proof shows that
root, and it is another than the one that was signed. `scripts/witness.py fraud` checks the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar, Literal

import msgspec

from gen.errors import HouseError
from gen.provenance.signing.canonical import strict_json
from gen.provenance.signing.merkle import consistency_proof, root_of, verify_consistency
from gen.provenance.signing.notes import LOG_KEY, NoteKey, SignedNote
from gen.provenance.signing.shapes import Digest, DigestOrNone, Shape

MAX_PATH = 64


class _FraudProof(Shape, frozen=True):
    WHAT: ClassVar[str] = "proof of fraud"

    format: Literal[1]
    notes: tuple[str, str]
    old_root: DigestOrNone
    path: Annotated[tuple[Digest, ...], msgspec.Meta(max_length=MAX_PATH)]


class FraudError(HouseError):
    """Two heads that do not contradict each other, or a proof that does not show that they do."""


def prove_fraud(first: SignedNote, second: SignedNote, logs: Iterable[Sequence[bytes]]) -> bytes:
    """A proof that two notes of one log contradict each other.

    Args:
        first: a note.
        second: another one.
        logs: leaf hashes of logs; for different sizes, one of them is that of the larger note.

    Raises:
        FraudError: they do not, or the larger note's log is not here.
    """
    small, large = sorted((first, second), key=lambda note: note.size)
    _check_pair(small, large)
    old_root, path = b"", []
    if small.size != large.size:
        leaves = _leaves_of(large, logs)
        old_root = root_of(leaves[: small.size])
        path = consistency_proof(leaves, small.size)
    if (old_root or large.root) == small.root:
        raise FraudError("the two heads are of one history: the larger extends the smaller")
    found = _FraudProof(
        1,
        (small.encode().decode(), large.encode().decode()),
        old_root.hex(),
        tuple(node.hex() for node in path),
    )
    return json.dumps(found.to_dict(), indent=1, ensure_ascii=False).encode() + b"\n"


def signers_of_both(data: bytes, keys: Iterable[NoteKey]) -> list[str]:
    """Which of these keys' signatures are under two heads that cannot both be true.

    Args:
        data: what `prove_fraud` wrote, or a witness kept as evidence.
        keys: of logs and of witnesses.

    Raises:
        FraudError: the two heads do not contradict each other.
        StrictJsonError, NoteError: no proof of fraud.
    """
    small, large, old_root, path = _decoded(data)
    _check_pair(small, large)
    if small.size == large.size:
        old_root, path = large.root, []
    if old_root == small.root or not verify_consistency(
        small.size, old_root, large.size, large.root, path
    ):
        raise FraudError("the two heads do not contradict each other")
    return [key.name for key in keys if _signed(small, key) and _signed(large, key)]


def _decoded(data: bytes) -> tuple[SignedNote, SignedNote, bytes, list[bytes]]:
    found = _FraudProof.from_dict(strict_json(data))
    small, large = (SignedNote.parse(text.encode()) for text in found.notes)
    return small, large, bytes.fromhex(found.old_root), list(map(bytes.fromhex, found.path))


def _check_pair(small: SignedNote, large: SignedNote) -> None:
    if small.origin != large.origin:
        raise FraudError(f"the notes are of two logs, {small.origin} and {large.origin}")
    if not 0 < small.size <= large.size:
        raise FraudError("the smaller of two heads comes first, and neither is empty")


def _leaves_of(note: SignedNote, logs: Iterable[Sequence[bytes]]) -> Sequence[bytes]:
    for leaves in logs:
        if len(leaves) >= note.size and root_of(leaves[: note.size]) == note.root:
            return leaves[: note.size]
    raise FraudError(
        f"nothing here has the {note.size} acts of the larger head, which are needed to show what "
        "its beginning was",
        mend="name the folder of that house, or of a copy of its records, instead of its note",
    )


def _signed(note: SignedNote, key: NoteKey) -> bool:
    return note.is_signed_by(key) if key.kind == LOG_KEY else bool(note.cosignatures(key))
