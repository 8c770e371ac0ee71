"""The chorale benchmark, on chorales that are made here by code."""

from __future__ import annotations

import argparse
import json
import math
import random

import pytest

from bench import chorales
from bench.chorales import SIDES, VOICES, piece_of, read_chorales, steps_of
from gen.errors import HouseError


def walks(seed: int, count: int) -> list[list[int]]:
    """Four voices that step about and hold, with a rest now and then."""
    rng = random.Random(seed)  # noqa: S311 - music, no secret
    now, steps = [72, 67, 60, 48], []
    for step in range(count):
        if step % 4 == 0:
            now = [pitch + rng.choice((-2, -1, 0, 0, 1, 2)) for pitch in now]
        steps.append([-1 if rng.random() < 0.02 else pitch for pitch in now])
    return steps


def file_of(folder, **changes):
    found = {
        side: [walks(100 * n + i, 40 + 8 * i) for i in range(3)] for n, side in enumerate(SIDES)
    }
    path = folder / "chorales.json"
    path.write_text(json.dumps({**found, **changes}))
    return path


def test_a_chorale_comes_back_sixteenth_by_sixteenth():
    steps = [tuple(step) for step in walks(7, 90)]
    piece = piece_of(steps)
    assert steps_of(piece, len(steps)) == steps
    assert [track.name for track in piece.tracks] == list(VOICES)


def test_equal_pitches_in_a_row_are_one_note():
    piece = piece_of([(60, -1, 50, 40), (60, -1, 50, 41), (60, 55, -1, 41), (62, 55, 50, 41)])
    assert [[(n.onset_ticks, n.duration_ticks) for n in t.notes] for t in piece.tracks] == [
        [(0, 360), (360, 120)], [(240, 240)], [(0, 240), (360, 120)], [(0, 120), (120, 360)],
    ]  # fmt: skip


def test_rests_are_spelled_in_several_ways(tmp_path):
    path = tmp_path / "x.json"
    text = json.dumps({side: [[[60, None, -1, float("nan")]]] for side in SIDES})
    path.write_text(text)
    assert read_chorales(path)["test"] == [[(60, -1, -1, -1)]]


UNFIT = (
    [[1, 2, 3]], [[60, 60, 60, 200]], [["a"] * 4], [], [[60.5, 60, 60, 60]], 5, [[0] * 4],
    [[True, 60, 60, 60]], [[math.inf, 60, 60, 60]], None, "abcd", {"a": 1}, [[[60]] * 4],
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "null", '{"train": [], "valid": []}',
        '{"train": 1, "valid": [], "test": []}', '{"train": [], "valid": [], "test": []}',
        pytest.param("[" * 5000, id="deep"),
        *(json.dumps({side: [steps] for side in SIDES}) for steps in UNFIT),
    ],
)  # fmt: skip
def test_files_that_are_no_chorales_are_refused(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(HouseError, match=r"are no four-voice chorales|no JSON"):
        read_chorales(path)


def test_nats_are_counted_per_voice_and_sixteenth(tmp_path):
    parser = argparse.ArgumentParser()
    chorales.arguments(parser)
    words = ["--data", str(file_of(tmp_path)), "--steps", "2"]
    for setting in (
        "model.n_layer=1", "model.width=16", "model.n_head=1", "model.context=128",
        "data.training_window=64", "data.batch_size=2", "trainer.accelerator=cpu",
    ):  # fmt: skip
        words += ["--set", setting]
    result = chorales.run(parser.parse_args(words))
    by_side = {row["side"]: row for row in result["chorales"]}
    assert set(by_side) == {"valid", "test"}
    for row in by_side.values():
        fields = [row[name] for name in ("kind", "position", "value", "extent", "level")]
        assert row["nats_per_voice_and_sixteenth"] == pytest.approx(math.fsum(fields))
        assert 0.1 < row["nats_per_voice_and_sixteenth"] < 20
    assert result["training"][0]["steps"] == 2


@pytest.mark.parametrize("words", [["--steps", "-1"], ["--steps", "0"], ["--minutes", "nan"]])
def test_a_length_that_is_none_is_refused(words, capsys):
    parser = argparse.ArgumentParser()
    chorales.arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--data", "x.json", *words])
    assert f"argument {words[0]}: invalid" in capsys.readouterr().err
