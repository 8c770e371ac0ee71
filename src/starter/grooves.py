"""Drum grooves for whole sections: chosen from the drum book by part, meter and energy.

`Drummer` keeps a groove per part, strikes crashes where a section turns and plays fills
where a phrase ends. Times are twelfths of a quarter from each bar's start.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from starter.drumbook import (
    KIT,
    Bar,
    Book,
    Fill,
    Groove,
    Hit,
    T,
    bar_length,
    book,
    genres,
    pulse_length,
)

_INSTEAD = {
    "intro": "verse", "chorus": "verse", "variation": "verse", "break": "verse",
    "build": "chorus",
}  # fmt: skip
_FAMILY = {
    "funk": "rock", "pop_ballad": "rock", "lofi": "pop_ballad", "house": "rock",
    "bossa": "pop_ballad", "jazz_swing": "pop_ballad", "waltz": "jazz_swing",
    "folk_dance": "rock", "march": "cinematic", "cinematic": "rock", "ambient": "cinematic",
    "chorale": "march", "piano_miniature": "jazz_swing",
}  # fmt: skip


def choose(
    genre: str, part: str, meter: tuple[int, int], energy: int, rng: random.Random
) -> Groove:
    """A groove for `part`: in its energy range if there is one, else the nearest.

    A genre that has no groove in `meter` borrows from its neighbours; a meter that nobody
    has is cut from, or filled with, the nearest that somebody has.

    Args:
        genre: whose book to open first.
        part: one of `PARTS`.
        meter: of the bars to play.
        energy: 1 (hushed) to 5 (all out).
        rng: decides between equally fitting grooves.
    """
    found = _candidates(genre, part, meter)
    if not found:
        compound = pulse_length(meter) == 18 and part != "ending"
        source = (12, 8) if compound else (4, 4)
        found = [_recut(g, meter) for g in _candidates(genre, part, source)]
    return rng.choice(_fitting(found, energy))


def _candidates(genre: str, part: str, meter: tuple[int, int]) -> list[Groove]:
    """Own genre first, and there the part before its stand-ins; then the neighbours."""
    while True:
        own = book(genre) if genre in genres() else Book((), ())
        role: str | None = part
        while role is not None:
            if found := own.find(role, meter):
                return found
            role = _INSTEAD.get(role)
        if genre == "rock":
            return []
        genre = _FAMILY.get(genre, "rock")


def _fitting(found: list[T], energy: int) -> list[T]:
    def distance(item: T) -> int:
        low, high = item.energy
        return max(low - energy, energy - high, 0)

    best = min(distance(item) for item in found)
    return [item for item in found if distance(item) == best]


def _recut(groove: Groove, meter: tuple[int, int]) -> Groove:
    """The groove's bars laid end to end and cut to a bar of `meter`; of an ending, beat one."""
    old, new = bar_length(groove.meter), bar_length(meter)
    if groove.part == "ending":
        first = tuple(h for h in groove.bars[0] if h.onset == 0)
        return replace(groove, meter=meter, bars=(first,))
    stream = [replace(h, onset=h.onset + i * old) for i, b in enumerate(groove.bars) for h in b]
    total = old * len(groove.bars)
    stream += [replace(h, onset=h.onset + total) for h in stream]
    first = tuple(replace(h, duration=min(h.duration, new)) for h in stream if h.onset < new)
    return replace(groove, meter=meter, bars=(first,))


def choose_fill(
    genre: str, meter: tuple[int, int], energy: int, rng: random.Random, beats: int | None = None
) -> Fill | None:
    """A fill that fits the meter's pulse, `beats` long if given; None where nobody has one."""
    compound = pulse_length(meter) == 18
    while True:
        own = book(genre).fills if genre in genres() else ()
        fits = [f for f in own if (f.pulse == "compound") == compound]
        fits = [f for f in fits if f.length <= bar_length(meter)]
        sized = [f for f in fits if beats is None or f.length == beats * pulse_length(meter)]
        if sized or fits:
            return rng.choice(_fitting(sized or fits, energy))
        if genre == "rock":
            return None
        genre = _FAMILY.get(genre, "rock")


