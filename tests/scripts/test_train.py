"""`python scripts/train.py`: what is refused before the first step, and what survives an end."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest

from gen.checkpoint import load_checkpoint
from gen.errors import HouseError
from gen.provenance.ledger import records
from gen.provenance.works import withdraw
from houses import key_of, make_midi
from tiny_runs import TRAIN, call, start, train

SAMPLE = TRAIN.with_name("sample.py")


@pytest.fixture
def works(house, tmp_path, monkeypatch):
    """Six works; runs of this test go to tmp_path/outputs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOUSE_CACHE", "off")
    return house.enter(1, 2, 3, 4, 5, 6)


# --- what is refused ----------------------------------------------------------------------------


def untagged(house, entry):
    (house.folder / "ana" / "stranger-00000000.mid").write_bytes(make_midi(9))
    return "ana/stranger-00000000.mid", "untagged"


def tag_of_another_work(house, entry):
    tagged, music = house.path(entry).read_bytes(), make_midi(9)
    tag = tagged[tagged.index(b"HPRV") :]
    (house.folder / "ana" / "stranger-00000000.mid").write_bytes(music + tag)
    return "ana/stranger-00000000.mid", "digest-mismatch"


def edited(house, entry):
    data = bytearray(house.path(entry).read_bytes())
    data[data.index(b"melody")] ^= 1
    house.path(entry).write_bytes(data)
    return entry.path, "digest-mismatch"


def withdrawn_and_laid_again(house, entry):
    data = house.path(entry).read_bytes()
    withdraw(house.house, [entry.work], key_of("ana"), reason="a test")
    house.path(entry).parent.mkdir(exist_ok=True)
    house.path(entry).write_bytes(data)
    return entry.path, "withdrawn"


@pytest.mark.parametrize("harm", [untagged, tag_of_another_work, edited, withdrawn_and_laid_again])
def test_a_refused_file_ends_the_run_before_the_first_step(house, works, tmp_path, harm):
    place, rule = harm(house, works[0])
    done = train(f"pin={house.pin.path}")
    assert done.code == 2
    assert f"{place}: refused ({rule}): " in done.stderr
    assert "\n  to mend it: " in done.stderr
    assert done.stdout == ""
    assert not [p for p in tmp_path.rglob("*") if p.suffix in (".ckpt", ".safetensors")]
    assert not [r for r in records(house.house) if r.kind == "run"]


SEE = "--cfg job shows every setting"
NEAR = rf"there is no such setting\n  to mend it: did you mean '{{}}'\? {SEE}"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("trainer.max_stepz=3", NEAR.format("trainer.max_steps")),
        ("modle=tiny", NEAR.format("model")),
        ("model=tyni", rf"Could not find 'model/tyni'[\s\S]*tiny[\s\S]*{SEE}"),
        ("experiment=nope", r"Could not find 'experiment/nope'[\s\S]*demo"),
        ("data=null", r"data=null: Config group override must be a string"),
        ("trainer=", r"Could not find 'trainer/'[\s\S]*cpu"),
        ("x=[", r"no viable alternative"),
        (
            "data.training_window=${nope}",
            r"Interpolation key 'nope' not found[\s\S]*data\.training_window",
        ),
        ("seed=null", r"seed: null is no whole number"),
        ("seed=-1", r"seed: -1 is below 0"),
        ("model.n_layer=two", r"model\.n_layer: 'two' is no whole number"),
        ("+trainer.max_stepz=3", NEAR.format("trainer.max_steps")),
        ("model.layers=2", NEAR.format("model.n_layer")),
        ("data.window=64", NEAR.format("data.training_window")),
        ("lr=0.1", NEAR.format("optimizer.lr")),
        ("trainer.width=8", NEAR.format("model.width")),
        ("+gate=off", r"gate: there is no such setting"),
        ("trainer.val_check_interval=0", r"trainer\.val_check_interval: 0 is not above 0"),
        ("trainer.precision=half", r"trainer: Precision 'half' is invalid"),
        ("trainer.accelerator=tpuu", r"trainer: You selected an invalid accelerator"),
        ("trainer.devices=-1", r"trainer: `devices` selected"),
        ("data.split.validation=0", r"held-out works hold no note"),
    ],
)
def test_what_the_user_can_mend_is_one_message_and_exit_code_2(works, house, words, message):
    done = train(f"pin={house.pin.path}", words)
    assert done.code == 2
    assert re.search(message, done.stderr)
    assert "Traceback" not in done.stderr
    assert "Error executing job" not in done.stderr
    assert "HYDRA_FULL_ERROR" not in done.stderr
    assert done.stdout == ""


