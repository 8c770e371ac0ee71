"""Starting a house: init."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gen.cli.house_commands.common import Console, house_command, new_passphrase
from gen.cli.house_commands.keys import KDF_COST, make_key, make_open_key, warn_of_cost
from gen.cli.next_command import command_line
from gen.errors import SettingError, counted

if TYPE_CHECKING:
    from gen.provenance.houses.house import House
    from gen.provenance.records.roster import Person
    from gen.provenance.signing.keys import PrivateKey

MACHINE_ID = "machine"
"""This computer, in a house that it starts."""
DAYS = click.option(
    "--days",
    type=click.IntRange(1, 3660),
    default=400,
    show_default=True,
    help="For how long the roster counts.",
)


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
@click.option(
    "--one-passphrase",
    is_flag=True,
    help="One passphrase for all keys made here: for one person who holds them all.",
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
    one_passphrase: bool, with_starter: bool, starter: Path | None, days: int, kdf_cost: int,
) -> None:  # fmt: skip
    """Start a house: its root keys, this computer's keys, first roster, register and trust pin.

    Two of three root keys sign each change of who belongs to the house, so that none of three
    people can do it alone: give two of the key files away. This computer is enrolled as trainer
    and producer, so that what is trained and written here is recorded, and has the log's key,
    which signs each new head for witnesses. People at hand may be
    enrolled at once (--person); others later, with `house.py enroll`. Each key lies in a file of
    its own; one person who holds them all may seal them by one passphrase, and give any of them
    another later (`house.py passphrase`).

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
    roots = [f", {number} of {count}" if count > 1 else "" for number in range(1, count + 1)]
    owners = [*(f"root{which}" for which in roots), *(person for person, _ in named)]
    is_shared = len(owners) > 1 and (one_passphrase or _is_one_persons(owners, output))
    warn_of_cost(kdf_cost)
    with unless_it_fails(folder, name):
        shared = new_passphrase(f"these {len(owners)} keys") if is_shared else ""
        made = [make_key(name, "root", kdf_cost, which, shared) for which in roots]
        settings: dict[str, Any] = {
            "pin_path": output.pin or place_for(folder, name),
            "threshold": threshold,
            "days": days,
            "root_public": further,
            "takes_machine_written": machine_written,
            "log_key": make_log_key(name),
            "people": [
                _this_computer(name),
                *(_at_hand(name, *who, kdf_cost, shared) for who in named),
            ],
        }
        keys = [key for key, _ in made]
        if with_starter or starter:
            house = _with_works(starter, folder, name, keys, settings)
        else:
            house = create_house(folder, name, keys, **settings)
    _show_start(house, {key.keyid: path for key, path in made}, output, named)
    if is_shared:
        _warn_of_sharing(house, len(owners), made[-1][0].keyid, output)


def _is_one_persons(owners: list[str], output: Console) -> bool:
    """Whether one passphrase is to seal all these keys, as who sits here says."""
    from gen.provenance.signing.key_files import PASSPHRASE_VARIABLE

    if PASSPHRASE_VARIABLE in os.environ or output.is_sure or output.is_json:
        return False
    if not sys.stdin.isatty():
        return False
    output.say(f"{counted(len(owners), 'key')} will be made: {'; '.join(owners)}")
    question = "Do you hold all of them, and want one passphrase for all?"
    return click.confirm(question, default=True, err=True)


def _warn_of_sharing(house: House, count: int, root: str, output: Console) -> None:
    output.say(
        f"One passphrase opens all {count} keys: who learns it and has the files signs as each of "
        "them. Before another person is to hold one, give that one a passphrase of its own: "
        f"{command_line('house.py', ['passphrase', 'root', '--key', root[:16]], house)}"
    )


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


def _at_hand(
    house: str, person: str, roles: tuple[str, ...], kdf_cost: int, passphrase: str
) -> Person:
    """A person who sits here, with a key made now."""
    from gen.provenance.records.roster import Person, PersonKey

    key, _ = make_key(house, person, kdf_cost, passphrase=passphrase)
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
    house: House,
    key_files: dict[str, Path],
    output: Console,
    named: list[tuple[str, tuple[str, ...]]],
) -> None:
    pin = house.pin
    output.line(f"The house {pin.name} begins in {pin.dir}")
    output.line(f"its trust pin: {pin.path}")
    output.line(f"its log's key, for witnesses: {pin.log}")
    for keyid, path in key_files.items():
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
    words = ["show", "--people"] if named else ["enroll", "ana", "--role", "composer"]
    output.say(f"Next: {command_line('house.py', words, house)}")
    output.result(
        house=pin.name,
        folder=str(pin.dir),
        pin=str(pin.path),
        root_keys=list(pin.root_keys),
        log=str(pin.log),
        key_files=[str(path) for path in key_files.values()],
        size=pin.min_size,
    )
