"""A model is what rebuilds to the same bits: honest runs do, and what was otherwise is found."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import pytest
import torch
from msgspec.structs import replace as changed

from gen.data import admission
from gen.data.tokenising import Music
from gen.errors import HouseError
from gen.model import Transformer
from gen.provenance.desk import ending
from gen.provenance.desk.ending import FILE as END_FILE
from gen.provenance.desk.works import withdraw
from gen.provenance.records.transcript import FILE, Transcript
from gen.tokens.encoding import Annotations
from gen.tokens.score import score_of
from gen.training import prepared, run
from gen.training.callbacks import SeedEachStep
from gen.training.evidence import recording
from houses import keep_machine_key, key_of, make_piece, start_house
from recorded_runs import RUN, Trained, kept_apart, trained
from tiny_runs import train


@pytest.fixture(autouse=True)
def no_cache(monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rebuild")
    with kept_apart(folder):
        return trained(folder)


@pytest.fixture
def honest(kept, tmp_path):
    """An honest run; its folder may be spoilt, its house may not."""
    shutil.copytree(kept.folder, tmp_path / "copy")
    return Trained(kept.house, tmp_path / "copy")


# An honest run ---------------------------------------------------------------------------


def test_an_honest_run_is_rebuilt_to_the_last_bit(honest):
    code, words = honest.rebuild()
    assert code == 0
    assert re.search(r"the same bits: all 3 segments of run \d+ \(.*\), from the 6 works", words)
    assert f"the weights at its end are those of {honest.last}" in words


def test_a_segment_is_rebuilt_from_the_state_that_is_kept_before_it(honest):
    code, words = honest.rebuild("--segment", 3)
    assert (code, "replaying from the state kept at step 4 to step 6" in words) == (0, True)
    assert "1 of 3 segments (3)" in words


def test_a_segment_without_a_kept_state_is_rebuilt_from_an_earlier_one(honest):
    shutil.rmtree(honest.folder / "states")
    code, words = honest.rebuild("--segment", 3)
    assert (code, "replaying from the seed to step 6" in words) == (0, True)


def test_segments_drawn_at_random_are_with_the_first_and_the_last_and_the_same_again(honest):
    said = [honest.rebuild("--segments", "random:1", "--seed", 5) for _ in range(2)]
    assert said[0] == said[1]
    assert "segments of run" in said[0][1]
    code, words = honest.rebuild("--segments", "random:0")
    assert code == 0
    assert "drawn with --seed" in words
    assert "2 of 3 segments (1, 3)" in words


def test_the_best_model_is_rebuilt_too_though_it_is_no_mark(honest):
    code, words = honest.ask("rebuild", honest.folder / "best.safetensors")
    assert code == 0, words


def test_the_same_run_leaves_the_same_transcript_byte_for_byte(tmp_path):
    house = start_house(tmp_path / "house")
    house.enter(1, 2, 3, 4, 5, 6)  # and no trainer's key: the log stays as it is
    for name in ("one", "other"):
        words = f"pin={house.pin.path}", f"hydra.run.dir={tmp_path / name}", f"name={name}"
        assert train(*RUN, *words).code == 0
    one, other = (tmp_path / name / FILE for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
    assert Transcript.decode(one.read_bytes()).segments == 3


def test_works_that_entered_the_house_since_do_not_matter(tmp_path):
    found = trained(tmp_path)
    found.house.enter(7, 8)
    assert found.rebuild()[0] == 0


def test_a_killed_run_that_was_gone_on_with_is_rebuilt_as_one(tmp_path, monkeypatch):
    house = start_house(tmp_path / "house")
    house.enter(1, 2, 3, 4, 5, 6)
    keep_machine_key()
    with monkeypatch.context() as patch:
        patch.setattr(SeedEachStep, "on_train_batch_start", _killed_after_4)
        with pytest.raises(ZeroDivisionError):
            train(*RUN, f"pin={house.pin.path}", f"hydra.run.dir={tmp_path / 'killed'}")
    found = trained(tmp_path, f"ckpt={tmp_path / 'killed' / 'last.ckpt'}", house=house)
    assert found.rebuild()[0] == 0


def _killed_after_4(self, trainer, module, batch, batch_idx):
    torch.manual_seed(self.seed * 1_000_003 + trainer.global_step)
    assert trainer.accumulate_grad_batches == 1
    return 1 / 0 if trainer.global_step == 4 else None


def test_a_run_that_goes_on_with_other_settings_keeps_no_transcript(tmp_path):
    first = trained(tmp_path)
    words = f"ckpt={first.folder / 'last.ckpt'}", "trainer.max_steps=8"
    second = trained(tmp_path / "second", *words, house=first.house)
    assert not (second.folder / FILE).exists()
    code, said = second.rebuild()
    assert code == 2
    assert "segment 1 of 1" in said


# What is said of it ----------------------------------------------------------------------


def test_verify_says_what_of_the_transcript_it_worked_out(honest):
    code, words = honest.ask("verify", "--checkpoint", honest.last)
    assert code == 0
    assert "recomputed: the chain of its transcript, 3 segments" in words
    assert "only believed: that its weights came of these works" in words
    (honest.folder / FILE).unlink()
    assert "no transcript lies beside it" in honest.ask("verify", "--checkpoint", honest.last)[1]


def test_another_code_is_said_and_the_bits_decide(honest, monkeypatch):
    monkeypatch.setattr("gen.training.rebuild.code_digest", lambda: "cd" * 32)
    code, words = honest.rebuild("--segment", 1)
    assert (code, "the code here (cdcdcdcdcdcd…) are not those" in words) == (0, True)


# What was touched afterwards -------------------------------------------------------------


def test_a_variable_that_would_change_the_replay_is_refused_and_no_segment_blamed(
    honest, monkeypatch
):
    monkeypatch.setenv("PL_TRAINER_LIMIT_TRAIN_BATCHES", "1")
    code, words = honest.rebuild("--segment", 1)
    assert code == 2
    assert "PL_TRAINER_LIMIT_TRAIN_BATCHES" in words
    assert "is not what the record says" not in words


@pytest.mark.parametrize("command", ["rebuild", "verify"])
def test_an_edited_transcript_is_refused(honest, command):
    path = honest.folder / FILE
    found = Transcript.decode(path.read_bytes())
    marks = list(found.marks)
    marks[1] = changed(marks[1], windows="ab" * 32)
    path.write_bytes(replace(found, marks=tuple(marks)).encode())  # chained anew
    words = ["--checkpoint"] if command == "verify" else []
    code, said = honest.ask(command, *words, honest.last)
    assert (code, "is not the transcript of run" in said) == (2, True)


def test_a_swapped_state_is_refused_and_its_segment_named(honest):
    states = sorted((honest.folder / "states").iterdir())
    assert [path.name for path in states] == ["000002.safetensors", "000004.safetensors"]
    shutil.copy(states[0], states[1])
    code, said = honest.rebuild("--segment", 3)
    assert code == 2
    assert "segment 3 cannot begin: the kept state is not the state that the transcript" in said


def test_a_work_that_was_changed_or_withdrawn_since_cannot_be_learned_from_again(tmp_path):
    found = trained(tmp_path)
    path = found.house.path(found.house.entries[0])
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    code, said = found.rebuild()
    assert code == 2
    assert "segment 1 of 3 cannot be replayed, nor any after it" in said
    assert f"{found.house.entries[0].path}: " in said
    withdraw(found.house.house, [found.house.entries[1].work], key_of("ana"), reason="a test")
    assert "2 of the 6 works" in found.rebuild()[1]


# What a trainer did otherwise than the record says -----------------------------------------


def velocity(patch):
    """One velocity of one work is another."""

    def changed(piece):
        track = piece.tracks[0]
        if track.notes[0].pitch == FIRST.tracks[0].notes[0].pitch:
            first = replace(track.notes[0], velocity=20)
            notes = [first, *track.notes[1:]]
            piece = replace(piece, tracks=[replace(track, notes=notes), *piece.tracks[1:]])
        return score_of(piece)

    patch.setattr(admission, "score_of", changed)


FIRST = make_piece(1)


def added(patch):
    """A foreign work besides those that the manifest names."""
    own = admission.Tokenising.take

    def take(self, name, path, music):
        if not self.names:
            foreign = Music("ab" * 32, score_of(make_piece(99)), Annotations())
            own(self, (10**6, "foreign"), "foreign.mid", foreign)
        own(self, name, path, music)

    patch.setattr(admission.Tokenising, "take", take)


def loss(patch):
    """A line of the loss is another."""
    own = Transformer.losses
    patch.setattr(Transformer, "losses", lambda *a, **more: own(*a, **more) * SCALE)


SCALE = torch.tensor([1.0, 1.01, 1.0, 1.0, 1.0])


def foreign_start(patch):
    """Weights from elsewhere, and then an honest run."""
    own = prepared.make_learner

    def made(*settings):
        learner = own(*settings)
        with torch.no_grad():
            learner.model.embedding.weight.mul_(1.001)
        return learner

    patch.setattr(prepared, "make_learner", made)


def hidden_foreign_start(patch):
    """The same, and the first mark says what an honest run would have begun with."""
    own = run.KeepTranscript._mark
    start = prepared.make_learner

    def mark(self, trainer, learner):
        weights = {name: t.clone() for name, t in learner.model.state_dict().items()}
        if not trainer.global_step:
            learner.model.load_state_dict(honest["weights"])
        own(self, trainer, learner)
        learner.model.load_state_dict(weights)

    def made(*settings):
        learner = start(*settings)
        state = learner.model.state_dict()
        honest["weights"] = {name: t.clone() for name, t in state.items()}
        learner.model.load_state_dict({name: t * 1.001 for name, t in state.items()})
        return learner

    honest: dict = {}
    patch.setattr(run.KeepTranscript, "_mark", mark)
    patch.setattr(prepared, "make_learner", made)


def seed(patch):
    """Another seed than the begin act says."""
    own = recording.Begin

    def begin(**said):
        recipe = said["recipe"].replace('"seed":2', '"seed":1')
        digest = recording.sha256_hex(recipe.encode())
        return own(**{**said, "recipe": recipe, "seed": 1, "settings": digest})

    patch.setattr(recording, "Begin", begin)


@pytest.mark.parametrize(
    ("lie", "words", "why"),
    [
        (velocity, (), "it learned from other windows"),
        (added, (), "it learned from other windows"),
        (loss, (), "the same windows, and the weights at its end are others"),
        (seed, ("seed=2",), "a foreign start"),
        (foreign_start, (), "a foreign start"),
        (hidden_foreign_start, (), "the same windows, and the weights at its end are others"),
    ],
)
def test_what_a_trainer_did_otherwise_is_found_in_its_segment(tmp_path, lie, words, why):
    with pytest.MonkeyPatch.context() as patch:
        lie(patch)
        found = trained(tmp_path, *words)
    assert found.ask("verify", "--checkpoint", found.last)[0] == 0  # the log is as it should be
    code, said = found.rebuild("--segments", "random:0")
    assert code == 2
    assert re.search(r"segment 1 of 3 \(steps 0 to 2\) is not what the record says", said), said
    assert why in said


def test_weights_put_in_at_the_end_are_found_in_the_last_segment(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        own = run.fit

        def fit(trainer, learner, *more, **others):
            own(trainer, learner, *more, **others)
            with torch.no_grad():
                learner.model.embedding.weight.mul_(1.001)

        patch.setattr(run, "fit", fit)
        found = trained(tmp_path)
    code, said = found.rebuild("--segment", 3)
    assert code == 2
    assert "names other weights than the model has" in said
    (found.folder / FILE).unlink()
    code, said = found.rebuild()
    assert (code, "are not those of last.safetensors" in said) == (2, True)


@pytest.mark.parametrize(
    "change",
    [('"accelerator"', '"callbacks":["os.system"],"accelerator"'), ('"seed":1', '"seed":9'),
     ('"max_steps":6', '"max_steps":-1,"max_time":"00:00:01:00"'), ('"n_layer":1', '"n_layer":9')],
)  # fmt: skip
def test_settings_in_a_begin_act_are_judged_as_any_others(tmp_path, change):
    with pytest.MonkeyPatch.context() as patch:
        own = recording.recipe_text
        patch.setattr(recording, "recipe_text", lambda s: own(s).replace(*change, 1))
        found = trained(tmp_path)
    code, said = found.rebuild()
    assert code == 2
    assert "Traceback" not in said


# An end that could not be entered ----------------------------------------------------------


def test_a_refused_end_is_entered_by_house_py_end(tmp_path, monkeypatch):
    house = start_house(tmp_path / "house")
    house.enter(1, 2, 3, 4, 5, 6)
    keep_machine_key()

    def busy(*_):
        raise HouseError("another command holds it")

    with monkeypatch.context() as patch:
        patch.setattr(recording, "end_run", busy)
        done = train(*RUN, f"pin={house.pin.path}", f"hydra.run.dir={tmp_path / 'run'}")
    assert f"enter it with python scripts/house.py end {tmp_path / 'run'}" in done.stderr
    found = Trained(house, tmp_path / "run")
    assert found.rebuild()[0] == 2
    code, said = found.ask("end", found.folder)
    assert (code, "ended at act" in said) == (0, True)
    assert found.rebuild("--segment", 1)[0] == 0
    code, said = found.ask("end", found.folder)
    assert (code, "holds no end of a run" in said) == (2, True)


def test_without_a_secret_a_refused_end_names_no_command_that_cannot_enter_it(
    tmp_path, monkeypatch
):
    house = start_house(tmp_path / "house")
    house.enter(1, 2, 3, 4, 5, 6)
    keep_machine_key()

    def busy(*_):
        raise HouseError("another command holds it")

    with monkeypatch.context() as patch:
        patch.setattr(recording, "end_run", busy)
        patch.setattr(ending, "user_secret", lambda: b"")
        done = train(*RUN, f"pin={house.pin.path}", f"hydra.run.dir={tmp_path / 'run'}")
    assert "another command holds it" in done.stderr
    assert "house.py end" not in done.stderr
    assert not (tmp_path / "run" / END_FILE).exists()


def test_an_end_that_somebody_changed_is_not_entered(tmp_path, monkeypatch):
    house = start_house(tmp_path / "house")
    house.enter(1, 2, 3, 4, 5, 6)
    keep_machine_key()
    with monkeypatch.context() as patch:
        patch.setattr(recording, "end_run", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):  # as if it were killed just then
            train(*RUN, f"pin={house.pin.path}", f"hydra.run.dir={tmp_path / 'run'}")
    path = tmp_path / "run" / END_FILE
    path.write_bytes(path.read_bytes().replace(b'"steps":6,"tr', b'"steps":7,"tr'))
    code, said = Trained(house, tmp_path / "run").ask("end", tmp_path / "run")
    assert (code, "its seal does not hold" in said) == (2, True)
    assert json.loads(path.read_bytes())["end"]["steps"] == 7
