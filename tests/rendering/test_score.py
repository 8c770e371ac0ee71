"""MusicXML: every voice fills its bars exactly, and nothing that was played is lost."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.errors import HouseError
from gen.piece import KeySignature, Marker, Note, Piece, Tempo, TimeSignature, Track
from gen.rendering import musicxml
from gen.rendering.notation import MOST_VOICES, staves
from gen.rendering.ruler import DIVISIONS, Ruler
from gen.rendering.score import spelled
from thorough import examples

TYPES = {"32nd": 3, "16th": 6, "eighth": 12, "quarter": 24, "half": 48, "whole": 96, "breve": 192}


@pytest.fixture
def score(tmp_path):
    def written(piece):
        path = musicxml(piece, tmp_path / "a.musicxml", title="A & B")
        return ET.parse(path).getroot()  # noqa: S314 (written a line above)

    return written


def one_track(notes, numerator=4, denominator=4, **track):
    meter = [TimeSignature(0, numerator, denominator)]
    return Piece(480, [Track(notes=list(notes), **track)], time_signatures=meter)


def values(root, voice="1"):
    """(type, dots, triplet, rest) of one voice's notes, chords counted once."""
    return [
        (
            note.findtext("type"),
            len(note.findall("dot")),
            note.find("time-modification") is not None,
            note.find("rest") is not None,
        )
        for note in root.iter("note")
        if note.findtext("voice") == voice and note.find("chord") is None
    ]


def bar_sums(root):
    """{(part, measure, voice): sum of durations}, and each bar's length."""
    sums, lengths, meter = Counter(), {}, None
    for part in root.iter("part"):
        for measure in part.iter("measure"):
            if (time := measure.find("attributes/time")) is not None:
                meter = Fraction(int(time.findtext("beats")), int(time.findtext("beat-type")))
            for note in measure.iter("note"):
                if note.find("chord") is None:
                    key = part.get("id"), measure.get("number"), note.findtext("voice")
                    sums[key] += int(note.findtext("duration"))
                    lengths[key] = meter * 4 * DIVISIONS
    return sums, lengths


@pytest.mark.parametrize(
    "meter", [(4, 4), (3, 4), (6, 8), (7, 8), (5, 4), (12, 8), (2, 2), (5, 16)]
)
def test_every_voice_fills_every_bar_in_the_written_file(make, score, meter):
    sums, lengths = bar_sums(score(make(5, *meter)))
    assert len(sums) >= 5 * 4
    assert sums == lengths


notes_strategy = st.lists(
    st.builds(
        Note,
        st.integers(0, 480 * 14),
        st.integers(1, 480 * 5),
        st.integers(28, 96),
        st.integers(1, 127),
    ),
    min_size=1,
    max_size=24,
)
meters_strategy = st.sampled_from([(4, 4), (3, 4), (6, 8), (7, 8), (9, 8), (5, 16), (2, 2)])


@examples(60)
@given(notes_strategy, meters_strategy, st.booleans(), st.sampled_from([0, 40]))
def test_any_notes_at_all_become_full_bars_of_plain_values(notes, meter, is_drum, program):
    piece = one_track(sorted(notes), *meter, is_drum=is_drum, program=program)
    piece.time_signatures.append(TimeSignature(480 * 4 + 130, 3, 4))  # inside a bar
    ruler = Ruler(piece)
    written = set()
    for staff in staves(piece.tracks[0], ruler):
        assert len(staff.voices) <= MOST_VOICES
        for voice in staff.voices:
            held = {}
            for bar, symbols in zip(ruler.bars, voice, strict=True):
                position = 0
                for symbol in symbols:
                    assert symbol.offset == position
                    position += symbol.duration
                    assert symbol.duration == value_of(symbol, bar)
                    if symbol.tied_from:
                        assert held == symbol.velocities
                    held = symbol.velocities if symbol.tied_to else {}
                    written |= set(symbol.velocities)
                assert position in (0, bar.length)
            assert held == {}
    assert written == {note.pitch for note in notes}


