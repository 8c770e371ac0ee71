"""Works that a model was shown many times, and works that it never saw."""

from __future__ import annotations

from dataclasses import replace

from gen.checkpoint import load_checkpoint
from gen.disclosure.memory import memory_test
from gen.evaluation.subjects.works import gather
from gen.provenance.records.pin import load_pin
from gen.smf import write
from houses import keep_machine_key, make_piece, start_house, tagged
from tiny_runs import TRAIN, call

SEEDS = range(1, 9)
UNVARIED = [
    f"data.augment.{name}=0"
    for name in ("transpose", "tempo", "velocity", "infill", "forget", "forget_all")
]
SETTINGS = (
    "model=tiny", "model.n_layer=2", "model.width=64", "model.n_head=2", "model.mlp_ratio=2",
    "model.context=512", "model.dropout=0.0", "data.training_window=256", "data.batch_size=4",
    "data.split.validation=0.2", "data.split.test=0.4", "trainer.accelerator=cpu",
    "trainer.max_steps=200", "trainer.val_check_interval=200", "trainer.precision=32",
    "trainer.compile=false", "logger=none", *UNVARIED,
)  # fmt: skip


def melody(seed: int) -> bytes:
    """Sixteen bars in which nothing comes again: only who learned them by heart goes on so."""
    piece = make_piece(seed, 16)
    return write(replace(piece, tracks=piece.tracks[:1]))


def test_works_shown_many_times_are_memorised_and_others_are_not(own_keys, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    house = start_house(tmp_path / "house")
    identity = house.load().roster.identity
    works = [tagged(melody(seed), title=f"Rain {seed}", house=identity) for seed in SEEDS]
    house.submit(*works)
    assert len(house.accept().entered) == len(SEEDS)
    keep_machine_key()
    out = tmp_path / "run"
    done = call(TRAIN, *SETTINGS, f"pin={house.pin.path}", f"hydra.run.dir={out}")
    assert done.code == 0, done.stderr
    pin, checkpoint = load_pin(house.pin.path), load_checkpoint(out / "last.safetensors")
    sides = gather(pin, [checkpoint]).sides
    shown = [work.id for work in sides["train"]]
    innocent = [work.id for work in sides["test"]]
    found = memory_test(pin, checkpoint, [*shown, *innocent])
    verdicts = {work: one["is_memorised"] for work, one in found["works"].items()}
    assert verdicts == {**dict.fromkeys(shown, True), **dict.fromkeys(innocent, False)}
    assert len(found["controls"]) == len(sides["validation"])
    assert found["false_alarms_percent"] == -(-100 * len(verdicts) // (len(found["controls"]) + 1))
    nothing_held = memory_test(pin, checkpoint, [entry.work for entry in house.entries])
    assert {one["is_memorised"] for one in nothing_held["works"].values()} == {None}
    assert nothing_held["false_alarms_percent"] is None
