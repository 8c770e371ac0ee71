"""Which cells of a file are meant: `bars 5-8 of bass, bar 3`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gen import harmony
from gen.errors import SettingError
from gen.piece import Track
from gen.sampling.drafting.cell_table import Place
from gen.smf import instrument_name

_GROUPS: Final = {
    "piano": range(8), "mallets": range(8, 16), "organ": range(16, 24), "guitar": range(24, 32),
    "bass": range(32, 40), "strings": range(40, 52), "choir": range(52, 55),
    "brass": range(56, 64), "sax": range(64, 68), "woodwind": range(64, 80),
    "synth": range(80, 96), "lead": range(80, 88), "pad": range(88, 96),
}  # fmt: skip
"""Everyday names of several General MIDI programs."""

_MEND: Final = "write for instance 'bars 5-8 of bass, bar 3, last 2 bars of drums'"
_COUNTS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight")
_PART: Final = re.compile(
    r"(?:(?P<every>all|all bars|every bar|everything)"
    r"|(?:the )?(?P<side>first|last) (?:(?P<count>\d+|" + "|".join(_COUNTS) + r") bars?|bar)"
    r"|bars? (?P<first>\d+|end)(?: ?(?:-|\u2013|\u2014|to|until) ?(?P<last>\d+|end))?)"
    r"(?: (?:of|in|for) (?:the )?(?P<tracks>.+))?"
)  # fmt: skip


def read_cells(text: str, tracks: Sequence[Track], roles: Sequence[str], bars: int) -> set[Place]:
    """The cells that a producer names, as bar and track, both counted from 0.

    Args:
        text: bars and tracks, several parts separated by commas. A track is named by its
            name, its number from 1, its instrument, or what it does; several by `and`. Where
            none is named all are meant.
        tracks: of the file.
        roles: of each, of `piece.ROLES`.
        bars: how many the file has.

    Raises:
        SettingError: it cannot be read, or names a bar or track that the file has not.
    """
    places: set[Place] = set()
    names = _names(tracks, roles)
    for part in text.lower().split(","):
        words = " ".join(part.replace("_", " ").split())
        match = _PART.fullmatch(words)
        if not match:
            raise SettingError(f"{part.strip()!r} names no cells", where="cells", mend=_MEND)
        first, last = _bars(match, bars)
        if not 1 <= first <= last <= bars:
            raise SettingError(
                f"{part.strip()!r}: the file has {bars} bars", where="cells", mend=_MEND
            )
        slots = _slots(match["tracks"] or "all", names)
        places |= {(bar, slot) for bar in range(first - 1, last) for slot in slots}
    return places


def _bars(match: re.Match[str], bars: int) -> tuple[int, int]:
    """First and last bar of a part, counted from 1."""
    if match["every"]:
        return 1, bars
    if match["side"]:
        number = match["count"] or "one"
        count = _COUNTS.index(number) + 1 if number in _COUNTS else int(number)
        return (1, count) if match["side"] == "first" else (bars - count + 1, bars)
    first, last = (
        bars if bar == "end" else int(bar)
        for bar in (match["first"], match["last"] or match["first"])
    )
    return first, last


def _names(tracks: Sequence[Track], roles: Sequence[str]) -> dict[str, set[int]]:
    """Everything that a track may be called, and the tracks that are meant by it."""
    names: dict[str, set[int]] = {"all": set(range(len(tracks)))}
    for slot, (track, role) in enumerate(zip(tracks, roles, strict=True)):
        called = {
            track.name, str(slot + 1), f"track {slot + 1}", role.replace("_", " "),
            instrument_name(track.instrument),
        }  # fmt: skip
        called |= {name for name, group in _GROUPS.items() if track.instrument in group}
        for name in called - {""}:
            plain = name.lower().replace("_", " ").replace(",", " ")
            names.setdefault(" ".join(plain.split()), set()).add(slot)
    return names


def _slots(text: str, names: dict[str, set[int]]) -> set[int]:
    """The tracks of one name, or of several with `and` between them; of a word of a name too."""
    if text in names:
        return names[text]
    found: set[int] = set()
    for part in text.split(" and "):
        name = part.strip()
        holding = [slots for known, slots in names.items() if f" {name} " in f" {known} "]
        found = found.union(*holding or [names[harmony.nearest(name, names, setting="track")]])
    return found
