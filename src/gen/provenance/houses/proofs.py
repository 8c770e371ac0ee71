"""Proofs that an outsider can check with the pin and a few hashes, without the register.

A proof shows that an act is in the log under a signed head, that the log only grew, or both. It
holds the head, the present roster, and what else is needed:

```
head    size, root and signature
roster  the present one, signed by the root
act     the act's line, its index, its path in the tree; null where none is proved
rosters where the present roster did not yet hold: the one that did, and the next, as acts
since   an earlier size and root, and the path from it to the head; null where none was asked for
entry   beside consent, terms or a withdrawal: the act that entered its work, rosters around it
```
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from gen.errors import HouseError, SettingError
from gen.provenance.history.log import HEAD_TYPE, Head
from gen.provenance.history.register import Register
from gen.provenance.history.rights import check_right, entries_of
from gen.provenance.houses.house import House
from gen.provenance.records.acts import (
    ADD,
    ADOPT,
    APPROVE,
    CONSENT,
    KEY,
    ROOT,
    TERMS,
    WITHDRAW,
    Act,
    KeyChange,
)
from gen.provenance.records.pin import Pin
from gen.provenance.records.roster import CURATOR, Roster, SignedRoster
from gen.provenance.signing.canonical import canonical_json, today_utc
from gen.provenance.signing.dsse import Signature, is_signed_by
from gen.provenance.signing.keys import key_id
from gen.provenance.signing.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from gen.provenance.signing.shapes import Digest, Shape

FORMAT = 2
OF_A_WORK = (CONSENT, TERMS, WITHDRAW)
"""Acts that are its composer's to do, mostly: whose the work is stands in another."""


class ProofError(HouseError):
    """A proof that does not prove what it says."""


class _EnteredAct(Shape, frozen=True):
    """An act's line, its index, and its path in the tree."""

    index: int
    line: str
    path: tuple[Digest, ...]


class _EnteredWork(Shape, frozen=True):
    """The act that entered a work, and the rosters around it."""

    act: _EnteredAct
    rosters: tuple[_EnteredAct, ...]


class _Since(Shape, frozen=True):
    """An earlier size and root, and the path from it to the head."""

    path: tuple[Digest, ...]
    root: Digest
    size: int


class _Proof(Shape, frozen=True, omit_defaults=True):
    WHAT: ClassVar[str] = "proof"

    act: _EnteredAct | None
    format: int
    head: dict[str, Any]
    roster: dict[str, Any]
    rosters: tuple[_EnteredAct, ...]
    since: _Since | None
    entry: _EnteredWork | None = None


# -- making one ------------------------------------------------------------------------------


def prove(
    house: House, index: int | None = None, since: int | None = None,
    *, register: Register | None = None,
) -> dict[str, Any]:  # fmt: skip
    """That act `index` is in the log, and that the log extends that of `since` acts.

    Args:
        house: whose log.
        index: of an act; None proves none.
        since: an earlier size; whoever checks the proof with a pin of that size needs it.
        register: of the house, verified in full (`House.load`); None loads it.

    Raises:
        SettingError: no such act, or the log never had that size.
    """
    register = register or house.load(full=True)
    head = register.newest_head
    if index is not None and not 0 <= index < head.size:
        raise SettingError(f"act {index} of {head.size}", mend="house.py log lists the acts")
    if since is not None and not 0 < since <= head.size:
        raise SettingError(f"size {since} of {head.size}", mend="give an earlier size")
    leaves, around = register.leaves, _rosters_around(register, index)
    lines = _lines(house, register, {*around, index})
    return _Proof(
        None if index is None else _entered(lines, leaves, index),
        FORMAT,
        head.to_dict(),
        register.rosters[-1].to_dict(),
        tuple(_entered(lines, leaves, i) for i in around),
        None if since is None else _grown_since(leaves, since),
        _entry_of(house, register, None if index is None else Act.decode(lines[index])),
    ).to_dict()


def _grown_since(leaves: list[bytes], size: int) -> _Since:
    path = tuple(node.hex() for node in consistency_proof(leaves, size))
    return _Since(path, root_of(leaves[:size]).hex(), size)


def _entered(lines: dict[int, bytes], leaves: list[bytes], index: int) -> _EnteredAct:
    path = tuple(node.hex() for node in inclusion_proof(leaves, index))
    return _EnteredAct(index, lines[index].decode("utf-8"), path)


def _lines(house: House, register: Register, wanted: Container[int | None]) -> dict[int, bytes]:
    return dict(house.register_log.known_lines(register.leaves, lambda index, _: index in wanted))


