"""Other processes verify files of a house, a few ahead of the gate that judges them.

They are given bytes that this process has read and say whether all that follows from these alone
is right: no mark of a generated piece, layout and tag, signatures by the keys that they name, music
read strictly that sounds as the tag says. Such files are then among those that passed
(`gen.provenance.passed`), by the digest of those bytes; the gate reads and hashes every file itself
and judges the rest. Of what is wrong they say nothing: the gate finds it and says so in its words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Self

from gen import processes
from gen.disk import UnfitFileError
from gen.provenance.canonical import sha256_hex
from gen.provenance.dsse import is_signed_by
from gen.provenance.mark import is_generated
from gen.provenance.passed import PassedFiles, packed
from gen.provenance.register import Register
from gen.provenance.store import MAX_FILE_BYTES, Store
from gen.provenance.tag import TagError, Tagged, read_tag
from gen.smf import RuleBroken, musical_hash, parse

MANY = 1000
"""Files to verify from which on further processes repay their start."""
_AHEAD = 8
"""Files that wait for each process, at most."""


class VerifyingAhead:
    """Used as a context manager; without `MANY` files that are new, nothing is started.

    Args:
        store: the house's files.
        register: its register; who is no work of it is left to the gate.
        passed: takes the files that are right.
        places: all files, in the order in which they are judged.
    """

    def __init__(
        self, store: Store, register: Register, passed: PassedFiles, places: Sequence[str]
    ) -> None:
        self._store, self._passed = store, passed
        new = [place for place in places if _is_new(place, register, passed)]
        self._new = iter(new)
        self._futures: dict[str, Future[tuple[str, bytes] | None]] = {}
        count = min(processes.cores(), processes.MOST) if len(new) >= MANY else 1
        self._most = _AHEAD * count if count > 1 else 0
        keys = {keyid: key.public for keyid, (_, key) in register.roster.owners.items()}
        self._pool = processes.pool(count, _begin, keys) if self._most else None

    def await_file(self, place: str) -> None:
        """Return once what other processes have begun to verify of this file is known."""
        self._send()
        future = self._futures.pop(place, None)
        if future is None or future.cancel():  # nobody has begun with it
            return
        try:
            found = future.result()
        except BrokenProcessPool:  # a process was ended from outside
            self._most = 0
            return
        if found is not None:
            self._passed.put(*found)

    def _send(self) -> None:
        while self._pool and len(self._futures) < self._most and (place := next(self._new, None)):
            try:
                data = self._store.read(place, MAX_FILE_BYTES)
                self._futures[place] = self._pool.submit(verified, data)
            except BrokenProcessPool:
                self._most = 0
            except (OSError, UnfitFileError):  # the gate is told why
                continue

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _is_new(place: str, register: Register, passed: PassedFiles) -> bool:
    record = register.at(place)
    return (
        record is not None
        and record.withdrawn_at is None
        and not passed.has(record.entry.file_sha256)
    )


_keys: Mapping[str, bytes]  # of a process that helps: public keys by their ids


def _begin(keys: Mapping[str, bytes]) -> None:
    global _keys
    _keys = keys


def verified(data: bytes) -> tuple[str, bytes] | None:
    """Digest and tag of a file that is right as far as its bytes say; None for any other."""
    try:
        tagged = read_tag(data)
        is_right = (
            not is_generated(data)
            and musical_hash(parse(tagged.music)) == tagged.statement.musical_hash
            and _is_signed(tagged)
        )
    except (TagError, RuleBroken):
        return None
    return (sha256_hex(data), packed(tagged)) if is_right else None


def _is_signed(tagged: Tagged) -> bool:
    """Whether each signature is that of the key that it names."""
    envelope = tagged.envelope
    return all(
        (key := _keys.get(signature.keyid)) is not None
        and is_signed_by(signature, key, envelope.payload_type, envelope.payload)
        for signature in envelope.signatures
    )
