"""Audio is audible, unclipped, as long as the piece, in tune, and the same every time."""

import io
import wave

import numpy as np
import pytest

from gen.errors import HouseError, SettingError
from gen.piece import Note, Pedal, Piece, Tempo, Track
from gen.rendering import AudioSettings, audio
from gen.rendering.mastering import LOUDNESS_LUFS, PEAK_DBFS, limited, loudness_lufs
from gen.rendering.sound import TAIL_SECONDS, samples, sounding_notes, stems
from gen.rendering.soundfont import load
from gen.smf import write

QUICK = AudioSettings(sample_rate=16_000, room=0)


def read(path):
    with wave.open(str(path)) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return frames.reshape(-1, file.getnchannels()).T / 32_768, file.getframerate()


def heard(notes, program=0, is_drum=False, settings=QUICK, pedals=()):
    track = Track("", program, is_drum, None, list(notes), list(pedals))
    return samples(Piece(480, [track], [Tempo(0, 500_000)]), load(), settings)


def level(sound, begin, end, rate=16_000):
    part = sound[:, round(begin * rate) : round(end * rate)]
    return float(np.sqrt((part**2).mean()))


def test_wav_is_stereo_at_the_asked_rate_and_lasts_as_long_as_the_piece_and_its_tail(
    piece, tmp_path
):
    sound, rate = read(audio(piece, tmp_path / "a.wav"))
    assert (len(sound), rate) == (2, 44_100)
    assert sound.shape[1] / rate == pytest.approx(8 + TAIL_SECONDS, abs=0.001)


def test_every_piece_is_equally_loud_and_none_is_clipped(piece, tmp_path):
    soft = Piece(480, [Track("", 73, notes=[Note(i * 480, 470, 72, 20) for i in range(16)])])
    for one in (piece, soft):
        sound, rate = read(audio(one, tmp_path / "a.wav"))
        assert loudness_lufs(sound, rate) == pytest.approx(LOUDNESS_LUFS, abs=0.3)
        assert 20 * np.log10(np.abs(sound).max()) <= PEAK_DBFS + 0.01
        for second in range(8):
            assert level(sound, second, second + 1, rate) > 0.01
        assert np.abs(sound[:, -20:]).max() < 0.001


def test_a_single_knock_is_not_pressed_against_the_limit():
    sound = heard([Note(0, 60, 76, 120), Note(19_200, 60, 76, 5)], is_drum=True)
    assert loudness_lufs(sound, 16_000) < LOUDNESS_LUFS
    assert 20 * np.log10(np.abs(sound).max()) <= PEAK_DBFS + 0.01


def test_the_limiter_leaves_what_is_below_the_peak_alone_and_bends_smoothly():
    time = np.arange(16_000) / 16_000
    tone = (0.5 * np.sin(2 * np.pi * 200 * time)).astype(np.float32)[None]
    np.testing.assert_array_equal(limited(tone, 16_000), tone)
    loud = tone.copy()
    loud[:, 8_000:8_400] *= 4
    held = limited(loud, 16_000)
    assert np.abs(held).max() <= 10 ** (PEAK_DBFS / 20) + 1e-6
    np.testing.assert_array_equal(held[:, :7_800], tone[:, :7_800])
    np.testing.assert_array_equal(held[:, 8_600:], tone[:, 8_600:])


@pytest.mark.parametrize("program", [0, 33, 65, 40])
def test_no_instrument_swings_about_another_level_than_zero(program):
    sound = heard([Note(i * 480, 400, 57, 100) for i in range(16)], program)
    assert np.abs(sound.mean(axis=1)).max() < 0.002 * np.sqrt((sound**2).mean())


def test_stems_sum_to_the_mix(piece):
    settings = AudioSettings(sample_rate=16_000)
    found = list(stems(piece, load(), settings))
    assert [track.name for track, _ in found] == ["Lead", "Pad", "Bass", "Kit"]
    mix, together = samples(piece, load(), settings), sum(sound for _, sound in found)
    quiet = np.abs(together).max(axis=0) < 0.5
    error = np.abs(together - mix)[:, quiet]
    assert np.median(error) < 0.001


def test_a_part_without_a_sample_is_silent_beside_the_others_and_alone_refused():
    unknown = Track("Kit", is_drum=True, notes=[Note(0, 240, 20, 90)])
    piece = Piece(480, [Track("Lead", 0, notes=[Note(0, 480, 60, 90)]), unknown])
    lead, kit = (sound for _, sound in stems(piece, load(), QUICK))
    assert lead.any()
    assert not kit.any()
    with pytest.raises(HouseError, match="it would be silent"):
        samples(Piece(480, [unknown]), load(), QUICK)


def test_same_piece_gives_the_same_bytes_also_from_its_midi_file(piece, tmp_path):
    files = [
        audio(source, tmp_path / f"{index}.wav", settings=QUICK).read_bytes()
        for index, source in enumerate([piece, piece, write(piece)])
    ]
    assert files[0] == files[1]
    # The file does not carry roles, by which parts are placed; all else is the same.
    assert len(files[0]) == len(files[2])


