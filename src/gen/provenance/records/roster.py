"""Who belongs to the house, with which keys, from which register index to which.

Rules (enforced here and in `gen.provenance.history.succession`)
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
from typing import Any, ClassVar, Literal

from gen.errors import HouseError, SettingError
from gen.provenance.records.acts import ROOT
from gen.provenance.records.consent import PERSON_ID, PURPOSES
from gen.provenance.signing.canonical import StrictJsonError, canonical, sha256_hex
from gen.provenance.signing.dsse import Signature, is_signed_by
from gen.provenance.signing.keys import is_sound_public, key_id
from gen.provenance.signing.notes import LOG_KEY, NoteKey
from gen.provenance.signing.shapes import Digest, P256Key, Shape

ROSTER_TYPE = "application/vnd.music-house.roster+json"
COMPOSER, CURATOR = "composer", "curator"
TRAINER, PRODUCER = "trainer", "producer"
COMMITTED = "sha256:"
"""How the name of a person begins that lies beside the log (`gen.provenance.houses.names`)."""
HOUSE_ROLES = (COMPOSER, CURATOR, TRAINER, PRODUCER)
MACHINE_ROLES = (TRAINER, PRODUCER)
"""What a computer may do by itself, with a key that no passphrase seals."""
HOUSE_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}\Z")


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


@dataclass(frozen=True)
class Person:
    """Somebody of the house. `note` says what people should know, for instance "sealed"."""

    id: str
    name: str
    roles: tuple[str, ...]
    keys: tuple[PersonKey, ...]
    note: str = ""

    @property
    def lasting_name(self) -> str:
        """What files may say that nobody can take back: the name, or the id where it is kept apart
        (`gen.provenance.houses.names`).
        """
        return self.id if self.name.startswith(COMMITTED) else self.name

    def to_dict(self) -> dict[str, Any]:
        return _Person.of(self).to_dict()

    def open_keys(self) -> tuple[PersonKey, ...]:
        """The keys that may sign; none of somebody who has departed."""
        return tuple(k for k in self.keys if k.valid_to is None and k.compromised_from is None)


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
            alone enters nothing; false only in older rosters.
        identity: of the house, which every later act and every statement of a new work names, so
            that what is signed for one house counts in no other; "" in older rosters.
        log: signs notes of the log's heads (`gen.provenance.witnesses`); None in houses whose
            heads nobody outside can witness.
        models: the public key that signs models' folders (`gen.provenance.signing.model_signing`);
        "" in
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

    def enrolled(self, person_id: str) -> Person:
        """The person with this id.

        Raises:
            SettingError: there is none; names those there are.
        """
        person = self.person(person_id)
        if person is None:
            ids = ", ".join(p.id for p in self.people) or "nobody"
            raise SettingError(
                f"{person_id!r} is not enrolled in {self.house}",
                mend=f"enrolled are: {ids}; house.py enroll takes somebody in",
            )
        return person

    def has_expired(self, today: date) -> bool:
        return self.expires is not None and today >= self.expires

    def payload(self) -> bytes:
        """The bytes that root keys sign."""
        return canonical(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        return _RecordedRoster.of(self).to_dict()

    @staticmethod
    def from_dict(value: object) -> Roster:
        """Read what `to_dict` wrote, and check what can be checked of one version alone.

        Raises:
            StrictJsonError: another shape.
            RosterError: rules 4 or 6, or an impossible threshold.
        """
        roster = _RecordedRoster.from_dict(value).roster()
        _check_alone(roster)
        return roster


class _Key(Shape, frozen=True):
    compromised_from: int | None
    public: Digest
    valid_from: int
    valid_to: int | None

    @staticmethod
    def of(key: PersonKey) -> _Key:
        return _Key(key.compromised_from, key.public.hex(), key.valid_from, key.valid_to)

    def key(self) -> PersonKey:
        public = bytes.fromhex(self.public)
        return PersonKey(public, self.valid_from, self.valid_to, self.compromised_from)


class _Person(Shape, frozen=True):
    id: str
    keys: tuple[_Key, ...]
    name: str
    note: str
    roles: tuple[str, ...]

    def __post_init__(self) -> None:
        if not PERSON_ID.match(self.id) or self.id == ROOT:
            raise StrictJsonError(f"{self.id!r} is no person's id")
        if not self.roles or any(role not in HOUSE_ROLES for role in self.roles):
            raise StrictJsonError(f"{self.id} has roles {list(self.roles)}")

    @staticmethod
    def of(person: Person) -> _Person:
        keys = tuple(map(_Key.of, person.keys))
        return _Person(person.id, keys, person.name, person.note, person.roles)

    def person(self) -> Person:
        return Person(
            self.id, self.name, self.roles, tuple(key.key() for key in self.keys), self.note
        )


class _Policy(Shape, frozen=True, omit_defaults=True):
    purposes: tuple[str, ...]
    signatures_per_work: Literal[2]
    statements_in_log: bool = False
    takes_machine_written: bool = False


class _Root(Shape, frozen=True):
    keys: tuple[Digest, ...]
    threshold: int


class _RosterLog(Shape, frozen=True):
    origin: str
    public: Digest


class _Models(Shape, frozen=True):
    public: P256Key


class _RecordedRoster(Shape, frozen=True, omit_defaults=True):
    """A roster as it is signed: what it may lack came later, and older rosters still verify."""

    WHAT: ClassVar[str] = "roster"

    change: str
    expires: date | None
    format: Literal[1]
    house: str
    people: tuple[_Person, ...]
    policy: _Policy
    register_index: int
    root: _Root
    sealed: bool
    version: int
    identity: str = ""
    log: _RosterLog | None = None
    models: _Models | None = None

    @staticmethod
    def of(roster: Roster) -> _RecordedRoster:
        log, models = roster.log, roster.models
        return _RecordedRoster(
            roster.change,
            roster.expires,
            1,
            roster.house,
            tuple(map(_Person.of, roster.people)),
            _Policy(roster.purposes, 2, roster.statements_in_log, roster.takes_machine_written),
            roster.register_index,
            _Root(tuple(key.hex() for key in roster.root_keys), roster.threshold),
            roster.sealed,
            roster.version,
            roster.identity,
            _RosterLog(log.name, log.public.hex()) if log else None,
            _Models(models) if models else None,
        )

    def roster(self) -> Roster:
        log = self.log
        return Roster(
            self.house,
            self.version,
            self.register_index,
            self.expires,
            self.sealed,
            tuple(map(bytes.fromhex, self.root.keys)),
            self.root.threshold,
            tuple(person.person() for person in self.people),
            self.policy.purposes,
            self.change,
            self.policy.takes_machine_written,
            self.policy.statements_in_log,
            self.identity,
            NoteKey(log.origin, bytes.fromhex(log.public), LOG_KEY) if log else None,
            self.models.public if self.models else "",
        )


def identity_of(house: str, root_keyids: Iterable[str]) -> str:
    """What a house is called in all that is signed for it: its name, and which root keys it had."""
    return f"{house}/{sha256_hex(''.join(sorted(root_keyids)).encode())}"


def origin_of(house: str, root_keyids: Iterable[str]) -> str:
    """What witnesses call the log of a house: its name, and which root keys it began with."""
    return identity_of(house, root_keyids)[: len(house) + 1 + 16]


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


class _SignedRoster(Shape, frozen=True):
    WHAT: ClassVar[str] = "signed roster"

    roster: dict[str, Any]
    signatures: tuple[Signature, ...]


@dataclass(frozen=True)
class SignedRoster:
    """A roster and the root signatures under it."""

    roster: Roster
    signatures: tuple[Signature, ...]

    def to_dict(self) -> dict[str, Any]:
        return _SignedRoster(self.roster.to_dict(), self.signatures).to_dict()

    @staticmethod
    def from_dict(value: object) -> SignedRoster:
        found = _SignedRoster.from_dict(value)
        return SignedRoster(Roster.from_dict(found.roster), found.signatures)

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
