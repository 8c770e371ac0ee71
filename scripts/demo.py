"""The whole path in a few minutes: verify the house, train a small model, write new pieces.

Beside them stand pieces that the model which comes with the project wrote from the same request
and seed: what training for longer gives.

python scripts/demo.py [--minutes 3]
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from gen.errors import HouseError

if TYPE_CHECKING:
    from gen.sampling.takes import Sampled

CONF = Path(__file__).resolve().parent.parent / "conf"
OUT = Path("out/demo")
MACHINE = "this-computer"


def composed(name: str, overrides: list[str]) -> dict:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return OmegaConf.to_container(compose(name, overrides), resolve=True)


class Steps:
    """Says what begins and how long the last step took."""

    def __init__(self) -> None:
        self.start = time.perf_counter()

    def say(self, text: str) -> None:
        now = time.perf_counter()
        print(f"\n[{now - self.start:4.0f} s] {text}", file=sys.stderr, flush=True)


def start_house() -> Path:
    """Start a house with the starter's works, in which this computer may train; its pin.

    The starter's own keys were thrown away, so that nothing can be entered there; here the run
    and its pieces are. The root key is not kept: this house is for looking.
    """
    from gen.provenance.desk.adopt import create_house_with
    from gen.provenance.houses.house import House
    from gen.provenance.records.pin import INSIDE, load_pin
    from gen.provenance.records.roster import MACHINE_ROLES, Person, PersonKey
    from gen.provenance.signing.key_files import KEYS_VARIABLE, save_open_key
    from gen.provenance.signing.keys import PrivateKey

    for folder in (OUT / "house", OUT / "keys"):  # of an earlier demo
        shutil.rmtree(folder, ignore_errors=True)
    os.environ[KEYS_VARIABLE] = str(OUT / "keys")
    machine = PrivateKey.generate()
    save_open_key(machine, house="demo", owner=MACHINE)
    person = Person(
        MACHINE, "the computer of the demo", MACHINE_ROLES, (PersonKey(machine.public, 0),)
    )
    starter = House(load_pin(CONF / "house" / "starter.yaml"))
    folder = OUT / "house"
    create_house_with(
        starter, folder, "demo", [PrivateKey.generate()], pin_path=folder / INSIDE,
        takes_machine_written=True, people=[person],
    )  # fmt: skip
    return folder / INSIDE


def verify(pin_path: Path) -> None:
    """Count what the gate admits, and name its composers and the register's head."""
    from gen.provenance.admission.gate import admit
    from gen.provenance.records.pin import load_pin

    pin = load_pin(pin_path)
    corpus = admit(pin.dir, "general_model", pin=pin)
    corpus.require_clean()
    composers = sorted({person for work in corpus.admitted for person, _ in work.composers})
    head = corpus.register_head
    print(
        f"{len(corpus.admitted)} works admitted, {len(corpus.not_consented)} not consented to "
        f"this purpose, {len(corpus.refused)} refused\n"
        f"composers: {', '.join(composers)}\n"
        f"register: {head.size} acts, root {head.root[:16]}…"
    )


def show_log() -> None:
    """Show on stderr what the program says as it goes."""
    log = logging.getLogger("gen")
    log.setLevel(logging.INFO)
    log.addHandler(logging.StreamHandler())


def write(result: dict, minutes: float, pieces: int, pin: Path) -> Path:
    """Write pieces with the shipped model and the new one, and show them together; the page."""
    from gen.places import of_project
    from gen.rendering import Renderer
    from gen.sampling.opening.checkpoints import SHIPPED
    from gen.sampling.request import SampleRequest
    from gen.sampling.run import sample
    from gen.studio.page import present

    models = [
        (
            "the model that comes with the project",
            of_project(SHIPPED),
            CONF / "house" / "starter.yaml",
        ),
        (f"the model trained here for {minutes:g} minutes", result["best"], pin),
    ]
    results, authors = [], {}
    with Renderer(pieces * len(models)) as renderer:
        for author, checkpoint, its_pin in models:
            asked = [f"checkpoint={checkpoint}", f"pin={its_pin}", f"out={OUT}", f"n={pieces}"]

            def begin(done: Sampled, author: str = author) -> None:
                authors[done.midi] = author
                renderer.begin(done.piece, done.midi)

            request = SampleRequest.of(composed("sample", asked))
            results += sample(request, report=begin, on_checked=renderer.start)
        facts = [("held-out bits per note here", f"{result['best_bits_per_note']:.2f}")]
        return present(results, OUT, renderer, facts=facts, authors=authors)


@click.command(help=__doc__)
@click.option("--minutes", default=3.0, show_default=True, help="how long to train")
@click.option("--pieces", default=2, show_default=True, help="how many new pieces of each model")
def main(minutes: float, pieces: int) -> None:
    steps = Steps()
    show_log()
    try:
        steps.say("starting a house with the starter's works; verifying every one")
        pin = start_house()
        verify(pin)
        steps.say(f"training for {minutes:g} minutes")
        from gen.training.run import train

        seconds = round(minutes * 60)
        limit = (
            f"trainer.max_time='{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}'"
        )
        result = train(composed("train", ["experiment=demo", limit, f"pin={pin}"]), OUT / "run")
        print(json.dumps(result, indent=2))
        if result["interrupted"]:
            sys.exit(130)
        steps.say(f"writing {pieces} new pieces with it, and as many with the shipped model")
        page = write(result, minutes, pieces, pin)
    except HouseError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    steps.say("done")
    print(f"look and listen: {page.resolve()}")


if __name__ == "__main__":
    main()
