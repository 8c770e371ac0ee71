"""Publish the built works as a house: the real commands, then the keys are destroyed.

The private keys live in a temporary folder under a random passphrase and are deleted with it,
so nothing can be entered into the starter house afterwards; publishing again makes a new one. The
log's key goes with them: the last head stays signed as a note, which anybody can have witnessed.

Before it is sealed a model is trained in it, which `house.py rebuild` trains again to the same
bits, and the better one that comes with the house is named by its log, on the root's word. The
latter's weights stay as they are; its manifest is written anew, since works have other places in
another register.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from gen.errors import HouseError
from starter.catalogue import CURATOR, VOICES, display_name

SCRIPTS = Path(__file__).parents[2] / "scripts"
NAME = "starter"
ROSTER_DAYS = 3650


def publish(
    built: Path,
    house: Path,
    say: Callable[[str], None],
    model: Path | None,
    rebuildable: Path | None,
) -> int:
    """Found the starter house in `house` and enter every built work.

    Args:
        built: what `catalogue.build` wrote.
        house: the folder; a starter house there is replaced, any other is refused.
        say: called with what happens, a line at a time.
        model: the trained model that comes with it, if any; its file is written anew.
        rebuildable: a new folder for a model that is trained here, entered in the log with its
            begin and end, with its transcript and states; None for none.

    Returns:
        The number of works entered.

    Raises:
        HouseError: the folder holds another house, or a command refused something.
    """
    pin = clear(house)
    with TemporaryDirectory() as keys:
        secret = {"HOUSE_KEYS": keys, "HOUSE_PASSPHRASE": secrets.token_hex(16)}
        environment = os.environ | secret

        def run(*words: str) -> str:
            return _run(words, environment)

        at = ("--house", str(house))
        run("house.py", "init", "--name", NAME, "--days", str(ROSTER_DAYS), "--machine-written",
            "--one-person", "--yes", "--json", *at)  # fmt: skip
        for person in (*VOICES, CURATOR):
            role = "curator" if person == CURATOR else "composer"
            run("house.py", "enroll", person, "--role", role, "--name", display_name(person),
                "--yes", "--json", *at)  # fmt: skip
        for composer in VOICES:
            say(_contribute(run, built / composer, composer, house))
        # Arrangements of one theme are alike, and meant to be: every work is named.
        waiting = sorted(path.stem for path in (house / "inbox").glob("*.mid"))
        run("house.py", "accept", *waiting, "--although-similar", "--curator", CURATOR, "--yes",
            "--json", *at)  # fmt: skip
        if rebuildable is not None:
            train(environment, pin, rebuildable)
            say(f"{rebuildable}: trained, and recorded with its begin and its end")
        if model is not None:
            reissue(model, house)
            name = f"the starter model, {model.name}"
            run("house.py", "assert-model", str(model), "--name", name, "--yes", "--json", *at)
            say(f"{model}: named by the log, on the root's word")
        run("house.py", "seal", "--yes", "--json", *at)
    _check_in_names(house)
    if model is not None:
        say(f"{sign_models(model.parent, pin)}: signed, with a key that is gone, too")
    works = len(list(house.glob("*/*.mid")))
    say(f"{works} works in {house}, sealed; the keys are gone; pin: {pin}")
    return works


def _check_in_names(house: Path) -> None:
    """Have version control keep what the people are called: none of them is a person."""
    from gen.provenance.houses.store import NAMES

    ignored = house / ".gitignore"
    lines = ignored.read_text("utf-8").splitlines(keepends=True)
    ignored.write_text("".join(line for line in lines if line.strip() != f"{NAMES}/"), "utf-8")


def sign_models(folder: Path, pin: Path) -> Path:
    """Sign the models that come with the house for `model_signing verify key`.

    With them the house's own lines, which nobody need work out then. The key is made here and
    forgotten; its public half goes beside the pin, and whoever trusts the one file of this
    repository trusts the other. The log does not name it: papers beside a model may change after
    the house was sealed, and are then signed anew.

    Args:
        folder: of the models, with all that lies in it.
        pin: of the house.

    Returns:
        The path of the signature.
    """
    from gen.disk import write_atomically
    from gen.provenance.houses.house import House
    from gen.provenance.manifests.model_file import models_in
    from gen.provenance.records.pin import load_pin
    from gen.provenance.signing.keys import PrivateKey
    from gen.provenance.signing.model_signing import (
        models_key,
        pem_beside,
        pem_of,
        public_text,
        sign_folder,
    )
    from gen.sampling.opening.works import write_house_lines

    house, files = House(load_pin(pin)), models_in(folder).values()
    write_house_lines(folder, [file.manifest for file in files], house, house.load())
    key = models_key(PrivateKey.generate())
    write_atomically(pem_beside(pin), pem_of(public_text(key)))
    return sign_folder(folder, key)


LEFT = ("last.safetensors", "transcript.jsonl", "states")
"""What of a run's folder is worth keeping beside a model that is to be rebuilt."""


