"""The range test of the rates of learning."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gen.errors import HouseError
from gen.training.rates import HIGHEST, LOWEST, smoothed, steepest
from houses import keep_machine_key, start_house
from recorded_runs import RUN
from tiny_runs import train


def test_the_steepest_fall_is_found():
    rates = np.geomspace(1e-5, 1, 60)
    losses = 5 - 3 / (1 + np.exp(-4 * np.log(rates / 1e-2))) + np.where(rates > 0.2, 9 * rates, 0)
    assert steepest(rates, losses) == pytest.approx(1e-2, rel=0.3)


def test_a_loss_that_never_falls_proposes_nothing():
    with pytest.raises(HouseError, match="falls at no rate"):
        steepest([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7])


def test_smoothing_is_not_drawn_to_zero_at_its_beginning():
    assert smoothed([4.0] * 5) == pytest.approx([4.0] * 5)


@pytest.fixture
def house(tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house = start_house(tmp_path / "house")
    house.enter(1, 2, 3, 4, 5, 6)
    keep_machine_key()
    return house


def find(house, folder, *words: str):
    return train(*RUN, "find_lr=20", f"pin={house.pin.path}", f"hydra.run.dir={folder}", *words)


def test_each_group_has_its_curve_and_nothing_claims_a_model(house, tmp_path):
    before = house.load().size
    done = find(house, tmp_path / "tried")
    assert done.code == 0, done.stderr
    found = json.loads(done.stdout)
    for setting in ("optimizer.lr", "optimizer.matrix_lr"):
        assert 0.004 * LOWEST <= found[setting] <= 0.004 * HIGHEST
    assert (tmp_path / "tried" / "rates.png").read_bytes().startswith(b"\x89PNG")
    curves = json.loads((tmp_path / "tried" / "rates.json").read_text())
    assert len(curves["optimizer.lr"]["rates"]) == len(curves["optimizer.lr"]["losses"]) > 5
    assert curves["optimizer.lr"]["losses"][0] == curves["optimizer.matrix_lr"]["losses"][0]
    at_the_end = [name for name, curve in curves.items() if found[name] == curve["rates"][-1]]
    assert done.stderr.count("at the end of what was tried") == len(at_the_end)
    assert house.load().size == before
    assert not [*tmp_path.glob("tried/*.safetensors"), *tmp_path.glob("tried/*.ckpt")]
    again = find(house, tmp_path / "again")
    assert {**json.loads(again.stdout), "picture": "", "curves": ""} == {
        **found, "picture": "", "curves": "",
    }  # fmt: skip


def test_adamw_alone_has_one_curve(house, tmp_path):
    done = find(house, tmp_path / "tried", "optimizer=adamw")
    assert done.code == 0, done.stderr
    assert "optimizer.matrix_lr" not in json.loads(done.stdout)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["find_lr=3"], "3 steps show nothing"),
        (["trainer.devices=2"], "rates are tried in one process"),
    ],
)
def test_what_cannot_be_tried_is_refused_before_anything_begins(house, tmp_path, words, said):
    done = find(house, tmp_path / "tried", *words)
    assert done.code == 2
    assert said in done.stderr
    assert not (tmp_path / "tried").exists()


def test_the_gate_refuses_here_as_it_does_a_run(house, tmp_path):
    file = next(house.folder.rglob("*.mid"))
    file.write_bytes(file.read_bytes()[:-1])
    done = find(house, tmp_path / "tried")
    assert done.code == 2
    assert file.name in done.stderr
