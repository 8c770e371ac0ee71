"""Resume files: only what this user's own runs wrote is believed, and only whole."""

from __future__ import annotations

import io
import json
import logging
import os
import pickle
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from lightning.pytorch.plugins.io import TorchCheckpointIO
from omegaconf import OmegaConf

from gen.checkpoint import load_checkpoint
from gen.disk import seals
from gen.disk.seals import SEAL_BYTES, Sealer, user_secret
from gen.errors import HouseError, SettingError
from gen.training.resume import RESUME_FILE, SealedCheckpoints, resume_path_in_sweep
from gen.training.run import train
from houses import start_house
from tiny_runs import SECRET, SETTINGS
from tiny_runs import train as by_command

CONF = Path(__file__).resolve().parents[2] / "conf"
EVIL = b"x" * 32


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """A run of three steps to resume from, and the settings it had."""
    folder = tmp_path_factory.mktemp("resume")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gen.disk.seals.secret_path", lambda: folder / SECRET)
        patch.setenv("HOUSE_CACHE", "off")
        house = start_house(folder / "house")
        house.enter(1, 2, 3, 4, 5, 6)
        with initialize_config_dir(str(CONF), version_base="1.3"):
            config = compose("train", [*SETTINGS.split(), f"pin={house.pin.path}"])
        settings = OmegaConf.to_container(config, resolve=True)
        train(settings, folder / "runs" / "first")
    return folder, settings


@pytest.fixture
def first(started, tmp_path, monkeypatch):
    """A copy of that run's resume file, and its user's secret."""
    monkeypatch.setenv("HOUSE_CACHE", "off")
    seals.secret_path().write_bytes((started[0] / SECRET).read_bytes())
    path = tmp_path / "runs" / "first" / "last.ckpt"
    path.parent.mkdir(parents=True)
    path.write_bytes((started[0] / "runs" / "first" / "last.ckpt").read_bytes())
    return path


@pytest.fixture
def resumed(started, first, tmp_path):
    """Resumes that run for one more step; settings can be changed."""

    def resume(**changes):
        settings = {**started[1], "ckpt": str(first)}
        for group, values in changes.items():
            settings[group] = {**settings[group], **values}
        settings["trainer"] = {**settings["trainer"], "max_steps": 4}
        return train(settings, tmp_path / "runs" / "second")

    return resume


def content(path) -> dict:
    return SealedCheckpoints(user_secret()).load_checkpoint(path)


def foreign(path) -> dict:
    """What an attacker puts there: everything is right, but the weights are their own."""
    found = content(path)
    found["state_dict"] = {name: torch.ones_like(t) for name, t in found["state_dict"].items()}
    return found


def test_a_whole_file_is_gone_on_from(resumed):
    assert resumed()["steps"] == 4


def test_foreign_weights_under_the_right_corpus_are_refused(first, resumed, tmp_path):
    forged = foreign(first)
    for io_plugin in (SealedCheckpoints(EVIL), TorchCheckpointIO()):
        io_plugin.save_checkpoint(forged, first)
        with pytest.raises(HouseError, match=r"seal does not hold|no file that a run is resumed"):
            resumed()
    assert not list(tmp_path.rglob("*.safetensors"))


def test_foreign_weights_under_the_old_seal_are_refused(first, resumed):
    tail = first.read_bytes()[-SEAL_BYTES - 18 :]
    buffer = io.BytesIO()
    torch.save(foreign(first), buffer)
    first.write_bytes(buffer.getvalue() + tail)
    with pytest.raises(HouseError, match="seal does not hold"):
        resumed()


