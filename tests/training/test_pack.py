"""A model's folder for a hub, and its program, say what the model's file says."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch
from miditok import MusicTokenizer
from safetensors.torch import load_file

from gen.checkpoint import load_checkpoint
from gen.model import ModelConfig, Transformer
from gen.provenance.manifests.manifest import Manifest
from gen.settings import build
from gen.training.pack import exported
from recorded_runs import kept_apart, trained


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    with kept_apart(folder):
        return trained(folder)


def test_a_packed_model_is_the_one_that_the_log_names(run, tmp_path):
    out = tmp_path / "hub"
    code, said = run.ask("pack", run.last, out)
    assert code == 0, said
    names = ["README.md", "config.json", "manifest.json", "model.safetensors", "tokenizer.json"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert run.ask("verify", "--checkpoint", out / "model.safetensors")[0] == 0
    config = json.loads((out / "config.json").read_text())
    assert config == json.loads((run.folder / "config.json").read_text())
    model = Transformer(build(ModelConfig, config["model"]))
    model.load_state_dict(load_file(out / "model.safetensors"))
    manifest = Manifest.from_json((out / "manifest.json").read_text().strip())
    card = (out / "README.md").read_text()
    assert manifest.digest in card
    assert hashlib.sha256(run.last.read_bytes()).hexdigest() in card
    assert (
        f"By its record it was\ntrained on {len(manifest.works)} works of the music house lantern"
        in card
    )


def test_its_tokenizer_is_a_file_that_midi_tok_reads(run, tmp_path):
    run.ask("pack", run.last, tmp_path / "hub")
    found = json.loads((tmp_path / "hub" / "tokenizer.json").read_text())
    assert {"config", "tokenization", "miditok_version"} <= found.keys()
    own = load_checkpoint(run.last).tokenization
    from gen.tokens.tokenizer import HouseTokenizer

    read = HouseTokenizer.from_pretrained(tmp_path / "hub")
    assert isinstance(read, MusicTokenizer)
    assert own.fingerprint == HouseTokenizer().fingerprint == read.fingerprint


def test_a_folder_with_something_in_it_is_left_alone(run, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    code, said = run.ask("pack", run.last, tmp_path)
    assert (code, "is not empty" in said) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_model_that_the_log_does_not_know_is_not_packed(run, tmp_path):
    stranger = tmp_path / "stranger.safetensors"
    data = bytearray(run.last.read_bytes())
    data[-3] ^= 1
    stranger.write_bytes(data)
    assert run.ask("pack", stranger, tmp_path / "hub")[0] == 2
    assert not (tmp_path / "hub").exists()


def test_its_program_gives_the_nats_that_the_model_gives(run, tmp_path):
    model = load_checkpoint(run.last).model
    torch.export.save(exported(model), tmp_path / "model.pt2")
    program = torch.export.load(tmp_path / "model.pt2").module()
    config = model.config
    sizes = [*config.field_sizes, *config.context_sizes]
    rng = torch.Generator().manual_seed(1)
    columns, targets = (
        torch.stack(
            [torch.randint(1, size, (1, config.context), generator=rng) for size in some], -1
        )
        for some in (sizes, config.field_sizes)
    )
    torch.testing.assert_close(program(columns, targets), model.losses(columns, targets))
