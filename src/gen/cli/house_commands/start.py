"""Starting a house, and keys of one's own: init, key."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gen.cli.house_commands.common import (
    Console,
    house_command,
    new_passphrase,
)
from gen.errors import SettingError

if TYPE_CHECKING:
    from gen.provenance.houses.house import House
    from gen.provenance.records.roster import Person
    from gen.provenance.signing.keys import PrivateKey

MACHINE_ID = "machine"
"""This computer, in a house that it starts."""
KDF_COST = click.option(
    "--kdf-cost",
    type=click.IntRange(10, 20),
    default=17,
    show_default=True,
    help="How costly guessing the passphrase is: memory doubles with each step.",
)
DAYS = click.option(
    "--days",
    type=click.IntRange(1, 3660),
    default=400,
    show_default=True,
    help="For how long the roster counts.",
)


def _warn_of_cost(kdf_cost: int) -> None:
    from gen.provenance.signing.key_files import KDF_COST as ADVISED

    if kdf_cost < ADVISED:
        click.echo(
            f"--kdf-cost {kdf_cost}: whoever gets hold of the key file guesses its passphrase "
            f"{2 ** (ADVISED - kdf_cost)} times faster than at the advised {ADVISED}",
            err=True,
        )


def make_key(house: str, owner: str, kdf_cost: int, which: str = "") -> tuple[PrivateKey, Path]:
    """A new key, sealed by a passphrase that is asked for; `which` tells several of one owner."""
    from gen.provenance.signing.key_files import save_key
    from gen.provenance.signing.keys import PrivateKey

    key = PrivateKey.generate()
    passphrase = new_passphrase(owner + which)
    _warn_of_cost(kdf_cost)
    return key, save_key(key, house=house, owner=owner, passphrase=passphrase, kdf_cost=kdf_cost)


def make_open_key(house: str, owner: str) -> tuple[PrivateKey, Path]:
    """A new key without a passphrase, in the user's key folder."""
    from gen.provenance.signing.key_files import save_open_key
    from gen.provenance.signing.keys import PrivateKey

    key = PrivateKey.generate()
    return key, save_open_key(key, house=house, owner=owner)


@house_command
@click.option("--name", required=True, help="A short name: a-z, digits, hyphens.")
@click.option(
    "--root-keys",
    "count",
    type=click.IntRange(1, 9),
    help="Root keys to make here; 3 by default, with --one-person 1.",
)
@click.option(
    "--root-public",
    "publics",
    multiple=True,
    metavar="HEX",
    help="A further root key: what `house.py key root` printed elsewhere.",
)
@click.option(
    "--threshold",
    type=click.IntRange(1, 9),
    help="How many root keys a change of the roster needs; 2 by default, with --one-person 1.",
)
@click.option(
    "--machine-written",
    is_flag=True,
    help="Take works that a machine wrote, declared as such; the starter house's are.",
)
@click.option(
    "--one-person",
    is_flag=True,
    help="One root key, one signature: whoever holds it decides alone who belongs here.",
)
@click.option(
    "--person",
    "persons",
    multiple=True,
    metavar="ID:ROLE",
    help="A person to enroll at once, with a key made here: ana:composer, cleo:curator.",
)
@click.option("--with-starter", is_flag=True, help="Begin with the starter house's works.")
@click.option(
    "--starter",
    type=click.Path(path_type=Path, exists=True),
    metavar="DIR",
    help="The house whose works to begin with; the project's own by default.",
)
@DAYS
@KDF_COST
def init_command(
    *, output: Console, name: str, count: int | None, publics: tuple[str, ...],
    threshold: int | None, machine_written: bool, one_person: bool, persons: tuple[str, ...],
    with_starter: bool, starter: Path | None, days: int, kdf_cost: int,
) -> None:  # fmt: skip
    """Start a house: its root keys, this computer's keys, first roster, register and trust pin.

    Two of three root keys sign each change of who belongs to the house, so that none of three
    people can do it alone: give two of the key files away. This computer is enrolled as trainer
    and producer, so that what is trained and written here is recorded, and has the log's key,
    which signs each new head for witnesses. People at hand may be
    enrolled at once (--person), each choosing a passphrase; others later, with `house.py enroll`.

    The pin goes to conf/house/NAME.yaml for a house inside the project, else into the house
    (--pin names another place; better one that whoever can change the house cannot reach).
    """
    from gen.provenance.houses.founding import check_free, check_threshold, create_house
    from gen.provenance.houses.new_keys import unless_it_fails
    from gen.provenance.records.enrolment import parse_request
    from gen.provenance.records.pin import place_for

    folder = output.folder
    if folder is None:
        raise SettingError("no folder was named", mend="say where: --house DIR")
    check_free(folder, name)
    count = count or (1 if one_person else 3)
    threshold = threshold or (1 if one_person else min(2, count))
    check_threshold(threshold, count)
    further = [parse_request(text, name, "root") for text in publics]
    named = _named_people(persons)
    output.confirm(f"Start the house {name!r} in {folder}?")
    with unless_it_fails(folder, name):
        made = [
            make_key(name, "root", kdf_cost, f", {number} of {count}" if count > 1 else "")
            for number in range(1, count + 1)
        ]
        settings: dict[str, Any] = {
            "pin_path": output.pin or place_for(folder, name),
            "threshold": threshold,
            "days": days,
            "root_public": further,
            "takes_machine_written": machine_written,
            "log_key": make_log_key(name),
            "people": [_this_computer(name), *(_at_hand(name, *who, kdf_cost) for who in named)],
        }
        keys = [key for key, _ in made]
        if with_starter or starter:
            house = _with_works(starter, folder, name, keys, settings)
        else:
            house = create_house(folder, name, keys, **settings)
    _show_start(house, [path for _, path in made], output, named)


