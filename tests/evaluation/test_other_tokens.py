"""A checkpoint of MidiTok's tokens beside one of the house's events: bits per note compare."""

from __future__ import annotations

import html
import json

import pytest
import torch

from corpora import works
from evaluation.test_run import SMALL, SPLIT, checkpoint, settings_of
from gen.checkpoint import save_checkpoint
from gen.evaluation import bits, run
from gen.model import ModelConfig, Transformer
from gen.provenance.manifests.manifest import Manifest
from gen.tokens.miditok_tokens import MidiTokTokens
from houses import start_house
from music import Theme

REMI = MidiTokTokens("remi")
TOKENS = [
    REMI, MidiTokTokens("tsd"), MidiTokTokens("octuple"),
    REMI.learned([REMI.base_rows(Theme(seed).events()) for seed in range(3)], 1100),
]  # fmt: skip


def knowing_nothing(tokens):
    shape = ModelConfig(1, 16, 1, 2, 0.0, 256, tokens.field_sizes, tokens.context_sizes)
    return Transformer(shape).eval()


@pytest.mark.parametrize("tokens", TOKENS, ids=lambda t: f"{t.name}{len(t.parts) or ''}")
def test_knowing_nothing_costs_the_log_of_every_id_and_notes_are_the_works_own(tokens):
    held = works(2)
    rows = bits.measure_tokens(knowing_nothing(tokens), tokens, held, 128)
    for row, work in zip(rows, held, strict=True):
        written, _ = tokens.encoded(*tokens.base_rows(work.tokenised.events))
        sizes = torch.tensor(tokens.field_sizes).double()
        by_hand = (len(written) - 1) * float(sizes.log2().sum())
        assert sum(row["fields"]) == pytest.approx(by_hand, rel=1e-5)
        assert row["notes"] == work.tokenised.notes
        placed = [bits for bits, _ in row["positions"].values()]
        assert sum(placed) == pytest.approx(by_hand, rel=1e-5)


def test_a_report_has_both_and_says_what_was_left_out(undrawn, tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house = start_house(tmp_path / "house")
    house.enter(*range(1, 13))
    ours = checkpoint(tmp_path / "ours" / "best.safetensors", house)
    tokens, path = TOKENS[2], tmp_path / "theirs" / "best.safetensors"
    manifest = Manifest.of(house.admit(), tokenizer_fingerprint=tokens.fingerprint)
    told = {"settings": {"data": {"split": SPLIT, "training_window": 96}}, "steps": 3}
    save_checkpoint(path, knowing_nothing(tokens), manifest, told, tokenization=tokens)
    house.record(path)
    settings = settings_of(
        checkpoint=[str(ours), str(path)], pin=str(house.pin.path), out=str(tmp_path / "out"),
        baselines=False, parts=["likelihood", "diversity", "statistics", "control"],
        **{**SMALL, "requests": 2},
    )  # fmt: skip
    page = run.evaluate(settings)
    report = json.loads((page.parent / "report.json").read_bytes())
    kinds = {model["name"]: model["tokenizer"] for model in report["models"]}
    (theirs,) = [name for name, kind in kinds.items() if kind == "octuple"]
    assert set(report["likelihood"]["models"]) == set(report["diversity"]) == set(kinds)
    assert report["likelihood"]["against"][0]["more"]["n"] == 2
    assert theirs not in report["control"]
    (said,) = [note for note in report["notes"] if "octuple" in note]
    assert said.startswith(f"{theirs} writes octuple tokens: control, which")
    assert said in html.unescape(page.read_text("utf-8"))
