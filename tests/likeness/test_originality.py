"""A copy is found and named, what the house itself does is let pass, and relatives do not count."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from gen.likeness.originality import (
    ENOUGH_SHINGLES,
    ENOUGH_WORKS,
    FEW_WORKS_RUNS,
    LearnedMusic,
    LearnedWork,
    Lines,
    house_lines,
    in_words,
)
from gen.likeness.passages import GUARANTEED_RUN, PassageIndex
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
    voices = [voices_of(work, tuple(t.role for t in work.tracks)) for work in works]
    index = PassageIndex(voice for lines in voices for voice in lines)
    owners = np.repeat(np.arange(len(works)), [len(lines) for lines in voices])
    told = [LearnedWork(f"work-{n}", f"Work {n}", (("ana", "Ana"),)) for n in range(len(works))]
    lines = lines or house_lines(index, owners, len(works))
    return LearnedMusic(told, index, owners, lines, len(works))


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
    assert found.melody.of == LearnedWork("work-17", "Work 17", (("ana", "Ana"),))
    assert found.melody.run >= 18
    assert found.melody.here.startswith("main_melody, bars 8-1")
    assert found.melody.there.startswith("main_melody, bars 6-")
    assert found.above == (
        f"melody: {found.melody.run} steps in common with “Work 17” by Ana, "
        f"the house's own line is {house.lines.melody}",
    )
    assert not found.is_arrangement


def test_a_run_as_long_as_the_line_passes_and_one_step_more_does_not(house):
    verdicts = {}
    for intervals in (house.lines.melody, house.lines.melody + 1):
        excerpt = melody(33)[50 : 51 + intervals]
        around = [melody(33)[49] + 14, *excerpt, melody(33)[51 + intervals] + 14]
        line = [*melody(3000)[:50], *around, *melody(3001)[:50]]
        found = house.compare(piece_of(main_melody=line))
        assert found.melody.run == intervals
        verdicts[intervals] = bool(found.above)
    assert list(verdicts.values()) == [False, True]


def test_a_copy_with_every_ninth_note_altered_is_an_arrangement(house):
    line = [pitch + (i % 9 == 8) for i, pitch in enumerate(melody(5))]
    found = house.compare(piece_of(main_melody=line))
    assert found.melody is None or not found.melody.is_above
    assert found.is_arrangement
    assert found.nearest.work == "work-5"
    assert "% of its melody is that of “Work 5” by Ana" in found.above[0]
    assert found.excess > 1


def test_a_few_bars_are_never_an_arrangement(house):
    line = [pitch + (i % 9 == 8) for i, pitch in enumerate(melody(5)[: ENOUGH_SHINGLES - 5])]
    assert not house.compare(piece_of(main_melody=line)).above


def test_arrangements_of_one_theme_do_not_raise_the_line():
    themes = [melody(seed) for seed in range(40)]
    arranged = [
        piece_of(main_melody=moved(theme, shift), bass=melody(9000 + 40 * shift + n))
        for n, theme in enumerate(themes)
        for shift in (0, 3)
    ]
    both = learned(*arranged)
    assert both.lines.melody <= house_line_of(themes)
    assert both.compare(arranged[0]).melody.is_above


def house_line_of(themes: list[list[int]]) -> int:
    return learned(*(piece_of(main_melody=theme) for theme in themes)).lines.melody


def test_what_unrelated_works_borrow_from_each_other_raises_the_line():
    refrain = melody(77)[:25]
    works = [piece_of(main_melody=[*melody(seed), *refrain]) for seed in range(40)]
    borrowing = learned(*works)
    assert 20 <= borrowing.lines.melody <= 30
    assert not borrowing.compare(piece_of(main_melody=[*melody(500), *refrain])).above


def test_accompaniments_are_held_against_a_line_of_their_own():
    figure = [48, 55, 60, 64, 67, 64, 60, 55, 52, 57, 60, 65, 69, 65, 60, 57] * 3
    works = [
        piece_of(main_melody=melody(seed), accompaniment=[*melody(seed + 400)[:40], *figure])
        for seed in range(30)
    ]
    house = learned(*works)
    assert house.lines.melody < house.lines.accompaniment
    usual = piece_of(main_melody=melody(700), accompaniment=[*melody(701)[:40], *figure])
    found = house.compare(usual)
    assert found.accompaniment.run <= house.lines.accompaniment
    assert not found.above
    longer = works[3].tracks[1].notes
    copied = replace(
        usual, tracks=[usual.tracks[0], Track("x", role="accompaniment", notes=longer)]
    )
    assert house.compare(copied).above[0].startswith("accompaniment: ")


def test_few_works_tell_nothing_and_screenings_limits_hold():
    few = learned(*(piece_of(main_melody=melody(seed)) for seed in range(ENOUGH_WORKS - 1)))
    assert (few.lines.melody, few.lines.accompaniment) == FEW_WORKS_RUNS


def test_silence_and_drums_are_compared_without_a_finding(house):
    drums = Track("drums", 0, True, "drums", [Note(i * 240, 100, 36, 90) for i in range(40)])
    for piece in (Piece(480, []), Piece(480, [drums])):
        found = house.compare(piece)
        assert (found.melody, found.accompaniment, found.nearest, found.share) == (None,) * 3 + (0,)


def test_what_is_found_is_told_in_plain_words(house):
    gaps = {"missing": [], "withdrawn_since": []}
    own = house.compare(piece_of(main_melody=melody(1234))).to_dict()
    assert in_words({**own, **gaps}).startswith(
        f"Its melody has no {GUARANTEED_RUN} steps in common with any of 60 works"
    )
    copied = house.compare(piece_of(main_melody=melody(8))).to_dict()
    words = in_words({**copied, **gaps})
    assert words.startswith("Too close: melody: ")
    assert "“Work 8” by Ana" in words
    assert "Here main_melody, bars 1-20: E4" in words
    gaps = {"missing": [{"work": "a", "reason": "gone"}], "withdrawn_since": ["a", "b"]}
    told = in_words({**own, **gaps})
    assert "Not here, and so not compared with: 1 work." in told
    assert "Withdrawn since it learned from them: 2 works." in told
    assert in_words(None) == "Compared with nothing: originality=off."
