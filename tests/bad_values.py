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


def make_bad(path: Path, kind: str) -> None:
    """Lay down what no command wants where it expects a file."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "sparse":
        with path.open("wb") as file:
            file.truncate(2 << 30)
    elif kind == "deep":
        path.write_bytes(b"[" * 200_000)
    elif kind == "nul":
        path.write_bytes(b"file,title\na\0b.mid,x\n")
    elif kind == "text":
        path.write_bytes(b"no such thing\xff\xfe")
    else:
        assert kind == "absent"


def lay_down(folder: Path) -> None:
    """Make the files that some of the values name."""
    for kind in ("pipe", "folder", "empty", "sparse", "deep", "text"):
        make_bad(folder / kind, kind)


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
