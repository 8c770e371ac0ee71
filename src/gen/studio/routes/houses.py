"""The interface to the house: its people and keys, its works, what became of each."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gen.errors import SettingError
from gen.harmony import GENRES, MOODS
from gen.piece import ROLES
from gen.provenance.desk.composer_works import standings
from gen.provenance.desk.works import kept_work, live_work, near_works, set_consent, withdraw
from gen.provenance.history.impact import impact_of
from gen.provenance.history.record import WorkRecord
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.houses.names import names_of
from gen.provenance.houses.proofs import acts_of
from gen.provenance.records.consent import Consent
from gen.provenance.records.roster import COMPOSER, CURATOR
from gen.provenance.records.statement import METHODS
from gen.provenance.records.tag import Tagged
from gen.smf import parse
from gen.smf.general_midi import NAMES
from gen.studio.catalogue import Wanted
from gen.studio.desk import Desk, check_enrolled, role_of
from gen.studio.interface import DeskOf, PageOf
from gen.studio.music.score import Score
from gen.studio.requests import Signed
from gen.studio.terms import TermsFacts, terms_of

router = APIRouter(tags=["house"])


class Member(BaseModel):
    """Somebody enrolled; whether a key of theirs lies on this computer, and whether it is open."""

    id: str
    name: str
    roles: list[str]
    has_key_here: bool
    is_open: bool


class HouseFacts(BaseModel):
    """The house as it stands: counts, the log's head, and who belongs to it.

    `signed_in` says who asks, in a house that is served; "" at a studio of one computer.
    """

    house: str
    folder: str
    works: int
    withdrawn: int
    waiting: int
    acts: int
    root: str
    pin_acts: int
    is_sealed: bool
    signed_in: str
    people: list[Member]


class WorkLine(BaseModel):
    """A work of the house in one line."""

    work: str
    title: str
    composers: dict[str, int]
    consent: str
    state: str
    entered: str


class DescribedWork(WorkLine):
    """A work with what its tag says of it."""

    genre: str
    mood: str
    key: str


class FoundWorks(BaseModel):
    """Some works of those that were found: `found` of `all` are as asked for."""

    works: list[DescribedWork]
    found: int
    all: int


class WorkFacts(WorkLine):
    """A work with what its tag says, its composers' terms, its acts, and what used it."""

    method: str
    genre: str
    mood: str
    key: str
    chords: str
    sections: str
    roles: list[str]
    contract: str
    music_sha256: str
    musical_hash: str
    accepted_by: str
    terms: list[TermsFacts]
    acts: list[int]
    used_by: dict[str, Any]


class Passphrase(BaseModel, extra="forbid"):
    """Opens a person's key until the studio ends, or until it is locked."""

    person: str
    passphrase: Annotated[str, Field(max_length=1_000)]


class Allowance(BaseModel, extra="forbid"):
    """What a composer allows from now on, as in "general_model evaluation@2030-12-31"."""

    composer: str
    allow: str
    signed: Signed | None = None


class Withdrawing(BaseModel, extra="forbid"):
    """Who takes a work out for ever, and why."""

    person: str
    reason: Annotated[str, Field(max_length=2_000)] = ""
    signed: Signed | None = None


class KnownWords(BaseModel):
    """What fields may hold."""

    genres: list[str]
    moods: list[str]
    roles: list[str]
    methods: list[str]
    instruments: list[str]


@router.get("/words")
def words() -> KnownWords:
    """Genres, moods, roles, methods and instruments that the house has names for."""
    return KnownWords(
        genres=list(GENRES), moods=list(MOODS), roles=list(ROLES), methods=list(METHODS),
        instruments=[*NAMES, "drums"],
    )  # fmt: skip


@router.get("/house")
def house_facts(desk: DeskOf) -> HouseFacts:
    """The house as it stands."""
    house, register = desk.now()
    live = sum(record.withdrawn_at is None for record in register.works.values())
    return HouseFacts(
        house=register.roster.house,
        folder="" if desk.signed_in else str(house.folder),
        works=live,
        withdrawn=len(register.works) - live,
        waiting=len(house.store.waiting()),
        acts=register.size,
        root=house.register_log.head().root,
        pin_acts=house.pin.min_size,
        is_sealed=register.roster.sealed,
        signed_in=desk.signed_in,
        people=_members(desk, house, register),
    )


