"""What `--help` says of the scripts that Hydra starts: every setting, with its comment in conf/.

The configuration files are the one place where settings are explained:

    # A heading of what stands below it.
    bars: null                     # bars=32: exactly so many

A comment may begin with an example; without one the usual value is it. Of what is chosen as a
whole, as `model: small` in `defaults`, the settings of that choice are explained too. Nothing is
imported that takes a while.
"""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import cast

import yaml

from gen.places import CONF

WIDTH, COLUMN = 100, 32
FORM = """\
Settings are given as name=value, in any order; quote what has spaces. Each line has a setting with
an example, what it means, and [what holds if nothing is said]."""
FURTHER = """\
  --cfg job                     print every value that a command would have, and do nothing else
  --hydra-help                  what else Hydra, which reads the settings, understands"""
_COMMENT = re.compile(r"(?:^|\s)# ?(.*)$")
_EXAMPLE = re.compile(r"""(\w+)=("[^"]*"|\[[^\]]*\]|[^\s":]+): (.*)""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Setting:
    """A line of the help.

    Attributes:
        heading: what it stands below.
        name: dotted.
        example: name=value as it can be typed.
        meaning: the comment.
        usual: the value in the file, as it is written there; "" for null and [].
    """

    heading: str
    name: str
    example: str
    meaning: str
    usual: str


def begin(name: str, about: str | None) -> None:
    """What a script does first: end with its help where that is asked for, and hear of Ctrl-C.

    From here on Ctrl-C while the rest is imported ends it with a word in place of a traceback.

    Args:
        name: of its configuration.
        about: what it is for.
    """
    sys.excepthook = _uncaught
    if {"-h", "--help"}.intersection(sys.argv[1:]):
        lines = [(about or "").strip(), "", FORM, *_lines(settings(name)), "", FURTHER]
        with suppress(BrokenPipeError):  # of `--help | head`
            print("\n".join(lines), flush=True)
            sys.exit(0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left goes there
        sys.exit(0)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("\nstopped", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


def _lines(found: Iterator[Setting]) -> Iterator[str]:
    heading = ""
    for setting in found:
        if setting.heading != heading:
            heading = setting.heading
            yield from ["", *textwrap.wrap(heading, WIDTH)]
        left, usual = f"  {setting.example}", setting.usual.strip("[]")
        if len(left) >= COLUMN - 1:
            yield left
            left = ""
        yield textwrap.fill(
            f"{setting.meaning} [{usual}]" if usual else setting.meaning,
            WIDTH, initial_indent=left.ljust(COLUMN), subsequent_indent=" " * COLUMN,
            break_on_hyphens=False,
        )  # fmt: skip


def settings(name: str) -> Iterator[Setting]:
    """Every setting of a configuration: the choices, its own, and those of what is chosen."""
    text = (CONF / f"{name}.yaml").read_text("utf-8")
    root = _mapping(text)
    listed = next(value.value for key, value in root.value if key.value == "defaults")
    pairs = [entry.value[0] for entry in listed if isinstance(entry, yaml.MappingNode)]
    choices = [pair for pair in pairs if not pair[0].value.startswith("override ")]
    for key, value in choices:
        setting = _setting(text, key, value, "", _heading(text, root.start_mark.line))
        names = sorted(path.stem for path in (CONF / key.value).glob("*.yaml"))
        example = f"{key.value}={setting.usual or names[0]}"
        yield replace(setting, example=example, meaning=f"{setting.meaning}: {', '.join(names)}")
    yield from _of(text, root, "", "")
    for key, value in choices:
        file = CONF / key.value / f"{value.value}.yaml"
        if file.is_file() and "@package _global_" not in (own := file.read_text("utf-8")):
            yield from _of(own, _mapping(own), f"{key.value}.", f"Of {key.value}={value.value}")


def _mapping(text: str) -> yaml.MappingNode:
    return cast(yaml.MappingNode, yaml.compose(text))


def _of(text: str, node: yaml.MappingNode, prefix: str, heading: str) -> Iterator[Setting]:
    """The settings of a mapping, and of those within it."""
    for key, value in node.value:
        if key.value in ("defaults", "hydra"):
            continue
        if not prefix:
            heading = _heading(text, key.start_mark.line) or heading
        if isinstance(value, yaml.MappingNode):
            yield from _of(text, value, f"{prefix}{key.value}.", heading)
        else:
            yield _setting(text, key, value, prefix, heading)


def _heading(text: str, line: int) -> str:
    """The comment right above a line."""
    above = []
    for comment in reversed(text.splitlines()[:line]):
        if not comment.startswith("# "):
            break
        above.append(comment[2:])
    return " ".join(reversed(above))


def _setting(
    text: str, key: yaml.ScalarNode, value: yaml.Node, prefix: str, heading: str
) -> Setting:
    lines = text.splitlines()
    end = value.end_mark.line + 1
    while end < len(lines) and lines[end].startswith(" ") and lines[end].lstrip().startswith("#"):
        end += 1
    comments = [_COMMENT.search(line) for line in lines[key.start_mark.line : end]]
    meaning, name = " ".join(found[1] for found in comments if found), f"{prefix}{key.value}"
    usual = " ".join(text[value.start_mark.index : value.end_mark.index].split())
    usual = "" if usual in ("null", "[]") else usual
    if found := _EXAMPLE.fullmatch(meaning):
        return Setting(heading, name, f"{prefix}{found[1]}={found[2]}", found[3], usual)
    typed = usual.replace(", ", ",")
    return Setting(heading, name, f"{name}={typed or '…'}", meaning, usual)
