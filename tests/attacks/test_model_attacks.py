"""Attacks on what stands between admitted works and a model: cache, tokenizer, checkpoint."""

from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec import structs
from safetensors.torch import save as save_tensors

from gen.checkpoint import FORMAT, load_checkpoint, save_checkpoint
from gen.data.batches import DataConfig
from gen.data.cache import CACHE_VARIABLE
from gen.data.module import HouseData
from gen.errors import HouseError
from gen.model import ModelConfig, Transformer
from gen.provenance.desk import people
from gen.provenance.desk.works import withdraw
from gen.provenance.houses.house import House
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.manifests.model_file import ABOUT, read_model_file
from gen.provenance.manifests.recorded import run_behind
from gen.provenance.records.pin import load_pin
from gen.provenance.records.run_acts import ModelDigest
from gen.provenance.signing.canonical import canonical
from gen.tokens import vocabulary as v
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.tokenizer import HouseTokenizer
from gen.training.evidence import recording
from houses import keep_key, keep_machine_key, key_of, make_piece, start_house
from tiny_runs import TRAIN, call, train

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
    foreign = HouseTokenizer().events(make_piece(99)).array.astype("<i2").tobytes()
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
    with pytest.raises(HouseError, match="holds _vocab_base, words, which no house tokenizer has"):
        HouseTokenizer(params=tmp_path / "tokenizer.json")


@pytest.fixture
def checkpoint(house, tmp_path):
    house.enter(1)
    model = Transformer(ModelConfig(1, 16, 2, 2, 0.0, 32, v.FIELD_SIZES, CONTEXT_SIZES))
    manifest = Manifest.of(house.admit(), tokenizer_fingerprint=v.fingerprint())
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, model, manifest, {})
    house.record(path)
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
    unknown, problem = house.verify_checkpoint(path)
    assert "its file is not the one that the run left" in unknown
    assert problem.endswith("the register has no such work")


def test_checkpoint_whose_work_was_withdrawn_is_told(house, checkpoint):
    path, _, manifest = checkpoint
    (work,) = manifest.works
    house.house = withdraw(house.house, [work.work], key_of("ana"), "a wish")
    assert house.verify_checkpoint(path) == [f"{work.work}: withdrawn at register index 4"]


@pytest.mark.parametrize("data", [b"", b"\xff" * 40, b"\2\0\0\0\0\0\0\0{}"])
def test_checkpoint_without_a_manifest(house, checkpoint, data):
    path, _, _ = checkpoint
    path.write_bytes(data)
    with pytest.raises(HouseError, match="holds no manifest of a house"):
        read_model_file(path)


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
    assert after.manifest.digest != before.manifest.digest  # the log's run names the other one
    assert after.digest != before.digest


# What no run left ------------------------------------------------------------------------


def written(path, tensors, about):
    """A checkpoint made by hand."""
    path.write_bytes(save_tensors(tensors, {ABOUT: json.dumps(about, sort_keys=True)}))


def parts(path):
    from safetensors.torch import load as load_tensors

    return load_tensors(path.read_bytes()), read_model_file(path).about


def refused(house, path, *said):
    """`verify --checkpoint` exits 2 and sample.py writes nothing, both saying why."""
    told = " ".join(house.verify_checkpoint(path))
    assert all(word in told for word in said), told
    sampling_refuses(house, path)


def test_weights_of_random_noise_under_a_right_manifest(house, checkpoint):
    """B3: nothing of the file is another but its numbers."""
    path, *_ = checkpoint
    tensors, about = parts(path)
    noise = {name: torch.randn_like(tensor) for name, tensor in tensors.items()}
    written(path, noise, about)
    refused(house, path, "the log of lantern knows no run that left this file")


@pytest.mark.parametrize(
    "change",
    [
        {"works": []},
        {"purpose": "evaluation"},
        {"house": "other"},
        {"register": {"root": "00" * 32, "size": 2}},
        {"refused": [{"path": "x.mid", "rule": "untagged"}]},
    ],
)
def test_manifest_changed_around_right_weights(house, checkpoint, change):
    """B3: works left out, another purpose or house, an invented root of the log."""
    path, *_ = checkpoint
    tensors, about = parts(path)
    manifest = {**json.loads(about["manifest"]), **change}
    about["manifest"] = canonical(manifest).decode()
    written(path, tensors, about)
    refused(house, path, "its file is not the one that the run left")


def test_composers_changed_around_right_weights(house, checkpoint):
    path, *_ = checkpoint
    tensors, about = parts(path)
    about["manifest"] = about["manifest"].replace('{"id":"ana"', '{"id":"ben"')
    written(path, tensors, about)
    refused(house, path, "its file is not the one that the run left")


@pytest.mark.parametrize(
    ("change", "head"),
    [
        ({"purpose": "evaluation"}, {}),
        ({}, {"root": "00" * 32}),
        ({}, {"size": 1}),
        ({"house": "other"}, {}),
    ],
)
def test_false_run_by_a_thief_of_the_trainers_key(house, tmp_path, change, head):
    """Its acts verify; what they are about is held against the log all the same."""
    house.enter(1)
    honest = Manifest.of(house.admit(), tokenizer_fingerprint=v.fingerprint())
    false = structs.replace(honest, register=structs.replace(honest.register, **head), **change)
    path = tmp_path / "false.safetensors"
    model = Transformer(ModelConfig(1, 16, 2, 2, 0.0, 32, v.FIELD_SIZES, CONTEXT_SIZES))
    save_checkpoint(path, model, false, {})
    digest = read_model_file(path)
    mine = ModelDigest(path.name, 1, digest.file_sha256, digest.tensors_sha256)
    works = [work.work for work in honest.works]
    house.log_run(works, [mine], manifest=false.digest, purpose=honest.purpose)
    told = " ".join(house.verify_checkpoint(path))
    if "size" in head:
        assert "the log's first 1 acts have another root than it says" in told
    else:
        assert "says otherwise than the log of lantern" in told
    sampling_refuses(house, path)


