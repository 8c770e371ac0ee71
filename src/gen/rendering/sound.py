"""A piece as sound: every note through the SoundFont, mixed in stereo, written as WAV.

The player is the house's own (numpy and scipy): the same bytes on every run, no system
package, no network. The mix is plain: parts take places in the stereo field by role, a
little room is added, and every piece is made equally loud (`mastering`).
"""

from __future__ import annotations

import math
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gen.errors import HouseError, SettingError
from gen.piece import Note, Piece, Track
from gen.rendering import files
from gen.rendering.mastering import cleaned, gain_for, limited
from gen.rendering.soundfont import Region, SoundFont, load
from gen.rendering.voice import render

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TAIL_SECONDS = 1.5
_FADE_SECONDS = 0.6
_LONGEST_SECONDS = 15 * 60
_QUANTUM = 32  # key-down times are rounded to this many samples, so that equal notes are shared


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """How a piece is rendered.

    Args:
        sample_rate: output samples per second, 8,000 to 96,000. At 44,100 a minute of stereo
            takes 10.6 MB.
        stereo: two channels, or one at half the size.
        room: level of the reverberation in the mix, 0 (none) to 1.
    """

    sample_rate: int = 44_100
    stereo: bool = True
    room: float = 0.2

    def __post_init__(self) -> None:
        if not 8_000 <= self.sample_rate <= 96_000:
            what = f"sample_rate={self.sample_rate} is outside 8000 to 96000 samples per second"
            raise SettingError(what, mend="use 44100 or 48000")
        if not 0 <= self.room <= 1:
            raise SettingError(f"room={self.room} is outside 0 to 1", mend="use 0.2, or 0 for none")


class _Place(NamedTuple):
    """Where a role sits: pan -1 left to 1 right, gain in dB, share sent to the room."""

    pan: float
    gain_db: float
    room: float


_PLACES = {
    "main_melody": _Place(0.0, 1.5, 1.0),
    "sub_melody": _Place(0.35, -1.0, 1.0),
    "riff": _Place(-0.35, -1.5, 0.7),
    "accompaniment": _Place(-0.3, -2.0, 0.8),
    "pad": _Place(0.2, -4.0, 1.0),
    "bass": _Place(0.0, 0.0, 0.15),
    "drums": _Place(0.0, -0.5, 0.45),
}
_ELSEWHERE = _Place(0.0, -1.0, 0.8)


class _Voice(NamedTuple):
    """What makes two notes the same recording: only level and time differ between them."""

    region: Region
    pitch: int
    held: int
    cut: int | None


@dataclass(slots=True)
class _Mix:
    left: NDArray[np.float32]  # (n,)
    right: NDArray[np.float32]  # (n,)
    room: NDArray[np.float32]  # (n,)


def audio(
    source: Piece | bytes,
    path: Path | str,
    *,
    soundfont: Path | str | None = None,
    settings: AudioSettings = AudioSettings(),
) -> Path:
    """Write a piece as 16-bit WAV, -16 LUFS, peaks below -1 dBFS, ending 1.5 s after its last note.

    Args:
        source: a piece, or the bytes of a strict MIDI file.
        path: the .wav to write; its folder is made.
        soundfont: a SoundFont 2 file; without it, the General MIDI font of pretty_midi.
        settings: sample rate, channels, room.

    Returns:
        `path`.

    Raises:
        HouseError: nothing to hear, longer than 15 minutes, an unusable SoundFont, or a
            folder that cannot be written.
    """
    piece = source if isinstance(source, Piece) else _parsed(source)
    font = load(Path(soundfont).resolve() if soundfont is not None else None)
    return files.write(Path(path), wav(samples(piece, font, settings), settings.sample_rate))


def _parsed(data: bytes) -> Piece:
    from gen.smf import parse

    return parse(data)


