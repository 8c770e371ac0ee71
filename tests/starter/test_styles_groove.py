"""The rhythm-section styles, played on lead sheets written for these tests."""

from dataclasses import replace
from functools import cache

import pytest

from gen.harmony import parse_chord
from gen.piece import ROLES
from starter import guitar
from starter.abc import parse
from starter.drumbook import KIT
from starter.leadsheet import TICKS
from starter.realise import realise
from starter.styles import arrangements

GENRES = ("pop_ballad", "rock", "funk", "jazz_swing", "bossa", "lofi", "house")
BARS = {  # one bar's rhythm of scale steps, and the meter's full-bar close
    "4/4": ("c2 d e f2 g2", "e6 z2"),
    "3/4": ("c2 d e g2", "e4 z2"),
    "6/8": ("c d e g2 e", "e4 z2"),
    "12/8": ("c d e g2 e f2 d c2 z", "e6 z6"),
    "5/4": ("c2 d e f2 g2 e2", "e8 z2"),
    "7/8": ("c2 d e g2 e", "e5 z2"),
}
CHORDS = ("C", "Am7", "Fmaj7", "G7", "Dm7", "G7", "Em7", "C")


def tune(meter="4/4"):
    """A 16-bar theme: the same phrase twice under a turning progression."""
    phrase, close = BARS[meter]
    lines = [f'"{c}"{close if i % 4 == 3 else phrase} |' for i, c in enumerate(CHORDS)]
    header = ["X:1", "T:Test Pattern", "R:rock", "N:mood=calm", f"M:{meter}", "L:1/8",
              "Q:1/4=110", "K:C", "P:AB"]  # fmt: skip
    return parse("\n".join([*header, "P:A", *lines, "P:B", *reversed(lines[:-1]), lines[-1]]))[0]


@cache
def work(genre, place, meter="4/4"):
    return realise(tune(meter), arrangements(genre)[place])


ALL = [(g, i) for g in GENRES for i in range(len(arrangements(g)))]
NAMES = [f"{g}-{arrangements(g)[i].name}" for g, i in ALL]
every_arrangement = pytest.mark.parametrize(("genre", "place"), ALL, ids=NAMES)


def track(made, role):
    return next(t for t in made.piece.tracks if t.role == role)


@every_arrangement
def test_three_to_eight_tracks_play_with_known_roles(genre, place):
    tracks = work(genre, place).piece.tracks
    assert 3 <= len(tracks) <= 8
    assert {t.role for t in tracks} <= set(ROLES)
    assert {"main_melody", "bass", "drums"} <= {t.role for t in tracks}


@every_arrangement
def test_no_bar_is_empty_and_the_work_ends_on_the_home_note(genre, place):
    made = work(genre, place)
    notes = [n for t in made.piece.tracks for n in t.notes]
    for bar in made.plan.bars:
        end = bar.onset + bar.ticks
        assert any(n.onset_ticks < end - 60 and n.end_ticks > bar.onset + 60 for n in notes)
    assert track(made, "bass").notes[-1].pitch % 12 == made.plan.bars[-1].key.tonic


@every_arrangement
def test_bass_says_the_chord_where_it_changes(genre, place):
    made = work(genre, place)
    said = asked = 0
    for span in made.plan.chords:
        inside = [
            n
            for n in track(made, "bass").notes
            if span.onset - 25 <= n.onset_ticks < span.onset + TICKS // 2
        ]
        if inside:
            asked += 1
            said += inside[0].pitch % 12 == span.symbol.bass
    assert asked > 10
    assert said / asked > 0.9


@every_arrangement
def test_accompaniment_does_not_grate_on_the_lead(genre, place):
    made = work(genre, place)
    lead = track(made, "main_melody").notes
    others = [n for t in made.piece.tracks if t.role in ("accompaniment", "riff", "pad")
              for n in t.notes]  # fmt: skip
    grating = sum(
        min(a.end_ticks, b.end_ticks) - max(a.onset_ticks, b.onset_ticks) >= TICKS // 2
        for a in lead
        for b in others
        if abs(a.pitch - b.pitch) in (1, 13)
    )
    assert grating / len(made.plan.bars) < 0.1


@every_arrangement
def test_sections_differ_in_loudness(genre, place):
    made = work(genre, place)
    themes = [s for s in made.plan.sections if s.kind in ("theme", "solo")]
    quiet, loud = (f(themes, key=lambda s: s.energy) for f in (min, max))

    def loudness(section):
        voices = [t for t in made.piece.tracks if t.role in ("main_melody", "sub_melody")]
        found = [n.velocity for t in voices for n in t.notes
                 if section.onset <= n.onset_ticks < section.end]  # fmt: skip
        return sum(found) / len(found)

    assert loudness(loud) > loudness(quiet)


OTHERS = list(BARS)[1:]
IN_METERS = [(g, OTHERS[(i + k) % 5]) for i, g in enumerate(GENRES) for k in (0, 2)]


@pytest.mark.parametrize(("genre", "meter"), IN_METERS)
def test_style_plays_other_meters(genre, meter):
    made = work(genre, 0, meter)
    assert made.plan.bars[0].meter == tuple(int(n) for n in meter.split("/"))
    assert len(made.piece.tracks) >= 3


