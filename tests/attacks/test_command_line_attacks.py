"""Attacks by command line and by configuration files: nothing runs before the gate has spoken.

Each would create a file if the code it names were run. All end in exit code 2 and no such file,
whichever of the three commands is asked.
"""

from __future__ import annotations

import itertools
import pickle
from pathlib import Path

import pytest

from houses import make_midi
from tiny_runs import TRAIN, call, train

COMMANDS = ("train", "sample", "evaluate")
GROUP = {"train": "experiment", "sample": "controls"}
CANARY = "ran.txt"


class Payload:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return Path.touch, (Path(CANARY).absolute(),)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOUSE_CACHE", "off")
    monkeypatch.setenv("HOUSE_PASSPHRASE", "correct horse battery")


def refused(command: str, *words: str) -> str:
    """What the command says; nothing was run and nothing was written."""
    before = set(Path.cwd().rglob("*"))
    done = call(TRAIN.with_name(f"{command}.py"), *words)
    assert done.code == 2, (done.stdout, done.stderr)
    assert set(Path.cwd().rglob("*")) == before
    assert "Traceback" not in done.stderr
    assert "correct horse battery" not in done.stderr + done.stdout
    assert done.stdout == ""
    return done.stderr


# --- flags --------------------------------------------------------------------------------------

RERUN = ("--experimental-rerun", "--experimental-reru", "--experimental", "--exp", "--ex", "--e")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", RERUN)
@pytest.mark.parametrize("form", ["{}=job.pickle", "{} job.pickle"])
def test_no_command_opens_a_pickle_however_the_flag_is_abbreviated(command, flag, form):
    Path("job.pickle").write_bytes(pickle.dumps(Payload()))
    refused(command, *form.format(flag).split())


def test_the_pickle_would_have_run():
    pickle.loads(pickle.dumps(Payload()))  # noqa: S301 - this is what must not happen elsewhere
    assert Path(CANARY).exists()


