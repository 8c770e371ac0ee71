"""What a piece is compared by: its lines, and its bars as hashes.

`Fingerprint` is what is kept of known music, in caches and in the house's log; `NewPiece` is what
is searched for. A stored fingerprint names its format; the lists of lines of earlier formats, and
the plain lists of intervals that rights-holders write, are read too.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gen.errors import HouseError
from gen.likeness.voices import (
    TIME_UNIT,
    Ints,
    Part,
    Voice,
    parts_of,
    shingles_of,
    unpack_voices,
)
from gen.piece import Piece, Track

FORMAT = 2
MOST_NOTES = 60_000
"""A piece of more notes is compared by its first ones, and a person has to look at the rest."""
_MOST_BYTES = 4 << 20
_LAYERS = 3
_BAR_STEP = TIME_UNIT // 4
"""Notes of a bar are told apart in sixteenths."""
_DRUM = np.uint32(1)

Bars = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is kept of a known piece.

    Attributes:
        voices: the upper line of each pitched track, and of all of them together.
        bars: hashes of its bars, ascending; the lowest bit tells those of a drum kit.
    """

    voices: tuple[Voice, ...]
    bars: Bars = field(default_factory=lambda: np.zeros(0, dtype=np.uint32))

    @property
    def tracks(self) -> tuple[Voice, ...]:
        """The lines of single tracks."""
        return tuple(voice for voice in self.voices if not voice.is_together)

    def pack(self) -> dict[str, object]:
        """Plain JSON values, a few kB."""
        heads = [[v.label, v.is_leading, v.is_together, len(v.pitches)] for v in self.voices]
        columns = (
            [v.pitches.astype("<u1") for v in self.voices],
            [np.diff(v.onsets, prepend=0).astype("<i4") for v in self.voices],
            [np.diff(v.bars, prepend=0).astype("<i4") for v in self.voices],
        )
        raw = b"".join(array.tobytes() for column in columns for array in column)
        return {
            "bars": base64.b64encode(self.bars.astype("<u4").tobytes()).decode("ascii"),
            "format": FORMAT,
            "lines": heads,
            "notes": base64.b64encode(zlib.compress(raw, 9)).decode("ascii"),
            "repeats": self._packed_repeats(),
        }

    def _packed_repeats(self) -> str:
        """When the lines' notes were struck again: how many of each, then the steps in time."""
        columns = [np.array([len(v.again) for v in self.voices])]
        columns += [np.diff(v.again, prepend=0) for v in self.voices]
        raw = b"".join(column.astype("<i4").tobytes() for column in columns)
        return base64.b64encode(zlib.compress(raw, 9)).decode("ascii")

    @staticmethod
    def unpack(packed: object) -> Fingerprint:
        """Read what `pack` wrote, or lists of lines (`voices.unpack_voices`).

        Raises:
            HouseError: none of these.
        """
        if not isinstance(packed, dict):
            return Fingerprint(unpack_voices(packed))
        try:
            if packed["format"] != FORMAT:
                raise ValueError(f"it is of format {packed['format']!r}, not {FORMAT}")
            bars = np.frombuffer(base64.b64decode(packed["bars"], validate=True), dtype="<u4")
            return Fingerprint(tuple(_unpacked(packed)), bars.astype(np.uint32))
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            mend = "it was made by another version: update this one"
            raise HouseError(f"the fingerprint cannot be read: {error}", mend=mend) from error


def _unpacked(packed: dict[str, Any]) -> list[Voice]:
    heads = [(str(a), bool(b), bool(c), int(d)) for a, b, c, d in packed["lines"]]
    counts = [count for *_, count in heads]
    if min(counts, default=0) < 0 or 9 * sum(counts) > _MOST_BYTES:
        raise ValueError("it holds more notes than a piece")
    if not heads:  # a piece of drums alone
        return []
    raw = _decompressed(packed["notes"])
    total = sum(counts)
    if len(raw) != 9 * total:
        raise ValueError("it holds another number of notes than it says")
    ends = np.cumsum(counts)[:-1]
    pitches = np.split(np.frombuffer(raw, "<u1", total), ends)
    onsets = np.split(np.frombuffer(raw, "<i4", total, total), ends)
    bars = np.split(np.frombuffer(raw, "<i4", total, 5 * total), ends)
    again = _unpacked_repeats(packed.get("repeats", ""), len(heads))
    return [
        Voice(label, leads, p.astype(np.int16), _summed(b), _summed(o), together, r)
        for (label, leads, together, _), p, o, b, r
        in zip(heads, pitches, onsets, bars, again, strict=True)
    ]  # fmt: skip


