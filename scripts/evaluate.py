"""Measure what checkpoints are worth: python scripts/evaluate.py checkpoint=FILE [fast=true].

Settings are key=value; --help explains them all. Several checkpoints are compared:
checkpoint=[a.safetensors,b.safetensors]. Written below out=: report.html (offline, pictures
inside), report.json, plots/, and parts/ with what is finished; the same command goes on from
there. listening=FOLDER makes a blind listening test instead, or counts its ratings.
"""

import json

from explained import begin

if __name__ == "__main__":
    begin("evaluate", __doc__)  # before anything that takes a while is imported

import hydra
from omegaconf import DictConfig, OmegaConf

from refusals import run, told


@hydra.main(version_base="1.3", config_path="../conf", config_name="evaluate")
def main(config: DictConfig) -> None:
    from gen.evaluation.run import evaluate, listen

    with told():
        settings = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
        found = evaluate(settings) if settings["listening"] is None else listen(settings)
    print(json.dumps(found, indent=2) if isinstance(found, dict) else found)


if __name__ == "__main__":
    run(main)
