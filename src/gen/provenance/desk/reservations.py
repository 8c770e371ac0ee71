"""Rights-holders who reserve their works: entered on the day, and honoured from then on.

A reservation is a complaint in the log (`gen.provenance.records.complaints`) whose record names a
list of prints by digest; the list lies beside the record. What shares a match with a listed piece
is not contributed, not accepted, and not given out by a model. A list that is named and not there
stops all three. Where the record itself was erased nobody can tell that it was a reservation.
"""

from __future__ import annotations

from dataclasses import dataclass

from gen.errors import HouseError
from gen.likeness.lookup import MATCH, PrintIndex
from gen.likeness.print_lists import ListedWork, PrintList
from gen.likeness.prints import prints_of
from gen.piece import Piece
from gen.provenance.desk.complaints_desk import cases, complain
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.houses.store import COMPLAINTS
from gen.provenance.signing.canonical import is_sha256_hex, sha256_hex
from gen.provenance.signing.keys import SigningKey

RULE = "reserved"
_ABOUT = "reserved prints "
_MOST_BYTES = 256 << 20


def reserve(house: House, key: SigningKey, who: str, data: bytes) -> int:
    """Enter that somebody reserves the pieces of a list; the act's index.

    Args:
        house: where.
        key: a curator's.
        who: who reserves, in words.
        data: the list's file.

    Raises:
        HouseError: no list, or a key that may not sign.
    """
    works = len(PrintList.decode(data).works)
    digest = sha256_hex(data)
    with house.writing() as session:
        store = session.house.store
        store.make_folder(COMPLAINTS)
        store.check_writable(COMPLAINTS)
        store.write({_place(digest): data})
    text = f"reserves {works} pieces: not to be learned from, nor given out by a model"
    return complain(house, key, who, text, [f"{_ABOUT}{digest}"])


def _place(digest: str) -> str:
    return f"{COMPLAINTS}/{digest}.list"


@dataclass(frozen=True, slots=True)
class Reserved:
    """All pieces that are reserved, searchable.

    Attributes:
        works: those, each with who reserves it and the act that says so.
        index: of their prints.
    """

    works: tuple[tuple[str, int, ListedWork], ...]
    index: PrintIndex

    @staticmethod
    def of(house: House, register: Register) -> Reserved | None:
        """What this house has to honour; None where nobody reserves anything.

        Raises:
            HouseError: a list that a record names is not there, or another.
        """
        if not register.complaints.entered:
            return None
        found = [
            (str(case.said["from"]), case.entered.index, work)
            for case in cases(house, register)
            if case.said
            for about in case.said["about"]
            if about.startswith(_ABOUT)
            for work in _list(house, about.removeprefix(_ABOUT)).works
        ]
        return Reserved(tuple(found), PrintIndex(w.lines for *_, w in found)) if found else None

    def problem(self, piece: Piece) -> str:
        """What reserved piece this one agrees with, in words; empty for none."""
        shared = self.index.shared(prints_of(piece))
        if not shared or shared[0].weight < MATCH:
            return ""
        who, act, work = self.works[shared[0].piece]
        ours, theirs = (
            f"bars {a} to {b}" for a, b in (shared[0].chain.ours, shared[0].chain.theirs)
        )
        return f"{ours} are those of {work.name} ({theirs}), which {who} reserves (act {act})"


def _list(house: House, digest: str) -> PrintList:
    data = None
    if is_sha256_hex(digest):
        data = house.store.read_if_there(_place(digest), _MOST_BYTES)
    if data is None or sha256_hex(data) != digest:
        raise HouseError(
            "the list of a reservation is gone, or another",
            where=_place(digest), mend="restore it: what is reserved cannot be honoured without it",
        )  # fmt: skip
    return PrintList.decode(data)
