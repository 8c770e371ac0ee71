"""Houses of played music: trained, validated, resumed, kept, and begun with."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gen.checkpoint import load_checkpoint
from gen.errors import HouseError, SettingError
from gen.tokens import timing
from gen.tokens import vocabulary as v
from gen.tokens.tokenization import PLAYED_EVENTS
from gen.training.run import train
from houses import keep_machine_key
from played_music import played_house
from training.test_run import FLAT, resumed_to_the_last_bit, settings_for

PLAYED = {"name": "house", "vocab_size": None, "timing": "played"}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    return played_house(tmp_path_factory.mktemp("played") / "house", 4, straight=2)


@pytest.fixture
def settings(house, tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", str(tmp_path / "cache"))
    keep_machine_key()
    found = settings_for(house)
    found["optimizer"] = {**found["optimizer"], "schedule": FLAT}
    return {**found, "tokenizer": PLAYED}


def test_a_run_is_kept_with_its_timing_and_resumed_to_the_last_bit(settings, tmp_path):
    one = resumed_to_the_last_bit(settings, tmp_path)
    assert one.tokenization is PLAYED_EVENTS
    assert one.manifest.tokenizer_fingerprint == timing.fingerprint()
    assert one.model.config.field_sizes == timing.FIELD_SIZES


def test_validation_says_what_notes_cost_with_their_timing_and_without(settings, tmp_path):
    train(settings, tmp_path / "run")
    path = tmp_path / "run" / "csv" / "metrics.csv"
    found = csv.DictReader(path.read_text().splitlines())
    rows = [row for row in found if row["validation/bits_per_note"]]
    assert rows
    for row in rows:
        fields = {name: float(row[f"validation/bits_{name}"]) for name in timing.FIELDS}
        on_grid = sum(fields[name] for name in v.FIELDS)
        assert float(row["validation/bits_per_note"]) == pytest.approx(sum(fields.values()), 1e-4)
        assert float(row["validation/bits_per_note_on_grid"]) == pytest.approx(on_grid, 1e-4)


def test_a_run_goes_on_with_its_own_timing_alone(settings, tmp_path):
    train(settings, tmp_path / "runs" / "first")
    grid = {**settings, "tokenizer": {**PLAYED, "timing": "grid"}, "ckpt": "last"}
    with pytest.raises(SettingError, match=r"another (model|corpus)"):
        train(grid, tmp_path / "runs" / "second")


def test_a_model_of_played_music_is_begun_with_only_as_one(settings, tmp_path):
    base = train(settings, tmp_path / "base")["last"]
    grid = {**settings, "tokenizer": {**PLAYED, "timing": "grid"}, "init": str(base)}
    with pytest.raises(HouseError, match=r"reads tokenizer=house tokenizer.timing=played"):
        train(grid, tmp_path / "next")
    found = train({**settings, "init": str(base)}, tmp_path / "again")
    assert load_checkpoint(Path(found["last"])).tokenization is PLAYED_EVENTS
