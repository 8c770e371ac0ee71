"""A house of few works, and a model of one composer."""

from __future__ import annotations

import json

import pytest

from gen.provenance.manifests.model_file import read_model_file
from houses import keep_machine_key, start_house
from tiny_runs import train

SMALL = (
    "trainer.max_steps=2", "trainer.val_check_interval=2", "trainer.precision=32",
    "trainer.compile=false", "trainer.keep_states=0", "logger=none",
)  # fmt: skip


@pytest.fixture
def house(tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    found = start_house(tmp_path / "house")
    keep_machine_key()
    return found


def run(house, *words):
    out = house.folder.parent / "run"
    done = train(*SMALL, f"pin={house.pin.path}", f"hydra.run.dir={out}", *words)
    return done, out


def test_fewer_works_than_a_small_house_needs_are_refused(house):
    house.enter(1, 2, 3, 4)
    done, out = run(house, "experiment=small_house")
    assert (done.code, out.exists()) == (2, False)
    assert "lantern has 4 works for general_model here, 5 are needed" in done.stderr


def test_a_small_house_is_told_what_so_few_works_can_teach(house):
    house.enter(1, 2, 3, 4, 5)
    done, out = run(house, "experiment=small_house")
    assert done.code == 0, done.stderr
    assert "2 works with 72 notes to learn from" in done.stderr
    assert "Held out: 1 work in 1 group, whose figure has no interval" in done.stderr
    assert "It begins from nothing" in done.stderr
    settings = read_model_file(out / "last.safetensors").about["run"]["settings"]
    assert "least" not in settings["corpus"]


def test_a_model_of_one_composer_learns_from_what_they_allow_alone(house):
    house.enter(1, 2, 3, consent="general_model artist_model:ana")
    house.enter(4, 5)
    house.enter(6, composer="ben", consent="general_model artist_model:ben")
    done, out = run(house, "experiment=artist", "artist=ana", "init=none")
    assert done.code == 0, done.stderr
    manifest = read_model_file(out / "last.safetensors").manifest
    assert (manifest.purpose, len(manifest.works)) == ("artist_model:ana", 3)
    assert manifest.base is None
    assert len(json.loads((out / "corpus.json").read_text())["not_consented"]) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["experiment=artist"], "whose model is it to be"),
        (["artist=ana"], "experiment=artist makes a model of one composer"),
        (["corpus.least=0"], "0 is below 1"),
    ],
)
def test_settings_that_name_no_artist_are_refused(house, words, said):
    done, _ = run(house, *words)
    assert (done.code, said in done.stderr) == (2, True), done.stderr
