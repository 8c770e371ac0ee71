"""Runs that begin with the weights of a recorded model."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from msgspec import structs

import tiny_runs
from gen.checkpoint import load_checkpoint
from gen.errors import HouseError
from gen.evaluation.subjects.models import candidates_of
from gen.evaluation.subjects.works import gather
from gen.model import Transformer
from gen.notebook import evaluate
from gen.provenance.desk.works import set_consent, withdraw
from gen.provenance.history.impact import impact_of
from gen.provenance.houses.house import House
from gen.provenance.manifests.manifest import Base, Manifest
from gen.provenance.manifests.model_file import read_model_file, with_manifest
from gen.provenance.manifests.recorded import problems, run_behind
from gen.provenance.records.consent import Consent
from gen.provenance.records.pin import load_pin
from gen.provenance.signing.canonical import StrictJsonError
from gen.smf import musical_hash, parse, write
from gen.training.evidence.recording import key_to_record
from gen.training.optimising.lora import add_low_rank, added_up
from houses import TestHouse, keep_machine_key, key_of, make_midi, make_piece, start_house, tagged
from recorded_runs import FROM_A_BASE, Trained, kept_apart, trained
from tiny_runs import call
from verify_alone import verdicts


@pytest.fixture(autouse=True)
def no_cache(monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("start")
    with kept_apart(folder):
        house = start_house(folder / "house")
        house.enter(1, 2, 3, consent="general_model evaluation artist_model:ana")
        house.enter(4, 5, 6)
        keep_machine_key()
        yield trained(folder, house=house)


@pytest.fixture
def base(kept, tmp_path):
    """A recorded model, in a copy of its house that a test may change."""
    shutil.copytree(kept.house.folder, tmp_path / "house")
    shutil.copytree(kept.folder, tmp_path / "run")
    pin = dataclasses.replace(
        load_pin(kept.house.pin.path), dir=tmp_path / "house", path=tmp_path / "lantern.yaml"
    )
    pin.save()
    keep_machine_key()
    return Trained(TestHouse(House(pin), list(kept.house.entries)), tmp_path / "run")


def begin(base: Trained, *words: str, init: Path | None = None, name: str = "next"):
    """A run in the base's house, that begins with the base unless another file is named."""
    out = base.folder.parent / name
    settings = [
        *FROM_A_BASE, f"pin={base.house.pin.path}", f"hydra.run.dir={out}",
        f"init={init or base.last}",
    ]  # fmt: skip
    return call(tiny_runs.TRAIN, *settings, *words), Trained(base.house, out)


def began(base: Trained, *words: str, **more) -> Trained:
    done, found = begin(base, *words, **more)
    assert done.code == 0, done.stderr
    return found


def test_a_run_begins_with_the_weights_that_it_names(base):
    found = began(base, "trainer.max_steps=1", "optimizer.lr=0", "optimizer.matrix_lr=0")
    here, there = (load_checkpoint(each.last).model.state_dict() for each in (found, base))
    assert all(torch.equal(here[name], there[name]) for name in there)
    act = base.house.house.load().runs.by_index
    run = max(act.values(), key=lambda each: each.index)
    digest = read_model_file(base.last).tensors_sha256
    assert json.loads(run.begin.recipe)["init"] == f"sha256:{digest}"
    assert str(base.last) not in run.begin.recipe


