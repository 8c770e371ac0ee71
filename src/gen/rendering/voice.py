"""One note of one sample: resampled to its pitch, enveloped and filtered.

Source: SoundFont Technical Specification 2.04, section 9 (synthesis model). The low-pass is
the biquad of R. Bristow-Johnson's "Cookbook formulae for audio equalizer biquad filters".
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from gen.rendering.soundfont import Region, VolumeEnvelope

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 256
"""Samples between two looks at the slow controls: filter cutoff, vibrato."""

_SILENT_DB = 80.0  # a release has ended where it is this far down
_LONGEST_RELEASE_SECONDS = 4.0
_SHORTEST_RELEASE_SECONDS = 0.02  # shorter ones click
_CUT_SECONDS = 0.02  # how fast a hi-hat is choked by the next one
_OPEN_CENTS = 13_500  # a filter at 20 kHz is no filter


def render(
    samples: NDArray[np.float32],
    region: Region,
    pitch: int,
    held: int,
    rate: int,
    cut: int | None = None,
) -> NDArray[np.float32]:
    """The region at `pitch`, full velocity, from key-down until it has died away.

    Args:
        samples: the font's samples, (S,).
        region: which of them, and their shaping.
        pitch: MIDI pitch 0-127.
        held: key-down time in output samples.
        rate: output samples per second.
        cut: output samples after which another note of its exclusive class chokes it.

    Returns:
        (n,) float32, mono, unpanned; n may be 0.
    """
    import numpy as np

    pitch = pitch if region.fixed_pitch is None else region.fixed_pitch
    length = _length(region, held, rate, cut)
    positions = _positions(region, pitch, length, held, rate)
    source = _unrolled(samples, region, float(positions[-1]) if length else 0.0)
    positions = positions[: int(np.searchsorted(positions, len(source) - 3))]
    sound = _interpolated(source, positions)
    sound = _filtered(sound, region, pitch, held, rate)
    sound *= _volume(region.volume, pitch, len(sound), held, rate)
    if cut is not None and len(sound) > cut:
        fade = np.arange(len(sound) - cut, dtype=np.float32)
        sound[cut:] *= np.maximum(0, 1 - fade / (rate * _CUT_SECONDS))
    return sound


def _length(region: Region, held: int, rate: int, cut: int | None) -> int:
    release = max(region.volume.release, _SHORTEST_RELEASE_SECONDS) * _SILENT_DB / 100
    length = held + round(min(release, _LONGEST_RELEASE_SECONDS) * rate)
    return length if cut is None else min(length, cut + round(rate * _CUT_SECONDS))


def _positions(
    region: Region, pitch: int, length: int, held: int, rate: int
) -> NDArray[np.float64]:
    """Where in the sample each output sample lies, in sample positions from its start."""
    import numpy as np

    cents = (pitch - region.root_pitch) * region.cents_per_key + region.tune_cents
    speed = 2 ** (cents / 1200) * region.sample_rate / rate
    if not region.vibrato_cents and not region.modulation_to_pitch_cents:
        return np.arange(length, dtype=np.float64) * speed
    knots = np.arange(0, length + BLOCK, BLOCK)
    seconds = knots / rate - region.vibrato_delay
    swing = np.where(seconds > 0, np.sin(2 * np.pi * region.vibrato_hz * seconds), 0.0)
    swing = swing * region.vibrato_cents
    swing += region.modulation_to_pitch_cents * _modulation(
        region.modulation, pitch, knots, held, rate
    )
    speeds = speed * 2 ** (np.interp(np.arange(length), knots, swing) / 1200)
    return np.concatenate([[0.0], np.cumsum(speeds)[:-1]])


def _unrolled(samples: NDArray[np.float32], region: Region, last: float) -> NDArray[np.float32]:
    """The recording with its loop written out as far as position `last`."""
    import numpy as np

    loop = region.loop_end - region.loop_start
    usable = region.start <= region.loop_start < region.loop_end <= len(samples)
    if region.loop == "none" or not usable or loop < 2:
        return np.concatenate([samples[region.start : region.end], np.zeros(4, np.float32)])
    head = samples[region.start : region.loop_end]
    turns = max(0, math.ceil((last + 4 - len(head)) / loop)) + 1
    return np.concatenate([head, np.tile(samples[region.loop_start : region.loop_end], turns)])


def _interpolated(
    source: NDArray[np.float32], positions: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Four-point, third-order Hermite interpolation."""
    import numpy as np

    index = positions.astype(np.int64)
    x = (positions - index).astype(np.float32)
    before = source[np.maximum(index - 1, 0)]
    here, after, beyond = source[index], source[index + 1], source[index + 2]
    slope = np.float32(0.5) * (after - before)
    third = np.float32(0.5) * (beyond - before) + np.float32(1.5) * (here - after)
    second = before - np.float32(2.5) * here + np.float32(2) * after - np.float32(0.5) * beyond
    sound: NDArray[np.float32] = ((third * x + second) * x + slope) * x + here
    return sound