@pytest.mark.parametrize("boundary", ["begin", "end", "after"])
def test_run_entered_with_a_key_that_was_compromised_by_then(house, checkpoint, boundary):
    """Once the root says that the trainer's key was stolen, its runs vouch for no model."""
    path, *_ = checkpoint
    (run,) = house.load().runs.by_index.values()
    index = {"begin": run.index, "end": run.ended_at, "after": run.ended_at + 1}[boundary]
    with house.house.writing() as session:
        roster = people.compromised(session.register, "machine", index)
        house.house = people.change_roster(session, roster, [house.root]).house
    if boundary == "after":
        assert run_behind(read_model_file(path), house.load()).index == run.index
        return
    refused(house, path, f"compromised by act {index}")
    keep_key("root")
    code, told = house._run("house", "assert-model", path, "--name", "honest", "--yes")
    assert code == 0, told
    assert house.verify_checkpoint(path) == []


def test_checkpoint_swapped_while_the_run_goes_on(house, tmp_path, monkeypatch):
    """No key is needed to put a file there; the run vouches for what it wrote, nothing else."""
    monkeypatch.chdir(tmp_path)
    house.enter(1, 2, 3, 4, 5, 6)
    keep_machine_key()
    own = recording.RunRecord.end

    def swap(record, files, *more):
        for path in files:
            tensors, about = parts(path)
            written(path, {name: torch.randn_like(t) for name, t in tensors.items()}, about)
        return own(record, files, *more)

    monkeypatch.setattr(recording.RunRecord, "end", swap)
    done = train(f"pin={house.pin.path}")
    assert done.code == 0, done.stderr
    found = sorted(tmp_path.glob("outputs/*/*/*.safetensors"))
    assert [path.stem for path in found] == ["best", "last"]
    for path in found:
        refused(house, path, "the log of lantern knows no run that left this file")


def test_doubled_keys_in_a_checkpoint(house, checkpoint):
    """B3: two readers could take two different manifests from one file."""
    path, *_ = checkpoint
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = data[8 : 8 + length].rstrip(b" ")
    twice = header[:-1] + b',"__metadata__":{"about":"{}"}}'
    path.write_bytes(len(twice).to_bytes(8, "little") + twice + data[8 + length :])
    code, told = house._run("house", "verify", "--checkpoint", path)
    assert code == 2
    assert "a key appears twice" in told["error"]["what"]
    sampling_refuses(house, path)


def test_checkpoint_without_weights(house, checkpoint):
    path, *_ = checkpoint
    _, about = parts(path)
    header = json.dumps({"__metadata__": {ABOUT: json.dumps(about)}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    code, told = house._run("house", "verify", "--checkpoint", path)
    assert code == 2
    assert "no tensor at all" in told["error"]["what"]


def test_model_of_another_house_with_one_work_in_common(house, checkpoint, tmp_path):
    """It is recorded there, under this house's name; here no run left it."""
    path, model, _ = checkpoint
    other = start_house(tmp_path / "other" / "house")
    other.enter(1)
    theirs = Manifest.of(other.admit(), tokenizer_fingerprint=v.fingerprint())
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    save_checkpoint(path, model, theirs, {})
    other.record(path)
    refused(house, path, "knows no run that left this file")


def test_unrecorded_model_is_used_knowingly_and_nothing_is_signed_or_entered(
    house, checkpoint, tmp_path
):
    path, model, manifest = checkpoint
    keep_machine_key()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    save_checkpoint(path, model, manifest, {})
    out = tmp_path / "pieces"
    usual = f"checkpoint={path}", f"pin={house.pin.path}", f"out={out}", "n=1", "bars=2"
    done = call(SAMPLE, *usual, "audio=false", "unrecorded=true")
    assert done.code == 0, done.stderr
    assert "neither signed nor entered: the log does not vouch for the model" in done.stderr
    (receipt,) = out.glob("*-01.json")
    record = json.loads(receipt.read_bytes())
    assert (record["run"], record["entered"]) == (None, False)
    assert not list(out.glob("*.signature.json"))
    assert "the log does not vouch for the model" in (out / "index.html").read_text("utf-8")
    assert house.load().runs.pieces == []


def test_log_older_than_the_checkpoint(house, checkpoint):
    """B6: an older copy of the house's records, with an older pin, and the model of today."""
    path, *_ = checkpoint
    names = ("register.jsonl", "register.head.json")
    older = {name: (house.folder / name).read_bytes() for name in names}
    pin = house.pin.path.read_bytes()
    house.enter(2, 3, 4)
    save_checkpoint(path, checkpoint[1], Manifest.of(
        house.admit(), tokenizer_fingerprint=v.fingerprint()), {"later": True})  # fmt: skip
    house.record(path)
    for name, data in older.items():
        (house.folder / name).write_bytes(data)
    assert "somebody put an older copy back" in sampling_refuses(house, path)
    house.pin.path.write_bytes(pin)
    house.house = House(load_pin(house.pin.path))
    code, told = house._run("house", "verify", "--checkpoint", path)
    assert code == 2
    assert "it was made when the log of lantern held" in told["problems"][0]
