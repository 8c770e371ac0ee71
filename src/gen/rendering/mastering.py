"""From a mix to what is written: no offset, some air, one loudness for every piece, no clipping.

All steps but the last are linear, so that stems which pass through them with the mix's gain sum to
the mix wherever the limiter is at rest.

Sources: ITU-R BS.1770-4 (loudness, by pyloudnorm); R. Bristow-Johnson, "Cookbook formulae for audio
equalizer biquad filters" (high shelf).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from gen.errors import HouseError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Sound = NDArray[np.float32]
    """(channels, n)."""

LOUDNESS_LUFS: Final = -16.0
"""What streaming services and podcasts bring music to."""
PEAK_DBFS: Final = -1.0
_MOST_LIMITING_DB: Final = 6.0
_OFFSET_HZ: Final = 20.0
"""Below the lowest note of a piano, 27.5 Hz."""
_AIR_HZ: Final = 2_500.0
_LOOK_AHEAD_SECONDS: Final = 0.005
_SHORTEST_SECONDS: Final = 0.4
"""One block of the loudness measurement."""


def cleaned(channels: Sound, rate: int, air_db: float = 0.0) -> Sound:
    """The sound without a constant offset, and brighter.

    Recordings in SoundFonts may swing about another level than zero (a saxophone's by two thirds
    of its loudness), which costs headroom and thumps where notes begin.

    Args:
        channels: (channels, n).
        rate: samples a second.
        air_db: gain of the highs, above 2.5 kHz.
    """
    import numpy as np
    from scipy.signal import butter, sosfilt  # type: ignore[import-untyped]

    sections = butter(2, _OFFSET_HZ, "highpass", fs=rate, output="sos")
    if air_db:
        sections = np.concatenate([sections, [_high_shelf(_AIR_HZ, air_db, rate)]])
    return np.asarray(sosfilt(sections, channels, axis=1), dtype=np.float32)


def gain_for(channels: Sound, rate: int) -> float:
    """The factor that brings a sound to `LOUDNESS_LUFS`, or as far as limiting allows.

    Raises:
        HouseError: it is silent.
    """
    import numpy as np

    peak = float(np.abs(channels).max())
    if not peak > 0:
        what = "the SoundFont has no sample for any of the piece's notes: it would be silent"
        raise HouseError(what, mend="use another SoundFont, or leave it out for the built-in one")
    highest = 10 ** ((PEAK_DBFS + _MOST_LIMITING_DB) / 20) / peak
    if channels.shape[1] < _SHORTEST_SECONDS * rate:
        return 10 ** (PEAK_DBFS / 20) / peak
    loudness = loudness_lufs(channels, rate)
    return min(highest, 10 ** ((LOUDNESS_LUFS - loudness) / 20))


def loudness_lufs(channels: Sound, rate: int) -> float:
    """Integrated loudness; minus infinity where nothing is loud enough to count."""
    import numpy as np
    from pyloudnorm import Meter  # type: ignore[import-untyped]

    with np.errstate(divide="ignore", invalid="ignore"):
        return float(Meter(rate).integrated_loudness(channels.T.astype(np.float64)))


def limited(channels: Sound, rate: int) -> Sound:
    """The sound with its peaks at or below `PEAK_DBFS`.

    The gain falls before a peak and rises after it, over 5 ms each, alike on all channels.
    """
    import numpy as np
    from scipy.ndimage import minimum_filter1d, uniform_filter1d  # type: ignore[import-untyped]

    ceiling = 10 ** (PEAK_DBFS / 20)
    peaks = np.abs(channels).max(axis=0)
    if peaks.max() <= ceiling:
        return channels
    gain = np.minimum(1.0, ceiling / np.maximum(peaks, ceiling))
    width = 2 * round(_LOOK_AHEAD_SECONDS * rate) + 1
    smooth = uniform_filter1d(minimum_filter1d(gain, width), width)
    return np.asarray(channels * smooth, dtype=np.float32)


def _high_shelf(hertz: float, gain_db: float, rate: int) -> list[float]:
    """A second-order section, slope 0.7."""
    a = 10 ** (gain_db / 40)
    angle = 2 * math.pi * min(hertz, 0.45 * rate) / rate
    cosine = math.cos(angle)
    alpha = math.sin(angle) / 2 * math.sqrt((a + 1 / a) * (1 / 0.7 - 1) + 2)
    root = 2 * math.sqrt(a) * alpha
    b0 = a * ((a + 1) + (a - 1) * cosine + root)
    b1 = -2 * a * ((a - 1) + (a + 1) * cosine)
    b2 = a * ((a + 1) + (a - 1) * cosine - root)
    a0 = (a + 1) - (a - 1) * cosine + root
    a1 = 2 * ((a - 1) - (a + 1) * cosine)
    a2 = (a + 1) - (a - 1) * cosine - root
    return [b0 / a0, b1 / a0, b2 / a0, 1.0, a1 / a0, a2 / a0]
