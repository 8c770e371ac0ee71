"""Write new pieces: python scripts/sample.py genre=waltz bars=32 key="A minor" n=4.

Settings are key=value; conf/sample.yaml lists them all. Each piece is written as .mid with a
piano roll (.png), audio (.wav) and a receipt (.json), and index.html shows them together.
"""

import re
import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from gen.errors import HouseError

TEXTS = ("key", "chords", "sections", "time_signature")


def quoted(argument: str) -> str:
    """Quote a text setting for Hydra, so that chords="Am F | C/E" needs no second quotes."""
    name, equals, value = argument.partition("=")
    if equals and name in TEXTS and not re.fullmatch(r"(['\"]).*\1", value):
        return f"{name}='{value}'"
    return argument


@hydra.main(version_base="1.3", config_path="../conf", config_name="sample")
def main(config: DictConfig) -> None:
    from gen.sampling.run import sample
    from gen.studio.page import present

    settings = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    try:
        results = sample(settings, report=lambda done: print(done.midi, flush=True))
        page = present(results, Path(settings["out"]), with_audio=settings["audio"])
    except HouseError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    print(page)


if __name__ == "__main__":
    sys.argv[1:] = [quoted(argument) for argument in sys.argv[1:]]
    main()
