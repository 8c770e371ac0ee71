"""Attacks on training itself: no argument, variable or file brings an unverified byte to a batch.

Every corpus file is opened once a run, by the gate. What might go round the gate is tried through
the command line, as an attacker would, and must end with exit code 2 before the first step.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from test_tag_attacks import plant

from gen.checkpoint import load_checkpoint
from gen.data import cache as event_cache
from gen.data.admission import annotations_of
from gen.data.batches import DataConfig
from gen.data.cache import CACHE_VARIABLE, EventCache
from gen.data.module import HouseData
from gen.data.store import rows_with_echoes
from gen.errors import HouseError, SettingError
from gen.provenance.admission import gate
from gen.provenance.desk.works import set_consent
from gen.provenance.manifests.manifest import RefusedFile
from gen.provenance.records.consent import Consent
from gen.smf import musical_hash
from gen.training import run
from gen.training.evidence import recording
from gen.training.run import train as train_with
from houses import keep_machine_key, key_of, make_midi, make_piece, start_house, tagged
from tiny_runs import SETTINGS, TRAIN, settings_of, train


@pytest.fixture
def works(house, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(CACHE_VARIABLE, "off")
    return house.enter(1, 2, 3, 4, 5, 6)


# --- who opens what -----------------------------------------------------------------------------


class Spy:
    """Notes who opens files below a folder; Python has no way to remove an audit hook."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.opened: list[tuple[str, list[str]]] = []
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple) -> None:
        if self.folder is None or event != "open":
            return
        path = Path(str(arguments[0]))
        if path.suffix == ".mid":
            # A file opened relative to its folder's handle comes with its name alone.
            self.opened.append((path.name, callers()))


def callers() -> list[str]:
    """Our modules that led here, the innermost first."""
    names, frame = [], sys._getframe(1)
    while frame:
        name = frame.f_globals.get("__name__", "")
        names += [name] if name.startswith("gen.") else []
        frame = frame.f_back
    return names


SPY: list[Spy] = []


@pytest.fixture
def spy(house):
    if not SPY:
        SPY.append(Spy())
    SPY[0].folder, SPY[0].opened = house.folder, []
    yield SPY[0]
    SPY[0].folder = None


def test_a_run_opens_every_corpus_file_once_and_only_from_the_gate(house, works, spy, tmp_path):
    house.enter(7, consent="evaluation")
    plant(house, make_midi(9), "ana/stranger-00000000.mid")
    spy.opened.clear()
    done = train(f"pin={house.pin.path}", "on_refusal=record")
    assert done.code == 0, done.stderr
    files = sorted(path.name for path in house.folder.rglob("*.mid"))
    assert sorted(path for path, _ in spy.opened) == files
    assert len(files) == 8
    for path, modules in spy.opened:
        assert modules[0].startswith("gen.disk."), (path, modules)
        assert "gen.provenance.admission.gate" in modules


def test_the_spy_sees_what_does_not_go_through_the_gate(house, works, spy):
    house.path(works[0]).read_bytes()
    assert spy.opened == [(house.path(works[0]).name, [])]


def test_what_batches_hold_is_what_the_gate_passed_on(house, works, monkeypatch):
    passed = {}
    data = HouseData(house.folder, house.pin, "general_model", DataConfig(32, 2))

    def watched(*args, receive, **more):
        def keep(work, piece):
            passed[work.work_id] = (work, piece())
            receive(work, piece)

        return gate.admit(*args, receive=keep, **more)

    monkeypatch.setattr("gen.data.admission.admit", watched)
    data.setup()
    made = [data.tokenizer.events(piece, annotations_of(w)) for w, piece in passed.values()]
    assert {e.array.tobytes() for e in made} == {w.events.array.tobytes() for w in data.works}
    for work, piece in passed.values():
        assert musical_hash(piece) == work.musical_hash


# --- arguments ----------------------------------------------------------------------------------

