"""Pieces are played by what a computer has, whole and track by track."""

from __future__ import annotations

import os
import stat
import sys
import wave

import numpy as np
import pytest

from gen.errors import HouseError, SettingError
from gen.provenance.admission.mark import mark_generated
from gen.rendering import Playing, Renderer
from gen.rendering import fluidsynth as synth
from gen.rendering.mastering import LOUDNESS_LUFS, loudness_lufs
from gen.rendering.playing import BUILT_IN
from gen.smf import parse, write
from houses import make_piece

RATE = 22_050

FAKE = """#!{python}
import os, sys, wave, array
assert "HOUSE_PASSPHRASE" not in os.environ
assert sys.argv[1:4] == ["-n", "-i", "-q"], sys.argv
options = dict(zip(sys.argv[4:-2:2], sys.argv[5:-2:2]))
if "broken" in sys.argv[-2]:
    sys.exit("no such preset")
notes = open(sys.argv[-1], "rb").read().count(b"\\x90")
rate = int(options["-r"])
with wave.open(options["-F"], "wb") as file:
    file.setnchannels(2); file.setsampwidth(2); file.setframerate(rate)
    tone = [3000 + (8000 if i // 50 % 2 else -8000) for i in range(rate * 2) for _ in (0, 1)]
    file.writeframes(array.array("h", tone).tobytes())
"""


def heard(path):
    with wave.open(str(path)) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return frames.reshape(-1, 2).T / 32_768, file.getframerate()


@pytest.fixture
def piece(tmp_path):
    """A piece on disk."""
    piece = make_piece(bars=2)
    midi = tmp_path / "waltz-a-minor-01.mid"
    midi.write_bytes(mark_generated(write(piece), "ab" * 32))
    return parse(write(piece)), midi


@pytest.fixture
def fluidsynth(tmp_path, monkeypatch):
    """A program of that name, which plays a tone that swings about another level than zero."""
    if sys.platform == "win32":
        pytest.skip("a script is no program here")
    program = tmp_path / "bin" / "fluidsynth"
    program.parent.mkdir()
    program.write_text(FAKE.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("HOUSE_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    monkeypatch.setattr(synth, "_FOLDERS", (str(fonts), str(tmp_path / "none")))
    return fonts


def test_without_fluidsynth_or_a_font_of_its_own_the_built_in_player_plays(
    piece, fluidsynth, tmp_path, monkeypatch
):
    (fluidsynth / "TimGM6mb.sf2").touch()  # the same font
    (fluidsynth / "harpsichord.sf2").touch()  # not General MIDI
    assert synth.installed() is None
    assert Playing(sample_rate=RATE).by == "the built-in player with its General MIDI font"
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    (fluidsynth / "FluidR3_GM.sf2").touch()
    assert synth.installed() is None


def test_fluidsynth_plays_the_file_itself_with_the_best_font(piece, fluidsynth, tmp_path):
    for name in ("FluidR3_GM.sf2", "MuseScore_General.sf3"):
        (fluidsynth / name).touch()
    playing = Playing(sample_rate=RATE)
    assert playing.by == "FluidSynth with MuseScore_General"
    sound, rate = heard(playing.whole(*piece, tmp_path / "a.wav"))
    assert rate == RATE
    assert loudness_lufs(sound, rate) == pytest.approx(LOUDNESS_LUFS, abs=0.3)
    assert abs(sound.mean()) < 0.01  # the offset of the tone is gone
    assert "built-in" in Playing(BUILT_IN).by


def test_a_producers_own_font_is_played_and_one_that_fails_is_refused(piece, fluidsynth, tmp_path):
    assert Playing(str(tmp_path / "own.sf2")).by == "FluidSynth with own"
    with pytest.raises(HouseError, match="soundfont=built-in plays it"):
        Playing(str(tmp_path / "broken.sf2")).whole(*piece, tmp_path / "a.wav")


@pytest.mark.parametrize("soundfont", [BUILT_IN, None])
def test_each_track_lies_in_a_folder_as_midi_and_sound(piece, fluidsynth, soundfont):
    (fluidsynth / "FluidR3_GM.sf2").touch()
    music, midi = piece
    with Renderer(1, playing=Playing(soundfont, RATE), with_stems=True) as renderer:
        renderer.begin(music, midi)
        stems = renderer.of(midi).stems
    folder = midi.with_name("waltz-a-minor-01-stems")
    assert {path.parent for path in stems} == {folder}
    names = sorted(path.name for path in stems)
    assert names == sorted(f"{path.stem}{kind}" for path in stems if path.suffix == ".mid"
                           for kind in (".mid", ".wav"))  # fmt: skip
    assert len(names) == 2 * len(music.tracks)
    assert names[0].startswith("01-")
    for number, track in enumerate(music.tracks, 1):
        (path,) = folder.glob(f"{number:02d}-*.mid")
        assert [t.notes for t in parse(path.read_bytes()).tracks] == [track.notes]


def test_a_sample_rate_that_cannot_be_is_refused():
    with pytest.raises(SettingError, match="sample_rate=1"):
        Playing(sample_rate=1)
