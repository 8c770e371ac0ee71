"""Everything a contribution to a house is compared with, ready to search.

`load_known` is for who contributes; `Recheck` compares once more for who accepts.

What was read of works, waiting ones too, is kept in the user's cache folder by the files'
digests, so that one more contribution to a large house takes seconds. A cache that cannot be
read is rebuilt.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from gen.contribution.screens import KeptScreen, read_screen
from gen.disk import write_atomically
from gen.disk.reading import CACHE, NamedFileError, read_text
from gen.disk.sealed import user_folder
from gen.disk.seals import SEAL_BYTES, Sealer, user_secret
from gen.errors import HouseError
from gen.likeness.fingerprint import Fingerprint, NewPiece
from gen.likeness.lists import read_fingerprints
from gen.likeness.report import BLOCK, CLEAR, OUTPUT, WITHDRAWN, WORK, Known, Report
from gen.likeness.screening import Screen
from gen.likeness.thresholds import Thresholds
from gen.provenance.acts import Entry
from gen.provenance.canonical import sha256_hex
from gen.provenance.house import House
from gen.provenance.inbox import Waiting
from gen.provenance.record import WorkRecord
from gen.provenance.recording import outputs_of
from gen.provenance.register import Register
from gen.provenance.store import INBOX, MAX_FILE_BYTES, Store
from gen.provenance.tag import Tagged, read_tag
from gen.provenance.works import kept_work
from gen.smf import parse

_FIRST_LINE = "fingerprints 1 sealed"
"""Of the cache: names its format."""


@dataclass(slots=True)
class KnownMusic:
    """A house's music as contributions meet it.

    Attributes:
        screen: finds what is alike.
        cache: where what is read is kept.
        waiting: musical hash, and SHA-256 of the music, → id of works in the inbox.
        unread: places of works that could not be compared, with the reason.
        has_read_all: whether every entered work was asked for in the cache, none being known yet.
    """

    screen: Screen
    cache: KeptCache
    waiting: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    has_read_all: bool = False

    def add_waiting(self, kept: Kept) -> None:
        """Take a work of the inbox into account."""
        self.waiting |= {kept.musical_hash: kept.work, kept.music_sha256: kept.work}
        self.screen.add(Known(WORK, kept.work, kept.composers), kept.fingerprint)


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
        HouseError: a list of fingerprints or the log cannot be read.
    """
    known = _load_entered(house, register, thresholds, fingerprints, cache_folder)
    for work in house.store.waiting():
        _add_waiting(known, house.store, work)
    if known.has_read_all:
        known.cache.tidy()
    known.cache.save()
    return known


class Recheck:
    """Screens what waits once more, for its curator: a composer's own report may say anything.

    Works are compared with what the house has entered and generated, with lists of rights-holders,
    and with those that were looked at before them.
    """

    def __init__(
        self, house: House, register: Register, fingerprints: tuple[Path, ...] = ()
    ) -> None:
        self._house = house
        self._known = _load_entered(house, register, Thresholds(), fingerprints, None)
        self._entered = len(register.works)
        self._looked_at: dict[str, Kept] = {}
        self._known.cache.save()

    def __call__(self, item: Waiting, register: Register) -> Report | None:
        """What a waiting work shares with others; None if it cannot be read.

        Args:
            item: as the inbox shows it.
            register: as it is now; works that were entered meanwhile are compared with too.
        """
        for record in islice(register.works.values(), self._entered, None):
            if record.entry.work not in self._looked_at:
                _add_work(self._known, self._house, record)
        self._entered = len(register.works)
        if item.tagged is None:
            return None
        piece = new_piece(item.tagged)
        kept = Kept.of(item.tagged, piece.fingerprint)
        report = self._known.screen.compare(piece, kept.composers)
        if item.work not in self._looked_at:
            self._known.add_waiting(kept)
        self._looked_at[item.work] = kept
        return report.without(item.work)

    def leave_alike(self, compared: Collection[str], item: Waiting, register: Register) -> Waiting:
        """A waiting work, with a rule where it is like something known, so that it stays.

        What a model wrote or what was withdrawn stays, whoever has compared it.

        Args:
            compared: works that the curator compared and wants nevertheless.
            item: as the inbox shows it.
            register: as it is now.
        """
        report = self(item, register)
        if report is None or report.verdict == CLEAR:
            return item
        rule = report.rule if report.verdict == BLOCK else "wants-review"
        if item.work in compared and rule in ("wants-review", "too-similar"):
            return item
        return replace(item, rule=rule, found=report.side_by_side())

    def keep(self, entries: Iterable[Entry]) -> None:
        """Keep for the next time what was read of works that are entered now."""
        for entry in entries:
            if kept := self._looked_at.get(entry.work):
                self._known.cache.put(entry.file_sha256, kept)
        self._known.cache.save()


