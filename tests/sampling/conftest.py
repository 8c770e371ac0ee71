"""A house, a checkpoint that knows nothing, and a way to ask it for pieces."""

from __future__ import annotations

import pytest
import torch

from gen.checkpoint import save_checkpoint
from gen.data.cache import CACHE_VARIABLE
from gen.model import ModelConfig, Transformer
from gen.provenance.keys import KEYS_VARIABLE, PASSPHRASE_VARIABLE
from gen.provenance.manifest import Manifest
from gen.sampling.run import sample
from gen.tokens import vocabulary as v
from gen.tokens.columns import CONTEXT_SIZES
from houses import make_midi, start_house, tagged

FREE = {
    "genre": None, "mood": None, "key": None, "tempo": None, "time_signature": None,
    "bars": 4, "instruments": [], "roles": [], "chords": None, "sections": None,
    "density": None, "pitch_range": [0, 127], "velocity_range": [1, 127], "returns": 0.5,
    "temperature": 1.0, "top_p": 1.0, "min_p": 0.0,
}  # fmt: skip


@pytest.fixture(scope="session")
def studio(tmp_path_factory):
    """A house and a checkpoint that knows nothing, which the grammar must still make obey."""
    folder = tmp_path_factory.mktemp("studio")
    house = start_house(folder / "house")
    results = house.submit(*(tagged(make_midi(seed, 16)) for seed in (1, 2)))
    house.accept([result.work for result in results])
    torch.manual_seed(0)
    model = Transformer(ModelConfig(2, 32, 2, 2, 0.0, 256, v.FIELD_SIZES, CONTEXT_SIZES))
    for layer in model.head.out:
        torch.nn.init.normal_(layer.weight, std=0.3)
    manifest = Manifest.of(house.admit(), tokenizer_fingerprint=v.fingerprint())
    save_checkpoint(folder / "model.safetensors", model, manifest, {})
    return folder, house


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """No cache and no key of whoever runs the tests."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv(KEYS_VARIABLE, str(tmp_path / "keys"))
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)


@pytest.fixture
def asked(studio, tmp_path):
    """All settings of a run, with these among them."""
    folder, house = studio

    def settings(**some):
        return {
            **FREE,
            "checkpoint": str(folder / "model.safetensors"),
            "pin": str(house.pin.path),
            "out": str(tmp_path / "out"),
            "n": 2,
            "seed": 1,
            **some,
        }

    return settings


@pytest.fixture
def ask(asked):
    def call(**settings):
        return sample(asked(**settings))

    return call
