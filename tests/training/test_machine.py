"""What is chosen by itself: by the machine and by how long the run is."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gen.errors import SettingError
from gen.training import machine
from gen.training.machine import compiles, precision_for
from gen.training.settings.trainer_settings import TrainerConfig

LONG = TrainerConfig(max_steps=machine.LONG_STEPS)


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def gpu(monkeypatch):
    def having(bf16: bool) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: bf16)

    return having


@pytest.mark.parametrize("has_units", [True, False])
def test_bfloat16_where_the_machine_has_units_for_it(has_units, gpu, monkeypatch):
    expected = "bf16-mixed" if has_units else "32-true"
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: has_units)
    assert precision_for(TrainerConfig(accelerator="cpu")) == expected
    gpu(has_units)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: not has_units)
    assert precision_for(TrainerConfig()) == expected
    assert precision_for(TrainerConfig(precision="16-mixed")) == "16-mixed"


def test_a_run_is_compiled_where_it_is_long_enough(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(sys, "platform", "linux")
    assert compiles(LONG)
    assert not compiles(TrainerConfig(max_steps=machine.LONG_STEPS - 1))
    assert not compiles(TrainerConfig(max_steps=-1, max_time="00:00:03:00"))
    assert compiles(TrainerConfig(max_steps=-1, max_time="00:01:00:00"))
    assert compiles(TrainerConfig(max_steps=1, compile=True))
    assert not compiles(TrainerConfig(max_steps=machine.LONG_STEPS, compile=False))
    assert not compiles(TrainerConfig(max_steps=machine.LONG_STEPS, strategy="fsdp"))


def test_on_a_gpu_a_run_is_compiled_where_it_is_longer_still(gpu, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(machine, "find_spec", lambda name: name)
    monkeypatch.setattr(sys, "platform", "linux")
    gpu(bf16=True)
    assert not compiles(LONG)
    assert compiles(TrainerConfig(max_steps=machine.LONG_ON_GPU * machine.LONG_STEPS))
    assert not compiles(TrainerConfig(max_steps=-1, max_time="00:01:00:00"))
    assert compiles(TrainerConfig(max_steps=-1, max_time="00:02:00:00"))


def test_without_a_compiler_nothing_is_compiled(gpu, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert not compiles(LONG)
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(machine, "find_spec", lambda name: None)
    gpu(bf16=True)
    assert not compiles(LONG)  # no Triton
    monkeypatch.setattr(sys, "platform", "win32")
    assert not compiles(TrainerConfig(accelerator="cpu", max_steps=machine.LONG_STEPS))


@pytest.mark.parametrize("bad", [{"compile": "yes"}, {"compile": True, "strategy": "fsdp"}])
def test_what_cannot_be_is_refused(bad):
    with pytest.raises(SettingError, match=r"trainer\.compile"):
        TrainerConfig(**bad)


# --- compiled code ------------------------------------------------------------------------------


@pytest.fixture
def caches(tmp_path, monkeypatch):
    """The user's folder for caches, and variables that go back to what they were."""
    for name in ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "somebody-elses"))
    monkeypatch.setattr(machine, "user_cache_dir", lambda name: str(tmp_path / name))
    monkeypatch.setattr(machine.tempfile, "tempdir", str(tmp_path))
    return tmp_path / "gen"


def test_compiled_code_is_kept_where_only_this_user_writes(caches):
    machine.keep_compiled_code_to_oneself()
    place = Path(os.environ["TORCHINDUCTOR_CACHE_DIR"])
    assert place == caches / "torchinductor"
    assert os.environ["TRITON_CACHE_DIR"] == str(caches / "triton")
    assert sys.platform == "win32" or place.stat().st_mode & 0o077 == 0


def open_to_all(place):
    place.mkdir(parents=True)
    place.chmod(0o777)


def inside_one_open_to_all(place):
    place.mkdir(parents=True, mode=0o700)
    place.parent.chmod(0o777)


def link(place):
    place.parent.mkdir()
    elsewhere = place.parent.parent / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    place.symlink_to(elsewhere)


def file(place):
    place.parent.mkdir()
    place.write_text("")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps others out of one's profile")
@pytest.mark.skipif(not hasattr(os, "getuid"), reason="groups of users")
@pytest.mark.parametrize(
    ("group", "members", "is_own"),
    [("ana", [], True), ("ana", ["ana"], True), ("ana", ["ben"], False), ("users", [], False)],
)
def test_folder_that_a_group_may_write_in_is_ones_own_only_if_the_group_is(
    tmp_path, monkeypatch, group, members, is_own
):
    import grp
    import pwd

    number = tmp_path.stat().st_gid
    user = SimpleNamespace(pw_name="ana", pw_gid=number)
    named = SimpleNamespace(gr_gid=number, gr_name=group, gr_mem=members)
    monkeypatch.setattr(pwd, "getpwuid", lambda _: user)
    monkeypatch.setattr(grp, "getgrgid", lambda _: named)
    inside = tmp_path / "cache" / "compiled"
    inside.mkdir(parents=True, mode=0o700)
    inside.parent.chmod(0o770)
    assert machine.is_own(inside) is is_own


@pytest.mark.parametrize("prepare", [open_to_all, inside_one_open_to_all, link, file])
def test_code_that_somebody_else_may_have_put_there_is_not_run(caches, prepare):
    prepare(caches / "torchinductor")
    machine.keep_compiled_code_to_oneself()
    place = Path(os.environ["TORCHINDUCTOR_CACHE_DIR"])
    assert not place.is_relative_to(caches)
    assert place.stat().st_mode & 0o077 == 0
    assert not list(place.iterdir())
