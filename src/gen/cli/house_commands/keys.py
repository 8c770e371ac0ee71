"""Keys of one's own: key, passphrase."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.cli.house_commands.common import Console, house_command, new_passphrase
from gen.errors import SettingError

if TYPE_CHECKING:
    from gen.provenance.signing.key_files import KeyFile
    from gen.provenance.signing.keys import PrivateKey

KDF_COST = click.option(
    "--kdf-cost",
    type=click.IntRange(10, 20),
    default=17,
    show_default=True,
    help="How costly guessing the passphrase is: memory doubles with each step.",
)


def warn_of_cost(kdf_cost: int) -> None:
    from gen.provenance.signing.key_files import KDF_COST as ADVISED

    if kdf_cost < ADVISED:
        click.echo(
            f"--kdf-cost {kdf_cost}: whoever gets hold of the key file guesses its passphrase "
            f"{2 ** (ADVISED - kdf_cost)} times faster than at the advised {ADVISED}",
            err=True,
        )


def make_key(
    house: str, owner: str, kdf_cost: int, which: str = "", passphrase: str = ""
) -> tuple[PrivateKey, Path]:
    """A new key, sealed by the passphrase, or by one that is asked for.

    Args:
        house: that it signs for.
        owner: a person's id, or "root".
        kdf_cost: see `KDF_COST`.
        which: tells several keys of one owner, where they are asked about.
        passphrase: that other keys made now have, too; "" asks for one of its own.
    """
    from gen.provenance.signing.key_files import save_key
    from gen.provenance.signing.keys import PrivateKey

    key = PrivateKey.generate()
    passphrase = passphrase or new_passphrase(f"the new key of {owner}{which}")
    return key, save_key(key, house=house, owner=owner, passphrase=passphrase, kdf_cost=kdf_cost)


def make_open_key(house: str, owner: str) -> tuple[PrivateKey, Path]:
    """A new key without a passphrase, in the user's key folder."""
    from gen.provenance.signing.key_files import save_open_key
    from gen.provenance.signing.keys import PrivateKey

    key = PrivateKey.generate()
    return key, save_open_key(key, house=house, owner=owner)


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
    warn_of_cost(kdf_cost)
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


@house_command
@click.argument("owner", metavar="ID")
@click.option(
    "--key", "digits", default="", metavar="DIGITS", help="Which, where several are here."
)
@click.option("--name", help="The house's name, when its folder is not on this machine.")
@KDF_COST
def passphrase_command(
    *, output: Console, owner: str, digits: str, name: str | None, kdf_cost: int
) -> None:
    """Give a key of yours (ID is your id in the house, or `root`) another passphrase.

    The key stays the same, and what it signed stands. Copies of the key file that were made before
    are still opened by the passphrase before: delete them. A program gives the new one as
    HOUSE_NEW_PASSPHRASE.
    """
    from gen.provenance.houses.access import passphrase_of
    from gen.provenance.signing.key_files import NEW_PASSPHRASE_VARIABLE, seal_anew, unlock

    house = name or output.open_house().pin.name
    file = _key_file(house, owner, digits)
    key = unlock(file, passphrase_of)
    warn_of_cost(kdf_cost)
    passphrase = new_passphrase(f"the key of {owner}, instead", NEW_PASSPHRASE_VARIABLE)
    seal_anew(file, key, passphrase, kdf_cost)
    output.line(f"the key of {owner} has another passphrase: {file.path}")
    output.result(owner=owner, keyid=file.keyid, key_file=str(file.path))


def _key_file(house: str, owner: str, digits: str) -> KeyFile:
    """The one sealed key file of an owner here.

    Raises:
        SettingError: there is none, or several are meant.
    """
    from gen.provenance.signing.key_files import keys_folder, list_keys

    here = [file for file in list_keys() if (file.house, file.owner) == (house, owner)]
    files = [file for file in here if file.keyid.startswith(digits) and not file.is_open]
    if len(files) == 1:
        return files[0]
    if files:
        known = ", ".join(file.keyid[:16] for file in files)
        raise SettingError(
            f"{len(files)} keys of {owner} for {house} are here", mend=f"say which: --key {known}"
        )
    named = f" that begins with {digits}" if digits else ""
    raise SettingError(
        f"no key of {owner} for {house}{named} that a passphrase seals is here",
        where=str(keys_folder()),
        mend="run this where the key file is, or set HOUSE_KEYS to its folder",
    )