def train(environment: dict[str, str], pin: Path, folder: Path) -> None:
    """Train `experiment=rebuildable` in the new house and keep what a rebuild needs of it.

    Raises:
        HouseError: it did not end, or there is such a folder already.
    """
    if folder.exists():
        raise HouseError("is there already", where=str(folder), mend="name a new folder")
    with TemporaryDirectory() as place:
        out = Path(place) / "run"
        words = ["experiment=rebuildable", f"pin={pin}", f"hydra.run.dir={out}"]
        command = [sys.executable, str(SCRIPTS / "train.py"), *words]
        if code := subprocess.run(command, env=environment).returncode:  # noqa: S603
            raise HouseError(f"exit {code}", where="train.py experiment=rebuildable")
        folder.mkdir(parents=True)
        for name in LEFT:
            shutil.move(out / name, folder / name)


def reissue(model: Path, house: Path) -> None:
    """Write a model's file and `manifest.json` anew, for the works as this house entered them.

    Raises:
        HouseError: the house holds other works than those that the model learned from.
    """
    from gen.disk import write_all_atomically
    from gen.provenance.admission.gate import admit
    from gen.provenance.manifests.manifest import Manifest
    from gen.provenance.manifests.model_file import read_model_file, with_manifest
    from gen.provenance.records.pin import find_pin

    before = read_model_file(model).manifest
    corpus = admit(house, before.purpose, pin=find_pin(house)).require_clean()
    after = Manifest.of(
        corpus,
        tokenizer_fingerprint=before.tokenizer_fingerprint,
        code_version=before.code_version,
    )
    known = [[(work.work, work.sha256) for work in m.works] for m in (before, after)]
    if known[0] != known[1]:
        raise HouseError("learned from other works than the house holds now", where=str(model))
    data = with_manifest(model.read_bytes(), after)
    beside = model.with_name("manifest.json")
    write_all_atomically({model: data, beside: after.to_json().encode()})


def _contribute(run: Callable[..., str], folder: Path, composer: str, house: Path) -> str:
    sidecar = folder / "works.csv"
    if not sidecar.exists():
        return f"{composer}: nothing built"
    answer = run("contribute.py", str(folder), "--metadata", str(sidecar), "--composer", composer,
               "--house", str(house), "--yes", "--json")  # fmt: skip
    return f"{composer}: {json.loads(answer.splitlines()[-1])['summary']}"


def clear(house: Path) -> Path:
    """Remove a former starter house with its pin; the place where the pin belongs.

    Raises:
        HouseError: another house is there.
    """
    from gen.provenance.records.pin import PinError, find_pin, place_for

    register = house / "register.jsonl"
    if not register.exists():
        return place_for(house, NAME)
    try:
        pin = find_pin(house)
    except PinError:
        pin = None
    strangers = {f.name for f in house.iterdir() if f.is_dir() and any(f.glob("*.mid"))}
    strangers -= {*VOICES, "inbox", "withdrawn"}
    if pin is None or pin.name != NAME or strangers:
        what = "this folder holds a house that is not the starter house"
        raise HouseError(what, where=str(house), mend="publish into another folder with --house")
    for place in house.iterdir():
        if place.name == ".gitkeep":
            continue
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    pin_place = place_for(house, NAME)
    pin_place.unlink(missing_ok=True)
    return pin_place


def _run(words: tuple[str, ...], environment: dict[str, str]) -> str:
    """One of the project's own commands; what it printed.

    Raises:
        HouseError: it refused.
    """
    command = [sys.executable, str(SCRIPTS / words[0]), *words[1:]]
    done = subprocess.run(  # noqa: S603 - this project's own commands
        command, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        refused = [line for line in done.stdout.splitlines() if '"status": "refused"' in line]
        why = "\n".join(map(_refusal, refused)) or done.stderr[-2000:]
        raise HouseError(f"exit {done.returncode}: {why}", where=" ".join(words[:4]))
    return done.stdout


def _refusal(line: str) -> str:
    """A refused file of the contribution's JSON, with what it is too close to."""
    found = json.loads(line)
    return f"{found['file']}: {found['found']}\n{json.dumps(found.get('screening'))[:600]}"
