"""What became of a composer's works: waiting, in the house, rejected, withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from gen.errors import HouseError
from gen.provenance.history.record import WorkRecord
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.houses.store import INBOX, MAX_FILE_BYTES, MAX_RECORD_BYTES, REJECTED, Store
from gen.provenance.records.statement import Statement
from gen.provenance.records.tag import read_tag
from gen.provenance.signing.canonical import strict_json

WAITING, IN_HOUSE, TURNED_DOWN, TAKEN_OUT = "waiting", "in the house", "rejected", "withdrawn"


@dataclass(frozen=True, slots=True)
class WorkStanding:
    """One work as its composer asks about it.

    Attributes:
        work: id.
        title: as stated.
        state: waiting, in the house, rejected or withdrawn.
        allowed: what it may be used for by now; as stated where it is not in the house.
        note: by whom and when, and why where it was turned down or taken out.
    """

    work: str
    title: str
    state: str
    allowed: str
    note: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def standings(house: House, register: Register, composer: str) -> list[WorkStanding]:
    """Every work of a composer, sorted by id.

    A work that was rejected and contributed again is listed as it is now. Files that cannot be
    read are nobody's: `house.py show --inbox` names them to a curator.
    """
    found = {
        record.entry.work: _of_record(register, record)
        for record in register.works.values()
        if record.is_composer(composer)
    }
    store = house.store
    for statement, _ in _signed_by(store, composer, INBOX):
        # A work that waits to be renewed is in the register too.
        found.setdefault(statement.work, _of_statement(statement, WAITING, "for a curator"))
    for statement, work in _signed_by(store, composer, REJECTED):
        note = _reason(store, f"{REJECTED}/{work}.json")
        found.setdefault(statement.work, _of_statement(statement, TURNED_DOWN, note))
    return [found[work] for work in sorted(found)]


def _signed_by(store: Store, composer: str, folder: str) -> Iterator[tuple[Statement, str]]:
    """Statements of a folder's files that name this person as composer, and the files' stems."""
    for name in store.names(folder):
        if not name.endswith(".mid"):
            continue
        try:
            statement = read_tag(store.read(f"{folder}/{name}", MAX_FILE_BYTES)).statement
        except (HouseError, OSError):
            continue  # nobody's, see `standings`
        if any(composer == person for person, _ in statement.composers):
            yield statement, name.removesuffix(".mid")


def _of_record(register: Register, record: WorkRecord) -> WorkStanding:
    entry, allowed = record.entry, str(register.consent_of(record))
    if record.withdrawal is not None:
        reason = record.withdrawal.reason or "no reason given"
        note = f"at register index {record.withdrawn_at}: {reason}"
        return WorkStanding(entry.work, entry.title, TAKEN_OUT, "nothing", note)
    note = f"accepted by {record.accepted_by}, {record.time}"
    return WorkStanding(entry.work, entry.title, IN_HOUSE, allowed, note)


def _of_statement(statement: Statement, state: str, note: str) -> WorkStanding:
    title = statement.description.title
    return WorkStanding(statement.work, title, state, str(statement.consent), note)


def _reason(store: Store, place: str) -> str:
    """The note that a curator left beside a rejected work."""
    try:
        found = strict_json(store.read(place, MAX_RECORD_BYTES))
        return f"by {found['by']}, {found['time']}: {found['reason']}"
    except (HouseError, OSError, KeyError, TypeError):
        return "the reason cannot be read"