def _load_entered(
    house: House,
    register: Register,
    thresholds: Thresholds,
    fingerprints: tuple[Path, ...],
    cache_folder: Path | None,
) -> KnownMusic:
    """All but what waits in the inbox."""
    cache = KeptCache(cache_folder or user_folder("screening"), house.pin.name)
    kept = read_screen(house, thresholds, cache_folder)
    if not kept.numbers.keys() <= _entered_in(register):
        kept = KeptScreen(Screen(thresholds), {})
    is_anew = not kept.numbers
    known = KnownMusic(kept.screen, cache)
    for record in register.works.values():
        _take_work(known, kept, house, record)
    for output in outputs_of(house, register, kept.numbers):
        if output.fingerprint:
            kept.numbers[output.receipt] = len(known.screen)
            name = output.path or output.receipt
            known.screen.add(Known(OUTPUT, name), Fingerprint.unpack(output.fingerprint))
            kept.changes += 1
    kept.save(house, cache_folder)
    known.has_read_all = is_anew
    for path in fingerprints:
        for listed, fingerprint in read_fingerprints(path):
            known.screen.add(listed, fingerprint)
    return known


def _entered_in(register: Register) -> set[str]:
    """What a kept screen may hold: digests of works' files and of outputs' receipts."""
    works = {record.entry.file_sha256 for record in register.works.values()}
    pieces = (piece for piece in register.runs.pieces if not register.is_revoked(piece))
    return works | {piece.receipt for piece in pieces}


def _take_work(known: KnownMusic, kept: KeptScreen, house: House, record: WorkRecord) -> None:
    """Have the screen know a work, and that it was withdrawn."""
    digest, is_withdrawn = record.entry.file_sha256, record.withdrawn_at is not None
    number = kept.numbers.get(digest)
    if number is None:
        number = len(known.screen)
        if _add_work(known, house, record):
            kept.numbers[digest] = number
            kept.changes += 1
    elif is_withdrawn and known.screen.known[number].kind == WORK:
        found = _kept_of(known, house, record)
        known.screen.withdraw(number, found.fingerprint if found else Fingerprint(()))
        kept.changes += 1


def _add_work(known: KnownMusic, house: House, record: WorkRecord) -> bool:
    """Compare with this work too; whether it could be read."""
    kept = _kept_of(known, house, record)
    if kept is None:
        return False
    kind = WORK if record.withdrawn_at is None else WITHDRAWN
    known.screen.add(Known(kind, record.entry.work, kept.composers), kept.fingerprint)
    return True


def _kept_of(known: KnownMusic, house: House, record: WorkRecord) -> Kept | None:
    entry = record.entry
    kept = known.cache.get(entry.file_sha256)
    if kept is None:
        try:
            kept = Kept.of(kept_work(house, record))
        except (HouseError, OSError) as error:
            if record.withdrawn_at is None:
                known.unread.append(f"{entry.path}: {getattr(error, 'what', error)}")
            return None
        known.cache.put(entry.file_sha256, kept)
    return kept


def _add_waiting(known: KnownMusic, store: Store, work: str) -> None:
    place = f"{INBOX}/{work}.mid"
    try:
        data = store.read(place, MAX_FILE_BYTES)
        digest = sha256_hex(data)
        kept = known.cache.get(digest)
        if kept is None:
            kept = Kept.of(read_tag(data))
            known.cache.put(digest, kept)
    except (HouseError, OSError) as error:
        known.unread.append(f"{place}: {getattr(error, 'what', error)}")
        return
    known.add_waiting(kept)


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

    def get(self, file_sha256: str) -> Kept | None:
        """What was put under this digest."""
        try:
            kept = Kept.from_json(self._opened(file_sha256, self._found[file_sha256]))
        except (KeyError, TypeError, ValueError, HouseError):
            return None
        self._used.add(file_sha256)
        return kept

    def put(self, file_sha256: str, kept: Kept) -> None:
        """Keep it from the next `save` on."""
        if self._sealer is not None:
            text = kept.to_json()
            seal = self._sealer.seal(file_sha256.encode(), text.encode()).hex()
            self._new.append(f"{file_sha256} {seal} {text}\n")

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
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write("".join([*([] if file.tell() else [f"{_FIRST_LINE}\n"]), *self._new]))
        self._new = []
