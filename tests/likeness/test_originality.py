"""A copy is found and named, what the house itself does is let pass, and relatives do not count."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from gen.likeness.originality import (
    ENOUGH_SHINGLES,
    ENOUGH_WORKS,
    LEAST_LINE,
    LearnedMusic,
    LearnedWork,
    Lines,
    house_lines,
    in_words,
    known_lines,
)
from gen.likeness.voices import voices_of
from gen.piece import Note, Piece, Track

STEPS = (-5, -4, -3, -2, -2, -1, -1, 1, 1, 2, 2, 3, 4, 5, 7)


def melody(seed: int, count: int = 160) -> list[int]:
    """A tune by chance: steps and some leaps."""
    rng = random.Random(seed)  # noqa: S311 - chance, no secret
    pitches = [64]
    while len(pitches) < count:
        pitches.append(min(max(pitches[-1] + rng.choice(STEPS), 48), 84))
    return pitches


def piece_of(**lines: list[int]) -> Piece:
    """A track for each role, in quavers."""
    tracks = [
        Track(role, 0, False, role, [Note(i * 240, 200, p, 80) for i, p in enumerate(line)])
        for role, line in lines.items()
    ]
    return Piece(480, tracks)


def learned(*works: Piece, lines: Lines | None = None) -> LearnedMusic:
    known = known_lines(voices_of(work, tuple(t.role for t in work.tracks)) for work in works)
    told = [LearnedWork(f"work-{n}", f"Work {n}", (("ana", "Ana"),)) for n in range(len(works))]
    return LearnedMusic(told, known, lines or house_lines(known, len(works)), len(works))


@pytest.fixture(scope="module")
def house() -> LearnedMusic:
    return learned(*(piece_of(main_melody=melody(seed)) for seed in range(60)))


def moved(line: list[int], semitones: int) -> list[int]:
    return [pitch + semitones for pitch in line]


def test_an_own_tune_is_original(house):
    for seed in range(1000, 1040):
        found = house.compare(piece_of(main_melody=melody(seed)))
        assert not found.above
        assert found.excess == 0


def test_a_transposed_excerpt_is_above_the_line_and_tells_whose_it_is(house):
    line = melody(2000)[:60] + moved(melody(17)[40:70], 5) + melody(2001)[:60]
    found = house.compare(piece_of(main_melody=line))
    shared = found.passages["melody"]
    assert shared.of == LearnedWork("work-17", "Work 17", (("ana", "Ana"),))
    assert shared.notes >= 28
    assert shared.here.startswith("main_melody, bars 8-1")
    assert shared.there.startswith("main_melody, bars 6-")
    assert found.above == (
        f"melody: {shared.notes} notes ({shared.bits} bits) in common with “Work 17” by Ana, "
        f"the house's own line is {house.lines.melody} bits",
    )
    assert not found.is_arrangement


@pytest.mark.parametrize("disguise", ["notes left out", "notes altered", "slower"])
def test_a_disguised_excerpt_is_above_the_line(house, disguise):
    line = piece_of(main_melody=moved(melody(17)[40:80], 5)).tracks[0].notes
    changed = {
        "notes left out": [note for i, note in enumerate(line) if i % 8 != 5],
        "notes altered": [replace(n, pitch=n.pitch + 4 * (i % 8 == 5)) for i, n in enumerate(line)],
        "slower": [replace(note, onset_ticks=2 * note.onset_ticks) for note in line],
    }[disguise]
    found = house.compare(Piece(480, [Track("line", 0, False, "main_melody", changed)]))
    assert found.passages["melody"].is_above
    assert found.passages["melody"].of.work == "work-17"


def test_what_says_as_much_as_the_line_passes_and_one_bit_more_does_not(house):
    excerpt = piece_of(main_melody=[*melody(3000)[:50], *melody(33)[50:70], *melody(3001)[:50]])
    bits = house.compare(excerpt).passages["melody"].bits
    verdicts = [
        bool(replace(house, lines=Lines(line, line, line, 60)).compare(excerpt).above)
        for line in (bits, bits - 1)
    ]
    assert verdicts == [False, True]


def test_a_copy_with_every_ninth_note_altered_is_an_arrangement(house):
    line = [pitch + (i % 9 == 8) for i, pitch in enumerate(melody(5))]
    found = house.compare(piece_of(main_melody=line))
    assert found.is_arrangement
    assert found.nearest.work == "work-5"
    assert "% of its melody is that of “Work 5” by Ana" in found.above[-1]
    assert found.excess > 1


def test_a_few_bars_are_never_an_arrangement(house):
    few = melody(5)[: ENOUGH_SHINGLES - 5]
    assert not house.compare(piece_of(main_melody=few)).is_arrangement


def test_arrangements_of_one_theme_do_not_raise_the_line():
    themes = [melody(seed) for seed in range(40)]
    arranged = [
        piece_of(main_melody=moved(theme, shift), bass=melody(9000 + 40 * shift + n))
        for n, theme in enumerate(themes)
        for shift in (0, 3)
    ]
    both = learned(*arranged)
    assert both.lines.melody <= house_line_of(themes)
    assert both.compare(arranged[0]).passages["melody"].is_above


def house_line_of(themes: list[list[int]]) -> int:
    return learned(*(piece_of(main_melody=theme) for theme in themes)).lines.melody


def test_what_many_works_have_says_little():
    """A refrain that the house always ends with is nobody's, though it is long."""
    refrain = melody(77)[:25]
    borrowing = learned(*(piece_of(main_melody=[*melody(s), *refrain]) for s in range(40)))
    assert not borrowing.compare(piece_of(main_melody=[*melody(500), *refrain])).above
    owned = piece_of(main_melody=[*melody(500), *melody(7)[100:125]])
    assert borrowing.compare(owned).passages["melody"].of.work == "work-7"
    assert borrowing.compare(owned).above


