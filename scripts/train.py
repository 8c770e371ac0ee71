"""Train a model on the house's works: python scripts/train.py experiment=demo [key=value …].

Settings are key=value; --help explains them all. Nothing is trained on that the gate has not
admitted; a refused file ends the run before the first step, exit code 2.
"""

import json
import re
import sys
from pathlib import Path

from explained import begin

if __name__ == "__main__":
    begin("train", __doc__)  # before anything that takes a while is imported

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from gen.errors import SettingError
from refusals import run, told

CONF = Path(__file__).resolve().parent.parent / "conf"
HYDRA_SETTINGS = re.compile(
    r"hydra\.(run\.dir|sweep\.(dir|subdir)|job\.name|output_subdir|verbose|mode)|hydra/launcher"
    r"|hydra\.sweeper\.(n_trials|n_jobs|max_failure_rate)"
    r"|hydra\.launcher\.(partition|account|qos|timeout_min|array_parallelism"
    r"|nodes|(gpus|tasks)_per_node|cpus_per_task|mem_gb)"
)
FLAGS = re.compile(r"--?(config[-_]?(path|name|dir)?|cp|cn|cd|experimental-rerun)\b")


def refuse_code(arguments: list[str]) -> None:
    """Refuse what makes Hydra call code or read settings that are not this project's.

    Hydra calls whatever `hydra.callbacks` or a logging handler names, before the gate has been
    asked: such a call could replace the gate.

    Raises:
        SettingError: an argument does.
    """
    groups = {folder.name for folder in CONF.iterdir() if folder.is_dir()} | {"hydra/launcher"}
    for argument in arguments:
        name, _, value = argument.strip().lstrip("+~").partition("=")
        name, _, package = name.partition("@")
        calls = re.match(r"hydra|.*/", name) and not HYDRA_SETTINGS.fullmatch(name)
        is_away = name in groups and not re.fullmatch(r"[\w, ()\[\]-]*", value)
        if calls or is_away or package or FLAGS.match(argument):
            raise SettingError(
                "could run code or read settings that are not this project's",
                where=argument,
                mend="write what you need into conf/, where it is kept under version control",
            )


def listeners(settings: dict) -> list:
    """What shows and plays new pieces while the model learns, where the settings ask for it."""
    from gen.training.settings import read_settings

    chosen = read_settings(settings)
    if not chosen.logger.pieces:
        return []
    from gen.studio.listening import Listening

    return [Listening(chosen.logger.pieces, chosen.logger.pieces_every, chosen.run.seed)]


@hydra.main(version_base="1.3", config_path="../conf", config_name="train")
def main(config: DictConfig) -> float:
    from gen.training.run import train

    out = Path(HydraConfig.get().runtime.output_dir)
    with told():
        settings = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
        result = train(settings, out, listeners(settings))
    from lightning.pytorch.utilities import rank_zero_only

    rank_zero_only(print)(json.dumps(result, indent=2))
    if result["interrupted"]:
        sys.exit(130)
    return result["best_bits_per_note"]


if __name__ == "__main__":
    with told():
        refuse_code(sys.argv[1:])
    run(main)
