"""The drum book: readable text grids in, drum hits on the twelfth-of-a-quarter grid out.

It lies in ``drum_patterns/*.txt``, one file per genre; the README there explains the notation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TypeVar

from gen.errors import HouseError

BOOK = Path(__file__).with_name("drum_patterns")

KIT = {
    "bd": 36, "rs": 37, "sd": 38, "cl": 39, "ft": 43, "hh": 42, "ph": 44, "lt": 45, "oh": 46,
    "mt": 47, "cr": 49, "ht": 50, "ri": 51, "ch": 52, "rb": 53, "tb": 54, "sp": 55, "cb": 56,
    "c2": 57, "rc": 59, "hc": 62, "oc": 63, "lc": 64, "ca": 69, "sh": 70, "cv": 75, "tr": 81,
}  # fmt: skip
"""Drum names of the book and their General MIDI pitches."""
CYMBALS = {KIT[name] for name in ("cr", "c2", "rc", "sp", "ch")}
LOUDNESS = {"g": 30, "s": 50, "x": 72, "X": 94, "!": 112}
PARTS = ("intro", "verse", "variation", "chorus", "break", "build", "ending")
_PULSE = {"straight": 12, "triplet": 12, "compound": 18}


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """A drum stroke; times in twelfths of a quarter, `onset` from its bar's start."""

    onset: int
    duration: int
    pitch: int
    velocity: int


Bar = tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Groove:
    """A named pattern of one or more bars for a part of a piece."""

    name: str
    meter: tuple[int, int]
    part: str
    energy: tuple[int, int]
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Fill:
    """Strokes that replace the last `length` twelfths of a bar."""

    name: str
    pulse: str
    energy: tuple[int, int]
    length: int
    hits: Bar


T = TypeVar("T", Groove, Fill)


@dataclass(frozen=True, slots=True)
class Book:
    """The grooves and fills of one genre."""

    grooves: tuple[Groove, ...]
    fills: tuple[Fill, ...]

    def find(self, part: str, meter: tuple[int, int]) -> list[Groove]:
        return [g for g in self.grooves if g.part == part and g.meter == meter]


def bar_length(meter: tuple[int, int]) -> int:
    """Twelfths of a quarter in one bar."""
    return 48 * meter[0] // meter[1]


def pulse_length(meter: tuple[int, int]) -> int:
    """Twelfths in a felt beat: a dotted quarter in 6/8, 9/8 and 12/8, else a quarter."""
    return 18 if meter[1] == 8 and meter[0] % 3 == 0 else 12


@cache
def book(genre: str) -> Book:
    """The drum book of `genre`.

    Raises:
        HouseError: there is none, or a line in it is not understood.
    """
    path = BOOK / f"{genre}.txt"
    if not path.is_file():
        known = " ".join(sorted(p.stem for p in BOOK.glob("*.txt")))
        raise HouseError(f"no drum book for {genre!r}", where=str(BOOK), mend=f"use one of {known}")
    return parse_book(path.read_text(encoding="utf-8"), where=path.name)


def genres() -> list[str]:
    """The genres that have a drum book."""
    return sorted(path.stem for path in BOOK.glob("*.txt"))


def parse_book(text: str, where: str = "drum book") -> Book:
    """Read grooves and fills.

    Raises:
        HouseError: naming the groove and row that is not understood.
    """
    grooves, fills = [], []
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    for header, rows in _entries(lines, where):
        kind, name = header.split()[:2]
        settings = dict(re.findall(r"(\w+)=(\S+)", header))
        place = f"{where}, {kind} {name}"
        try:
            low, high = (int(end) for end in settings["energy"].split("-"))
            if kind == "groove":
                grooves.append(_groove(name, settings, (low, high), rows, place))
            else:
                fills.append(_fill(name, settings, (low, high), rows, place))
        except (KeyError, ValueError) as error:
            raise HouseError(
                f"header {header!r} is not understood ({error})", where=place
            ) from None
    return Book(tuple(grooves), tuple(fills))


def _entries(lines: Iterator[str], where: str) -> Iterator[tuple[str, list[str]]]:
    header = ""
    rows: list[str] = []
    for line in lines:
        if line.startswith(("groove ", "fill ")):
            if header:
                yield header, rows
            header, rows = line, []
        elif header:
            rows.append(line)
        else:
            raise HouseError(f"{line!r} stands before the first groove", where=where)
    if header:
        yield header, rows


