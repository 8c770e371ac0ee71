"""From a house to checkpoints: what a researcher's command does, called as a function."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
import torch

from gen.checkpoint import Checkpoint, load_checkpoint
from gen.errors import HouseError, SettingError
from gen.model import ModelConfig, Transformer
from gen.provenance.admission.corpus import CorpusRefused
from gen.provenance.manifests.manifest import RefusedFile
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.vocabulary import FIELD_SIZES
from gen.training.optimising.graphs import GraphedLosses
from gen.training.run import train
from houses import keep_machine_key, make_midi, start_house

STEPS = 6
FLAT = {"warmup": 0.0, "decay": 0.0, "floor": 0.1}
"""A rate that does not depend on how long the run is meant to be."""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    started = start_house(tmp_path_factory.mktemp("run") / "house")
    started.enter(1, 2, 3, 4, 5, 6)
    return started


@pytest.fixture
def settings(house, tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", str(tmp_path / "cache"))
    keep_machine_key()
    return settings_for(house)


def settings_for(house) -> dict:
    shape = {"n_layer": 2, "width": 32, "n_head": 2, "mlp_ratio": 2, "dropout": 0.1, "context": 128}
    schedule = {"warmup": 0.1, "decay": 0.5, "floor": 0.1}
    return {
        "pin": str(house.pin.path),
        "name": "test",
        "purpose": "general_model",
        "on_refusal": "stop",
        "seed": 1,
        "ckpt": None,
        "model": shape,
        "optimizer": {
            "name": "muon", "lr": 0.003, "matrix_lr": 0.01, "weight_decay": 0.1,
            "schedule": schedule,
        },
        "data": {
            "training_window": 48, "batch_size": 2,
            "split": {"validation": 0.2, "test": 0.2, "seed": 0},
            "augment": {
                "transpose": 3, "tempo": 1, "velocity": 1, "forget": 0.3, "forget_all": 0.3,
            },
        },
        "trainer": {
            "accelerator": "cpu", "devices": 1, "precision": "32-true", "max_steps": STEPS,
            "max_time": None, "val_check_interval": 2, "gradient_clip_val": 1.0,
            "log_every_n_steps": 1,
        },
        "logger": {"name": "csv"},
    }  # fmt: skip


def resumed_to_the_last_bit(settings: dict, folder: Path) -> Checkpoint:
    """What a run leaves, and to the same bits one that was cut and resumed; both have learned."""
    half = {**settings, "trainer": {**settings["trainer"], "max_steps": 4}}
    whole = train(settings, folder / "whole" / "run")
    train(half, folder / "cut" / "first")
    resumed = train({**settings, "ckpt": "last"}, folder / "cut" / "second")
    assert resumed["steps"] == STEPS
    assert 0 < whole["best_bits_per_note"] < whole["untrained_bits_per_note"]
    one, other = (load_checkpoint(Path(found["last"])) for found in (whole, resumed))
    weights = one.model.state_dict(), other.model.state_dict()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    tables = [table(folder / run) for run in ("whole/run", "cut/second")]
    assert tables[0] == tables[1]
    assert {"train/rate_of_matrices", "train/rate_of_others", "train/gradient_norm"} <= {*tables[0]}
    return one


def table(out: Path) -> dict[str, list[tuple[str, str]]]:
    """Each curve as (step, value), without what depends on the clock."""
    rows = list(csv.DictReader((out / "csv" / "metrics.csv").read_text().splitlines()))
    names = [name for name in rows[0] if not name.startswith("speed/") and name not in UNTOLD]
    return {name: [(row["step"], row[name]) for row in rows if row[name]] for name in names}


UNTOLD = ("step", "epoch")


def losses(out: Path) -> list[float]:
    lines = (out / "csv" / "metrics.csv").read_text().splitlines()
    column = lines[0].split(",").index("train/nats_per_event")
    return [float(cells[column]) for line in lines[1:] if (cells := line.split(","))[column]]


def test_a_run_leaves_checkpoints_that_name_every_work_they_learned_from(house, settings, tmp_path):
    result = train(settings, tmp_path / "run")
    for name in ("best", "last"):
        checkpoint = load_checkpoint(Path(result[name]))
        assert checkpoint.manifest.digest == result["manifest"]
        assert {work.work for work in checkpoint.manifest.works} == {e.work for e in house.entries}
    assert result["steps"] == STEPS
    assert result["best_bits_per_note"] > 0


def test_training_lowers_bits_per_note_on_held_out_works(settings, tmp_path):
    settings["trainer"] = {**settings["trainer"], "max_steps": 40, "val_check_interval": 20}
    result = train(settings, tmp_path / "run")
    uniform = sum(math.log2(size) for size in FIELD_SIZES)  # what knowing nothing costs an event
    assert result["best_bits_per_note"] < uniform  # … and a note takes more than one event


def test_the_same_seed_gives_the_same_losses_and_another_seed_others(settings, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train({**settings, "seed": seed}, tmp_path / name)
    assert losses(tmp_path / "a") == losses(tmp_path / "b")
    assert losses(tmp_path / "a") != losses(tmp_path / "c")


def test_a_resumed_run_repeats_the_uninterrupted_one_to_the_last_bit(settings, tmp_path):
    flat = {**settings, "optimizer": {**settings["optimizer"], "schedule": FLAT}}
    resumed_to_the_last_bit(flat, tmp_path)
    assert len(losses(tmp_path / "cut" / "second")) == STEPS


def test_training_on_an_untagged_file_ends_before_the_first_step(tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house = start_house(tmp_path / "house")
    house.enter(1, 2, 3)
    stranger = house.folder / "ana" / "stranger-00000000.mid"
    stranger.write_bytes(make_midi(9))
    with pytest.raises(CorpusRefused, match=r"stranger-00000000\.mid: refused \(untagged\)"):
        train(settings_for(house), tmp_path / "run")
    assert not list((tmp_path / "run").glob("**/*.ckpt"))


def test_a_recording_run_trains_on_the_rest_and_writes_the_refusal_down(tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house = start_house(tmp_path / "house")
    house.enter(1, 2, 3)
    (house.folder / "ana" / "stranger-00000000.mid").write_bytes(make_midi(9))
    result = train({**settings_for(house), "on_refusal": "record"}, tmp_path / "run")
    manifest = load_checkpoint(Path(result["last"])).manifest
    assert len(manifest.works) == 3
    assert manifest.refused == (RefusedFile("ana/stranger-00000000.mid", "untagged"),)


def test_a_work_without_consent_to_the_purpose_is_left_out_by_right(tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house = start_house(tmp_path / "house")
    house.enter(1, 2, 3)
    (private,) = house.enter(4, consent="evaluation")
    result = train(settings_for(house), tmp_path / "run")
    manifest = load_checkpoint(Path(result["last"])).manifest
    assert private.work not in {work.work for work in manifest.works}
    assert manifest.not_consented == (private.work,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"width": 33}}, "no multiple"),
        ({"data": {"training_window": 4}}, "at least 16"),
        ({"data": {"training_windw": 64}}, "did you mean 'training_window'"),
        ({"optimizer": {"name": "sgd"}}, "neither 'muon' nor 'adamw'"),
        ({"trainer": {"max_time": "soon"}}, "no duration"),
        ({"ckpt": "nowhere.ckpt"}, "no such checkpoint"),
        ({"ckpt": "last"}, "no run in"),
        ({"on_refusal": "ignore"}, "neither 'stop' nor 'record'"),
        ({"purpose": "world_domination"}, "purpose"),
        ({"logger": {"name": "tensorbored"}}, "did you mean 'tensorboard'"),
        ({"trainer": {"patience": 0}}, "patience: 0 is not above 0"),
        ({"trainer": {"keep_every": 0}}, "keep_every: 0 is not above 0"),
        ({"trainer": {"strategy": "deepspeed"}}, "known: auto, ddp, fsdp"),
        ({"trainer": {"strategy": "fsdp"}}, "Muon takes whole matrices"),
        ({"data": {"styles": True}}, "grants artist_model"),
    ],
)
def test_a_wrong_setting_ends_the_run_with_a_message_that_names_it(
    settings, tmp_path, change, message
):
    for key, value in change.items():
        old = settings[key]
        settings[key] = {**old, **value} if isinstance(value, dict) else value
    with pytest.raises(HouseError, match=message):
        train(settings, tmp_path / "run")


def test_a_run_that_finds_nothing_better_stops_early(settings, tmp_path):
    settings["optimizer"] = {**settings["optimizer"], "lr": 0.0, "matrix_lr": 0.0}
    settings["trainer"] = {**settings["trainer"], "max_steps": 40, "patience": 2}
    assert train(settings, tmp_path / "run")["steps"] == 6  # validations at 2, 4 and 6


def test_a_resumed_run_remembers_how_long_nothing_was_better(settings, tmp_path):
    settings["optimizer"] = {**settings["optimizer"], "lr": 0.0, "matrix_lr": 0.0}
    settings["trainer"] = {**settings["trainer"], "max_steps": 4, "patience": 2}
    assert train(settings, tmp_path / "runs" / "first")["steps"] == 4
    settings["trainer"]["max_steps"] = 40
    assert train({**settings, "ckpt": "last"}, tmp_path / "runs" / "second")["steps"] == 6


def test_a_run_keeps_the_models_along_its_way_if_told_to(settings, tmp_path):
    settings["trainer"] = {**settings["trainer"], "max_steps": 8, "keep_every": 2}
    result = train(settings, tmp_path / "run")
    kept = [load_checkpoint(path) for path in sorted((tmp_path / "run").glob("step-*.safetensors"))]
    assert [checkpoint.run["steps"] for checkpoint in kept] == [4, 8]  # validations at 2, 4, 6, 8
    assert kept[1].run["bits_per_note"] == result["bits_per_note"]
    whole = load_checkpoint(Path(result["last"])).model.state_dict()
    half, full = (checkpoint.model.state_dict() for checkpoint in kept)
    assert all(torch.equal(full[name], whole[name]) for name in whole)
    assert not all(torch.equal(half[name], whole[name]) for name in whole)


def test_a_checkpoint_tells_whose_styles_it_learned(tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    house = start_house(tmp_path / "house")
    house.enter(1, 2, 3, consent="general_model artist_model:ana")
    settings = settings_for(house)
    settings["data"]["styles"] = True
    result = train(settings, tmp_path / "run")
    for name in ("best", "last"):
        assert load_checkpoint(Path(result[name])).run["styles"] == {"0": "ana"}


def test_a_run_is_not_resumed_with_other_works_held_out(settings, tmp_path):
    train(settings, tmp_path / "runs" / "first")
    data = {**settings["data"], "split": {"validation": 0.3, "test": 0.3, "seed": 5}}
    with pytest.raises(SettingError, match="works that are held out now"):
        train({**settings, "data": data, "ckpt": "last"}, tmp_path / "runs" / "second")


def test_a_checkpoint_of_another_corpus_is_not_resumed_from(settings, tmp_path):
    train(settings, tmp_path / "runs" / "first")
    other = start_house(tmp_path / "other")
    other.enter(21, 22, 23)
    changed = {**settings, "pin": str(other.pin.path), "ckpt": "last"}
    with pytest.raises(SettingError, match="another corpus"):
        train(changed, tmp_path / "runs" / "second")


def test_a_run_is_in_the_log_before_its_first_step_even_if_it_is_killed(
    house, settings, tmp_path, monkeypatch
):
    monkeypatch.setattr("gen.training.run.fit", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(settings, tmp_path / "killed")
    *_, run = house.load().runs.by_index.values()
    assert (run.name, run.ended_at, run.models) == ("test/killed", None, ())
    assert list(run.works) == sorted(entry.work for entry in house.entries)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_windows_cut_by_workers_give_the_same_losses(settings, tmp_path):
    for name, workers in (("alone", 0), ("together", 2)):
        train({**settings, "data": {**settings["data"], "workers": workers}}, tmp_path / name)
    assert losses(tmp_path / "alone") == losses(tmp_path / "together")


# On a GPU --------------------------------------------------------------------------------

replayed = pytest.mark.filterwarnings("ignore:.*AccumulateGrad node's stream does not match")
on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.fixture
def gpu_settings(settings):
    trainer = {"accelerator": "gpu", "precision": "auto", "max_steps": 24, "val_check_interval": 12}
    return {
        **settings,
        "model": {**settings["model"], "dropout": 0.0},
        "trainer": {**settings["trainer"], **trainer},
    }


@on_a_gpu
@pytest.mark.filterwarnings("ignore:.*torch.jit.script", "ignore:The CUDA Graph is empty")
@pytest.mark.parametrize("compiled", [False, True])
def test_a_graph_learns_what_single_kernels_do(gpu_settings, tmp_path, compiled, monkeypatch):
    gpu_settings["trainer"]["compile"] = compiled
    result = train(gpu_settings, tmp_path / "graph")
    assert load_checkpoint(Path(result["best"])).model.embedding.weight.device.type == "cpu"
    gpu_settings["trainer"]["compile"] = False
    monkeypatch.setattr("gen.training.learner.GraphedLosses", lambda model: model.losses)
    expected = train(gpu_settings, tmp_path / "single")
    assert losses(tmp_path / "graph") == pytest.approx(losses(tmp_path / "single"), rel=0.02)
    assert result["bits_per_note"] == pytest.approx(expected["bits_per_note"], rel=0.02)


@on_a_gpu
@replayed
def test_dropout_of_a_graph_follows_the_seed(settings):
    torch.manual_seed(0)
    shape = {**settings["model"], "field_sizes": FIELD_SIZES, "context_sizes": CONTEXT_SIZES}
    model = Transformer(ModelConfig(**{**shape, "dropout": 0.5})).cuda()
    for out in model.head.out:
        torch.nn.init.normal_(out.weight)
    columns = torch.ones(2, 8, len(FIELD_SIZES) + len(CONTEXT_SIZES), dtype=torch.int64).cuda()
    targets = torch.ones(2, 8, len(FIELD_SIZES), dtype=torch.int64).cuda()
    graph, drawn = GraphedLosses(model), []
    for seed in (0, 1, 2, 1):
        torch.manual_seed(seed)
        drawn.append(graph(columns, targets).sum().item())
    assert drawn[1] == drawn[3] != drawn[2]


@on_a_gpu
def test_a_run_on_a_gpu_is_resumed(gpu_settings, tmp_path):
    half = {**gpu_settings, "trainer": {**gpu_settings["trainer"], "max_steps": 12}}
    train(half, tmp_path / "runs" / "first")
    resumed = train({**gpu_settings, "ckpt": "last"}, tmp_path / "runs" / "second")
    assert resumed["steps"] == 24
    assert len(losses(tmp_path / "runs" / "second")) == 12
