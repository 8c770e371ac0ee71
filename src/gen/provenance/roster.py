"""Who belongs to the house, with which keys, from which register index to which.

Rules (enforced here and in `gen.provenance.succession`)
1. A roster is signed by at least `threshold` of its root keys. Its successor is signed so too,
   and by the threshold of the roster before it: a new root is signed by the old and the new.
2. Versions count up by one; each names the register index at which it takes effect.
3. No person and no key is ever removed, and no key's past changes: a new key begins at its
   roster's index or later, an end once set only moves to earlier, and so does the index from
   which a key counts as compromised. Nobody, the root included, can back-date a key.
4. No public key appears twice, neither among people nor as a root key, and none is one for
   which anybody can sign.
5. Validity is judged at a register index, never by a clock. The one clock is `expires`: from
   that day on nothing is signed and the gate admits nothing until the root signs a fresh
   roster, so that nobody can hide a revocation by withholding updates for ever.
6. A sealed roster never expires and is the last: no act may follow it.
7. Entries that have to carry their composers' statements never cease to.
8. The house's identity is its name and a digest of its root keys at the time (`identity_of`).
   Once there it never changes, and acts and statements have to name it.
9. The log's name for outsiders, its origin, follows from the house's name and the root keys at
   the time (`origin_of`) and never changes: the same root cannot have two logs witnessed. The
   log's key, once there, may only be replaced by another one, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from gen.errors import HouseError
from gen.provenance.canonical import (
    StrictJsonError,
    canonical,
    fields,
    is_sha256_hex,
    sha256_hex,
)
from gen.provenance.consent import PERSON_ID, PURPOSES
from gen.provenance.dsse import Signature, is_signed_by
from gen.provenance.keys import is_sound_public, key_id
from gen.provenance.model_signing import PUBLIC_KEY
from gen.provenance.witnesses.notes import LOG_KEY, NoteKey

ROSTER_TYPE = "application/vnd.music-house.roster+json"
COMPOSER, CURATOR = "composer", "curator"
TRAINER, PRODUCER = "trainer", "producer"
HOUSE_ROLES = (COMPOSER, CURATOR, TRAINER, PRODUCER)
MACHINE_ROLES = (TRAINER, PRODUCER)
"""What a computer may do by itself, with a key that no passphrase seals."""
HOUSE_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}\Z")
SIGNATURES_PER_WORK = 2


class RosterError(HouseError):
    """A roster that breaks one of the rules above."""


@dataclass(frozen=True)
class PersonKey:
    """A person's public key and the register indices it may sign.

    Attributes:
        public: 32 bytes.
        valid_from: first index.
        valid_to: first index no longer; None while in use.
        compromised_from: what it signed from this index on is refused; None if never.
    """

    public: bytes
    valid_from: int
    valid_to: int | None = None
    compromised_from: int | None = None

    @cached_property
    def keyid(self) -> str:
        return key_id(self.public)

    def refusal_at(self, index: int) -> str | None:
        """The rule that a signature at `index` would break; None when it is valid."""
        if self.compromised_from is not None and index >= self.compromised_from:
            return "revoked-key"
        if index < self.valid_from:
            return "key-not-yet-valid"
        if self.valid_to is not None and index >= self.valid_to:
            return "expired-key"
        return None

    def to_dict(self) -> dict[str, Any]:
        return {
            "compromised_from": self.compromised_from,
            "public": self.public.hex(),
            "valid_from": self.valid_from,
            "valid_to": self.valid_to,
        }

    @staticmethod
    def from_dict(value: object) -> PersonKey:
        maybe = (int, type(None))
        found = fields(
            value, "key", compromised_from=maybe, public=str, valid_from=int, valid_to=maybe
        )
        if not is_sha256_hex(found["public"]):
            raise StrictJsonError(f"key: public is {found['public']!r:.80}, not 64 hex digits")
        return PersonKey(
            bytes.fromhex(found["public"]),
            found["valid_from"],
            found["valid_to"],
            found["compromised_from"],
        )


@dataclass(frozen=True)
class Person:
    """Somebody of the house. `note` says what people should know, for instance "sealed"."""

    id: str
    name: str
    roles: tuple[str, ...]
    keys: tuple[PersonKey, ...]
    note: str = ""

    def open_keys(self) -> tuple[PersonKey, ...]:
        """The keys that may sign; none of somebody who has departed."""
        return tuple(k for k in self.keys if k.valid_to is None and k.compromised_from is None)

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "keys": [key.to_dict() for key in self.keys],
            "name": self.name,
            "note": self.note,
            "roles": list(self.roles),
        }

    @staticmethod
    def from_dict(value: object) -> Person:
        found = fields(value, "person", id=str, keys=list, name=str, note=str, roles=list)
        if not PERSON_ID.match(found["id"]) or found["id"] == "root":
            raise StrictJsonError(f"{found['id']!r} is no person's id")
        if not found["roles"] or any(role not in HOUSE_ROLES for role in found["roles"]):
            raise StrictJsonError(f"{found['id']} has roles {found['roles']}")
        keys = tuple(PersonKey.from_dict(key) for key in found["keys"])
        return Person(found["id"], found["name"], tuple(found["roles"]), keys, found["note"])


@dataclass(frozen=True)
class Roster:
    """One version of the house's list of people.

    Attributes:
        house: the house's name, as its pin spells it.
        version: 1, 2, 3 …
        register_index: where in the register it takes effect.
        expires: first day (UTC) on which it no longer counts; None only when sealed.
        sealed: no act may follow.
        root_keys: public keys that may sign rosters.
        threshold: how many of them must.
        people: sorted by id.
        purposes: consent purposes this house knows.
        change: what this version changed, for people.
        takes_machine_written: works that a machine wrote may enter, declared as such.
        statements_in_log: every entry carries what its composer signed, so that a curator's key
            alone enters nothing; false only in rosters from before.
        identity: of the house, which every later act and every statement of a new work names, so
            that what is signed for one house counts in no other; "" in rosters from before.
        log: signs notes of the log's heads (`gen.provenance.witnesses`); None in houses whose
            heads nobody outside can witness.
        models: the public key that signs models' folders (`gen.provenance.model_signing`); "" in
            houses that sign none.
    """

    house: str
    version: int
    register_index: int
    expires: date | None
    sealed: bool
    root_keys: tuple[bytes, ...]
    threshold: int
    people: tuple[Person, ...]
    purposes: tuple[str, ...] = PURPOSES
    change: str = ""
    takes_machine_written: bool = False
    statements_in_log: bool = False
    identity: str = ""
    log: NoteKey | None = None
    models: str = ""

    @cached_property
    def root_keyids(self) -> frozenset[str]:
        return frozenset(map(key_id, self.root_keys))

    @cached_property
    def owners(self) -> dict[str, tuple[Person, PersonKey]]:
        """Key id → its person and key."""
        return {key.keyid: (person, key) for person in self.people for key in person.keys}

    def person(self, person_id: str) -> Person | None:
        return next((p for p in self.people if p.id == person_id), None)

    def has_expired(self, today: date) -> bool:
        return self.expires is not None and today >= self.expires

    def payload(self) -> bytes:
        """The bytes that root keys sign."""
        return canonical(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        return {
            "change": self.change,
            "expires": self.expires.isoformat() if self.expires else None,
            "format": 1,
            "house": self.house,
            **({"identity": self.identity} if self.identity else {}),
            **({"log": _log_to_dict(self.log)} if self.log else {}),
            **({"models": {"public": self.models}} if self.models else {}),
            "people": [person.to_dict() for person in self.people],
            "policy": {
                "purposes": list(self.purposes),
                "signatures_per_work": SIGNATURES_PER_WORK,
                **({"statements_in_log": True} if self.statements_in_log else {}),
                **({"takes_machine_written": True} if self.takes_machine_written else {}),
            },
            "register_index": self.register_index,
            "root": {"keys": [key.hex() for key in self.root_keys], "threshold": self.threshold},
            "sealed": self.sealed,
            "version": self.version,
        }

    @staticmethod
    def from_dict(value: object) -> Roster:
        """Read what `to_dict` wrote, and check what can be checked of one version alone.

        Raises:
            StrictJsonError: another shape.
            RosterError: rules 4 or 6, or an impossible threshold.
        """
        plain = dict(value) if isinstance(value, dict) else value
        extra = plain if isinstance(plain, dict) else {}
        log, models, identity = (extra.pop(name, None) for name in ("log", "models", "identity"))
        found = fields(
            plain,
            "roster",
            change=str,
            expires=(str, type(None)),
            format=int,
            house=str,
            people=list,
            policy=dict,
            register_index=int,
            root=dict,
            sealed=bool,
            version=int,
        )
        # Written only where true, so that rosters from before the words existed still verify.
        written = dict(found["policy"])
        takes_machine_written = written.pop("takes_machine_written", False)
        statements_in_log = written.pop("statements_in_log", False)
        policy = fields(written, "policy", purposes=list, signatures_per_work=int)
        if {type(takes_machine_written), type(statements_in_log)} != {bool}:
            raise StrictJsonError("a flag of the policy is true or left out")
        root = fields(found["root"], "root", keys=list, threshold=int)
        if found["format"] != 1 or policy["signatures_per_work"] != SIGNATURES_PER_WORK:
            raise StrictJsonError("not a roster of format 1 with two signatures per work")
        if not all(map(is_sha256_hex, root["keys"])):
            raise StrictJsonError("root keys are 64 hex digits each")
        roster = Roster(
            found["house"],
            found["version"],
            found["register_index"],
            _day(found["expires"]),
            found["sealed"],
            tuple(bytes.fromhex(key) for key in root["keys"]),
            root["threshold"],
            tuple(Person.from_dict(person) for person in found["people"]),
            tuple(map(str, policy["purposes"])),
            found["change"],
            takes_machine_written,
            statements_in_log,
            str(identity or ""),
            None if log is None else _log_from_dict(log),
            "" if models is None else _models_from_dict(models),
        )
        if roster.to_dict() != value:
            raise StrictJsonError("a roster that is not in its one spelling")
        _check_alone(roster)
        return roster


def identity_of(house: str, root_keyids: Iterable[str]) -> str:
    """What a house is called in all that is signed for it: its name, and which root keys it had."""
    return f"{house}/{sha256_hex(''.join(sorted(root_keyids)).encode())}"


def origin_of(house: str, root_keyids: Iterable[str]) -> str:
    """What witnesses call the log of a house: its name, and which root keys it began with."""
    return identity_of(house, root_keyids)[: len(house) + 1 + 16]


def _log_to_dict(log: NoteKey) -> dict[str, str]:
    return {"origin": log.name, "public": log.public.hex()}


def _log_from_dict(value: object) -> NoteKey:
    found = fields(value, "log", origin=str, public=str)
    if not is_sha256_hex(found["public"]):
        raise StrictJsonError("the log's key is 64 hex digits")
    return NoteKey(found["origin"], bytes.fromhex(found["public"]), LOG_KEY)


def _models_from_dict(value: object) -> str:
    public = str(fields(value, "models", public=str)["public"])
    if not PUBLIC_KEY.match(public):
        raise StrictJsonError("the models' key is a public key of P-256 in base64")
    return public


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise StrictJsonError(f"{text!r} is no day") from error


def _check_alone(roster: Roster) -> None:
    if not HOUSE_NAME.match(roster.house):
        raise RosterError(f"{roster.house!r} is no house name")
    if not 1 <= roster.threshold <= len(roster.root_keys):
        raise RosterError(f"threshold {roster.threshold} of {len(roster.root_keys)} root keys")
    keys = [*roster.root_keys, *(key.public for p in roster.people for key in p.keys)]
    keys += [roster.log.public] if roster.log else []
    if not all(map(is_sound_public, keys)):
        raise RosterError("a public key is of small order or misspelt: anybody could sign for it")
    if len(set(keys)) != len(keys):
        raise RosterError("one public key appears twice: every person needs a key of their own")
    ids = [person.id for person in roster.people]
    if ids != sorted(set(ids)):
        raise RosterError("people are not sorted by id, or one is named twice")
    if (roster.expires is None) != roster.sealed:
        raise RosterError("a sealed roster has no expiry, and only a sealed one")


@dataclass(frozen=True)
class SignedRoster:
    """A roster and the root signatures under it."""

    roster: Roster
    signatures: tuple[Signature, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "roster": self.roster.to_dict(),
            "signatures": [s.to_dict() for s in self.signatures],
        }

    @staticmethod
    def from_dict(value: object) -> SignedRoster:
        found = fields(value, "signed roster", roster=dict, signatures=list)
        signatures = tuple(Signature.from_dict(s) for s in found["signatures"])
        return SignedRoster(Roster.from_dict(found["roster"]), signatures)

    def signers_among(self, root_keys: Iterable[bytes]) -> set[str]:
        """Key ids of those `root_keys` whose signature is here and right."""
        return root_signers(root_keys, self.signatures, ROSTER_TYPE, self.roster.payload())

    def check_signed_by(self, root: Roster, whose: str) -> None:
        """Rule 1: enough of `root`'s root keys signed this version.

        Raises:
            RosterError: too few.
        """
        count = len(self.signers_among(root.root_keys))
        if count < root.threshold:
            raise RosterError(
                f"roster version {self.roster.version} carries {count} signatures of {whose} "
                f"root keys, {root.threshold} are needed"
            )


def root_signers(
    root_keys: Iterable[bytes], signatures: Iterable[Signature], kind: str, payload: bytes
) -> set[str]:
    """Key ids of those `root_keys` that signed `payload` as a record of this `kind`."""
    publics = {key_id(public): public for public in root_keys}
    return {
        s.keyid
        for s in signatures
        if s.keyid in publics and is_signed_by(s, publics[s.keyid], kind, payload)
    }