FLAGS = [
    "--config-path=evil", "--config-p=evil", "-cp=evil", "-cp evil", "--config-name=evil",
    "-cn evil", "-cnevil", "--config-di=evil", "--config-d evil", "--config-dir=nowhere",
    "--shell-completion install=bash", "-sc", "--multi", "--cf job", "--version=1", "-x=1",
    "-m --cfg job", "--", "@job", "--cfg nothing",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("words", FLAGS)
def test_no_command_takes_a_flag_that_is_not_on_the_list(command, words):
    Path("evil").mkdir()
    Path("evil", f"{command}.yaml").write_text(f"_target_: builtins.open\nfile: {CANARY}\n")
    Path("job").write_text("seed=2\n")
    if words == "--":
        words = "-- --experimental-rerun=job.pickle"
    refused(command, *words.split())


# --- settings -----------------------------------------------------------------------------------

SETTINGS = [
    f"+hydra.callbacks.x={{_target_:builtins.open,file:{CANARY},mode:w}}",
    f"++hydra.callbacks.x={{_target_:builtins.open,file:{CANARY},mode:w}}",
    "+hydra.callbacks={}",
    "hydra.callbacks={}",
    "hydra/callbacks=evil",
    "+hydra/callbacks=evil",
    "hydra={callbacks:{}}",
    "++hydra={callbacks:{}}",
    "~hydra",
    "~hydra.job_logging",
    "hydra.job_logging.handlers.console.class=evil.Handler",
    f"+hydra.job_logging.handlers.x={{class:logging.FileHandler,filename:{CANARY}}}",
    f"hydra.job_logging={{handlers:{{x:{{(): pathlib.Path.touch,self:{CANARY}}}}}}}",
    "+hydra.job_logging.root.handlers=[x]",
    "+hydra.job_logging.root.level=[DEBUG]",
    "hydra/job_logging=evil",
    "hydra.job.env_set={PYTHONPATH:evil}",
    "+hydra.job.env_set.PYTHONPATH=evil",
    "hydra.job.env_copy=[HOUSE_PASSPHRASE]",
    "hydra.job.name=../../evil",
    "hydra.output_subdir=../evil",
    "hydra.job.chdir=true",
    "hydra.launcher._target_=evil",
    "hydra/launcher=evil",
    "hydra/launcher=joblib",
    "+hydra.launcher.setup=[touch ran.txt]",
    "+hydra.launcher.partition='a\nb'",
    "hydra.sweeper._target_=evil",
    "hydra/sweeper=ax",
    "hydra/sweeper/sampler=cmaes",
    "+hydra.sweeper.storage=mysql+evil://x",
    "+hydra.sweeper.storage={_target_:evil}",
    "+hydra.sweeper.sampler.constraints_func=evil",
    "+hydra.sweeper.custom_search_space=evil.f",
    "+hydra.sweeper.params.seed=${oc.env:HOUSE_PASSPHRASE}",
    "+hydra.sweeper.params={hydra.callbacks.x._target_:evil}",
    "hydra.searchpath=[pkg://evil]",
    "hydra.searchpath=[structured://evil]",
    "hydra.searchpath=[nowhere]",
    "hydra.searchpath=nowhere",
    "hydra.run.dir=${oc.env:HOUSE_PASSPHRASE}",
    "hydra.help.template=${oc.env:HOUSE_PASSPHRASE}",
    "hydra.verbose=[{_target_:evil}]",
    "pin=${oc.env:HOUSE_PASSPHRASE}",
    "pin=${oc.env:HOUSE_PASSPHRASE,x}",
    "pin=${oc.decode:${oc.env:HOUSE_PASSPHRASE}}",
    "pin='x${oc.env:HOUSE_PASSPHRASE}'",
    'pin="\\${oc.env:HOUSE_PASSPHRASE}"',
    "pin=${now:${oc.env:HOUSE_PASSPHRASE}}",
    "pin=${hydra:job.env_set}",
    "pin=${oc.env:\"HOUSE_PASSPHRASE\"}",
    "seed={_target_:evil}",
    "seed=[{_target_:evil}]",
    "+_target_=evil",
    "+seed._target_=evil",
    "_target_=evil",
    "+../evil=evil",
    "+/hydra/callbacks=evil",
    "seed@hydra.callbacks.x=1",
    "~seed",
    " hydra.callbacks.x=1",
    "$x=1",
    "=1",
    "seed",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("words", SETTINGS)
def test_no_setting_runs_code_or_reads_the_environment(command, words):
    refused(command, words)


@pytest.mark.parametrize("words", SETTINGS)
def test_no_setting_of_a_sweep_does(words):
    refused("train", "--multirun", words, "seed=1,2")


@pytest.mark.parametrize(
    "words",
    ["experiment=demo,../evil", "model=choice(tiny,../evil)", "seed='${oc.env:HOME}',2",
     "hydra/launcher=basic,evil", "experiment=glob(*,../*)", "hydra.verbose=true,false",
     "seed=choice(1,'${oc.env:HOUSE_PASSPHRASE}')"],
)  # fmt: skip
def test_no_value_among_several_does(words):
    refused("train", "--multirun", words, "model.n_layer=0")


# --- files of one's own -------------------------------------------------------------------------

CALL = f"{{_target_: builtins.open, file: {CANARY}, mode: w}}"
EVIL = {
    "callbacks": f"hydra:\n  callbacks:\n    x: {CALL}\n",
    "handler": "hydra:\n  job_logging:\n    handlers:\n"
    f"      file: {{class: logging.FileHandler, filename: {CANARY}}}\n"
    "    root: {handlers: [file]}\n",
    "factory": "hydra:\n  job_logging:\n    handlers:\n"
    f"      x: {{(): pathlib.Path, x: {CANARY}}}\n",
    "variables": "hydra:\n  job:\n    env_set: {PYTHONSTARTUP: evil.py}\n",
    "copied": "hydra:\n  job:\n    env_copy: [HOUSE_PASSPHRASE]\n",
    "launcher": f"hydra:\n  launcher: {CALL}\n",
    "sweeper": f"hydra:\n  sweeper: {CALL}\n",
    "params": "hydra:\n  sweeper:\n    params:\n      hydra.callbacks.x._target_: choice(a,b)\n",
    "group": "defaults:\n  - override /hydra/callbacks: evil\n",
    "package": "defaults:\n  - /parts@hydra.callbacks.x: evil\n",
    "logging": "defaults:\n  - override /hydra/job_logging: evil\n",
    "target": "_target_: builtins.open\n",
    "passphrase": "pin: ${oc.env:HOUSE_PASSPHRASE}\n",
    "nested": "pin: ${now:${oc.env:HOUSE_PASSPHRASE}}\n",
    "chained": "name: ${hydra.job.env_set}\npin: ${oc.dict.values:name}\n",
    "file": "pin: ${oc.create:x}\n",
    "extra": "gate: off\n",
    "python": f"pin: !!python/object/apply:pathlib.Path.touch [{CANARY}]\n",
    "name": "hydra:\n  job:\n    name: ../../evil\n",
}  # fmt: skip


def lay(folder: Path, command: str, text: str) -> None:
    """A person's own folder of configuration files."""
    for group, content in {
        GROUP[command]: f"# @package _global_\n{text}",
        "hydra/callbacks": f"x: {CALL}\n",
        "hydra/job_logging": f"version: 1\nhandlers: {{x: {{(): pathlib.Path, x: {CANARY}}}}}\n",
        "hydra/launcher": f"{CALL[:-1]}, x: 1}}\n",
        "parts": f"{CALL}\n",
    }.items():
        (folder / group).mkdir(parents=True)
        (folder / group / "evil.yaml").write_text(content, "utf-8")


WAYS = ["--config-dir=own", "-cd own", "hydra.searchpath=[own]", "hydra.searchpath=[file://own]"]


def every_way() -> list:
    """What is composed is judged alike whichever way it came: by default, ways take turns."""
    found = []
    for number, (what, command) in enumerate(itertools.product(EVIL, GROUP)):
        for turn, way in enumerate(WAYS):
            marks = [] if (number + number // 8) % 4 == turn else [pytest.mark.slow]
            found.append(pytest.param(way, what, command, marks=marks))
    return found


@pytest.mark.parametrize(("way", "what", "command"), every_way())
def test_files_of_ones_own_hold_values_only(way, what, command):
    lay(Path("own"), command, EVIL[what])
    if (what, command) == ("logging", "sample"):  # whose own choice comes before
        done = call(TRAIN.with_name("sample.py"), *way.split(), "controls=evil", "--cfg", "all")
        assert "hydra/job_logging: none" in done.stdout
        return
    refused(command, *way.split(), f"{GROUP[command]}=evil")


IN_A_SWEEP = ("callbacks", "handler", "launcher", "sweeper", "params", "group", "target", "nested")


@pytest.mark.parametrize(
    "what", [w if w in IN_A_SWEEP else pytest.param(w, marks=pytest.mark.slow) for w in EVIL]
)
def test_files_of_ones_own_hold_values_only_in_a_sweep(what):
    lay(Path("own"), "train", EVIL[what])
    refused("train", "--multirun", "--config-dir=own", "experiment=evil,demo", "model.n_layer=0")


@pytest.mark.parametrize("command", COMMANDS)
def test_files_of_ones_own_take_no_shipped_files_place(command):
    lay(Path("own"), "train", "")
    for name in ("job_logging/default", "job_logging/disabled", "launcher/basic", "env/default"):
        place = Path("own", "hydra", f"{name}.yaml")
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"x: {CALL}\n", "utf-8")
    Path("own", f"{command}.yaml").write_text("gate: off\n", "utf-8")
    done = call(TRAIN.with_name(f"{command}.py"), "--config-dir=own", "--cfg", "all")
    assert "gate" not in done.stdout
    assert CANARY not in done.stdout
    assert not Path(CANARY).exists()


@pytest.mark.parametrize("way", ["file", "folder"])
def test_link_in_a_folder_of_ones_own_tells_no_other_files_text(way, tmp_path):
    """A linked file's words would come back in the message that refuses them."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "evil.yaml").write_text("the password of the vault\n", "utf-8")
    own = Path("own")
    own.mkdir()
    if way == "folder":
        (own / "experiment").symlink_to(secrets)
    else:
        (own / "experiment").mkdir()
        (own / "experiment" / "evil.yaml").symlink_to(secrets / "evil.yaml")
    told = refused("train", "--config-dir=own", "experiment=evil")
    assert "is a link to something else" in told
    assert "password" not in told


# --- variables ----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_variables_hold_no_settings(command, monkeypatch):
    monkeypatch.setenv("PL_TRAINER_FAST_DEV_RUN", "1")
    assert "PL_TRAINER_FAST_DEV_RUN" in refused(command)


def test_no_variable_of_hydras_names_the_code_that_runs(house, monkeypatch):
    house.enter(1, 2, 3, 4, 5, 6)
    for name in ("HYDRA_MAIN_MODULE", "FB_PAR_MAIN_MODULE", "FB_XAR_MAIN_MODULE"):
        monkeypatch.setenv(name, "evil.module")
    done = train(f"pin={house.pin.path}")
    assert done.code == 0, done.stderr


# --- the current folder ------------------------------------------------------------------------

OWN = ("base64", "multiprocessing", "struct", "pickle", "gen", "numpy")
"""Of modules that a process which is started imports before anything else; Python's own, too."""


@pytest.fixture
def downloads(monkeypatch, tmp_path):
    """A folder that somebody else filled, with a song in it and code under those names."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    for name in OWN:
        (folder / f"{name}.py").write_text(f"open({CANARY!r}, 'w')\nraise SystemExit\n")
    (folder / "song.mid").write_bytes(make_midi(1))
    monkeypatch.chdir(folder)
    return folder


def test_who_reads_a_song_runs_no_code_that_lies_beside_it(house, downloads):
    words = ("song.mid", "--composer", "ana", "--check", "--pin", str(house.pin.path))
    done = call(TRAIN.with_name("contribute.py"), *words)
    assert (done.code, "1 checked" in done.stdout) == (0, True), done
    assert not Path(CANARY).exists()


def test_processes_that_help_run_no_code_of_the_current_folder(house, downloads, monkeypatch):
    monkeypatch.setattr("gen.processes.MANY", 1)
    monkeypatch.setattr("gen.processes.cores", lambda: 2)
    house.enter(1, 2, 3)
    code, told = house.audit()
    assert (code, len(told["admitted"])) == (0, 3)
    assert not Path(CANARY).exists()


# --- what honest people need --------------------------------------------------------------------


@pytest.mark.parametrize("way", ["--config-dir=own", "hydra.searchpath=[file://own]"])
def test_an_experiment_of_ones_own_trains(house, way):
    house.enter(1, 2, 3, 4, 5, 6)
    own = Path("own")
    for name, text in {
        "experiment/mine": "# @package _global_\ndefaults:\n  - override /model: wee\n\n"
        "name: mine_${seed}\ntrainer:\n  max_steps: 2\n",
        "model/wee": "n_layer: 1\nwidth: 32\nn_head: 2\nmlp_ratio: 2\nmlp_layers: null\n"
        "kv_heads: null\nattention_window: null\ndropout: 0.0\ncontext: 128\n",
    }.items():
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / f"{name}.yaml").write_text(text, "utf-8")
    small = ("data.training_window=32",
             "data.split.validation=0.2", "data.split.test=0.2", "logger=csv",
             "trainer.accelerator=cpu", "trainer.val_check_interval=2")  # fmt: skip
    done = call(TRAIN, way, "experiment=mine", *small, f"pin={house.pin.path}")
    assert done.code == 0, done.stderr
    assert list(Path("outputs/mine_1").glob("*/best.safetensors"))


def test_a_misspelt_key_in_an_experiment_of_ones_own_gets_the_nearest_name():
    Path("own/experiment").mkdir(parents=True)
    Path("own/experiment/mine.yaml").write_text("# @package _global_\ntrainer:\n  max_stepz: 1\n")
    assert "did you mean 'trainer.max_steps'" in refused(
        "train", "--config-dir=own", "experiment=mine"
    )
