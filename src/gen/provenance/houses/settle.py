"""After an append: every file where the register says it belongs.

Which file goes where is derived from signed acts alone, so there is no plan that could be
forged: a live work's file is the one with the digest its entry names, a withdrawn work's file
leaves its place, `roster.json` is the register's last roster. What is in its place already
stays, so the same function carries a change out and finishes one that was interrupted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from gen.disk import UnfitFileError
from gen.errors import HouseError
from gen.provenance.history.record import RegisterError, WorkRecord
from gen.provenance.history.register import Register
from gen.provenance.houses.store import (
    ADMIN_FOLDERS,
    INBOX,
    MAX_FILE_BYTES,
    MAX_RECORD_BYTES,
    PROPOSAL,
    ROSTER_FILE,
    SCREENING,
    WITHDRAWN,
    Store,
)
from gen.provenance.records.acts import ADD, ADOPT, WITHDRAW, Act
from gen.provenance.records.consent import PERSON_ID
from gen.provenance.records.tag import Tagged, read_tag
from gen.provenance.signing.canonical import sha256_hex
from gen.smf import RuleBroken


def works_of(acts: Iterable[Act]) -> list[str]:
    """The works whose files these acts put in place or take out."""
    works = []
    for act in acts:
        if act.kind in (ADD, WITHDRAW):
            works.append(act.data["work"])
        elif act.kind == ADOPT:
            works += [entry["work"] for entry in act.data["works"]]
    return works


def folders_of(register: Register, works: Iterable[str]) -> set[str]:
    """The folders of a house in which settling these works adds or removes a name."""
    records = [register.works[work] for work in works]
    theirs = {work_place(record).rpartition("/")[0] for record in records}
    return theirs | ({INBOX, SCREENING, WITHDRAWN} if records else set())


def work_place(record: WorkRecord) -> str:
    """Where a work's file belongs: `<composer>/<work>.mid`.

    Raises:
        RegisterError: its entry names another kind of place.
    """
    folder, _, name = record.entry.path.partition("/")
    if folder in ADMIN_FOLDERS or not PERSON_ID.match(folder) or name != f"{record.entry.work}.mid":
        raise RegisterError(f"{record.entry.work} was entered at {record.entry.path!r:.80}")
    return record.entry.path


def settle(store: Store, register: Register, works: Iterable[str] | None = None) -> None:
    """Put files where the register says. The caller holds the lock.

    Args:
        store: the house's files.
        register: verified, the acts of the change included.
        works: those the change is about; None for all, where nobody knows.
    """
    staged, waiting = store.staged(), set(store.names(INBOX))
    chosen = register.works.values() if works is None else map(register.works.__getitem__, works)
    for record in chosen:
        if record.withdrawn_at is not None:
            _take_out(store, record)
            continue
        if record.entry.file_sha256 in staged:
            _put_in_place(store, record)
        if f"{record.entry.work}.mid" in waiting:
            _leave_inbox(store, register, record)
    _settle_roster(store, register)


def _take_out(store: Store, record: WorkRecord) -> None:
    store.move(work_place(record), f"{WITHDRAWN}/{record.entry.work}.mid")


def _put_in_place(store: Store, record: WorkRecord) -> None:
    data = store.read_staged(record.entry.file_sha256)
    if data is not None:
        store.move(f".journal/{record.entry.file_sha256}", work_place(record))


def _leave_inbox(store: Store, register: Register, record: WorkRecord) -> None:
    """Take an entered work from the inbox, and its screening report to where reports are kept."""
    work = record.entry.work
    waiting = _tagged(store, f"{INBOX}/{work}.mid")
    if waiting is None or waiting.music_sha256 != record.entry.music_sha256:
        return  # another contribution that took the name; looking at the inbox says what it is
    if register.is_stale(record):
        return  # it waits to renew the work
    report, place = f"{INBOX}/{work}.screening.json", f"{SCREENING}/{work}.json"
    data = _report(store, report)
    if data is not None and sha256_hex(data) == waiting.statement.screening_sha256:
        store.move(report, place)
    store.remove(report)
    store.remove(f"{INBOX}/{work}.mid")


def _tagged(store: Store, place: str) -> Tagged | None:
    try:
        return read_tag(store.read(place, MAX_FILE_BYTES))
    except (HouseError, RuleBroken, FileNotFoundError):
        return None


def _report(store: Store, place: str) -> bytes | None:
    try:
        return store.read_if_there(place, MAX_RECORD_BYTES)
    except UnfitFileError:
        return None


def _settle_roster(store: Store, register: Register) -> None:
    if register.roster.register_index != register.size - 1:
        return  # the last act changed no roster
    text = roster_text(register)
    try:
        found = store.read_if_there(ROSTER_FILE, MAX_RECORD_BYTES)
    except UnfitFileError:
        found = None
    if found != text:
        store.write({ROSTER_FILE: text})
    store.remove(PROPOSAL)


def roster_text(register: Register) -> bytes:
    """The present roster, signed, laid out for reading."""
    return roster_file(register.rosters[-1].to_dict())


def roster_file(signed: object) -> bytes:
    """A signed roster as `roster.json` holds it."""
    text = json.dumps(signed, indent=1, sort_keys=True, ensure_ascii=False)
    return text.encode("utf-8") + b"\n"
