"""`python scripts/train.py`: what is refused before the first step, and what survives an end."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gen.checkpoint import load_checkpoint
from gen.errors import HouseError
from gen.provenance.desk.works import withdraw
from houses import keep_machine_key, key_of, make_midi, start_house
from tiny_runs import TRAIN, call, start, train

SAMPLE = TRAIN.with_name("sample.py")


@pytest.fixture
def works(house, tmp_path, monkeypatch):
    """Six works; runs of this test go to tmp_path/outputs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOUSE_CACHE", "off")
    keep_machine_key()
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
    assert not (tmp_path / "outputs").exists()
    assert not house.load().runs.by_index


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
        ("trainer.precision=half", r"unknown trainer\.precision 'half'[\s\S]*bf16-mixed"),
        ("trainer.precision=banana", r"unknown trainer\.precision 'banana'"),
        ("trainer.accelerator=cpuu", r"unknown trainer\.accelerator 'cpuu'[\s\S]*'cpu'"),
        ("trainer.devices=-1", r"trainer\.devices: -1 are asked for, this machine has \d+"),
        ("trainer.devices=0", r"trainer\.devices: 0 are no devices"),
        ("trainer.devices=[0,1]", r"processors have no numbers[\s\S]*trainer\.devices=2"),
        ("trainer.devices=[0,0]", r"\(0, 0\) are no devices"),
        ("trainer.devices=9900", r"9900 are asked for|does not divide among 9900"),
        (
            "model.n_layer=100000000",
            r"model: [\d,]+ weights take at least [\d,]+ GiB, this machine",
        ),
        ("data.batch_size=10000000000", r"data\.batch_size: a batch of 32[\d,]+ events takes at"),
        ("trainer.max_steps=-7", r"trainer\.max_steps: -7 steps"),
        ("trainer.max_steps=-1", r"trainer\.max_steps: the run would never end"),
        ("trainer.max_time=soon", r"trainer\.max_time: 'soon' is no duration"),
        (
            "+trainer.foo=1",
            r"trainer\.foo: there is no such[\s\S]*did you mean 'trainer\.",
        ),
        (
            "hydra.run.dri=x",
            r"hydra\.run\.dri: could run[\s\S]*did you mean 'hydra\.run\.dir'",
        ),
        ("hydra.job_loging.root.level=INFO", r"did you mean 'hydra\.job_logging\.root\.level'"),
        ("hydra/swepper=optuna", r"did you mean 'hydra/sweeper'"),
        ("trainer.max_time='0:0'", r"trainer\.max_time: '0:0' is no duration"),
        ("trainer.limit_val_batches=1.5", r"trainer\.limit_val_batches: 1\.5 is no share"),
        ("trainer.accumulate_grad_batches=0", r"accumulate_grad_batches: 0 is not above 0"),
        ("trainer.profiler=fast", r"unknown trainer\.profiler 'fast'[\s\S]*simple"),
        ("optimizer.lr=-1", r"optimizer\.lr: -1\.0 is below 0"),
        ("optimizer.matrix_lr=1e999", r"optimizer\.matrix_lr: inf is below 0 or"),
        ("optimizer.weight_decay=-0.1", r"optimizer\.weight_decay: -0\.1 is below 0"),
        ("seed=100000000000000000000000", r"seed: 1(0{23}) is above 4294967295"),
        ("purpose=anything", r"'anything' is no purpose"),
        ("on_refusal=ignore", r"on_refusal: 'ignore' is neither 'stop' nor 'record'"),
        ("name=../up", r"name: '\.\./up' is no name of a folder"),
        ("ckpt=nowhere.ckpt", r"nowhere\.ckpt: no such checkpoint"),
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
    assert not (Path.cwd() / "outputs").exists()


JUDGED = """
import sys
from gen.cli.train import main
for words in sys.stdin.read().splitlines():
    sys.argv = ["train.py", "trainer.accelerator=cpu", *words.split()]
    try:
        main()
    except SystemExit as end:
        loaded = [name for name in ("torch", "lightning", "miditok") if name in sys.modules]
        print(words, end.code, loaded)
"""


