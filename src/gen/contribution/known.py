"""Everything a contribution to a house is compared with, ready to search.

`load_known` is for who contributes; `Recheck` compares once more for who accepts.

What was read of works, waiting ones too, is kept in the user's cache folder by the files'
digests, so that one more contribution to a large house takes seconds. A cache that cannot be
read is rebuilt.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from gen import processes
from gen.contribution.kept import Kept, KeptCache, new_piece
from gen.contribution.screens import KeptScreen, read_screen
from gen.disk.sealed import user_folder
from gen.errors import HouseError
from gen.likeness.fingerprint import Fingerprint
from gen.likeness.lists import read_fingerprints
from gen.likeness.report import BLOCK, CLEAR, OUTPUT, WITHDRAWN, WORK, Known, Report
from gen.likeness.screening import Screen
from gen.likeness.thresholds import Thresholds
from gen.processes import Ahead
from gen.provenance.admission.inbox import Waiting
from gen.provenance.desk.recording import outputs_of
from gen.provenance.desk.reservations import RULE, Reserved
from gen.provenance.desk.works import kept_work
from gen.provenance.history.record import WorkRecord
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.houses.store import INBOX, MAX_FILE_BYTES, Store
from gen.provenance.records.acts import Entry
from gen.provenance.records.tag import read_tag
from gen.provenance.signing.canonical import sha256_hex
from gen.smf import parse


@dataclass(slots=True)
class KnownMusic:
    """A house's music as contributions meet it.

    Attributes:
        screen: finds what is alike.
        cache: where what is read is kept.
        waiting: musical hash, and SHA-256 of the music, → id of works in the inbox.
        unread: places of works that could not be compared, with the reason.
        has_read_all: whether every entered work was asked for in the cache, none being known yet.
        ahead: reads works before they are asked for, where there are many.
        reserved: what rights-holders reserve; None where nobody does.
    """

    screen: Screen
    cache: KeptCache
    waiting: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    has_read_all: bool = False
    ahead: Ahead[Kept] | None = None
    reserved: Reserved | None = None

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
        self._reports: dict[str, Report] = {}
        self._known.cache.save()

    def __call__(self, item: Waiting, register: Register) -> Report | None:
        """What a waiting work shares with others; None if it cannot be read.

        Args:
            item: as the inbox shows it.
            register: as it is now; works that were entered meanwhile are compared with too.
        """
        for work in islice(register.works, self._entered, None):
            if work not in self._looked_at:
                _add_work(self._known, self._house, register.works[work])
        self._entered = len(register.works)
        if item.tagged is None:
            return None
        piece = new_piece(item.tagged)
        kept = Kept.of(item.tagged, piece.fingerprint)
        report = self._known.screen.compare(piece, kept.composers)
        self._take(item, kept)
        self._reports[item.work] = report.without(item.work)
        return self._reports[item.work]

    def gravest_first(self, items: Iterable[Waiting]) -> list[Waiting]:
        """What is refused before what wants review, by what they share, and what was not read."""

        def gravity(item: Waiting) -> tuple[Any, ...]:
            report = self._reports.get(item.work)
            if not report or not report.matches:
                return (1,)
            bits = max(match.passage.bits if match.passage else 0 for match in report.matches)
            return 0, report.verdict != BLOCK, -bits, *report.matches[0].order

        return sorted(items, key=gravity)

    def _take(self, item: Waiting, kept: Kept) -> None:
        if item.work not in self._looked_at:
            self._known.add_waiting(kept)
        self._looked_at[item.work] = kept

    def _reserved(self, item: Waiting) -> str:
        """What reserved music a waiting work agrees with, in words."""
        reserved = self._known.reserved
        return reserved.problem(parse(item.tagged.music)) if reserved and item.tagged else ""

    def leave_alike(self, compared: Collection[str], item: Waiting, register: Register) -> Waiting:
        """A waiting work, with a rule where it is like something known, so that it stays.

        What a model wrote or what was withdrawn stays, whoever has compared it.

        Args:
            compared: works that the curator compared and wants nevertheless.
            item: as the inbox shows it.
            register: as it is now.
        """
        report = self(item, register)
        if words := self._reserved(item):
            return replace(item, rule=RULE, found=words)
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
    if not _is_as_entered(kept, register):
        kept = KeptScreen(Screen(thresholds))
    is_anew = not kept.works
    known = KnownMusic(kept.screen, cache, reserved=Reserved.of(house, register))
    new = list(kept.new_works(register))
    with _reading_ahead(house, cache, new) as known.ahead:
        for record in new:
            _take_work(known, kept, house, record)
    kept.works = len(register.musics)
    for work in sorted(register.withdrawn - kept.withdrawn):
        _take_withdrawal(known, kept, house, register.works[work])
    known.ahead = None
    for output in outputs_of(house, register, kept.outputs):
        if output.fingerprint:
            name = output.path or output.receipt
            known.screen.add(Known(OUTPUT, name), Fingerprint.unpack(output.fingerprint))
            kept.note(output.receipt)
            kept.outputs.add(output.receipt)
    kept.save(house, register, cache_folder)
    known.has_read_all = is_anew
    for path in fingerprints:
        for listed, fingerprint in read_fingerprints(path):
            known.screen.add(listed, fingerprint)
    return known


def _is_as_entered(kept: KeptScreen, register: Register) -> bool:
    """Whether a kept screen holds nothing that the register has not, or has otherwise by now."""
    size, digest = kept.acts
    if size > register.size or (size and register.digest_of(size) != digest):
        return False
    pieces = (piece for piece in register.runs.pieces if not register.is_revoked(piece))
    if not kept.outputs <= {piece.receipt for piece in pieces}:
        return False
    return all(_is_as_renewed(kept, register.works[work]) for work in register.renewed)


def _is_as_renewed(kept: KeptScreen, record: WorkRecord) -> bool:
    """Whether a work that was entered anew is known by its latest composers, and as one that is."""
    number = kept.number_of(record.entry.music_sha256)
    known = None if number is None else kept.screen.known[number]
    people = tuple(person for person, _ in record.entry.composers)
    is_live = record.withdrawn_at is None
    return known is None or (known.composers == people and (known.kind == WORK or not is_live))


def _reading_ahead(house: House, cache: KeptCache, new: Sequence[WorkRecord]) -> Ahead[Kept]:
    """Other processes read works that were not kept; `take` names one by the digest of its file.

    They are given what this process has found to be the entered bytes, and judge nothing.
    """
    records = {record.entry.file_sha256: record for record in new}
    names = list(records)
    if len(names) >= processes.MANY:
        names = [name for name in names if not cache.has(name)]
    return Ahead(names, lambda name: kept_work(house, records[name]), Kept.of)


def _take_work(known: KnownMusic, kept: KeptScreen, house: House, record: WorkRecord) -> None:
    """Have the screen know a work."""
    music = record.entry.music_sha256
    if _add_work(known, house, record):
        kept.note(music)
        kept.unread.discard(music)
        if record.withdrawn_at is not None:
            kept.withdrawn.add(record.entry.work)
    else:
        kept.unread.add(music)


def _take_withdrawal(known: KnownMusic, kept: KeptScreen, house: House, record: WorkRecord) -> None:
    """Have the screen know that a work was withdrawn."""
    number = kept.number_of(record.entry.music_sha256)
    if number is not None:
        found = _kept_of(known, house, record)
        known.screen.withdraw(number, found.fingerprint if found else Fingerprint(()))
        kept.withdrawn.add(record.entry.work)
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
            read = known.ahead.take(record.entry.file_sha256) if known.ahead else None
            kept = read or Kept.of(kept_work(house, record))
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
