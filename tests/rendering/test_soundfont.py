"""SoundFonts are read as the specification says; damaged ones are refused by name."""

import struct
from dataclasses import replace
from importlib.resources import files

import pytest

from gen.errors import HouseError
from gen.rendering.soundfont import load


@pytest.fixture(scope="module")
def font_bytes():
    return (files("pretty_midi") / "TimGM6mb.sf2").read_bytes()


def test_built_in_font_has_every_general_midi_program_and_a_drum_kit():
    font = load()
    assert font.name == "TimGM6mb"
    assert {(0, program) for program in range(128)} | {(128, 0)} <= set(font.presets)
    for program in range(128):
        assert font.regions(program, 60, 90, drum=False)
    for pitch in range(35, 82):
        assert font.regions(0, pitch, 90, drum=True)


def test_regions_lie_inside_the_samples():
    font = load()
    for program in range(128):
        for pitch in (24, 60, 96):
            for region in font.regions(program, pitch, 90, drum=False):
                assert 0 <= region.start < region.end <= len(font.samples)
                assert 0 < region.sample_rate <= 48_000
                assert -1 <= region.pan <= 1
                assert 0 <= region.modulation.sustain <= 1


def test_a_missing_drum_kit_falls_back_to_the_standard_one():
    font = load()
    assert font.regions(99, 36, 90, drum=True) == font.regions(0, 36, 90, drum=True)


def test_a_font_given_by_path_is_the_same_as_the_built_in_one(font_bytes, tmp_path):
    path = tmp_path / "copy.sf2"
    path.write_bytes(font_bytes)
    assert load(path).regions(0, 60, 90, drum=False) == load().regions(0, 60, 90, drum=False)


def damage(data, name):
    if name == "not a SoundFont":
        return b"RIFF\0\0\0\0WAVE" + data[12:99]
    if name == "damaged":
        return data[: len(data) // 2]
    at = data.index(b"shdr") + 8
    return data[: at + 44] + struct.pack("<H", 0x11) + data[at + 46 :]


@pytest.mark.parametrize("name", ["not a SoundFont", "damaged", "compressed"])
def test_an_unusable_font_is_refused_with_its_path_and_a_mend(font_bytes, tmp_path, name):
    path = tmp_path / "bad.sf2"
    path.write_bytes(damage(font_bytes, name))
    with pytest.raises(HouseError, match=name) as refusal:
        load(path)
    assert refusal.value.where == str(path)
    assert "sf2" in refusal.value.mend


def test_a_font_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(HouseError, match="cannot be read"):
        load(tmp_path / "none.sf2")


@pytest.mark.parametrize("chunk", [b"ibag", b"pbag", b"inst", b"phdr"])
def test_font_whose_zones_overlap_is_refused_before_each_is_read_for_every_other(
    font_bytes, tmp_path, chunk
):
    """65,536 zones of 65,536 generators each would take hours."""
    size, offset = {b"inst": (22, 20), b"phdr": (38, 24)}.get(chunk, (4, 0))
    data = bytearray(font_bytes)
    at = data.index(chunk) + 8
    length = struct.unpack_from("<I", data, at - 4)[0]
    for number, place in enumerate(range(at + offset, at + length, size)):
        struct.pack_into("<H", data, place, number % 2)
    path = tmp_path / "hostile.sf2"
    path.write_bytes(data)
    with pytest.raises(HouseError, match=r"hostile\.sf2: damaged SoundFont"):
        load(path)


def test_font_of_too_many_zones_for_a_note_is_refused_when_it_is_played(font_bytes, tmp_path):
    font = replace(load(), _found={})
    zones = font.presets[0, 0] * 2_000
    font.presets = {(0, 0): zones}
    font.instruments = [one * 100 for one in font.instruments]
    with pytest.raises(HouseError, match="more than 100,000 zones for one note"):
        font.regions(0, 60, 80, drum=False)


def test_font_of_endless_empty_chunks_is_refused(font_bytes, tmp_path):
    path = tmp_path / "empty.sf2"
    path.write_bytes(font_bytes + (b"junk" + bytes(4)) * 500_000)
    with pytest.raises(HouseError, match="more than 10,000 chunks"):
        load(path)
