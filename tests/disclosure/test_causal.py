"""What a composer's works cause: small models with and without them, and what chance does."""

from __future__ import annotations

import dataclasses
import json

import pytest
from click.testing import CliRunner

from gen.cli.disclose import main as disclose
from gen.disclosure.causal import Effect
from gen.evaluation.measures.interval import mean
from gen.smf import write
from houses import keep_machine_key, make_piece, start_house, tagged
from recorded_runs import Trained, kept_apart, trained

PLAIN = tuple(range(1, 9))


def one_note_over_and_over(seed: int) -> bytes:
    """What ben writes: one pitch, so that whoever heard it finds more of it cheap."""
    piece = make_piece(seed, 8)
    for number, track in enumerate(piece.tracks):
        track.notes = [dataclasses.replace(n, pitch=60 + number, velocity=80) for n in track.notes]
    first = piece.tracks[0]
    first.notes = [
        dataclasses.replace(n, onset_ticks=n.onset_ticks + 10 * seed) for n in first.notes
    ]
    return write(piece)


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Trained:
    """Works of ana, and of ben; a recorded run on them."""
    folder = tmp_path_factory.mktemp("causal")
    with kept_apart(folder):
        house = start_house(folder / "house")
        house.enter(*PLAIN)
        more = [
            tagged(one_note_over_and_over(seed), "ben", title=f"One Note {seed}")
            for seed in range(20, 28)
        ]
        house.submit(*more)
        house.accept()
        keep_machine_key()
        return trained(folder, house=house)


def causal(kept: Trained, *words: object, code: int = 0) -> str:
    usual = ("causal", kept.last, "--yes", "--pin", kept.house.pin.path)
    done = CliRunner().invoke(disclose, [*map(str, usual), *map(str, words)])
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def test_effects_are_differences_of_the_models_that_are_listed(kept, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    out = tmp_path / "causal.json"
    size = kept.house.house.load().size
    causal(kept, "--steps", 12, "--out", out)
    found = json.loads(out.read_bytes())
    assert [each["composer"] for each in found["effects"]] == ["ana", "ben"]
    assert {name: len(models) for name, models in found["bits_per_note"].items()} == {
        "": 5, "ana": 5, "ben": 5,
    }  # fmt: skip
    for each in found["effects"]:
        who = each["composer"]
        for kind in ("own", "others"):
            name = f"{kind} {who}"
            gaps = [
                without[name] - with_[name]
                for without, with_ in zip(
                    found["bits_per_note"][who], found["bits_per_note"][""], strict=True
                )
            ]
            assert each[kind]["value"] == pytest.approx(sum(gaps) / 5)
            assert each[kind]["low"] < each[kind]["value"] < each[kind]["high"]
    assert found["effects"][1]["own"]["low"] > 0
    assert kept.house.house.load().size == size


def test_models_are_the_same_when_they_are_asked_for_again(kept, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found = []
    for name in ("first", "second"):
        causal(kept, "--steps", 2, "--composer", "ben", "--out", tmp_path / name)
        found.append(json.loads((tmp_path / name).read_bytes()))
    assert found[0] == found[1]


def test_nothing_that_cannot_be_told_is_told(kept):
    assert "has a part in none or all" in causal(kept, "--composer", "cleo", code=2)
    causal(kept, "--seeds", 4, code=2)


def test_what_was_not_found_says_how_large_an_effect_would_have_been():
    none = Effect("ana", 3, mean([0.1, -0.1, 0.05, -0.05, 0.0]), None)
    assert "no effect seen (+0.000); one of 0.1" in none.words
    more = Effect("ana", 3, mean([0.5, 0.52, 0.48, 0.51, 0.49]), None)
    assert "held-out works of others cost more without: +0.500" in more.words
    less = Effect("ana", 3, mean([-0.5, -0.52, -0.48, -0.51, -0.49]), None)
    assert "cost less without: -0.500" in less.words
    assert Effect("ana", 3, None, None).words == "no held-out work of anybody else"
