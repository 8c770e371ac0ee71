"""A run whose bits do not come out again here: how near its weights are to a replay's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace

import pytest
import torch

from gen.data import admission
from gen.tokens.score import score_of
from gen.training import nearness, prepared
from gen.training.learner import Learner
from houses import keep_machine_key, start_house
from recorded_runs import RUN, Trained, trained
from tiny_runs import command, environment

BROAD = ("model.width=32", "trainer.keep_states=3")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    monkeypatch.setattr(nearness, "FOREIGN", 2)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A run that was made with other instructions than this process uses."""
    folder = tmp_path_factory.mktemp("nearness")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOUSE_CACHE", "off")
        patch.setenv("HOUSE_KEYS", str(folder / "keys"))
        house = start_house(folder / "house")
        house.enter(1, 2, 3, 4, 5, 6)
        keep_machine_key()
        words = *RUN, *BROAD, f"pin={house.pin.path}", f"hydra.run.dir={folder / 'run'}"
        done = subprocess.run(
            command(*words), cwd=folder, capture_output=True, text=True, check=False,
            env=environment() | {"ATEN_CPU_CAPABILITY": "default", "HOUSE_KEYS": os.environ["HOUSE_KEYS"]},  # noqa: E501
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    return Trained(house, folder / "run")


@pytest.fixture
def elsewhere(kept, tmp_path, monkeypatch):
    """That run; its folder may be spoilt."""
    shutil.copytree(kept.folder, tmp_path / "copy")
    return Trained(kept.house, tmp_path / "copy")


def test_a_run_of_another_processor_has_other_bits_and_is_near(elsewhere):
    code, words = elsewhere.rebuild()
    assert code == 2, "this test needs a run whose bits do not come out here"
    assert "--within" in words
    code, words = elsewhere.rebuild("--within")
    assert code == 0, words
    assert "as near as honest replays are: steps 0 to 2, 2 to 4, 4 to 6" in words


def test_a_segment_alone_is_compared_between_the_states_around_it(elsewhere):
    (elsewhere.folder / "states" / "000002.safetensors").unlink()
    code, words = elsewhere.rebuild("--within", "--segment", 1)
    assert code == 0, words
    assert re.search(r"as near as honest replays are: steps 0 to 4;", words)


def spoil_one_window(monkeypatch, step):
    """In one batch of the run another window is learned; the transcript says the right one."""
    own = Learner.training_step

    def spoilt(learner, batch, number):
        if learner.global_step == step:
            for tensor in batch.values():
                tensor[0] = tensor[1].clone()
        return own(learner, batch, number)

    monkeypatch.setattr(Learner, "training_step", spoilt)


def test_one_foreign_window_that_the_transcript_hides_is_too_far(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        spoil_one_window(patch, 3)
        found = trained(tmp_path, *BROAD)
    code, words = found.rebuild("--within", "--segment", 2)
    assert code == 2
    assert "steps 2 to 4: the recorded weights are further away than honest replays are" in words


def test_foreign_weights_at_the_start_are_too_far(tmp_path, monkeypatch):
    own = prepared.make_learner

    def made(*settings):
        learner = own(*settings)
        with torch.no_grad():
            learner.model.embedding.weight.mul_(1.05)
        return learner

    with monkeypatch.context() as patch:
        patch.setattr(prepared, "make_learner", made)
        found = trained(tmp_path, *BROAD)
    code, words = found.rebuild("--within", "--segment", 1)
    assert code == 2
    assert "steps 0 to 2" in words


def test_windows_of_another_piece_show_in_the_transcript(tmp_path, monkeypatch):
    """Learned openly in a work's place: no distance needs to be asked."""

    def other(piece):
        (first, *more) = piece.tracks
        notes = [replace(note, velocity=20) for note in first.notes]
        return score_of(replace(piece, tracks=[replace(first, notes=notes), *more]))

    with monkeypatch.context() as patch:
        patch.setattr(admission, "score_of", other)
        found = trained(tmp_path, *BROAD)
    code, words = found.rebuild("--within")
    assert code == 2
    assert "it learned from other windows" in words


def test_nothing_is_said_where_no_transcript_lies(elsewhere):
    (elsewhere.folder / "transcript.jsonl").unlink()
    code, words = elsewhere.rebuild("--within")
    assert code == 2
    assert "no transcript lies beside it" in words