def _named_people(texts: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """Ids and roles of `ana:composer` or `ana:composer+curator`.

    Raises:
        SettingError: an unfit or doubled id, or an unknown role.
    """
    from gen.provenance.records.consent import PERSON_ID
    from gen.provenance.records.roster import COMPOSER, CURATOR

    named: list[tuple[str, tuple[str, ...]]] = []
    for text in texts:
        person, _, words = text.partition(":")
        roles = tuple(words.split("+"))
        is_fit = PERSON_ID.match(person) and person not in ("root", MACHINE_ID)
        if not is_fit or person in dict(named) or not set(roles) <= {COMPOSER, CURATOR}:
            raise SettingError(
                f"{text!r} names no person to enroll",
                mend="write an id once and what the person is, as in ana:composer or cleo:curator",
            )
        named.append((person, roles))
    return named


def _at_hand(house: str, person: str, roles: tuple[str, ...], kdf_cost: int) -> Person:
    """A person who sits here, with a key made now."""
    from gen.provenance.records.roster import Person, PersonKey

    key, _ = make_key(house, person, kdf_cost)
    return Person(person, person, roles, (PersonKey(key.public, 0),))


def _this_computer(house: str) -> Person:
    """This computer as somebody who trains and produces, its key in the user's key folder."""
    from gen.provenance.records.roster import MACHINE_ROLES, Person, PersonKey

    key, _ = make_open_key(house, MACHINE_ID)
    note = "a computer: its key has no passphrase"
    return Person(MACHINE_ID, MACHINE_ID, MACHINE_ROLES, (PersonKey(key.public, 0),), note)


def make_log_key(house: str) -> PrivateKey:
    """A new key that signs notes of the log's heads, in the user's key folder."""
    from gen.provenance.houses.note_files import LOG_OWNER

    key, _ = make_open_key(house, LOG_OWNER)
    return key


def _with_works(
    starter: Path | None, folder: Path, name: str, keys: list[PrivateKey], settings: dict[str, Any]
) -> House:
    from gen.provenance.desk.adopt import create_house_with
    from gen.provenance.houses import access

    return create_house_with(access.open_house(starter), folder, name, keys, **settings)


def _show_start(
    house: House, key_files: list[Path], output: Console, named: list[tuple[str, tuple[str, ...]]]
) -> None:
    pin = house.pin
    output.line(f"The house {pin.name} begins in {pin.dir}")
    output.line(f"its trust pin: {pin.path}")
    output.line(f"its log's key, for witnesses: {pin.log}")
    for keyid, path in zip(pin.root_keys, key_files, strict=False):
        output.line(f"root key {keyid[:16]}…; key file: {path}")
    if pin.threshold == 1:
        output.say(
            "One root key signs alone: whoever has it and its passphrase decides who belongs here, "
            "and nobody else can tell. Keep both safe."
        )
    else:
        output.say(
            f"{pin.threshold} of {len(pin.root_keys)} root keys decide who belongs here. Give the "
            "others' key files to other people, each with a passphrase of their own, and delete "
            "them here: while all are on one computer, one person still decides alone."
        )
    for person, roles in named:
        output.line(f"enrolled {person} ({' and '.join(roles)}), with a key made here")
    output.say(f"Next: {_next_command(house, bool(named))}")
    output.result(
        house=pin.name,
        folder=str(pin.dir),
        pin=str(pin.path),
        root_keys=list(pin.root_keys),
        log=str(pin.log),
        key_files=[str(path) for path in key_files],
        size=pin.min_size,
    )


def _next_command(house: House, has_people: bool) -> str:
    words = ["show", "--people"] if has_people else ["enroll", "ana", "--role", "composer"]
    command = ["python", "scripts/house.py", *words, "--house", str(house.folder)]
    return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)


@house_command
@click.argument("owner", metavar="ID")
@click.option("--name", help="The house's name, when its folder is not on this machine.")
@KDF_COST
def key_command(*, output: Console, owner: str, name: str | None, kdf_cost: int) -> None:
    """Make a key of your own (ID is your id in the house, or `root`) and print its public half.

    Give the public half to the root key's holder, who enrolls you with it. The private half
    stays in your key folder, sealed by your passphrase.
    """
    from gen.provenance.records.enrolment import request_of
    from gen.provenance.signing.keys import key_id

    house = name or output.open_house().pin.name
    key, path = make_key(house, owner, kdf_cost)
    request = request_of(key, house, owner)
    output.say(f"key file: {path}")
    output.say(f"public key of {owner}, with proof that you hold it:")
    output.line(request)
    output.result(
        owner=owner,
        public=key.public.hex(),
        request=request,
        keyid=key_id(key.public),
        key_file=str(path),
    )
