"""Hashes of melodic lines: what rights-holders list, and what works are looked up by.

A print is the first eight bytes of SHA-256 of six successive steps of a line, so that whoever keeps
a list of prints keeps no music. Lines are the upper ones of each voice and of all voices together,
each as it is and without its ornaments. `scripts/fingerprint_alone.py` makes the same prints of a
file with nothing of this software; docs/letter.md says what every byte is.
"""

from __future__ import annotations

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
from gen.likeness.voices import CHORD_SPREAD, Hashes, Ints
from gen.piece import Note, Piece

STEPS: Final = 6
UPPER, PLAIN = "upper", "plain"
_MOST_PASSED = 3

Line = list[tuple[int, int, int]]
"""Begin in ticks, pitch and end in ticks of each note, no pitch twice in a row."""


@dataclass(frozen=True, slots=True)
class PrintLine:
    """The prints of one line.

    Attributes:
        part: number of the voice, from 1; 0 for all voices together.
        kind: `UPPER`, or `PLAIN` without ornaments.
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
    spread = max(piece.ticks_per_quarter // CHORD_SPREAD, 1)
    found: list[PrintLine] = []
    for number, notes in enumerate([*voices, *together], 1):
        part = number if number <= len(voices) else 0
        found += _of_line(part, upper_line(notes, spread), starts)
    return tuple(found)


def prints_of_fingerprint(fingerprint: Fingerprint) -> tuple[PrintLine, ...]:
    """The upper lines of a piece of which a fingerprint was kept, which has no lengths of notes."""
    found, part = [], 0
    for voice in fingerprint.voices:
        part += not voice.is_together
        prints = _prints(np.diff(voice.pitches).tolist())
        bars = np.maximum(voice.bars[: len(prints)], 1)
        if len(prints):
            found.append(PrintLine(0 if voice.is_together else part, UPPER, prints, bars))
    return tuple(found)


def _of_line(part: int, upper: Line, starts: Ints) -> Iterator[PrintLine]:
    plain = plain_line(upper)
    for kind, line in ((UPPER, upper), (PLAIN, plain)):
        if len(line) <= STEPS or (kind == PLAIN and plain == upper):
            continue
        prints = _prints([after[1] - note[1] for note, after in pairwise(line)])
        begins = [note[0] for note in line[: len(prints)]]
        bars = np.searchsorted(starts, begins, side="right").astype(np.int32)
        yield PrintLine(part, kind, prints, bars)


def _prints(steps: Sequence[int]) -> Hashes:
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
    """A line without its ornaments: up to three short notes in a row are left out.

    A note's length goes to its end, or to the next note if that begins earlier; short is less than
    two fifths of that of the note that was kept before it: no two plain note values are so related,
    so that played timing decides nothing.
    """
    nexts = [*(note[0] for note in line[1:]), sys.maxsize]
    kept: Line = []
    longest = passed = 0
    for note, after in zip(line, nexts, strict=True):
        length = min(note[2], after) - note[0]
        if 5 * length < 2 * longest and passed < _MOST_PASSED:
            passed += 1
        else:
            kept.append(note)
            longest, passed = length, 0
    return _joined(kept)
