"""Settings of small evaluations, and checkpoints that have learned nothing."""

from __future__ import annotations

import torch
import yaml

from gen.checkpoint import save_checkpoint
from gen.model import ModelConfig, Transformer
from gen.provenance.manifests.manifest import Manifest
from gen.tokens import vocabulary as v
from gen.tokens.columns import CONTEXT_SIZES
from tiny_runs import TRAIN

EVALUATE = TRAIN.with_name("evaluate.py")
SPLIT = {"validation": 0.2, "test": 0.3, "seed": 0}
SMALL = {
    "works": 2, "pieces": 3, "bars": 2, "requests": 6, "repeats": 2, "holes": 2, "prompts": 2,
    "house_works": 20,
}  # fmt: skip


def settings_of(**changes):
    path = EVALUATE.parents[1] / "conf" / "evaluate.yaml"
    said = yaml.safe_load(path.read_text("utf-8"))
    return {k: x for k, x in said.items() if k not in ("defaults", "hydra")} | SMALL | changes


def checkpoint(path, house, *, purpose="general_model", split=SPLIT, width=16, steps=3, seed=0):
    torch.manual_seed(seed)
    model = Transformer(ModelConfig(1, width, 1, 2, 0.0, 128, v.FIELD_SIZES, CONTEXT_SIZES))
    for layer in model.head.out:
        torch.nn.init.normal_(layer.weight, std=0.1)
    manifest = Manifest.of(house.admit(purpose), tokenizer_fingerprint=v.fingerprint())
    told = {"settings": {"data": {"split": split, "training_window": 96}}, "steps": steps}
    save_checkpoint(path, model, manifest, told)
    house.record(path)
    return path
