"""Train a model on the house's works: python scripts/train.py experiment=demo [key=value …].

Every setting is in conf/train.yaml and its groups; `--help` lists them. Nothing is trained on
that the gate has not admitted; a refused file ends the run before the first step, exit code 2.
"""

import json
import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from gen.errors import HouseError


@hydra.main(version_base="1.3", config_path="../conf", config_name="train")
def main(config: DictConfig) -> float:
    from gen.training.run import train

    settings = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    out = Path(HydraConfig.get().runtime.output_dir)
    try:
        result = train(settings, out)
    except HouseError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    print(json.dumps(result, indent=2))
    return result["best_bits_per_note"]


if __name__ == "__main__":
    main()
