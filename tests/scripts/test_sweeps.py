"""Many runs by one command: the basic sweeper, Optuna, and launchers that run them elsewhere."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from gen.places import CONF
from houses import keep_machine_key
from prepared import prepared
from tiny_runs import SETTINGS, TRAIN, environment, train

MULTIRUN = "--multirun"


@pytest.fixture
def pin(house, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOUSE_CACHE", "off")
    keep_machine_key()
    house.enter(1, 2, 3, 4, 5, 6)
    return f"pin={house.pin.path}"


def results(done):
    """What each run printed."""
    decoder, text, found = json.JSONDecoder(), done.stdout, []
    while (start := text.find("{\n")) >= 0:
        result, end = decoder.raw_decode(text[start:])
        found.append(result)
        text = text[start + end :]
    return found


def test_the_basic_sweeper_runs_every_combination_and_the_log_names_each(pin, house):
    done = train(pin, "name=grid", "seed=1,2", "optimizer.lr=0.001", first=MULTIRUN)
    assert done.code == 0, done.stderr
    assert len({run["best_bits_per_note"] for run in results(done)}) == 2
    names = [run.name for run in house.load().runs.by_index.values()]
    assert len(set(names)) == 2
    assert {name.split("/")[0] for name in names} == {"grid"}
    assert {name.split("/")[-1] for name in names} == {"0", "1"}


def test_a_job_goes_on_from_its_own_file_and_never_from_a_neighbours(pin, house):
    done = train(pin, "name=again", "seed=1,2", first=MULTIRUN)
    assert done.code == 0, done.stderr
    done = train(pin, "name=again", "ckpt=last", "seed=2,3", first=MULTIRUN)
    assert done.code == 0, done.stderr
    (sweep, later) = sorted(Path("outputs/again").glob("*_sweep"))
    gone_on_from = r"goes on from \S*?(outputs\S+_sweep/\d)/last\.ckpt"
    assert re.findall(gone_on_from, done.stderr) == [str(sweep / "1")]
    assert "this job has left nothing to go on from: anew" in done.stderr
    same = f"hydra.sweep.dir={later}"
    done = train(pin, "name=again", "ckpt=last", "seed=2,3", same, first=MULTIRUN)
    assert done.code == 0, done.stderr
    # Where the first was at its end it took no step, and left no file to go on from.
    assert re.findall(gone_on_from, done.stderr) == [str(sweep / "1"), str(later / "1")]
    done = train(pin, "name=again", "ckpt=last", "seed=3,2", same, first=MULTIRUN)
    assert done.code == 0, done.stderr  # what lies in either's folder is the other's
    assert re.findall(gone_on_from, done.stderr) == [str(later / "1"), str(sweep / "1")]


def test_no_shipped_file_asks_for_many_runs():
    """The door looks for that only where a person's own words or files could."""
    found = [
        path
        for path in CONF.rglob("*.yaml")
        if "hydra" in (yaml.safe_load(path.read_bytes()) or {})
        and "mode" in yaml.safe_load(path.read_bytes())["hydra"]
    ]
    assert not found


def test_a_refusal_in_a_sweep_is_one_message_too(pin, house):
    done = train(pin, "trainer.val_check_interval=0,3", first=MULTIRUN)
    assert done.code == 2
    assert "trainer.val_check_interval: 0 is not above 0" in done.stderr
    assert "Traceback" not in done.stderr
    assert not Path("outputs").exists()


@pytest.mark.parametrize(
    ("words", "package", "extra"),
    [
        ("search=optuna", "optuna", "sweeps"),
        ("launch=local", "submitit", "sweeps"),
        ("launch=slurm", "submitit", "sweeps"),
        ("launch=ray", "ray", "cluster"),
    ],
)
def test_what_is_not_installed_is_said_with_the_command_that_installs_it(
    pin, words, package, extra
):
    if has(package):
        pytest.skip(f"{package} is installed")
    done = train(pin, words, first=MULTIRUN)
    assert done.code == 2
    assert f'.venv/bin/pip install -e ".[{extra}]"' in done.stderr
    assert "Traceback" not in done.stderr


def has(package: str) -> bool:
    return find_spec(package) is not None


def elsewhere(tmp_path, *words):
    """A sweep by command line, as a launcher starts processes of its own."""
    done = subprocess.run(
        prepared(TRAIN, MULTIRUN, *SETTINGS.split(), *words),
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.skipif(not has("optuna"), reason="needs the extra `sweeps`")
def test_optuna_finds_the_best_of_its_trials(pin, tmp_path):
    words = ("name=search", "search=optuna", "hydra.sweeper.n_trials=2", "data.batch_size=2")
    done = elsewhere(tmp_path, pin, *words)
    (report,) = tmp_path.glob("outputs/search/*/optimization_results.yaml")
    best = yaml.safe_load(report.read_text("utf-8"))
    assert best["best_value"] == min(run["best_bits_per_note"] for run in results(done))
    rates = {"optimizer.lr", "optimizer.matrix_lr"}
    assert set(best["best_params"]) == {*rates, "optimizer.weight_decay"}


@pytest.mark.skipif(not has("optuna"), reason="needs the extra `sweeps`")
@pytest.mark.parametrize("sampler", ["tpe", "random", "nsgaii"])
def test_a_study_with_a_name_and_a_file_goes_on_where_it_stood(pin, tmp_path, sampler):
    words = ("name=search", "search=optuna", "hydra.sweeper.n_trials=2", "data.batch_size=2",
             "hydra.sweeper.study_name=rates", f"hydra/sweeper/sampler={sampler}",
             "hydra.sweeper.storage=sqlite:///rates.db")  # fmt: skip
    bests = []
    for seed in (1, 2):
        done = elsewhere(tmp_path, pin, *words, f"hydra.sweeper.sampler.seed={seed}")
        bests += [run["best_bits_per_note"] for run in results(done)]
    with sqlite3.connect(tmp_path / "rates.db") as database:
        (trials,) = database.execute("select count(*) from trials").fetchone()
        rates = database.execute("select param_value from trial_params").fetchall()
    assert trials == len(bests) == 4
    assert len(set(rates)) == len(rates) == 4 * 3
    newest = max(tmp_path.glob("outputs/search/*/optimization_results.yaml"))
    assert yaml.safe_load(newest.read_text("utf-8"))["best_value"] == min(bests)


@pytest.mark.slow
@pytest.mark.parametrize(("launch", "package"), [("local", "submitit"), ("ray", "ray")])
def test_a_launcher_runs_a_sweep_in_processes_of_its_own(pin, tmp_path, launch, package):
    if not has(package):
        pytest.skip(f"needs {package}")
    elsewhere(tmp_path, pin, f"name={launch}", f"launch={launch}", "seed=1,2")
    assert len(list(tmp_path.glob(f"outputs/{launch}/*/*/best.safetensors"))) == 2
