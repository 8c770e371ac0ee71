"""Every shipped configuration composes, means something, and says nothing that nobody reads."""

from __future__ import annotations

import dataclasses
import functools
import shutil
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from gen.data.module import HouseData
from gen.evaluation import settings as evaluation
from gen.sampling.decoding.draw import DrawConfig
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.deciding import plan_of
from gen.sampling.request import OF_FILES, PLACES, SamplingRunConfig
from gen.settings import build
from gen.training.learner import Learner
from gen.training.loggers import make_logger
from gen.training.settings.run_settings import read_settings
from gen.training.trainer import make_trainer

CONF = Path(__file__).resolve().parents[1] / "conf"
PINS = "house"
PLUGINS = {
    "search=optuna": "optuna",
    "search=optuna_adamw": "optuna",
    "launch=local": "submitit",
    "launch=slurm": "submitit",
    "launch=ray": "ray",
}
OF_SAMPLE = {*PLACES, *OF_FILES} - {"hydra"}


def groups_of(root: str) -> list[str]:
    """Groups that a primary configuration chooses from."""
    listed = yaml.safe_load((CONF / f"{root}.yaml").read_text("utf-8"))["defaults"]
    names = [next(iter(entry)) for entry in listed if isinstance(entry, dict)]
    return [name for name in names if not name.startswith("override")]


def needs(words: str) -> str:
    """The package that a choice needs and that is not installed, or ""."""
    package = PLUGINS.get(words, "")
    return package if package and find_spec(package) is None else ""


ROOTS = sorted(path.stem for path in CONF.glob("*.yaml"))
CHOICES = [
    (root, f"{group}={path.stem}")
    for root in ROOTS
    for group in groups_of(root)
    for path in sorted((CONF / group).glob("*.yaml"))
]

BESIDES = {"experiment=artist": ("artist=ana",)}
"""What a choice asks to be said besides."""


@functools.cache
def composed(root: str, *overrides: str, conf: Path = CONF) -> dict:
    """Settings that some words lead to, not to be written to: tests ask for the same ones."""
    with initialize_config_dir(str(conf), version_base="1.3"):
        config = compose(root, list(overrides))
    return OmegaConf.to_container(config, resolve=True, throw_on_missing=True)


def keys(values: Mapping, prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        yield f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from keys(value, f"{prefix}{key}.")


@functools.cache
def known_keys(root: str, presets: str) -> set[str]:
    """Keys of a configuration, whatever is chosen in its groups but for the presets."""
    chosen = [
        words
        for of, words in CHOICES
        if of == root and not words.startswith(presets) and not needs(words)
    ]
    return {key for words in ("", *chosen) for key in keys(composed(root, *words.split()))}


def check_train(settings: dict) -> None:
    chosen = read_settings(settings)
    with torch.device("meta"):
        Learner(chosen.model, chosen.optimizer).configure_optimizers()
    HouseData(Path("house"), None, chosen.run.purpose, chosen.data)
    # … which this machine may not have; what is said then has tests of its own.
    here = find_spec(chosen.logger.name) or chosen.logger.name in ("tensorboard", "csv")
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        out = Path(folder) / "run"
        logger = make_logger(chosen.logger, chosen.run, out) if here else False
        if chosen.trainer.accelerator != "gpu" or torch.cuda.is_available():
            make_trainer(chosen.trainer, logger, out, [])


def check_sample(settings: dict) -> None:
    kinds = (Controls, DrawConfig, SamplingRunConfig)
    fields = {kind: [f.name for f in dataclasses.fields(kind)] for kind in kinds}
    assert set(settings) == OF_SAMPLE.union(*fields.values())
    controls, *_ = (build(kind, {n: settings[n] for n in names}) for kind, names in fields.items())
    plan_of(controls)


def check_evaluate(settings: dict) -> None:
    config, *_ = evaluation.read_settings(settings)
    assert config.parts == evaluation.PARTS


CHECKS = {"train": check_train, "sample": check_sample, "evaluate": check_evaluate}


def test_every_folder_of_conf_is_a_group_that_something_chooses_from_or_holds_pins():
    chosen = {group for root in ROOTS for group in groups_of(root)}
    assert {path.name for path in CONF.iterdir() if path.is_dir()} - {PINS} == chosen
    assert set(ROOTS) == set(CHECKS)


@pytest.mark.parametrize("root", ROOTS)
def test_what_is_chosen_when_nothing_is_said_is_valid(root):
    CHECKS[root](composed(root))


@pytest.mark.parametrize(("root", "words"), CHOICES)
def test_every_choice_composes_into_valid_settings(root, words):
    if package := needs(words):
        pytest.skip(f"needs {package}")
    CHECKS[root](composed(root, words, *BESIDES.get(words, ())))


@pytest.mark.parametrize("path", sorted((CONF / "experiment").glob("*.yaml")), ids=lambda p: p.stem)
def test_what_an_experiment_says_counts(path):
    said = yaml.safe_load(path.read_text("utf-8"))
    words = f"experiment={path.stem}"
    found = composed("train", words, *BESIDES.get(words, ()))
    for key, value in said.items():
        if not isinstance(value, Mapping | list):
            assert found[key] == str(value).replace("${artist}", "ana")


@pytest.mark.parametrize(("root", "presets"), [("train", "experiment"), ("sample", "controls")])
def test_presets_add_no_key_of_their_own(root, presets):
    known = known_keys(root, presets)
    for of, words in CHOICES:
        if of == root and words.startswith(presets):
            assert set(keys(composed(root, words))) <= known, words


@pytest.mark.parametrize(
    ("root", "file", "text", "added"),
    [
        ("train", "experiment/slip.yaml", "trainer:\n  max_stepz: 3\n", "trainer.max_stepz"),
        (
            "train",
            "experiment/slip.yaml",
            "data:\n  augment:\n    pitch: 3\n",
            "data.augment.pitch",
        ),
        ("train", "experiment/slip.yaml", "gate: off\n", "gate"),
        ("sample", "controls/slip.yaml", "temprature: 2\n", "temprature"),
    ],
)
def test_a_misspelt_key_in_a_preset_is_found_by_these_tests(tmp_path, root, file, text, added):
    shutil.copytree(CONF, tmp_path / "conf")
    (tmp_path / "conf" / file).write_text(f"# @package _global_\n{text}", "utf-8")
    choice = file.removesuffix(".yaml").replace("/", "=")
    found = composed(root, choice, conf=tmp_path / "conf")
    assert set(keys(found)) - known_keys(root, file.split("/")[0]) == {added}
    with pytest.raises(Exception, match=r"unknown setting|Extra items") as caught:
        CHECKS[root](found)
    assert added.split(".")[-1] in str(caught.value)
