"""The interface for curators: what waits, what it is like, and taking it or turning it down."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gen.contribution import Recheck
from gen.errors import SettingError
from gen.likeness.report import Report
from gen.provenance.admission.inbox import Waiting, look
from gen.provenance.desk.works import accept_in_turn, reject
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.records.roster import CURATOR
from gen.provenance.records.tag import Tagged
from gen.smf import parse
from gen.studio.interface import DeskOf, PageOf
from gen.studio.music.score import Score
from gen.studio.music.shared import SharedMusic, likeness_of
from gen.studio.requests import Signed

router = APIRouter(tags=["curate"])
MOST_COMPARED = 8
"""Of one request: others wait meanwhile."""
Name = Annotated[str, Field(max_length=200)]


class WaitingWork(BaseModel):
    """A work in the inbox. `rule` and `found` say why it could not be taken as it is.

    `is_compared` says whether `verdict`, `alike` and `shared` are known, or still to be asked for.
    """

    work: str
    title: str = ""
    composers: dict[str, int] = {}
    method: str = ""
    genre: str = ""
    mood: str = ""
    key: str = ""
    consent: str = ""
    contract: str = ""
    is_machine_written: bool = False
    rule: str = ""
    found: str = ""
    mend: str = ""
    is_compared: bool = True
    verdict: str = ""
    alike: list[str] = []
    shared: list[SharedMusic] = []


class Acceptance(BaseModel, extra="forbid"):
    """Who takes a work, and whether they compared it with what it is like."""

    curator: str
    although_similar: bool = False
    signed: Signed | None = None


class Rejection(BaseModel, extra="forbid"):
    """Who turns a work down, and what its composer should know."""

    curator: str
    reason: Annotated[str, Field(min_length=1, max_length=2_000)]


class Decided(BaseModel):
    """What became of a waiting work: accepted into `path`, rejected, or left with a rule."""

    work: str
    state: str
    path: str = ""
    rule: str = ""
    found: str = ""
    mend: str = ""


@router.get("/inbox")
def inbox(desk: DeskOf, page: PageOf) -> list[WaitingWork]:
    """What waits, with what is known of it already: comparing takes longer, and is asked for."""
    house, register = desk.now()
    items = [look(house.store, work, register) for work in page.of(house.store.waiting())]
    return list(map(_waiting, items, desk.comparisons.known(house, register, items)))


@router.get("/inbox/compared")
def compared(
    work: Annotated[list[Name], Query(max_length=MOST_COMPARED)], desk: DeskOf
) -> list[WaitingWork]:
    """Waiting works, each compared with the house and with those that were compared before it."""
    house, register = desk.now()
    items = [look(house.store, one, register) for one in work]
    return list(map(_waiting, items, desk.comparisons.of(house, register, items)))


@router.get("/inbox/{work}/score")
def waiting_score(work: str, desk: DeskOf) -> Score:
    """A waiting work's music."""
    house, register = desk.now()
    return Score.of(parse(waiting_tagged(house, register, work).music))


@router.post("/inbox/{work}/accept")
def accept(work: str, said: Acceptance, desk: DeskOf) -> Decided:
    """Countersign a work and enter it in the log, if nothing stands against it."""
    house, register = desk.now()
    key = desk.key(register, said.curator, CURATOR, said.signed)
    recheck = Recheck(house, register)
    compared = {work} if said.although_similar else set[str]()
    (part,) = accept_in_turn(house, [work], key, partial(recheck.leave_alike, compared))
    recheck.keep(part.entered)
    for entry in part.entered:
        return Decided(work=work, state="accepted", path=entry.path)
    item = part.refused[0]
    return Decided(work=work, state="waiting", rule=item.rule, found=item.found, mend=item.mend)


@router.post("/inbox/{work}/reject")
def turn_down(work: str, said: Rejection, desk: DeskOf) -> Decided:
    """Move a work out of the inbox; its composer sees the reason."""
    house = desk.house()
    key = desk.key(desk.register(house), said.curator, CURATOR)
    reject(house, [work], key, said.reason)
    return Decided(work=work, state="rejected")


def waiting_tagged(house: House, register: Register, work: str) -> Tagged:
    """A waiting work's music and tag.

    Raises:
        SettingError: its file cannot be read.
    """
    item = look(house.store, work, register)
    if item.tagged is None:
        raise SettingError(f"{work} cannot be read ({item.rule}): {item.found}")
    return item.tagged


def _waiting(item: Waiting, report: Report | None) -> WaitingWork:
    if item.tagged is None:
        return WaitingWork(work=item.work, rule=item.rule, found=item.found, mend=item.mend)
    statement = item.tagged.statement
    words = statement.description
    return WaitingWork(
        work=item.work,
        title=words.title,
        composers=dict(statement.composers),
        method=statement.method,
        genre=words.genre,
        mood=words.mood,
        key=words.key,
        consent=str(statement.consent),
        contract=statement.contract,
        is_machine_written=not statement.no_generative_model,
        rule=item.rule,
        found=item.found,
        mend=item.mend,
        is_compared=report is not None,
        **likeness_of(report),
    )
