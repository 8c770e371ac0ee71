"""Several processes learn what one would, from a corpus that all of them admitted."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from omegaconf import OmegaConf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import tiny_runs
from bench import growth
from gen.checkpoint import load_checkpoint
from gen.data.batches import DataConfig
from gen.data.module import HouseData
from gen.data.windows import TokenisedWork
from gen.errors import HouseError
from gen.model import ModelConfig
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.vocabulary import FIELD_SIZES
from gen.training.learner import Learner, OptimizerConfig
from gen.training.run import train
from houses import keep_machine_key, start_house
from prepared import prepared
from recorded_runs import FROM_A_BASE, RUN
from tiny_runs import environment, settings_of, start

READERS = Path(__file__).with_name("two_readers.py")
CONF = Path(__file__).resolve().parents[2] / "conf"
ADAMW = OmegaConf.to_container(OmegaConf.load(CONF / "optimizer" / "adamw.yaml"))
EACH_STEP = "trainer.log_every_n_steps=1"
DDP = ("trainer=ddp", "trainer.accelerator=cpu")
EACH_ITS_HOUSE = """
import os, sys
from pathlib import Path
from gen.cli.train import main

rank = os.environ.get("LOCAL_RANK", "0")
sys.argv.append(f"pin={Path(__file__).parent}/pin{rank}.yaml")
main()
"""


def test_two_processes_reach_what_one_reaches_and_leave_one_set_of_files(tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house = start_house(tmp_path / "house")
    house.enter(1, 2, 3, 4, 5, 6)
    keep_machine_key()
    alone = train(settings_of(house.pin.path, EACH_STEP), tmp_path / "alone")
    process = start(tmp_path, f"pin={house.pin.path}", EACH_STEP, *DDP)
    answer, talk = process.communicate()
    assert process.returncode == 0, talk
    together = json.loads(answer)  # one object: one process speaks
    learned = [load_checkpoint(Path(r["last"])).manifest for r in (alone, together)]
    assert learned[0].works_digest == learned[1].works_digest
    for name in ("best_bits_per_note", "bits_per_note"):
        assert together[name] == pytest.approx(alone[name], abs=1e-3)
    assert norms(together) == pytest.approx(norms(alone), rel=1e-3)
    assert talk.count("admitted 6 works") == 1
    assert "Warning" not in talk
    runs = house.load().runs.by_index.values()
    assert len(runs) == 2  # one alone, one together
    assert all(run.ended_at is not None for run in runs)


@pytest.mark.parametrize("more", [(), ("lora.rank=2", "optimizer=adamw")], ids=["whole", "lora"])
def test_two_processes_begin_with_a_models_weights_as_one_does(tmp_path, monkeypatch, more):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house = start_house(tmp_path / "house")
    house.enter(1, 2, 3, 4, 5, 6)
    keep_machine_key()
    base = train(settings_of(house.pin.path), tmp_path / "base")
    words = (f"init={base['last']}", "model.dropout=0.0", *more)
    own = [word for word in RUN if not word.startswith("model")]
    alone = train(settings_of(house.pin.path, *own, *words), tmp_path / "alone")
    done = subprocess.run(
        prepared(tiny_runs.__file__, *FROM_A_BASE, f"pin={house.pin.path}", *DDP, *words),
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    talk = done.stderr
    assert done.returncode == 0, talk
    together = json.loads(done.stdout)
    for name in ("base_bits_per_note", "best_bits_per_note", "bits_per_note"):
        assert together[name] == pytest.approx(alone[name], abs=1e-3)
    assert talk.count("begins with the weights of") == 1
    (here, there) = (load_checkpoint(Path(each["last"])) for each in (alone, together))
    assert here.manifest.base == there.manifest.base
    assert house.load().runs.by_index[together["run"]].ended_at is not None


def norms(result):
    """How long the gradient of the whole batch was at each step, by the curve that the run left."""
    name, folder = "train/gradient_norm", Path(result["last"]).parent
    if events := next(folder.rglob("events.out.*"), None):
        found = EventAccumulator(str(events)).Reload().Scalars(name)
        return [point.value for point in found]
    rows = csv.DictReader((folder / "csv" / "metrics.csv").read_text("utf-8").splitlines())
    return [float(row[name]) for row in rows if row[name]]


@pytest.mark.slow
@pytest.mark.parametrize("size", [2000, 20_000])
def test_two_processes_read_a_large_house_once_and_learn_from_disjoint_shares(tmp_path, size):
    with growth.environment(tmp_path):
        hands = growth.build(tmp_path / "house", size)
        alone = read_by(tmp_path, hands.house.pin.path, "alone")
        together = read_by(tmp_path, hands.house.pin.path, "together", *DDP)
    assert len(alone) == 1
    first, second = together
    assert first["parsed"] == size
    assert second["parsed"] == 0  # it reads and hashes them all, and knows the bytes
    shares = set(first["shown"]), set(second["shown"])
    assert len(shares[0]) == len(shares[1]) > 0
    assert not shares[0] & shares[1]
    assert shares[0] | shares[1] == set(alone[0]["shown"])


def read_by(folder, pin, name, *words):
    """What each process of a run with an empty cache wrote down, see `two_readers`."""
    own = folder / name
    own.mkdir()
    (own / "settings.json").write_text(json.dumps(settings_of(pin, *words)), "utf-8")
    done = subprocess.run(
        [sys.executable, str(READERS), str(own / "settings.json"), str(own)],
        env={**os.environ, "HOUSE_CACHE": str(own / "cache"), "OMP_NUM_THREADS": "1"},
        cwd=own, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(path.read_text("utf-8")) for path in sorted(own.glob("process*.json"))]


def reached(folder, *words):
    """What two processes print that they reached."""
    process = start(folder, *words, "trainer.accelerator=cpu", "optimizer=adamw")
    answer, talk = process.communicate()
    assert process.returncode == 0, talk
    return json.loads(answer)


def test_a_model_cut_up_among_two_processes_learns_and_plays_what_a_whole_one_does(house, tmp_path):
    house.enter(1, 2, 3, 4, 5, 6)
    settings = settings_of(house.pin.path, EACH_STEP)
    alone = train({**settings, "optimizer": ADAMW}, tmp_path / "alone")
    listening = ("logger.name=tensorboard", "+logger.pieces=1")  # at the first validation
    together = reached(tmp_path, f"pin={house.pin.path}", "trainer=fsdp", EACH_STEP, *listening)
    assert norms(together) == pytest.approx(norms(alone), rel=1e-3)
    for name in ("best_bits_per_note", "bits_per_note"):
        assert together[name] == pytest.approx(alone[name], abs=1e-3)
    ours, theirs = (load_checkpoint(Path(r["last"])).model.state_dict() for r in (alone, together))
    for name, tensor in ours.items():
        assert torch.allclose(tensor, theirs[name], atol=1e-3), name


@pytest.mark.slow
@pytest.mark.parametrize("trainer", ["ddp", "fsdp"])
def test_two_processes_go_on_where_they_stood(house, tmp_path, trainer):
    house.enter(1, 2, 3, 4, 5, 6)
    words = (
        f"pin={house.pin.path}",
        f"trainer={trainer}",
        "optimizer.schedule.decay=0.0",
        "trainer.patience=9",
    )
    whole = reached(tmp_path, *words, "trainer.max_steps=6", "name=whole")
    reached(tmp_path, *words, "name=cut")
    again = reached(tmp_path, *words, "trainer.max_steps=6", "name=cut", "ckpt=last")
    ours, theirs = (load_checkpoint(Path(r["last"])).model.state_dict() for r in (whole, again))
    for name, tensor in ours.items():
        assert torch.allclose(tensor, theirs[name], atol=1e-5), name


# --- without a second process: what each of two would do ----------------------------------------


def half(data, rank):
    """`data` as process `rank` of two has it."""
    here = SimpleNamespace(root_device=torch.device("cpu"))
    data.trainer = SimpleNamespace(world_size=2, global_rank=rank, strategy=here)
    return data


@pytest.fixture
def data(house, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house.enter(1, 2, 3, 4, 5, 6)
    data = HouseData(house.folder, house.pin, "general_model", DataConfig(32, 4))
    data.setup()
    return data


@pytest.mark.parametrize("side", ["train", "validation"])
def test_held_out_events_are_counted_once_over_all_processes(data, side, monkeypatch):
    few = TokenisedWork.covering_places
    monkeypatch.setattr(  # windows of one work as if it were a long one: more than one batch
        TokenisedWork, "covering_places", lambda *asked: [*few(*asked)] * 130
    )
    counted = [sum(int(b["counted"].sum()) for b in data.covering_loader(side))]
    shares = [list(half(data, rank).covering_loader(side)) for rank in (0, 1)]
    assert len(shares[0]) == len(shares[1])
    counted.append(sum(int(b["counted"].sum()) for share in shares for b in share))
    assert counted[0] == counted[1] > 0


def test_processes_share_out_each_batch(data):
    whole = next(iter(data.train_dataloader()))["targets"]
    shares = [next(iter(half(data, rank).train_dataloader()))["targets"] for rank in (0, 1)]
    assert torch.equal(whole[0::2], shares[0])
    assert torch.equal(whole[1::2], shares[1])


class Two:
    """Communication between this process and another one, which is given."""

    root_device = torch.device("cpu")

    def __init__(self, *, first: object = None, differing: int = 0, events: float = 0.0) -> None:
        self.first, self.differing, self.events = first, differing, events

    def broadcast(self, mine):
        return self.first

    def reduce(self, mine, reduce_op):
        if reduce_op == "sum":
            return mine + self.differing
        return (mine + self.events) / 2


@pytest.mark.parametrize("first", [True, False])
def test_every_process_stops_when_one_admitted_another_corpus(data, first):
    mine = data.corpus_digest, []
    # The first process agrees with itself; the second one is told another digest.
    strategy = Two(first=mine, differing=1) if first else Two(first=("0" * 64, []))
    half(data, 0 if first else 1).trainer.strategy = strategy
    with pytest.raises(HouseError, match="1 of 2 processes admitted another corpus"):
        data.setup()


def test_processes_with_one_corpus_go_on(data):
    half(data, 1).trainer.strategy = Two(first=(data.corpus_digest, []))
    data.setup()


def test_an_event_weighs_the_same_in_whatever_process(monkeypatch):
    kinds = torch.tensor([[[1, 0, 0, 0, 0]] * 3])  # this process has 3 events, the other one 5
    batch = {"columns": kinds, "targets": kinds}
    learner = Learner(
        ModelConfig(1, 4, 1, 1, 0.0, 8, FIELD_SIZES, CONTEXT_SIZES), OptimizerConfig()
    )
    monkeypatch.setattr(learner.model, "losses", lambda *given: torch.ones(1, 3, 5))
    learner._trainer = SimpleNamespace(strategy=Two(events=5.0))
    monkeypatch.setattr(Learner, "trainer", property(lambda self: self._trainer))
    monkeypatch.setattr(learner, "log", lambda *args, **more: None)
    assert learner.training_step(batch, 0) == pytest.approx(15 / 4)


@pytest.mark.slow
def test_a_process_that_sees_another_house_ends_the_run_for_all(tmp_path):
    for rank in (0, 1):
        house = start_house(tmp_path / f"house{rank}", pin_path=tmp_path / f"pin{rank}.yaml")
        house.enter(*range(1, 7 - rank))
    script = tmp_path / "train.py"
    script.write_text(EACH_ITS_HOUSE, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(script), *tiny_runs.SETTINGS.split(), *DDP], cwd=tmp_path,
        env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    _, talk = process.communicate()
    assert process.returncode == 2
    assert "1 of 2 processes admitted another corpus" in talk
    assert "Traceback" not in talk
    assert not list(tmp_path.rglob("*.ckpt"))
