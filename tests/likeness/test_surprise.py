"""What lines say: scales, riffs and repetitions little, a tune much; what many have, less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gen.likeness.calibration import FALSE_REVIEWS, Calibration
from gen.likeness.surprise import Surprise
from gen.likeness.voices import Voice


def line(pitches: list[int], length: int = 12) -> Voice:
    count = len(pitches)
    return Voice(
        "line", True, np.array(pitches, np.int16), np.ones(count, np.int32),
        np.arange(count, dtype=np.int32) * length,
    )  # fmt: skip


def fresh(voice: Voice, model: Surprise | None = None) -> float:
    """Bits of a line, each figure counted once."""
    said = (model or Surprise()).of(voice)
    return float(said.bits[said.earlier < 0].sum())


TUNE = [60, 67, 65, 69, 62, 64, 72, 71, 67, 60, 62, 57, 65, 64, 67, 59, 60, 69, 66, 67]
SCALE = [60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77, 79, 81, 83, 84, 86, 88, 89, 91, 93]


def test_a_scale_a_riff_and_a_broken_chord_say_little_beside_a_tune() -> None:
    chord = [60, 64, 67, 72] * 5
    for stock in (SCALE, chord, [60, 62] * 10):
        assert fresh(line(stock)) < 0.4 * fresh(line(TUNE))


def test_a_sequence_says_its_figure_once() -> None:
    figure = [0, 4, 2, 7, 5]
    steps = [60 + 2 * time + step for time in range(4) for step in figure]
    assert fresh(line(steps)) < 2.2 * fresh(line(steps[:6]))


def test_notes_struck_again_say_when_they_are_struck() -> None:
    plain = line(TUNE, 48)
    even = replace(plain, again=np.arange(24, 48 * len(TUNE), 48, dtype=np.int32))
    times = [12, 60, 84, 156, 200, 228, 300, 312, 372, 420, 444, 516, 564, 660, 684, 756, 828]
    uneven = replace(plain, again=np.array(times, np.int32))
    assert fresh(plain) + 5 < fresh(even) < 2 * fresh(plain)
    assert fresh(plain) + 5 < fresh(uneven)
    said = Surprise().of(uneven)
    assert len(said.bits) == len(uneven.struck().pitches) == len(TUNE) + len(times)


def test_what_many_lines_have_says_less_and_one_s_own_piece_does_not_count() -> None:
    model = Surprise()
    own = line(TUNE)
    alone = model.of(own).bits.sum()
    model.learn([[own]])
    assert model.of(own, model.own([own])).bits.sum() == pytest.approx(alone, rel=0.02)
    model.learn([[own]] * 20)
    assert model.of(own, model.own([own])).bits.sum() < 0.6 * alone


def test_what_is_forgotten_was_never_learned_and_comes_back() -> None:
    rng = np.random.default_rng(2)
    pieces = [[line(rng.integers(55, 75, 40).tolist()), line(TUNE)] for _ in range(30)]
    model, fewer = Surprise(), Surprise()
    model.learn(pieces)
    fewer.learn(pieces[:21])
    before = model.of(line(TUNE)).bits
    with model.forgetting(pieces[21:]):
        assert model.of(line(TUNE)).bits.tolist() == fewer.of(line(TUNE)).bits.tolist()
        assert model.of(line(TUNE)).bits.tolist() != before.tolist()
    assert model.of(line(TUNE)).bits.tolist() == before.tolist()


def test_the_bits_of_chance_are_those_of_its_distribution() -> None:
    rng = np.random.default_rng(1)
    scores = rng.gumbel(30, 5, 2000)
    found = Calibration.of(scores.tolist(), 100)
    for share in (0.1, 0.05, 0.02):
        of_new_pieces = found.chance(np.quantile(scores, 1 - share))
        assert of_new_pieces == pytest.approx(4 / 3 * share, rel=0.3)
    bits = found.limits().review
    assert found.chance(bits) == pytest.approx(FALSE_REVIEWS)
    assert found.among(10_000).limits().review > bits
    assert f"about {100 * found.chance(45):.2g} of 100" in found.in_words(45)


@pytest.mark.parametrize(("works", "most"), [(20, 0.045), (200, 0.032)])
def test_of_honest_pieces_as_many_are_looked_at_as_is_said(works: int, most: float) -> None:
    rng = np.random.default_rng(3)
    drawn = [Calibration.of(rng.gumbel(25, 7, works).tolist(), 100) for _ in range(500)]
    limits = np.array([found.limits().review for found in drawn])
    shares = -np.expm1(-np.exp((25 - limits) / 7))
    assert 0.02 < np.mean(shares) < most
    assert np.std(limits) < 40 / np.sqrt(works)


def test_relatives_that_nobody_knows_of_move_the_limit_little() -> None:
    rng = np.random.default_rng(4)
    honest = rng.gumbel(25, 7, 200)
    few = np.where(np.arange(200) < 6, 200.0, honest)
    plain, moved = (Calibration.of(each.tolist(), 100).limits().review for each in (honest, few))
    assert plain < moved < plain + 5
