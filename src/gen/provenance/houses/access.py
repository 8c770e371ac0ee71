"""What a person at a keyboard brings to the house: where it is, their keys, their passphrase."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from gen import places
from gen.errors import HouseError
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.houses.store import ROSTER_FILE
from gen.provenance.records.acts import ROOT
from gen.provenance.records.pin import find_pin, load_pin
from gen.provenance.records.roster import CURATOR
from gen.provenance.signing.key_files import (
    PASSPHRASE_VARIABLE,
    KeyFile,
    find_key,
    list_keys,
    unlock,
    unlock_all,
)
from gen.provenance.signing.keys import PrivateKey

DEFAULT_HOUSE = Path("data") / "house_midi"
HOUSE_VARIABLE = "HOUSE"
"""Environment variable that names the house's folder, so that commands need not."""


def open_house(folder: Path | None = None, pin: Path | None = None) -> House:
    """The house in `folder`, under its pin.

    Args:
        folder: the house's folder; None takes `default_folder()`.
        pin: the pin to trust; None looks in `conf/house`, then inside the house.

    Raises:
        PinError: no pin names this folder.
        HouseError: `pin` is another folder's.
    """
    if pin is not None:
        house = House(load_pin(pin))
        if folder is not None and folder.resolve() != house.folder:
            raise HouseError(
                f"this pin is of {house.folder}, not of {folder}",
                where=str(pin),
                mend="leave --house out, or name the pin of that house",
            )
        return house
    return House(find_pin(folder or default_folder()))


def default_folder() -> Path:
    """The house that is meant where none is named.

    The folder that the environment variable HOUSE names; else the house that the current folder
    is or lies in; else the project's own.
    """
    if named := os.environ.get(HOUSE_VARIABLE):
        return Path(named)
    here = Path.cwd()
    inside = (folder for folder in (here, *here.parents) if (folder / ROSTER_FILE).is_file())
    return next(inside, (places.PROJECT or here) / DEFAULT_HOUSE)


def passphrase_of(file: KeyFile) -> str:
    """From the environment, else asked for at the terminal.

    Raises:
        HouseError: neither is there.
    """
    named = os.environ.get(PASSPHRASE_VARIABLE)
    if named is not None:
        return named
    if not sys.stdin.isatty():
        raise HouseError(
            f"the key of {file.owner} needs its passphrase",
            where=str(file.path),
            mend=f"set {PASSPHRASE_VARIABLE}, or run the command at a terminal",
        )
    import getpass

    return getpass.getpass(f"Passphrase for the key of {file.owner}: ")


def key_of_person(register: Register, person_id: str) -> PrivateKey:
    """The person's signing key, from this user's key folder.

    Raises:
        HouseError: not enrolled, no open key, or the key is not on this machine.
    """
    person = register.roster.enrolled(person_id)
    usable = {key.keyid for key in person.open_keys()}
    if not usable:
        raise HouseError(
            f"every key of {person.id} has ended",
            mend=f"a root key's holder gives a new one: house.py rotate --person {person.id}",
        )
    if key := find_key(usable, passphrase_of):
        return key
    raise HouseError(
        f"the key of {person.id} is not in your key folder",
        mend="run this on the machine where the key was made, or set HOUSE_KEYS to its folder",
    )


def key_for_role(register: Register, role: str) -> PrivateKey | None:
    """A key on this computer that may act in this role without anybody being asked.

    A machine's key comes first; else one whose passphrase the environment holds.

    Raises:
        HouseError: the passphrase opens it not, or others can read it.
    """
    if register.roster.sealed:
        return None
    people = [person for person in register.roster.people if role in person.roles]
    usable = {key.keyid for person in people for key in person.open_keys()}
    files = [file for file in list_keys() if file.keyid in usable]
    asked = PASSPHRASE_VARIABLE in os.environ
    for file in sorted(files, key=lambda file: not file.is_open):
        if file.is_open or asked:
            return unlock(file, passphrase_of)
    return None


def person_at_hand(register: Register, role: str, option: str = "") -> str:
    """The one enrolled person with this role whose key is in this user's key folder.

    Args:
        register: of the house.
        role: composer or curator.
        option: the command's option that says who it is, `--ROLE` when empty.

    Raises:
        HouseError: none, or several.
    """
    here = {file.keyid for file in list_keys()}
    found = [
        person.id
        for person in register.roster.people
        if role in person.roles and here & {key.keyid for key in person.open_keys()}
    ]
    if len(found) != 1:
        who = f"several {role}s' keys are" if found else f"no {role}'s key is"
        raise HouseError(
            f"{who} in your key folder{': ' + ', '.join(found) if found else ''}",
            mend=f"say who you are: {option or f'--{role}'} ID"
            if found
            else "python scripts/house.py enroll",
        )
    return found[0]


def root_keys_at_hand(register: Register, further: Sequence[str] = ()) -> list[PrivateKey]:
    """Every root key of this house in this user's key folder; `further` names new ones."""
    wanted = register.roster.root_keyids | set(further)
    files = [file for file in list_keys() if file.keyid in wanted]
    return unlock_all(files, passphrase_of)


def root_keys_for(register: Register) -> list[PrivateKey]:
    """As many root keys from this user's key folder as an act of the root needs.

    Raises:
        HouseError: too few are here.
    """
    keys = root_keys_at_hand(register)
    if len(keys) < register.roster.threshold:
        raise HouseError(f"{len(keys)} root keys are here, {register.roster.threshold} are needed")
    return keys[: register.roster.threshold]


def keys_of(register: Register, who: str) -> list[PrivateKey]:
    """The key of a person, or, of `root`, as many keys as an act of the root needs.

    Raises:
        HouseError: as `key_of_person`, or `root_keys_for`.
    """
    return root_keys_for(register) if who == ROOT else [key_of_person(register, who)]


def curator_named(register: Register, named: str | None) -> str:
    """The curator who is named, or else the one whose key is at hand.

    Raises:
        HouseError: who is named is none, or nobody is named and there is not one at hand.
    """
    if not named:
        return person_at_hand(register, CURATOR)
    if CURATOR not in register.roster.enrolled(named).roles:
        raise HouseError(f"{named} is no {CURATOR} of this house")
    return named


def curators_key(register: Register, named: str | None) -> PrivateKey:
    """The key of the curator whom `curator_named` finds.

    Raises:
        HouseError: there is no such curator, or their key is not here.
    """
    return key_of_person(register, curator_named(register, named))


def key_to_enter(house: House, register: Register, named: str | None) -> PrivateKey:
    """The same, where an act could be entered: asked before the work that the act tells of.

    Raises:
        HouseError: as `curators_key`, or the house cannot be written.
    """
    key = curators_key(register, named)
    house.store.check_ready()
    return key
