"""Hashes of melodic lines: what rights-holders list, and what works are looked up by.

A print is the first eight bytes of SHA-256 of six successive steps of a line, so that whoever keeps
a list of prints keeps no music. Lines are the upper ones of each voice and of all voices together,
each as it is, without its ornaments, and as it stands at eighths. `scripts/fingerprint_alone.py`
makes the same prints with nothing of this software; docs/letter.md says what every byte is.
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gen.likeness.fingerprint import Fingerprint
from gen.likeness.voices import CHORD_SPREAD, TIME_UNIT, Hashes
from gen.piece import Note, Piece

STEPS: Final = 6
KINDS = UPPER, PLAIN, BEATS = "upper", "plain", "beats"

Line = list[tuple[int, int, int]]
"""Begin in ticks, pitch and end in ticks of each note, no pitch twice in a row."""


@dataclass(frozen=True, slots=True)
class PrintLine:
    """The prints of one line.

    Attributes:
        part: number of the voice, from 1; 0 for all voices together.
        kind: `UPPER`, `PLAIN` without ornaments, or `BEATS` of notes that sound at eighths.
        prints: (N,) uint64, in the order of the line.
        bars: (N,) the bar in which each begins, from 1.
    """

    part: int
    kind: str
    prints: Hashes
    bars: NDArray[np.int32]

    def to_dict(self) -> dict[str, Any]:
        """As it stands in a list."""
        hexes = self.prints.astype(">u8").tobytes().hex()
        return {"bars": self.bars.tolist(), "hashes": hexes, "kind": self.kind, "part": self.part}


def prints_of(piece: Piece) -> tuple[PrintLine, ...]:
    """The lines of a piece that are long enough to have a print."""
    voices = [track.notes for track in piece.tracks if not track.is_drum and track.notes]
    together = [[note for notes in voices for note in notes]] if len(voices) > 1 else []
    starts = np.array([start for start, _ in piece.bar_starts()], dtype=np.int64)
    unit = piece.ticks_per_quarter
    found: list[PrintLine] = []
    for number, notes in enumerate([*voices, *together], 1):
        part = number if number <= len(voices) else 0
        upper = upper_line(notes, max(unit // CHORD_SPREAD, 1))
        for kind, line in _different(upper, plain_line(upper), beat_line(upper, unit)):
            begins = [note[0] for note in line[: len(line) - STEPS]]
            bars = np.searchsorted(starts, begins, side="right").astype(np.int32)
            found.append(PrintLine(part, kind, _prints([note[1] for note in line]), bars))
    return tuple(found)


def prints_of_fingerprint(fingerprint: Fingerprint) -> tuple[PrintLine, ...]:
    """The lines of a piece of which a fingerprint was kept, which has no lengths of notes."""
    found, part = [], 0
    for voice in fingerprint.voices:
        part += not voice.is_together
        times = voice.onsets if voice.has_times else np.arange(len(voice.pitches)) * TIME_UNIT
        notes = zip(times.tolist(), voice.pitches.tolist(), strict=True)
        upper = [(begin, pitch, begin) for begin, pitch in notes]
        for kind, line in _different(upper, upper, beat_line(upper, TIME_UNIT)):
            begins = [note[0] for note in line[: len(line) - STEPS]]
            bars = np.maximum(voice.bars[np.searchsorted(times, begins)], 1)
            prints = _prints([note[1] for note in line])
            found.append(PrintLine(0 if voice.is_together else part, kind, prints, bars))
    return tuple(found)


def _different(upper: Line, plain: Line, beats: Line) -> Iterator[tuple[str, Line]]:
    """Those that are long enough to have a print and no line before."""
    lines = (upper, plain, beats)
    for number, (kind, line) in enumerate(zip(KINDS, lines, strict=True)):
        if len(line) > STEPS and line not in lines[:number]:
            yield kind, line


def _prints(pitches: Sequence[int]) -> Hashes:
    steps = [after - pitch for pitch, after in pairwise(pitches)]
    runs = (tuple(steps[at : at + STEPS]) for at in range(len(steps) - STEPS + 1))
    return np.array([_print(run) for run in runs], dtype=np.uint64)


@lru_cache(maxsize=1 << 18)
def _print(steps: tuple[int, ...]) -> int:
    text = f"line of steps: {','.join(map(str, steps))}"
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")


def upper_line(notes: Iterable[Note], spread: int) -> Line:
    """The highest note of each chord, repeated pitches joined.

    Args:
        notes: in any order.
        spread: what begins fewer ticks after a chord's first note belongs to it.
    """
    line: Line = []
    for note in sorted(notes, key=lambda note: (note.onset_ticks, -note.pitch)):
        begin, end = note.onset_ticks, note.end_ticks
        if not line or begin - line[-1][0] >= spread:
            line.append((begin, note.pitch, end))
        elif note.pitch > line[-1][1]:
            line[-1] = (line[-1][0], note.pitch, end)
    return _joined(line)


def _joined(line: Line) -> Line:
    """A line in which no pitch comes twice in a row."""
    found: Line = []
    for begin, pitch, end in line:
        if found and found[-1][1] == pitch:
            found[-1] = (found[-1][0], pitch, end)
        else:
            found.append((begin, pitch, end))
    return found


def plain_line(line: Line) -> Line:
    """A line without its ornaments, the shortest left out first, one at most after each note.

    An ornament is shorter than three tenths of the note before it, which then lasts until it ends:
    so what is an ornament is judged by the note that it was cut from. A note's length goes to its
    end, or to the beginning of the next one if that is earlier. No two plain note values are as
    three to ten, so that played timing decides nothing.
    """
    begins = [note[0] for note in line]
    nexts = [*begins[1:], sys.maxsize]
    lengths = [min(note[2], after) - note[0] for note, after in zip(line, nexts, strict=True)]
    waiting, left_out = [(length, at) for at, length in enumerate(lengths)], set[int]()
    heapq.heapify(waiting)
    while waiting:
        length, at = heapq.heappop(waiting)
        if at == 0 or length != lengths[at] or at in left_out or at - 1 in left_out:
            continue
        if 10 * length < 3 * lengths[at - 1]:
            left_out.add(at)
            lengths[at - 1] = begins[at] + length - begins[at - 1]
            heapq.heappush(waiting, (lengths[at - 1], at - 1))
    return _joined([note for at, note in enumerate(line) if at not in left_out])


def beat_line(line: Line, unit: int) -> Line:
    """Those notes that sound, or have sounded last, at an eighth, or a 64th after it.

    What is put between, however long it sounds, is not in it; what is played late is.

    Args:
        line: any.
        unit: ticks of a quarter note.
    """
    late, found = unit // CHORD_SPREAD, []
    nexts = [*(note[0] for note in line[1:]), sys.maxsize]
    for note, after in zip(line, nexts, strict=True):
        eighth = -(2 * (late - note[0]) // unit)  # the first one not before the note
        if eighth * unit // 2 + late < after:
            found.append(note)
    return _joined(found)
