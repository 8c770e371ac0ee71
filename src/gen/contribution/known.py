"""Everything a contribution to a house is compared with, ready to search.

Lines of works already read are kept in the user's cache folder by the files' digests, so that
one more contribution to a large house takes seconds. A cache that cannot be read is rebuilt.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gen.errors import HouseError
from gen.provenance import ledger
from gen.provenance.files import read_plain_file, write_atomically
from gen.provenance.house import House
from gen.provenance.inbox import MAX_FILE_BYTES, waiting_paths
from gen.provenance.register import Register, WorkRecord
from gen.provenance.screen import (
    OUTPUT,
    WORK,
    Known,
    Screen,
    Thresholds,
    read_fingerprints,
    voices_of_work,
)
from gen.provenance.tag import read_tag
from gen.provenance.voices import Voice, pack_voices, unpack_voices
from gen.provenance.works import kept_work

_CACHE_FORMAT = 1


@dataclass(slots=True)
class KnownMusic:
    """A house's music as contributions meet it.

    Attributes:
        screen: finds what is alike.
        waiting: musical hash → id of works in the inbox.
        generated: musical hashes of logged outputs.
        unread: places of works that could not be compared, with the reason.
    """

    screen: Screen
    waiting: dict[str, str] = field(default_factory=dict)
    generated: frozenset[str] = frozenset()
    unread: list[str] = field(default_factory=list)


def load_known(
    house: House,
    register: Register,
    thresholds: Thresholds,
    fingerprints: tuple[Path, ...] = (),
    cache_folder: Path | None = None,
) -> KnownMusic:
    """Read what the house has: works, withdrawn works, inbox, outputs, fingerprint lists.

    Args:
        house: where.
        register: its register.
        thresholds: for the screen.
        fingerprints: files of rights-holders.
        cache_folder: another one than the user's own.

    Raises:
        HouseError: a list of fingerprints or the ledger cannot be read.
    """
    known = KnownMusic(Screen(thresholds), generated=ledger.generated_hashes(house))
    cache = _VoiceCache(cache_folder or _default_cache_folder(), house.pin.name)
    for record in register.works.values():
        _add_work(known, house, record, cache)
    for path in waiting_paths(house):
        _add_waiting(known, path)
    for entry in ledger.records(house):
        if entry.kind == ledger.OUTPUT and entry.data.get("fingerprint"):
            name = str(entry.data.get("path") or entry.data["receipt"])
            known.screen.add(Known(OUTPUT, name), unpack_voices(entry.data["fingerprint"]))
    for path in fingerprints:
        for listed, voices in read_fingerprints(path):
            known.screen.add(listed, voices)
    cache.save()
    return known


def _add_work(known: KnownMusic, house: House, record: WorkRecord, cache: _VoiceCache) -> None:
    entry = record.entry
    voices = cache.get(entry.file_sha256)
    if voices is None:
        try:
            voices = voices_of_work(kept_work(house, record))
        except (HouseError, OSError) as error:
            if record.withdrawn_at is None:
                known.unread.append(f"{entry.path}: {getattr(error, 'what', error)}")
            return
        cache.put(entry.file_sha256, voices)
    composers = tuple(person for person, _ in entry.composers)
    known.screen.add(Known(WORK, entry.work, composers), voices)


def _add_waiting(known: KnownMusic, path: Path) -> None:
    try:
        tagged = read_tag(read_plain_file(path, MAX_FILE_BYTES))
        voices = voices_of_work(tagged)
    except (HouseError, OSError) as error:
        known.unread.append(f"inbox/{path.name}: {getattr(error, 'what', error)}")
        return
    statement = tagged.statement
    composers = tuple(person for person, _ in statement.composers)
    known.waiting[statement.musical_hash] = statement.work
    known.screen.add(Known(WORK, statement.work, composers), voices)


def _default_cache_folder() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("music-house", appauthor=False) / "screening"


class _VoiceCache:
    """Voices by file digest: JSON lines under a first line that names the format."""

    def __init__(self, folder: Path, house: str) -> None:
        self.path = folder / f"{house}.jsonl"
        self._lines = dict(self._read())
        self._is_changed = False

    def _read(self) -> Iterator[tuple[str, str]]:
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return
        if lines[:1] == [self._first_line()]:
            for line in lines[1:]:
                yield line[:64], line[65:]

    @staticmethod
    def _first_line() -> str:
        return f"voices {_CACHE_FORMAT}"

    def get(self, file_sha256: str) -> tuple[Voice, ...] | None:
        try:
            return unpack_voices(json.loads(self._lines[file_sha256]))
        except (KeyError, ValueError, HouseError):
            return None

    def put(self, file_sha256: str, voices: tuple[Voice, ...]) -> None:
        self._lines[file_sha256] = json.dumps(pack_voices(voices), ensure_ascii=True)
        self._is_changed = True

    def save(self) -> None:
        """Write what was added; a cache that cannot be written is no loss."""
        if not self._is_changed:
            return
        rows = [f"{digest} {packed}" for digest, packed in sorted(self._lines.items())]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            text = "\n".join([self._first_line(), *rows]) + "\n"
            write_atomically(self.path, text.encode("utf-8"))
        except OSError:
            return
