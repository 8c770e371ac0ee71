"""One line of the register: an act of a person, signed and bound to its house and place.

An act's signature covers its index, so it cannot be moved, repeated or dated back, and, where
the roster says so, the house's identity, so that it is no act of any other house. Roster
changes carry their own root signatures inside; every other act is signed by the person (or,
for acts of the root, by root keys) named in `by`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from gen.provenance.records.consent import Consent, Grant
from gen.provenance.signing.canonical import StrictJsonError, canonical, canonical_json
from gen.provenance.signing.dsse import STATEMENT_TYPE, Envelope, Signature, sign
from gen.provenance.signing.keys import SigningKey
from gen.provenance.signing.shapes import (
    Composers,
    Digest,
    Shape,
    Share,
    composers_of,
    read_as,
    shares_of,
)

ACT_TYPE = "application/vnd.music-house.act+json"
ROOT = "root"

ADD, ADOPT, CONSENT, KEY, WITHDRAW = "add", "adopt", "consent", "key", "withdraw"
BEGIN, END, MODEL, OUTPUT = "begin", "end", "model", "output"
TERMS, APPROVE, RETIRE, COMPLAIN, ANSWER = "terms", "approve", "retire", "complain", "answer"
PAPER, SELL = "paper", "sell"
KINDS = (
    ADD, ADOPT, ANSWER, APPROVE, BEGIN, COMPLAIN, CONSENT, END, KEY, MODEL, OUTPUT, PAPER, RETIRE,
    SELL, TERMS, WITHDRAW,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act:
    """A register line.

    Attributes:
        index: its line number, from 0.
        kind: one of `KINDS`.
        by: person id, or "root".
        time: UTC, for people; nothing is judged by it.
        data: what was done.
        signatures: of `by`.
        house: identity of the house that it was signed for (`roster.identity_of`); "" in acts from
            before their house's roster had one, and in rosters, which hold it themselves.
    """

    index: int
    kind: str
    by: str
    time: str
    data: dict[str, Any]
    signatures: tuple[Signature, ...] = ()
    house: str = ""

    @property
    def keyid(self) -> str:
        """Of the key that signed it, the first where there are several."""
        return self.signatures[0].keyid

    def _signed(self) -> dict[str, Any]:
        return {
            **({"house": self.house} if self.house else {}),
            "act": self.kind,
            "by": self.by,
            "data": self.data,
            "format": 1,
            "index": self.index,
            "time": self.time,
        }

    def payload(self) -> bytes:
        """The bytes that are signed."""
        return canonical(self._signed())

    def signed_by(self, keys: Sequence[SigningKey]) -> Act:
        payload = self.payload()
        signatures = tuple(sign(ACT_TYPE, payload, key) for key in keys)
        return replace(self, signatures=signatures)

    def encode(self) -> bytes:
        """The register line, without its newline."""
        return canonical({**self._signed(), "signatures": [s.to_dict() for s in self.signatures]})

    @staticmethod
    def decode(line: bytes, *, is_known: bool = False) -> Act:
        """Read a line.

        Args:
            line: without its newline.
            is_known: these very bytes were read before, so that their spelling need not be
                checked again.

        Raises:
            StrictJsonError: not canonical, or not an act of format 1.
            ValueError: not JSON, although it was taken as known.
        """
        if is_known:
            found = read_as(_ActLine, json.loads(line), _ActLine.WHAT)
        else:
            found = _ActLine.from_dict(canonical_json(line))
        if found.act not in KINDS:
            raise StrictJsonError(f"an act {found.act!r:.40}")
        if found.house and found.act == KEY:
            raise StrictJsonError("a roster names its house itself")
        return Act(
            found.index,
            found.act,
            found.by,
            found.time,
            found.data,
            found.signatures,
            found.house,
        )


class _ActLine(Shape, frozen=True, omit_defaults=True):
    """An act as its line has it."""

    WHAT: ClassVar[str] = "act"

    act: str
    by: str
    data: dict[str, Any]
    format: Literal[1]
    index: int
    signatures: tuple[Signature, ...]
    time: str
    house: str = ""


class Adoption(Shape, frozen=True):
    """What an `adopt` says: where the works come from, and what an `add` would say of each."""

    WHAT: ClassVar[str] = "adoption"

    origin: dict[str, Any]
    works: tuple[dict[str, Any], ...]


class ConsentChange(Shape, frozen=True):
    """What a `consent` says: what a work may be used for from now on."""

    WHAT: ClassVar[str] = "consent act"

    consent: tuple[Grant, ...]
    work: str

    @property
    def scopes(self) -> Consent:
        return Consent.recorded(self.consent)


class KeyChange(Shape, frozen=True):
    """What a `key` says: a roster with the root's signatures under it."""

    WHAT: ClassVar[str] = "key act"

    signed: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """What an `add` says about a work (and each item of an `adopt`).

    Attributes:
        work: id.
        title: for people.
        path: place inside the house, with forward slashes: `ana/rain.mid`.
        music_sha256: of the bytes before the tag.
        file_sha256: of the whole tagged file.
        musical_hash: of what sounds.
        composers: (person id, share in percent).
        keyids: of the composer's and the curator's signature in the tag.
        consent: what the composers allowed when it was entered.
        envelope: the statement in the tag, with its composer's and its curator's signature; None
            in acts of houses whose rosters did not ask for it yet.
    """

    work: str
    title: str
    path: str
    music_sha256: str
    file_sha256: str
    musical_hash: str
    composers: Composers
    keyids: tuple[str, str]
    consent: Consent
    envelope: Envelope | None = None

    def to_dict(self) -> dict[str, Any]:
        return _Entered(
            shares_of(self.composers),
            self.consent.grants,
            self.file_sha256,
            self.keyids,
            self.music_sha256,
            self.musical_hash,
            self.path,
            self.title,
            self.work,
            None if self.envelope is None else _Signed.of(self.envelope),
        ).to_dict()

    @staticmethod
    def from_dict(value: object) -> Entry:
        """Read what `to_dict` wrote.

        Raises:
            StrictJsonError: anything else.
        """
        found = _Entered.from_dict(value)
        return Entry(
            found.work,
            found.title,
            found.path,
            found.music_sha256,
            found.file_sha256,
            found.musical_hash,
            composers_of(found.composers),
            found.keyids,
            Consent.recorded(found.consent),
            found.signed.envelope() if found.signed else None,
        )


class _Signed(Shape, frozen=True):
    """A statement's envelope, its payload in clear: canonical JSON, as the act around it."""

    WHAT: ClassVar[str] = "signed statement"

    signatures: tuple[Signature, ...]
    statement: dict[str, Any]

    @staticmethod
    def of(envelope: Envelope) -> _Signed:
        return _Signed(envelope.signatures, envelope.content())

    def envelope(self) -> Envelope:
        return Envelope(STATEMENT_TYPE, canonical(self.statement), self.signatures)


class _Entered(Shape, frozen=True, omit_defaults=True):
    """An entry as an act has it."""

    WHAT: ClassVar[str] = "entry"

    composers: tuple[Share, ...]
    consent: tuple[Grant, ...]
    file_sha256: Digest
    keyids: tuple[Digest, Digest]
    music_sha256: Digest
    musical_hash: Digest
    path: str
    title: str
    work: str
    signed: _Signed | None = None


class Withdrawal(Shape, frozen=True):
    """What a `withdraw` says: the work, its digests (blocked from now on), and why."""

    WHAT: ClassVar[str] = "withdrawal"

    work: str
    music_sha256: str
    musical_hash: str
    reason: str
