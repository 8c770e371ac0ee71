"""What frames a theme: chords for introductions, breaks and endings, borrowed from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gen.errors import HouseError
from gen.harmony import Chord, Key
from starter.arrangement import Arrangement
from starter.leadsheet import RIFF, TICKS, Bar, ChordSpan, LeadSheet, MelodyNote, Part


@dataclass(slots=True)
class Stretch:
    """Bars, chords and melody from tick 0, before they are placed."""

    bars: tuple[Bar, ...]
    chords: tuple[ChordSpan, ...]
    melody: tuple[MelodyNote, ...] = ()


def _theme(sheet: LeadSheet) -> Stretch:
    """The whole theme from tick 0."""
    bars: list[Bar] = []
    chords: list[ChordSpan] = []
    at = 0
    for letter in sheet.form:
        part: Part = sheet.parts[letter]
        bars += [replace(b, onset=b.onset + at) for b in part.bars]
        chords += [replace(c, onset=c.onset + at) for c in part.chords]
        at += part.ticks
    return Stretch(tuple(bars), tuple(chords))


def _cut(theme: Stretch, first: int, count: int) -> Stretch:
    """Bars `first` to `first + count`, moved to tick 0; a chord that reaches in is kept."""
    bars = theme.bars[first : first + count]
    start, end = bars[0].onset, bars[-1].onset + bars[-1].ticks
    chords = []
    for span in theme.chords:
        low, high = max(span.onset, start), min(span.onset + span.duration, end)
        if low < high:
            chords.append(ChordSpan(low - start, high - low, span.symbol))
    return Stretch(tuple(replace(b, onset=b.onset - start) for b in bars), tuple(chords))


def borrow(sheet: LeadSheet, count: int, source: str) -> Stretch:
    """Chords for an intro, break or ending: tail or head of the theme, a vamp or a pedal."""
    theme = _theme(sheet)
    if source == "tail":
        last = len(theme.bars)
        return turnaround(_cut(theme, last - min(count, last), count), sheet)
    if source == "head":
        return _cut(theme, 0, count)
    bar = replace(theme.bars[0], onset=0)
    bars = tuple(replace(bar, onset=i * bar.ticks) for i in range(count))
    if source == "pedal":
        symbol = theme.chords[0].symbol
        return Stretch(bars, (ChordSpan(0, count * bar.ticks, symbol),))
    if source == "dominant":
        return _dominant(bars, sheet)
    if source != "vamp":
        raise HouseError(f"source {source!r} is unknown", mend="tail head vamp pedal dominant")
    pair = _vamp_pair(theme, sheet)
    chords = tuple(ChordSpan(i * bar.ticks, bar.ticks, pair[i % 2]) for i in range(count))
    return Stretch(bars, chords)


def _dominant(bars: tuple[Bar, ...], sheet: LeadSheet) -> Stretch:
    """The chord that leads home, suspended until the last bar."""
    last = turnaround(Stretch(bars, ()), sheet).chords[-1]
    root, held = last.symbol.root, bars[-1].onset
    if not held:
        return Stretch(bars, (last,))
    waiting = Chord(root, "7sus4" if last.symbol.quality == "7" else "sus4", root)
    return Stretch(bars, (ChordSpan(0, held, waiting), last))


def riff(sheet: LeadSheet, count: int) -> Stretch:
    """So many bars of the riff's chords."""
    part = sheet.parts.get(RIFF)
    if part is None:
        return borrow(sheet, count, "vamp")
    times = -(-count // len(part.bars))
    bars, chords = [], []
    for at in range(0, times * part.ticks, part.ticks):
        bars += [replace(b, onset=b.onset + at) for b in part.bars]
        chords += [replace(c, onset=c.onset + at) for c in part.chords]
    return _cut(Stretch(tuple(bars), tuple(chords)), 0, count)


def closing(sheet: LeadSheet, count: int, source: str | None) -> Stretch:
    """What leads to the final chord."""
    if source in (None, "cadence"):
        return _cadence(sheet, count, _CADENCES)
    if source == "plagal":
        return _cadence(sheet, count, _PLAGAL)
    if source == "tag":
        return _tag(sheet, count)
    return borrow(sheet, count, source)


def _tag(sheet: LeadSheet, count: int) -> Stretch:
    """The theme's last bars once more, with their melody."""
    theme = _theme(sheet)
    part = sheet.parts[sheet.form[-1]]
    count = min(count, len(part.bars))
    start = part.bars[len(part.bars) - count].onset
    sung = tuple(replace(n, onset=n.onset - start) for n in part.notes if n.onset >= start)
    stretch = _cut(theme, len(theme.bars) - count, count)
    return Stretch(stretch.bars, stretch.chords, sung)


def _vamp_pair(theme: Stretch, sheet: LeadSheet) -> tuple[Chord, Chord]:
    """The first chord and the first one that differs from it."""
    first = theme.chords[0].symbol
    others = [c.symbol for c in theme.chords if c.symbol.root != first.root]
    return first, others[0] if others else first


def turnaround(stretch: Stretch, sheet: LeadSheet) -> Stretch:
    """Turn the last bar of a closing phrase to the dominant, so that the theme can begin."""
    key, bar = stretch.bars[-1].key, stretch.bars[-1]
    opening = sheet.parts[sheet.form[0]].chords[0].symbol
    kept = [c for c in stretch.chords if c.onset < bar.onset]
    kept = [replace(c, duration=min(c.duration, bar.onset - c.onset)) for c in kept]
    dominant = Chord((key.tonic + 7) % 12, "7", (key.tonic + 7) % 12)
    if opening.root != key.tonic:
        dominant = Chord((opening.root + 7) % 12, "7", (opening.root + 7) % 12)
    if key.mode in ("dorian", "mixolydian", "phrygian") and opening.root == key.tonic:
        seventh = (key.tonic + 10) % 12
        dominant = Chord(seventh, "maj", seventh)
    return replace_chords(stretch, [*kept, ChordSpan(bar.onset, bar.ticks, dominant)])


def replace_chords(stretch: Stretch, chords: list[ChordSpan]) -> Stretch:
    """The same bars under other chords."""
    return Stretch(stretch.bars, tuple(chords), stretch.melody)


def tonic_symbol(key: Key, qualities: tuple[str, str]) -> Chord:
    """The key's home chord."""
    return Chord(key.tonic, qualities[1] if key.is_minor else qualities[0], key.tonic)


Degrees = dict[str, tuple[tuple[int, str], ...]]


def _cadence(sheet: LeadSheet, count: int, by_mode: Degrees) -> Stretch:
    """A closing phrase in the last key, one chord a bar."""
    last = _theme(sheet).bars[-1]
    key = last.key
    bars = tuple(replace(last, onset=i * last.ticks) for i in range(count))
    degrees = by_mode[key.mode][-count:]
    chords = []
    for place in range(count):
        step, quality = degrees[place % len(degrees)]
        root = (key.tonic + step) % 12
        chords.append(ChordSpan(place * last.ticks, last.ticks, Chord(root, quality, root)))
    return Stretch(bars, tuple(chords))


_CADENCES: Degrees = {
    "major": ((0, "maj"), (9, "m7"), (5, "maj"), (7, "sus4"), (5, "maj"), (2, "m7"), (7, "7")),
    "minor": ((0, "min"), (8, "maj7"), (5, "min"), (7, "sus4"), (8, "maj"), (5, "min"), (7, "7")),
    "dorian": ((0, "min"), (5, "maj"), (0, "min"), (3, "maj"), (5, "maj"), (10, "maj")),
    "mixolydian": ((0, "maj"), (10, "maj"), (5, "maj"), (0, "maj"), (5, "maj"), (10, "maj")),
    "phrygian": ((0, "min"), (1, "maj"), (0, "min"), (8, "maj"), (10, "min"), (1, "maj")),
    "lydian": ((0, "maj"), (2, "maj"), (0, "maj"), (9, "m7"), (2, "maj"), (2, "maj")),
}
_PLAGAL: Degrees = {
    "major": ((0, "maj"), (10, "maj"), (5, "maj"), (5, "min")),
    "minor": ((0, "min"), (3, "maj"), (8, "maj"), (10, "maj")),
    "dorian": ((0, "min"), (3, "maj"), (10, "maj"), (5, "maj")),
    "mixolydian": ((0, "maj"), (10, "maj"), (5, "maj"), (5, "min")),
    "phrygian": ((0, "min"), (8, "maj"), (3, "maj"), (1, "maj")),
    "lydian": ((0, "maj"), (9, "m7"), (2, "maj"), (5, "maj")),
}


def final(sheet: LeadSheet, arrangement: Arrangement) -> Stretch:
    """One bar of the home chord, two where bars are short."""
    last = _theme(sheet).bars[-1]
    count = 1 if last.ticks > 3 * TICKS else 2
    bars = tuple(replace(last, onset=i * last.ticks) for i in range(count))
    home = tonic_symbol(last.key, arrangement.final_quality)
    return Stretch(bars, (ChordSpan(0, count * last.ticks, home),))