def test_mono_takes_half_the_bytes(piece, tmp_path):
    settings = AudioSettings(sample_rate=16_000, room=0, stereo=False)
    mono = audio(piece, tmp_path / "mono.wav", settings=settings).stat().st_size
    stereo = audio(piece, tmp_path / "stereo.wav", settings=QUICK).stat().st_size
    assert (stereo - 44) == 2 * (mono - 44)


@pytest.mark.parametrize(("pitch", "hertz"), [(57, 220.0), (69, 440.0), (81, 880.0)])
def test_a_square_lead_sounds_at_the_pitch_that_is_written(pitch, hertz):
    sound = heard([Note(0, 1920, pitch, 100)], program=80)[:, 4_000:28_000].mean(axis=0)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 160_000))
    near = slice(round(hertz * 9), round(hertz * 11))
    found = (near.start + int(np.argmax(spectrum[near]))) / 10
    assert 1200 * abs(np.log2(found / hertz)) < 5  # cents


def test_a_silent_stretch_between_notes_is_silent():
    sound = heard([Note(0, 240, 60, 100), Note(9_600, 240, 60, 100)], program=16)
    assert level(sound, 5, 9) < 1e-4 < level(sound, 10, 10.2)


def test_louder_velocity_is_louder():
    soft_then_loud = heard([Note(0, 480, 60, 40), Note(3_840, 480, 60, 120)])
    assert level(soft_then_loud, 4, 4.5) > 5 * level(soft_then_loud, 0, 0.5)


def test_the_pedal_holds_a_note_on():
    notes = [Note(0, 120, 60, 100), Note(3_840, 120, 72, 100)]
    dry, held = heard(notes), heard(notes, pedals=[Pedal(0, 1_920)])
    assert level(held, 1, 1.9) > 10 * level(dry, 1, 1.9)
    assert level(held, 3, 3.9) < 0.1 * level(held, 1, 1.9)


def test_a_held_pitch_that_is_struck_again_ends_there():
    track = Track(notes=[Note(0, 120, 60, 90), Note(960, 120, 60, 90)], pedals=[Pedal(0, 1_920)])
    assert [end for _, end in sounding_notes(track)] == [960, 1_920]


def test_a_closed_hi_hat_chokes_the_open_one():
    ringing = heard([Note(0, 60, 46, 127)], is_drum=True)
    choked = heard([Note(0, 60, 46, 127), Note(240, 60, 42, 1)], is_drum=True)
    assert level(choked, 0.35, 0.6) < 0.2 * level(ringing, 0.35, 0.6)


@pytest.mark.parametrize("program", range(0, 128, 9))
def test_every_family_of_instruments_sounds_without_a_bad_sample(program):
    sound = heard([Note(0, 240, 30, 90), Note(240, 240, 60, 90), Note(480, 240, 96, 90)], program)
    assert np.isfinite(sound).all()
    assert level(sound, 0.25, 0.5) > 0.001


def test_room_rings_on_after_a_dry_sound():
    wet_settings = AudioSettings(sample_rate=16_000, room=0.5)
    notes = [Note(0, 60, 76, 110)]
    wet = heard(notes, is_drum=True, settings=wet_settings)
    assert level(wet, 0.4, 0.7) > 3 * level(heard(notes, is_drum=True), 0.4, 0.7)


def test_nothing_to_hear_is_refused(tmp_path):
    with pytest.raises(HouseError, match="no notes"):
        audio(Piece(480), tmp_path / "a.wav")
    endless = Piece(480, [Track(notes=[Note(0, 480 * 100_000, 60, 90)])])
    with pytest.raises(HouseError, match="up to 15"):
        audio(endless, tmp_path / "a.wav")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("settings", [{"sample_rate": 1}, {"room": 2}])
def test_settings_outside_their_range_are_refused(settings):
    with pytest.raises(SettingError, match=next(iter(settings))):
        AudioSettings(**settings)


def test_a_file_that_cannot_be_written_is_refused_with_its_path(piece, tmp_path):
    (tmp_path / "taken").write_text("a file where a folder should be")
    with pytest.raises(HouseError, match=r"cannot be written") as refusal:
        audio(piece, tmp_path / "taken" / "a.wav", settings=QUICK)
    assert "a.wav" in refusal.value.where


def test_wav_reads_back_from_memory_as_it_was_mixed():
    from gen.rendering.sound import wav

    channels = np.array([[0.0, 0.5, -1.0], [1.0, 0.0, 0.25]], np.float32)
    sound, rate = read_bytes(wav(channels, 8_000))
    assert rate == 8_000
    np.testing.assert_allclose(sound, channels, atol=1e-4)


def read_bytes(data):
    with wave.open(io.BytesIO(data)) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return frames.reshape(-1, file.getnchannels()).T / 32_768, file.getframerate()
