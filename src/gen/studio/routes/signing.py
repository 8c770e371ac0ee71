"""The interface of a house that is served: signing in, and what is signed in the browser.

The page makes what it signs from what it shows, and sends the signatures alone. The functions
that sign with a key at hand (`gen.provenance.desk.works`) make the same once more, and it counts if
it is the same to the byte.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from gen.contribution import Outcome, Settings
from gen.likeness.report import REVIEW
from gen.provenance.admission.inbox import submit
from gen.provenance.records.roster import COMPOSER
from gen.provenance.signing.dsse import Signature
from gen.studio.interface import DeskOf, Digest
from gen.studio.requests import Hex64, Signed
from gen.studio.routes.contributing import MOST_FILES, Checked, GivenFiles, checked, contributed
from gen.studio.routes.curating import waiting_tagged
from gen.studio.serving.enrolments import Enrolment
from gen.studio.serving.people import SESSION_SECONDS, SignInError
from gen.studio.serving.served import Served
from gen.studio.serving.unsigned import UnsignedWork

strangers = APIRouter(tags=["sign in"])
"""What is asked before somebody is signed in."""
router = APIRouter(tags=["sign"])

Word = Annotated[str, Field(max_length=80)]


def _served(request: Request) -> Served:
    served: Served = request.app.state.served
    return served


ServedOf = Annotated[Served, Depends(_served)]


class Challenge(BaseModel):
    """To be signed, once and soon, together with the house's name."""

    house: str
    challenge: str


class SignedChallenge(BaseModel, extra="forbid"):
    """A signed challenge: by whom, for which address, with which key."""

    person: Word
    challenge: Digest
    origin: Annotated[str, Field(max_length=300)]
    keyid: Digest
    signature: Hex64


class SessionToken(BaseModel):
    """Who is signed in. `token` is for programs, which send it as a header; pages have a cookie."""

    person: str
    token: str


class Asking(BaseModel, extra="forbid"):
    """Somebody new: the id and name they want, and the proof that they hold their key."""

    id: Word
    name: Annotated[str, Field(max_length=200)] = ""
    request: Annotated[str, Field(max_length=400)]


class EnrolmentRequest(BaseModel):
    """A request to be enrolled, as `house.py enroll ID --public REQUEST` takes it."""

    keyid: str
    id: str
    name: str
    request: str
    time: str

    @staticmethod
    def of(one: Enrolment) -> EnrolmentRequest:
        return EnrolmentRequest(
            keyid=one.keyid, id=one.id, name=one.name, request=one.request, time=one.time
        )


class Ground(BaseModel):
    """The house's log as it ends now: what the next act is put on top of.

    `identity` is the house's, which its acts name; "" in houses whose acts name none. `frontier`
    are the hashes, in hex, from which the tree grows on (RFC 6962).
    """

    house: str
    identity: str
    size: int
    bytes: int
    root: str
    time: str
    frontier: list[str]


class Drafted(BaseModel):
    """What a file came to, and what its composer has to sign: `statement`, about `music` (base64).

    `draft` names it until it is signed; "" where there is nothing to sign.
    """

    checked: Checked
    draft: str = ""
    statement: dict[str, Any] = {}
    music: str = ""


class Signing(BaseModel, extra="forbid"):
    """A composer's signature under a draft's statement."""

    draft: Word
    signature: Hex64


class Contributed(BaseModel):
    """What became of a signed draft; it waits for a curator where `rule` is empty."""

    work: str
    status: str
    rule: str = ""
    found: str = ""
    mend: str = ""


class WaitingFile(BaseModel):
    """A waiting work's file in base64, its composer's public key, and its place once accepted."""

    file: str
    composer: str
    public: str
    path: str


@strangers.post("/sign-in/challenge")
def challenge(served: ServedOf) -> Challenge:
    """Something new to sign, so that nothing signed before lets anybody in."""
    return Challenge(house=served.people.house, challenge=served.people.challenge())


@strangers.post("/sign-in")
def sign_in(
    said: SignedChallenge, served: ServedOf, request: Request, response: Response
) -> SessionToken:
    """Begin a session for whoever signed the challenge."""
    request.state.person = said.person
    origin = request.headers.get("origin", said.origin)
    if origin != said.origin:
        raise SignInError("what was signed is for another address than this page's")
    register = served.desk.register(served.desk.house())
    signature = Signature(said.keyid, bytes.fromhex(said.signature))
    token = served.people.sign_in(register, said.person, said.challenge, origin, signature)
    response.set_cookie(
        served.cookie, token, max_age=SESSION_SECONDS, path="/", secure=served.is_secure,
        httponly=True, samesite="strict",
    )  # fmt: skip
    return SessionToken(person=said.person, token=token)


