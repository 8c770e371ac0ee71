"""Voice leading, patterns and forms."""

from itertools import pairwise

import pytest

from gen.harmony import Key, parse_chord
from starter import abc, form, meters, satb, voicing
from starter.catalogue import LEADSHEETS
from starter.leadsheet import Bar
from starter.realise import realise
from starter.styles import arrangements

C = Key(0, "major")


def test_a_voicing_states_third_and_seventh_and_stays_in_its_range():
    chord = voicing.voice(parse_chord("Dm7"), 4, 48, 72)
    assert {5, 0} <= {p % 12 for p in chord}
    assert all(48 <= p <= 72 for p in chord)


def test_successive_voicings_move_by_small_steps():
    before: tuple[int, ...] = ()
    for name in ("C", "Am", "Dm7", "G7", "C"):
        now = voicing.voice(parse_chord(name), 3, 52, 76, before)
        if before:
            assert sum(abs(a - b) for a, b in zip(before, now, strict=True)) <= 9
        before = now


def test_a_voicing_keeps_a_semitone_away_from_the_melody():
    chord = voicing.voice(parse_chord("Cmaj7"), 3, 55, 74, avoid=frozenset({72}))
    assert 71 not in chord


def test_parallel_fifths_and_octaves_are_counted_and_oblique_motion_is_not():
    assert voicing.parallels([67, 69, 71], [60, 62, 64]) == 2
    assert voicing.parallels([72, 74], [60, 62]) == 1
    assert voicing.parallels([67, 67], [60, 48]) == 0


@pytest.mark.parametrize("meter", [(4, 4), (3, 4), (6, 8), (12, 8), (5, 4), (7, 8), (2, 4), (9, 8)])
def test_pulses_fill_the_bar(meter):
    assert sum(meters.pulses(meter)) == 1920 * meter[0] // meter[1]


@pytest.mark.parametrize("meter", [(3, 4), (6, 8), (12, 8), (5, 4), (7, 8), (2, 4)])
@pytest.mark.parametrize("pattern", ["1.5.", "x.xxx.x-", "x..x..x.x..x..xo"])
def test_a_pattern_bent_to_another_meter_starts_on_one_and_stays_in_the_bar(meter, pattern):
    bar = Bar(960, 1920 * meter[0] // meter[1], meter, C)
    hits = meters.hits(pattern, bar)
    assert hits[0].onset == 960
    assert all(a.onset + a.duration <= b.onset for a, b in pairwise(hits))
    assert hits[-1].onset + hits[-1].duration <= bar.onset + bar.ticks


def first_sheet(genre):
    path = LEADSHEETS / f"{genre}.abc"
    return abc.parse(path.read_text(encoding="utf-8"), where=path.name)[0]


def test_a_plan_is_seamless_and_ends_on_the_home_chord():
    sheet = first_sheet("waltz")
    made = form.plan(sheet, arrangements("waltz")[0], shift=2)
    assert all(a.end == b.onset for a, b in pairwise(made.sections))
    assert made.chords[-1].symbol.root == (sheet.key.tonic + 2) % 12
    assert sum(c.duration for c in made.chords) == made.end


def test_a_form_token_that_is_not_understood_is_named():
    import dataclasses

    arrangement = dataclasses.replace(arrangements("waltz")[0], form="theme coda:4")
    with pytest.raises(Exception, match="'coda:4' is not understood"):
        form.plan(first_sheet("waltz"), arrangement)


def test_chorales_have_no_parallels_between_the_outer_voices_and_hardly_any_inside():
    work = realise(first_sheet("chorale"), arrangements("chorale")[1])
    voices = [t.notes for t in work.piece.tracks[:4]]
    moments = sorted({round(n.onset_ticks / 120) * 120 for notes in voices for n in notes})

    def sung(notes, tick):
        return max((n for n in notes if n.onset_ticks <= tick + 30), key=lambda n: n.onset_ticks)

    columns = [[sung(notes, tick).pitch for tick in moments] for notes in voices]
    pairs = [(a, b) for b in range(4) for a in range(b)]
    counts = {pair: voicing.parallels(columns[pair[0]], columns[pair[1]]) for pair in pairs}
    assert counts[0, 3] == 0
    assert sum(counts.values()) <= 2


def test_chorale_voices_do_not_cross():
    work = realise(first_sheet("chorale"), arrangements("chorale")[2])
    plan_ticks = [c.onset + 40 for c in work.plan.chords]
    order = ["Violin I", "Violin II", "Viola", "Cello"]
    tracks = {t.name: t.notes for t in work.piece.tracks}
    for tick in plan_ticks:
        heard = [
            [n.pitch for n in tracks[name] if n.onset_ticks <= tick < n.end_ticks] for name in order
        ]
        stack = [pitches[0] for pitches in heard if pitches]
        assert stack == sorted(stack, reverse=True)


def test_the_soprano_range_leaves_room_for_three_voices():
    assert satb.BASS[0] < satb.TENOR[0] < satb.ALTO[0] < satb.SOPRANO[0]
