from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.errors import SettingError
from gen.harmony import (
    FLAT_NAMES,
    QUALITIES,
    Chord,
    Key,
    format_progression,
    nearest,
    note_names,
    parse_chord,
    parse_key,
    parse_progression,
)

LEAD_SHEET_QUALITIES = {
    # as musicians write it: (the one spelling of it, semitones above the root)
    "mMaj7": ("mmaj7", (0, 3, 7, 11)), "m(maj7)": ("mmaj7", (0, 3, 7, 11)),
    "7(b9)": ("7b9", (0, 4, 7, 10, 13)), "13(b9,#11)": ("13b9#11", (0, 4, 7, 10, 13, 18, 21)),
    "7alt": ("7alt", (0, 4, 10, 13, 15, 20)), "5": ("5", (0, 7)), "9": ("9", (0, 4, 7, 10, 14)),
    "11": ("11", (0, 7, 10, 14, 17)), "maj13": ("maj13", (0, 4, 7, 11, 14, 21)),
    "m11": ("m11", (0, 3, 7, 10, 14, 17)), "6/9": ("69", (0, 4, 7, 9, 14)),
    "add9": ("add9", (0, 4, 7, 14)), "(add9)": ("add9", (0, 4, 7, 14)),
    "2": ("add9", (0, 4, 7, 14)),
    "7sus": ("7sus4", (0, 5, 7, 10)), "9sus4": ("9sus4", (0, 5, 7, 10, 14)),
    "ø7": ("m7b5", (0, 3, 6, 10)),
    "ø": ("m7b5", (0, 3, 6, 10)), "°7": ("dim7", (0, 3, 6, 9)), "Δ": ("maj7", (0, 4, 7, 11)),
    "-7b5": ("m7b5", (0, 3, 6, 10)), "+7": ("aug7", (0, 4, 8, 10)), "7#5": ("aug7", (0, 4, 8, 10)),
    "maj7#5": ("maj7#5", (0, 4, 8, 11)), "(b5)": ("(b5)", (0, 4, 6)), "7no3": ("7no3", (0, 7, 10)),
    "7#9b13": ("7#9b13", (0, 4, 7, 10, 15, 20)), "7♭9": ("7b9", (0, 4, 7, 10, 13)),
}  # fmt: skip
CHORDS = st.builds(
    Chord,
    st.integers(0, 11),
    st.sampled_from([*QUALITIES, *{name for name, _ in LEAD_SHEET_QUALITIES.values()}]),
    st.integers(0, 11),
)


@given(CHORDS)
def test_a_chord_reads_back_as_it_is_written(chord):
    assert parse_chord(str(chord)) == chord


@pytest.mark.parametrize(
    ("symbol", "root", "quality", "bass"),
    [
        ("C", 0, "maj", 0), ("Cm", 0, "min", 0), ("Cmin", 0, "min", 0), ("C-", 0, "min", 0),
        ("F#m7b5/A", 6, "m7b5", 9), ("Bbmaj7", 10, "maj7", 10), ("Eb", 3, "maj", 3),
        ("B", 11, "maj", 11), ("Cb", 11, "maj", 11), ("G##", 9, "maj", 9), ("A♭m", 8, "min", 8),
        ("Csus4", 0, "sus4", 0), ("Csus", 0, "sus4", 0), ("C7sus4", 0, "sus4", 0),
        ("Csus2", 0, "sus2", 0), ("Cdim", 0, "dim", 0), ("Cdim7", 0, "dim7", 0),
        ("Caug", 0, "aug", 0), ("C+", 0, "aug", 0), ("C6", 0, "6", 0), ("C6/9", 0, "6", 0),
        ("Cm6", 0, "m6", 0), ("C9", 0, "7", 0), ("C13", 0, "7", 0), ("C7b9", 0, "7", 0),
        ("C7#9b13", 0, "7", 0), ("Cadd9", 0, "maj", 0), ("Cmaj9", 0, "maj7", 0),
        ("CM7", 0, "maj7", 0), ("Cm9", 0, "m7", 0), ("Cm11", 0, "m7", 0), ("C5", 0, "maj", 0),
        ("Cmmaj7", 0, "min", 0), ("Am7/G", 9, "m7", 7), (" C/E ", 0, "maj", 4),
    ],
)  # fmt: skip
def test_a_chord_symbol_reduces_to_its_quality(symbol, root, quality, bass):
    assert parse_chord(symbol).reduced == Chord(root, quality, bass)


