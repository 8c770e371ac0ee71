"""Who belongs to the house: enroll, rotate, revoke, cosign, assert-model, seal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gen.cli.house_commands.common import Console, house_command
from gen.cli.house_commands.keys import KDF_COST, make_key, make_open_key, warn_of_cost
from gen.cli.house_commands.start import DAYS, make_log_key
from gen.errors import SettingError

if TYPE_CHECKING:
    from gen.provenance.history.register import Register
    from gen.provenance.houses.house import House
    from gen.provenance.records.roster import Roster

PUBLIC = click.option(
    "--public",
    metavar="HEX",
    help="What `house.py key` printed on the person's own computer; without it a key is made here.",
)
ROLE = click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(["composer", "curator", "trainer", "producer"]),
    required=True,
    help="Several times for who is several. Trainers enter runs, producers generated pieces.",
)
MACHINE = click.option(
    "--machine",
    is_flag=True,
    help="A computer: its key, made here, has no passphrase. For trainers and producers alone.",
)


def _change(
    house: House,
    output: Console,
    make: Callable[[Register], Roster],
    *,
    further_roots: tuple[str, ...] = (),
    **more: object,
) -> None:
    from gen.provenance.desk.people import change_roster
    from gen.provenance.houses.access import root_keys_at_hand

    keys = root_keys_at_hand(house.load(), further=further_roots)
    with house.writing() as session:
        result = change_roster(session, make(session.register), keys)
    _show_change(result, output, more)


def _show_change(result: Any, output: Console, more: dict[str, object]) -> None:
    roster = result.roster
    if result.is_entered:
        output.line(f"roster version {roster.version}: {roster.change}")
    else:
        output.line(
            f"proposed: {roster.change}; {result.signed} signatures so far, "
            f"{roster.threshold} are needed: another root key's holder runs house.py cosign"
        )
    output.result(
        change=roster.change,
        version=roster.version,
        register_index=roster.register_index,
        is_entered=result.is_entered,
        **more,
    )


@house_command
@click.argument("person", metavar="ID")
@click.option("--name", help="The person's name, for people to read; the ID by default.")
@ROLE
@PUBLIC
@MACHINE
@KDF_COST
def enroll_command(
    *, output: Console, person: str, name: str | None, roles: tuple[str, ...], public: str | None,
    machine: bool, kdf_cost: int,
) -> None:  # fmt: skip
    """Take a person, or a computer, into the house. Needs a root key.

    Without --public a key is made on this machine, sealed by a passphrase the person chooses.
    A --name lies beside the log, which has its salted digest: house.py erase takes it away. The ID
    stays for ever, so give one that is no name where the person is not to be known by it.
    """
    from gen.provenance.desk.people import enrolled
    from gen.provenance.houses.new_keys import unless_it_fails
    from gen.provenance.records.roster import MACHINE_ROLES

    if machine and (public or not set(roles) <= set(MACHINE_ROLES)):
        raise SettingError(
            "a machine's key, which nobody guards, is made on it, for trainers and producers alone",
            mend="leave --machine out for people",
        )
    house = output.open_house()
    # Refuse a taken id or an unfit one before a key is made for it.
    enrolled(house.load(), person, name or person, roles, bytes(32))
    output.confirm(f"Enroll {person} as {' and '.join(roles)}?")
    with (
        _kept_name(house, person, name) as roster_name,
        unless_it_fails(house.folder, house.pin.name),
    ):
        key, path = (
            _open_key(house, person)
            if machine
            else _public_or_new(house, person, public, kdf_cost, output)
        )
        _change(
            house,
            output,
            lambda register: enrolled(register, person, roster_name, roles, key),
            person=person,
            public=key.hex(),
            key_file=path,
        )


@contextmanager
def _kept_name(house: House, person: str, name: str | None) -> Iterator[str]:
    """Keep somebody's name for a change of the roster; what the roster says in its place.

    No name stays behind of somebody who was not enrolled; one that the records have stays,
    whatever failed after they did.
    """
    from gen.provenance.houses.names import forget_name, keep_name
    from gen.provenance.houses.new_keys import is_named

    if not name or name == person:
        yield person
        return
    roster_name = ""
    try:
        roster_name = keep_name(house.store, name)
        yield roster_name
    except BaseException:
        if roster_name and not is_named(house.folder, house.pin.name, roster_name):
            forget_name(house.store, roster_name)
        raise


@house_command
@click.argument("person", metavar="ID")
def erase_command(*, output: Console, person: str) -> None:
    """Erase a person's name: only the ID is left of it, and every proof holds as before.

    What is removed are the name and its salt beside the log. Backups, version control and whatever
    was given away have it still; names that older rosters hold in plain words cannot be erased.
    """
    from gen.provenance.houses.names import erase_name

    house, register = output.load_house()
    output.confirm(f"Erase the name of {person} for ever?")
    versions = erase_name(house, register, person)
    output.line(f"erased: the name of {person}, which {len(versions)} versions of the roster had")
    output.result(person=person, versions=versions)


def _public_or_new(
    house: House, person: str, public: str | None, kdf_cost: int, output: Console
) -> tuple[bytes, str]:
    from gen.provenance.records.enrolment import parse_request

    if public:
        return parse_request(public, house.pin.name, person), ""
    warn_of_cost(kdf_cost)
    key, path = make_key(house.pin.name, person, kdf_cost)
    output.say(f"key file of {person}: {path}")
    output.say(f"made on this computer: who can use it could sign as {person} until it is moved")
    return key.public, str(path)


def _open_key(house: House, machine: str) -> tuple[bytes, str]:
    key, path = make_open_key(house.pin.name, machine)
    return key.public, str(path)


@house_command
@click.option("--person", metavar="ID", help="End this person's keys and begin a new one.")
@PUBLIC
@click.option(
    "--root",
    "root_publics",
    multiple=True,
    metavar="HEX",
    help="A root key, all of them, one option each: what `house.py key root` printed, or of one "
    "that stays its public key (house.py show --json).",
)
@click.option(
    "--threshold",
    type=click.IntRange(1, 9),
    default=1,
    show_default=True,
    help="With --root: how many a change needs from now on.",
)
@click.option(
    "--renew",
    is_flag=True,
    help="Move the roster's expiry on; from then on an older house's acts name their house too.",
)
@click.option(
    "--log-key",
    is_flag=True,
    help="Make a key here that signs the log's heads for witnesses, in the place of a former one.",
)
@click.option(
    "--models-key",
    is_flag=True,
    help="Make a key here that signs models (sign-model), in the place of a former one.",
)
@DAYS
@KDF_COST
def rotate_command(
    *, output: Console, person: str | None, public: str | None, root_publics: tuple[str, ...],
    threshold: int, renew: bool, log_key: bool, models_key: bool, days: int, kdf_cost: int,
) -> None:  # fmt: skip
    """Replace a key of a person, the root, the log or the models, or renew the roster (root key).

    What the old key signed stands. A new root is signed by the old and the new keys.
    """
    from gen.provenance.desk import people
    from gen.provenance.houses.new_keys import unless_it_fails
    from gen.provenance.records.enrolment import parse_request
    from gen.provenance.signing.keys import key_id

    if sum((person is not None, bool(root_publics), renew, log_key, models_key)) != 1:
        raise SettingError(
            "what should be rotated?",
            mend="give --person ID, --root, --renew, --log-key or --models-key",
        )
    house = output.open_house()
    if renew:
        _change(house, output, lambda register: people.renewed(register, days))
    elif log_key:
        output.confirm("Make a key of the log on this computer?")
        _rotate_log_key(house, output)
    elif models_key:
        output.confirm("Make a key for models on this computer?")
        _rotate_models_key(house, kdf_cost, output)
    elif person is not None:
        people.departed(house.load(), person)
        output.confirm(f"End the keys of {person} and begin a new one?")
        with unless_it_fails(house.folder, house.pin.name):
            key, path = _public_or_new(house, person, public, kdf_cost, output)
            _change(
                house,
                output,
                lambda register: people.with_new_key(register, person, key),
                person=person,
                public=key.hex(),
                key_file=path,
            )
    else:
        known = {key.hex(): key for key in house.load().roster.root_keys}
        keys = [
            known.get(text) or parse_request(text, house.pin.name, "root") for text in root_publics
        ]
        output.confirm(f"Replace the root by {threshold} of {len(keys)} keys?")
        _change(
            house,
            output,
            lambda register: people.with_root(register, keys, threshold),
            further_roots=tuple(map(key_id, keys)),
        )


def _rotate_log_key(house: House, output: Console) -> None:
    from gen.provenance.desk.people import with_log_key
    from gen.provenance.houses.new_keys import unless_it_fails

    with_log_key(house.load(), bytes(32))  # refuses a sealed house before a key is made
    with unless_it_fails(house.folder, house.pin.name):
        key = make_log_key(house.pin.name)
        _change(house, output, lambda register: with_log_key(register, key.public))


def _rotate_models_key(house: House, kdf_cost: int, output: Console) -> None:
    from gen.provenance.desk.people import with_models_key
    from gen.provenance.houses.new_keys import unless_it_fails
    from gen.provenance.signing.model_signing import MODELS_OWNER, models_key, public_text

    with_models_key(house.load(), "")  # refuses a sealed house before a key is made
    with unless_it_fails(house.folder, house.pin.name):
        warn_of_cost(kdf_cost)
        key, path = make_key(house.pin.name, MODELS_OWNER, kdf_cost)
        public = public_text(models_key(key))
        _change(house, output, lambda r: with_models_key(r, public), key_file=str(path))


@house_command
@click.argument("person", metavar="ID")
@click.option("--departed", is_flag=True, help="They left: what they signed stands.")
@click.option(
    "--compromised-at",
    "index",
    type=click.IntRange(0),
    metavar="INDEX",
    help="What their keys signed from this register index on is refused.",
)
def revoke_command(*, output: Console, person: str, departed: bool, index: int | None) -> None:
    """End a person's keys. Needs a root key."""
    from gen.provenance.desk import people

    if departed == (index is not None):
        raise SettingError(
            "did they leave, or was their key stolen?",
            mend="give --departed, or --compromised-at INDEX (house.py log lists the acts)",
        )
    house, register = output.load_house()
    if index is None:
        people.departed(register, person)
        output.confirm(f"End the keys of {person}?")
        _change(house, output, lambda r: people.departed(r, person), person=person)
        return
    affected = people.signed_from(register, people.compromised(register, person, index), person)
    for work in affected:
        output.say(f"refused until renewed: {work}")
    output.confirm(f"Refuse what {person} signed from {index} on?")
    _change(
        house,
        output,
        lambda r: people.compromised(r, person, index),
        person=person,
        refused_until_renewed=affected,
    )