def samples(piece: Piece, font: SoundFont, settings: AudioSettings) -> NDArray[np.float32]:
    """The mixed piece, (channels, n) float32, as loud as every other."""
    rate = settings.sample_rate
    mix = mixed(piece, piece.tracks, font, settings)
    return limited(mix * gain_for(mix, rate), rate)


def stems(
    piece: Piece, font: SoundFont, settings: AudioSettings
) -> Iterator[tuple[Track, NDArray[np.float32]]]:
    """Each track with notes, alone, with the gain that it has in the mix: together they are it."""
    rate = settings.sample_rate
    gain = gain_for(mixed(piece, piece.tracks, font, settings), rate)
    for track in piece.tracks:
        if track.notes:
            yield track, limited(mixed(piece, [track], font, settings) * gain, rate)


def mixed(
    piece: Piece, tracks: Sequence[Track], font: SoundFont, settings: AudioSettings
) -> NDArray[np.float32]:
    """Some of a piece's tracks as they are in its mix, (channels, n), before its loudness."""
    import numpy as np

    if not piece.note_count:
        raise HouseError("the piece has no notes, so there is nothing to hear")
    seconds = piece.seconds_at(piece.end_ticks) + TAIL_SECONDS
    if seconds > _LONGEST_SECONDS:
        what = f"the piece lasts {seconds / 60:.0f} minutes; audio is rendered up to 15"
        raise HouseError(what, mend="check its tempo and its last note, or render a part of it")
    length = math.ceil(seconds * settings.sample_rate)
    mix = _Mix(*(np.zeros(length, np.float32) for _ in range(3)))
    clock = _Clock(piece, settings.sample_rate)
    for track, place in _placed(piece.tracks):
        if any(track is wanted for wanted in tracks):
            _add_track(mix, track, place, font, clock)
    return _finished(mix, settings, font.air_db)


class _Clock:
    """Ticks to output samples; remembers, since many notes share a tick."""

    def __init__(self, piece: Piece, rate: int) -> None:
        self.rate = rate
        self._piece = piece
        self._known: dict[int, int] = {}

    def sample_at(self, tick: int) -> int:
        if tick not in self._known:
            self._known[tick] = round(self._piece.seconds_at(tick) * self.rate)
        return self._known[tick]


def _placed(tracks: Iterable[Track]) -> Iterator[tuple[Track, _Place]]:
    """Each track with its place; a role's second track goes to the other side."""
    seen: dict[str | None, int] = defaultdict(int)
    for track in tracks:
        role = "drums" if track.is_drum else track.role
        place = _PLACES.get(role or "", _ELSEWHERE)
        turn, seen[role] = seen[role], seen[role] + 1
        pan = place.pan if turn % 2 == 0 else -(place.pan or 0.3)
        yield track, place._replace(pan=pan)


def _add_track(mix: _Mix, track: Track, place: _Place, font: SoundFont, clock: _Clock) -> None:
    for voice, sounding in _voices(track, font, clock).items():
        region = voice.region
        sound = render(font.samples, region, voice.pitch, voice.held, clock.rate, voice.cut)
        pan = max(-1.0, min(1.0, place.pan + region.pan * 0.7))
        level = 10 ** ((place.gain_db - region.attenuation_db) / 20)
        left, right = _pan_gains(pan)
        for onset, velocity in sounding:
            loud = sound * (level * (velocity / 127) ** 2)
            end = min(onset + len(loud), len(mix.left))
            loud = loud[: end - onset]
            mix.left[onset:end] += loud * left
            mix.right[onset:end] += loud * right
            mix.room[onset:end] += loud * place.room


def _pan_gains(pan: float) -> tuple[float, float]:
    """Equal-power panning."""
    angle = (pan + 1) * math.pi / 4
    return math.cos(angle), math.sin(angle)


