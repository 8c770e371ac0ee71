"""What a player reads besides the notes: short notes, accents, slurs, dynamics.

A performance says them by lengths and velocities:

* an eighth that sounds for half its time, and a quarter that does for less, is written in full
  and staccato;
* one that is clearly louder than those around it has an accent;
* notes that wind and bowed string players run into each other are slurred, by the bar;
* a dynamic mark stands where the loudness of a part's bars has changed for good.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise, zip_longest
from statistics import fmean
from typing import TYPE_CHECKING, Final

from gen.piece import Track

if TYPE_CHECKING:
    from gen.rendering.notation import Sound
    from gen.rendering.ruler import Ruler, WrittenGrid

STACCATO: Final = "staccato"
ACCENT: Final = "accent"
SLURRED: Final = frozenset({*range(40, 45), *range(48, 55), *range(56, 80)})
"""Bowed strings, voices, brass, reeds and pipes."""

_SLOTS: Final = {12: 0.5, 24: 0.46}
"""Written values, and up to what share of them a staccato note sounds."""
_ACCENT: Final = (1.2, 14)  # times and velocities above the mean of a bar before and after
_FEWEST_SLURRED: Final = 3
_WIDEST_SLURRED: Final = 12  # semitones
_MARKS: Final = ("pp", "p", "mp", "mf", "f", "ff")
_BETWEEN: Final = (36, 52, 68, 84, 104)
"""Velocities at which one dynamic mark gives way to the next."""
_CHANGE: Final = 10
_SETTLED: Final = 4  # bars whose mean a mark tells


def shorten(voice: Sequence[Sound], ruler: Ruler, grid: WrittenGrid) -> None:
    """Write short notes in full, with a dot over them."""
    for sound, following in zip_longest(voice, voice[1:]):
        slot = _slot(sound, following, ruler, grid)
        if slot and sound.held <= _SLOTS[slot] * slot:
            sound.end = sound.start + slot
            sound.marks |= {STACCATO}


def _slot(sound: Sound, following: Sound | None, ruler: Ruler, grid: WrittenGrid) -> int:
    """The plain value that ends where the next note begins, or an eighth before a rest; or 0."""
    bar = ruler.bar_at(sound.start)
    if grid.is_triplet(grid.cell(sound.start)[0]):
        return 0
    room = (following.start if following else bar.end) - sound.start
    slot = room if room in _SLOTS else 12 if room > 12 else 0
    fits = sound.start + slot <= bar.end and (sound.start - bar.start) % max(slot, 1) == 0
    return slot if fits else 0


def accent(voice: Sequence[Sound], ruler: Ruler) -> None:
    """Mark what stands out from the bars around it."""
    starts = [sound.start for sound in voice]
    levels = [max(sound.velocities.values()) for sound in voice]
    for sound, level in zip(voice, levels, strict=True):
        length = ruler.bar_at(sound.start).length
        first = bisect_left(starts, sound.start - length)
        end = bisect_right(starts, sound.start + length)
        mean = fmean(levels[first:end])
        if level >= _ACCENT[0] * mean and level >= mean + _ACCENT[1]:
            sound.marks |= {ACCENT}


def slur(voice: Sequence[Sound], ruler: Ruler) -> None:
    """Bind notes that run into each other, up to the end of a bar."""
    run: list[Sound] = []
    for sound, following in pairwise([*voice, None]):
        assert sound is not None  # noqa: S101 - only the last is
        run.append(sound)
        if following is None or not _runs_into(sound, following, ruler):
            if len(run) >= _FEWEST_SLURRED:
                run[0].slur, run[-1].slur = "start", "stop"
            run = []


def _runs_into(one: Sound, other: Sound, ruler: Ruler) -> bool:
    if one.end < other.start or len(one.velocities) + len(other.velocities) > 2:
        return False
    (low,), (high,) = one.velocities, other.velocities
    same_bar = ruler.bar_at(one.start) == ruler.bar_at(other.start)
    return same_bar and 0 < abs(low - high) <= _WIDEST_SLURRED and STACCATO not in one.marks


def dynamics(track: Track, ruler: Ruler) -> dict[int, str]:
    """Dynamic marks by the number of the bar at whose beginning they stand."""
    bars: dict[int, list[int]] = defaultdict(list)
    for note in track.notes:
        bars[ruler.bar_at(ruler.at(note.onset_ticks)).number].append(note.velocity)
    found: dict[int, str] = {}
    level = -1.0
    for number in sorted(bars):
        ahead = [v for n in range(number, number + _SETTLED) for v in bars.get(n, ())]
        mark, here = _mark(fmean(ahead)), fmean(bars[number])
        changes = abs(fmean(ahead) - level) >= _CHANGE and abs(here - level) >= _CHANGE
        if level < 0 or (changes and mark != found[max(found)]):
            found[number], level = mark, fmean(ahead)
    return found


def _mark(velocity: float) -> str:
    return _MARKS[bisect_right(_BETWEEN, velocity)]