def value_of(symbol, bar):
    if not symbol.value:  # a whole bar's rest
        return bar.length
    plain = Fraction(TYPES[symbol.value]) * (2 - Fraction(1, 2**symbol.dots))
    return plain * Fraction(2, 3) if symbol.is_triplet else plain


def test_thirds_of_a_beat_are_written_as_a_triplet_with_its_bracket(score):
    root = score(one_track([Note(n * 160, 150, 60 + n, 90) for n in range(3)]))
    assert values(root)[:3] == [("eighth", 0, True, False)] * 3
    brackets = [tuplet.get("type") for tuplet in root.iter("tuplet")]
    assert brackets == ["start", "stop"]


def test_played_lengths_become_written_ones(score):
    """Nine tenths of a beat is a quarter; an eighth and a rest stay what they are."""
    played = [Note(0, 430, 60, 90), Note(480, 440, 62, 90), Note(960, 240, 64, 90)]
    root = score(one_track([*played, Note(1440, 470, 65, 90)]))
    assert values(root) == [
        ("quarter", 0, False, False),
        ("quarter", 0, False, False),
        ("eighth", 0, False, False),
        ("eighth", 0, False, True),
        ("quarter", 0, False, False),
    ]


def marked(root, tag):
    """Of each written note, in order: the names of what stands over it."""
    return [[child.tag for child in note.findall(f"notations/{tag}")] for note in root.iter("note")
            if note.find("rest") is None]  # fmt: skip


def test_short_notes_are_written_in_full_with_a_dot(score):
    played = [Note(i * 480, 200, 60, 80) for i in range(3)]
    eighths = [Note(1920 + i * 240, 120, 62, 80) for i in range(8)]
    root = score(one_track([*played, Note(1440, 470, 65, 80), *eighths]))
    assert values(root) == [("quarter", 0, False, False)] * 4 + [("eighth", 0, False, False)] * 8
    dots = marked(root, "articulations/staccato")
    assert [len(dot) for dot in dots] == [1, 1, 1, 0] + [1] * 8


def test_what_is_played_louder_than_its_surroundings_has_an_accent(score):
    root = score(one_track([Note(i * 480, 470, 60, 110 if i == 5 else 70) for i in range(12)]))
    accents = [len(accent) for accent in marked(root, "articulations/accent")]
    assert accents == [0] * 5 + [1] + [0] * 6


def test_a_wind_players_running_notes_are_slurred_by_the_bar_and_a_pianos_are_not(score):
    notes = [Note(i * 480, 480, 72 + i % 4 * 2, 80) for i in range(8)]
    flute, piano = (score(one_track(notes, program=program)) for program in (73, 0))
    kinds = [slur.get("type") for slur in flute.iter("slur")]
    assert kinds == ["start", "stop"] * 2
    assert not list(piano.iter("slur"))


def test_dynamics_stand_where_the_loudness_changes_for_good(score):
    levels = [60] * 4 + [100] * 4 + [60, 100, 100, 100] + [40] * 4
    root = score(one_track([Note(bar * 1920, 1900, 60, v) for bar, v in enumerate(levels)]))
    found = [
        (measure.get("number"), mark.tag)
        for measure in root.iter("measure")
        for mark in measure.findall("direction/direction-type/dynamics/*")
    ]
    assert found == [("1", "mp"), ("5", "f"), ("13", "p")]


def test_a_score_has_the_title_of_its_piece():
    from gen.rendering.renderer import title_of

    assert title_of("waltz-a-minor-03") == "Waltz in A minor, No. 3"
    assert (
        title_of("piano-miniature-f-sharp-minor-12") == "Piano miniature in F-sharp minor, No. 12"
    )
    assert title_of("song-infill-01") == "Song infill 01"