def with_fill(bar: Bar, fill: Fill, length: int) -> Bar:
    """`bar` until the fill begins, then the fill, growing a little towards its end."""
    start = length - fill.length
    kept = [h for h in bar if h.onset < start]
    kept = [replace(h, duration=min(h.duration, max(3, start - h.onset))) for h in kept]
    played = []
    for hit in fill.hits:
        grow = 0.9 + 0.12 * hit.onset / fill.length
        velocity = max(1, min(120, round(hit.velocity * grow)))
        played.append(replace(hit, onset=hit.onset + start, velocity=velocity))
    return tuple(sorted(kept + played))


def with_crash(bar: Bar, energy: int) -> Bar:
    """`bar` with a crash on its first beat in place of the hat or ride stroke there."""
    quieter = {KIT[name] for name in ("hh", "oh", "ri", "rb", "ph", "cr", "c2")}
    kept = [h for h in bar if not (h.onset == 0 and h.pitch in quieter)]
    crash = Hit(0, 24, KIT["cr"], min(118, 72 + 8 * energy))
    kick = [] if any(h.onset == 0 and h.pitch == KIT["bd"] for h in kept) else [
        Hit(0, 3, KIT["bd"], 70 + 6 * energy)
    ]  # fmt: skip
    return tuple(sorted([crash, *kick, *kept]))


class Drummer:
    """Plays sections of a piece in one genre, remembering its grooves.

    Each part keeps the groove first chosen for it, as a player in a band would, so that
    verses match verses and choruses choruses.

    Args:
        genre: whose book to play from (a genre without one borrows its neighbour's).
        rng: decides between grooves and fills.
        fill_every: bars in a phrase; its last bar carries a variation or small fill.
    """

    def __init__(self, genre: str, rng: random.Random, *, fill_every: int = 4) -> None:
        self.genre = genre
        self.rng = rng
        self.fill_every = fill_every
        self._grooves: dict[tuple[str, tuple[int, int], int], Groove] = {}

    def groove(self, part: str, meter: tuple[int, int], energy: int) -> Groove:
        key = (part, meter, energy)
        if key not in self._grooves:
            self._grooves[key] = choose(self.genre, part, meter, energy, self.rng)
        return self._grooves[key]

    def section(
        self,
        part: str,
        meters: Sequence[tuple[int, int]],
        energy: int,
        *,
        crash: bool = False,
        fill: bool = True,
    ) -> list[Bar]:
        """The bars of a section.

        Args:
            part: one of `PARTS`.
            meters: of each bar.
            energy: 1 (hushed) to 5 (all out).
            crash: strike a crash on the first beat.
            fill: play a fill at the end of the last bar.
        """
        bars = []
        for index, meter in enumerate(meters):
            last = index == len(meters) - 1
            phrase_end = (index + 1) % self.fill_every == 0 and not last
            bar = self._bar(part, meter, energy, index, phrase_end)
            if last and fill:
                bar = self._filled(bar, meter, energy, beats=None)
            if index == 0 and crash:
                bar = with_crash(bar, energy)
            bars.append(bar)
        return bars

    def _bar(
        self, part: str, meter: tuple[int, int], energy: int, index: int, phrase_end: bool
    ) -> Bar:
        groove = self.groove(part, meter, energy)
        bar = groove.bars[index % len(groove.bars)]
        if not phrase_end or part not in ("verse", "chorus"):
            return bar
        if self.rng.random() < 0.5:
            turned = choose(self.genre, "variation", meter, energy, self.rng)
            return turned.bars[-1]
        return self._filled(bar, meter, energy, beats=1)

    def _filled(self, bar: Bar, meter: tuple[int, int], energy: int, beats: int | None) -> Bar:
        fill = choose_fill(self.genre, meter, energy, self.rng, beats)
        return bar if fill is None else with_fill(bar, fill, bar_length(meter))
