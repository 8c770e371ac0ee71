"""Fixtures that several rooms share; the helpers behind them are in `houses.py`."""

from __future__ import annotations

import copy
import gc
import os
import secrets
import shlex
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import pytest
from execnet import XSpec
from hypothesis import HealthCheck, settings
from omegaconf import OmegaConf

import prepared
import thorough
from gen.processes import cores
from gen.provenance.houses.access import HOUSE_VARIABLE
from gen.provenance.signing.key_files import KEYS_VARIABLE, PASSPHRASE_VARIABLE
from houses import PASSPHRASE, TestHouse, start_house
from tiny_runs import SECRET

settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("random", settings.get_profile("steady"), derandomize=False)
settings.load_profile("steady")  # the same examples each time; others: --hypothesis-profile=random


MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30  # noqa: S108 - a file system of Linux
"""Where files lie in memory, and the bytes that have to be free there."""
STRANGE = ("test_safe_parse.py", "test_file_attacks.py", "test_bombs.py", "test_mutants.py")
"""Files with tests of how files are read that may be anything."""


@pytest.hookimpl(tryfirst=True)  # before Hypothesis reads its options
def pytest_configure(config: pytest.Config) -> None:
    if config.option.hypothesis_profile == "random" and config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = secrets.randbelow(2**32)
    thorough.leave_out(config.option.markexpr)
    _write_into_memory()
    _hear_ctrl_c()
    _keep_compiled_modules()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # test processes share the cores
    if prepared.CAN_FORK and prepared.FOLDER not in os.environ:  # not in a worker of xdist
        run = prepared.begin_run()
        config.add_cleanup(lambda: prepared.end_run(run))


def pytest_xdist_setupnodes(config: pytest.Config, specs: list[XSpec]) -> None:
    """Test processes, too, begin with torch imported; for coverage they see each line imported."""
    if prepared.CAN_FORK and not config.getoption("cov_source", None):
        for spec in specs:
            spec.python = shlex.join(prepared.prepared(prepared.WORKER))


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores, since tests wait for processes that they start."""
    return cores() + 1


def _write_into_memory() -> None:
    """Keep what tests write in memory, where there is room: it is there for seconds.

    A disk that is busy, or slow to forget what is deleted, can make them wait as long again.
    """
    if "TMPDIR" not in os.environ and MEMORY.is_dir():
        with suppress(OSError):
            if shutil.disk_usage(MEMORY).free > ROOM and os.access(MEMORY, os.W_OK):
                os.environ["TMPDIR"] = str(MEMORY)
                tempfile.tempdir = None  # it is asked for anew


def _hear_ctrl_c() -> None:
    """Hear Ctrl-C also where whoever started the tests does not, as under `nohup` or with `&`.

    Processes that tests start would not hear it either, and some tests stop them by it.
    """
    on_main_thread = threading.current_thread() is threading.main_thread()
    if on_main_thread and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _keep_compiled_modules() -> None:
    """Hundreds of processes that tests start would else compile the house's modules anew each."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if config.option.hypothesis_profile == "random":
        seed = config.option.hypothesis_seed
        terminalreporter.line(f"random examples; the same again: --hypothesis-seed={seed}")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported stays: the collector of garbage need not look through it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


LONGEST = (
    "test_shipped_rebuild.py", "test_ddp.py", "test_kills.py", "test_portable.py",
    "test_benchmark.py",
)  # fmt: skip
"""Files with tests of ten seconds and more; at the end, one process would wait for them alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, and may take its time if it is known to be slow."""
    thorough.mark(items)
    items.sort(key=lambda item: item.path.name not in LONGEST)
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(0))


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out waiting for the disk: it takes a hundred times as long as the rest.

    `tests/provenance/test_files.py` checks that the waiting is there, and when; a killed
    process, unlike a power cut, loses nothing that it had handed to the kernel.
    """
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(autouse=True)
def no_house_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the house, the keys and the passphrase of whoever runs the tests."""
    monkeypatch.delenv(HOUSE_VARIABLE, raising=False)
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)
    monkeypatch.setenv(KEYS_VARIABLE, str(tmp_path / "keys"))


@pytest.fixture(autouse=True)
def quick_reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What reads strangers' files is forked, but where what it withstands is the point."""
    if request.path.name not in STRANGE:
        monkeypatch.setattr("gen.safe_parse.subprocess", prepared.quick_subprocess)


@pytest.fixture(autouse=True, scope="session")
def settings_read_once() -> Iterator[None]:
    """Who composes settings has each file parsed once; by its text, so never an old one."""
    read, found = OmegaConf.load, {}

    def load(file: IO[str]) -> Any:
        text = file.read()
        if text not in found:
            file.seek(0)
            found[text] = read(file)
        return copy.deepcopy(found[text])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OmegaConf, "load", staticmethod(load))
        yield


@pytest.fixture
def quick_helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that help this one begin with torch imported, where that is possible."""
    from gen.rendering.renderer import LONG_TO_LOAD

    if prepared.CAN_FORK:
        modules = ("gen.sampling.run", "gen.data.tokenising", *LONG_TO_LOAD)
        begun = prepared.helpers(*modules)
        monkeypatch.setattr("gen.processes._Helpers", lambda: begun)


@pytest.fixture
def house(tmp_path: Path) -> TestHouse:
    return start_house(tmp_path / "house")


@pytest.fixture
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty key folder, an empty cache and a passphrase, as a person's environment has them."""
    folder = tmp_path / "keys"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(KEYS_VARIABLE, str(folder))
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
    return folder


@pytest.fixture(autouse=True)
def own_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's secret out of the home folder of whoever runs the tests."""
    monkeypatch.setattr("gen.disk.seals.secret_path", lambda: tmp_path / SECRET)
