"""Errors that a person can act on: what is wrong, where, and how to mend it.

They derive from ``Exception`` directly: MidiTok's helpers swallow ``RuntimeError``,
``ValueError`` and ``OSError``, and a refusal must never be swallowed.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

MOST_LETTERS = 300
"""Of a name or a value in a message."""
_MOST_IN_A_LINE = 2_000
_WORD = re.compile(rf"\S{{{MOST_LETTERS + 1},}}")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)
"""What moves the cursor, colours, turns writing round or is not seen at all."""


def shortened(text: str, most: int = MOST_LETTERS) -> str:
    """`text`, its middle left out where it is longer than `most` letters."""
    if len(text) <= most:
        return text
    kept = most // 2
    return f"{text[:kept]}… ({len(text):,} letters) …{text[-kept:]}"


def brief(text: str) -> str:
    """`text` with each endless word and line shortened: somebody's name or value is in it."""
    short = _WORD.sub(lambda found: shortened(found[0]), text)
    return "\n".join(shortened(line, _MOST_IN_A_LINE) for line in short.split("\n"))


def printable(text: str) -> str:
    """`text` as a terminal may be given it: control and direction characters spelled out.

    Names, titles and reasons come from other people's files.
    """
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def in_line(text: str) -> str:
    """`text` as part of a line: `printable`, and unable to begin a line of its own."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def in_lines(items: Iterable[object]) -> str:
    """Lines of a message below another, one for each item, whoever named what is in it."""
    return "".join(f"\n  {in_line(str(item))}" for item in items)


class HouseError(Exception):
    """Something the user can mend. Scripts print it as one message and exit 2.

    Args:
        what: what is wrong, with the value found.
        where: the file, setting or record it concerns; empty when `what` says it.
        mend: what to do about it; empty when nothing can be done.
    """

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what = brief(what)
        self.where = where
        self.mend = brief(mend)
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{in_line(self.where)}: " if self.where else ""
        advice = f"\n  to mend it: {self.mend}" if self.mend else ""
        return printable(brief(f"{place}{self.what}{advice}"))


@contextmanager
def found_in(path: Path | str, mend: str = "") -> Iterator[None]:
    """Errors raised inside are of this file: they name it, and how to mend it, unless they do."""
    try:
        yield
    except HouseError as error:
        error.where, error.mend = error.where or str(path), error.mend or mend
        raise


class SettingError(HouseError):
    """A setting is outside its range, misspelt or contradicts another."""


class MalformedMidi(HouseError):
    """Bytes that are not the strict Standard MIDI File this house works with."""


def counted(count: int, noun: str) -> str:
    """`1 work`, `2 works`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