def test_same_sheet_and_arrangement_give_the_same_notes():
    again = realise(tune(), arrangements("funk")[0])
    assert again.piece == work("funk", 0).piece


@pytest.mark.parametrize("genre", GENRES)
def test_arrangements_of_a_genre_differ_in_ensemble_and_tempo(genre):
    found = arrangements(genre)
    assert len({tuple(s.program for s in a.seats) for a in found}) == len(found) >= 2
    assert len({a.tempo for a in found}) == len(found)


def test_jazz_off_beats_fall_on_the_last_third_of_the_beat():
    places = [n.onset_ticks % TICKS for n in track(work("jazz_swing", 0), "main_melody").notes]
    off_beat = [p for p in places if 150 < p < 400]
    assert off_beat
    assert all(abs(p - 320) <= 20 for p in off_beat)


def test_lofi_sixteenths_are_late():
    hats = [n.onset_ticks % 240 for t in work("lofi", 0).piece.tracks for n in t.notes]
    between = [p for p in hats if 60 < p < 200]
    assert between
    assert sum(abs(p - 160) <= 20 for p in between) / len(between) > 0.9


def test_house_kick_is_on_every_beat_of_the_drop():
    made = work("house", 0)
    section = max((s for s in made.plan.sections if s.kind == "theme"), key=lambda s: s.energy)
    kicks = {n.onset_ticks for n in track(made, "drums").notes if n.pitch == KIT["bd"]}
    beats = range(section.onset, section.end - 2 * TICKS, TICKS)
    struck = [any(abs(k - beat) <= 5 for k in kicks) for beat in beats]
    assert sum(struck) / len(struck) > 0.9


def test_house_builds_with_a_snare_roll_before_the_drop():
    made = work("house", 0)
    section = next(s for s in made.plan.sections if s.kind == "break")
    snares = [n for n in track(made, "drums").notes if n.pitch == KIT["sd"]]
    half = (section.onset + section.end) // 2
    early = [n for n in snares if section.onset <= n.onset_ticks < half]
    late = [n for n in snares if half <= n.onset_ticks < section.end]
    assert len(late) > 2 * len(early)
    assert late[-1].velocity > late[0].velocity


def test_rock_kick_falls_with_the_bass():
    made = work("rock", 0)
    section = next(s for s in made.plan.sections if s.kind == "theme")
    bass = [n.onset_ticks for n in track(made, "bass").notes]
    kicks = [
        n.onset_ticks
        for n in track(made, "drums").notes
        if n.pitch == KIT["bd"] and section.onset <= n.onset_ticks < section.bars[3].onset
    ]
    together = [any(abs(k - b) <= 15 for b in bass) for k in kicks]
    assert sum(together) / len(together) > 0.8


def test_rock_riff_belongs_to_its_theme():
    def opening(title):
        sheet = replace(tune(), title=title)
        made = realise(sheet, arrangements("rock")[0])
        intro = made.plan.sections[0]
        return [n.pitch for n in track(made, "riff").notes if n.onset_ticks < intro.end - 60]

    assert opening("One") == opening("One")
    assert opening("One") != opening("Another")


def test_funk_horns_leave_the_lead_alone():
    made = work("funk", 0)
    lead = [n.onset_ticks for n in track(made, "main_melody").notes]
    sections = [s for s in made.plan.sections if s.kind == "theme"]
    stabs = [
        n.onset_ticks
        for t in made.piece.tracks
        if t.name == "Horn section"
        for n in t.notes
        if any(s.onset <= n.onset_ticks < s.end for s in sections)
    ]
    assert stabs
    assert not any(abs(stab - onset) < 60 for stab in stabs for onset in lead)


def test_solo_chorus_varies_the_theme():
    made = work("jazz_swing", 0)
    lead = track(made, "main_melody").notes
    solo = next(s for s in made.plan.sections if s.kind == "solo")
    theme = next(s for s in made.plan.sections if s.letter == solo.letter)

    def pitches(section):
        return [n.pitch for n in lead if section.onset - 20 <= n.onset_ticks < section.end - 20]

    assert pitches(solo) != pitches(theme)
    assert len(pitches(solo)) > len(pitches(theme))


CHORD_NAMES = [r + q for r in ("C", "F#", "Bb", "E") for q in ("", "m", "7", "maj9", "m7b5", "13")]


@pytest.mark.parametrize("name", CHORD_NAMES)
@pytest.mark.parametrize("upper", [3, 5])
def test_guitar_shape_is_a_grip_of_the_chord(name, upper):
    symbol = parse_chord(name)
    held = guitar.shape(symbol, 3, upper)
    assert held.pitches[0] % 12 == symbol.bass
    assert {p % 12 for p in held.pitches} <= {*symbol.pitch_classes, symbol.bass}
    assert 3 <= len(held.pitches) <= 6
    assert held.pitches == tuple(sorted(held.pitches))
    assert symbol.third in {p % 12 for p in held.pitches}


def test_guitar_hand_stays_near_where_it_was():
    low, high = (guitar.shape(parse_chord("Am7"), near).position for near in (0, 8))
    assert low < high


def test_open_chords_sit_in_first_position():
    assert guitar.shape(parse_chord("G")).pitches == (43, 47, 50, 55, 62, 67)
    assert guitar.shape(parse_chord("Am")).pitches == (45, 52, 57, 60, 64)
