"""Models that leave the house: folders for hubs, and signatures over folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.cli.house_commands.common import Console, house_command
from gen.errors import HouseError

if TYPE_CHECKING:
    from gen.provenance.history.register import Register
    from gen.provenance.signing.keys import PrivateKey


@house_command
@click.argument(
    "model", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="FOLDER"
)
@click.option(
    "--public-key",
    "pem",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the public key goes; by default beside the pin.",
)
def sign_model_command(*, output: Console, model: Path, pem: Path | None) -> None:
    """Sign all files of a model's FOLDER; model.sig in it is what `model_signing` verifies.

    Every model in it has to be one that the log names. The key is the one that the roster names
    for models, and the public half is written out for those who verify. Where the works behind a
    model are here, the house's own lines are signed with it: whoever writes by it need not work
    them out.
    """
    from gen.disk import write_atomically
    from gen.provenance.manifests.model_file import models_in
    from gen.provenance.manifests.recorded import run_behind
    from gen.provenance.signing.model_signing import (
        models_key,
        pem_beside,
        pem_of,
        sign_folder,
    )
    from gen.sampling.opening.works import write_house_lines

    house, register = output.load_house()
    models = models_in(model)
    for file in models.values():
        run_behind(file, register)
    known = [path.relative_to(model).as_posix() for path in models]
    key = models_key(_key_for_models(register))
    pem = pem or pem_beside(house.pin.path or house.folder / "pin.yaml")
    with output.busy("comparing the works with each other"):
        manifests = [file.manifest for file in models.values()]
        lines = write_house_lines(model, manifests, house, register)
    path = sign_folder(model, key)
    write_atomically(pem, pem_of(register.roster.models))
    output.line(f"signed: {path}, for the {len(known)} models of {house.pin.name} in {model}")
    if lines is None:
        why = "the works behind the models are not here"
        output.line(f"without the house's own lines of originality: {why}")
    output.line(f"model_signing verify key {model} --signature {path} --public_key {pem}")
    output.result(signature=str(path), public_key=str(pem), models=known)


@house_command
@click.argument("model", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("out", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER")
@click.option("--program", is_flag=True, help="Also model.pt2, which torch.export makes and loads.")
def pack_command(*, output: Console, model: Path, out: Path, program: bool) -> None:
    """Write MODEL into a new FOLDER as hubs have models, with a card that says what it is.

    The log has to name the model, and nobody may have retired it. `sign-model FOLDER` signs it.
    """
    from gen.provenance.manifests.model_file import read_model_file
    from gen.provenance.manifests.recorded import run_behind

    house = output.open_house()
    register, file = house.load(), read_model_file(model)
    run = run_behind(file, register)
    if retired := register.retired(file.file_sha256):
        raise HouseError(f"was retired by {retired.by}, act {retired.index}", where=str(model),
            mend="take a model that still counts")  # fmt: skip
    try:
        from gen.training.pack import pack
    except ModuleNotFoundError as error:
        raise HouseError(f"{error.name} is not installed", mend="make setup installs it") from error

    with output.busy("writing"):
        files = pack(model, out, run, program=program)
    for path in files:
        output.line(str(path))
    output.result(run=run.index, files=[str(path) for path in files])


def _key_for_models(register: Register) -> PrivateKey:
    """The key file behind the public key that the roster names.

    Raises:
        HouseError: the roster names none, or it is not on this computer.
    """
    from gen.provenance.houses.access import passphrase_of
    from gen.provenance.signing.key_files import list_keys, unlock
    from gen.provenance.signing.model_signing import MODELS_OWNER, models_key, public_text

    house = register.roster.house
    if not register.roster.models:
        raise HouseError(
            f"the roster of {house} names no key for models",
            mend="a root key's holder makes one: house.py rotate --models-key",
        )
    for file in list_keys():
        if (file.house, file.owner) == (house, MODELS_OWNER):
            key = unlock(file, passphrase_of)
            if public_text(models_key(key)) == register.roster.models:
                return key
    raise HouseError(
        f"the key of {house} for models is not in your key folder",
        mend="run this on the machine where it was made, or set HOUSE_KEYS to its folder",
    )
