"""Changing a house's roster.

Each function makes the next roster; `change_roster` signs it with the root keys at hand and
enters it, or leaves a proposal for the other root keys' holders when a threshold asks for more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from gen.errors import HouseError, SettingError
from gen.provenance.history.register import Register
from gen.provenance.history.succession import check_succession
from gen.provenance.houses.founding import ROSTER_DAYS, key_act, log_of, signed_roster
from gen.provenance.houses.house import House, Session
from gen.provenance.houses.store import (
    MAX_RECORD_BYTES,
    PROPOSAL,
)
from gen.provenance.records.acts import ROOT
from gen.provenance.records.consent import PERSON_ID
from gen.provenance.records.roster import (
    HOUSE_ROLES,
    ROSTER_TYPE,
    Person,
    PersonKey,
    Roster,
    SignedRoster,
    identity_of,
)
from gen.provenance.signing.canonical import canonical, canonical_json, today_utc
from gen.provenance.signing.dsse import sign
from gen.provenance.signing.keys import PrivateKey, key_id

_SAID_ELSEWHERE = ("change", "people", "register_index", "version")


@dataclass(frozen=True, slots=True)
class RosterChange:
    """What became of a roster: entered, or waiting for more root signatures."""

    house: House
    roster: Roster
    signed: int
    is_entered: bool


# -- the next roster ------------------------------------------------------------------------


def _next(register: Register, change: str, **values: object) -> Roster:
    if register.roster.sealed:
        raise HouseError(
            f"the house {register.roster.house} is sealed: its roster is the last",
            mend="start a house of your own, with its works: house.py init --with-starter",
        )
    return dataclasses.replace(
        register.roster,
        **{  # type: ignore[arg-type]
            "version": register.roster.version + 1,
            "register_index": register.size,
            "change": change,
            "statements_in_log": True,
            **values,
        },
    )


def _with(register: Register, person: Person, change: str) -> Roster:
    others = [p for p in register.roster.people if p.id != person.id]
    people = tuple(sorted([*others, person], key=lambda p: p.id))
    return _next(register, change, people=people)


def enrolled(
    register: Register, person_id: str, name: str, roles: Sequence[str], public: bytes
) -> Roster:
    """With one more person.

    Raises:
        SettingError: an unfit id or role, or the id is taken.
    """
    if not PERSON_ID.match(person_id) or person_id == ROOT:
        raise SettingError(f"{person_id!r} is no person's id", mend="use a-z, digits, hyphens")
    unknown = [role for role in roles if role not in HOUSE_ROLES]
    if unknown or not roles:
        raise SettingError(f"roles {list(roles)}", mend=f"roles are {', '.join(HOUSE_ROLES)}")
    if register.roster.person(person_id):
        raise SettingError(
            f"{person_id} is enrolled already", mend="for a new key: house.py rotate --person ID"
        )
    key = PersonKey(public, register.size)
    person = Person(person_id, name, tuple(sorted(roles)), (key,))
    return _with(register, person, f"enrolled {person_id} ({', '.join(person.roles)})")


def end_keys(person: Person, index: int) -> Person:
    """The person with every open key ended at `index`."""
    keys = tuple(
        dataclasses.replace(k, valid_to=index) if k.valid_to is None else k for k in person.keys
    )
    return dataclasses.replace(person, keys=keys)


def with_new_key(register: Register, person_id: str, public: bytes) -> Roster:
    """With the person's keys ended and a new one valid from here on."""
    person = end_keys(register.roster.enrolled(person_id), register.size)
    keys = (*person.keys, PersonKey(public, register.size))
    changed = dataclasses.replace(person, keys=keys)
    return _with(register, changed, f"new key for {person_id}")


def departed(register: Register, person_id: str) -> Roster:
    """With every key of the person ended; what they signed stands."""
    person = end_keys(register.roster.enrolled(person_id), register.size)
    return _with(register, person, f"{person_id} departed")


def compromised(register: Register, person_id: str, from_index: int) -> Roster:
    """With every key of the person refused from `from_index` on.

    Raises:
        SettingError: an index beyond the register.
    """
    if not 0 <= from_index <= register.size:
        raise SettingError(
            f"index {from_index} of a register of {register.size} acts",
            mend="give the index of the first act that may be forged",
        )
    person = register.roster.enrolled(person_id)
    keys = tuple(_compromise(key, from_index, register.size) for key in person.keys)
    changed = dataclasses.replace(person, keys=keys)
    return _with(register, changed, f"{person_id}'s keys are compromised from {from_index} on")


def _compromise(key: PersonKey, from_index: int, size: int) -> PersonKey:
    first = min(from_index, from_index if key.compromised_from is None else key.compromised_from)
    ended = size if key.valid_to is None else key.valid_to
    return dataclasses.replace(key, compromised_from=first, valid_to=ended)


def renewed(register: Register, days: int = ROSTER_DAYS) -> Roster:
    """With a later expiry; and with the house's identity, where it has none yet."""
    until, roster = today_utc() + timedelta(days=days), register.roster
    identity = roster.identity or identity_of(roster.house, roster.root_keyids)
    begins = "" if roster.identity else ", and acts and works name their house from here on"
    return _next(register, f"valid until {until}{begins}", expires=until, identity=identity)


def with_root(register: Register, publics: Sequence[bytes], threshold: int) -> Roster:
    """With other root keys. Signed by the old and the new."""
    if not 1 <= threshold <= len(publics):
        raise SettingError(f"threshold {threshold} of {len(publics)} root keys")
    change = f"new root: {threshold} of {', '.join(key_id(p)[:12] for p in publics)}"
    return _next(register, change, root_keys=tuple(publics), threshold=threshold)


