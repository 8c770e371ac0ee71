"""Whether a roster may follow another: rules 1 to 3 and 6 to 9 of `records.roster`."""

from __future__ import annotations

from gen.provenance.records.roster import (
    Person,
    PersonKey,
    Roster,
    RosterError,
    SignedRoster,
    identity_of,
    origin_of,
)


def check_succession(old: SignedRoster | None, new: SignedRoster, index: int) -> None:
    """Whether `new` may take effect at register `index` after `old`.

    Raises:
        RosterError: it may not, and why.
    """
    roster = new.roster
    new.check_signed_by(roster, "its own")
    if roster.register_index != index:
        raise RosterError(
            f"roster version {roster.version} was made for register index "
            f"{roster.register_index}, not {index}"
        )
    if old is None:
        _check_first(roster)
        return
    if old.roster.sealed:
        raise RosterError(f"the house {roster.house} is sealed: its roster is the last")
    new.check_signed_by(old.roster, "the previous")
    if (roster.house, roster.version) != (old.roster.house, old.roster.version + 1):
        raise RosterError(
            f"version {roster.version} of {roster.house!r} cannot follow "
            f"version {old.roster.version} of {old.roster.house!r}"
        )
    if old.roster.statements_in_log and not roster.statements_in_log:
        raise RosterError("it would let works enter without what their composers signed")
    for person in old.roster.people:
        _check_person(person, roster)
    _check_new_keys(old.roster, roster)
    _check_identity(old.roster, roster)
    _check_log(old.roster, roster)


def _check_first(roster: Roster) -> None:
    if roster.version != 1:
        raise RosterError(f"the first roster is version {roster.version}, not 1")
    _check_new_keys(None, roster)
    _check_identity(None, roster)
    _check_log(None, roster)


def _check_new_keys(old: Roster | None, new: Roster) -> None:
    known = old.owners if old else {}
    for keyid, (person, key) in new.owners.items():
        if keyid not in known and key.valid_from < new.register_index:
            raise RosterError(
                f"{person.id}'s new key is dated back to index {key.valid_from}, "
                f"the register is at {new.register_index}"
            )


def _check_identity(old: Roster | None, new: Roster) -> None:
    known = old.identity if old else ""
    if known and not new.identity:
        raise RosterError("it would let acts and works enter that were signed for another house")
    if new.identity and new.identity != (known or identity_of(new.house, new.root_keyids)):
        raise RosterError(f"it is the roster of another house: {new.identity!r:.120}")


def _check_log(old: Roster | None, new: Roster) -> None:
    known = old.log if old else None
    if new.log is None:
        if known is not None:
            raise RosterError("it would drop the log's key, so that nobody could witness it")
        return
    origin = known.name if known else origin_of(new.house, new.root_keyids)
    if new.log.name != origin:
        raise RosterError(f"its log is called {new.log.name!r:.90}, not {origin!r}")


def _check_person(old: Person, roster: Roster) -> None:
    new = roster.person(old.id)
    if new is None:
        raise RosterError(f"{old.id} was removed: people depart, they are never removed")
    keys = {key.keyid: key for key in new.keys}
    for key in old.keys:
        if key.keyid not in keys:
            raise RosterError(f"a key of {old.id} was removed or given to somebody else")
        _check_key_history(old.id, key, keys[key.keyid], roster.register_index)


def _check_key_history(person: str, old: PersonKey, new: PersonKey, index: int) -> None:
    if new.valid_from != old.valid_from:
        raise RosterError(f"{person}'s key moved its beginning to index {new.valid_from}")
    # An end may be set at the present index, and then only be moved to earlier ones.
    ends = ((old.valid_to, new.valid_to, index), (old.compromised_from, new.compromised_from, 0))
    for before, after, earliest in ends:
        if before is not None and (after is None or after > before):
            raise RosterError(f"{person}'s key was ended at index {before}, now at {after}")
        if before is None and after is not None and after < earliest:
            raise RosterError(f"{person}'s key would end at index {after}, before {earliest}")
