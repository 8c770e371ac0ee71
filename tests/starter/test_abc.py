"""Lead sheets are read strictly."""

import pytest

from gen.errors import HouseError
from starter.abc import parse

HEAD = """X:1
T:Test Tune
R:waltz
N:mood=calm
M:{meter}
L:1/8
Q:1/4=100
K:{key}
P:AA
P:A
"""


def tune(bars, *, meter="3/4", key="C"):
    filler = {"3/4": '"C"c6 |', "4/4": '"C"c8 |'}[meter] * (8 - bars.count("|"))
    return HEAD.format(meter=meter, key=key) + bars + filler + "\n"


def part_of(bars, **options):
    return parse(tune(bars, **options))[0].parts["A"]


def pitches(bars, **options):
    return [n.pitch for n in part_of(bars, **options).notes]


def test_letters_follow_the_key_signature_and_accidentals_hold_for_their_bar():
    assert pitches('"D"F2 =F2 F2 | "D"F6 |', key="D")[:4] == [66, 65, 65, 66]


def test_flat_key_signatures_lower_the_right_letters():
    assert pitches('"Ab"A2 B2 d2 |', key="Ab")[:3] == [68, 70, 73]


def test_octave_marks_move_by_octaves():
    assert pitches('"C"G,2 G2 g2 |')[:3] == [55, 67, 79]


def test_ties_join_notes_across_the_bar_line_and_keep_their_accidental():
    notes = part_of('"C"c4 ^c2- | "C"c6 |').notes
    assert (notes[1].pitch, notes[1].duration) == (73, 480 + 1440)


def test_triplets_and_broken_rhythm_have_exact_lengths():
    notes = part_of('"C"(3cde f>e c2 |').notes
    assert [n.duration for n in notes[:6]] == [160, 160, 160, 360, 120, 480]


def test_chords_hold_until_the_next_one():
    chords = part_of('"Am7"c2 "F/A"c4 |').chords
    assert [(c.onset, c.duration) for c in chords[:2]] == [(0, 480), (480, 960)]
    assert (chords[1].symbol.root, chords[1].symbol.bass) == (5, 9)


def test_an_inline_field_changes_meter_and_key_at_a_bar_line():
    part = part_of('"C"c6 | [M:2/4][K:G]"G"F4 | [M:3/4]"C"c6 |')
    assert [bar.meter for bar in part.bars[:3]] == [(3, 4), (2, 4), (3, 4)]
    assert part.notes[1].pitch == 66


def test_the_form_counts_bars_of_every_repetition():
    assert parse(tune(""))[0].bar_count == 16


@pytest.mark.parametrize(
    ("bars", "told"),
    [
        ('"C"c5 |', "the bar holds 5/2 quarters, its meter 3"),
        ('"C"c6 | "H"c6 |', "'H' is not a chord symbol"),
        ('"C"c6- | "C"d6 |', "a tie leads to another pitch"),
        ('"C"c6 | {g}c6 |', "outside the subset"),
        ('"C"c/4c/4 c5 |', "off the grid"),
        ('"C"c6 | "C"c\'\'6 |', "outside E3 to C6"),
        ("c6 |", "does not begin with a chord"),
        ('"C"c4 [M:4/4] c2 |', "stands inside a bar"),
    ],
)
def test_the_parser_names_what_is_wrong(bars, told):
    with pytest.raises(HouseError, match=None) as caught:
        parse(tune(bars), where="sheet.abc")
    assert told in str(caught.value)
    assert "sheet.abc (Test Tune), line" in str(caught.value)


def test_a_missing_header_field_is_named():
    with pytest.raises(HouseError, match="header fields missing: Q"):
        parse(tune("").replace("Q:1/4=100\n", ""))


def test_a_theme_of_the_wrong_length_is_refused():
    with pytest.raises(HouseError, match="plays 8 bars, not 16 to 32"):
        parse(tune("").replace("P:AA", "P:A"))
