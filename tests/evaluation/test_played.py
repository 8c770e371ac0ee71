"""A model of played music beside one of the grid: bits per note with its timing and without."""

from __future__ import annotations

import html
import json

import numpy as np
import pytest

from evaluation.test_other_tokens import knowing_nothing
from evaluation.test_run import SMALL, SPLIT, checkpoint, settings_of
from gen.checkpoint import save_checkpoint
from gen.data.windows import TokenisedWork
from gen.evaluation import bits, run
from gen.evaluation.parts.likelihood import against, figures
from gen.evaluation.subjects.works import MeasuredWork
from gen.provenance.manifests.manifest import Manifest
from gen.tokens import timing
from gen.tokens import vocabulary as v
from gen.tokens.choice import PLAYED
from gen.tokens.tokenization import HOUSE_EVENTS, PLAYED_EVENTS
from gen.tokens.tokenizer import HouseTokenizer
from played_music import played, played_house, written

TOKENIZER = HouseTokenizer(timing=PLAYED)


def works(count: int) -> list[MeasuredWork]:
    pieces = [played(written(seed, 4), seed) for seed in range(count)]
    found = [TokenisedWork.of(TOKENIZER.events(piece)) for piece in pieces]
    return [
        MeasuredWork(str(n), str(n), None, each.on_grid(), played=each)
        for n, each in enumerate(found)
    ]


def test_bits_are_divided_between_the_grid_and_what_lies_beside_it():
    held = works(3)
    theirs, ours = (
        bits.measure(knowing_nothing(tokens), held, 128) for tokens in (PLAYED_EVENTS, HOUSE_EVENTS)
    )
    found, plain = figures(theirs), figures(ours)
    assert set(found["by_field"]) == set(timing.FIELDS)
    assert "on_grid" not in plain
    parts = found["on_grid"]["value"], found["beside_grid"]["value"]
    assert sum(parts) == pytest.approx(found["bits_per_note"]["value"])
    assert parts[0] == pytest.approx(plain["bits_per_note"]["value"], rel=1e-5)
    rows = sum(len(work.tokenised) - 1 for work in held)
    beside = np.log2(timing.FIELD_SIZES[len(v.FIELDS) :]).sum() * rows / found["notes"]
    assert parts[1] == pytest.approx(beside, rel=1e-5)
    assert against(theirs, ours)["value"] == pytest.approx(0, abs=1e-4)


def test_a_report_gives_both_and_compares_what_stands_on_the_grid(undrawn, tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house = played_house(tmp_path / "house", 9, straight=3)
    grid = checkpoint(tmp_path / "grid" / "best.safetensors", house)
    path = tmp_path / "players" / "best.safetensors"
    manifest = Manifest.of(house.admit(), tokenizer_fingerprint=PLAYED_EVENTS.fingerprint)
    told = {"settings": {"data": {"split": SPLIT, "training_window": 96}}, "steps": 3}
    save_checkpoint(
        path, knowing_nothing(PLAYED_EVENTS), manifest, told, tokenization=PLAYED_EVENTS
    )
    house.record(path)
    settings = settings_of(
        checkpoint=[str(grid), str(path)], pin=str(house.pin.path), out=str(tmp_path / "out"),
        baselines=True, parts=["likelihood", "infilling", "statistics"], **SMALL,
    )  # fmt: skip
    page = run.evaluate(settings)
    report = json.loads((page.parent / "report.json").read_bytes())
    models = report["likelihood"]["models"]
    (name,) = [name for name, found in models.items() if "on_grid" in found]
    assert set(models[name]["by_field"]) == set(timing.FIELDS)
    assert name in report["infilling"]
    assert "timing and touch beside it" in html.unescape(page.read_text("utf-8"))
