"""FluidSynth, where a computer has it: plays the file itself, controllers and bends included.

Nothing is fetched: the program and a General MIDI SoundFont are used if both are installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gen.errors import HouseError
from gen.provenance.signing.key_files import others_environment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FOLDERS: Final = (
    "/usr/share/sounds/sf2", "/usr/share/sounds/sf3", "/usr/share/soundfonts",
    "/usr/local/share/soundfonts", "/opt/homebrew/share/soundfonts",
    "~/Library/Audio/Sounds/Banks", "~/.local/share/soundfonts", "C:/soundfonts",
)  # fmt: skip
"""Where Linux distributions, Homebrew, macOS and FluidSynth's own manual put fonts."""
_FONTS: Final = ("MuseScore_General", "GeneralUser", "FluidR3_GM", "default-GM", "default")
"""General MIDI fonts by the beginning of their names, the better first."""
_BUILT_IN: Final = "TimGM6mb"
_LONGEST_SECONDS: Final = 600
_GAIN: Final = "0.3"
"""Below clipping for a full band; the loudness is set afterwards."""


@dataclass(frozen=True, slots=True)
class FluidSynth:
    """The program, and the font that it plays."""

    program: str
    font: Path

    @property
    def name(self) -> str:
        return f"FluidSynth with {self.font.stem}"

    def play(self, midi: bytes, rate: int) -> NDArray[np.float32]:
        """A file as it sounds, (2, n).

        Raises:
            HouseError: the program fails.
        """
        with tempfile.TemporaryDirectory() as folder:
            song, sound = Path(folder, "song.mid"), Path(folder, "song.wav")
            song.write_bytes(midi)
            command = [self.program, "-n", "-i", "-q", "-g", _GAIN, "-r", str(rate), "-T", "wav",
                       "-F", str(sound), str(self.font), str(song)]  # fmt: skip
            try:
                subprocess.run(  # noqa: S603 - the person's own program
                    command, check=True, capture_output=True, timeout=_LONGEST_SECONDS,
                    env=others_environment(),  # what it reads is a stranger's font
                )  # fmt: skip
                return _read(sound)
            except (OSError, subprocess.SubprocessError, wave.Error, ValueError, EOFError) as error:
                raise HouseError(
                    f"FluidSynth could not play it with {self.font.name} ({error})"[:300],
                    mend="soundfont=built-in plays it without FluidSynth",
                ) from error


def installed(font: Path | None = None) -> FluidSynth | None:
    """FluidSynth with a font, or with the best General MIDI font that is installed.

    Returns:
        None where the program, or without `font` such a font, is missing.
    """
    program = shutil.which("fluidsynth")
    chosen = font or next(_fonts(), None)
    return FluidSynth(program, chosen) if program and chosen else None


def _fonts() -> Iterator[Path]:
    """General MIDI fonts on this computer, the better first."""
    found = [
        path
        for folder in _FOLDERS
        if os.path.isdir(place := os.path.expanduser(folder))
        for path in sorted(Path(place).iterdir())
        if path.suffix.lower() in (".sf2", ".sf3") and path.resolve().stem != _BUILT_IN
    ]
    for name in _FONTS:
        yield from (path for path in found if path.stem.startswith(name))


def _read(path: Path) -> NDArray[np.float32]:
    import numpy as np

    with wave.open(str(path)) as file:
        if (file.getsampwidth(), file.getnchannels()) != (2, 2):
            raise ValueError("no stereo of 16 bits came out")
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return frames.reshape(-1, 2).T.astype(np.float32) / np.float32(32_768)
