"""By the ninth rules pieces end as works of their genre, drums go on, files keep their close."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drafts import written
from gen.harmony import Chord, parse_key
from gen.piece import Note, Piece, Tempo, TimeSignature, Track
from gen.sampling.drafting import closing, fill, last_chord
from gen.sampling.drafting.cell_table import CellTable
from gen.sampling.drafting.fill import REACH
from gen.sampling.drafting.home import chord_bias, hold_of
from gen.sampling.drafting.policies import ABOVE_BASSES
from gen.sampling.drafting.state import MOST_NOTES_AT_ONCE
from gen.sampling.finishing.finish import signature_of, title_of
from gen.sampling.job import job_of
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.rules import Rules
from gen.sampling.request import FileTask
from gen.smf import normalise, write
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_id, chord_of, key_id

QUARTER, BARS = 480, 8
BAND = {
    "instruments": ("flute", "piano", "strings", "bass", "drums"),
    "roles": ("main_melody", "accompaniment", "pad", "bass", "drums"),
    "time_signature": "4/4",
    "bars": BARS,
}
MELODY, PIANO, STRINGS, BASS, DRUMS = range(5)


def drafts(rules=9, seeds=3, notes=0.85, **asked):
    job = job_of(Controls(**{**BAND, **asked}), None, steering=1.0, rules=Rules(rules))
    return [written(job, seed, notes=notes, context=400) for seed in range(seeds)]


def pitches_in(draft, bar):
    """By track the pitches, or drum sounds, of a bar."""
    found = {}
    for (at, slot), cell in CellTable.of(draft.rows).cells.items():
        notes = [row[v.VALUE] for row in cell if row[v.KIND] == Kind.NOTE]
        if at == bar and notes:
            found[slot] = [WORDS.drum.number(n) if slot == DRUMS else WORDS.pitch.number(n)
                           for n in notes]  # fmt: skip
    return found


# The last chord -------------------------------------------------------------------------


def test_a_last_chord_is_one_that_works_of_the_genre_end_on_and_the_marker_says_it():
    for genre, key, ends in (
        ("jazz_swing", "C", {"6", "maj7"}),
        ("lofi", "A minor", {"m7"}),
        ("waltz", "C", {"maj"}),
    ):
        found = set()
        for draft in drafts(genre=genre, key=key, seeds=6):
            chord = chord_of(draft.state.chords[-1][1])
            assert chord.root == (0 if key == "C" else 9)
            found.add(chord.quality)
        assert found <= ends, genre
    assert len({d.state.chords[-1][1] for d in drafts(genre="jazz_swing", key="C", seeds=9)}) == 2


def test_melodies_end_on_the_triad_and_a_ninth_is_in_the_accompaniment_alone(monkeypatch):
    monkeypatch.setattr(last_chord, "NINTHS", dict.fromkeys(last_chord.NINTHS, 1.0))
    ninths = 0
    for draft in drafts(genre="lofi", key="C", seeds=6):
        parts = pitches_in(draft, BARS - 1)
        assert {pitch % 12 for pitch in parts[MELODY]} <= {0, 4, 7}
        assert {pitch % 12 for pitch in parts[BASS]} == {0}
        chord = {pitch % 12 for slot in (PIANO, STRINGS) for pitch in parts[slot]}
        assert chord <= {0, 2, 4, 7, 11}
        ninths += 2 in chord
    assert ninths
    plain = drafts(genre="chorale", key="C", instruments=(), roles=())
    assert all(chord_of(draft.state.chords[-1][1]).quality == "maj" for draft in plain)


def test_rock_in_minor_ends_without_a_major_third():
    for draft in drafts(genre="rock", key="A minor", seeds=6):
        parts = pitches_in(draft, BARS - 1)
        tones = {pitch % 12 for slot in (MELODY, PIANO, STRINGS) for pitch in parts[slot]}
        assert 1 not in tones


@pytest.fixture
def strikes(monkeypatch):
    """No accompaniment climbs through the last chord, and nothing fades."""
    for name in ("SPREADS", "FADES"):
        monkeypatch.setattr(closing, name, {})


def test_what_accompanies_strikes_the_last_chord_whole(strikes):
    for rules, whole in ((8, False), (9, True)):
        sizes = []
        for draft in drafts(rules, genre="waltz", key="C", notes=0.5, seeds=6):
            bar = max(bar for bar, slot in CellTable.of(draft.rows).cells if slot == BASS)
            parts = pitches_in(draft, bar)
            sizes += [len(parts[slot]) for slot in (PIANO, STRINGS) if slot in parts]
        assert (min(sizes) >= 2) == whole


def test_under_a_slash_nobody_plays_low_what_the_bass_may_not():
    strayed = {8: 0, 9: 0}
    asked = {"chords": "C/E | F | G/B | C", "pitch_range": (24, 84)}
    for rules, draft in ((r, d) for r in strayed for d in drafts(r, key="C", seeds=4, **asked)):
        for bar, bass in ((0, 4), (2, 11), (4, 4)):
            parts = pitches_in(draft, bar)
            low = [p for slot in (MELODY, PIANO, STRINGS) for p in parts.get(slot, ())]
            strayed[rules] += sum(p < ABOVE_BASSES and p % 12 != bass for p in low)
    assert not strayed[9]
    assert strayed[8]


# Drums and fades ------------------------------------------------------------------------


def test_drums_that_have_begun_rest_in_breaks_and_endings_alone():
    form = "a:1 break:9 a:13 ending:21"
    rested = {8: set(), 9: set()}
    for rules, draft in ((r, d) for r in rested for d in drafts(r, bars=24, sections=form,
                                                                notes=0.3, seeds=4)):  # fmt: skip
        plays = [bar for bar in range(24) if DRUMS in pitches_in(draft, bar)]
        rested[rules] |= {bar for bar in range(plays[0], 24) if bar not in plays}
    assert rested[9] <= {*range(8, 12), *range(20, 24)}
    assert rested[8] - rested[9] - {*range(8, 12), *range(20, 24)}


def test_a_fade_of_three_bars_ends_where_the_last_chord_begins(monkeypatch):
    monkeypatch.setattr(closing, "FADES", {"house": 1.0, "waltz": 1.0})
    form = "a:1 b:13 ending:25"
    for rules, bars in ((8, 0), (9, 3)):
        job = job_of(Controls(genre="house", bars=28, sections=form, key="C"), None,
                     steering=1.0, rules=Rules(rules))  # fmt: skip
        assert {job.draft([seed]).plan.fade for seed in range(9)} == {bars}
    for draft in drafts(genre="house", bars=28, sections=form, key="C", seeds=4):
        assert {len(pitches_in(draft, bar)) for bar in (25, 26)} <= {0, 1, 2}
        assert len(pitches_in(draft, 27)) > 2
    waltz = {"genre": "waltz", "time_signature": "3/4", "key": "C", "bars": 29, "sections": form}
    for draft in drafts(**waltz, seeds=4):  # its last chord rings for two bars
        melodic = [set(pitches_in(draft, bar)) - {DRUMS} for bar in range(29)]
        assert all(MELODY not in melodic[bar] for bar in range(24, 27))
        assert MELODY in melodic[27]
        assert not melodic[28]
    short = drafts(**{**waltz, "bars": 28}, seeds=4)  # two bars are none
    assert any(MELODY in pitches_in(draft, bar) for draft in short for bar in (24, 25))


# In files -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """Eight bars in C of a melody, chords and a bass, that end on its tonic."""

    def part(name, program, bars):
        notes = [
            Note(4 * QUARTER * bar + at * QUARTER, length * QUARTER, pitch, 70)
            for bar, events in enumerate(bars)
            for at, length, pitch in events
        ]
        return Track(name, program, notes=sorted(notes))

    roots = (0, 9, 5, 7, 0, 5, 7, 0)
    thirds = {0: 4, 9: 12, 5: 9, 7: 11}
    tune = [[(n, 1, 72 + (thirds[r] if n % 2 else r) % 12) for n in range(4)] for r in roots[:-1]]
    chords = [[(0, 2, 48 + r), (0, 2, 48 + thirds[r]), (2, 2, 55 + r)] for r in roots[:-1]]
    bass = [[(0, 2, 36 + r), (2, 2, 36 + r)] for r in roots[:-1]]
    last = [(0, 4, 48), (0, 4, 52), (0, 4, 55)]
    tracks = [
        part("Flute", 73, [*tune, [(0, 4, 72)]]),
        part("Piano", 0, [*chords, last]),
        part("Bass", 33, [*bass, [(0, 4, 36)]]),
    ]
    piece = Piece(QUARTER, tracks, [Tempo(0, 500_000)], [TimeSignature(0, 4, 4)])
    path = tmp_path_factory.mktemp("ninth") / "song.mid"
    path.write_bytes(write(piece))
    return path


def in_file(song, mode, rules=9, asked=None, **task):
    task = FileTask(mode, song, **task)
    return job_of(Controls(**(asked or {})), task, steering=1.0, rules=Rules(rules))


def test_a_file_that_ends_on_its_tonic_does_so_when_its_last_bar_is_written_anew(song):
    strayed = {8: set(), 9: set()}
    for rules, seed in ((rules, seed) for rules in strayed for seed in range(5)):
        job = in_file(song, "infill", rules, cells="bar 8")
        parts = pitches_in(written(job, seed, notes=0.85, context=400), BARS - 1)
        strayed[rules] |= {pitch % 12 for pitch in parts[2]} - {0}
        strayed[rules] |= {p % 12 for slot in (0, 1) for p in parts.get(slot, ())} - {0, 4, 7}
    assert not strayed[9]
    assert strayed[8]
    assert in_file(song, "vary").close == in_file(song, "infill", cells="bar 8").close
    assert in_file(song, "vary", 8).close is None


def test_so_does_what_is_written_while_its_last_chord_rings_on(song, tmp_path):
    piece = normalise(song.read_bytes()).piece
    for track in piece.tracks:
        track.notes = [
            replace(n, duration_ticks=8 * QUARTER) if n.onset_ticks >= 28 * QUARTER else n
            for n in track.notes
        ]
    rings = tmp_path / "rings.mid"
    rings.write_bytes(write(piece))
    for seed in range(3):
        job = in_file(rings, "infill", cells="bars 8-9")
        parts = pitches_in(written(job, seed, notes=0.85, context=400), BARS)
        assert {p % 12 for pitches in parts.values() for p in pitches} <= {0, 4, 7}


def test_a_file_that_ends_elsewhere_is_free_to(song, tmp_path):
    assert in_file(song, "vary", asked={"key": "G"}).close is None


def test_a_harmonised_melody_has_its_chord_in_every_bar(tmp_path):
    tune = tmp_path / "tune.mid"
    notes = [Note(at * QUARTER, QUARTER, 60 + (0, 4, 7, 5)[at % 4], 70)
             for at in range(4 * BARS) if at // 4 != 3]  # fmt: skip
    piece = Piece(QUARTER, [Track("tune", 73, notes=notes)], [Tempo(0, 500_000)])
    piece.time_signatures = [TimeSignature(0, 4, 4)]
    tune.write_bytes(write(piece))
    silent = {8: set(), 9: set()}
    for rules, seed in ((rules, seed) for rules in silent for seed in range(4)):
        draft = written(in_file(tune, "harmonise", rules), seed, notes=0.1, context=400)
        for bar in range(BARS):
            silent[rules] |= {bar} if {1, 2} - set(pitches_in(draft, bar)) else set()
    assert silent[9] <= {3}  # where the melody rests
    assert len(silent[8]) > 3


def test_a_line_that_is_added_does_not_leap(song, monkeypatch):
    monkeypatch.setattr(fill, "MOST_OF_A_LINE", MOST_NOTES_AT_ONCE)  # no works are known here
    leaps = {8: 0, 9: 0}
    for rules, seed in ((rules, seed) for rules in leaps for seed in range(4)):
        adding = in_file(song, "accompany", rules, add=("cello",))
        draft = written(adding, seed, notes=0.85, context=400)
        before = None
        for bar in range(BARS):
            pitches = pitches_in(draft, bar).get(3, [])
            if pitches and before is not None:
                leaps[rules] = max(leaps[rules], abs(pitches[0] - before))
            before = pitches[-1] if pitches else before
    assert leaps[9] <= REACH < leaps[8]


# Modes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "fifths", "title"),
    [
        ("D dorian", 0, "piece-d-dorian"),
        ("Bb mixolydian", -3, "piece-b-flat-mixolydian"),
        ("F# phrygian", 2, "piece-f-sharp-phrygian"),
        ("F lydian", 0, "piece-f-lydian"),
        ("A minor", 0, "piece-a-minor"),
        ("Eb", -3, "piece-e-flat-major"),
    ],
)
def test_a_mode_is_named_as_it_was_asked_for(key, fifths, title):
    piece = Piece(QUARTER, key_signatures=[signature_of(key)])
    assert piece.key_signatures[0].fifths == fifths
    assert title_of(piece, Controls(key=key), {}) == title


def test_what_a_mode_does_not_have_is_unlikely(song):
    b_flat, b = chord_id(Chord(10, "maj", 10)), chord_id(Chord(7, "maj", 7))
    for rules, gap in ((8, 0.4), (9, -4.0)):
        job = job_of(Controls(**BAND, key="D dorian"), None, steering=1.0, rules=Rules(rules))
        plan = job.draft([1]).plan
        scores = chord_bias(key_id("D minor"), hold_of(plan.rules, scale=plan.scale))
        assert scores[b_flat] - scores[b] == pytest.approx(gap)
    dorian = in_file(song, "vary", asked={"key": "D dorian"}).plan
    assert set(dorian.scale) == set(parse_key("C").scale)
    assert not in_file(song, "vary", asked={"key": "D minor"}).plan.scale


def test_what_leads_to_the_last_chord_is_of_the_mode():
    for key in ("D dorian", "G mixolydian", "E phrygian", "F lydian"):
        found = []
        for draft in drafts(key=key, bars=16, seeds=4, notes=0.5):
            table = CellTable.of(draft.rows)
            start = int(table.bar_starts()[15 - draft.plan.cadence])
            found += [chord_of(chord) for step, chord in table.chords() if step == start]
        assert found
        for chord in found:
            assert set(chord.pitch_classes) <= set(parse_key(key).scale), key
