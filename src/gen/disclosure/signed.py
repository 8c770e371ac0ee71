"""Papers that a curator signs: DSSE envelopes, each of which names the log it was written by."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final

import msgspec

from gen.errors import HouseError
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.records.roster import CURATOR, Person, PersonKey
from gen.provenance.signing.canonical import canonical
from gen.provenance.signing.dsse import Envelope, WrongPayloadTypeError, is_signed_by
from gen.provenance.signing.keys import SigningKey
from gen.provenance.witnesses.standing import read_notes, standing_of

ANSWER_TYPE: Final = "application/vnd.music-house.answer+json"
PURGE_TYPE: Final = "application/vnd.music-house.purge+json"
VISIT_TYPE: Final = "application/vnd.music-house.visit+text"
"""Of a signature over the page that a visit leaves."""
KINDS: Final = {ANSWER_TYPE: "answer", PURGE_TYPE: "record of a purge"}


def heading(house: House, register: Register) -> dict[str, Any]:
    """Who says it, and which log they say it by: `house` and `log` of every signed paper."""
    head = register.newest_head
    return {
        "house": {"identity": register.roster.identity, "name": register.roster.house},
        "log": {
            "root": head.root,
            "size": head.size,
            "witnesses": standing_of(house, register, read_notes(house)).lines(int(time.time())),
        },
    }


def sign_paper(content: dict[str, Any], kind: str, register: Register, key: SigningKey) -> bytes:
    """A file of what is said, signed.

    Raises:
        HouseError: the key is no curator's.
    """
    register.signer(key, CURATOR)
    return Envelope(kind, canonical(content), ()).signed_by(key).encode() + b"\n"


def is_signed(data: bytes) -> bool:
    """Whether a file says that it is an envelope of one of the kinds that curators sign."""
    return any(f'"payloadType":"{kind}"'.encode() in data for kind in KINDS)


def read_paper(data: bytes, register: Register) -> tuple[dict[str, Any], str, str]:
    """What a signed paper says, the id of the curator who signed it, and its kind in words.

    Raises:
        HouseError: changed, or not signed by a key that a curator of this house had then.
    """
    envelope = _envelope(data.rstrip(b"\n"))
    kind = KINDS[envelope.payload_type]
    person, key = _signer(envelope, register, kind)
    if CURATOR not in person.roles:
        raise HouseError(f"the {kind} is signed by {person.id}, who is no curator of this house")
    content = envelope.content()
    log = _heading_of(content, kind).log
    if reason := key.refusal_at(log.size - 1):
        raise HouseError(f"{person.id} signed the {kind} with a key that did not hold: {reason}")
    if register.root_at(log.size) != log.root:
        raise HouseError(f"the {kind} names another log than this house's")
    return content, person.id, kind


def is_of_visit(data: bytes) -> bool:
    """Whether a file says that it is a signature over the page of a visit."""
    return f'"payloadType":"{VISIT_TYPE}"'.encode() in data


def read_visit(data: bytes, register: Register) -> tuple[bytes, str]:
    """The page that a signature of a visit is over, and the id of who signed it.

    Raises:
        HouseError: changed, or not signed by a key that somebody of this house has.
    """
    envelope = Envelope.decode(data.rstrip(b"\n"), VISIT_TYPE)
    person, key = _signer(envelope, register, "page")
    if reason := key.refusal_at(register.size - 1):
        raise HouseError(f"{person.id} signed the page with a key that does not hold: {reason}")
    return envelope.payload, person.id


def _signer(envelope: Envelope, register: Register, kind: str) -> tuple[Person, PersonKey]:
    """Who of the house signed an envelope, alone, and with which key.

    Raises:
        HouseError: nobody, several, or what is in it was changed since.
    """
    signature, *more = envelope.signatures
    owner = register.roster.owners.get(signature.keyid)
    if more or owner is None:
        raise HouseError(f"the {kind} is not signed by one person of this house")
    if not is_signed_by(signature, owner[1].public, envelope.payload_type, envelope.payload):
        raise HouseError(f"the signature of {owner[0].id} does not hold: the {kind} was changed")
    return owner


class _House(msgspec.Struct):
    identity: str
    name: str


class _Log(msgspec.Struct):
    root: str
    size: Annotated[int, msgspec.Meta(ge=1)]
    witnesses: list[str]


class _Heading(msgspec.Struct):
    """What `heading` wrote, read back."""

    house: _House
    log: _Log


def _heading_of(content: object, kind: str) -> _Heading:
    try:
        return msgspec.convert(content, _Heading)
    except msgspec.ValidationError as error:
        raise HouseError(f"the {kind} does not say which log it was written by: {error}") from error


def _envelope(data: bytes) -> Envelope:
    for kind in KINDS:
        try:
            return Envelope.decode(data, kind)
        except WrongPayloadTypeError:
            continue
    raise HouseError("is signed as something else", mend="name an answer, or a record of a purge")