def _entry_of(house: House, register: Register, act: Act | None) -> _EnteredWork | None:
    """The act that entered the work that `act` speaks of, where that is one of `OF_A_WORK`."""
    if act is None or act.kind not in OF_A_WORK:
        return None
    at = register.entered_before(act.index, act.data["work"])
    around = _rosters_around(register, at)
    lines = _lines(house, register, {*around, at})
    rosters = tuple(_entered(lines, register.leaves, index) for index in around)
    return _EnteredWork(_entered(lines, register.leaves, at), rosters)


def _rosters_around(register: Register, index: int | None) -> list[int]:
    """Where the roster in force at `index` began, and the next; none for the present one."""
    starts = [signed.roster.register_index for signed in register.rosters]
    if index is None or index >= starts[-1]:
        return []
    place = sum(start <= index for start in starts) - 1
    return starts[place : place + 2]


def acts_of(house: House, register: Register, work: str) -> list[int]:
    """Indices of every act that names this work."""
    found, name = [], work.encode()
    for index, line in house.register_log.known_lines(register.leaves, lambda _, b: name in b):
        act = canonical_json(line)
        named = act["data"].get("works", ())
        named = [item["work"] for item in named] if act["act"] == ADOPT else named
        if work == act["data"].get("work") or work in named:
            found.append(index)
    return found


# -- checking one ----------------------------------------------------------------------------


def check_proof(proof: object, pin: Pin, today: date | None = None) -> str:
    """Check a proof against the pin alone.

    Args:
        proof: decoded JSON, as `prove` made it.
        pin: the trusted one: root keys, threshold, and how far the log had come.
        today: the day on which the roster must still count; by default the clock's.

    Returns:
        What it proves, in words.

    Raises:
        ProofError, StrictJsonError, HouseError: it does not.
    """
    found = _Proof.from_dict(proof)
    if found.format != FORMAT:
        raise ProofError(
            f"a proof of format {found.format}", mend="ask the house for one made anew"
        )
    head, present = Head.from_dict(found.head), SignedRoster.from_dict(found.roster)
    _check_roster(present, pin, head, today)
    _check_head(head, present)
    words = [_check_growth(found.since, pin, head)]
    if found.act is not None:
        checker = _Checker(head, present, pin)
        words.insert(0, checker.check(found.act, found.rosters, found.entry))
    return "; ".join(filter(None, words)) + f"; {_named(head)}"


def _check_roster(present: SignedRoster, pin: Pin, head: Head, today: date | None) -> None:
    trusted = [key for key in present.roster.root_keys if key_id(key) in pin.root_keys]
    if len(present.signers_among(trusted)) < pin.threshold or present.roster.house != pin.name:
        raise ProofError("the roster inside is not signed by the root keys you trust")
    if present.roster.version < pin.roster_version:
        raise ProofError(
            f"its roster is version {present.roster.version}, the pin has seen "
            f"{pin.roster_version}: a revocation may have been left out"
        )
    day = max(today or today_utc(), date.fromisoformat(head.time[:10]))
    if present.roster.has_expired(day):
        raise ProofError(
            f"its roster expired on {present.roster.expires}",
            mend="ask the house for a fresh proof",
        )


def _check_head(head: Head, present: SignedRoster) -> None:
    if head.house != present.roster.house or present.roster.register_index >= head.size:
        raise ProofError("head and roster inside do not belong together")
    if len(head.signatures) != 1 or not _signs_head(present, head.signatures[0], head):
        raise ProofError("the head inside is not signed by a key of the house")


def _signs_head(present: SignedRoster, signature: Signature, head: Head) -> bool:
    by_id = {key_id(key): key for key in present.roster.root_keys}
    owner = present.roster.owners.get(signature.keyid)
    if owner is not None and owner[1].refusal_at(head.size - 1) is None:
        by_id[signature.keyid] = owner[1].public
    public = by_id.get(signature.keyid)
    return public is not None and is_signed_by(signature, public, HEAD_TYPE, head.payload())


