"""Tracks as the templates of sequencers and notation programs name them, and what is proposed."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

import pytest

from gen.piece import DRUM_PROGRAM
from gen.smf import normalise
from gen.smf.naming import contradicts, instrument_in
from midi_files import meta, note, smf

NAMES = ConfigParser()
NAMES.read(Path(__file__).parents[1] / "fixtures" / "daw_names.ini", encoding="utf-8")


@pytest.mark.parametrize("daw", NAMES.sections())
def test_names_of_templates_propose_their_instrument(daw: str) -> None:
    wanted = {n: int(program) for program, names in NAMES[daw].items() for n in names.split(", ")}
    assert {name: instrument_in(name) for name in wanted} == wanted


@pytest.mark.parametrize(
    "name",
    ["Tom", "Melody Tom", "808", "Impulse", "Track 1", "1-MIDI", "Instrument 01",
     "Softwareinstrument 1", "Audiospur 1", "Strumento 1", "Bob", "Bella", "Basil", "Art",
     "Chords", "Arp", "Pluck", "HALion Sonic SE 01", "Roots Hybrid"],
)  # fmt: skip
def test_names_of_people_and_of_nothing_in_particular_propose_none(name: str) -> None:
    assert instrument_in(name) is None


def taken(name: str, *pitches: int) -> tuple[int, str]:
    body = meta(0, 0x03, name.encode()) + b"".join(note(pitch) for pitch in pitches)
    found = normalise(smf(b"", body))
    return found.piece.tracks[0].instrument, "\n".join(found.advice)


@pytest.mark.parametrize(
    ("name", "pitches", "instrument"),
    [("Tom", (45, 41, 45, 48), DRUM_PROGRAM), ("Tom", (60, 64, 67), 0), ("Tom 1", (60,), 128),
     ("808", (36, 38, 42), DRUM_PROGRAM), ("808", (31, 33, 36), 38), ("808s", (28, 40), 38),
     ("808", (72, 76), 0)],
)  # fmt: skip
def test_a_name_that_is_either_of_two_is_told_by_the_notes_and_asked_about(
    name: str, pitches: tuple[int, ...], instrument: int
) -> None:
    found, advice = taken(name, *pitches)
    assert found == instrument
    assert "1 track(s) with notes and no program change, taken" in advice


def test_names_beside_french_ones_are_french() -> None:
    names = ("Violons I", "Altos", "Violoncelles", "Timbales")
    bodies = [meta(0, 0x03, name.encode()) + note(60, channel=n) for n, name in enumerate(names)]
    found = normalise(smf(b"", *bodies)).piece.tracks
    assert [track.instrument for track in found] == [40, 41, 42, 47]
    assert taken("Altos", 60, 64)[0] == 52


def test_a_plug_in_that_may_be_anything_contradicts_nothing() -> None:
    assert not contradicts("Serum", 38)
    assert contradicts("Violons", 0)
