"""SoundFont 2 files, read: which samples play for a note, and how they are shaped.

Only what a rendered piece needs: presets, instruments, zones, envelopes, filter, vibrato.
Modulators other than the specification's note-on velocity curve are left out: a piece
carries no controllers they could listen to.

Source: SoundFont Technical Specification 2.04 (E-mu Systems / Creative, 2006), sections 4,
7 and 8; generator numbers are those of 8.1.3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import as_file, files
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from gen.disk.reading import SOUNDFONT, read
from gen.errors import HouseError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DRUM_BANK = 128
_DULL = {"TimGM6mb": 6.0}
"""What the highs of a font are raised by: of the built-in one 95 % of a piece's energy lies below
0.7 to 3 kHz."""

# Generator numbers (section 8.1.3).
_KEY_RANGE, _VELOCITY_RANGE, _INSTRUMENT, _SAMPLE = 43, 44, 41, 53
_MOST_CHUNKS = 10_000
_MOST_ZONES = 100_000
"""Looked at for one note; a piano of 88 keys in 16 layers has 2,816."""
_DEFAULTS = {
    8: 13_500,  # filter cutoff, absolute cents
    21: -12_000, 23: -12_000, 25: -12_000, 26: -12_000, 27: -12_000, 28: -12_000, 30: -12_000,
    33: -12_000, 34: -12_000, 35: -12_000, 36: -12_000, 38: -12_000,
    46: -1, 47: -1, 56: 100, 58: -1,
}  # fmt: skip
# Preset generators add to the instrument's, except those that are ranges, substitutions,
# sample addresses or sample settings (section 8.5), which a preset may not hold.
_NOT_ADDITIVE = {0, 1, 2, 3, 4, 12, 41, 43, 44, 45, 46, 47, 50, 53, 54, 57, 58}
_Header: TypeAlias = tuple[int, int, int, int, int, int, int, int]

_COMPRESSED = 0x10  # sample type bit of SF3 files


@dataclass(frozen=True, slots=True)
class VolumeEnvelope:
    """Six stages; times in seconds.

    `sustain` is what the decay ends at: for volume the decibels below full level, for
    modulation the share of full level, 0 to 1. The two `_per_key` values scale hold and
    decay times by 2 ** (value * (60 - pitch) / 1200).
    """

    delay: float
    attack: float
    hold: float
    decay: float
    sustain: float
    release: float
    hold_per_key: float = 0.0
    decay_per_key: float = 0.0


@dataclass(frozen=True, slots=True)
class Region:
    """One sample as one zone plays it. Positions count samples in `SoundFont.samples`."""

    start: int
    end: int
    loop_start: int
    loop_end: int
    loop: str  # "none", "always", or "held": until the note is released
    sample_rate: int
    root_pitch: float
    cents_per_key: int
    tune_cents: float
    fixed_pitch: int | None
    fixed_velocity: int | None
    attenuation_db: float
    pan: float  # -1 left to 1 right
    cutoff_cents: int
    resonance_db: float
    volume: VolumeEnvelope
    modulation: VolumeEnvelope
    modulation_to_pitch_cents: int
    modulation_to_cutoff_cents: int
    vibrato_cents: int
    vibrato_hz: float
    vibrato_delay: float
    exclusive_class: int


@dataclass(frozen=True, slots=True)
class _Zone:
    """Generators of one zone with its global zone laid under, and what it points to."""

    keys: tuple[int, int]
    velocities: tuple[int, int]
    generators: dict[int, int]
    target: int

    def covers(self, pitch: int, velocity: int) -> bool:
        return (
            self.keys[0] <= pitch <= self.keys[1]
            and self.velocities[0] <= velocity <= self.velocities[1]
        )


@dataclass(slots=True)
class SoundFont:
    """A font in memory. `samples` are float32 in [-1, 1), all recordings one after another.

    `air_db` is what its highs, above 2.5 kHz, are raised by where it is a dull one.
    """

    name: str
    samples: NDArray[np.float32]
    presets: dict[tuple[int, int], list[_Zone]]
    instruments: list[list[_Zone]]
    headers: list[_Header]
    air_db: float = 0.0
    _found: dict[tuple[int, int, int, int], tuple[Region, ...]] = field(default_factory=dict)

    def regions(self, program: int, pitch: int, velocity: int, *, drum: bool) -> tuple[Region, ...]:
        """What sounds for a note; empty where the font has nothing at that pitch.

        A program the font lacks falls back to the first of its bank, as synthesizers do.
        """
        bank = DRUM_BANK if drum else 0
        key = (bank, program, pitch, velocity)
        if key not in self._found:
            self._found[key] = tuple(self._find(bank, program, pitch, velocity))
        return self._found[key]

    def _find(self, bank: int, program: int, pitch: int, velocity: int) -> Iterator[Region]:
        zones = self.presets.get((bank, program)) or self.presets.get((bank, 0), [])
        looked_at = 0
        for preset_zone in zones:
            if not preset_zone.covers(pitch, velocity):
                continue
            looked_at += len(self.instruments[preset_zone.target])
            if looked_at > _MOST_ZONES:
                raise HouseError(
                    f"the SoundFont {self.name!r:.80} has more than {_MOST_ZONES:,} zones for one "
                    "note",
                    mend="give another font, or leave it out for the built-in one",
                )
            for zone in self.instruments[preset_zone.target]:
                if zone.covers(pitch, velocity):
                    yield self._region(preset_zone.generators, zone)

    def _region(self, preset: dict[int, int], zone: _Zone) -> Region:
        values = _DEFAULTS | zone.generators
        for number, amount in preset.items():
            if number not in _NOT_ADDITIVE:
                values[number] = values.get(number, 0) + amount
        return _make_region(values, self.headers[zone.target])


def _make_region(g: dict[int, int], header: _Header) -> Region:
    start, end, loop_start, loop_end, rate, root, correction, _ = header
    get = g.get
    return Region(
        start=start + get(0, 0) + 32_768 * get(4, 0),
        end=end + get(1, 0) + 32_768 * get(12, 0),
        loop_start=loop_start + get(2, 0) + 32_768 * get(45, 0),
        loop_end=loop_end + get(3, 0) + 32_768 * get(50, 0),
        loop={1: "always", 3: "held"}.get(get(54, 0) & 3, "none"),
        sample_rate=rate,
        root_pitch=float(g[58] if g[58] >= 0 else root if root < 128 else 60),
        cents_per_key=g[56],
        tune_cents=100.0 * get(51, 0) + get(52, 0) + correction,
        fixed_pitch=g[46] if g[46] >= 0 else None,
        fixed_velocity=g[47] if g[47] >= 0 else None,
        # 0.4: E-mu's own hardware, by which fonts were balanced, did so; FluidSynth follows.
        attenuation_db=0.4 * max(0, get(48, 0)) / 10,
        pan=max(-1.0, min(1.0, get(17, 0) / 500)),
        cutoff_cents=g[8],
        resonance_db=max(0, get(9, 0)) / 10,
        volume=_envelope(g, first=33, sustain=min(144.0, max(0, get(37, 0)) / 10)),
        modulation=_envelope(g, first=25, sustain=1 - min(1000, max(0, get(29, 0))) / 1000),
        modulation_to_pitch_cents=get(7, 0),
        modulation_to_cutoff_cents=get(11, 0),
        vibrato_cents=get(6, 0),
        vibrato_hz=8.176 * 2 ** (get(24, 0) / 1200),
        vibrato_delay=_seconds(g[23]),
        exclusive_class=get(57, 0),
    )


def _envelope(g: dict[int, int], *, first: int, sustain: float) -> VolumeEnvelope:
    delay, attack, hold, decay = (_seconds(g[first + stage]) for stage in range(4))
    return VolumeEnvelope(
        delay, attack, hold, decay, sustain, _seconds(g[first + 5]),
        hold_per_key=float(g.get(first + 6, 0)), decay_per_key=float(g.get(first + 7, 0)),
    )  # fmt: skip


def _seconds(timecents: int) -> float:
    return 0.0 if timecents <= -12_000 else float(2 ** (min(timecents, 8_000) / 1200))


@lru_cache(maxsize=2)
def load(path: Path | None = None) -> SoundFont:
    """Read a SoundFont; without a path, the General MIDI font that pretty_midi ships.

    Raises:
        HouseError: not a SoundFont 2 file, cut short, or of compressed samples (SF3).
    """
    if path is None:
        with as_file(files("pretty_midi") / "TimGM6mb.sf2") as default:
            return _read(default)
    return _read(path)


def _read(path: Path) -> SoundFont:
    mend = "give a SoundFont 2 file (.sf2), or leave the setting out for the built-in font"
    data = read(path, SOUNDFONT)
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise HouseError("not a SoundFont: no RIFF/sfbk header", where=str(path), mend=mend)
    try:
        return _parse(data, path)
    except (KeyError, IndexError, ValueError, struct.error) as error:
        what = f"damaged SoundFont ({type(error).__name__}: {error})"
        raise HouseError(what, where=str(path), mend=mend) from error


def _parse(data: bytes, path: Path) -> SoundFont:
    import numpy as np

    chunks: dict[bytes, bytes] = {}
    for _, body in _chunks(data[12:]):
        chunks.update(_chunks(body[4:]))
    headers = _sample_headers(chunks[b"shdr"])
    if any(header[7] & _COMPRESSED for header in headers):
        what = "its samples are compressed (SF3), which the built-in player does not decode"
        mend = "convert it to .sf2 (MuseScore's sf3convert -x, or Polyphone), or leave it out"
        raise HouseError(what, where=str(path), mend=mend)
    samples = np.frombuffer(chunks[b"smpl"], dtype="<i2").astype(np.float32) / np.float32(32_768)
    names = chunks.get(b"INAM", b"").split(b"\0")[0].decode("latin-1")
    instruments = [
        _zones(chunks[b"ibag"], chunks[b"igen"], first, last, target=_SAMPLE)
        for first, last in _pairs(chunks[b"inst"], size=22, offset=20)
    ]
    name = names or path.stem
    air_db = _DULL.get(name, 0.0)
    return SoundFont(name, samples, _presets(chunks), instruments, headers, air_db)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = count = 0
    while position + 8 <= len(data):
        count += 1
        if count > _MOST_CHUNKS:
            raise ValueError(f"more than {_MOST_CHUNKS:,} chunks")
        name, size = struct.unpack_from("<4sI", data, position)
        yield name, data[position + 8 : position + 8 + size]
        position += 8 + size + size % 2


def _presets(chunks: dict[bytes, bytes]) -> dict[tuple[int, int], list[_Zone]]:
    headers = chunks[b"phdr"]
    ranges = _pairs(headers, size=38, offset=24)
    presets = {}
    for index, (first, last) in enumerate(ranges):
        program, bank = struct.unpack_from("<HH", headers, 38 * index + 20)
        zones = _zones(chunks[b"pbag"], chunks[b"pgen"], first, last, target=_INSTRUMENT)
        presets[bank, program] = zones
    return presets


def _pairs(records: bytes, *, size: int, offset: int) -> list[tuple[int, int]]:
    """Each record's first index and the next record's; the last record is a terminator."""
    places = range(offset, len(records), size)
    indices = [struct.unpack_from("<H", records, place)[0] for place in places]
    if indices != sorted(indices):
        raise ValueError("its zones overlap")  # each might then be read once for every other
    return list(pairwise(indices))


def _zones(bags: bytes, generators: bytes, first: int, last: int, *, target: int) -> list[_Zone]:
    zones: list[_Zone] = []
    common: dict[int, int] = {}
    for bag in range(first, last):
        begin = struct.unpack_from("<H", bags, 4 * bag)[0]
        end = struct.unpack_from("<H", bags, 4 * bag + 4)[0]
        if end < begin:
            raise ValueError("its zones overlap")
        amounts = dict(struct.iter_unpack("<Hh", generators[4 * begin : 4 * end]))
        if target in amounts:
            zones.append(_zone(common | amounts, target))
        elif bag == first:
            common = amounts  # a first zone that points nowhere holds the others' defaults
    return zones


def _zone(generators: dict[int, int], target: int) -> _Zone:
    return _Zone(
        _span(generators.get(_KEY_RANGE)),
        _span(generators.get(_VELOCITY_RANGE)),
        generators,
        generators[target],
    )


def _span(amount: int | None) -> tuple[int, int]:
    return (0, 127) if amount is None else (amount & 0xFF, amount >> 8 & 0xFF)


def _sample_headers(records: bytes) -> list[_Header]:
    """(start, end, loop start, loop end, rate, root pitch, correction in cents, type) each."""
    headers = []
    for fields in struct.iter_unpack("<20sIIIIIBbHH", records):
        start, end, loop_start, loop_end, rate, root, correction, _, kind = fields[1:]
        headers.append((start, end, loop_start, loop_end, rate, root, correction, kind))
    return headers[:-1]
