"""Files named to train, sample and evaluate: of the wrong kind, too large, or not what they say."""

from pathlib import Path

import pytest

from bad_values import make_bad
from tiny_runs import call

SCRIPTS = Path(__file__).parents[2] / "scripts"
KINDS = ("pipe", "device", "folder", "sparse", "deep", "text", "absent")
SOURCES = ("continue", "infill", "accompany", "harmonise", "vary")


def refused(script, *words):
    done = call(SCRIPTS / script, *words)
    assert done.code == 2, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 2500, done.stderr[:3000]
    return done.stderr


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch, own_keys):
    monkeypatch.chdir(tmp_path)
    return tmp_path


BESIDE = {"infill": ["cells=bar 1 of all"], "accompany": ["add=[bass]"]}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("setting", ["pin", "checkpoint", "soundfont", "receipt", *SOURCES])
def test_sample_names_the_file_that_is_none(here, setting, kind):
    make_bad(here / "bad", kind)
    said = refused("sample.py", f"{setting}=bad", *BESIDE.get(setting, ()))
    assert "bad" in said or "/dev/zero" in said


@pytest.mark.parametrize("kind", KINDS)
def test_train_names_the_pin_that_is_none(here, kind):
    make_bad(here / "bad", kind)
    assert "bad" in refused("train.py", "pin=bad", "trainer.max_steps=1")


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "absent"])
def test_train_names_the_resume_file_that_is_none(here, kind):
    make_bad(here / "bad", kind)
    assert "bad" in refused("train.py", "ckpt=bad", "trainer.max_steps=1")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("setting", ["pin", "checkpoint"])
def test_evaluate_names_the_file_that_is_none(here, setting, kind):
    make_bad(here / "bad", kind)
    assert "bad" in refused("evaluate.py", f"{setting}=bad")


@pytest.mark.parametrize("setting", ["pin", "checkpoint"])
@pytest.mark.parametrize("script", ["sample.py", "train.py", "evaluate.py"])
def test_endless_names_are_shortened(script, setting):
    refused(script, f"{setting}={'x' * 100_000}")


def test_current_folder_that_is_gone(here, monkeypatch):
    gone = here / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for script in ("sample.py", "train.py", "evaluate.py"):
        assert "the current folder is gone" in refused(script)
    monkeypatch.chdir(here)
