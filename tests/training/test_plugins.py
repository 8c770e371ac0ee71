"""Models, optimizers, callbacks and tokenizers of installed packages."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from lightning import Callback

import gen.plugins
from gen.checkpoint import load_checkpoint
from gen.errors import HouseError, SettingError
from gen.plugins import Installed, digest_of, find, find_again
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.manifests.model_file import read_model_file
from gen.training.run import train
from gen.training.settings.run_settings import read_settings, recipe_of
from houses import keep_machine_key
from recorded_runs import FROM_A_BASE, RUN, Trained, kept_apart, trained
from tiny_runs import SETTINGS, TRAIN, call, settings_of

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "example_plugin"
PLUGGED = (
    "plugins.model=gated", "plugins.optimizer=lion", "plugins.callbacks=[noisy_gradients]",
    "+plugins.options.gated.inner=1.5", "+plugins.options.noisy_gradients.scale=0.01",
)  # fmt: skip


def run_python(*words: object) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def interpreter(environment: Path) -> Path:
    return next(path for path in environment.glob("*/python*") if path.is_file())


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Path:
    """An environment of its own, with the example installed by pip and all else at hand."""
    folder = tmp_path_factory.mktemp("environment")
    shutil.copytree(EXAMPLE, folder / "example", ignore=shutil.ignore_patterns("build", "*.egg*"))
    run_python("-m", "venv", "--without-pip", folder / "venv")
    pip = ("-m", "pip", "--disable-pip-version-check")
    quietly = ("-q", "--no-deps", "--no-index")
    run_python(
        *pip, "wheel", *quietly, "--no-build-isolation", "-w", folder, folder / "example"
    )  # fmt: skip
    python = interpreter(folder / "venv")
    run_python(*pip, "--python", python, "install", *quietly, *folder.glob("*.whl"))
    return folder / "venv"


@pytest.fixture(scope="module")
def packages(environment) -> Path:
    return next(environment.rglob("house_extras")).parent


@pytest.fixture(scope="module")
def installed(packages):
    """This process takes plug-ins from that environment."""
    with pytest.MonkeyPatch.context() as patch:
        take_from(patch, packages)
        yield packages


def take_from(patch: pytest.MonkeyPatch, packages: Path) -> None:
    patch.setattr(gen.plugins, "install_folders", lambda: [str(packages)])
    patch.syspath_prepend(packages)
    for name in [name for name in sys.modules if name.partition(".")[0] == "house_extras"]:
        patch.delitem(sys.modules, name)


@pytest.fixture
def copied(packages, tmp_path, monkeypatch) -> Path:
    """The same, in a copy that a test may change."""
    place = tmp_path / "site-packages"
    for path in packages.glob("house_extras*"):
        shutil.copytree(path, place / path.name)
    take_from(monkeypatch, place)
    return place


@pytest.fixture(scope="module")
def kept(installed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plugged")
    with kept_apart(folder):
        yield trained(folder, *PLUGGED)


@pytest.fixture(autouse=True)
def as_a_trainer(monkeypatch):
    monkeypatch.setenv("HOUSE_CACHE", "off")
    keep_machine_key()


def manifest_of(run: Trained) -> Manifest:
    return read_model_file(run.last).manifest


def test_an_environments_command_trains_with_what_is_installed_there(environment, kept, tmp_path):
    site = next(environment.rglob("house_extras")).parent
    paths = [path for path in sys.path if path.endswith(("site-packages", "src"))]
    (site / "all_else.pth").write_text("\n".join(paths), "utf-8")
    python = interpreter(environment)
    settings = [*SETTINGS.split(), *RUN, *PLUGGED, f"pin={kept.house.pin.path}"]
    done = subprocess.run(
        [python, TRAIN, *settings, f"hydra.run.dir={tmp_path / 'run'}"], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "calls code that is not this project's: model gated of house-extras 1.0" in done.stderr
    here, there = read_model_file(kept.last), read_model_file(tmp_path / "run" / kept.last.name)
    assert there.tensors_sha256 == here.tensors_sha256
    assert there.manifest.plugins == here.manifest.plugins


def test_the_manifest_names_each_with_package_version_and_digest(kept, packages):
    manifest = manifest_of(kept)
    assert [(p.kind, p.name) for p in manifest.plugins] == [
        ("callback", "noisy_gradients"), ("model", "gated"), ("optimizer", "lion"),
    ]  # fmt: skip
    files = {f"house_extras/{path.name}": path for path in packages.glob("house_extras/*.py")}
    (notes,) = packages.glob("house_extras*.dist-info")
    own = ("METADATA", "WHEEL", "entry_points.txt", "top_level.txt")
    files |= {f"{notes.name}/{name}": notes / name for name in own}
    assert {(p.distribution, p.version, p.sha256) for p in manifest.plugins} == {
        (
            "house-extras",
            "1.0",
            digest_of({name: files[name].read_bytes() for name in files}),
        )
    }
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_the_network_is_the_plug_ins_with_its_options(kept):
    model = load_checkpoint(kept.last).model
    assert type(model).__name__ == "GatedTransformer"
    assert model.blocks[0].mlp.gate.weight.shape == (24, 16)


def test_settings_are_in_the_begin_act_only_where_plug_ins_are_named(kept):
    runs = kept.house.load().runs.by_index
    run = runs[min(runs)]  # other tests may have entered runs after it
    assert json.loads(run.begin.recipe)["plugins"]["options"]["gated"] == {"inner": 1.5}
    plain = settings_of(kept.house.pin.path)
    assert "plugins" in plain
    assert "plugins" not in recipe_of(plain)


def test_it_is_rebuilt_with_the_same_packages(kept):
    code, said = kept.rebuild()
    assert code == 0, said
    assert "the same bits: all 3 segments" in said
    code, said = kept.rebuild("--segment", 3)  # from a kept state
    assert code == 0, said


def test_verify_says_what_it_was_trained_with_and_whether_it_is_here(kept, monkeypatch):
    code, said = kept.ask("verify", "--checkpoint", kept.last)
    assert code == 0, said
    assert "trained with optimizer lion of house-extras 1.0" in said
    assert "the same is installed here" in said
    monkeypatch.setattr(gen.plugins, "install_folders", list)
    code, said = kept.ask("verify", "--checkpoint", kept.last)
    assert code == 0, said
    assert "is needed: " in said


def test_without_the_package_nothing_that_needs_it_is_done(kept, monkeypatch):
    monkeypatch.setattr(gen.plugins, "install_folders", list)
    with pytest.raises(HouseError, match=r"model gated of house-extras 1\.0 .* is needed"):
        load_checkpoint(kept.last)
    code, said = kept.rebuild()
    assert code == 2
    assert "is needed" in said
    assert "house-extras" in said


def test_another_version_of_its_files_is_refused(kept, copied):
    reinstalled(copied, "lion.py", "0.9", "0.91")
    with pytest.raises(HouseError, match="is needed, installed here is model gated"):
        load_checkpoint(kept.last)
    code, said = kept.rebuild()
    assert code == 2
    assert "is needed, installed here is" in said


def reinstalled(packages: Path, name: str, old: str, new: str) -> None:
    """Change a file and its line in the record, as an installer would have left both."""
    path = packages / "house_extras" / name
    text = path.read_text("utf-8")
    assert old in text
    (record,) = packages.glob("*.dist-info/RECORD")
    line = next(line for line in record.read_text("utf-8").splitlines() if name in line)
    path.write_text(text.replace(old, new), "utf-8")
    digest = gen.plugins._recorded(path.read_bytes(), "sha256")
    changed = f"house_extras/{name},sha256={digest},{path.stat().st_size}"
    record.write_text(record.read_text("utf-8").replace(line, changed), "utf-8")


def test_a_file_that_differs_from_the_record_is_refused(copied):
    path = copied / "house_extras" / "lion.py"
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")
    with pytest.raises(SettingError, match=r"house_extras/lion\.py is not what was installed"):
        find("optimizer", "lion")


def test_an_editable_package_is_refused(copied):
    (notes,) = copied.glob("*.dist-info")
    (notes / "direct_url.json").write_text('{"url": "file:///x", "dir_info": {"editable": true}}')
    with pytest.raises(SettingError, match="installed as editable"):
        find("optimizer", "lion")


def test_what_lies_on_the_path_is_not_installed(copied, monkeypatch):
    monkeypatch.setattr(gen.plugins, "install_folders", list)
    with pytest.raises(SettingError, match=r"lies in .*site-packages, where no package"):
        find("optimizer", "lion")


def test_a_folder_of_the_same_name_is_not_imported_in_its_place(copied, tmp_path, monkeypatch):
    (tmp_path / "house_extras").mkdir()
    (tmp_path / "house_extras" / "__init__.py").write_text("raise SystemExit('it ran')", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(HouseError, match="would be imported from"):
        find("optimizer", "lion").load()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("plugins.optimizer=lyon", "did you mean 'lion'?"),
        ("plugins.model=lion", "(entry points of gen.models)"),
        ("plugins.callbacks=[os.system]", "no package that is installed here brings"),
        ("plugins.callbacks=[a:b]", "is no name"),
        ("plugins.optimizer=../x", "is no name"),
        ("+plugins.options.lion.fast=0.8", "no plug-in of this run has that name"),
        ("plugins.optimiser=lion", "did you mean 'plugins.optimizer'?"),
        ("+plugins.options={_target_: os.system}", "is no group of settings"),
        (
            "plugins.optimizer=lion +plugins.options.lion.quick=1",
            "lion cannot be called with these options: got an unexpected keyword argument 'quick'",
        ),
        (
            "plugins.model=gated +plugins.options.gated.outer=1",
            "gated cannot be called with these options",
        ),
    ],
)
def test_other_names_are_refused(kept, tmp_path, words, said):
    done = command(kept, tmp_path, *re.split(" (?=[+p])", words))
    assert done.code == 2
    assert said in done.stderr
    assert not (tmp_path / "run").exists()


def command(kept: Trained, folder: Path, *words: str):
    settings = [*SETTINGS.split(), *RUN, f"pin={kept.house.pin.path}"]
    return call(TRAIN, *settings, f"hydra.run.dir={folder / 'run'}", *words)


def test_nothing_is_imported_for_a_run_that_names_nothing(kept, copied, tmp_path):
    assert command(kept, tmp_path).code == 0
    assert "house_extras" not in sys.modules


def test_nothing_is_imported_before_the_gate_has_answered(kept, copied, tmp_path):
    settings = settings_of(kept.house.pin.path, *PLUGGED, "corpus.least=99")
    with pytest.raises(HouseError, match="99"):
        train(settings, tmp_path)
    assert "house_extras" not in sys.modules


def test_a_run_is_resumed_with_the_same_plug_ins_alone(kept, tmp_path):
    assert command(kept, tmp_path / "first", *PLUGGED, "trainer.max_steps=3").code == 0
    ckpt = f"ckpt={tmp_path / 'first' / 'run' / 'last.ckpt'}"
    done = command(kept, tmp_path, *PLUGGED, ckpt)
    assert done.code == 0, done.stderr
    fewer = [word for word in PLUGGED if "noisy" not in word]
    done = command(kept, tmp_path / "other", *fewer, ckpt)
    assert done.code == 2
    assert "the run to resume called callback noisy_gradients" in done.stderr


def test_its_weights_are_gone_on_from_by_its_network_alone(kept, tmp_path):
    init = f"init={kept.last}"
    begin = [*FROM_A_BASE, f"pin={kept.house.pin.path}", init, f"hydra.run.dir={tmp_path / 'run'}"]
    done = call(TRAIN, *begin)
    assert done.code == 2
    assert "plugins.model=gated" in done.stderr
    done = call(TRAIN, *begin, "plugins.model=gated", "+plugins.options.gated.inner=1.5")
    assert done.code == 0, done.stderr
    manifest = read_model_file(tmp_path / "run" / "last.safetensors").manifest
    assert [words for words in manifest.foreign_code if "behind the model" in words]


def test_pieces_say_in_their_receipts_what_was_called(kept, tmp_path):

    script = TRAIN.with_name("sample.py")
    done = call(
        script, f"checkpoint={kept.last}", f"pin={kept.house.pin.path}", "bars=2", "n=1",
        "audio=false", "originality=off", f"out={tmp_path}",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    (receipt,) = [p for p in tmp_path.rglob("*.json") if "machine_generated" in p.read_text()]
    assert "optimizer lion of house-extras 1.0" in receipt.read_text()


def test_a_tokenizer_of_ones_own_is_learned_kept_and_read_again(kept, tmp_path):
    done = command(kept, tmp_path, "plugins.tokenizer=plain_tsd", "tokenizer.vocab_size=null")
    assert done.code == 0, done.stderr
    found = load_checkpoint(tmp_path / "run" / "last.safetensors")
    assert found.tokenization.name == "plain_tsd"
    assert type(found.tokenization.tokenizer).__name__ == "PlainTSD"
    plain = command(kept, tmp_path / "plain", "tokenizer=tsd")
    assert plain.code == 0, plain.stderr
    other = load_checkpoint(tmp_path / "plain" / "run" / "last.safetensors")
    assert other.tokenization.words == found.tokenization.words
    assert other.tokenization.fingerprint != found.tokenization.fingerprint


def test_pieces_and_figures_come_of_a_tokenizer_of_ones_own(kept, tmp_path, monkeypatch):
    done = command(kept, tmp_path, "plugins.tokenizer=plain_tsd")
    assert done.code == 0, done.stderr
    model = tmp_path / "run" / "last.safetensors"
    (named,) = read_model_file(model).manifest.plugins
    assert (named.kind, named.name) == ("tokenizer", "plain_tsd")
    assert (named.distribution, named.version) == ("house-extras", "1.0")
    assert len(named.sha256) == 64
    about = (f"checkpoint={model}", f"pin={kept.house.pin.path}")
    few = ("bars=2", "n=1", "audio=false", "originality=off", f"out={tmp_path / 'pieces'}")
    done = call(TRAIN.with_name("sample.py"), *about, *few)
    assert done.code == 0, done.stderr
    (receipt,) = [p for p in tmp_path.rglob("*.json") if "machine_generated" in p.read_text()]
    assert "tokenizer plain_tsd of house-extras 1.0" in receipt.read_text()
    little = ("parts=[likelihood]", "baselines=false", f"out={tmp_path / 'report'}")
    done = call(TRAIN.with_name("evaluate.py"), *about, *little)
    assert done.code == 0, done.stderr
    report = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert [one["tokenizer"] for one in report["models"]] == ["plain_tsd"]
    monkeypatch.setattr(gen.plugins, "install_folders", list)
    for script, words in (("sample.py", few), ("evaluate.py", little)):
        done = call(TRAIN.with_name(script), *about, *words)
        assert done.code == 2
        assert "tokenizer plain_tsd of house-extras 1.0" in done.stderr
        assert "is needed" in done.stderr


def test_options_and_names_are_judged_without_looking_for_packages(kept):
    settings = settings_of(kept.house.pin.path)
    with pytest.raises(SettingError, match="plain value"):
        read_settings({**settings, "plugins": {"options": {"a": {"b": {"c": 1}}}}})
    with pytest.raises(SettingError, match="takes no options"):
        read_settings({**settings, "plugins": {"tokenizer": "a", "options": {"a": {"b": 1}}}})
    lora = {"lora": {**settings["lora"], "rank": 4}, "init": "x.safetensors"}
    with pytest.raises(SettingError, match="our own model's matrices"):
        read_settings({**settings, **lora, "plugins": {"model": "a"}})
    with pytest.raises(SettingError, match="named twice"):
        read_settings({**settings, "plugins": {"callbacks": ["a", "a"]}})


# Callbacks that a program hands over -----------------------------------------------------


class Doubles(Callback):
    """Doubles the gradients."""

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        for parameter in pl_module.parameters():
            if parameter.grad is not None:
                parameter.grad.mul_(2)


def test_callbacks_that_a_program_hands_over_are_named_and_cannot_be_rebuilt(kept, tmp_path):
    settings = settings_of(kept.house.pin.path, *RUN)
    train(settings, tmp_path, [Doubles()])
    run = Trained(kept.house, tmp_path)
    manifest = manifest_of(run)
    assert manifest.callbacks_given == (f"{__name__}.Doubles",)
    assert Manifest.from_json(manifest.to_json()) == manifest
    code, said = run.rebuild()
    assert code == 2
    assert "handed callbacks to the run" in said
    code, said = run.ask("verify", "--checkpoint", run.last)
    assert code == 0, said
    assert f"trained with callback {__name__}.Doubles" in said


def test_manifests_of_other_runs_keep_their_bytes(kept, tmp_path):
    train(settings_of(kept.house.pin.path, *RUN), tmp_path)
    text = read_model_file(tmp_path / "last.safetensors").manifest.to_json()
    assert not {"plugins", "callbacks_given"} & json.loads(text).keys()


def test_state_of_an_optimizer_with_tensors_of_no_dimensions_is_kept_as_it_is(
    kept, tmp_path, monkeypatch
):
    kind = lambda groups: torch.optim.AdamW(groups)  # noqa: E731
    monkeypatch.setattr(Installed, "load", lambda self: kind)
    run = trained(
        tmp_path, "plugins.optimizer=lion", "optimizer.lr=0.01", house=kept.house
    )  # fmt: skip
    code, said = run.rebuild("--segment", 3)
    assert code == 0, said


def test_find_again_takes_the_very_same(installed):
    plugin = find("optimizer", "lion").plugin
    assert find_again(plugin).plugin == plugin


def test_callbacks_that_lightning_would_call_unasked_are_refused(house, tmp_path, monkeypatch):
    """Any package may offer some to Lightning, which calls them in each run: no record shows it."""
    house.enter(1, 2, 3, 4, 5, 6)
    site = tmp_path / "site"
    about = site / "helper-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: helper\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[lightning.pytorch.callbacks_factory]\nnoise = helper:made\n"
    )
    (site / "helper.py").write_text("def made():\n    open('called', 'w')\n    return []\n")
    monkeypatch.syspath_prepend(site)
    monkeypatch.chdir(tmp_path)
    size = house.load().size
    with pytest.raises(SettingError, match="'noise' of helper would be called in every run"):
        train(settings_of(house.pin.path), tmp_path / "run")
    assert not Path("called").exists()
    assert house.load().size == size
