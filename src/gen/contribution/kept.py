"""What a contribution is compared with of each file, kept in the user's cache folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gen.disk import UnfitFileError, write_atomically
from gen.disk.kinds import Spot, open_plain
from gen.disk.reading import CACHE, NamedFileError, opened, read_text
from gen.disk.seals import SEAL_BYTES, Sealer, user_secret
from gen.errors import HouseError
from gen.likeness.fingerprint import Fingerprint, NewPiece
from gen.provenance.records.tag import Tagged
from gen.smf import parse

_FIRST_LINE = "fingerprints 2 sealed"
"""Of the cache: names its format."""
_LETTERS = 2
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

    They lie in files by the first two letters of the digests, so that few are read for one work. A
    line whose seal does not hold is as if it were not there, and a file that cannot be written is
    no loss. Without a secret of the user's own nothing is kept.
    """

    def __init__(self, folder: Path, house: str) -> None:
        self._folder = folder / f"{house}.works"
        secret = user_secret()
        self._sealer = Sealer(secret, _FIRST_LINE) if secret else None
        self._read: dict[str, dict[str, str]] = {}
        self._used: set[str] = set()
        self._new: dict[str, str] = {}

    def path_of(self, file_sha256: str) -> Path:
        """The file in which this digest would be."""
        return self._folder / f"{file_sha256[:_LETTERS]}.jsonl"

    def _rows_beside(self, file_sha256: str) -> dict[str, str]:
        """What is there of the digests that begin as this one, read when it is first asked for."""
        letters = file_sha256[:_LETTERS]
        if letters not in self._read:
            self._read[letters] = dict(_rows_in(self.path_of(file_sha256)))
        return self._read[letters]

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
        return file_sha256 in self._rows_beside(file_sha256)

    def get(self, file_sha256: str) -> Kept | None:
        """What was put under this digest."""
        try:
            sealed = self._rows_beside(file_sha256)[file_sha256]
            kept = Kept.from_json(self._opened(file_sha256, sealed))
        except (KeyError, TypeError, ValueError, HouseError):
            return None
        self._used.add(file_sha256)
        return kept

    def put(self, file_sha256: str, kept: Kept) -> None:
        """Keep it from the next `save` on; a command that is stopped has kept most."""
        self._used.add(file_sha256)
        if self._sealer is not None:
            text = kept.to_json()
            seal = self._sealer.seal(file_sha256.encode(), text.encode()).hex()
            self._new[file_sha256] = f"{seal} {text}"
        if len(self._new) >= _PORTION:
            self.save()

    def tidy(self) -> None:
        """When all that is there has been asked for: drop the rest, and save."""
        self.save()
        for path in sorted(self._folder.glob("*.jsonl")):
            rows = list(_rows_in(path))
            used = {digest: row for digest, row in rows if digest in self._used}
            if len(used) < len(rows):
                _write_rows(path, used)

    def save(self) -> None:
        """Add what was put since the last time."""
        together: dict[Path, dict[str, str]] = {}
        for digest, row in self._new.items():
            together.setdefault(self.path_of(digest), {})[digest] = row
        for path, rows in together.items():
            if _is_whole(path):
                with suppress(OSError, UnfitFileError):
                    spot, flags = Spot(None, str(path)), os.O_WRONLY | os.O_APPEND
                    with os.fdopen(open_plain(spot, flags), "ab") as file:
                        file.write(_lines(rows))
            else:
                _write_rows(path, {**dict(_rows_in(path)), **rows})
        self._new = {}


def _lines(rows: Mapping[str, str]) -> bytes:
    return "".join(f"{digest} {row}\n" for digest, row in rows.items()).encode()


def _write_rows(path: Path, rows: Mapping[str, str]) -> None:
    """Have a file hold these and nothing else."""
    with suppress(OSError):
        write_atomically(path, f"{_FIRST_LINE}\n".encode() + _lines(rows))


def _is_whole(path: Path) -> bool:
    """Whether a file begins as one of this format, and its last line has an end."""
    try:
        with opened(path, CACHE) as file:
            first = file.readline(len(_FIRST_LINE) + 1)
            file.seek(-1, os.SEEK_END)
            return first == f"{_FIRST_LINE}\n".encode() and file.read(1) == b"\n"
    except (NamedFileError, OSError):
        return False


def _rows_in(path: Path) -> Iterator[tuple[str, str]]:
    """Digest and sealed text of each line."""
    try:
        lines = read_text(path, CACHE).splitlines()
    except NamedFileError:
        return
    if lines[:1] == [_FIRST_LINE]:
        for line in lines[1:]:
            yield line[:64], line[65:]