def test_by_command_a_forged_file_ends_the_run_with_one_message(started, first, monkeypatch):
    monkeypatch.chdir(first.parents[2])
    SealedCheckpoints(EVIL).save_checkpoint(foreign(first), first)
    done = by_command(f"pin={started[1]['pin']}", f"ckpt={first}", "trainer.max_steps=4")
    assert done.code == 2
    assert "last.ckpt: its seal does not hold" in done.stderr
    assert "\n  to mend it: " in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_what_a_scheduler_left_is_not_believed_either(started, first, monkeypatch, tmp_path):
    """Lightning looks for `hpc_ckpt_1.ckpt` by itself when it sees a cluster's variables."""
    out = tmp_path / "planted"
    SealedCheckpoints(EVIL).save_checkpoint(foreign(first), out / "hpc_ckpt_1.ckpt")
    for name, value in {"NTASKS": "1", "JOB_ID": "1", "PROCID": "0", "LOCALID": "0"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    monkeypatch.setenv("SLURM_NODEID", "0")
    with pytest.raises(HouseError, match="seal does not hold"):
        train(started[1], out)


@pytest.mark.parametrize("place", [0, 1000, -60, -30, -1])
def test_one_changed_byte_is_refused(first, resumed, place):
    data = bytearray(first.read_bytes())
    data[place] ^= 1
    first.write_bytes(data)
    with pytest.raises(HouseError, match=r"seal does not hold|cut short"):
        resumed()


@pytest.mark.parametrize("size", [0, 1, 17, 18, 49, 50, 5000, -1])
def test_a_file_cut_short_is_refused(first, resumed, size):
    first.write_bytes(first.read_bytes()[:size])
    with pytest.raises(HouseError, match=r"cut short|seal does not hold"):
        resumed()


class Bomb:
    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        return (open, (self.trace, "w"))


@pytest.mark.parametrize("secret", [EVIL, None])
def test_no_pickle_runs_code_even_under_a_good_seal(first, resumed, tmp_path, secret):
    """None: under the user's own secret, which an attacker does not have."""
    for payload in (pickle.dumps(Bomb(tmp_path / "ran"), 2), saved({"state_dict": Bomb("ran")})):
        seal = Sealer(secret or user_secret(), "resume file 1").seal(payload)
        first.write_bytes(payload + seal + b"gen resume file 1\n")
        with pytest.raises(HouseError, match=r"seal does not hold|cannot be read"):
            resumed()
    assert not (tmp_path / "ran").exists()


def saved(content) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def test_a_seal_of_the_event_cache_is_none_for_a_resume_file(first, resumed):
    payload = saved(foreign(first))
    first.write_bytes(
        payload + Sealer(user_secret(), "events 1").seal(payload) + b"gen resume file 1\n"
    )
    with pytest.raises(HouseError, match="seal does not hold"):
        resumed()


def test_another_user_needs_the_first_ones_secret(first, resumed):
    secret = seals.secret_path().read_bytes()
    seals.secret_path().write_bytes(EVIL)
    with pytest.raises(HouseError, match="copy your secret from there"):
        resumed()
    seals.secret_path().write_bytes(secret)
    assert resumed()["steps"] == 4


def test_without_a_place_for_a_secret_a_run_says_so_and_leaves_no_resume_file(
    started, tmp_path, monkeypatch, caplog
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOUSE_CACHE", "off")
    monkeypatch.setattr("gen.disk.seals.secret_path", lambda: tmp_path / "file" / SECRET)
    with caplog.at_level(logging.INFO):
        assert train(started[1], tmp_path / "run")["steps"] == 3
    assert "this run cannot be resumed" in caplog.text
    assert not list(tmp_path.rglob("*.ckpt"))


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"model": {"width": 32}}, "model"),
        ({"model": {"attention_window": 8}}, "model"),
        ({"optimizer": {"name": "adamw"}}, "optimizer"),
    ],
)
def test_another_model_or_optimiser_cannot_go_on(resumed, changes, setting):
    with pytest.raises(SettingError, match=f"has another {setting}"):
        resumed(**changes)


def test_a_resumed_run_learns_at_the_rate_it_is_told(resumed, first):
    before = content(first)["state_dict"]
    still = {"lr": 0.0, "matrix_lr": 0.0}
    after = load_checkpoint(Path(resumed(optimizer=still)["last"])).model.state_dict()
    assert all(torch.equal(before[f"model.{name}"], after[name]) for name in after)


# --- the best checkpoint ------------------------------------------------------------------------


def with_best(started, first, data=None):
    source = started[0] / "runs" / "first" / "best.safetensors"
    first.with_name("best.safetensors").write_bytes(data or source.read_bytes())


def test_the_best_so_far_is_taken_over(started, first, resumed):
    with_best(started, first)
    result = resumed()  # the step it adds sees no validation
    assert Path(result["best"]).parent.name == "second"
    assert load_checkpoint(Path(result["best"])).run["steps"] == 3
    assert result["best_bits_per_note"] == content(first)["callbacks"]["KeepBest"]["best"]


@pytest.mark.parametrize("harm", ["gone", "another"])
def test_a_best_that_is_gone_or_another_is_not(started, first, resumed, harm):
    if harm == "another":
        source = started[0] / "runs" / "first" / "best.safetensors"
        with_best(started, first, source.read_bytes() + b" ")
    result = resumed()
    assert result["best_bits_per_note"] is None
    assert Path(result["best"]).name == "last.safetensors"


# --- the secret ---------------------------------------------------------------------------------


def test_the_secret_is_made_once_and_only_its_user_may_read_it():
    secret = user_secret()
    assert len(secret) == 32
    assert user_secret() == secret
    if os.name != "nt":
        assert seals.secret_path().stat().st_mode & 0o077 == 0


def test_no_environment_variable_moves_the_secret(monkeypatch, tmp_path):
    monkeypatch.undo()
    before = seals.secret_path()
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOUSE_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    assert seals.secret_path() == before


def test_json_of_a_resumed_run_is_strict(resumed):
    json.loads(json.dumps(resumed(), allow_nan=False))


def test_a_job_that_is_to_last_longer_goes_on_from_the_one_of_an_earlier_sweep(tmp_path):
    def left(sweep, *asked):
        """A resume file in the folder of a job that was asked so."""
        folder = tmp_path / "name" / sweep
        (folder / "hydra").mkdir(parents=True)
        (folder / "hydra" / "overrides.yaml").write_text(json.dumps(asked), "utf-8")
        (folder / RESUME_FILE).write_bytes(b"")
        return folder / RESUME_FILE

    first = left("a_sweep/0", "seed=1", "trainer.max_steps=3")
    other = left("a_sweep/1", "seed=2", "trainer.max_steps=3")
    out = tmp_path / "name" / "b_sweep" / "0"

    def found(*asked):
        return resume_path_in_sweep(out, ["ckpt=last", *asked], "hydra", {})

    assert found("seed=1", "trainer.max_steps=3") == first
    assert found("seed=2", "trainer.max_steps=9", "trainer.patience=4") == other
    assert found("seed=3", "trainer.max_steps=3") is None
    left("b_sweep/1", "seed=1", "trainer.max_steps=5")  # of the same sweep: a neighbour
    assert found("seed=1", "trainer.max_steps=9") == first
    left("a_sweep/2", "seed=1", "trainer.max_steps=5")  # which of both would be meant?
    assert found("seed=1", "trainer.max_steps=9") is None
    assert found("seed=1", "trainer.max_steps=3") == first