def _unpacked_repeats(packed: str, lines: int) -> list[NDArray[np.int32]]:
    if not packed:  # of an earlier version
        return [np.zeros(0, dtype=np.int32)] * lines
    raw = _decompressed(packed)
    values = np.frombuffer(raw, "<i4", len(raw) // 4)
    counts = values[:lines]
    if len(counts) < lines or min(counts, default=0) < 0 or lines + counts.sum() != len(values):
        raise ValueError("it holds another number of repeated notes than it says")
    return [_summed(steps) for steps in np.split(values[lines:], np.cumsum(counts)[:-1])]


def _decompressed(packed: str) -> bytes:
    return zlib.decompressobj().decompress(base64.b64decode(packed, validate=True), _MOST_BYTES)


def _summed(steps: NDArray[Any]) -> NDArray[np.int32]:
    return np.cumsum(steps, dtype=np.int64).astype(np.int32)


@dataclass(frozen=True, slots=True)
class NewPiece:
    """A piece to be compared.

    Attributes:
        fingerprint: what will be kept of it.
        parts: its tracks, and all pitched ones together, each with several lines.
        bar_weights: how much each of the fingerprint's bars says, in notes.
        is_whole: whether all of it was looked at.
    """

    fingerprint: Fingerprint
    parts: tuple[Part, ...]
    bar_weights: Ints
    is_whole: bool = True

    @staticmethod
    def of(piece: Piece, roles: Sequence[str] = ()) -> NewPiece:
        """Take a piece apart.

        Args:
            piece: any.
            roles: what each track does, in file order, where known.
        """
        is_whole = piece.note_count <= MOST_NOTES
        piece = piece if is_whole else _first_notes(piece)
        pitched = sum(bool(track.notes) and not track.is_drum for track in piece.tracks)
        parts = parts_of(piece, tuple(roles), _LAYERS, together=pitched > 1)
        voices = tuple(part.voices[0] for part in parts if part.voices and not part.is_drum)
        bars, weights = _bars_of(piece)
        return NewPiece(Fingerprint(voices, bars), parts, weights, is_whole)

    @property
    def upper_parts(self) -> tuple[Part, ...]:
        """The parts with their uppermost line alone."""
        return tuple(
            Part(part.voices[:1], part.onsets, part.ends, part.pitches) for part in self.parts
        )


def shingles_of_tracks(fingerprint: Fingerprint) -> NDArray[np.uint64]:
    """The set of shingles of a piece's tracks."""
    return shingles_of(fingerprint.tracks)


def _first_notes(piece: Piece) -> Piece:
    """The piece up to where it has had `MOST_NOTES`."""
    onsets = sorted(note.onset_ticks for track in piece.tracks for note in track.notes)
    end = onsets[MOST_NOTES]
    tracks = [
        Track(t.name, t.program, t.is_drum, t.role, [n for n in t.notes if n.onset_ticks < end])
        for t in piece.tracks
    ]
    return Piece(piece.ticks_per_quarter, tracks, time_signatures=piece.time_signatures)


def _bars_of(piece: Piece) -> tuple[Bars, Ints]:
    """Hashes of what each track plays in each bar, ascending, and how many notes say it.

    Places in the bar count in sixteenths, pitches from that of the bar's first note (on a kit from
    0), so another key, tempo or instrument gives the same hash.
    """
    starts = np.array([start for start, _ in piece.bar_starts()], dtype=np.int64)
    found: dict[int, int] = {}
    for track in piece.tracks:
        notes = np.array([(n.onset_ticks, n.pitch) for n in track.notes], np.int64).reshape(-1, 2)
        onsets, pitches = notes[np.lexsort((notes[:, 1], notes[:, 0]))].T
        bars = np.searchsorted(starts, onsets, side="right") - 1
        first = np.flatnonzero(np.diff(bars, prepend=-1))
        counts = np.diff(np.append(first, len(bars)))
        steps = (onsets - starts[bars]) * TIME_UNIT / piece.ticks_per_quarter / _BAR_STEP
        base = np.repeat(pitches[first], counts) * (not track.is_drum)
        codes = (np.round(steps).astype("<i8") << 8) + pitches - base + 128
        for begin, count in zip(first.tolist(), counts.tolist(), strict=True):
            content = np.unique(codes[begin : begin + count])
            digest = hashlib.blake2b(content.tobytes(), digest_size=4).digest()
            name = int.from_bytes(digest, "little") & ~1 | track.is_drum
            found[name] = len(content)
    order = sorted(found)
    return np.array(order, np.uint32), np.array([found[name] for name in order], np.int64)


def is_pitched(bars: Bars) -> NDArray[np.bool_]:
    """Which bars are not a drum kit's."""
    pitched: NDArray[np.bool_] = (bars & _DRUM) == 0
    return pitched
