"""What the machine at hand is good at: the precision of a run, and whether compiling it pays."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import timedelta
from importlib.util import find_spec

import torch

from gen.settings import AUTO
from gen.training.settings import TrainerConfig

LONG_STEPS = 1_000
LONG_TIME = timedelta(minutes=5)
"""Compiling takes half a minute at first and saves about a fifth of a step on a CPU …"""
LONG_ON_GPU = 20
"""… and of 6 M parameters 2 of 9 ms on a GPU, where it pays after so many times as long."""


def on_gpu(config: TrainerConfig) -> bool:
    """Whether the run will be on a CUDA device."""
    return config.accelerator in (AUTO, "gpu", "cuda") and torch.cuda.is_available()


def precision_for(config: TrainerConfig) -> str:
    """Lightning's name of the precision: what was asked for, or bfloat16 where units compute it."""
    if config.precision != AUTO:
        return config.precision
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