def test_a_fault_of_the_program_keeps_its_traceback(works, house, monkeypatch):
    monkeypatch.setattr("gen.training.run.train", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(f"pin={house.pin.path}")


def test_hydras_variable_shows_the_traceback_of_a_refusal(works, house, monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(HouseError):
        train(f"pin={house.pin.path}", "model=tyni")
    assert os.environ["HYDRA_FULL_ERROR"] == "1"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("temprature=2", r"did you mean 'temperature'"),
        ("controls=walz", r"Could not find 'controls/walz'[\s\S]*waltz"),
        ("genre=walz", r"did you mean 'waltz'"),
        ("n=many", r"n: 'many' is no whole number"),
    ],
)
def test_a_misspelt_control_gives_one_message_and_no_traceback(works, house, words, message):
    done = call(SAMPLE, f"pin={house.pin.path}", words)
    assert done.code in (1, 2)  # 1 is Hydra's
    assert re.search(message, done.stderr)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


# --- ends ---------------------------------------------------------------------------------------


def test_a_good_run_prints_what_it_reached_and_where_it_is(house, works, tmp_path):
    done = train(f"pin={house.pin.path}", "name=good")
    assert done.code == 0
    told = json.loads(done.stdout)
    assert (told["steps"], told["interrupted"]) == (3, False)
    for name in ("best", "last"):
        assert load_checkpoint(Path(told[name])).manifest.digest == told["manifest"]
        assert Path(told[name]).parent.parent == tmp_path / "outputs" / "good"
    assert not list(Path(told["last"]).parent.glob("*.log"))[1:]
    run = next(r for r in records(house.house) if r.kind == "run")
    assert run.data["manifest"] == told["manifest"]


ENDLESS = ("name=cut", "trainer.max_steps=1000000", "trainer.val_check_interval=2")


def started(folder, *words):
    """An endless run that has left something to resume from."""
    known = set(folder.glob("outputs/cut/*/last.ckpt"))
    process = start(folder, *ENDLESS, *words)
    deadline = time.monotonic() + 120
    while set(folder.glob("outputs/cut/*/last.ckpt")) == known and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.3)  # … and is in the middle of something
    return process


def steps_of(folder):
    """Steps that the newest run's best checkpoint had learned for."""
    newest = max(folder.glob("outputs/cut/*/best.safetensors"), key=lambda p: p.stat().st_mtime)
    return load_checkpoint(newest).run["steps"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
def test_a_killed_run_goes_on_and_ctrl_c_ends_it_whole(house, works, tmp_path):
    pin = f"pin={house.pin.path}"
    killed = started(tmp_path, pin)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    reached = steps_of(tmp_path)
    assert reached > 0

    stopped = started(tmp_path, pin, "ckpt=last")
    stopped.send_signal(signal.SIGINT)
    answer, talk = stopped.communicate(timeout=60)
    assert (stopped.returncode, "Traceback" in talk) == (130, False), talk
    told = json.loads(answer)
    assert told["interrupted"] is True
    assert told["steps"] > reached
    last = load_checkpoint(Path(told["last"]))
    assert last.run["steps"] == told["steps"]
    assert load_checkpoint(Path(told["best"])).manifest.digest == last.manifest.digest
    assert [r.kind for r in records(house.house)].count("run") == 2  # the killed one counts too

    more = f"trainer.max_steps={told['steps'] + 3}"
    # Another interval than before: resuming does not insist on it.
    done = train(pin, "name=cut", "ckpt=last", more)
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == told["steps"] + 3