def _voices(track: Track, font: SoundFont, clock: _Clock) -> dict[_Voice, list[tuple[int, int]]]:
    """Each distinct recording of a track with the (onset sample, velocity) pairs it sounds at."""
    voices: dict[_Voice, list[tuple[int, int]]] = defaultdict(list)
    choked: dict[int, int] = {}  # exclusive class → the next onset, since notes come last first
    for note, end_ticks in reversed(sounding_notes(track)):
        onset = clock.sample_at(note.onset_ticks)
        held = max(1, round((clock.sample_at(end_ticks) - onset) / _QUANTUM)) * _QUANTUM
        regions = font.regions(track.program, note.pitch, note.velocity, drum=track.is_drum)
        classes = {region.exclusive_class for region in regions if region.exclusive_class}
        for region in regions:
            following = choked.get(region.exclusive_class)
            cut = None if following is None else following - onset
            velocity = region.fixed_velocity or note.velocity
            voices[_Voice(region, note.pitch, held, cut or None)].append((onset, velocity))
        choked.update(dict.fromkeys(classes, onset))
    return voices


def sounding_notes(track: Track) -> list[tuple[Note, int]]:
    """Notes by onset, each with the tick at which it falls silent.

    A note released while the pedal is down sounds until the pedal rises or its pitch is
    struck again.
    """
    notes = sorted(track.notes)
    struck: dict[int, int] = {}
    ends = []
    for note in reversed(notes):
        end = max([note.end_ticks, *_pedal_ends(track, note.end_ticks)])
        if note.pitch in struck:
            end = max(note.end_ticks, min(end, struck[note.pitch]))
        struck[note.pitch] = note.onset_ticks
        ends.append(end)
    return list(zip(notes, reversed(ends), strict=True))


def _pedal_ends(track: Track, tick: int) -> Iterator[int]:
    for pedal in track.pedals:
        end = pedal.onset_ticks + pedal.duration_ticks
        if pedal.onset_ticks <= tick < end:
            yield end


def _finished(mix: _Mix, settings: AudioSettings, air_db: float) -> NDArray[np.float32]:
    """The channels with their room and a faded end."""
    import numpy as np

    channels = np.stack([mix.left, mix.right])
    if settings.room:
        channels += settings.room * _room(mix.room, settings.sample_rate)
    if not settings.stereo:
        channels = channels.mean(axis=0, keepdims=True)
    channels = cleaned(channels, settings.sample_rate, air_db)
    fade = min(round(_FADE_SECONDS * settings.sample_rate), channels.shape[1])
    channels[:, -fade:] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32)) ** 2
    return channels


def _room(sent: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """A small hall, (2, n): noise that dies away in 1.4 s, duller as it does.

    Source: J. A. Moorer, "About this reverberation business", Computer Music Journal 3(2),
    1979: exponentially decaying noise as an impulse response.
    """
    import numpy as np
    from scipy.signal import lfilter, oaconvolve  # type: ignore[import-untyped]

    seconds = np.arange(round(1.4 * rate)) / rate
    noise = np.random.Generator(np.random.PCG64(7)).standard_normal((2, len(seconds)))
    dull = lfilter([0.35], [1, -0.65], noise)
    share = np.exp(-seconds / 0.25)
    impulse = (noise * share + dull * (1 - share)) * np.exp(-6.9 * seconds / 1.4)
    impulse = np.pad(impulse, ((0, 0), (round(0.018 * rate), 0)))
    impulse /= np.sqrt((impulse**2).sum(axis=1, keepdims=True))
    return np.stack([oaconvolve(sent, side)[: len(sent)] for side in impulse.astype(np.float32)])


def wav(channels: NDArray[np.float32], sample_rate: int) -> bytes:
    """16-bit PCM WAV of (channels, n) samples in [-1, 1]."""
    import numpy as np

    count = len(channels)
    body = np.round(channels.T * 32_767).astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, count, sample_rate, sample_rate * 2 * count, 2 * count, 16)
    head = (
        b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(body))
    )
    return b"RIFF" + struct.pack("<I", len(head) + len(body)) + head + body
