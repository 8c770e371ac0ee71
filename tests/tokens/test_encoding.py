"""Grid to events: what is told, in which order; and the exact round trip."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen import smf
from gen.errors import HouseError, SettingError
from gen.harmony import GENRES, MOODS, QUALITIES, Chord, parse_chord
from gen.piece import DRUM_PROGRAM, ROLES, Note, Piece, Tempo, TimeSignature, Track
from gen.tokens import vocabulary as v
from gen.tokens.encoding import Annotations, encode
from gen.tokens.grid import Grid, to_grid
from gen.tokens.reading import decode
from gen.tokens.tokenizer import HouseTokenizer, score_of
from gen.tokens.vocabulary import SPANS, Kind
from gen.tokens.word_ids import chord_id, chord_of, key_id, section_id
from music import FIRST, events_of, loose_pieces, pieces
from thorough import examples

TOKENIZER = HouseTokenizer()


def small_piece(bars: int = 2, meter: tuple[int, int] = (4, 4)) -> Piece:
    length = 480 * 4 * meter[0] // meter[1]
    notes = [Note(bar * length, length // 2, 60 + bar, 83) for bar in range(bars)]
    notes[-1] = Note((bars - 1) * length, length, 72, 83)
    return Piece(480, [Track(notes=notes)], [Tempo(0, 500_000)], [TimeSignature(0, *meter)])


def rows_of(kind: Kind, notes: Annotations, piece: Piece | None = None) -> list[list[int]]:
    events = events_of(piece or small_piece(), notes)
    return events[events[:, v.KIND] == kind].tolist()


# Round trip -----------------------------------------------------------------------------


@given(pieces())
def test_a_piece_on_the_grid_comes_back_to_the_last_detail(piece):
    assert decode(events_of(piece)) == piece


@given(pieces(most_tracks=3))
@examples(50)
def test_a_file_on_the_grid_comes_back_to_the_last_detail(piece):
    assert TOKENIZER.piece(TOKENIZER.events(smf.parse(smf.write(piece)))) == piece


@given(loose_pieces())
@examples(50)
def test_what_the_grid_made_of_a_piece_stays_as_it_is(piece):
    events = events_of(piece)
    assert events_of(decode(events)).tolist() == events.tolist()


def test_tracks_of_one_program_are_kept_apart():
    notes = [Note(0, 480, 60, 83)]
    piece = small_piece()
    piece.tracks += [Track(notes=notes), Track(is_drum=True, notes=notes), Track(notes=notes)]
    again = decode(events_of(piece))
    assert [t.instrument for t in again.tracks] == [0, 0, DRUM_PROGRAM, 0]
    assert [len(t.notes) for t in again.tracks] == [2, 1, 1, 1]


# The obvious way ------------------------------------------------------------------------


def plain_events(grid: Grid) -> list[list[int]]:
    """Header, then bar by bar, track by track, step by step."""
    rows = [[Kind.BOS, 0, 0, 0, 0]]
    for part in grid.parts:
        register = FIRST["register"] + int(sum(part.pitch) / len(part.pitch)) // 12
        if part.program == DRUM_PROGRAM:
            register = 0
        rows.append([Kind.TRACK, 0, FIRST["program"] + part.program, 0, register])
    for start, numerator, denominator in grid.bars:
        steps = v.bar_steps(numerator, denominator)
        signature = v.TIME_SIGNATURES.index((numerator, denominator))
        rows.append([Kind.BAR, 0, FIRST["time_signature"] + signature, 0, 0])
        for step, tempo in grid.tempos:
            if start <= step < start + steps:
                position = FIRST["position"] + step - start
                rows.append([Kind.TEMPO, position, FIRST["tempo"] + tempo, 0, 0])
        for slot, part in enumerate(grid.parts):
            rows += plain_cell(part, slot, range(start, start + steps))
    return [*rows, [Kind.EOS, 0, 0, 0, 0]]


def plain_cell(part, slot: int, steps: range) -> list[list[int]]:
    durations = v.DURATIONS.tolist()
    rows = []
    for step in steps:
        position = FIRST["position"] + step - steps.start
        for onset, duration in zip(part.pedal_onset, part.pedal_duration, strict=True):
            if onset == step:
                extent = FIRST["duration"] + durations.index(duration)
                rows.append([Kind.PEDAL, position, 0, extent, 0])
        notes = zip(part.onset, part.pitch, part.duration, part.velocity, strict=True)
        for onset, pitch, duration, velocity in sorted(notes):
            if onset == step:
                base = FIRST["drum" if part.program == DRUM_PROGRAM else "pitch"]
                extent = FIRST["duration"] + durations.index(duration)
                rows.append(
                    [Kind.NOTE, position, base + pitch, extent, FIRST["velocity"] + velocity]
                )
    if not rows:
        return []
    played = sum(row[0] == Kind.NOTE for row in rows)
    density = sum(played / (len(steps) / 12) > edge for edge in v.DENSITIES)
    return [[Kind.CELL, 0, FIRST["slot"] + slot, FIRST["density"] + density, 0], *rows]


@given(loose_pieces() | pieces())
def test_events_are_those_that_the_obvious_way_writes(piece):
    try:
        grid = to_grid(score_of(piece))
    except HouseError:
        return
    events = encode(grid)
    assert events.array.dtype == np.int16
    assert events.tolist() == plain_events(grid)


# What the house knows of a work ---------------------------------------------------------


def test_everything_known_is_told_in_the_header_in_one_order():
    notes = Annotations("bossa", "sad", "F# minor", roles=("bass",), style=3)
    events = events_of(small_piece(), notes)
    header = events[: int(np.argmax(events[:, v.KIND] == Kind.BAR))].tolist()
    assert header == [
        [Kind.BOS, 0, 0, 0, 0],
        [Kind.GENRE, 0, FIRST["genre"] + GENRES.index("bossa"), 0, 0],
        [Kind.MOOD, 0, FIRST["mood"] + MOODS.index("sad"), 0, 0],
        [Kind.KEY, 0, FIRST["key"] + 6 * 2 + 1, 0, 0],
        [Kind.STYLE, 0, FIRST["style"] + 3, 0, 0],
        [Kind.TRACK, 0, FIRST["program"], FIRST["role"] + ROLES.index("bass"),
         FIRST["register"] + 66 // 12],
    ]  # fmt: skip


def test_roles_come_back_with_the_tracks():
    piece = small_piece()
    piece.tracks.append(Track(is_drum=True, notes=[Note(0, 40, 36, 83)]))
    again = decode(events_of(piece, Annotations(roles=("main_melody", "drums"))))
    assert [track.role for track in again.tracks] == ["main_melody", "drums"]


def test_a_role_may_be_unknown_for_one_track():
    assert rows_of(Kind.TRACK, Annotations(roles=("",)))[0][v.EXTENT] == 0


def test_a_style_beyond_the_vocabulary_is_refused():
    with pytest.raises(HouseError, match="style 32 is outside 0 to 31"):
        events_of(small_piece(), Annotations(style=32))


def test_a_key_that_cannot_be_read_is_refused():
    with pytest.raises(SettingError, match="'H moll' is not a key"):
        events_of(small_piece(), Annotations(key="H moll"))


def test_sections_stand_behind_their_bars():
    events = events_of(small_piece(3), Annotations(sections="intro:1 A:3"))
    kinds = events[:, v.KIND].tolist()
    after_bars = [kinds[i + 1] for i, kind in enumerate(kinds) if kind == Kind.BAR]
    assert after_bars == [Kind.SECTION, Kind.CELL, Kind.SECTION]
    sections = events[events[:, v.KIND] == Kind.SECTION, v.VALUE].tolist()
    assert sections == [section_id("intro"), section_id("a")]


@pytest.mark.parametrize("text", ["intro", "intro:0 A:9", "intro:x", "intro:²", ":"])
def test_a_section_outside_the_piece_or_without_a_number_is_left_out(text):
    assert rows_of(Kind.SECTION, Annotations(sections=text)) == []


def test_of_two_sections_in_one_bar_the_last_counts():
    rows = rows_of(Kind.SECTION, Annotations(sections="A:1 B:1"))
    assert [row[v.VALUE] for row in rows] == [section_id("b")]


@pytest.mark.parametrize(
    ("name", "known"),
    [("Verse 2", "verse"), ("A'", "a"), ("Outro", "ending"), ("coda", "ending"),
     ("Pre-Chorus", "prechorus"), ("zydeco", "other"), ("chorus-1", "chorus")],
)  # fmt: skip
def test_section_names_are_read_as_people_write_them(name, known):
    assert section_id(name) == FIRST["section"] + v.SECTIONS.index(known)


def test_chords_are_spread_evenly_over_their_bars():
    rows = rows_of(Kind.CHORD, Annotations(chords="Am F G | C"), small_piece(2, (3, 4)))
    positions = [row[v.POSITION] - FIRST["position"] for row in rows]
    assert positions == [0, 12, 24, 0]
    names = [str(chord_of(row[v.VALUE])) for row in rows]
    assert names == ["Am", "F", "G", "C"]


def test_chords_beyond_the_last_bar_are_left_out():
    assert len(rows_of(Kind.CHORD, Annotations(chords="Am | F | G | C"))) == 2


def test_more_chords_than_steps_leave_one_a_step():
    rows = rows_of(Kind.CHORD, Annotations(chords="C D E F G A B | C"), small_piece(2, (1, 16)))
    assert [row[v.POSITION] - FIRST["position"] for row in rows] == [0, 1, 2, 0]


def test_a_chord_that_cannot_be_read_is_refused():
    with pytest.raises(SettingError, match="'Xm' is not a chord symbol"):
        events_of(small_piece(), Annotations(chords="Xm"))


@pytest.mark.parametrize("root", range(12))
def test_every_chord_has_an_id_of_its_own_and_comes_back_without_its_bass(root):
    for quality in QUALITIES:
        assert chord_of(chord_id(Chord(root, quality, (root + 4) % 12))) == Chord(
            root, quality, root
        )


def test_no_chord_is_a_chord_id_too():
    assert chord_of(chord_id(None)) is None
    assert chord_id(None) == FIRST["chord"]
    assert chord_id(parse_chord("Bm6")) == SPANS["chord"].stop - 1


def test_a_mode_counts_as_the_major_or_minor_it_belongs_to():
    assert key_id("D dorian") == key_id("Dm")
    assert key_id("D lydian") == key_id("D")
    assert {key_id(f"{tonic}{mode}") for tonic in ["C", "D", "E"] for mode in ("", "m")} == {
        FIRST["key"] + i for i in (0, 1, 4, 5, 8, 9)
    }


@given(pieces(), st.integers(0, 5))
@examples(25)
def test_annotations_never_change_the_music(piece, which):
    notes = (
        Annotations(genre="waltz"),
        Annotations(key="Bb", mood="calm"),
        Annotations(chords="Am F | % | G"),
        Annotations(sections="A:1 B:2"),
        Annotations(style=0),
        Annotations("march", "dark", "C", "C | F", "intro:1", (), 31),
    )[which]
    assert decode(events_of(piece, notes)) == piece