def test_settings_are_judged_before_torch_is_loaded(tmp_path):
    wrong = [
        "optimizer.lr=-1", "trainer.devices=9900 data.batch_size=9900", "trainer.max_steps=-7",
        "trainer.precision=banana", "seed=1e23", "pin=nowhere.yaml", "ckpt=nowhere.ckpt",
        "trainr=x", "model.n_head=7", "data.batch_size=0", "data.augment.tempoo=3",
        "trainer.devices=[0,1]", "trainer.max_time=soon", "hydra.run.dri=x",
        "model.n_layer=100000000",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", JUDGED], input="\n".join(wrong),
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [f"{words} 2 []" for words in wrong], done.stderr
    assert list(tmp_path.iterdir()) == []


def test_evaluations_are_judged_before_torch_is_loaded(tmp_path):
    wrong = [
        "works=-3", "parts=[likelihod]", "checkpoint=nothing.safetensors", "pin=nowhere.yaml",
        "temperature=nan", "artists=true listening=x",
    ]  # fmt: skip
    program = JUDGED.replace("cli.train", "cli.evaluate").replace('"trainer.accelerator=cpu", ', "")
    done = subprocess.run(
        [sys.executable, "-c", program], input="\n".join(wrong),
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [f"{words} 2 []" for words in wrong], done.stderr
    assert list(tmp_path.iterdir()) == []


PUBLIC = [
    ("trainer.fast_dev_run=true",),
    ("trainer.overfit_batches=2", "hydra.verbose=[gen]"),
    ("trainer.accumulate_grad_batches=2", "trainer.precision=32", "hydra.job.name=other"),
    ("trainer.limit_train_batches=2", "trainer.deterministic=true",
     "hydra.job_logging.root.level=WARNING"),
    ("trainer.deterministic=warn", "trainer.precision=64", "logger=none"),
    ("trainer.precision=16", "~logger"),
    ("trainer.precision=bf16-true", "+hydra.job_logging.loggers.gen.level=DEBUG",
     "optimizer.schedule={warmup:0.1}"),
    ("trainer.devices=1", "trainer.max_time=00:00:05:00"),
]  # fmt: skip
UNLOGGED = {"logger=none", "~logger", "trainer.fast_dev_run=true"}


@pytest.mark.parametrize("words", PUBLIC, ids=" ".join)
def test_what_a_researcher_expects_of_lightning_and_hydra_works(house, works, tmp_path, words):
    done = train(f"pin={house.pin.path}", *words)
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == (1 if words == PUBLIC[0] else 3)
    assert len(list(tmp_path.glob("outputs/train/*/best.safetensors"))) == 1
    assert bool(list(tmp_path.glob("outputs/train/*/csv"))) == UNLOGGED.isdisjoint(words)


@pytest.mark.parametrize("name", ["simple", "advanced", "pytorch"])
def test_a_profiler_writes_into_the_folder_of_the_run(house, works, tmp_path, name):
    assert train(f"pin={house.pin.path}", f"trainer.profiler={name}").code == 0
    (report,) = tmp_path.glob("outputs/train/*/fit-profile.txt")
    assert report.stat().st_size


def test_gradients_of_several_batches_make_one_step(house, works, tmp_path):
    """Half the batch twice is the batch once, but for which windows it holds."""
    words = ("data.augment.infill=0", "trainer.max_steps=2", "trainer.val_check_interval=1")
    done = train(f"pin={house.pin.path}", "trainer.accumulate_grad_batches=3", *words)
    assert done.code == 0, done.stderr
    assert done.stderr.count("held out") == 2  # of two steps
    assert json.loads(done.stdout)["steps"] == 2


def test_the_folder_of_a_run_has_what_was_said_and_what_was_admitted(house, works, tmp_path):
    (private,) = house.enter(7, consent="evaluation")
    (house.folder / "ana" / "stranger-00000000.mid").write_bytes(make_midi(9))
    done = train(f"pin={house.pin.path}", "on_refusal=record")
    (folder,) = tmp_path.glob("outputs/train/*")
    said = (folder / "train.log").read_text("utf-8")
    assert all(line in said for line in done.stderr.splitlines())
    assert "admitted 6 works of lantern" in said
    assert "held out" in said
    found = json.loads((folder / "corpus.json").read_text("utf-8"))
    assert sorted(itertools.chain(*found["admitted"].values())) == sorted(
        work.work for work in works
    )
    assert found["not_consented"] == [private.work]
    assert found["refused"] == [{"path": "ana/stranger-00000000.mid", "rule": "untagged"}]
    assert found["manifest"] == json.loads(done.stdout)["manifest"]
    words = ("verify", "--checkpoint", folder / "last.safetensors", "--pin", house.pin.path)
    said = call(TRAIN.parent / "house.py", *map(str, words)).stdout
    assert "trained without a refused file (on_refusal=record): ana/stranger-00000000.mid" in said


def test_the_projects_own_pin_holds_wherever_the_command_is_called_from(tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    pin = project / "conf" / "house" / "starter.yaml"
    for folder in (pin.parent, elsewhere / "conf" / "house"):
        folder.mkdir(parents=True)
    house = start_house(project / "house", pin_path=pin)
    house.enter(1, 2, 3, 4, 5, 6)
    (elsewhere / "conf" / "house" / "starter.yaml").write_text("name: forged\n")
    monkeypatch.setattr("gen.places.HOME", project)
    monkeypatch.chdir(elsewhere)
    done = train()
    assert done.code == 0, done.stderr
    assert "admitted 6 works of lantern" in done.stderr
    asked = train("pin=conf/house/starter.yaml")  # what is named is where one stands
    assert (asked.code, "a pin has exactly the fields" in asked.stderr) == (2, True)


def test_a_fault_of_the_program_keeps_its_traceback(works, house, monkeypatch):
    monkeypatch.setattr("gen.training.run.train", lambda *_, **__: 1 / 0)
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
    run = house.load().runs.by_index[told["run"]]
    assert run.manifest == told["manifest"]
    assert {model.name for model in run.models} == {"best.safetensors", "last.safetensors"}


ENDLESS = ("name=cut", "trainer.max_steps=1000000", "trainer.val_check_interval=2")


def started(folder, *words):
    """An endless run that has left something to resume from."""
    known = set(folder.glob("outputs/cut/*/last.ckpt"))
    process = start(folder, *ENDLESS, *words)
    while set(folder.glob("outputs/cut/*/last.ckpt")) == known and process.poll() is None:
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
    answer, talk = stopped.communicate()
    assert (stopped.returncode, "Traceback" in talk) == (130, False), talk
    told = json.loads(answer)
    assert told["interrupted"] is True
    assert told["steps"] > reached
    last = load_checkpoint(Path(told["last"]))
    assert last.run["steps"] == told["steps"]
    assert load_checkpoint(Path(told["best"])).manifest.digest == last.manifest.digest
    killed, ended = house.load().runs.by_index.values()  # the killed one counts too
    assert (killed.ended_at, ended.begin.continues) == (None, killed.index)
    assert ended.ended_at is not None

    more = f"trainer.max_steps={told['steps'] + 3}"
    # Another interval than before: resuming does not insist on it.
    done = train(pin, "name=cut", "ckpt=last", more)
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == told["steps"] + 3