@strangers.post("/sign-out")
def sign_out(served: ServedOf, request: Request, response: Response) -> SessionToken:
    """End the session; the key stays in the browser, sealed."""
    session = request.state.session
    served.people.sign_out(served.token_of(request.headers))
    response.delete_cookie(served.cookie, path="/", secure=served.is_secure, httponly=True)
    return SessionToken(person=session.person if session else "", token="")


@strangers.post("/enrolments")
def ask_to_be_enrolled(said: Asking, served: ServedOf) -> EnrolmentRequest:
    """Ask to be taken in: the holder of a root key does it, at the command line."""
    register = served.desk.register(served.desk.house())
    return EnrolmentRequest.of(served.enrolments.add(register, said.id, said.name, said.request))


@router.get("/enrolments")
def enrolments(served: ServedOf, desk: DeskOf) -> list[EnrolmentRequest]:
    """Who asks to be enrolled."""
    register = desk.register(desk.house())
    return [EnrolmentRequest.of(one) for one in served.enrolments.waiting(register)]


@router.delete("/enrolments/{keyid}")
def turn_away(keyid: str, served: ServedOf, desk: DeskOf) -> list[EnrolmentRequest]:
    """Forget a request."""
    served.enrolments.forget(keyid)
    return enrolments(served, desk)


@router.get("/log")
def ground(desk: DeskOf) -> Ground:
    """Where the house's log ends, so that a page can work out the head after its own act."""
    house = desk.house()
    head = house.register_log.head()
    frontier = [node.hex() for node in head.frontier]
    identity = desk.register(house).roster.identity
    return Ground(
        house=head.house, identity=identity, size=head.size, bytes=head.byte_count, root=head.root,
        time=head.time, frontier=frontier,
    )  # fmt: skip


@router.get("/inbox/{work}/file")
def waiting_file(work: str, desk: DeskOf) -> WaitingFile:
    """A waiting work as its composer signed it, for who countersigns it."""
    house, register = desk.now()
    tagged = waiting_tagged(house, register, work)
    owner, key = register.roster.owners[tagged.envelope.signatures[0].keyid]
    known = register.works.get(work)
    return WaitingFile(
        file=base64.b64encode(tagged.encode()).decode(), composer=owner.id,
        public=key.public.hex(), path=known.entry.path if known else f"{owner.id}/{work}.mid",
    )  # fmt: skip


@router.post("/contribute/draft")
def draft(given: GivenFiles, desk: DeskOf, served: ServedOf) -> list[Drafted]:
    """Read, compare and describe files, and make ready what their composer signs."""
    desk.key(desk.register(desk.house()), given.composer, COMPOSER)
    settings = Settings(given.composer, is_signed_elsewhere=True, workers=1)
    outcomes = contributed(given.files, desk, settings)
    return [
        _drafted(outcome, checked(outcome, file.name), given.composer, served)
        for outcome, file in zip(outcomes, given.files, strict=True)
    ]


def _drafted(outcome: Outcome, found: Checked, composer: str, served: Served) -> Drafted:
    if outcome.unsigned is None:
        return Drafted(checked=found)
    return Drafted(
        checked=found, statement=outcome.unsigned.envelope.content(),
        music=base64.b64encode(outcome.unsigned.music).decode(),
        draft=served.drafts.keep(_draft_of(outcome, composer)),
    )  # fmt: skip


def _draft_of(outcome: Outcome, composer: str) -> UnsignedWork:
    assert outcome.unsigned is not None  # noqa: S101 - asked before
    report = outcome.screening
    is_unclear = report is not None and report.verdict == REVIEW
    encoded = report.encode() if report else None
    return UnsignedWork(
        composer, outcome.work, outcome.unsigned, encoded, is_unclear, time.monotonic()
    )


@router.post("/contribute/sign")
def sign(
    said: Annotated[list[Signing], Field(min_length=1, max_length=MOST_FILES)],
    desk: DeskOf,
    served: ServedOf,
) -> list[Contributed]:
    """Put a composer's signatures to their drafts, which then wait for a curator: all, or none."""
    house, register = desk.now()
    drafts, contributions = [], []
    for one in said:
        kept = served.drafts.take(one.draft, desk.signed_in)
        signed = Signed(time=_time_in(kept), signatures=[one.signature])
        drafts.append(kept)
        contributions.append(kept.signed_by(desk.key(register, desk.signed_in, COMPOSER, signed)))
    return [
        Contributed(
            work=kept.work, rule=done.rule, found=done.found, mend=done.mend,
            status="refused" if done.rule else "needs review" if kept.needs_review
            else "contributed",
        )
        for kept, done in zip(drafts, submit(house, contributions), strict=True)
    ]  # fmt: skip


def _time_in(kept: UnsignedWork) -> str:
    return str(json.loads(kept.unsigned.envelope.payload)["predicate"]["time"])
