"""`import gen` in a notebook: the commands' own settings and checks, and the page in docs/ runs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch

import gen
from gen.checkpoint import save_checkpoint
from gen.errors import HouseError, SettingError
from gen.model import Transformer
from gen.model_config import ModelConfig
from gen.places import HOME
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.records.statement import Description
from gen.smf import write
from gen.tokens import vocabulary as v
from gen.tokens.columns import CONTEXT_SIZES
from houses import make_piece, start_house, tagged

NOTEBOOK = HOME / "docs" / "notebook.ipynb"


@pytest.fixture
def small(tmp_path, monkeypatch, own_keys):
    """A house of eight works and a model of it that knows nothing, where `last` finds it."""
    house = start_house(tmp_path / "house")
    for number in range(8):
        about = Description(title=f"Work {number}", genre=("waltz", "march")[number % 2])
        house.submit(tagged(write(make_piece(number)), description=about))
    house.accept()
    torch.manual_seed(0)
    model = Transformer(ModelConfig(1, 32, 2, 2, 0.0, 128, v.FIELD_SIZES, CONTEXT_SIZES))
    place = tmp_path / "outputs" / "a" / "b" / "best.safetensors"
    save_checkpoint(
        place, model, Manifest.of(house.admit(), tokenizer_fingerprint=v.fingerprint()), {}
    )
    house.record(place)
    monkeypatch.chdir(tmp_path)
    return house


def code_cells() -> list[str]:
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def test_the_notebook_in_docs_runs_in_any_house(small, tmp_path):
    names: dict[str, object] = {}
    for cell in code_cells():
        exec(cell.replace('"conf/house/starter.yaml"', repr(str(small.pin.path))), names)  # noqa: S102
    assert len(names["pieces"]) == 2
    assert names["reached"]["steps"] == 20
    assert sum(map(len, names["works"].sides.values())) == 8
    assert len(list((tmp_path / "out" / "notebook").glob("*.mid"))) == 2


def test_settings_by_keyword_are_checked_as_the_commands_check_them(small):
    pin = str(small.pin.path)
    with pytest.raises(SettingError, match="temop"):
        gen.sample(pin=pin, temop=90)
    with pytest.raises(SettingError, match="no whole number"):
        gen.sample(pin=pin, bars="many")
    with pytest.raises(SettingError, match="callbacks"):
        gen.train("+trainer.callbacks=x", pin=pin, out="run")
    (piece,) = gen.sample(
        pin=pin, bars=2, n=1, chords="Am F | C/E", time_signature="4/4", out="of {this} 'name'"
    )
    assert piece.midi.parent.name == "of {this} 'name'"


def test_no_variable_of_lightnings_has_a_say_in_a_run(small, monkeypatch, tmp_path):
    monkeypatch.setenv("PL_TRAINER_LIMIT_TRAIN_BATCHES", "1")
    pin, size = str(small.pin.path), small.load().size
    with pytest.raises(SettingError, match="what the records of a run would not show"):
        gen.train("trainer.max_steps=2", "logger=none", pin=pin, out="run")
    assert small.load().size == size
    assert not list(tmp_path.glob("run/*.safetensors"))


def test_a_model_of_which_the_log_knows_nothing_is_refused(small, tmp_path):
    other = Transformer(ModelConfig(1, 32, 2, 2, 0.0, 128, v.FIELD_SIZES, CONTEXT_SIZES))
    place = tmp_path / "stranger.safetensors"
    manifest = Manifest.of(small.admit(), tokenizer_fingerprint=v.fingerprint())
    save_checkpoint(place, other, manifest, {})
    house = gen.open_house(small.pin.path)
    with pytest.raises(HouseError):
        gen.load(place, house=house)
    assert gen.load(place, house=house, unrecorded=True).manifest.house == house.pin.name


def test_gen_names_what_it_offers_and_loads_nothing_before():
    script = (
        "import sys, gen; assert {'open_house', 'sample'} <= set(dir(gen)); "
        "assert not {'torch', 'hydra'} & set(sys.modules); print(gen.sample.__doc__[:10])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.startswith("New pieces")
    with pytest.raises(AttributeError, match="no attribute 'smaple'"):
        gen.smaple  # noqa: B018
