"""Files that passed the gate before, by the SHA-256 of their bytes, kept for this user's next pass.

What is kept depends on a file's bytes alone: that no mark of a generated piece is in it, that its
layout and tag are right, that its signatures are those of the keys that they name, and that its
music was read strictly and sounds as the tag says. Every pass reads every file and hashes it; who
the keys belong to and whether they may sign, entry, withdrawal, consent and what models wrote are
judged anew. Sealed like all that is kept; what other code found counts for nothing.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from gen.disk.sealed import SealedFile, user_folder
from gen.provenance.houses.kept import name_of_house
from gen.provenance.records.pin import Pin
from gen.provenance.records.tag import Tagged
from gen.provenance.signing.code import source_digest

_LEAST_FILES = 64
_SHARE = 64
"""It is written anew when so many files, or such a part of all, were found or are gone since."""


class PassedFiles:
    """Their tags, without music, by the files' digests.

    Args:
        pin: of the house that they are in.
    """

    def __init__(self, pin: Pin) -> None:
        path = user_folder("passed") / name_of_house(pin)
        code = f"{source_digest('provenance')} {source_digest('smf')}"
        self._file = SealedFile(path, f"passed files by {code}")
        data = self._file.read()
        self._kept = {} if data is None else msgspec.msgpack.decode(data, type=dict[str, bytes])
        self._met: dict[str, bytes] = {}

    def get(self, file_sha256: str) -> Tagged | None:
        """The tag of a file with these bytes, its signatures verified; None if it is not known."""
        data = self._kept.get(file_sha256) or self._met.get(file_sha256)
        if data is None:
            return None
        self._met[file_sha256] = data
        return replace(msgspec.msgpack.decode(data, type=Tagged), is_verified=True)

    def has(self, file_sha256: str) -> bool:
        """Whether a file with these bytes is known."""
        return file_sha256 in self._kept or file_sha256 in self._met

    def put(self, file_sha256: str, tag: bytes) -> None:
        """This file, with its `packed` tag, passed everything that depends on its bytes alone."""
        self._met[file_sha256] = tag

    def save(self) -> None:
        """Keep what was met, when enough has changed to be worth it."""
        changed = len(self._met.keys() ^ self._kept.keys())
        if changed >= max(_LEAST_FILES, len(self._met) // _SHARE):
            self._file.write(msgspec.msgpack.encode(self._met))


def packed(tagged: Tagged) -> bytes:
    """A tag without the music, as it is kept."""
    return msgspec.msgpack.encode(replace(tagged, music=b""))