def _check_growth(since: _Since | None, pin: Pin, head: Head) -> str:
    """Whether the head is the pinned one, or extends it."""
    if head.size < pin.min_size:
        raise ProofError(
            f"its log holds {head.size} acts, the pin has seen {pin.min_size}",
            mend="ask the house for a fresh proof",
        )
    known = [(head.size, head.root)]
    words = ""
    if since is not None:
        first, path = bytes.fromhex(since.root), _hashes(since.path)
        if not verify_consistency(since.size, first, head.size, bytes.fromhex(head.root), path):
            raise ProofError(f"{_named(head)} does not extend that of {since.size} acts")
        known.append((since.size, since.root))
        words = f"the log extends that of {since.size} acts, root {since.root}"
    if (pin.min_size, pin.root_hash) in known:
        return words
    if pin.min_size in dict(known):
        raise ProofError("its log is another than the pinned one")
    raise ProofError(
        f"it does not show that its log of {head.size} acts extends the pinned one of "
        f"{pin.min_size}",
        mend=f"ask the house for one made with `house.py prove … --since {pin.min_size}`",
    )


@dataclass(frozen=True, slots=True)
class _Checker:
    """Checks acts under a head that is trusted."""

    head: Head
    present: SignedRoster
    pin: Pin

    def check(
        self, entered: _EnteredAct, rosters: Sequence[_EnteredAct], entry: _EnteredWork | None
    ) -> str:
        act = self._act(entered)
        whose = ""
        if act.kind == KEY:
            self._roster_of(act)
        else:
            roster = self._in_force(act.index, rosters).roster
            check_right(act, roster)
            if act.kind in OF_A_WORK and act.by != ROOT:
                whose = self._whose(act, roster, entry)
            if act.kind == APPROVE:
                whose = self._whose(act, roster, None)
        what = " ".join(filter(None, (act.kind, str(act.data.get("work", "")), "by", act.by)))
        return f"act {act.index} ({what}) is in the log, and was theirs to do{whose}"

    def _whose(self, act: Act, roster: Roster, entry: _EnteredWork | None) -> str:
        """Whether somebody speaks of a work that is theirs to speak of, in words."""
        if entry is None:
            return f" if the work is {act.by}'s, which the whole log shows, not this proof"
        at, composers = self._composers_of(str(act.data.get("work")), entry)
        if at > act.index:
            raise ProofError(f"act {at} enters the work later than act {act.index} speaks of it")
        person = roster.person(act.by)
        is_curator = act.kind == WITHDRAW and person is not None and CURATOR in person.roles
        if act.by not in composers and not is_curator:
            raise ProofError(f"{act.by} is no composer of the work, as act {at} enters it")
        role = "composer" if act.by in composers else "curator"
        return f" as its {role}: act {at} enters it as composed by {', '.join(composers)}"

    def _composers_of(self, work: str, entry: _EnteredWork) -> tuple[int, list[str]]:
        """The act that entered a work, and those that it names as composers."""
        act = self._act(entry.act)
        if act.kind not in (ADD, ADOPT):
            raise ProofError(f"act {act.index} enters no work")
        check_right(act, self._in_force(act.index, entry.rosters).roster)
        for one in entries_of(act):
            if one.work == work:
                return act.index, [composer for composer, _ in one.composers]
        raise ProofError(f"act {act.index} does not enter the work {work!r:.90}")

    def _act(self, entered: _EnteredAct) -> Act:
        line, root = entered.line.encode("utf-8"), bytes.fromhex(self.head.root)
        path = _hashes(entered.path)
        if not verify_inclusion(leaf_hash(line), entered.index, self.head.size, path, root):
            raise ProofError(f"act {entered.index} is not under this head")
        act = Act.decode(line)
        if act.index != entered.index:
            raise ProofError(f"act {entered.index} says that it is act {act.index}")
        return act

    def _in_force(self, index: int, rosters: Sequence[_EnteredAct]) -> SignedRoster:
        """The roster that held at `index`."""
        if self.present.roster.register_index <= index:
            return self.present
        around = [self._roster_of(self._act(entered)) for entered in rosters]
        if len(around) == 2:
            old, new = (signed.roster for signed in around)
            follows = (new.house, new.version) == (old.house, old.version + 1)
            if follows and old.register_index <= index < new.register_index:
                return around[0]
        raise ProofError(f"it does not show the roster that held at act {index}")

    def _roster_of(self, act: Act) -> SignedRoster:
        if act.kind != KEY:
            raise ProofError(f"act {act.index} is no roster")
        signed = SignedRoster.from_dict(KeyChange.from_dict(act.data).signed)
        signed.check_signed_by(signed.roster, "its own")
        pinned = signed.roster.root_keyids == set(self.pin.root_keys)
        if signed.roster.register_index != act.index or not (
            pinned or act.index < self.pin.min_size
        ):
            raise ProofError(f"the roster in act {act.index} is not one that the pin vouches for")
        return signed


def _named(head: Head) -> str:
    return f"the register of {head.house}, {head.size} acts, root {head.root}"


def _hashes(values: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(value) for value in values]