def _stage_times(envelope: VolumeEnvelope, pitch: int) -> tuple[float, float, float, float]:
    """End of delay, end of attack, end of hold, and length of a full decay, in seconds."""
    hold = envelope.hold * 2 ** (envelope.hold_per_key * (60 - pitch) / 1200)
    decay = envelope.decay * 2 ** (envelope.decay_per_key * (60 - pitch) / 1200)
    top = envelope.delay + max(envelope.attack, 0.001)
    return envelope.delay, top, top + hold, max(decay, 0.001)


def _volume(
    envelope: VolumeEnvelope, pitch: int, length: int, held: int, rate: int
) -> NDArray[np.float32]:
    """Amplitude (length,): attack straight, decay and release straight in decibels."""
    import numpy as np

    delay, top, hold_end, decay = _stage_times(envelope, pitch)
    samples = np.arange(length, dtype=np.float32)
    seconds = np.minimum(samples, held) / np.float32(rate)
    drop_db = np.clip((seconds - hold_end) * (100 / decay), 0, envelope.sustain)
    release = max(envelope.release, _SHORTEST_RELEASE_SECONDS)
    drop_db = drop_db + np.maximum(samples - held, 0) * (100 / (release * rate))
    rise = np.clip((seconds - delay) / (top - delay), 0, 1)
    amplitude = rise * np.exp(drop_db * (-math.log(10) / 20))
    return amplitude.astype(np.float32)


def _modulation(
    envelope: VolumeEnvelope, pitch: int, at: NDArray[np.int64], held: int, rate: int
) -> NDArray[np.float64]:
    """The modulation envelope, 0 to 1, at the output samples `at`."""
    import numpy as np

    delay, top, hold_end, decay = _stage_times(envelope, pitch)
    seconds = np.minimum(at, held) / rate
    level = np.clip(1 - (seconds - hold_end) / decay, envelope.sustain, 1)
    level = level * np.clip((seconds - delay) / (top - delay), 0, 1)
    fall = np.maximum(at - held, 0) / (rate * max(envelope.release, 0.001))
    return np.asarray(np.maximum(0, level - fall), dtype=np.float64)


def _filtered(
    sound: NDArray[np.float32], region: Region, pitch: int, held: int, rate: int
) -> NDArray[np.float32]:
    """Low-pass whose cutoff follows the modulation envelope, block by block."""
    import numpy as np
    from scipy.signal import lfilter  # type: ignore[import-untyped]

    starts = np.arange(0, len(sound), BLOCK)
    level = _modulation(region.modulation, pitch, starts, held, rate)
    cents = region.cutoff_cents + region.modulation_to_cutoff_cents * level
    cents = np.clip(np.round(cents / 25) * 25, 1_500, _OPEN_CENTS)
    if not len(sound) or cents.min() >= _OPEN_CENTS:
        return sound
    changes = np.flatnonzero(np.diff(cents)) + 1
    bounds = [0, *(int(starts[change]) for change in changes), len(sound)]
    out = np.empty_like(sound)
    state = np.zeros(2)
    for begin, end in pairwise(bounds):
        b, a = _low_pass(float(cents[begin // BLOCK]), region.resonance_db, rate)
        out[begin:end], state = lfilter(b, a, sound[begin:end], zi=state)
    return out


def _low_pass(cents: float, resonance_db: float, rate: int) -> tuple[list[float], list[float]]:
    """Numerator and denominator; DC gain falls by half the resonance (section 8.1.2, 9)."""
    frequency = min(8.176 * 2 ** (cents / 1200), 0.45 * rate)
    quality = 10 ** ((resonance_db - 3.01) / 20)
    angle = 2 * math.pi * frequency / rate
    alpha = math.sin(angle) / (2 * quality)
    gain = (1 - math.cos(angle)) / (1 + alpha) / math.sqrt(max(1.0, 10 ** (resonance_db / 20)))
    b = [gain / 2, gain, gain / 2]
    return b, [1.0, -2 * math.cos(angle) / (1 + alpha), (1 - alpha) / (1 + alpha)]