EVIL = "builtins.open"
ATTACKS = [
    "+gate=off",
    "gate=off",
    "on_refusal=ignore",
    "on_refusal=null",
    "purpose=anything",
    "purpose=null",
    "+receive=x",
    f"+model._target_={EVIL}",
    f"+data._target_={EVIL}",
    f"+optimizer._target_={EVIL}",
    f"+optimizer.schedule._target_={EVIL}",
    f"+logger._target_={EVIL}",
    f"+trainer._target_={EVIL}",
    f"+_target_={EVIL}",
    "+data.house=elsewhere",
    "+data.files=[stranger.mid]",
    "+data.split.works=[stranger.mid]",
    "+data.augment.mix=stranger.mid",
    f"+trainer.callbacks=[{{_target_:{EVIL}}}]",
    "+trainer.plugins=[x]",
    "+trainer.datamodule=x",
    "~data",
    "~trainer",
    f"+hydra.callbacks.x._target_={EVIL}",
    f"+hydra.callbacks.x={{_target_:{EVIL}}}",
    f"hydra.job_logging.handlers.console.class={EVIL}",
    "+hydra.job.env_set.PYTHONPATH=evil",
    f"hydra.launcher._target_={EVIL}",
    "hydra.sweeper.params.x=1",
    "hydra={callbacks:{}}",
    " hydra.callbacks.x=1",
    "hydra.searchpath=[file://evil]",
    "experiment=../evil",
    "experiment=${oc.env:HOME}",
    "+controls=../../evil",
    "+../evil=evil",
    "+logger@hydra.callbacks.x=csv",
    "--config-dir=evil",
    "--config-path=evil",
    "-cn=evil",
    "--config-n=evil",
    "--experimental-rerun=evil",
]


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """The pin of a clean house: an attack merely passed over would end in a trained model."""
    house = start_house(tmp_path_factory.mktemp("clean") / "house")
    house.enter(1, 2, 3, 4, 5, 6)
    return house.pin.path


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_argument_goes_round_the_gate(clean, tmp_path, monkeypatch, attack):
    monkeypatch.chdir(tmp_path)
    done = train(f"pin={clean}", attack)
    assert done.code == 2, done.stdout
    assert "Traceback" not in done.stderr
    assert not [p for p in tmp_path.rglob("*") if p.suffix in (".ckpt", ".safetensors")]


def test_arguments_that_researchers_need_pass(house, works):
    words = ("hydra.run.dir=outputs/here", "hydra.verbose=false", "hydra/launcher=basic")
    done = train(f"pin={house.pin.path}", *words, "optimizer=adamw", "--cfg", "job")
    assert (done.code, "name: adamw" in done.stdout) == (0, True)