def _groove(
    name: str, settings: dict[str, str], energy: tuple[int, int], rows: list[str], place: str
) -> Groove:
    if settings["part"] not in PARTS:
        raise ValueError(f"part={settings['part']}")
    over, under = settings["meter"].split("/")
    meter = (int(over), int(under))
    bars = parse_grid(rows, bar_length(meter), place)
    if settings.get("swing") == "16":
        bars = tuple(swing_sixteenths(bar) for bar in bars)
    return Groove(name, meter, settings["part"], energy, bars)


def _fill(
    name: str, settings: dict[str, str], energy: tuple[int, int], rows: list[str], place: str
) -> Fill:
    length = int(settings["beats"]) * _PULSE[settings["pulse"]]
    hits = parse_grid(rows, length, place)[0]
    if settings.get("swing") == "16":
        hits = swing_sixteenths(hits)
    return Fill(name, settings["pulse"], energy, length, hits)


def parse_grid(rows: Sequence[str], length: int, where: str = "grid") -> tuple[Bar, ...]:
    """Turn rows such as ``sd | .... X... | .... X..g |`` into bars of hits.

    Args:
        rows: one drum each; a row of one bar repeats under rows of more.
        length: of a bar, in twelfths of a quarter; a row's cells must divide it evenly.
        where: what errors call the grid.

    Raises:
        HouseError: an unknown drum or mark, or a row that does not fit the bar.
    """
    parsed: list[tuple[int, list[list[tuple[int, int]]]]] = []
    for row in rows:
        name, _, cells = row.partition("|")
        name = name.strip()
        if name not in KIT:
            raise HouseError(f"drum {name!r} is unknown", where=where, mend=" ".join(KIT))
        bars = [_strokes(bar, length, f"{where}, row {name}") for bar in cells.split("|")[:-1]]
        parsed.append((KIT[name], bars))
    count = max((len(bars) for _, bars in parsed), default=0)
    uneven = [bars for _, bars in parsed if not bars or count % len(bars)]
    if uneven or not count:
        raise HouseError("rows hold different numbers of bars", where=where, mend="1 or 2 each")
    strokes = [
        [(at, pitch, loud) for pitch, bars in parsed for at, loud in bars[i % len(bars)]]
        for i in range(count)
    ]
    return tuple(_with_durations(sorted(bar), length) for bar in strokes)


def _strokes(text: str, length: int, where: str) -> list[tuple[int, int]]:
    """(onset, velocity) of each mark in one bar of one row."""
    cells = "".join(text.split())
    if not cells or length % len(cells):
        mend = f"a bar here has {length} twelfths: use a number of cells that divides it"
        raise HouseError(f"{len(cells)} cells do not fit the bar", where=where, mend=mend)
    unknown = set(cells) - set(LOUDNESS) - {"."}
    if unknown:
        mend = f"use . {' '.join(LOUDNESS)}"
        raise HouseError(f"mark {sorted(unknown)[0]!r} is unknown", where=where, mend=mend)
    step = length // len(cells)
    return [(i * step, LOUDNESS[mark]) for i, mark in enumerate(cells) if mark != "."]


def _with_durations(strokes: list[tuple[int, int, int]], length: int) -> Bar:
    """Open hats ring to the next hat, cymbals through the bar, everything else is short."""
    hats = (KIT["hh"], KIT["ph"], KIT["oh"])
    hits = []
    for at, pitch, velocity in strokes:
        ring = 2 if length % 3 else 3
        if pitch in CYMBALS:
            ring = min(24, length - at)
        elif pitch == KIT["oh"]:
            ring = min([o - at for o, p, _ in strokes if p in hats and o > at] + [12, length - at])
        hits.append(Hit(at, ring, pitch, velocity))
    return tuple(hits)


def swing_sixteenths(bar: Bar) -> Bar:
    """Delay every second sixteenth by a twelfth of a quarter (3 → 4, 9 → 10)."""
    return tuple(replace(hit, onset=hit.onset + (hit.onset % 6 == 3)) for hit in bar)
