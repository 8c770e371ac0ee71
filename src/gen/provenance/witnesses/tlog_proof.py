"""A proof that other tools read: an act is in a log that witnesses have seen (C2SP tlog-proof).

```
c2sp.org/tlog-proof@v1
extra <base64>          the act's line, which is the entry of the log
index 73                its number
<base64>                its path in the tree, a hash a line, nearest first
                        an empty line
<the note>              with the signatures of the log and of its witnesses
```

The entry's hash is SHA-256 of a zero byte and the line. What such a proof does not show is that
the act was its author's to do: `house.py prove` without `--tlog` does.

Source: https://c2sp.org/tlog-proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gen.errors import HouseError
from gen.provenance.history.register import Register
from gen.provenance.records.pin import Pin
from gen.provenance.records.witness_policy import first_seen, seen_times, sightings, spelled
from gen.provenance.signing.canonical import StrictJsonError, from_base64, to_base64
from gen.provenance.signing.merkle import inclusion_proof, leaf_hash, verify_inclusion
from gen.provenance.signing.notes import SignedNote

FIRST_LINE = b"c2sp.org/tlog-proof@v1\n"
MAX_PATH = 63
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})\Z")


class TlogProofError(HouseError):
    """A proof of this kind that is misspelt, or does not prove what it says."""


def best_note(notes: Iterable[SignedNote], index: int) -> SignedNote:
    """The note to prove an act under: the one with most signatures, of those the newest.

    Raises:
        TlogProofError: no note is as long.
    """
    found = [note for note in notes if note.size > index]
    if not found:
        raise TlogProofError(
            f"no signed note of the log has act {index}", mend="python scripts/house.py witness"
        )
    return max(found, key=lambda note: (len(note.signatures), note.size))


def tlog_proof(register: Register, note: SignedNote, index: int, line: bytes) -> bytes:
    """A proof that `line` is act `index` under this note, which is true of the register."""
    path = inclusion_proof(register.leaves[: note.size], index)
    lines = [f"extra {to_base64(line)}", f"index {index}", *map(to_base64, path)]
    return FIRST_LINE + "\n".join(lines).encode() + b"\n\n" + note.encode()


def check_tlog_proof(data: bytes, pin: Pin) -> tuple[int, bytes, str]:
    """Check a proof against the log's key and the witnesses in a pin.

    Args:
        data: the proof, whole.
        pin: names the log's key, and who has to have seen the note.

    Returns:
        The act's index, its line, and what is proved, in words.

    Raises:
        TlogProofError, NoteError: it does not hold.
    """
    index, line, path, note = _parsed(data)
    if pin.log is None:
        raise TlogProofError("the pin names no key of the log", mend="take the house's newest pin")
    if note.origin != pin.log.name or not note.is_signed_by(pin.log):
        raise TlogProofError("the log's key, which the pin names, did not sign the note inside")
    if not verify_inclusion(leaf_hash(line), index, note.size, path, note.root):
        raise TlogProofError(f"act {index} is not under the note inside")
    known = (note.size, note.root.hex())
    if note.size == pin.min_size and known != (pin.min_size, pin.root_hash):
        raise TlogProofError("its log is another than the pinned one")
    return (
        index,
        line,
        f"act {index} is in the log {note.origin} of {note.size} acts; " + _seen(note, pin, index),
    )


def _seen(note: SignedNote, pin: Pin, index: int) -> str:
    policy = pin.witnesses
    if not policy.witnesses:
        return "the pin names no witnesses"
    found = sightings([note], policy)
    names = sorted({sighting.witness for sighting in found})
    first = first_seen(seen_times(found, policy.need), index)
    if first is None:
        raise TlogProofError(
            f"{len(names)} of the pin's witnesses signed it, {policy.need} are needed",
            mend="ask the house for one made after house.py witness",
        )
    return f"seen by {', '.join(names)}, by {spelled(first)} at the latest"


def _parsed(data: bytes) -> tuple[int, bytes, list[bytes], SignedNote]:
    try:
        head, gap, note = data.removeprefix(FIRST_LINE).decode().partition("\n\n")
        extra, numbered, *path = head.split("\n")
        index = _INDEX.match(numbered)
        hashes = list(map(from_base64, path))
        if not gap or not data.startswith(FIRST_LINE) or not index or len(path) > MAX_PATH:
            raise TlogProofError("no proof of this kind")
        if not extra.startswith("extra ") or any(len(found) != 32 for found in hashes):
            raise TlogProofError("no proof that this house wrote: the act's line is not in it")
        found = from_base64(extra.removeprefix("extra "))
        return int(index[1]), found, hashes, SignedNote.parse(note.encode())
    except (UnicodeDecodeError, StrictJsonError, ValueError) as error:
        raise TlogProofError(f"no proof of this kind: {error}") from error
