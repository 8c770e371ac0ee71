"""The interface to what composers grant beyond consent: terms, and approvals of a use."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gen.provenance.desk.granting import approve, set_terms
from gen.provenance.desk.works import live_work
from gen.provenance.records.roster import COMPOSER
from gen.provenance.records.terms import UseName, parse_allowed, parse_cents
from gen.studio.interface import DeskOf, DigestOrNone
from gen.studio.requests import Signed
from gen.studio.terms import TermsFacts, terms_of

router = APIRouter(tags=["grants"])


class Granting(BaseModel, extra="forbid"):
    """A composer's terms for a work, as `house.py terms` takes them.

    `allow` is as in "general_model sampling sale@2030-12-31", or "nothing"; `ask_first` are uses of
    it that need an approval besides; `share` is percent, `fee` an amount for each run.
    """

    composer: str
    allow: Annotated[str, Field(max_length=2_000)]
    ask_first: Annotated[list[UseName], Field(max_length=3)] = []
    this_version: bool = False
    share: Annotated[int, Field(ge=0, le=100)] = 100
    fee: Annotated[str, Field(max_length=20)] = "0"
    signed: Signed | None = None


class Approving(BaseModel, extra="forbid"):
    """A composer's word for a use that they asked to be asked about first.

    Of the models of run `run`, or of the one piece whose receipt has the digest `receipt`; for
    `works`, or for all of theirs behind the run where none is named.
    """

    composer: str
    use: UseName
    run: Annotated[int, Field(ge=0)]
    works: Annotated[list[str], Field(max_length=10_000)] = []
    receipt: DigestOrNone = ""
    signed: Signed | None = None


class Approved(BaseModel):
    """What was approved, and for which works."""

    use: str
    run: int
    receipt: str
    works: list[str]


@router.post("/works/{work}/terms")
def say_terms(work: str, said: Granting, desk: DeskOf) -> list[TermsFacts]:
    """Say a composer's terms for a work, which take the place of earlier ones."""
    house, register = desk.now()
    live_work(register, work)
    consent, uses = parse_allowed(said.allow, said.ask_first)
    set_terms(
        house, [work], desk.key(register, said.composer, COMPOSER, said.signed), consent, uses,
        this_version=said.this_version, share=said.share, fee=parse_cents(said.fee),
    )  # fmt: skip
    moved = desk.register(desk.house())
    return terms_of(moved, moved.works[work])


@router.post("/approvals")
def approve_use(said: Approving, desk: DeskOf) -> Approved:
    """Approve a use of a run's models, or of one piece."""
    house, register = desk.now()
    key = desk.key(register, said.composer, COMPOSER, said.signed)
    _, found = approve(
        house, key, said.use, register.runs.at(said.run), said.works, said.receipt
    )  # fmt: skip
    return Approved(use=found.use, run=found.run, receipt=found.receipt, works=list(found.works))
