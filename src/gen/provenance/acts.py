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
from typing import Any, ClassVar

from gen.provenance.canonical import StrictJsonError, canonical, canonical_json, fields
from gen.provenance.canonical import is_sha256_hex as is_digest
from gen.provenance.consent import Consent
from gen.provenance.dsse import STATEMENT_TYPE, Envelope, Signature, sign
from gen.provenance.keys import SigningKey
from gen.provenance.shapes import Shape

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
        plain = json.loads(line) if is_known else canonical_json(line)
        house = plain.pop("house", "") if isinstance(plain, dict) and plain.get("house") else ""
        found = fields(
            plain,
            "act",
            act=str,
            by=str,
            data=dict,
            format=int,
            index=int,
            signatures=list,
            time=str,
        )
        if found["format"] != 1 or found["act"] not in KINDS:
            raise StrictJsonError(f"an act {found['act']!r:.40} of format {found['format']}")
        if house and found["act"] == KEY:
            raise StrictJsonError("a roster names its house itself")
        signatures = tuple(Signature.from_dict(s) for s in found["signatures"])
        return Act(
            found["index"],
            found["act"],
            found["by"],
            found["time"],
            found["data"],
            signatures,
            str(house),
        )


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
    composers: tuple[tuple[str, int], ...]
    keyids: tuple[str, str]
    consent: Consent
    envelope: Envelope | None = None

    def to_dict(self) -> dict[str, Any]:
        signed = {} if self.envelope is None else {"signed": _envelope_to_dict(self.envelope)}
        return {
            **signed,
            "composers": [{"id": person, "share": share} for person, share in self.composers],
            "consent": self.consent.to_list(),
            "file_sha256": self.file_sha256,
            "keyids": list(self.keyids),
            "music_sha256": self.music_sha256,
            "musical_hash": self.musical_hash,
            "path": self.path,
            "title": self.title,
            "work": self.work,
        }

    @staticmethod
    def from_dict(value: object) -> Entry:
        plain = dict(value) if isinstance(value, dict) else value
        signed = plain.pop("signed", None) if isinstance(plain, dict) else None
        found = fields(
            plain,
            "entry",
            composers=list,
            consent=list,
            file_sha256=str,
            keyids=list,
            music_sha256=str,
            musical_hash=str,
            path=str,
            title=str,
            work=str,
        )
        digests = [found[name] for name in ("file_sha256", "music_sha256", "musical_hash")]
        if len(found["keyids"]) != 2 or not all(map(is_digest, [*digests, *found["keyids"]])):
            raise StrictJsonError(f"entry of {found['work']!r:.90}: digests or key ids")
        composers = [fields(c, "composer", id=str, share=int) for c in found["composers"]]
        return Entry(
            found["work"],
            found["title"],
            found["path"],
            found["music_sha256"],
            found["file_sha256"],
            found["musical_hash"],
            tuple((c["id"], c["share"]) for c in composers),
            (found["keyids"][0], found["keyids"][1]),
            Consent.from_list(found["consent"]),
            None if signed is None else _envelope_from_dict(signed),
        )


def _envelope_to_dict(envelope: Envelope) -> dict[str, Any]:
    """A statement's envelope, its payload in clear: canonical JSON, as the act around it."""
    signatures = [signature.to_dict() for signature in envelope.signatures]
    return {"signatures": signatures, "statement": envelope.content()}


def _envelope_from_dict(value: object) -> Envelope:
    found = fields(value, "signed statement", signatures=list, statement=dict)
    signatures = tuple(map(Signature.from_dict, found["signatures"]))
    return Envelope(STATEMENT_TYPE, canonical(found["statement"]), signatures)


class Withdrawal(Shape, frozen=True):
    """What a `withdraw` says: the work, its digests (blocked from now on), and why."""

    WHAT: ClassVar[str] = "withdrawal"

    work: str
    music_sha256: str
    musical_hash: str
    reason: str