FIGURE = [48, 55, 60, 64, 67, 64, 60, 55, 52, 57, 60, 65, 69, 65, 60, 57] * 3


@pytest.fixture(scope="module")
def band() -> LearnedMusic:
    """Works with one figure in all accompaniments, and each with a bass of its own."""
    return learned(
        *(
            piece_of(
                main_melody=melody(seed),
                accompaniment=[*melody(seed + 400)[:40], *FIGURE],
                bass=slaps(seed),
            )
            for seed in range(30)
        )
    )


def slaps(seed: int, count: int = 80) -> list[int]:
    """A bass by chance, of leaps."""
    rng = random.Random(f"slap {seed}")  # noqa: S311
    pitches = [36]
    while len(pitches) < count:
        pitches.append(min(max(pitches[-1] + rng.choice((-12, -7, -5, 5, 7, 10, 12)), 28), 52))
    return pitches


def test_accompaniments_are_held_against_lines_of_their_own(band):
    usual = piece_of(main_melody=melody(700), accompaniment=[*melody(701)[:40], *FIGURE])
    assert not band.compare(usual).above
    copied = piece_of(main_melody=melody(700), accompaniment=melody(403)[:40])
    above = band.compare(copied).above
    assert len(above) == 1
    assert "“Work 3”" in above[0]


def test_a_bass_that_is_somebody_s_is_found_by_what_it_says_and_not_by_its_length(band):
    """Twenty notes of it: accompaniments share longer figures that say nothing."""
    own = slaps(900)
    found = band.compare(piece_of(main_melody=melody(701), bass=[*own, *slaps(4)[30:50]]))
    assert found.passages["bass"].notes < len(FIGURE)
    assert found.above[0].startswith("bass: ")
    assert "“Work 4”" in found.above[0]
    assert not band.compare(piece_of(main_melody=melody(702), bass=own)).above


def test_few_works_tell_nothing_and_screenings_limits_hold():
    few = learned(*(piece_of(main_melody=melody(seed)) for seed in range(ENOUGH_WORKS - 1)))
    assert LEAST_LINE < few.lines.melody < few.lines.bass == few.lines.accompaniment
    assert few.compare(piece_of(main_melody=melody(3))).above


def test_silence_and_drums_are_compared_without_a_finding(house):
    drums = Track("drums", 0, True, "drums", [Note(i * 240, 100, 36, 90) for i in range(40)])
    for piece in (Piece(480, []), Piece(480, [drums])):
        found = house.compare(piece)
        assert (found.passages, found.nearest, found.share) == ({}, None, 0)


GAPS = {"missing": [], "withdrawn_since": []}


def test_what_is_found_is_told_in_plain_words(house):
    own = house.compare(piece_of(main_melody=melody(1234))).to_dict()
    words = in_words({**own, **GAPS})
    assert "bits in common with “Work " in words
    assert "of 60 works: within what the house's works share (95 in 100 at most" in words
    copied = house.compare(piece_of(main_melody=melody(8))).to_dict()
    words = in_words({**copied, **GAPS})
    assert words.startswith("Too close: melody: ")
    assert "“Work 8” by Ana" in words
    assert "Here main_melody, bars 1-20: E4" in words
    nothing = house.compare(piece_of(main_melody=[60])).to_dict()
    assert "nothing to speak of in common with any of 60" in in_words({**nothing, **GAPS})
    gaps = {"missing": [{"work": "a", "reason": "gone"}], "withdrawn_since": ["a", "b"]}
    told = in_words({**own, **gaps})
    assert "Not here, and so not compared with: 1 work." in told
    assert "Withdrawn since it learned from them: 2 works." in told
    assert in_words(None) == "Compared with nothing: originality=off."


def test_a_receipt_of_an_earlier_version_is_told_in_its_own_measure():
    work = {"work": "w", "title": "Rain", "composers": [["ana", "Ana"]]}
    run = {"run": 14, "line": 12, "of": work, "here": "Flute, bar 1: A4", "there": "bar 2: A4"}
    found = {
        "is_above_line": False, "above": [], "compared_with": 9, "searched_from": 12,
        "house_line": {"melody": 15, "accompaniment": 31, "works": 9},
        "melody": {**run, "line": 15},
        "accompaniment": None, "nearest": None, "share_of_melody": 0.0, **GAPS,
    }  # fmt: skip
    assert in_words(found).startswith("Its melody has 14 steps in common with “Rain” by Ana")
    above = ["melody: 14 steps in common with “Rain” by Ana, the house's own line is 12"]
    told = in_words({**found, "is_above_line": True, "above": above, "melody": run})
    assert told == f"Too close: {above[0]}. Here Flute, bar 1: A4; there bar 2: A4."
