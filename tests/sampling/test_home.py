"""By the fifth rules harmony moves, melodies go by steps, and every piece has chords and roles."""

from __future__ import annotations

import itertools

import numpy as np

from drafts import written
from gen.harmony import Chord, parse_chord
from gen.piece import DRUM_PROGRAM, ROLES
from gen.sampling.drafting.biases import (
    MARCH,
    MOST_ROLLING,
    biases,
    chord_to_cover,
    has_other_drums,
    rolls,
)
from gen.sampling.drafting.cell_table import CellTable
from gen.sampling.drafting.draft import Draft
from gen.sampling.drafting.home import FREE, SINGING, chord_bias, hold_of, off_harmony
from gen.sampling.drafting.policies import Grooves
from gen.sampling.drafting.state import BASS, BarTerms
from gen.sampling.drafting.steering import CHORD_ALONE, OFF_ROOT, ROOT_FIRST
from gen.sampling.drafting.voice_leading import unheard
from gen.sampling.job import job_of
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.rules import Rules
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_id, key_id

C = key_id("C")
TONIC, DOMINANT, FOREIGN = (chord_id(Chord(root, "maj", root)) for root in (0, 7, 2))
MAIN = ROLES.index("main_melody") + 1
FORM = "intro:1 a:3 b:5 ending:7"


def drafts(rules: int, seeds: int = 8, notes: float = 0.7, **asked: object) -> list[Draft]:
    job = job_of(Controls(**{"bars": 8, **asked}), None, steering=1.0, rules=Rules(rules))
    return [written(job, seed, notes=notes, context=400) for seed in range(seeds)]


def test_the_tonic_is_no_likelier_than_others_and_the_chord_that_holds_is_less():
    bias = chord_bias(C, FREE, held=TONIC)
    assert bias[TONIC] == -FREE.same_chord < bias[DOMINANT] == 0
    assert chord_bias(C)[FOREIGN] < bias[FOREIGN] < 0


def test_a_chord_that_holds_may_come_again_within_a_bar_as_before():
    (draft,) = drafts(5, seeds=1, key="C", instruments=("flute",))
    draft.state.key, draft.state.chords = C, [(0, TONIC)]
    begins, later = ([int(Kind.CHORD), WORDS.position.id(step), 0, 0, 0] for step in (0, 24))
    assert draft.bias(v.VALUE, begins)[TONIC] == -FREE.same_chord
    assert draft.bias(v.VALUE, later)[TONIC] == 0


def test_a_melody_is_held_less_by_the_chord_than_what_accompanies_it():
    melody, pad = (ROLES.index(role) + 1 for role in ("main_melody", "pad"))
    assert hold_of(Rules(5), melody) == SINGING
    assert hold_of(Rules(4), melody) == hold_of(Rules(4), pad) == hold_of(Rules(4))
    passing = {
        role: off_harmony([(0, TONIC)], C, 48, hold_of(Rules(5), role))[0, [60, 62]].tolist()
        for role in (melody, pad)
    }
    assert np.subtract(*passing[melody]) < np.subtract(*passing[pad])


def test_a_melody_goes_on_by_steps():
    for rules in (4, 5):
        (draft,) = drafts(rules, seeds=1, instruments=("flute",), roles=("main_melody",))
        state = draft.state
        state.cell_notes, state.position, state.part.latest = 1, 0, WORDS.pitch.id(60)
        state.cell_terms.bias = np.zeros((48, WORDS.pitch.stop), dtype=np.float32)
        row = [int(Kind.NOTE), WORDS.position.id(12), 0, 0, 0]
        found = draft.bias(v.VALUE, row)[WORDS.pitch.start :]
        if rules < 5:
            assert not found.any()
        else:
            assert found[60] < found[67] < found[62] == found[59]
            row[v.POSITION] = WORDS.position.id(0)  # beside the note, not after it
            assert not draft.bias(v.VALUE, row).any()


def test_every_piece_begins_with_a_chord_and_its_tracks_have_roles():
    without = 0
    for rules in (4, 5):
        for draft in drafts(rules, genre="pop_ballad"):
            table = CellTable.of(draft.rows)
            begins = any(row[v.KIND] == Kind.CHORD for row in table.bars[0])
            tracks = [row for row in table.header if row[v.KIND] == Kind.TRACK]
            drums = [row[v.VALUE] == WORDS.program.id(DRUM_PROGRAM) for row in tracks]
            roles = [row[v.EXTENT] for row in tracks]
            if rules > 4:
                assert begins
                assert all(roles)
                assert [role == WORDS.role.id(ROLES.index("drums")) for role in roles] == drums
            without += not begins or not all(roles)
    assert without


def test_instruments_that_were_asked_for_have_roles_of_their_own_where_none_were():
    asked = ("flute", "piano", "drums")
    for rules, roles in ((4, ()), (5, ()), (5, ("pad", "main_melody", "drums"))):
        found = set()
        for draft in drafts(rules, seeds=4, instruments=asked, roles=roles):
            tracks = [row for row in draft.rows if row[v.KIND] == Kind.TRACK]
            programs = [WORDS.program.number(row[v.VALUE]) for row in tracks]
            assert programs == [73, 0, DRUM_PROGRAM]
            found.add(tuple(row[v.EXTENT] for row in tracks))
        if roles:
            assert found == {tuple(WORDS.role.id(ROLES.index(role)) for role in roles)}
        elif rules < 5:
            assert found == {(0, 0, 0)}
        else:
            assert len(found) > 1
            assert all(all(each) for each in found)


