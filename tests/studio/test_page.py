"""The page shows each piece with what was asked, what came out and whose it is not."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from importlib.resources import as_file, files

import mido
import pytest

from gen.data.cache import CACHE_VARIABLE
from gen.errors import HouseError
from gen.provenance.signing.key_files import KEYS_VARIABLE
from gen.rendering import Playing, Renderer
from gen.sampling.request import SampleRequest
from gen.sampling.run import sample
from gen.studio.page import present
from studios import asking, make_studio

ASKED = {"genre": "waltz", "key": "A minor", "time_signature": "3/4", "chords": "Am F | C E7",
         "sections": "intro:1 a:3", "instruments": ["flute", "piano", "drums"], "tempo": 96,
         "pitch_range": [50, 80], "n": 1}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A sampled piece and its page."""
    folder = tmp_path_factory.mktemp("studio")
    house = make_studio(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, "off")
        patch.setenv(KEYS_VARIABLE, str(folder / "keys"))
        (result,) = sample(SampleRequest.of(asking(folder, house, folder / "out", **ASKED)))
    with Renderer(1) as renderer:
        page = present([result], folder / "out", renderer, facts=[("trained for", "no time")])
    return result, page


def text_of(page) -> str:
    """What a reader sees."""
    body = re.sub(r"<(style|script)>.*?</\1>", "", page.read_text("utf-8"), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_everything_to_look_at_and_listen_to_lies_beside_the_piece(run):
    result, page = run
    kinds = sorted(path.suffix for path in page.parent.iterdir())
    assert kinds == [".c2pa", ".html", ".json", ".mid", ".musicxml", ".png", ".wav"]
    assert result.midi.parent == page.parent


def test_the_page_says_what_was_asked_and_what_came_out(run):
    text = text_of(run[1])
    assert "trained for no time" in text
    assert "genre waltz not measured" in text
    assert "tempo 96 96 ✓" in text
    assert "instruments flute, piano, drums flute, acoustic grand piano, " in text
    assert "pitch range 50 to 80" in text
    assert "key A minor" in text
    assert "A minor · 3/4 · 96 bpm · 4 bars" in text
    assert re.search(r"chords Am F \| C E7 \d+% of \d chords, \d+% of the time [✓✗]", text)


def test_the_page_says_whose_the_piece_is_not_and_how_it_was_drawn(run):
    text = text_of(run[1])
    assert re.search(r"Originality Its melody has .* in common with .* of 2 works", text)
    assert "seed 1, piece 1, attempt 1" in text
    assert "its manifest 2 works of lantern" in text
    assert "sample.py receipt=FILE writes the same bytes again" in text


def test_a_finding_is_told_on_the_page_with_work_and_composer(run):
    result, page = run
    work = {"work": "small-rain-1", "title": "Small Rain", "composers": [["ana", "Ana"]]}
    shared = {"bits": 30, "line": 12, "notes": 9, "of": work, "here": "Flute, bar 3: A4",
              "there": "bar 9: D5"}  # fmt: skip
    found = {**result.record["originality"], "is_above_line": True, "melody": shared,
             "above": ["melody: 9 notes (30 bits) in common with “Small Rain” by Ana"]}  # fmt: skip
    result.record["originality"], kept = found, result.record["originality"]
    with Renderer(1, playing=None) as renderer:
        text = text_of(present([result], page.parent, renderer))
    result.record["originality"] = kept
    assert "Too close: melody: 9 notes (30 bits) in common with “Small Rain” by Ana." in text
    assert "Here Flute, bar 3: A4; there bar 9: D5." in text
    assert re.search(r"Receipt (· \d of \d settings missed )?· too close to a work", text)


def test_a_sequencer_finds_names_tempo_meter_key_and_markers(run):
    result, _ = run
    file = mido.MidiFile(result.midi)
    conductor, *tracks = file.tracks
    found = {message.type: message for message in conductor if message.is_meta}
    assert found["set_tempo"].tempo == 625_000
    assert (found["time_signature"].numerator, found["time_signature"].denominator) == (3, 4)
    assert found["key_signature"].key == "Am"
    markers = [message.text for message in conductor if message.type == "marker"]
    assert {"Intro", "Section A", "Am", "F", "C", "E7"} <= set(markers)
    names = [message.name for track in tracks for message in track if message.type == "track_name"]
    assert len(names) == len(tracks) == 3
    assert all(names)
    channels = {m.channel for m in tracks[-1] if m.type == "note_on"}
    assert channels == {9}


def test_the_score_has_the_parts_meter_and_key(run):
    result, _ = run
    score = ElementTree.parse(result.midi.with_suffix(".musicxml")).getroot()  # noqa: S314 - ours
    assert len(score.findall("part")) == 3
    assert score.findtext(".//time/beats") == "3"
    assert score.findtext(".//key/fifths") == "0"


def test_any_soundfont_plays_it_and_one_that_cannot_is_refused_beforehand(run, tmp_path):
    result, page = run
    with Renderer(1) as renderer:
        present([result], page.parent, renderer)
    usual = result.midi.with_suffix(".wav").read_bytes()
    with as_file(files("pretty_midi") / "TimGM6mb.sf2") as font:
        Playing(str(font)).check()
        with Renderer(1, playing=Playing(str(font))) as renderer:
            present([result], page.parent, renderer)
    assert result.midi.with_suffix(".wav").read_bytes() == usual
    (tmp_path / "no.sf2").write_bytes(b"RIFF....")
    for name in ("no.sf2", "absent.sf2"):
        with pytest.raises(HouseError, match=name):
            Playing(str(tmp_path / name)).check()