@pytest.mark.parametrize("suffix", LEAD_SHEET_QUALITIES)
def test_a_lead_sheet_symbol_keeps_its_tensions_and_has_one_spelling(suffix):
    quality, intervals = LEAD_SHEET_QUALITIES[suffix]
    chord = parse_chord(f"G{suffix}/B")
    assert (chord.quality, chord.intervals, chord.bass) == (quality, intervals, 11)
    assert parse_chord(str(chord)) == chord


@given(CHORDS)
def test_reducing_keeps_root_and_bass_and_is_done_once(chord):
    reduced = chord.reduced
    assert (reduced.root, reduced.bass) == (chord.root, chord.bass)
    assert reduced.quality in QUALITIES
    assert reduced.reduced == reduced


@pytest.mark.parametrize(
    ("key", "degrees", "chords"),
    [
        ("C", "ii7 V7 | Imaj7", "Dm7 G7 | Cmaj7"),
        ("Eb", "ii7 V7 | Imaj7 | vii° bVII", "Fm7 Bb7 | Ebmaj7 | Ddim Db"),
        ("A minor", "i iv | V7 i | VI bII", "Am Dm | E7 Am | F Bb"),
        ("F#m", "iiø7 V7(b9) | i6", "Abm7b5 Db7b9 | Gbm6"),
    ],
)
def test_degrees_are_chords_of_the_key(key, degrees, chords):
    assert format_progression(parse_progression(degrees, parse_key(key))) == chords


def test_a_degree_without_a_key_is_refused_with_what_is_missing():
    with pytest.raises(SettingError, match="'V7' is a degree, and no key is given"):
        parse_progression("C | V7")


@pytest.mark.parametrize("symbol", ["", "H", "Cx", "cm", "C/", "C/H", "C7/5/3", "NC", "Am F"])
def test_what_is_no_chord_symbol_is_refused_with_its_text(symbol):
    with pytest.raises(SettingError, match="is not a chord symbol") as caught:
        parse_chord(symbol)
    assert repr(symbol) in str(caught.value)


@given(CHORDS, st.integers(-24, 24))
def test_transposing_a_chord_moves_all_of_it(chord, semitones):
    moved = chord.transposed(semitones)
    assert moved.quality == chord.quality
    assert moved.pitch_classes == tuple((p + semitones) % 12 for p in chord.pitch_classes)
    assert (moved.bass - chord.bass) % 12 == semitones % 12


def test_pitch_classes_begin_with_the_root_and_leave_out_the_bass():
    assert parse_chord("Am7/G").pitch_classes == (9, 0, 4, 7)
    assert parse_chord("C/D").pitch_classes == (0, 4, 7)


@given(st.lists(st.lists(CHORDS | st.none(), min_size=1, max_size=4), min_size=1, max_size=6))
def test_a_progression_reads_back_as_it_is_written(bars):
    assert parse_progression(format_progression(bars)) == bars


def test_a_percent_sign_repeats_the_bar_before():
    assert parse_progression("| Am F | % | NC |") == [
        [parse_chord("Am"), parse_chord("F")],
        [parse_chord("Am"), parse_chord("F")],
        [None],
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("% | C", "bar 1 of the progression is '%'"),
        ("C | | G", "bar 2 of the progression is ''"),
        ("C | F %", "bar 2 of the progression is 'F %'"),
        ("", "bar 1"),
        ("C | Xyz", "'Xyz' is not a chord symbol"),
    ],
)
def test_a_progression_that_cannot_be_read_is_refused_with_its_bar(text, message):
    with pytest.raises(SettingError, match=message):
        parse_progression(text)