def test_what_the_base_costs_is_measured_as_validation_measures(base):
    done, _ = begin(
        base, "model.dropout=0.5", "trainer.max_steps=1", "trainer.val_check_interval=1",
        "optimizer.lr=0", "optimizer.matrix_lr=0",
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["base_bits_per_note"] == pytest.approx(found["bits_per_note"], rel=1e-6)


def test_both_manifests_are_in_the_new_one(base):
    manifest = read_model_file(began(base).last).manifest
    assert manifest.base.manifest == read_model_file(base.last).manifest
    assert manifest.base.file_sha256 == read_model_file(base.last).file_sha256
    assert manifest.base.recorded
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_manifests_without_a_base_keep_their_bytes(base):
    manifest = read_model_file(base.last).manifest
    assert "base" not in json.loads(manifest.to_json())


def test_recipes_of_runs_that_begin_with_their_seed_do_not_speak_of_it(base):
    (run,) = base.house.house.load().runs.by_index.values()
    assert not {"init", "base", "lora"} & json.loads(run.begin.recipe).keys()


def test_works_that_the_base_has_learned_are_never_held_out(base):
    found = began(base, "data.split.seed=9", "data.split.validation=0.3")
    corpus = json.loads((found.folder / "corpus.json").read_text())["admitted"]
    before = json.loads((base.folder / "corpus.json").read_text())["admitted"]
    assert corpus == before  # with another seed of its own, it would be dealt otherwise
    sides = read_model_file(found.last).manifest.base.sides
    assert {w for w, side in sides.items() if side == "train"} == set(before["train"])


def test_relatives_of_what_the_base_has_learned_are_not_held_out_either(base):
    learned = base.house.load().works[learned_by(base)[0]].entry
    sounds = [musical_hash(parse(make_midi(seed))) for seed in range(1, 7)]
    seed = 1 + sounds.index(learned.musical_hash)
    piece = make_piece(seed)
    midi = write(dataclasses.replace(piece, tracks=piece.tracks[:1]))  # its melody alone
    result = base.house.submit(tagged(midi, house=base.house.load().roster.identity))
    assert not result[0].rule, result
    (entry,) = base.house.accept([result[0].work]).entered
    found = began(base, "data.split.validation=0.5")
    assert read_model_file(found.last).manifest.base.sides[entry.work] == "train"


def test_evaluation_holds_out_what_the_base_was_kept_from(base):
    found = began(base, "data.split.seed=9")
    works = gather(base.house.pin, [load_checkpoint(found.last)])
    before = json.loads((base.folder / "corpus.json").read_text())["admitted"]
    assert {work.id for work in works.sides["test"]} == set(before["test"])
    both = gather(base.house.pin, [load_checkpoint(each.last) for each in (found, base)])
    assert both.digest == works.digest


def test_beside_its_base_a_model_is_measured_with_the_bases_window(base):
    found = began(base, "data.training_window=24")
    here, there = (load_checkpoint(each.last) for each in (found, base))
    (alone,) = candidates_of([found.last], [here])
    windows = {c.file: c.window for c in candidates_of([found.last, base.last], [here, there])}
    assert (alone.window, windows[found.last.as_posix()]) == (24, 32)
    assert windows[base.last.as_posix()] == 32


# Rebuilding ------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [(), ("lora.rank=2", "optimizer=adamw")], ids=["whole", "lora"])
def test_it_is_rebuilt_from_the_file_of_its_base(base, words):
    found = began(base, "seed=7", *words)
    code, said = found.rebuild("--init", base.last)
    assert code == 0, said
    assert "the same bits: all 3 segments" in said
    code, said = found.rebuild("--segment", 3)
    assert code == 0, said
    code, said = found.rebuild()
    assert code == 2
    assert "--init FILE" in said


def test_another_model_is_not_what_it_began_with(base):
    found = began(base)
    code, said = found.rebuild("--init", found.last)
    assert (code, "is not what the run began with" in said) == (2, True)
    code, said = base.rebuild("--init", base.last)
    assert (code, "began with its seed's weights" in said) == (2, True)


def test_a_run_that_is_gone_on_with_needs_the_base_that_it_had(base):
    found = began(base, "trainer.max_steps=3")
    resumed = began(base, f"ckpt={found.folder / 'last.ckpt'}", name="on")
    assert resumed.rebuild("--init", base.last)[0] in (0, 2)
    settings = [*FROM_A_BASE, *(w for w in tiny_runs.SETTINGS.split() if w.startswith("model."))]
    done = call(
        tiny_runs.TRAIN, *settings, "model=tiny", "model.dropout=0.1",
        f"pin={base.house.pin.path}", f"hydra.run.dir={base.folder.parent / 'clean'}",
        f"ckpt={found.folder / 'last.ckpt'}",
    )  # fmt: skip
    assert done.code == 2
    assert "began with other weights" in done.stderr


# What is refused -------------------------------------------------------------------------


def test_a_withdrawn_work_behind_the_base_stops_it(base):
    work = base.house.entries[0].work
    withdraw(base.house.house, [work], key_of("ana"), "sold")
    done, _ = begin(base)
    assert (done.code, work in done.stderr) == (2, True)
    assert "no run for general_model may begin with this model" in done.stderr


def test_what_is_consented_to_one_artists_model_does_not_go_into_a_general_one(base):
    artist = began(base, "purpose=artist_model:ana", name="artist", init=None)
    assert read_model_file(artist.last).manifest.purpose == "artist_model:ana"
    works = [work.work for work in read_model_file(artist.last).manifest.works]
    assert len(works) == 3
    consent = Consent.parse("artist_model:ana evaluation")
    set_consent(base.house.house, [works[0]], consent, key_of("ana"))
    done, _ = begin(base, init=artist.last, name="general")
    assert (done.code, works[0] in done.stderr) == (2, True)


def test_a_shape_of_ones_own_is_refused(base):
    done, _ = begin(base, "model.width=32")
    assert (done.code, "init takes the shape" in done.stderr) == (2, True)


def test_lora_learns_beside_a_model_and_not_with_muon(base):
    done, _ = begin(base, "lora.rank=2")
    assert (done.code, "optimizer=adamw" in done.stderr) == (2, True)
    done, _ = begin(base, "lora.rank=2", "init=none", "optimizer=adamw")
    assert (done.code, "lora.rank" in done.stderr) == (2, True)


def test_weights_that_no_log_knows_are_refused_unless_asked_for(base):
    stranger = base.folder / "stranger.safetensors"
    data = bytearray(base.last.read_bytes())
    data[-5] ^= 1
    stranger.write_bytes(data)
    done, _ = begin(base, init=stranger)
    assert (done.code, "knows no run that left this file" in done.stderr) == (2, True)
    done, found = begin(base, "base.unrecorded=true", init=stranger)
    assert done.code == 0, done.stderr
    assert "nobody knows" in done.stderr
    assert "not recorded: no log vouches for the model that it begins with" in done.stderr
    file = read_model_file(found.last)
    assert not file.manifest.base.recorded
    with pytest.raises(HouseError, match="knows no run"):
        run_behind(file, base.house.house.load())


def test_a_manifest_that_hides_its_base_is_not_the_runs(base):
    found = began(base)
    register = base.house.house.load()
    file = read_model_file(found.last)
    run = run_behind(file, register)
    hidden = structs.replace(file.manifest, base=None)
    run.manifest = hidden.digest  # as a trainer could enter it
    assert any("did not" in p or "does not say" in p for p in problems(hidden, run, register))


def test_another_house_of_the_same_name_vouches_for_no_weights(base, tmp_path):
    """Its log has them, under a manifest of its own works; this house's log never did."""
    other = start_house(tmp_path / "other" / "house")
    other.enter(21, 22)
    theirs = Manifest.of(
        other.admit(),
        tokenizer_fingerprint=read_model_file(base.last).manifest.tokenizer_fingerprint,
    )
    foreign = tmp_path / "foreign.safetensors"
    foreign.write_bytes(with_manifest(base.last.read_bytes(), theirs))
    other.record(foreign)
    size = base.house.load().size
    done, _ = begin(base, f"base.pins=[{other.pin.path}]", init=foreign)
    assert (done.code, "two houses of the name 'lantern'" in done.stderr) == (2, True)
    assert base.house.load().size == size


# Another house ---------------------------------------------------------------------------


@pytest.fixture
def second(base):
    """A house with works of its own, beside the base's."""
    house = start_house(base.folder.parent / "second", "anchor")
    house.enter(11, 12, 13, 14)
    keep_machine_key(house="anchor")
    return Trained(house, base.folder.parent / "there")


def test_a_model_of_another_house_needs_that_houses_pin(base, second):
    done, _ = begin(second, init=base.last)
    assert (done.code, "base.pins=[FILE]" in done.stderr) == (2, True)
    found = began(second, f"base.pins=[{base.house.pin.path}]", init=base.last)
    manifest = read_model_file(found.last).manifest
    assert (manifest.house, manifest.base.manifest.house) == ("anchor", "lantern")
    code, said = found.ask("verify", "--checkpoint", found.last)
    assert code == 0, said
    assert "only believed: it began with weights" in said
    assert "--base-pin FILE" in said
    code, said = found.ask("verify", "--checkpoint", found.last, "--base-pin", base.house.pin.path)
    assert code == 0, said
    assert re.search(r"recomputed: it began with weights .* of lantern left them", said)
    said = verdicts(second.house.folder, second.house.pin.path, model=found.last)
    alone = {what: (holds, why) for what, holds, why in said}
    holds, why = alone[str(found.last)]
    assert (holds, "the records of that house alone can vouch for" in why) == (True, True)
    withdraw(base.house.house, [base.house.entries[0].work], key_of("ana"), "sold")
    code, said = found.ask("verify", "--checkpoint", found.last, "--base-pin", base.house.pin.path)
    assert (code, "lantern" in said and "withdrawn" in said) == (2, True)


def test_a_model_is_compared_with_that_of_another_house_with_which_it_began(base, second, tmp_path):
    found = began(second, f"base.pins=[{base.house.pin.path}]", init=base.last)
    asked = [
        f"pin={second.house.pin.path}", f"out={tmp_path / 'report'}", "works=2", "pieces=2",
        "bars=2", "parts=[likelihood,originality]", "baselines=false", "split=validation",
    ]  # fmt: skip
    report = evaluate(*asked, checkpoint=[str(found.last), str(base.last)])
    names = [model["name"] for model in report["models"]]
    assert set(report["likelihood"]["models"]) == set(names)
    (ours,) = report["originality"]  # what the other learned from is not here
    assert ours in found.last.with_suffix("").as_posix()
    said = " ".join(report["notes"])
    assert "is of the house lantern, whose log was not asked" in said
    assert "which are not here; left out: originality." in said
    with pytest.raises(HouseError, match="works of the house 'lantern', the pin is that of 'anch"):
        evaluate(*asked, checkpoint=[str(base.last)])


# Withdrawal and the stand-alone verifier -------------------------------------------------


def test_withdrawing_a_work_names_what_went_on_from_it(base):
    found = began(base, "purpose=artist_model:ana")
    register = base.house.house.load()
    work = base.house.entries[4].work  # ben's or ana's, not among the artist's
    assert work not in [each.work for each in read_model_file(found.last).manifest.works]
    names = [run.name for run in impact_of(register, [work]).runs]
    assert len(names) == 2


def test_the_stand_alone_verifier_follows_a_base_of_the_same_house(base):
    found = began(base)
    said = {w: (h, why) for w, h, why in verdicts(
        base.house.folder, base.house.pin.path, model=found.last)}  # fmt: skip
    holds, why = said[str(found.last)]
    assert holds, why
    assert "it began with a model of lantern" in why
    assert "left by run" in why


# LoRA ------------------------------------------------------------------------------------


def test_low_rank_changes_nothing_before_it_has_learned(base):
    model = load_checkpoint(base.last).model
    columns = torch.zeros(
        1, 5, len(model.config.field_sizes) + len(model.config.context_sizes), dtype=torch.int64
    )
    before = model.states(columns)
    add_low_rank(model, 2, 4.0)
    assert torch.equal(model.states(columns), before)
    learns = [name for name, p in model.named_parameters() if p.requires_grad]
    assert learns
    assert all(name.endswith((".up", ".down")) for name in learns)


def test_what_is_saved_of_low_rank_learning_is_a_model_like_any_other(base):
    found = began(base, "lora.rank=2", "optimizer=adamw", "optimizer.lr=0.05")
    here, there = (load_checkpoint(each.last).model for each in (found, base))
    assert isinstance(here, Transformer)
    assert torch.equal(here.embedding.weight, there.embedding.weight)
    moved = here.blocks[0].qkv.weight - there.blocks[0].qkv.weight
    assert moved.abs().max() > 0
    assert torch.linalg.matrix_rank(moved, atol=1e-5) <= 2
    assert added_up(here) is here


def test_a_base_reads_back_what_it_wrote(base):
    manifest = read_model_file(base.last).manifest
    said = Base("a" * 64, "b" * 64, True, manifest, {manifest.works[0].work: "test"})
    begun = structs.replace(manifest, base=said)
    assert Manifest.from_dict(begun.to_dict()).base == said
    for wrong in ({"sides": {"x": "both"}}, {"recorded": 1}, {"tensors_sha256": "no"}, {"more": 1}):
        written = begun.to_dict()
        written["base"] = {**written["base"], **wrong}
        with pytest.raises(StrictJsonError, match=r"base|manifest"):
            Manifest.from_dict(written)


def test_where_a_base_has_learned_everything_its_figures_are_said_to_flatter(base):
    done, found = begin(base, "corpus.where=work=" + ",".join(learned_by(base)))
    assert done.code == 0, done.stderr
    assert "bits per note of them flatter, and none is kept for test" in done.stderr
    assert json.loads(done.stdout)["learned_by_base"] == 1
    works = gather(base.house.pin, [load_checkpoint(found.last)])
    assert any("figures of them flatter" in note for note in works.notes)
    assert not works.sides["test"]


def learned_by(base: Trained) -> list[str]:
    corpus = json.loads((base.folder / "corpus.json").read_text())
    return list(corpus["admitted"]["train"])


def test_whether_a_run_can_be_entered_is_asked_before_it_learns(tmp_path, own_keys):
    house = start_house(tmp_path / "house").house
    (house.folder / ".lock").unlink(missing_ok=True)
    (house.folder / ".lock").mkdir()
    assert key_to_record(house) is None  # nobody here could enter it
    keep_machine_key()
    with pytest.raises(HouseError, match="should be the lock"):
        key_to_record(house)
