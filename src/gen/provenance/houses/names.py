"""People's names that can be erased: the roster holds a digest, a file beside the log the name.

A name that is given when somebody is enrolled stands in the roster as `sha256:` and the SHA-256 of
a record, which lies in the house's folder `.names`: canonical JSON with the name and a salt of 32
random bytes. Once that file is gone nothing in the log tells what the name was, nobody can find it
by trying, and every act, proof and signature stays as it is. Older rosters hold names in
plain words; what is in a log cannot be taken out of it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

from gen.errors import HouseError, SettingError
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.houses.store import NAMES, Store
from gen.provenance.records.roster import COMMITTED, Person
from gen.provenance.signing.canonical import canonical, canonical_json, sha256_hex

_MOST_BYTES = 65_536
_DIGEST = re.compile(rf"{COMMITTED}([0-9a-f]{{64}})\Z")


def keep_name(store: Store, name: str) -> str:
    """Keep a name in the house's folder; what the roster says in its place."""
    record = canonical({"name": name, "salt": secrets.token_hex(32)})
    digest = sha256_hex(record)
    store.make_folder(NAMES)
    store.check_writable(NAMES)
    store.write({_place(digest): record})
    return f"{COMMITTED}{digest}"


def forget_name(store: Store, committed: str) -> None:
    """Remove a name that `keep_name` kept."""
    store.remove(_place(committed.removeprefix(COMMITTED)))


def names_of(house: House, register: Register) -> dict[str, str]:
    """The name of each person by id; the id itself where the name was erased.

    Raises:
        HouseError: a record is not the one that the roster names.
    """
    return {person.id: _name(house.store, person) for person in register.roster.people}


def _name(store: Store, person: Person) -> str:
    digest = _DIGEST.match(person.name)
    if digest is None:
        return person.name
    place = _place(digest[1])
    record = store.read_if_there(place, _MOST_BYTES)
    if record is None:
        return person.id
    if sha256_hex(record) != digest[1]:
        raise HouseError(
            "was changed: the roster names another record",
            where=place, mend="restore it, or remove it: then the name is erased",
        )  # fmt: skip
    return str(canonical_json(record)["name"])


def erase_name(house: House, register: Register, person_id: str) -> list[int]:
    """Erase somebody's name: remove every record of it; versions of the roster that named it.

    Raises:
        SettingError: nobody of this id; or the log has the name in plain words, or it has none
            besides the id.
    """
    register.roster.enrolled(person_id)
    found = dict(_said_of(register, person_id))
    plain = [
        version for version, name in found.items() if name != person_id and not _DIGEST.match(name)
    ]
    if plain:
        raise SettingError(
            f"the log has the name of {person_id} in plain words (roster version {plain[0]}), and "
            "what is in a log stays there",
            mend="only names that were given since names lie beside the log can be erased",
        )
    digests = {name for name in found.values() if _DIGEST.match(name)}
    if not digests:
        raise SettingError(f"no name of {person_id} is in the house besides that id")
    for committed in digests:
        forget_name(house.store, committed)
    return [version for version, name in found.items() if name in digests]


def _said_of(register: Register, person_id: str) -> Iterator[tuple[int, str]]:
    """What each version of the roster calls somebody."""
    for signed in register.rosters:
        person = signed.roster.person(person_id)
        if person is not None:
            yield signed.roster.version, person.name


def _place(digest: str) -> str:
    return f"{NAMES}/{digest}.json"
