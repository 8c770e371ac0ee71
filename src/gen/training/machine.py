"""What the machine at hand is good at: the precision of a run, and whether compiling it pays."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import torch
from platformdirs import user_cache_dir

from gen.processes import cores
from gen.settings import AUTO
from gen.training.settings.trainer_settings import TrainerConfig, check_count, check_gpu

LONG_STEPS = 1_000
LONG_TIME = timedelta(minutes=5)
"""Compiling takes half a minute at first and saves about a fifth of a step on a CPU …"""
LONG_ON_GPU = 20
"""… and of 6 M parameters 2 of 9 ms on a GPU, where it pays after so many times as long."""


FULL_NAMES = {"32": "32-true", "64": "64-true", "16": "16-mixed", "bf16": "bf16-mixed"}


def check_devices(config: TrainerConfig) -> None:
    """Refuse devices that this machine does not have.

    Raises:
        SettingError: there are fewer, or none of that kind.
    """
    check_gpu(config, is_here=torch.cuda.is_available() or _has_mps())
    if on_gpu(config):
        check_count(config, torch.cuda.device_count(), "GPUs")
    elif config.accelerator == "cpu" or (config.accelerator == AUTO and not _has_mps()):
        check_count(config, max(2, cores()), "processors")


def _has_mps() -> bool:
    return bool(torch.backends.mps.is_available())


def keep_compiled_code_to_oneself() -> None:
    """Keep compiled code, which later runs unpickle, where nobody else can have put it.

    PyTorch's own place is a folder below the one for temporary files, under a name that anybody
    can take first.
    """
    for variable, name in (
        ("TORCHINDUCTOR_CACHE_DIR", "torchinductor"), ("TRITON_CACHE_DIR", "triton"),
    ):  # fmt: skip
        os.environ[variable] = str(_own_folder(name))


def _own_folder(name: str) -> Path:
    folder = Path(user_cache_dir("gen")) / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if is_own(folder):
            return folder
    except OSError:  # no home, or a full disk
        pass
    return Path(tempfile.mkdtemp(prefix=f"gen-{name}-"))  # ours alone, for this run


def is_own(folder: Path) -> bool:
    """Whether nobody but this user can have written into a folder or put another in its place."""
    if not hasattr(os, "getuid"):  # Windows keeps other users out of one's profile
        return True
    for place in (folder, *folder.parents):
        found = place.lstat()
        others = 0o002 if _is_of_nobody_else(found.st_gid) else 0o022
        is_shared = found.st_mode & others and not found.st_mode & stat.S_ISVTX
        if is_shared or found.st_uid not in (os.getuid(), 0) or not stat.S_ISDIR(found.st_mode):
            return False
    return folder.stat().st_uid == os.getuid() and not folder.stat().st_mode & 0o022


def _is_of_nobody_else(group: int) -> bool:
    """Whether a group is the one that many systems give each user, with nobody else in it.

    The group that a process runs under is no sign of that: it may be one of many people.
    """
    import grp
    import pwd

    try:
        user, found = pwd.getpwuid(os.getuid()), grp.getgrgid(group)
    except KeyError:  # a user or a group without a name, as in containers
        return False
    is_users = (found.gr_gid, found.gr_name) == (user.pw_gid, user.pw_name)
    return is_users and set(found.gr_mem) <= {user.pw_name}


def on_gpu(config: TrainerConfig) -> bool:
    """Whether the run will be on a CUDA device."""
    return config.accelerator in (AUTO, "gpu", "cuda") and torch.cuda.is_available()


def precision_for(config: TrainerConfig) -> str:
    """Lightning's name of the precision: what was asked for, or bfloat16 where units compute it."""
    if config.precision != AUTO:
        name = FULL_NAMES.get(str(config.precision), str(config.precision))
        has_no_half = name == "16-mixed" and not on_gpu(config)
        return "bf16-mixed" if has_no_half else name
    if on_gpu(config):
        has_units = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has_units = torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if has_units else "32-true"


def compiles(config: TrainerConfig) -> bool:
    """Whether the trunk is compiled: as was asked, or where a long run repays it."""
    if config.compile != AUTO:
        return bool(config.compile)
    return config.strategy != "fsdp" and _is_long(config) and _has_compiler(config)


def _is_long(config: TrainerConfig) -> bool:
    times = LONG_ON_GPU if on_gpu(config) else 1
    steps, duration = config.max_steps, config.duration
    enough = steps < 0 or steps >= times * LONG_STEPS
    return enough and (duration is None or duration >= times * LONG_TIME)


def _has_compiler(config: TrainerConfig) -> bool:
    """Whether what `torch.compile` calls is installed; Windows has it only in its own shell."""
    if sys.platform == "win32":
        return False
    if on_gpu(config) and find_spec("triton") is None:
        return False
    named = [os.environ["CXX"]] if os.environ.get("CXX") else ["g++", "clang++"]
    return any(shutil.which(name) for name in named)