def test_the_melody_comes_in_with_the_first_section_after_the_introduction():
    band = {"instruments": ("piano", "flute"), "roles": ("accompaniment", "main_melody")}
    for draft in drafts(5, seeds=12, notes=0.3, sections=FORM, **band):
        table = CellTable.of(draft.rows)
        assert any(table.sounds((bar, 1)) for bar in range(3))


def test_in_a_march_side_drum_and_bass_drum_go_on_alone_for_two_bars():
    band = {"instruments": ("flute", "drums"), "time_signature": "4/4"}
    for rules, draft in itertools.product((4, 5), drafts(5, seeds=4, notes=0.8, **band)):
        plan, state = draft.plan, draft.state
        plan = job_of(Controls(bars=8, **band), None, steering=1.0, rules=Rules(rules)).plan
        state.genre, state.bar, state.rolled = MARCH, 7, MOST_ROLLING
        assert rolls(plan, state) == (rules > 4)
        state.parts[1].ends[:] = 0
        terms = BarTerms(onset_stop=state.bar_steps, open=[1])
        Grooves().begin_bar(plan, state, terms)
        earlier = [cell for (_, slot), cell in CellTable.of(draft.rows).cells.items() if slot]
        assert bool(terms.copies) == (rules > 4 and any(map(has_other_drums, earlier)))


def test_an_added_part_may_stand_beside_another_where_the_chord_has_both():
    """The major seventh of a chord beside its root, which another part holds."""
    chords, held_root = [(0, chord_id(parse_chord("Cmaj7")))], [(0, 96, 60)]
    found = {}
    for rules in (4, 5):
        (draft,) = drafts(rules, seeds=1, instruments=("strings",), time_signature="4/4")
        draft.state.bar_start, draft.state.bar_steps, draft.state.slot = 0, 48, 0
        bias, near = biases(draft.plan, draft.state, held_root, chords)
        found[rules] = bias[0, WORDS.pitch.start :]
        assert near[0, 61] > near[0, 59] if rules > 4 else near[0, 61] == near[0, 59]
    assert found[5][71] - found[5][61] > found[4][71] - found[4][61] + 1
    assert found[5][71] > found[5][62]


def test_an_added_bass_begins_a_chord_with_its_root_more_firmly():
    chords = [(0, chord_id(parse_chord("C")))]
    away = []
    for rules in (4, 5):
        (draft,) = drafts(
            rules, seeds=1, instruments=("bass",), roles=("bass",), time_signature="4/4"
        )
        draft.state.bar_start, draft.state.bar_steps, draft.state.slot = 0, 48, 0
        bias, _ = biases(draft.plan, draft.state, [], chords)
        found = bias[:, WORDS.pitch.start :]
        first, later = (found[step, 48] - found[step, 52] for step in (0, 24))
        away.append(first - later)
    np.testing.assert_allclose(away, [OFF_ROOT, ROOT_FIRST], atol=1e-5)


def test_an_added_part_goes_through_the_tones_of_its_chord():
    chords = [(0, chord_id(parse_chord("C"))), (24, chord_id(parse_chord("F")))]
    (draft,) = drafts(5, seeds=1, instruments=("harp",), roles=("accompaniment",))
    state = draft.state
    state.bar_start, state.bar_steps, state.slot = 0, 48, 0
    assert chord_to_cover(draft.plan, state, None, chords) is None  # it is not added
    state.cell_terms.tones = chord_to_cover(draft.plan, state, [], chords)
    state.rows.append([int(Kind.FILL), 0, WORDS.slot.id(0), 0, 0])
    row = [int(Kind.NOTE), WORDS.position.id(0), WORDS.pitch.id(60), WORDS.duration.id(5), 20]

    def liked(step: int) -> set[int]:
        found = unheard(state, [int(Kind.NOTE), WORDS.position.id(step), 0, 0, 0])
        return {int(pitch) % 12 for pitch in np.flatnonzero(found[WORDS.pitch.start :])}

    assert liked(0) == {0, 4, 7}
    state.rows.append(row)
    assert liked(12) == {4, 7}
    assert liked(24) == {5, 9}
    for role in (BASS, MAIN):
        state.part.role = role
        assert chord_to_cover(draft.plan, state, [], chords) is None


def test_a_melody_in_a_file_passes_through_what_its_chord_has_not():
    chords = [(0, chord_id(parse_chord("C")))]
    beside = {}
    for role in ("main_melody", "accompaniment"):
        (draft,) = drafts(
            5, seeds=1, instruments=("flute",), roles=(role,), time_signature="4/4", key="C"
        )
        draft.state.bar_start, draft.state.bar_steps, draft.state.slot = 0, 48, 0
        bias, _ = biases(draft.plan, draft.state, [], chords)
        beside[role] = bias[0, WORDS.pitch.id(60)] - bias[0, WORDS.pitch.id(62)]
    assert beside["main_melody"] < 1 < CHORD_ALONE < beside["accompaniment"]


def test_a_rewritten_bar_goes_on_from_the_note_before_it_and_not_from_one_after():
    (draft,) = drafts(5, seeds=1, instruments=("flute",), roles=("main_melody",))
    early, late = WORDS.pitch.id(60), WORDS.pitch.id(72)
    draft.state.part.latest = late
    draft.state.hold([(0, 12, early), (24, 30, 0)], 0)
    assert draft.state.part.latest == early
    draft.state.hold([(24, 48, late), (0, 12, early)], 0)
    assert draft.state.part.latest == late
    draft.state.hold([], 0)
    assert not draft.state.part.latest