def with_log_key(register: Register, public: bytes) -> Roster:
    """With a key that signs notes of the log, or another one. The log's origin stays."""
    known = register.roster.log
    new = log_of(register.roster.house, register.roster.root_keyids, public)
    change = f"{'another' if known else 'a'} key of the log: {key_id(public)[:12]}"
    return _next(register, change, log=dataclasses.replace(known, public=public) if known else new)


def with_models_key(register: Register, public: str) -> Roster:
    """With a key that signs models' folders, or another one in its place."""
    known = register.roster.models
    change = f"{'another' if known else 'a'} key for models: …{public[-14:-2]}"
    return _next(register, change, models=public)


def sealed(register: Register) -> Roster:
    """The last roster: no act follows, and it never expires."""
    return _next(register, "the house is sealed", sealed=True, expires=None)


# -- entering it ----------------------------------------------------------------------------


def change_roster(
    session: Session, roster: Roster, root_keys: Sequence[PrivateKey]
) -> RosterChange:
    """Sign `roster` with the root keys at hand and enter it, or leave a proposal.

    Raises:
        HouseError: no root key is at hand.
    """
    if not root_keys:
        raise HouseError(
            "this needs a root key of the house, and none is in your key folder",
            mend="ask a holder of a root key to do it",
        )
    return _enter_or_propose(session, signed_roster(roster, root_keys), root_keys[0])


def cosign(session: Session, root_keys: Sequence[PrivateKey]) -> RosterChange:
    """Add this user's root signatures to the waiting proposal, and enter it when they suffice.

    Raises:
        HouseError: nothing waits, or the register has moved on since.
    """
    proposal = read_proposal(session.house)
    if proposal.roster.register_index != session.register.size:
        raise HouseError(
            f"the proposal was made at register index {proposal.roster.register_index}, "
            f"the register is at {session.register.size} by now",
            where=PROPOSAL,
            mend="make the change again; it replaces the proposal",
        )
    if not proposal.signers_among(session.register.roster.root_keys):
        raise HouseError(
            "no root key of this house signed the proposal: anybody may have put it there",
            where=PROPOSAL,
            mend="delete it; whoever holds one of the present root keys makes the change first",
        )
    have = {s.keyid for s in proposal.signatures}
    fresh = [key for key in root_keys if key.keyid not in have]
    if not fresh:
        raise HouseError("no further root key of this house is in your key folder")
    payload = proposal.roster.payload()
    added = tuple(sign(ROSTER_TYPE, payload, key) for key in fresh)
    signed = SignedRoster(proposal.roster, (*proposal.signatures, *added))
    return _enter_or_propose(session, signed, fresh[0])


def read_proposal(house: House) -> SignedRoster:
    """The roster that waits for root signatures.

    Raises:
        HouseError: none waits.
    """
    data = house.store.read_if_there(PROPOSAL, MAX_RECORD_BYTES)
    if data is None:
        where = str(house.folder / PROPOSAL)
        raise HouseError("no roster change waits for signatures", where=where)
    return SignedRoster.from_dict(canonical_json(data.rstrip(b"\n")))


def differences(old: Roster, new: Roster) -> list[str]:
    """What a roster changes, worked out from both: its own words are only its maker's."""
    before, after = (
        {
            **{f"person {person.id}": person.to_dict() for person in roster.people},
            **{k: v for k, v in roster.to_dict().items() if k not in _SAID_ELSEWHERE},
        }
        for roster in (old, new)
    )
    names = sorted(before.keys() | after.keys())
    return [
        _difference(n, before.get(n), after.get(n)) for n in names if before.get(n) != after.get(n)
    ]


def _difference(name: str, old: Any, new: Any) -> str:
    if old is None or new is None or not isinstance(new, dict):
        return f"{name}: {canonical(old).decode()} → {canonical(new).decode()}"
    parts = [_difference(key, old.get(key), new[key]) for key in new if old.get(key) != new[key]]
    return f"{name}: {', '.join(parts)}"


def _enter_or_propose(session: Session, signed: SignedRoster, head_key: PrivateKey) -> RosterChange:
    old, new = session.register.roster, signed.roster
    count = len(signed.signers_among(new.root_keys))
    enough = count >= new.threshold and (len(signed.signers_among(old.root_keys)) >= old.threshold)
    if not enough:
        text = canonical(signed.to_dict()) + b"\n"
        session.house.store.write({PROPOSAL: text})
        return RosterChange(session.house, new, len(signed.signatures), is_entered=False)
    check_succession(session.register.rosters[-1], signed, session.register.size)
    house = session.commit([key_act(signed, session.register.size)], head_key, ())
    return RosterChange(house, new, len(signed.signatures), is_entered=True)


def expires_soon(roster: Roster, today: date) -> bool:
    """Whether the roster expires within thirty days."""
    return roster.expires is not None and today + timedelta(days=30) >= roster.expires


def signed_from(register: Register, changed: Roster, person_id: str) -> list[str]:
    """Works that a roster `changed` by `compromised` would refuse, sorted."""
    person = changed.person(person_id)
    keys = {key.keyid: key for key in person.keys} if person else {}
    return sorted(
        record.entry.work
        for record in register.live_works()
        for keyid in record.entry.keyids
        if keyid in keys and keys[keyid].refusal_at(record.index) == "revoked-key"
    )
