import random

import pytest

from gen.errors import HouseError
from starter import drumbook, grooves
from starter.drumbook import KIT, Hit

METERS = [(4, 4), (3, 4), (6, 8), (12, 8), (5, 4), (7, 8), (2, 4), (9, 8)]


def dice(seed=0):
    return random.Random(seed)  # noqa: S311 - draws drum patterns, not secrets


def drummer(genre="rock", seed=3, **settings):
    return grooves.Drummer(genre, dice(seed), **settings)


def test_grid_reads_onsets_from_cells_and_loudness_from_marks():
    (bar,) = drumbook.parse_grid(["sd | .... X..g |", "bd | !. |"], 24)
    assert [(h.onset, h.pitch, h.velocity) for h in bar] == [
        (0, KIT["bd"], 112), (12, KIT["sd"], 94), (21, KIT["sd"], 30)
    ]  # fmt: skip


def test_grid_of_three_cells_a_beat_gives_swing_eighths():
    (bar,) = drumbook.parse_grid(["ri | x.. X.s x.. X.s |"], 48)
    assert [h.onset for h in bar] == [0, 12, 20, 24, 36, 44]


def test_row_of_one_bar_repeats_under_row_of_two():
    bars = drumbook.parse_grid(["bd | x... |", "sd | .x.. | ..x. |"], 48)
    assert [[h.onset for h in bar] for bar in bars] == [[0, 12], [0, 24]]


def test_open_hat_rings_until_the_next_hat():
    (bar,) = drumbook.parse_grid(["oh | ..x. .... |", "hh | .... x... |"], 24)
    assert Hit(6, 6, KIT["oh"], 72) in bar


def test_sixteenths_swing_late_and_eighths_stay():
    bar = tuple(Hit(at, 3, 42, 70) for at in (0, 3, 6, 9))
    assert [h.onset for h in drumbook.swing_sixteenths(bar)] == [0, 4, 6, 10]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("kick | x... |", "'kick'"),
        ("bd | x..? |", "'?'"),
        ("bd | x.... |", "5 cells"),
        ("bd |", "different numbers of bars"),
    ],
)
def test_grid_names_what_it_does_not_understand(row, found):
    with pytest.raises(HouseError, match=r"groove odd") as caught:
        drumbook.parse_grid([row], 48, "groove odd")
    assert found in str(caught.value)


def test_book_names_the_groove_with_a_bad_header():
    text = "groove limp  meter=4/4 part=bridge energy=1-2\nbd | x... |\n"
    with pytest.raises(HouseError, match=r"groove limp.*part=bridge"):
        drumbook.parse_book(text)


def test_book_of_unknown_genre_lists_the_known_ones():
    with pytest.raises(HouseError, match="rock"):
        drumbook.book("polka")


@pytest.mark.parametrize("genre", drumbook.genres())
def test_book_offers_verses_breaks_endings_and_fills(genre):
    found = drumbook.book(genre)
    assert {"verse", "variation", "break", "intro", "ending"} <= {g.part for g in found.grooves}
    assert len({g.name for g in found.grooves}) == len(found.grooves)
    assert len(found.fills) >= 3


@pytest.mark.parametrize("genre", [*drumbook.genres(), "ambient", "chorale"])
@pytest.mark.parametrize("meter", METERS)
def test_every_genre_plays_every_part_inside_the_bar(genre, meter):
    player = drummer(genre)
    for part in drumbook.PARTS:
        bars = player.section(part, [meter] * 5, 3, crash=True)
        for bar in bars:
            assert all(0 <= h.onset < drumbook.bar_length(meter) for h in bar)
            assert len({(h.onset, h.pitch) for h in bar}) == len(bar), (part, "struck twice")
            assert all(1 <= h.velocity <= 120 and h.duration > 0 for h in bar)


def test_same_seed_plays_the_same_and_another_differs():
    def play(seed):
        return drummer(seed=seed).section("verse", [(4, 4)] * 16, 3)

    assert play(5) == play(5)
    assert len({tuple(play(seed)) for seed in range(6)}) > 1


def test_verse_comes_back_with_the_groove_it_had():
    player = drummer("funk")
    assert player.groove("verse", (4, 4), 3) is player.groove("verse", (4, 4), 3)


def test_section_opens_with_a_crash_and_closes_with_a_fill():
    bars = drummer(seed=1).section("chorus", [(4, 4)] * 4, 5, crash=True)
    plain = drummer(seed=1).section("chorus", [(4, 4)] * 4, 5, fill=False)
    assert any(h.pitch == KIT["cr"] and h.onset == 0 for h in bars[0])
    assert bars[-1] != plain[-1]
    assert bars[1] == plain[1]


def test_fill_replaces_only_the_end_of_the_bar():
    bar = tuple(Hit(at, 3, KIT["hh"], 70) for at in range(0, 48, 6))
    fill = grooves.choose_fill("rock", (4, 4), 3, dice(), beats=1)
    mixed = grooves.with_fill(bar, fill, 48)
    assert [h for h in mixed if h.onset < 36] == list(bar[:6])
    assert all(h.pitch != KIT["hh"] for h in mixed if h.onset >= 36)


def test_crash_is_struck_harder_in_a_stronger_section():
    soft, strong = (grooves.with_crash((), energy)[-1].velocity for energy in (1, 5))
    assert soft < strong


def test_groove_is_chosen_inside_its_energy_range():
    for seed in range(20):
        chosen = grooves.choose("pop_ballad", "verse", (4, 4), 1, dice(seed))
        assert chosen.energy[0] <= 1 <= chosen.energy[1]
