"""One file holds weights, shape, tokenizer and manifest; anything else is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from msgspec import structs
from omegaconf import OmegaConf
from safetensors.torch import load, load_file, save, save_file

from gen import checkpoint as module
from gen.checkpoint import FORMAT, load_checkpoint, save_checkpoint
from gen.data.augment import AugmentConfig
from gen.data.settings import DataConfig
from gen.data.splits import SplitConfig
from gen.errors import HouseError
from gen.model import ModelConfig, Transformer
from gen.provenance.manifests.manifest import Manifest, ManifestWork, RegisterHead
from gen.provenance.signing.shapes import Share
from gen.settings import with_new_names
from gen.tokens import vocabulary
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.vocabulary import FIELD_SIZES
from gen.training.settings.trainer_settings import TrainerConfig

SHAPE = ModelConfig(1, 16, 2, 2, 0.1, 32, FIELD_SIZES, CONTEXT_SIZES)
RUN = {"settings": {"seed": 3}, "bits_per_note": 17.5, "steps": 200}
SHARES = (Share("ana", 60), Share("ben", 40))
WORK = ManifestWork("work-1", "ab" * 32, "cd" * 32, 0, SHARES)
MANIFEST = Manifest(
    format=1, house="House Ü", purpose="general_model", judged_on="2026-02-03",
    register=RegisterHead("ef" * 32, 1), roster_version=2, works=(WORK,), not_consented=(),
    refused=(), tokenizer_fingerprint=vocabulary.fingerprint(), code_version="0", lock_sha256="",
)  # fmt: skip


def make_model() -> Transformer:
    torch.manual_seed(4)
    model = Transformer(SHAPE)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    return model


@pytest.fixture
def saved(tmp_path) -> Path:
    path = tmp_path / "best.safetensors"
    save_checkpoint(path, make_model(), MANIFEST, RUN)
    return path


def about(path: Path) -> dict:
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    return json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["about"])


OLDER = {
    ".qkv.": ".mix.", ".attention_out.": ".mix_out.", ".mlp.up.": ".inner.",
    ".mlp.down.": ".inner_out.", "head.hidden.": "head.inner.",
}  # fmt: skip


def test_a_checkpoint_of_earlier_names_is_the_same_model(saved, tmp_path):
    new_names = {new: old for old, new in ModelConfig.RENAMED.items()}
    told = about(saved)
    told["model"] = {new_names.get(name, name): value for name, value in told["model"].items()}
    tensors = {}
    for name, tensor in load_file(saved).items():
        for new, old in OLDER.items():
            name = name.replace(new, old)
        tensors[name] = tensor
    older = tmp_path / "older.safetensors"
    save_file(tensors, older, {"about": json.dumps(told)})
    assert "heads" in told["model"]
    assert "blocks.0.mix.weight" in tensors
    again, wanted = load_checkpoint(older).model, load_checkpoint(saved).model
    assert again.config == wanted.config
    for name, tensor in wanted.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)


def changed(path: Path, *, drop: str = "", **entries: object) -> Path:
    """The same weights with another text beside them."""
    entries = {**about(path), **entries}
    entries.pop(drop, None)
    return retold(path, json.dumps(entries))


def retold(path: Path, text: str) -> Path:
    path.write_bytes(save(load(path.read_bytes()), {"about": text}))
    return path


# There and back -------------------------------------------------------------------------


def test_what_is_loaded_is_what_was_saved(saved):
    found, model = load_checkpoint(saved), make_model()
    assert found.model.config == SHAPE
    assert not found.model.training
    assert found.manifest == MANIFEST
    assert found.run == RUN
    assert found.digest == hashlib.sha256(saved.read_bytes()).hexdigest()
    for (name, ours), (other, theirs) in zip(
        model.state_dict().items(), found.model.state_dict().items(), strict=True
    ):
        assert name == other
        assert torch.equal(ours, theirs)


def test_half_precision_halves_the_file_and_loads_as_float32(saved, tmp_path):
    small = tmp_path / "small.safetensors"
    save_checkpoint(small, make_model(), MANIFEST, RUN, dtype=torch.float16)
    assert small.stat().st_size < 0.6 * saved.stat().st_size
    weights = load_checkpoint(small).model.embedding.weight
    assert weights.dtype == torch.float32
    torch.testing.assert_close(weights, make_model().embedding.weight, rtol=1e-3, atol=1e-3)


def test_texts_beside_the_weights_are_plain_json(saved):
    texts = about(saved)
    assert texts["format"] == FORMAT
    assert texts["model"]["width"] == 16
    assert json.loads(texts["manifest"])["house"] == "House Ü"
    assert texts["tokenizer"] == vocabulary.fingerprint()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(saved, monkeypatch):
    before = saved.read_bytes()

    def fail(descriptor):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(saved, make_model(), MANIFEST, {})
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_what_json_cannot_hold_is_noticed_before_anything_is_written(tmp_path):
    path = tmp_path / "x.safetensors"
    with pytest.raises(TypeError):
        save_checkpoint(path, make_model(), MANIFEST, {"path": object()})
    assert not path.exists()


# Refused --------------------------------------------------------------------------------


def test_a_missing_file_is_refused_with_its_place(tmp_path):
    with pytest.raises(HouseError, match=r"none.safetensors: cannot be read \(No such file"):
        load_checkpoint(tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    "data",
    [b"", b"MThd", b"\x80\x04pickle" * 9, (2**62).to_bytes(8, "little") + b"{}", b"\xff" * 40],
    ids=["empty", "midi", "pickle", "endless header", "noise"],
)
def test_a_file_of_another_kind_is_refused(tmp_path, data):
    path = tmp_path / "odd.safetensors"
    path.write_bytes(data)
    with pytest.raises(
        HouseError, match=r"odd.safetensors: is not a checkpoint of this format\n.*train.py"
    ):
        load_checkpoint(path)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.999])
def test_a_file_cut_short_is_refused(saved, share):
    data = saved.read_bytes()
    saved.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(HouseError, match="is not a checkpoint of this format"):
        load_checkpoint(saved)


def test_weights_of_somebody_else_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    for metadata in (None, {"format": "pt"}, {"about": '{"format": "gen checkpoint 0"}'}):
        path.write_bytes(save({"x": torch.zeros(3)}, metadata))
        with pytest.raises(HouseError, match="is not a checkpoint of this format"):
            load_checkpoint(path)


def test_the_same_model_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save_checkpoint(tmp_path / name, make_model(), MANIFEST, RUN)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_checkpoint_for_another_tokenizer_is_refused(saved):
    with pytest.raises(HouseError, match="was trained with another tokenizer"):
        load_checkpoint(changed(saved, tokenizer="0" * 64))


def test_a_manifest_of_another_tokenizer_than_the_weights_is_refused(saved):
    other = structs.replace(MANIFEST, tokenizer_fingerprint="0" * 64).to_json()
    with pytest.raises(HouseError, match="was trained with another tokenizer"):
        load_checkpoint(changed(saved, manifest=other))


def test_a_model_that_is_shown_other_columns_than_this_version_has_is_refused(saved, tmp_path):
    older = ModelConfig(1, 16, 2, 2, 0.1, 32, FIELD_SIZES, CONTEXT_SIZES[:-1])
    save_checkpoint(tmp_path / "older.safetensors", Transformer(older), MANIFEST, RUN)
    with pytest.raises(HouseError, match="was trained with another tokenizer"):
        load_checkpoint(tmp_path / "older.safetensors")


def test_weights_of_another_shape_than_is_named_are_refused(saved):
    shape = about(saved)["model"]
    for change in ({"n_layer": 2}, {"mlp_ratio": 3}, {"width": 32}):
        with pytest.raises(HouseError, match="its weights do not fit the shape it names"):
            load_checkpoint(changed(saved, model={**shape, **change}))


@pytest.mark.parametrize("name", ["format", "model", "tokenizer", "manifest", "run"])
def test_a_checkpoint_that_lacks_an_entry_is_refused_as_broken(saved, name):
    with pytest.raises(HouseError, match=r"best\.safetensors: is not a checkpoint"):
        load_checkpoint(changed(saved, drop=name))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", []),
        ("model", {"n_layer": 1}),
        ("model", None),
        ("manifest", "{}"),
        ("manifest", "no"),
        ("manifest", 7),
        ("run", 7),
    ],
)
def test_a_checkpoint_whose_entries_cannot_be_read_is_refused_as_broken(saved, name, value):
    with pytest.raises(HouseError):
        load_checkpoint(changed(saved, **{name: value}))


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null"])
def test_a_checkpoint_whose_text_is_no_object_is_refused_as_broken(saved, text):
    with pytest.raises(HouseError, match=r"best\.safetensors: is not a checkpoint"):
        load_checkpoint(retold(saved, text))


def test_loading_runs_no_code_of_the_file():
    """Plain tensors and JSON: neither pickle nor torch.load is anywhere near."""
    source = Path(module.__file__).read_text(encoding="utf-8")
    assert "torch.load" not in source
    assert "pickle" not in source


def test_the_shipped_model_is_what_the_papers_beside_it_say():
    folder = Path(__file__).parents[1] / "data" / "house_model"
    checkpoint = load_checkpoint(folder / "starter.safetensors")
    listed = Manifest.from_json((folder / "manifest.json").read_text("utf-8"))
    assert listed == checkpoint.manifest
    told = (folder / "README.md").read_text("utf-8")
    assert f"lists the {len(listed.works)} works" in told
    steps, batch = checkpoint.run["steps"], checkpoint.run["settings"]["data"]["batch_size"]
    assert f"{steps:,} steps of {batch} windows" in told
    assert f"{checkpoint.run['bits_per_note']:.2f}" in told
    assert f"{sum(p.numel() for p in checkpoint.model.parameters()) / 1e6:.2f} M" in told
    with initialize_config_dir(str(folder.parents[1] / "conf"), version_base="1.3"):
        config = compose("train", ["experiment=further"])
    asked = OmegaConf.to_container(config, resolve=True)
    kinds = {"model": ModelConfig, "data": DataConfig}
    learned = {
        part: with_new_names(kinds.get(part, object), values)
        for part, values in checkpoint.run["settings"].items()
        if isinstance(values, dict)
    }
    shape = set(asked["model"]) - {"dropout", "context"}  # is that of the model it began with
    where = {"trainer": ("accelerator", "precision"), "data": ("workers",), "model": shape}
    usual = {"trainer": dataclasses.asdict(TrainerConfig())}  # of settings that came later
    for part in ("model", "optimizer", "data", "trainer"):
        known = {**usual.get(part, {}), **learned[part]}
        if "split" in known:
            known["split"] = {**dataclasses.asdict(SplitConfig()), **known["split"]}
            known["augment"] = {**dataclasses.asdict(AugmentConfig()), **known["augment"]}
        for name, value in asked[part].items():
            assert name in where.get(part, ()) or known[name] == value, (part, name)


@pytest.mark.parametrize(
    "change", [{"n_layer": 10**9}, {"width": 10**6}, {"width": 10**12}, {"context": 10**9}]
)
def test_header_that_claims_a_giant_is_refused_before_memory_is_taken(saved, change):
    data = saved.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    about = json.loads(header["__metadata__"]["about"])
    assert set(change) <= set(about["model"])
    about["model"] |= change
    header["__metadata__"]["about"] = json.dumps(about)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    saved.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
    with pytest.raises(HouseError):
        load_checkpoint(saved)
