"""A piece as written music: bars, voices, note values, ties and triplets.

How it is read, since a performance says less than a score:

* Time is counted in 24 divisions a quarter. Each quarter of each staff is read as
  sixteenths, eighth triplets, thirty-seconds or sixteenth triplets, whichever its onsets
  fit best (simpler ones first); bars of compound time (6/8, 9/8, 12/8) have no triplets.
* Note ends snap to the grid of the quarter they fall in. A gap of up to an eighth before the
  voice's next note closes where the note sounded at least twice as long as the gap; so does
  one of up to a triplet eighth before the end of the quarter. Shorter notes are written in
  full and marked (`expression`).
* Notes of one staff that begin and end together are a chord. Others go to the first free
  voice; with four voices taken, the chord that began last is cut short.
* Drum hits last until the next hit of their voice, at most to the end of the quarter; feet
  are the second voice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from gen.piece import Note, Track
from gen.rendering import expression
from gen.rendering.ruler import BEAT, Ruler, WrittenBar, WrittenGrid

MOST_VOICES = 4

_CLOSED_GAP, _CLOSED_END = 12, 8
_FEET = frozenset({35, 36, 44})
_VALUES = {
    3: ("32nd", 0), 6: ("16th", 0), 9: ("16th", 1), 12: ("eighth", 0), 18: ("eighth", 1),
    24: ("quarter", 0), 36: ("quarter", 1), 48: ("half", 0), 72: ("half", 1),
    96: ("whole", 0), 144: ("whole", 1), 192: ("breve", 0),
}  # fmt: skip
_TRIPLET_VALUES = {4: ("16th", 0), 8: ("eighth", 0), 12: ("eighth", 1), 16: ("quarter", 0)}
_GRAND_STAFF = frozenset({*range(8), *range(16, 22), 23, 46})  # keyboards and harp
_MIDDLE_C = 60


@dataclass(slots=True)
class Sound:
    """A chord (or one note) from `start` to `end`, in divisions; velocity by pitch.

    `held` is how long it was played, not yet on any grid; `marks` are articulations, `slur` is
    "start" or "stop" where one begins or ends.
    """

    start: int
    end: int
    velocities: dict[int, int]
    held: float = 0.0
    marks: set[str] = field(default_factory=set)
    slur: str = ""


@dataclass(frozen=True, slots=True)
class Symbol:
    """One written note, chord or rest. `offset` and `duration` in divisions of its bar."""

    offset: int
    duration: int
    value: str = ""
    dots: int = 0
    is_triplet: bool = False
    tuplet: str = ""  # "start", "stop", "both" or ""
    velocities: dict[int, int] = field(default_factory=dict)
    tied_from: bool = False
    tied_to: bool = False
    marks: tuple[str, ...] = ()
    slur: str = ""

    @property
    def is_rest(self) -> bool:
        return not self.velocities


@dataclass(frozen=True, slots=True)
class Staff:
    """`voices[v][b]` holds the symbols of voice v in bar b; empty where the voice is silent.

    The first voice is never empty: a silent bar holds one rest.
    """

    voices: list[list[list[Symbol]]]


def staves(track: Track, ruler: Ruler) -> list[Staff]:
    """The staves of a track: two for keyboards and harps that use both hands, else one."""
    if track.is_drum:
        hands = [note for note in track.notes if note.pitch not in _FEET]
        feet = [note for note in track.notes if note.pitch in _FEET]
        return [_drum_staff([hands, feet], ruler)]
    slurs = track.program in expression.SLURRED
    return [_staff(notes, ruler, slurs=slurs) for notes in _hands(track)]


def _hands(track: Track) -> list[list[Note]]:
    upper = [note for note in track.notes if note.pitch >= _MIDDLE_C]
    lower = [note for note in track.notes if note.pitch < _MIDDLE_C]
    both = track.program in _GRAND_STAFF and upper and lower
    return [upper, lower] if both else [list(track.notes)]


def _staff(notes: list[Note], ruler: Ruler, *, slurs: bool) -> Staff:
    grid = WrittenGrid(notes, ruler)
    voices = _voices(_sounds(notes, ruler, grid))
    for voice in voices:
        expression.accent(voice, ruler)
        expression.shorten(voice, ruler, grid)
        if slurs:
            expression.slur(voice, ruler)
        _close(voice, grid)
    return Staff([_written(voice, ruler, grid, first=i == 0) for i, voice in enumerate(voices)])


def _drum_staff(parts: list[list[Note]], ruler: Ruler) -> Staff:
    voices: list[list[list[Symbol]]] = []
    for notes in parts:
        grid = WrittenGrid(notes, ruler)
        hits = _chords(_sounds(notes, ruler, grid))
        for hit, following in zip_longest(hits, hits[1:]):
            bar = ruler.bar_at(hit.start)
            beat_end = hit.start + BEAT - (hit.start - bar.start) % BEAT
            next_start = following.start if following else beat_end
            hit.end = min(next_start, beat_end, bar.end)
        if hits or not voices:
            voices.append(_written(hits, ruler, grid, first=not voices))
    return Staff(voices)


def _sounds(notes: Iterable[Note], ruler: Ruler, grid: WrittenGrid) -> list[Sound]:
    """Notes on the grid by start, highest first; a struck-again pitch ends the one before."""
    end_of_piece, last = ruler.bars[-1].end, grid.last_line()
    found: dict[tuple[int, int], Sound] = {}
    for note in sorted(notes):
        start = min(grid.snap(ruler.at(note.onset_ticks)), last)
        end = max(grid.snap(ruler.at(note.end_ticks)), grid.following(start))
        end = min(end, end_of_piece)
        known = found.get((start, note.pitch))
        if known is None or known.end < end:
            held = ruler.at(note.end_ticks) - ruler.at(note.onset_ticks)
            found[start, note.pitch] = Sound(start, end, {note.pitch: note.velocity}, held)
    sounding: dict[int, Sound] = {}
    for (start, pitch), sound in sorted(found.items()):
        before = sounding.get(pitch)
        if before and before.end > start:
            before.end = start
        sounding[pitch] = sound
    return [found[key] for key in sorted(found, key=lambda k: (k[0], -k[1]))]


def _chords(sounds: Iterable[Sound]) -> list[Sound]:
    """One chord for each onset, as long as its longest note."""
    chords: dict[int, Sound] = {}
    for sound in sounds:
        chord = chords.setdefault(sound.start, Sound(sound.start, sound.end, {}))
        chord.end = max(chord.end, sound.end)
        chord.velocities.update(sound.velocities)
    return list(chords.values())


def _voices(sounds: list[Sound]) -> list[list[Sound]]:
    """Up to four voices, none of which overlaps itself."""
    voices: list[list[Sound]] = []
    for sound in sounds:
        same = (v[-1] for v in voices if (v[-1].start, v[-1].end) == (sound.start, sound.end))
        if chord := next(same, None):
            chord.velocities.update(sound.velocities)
        elif free := next((v for v in voices if v[-1].end <= sound.start), None):
            free.append(sound)
        elif len(voices) < MOST_VOICES:
            voices.append([sound])
        else:
            _squeeze(voices, sound)
    return voices or [[]]


def _squeeze(voices: list[list[Sound]], sound: Sound) -> None:
    """Place a fifth simultaneous line: cut the latest earlier chord, or join one that starts."""
    earlier = [voice for voice in voices if voice[-1].start < sound.start]
    if not earlier:
        voices[-1][-1].velocities.update(sound.velocities)
        return
    voice = max(earlier, key=lambda v: v[-1].start)
    voice[-1].end = sound.start
    voice.append(sound)


def _close(voice: list[Sound], grid: WrittenGrid) -> None:
    """Close the voice's small gaps: articulation is no rest."""
    for sound, following in zip_longest(voice, voice[1:]):
        beat_end = grid.cell(sound.end)[1]
        next_start = following.start if following else beat_end
        for target, most in ((next_start, _CLOSED_GAP), (min(beat_end, next_start), _CLOSED_END)):
            if 0 < target - sound.end <= min(most, (sound.end - sound.start) // 2):
                sound.end = target
                break


def _written(
    voice: list[Sound], ruler: Ruler, grid: WrittenGrid, *, first: bool
) -> list[list[Symbol]]:
    """A voice bar by bar, rests filled in; each bar's durations sum to its length."""
    bars: list[list[Symbol]] = []
    at = 0
    for bar in ruler.bars:
        while at < len(voice) and voice[at].end <= bar.start:
            at += 1
        inside = []
        for sound in voice[at:]:
            if sound.start >= bar.end:
                break
            inside.append(sound)
        if inside:
            bars.append(_with_tuplets(list(_bar_symbols(inside, bar, grid)), bar, grid))
        else:
            bars.append([Symbol(0, bar.length)] if first else [])
    return bars


def _bar_symbols(sounds: list[Sound], bar: WrittenBar, grid: WrittenGrid) -> Iterator[Symbol]:
    position = bar.start
    for sound in sounds:
        start, end = max(sound.start, bar.start), min(sound.end, bar.end)
        yield from _values(position, start, bar, grid)
        pieces = list(_values(start, end, bar, grid))
        for index, symbol in enumerate(pieces):
            begins = index == 0 and sound.start >= bar.start
            yield replace(
                symbol,
                velocities=sound.velocities,
                tied_from=not begins,
                marks=tuple(sorted(sound.marks)) if begins else (),
                slur=sound.slur if begins else "",
                tied_to=index + 1 < len(pieces) or sound.end > bar.end,
            )
        position = end
    yield from _values(position, bar.end, bar, grid)


def _values(start: int, end: int, bar: WrittenBar, grid: WrittenGrid) -> Iterator[Symbol]:
    """A span as note values: triplet quarters apart, the rest split by the metre."""
    while start < end:
        cell_start, cell_end = grid.cell(start)
        if grid.is_triplet(cell_start) and not (start == cell_start and end >= cell_end):
            stop = min(end, cell_end)
            yield from _triplet_values(start, stop, bar)
        else:
            stop = _straight_until(start, end, grid)
            yield from _straight_values(start - bar.start, stop - bar.start, bar)
        start = stop


def _straight_until(start: int, end: int, grid: WrittenGrid) -> int:
    """Where the span from `start` meets a triplet quarter that it does not fill."""
    while start < end:
        cell_start, cell_end = grid.cell(start)
        if grid.is_triplet(cell_start) and end < cell_end:
            return cell_start
        start = cell_end
    return end


def _triplet_values(start: int, end: int, bar: WrittenBar) -> Iterator[Symbol]:
    while start < end:
        duration = max(d for d in _TRIPLET_VALUES if d <= end - start)
        value, dots = _TRIPLET_VALUES[duration]
        yield Symbol(start - bar.start, duration, value, dots, is_triplet=True)
        start += duration


def _straight_values(start: int, end: int, bar: WrittenBar) -> Iterator[Symbol]:
    """Offsets within the bar as plain and dotted values that show the metre."""
    if start >= end:
        return
    if end - start in _VALUES and _is_readable(start, end, bar):
        value, dots = _VALUES[end - start]
        yield Symbol(start, end - start, value, dots)
        return
    middle = _strongest_inside(start, end, bar)[1]
    yield from _straight_values(start, middle, bar)
    yield from _straight_values(middle, end, bar)


def _is_readable(start: int, end: int, bar: WrittenBar) -> bool:
    """Whether one value may cover the span: it hides no boundary stronger than its start.

    Syncopations that are read at sight may: 16th-eighth-16th inside a quarter,
    eighth-quarter-eighth inside half a bar, a half or dotted half from the second beat.
    """
    level, _ = _strongest_inside(start, end, bar)
    if bar.is_compound:
        return level == 0 or (start % level == 0 and (level < 36 or (end - start) % 36 == 0))
    if level == 0 or start % level == 0:
        return True
    in_one_beat = start // BEAT == (end - 1) // BEAT
    off_beat_quarter = level == 24 and (start % 24, end - start) == (12, 24)
    from_second_beat = level == 48 and start % 24 == 0 and end - start in (48, 72)
    return (in_one_beat and start % 6 == 0) or off_beat_quarter or from_second_beat


def _strongest_inside(start: int, end: int, bar: WrittenBar) -> tuple[int, int]:
    """The strongest metric boundary strictly inside a span: (level, offset); (0, …) for none."""
    for level in bar.levels:
        boundary = start - start % level + level
        if boundary < end:
            # A long value from a weak start is cut early, one from a strong start late.
            last = (end - 1) // level * level
            return level, last if start % level == 0 else boundary
    return 0, end


def _with_tuplets(symbols: list[Symbol], bar: WrittenBar, grid: WrittenGrid) -> list[Symbol]:
    """Mark the first and last symbol of each triplet quarter, where the bracket begins and ends."""
    cells: dict[int, list[int]] = defaultdict(list)
    for index, symbol in enumerate(symbols):
        if symbol.is_triplet:
            cells[grid.cell(bar.start + symbol.offset)[0]].append(index)
    marked = list(symbols)
    for members in cells.values():
        if len(members) == 1:
            marked[members[0]] = replace(marked[members[0]], tuplet="both")
            continue
        marked[members[0]] = replace(marked[members[0]], tuplet="start")
        marked[members[-1]] = replace(marked[members[-1]], tuplet="stop")
    return marked
