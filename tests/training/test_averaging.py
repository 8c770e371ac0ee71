"""Averages of the weights: measured, saved, resumed and rebuilt."""

from __future__ import annotations

import pytest
import torch
from lightning import Callback

from gen.checkpoint import load_checkpoint
from gen.errors import SettingError
from gen.provenance.manifests.model_file import read_model_file
from gen.training.run import train
from gen.training.settings.average_settings import EMA, SWA, AverageConfig
from gen.training.settings.run_settings import read_settings, recipe_of
from houses import keep_machine_key, start_house
from recorded_runs import RUN, Trained
from tiny_runs import settings_of


@pytest.fixture(autouse=True)
def as_a_trainer(monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    keep_machine_key()


@pytest.fixture
def house(tmp_path):
    house = start_house(tmp_path / "house")
    house.enter(1, 2, 3, 4, 5, 6)
    return house


class Watch(Callback):
    """Keeps the weights after each step."""

    def __init__(self) -> None:
        self.weights: list[dict[str, torch.Tensor]] = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        state = pl_module.model.state_dict()
        self.weights.append({name: tensor.clone() for name, tensor in state.items()})


def run(house, folder, *words: str, watch: Watch | None = None) -> Trained:
    settings = settings_of(house.pin.path, *RUN, *words)
    train(settings, folder, listeners=[watch] if watch else [])
    return Trained(house, folder)


def weights_of(found: Trained) -> dict[str, torch.Tensor]:
    return load_checkpoint(found.last).model.state_dict()


def test_swa_saves_the_mean_of_the_weights_from_its_start_on(house, tmp_path):
    watch = Watch()
    found = run(house, tmp_path / "a", "average.kind=swa", "average.start=0.5", watch=watch)
    assert len(watch.weights) == 6
    for name, tensor in weights_of(found).items():
        later = [each[name] for each in watch.weights[3:]]
        assert torch.allclose(tensor, torch.stack(later).mean(0), atol=1e-6)
        assert name != "embedding.weight" or not torch.equal(tensor, later[-1])


def test_ema_saves_a_moving_average(house, tmp_path):
    watch = Watch()
    found = run(house, tmp_path / "a", "average.kind=ema", "average.decay=0.3", watch=watch)
    name = "embedding.weight"
    wanted = watch.weights[0][name]
    for steps, each in enumerate(watch.weights[1:], 1):
        decay = min(0.3, (1 + steps) / (10 + steps))
        wanted = decay * wanted + (1 - decay) * each[name]
    assert torch.allclose(weights_of(found)[name], wanted, atol=1e-6)


def test_it_changes_nothing_in_what_learns(house, tmp_path):
    watches = Watch(), Watch()
    run(house, tmp_path / "a", "average.kind=ema", watch=watches[0])
    run(house, tmp_path / "b", watch=watches[1])
    for one, other in zip(*(watch.weights for watch in watches), strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_average_is_what_is_measured(house, tmp_path):
    settings = settings_of(house.pin.path, *RUN, "average.kind=ema", "average.decay=0.9")
    averaged = train(settings, tmp_path / "a")
    plain = train(settings_of(house.pin.path, *RUN), tmp_path / "b")
    assert averaged["bits_per_note"] != plain["bits_per_note"]
    begin = settings_of(
        house.pin.path, *RUN, "optimizer.lr=0", "optimizer.matrix_lr=0", "trainer.max_steps=3",
        f"init={tmp_path / 'a' / 'last.safetensors'}",
    )  # fmt: skip
    again = train(begin, tmp_path / "c")
    assert again["bits_per_note"] == pytest.approx(averaged["bits_per_note"], abs=1e-5)


@pytest.mark.parametrize("words", [("average.kind=ema",), ("average.kind=swa",)])
def test_it_is_rebuilt_verified_and_resumed_to_the_bit(house, tmp_path, words):
    whole = run(house, tmp_path / "whole", *words)
    for asked in (["rebuild", whole.last], ["rebuild", whole.last, "--segment", 3]):
        code, said = whole.ask(*asked)
        assert code == 0, said
    code, said = whole.ask("verify", "--checkpoint", whole.last)
    assert code == 0, said
    half = (*words, "trainer.max_steps=3", "optimizer.schedule.decay=0")
    flat = (*words, "optimizer.schedule.decay=0", "optimizer.schedule.warmup=0")
    first = run(house, tmp_path / "half", *half, "optimizer.schedule.warmup=0")
    later = run(house, tmp_path / "on", *flat, f"ckpt={first.folder / 'last.ckpt'}")
    straight = run(house, tmp_path / "straight", *flat)
    digests = [read_model_file(each.last).tensors_sha256 for each in (later, straight)]
    assert digests[0] == digests[1]


def test_a_run_that_averages_goes_on_from_none_that_does_not(house, tmp_path):
    first = run(house, tmp_path / "first", "trainer.max_steps=3")
    with pytest.raises(SettingError, match="averaged its weights"):
        run(house, tmp_path / "on", "average.kind=ema", f"ckpt={first.folder / 'last.ckpt'}")


def test_recipes_of_runs_without_it_do_not_speak_of_it(house):
    settings = settings_of(house.pin.path)
    assert "average" in settings
    assert "average" not in recipe_of(settings)
    settings["average"]["kind"] = EMA
    assert recipe_of(settings)["average"]["decay"] == 0.999


@pytest.mark.parametrize(
    "values", [{"kind": "mean"}, {"decay": 1.0}, {"decay": -0.1}, {"start": 1.0}, {"pace": 1}]
)
def test_nonsense_is_refused(house, values):
    with pytest.raises(SettingError):
        read_settings({**settings_of(house.pin.path), "average": values})


def test_the_first_steps_weigh_more_than_the_decay_says():
    ema, swa = AverageConfig(EMA, decay=0.999), AverageConfig(SWA)
    assert [ema.weight(0), swa.weight(0)] == [1.0, 1.0]
    assert ema.weight(1) == pytest.approx(1 - 2 / 11)
    assert ema.weight(100_000) == pytest.approx(0.001)
    assert swa.weight(3) == 0.25
