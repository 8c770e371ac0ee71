"""The interface to the complaints desk: each is read by those whom it concerns."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gen.provenance.desk.complaints_desk import Case, answer, cases, complain
from gen.provenance.history.record import WorkRecord
from gen.provenance.history.register import Register
from gen.provenance.records.roster import COMPOSER, CURATOR
from gen.studio.desk import Desk, role_of
from gen.studio.interface import DeskOf, Digest, PageOf
from gen.studio.requests import Page, Signed

router = APIRouter(tags=["complaints"])

Words = Annotated[str, Field(max_length=2_000)]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]


class AnswerFacts(BaseModel):
    """What a complaint was answered; `text` is null where its record is gone."""

    act: int
    by: str
    time: str
    text: str | None


class ComplaintFacts(BaseModel):
    """A complaint and its answers.

    `text` is null where its record is gone: only that it was entered is known then. Who complains
    is told to curators and to who entered it, not to the composers of the works that it names.
    """

    act: int
    by: str
    time: str
    text: str | None
    about: list[str]
    who: str
    answers: list[AnswerFacts]


class Complaining(BaseModel, extra="forbid"):
    """A complaint that came in: entered by whom, from whom, about which works, pieces or models.

    `salt`, 64 hex digits that nobody can guess, is in the record that is signed in a browser;
    without it the studio draws one.
    """

    person: str
    who: Words = ""
    text: Text
    about: Annotated[list[Words], Field(max_length=100)] = []
    salt: Digest | None = None
    signed: Signed | None = None


class Answering(BaseModel, extra="forbid"):
    """What a curator answers a complaint; `salt` as in a complaint."""

    curator: str
    text: Text
    salt: Digest | None = None
    signed: Signed | None = None


@router.get("/complaints")
def complaints(desk: DeskOf, page: PageOf) -> list[ComplaintFacts]:
    """Those that concern who asks, the newest first."""
    house, register = desk.now()
    found = [case for case in cases(house, register) if concerns(desk, register, case)]
    return [_facts(desk, case) for case in page.of(found[::-1])]


@router.post("/complaints")
def enter_complaint(said: Complaining, desk: DeskOf) -> list[ComplaintFacts]:
    """Enter a complaint that came in; the newest of those that may be read then."""
    house, register = desk.now()
    role = role_of(register, said.person, CURATOR, COMPOSER)
    key = desk.key(register, said.person, role, said.signed)
    complain(house, key, said.who, said.text, said.about, salt=said.salt)
    return complaints(desk, Page())


@router.post("/complaints/{act}/answer")
def enter_answer(act: int, said: Answering, desk: DeskOf) -> list[ComplaintFacts]:
    """Enter what a complaint was answered."""
    house = desk.house()
    key = desk.key(desk.register(house), said.curator, CURATOR, said.signed)
    answer(house, key, act, said.text, salt=said.salt)
    return complaints(desk, Page())


def concerns(desk: Desk, register: Register, case: Case) -> bool:
    """Whether a complaint concerns who is at the desk.

    Curators, whoever entered it, and the composers of the works that it names.
    """
    if desk.reads_all or case.entered.by == desk.signed_in:
        return True
    return any(
        record.is_composer(desk.signed_in) and is_about(case, record)
        for record in register.works.values()
    )


def is_about(case: Case, record: WorkRecord) -> bool:
    """Whether a complaint names a work, or its file."""
    names = {record.entry.work, f"{record.entry.work}.mid", record.entry.path}
    return case.said is not None and not names.isdisjoint(case.said["about"])


def _facts(desk: Desk, case: Case) -> ComplaintFacts:
    said = case.said or {}
    is_told_who = desk.reads_all or case.entered.by == desk.signed_in
    return ComplaintFacts(
        act=case.entered.index, by=case.entered.by, time=case.entered.time,
        text=said.get("text"), about=said.get("about", []),
        who=said.get("from", "") if is_told_who else "",
        answers=[
            AnswerFacts(act=one.index, by=one.by, time=one.time, text=(record or {}).get("text"))
            for one, record in case.answers
        ],
    )  # fmt: skip
