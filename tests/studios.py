"""A house and a checkpoint that knows nothing, which the grammar must still make obey."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from gen.checkpoint import save_checkpoint
from gen.model import ModelConfig, Transformer
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.records.roster import Person
from gen.tokens.tokenization import HOUSE_EVENTS, HouseEvents
from houses import EVERYTHING, TestHouse, make_midi, start_house, tagged

FREE = {
    "genre": None, "mood": None, "style": None, "key": None, "tempo": None,
    "time_signature": None, "bars": 4, "instruments": [], "roles": [], "chords": None,
    "sections": None, "density": None, "pitch_range": [0, 127], "velocity_range": [1, 127],
    "returns": 0.5, "temperature": 1.0, "top_p": 1.0, "min_p": 0.0,
}  # fmt: skip
CHECKPOINT = "model.safetensors"


def make_studio(
    folder: Path,
    *,
    consent: str = EVERYTHING,
    run: dict | None = None,
    more: Sequence[Person] = (),
    tokens: HouseEvents = HOUSE_EVENTS,
) -> TestHouse:
    """A house of two works of sixteen bars, with `more` people, and its checkpoint in `folder`."""
    house = start_house(folder / "house", more=more)
    results = house.submit(*(tagged(make_midi(seed, 16), consent=consent) for seed in (1, 2)))
    house.accept([result.work for result in results])
    manifest = Manifest.of(house.admit(), tokenizer_fingerprint=tokens.fingerprint)
    save_checkpoint(
        folder / CHECKPOINT, untrained(tokens), manifest, run or {}, tokenization=tokens
    )
    house.record(folder / CHECKPOINT)
    return house


def untrained(tokens: HouseEvents = HOUSE_EVENTS, context: int = 256) -> Transformer:
    """A model that has an opinion on everything, and knows nothing."""
    torch.manual_seed(0)
    shape = tokens.field_sizes, tokens.context_sizes
    model = Transformer(ModelConfig(2, 32, 2, 2, 0.0, context, *shape))
    for layer in model.head.out:
        torch.nn.init.normal_(layer.weight, std=0.3)
    return model.eval()


def asking(folder: Path, house: TestHouse, place: Path, **some: object) -> dict:
    """All settings of a run, with these among them."""
    places = {"checkpoint": str(folder / CHECKPOINT), "pin": str(house.pin.path), "out": str(place)}
    return {**FREE, **places, "n": 2, "seed": 1, **some}
