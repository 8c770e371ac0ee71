"""The whole path in a few minutes: verify the house, train a small model, write new pieces.

python scripts/demo.py [--minutes 3]
"""

import json
import logging
import os
import shutil
import sys
import time
from pathlib import Path

import click
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from gen.errors import HouseError

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
    from gen.provenance.adopt import create_house_with
    from gen.provenance.house import House
    from gen.provenance.keys import KEYS_VARIABLE, PrivateKey, save_open_key
    from gen.provenance.pin import INSIDE, load_pin
    from gen.provenance.roster import MACHINE_ROLES, Person, PersonKey

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
    from gen.provenance.gate import admit
    from gen.provenance.pin import load_pin

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


@click.command(help=__doc__)
@click.option("--minutes", default=3.0, show_default=True, help="how long to train")
@click.option("--pieces", default=4, show_default=True, help="how many new pieces")
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
        steps.say(f"writing {pieces} new pieces")
        from gen.rendering import Renderer
        from gen.sampling.request import SampleRequest
        from gen.sampling.run import sample
        from gen.studio.page import present

        asked = [f"checkpoint={result['best']}", f"pin={pin}", f"out={OUT}", f"n={pieces}"]
        facts = [
            ("trained for", f"{minutes:g} minutes"),
            ("held-out bits per note", f"{result['best_bits_per_note']:.2f}"),
        ]
        with Renderer(pieces) as renderer:
            request = SampleRequest.of(composed("sample", asked))
            results = sample(request, on_checked=renderer.start)
            page = present(results, OUT, renderer, facts=facts)
    except HouseError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    steps.say("done")
    print(f"look and listen: {page.resolve()}")


if __name__ == "__main__":
    main()
