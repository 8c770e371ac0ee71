"""Meters as they are felt: pulses, their weights, and patterns written as strings.

A pattern is a bar drawn as characters, one per equal step: ``"1--.5-.."`` is two held notes
in eighths of a 4/4 bar. ``-`` holds, ``.`` rests, spaces are for the eye, ``|`` separates the
bars of a longer pattern. What a character means is up to the part that reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from gen.errors import HouseError
from starter.leadsheet import GRID, TICKS, Bar

Meter = tuple[int, int]
Pattern = str | Mapping[str, str]
"""One pattern for 4/4, bent to other meters; or patterns by meter, "4/4" at least."""

_UNEVEN = {  # pulses in eighths
    (7, 8): (2, 2, 3), (5, 8): (3, 2), (8, 8): (3, 3, 2), (10, 8): (3, 3, 2, 2),
    (11, 8): (3, 3, 3, 2),
}  # fmt: skip
_STRONG = {(4, 4): (0, 2), (5, 4): (0, 3), (12, 8): (0, 2), (7, 8): (0, 2), (6, 4): (0, 3)}
_BEATS = {  # the quarters of a 4/4 pattern that stand in for the pulses of another meter
    (2, 4): (0, 3), (3, 4): (0, 1, 3), (5, 4): (0, 1, 2, 1, 3), (6, 4): (0, 1, 2, 0, 1, 3),
    (6, 8): (0, 1), (9, 8): (0, 1, 3), (12, 8): (0, 1, 2, 3), (7, 8): (0, 1, 3), (2, 2): (0, 2),
    (5, 8): (0, 3), (8, 8): (0, 1, 3), (10, 8): (0, 1, 2, 3), (11, 8): (0, 1, 2, 3),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stroke:
    """One event of a pattern, in absolute ticks."""

    onset: int
    duration: int
    char: str


@cache
def pulses(meter: Meter) -> tuple[int, ...]:
    """The felt beats of a bar, as lengths in ticks: two dotted quarters in 6/8."""
    top, bottom = meter
    if meter in _UNEVEN:
        return tuple(n * TICKS // 2 for n in _UNEVEN[meter])
    if bottom == 8 and top % 3 == 0:
        return (TICKS * 3 // 2,) * (top // 3)
    return (TICKS * 4 // bottom,) * top


@cache
def pulse_onsets(meter: Meter) -> tuple[int, ...]:
    """Ticks from the bar line to each felt beat."""
    lengths = pulses(meter)
    return tuple(sum(lengths[:i]) for i in range(len(lengths)))


@cache
def strong_onsets(meter: Meter) -> tuple[int, ...]:
    """Ticks from the bar line to the strong beats."""
    return tuple(pulse_onsets(meter)[i] for i in _STRONG.get(meter, (0,)))


def weight(meter: Meter, offset: int) -> float:
    """How strong a place in the bar is: 1 downbeat, 0.75 strong beat, 0.5 beat, 0.2 between."""
    if offset == 0:
        return 1.0
    if offset in strong_onsets(meter):
        return 0.75
    if offset in pulse_onsets(meter):
        return 0.5
    return 0.3 if offset % (TICKS // 2) == 0 else 0.15


def beats(bar: Bar) -> list[tuple[int, int]]:
    """(absolute onset, length) of each felt beat of a bar."""
    onsets, lengths = pulse_onsets(bar.meter), pulses(bar.meter)
    return [(bar.onset + o, n) for o, n in zip(onsets, lengths, strict=True)]


def hits(pattern: Pattern, bar: Bar, index: int = 0) -> list[Stroke]:
    """The events of a pattern in one bar.

    Args:
        pattern: see the module's docstring; unknown meters are bent from "4/4".
        bar: where to play it.
        index: the bar's place in its section, which picks the bar of a longer pattern.
    """
    text, bent = _for_meter(pattern, bar.meter)
    bars = [b.replace(" ", "") for b in text.split("|")]
    drawn = bars[index % len(bars)]
    if bent:
        drawn = _bend(drawn, bar.meter)
    step, rest = divmod(bar.ticks, len(drawn))
    if rest or step % (GRID // 2):
        raise HouseError(f"pattern {drawn!r} does not divide a bar of {bar.meter}")
    return _read(drawn, bar.onset, step)


def _for_meter(pattern: Pattern, meter: Meter) -> tuple[str, bool]:
    if isinstance(pattern, str):
        return pattern, meter != (4, 4)
    name = f"{meter[0]}/{meter[1]}"
    return (pattern[name], False) if name in pattern else (pattern["4/4"], True)


def _bend(drawn: str, meter: Meter) -> str:
    """A 4/4 bar's characters rearranged so that each felt beat keeps its gesture."""
    per_beat = len(drawn) // 4
    if len(drawn) % 4 or meter not in _BEATS:
        raise HouseError(f"pattern {drawn!r} cannot be bent to {meter}")
    cells = []
    for place, length in zip(_BEATS[meter], pulses(meter), strict=True):
        cell = drawn[place * per_beat : (place + 1) * per_beat]
        cells.append(_stretch(cell, length * per_beat))
    finest = max(len(c) * TICKS // n for c, n in zip(cells, pulses(meter), strict=True))
    wanted = [n * finest // TICKS for n in pulses(meter)]
    return "".join(_widen(c, w) for c, w in zip(cells, wanted, strict=True))


def _stretch(cell: str, wanted_ticks: int) -> str:
    """One beat's characters spread over a longer beat: the offbeat moves to its last third."""
    if wanted_ticks == TICKS * len(cell):
        return cell
    if len(cell) == 3:
        return cell  # triplets become the eighths of a compound beat
    hold = ["-" if c not in "." else "." for c in cell]
    if len(cell) == 1:
        return cell + hold[0] * 2 if wanted_ticks * 2 == TICKS * 3 else cell + hold[0]
    if len(cell) == 2:
        return cell[0] + hold[0] + cell[1]
    if len(cell) == 4:
        return cell[0] + hold[0] + cell[1] + cell[2] + hold[2] + cell[3]
    return cell


def _widen(cell: str, wanted: int) -> str:
    """The same gesture on a finer grid."""
    if wanted <= len(cell) or wanted % len(cell):
        return cell
    extra = wanted // len(cell) - 1
    return "".join(c + ("-" if c != "." else ".") * extra for c in cell)


def _read(drawn: str, onset: int, step: int) -> list[Stroke]:
    found: list[Stroke] = []
    for place, char in enumerate(drawn):
        at = onset + place * step
        if char == "-" and found and found[-1].onset + found[-1].duration == at:
            last = found.pop()
            found.append(Stroke(last.onset, last.duration + step, last.char))
        elif char not in "-.":
            found.append(Stroke(at, step, char))
    return found
