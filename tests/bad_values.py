"""Every option of every command with every kind of bad value, as rows of words to try.

What a person may give by mistake, or a stranger by intent: no file and the wrong kind of file,
numbers beyond all measure, names of a hundred thousand letters, letters that terminals lack.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from omegaconf import OmegaConf

VALUES = (
    "", " ", "-", "--", ".", "..", "../../..", "absent", "absent/absent", "/dev/zero", "pipe",
    "folder", "sparse", "deep", "text", "empty", "x" * 100_000, "-1", "0", "1" + "0" * 23, "nan",
    "inf", "1e400", "☃", "\udcff", "[red]", "=1+1", "%s{}$HOME", "a\nb", "null", "[1,2", "{a:",
)  # fmt: skip
"""Some are names of files that `lay_down` makes."""
PATHS = ("checkpoint", "pin")
"""What every hydra command reads first after its settings: naming none ends it."""


def lay_down(folder: Path) -> None:
    """Make the files that some of the values name."""
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    (folder / "empty").touch()
    with (folder / "sparse").open("wb") as file:
        file.truncate(2 << 30)
    (folder / "deep").write_bytes(b"[" * 200_000)
    (folder / "text").write_bytes(b"no such thing\xff\xfe")


def of_command(command: click.Command, usual: list[str]) -> Iterator[list[str]]:
    """Rows of words for a command: its usual ones, one of them bad.

    Args:
        command: of click.
        usual: words with which it would do its work.
    """
    for param in command.params:
        for value in VALUES:
            if isinstance(param, click.Argument):
                yield [value, *usual[1:]] if usual and usual[0][:1] != "-" else [value, *usual]
            elif isinstance(param, click.Option) and not param.is_flag:
                yield [*_without(usual, param.opts), param.opts[0], value]


def _without(words: list[str], options: list[str]) -> list[str]:
    place = next((i for i, word in enumerate(words) if word in options), None)
    return words if place is None else words[:place] + words[place + 2 :]


def of_settings(folder: Path, name: str) -> Iterator[list[str]]:
    """Rows of words for a command that hydra composes: each setting with a bad value.

    Args:
        folder: of the configuration.
        name: of its first file.
    """
    from hydra import compose, initialize_config_dir

    with initialize_config_dir(version_base="1.3", config_dir=str(folder)):
        config = OmegaConf.to_container(compose(name))
    last = [f"{path}=nowhere" for path in PATHS if path in config]
    for setting in _leaves(config):
        for value in VALUES:
            yield [*last, f"{setting}={value}"] if setting not in PATHS else [f"{setting}={value}"]


def _leaves(config: Any, above: str = "") -> Iterator[str]:
    for name, value in config.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}"
