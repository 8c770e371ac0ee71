"""What became of a composer's works: waiting, in the house, rejected, withdrawn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gen.errors import HouseError
from gen.provenance.files import read_plain_file
from gen.provenance.house import REJECTED, House
from gen.provenance.inbox import MAX_FILE_BYTES, waiting_paths
from gen.provenance.register import Register, WorkRecord
from gen.provenance.statement import Statement
from gen.provenance.tag import read_tag

WAITING, IN_HOUSE, TURNED_DOWN, TAKEN_OUT = "waiting", "in the house", "rejected", "withdrawn"


@dataclass(frozen=True, slots=True)
class Standing:
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


def standings(house: House, register: Register, composer: str) -> list[Standing]:
    """Every work of a composer, sorted by id.

    A work that was rejected and contributed again is told as it is now. Files that cannot be
    read are nobody's: `house.py show --inbox` names them to a curator.
    """
    found = {
        record.entry.work: _of_record(register, record)
        for record in register.works.values()
        if record.is_composer(composer)
    }
    for statement, _ in _signed_by(composer, waiting_paths(house)):
        # A work that waits to be renewed is in the register too.
        found.setdefault(statement.work, _of_statement(statement, WAITING, "for a curator"))
    for statement, path in _signed_by(composer, (house.folder / REJECTED).glob("*.mid")):
        note = _reason(path.with_suffix(".json"))
        found.setdefault(statement.work, _of_statement(statement, TURNED_DOWN, note))
    return [found[work] for work in sorted(found)]


def _signed_by(
    composer: str, paths: Iterator[Path] | list[Path]
) -> Iterator[tuple[Statement, Path]]:
    """The statements of tagged files that name this person among their composers."""
    for path in paths:
        try:
            statement = read_tag(read_plain_file(path, MAX_FILE_BYTES)).statement
        except (HouseError, OSError):
            continue
        if any(composer == person for person, _ in statement.composers):
            yield statement, path


def _of_record(register: Register, record: WorkRecord) -> Standing:
    entry, allowed = record.entry, str(register.consent_of(record))
    if record.withdrawal is not None:
        reason = record.withdrawal.reason or "no reason given"
        note = f"at register index {record.withdrawn_at}: {reason}"
        return Standing(entry.work, entry.title, TAKEN_OUT, "nothing", note)
    note = f"accepted by {record.accepted_by}, {record.time}"
    return Standing(entry.work, entry.title, IN_HOUSE, allowed, note)


def _of_statement(statement: Statement, state: str, note: str) -> Standing:
    title = statement.description.title
    return Standing(statement.work, title, state, str(statement.consent), note)


def _reason(path: Path) -> str:
    """The note that a curator left beside a rejected work."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return f"by {found['by']}, {found['time']}: {found['reason']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "the reason cannot be read"
