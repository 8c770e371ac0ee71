"""What a contribution is compared with of each file, kept in the user's cache folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gen.disk import UnfitFileError, write_atomically
from gen.disk.kinds import Spot, open_plain
from gen.disk.reading import CACHE, NamedFileError, read_text
from gen.disk.seals import SEAL_BYTES, Sealer, user_secret
from gen.errors import HouseError
from gen.likeness.fingerprint import Fingerprint, NewPiece
from gen.provenance.tag import Tagged
from gen.smf import parse

_FIRST_LINE = "fingerprints 2 sealed"
"""Of the cache: names its format."""
_PORTION = 256
"""Works that are kept at a time, while many are read."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a contribution is compared with of one tagged file."""

    work: str
    composers: tuple[str, ...]
    music_sha256: str
    musical_hash: str
    fingerprint: Fingerprint

    @staticmethod
    def of(tagged: Tagged, fingerprint: Fingerprint | None = None) -> Kept:
        """Read it from a file, `fingerprint` too where it is not given."""
        statement = tagged.statement
        composers = tuple(person for person, _ in statement.composers)
        found = fingerprint or new_piece(tagged).fingerprint
        return Kept(statement.work, composers, tagged.music_sha256, statement.musical_hash, found)

    def to_json(self) -> str:
        named = (self.work, self.composers, self.music_sha256, self.musical_hash)
        return json.dumps([*named, self.fingerprint.pack()])

    @staticmethod
    def from_json(text: str) -> Kept:
        work, composers, music, sound, packed = json.loads(text)
        fingerprint = Fingerprint.unpack(packed)
        return Kept(str(work), tuple(composers), str(music), str(sound), fingerprint)


def new_piece(tagged: Tagged) -> NewPiece:
    """A work as it is compared, by the roles that its tag names."""
    return NewPiece.of(parse(tagged.music), tagged.statement.description.roles)


class KeptCache:
    """`Kept` by file digest: sealed JSON lines under a first line that names the format.

    A line whose seal does not hold is as if it were not there, and a file that cannot be written
    is no loss. Without a secret of the user's own nothing is kept.
    """

    def __init__(self, folder: Path, house: str) -> None:
        self.path = folder / f"{house}.jsonl"
        secret = user_secret()
        self._sealer = Sealer(secret, _FIRST_LINE) if secret else None
        self._read_rows: dict[str, str] | None = None
        self._used: set[str] = set()
        self._new: list[str] = []

    @property
    def _found(self) -> dict[str, str]:
        """What is there, read when it is first asked for."""
        if self._read_rows is None:
            self._read_rows = dict(self._read())
        return self._read_rows

    def _read(self) -> Iterator[tuple[str, str]]:
        try:
            lines = read_text(self.path, CACHE).splitlines()
        except NamedFileError:
            return
        if lines[:1] == [_FIRST_LINE]:
            for line in lines[1:]:
                yield line[:64], line[65:]

    def _opened(self, file_sha256: str, sealed: str) -> str:
        """A line's text, whose seal is checked only when it is asked for."""
        seal, text = sealed[: 2 * SEAL_BYTES], sealed[2 * SEAL_BYTES + 1 :]
        if self._sealer is None or not self._sealer.holds(
            bytes.fromhex(seal), file_sha256.encode(), text.encode()
        ):
            raise ValueError("its seal does not hold")
        return text

    def has(self, file_sha256: str) -> bool:
        """Whether something was put under this digest; its seal is not looked at."""
        return file_sha256 in self._found

    def get(self, file_sha256: str) -> Kept | None:
        """What was put under this digest."""
        try:
            kept = Kept.from_json(self._opened(file_sha256, self._found[file_sha256]))
        except (KeyError, TypeError, ValueError, HouseError):
            return None
        self._used.add(file_sha256)
        return kept

    def put(self, file_sha256: str, kept: Kept) -> None:
        """Keep it from the next `save` on; a command that is stopped has kept most."""
        if self._sealer is not None:
            text = kept.to_json()
            seal = self._sealer.seal(file_sha256.encode(), text.encode()).hex()
            self._new.append(f"{file_sha256} {seal} {text}\n")
        if len(self._new) >= _PORTION:
            self.save()

    def tidy(self) -> None:
        """When all that is there has been asked for: drop the rest, and save."""
        if not self._used or len(self._used) < len(self._found):
            rows = [f"{digest} {self._found[digest]}\n" for digest in sorted(self._used)]
            text = "".join([f"{_FIRST_LINE}\n", *rows])
            with suppress(OSError):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(self.path, text.encode("utf-8"))
        self.save()

    def save(self) -> None:
        """Add what was put since the last time."""
        with suppress(OSError, UnfitFileError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            spot, flags = Spot(None, str(self.path)), os.O_WRONLY | os.O_CREAT | os.O_APPEND
            with os.fdopen(open_plain(spot, flags), "a", encoding="utf-8") as file:
                file.write("".join([*([] if file.tell() else [f"{_FIRST_LINE}\n"]), *self._new]))
        self._new = []