@router.post("/keys/unlock")
def unlock(said: Passphrase, desk: DeskOf) -> list[Member]:
    """Open a key that lies on this computer."""
    house, register = desk.now()
    person = register.roster.person(said.person)
    if person is None:
        raise SettingError(f"{said.person!r} is not enrolled in {register.roster.house}")
    desk.unlock(person, said.passphrase)
    return _members(desk, house, register)


@router.post("/keys/lock")
def lock(desk: DeskOf) -> list[Member]:
    """Forget every key that was opened."""
    desk.lock()
    house = desk.house()
    return _members(desk, house, desk.register(house))


@router.get("/works")
def works(desk: DeskOf, wanted: Annotated[Wanted, Query()]) -> FoundWorks:
    """Works as they are asked for, withdrawn ones too, the newest first, a page at a time."""
    house, register = desk.now()
    found = desk.catalogue.find(house, register, wanted)
    return FoundWorks(
        works=[
            DescribedWork(**_line(register, one), **asdict(desk.catalogue.described(house, one)))
            for one in wanted.of(found)
        ],
        found=len(found),
        all=len(register.works),
    )


@router.get("/works/{work}")
def work_facts(work: str, desk: DeskOf) -> WorkFacts:
    """One work: its tag, its terms, its acts, and the runs, models and pieces that used it."""
    house, register, record, tagged = _kept(desk, work)
    statement = tagged.statement
    described = statement.description
    return WorkFacts(
        **_line(register, record),
        method=statement.method,
        genre=described.genre,
        mood=described.mood,
        key=described.key,
        chords=described.chords,
        sections=described.sections,
        roles=list(described.roles),
        contract=statement.contract,
        music_sha256=record.entry.music_sha256,
        musical_hash=record.entry.musical_hash,
        accepted_by=record.accepted_by,
        terms=terms_of(register, record),
        acts=acts_of(house, register, work),
        used_by=impact_of(register, [work]).to_dict(),
    )


@router.get("/works/{work}/score")
def work_score(work: str, desk: DeskOf) -> Score:
    """A work's music."""
    return Score.of(parse(_kept(desk, work)[3].music))


@router.get("/works/{work}/midi")
def work_midi(work: str, desk: DeskOf) -> Response:
    """A work's music as a MIDI file, without its tag."""
    return Response(_kept(desk, work)[3].music, media_type="audio/midi")


@router.post("/works/{work}/consent")
def change_consent(work: str, said: Allowance, desk: DeskOf) -> WorkLine:
    """Say what a work may be used for from now on."""
    house, register = desk.now()
    consent = Consent.parse(said.allow)
    set_consent(house, [work], consent, desk.key(register, said.composer, COMPOSER, said.signed))
    moved = desk.register(desk.house())
    return WorkLine(**_line(moved, moved.works[work]))


@router.post("/works/{work}/withdraw")
def take_out(work: str, said: Withdrawing, desk: DeskOf) -> WorkFacts:
    """Withdraw a work for ever; what used it is said before, by `GET /works/{work}`, and after."""
    house, register = desk.now()
    live_work(register, work)
    role = role_of(register, said.person, COMPOSER, CURATOR)
    withdraw(house, [work], desk.key(register, said.person, role, said.signed), said.reason)
    return work_facts(work, desk)


@router.get("/composers/{person}/works")
def of_composer(person: str, desk: DeskOf, page: PageOf) -> list[dict[str, Any]]:
    """What became of a composer's works: waiting, in the house, rejected with the reason."""
    house, register = desk.now()
    check_enrolled(register, person)
    found = list(standings(house, register, person))
    return [one.to_dict() for one in page.of(found)]


def _members(desk: Desk, house: House, register: Register) -> list[Member]:
    names = names_of(house, register)
    return [
        Member(
            id=person.id, name=names[person.id], roles=list(person.roles), has_key_here=is_here,
            is_open=is_open,
        )
        for person, is_here, is_open in desk.people(register)
    ]  # fmt: skip


def _line(register: Register, record: WorkRecord) -> dict[str, Any]:
    entry = record.entry
    return {
        "work": entry.work,
        "title": entry.title,
        "composers": dict(entry.composers),
        "consent": str(register.consent_of(record)),
        "state": "in the house" if record.withdrawn_at is None else "withdrawn",
        "entered": record.time,
    }


def _kept(desk: Desk, work: str) -> tuple[House, Register, WorkRecord, Tagged]:
    house, register = desk.now()
    record = register.works.get(work)
    if record is None:
        raise SettingError(f"no work {work!r} in the house", mend=near_works(register, work))
    return house, register, record, kept_work(house, record)
