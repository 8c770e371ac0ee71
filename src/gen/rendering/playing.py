"""A piece on disk as sound, by the best player there is, whole and instrument by instrument."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gen.piece import Piece, Track
from gen.rendering import files, fluidsynth, labels, sound
from gen.rendering.mastering import cleaned, gain_for, limited
from gen.rendering.sound import AudioSettings
from gen.rendering.soundfont import load
from gen.smf.stems import stems

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BUILT_IN: Final = "built-in"
STEMS: Final = "-stems"
"""What the folder of a piece's stems is called after its name."""


@dataclass(frozen=True, slots=True)
class Playing:
    """How pieces are played.

    Args:
        soundfont: a SoundFont file; `built-in` for the player and font that are always there;
            None for FluidSynth and a General MIDI font where both are installed, else those.
        sample_rate: samples a second, 8,000 to 96,000.
    """

    soundfont: str | None = None
    sample_rate: int = 44_100

    def __post_init__(self) -> None:
        AudioSettings(sample_rate=self.sample_rate)  # refuses what is outside

    @property
    def by(self) -> str:
        """What plays, in words."""
        synth = self._synth()
        font = Path(self._font).stem if self._font else "its General MIDI font"
        return synth.name if synth else f"the built-in player with {font}"

    def check(self) -> None:
        """Read a producer's own SoundFont before any work is done for it.

        Raises:
            HouseError: it cannot be used.
        """
        if self._is_own and not self._synth():
            load(Path(str(self.soundfont)).resolve())

    def whole(self, piece: Piece, midi: Path, path: Path) -> Path:
        """Write a piece as WAV."""
        synth = self._synth()
        if not synth:
            return sound.audio(piece, path, soundfont=self._font, settings=self._settings)
        played = self._played(synth, midi.read_bytes())
        played = limited(played * gain_for(played, self.sample_rate), self.sample_rate)
        return files.write(path, sound.wav(played, self.sample_rate))

    def each(self, piece: Piece, midi: Path) -> list[Path]:
        """Write each instrument as WAV; together they are the piece as it is played."""
        return [
            files.write(stem_path(midi, number, track, ".wav"), sound.wav(played, self.sample_rate))
            for number, (track, played) in enumerate(self._each(piece, midi), 1)
        ]

    def _each(self, piece: Piece, midi: Path) -> Iterator[tuple[Track, NDArray[np.float32]]]:
        synth = self._synth()
        if not synth:
            font = load(Path(self._font).resolve() if self._font else None)
            yield from sound.stems(piece, font, self._settings)
            return
        data = midi.read_bytes()
        gain = gain_for(self._played(synth, data), self.sample_rate)
        for stem in stems(data):
            played = self._played(synth, stem.data) * gain
            yield stem.track, limited(played, self.sample_rate)

    def _played(self, synth: fluidsynth.FluidSynth, data: bytes) -> NDArray[np.float32]:
        return cleaned(synth.play(data, self.sample_rate), self.sample_rate)

    def _synth(self) -> fluidsynth.FluidSynth | None:
        if self.soundfont == BUILT_IN:
            return None
        return fluidsynth.installed(Path(self.soundfont).resolve() if self.soundfont else None)

    @property
    def _is_own(self) -> bool:
        return self.soundfont not in (None, BUILT_IN)

    @property
    def _font(self) -> str | None:
        return self.soundfont if self._is_own else None

    @property
    def _settings(self) -> AudioSettings:
        return AudioSettings(sample_rate=self.sample_rate)


def midi_stems(midi: Path) -> list[Path]:
    """Write each instrument of a piece on disk as a MIDI file of its own."""
    return [
        files.write(stem_path(midi, number, stem.track, ".mid"), stem.data)
        for number, stem in enumerate(stems(midi.read_bytes()), 1)
    ]


def stem_path(midi: Path, number: int, track: Track, suffix: str) -> Path:
    """Such as `waltz-a-minor-01-stems/02-acoustic-bass.wav`."""
    name = re.sub(r"[\W_]+", "-", labels.track_label(track)).strip("-").lower() or "track"
    return midi.with_name(midi.stem + STEMS) / f"{number:02d}-{name}{suffix}"