def test_an_experiment_file_cannot_go_round_the_gate_either(house, works, tmp_path):
    conf = TRAIN.parents[1] / "conf"
    with initialize_config_dir(str(conf), version_base="1.3"):
        config = compose("train", [*SETTINGS.split(), f"pin={house.pin.path}"])
    settings = OmegaConf.to_container(config, resolve=True)
    for group in ("model", "data", "optimizer", "trainer", "logger"):
        evil = {**settings, group: {**settings[group], "_target_": EVIL}}
        with pytest.raises(SettingError, match="unknown setting"):
            train_with(evil, tmp_path / "run")
    with pytest.raises(SettingError, match="unknown setting"):
        train_with({**settings, "works": ["stranger.mid"]}, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("change", ["dir", "root_keys", "root_hash", "extra"])
def test_a_forged_pin_opens_no_other_folder(house, works, tmp_path, change):
    evil = tmp_path / "evil" / "ana"
    evil.mkdir(parents=True)
    (evil / "stranger-00000000.mid").write_bytes(make_midi(9))
    text = house.pin.path.read_text("utf-8")
    forged = {
        "dir": text.replace('dir: "house"', 'dir: "evil"'),
        "root_keys": text.replace(house.pin.root_keys[0], "0" * 64),
        "root_hash": text.replace(house.pin.root_hash, "0" * 64),
        "extra": f"{text}files: [evil/ana/stranger-00000000.mid]\n",
    }[change]
    assert forged != text
    pin = tmp_path / "forged.yaml"
    pin.write_text(forged, "utf-8")
    done = train(f"pin={pin}")
    assert done.code == 2, done.stderr
    assert not list(tmp_path.rglob("*.safetensors"))


# --- what is recorded is not learned from -------------------------------------------------------


def test_a_recorded_refusal_is_never_trained_on(house, works, tmp_path, monkeypatch):
    plant(house, tagged(make_midi(9)), "ana/stranger-00000000.mid")
    seen = []
    rows = event_cache.EventCache.rows
    monkeypatch.setattr(
        event_cache.EventCache,
        "rows",
        lambda self, sha256, *rest: seen.append(sha256) or rows(self, sha256, *rest),
    )
    done = train(f"pin={house.pin.path}", "on_refusal=record", "name=recorded")
    assert done.code == 0, done.stderr
    (best,) = tmp_path.glob("outputs/recorded/*/best.safetensors")
    manifest = load_checkpoint(best).manifest
    assert manifest.refused == (RefusedFile("ana/stranger-00000000.mid", "signature-count"),)
    assert hashlib.sha256(make_midi(9)).hexdigest() not in seen
    assert sorted(seen) == sorted(work.sha256 for work in manifest.works)
    assert len(seen) == 6


@pytest.mark.parametrize(("module", "name"), [(run, "begin_record"), (recording, "begin_run")])
def test_consent_that_ends_after_the_gate_and_before_the_first_step_ends_the_run(
    house, works, tmp_path, monkeypatch, module, name
):
    keep_machine_key()
    own = getattr(module, name)

    def meanwhile(*given, **more):
        house.house = set_consent(
            house.house, [works[0].work], Consent.parse("evaluation"), key_of("ana")
        )
        return own(*given, **more)

    monkeypatch.setattr(module, name, meanwhile)
    with pytest.raises(HouseError, match="may not be trained on for general_model by its comp"):
        train_with(settings_of(house.pin.path), tmp_path / "run")
    assert not list(tmp_path.rglob("*.safetensors"))
    assert not house.load().runs.by_index


# --- the cache ----------------------------------------------------------------------------------


@pytest.fixture
def data(house, works):
    """Calls set up the same data anew."""

    def make():
        data = HouseData(house.folder, house.pin, "general_model", DataConfig(32, 2))
        data.setup()
        return data

    return make


def poison(monkeypatch, folder: Path, secret: bytes, make) -> None:
    """Fill a cache with other music under the true names, sealed with `secret`."""
    found = make()
    other = rows_with_echoes(
        found.tokenizer.events(make_piece(99), annotations_of(found.corpus.admitted[0]))
    )
    cache = EventCache(folder / "events", secret)
    for work in found.corpus.admitted:
        cache.rows(work.sha256, annotations_of(work), found.tokenizer.fingerprint, lambda: other)
    (folder / "secret").write_bytes(secret)
    monkeypatch.setenv(CACHE_VARIABLE, str(folder))


def test_a_poisoned_cache_is_rebuilt_even_with_a_secret_beside_it(data, monkeypatch, tmp_path):
    honest = [work.events for work in data().works]
    poison(monkeypatch, tmp_path / "cache", b"x" * 32, data)
    assert len(list((tmp_path / "cache" / "events").rglob("*"))) > 6
    for _ in range(2):  # rebuilt, then read from the cache
        found = [work.events for work in data().works]
        assert all(np.array_equal(a, b) for a, b in zip(honest, found, strict=True))


@pytest.mark.parametrize("name", ["HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HOUSE_KEYS"])
def test_no_variable_lets_a_refused_file_in(house, works, tmp_path, monkeypatch, name):
    plant(house, make_midi(9), "ana/stranger-00000000.mid")
    monkeypatch.setenv(name, str(tmp_path / "evil"))
    assert train(f"pin={house.pin.path}").code == 2