@pytest.mark.parametrize(
    ("text", "tonic", "mode", "fifths"),
    [
        ("C", 0, "major", 0), ("A minor", 9, "minor", 0), ("Am", 9, "minor", 0),
        ("am", 9, "minor", 0), ("AM", 9, "major", 3), ("Bb", 10, "major", -2),
        ("bb minor", 10, "minor", -5), ("b minor", 11, "minor", 2), ("F#m", 6, "minor", 3),
        ("F# dorian", 6, "dorian", 4), ("D dor", 2, "dorian", 0), ("E phrygian", 4, "phrygian", 0),
        ("F lydian", 5, "lydian", 0), ("G mixolydian", 7, "mixolydian", 0),
        ("A_minor", 9, "minor", 0), ("E♭ major", 3, "major", -3), ("Gb", 6, "major", 6),
    ],
)  # fmt: skip
def test_a_key_is_read_as_people_write_it(text, tonic, mode, fifths):
    key = parse_key(text)
    assert (key.tonic, key.mode, key.fifths) == (tonic, mode, fifths)


KEYS = [parse_key(f"{n} {m}") for n in FLAT_NAMES
        for m in ("major", "minor", "dorian", "phrygian", "lydian", "mixolydian")]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_reads_back_and_its_signature_holds_its_scale(key):
    assert parse_key(str(key)) == key
    assert -6 <= key.fifths <= 6
    major = {(key.fifths * 7 + step) % 12 for step in (0, 2, 4, 5, 7, 9, 11)}
    assert set(key.scale) == major
    assert key.scale[0] == key.tonic
    assert key.is_minor == ((key.tonic + 3) % 12 in key.scale)
    assert key.transposed(5).scale == tuple((p + 5) % 12 for p in key.scale)


@pytest.mark.parametrize("text", ["", "H", "C mayor", "Cb#", "minor", "A minor minor"])
def test_what_is_no_key_is_refused_with_its_text(text):
    with pytest.raises(SettingError, match="is not a key"):
        parse_key(text)


def test_a_key_compares_by_what_it_is():
    assert parse_key("A#") == parse_key("Bb") == Key(10, "major")


def test_the_nearest_known_word_is_suggested():
    assert nearest("waltz", ["waltz", "rock"], setting="genre") == "waltz"
    with pytest.raises(SettingError, match=r"unknown genre 'walz'\n.*did you mean 'waltz'\?"):
        nearest("walz", ["waltz", "rock"], setting="genre")


def test_a_word_like_no_other_is_refused_with_all_known_ones():
    with pytest.raises(SettingError, match="known: rock, waltz") as caught:
        nearest("q", ["waltz", "rock"], setting="genre")
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("is_minor", [False, True])
@pytest.mark.parametrize("fifths", range(-7, 8))
def test_every_key_spells_its_scale_in_seven_letters_and_reads_back(fifths, is_minor):
    names = note_names(fifths, is_minor=is_minor)
    assert [parse_chord(name).root for name in names] == list(range(12))
    scale = [names[(fifths * 7 + step) % 12] for step in (0, 2, 4, 5, 7, 9, 11)]
    assert sorted(name[0] for name in scale) == list("ABCDEFG")
    assert sum(name.count("#") - name.count("b") for name in scale) == fifths


@pytest.mark.parametrize(
    ("fifths", "is_minor", "spelt"),
    [
        (0, False, "C Db D Eb E F F# G Ab A Bb B"),
        (0, True, "C C# D Eb E F F# G G# A Bb B"),
        (4, False, "C C# D D# E F F# G G# A A# B"),
        (4, True, "B# C# D D# E F F# G G# A A# B"),
        (-3, False, "C Db D Eb E F Gb G Ab A Bb B"),
        (-6, True, "C Db D Eb E F Gb G Ab A Bb Cb"),
    ],
)
def test_notes_outside_the_scale_are_spelt_as_the_key_leads_to_them(fifths, is_minor, spelt):
    assert " ".join(note_names(fifths, is_minor=is_minor)) == spelt


def test_a_progression_is_written_in_the_names_it_is_given():
    bars = parse_progression("E | G#m7/D# | C#m | A/C#")
    assert format_progression(bars) == "E | Abm7/Eb | Dbm | A/Db"
    assert format_progression(bars, note_names(4, is_minor=False)) == "E | G#m7/D# | C#m | A/C#"


def test_keys_of_six_signs_have_their_usual_names():
    assert [str(parse_key(key)) for key in ("Gb major", "D# minor")] == ["F# major", "Eb minor"]
