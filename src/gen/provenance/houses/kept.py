"""The register as this user's own commands verified it, so that the next one reads only the rest.

Beside the signed log, in the user's cache folder, lies what it amounted to when it was last read:
all of `Register`, and a SHA-256 over the bytes that it was made of. It may be removed at any time.

What is kept is believed only where
1. its seal holds (`gen.disk.seals`): this user's own program wrote it, of this very source code;
2. the log still begins with the very bytes it was made of, all of which are hashed every time;
3. the pin is on the way from there to here: its root hash is that of the tree at its size, and
   acts that were once taken on a pin's word are not more than this pin vouches for.
Otherwise the log is read from its first line, which says what is wrong, if anything is. The lines
that came since are verified one by one; consent, keys, expiry and files are judged anew always.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from gen.disk import real_path
from gen.disk.reading import MEBIBYTE
from gen.disk.sealed import SealedFile, user_folder
from gen.provenance.history.log import Head, Log
from gen.provenance.history.record import WorkRecord
from gen.provenance.history.register import Register
from gen.provenance.records.pin import Pin, PinError
from gen.provenance.signing.code import source_digest

_LEAST_ACTS = 256
_SHARE = 64
"""It is written anew when so many acts, or such a part of all, were replayed since."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the file holds.

    Attributes:
        log_sha256: of the log's bytes that it was made of.
        register: all of it but the records of works.
        works: these, packed.
    """

    log_sha256: bytes
    register: Register
    works: dict[str, msgspec.Raw]


class _Records(dict[str, Any]):
    """Records of works, each unpacked when it is first asked for: most commands ask for one."""

    _decoder = msgspec.msgpack.Decoder(WorkRecord)

    def __getitem__(self, work: str) -> WorkRecord:
        found = super().__getitem__(work)
        if isinstance(found, msgspec.Raw):
            found = self[work] = self._decoder.decode(found)
        record: WorkRecord = found
        return record

    def get(self, work: str, default: Any = None) -> Any:
        try:
            return self[work]
        except KeyError:
            return default

    def values(self) -> Iterator[WorkRecord]:  # type: ignore[override]
        return (self[work] for work in self)

    def items(self) -> Iterator[tuple[str, WorkRecord]]:  # type: ignore[override]
        return ((work, self[work]) for work in self)


class KeptRegister:
    """The register of one house, kept for one user.

    Args:
        log: the house's.
        pin: what is known of the house beforehand.
    """

    def __init__(self, log: Log, pin: Pin) -> None:
        self._log, self._pin = log, pin
        path = user_folder("register") / name_of_house(pin)
        self._file = SealedFile(path, f"register of {source_digest('provenance')}")

    def read(self, head: Head, *, full: bool) -> Register | None:
        """The register of an earlier command, to be gone on from; None where none can be believed.

        Args:
            head: of the log as it is now.
            full: take no signature on the pin's word.
        """
        kept = self._opened()
        if kept is None or kept.register.head is None:
            return None
        register, known = kept.register, kept.register.head
        is_prefix = known.size <= head.size and known.byte_count <= head.byte_count
        trusted = 0 if full else self._pin.min_size
        if not is_prefix or register.trusted_size > trusted or not self._is_on_the_way(register):
            return None
        return register if self._digest(known.byte_count) == kept.log_sha256 else None

    def save(self, register: Register, replayed: int) -> None:
        """Keep a verified register, when enough of it was replayed to be worth it.

        Args:
            register: loaded, with its head.
            replayed: how many of its acts were.
        """
        if register.head is None or replayed < max(_LEAST_ACTS, register.size // _SHARE):
            return
        digest = hashlib.sha256()
        for line in self._log.lines(register.head):  # once more, held against the head
            digest.update(line + b"\n")
        works: Any = register.works
        kept = _Kept(digest.digest(), replace(register, works={}), works)
        self._file.write(msgspec.msgpack.encode(kept))

    def _opened(self) -> _Kept | None:
        data = self._file.read()
        if data is None:
            return None
        with _without_collecting():
            kept = msgspec.msgpack.decode(data, type=_Kept)
        kept.register.works = _Records(kept.works)
        return kept

    def _is_on_the_way(self, register: Register) -> bool:
        """Whether the pin fits what is kept, or is met later."""
        pin = self._pin
        if pin.min_size > register.size:
            return True
        try:
            pin.check_roots(register.roster_at(pin.min_size))
        except PinError:
            return False
        known = register.head
        if known and known.size == pin.min_size:
            return known.root == pin.root_hash
        return register.root_at(pin.min_size) == pin.root_hash

    def _digest(self, byte_count: int) -> bytes:
        """SHA-256 of the log's first bytes; of fewer where there are fewer."""
        digest, left = hashlib.sha256(), byte_count
        with self._log.open() as file:
            while left and (block := file.read(min(left, MEBIBYTE))):
                digest.update(block)
                left -= len(block)
        return digest.digest()


def name_of_house(pin: Pin) -> str:
    """A file's name for what is kept of the house in this folder."""
    place = hashlib.sha256(str(real_path(pin.dir)).encode()).hexdigest()[:16]
    return f"{pin.name}-{place}"


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Many objects are made, none of them garbage: looking for it would take as long again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