@house_command
def cosign_command(*, output: Console) -> None:
    """Add your root signature to a waiting roster change; it is entered when enough signed.

    What it changes is worked out and listed: sign nothing that you did not expect there.
    """
    from gen.provenance.desk.people import cosign, differences, read_proposal
    from gen.provenance.houses.access import root_keys_at_hand
    from gen.provenance.signing.keys import key_id

    house = output.open_house()
    proposal, register = read_proposal(house), house.load()
    for line in differences(register.roster, proposal.roster):
        output.line(f"it changes {line}")
    output.confirm(f"Sign: {proposal.roster.change}?")
    new_roots = tuple(map(key_id, proposal.roster.root_keys))
    keys = root_keys_at_hand(register, further=new_roots)
    with house.writing() as session:
        result = cosign(session, keys)
    _show_change(result, output, {})


@house_command
@click.argument("model", type=click.Path(path_type=Path, exists=True), metavar="FILE")
@click.option("--name", required=True, help="What people call the model.")
def assert_model_command(*, output: Console, model: Path, name: str) -> None:
    """Enter a model that was trained before the log held runs. Needs the root's keys.

    The log will say that the root asserts it, and that nothing there shows how it was trained.
    """
    from gen.provenance.desk.recording import assert_model
    from gen.provenance.houses.access import root_keys_for
    from gen.provenance.manifests.model_file import read_model_file
    from gen.provenance.records.run_acts import ModelDigest

    house = output.open_house()
    file = read_model_file(model)
    steps = int(file.about.get("run", {}).get("steps") or 0)
    digest = ModelDigest(model.name, steps, file.file_sha256, file.tensors_sha256)
    output.confirm(f"Assert that {model} learned from its manifest's works?")
    index = assert_model(house, root_keys_for(house.load()), name, file.manifest, digest)
    output.line(f"asserted: {model} is model {index} of {house.pin.name}")
    output.result(index=index, file=file.file_sha256)


@house_command
def seal_command(*, output: Console) -> None:
    """Close the house for ever. Needs a root key; nothing can be entered afterwards."""
    from gen.provenance.desk import people

    house = output.open_house()
    output.confirm(f"Seal {house.pin.name} for ever?")
    _change(house, output, people.sealed)
