"""The interface to one composer's account: what became of their works, and what is new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from gen.accounts.mine import mine, news
from gen.accounts.nearness import near_to, pieces_written
from gen.provenance.desk.composer_works import IN_HOUSE, TAKEN_OUT, TURNED_DOWN, WAITING, standings
from gen.provenance.history.granted import missing_grants
from gen.provenance.history.register import Register
from gen.provenance.history.runs import Run
from gen.provenance.records.terms import USES, spelled_cents
from gen.studio.desk import check_enrolled
from gen.studio.interface import DeskOf
from gen.studio.routes.dealings import SaleFacts, sold

router = APIRouter(tags=["account"])

MOST_LISTED = 200
MOST_NEAR = 20
_STATES = (TURNED_DOWN, WAITING, IN_HOUSE, TAKEN_OUT)


class Notice(BaseModel):
    """An act in a composer's name, or about their works, in words."""

    act: int
    time: str
    words: str


class UsedBy(BaseModel):
    """A run that learned from a composer's works, from how many, and how its models stand."""

    run: int
    name: str
    purpose: str
    time: str
    works: int
    models: int
    retired: int


class AskedFor(BaseModel):
    """A use of a run's models about which a composer asked to be asked first."""

    run: int
    name: str
    use: str
    works: list[str]


class CountedPiece(BaseModel):
    """A piece that a model wrote which learned from a composer's works."""

    path: str
    run: int
    receipt: str


class Fee(BaseModel):
    """What a composer's terms ask for a run that learned from a work."""

    run: int
    work: str
    amount: str


class NearPiece(BaseModel):
    """A piece that holds figures of a work: likeness, which is not cause.

    `part` is the composer's share of all the figures that works of the house hold in it.
    """

    path: str
    work: str
    figures: int
    part: float


class NearPieces(BaseModel):
    """The pieces nearest to a composer's works; `unread` are works that could not be read, why."""

    pieces: list[NearPiece]
    unread: list[str]


class ComposersAccount(BaseModel):
    """What became of a composer's works.

    `acts` is how long the log is now: asked again with `since` as much, only later acts are news.
    Of news, sales and pieces the latest are listed, of works those first that were turned down or
    wait; `…_in_all` says how many there are.
    """

    composer: str
    acts: int
    news: list[Notice]
    news_in_all: int
    works: list[dict[str, Any]]
    works_in_all: int
    used_by: list[UsedBy]
    asked_for: list[AskedFor]
    fees: list[Fee]
    sales: list[SaleFacts]
    sales_in_all: int
    pieces: list[CountedPiece]
    pieces_in_all: int


@router.get("/composers/{person}/account")
def account(person: str, desk: DeskOf, since: Annotated[int, Query(ge=0)] = 0) -> ComposersAccount:
    """What became of a composer's works, and what was done in their name since an act."""
    house, register = desk.now()
    check_enrolled(register, person)
    found = mine(register, person)
    new = list(news(house, register, person, since))
    works = sorted(
        (one.to_dict() for one in standings(house, register, person)),
        key=lambda one: _STATES.index(one["state"]),
    )
    own = set(found.works)
    pieces = found.impact.pieces
    return ComposersAccount(
        composer=person,
        acts=register.size,
        news=[
            Notice(act=act.index, time=act.time, words=words)
            for act, words in reversed(new[-MOST_LISTED:])
        ],
        news_in_all=len(new),
        works=works[:MOST_LISTED],
        works_in_all=len(works),
        used_by=[_used_by(register, run, own) for run in reversed(found.impact.runs)],
        asked_for=list(_asked_for(register, person, found.works, found.impact.runs)),
        fees=[Fee(run=r, work=w, amount=spelled_cents(cents)) for r, w, cents in found.fees],
        sales=sold(register, found.sales[-MOST_LISTED:]),
        sales_in_all=len(found.sales),
        pieces=[
            CountedPiece(path=piece.path, run=piece.run, receipt=piece.receipt)
            for piece in reversed(pieces[-MOST_LISTED:])
        ],
        pieces_in_all=len(pieces),
    )


@router.get("/composers/{person}/nearest")
def nearest_pieces(person: str, desk: DeskOf) -> NearPieces:
    """The pieces written by the house's models that hold most of a composer's works."""
    house, register = desk.now()
    check_enrolled(register, person)
    works, pieces = mine(register, person).works, pieces_written(house, register)
    near, unread = near_to(house, register, works, pieces, MOST_NEAR)
    return NearPieces(
        pieces=[
            NearPiece(
                path=one.piece.output.path or one.piece.output.receipt[:16], work=one.work,
                figures=one.figures, part=one.part,
            )
            for one in near
        ],
        unread=unread,
    )  # fmt: skip


def _used_by(register: Register, run: Run, own: set[str]) -> UsedBy:
    behind, models = register.runs.works_behind(run), len(run.models)
    return UsedBy(
        run=run.index, name=run.name, purpose=run.purpose, time=run.time,
        works=sum(work in own for work in behind), models=models,
        retired=models - len(register.in_use(run)),
    )  # fmt: skip


def _asked_for(
    register: Register, person: str, works: Sequence[str], runs: Sequence[Run]
) -> Iterator[AskedFor]:
    """Uses that a composer has not approved, and asked to be asked about."""
    for run in runs:
        behind = set(register.runs.works_behind(run))
        theirs = [w for w in works if w in behind and register.works[w].withdrawn_at is None]
        for use in USES if run.models else ():
            lacking = missing_grants(register, theirs, use, run.index)
            if found := sorted({m.work for m in lacking if m.person == person and m.is_asked}):
                yield AskedFor(run=run.index, name=run.name, use=use, works=found)
