"""What became of one composer's works: runs, models, money, what is new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gen.accounts.period import acts_of_kinds
from gen.disk.sealed import SealedFile, user_folder
from gen.provenance.history.granted import money_of
from gen.provenance.history.impact import Impact, impact_of
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.houses.kept import name_of_house
from gen.provenance.records.acts import (
    ADD,
    ADOPT,
    APPROVE,
    CONSENT,
    KEY,
    TERMS,
    WITHDRAW,
    Act,
)
from gen.provenance.records.sales import SaleAct

NAMING = (ADD, ADOPT, APPROVE, CONSENT, KEY, TERMS, WITHDRAW)
"""Kinds of acts that can be in somebody's name, or about their works."""


@dataclass(frozen=True, slots=True)
class Mine:
    """A composer's part in the house.

    Attributes:
        works: ids, withdrawn ones too, sorted.
        impact: runs, models and pieces behind which they stand.
        fees: (run, work, hundredths) that terms ask for.
        sales: of pieces that models behind which they stand wrote.
    """

    works: tuple[str, ...]
    impact: Impact
    fees: tuple[tuple[int, str, int], ...]
    sales: tuple[SaleAct, ...]


def mine(register: Register, composer: str) -> Mine:
    """What the log says of a composer's works."""
    works = tuple(sorted(w for w, record in register.works.items() if record.is_composer(composer)))
    impact = impact_of(register, works)
    fees = [
        (run.index, work, terms.fee)
        for run in impact.runs
        if run.begin is not None
        for work in run.works
        if work in works
        if (terms := money_of(register, register.works[work], composer, before=run.index))
        if terms.fee
    ]
    runs = {run.index for run in impact.runs}
    sales = tuple(act for act in register.sound_sales() if act.run in runs)
    return Mine(works, impact, tuple(fees), sales)


def news(house: House, register: Register, composer: str, since: int) -> Iterator[tuple[Act, str]]:
    """Acts from `since` on that are in a composer's name, or about their works; each in words."""
    for act in acts_of_kinds(house, register, NAMING, since):
        if words := _about(act, register, composer):
            yield act, words


def _about(act: Act, register: Register, composer: str) -> str:
    """What an act did in somebody's name; "" where it has nothing to do with them."""
    data = act.data
    if act.kind in (ADD, ADOPT):
        entries = data["works"] if act.kind == ADOPT else [data]
        names = [e["work"] for e in entries if _is_by(e["composers"], composer)]
        return f"entered in your name: {', '.join(names)}" if names else ""
    if act.kind == KEY:
        return _of_roster(data["signed"]["roster"], register, composer)
    works = data["works"] if act.kind == APPROVE else [data["work"]]
    theirs = [work for work in works if register.works[work].is_composer(composer)]
    if act.by == composer or theirs:
        return f"{act.kind} by {act.by}: {', '.join(theirs or works)}"
    return ""


def _of_roster(roster: Mapping[str, Any], register: Register, composer: str) -> str:
    """Whether a roster changes what it says of somebody."""
    before = [
        s.roster for s in register.rosters if s.roster.register_index < roster["register_index"]
    ]
    person = before[-1].person(composer) if before else None
    was = person.to_dict() if person else None
    now = next((each for each in roster["people"] if each["id"] == composer), None)
    return f"what the roster says of you: {roster['change']}" if was != now else ""


def _is_by(composers: Iterable[Mapping[str, Any]], person: str) -> bool:
    return any(each["id"] == person for each in composers)


class Noticed:
    """Up to which act somebody has seen what is in their name, kept for this user.

    Where it is lost all of it is shown again.
    """

    def __init__(self, house: House, composer: str) -> None:
        path = user_folder("noticed") / f"{name_of_house(house.pin)}-{composer}"
        self._file = SealedFile(path, "noticed 1")

    def read(self) -> int:
        """Index of the first act that was not seen."""
        data = self._file.read()
        text = bytes(data).decode() if data is not None else ""
        return int(text) if text.isdecimal() else 0

    def write(self, size: int) -> None:
        self._file.write(str(size).encode())