def test_a_note_over_the_bar_line_is_tied(score):
    root = score(one_track([Note(1440, 960, 60, 90)]))
    ties = [[tie.get("type") for tie in note.iter("tie")] for note in root.iter("note")]
    assert [tie for tie in ties if tie] == [["start"], ["stop"]]


def test_a_melody_over_a_held_note_takes_two_voices(score):
    root = score(one_track([Note(0, 1920, 60, 90), Note(0, 480, 72, 90), Note(480, 1440, 74, 90)]))
    assert [v[0] for v in values(root, "1")] == ["quarter", "half"]
    assert [v[0] for v in values(root, "2")] == ["whole"]


def test_a_piano_has_two_staves_and_a_violin_one(score):
    hands = [Note(0, 480, 40, 90), Note(0, 480, 76, 90)]
    assert score(one_track(hands, program=0)).findtext(".//staves") == "2"
    assert score(one_track(hands, program=40)).find(".//staves") is None


def test_drums_are_unpitched_with_their_own_sounds_and_heads(make, score):
    root = score(make())
    drums = root.find("part[@id='P4']")
    assert drums.find(".//pitch") is None
    assert drums.findtext(".//clef/sign") == "percussion"
    hat = drums.find(".//instrument[@id='P4-I42']/..")
    assert hat.findtext("notehead") == "x"
    names = {e.get("id"): e.findtext("instrument-name") for e in root.iter("score-instrument")}
    assert (names["P4-I36"], names["P1-I1"]) == ("Kick", "Violin")
    assert root.findtext(".//midi-instrument[@id='P4-I36']/midi-unpitched") == "37"


def test_key_meter_tempo_sections_and_chords_stand_in_the_first_part(make, score):
    piece = make(bars=3)
    piece.tempos.append(Tempo(1920, 750_000))
    piece.key_signatures.append(KeySignature(3840, 2, False))
    piece.markers.append(Marker(4800, "F#m7b5/A"))
    root = score(piece)
    first = root.find("part")
    assert [k.text for k in first.iter("fifths")] == ["0", "2"]
    assert first.findtext(".//key/mode") == "minor"
    assert [m.text for m in first.iter("per-minute")] == ["120", "80"]
    assert [r.text for r in first.iter("rehearsal")] == ["A"]
    last = first.findall(".//harmony")[-1]
    assert (last.findtext("root/root-step"), last.findtext("root/root-alter")) == ("F", "1")
    assert (last.findtext("kind"), last.findtext("bass/bass-step")) == ("half-diminished", "A")
    assert last.findtext("offset") == str(2 * DIVISIONS)
    assert root.findtext("work/work-title") == "A & B"
    assert len(root.findall("part[2]//harmony")) == 0


@pytest.mark.parametrize(
    ("pitch", "fifths", "is_minor", "name"),
    [
        (68, 0, True, ("G", 1, 4)),
        (70, -3, False, ("B", -1, 4)),
        (66, 1, False, ("F", 1, 4)),
        (59, -7, False, ("C", -1, 4)),
        (60, 7, False, ("B", 1, 3)),
        (61, -5, False, ("D", -1, 4)),
    ],
)
def test_pitches_are_spelled_in_their_key(pitch, fifths, is_minor, name):
    assert spelled(pitch, KeySignature(0, fifths, is_minor)) == name


def test_characters_that_xml_forbids_are_left_out(score):
    piece = one_track([Note(0, 480, 60, 90)], name="Lead\x00\x1b")
    assert score(piece).findtext(".//part-name") == "Lead"


def test_a_piece_without_notes_is_refused(tmp_path):
    with pytest.raises(HouseError, match="no notes"):
        musicxml(Piece(480), tmp_path / "a.musicxml")


def test_importing_rendering_loads_no_heavy_library():
    heavy = {"matplotlib", "scipy", "numpy", "symusic", "pretty_midi", "torch"}
    code = f"import sys, gen.rendering; print(sorted({heavy} & set(sys.modules)))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "[]"
