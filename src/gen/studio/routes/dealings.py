"""The interface to what the house sold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gen.provenance.desk.granting import sell
from gen.provenance.history.granted import missing_grants
from gen.provenance.history.register import Register
from gen.provenance.records.consent import parse_day
from gen.provenance.records.roster import CURATOR, PRODUCER
from gen.provenance.records.sales import SaleAct
from gen.provenance.records.terms import SALE, parse_cents, spelled_cents
from gen.studio.desk import role_of
from gen.studio.interface import DeskOf, Digest, PageOf
from gen.studio.requests import Page, Signed

router = APIRouter(tags=["sales"])


class SaleFacts(BaseModel):
    """A sale of the log: which piece, on which day, for how much; to whom is not in it."""

    act: int
    by: str
    day: str
    amount: str
    piece: str
    run: int


class Sales(BaseModel):
    """Some sales, the latest first; `in_all` says how many there are."""

    sales: list[SaleFacts]
    in_all: int


class EnteredPiece(BaseModel):
    """A piece of the log: its act, its run, and what its terms lack for a sale, in words."""

    act: int
    run: int
    model: str
    path: str
    receipt: str
    not_for_sale: list[str]


class Selling(BaseModel, extra="forbid"):
    """Who enters a sale, of which piece (SHA-256 of its file), for how much, on which day.

    `amount` is as in 25 or 25.50, `day` as in 2026-02-14.
    """

    person: str
    piece: Digest
    amount: Annotated[str, Field(max_length=20)]
    day: Annotated[str, Field(max_length=10)]
    signed: Signed | None = None


@router.get("/sales")
def sales(desk: DeskOf, page: PageOf) -> Sales:
    """What pieces were sold for, the latest first."""
    register = desk.register(desk.house())
    found = register.sound_sales()[::-1]
    return Sales(sales=sold(register, page.of(found)), in_all=len(found))


@router.get("/outputs/{sha256}")
def written(sha256: Digest, desk: DeskOf) -> EnteredPiece:
    """The piece of the log whose file has this digest."""
    register = desk.register(desk.house())
    piece = register.runs.in_file(sha256)
    run = register.runs.at(piece.run)
    missing = missing_grants(
        register, register.runs.works_behind(run), SALE, run.index, piece.receipt
    )
    return EnteredPiece(
        act=piece.index, run=run.index, model=run.name, path=piece.path, receipt=piece.receipt,
        not_for_sale=list(map(str, missing)),
    )  # fmt: skip


@router.post("/sales")
def enter_sale(said: Selling, desk: DeskOf) -> Sales:
    """Enter that a piece was sold, if the terms of the works behind its model grant it."""
    house, register = desk.now()
    role = role_of(register, said.person, CURATOR, PRODUCER)
    key = desk.key(register, said.person, role, said.signed)
    piece = register.runs.in_file(said.piece)
    run = register.runs.at(piece.run)
    sell(house, key, run, piece.receipt, parse_cents(said.amount), parse_day(said.day))
    return sales(desk, Page())


def sold(register: Register, acts: Sequence[SaleAct]) -> list[SaleFacts]:
    """Sales in words, in their order."""
    paths = {piece.receipt: piece.path for piece in register.runs.pieces}
    return [
        SaleFacts(
            act=one.index, by=one.by, day=str(one.sale.day), amount=spelled_cents(one.sale.cents),
            piece=paths[one.sale.receipt] or one.sale.receipt[:16], run=one.run,
        )
        for one in acts
    ]  # fmt: skip
