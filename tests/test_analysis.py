"""What a piece's notes say: key, chords, roles, meter, tempo."""

from __future__ import annotations

import random

import pytest

from gen.analysis import analyse, infer_chords, infer_key, infer_roles
from gen.analysis.sections import sections_of
from gen.harmony import parse_key, parse_progression
from gen.piece import KeySignature, Marker, Note, Piece, Tempo, TimeSignature, Track

UNIT = 480


def arrange(progression: str, *, beats: int = 4, repeats: int = 1, transpose: int = 0) -> Piece:
    """Bass, block chords, a melody of chord tones and neighbours, pad and drums."""
    rng = random.Random(progression)  # noqa: S311 - the same melody for the same chords
    bars = parse_progression(progression) * repeats
    bass, comp, melody, pad, kit = ([] for _ in range(5))
    for number, bar in enumerate(bars):
        length = beats * UNIT // len(bar)
        for half, chord in enumerate(bar):
            start = number * beats * UNIT + half * length
            tones = [(pc + transpose) % 12 for pc in chord.pitch_classes]
            bass += [
                Note(start + t, 420, 36 + (chord.bass + transpose) % 12, 90)
                for t in range(0, length, UNIT)
            ]
            for offset in range(0, length, UNIT):
                comp += [Note(start + offset, 400, 55 + (tone - 55) % 12, 70) for tone in tones]
            pad += [Note(start, length, 48 + tone, 50) for tone in tones]
            for offset in range(0, length, UNIT // 2):
                passing = rng.choice((-2, -1, 1, 2)) if offset % UNIT else 0
                pitch = 72 + (rng.choice(tones) + passing) % 12
                melody.append(Note(start + offset, UNIT // 2, pitch, 95))
            kit += [Note(start + t, 60, 42, 80) for t in range(0, length, UNIT)]
    return Piece(
        UNIT,
        [
            Track("", 73, notes=melody),
            Track("", 0, notes=sorted(comp)),
            Track("", 33, notes=bass),
            Track("", 89, notes=sorted(pad)),
            Track("", 0, True, notes=kit),
        ],
        [Tempo(0, 500_000)],
        [TimeSignature(0, beats, 4)],
    )


PROGRESSIONS = {
    "C major": "C | Am | F | G7 | C | Am | Dm G7 | C",
    "A minor": "Am | F | C | E7 | Am | Dm | E7 | Am",
    "Eb major": "Eb | Cm7 | Fm7 | Bb7 | Eb | Ab | Bb7 | Eb",
    "F# minor": "F#m | D | A | C#7 | F#m | Bm | C#7 | F#m",
    "D minor": "Dm | Gm | A7 | Dm | Bb | Gm | A7 | Dm",
}


@pytest.mark.parametrize("key", PROGRESSIONS)
def test_the_key_of_a_cadencing_piece_is_found(key: str) -> None:
    found, _ = infer_key(arrange(PROGRESSIONS[key]))
    assert (found.tonic, found.is_minor) == (parse_key(key).tonic, parse_key(key).is_minor)


@pytest.mark.parametrize("semitones", range(12))
def test_the_key_moves_with_the_piece(semitones: int) -> None:
    found, _ = infer_key(arrange(PROGRESSIONS["A minor"], transpose=semitones))
    assert (found.tonic, found.is_minor) == ((9 + semitones) % 12, True)


@pytest.mark.parametrize("key", PROGRESSIONS)
def test_the_chords_of_an_arrangement_are_heard(key: str) -> None:
    written = parse_progression(PROGRESSIONS[key])
    heard = parse_progression(infer_chords(arrange(PROGRESSIONS[key])))
    assert len(heard) == len(written)
    agree = sum(h == w for h, w in zip(heard, written, strict=True))
    assert agree >= len(written) - 1


def test_inversions_changes_within_a_bar_and_silence_are_written() -> None:
    piece = arrange("C/E | F G | C")
    for track in piece.tracks:
        track.notes = [n for n in track.notes if n.onset_ticks < 2 * 4 * UNIT]
    piece.tracks[0].notes.append(Note(3 * 4 * UNIT, UNIT, 72, 80))
    assert infer_chords(piece).split(" | ")[:3] == ["C/E", "F G", "NC"]


def test_a_waltz_has_one_chord_a_bar() -> None:
    assert infer_chords(arrange("Am | Dm | E7 | Am", beats=3)) == "Am | Dm | E7 | Am"


def test_every_inferred_progression_can_be_read_back() -> None:
    rng = random.Random(5)  # noqa: S311
    for _ in range(20):
        notes = [
            Note(rng.randrange(9_000), rng.randint(1, 2_000), rng.randint(30, 90), 80)
            for _ in range(60)
        ]
        piece = Piece(UNIT, [Track(notes=sorted(notes))], [], [TimeSignature(960, 5, 8)])
        assert len(parse_progression(infer_chords(piece))) == len(piece.bar_starts())


def test_roles_follow_instrument_register_and_movement() -> None:
    found = infer_roles(arrange(PROGRESSIONS["C major"]))
    assert found == ("main_melody", "accompaniment", "bass", "pad", "drums")


@pytest.mark.parametrize(
    ("name", "role"),
    [("Lead Vox", "main_melody"), ("Sub Bass", "bass"), ("Warm Pad", "pad"), ("Arp 2", "riff")],
)
def test_a_track_s_name_says_its_role(name: str, role: str) -> None:
    piece = arrange(PROGRESSIONS["C major"])
    piece.tracks[1].name = name
    assert infer_roles(piece)[1] == role


def test_the_lowest_single_line_is_the_bass_where_nobody_is_named_so() -> None:
    piece = arrange(PROGRESSIONS["C major"])
    piece.tracks[2].program = 43
    assert infer_roles(piece)[2] == "bass"


def test_a_second_single_line_is_a_second_voice() -> None:
    piece = arrange(PROGRESSIONS["C major"])
    below = [Note(n.onset_ticks, n.duration_ticks, n.pitch - 9, 70) for n in piece.tracks[0].notes]
    piece.tracks.insert(1, Track("", 71, notes=below))
    assert infer_roles(piece)[:2] == ("main_melody", "sub_melody")


def test_a_bassoon_is_no_bass() -> None:
    piece = arrange(PROGRESSIONS["C major"])
    piece.tracks[0].name = "Bassoon"
    assert infer_roles(piece)[0] == "main_melody"


def test_a_repeated_figure_is_a_riff() -> None:
    piece = arrange(PROGRESSIONS["C major"], repeats=2)
    figure = [Note(b * 1920 + s * 240, 200, 60 + s % 3, 80) for b in range(16) for s in range(8)]
    piece.tracks.insert(1, Track("", 28, notes=figure))
    assert infer_roles(piece)[1] == "riff"


def marked(*markers: tuple[float, str], bars: int = 24) -> Piece:
    """A piece of `bars` bars of 4/4 with markers at these bars, counted from 1."""
    notes = [Note(bar * 4 * UNIT, 4 * UNIT, 60, 80) for bar in range(bars)]
    return Piece(
        UNIT,
        [Track(notes=notes)],
        markers=[Marker(round((bar - 1) * 4 * UNIT), text) for bar, text in markers],
    )


def test_markers_that_name_sections_are_proposed() -> None:
    piece = marked(
        (1, "Intro"), (5, "VERSE 1"), (9, "Pre-Chorus"), (13, "chorus"), (17, "Verse 2"),
        (19, "Guitar Solo"), (21, "middle 8"), (23, "Outro"),
    )  # fmt: skip
    assert analyse(piece).sections == (
        "intro:1 verse-1:5 prechorus:9 chorus:13 verse-2:17 solo:19 bridge:21 ending:23"
    )


def test_markers_of_other_languages_and_letters_are_read() -> None:
    piece = marked((1, "Strophe 1"), (5, "Réfrain"), (9, "Brücke"), (13, "estribillo_2"))
    assert sections_of(piece) == "verse-1:1 chorus:5 bridge:9 chorus-2:13"
    assert sections_of(marked((1, "A"), (9, "B"), (17, "A'"), (21, "Part A2"))) == (
        "A:1 B:9 A':17 A2:21"
    )


@pytest.mark.parametrize(
    ("texts", "sections"),
    [
        (("[A]", "[B]", "[A]"), "A:1 B:2 A:3"),
        (("(Verse 1)", "Chorus:", "<Bridge>"), "verse-1:1 chorus:2 bridge:3"),
        (("1. Intro", "2 - Verse", "3) Chorus"), "intro:1 verse:2 chorus:3"),
        (("Aメロ", "サビ", "間奏"), "verse:1 chorus:2 interlude:3"),
        (("Вступление", "Куплет 1", "Припев"), "intro:1 verse-1:2 chorus:3"),
        (("Wstęp", "Zwrotka", "Refren"), "intro:1 verse:2 chorus:3"),
        (("前奏", "主歌", "副歌"), "intro:1 verse:2 chorus:3"),
        (("[C]", "[Am]", "[D]"), ""),  # chords as song sheets write them
        (("[C]", "", ""), ""),  # a chord, or a form whose A nobody marked
        (("A", "D", "E"), ""),
    ],
)
def test_brackets_places_and_other_languages_of_section_marks(texts, sections) -> None:
    named = [(number, text) for number, text in enumerate(texts, 1) if text]
    assert sections_of(marked(*named)) == sections


def test_markers_that_name_no_section_propose_none() -> None:
    others = ("Marker 1", "Am7", "loop start", "120 bpm", "fix this verse later", "%", "", "3")
    assert sections_of(marked(*((number, text) for number, text in enumerate(others, 1)))) == ""
    rehearsal = marked(*((1 + 4 * number, letter) for number, letter in enumerate("ABCDEF")))
    assert sections_of(rehearsal) == ""
    assert sections_of(Piece(UNIT, markers=[Marker(0, "Intro")])) == ""


def test_a_section_begins_at_the_nearest_bar_line_and_the_first_marker_counts() -> None:
    piece = marked((0.99, "Intro"), (4.95, "Verse"), (5.0, "Chorus"), (24.9, "End"), (26, "End"))
    piece.markers[0] = Marker(0, "Intro")
    assert sections_of(piece) == "intro:1 verse:5"


def test_every_proposed_section_is_a_word_that_the_model_hears() -> None:
    from gen.analysis.sections import _SECTIONS
    from gen.tokens.word_ids import section_id

    unknown = section_id("something else")
    assert {name for name in _SECTIONS.values() if section_id(name) == unknown} == {"drop"}
    for text in ("verse-2", "A'", "B2", "chorus-1"):
        assert section_id(text) != unknown


def test_chords_and_key_are_spelt_as_the_key_is() -> None:
    sharp = analyse(arrange("E | G#m | C#m | A B7 | E | C#m | A B7 | E"))
    assert (sharp.key, sharp.chords) == ("E major", "E | G#m | C#m | A B7 | E | C#m | A B7 | E")
    flat = analyse(arrange("Eb | Cm7 | Fm7 | Bb7 | Eb | Ab | Bb7 | Eb"))
    assert (flat.key, flat.chords.split(" | ")[5]) == ("Eb major", "Ab")
    minor = analyse(arrange("F#m | D | A | C#7 | F#m | Bm | C#7 | F#m"))
    assert (minor.key, minor.chords.split(" | ")[3]) == ("F# minor", "C#7")


def test_a_declared_signature_decides_between_six_sharps_and_six_flats() -> None:
    piece = arrange("Gb | Ebm | Cb | Db7 | Gb | Cb | Db7 | Gb")
    assert analyse(piece).key == "F# major"
    piece.key_signatures = [KeySignature(0, -6, False)]
    found = analyse(piece)
    assert (found.key, found.chords.split(" | ")[2]) == ("Gb major", "Cb")


def test_a_declared_signature_tips_the_balance() -> None:
    notes = [Note(i * UNIT, UNIT, pitch, 80) for i, pitch in enumerate((60, 64, 67, 69, 60, 64))]
    piece = Piece(UNIT, [Track(notes=notes)])
    piece.tracks[0].notes.append(Note(6 * UNIT, UNIT, 64, 80))
    undeclared = infer_key(piece)[0]
    piece.key_signatures.append(KeySignature(0, 1, True))
    declared = infer_key(piece)[0]
    assert (declared.tonic, declared.is_minor) == (4, True)
    assert declared != undeclared


def test_the_tempo_is_the_average_over_the_piece_with_its_range_and_changes() -> None:
    piece = Piece(UNIT, [Track(notes=[Note(0, 100 * UNIT, 60, 80)])])
    found = analyse(piece)
    assert (found.tempo_quarters_per_minute, found.tempo_changes) == (120, 0)
    assert not found.is_tempo_stated
    piece.tempos = [Tempo(0, 1_000_000), Tempo(50 * UNIT, 500_000)]
    found = analyse(piece)
    assert (found.tempo_quarters_per_minute, found.tempo_changes) == (80, 1)
    assert (found.slowest_tempo, found.fastest_tempo) == (60, 120)
    assert found.is_tempo_stated


def test_tempos_after_the_last_note_do_not_count() -> None:
    piece = Piece(UNIT, [Track(notes=[Note(0, 8 * UNIT, 60, 80)])])
    piece.tempos = [Tempo(0, 500_000), Tempo(8 * UNIT, 2_000_000), Tempo(40 * UNIT, 500_000)]
    found = analyse(piece)
    assert (found.tempo_quarters_per_minute, found.tempo_changes) == (120, 0)
    assert found.slowest_tempo == 120


def test_120_holds_until_a_first_tempo_that_comes_late() -> None:
    piece = Piece(UNIT, [Track(notes=[Note(0, 8 * UNIT, 60, 80)])], [Tempo(4 * UNIT, 1_000_000)])
    found = analyse(piece)
    assert (found.slowest_tempo, found.fastest_tempo, found.tempo_changes) == (60, 120, 1)
    assert not found.is_tempo_stated


def test_a_stated_key_comes_before_the_guess_and_both_are_told() -> None:
    piece = arrange(PROGRESSIONS["A minor"])
    piece.key_signatures = [KeySignature(0, -5, False)]
    found = analyse(piece)
    assert (found.key, found.key_stated, found.key_guess) == ("Db major", "Db major", "A minor")
    assert found.is_key_clear


def test_c_major_is_what_sequencers_state_when_nobody_chose_and_does_not_count() -> None:
    piece = arrange(PROGRESSIONS["A minor"])
    piece.key_signatures = [KeySignature(0, 0, False)]
    found = analyse(piece)
    assert (found.key, found.key_stated, found.key_guess) == ("A minor", "C major", "A minor")


def test_everything_a_composer_confirms_is_there() -> None:
    found = analyse(arrange(PROGRESSIONS["A minor"]))
    assert found.key == "A minor"
    assert found.bars == 8
    assert found.meters == ("4/4",)
    assert found.seconds == 16.0
    assert found.tempo_changes == 0
    assert found.instruments == (
        "flute",
        "acoustic grand piano",
        "fingered bass",
        "warm pad",
        "drums",
    )


def test_a_piece_without_notes_says_nothing() -> None:
    found = analyse(Piece(UNIT, [Track("silent")]))
    assert (found.bars, found.notes, found.chords, found.is_key_clear) == (0, 0, "", False)


def test_drums_alone_have_neither_chords_nor_melody() -> None:
    found = analyse(Piece(UNIT, [Track("kit", 0, True, notes=[Note(0, 60, 36, 90)])]))
    assert (found.chords, found.roles) == ("", ("drums",))


def test_cue_points_and_texts_name_sections_where_no_marker_does() -> None:
    piece = Piece(UNIT, [Track(notes=[Note(0, 32 * UNIT, 60, 80)])])
    cues = [Marker(0, "Intro"), Marker(16 * UNIT, "Strophe 1")]
    assert analyse(piece, cues).sections == "intro:1 verse-1:5"
    sung = [Marker(n * UNIT, "la") for n in range(9)]
    assert analyse(piece, [*cues, *sung]).sections == ""
    piece.markers = [Marker(0, "Refrain")]
    assert analyse(piece, cues).sections == "chorus:1"
