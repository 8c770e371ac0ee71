"""What a run learns is a choice: each tokenization trains, is kept and is resumed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gen.checkpoint import load_checkpoint
from gen.errors import HouseError, SettingError
from gen.provenance.signing.canonical import sha256_hex
from gen.training.run import train
from houses import keep_machine_key, start_house
from training.test_run import FLAT, resumed_to_the_last_bit, settings_for

CHOICES = [("remi", None), ("tsd", None), ("octuple", None), ("remi", 1100)]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    started = start_house(tmp_path_factory.mktemp("run") / "house")
    started.enter(1, 2, 3, 4, 5, 6)
    return started


@pytest.fixture
def settings(house, tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", str(tmp_path / "cache"))
    keep_machine_key()
    found = settings_for(house)
    found["optimizer"] = {**found["optimizer"], "schedule": FLAT}
    return found


def chosen(settings, name, vocab_size=None):
    return {**settings, "tokenizer": {"name": name, "vocab_size": vocab_size}}


@pytest.mark.parametrize("choice", CHOICES)
def test_a_run_is_kept_with_its_tokenizer_and_resumed_to_the_last_bit(settings, choice, tmp_path):
    settings = chosen(settings, *choice)
    one = resumed_to_the_last_bit(settings, tmp_path)
    assert one.tokenization.name == choice[0]
    assert one.manifest.tokenizer_fingerprint == one.tokenization.fingerprint
    assert one.model.config.field_sizes == one.tokenization.field_sizes


def test_the_house_is_what_a_run_learns_where_nothing_is_chosen(settings, tmp_path):
    for name, found in (("a", settings), ("b", chosen(settings, "house"))):
        train(found, tmp_path / name)
    a, b = (load_checkpoint(tmp_path / name / "last.safetensors") for name in "ab")
    assert a.file.tensors_sha256 == b.file.tensors_sha256
    assert a.tokenization.is_house
    assert "tokenization" not in a.file.about


def test_a_run_goes_on_with_its_own_tokenizer_alone(settings, tmp_path):
    train(chosen(settings, "remi"), tmp_path / "runs" / "first")
    with pytest.raises(SettingError, match=r"another (model|corpus)"):
        train({**chosen(settings, "tsd"), "ckpt": "last"}, tmp_path / "runs" / "second")


def test_a_checkpoint_with_another_tokenizer_beside_its_weights_is_refused(settings, tmp_path):
    results = [train(chosen(settings, *c), tmp_path / str(i)) for i, c in enumerate(CHOICES[:2])]
    one, other = (Path(found["last"]).read_bytes() for found in results)
    forged = tmp_path / "forged.safetensors"
    names = [load_checkpoint(Path(found["last"])).tokenization for found in results]
    forged.write_bytes(one.replace(b'\\"name\\": \\"remi\\"', b'\\"name\\": \\"tsd\\" '))
    assert sha256_hex(forged.read_bytes()) != sha256_hex(one) != sha256_hex(other)
    assert names[0].fingerprint != names[1].fingerprint
    with pytest.raises(HouseError, match="its tokenizer is no tokenizer that this version writes"):
        load_checkpoint(forged)


@pytest.mark.parametrize(
    ("group", "values", "where"),
    [
        ("data", {"styles": True}, "data.styles"),
        ("tokenizer", {"name": "remi", "vocab": 5}, "vocab"),
    ],
)
def test_what_a_tokenization_cannot_do_is_refused_by_the_settings_name(
    settings, group, values, where, tmp_path
):
    settings = chosen(settings, "remi")
    with pytest.raises(SettingError) as error:
        train({**settings, group: {**settings[group], **values}}, tmp_path / "run")
    assert where in str(error.value)
