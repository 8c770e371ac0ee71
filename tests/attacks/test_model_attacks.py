"""Attacks on what stands between admitted works and a model: cache, tokenizer, checkpoint."""

from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save as save_tensors

from gen.checkpoint import ABOUT, FORMAT, load_checkpoint, save_checkpoint
from gen.data.batches import DataConfig
from gen.data.cache import CACHE_VARIABLE
from gen.data.module import HouseData
from gen.errors import HouseError
from gen.model import ModelConfig, Transformer
from gen.provenance.manifest import Manifest, manifest_in
from gen.provenance.works import withdraw
from gen.tokens import vocabulary as v
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.tokenizer import HouseTokenizer
from houses import key_of, make_midi, start_house
from tiny_runs import TRAIN, call

SAMPLE = TRAIN.with_name("sample.py")
CONFIG = DataConfig(training_window=32, batch_size=1)


def tokenised(house) -> list[np.ndarray]:
    data = HouseData(house.folder, house.pin, "general_model", CONFIG)
    data.setup()
    return [work.events for work in data.works]


def test_poisoned_token_cache(house, tmp_path, monkeypatch):
    house.enter(1, 2, 3)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    honest = tokenised(house)
    foreign = HouseTokenizer().events(make_midi(99)).astype("<i2").tobytes()
    entries = [p for p in (tmp_path / "cache" / "events").rglob("*") if p.is_file()]
    assert len(entries) == 3
    for entry in entries:
        seal = entry.read_bytes()[:32]
        entry.write_bytes(seal + foreign)
    again = tokenised(house)
    assert all(np.array_equal(a, b) for a, b in zip(honest, again, strict=True))


def test_token_cache_swapped_between_two_works(house, tmp_path, monkeypatch):
    house.enter(1, 2)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    honest = tokenised(house)
    one, other = (p for p in (tmp_path / "cache" / "events").rglob("*") if p.is_file())
    swapped = one.read_bytes(), other.read_bytes()
    other.write_bytes(swapped[0])
    one.write_bytes(swapped[1])
    again = tokenised(house)
    assert all(np.array_equal(a, b) for a, b in zip(honest, again, strict=True))


def test_tokenizer_trained_on_ungated_text(tmp_path):
    """The vocabulary is the code's own: a tokenizer file can neither add nor change a word."""
    HouseTokenizer().save(tmp_path / "tokenizer.json")
    stored = json.loads((tmp_path / "tokenizer.json").read_text())
    stored["_vocab_base"] = {"Pitch_stolen": 0}
    stored["words"] = [["Pitch_stolen"]]
    (tmp_path / "tokenizer.json").write_text(json.dumps(stored))
    midi = make_midi(1)
    expected = HouseTokenizer().events(midi)
    try:
        loaded = HouseTokenizer(params=tmp_path / "tokenizer.json")
    except (AttributeError, TypeError, KeyError):
        return  # MidiTok itself does not open it
    assert np.array_equal(loaded.events(midi), expected)
    assert loaded.fingerprint == v.fingerprint()


@pytest.fixture
def checkpoint(house, tmp_path):
    house.enter(1)
    model = Transformer(ModelConfig(1, 16, 2, 2, 0.0, 32, v.FIELD_SIZES, CONTEXT_SIZES))
    manifest = Manifest.of(house.admit(), tokenizer_fingerprint=v.fingerprint())
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, model, manifest, {})
    return path, model, manifest


def sampling_refuses(house, path):
    """What `sample.py` says of a checkpoint before it writes anything."""
    out = Path.cwd() / "pieces"
    usual = f"checkpoint={path}", f"pin={house.pin.path}", f"out={out}", "n=1", "bars=2"
    done = call(SAMPLE, *usual, "audio=false")
    assert (done.code, "Traceback" in done.stderr) == (2, False), done
    assert not out.exists()
    return done.stderr


class Bomb:
    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        return (open, (self.trace, "w"))


def test_foreign_checkpoint(house, checkpoint, tmp_path):
    """Of another house, with this one's name and no work of it."""
    path, model, manifest = checkpoint
    assert house.verify_checkpoint(path) == []
    other = start_house(tmp_path / "other" / "house")
    other.enter(7)
    theirs = Manifest.of(other.admit(), tokenizer_fingerprint=v.fingerprint())
    assert theirs.house == manifest.house
    save_checkpoint(path, model, theirs, {})
    assert "1 of the 1 works it names never entered the house" in sampling_refuses(house, path)
    (problem,) = house.verify_checkpoint(path)
    assert problem.endswith("the register has no such work")


def test_checkpoint_whose_work_was_withdrawn_is_told(house, checkpoint):
    path, _, manifest = checkpoint
    (work,) = manifest.works
    house.house = withdraw(house.house, [work.work], key_of("ana"), "a wish")
    assert house.verify_checkpoint(path) == [f"{work.work}: withdrawn at register index 2"]


@pytest.mark.parametrize("data", [b"", b"\xff" * 40, b"\2\0\0\0\0\0\0\0{}"])
def test_checkpoint_without_a_manifest(house, checkpoint, data):
    path, _, _ = checkpoint
    path.write_bytes(data)
    with pytest.raises(HouseError, match="holds no manifest of a house"):
        manifest_in(path)


def test_foreign_checkpoint_that_would_run_code(house, checkpoint, tmp_path):
    path, _, _ = checkpoint
    for data in (pickle.dumps(Bomb(tmp_path / "ran")), b"\x80\x04" + pickle.dumps(Bomb("ran"))):
        path.write_bytes(data)
        assert "is not a checkpoint" in sampling_refuses(house, path)
    torch.save({"state_dict": Bomb(tmp_path / "ran")}, path)
    assert "is not a checkpoint" in sampling_refuses(house, path)
    assert not (tmp_path / "ran").exists()


def test_foreign_tokenizer_under_a_checkpoint(house, checkpoint):
    path, model, manifest = checkpoint
    about = {
        "format": FORMAT,
        "model": dataclasses.asdict(model.config),
        "tokenizer": "0" * 64,
        "manifest": manifest.to_json(),
        "run": {},
    }
    path.write_bytes(save_tensors(model.state_dict(), {ABOUT: json.dumps(about)}))
    assert "another tokenizer" in sampling_refuses(house, path)


def test_manifest_edited_inside_a_checkpoint(checkpoint):
    path, model, manifest = checkpoint
    told = json.loads(manifest.to_json())
    told["works"] = []
    about = {
        "format": FORMAT,
        "model": dataclasses.asdict(model.config),
        "tokenizer": v.fingerprint(),
        "manifest": json.dumps(told),
        "run": {},
    }
    before = load_checkpoint(path)
    path.write_bytes(save_tensors(model.state_dict(), {ABOUT: json.dumps(about)}))
    try:
        after = load_checkpoint(path)
    except HouseError:
        return
    assert after.manifest.digest != before.manifest.digest  # the ledger's run names the other one
    assert after.digest != before.digest
