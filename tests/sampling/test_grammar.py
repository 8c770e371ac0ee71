"""Whatever the grammar allows, drawn by chance, is a piece that obeys its plan."""

from __future__ import annotations

import itertools
import pickle
from dataclasses import replace

import numpy as np
import pytest

from gen.data.habits import Habits
from gen.harmony import GENRES, QUALITIES, Chord
from gen.piece import DRUM_PROGRAM, ROLES, Piece
from gen.sampling.drafting import closing
from gen.sampling.drafting.cell_table import cells_of
from gen.sampling.drafting.closing import key_of_notes
from gen.sampling.drafting.draft import BarByBar, Draft
from gen.sampling.drafting.policies import OPEN_PIECE_DUE, STAY, origin_of
from gen.sampling.drafting.state import MOST_NOTES_A_CELL, MOST_NOTES_AT_ONCE
from gen.sampling.planning.plan import DRUM_SOUNDS, Plan, Row
from gen.smf.general_midi import range_of
from gen.tokens import vocabulary as v
from gen.tokens.columns import context_columns
from gen.tokens.events import Events
from gen.tokens.reading import decode
from gen.tokens.vocabulary import SPANS, Kind
from gen.tokens.word_ids import chord_id, chord_of, key_id, section_id
from music import FIRST, bos, events_of, random_draft, random_row, track_row

BAND = [bos(), track_row(0), track_row(DRUM_PROGRAM), track_row(0)]
BASS = FIRST["role"] + ROLES.index("bass")
MINOR = list(QUALITIES).index("min")
KEY = [int(Kind.KEY), 0, key_id("A minor"), 0, 0]
SEEDS = range(40)


def signature(numerator: int, denominator: int) -> int:
    return FIRST["time_signature"] + v.TIME_SIGNATURES.index((numerator, denominator))


def tempo(tempo_class: int) -> int:
    return FIRST["tempo"] + tempo_class


PIANO = range_of(0)


def any_plan(seed: int) -> Plan:
    """Each thing that a plan may say, said in about half of them."""
    rng = np.random.default_rng([seed, 77])
    said = rng.integers(0, 2, 9).astype(bool)
    low = int(rng.integers(PIANO[0], 100))
    header = [*BAND[:1], KEY, *BAND[1:]] if said[6] else list(BAND)
    return Plan(
        header=[bos()] if said[0] else header,
        tracks_open=bool(said[0]),
        bars=int(rng.integers(1, 7)) if said[1] else None,
        most_bars=6,
        time_signature=int(rng.choice(SPANS["time_signature"])) if said[2] else None,
        meter_changes=seed % 2 == 0,
        tempo=int(rng.choice(SPANS["tempo"])) if said[3] else None,
        pitches=(low, low + int(rng.integers(0, 28))) if said[4] else (0, 127),
        velocities=(5, 9) if said[5] else (0, 31),
        densities=((2, 4), (0, 7)) if said[7] else (),
        plan_rows=form("a b a b a", 1) if said[8] else {},
        sections_given=bool(said[8]),
        returns=0.7,
    )


def form(names: str, bars: int) -> dict[int, list[Row]]:
    """A SECTION row for each name, so many bars apart."""
    rows = [[int(Kind.SECTION), 0, section_id(name), 0, 0] for name in names.split()]
    return {index * bars: [row] for index, row in enumerate(rows)}


def events_from(draft: Draft) -> Events:
    return Events.of(draft.rows)


def bar_count(draft: Draft) -> int:
    return sum(row[v.KIND] == Kind.BAR for row in draft.rows)


def heard(draft: Draft) -> list[Row]:
    """The rows without what a piece does not hold: tracks that stay silent, roles, plans."""
    piece = decode(events_from(draft))
    slots = [slot for slot, track in enumerate(piece.tracks) if track.notes]
    new = {FIRST["slot"] + slot: FIRST["slot"] + index for index, slot in enumerate(slots)}
    rows, declared, slot = [], 0, 0
    for row in draft.rows:
        kind, position, value, extent, level = row
        if kind == Kind.TRACK:
            declared += 1
            if declared - 1 in slots:
                rows.append([kind, position, value, 0, 0])
            continue
        if kind == Kind.BAR:
            slot = None
        elif kind == Kind.CELL:
            slot = value
            value = new.get(value, value)
        silent = slot is not None and slot not in new and kind in (Kind.CELL, Kind.PEDAL)
        if kind not in (Kind.KEY, Kind.SECTION, Kind.CHORD) and not silent:
            rows.append([kind, position, value, 0 if kind == Kind.CELL else extent, level])
    return rows


def encoded(piece: Piece) -> list[Row]:
    """Events of the piece without what the grammar leaves open: density, register."""
    events = events_of(piece)
    rows = events.array.copy()
    rows[events.is_a(Kind.CELL), v.EXTENT] = 0
    rows[events.is_a(Kind.TRACK), v.LEVEL] = 0
    return rows.tolist()


def held_together(piece: Piece) -> bool:
    """Whether a pitch is struck, or a pedal pressed, while it is still held in its track."""
    for track in piece.tracks:
        lines = {pitch: [n for n in track.notes if n.pitch == pitch] for pitch in range(128)}
        for line in [*lines.values(), track.pedals]:
            ends = [item.onset_ticks + item.duration_ticks for item in line]
            if any(b.onset_ticks < a for a, b in zip(ends, line[1:], strict=False)):
                return True
    return False


@pytest.mark.parametrize("notes", [0.0, 0.7, 0.97])
def test_any_draft_is_a_piece_that_obeys_its_plan(notes):
    bars_seen = set()
    for seed in SEEDS:
        plan = any_plan(seed)
        draft = random_draft(plan, seed, notes=notes)
        piece = decode(events_from(draft))
        bars = bar_count(draft)
        bars_seen.add(bars)
        assert bars == plan.bars if plan.bars else 1 <= bars <= plan.most_bars
        assert len(piece.bar_starts()) == bars
        start, last = piece.bar_starts()[-1]
        end = start + piece.bar_ticks(last)
        assert piece.end_ticks <= end
        assert all(p.onset_ticks + p.duration_ticks <= end for t in piece.tracks for p in t.pedals)
        assert not held_together(piece)
        low, high = plan.pitches
        melodic = [n for t in piece.tracks if not t.is_drum for n in t.notes]
        assert all(low <= n.pitch <= high for n in melodic)
        quiet, loud = v.VELOCITIES[list(plan.velocities)]
        assert all(quiet <= n.velocity <= loud for t in piece.tracks for n in t.notes)
        if not plan.tracks_open:
            assert [t.instrument for t in piece.tracks] == [0, DRUM_PROGRAM, 0]
        if plan.time_signature is not None:
            assert {signature(s.numerator, s.denominator) for s in piece.time_signatures} == {
                plan.time_signature
            }
        if plan.tempo is not None:
            assert [t.onset_ticks for t in piece.tempos] == [0]
        assert all(track.notes for track in piece.tracks)
        for track in piece.tracks:
            lowest, highest = DRUM_SOUNDS if track.is_drum else range_of(track.program)
            assert all(lowest <= note.pitch <= highest for note in track.notes)
        if plan.bars is not None and plan.bars >= 4:
            onsets = [n.onset_ticks for t in piece.tracks for n in t.notes]
            assert all(onset - start <= (end - start) / 2 for onset in onsets)
        densities = [row[v.EXTENT] for row in draft.rows if row[v.KIND] == Kind.CELL]
        assert all(bool(density) == bool(plan.densities) for density in densities)
    assert len(bars_seen) > 3


@pytest.mark.parametrize("notes", [0.0, 0.8])
def test_any_draft_read_and_encoded_again_is_the_same_draft(notes):
    for seed in SEEDS:
        draft = random_draft(any_plan(seed + 1000), seed, notes=notes)
        assert encoded(decode(events_from(draft))) == heard(draft)


@pytest.mark.parametrize("notes", [0.0, 0.8])
def test_the_columns_a_draft_hands_out_are_those_of_the_whole_sequence(notes):
    for seed in SEEDS:
        plan = any_plan(seed + 2000)
        draft = random_draft(plan, seed, notes=notes)
        events = events_from(draft)
        whole = np.concatenate([events, context_columns(events, bars=plan.bars)], axis=1)
        assert draft.context == whole.tolist()


def test_many_bars_are_counted_to_the_end():
    plan = Plan([bos(), track_row(0)], False, bars=300, time_signature=signature(1, 16))
    draft = random_draft(plan, 1)
    events = events_from(draft)
    assert bar_count(draft) == 300
    assert np.array_equal(np.array(draft.context)[:, 5:], context_columns(events, bars=300))


def test_one_pitch_sounds_again_only_when_it_is_over():
    plan = Plan(list(BAND), False, bars=4, pitches=(60, 60))
    for seed in SEEDS:
        assert not held_together(decode(events_from(random_draft(plan, seed, notes=0.95))))


def test_no_cell_begins_where_nothing_can_begin():
    quarter = signature(1, 4)
    plan = Plan([bos(), track_row(0)], False, 2, 2, quarter, tempo=tempo(0), pitches=(60, 60))
    draft = started(plan)
    draft.take([Kind.CELL, 0, FIRST["slot"], 0, 0])
    draft.take([Kind.PEDAL, FIRST["position"], 0, FIRST["duration"] + 23, 0])
    draft.take([Kind.NOTE, FIRST["position"], FIRST["pitch"] + 60, FIRST["duration"] + 23,
               FIRST["velocity"]])  # fmt: skip
    draft.take([Kind.BAR, 0, signature(1, 4), 0, 0])
    assert kinds_of(draft) == {Kind.CHORD, Kind.SECTION, Kind.EOS}


# By example -----------------------------------------------------------------------------


def kinds_of(draft: Draft) -> set[Kind]:
    return {Kind(kind) for kind in np.flatnonzero(draft.kinds())}


def row_of(draft: Draft, kind: Kind) -> Row:
    """The only row of a kind that may come next."""
    row = [int(kind), 0, 0, 0, 0]
    for field in range(1, len(v.FIELDS)):
        (row[field],) = np.flatnonzero(draft.allowed(field, row)).tolist()
    return row


def started(plan: Plan, *, bars: int = 1) -> Draft:
    """A draft after its header and first bars, all forced rows taken."""
    draft = Draft(plan)
    for _ in range(bars):
        while draft.forced:
            draft.take(draft.forced.popleft())
        draft.take([Kind.BAR, 0, plan.time_signature or signature(4, 4), 0, 0])
    while draft.forced:
        draft.take(draft.forced.popleft())
    return draft


def test_a_piece_begins_with_a_track_and_then_a_bar():
    draft = Draft(Plan([bos()], True))
    draft.take(draft.forced.popleft())
    assert kinds_of(draft) == {Kind.TRACK}
    draft.take(track_row(40))
    assert kinds_of(draft) == {Kind.TRACK, Kind.BAR}


def test_no_more_tracks_than_slots():
    draft = Draft(Plan([bos(), *[track_row(0)] * v.MAX_TRACKS], True))
    while draft.forced:
        draft.take(draft.forced.popleft())
    assert kinds_of(draft) == {Kind.BAR}


def test_a_tempo_is_told_before_anything_sounds():
    draft = started(Plan(list(BAND), False, bars=2))
    assert kinds_of(draft) == {Kind.SECTION, Kind.TEMPO}
    row = [int(Kind.TEMPO), 0, 0, 0, 0]
    assert np.flatnonzero(draft.allowed(v.POSITION, row)).tolist() == [FIRST["position"]]


def test_chords_that_were_given_wait_for_the_tempo_that_is_drawn():
    chord = [int(Kind.CHORD), FIRST["position"], chord_id(None), 0, 0]
    section = [int(Kind.SECTION), 0, section_id("a"), 0, 0]
    plan = Plan(list(BAND), False, bars=1, plan_rows={0: [section, chord]}, chords_given=True,
                sections_given=True)  # fmt: skip
    draft = started(plan)
    assert draft.rows[-1] == section
    assert kinds_of(draft) == {Kind.TEMPO}
    draft.take([Kind.TEMPO, FIRST["position"], tempo(3), 0, 0])
    assert kinds_of(draft) == {Kind.TEMPO, Kind.CHORD}
    assert row_of(draft, Kind.CHORD) == chord


def test_a_given_tempo_section_and_chord_come_in_the_order_of_a_bar():
    chord = [int(Kind.CHORD), FIRST["position"], chord_id(None), 0, 0]
    section = [int(Kind.SECTION), 0, section_id("a"), 0, 0]
    plan = Plan(list(BAND), False, bars=2, tempo=tempo(9), chords_given=True,
                sections_given=True, plan_rows={0: [chord, section], 1: [chord]})  # fmt: skip
    draft = random_draft(plan, 0)
    first, second = (i for i, row in enumerate(draft.rows) if row[v.KIND] == Kind.BAR)
    given = [section, [Kind.TEMPO, FIRST["position"], tempo(9), 0, 0], chord]
    assert draft.rows[first + 1 : first + 4] == given
    assert draft.rows[second + 1] == chord
    told = [row for row in draft.rows if row[v.KIND] in (Kind.CHORD, Kind.SECTION, Kind.TEMPO)]
    assert told == [*given, chord]


def test_a_tempo_change_changes_the_tempo():
    draft = started(Plan(list(BAND), False, bars=1, most_bars=2))
    draft.take([Kind.TEMPO, FIRST["position"], tempo(9), 0, 0])
    allowed = np.flatnonzero(draft.allowed(v.VALUE, [int(Kind.TEMPO), 0, 0, 0, 0]))
    assert set(SPANS["tempo"]) - set(allowed) == {tempo(9)}


def test_the_end_comes_only_in_a_bar_that_sounds():
    plan = Plan([bos(), track_row(0)], False, bars=1, tempo=tempo(0))
    draft = started(plan)
    assert Kind.EOS not in kinds_of(draft)
    draft.take([Kind.CELL, 0, FIRST["slot"], 0, 0])
    draft.take([Kind.PEDAL, FIRST["position"], 0, FIRST["duration"], 0])
    assert Kind.EOS not in kinds_of(draft)
    draft.take([Kind.NOTE, FIRST["position"], FIRST["pitch"], FIRST["duration"], FIRST["velocity"]])
    assert kinds_of(draft) == {Kind.NOTE, Kind.PEDAL, Kind.EOS}


def test_an_open_end_waits_until_nothing_goes_on():
    plan = Plan([bos(), track_row(0)], False, tempo=tempo(0), time_signature=signature(1, 4))
    draft = started(plan)
    draft.take([Kind.CELL, 0, FIRST["slot"], 0, 0])
    draft.take(
        [Kind.NOTE, FIRST["position"], FIRST["pitch"], FIRST["duration"] + 14, FIRST["velocity"]]
    )
    assert Kind.EOS not in kinds_of(draft)
    draft.take([Kind.BAR, 0, signature(1, 4), 0, 0])
    assert Kind.EOS in kinds_of(draft)


def test_a_note_in_an_early_bar_ends_with_the_last_one():
    plan = Plan([bos(), track_row(0)], False, bars=3, tempo=tempo(0))
    draft = started(plan, bars=2)
    draft.take([Kind.CELL, 0, FIRST["slot"], 0, 0])
    row = [int(Kind.NOTE), FIRST["position"] + 40, FIRST["pitch"], 0, 0]
    longest = np.flatnonzero(draft.allowed(v.EXTENT, row))[-1] - FIRST["duration"]
    assert v.DURATIONS[longest] == 54  # of the 56 steps that are left


def test_a_free_meter_leaves_room_for_what_still_sounds():
    plan = Plan([bos(), track_row(0)], False, bars=2, tempo=tempo(0), meter_changes=True)
    draft = started(plan)
    draft.take([Kind.CELL, 0, FIRST["slot"], 0, 0])
    longest = FIRST["duration"] + v.DURATIONS.tolist().index(96)
    draft.take([Kind.NOTE, FIRST["position"], FIRST["pitch"], longest, FIRST["velocity"]])
    allowed = np.flatnonzero(draft.allowed(v.VALUE, [int(Kind.BAR), 0, 0, 0, 0]))
    lengths = {v.bar_steps(*v.TIME_SIGNATURES[i - FIRST["time_signature"]]) for i in allowed}
    assert min(lengths) == 48


def test_a_meter_that_was_chosen_stays_unless_it_may_change():
    chosen = {}
    for changes in (False, True):
        plan = Plan(list(BAND), False, bars=6, tempo=tempo(0), meter_changes=changes)
        drafts = [random_draft(plan, seed) for seed in range(8)]
        chosen[changes] = [{r[v.VALUE] for r in w.rows if r[v.KIND] == Kind.BAR} for w in drafts]
    assert all(len(meters) == 1 for meters in chosen[False])
    assert len(set.union(*chosen[False])) > 1
    assert any(len(meters) > 1 for meters in chosen[True])


def test_a_chord_rises_and_holds_at_most_ten_notes_at_once():
    plan = Plan([bos(), track_row(0)], False, bars=1, tempo=tempo(0))
    draft = started(plan)
    draft.take([Kind.CELL, 0, FIRST["slot"], 0, 0])
    for pitch in range(60, 60 + MOST_NOTES_AT_ONCE):
        row = [int(Kind.NOTE), FIRST["position"], FIRST["pitch"] + pitch, 0, 0]
        assert draft.allowed(v.POSITION, row)[FIRST["position"]]
        lowest = np.flatnonzero(draft.allowed(v.VALUE, row))[0] - FIRST["pitch"]
        assert lowest == (PIANO[0] if pitch == 60 else pitch)
        draft.take([*row[:3], FIRST["duration"], FIRST["velocity"]])
    positions = draft.allowed(v.POSITION, [int(Kind.NOTE), 0, 0, 0, 0])
    assert np.flatnonzero(positions)[0] == FIRST["position"] + 1


@pytest.mark.parametrize("told", [True, False])
def test_where_instruments_are_open_a_genre_has_those_of_its_works(told):
    genre = [int(Kind.GENRE), 0, FIRST["genre"] + GENRES.index("waltz"), 0, 0]
    draft = Draft(Plan([bos(), *[genre] * told], tracks_open=True, bars=2))
    draft.plan = replace(draft.plan, habits=Habits(instruments={"waltz": [40, 128], "rock": [30]}))
    while draft.forced:
        draft.take(draft.forced.popleft())
    programs = np.flatnonzero(draft.allowed(v.VALUE, [int(Kind.TRACK), 0, 0, 0, 0]))
    assert (programs - FIRST["program"]).tolist() == ([40, 128] if told else list(range(129)))


def test_an_instrument_that_cannot_play_what_was_asked_is_no_habit():
    genre = [int(Kind.GENRE), 0, FIRST["genre"] + GENRES.index("waltz"), 0, 0]
    draft = Draft(Plan([bos(), genre], tracks_open=True, bars=2, pitches=(20, 30)))
    draft.plan = replace(draft.plan, habits=Habits(instruments={"waltz": [73]}))  # from 60
    while draft.forced:
        draft.take(draft.forced.popleft())
    programs = np.flatnonzero(draft.allowed(v.VALUE, [int(Kind.TRACK), 0, 0, 0, 0]))
    assert len(programs) > 20


@pytest.mark.parametrize(
    ("sizes", "most"),
    [
        ({"0:1": 3, "0:0": 3}, 3),  # in another role
        ({"0:1": 3, "0:0": 3, f"0:{ROLES.index('bass') + 1}": 2}, 2),
        ({f"any:{ROLES.index('bass') + 1}": 1}, 1),  # another instrument in this role
    ],
)
def test_no_bigger_chord_than_in_any_work(sizes, most):
    track = [int(Kind.TRACK), 0, FIRST["program"], BASS, 0]
    draft = Draft(
        Plan([bos(), track], False, bars=4, tempo=tempo(0), time_signature=signature(4, 4))
    )
    draft.plan = replace(draft.plan, habits=Habits(chord_sizes=sizes))
    rng = np.random.default_rng(0)
    while not draft.done:
        draft.take(random_row(draft, rng, 0.97))
    notes = [n for n, row in enumerate(draft.rows) if row[v.KIND] == Kind.NOTE]
    places = [(draft.context[n][5 + 5], draft.rows[n][v.POSITION]) for n in notes]  # bar, position
    assert max(places.count(place) for place in places) == most


def test_a_cell_ends_after_its_most_notes():
    plan = Plan([bos(), track_row(0)], False, bars=1, tempo=tempo(0))
    draft, rng = started(plan), np.random.default_rng(0)
    draft.take([Kind.CELL, 0, FIRST["slot"], 0, 0])
    for index in range(MOST_NOTES_A_CELL):
        step, pitch = divmod(index, 10)
        draft.take([Kind.NOTE, FIRST["position"] + step, FIRST["pitch"] + 60 + pitch,
                   FIRST["duration"], FIRST["velocity"]])  # fmt: skip
    assert kinds_of(draft) == {Kind.PEDAL, Kind.EOS}
    assert random_row(draft, rng)[v.KIND] != Kind.NOTE


def test_drums_stay_drums_whatever_pitches_are_asked_for():
    plan = Plan([bos(), track_row(DRUM_PROGRAM)], False, bars=1, tempo=tempo(0), pitches=(60, 61))
    draft = started(plan)
    draft.take([Kind.CELL, 0, FIRST["slot"], 0, 0])
    row = [int(Kind.NOTE), FIRST["position"], 0, 0, 0]
    assert np.flatnonzero(draft.allowed(v.VALUE, row)).tolist() == [
        FIRST["drum"] + sound for sound in range(27, 88)
    ]


def test_masks_handed_out_are_the_callers_own():
    """What one draft is told never changes the rules of another."""
    before = [mask.copy() for mask in v.legal_words()]
    random_draft(any_plan(3), 3, notes=0.5)
    from gen.sampling.drafting.masks import LEGAL

    assert all(np.array_equal(a, b) for a, b in zip(before, LEGAL, strict=True))


def test_to_compute_a_mask_changes_nothing():
    """Whatever is asked, and in whatever order: the state afterwards is the state before."""
    rng = np.random.default_rng(3)
    for seed in SEEDS[:12]:
        draft = Draft(any_plan(seed), seed)
        while not draft.done:
            before = pickle.dumps((draft.state, draft.policies, draft.forced))
            for kind in np.flatnonzero(draft.kinds()):
                row = [int(kind), 0, 0, 0, 0]
                for field in range(1, len(v.FIELDS)):
                    draft.drawable(field, row)
                    row[field] = int(draft.allowed(field, row).argmax())
            assert pickle.dumps((draft.state, draft.policies, draft.forced)) == before
            draft.take(random_row(draft, rng, 0.6))


def test_the_same_seed_writes_the_same_piece():
    assert random_draft(any_plan(5), 5).rows == random_draft(any_plan(5), 5).rows
    assert random_draft(any_plan(5), 5).rows != random_draft(any_plan(5), 6).rows


def test_a_wish_for_another_bar_where_none_may_follow_is_a_wish_to_end():
    draft = Draft(Plan([bos(), track_row(0)], False, bars=1, tempo=tempo(0)))
    while draft.forced:
        draft.take(draft.forced.popleft())
    scores = np.zeros(len(Kind), dtype=np.float32)
    scores[Kind.BAR] = 9.0
    assert np.array_equal(draft.kind_scores(scores), scores)  # the header has no bar to end with
    draft.take([int(Kind.BAR), 0, FIRST["time_signature"], 0, 0])
    assert draft.kind_scores(scores)[Kind.CELL] >= 9.0  # the track has to sound first
    assert scores[Kind.CELL] == 0
    draft.take([int(Kind.CELL), 0, FIRST["slot"], 0, 0])
    draft.take([Kind.NOTE, FIRST["position"], FIRST["pitch"], FIRST["duration"], FIRST["velocity"]])
    assert draft.kind_scores(scores)[Kind.EOS] >= 9.0


# Tracks, chords, sections ------------------------------------------------------------------


def told(draft: Draft, kind: Kind) -> list[Row]:
    return [row for row in draft.rows if row[v.KIND] == kind]


def bars_of(draft: Draft) -> list[list[Row]]:
    begins = [i for i, row in enumerate(draft.rows) if row[v.KIND] == Kind.BAR]
    return [draft.rows[a:b] for a, b in zip(begins, [*begins[1:], -1], strict=True)]


def test_a_track_that_is_late_is_not_passed_over():
    plan = Plan([bos(), track_row(0), track_row(5)], False, bars=3, tempo=tempo(0),
                time_signature=signature(4, 4))  # fmt: skip
    draft = started(plan, bars=2)
    assert Kind.BAR in kinds_of(draft)  # the second bar of three
    draft = started(plan, bars=3)
    assert kinds_of(draft) == {Kind.CELL, Kind.CHORD, Kind.SECTION}
    assert row_of(draft, Kind.CELL)[v.VALUE] == FIRST["slot"]
    draft.take([int(Kind.CELL), 0, FIRST["slot"], 0, 0])
    draft.take([Kind.PEDAL, FIRST["position"], 0, FIRST["duration"], 0])
    assert kinds_of(draft) == {Kind.NOTE, Kind.PEDAL}


class Shy(BarByBar):
    """The second track plays where it has to."""

    def after(self, draft, kind, row):
        super().after(draft, kind, row)
        terms = draft.state.bar_terms
        if not terms.owed:
            terms.open = [slot for slot in terms.open if slot != 1]


@pytest.mark.parametrize(
    ("sections", "bars"),
    [
        ({0: "a"}, range(10, 15)),  # after two thirds, and not in the closing bar
        ({0: "a", 9: "b"}, range(9, 15)),  # the first section of the second half
        ({0: "a", 9: "b", 12: "ending"}, range(9, 9 + STAY)),
        ({0: "a", 4: "b", 9: "a", 10: "ending"}, range(9, 9 + STAY)),
    ],
)
def test_a_track_that_has_to_come_in_plays_on_for_a_while(sections, bars):
    rows = {bar: form(name, 1)[0] for bar, name in sections.items()}
    plan = Plan([bos(), track_row(0), track_row(5)], False, bars=16, tempo=tempo(0),
                time_signature=signature(4, 4), plan_rows=rows, sections_given=True)  # fmt: skip
    for seed in range(5):
        draft, rng = Draft(plan, order=Shy()), np.random.default_rng(seed)
        while not draft.done:
            draft.take(random_row(draft, rng, 0.5))
        cells = [cells_of(rows) for rows in bars_of(draft)]
        plays = [any(row[v.KIND] == Kind.NOTE for row in found.get(1, [])) for found in cells]
        assert np.flatnonzero(plays).tolist() == list(bars)


def test_an_open_piece_waits_for_its_tracks_only_so_long():
    plan = Plan([bos(), track_row(0)], False, tempo=tempo(0), time_signature=signature(1, 4))
    assert Kind.BAR in kinds_of(started(plan, bars=OPEN_PIECE_DUE))
    assert Kind.BAR not in kinds_of(started(plan, bars=OPEN_PIECE_DUE + 1))


def test_an_instrument_that_the_range_leaves_nothing_is_not_sampled():
    def sampled(*pitches: int) -> set[int]:
        draft = Draft(Plan([bos()], True, pitches=pitches))
        draft.take(draft.forced.popleft())
        return set(np.flatnonzero(draft.allowed(v.VALUE, [int(Kind.TRACK), 0, 0, 0, 0])))

    flute, bass, lead = (FIRST["program"] + program for program in (73, 33, 80))
    assert sampled(0, 40) & {flute, bass, lead} == {bass, lead}
    assert sampled(80, 127) & {flute, bass, lead} == {flute, lead}
    assert sampled(60, 66) & {flute, bass, lead} == {flute, bass, lead}


def ending(header: list[Row], seed: int) -> list[Row]:
    """The last bar of a piece for piano and bass."""
    plan = Plan([*header, track_row(0), track_row(33, BASS)], False, bars=4, tempo=tempo(0),
                time_signature=signature(4, 4))  # fmt: skip
    return bars_of(random_draft(plan, seed, notes=0.6))[-1]


@pytest.mark.parametrize("told", [True, False])
def test_a_piece_ends_on_the_tonic_of_its_key(told, monkeypatch):
    """Of the key that was told, else of the one that is heard."""
    monkeypatch.setattr(closing, "key_of_notes", lambda rows: 0 if told else KEY[v.VALUE])
    told_chords = 0
    for seed in SEEDS:
        last = ending([bos(), KEY] if told else [bos()], seed)
        chords = [chord_of(row[v.VALUE]) for row in last if row[v.KIND] == Kind.CHORD]
        told_chords += bool(chords)
        assert {chord.root for chord in chords} <= {9}
        chords = chords or [chord_of(FIRST["chord"] + 1 + 9 * len(QUALITIES) + MINOR)]
        cells = cells_of(last)
        pitches = {
            slot: {(row[v.VALUE] - FIRST["pitch"]) % 12 for row in cell if row[v.KIND] == Kind.NOTE}
            for slot, cell in cells.items()
        }
        assert pitches.get(0, set()) <= set(chords[-1].pitch_classes)
        assert pitches.get(1, set()) <= {9}
    assert 0 < told_chords < len(SEEDS)


def test_a_closing_chord_all_of_whose_tones_ring_leaves_no_cell_to_begin():
    """Of the plain chord nothing lies in this range, so that anything may be played; of another
    an A, which rings."""
    key = [int(Kind.KEY), 0, key_id("C major"), 0, 0]
    plan = Plan([bos(), key, track_row(0)], False, bars=4, tempo=tempo(0), pitches=(68, 69),
                time_signature=signature(4, 4))  # fmt: skip
    draft = started(plan, bars=3)
    draft.take([int(Kind.CELL), 0, FIRST["slot"], 0, 0])
    whole = FIRST["duration"] + int(np.flatnonzero(v.DURATIONS == 96)[0])
    draft.take([int(Kind.PEDAL), FIRST["position"], 0, whole, 0])
    draft.take([int(Kind.NOTE), FIRST["position"], FIRST["pitch"] + 69, whole, FIRST["velocity"]])
    draft.take([int(Kind.BAR), 0, signature(4, 4), 0, 0])
    assert Kind.CELL in kinds_of(draft)
    sixth = chord_id(Chord(0, "6", 0))
    draft.take([int(Kind.CHORD), FIRST["position"], sixth, 0, 0])
    assert kinds_of(draft) == {Kind.CHORD, Kind.EOS}


def test_the_key_that_is_heard_is_that_of_the_notes_so_far():
    draft = started(Plan([bos(), track_row(0)], False, tempo=tempo(0)))
    draft.take([Kind.CELL, 0, FIRST["slot"], 0, 0])
    assert key_of_notes(draft.rows) == 0
    for step, pitch in enumerate((62, 66, 69, 71, 73, 74)):  # D major
        draft.take([Kind.NOTE, FIRST["position"] + 6 * step, FIRST["pitch"] + pitch,
                   FIRST["duration"] + 5, FIRST["velocity"]])  # fmt: skip
    assert key_of_notes(draft.rows) == key_id("D major")


def staccato(plan: Plan, seed: int) -> Draft:
    """A draft by chance whose notes and pedals last one step."""
    draft, rng = Draft(plan, seed), np.random.default_rng(seed)
    while not draft.done:
        row = random_row(draft, rng, 0.5)
        if row[v.KIND] in (Kind.NOTE, Kind.PEDAL):
            row = [*row[: v.EXTENT], FIRST["duration"], row[v.LEVEL]]
        draft.take(row)
    return draft


def test_what_is_held_when_a_section_comes_back_is_not_struck():
    plan = Plan(list(BAND), False, bars=9, tempo=tempo(0), time_signature=signature(3, 4),
                plan_rows=form("a b a", 3), sections_given=True, returns=1.0)  # fmt: skip
    for seed in SEEDS:
        assert not held_together(decode(events_from(random_draft(plan, seed, notes=0.5))))


def test_a_section_that_comes_back_brings_as_much_as_is_asked():
    shares = {}
    for returns in (0.0, 0.5, 1.0):
        plan = Plan(list(BAND), False, bars=9, tempo=tempo(0), time_signature=signature(3, 4),
                    plan_rows=form("a b a", 3), sections_given=True, returns=returns)  # fmt: skip
        same = cells = 0
        for seed in range(12):
            bars = bars_of(staccato(plan, seed))
            for first, again in zip(bars[:2], bars[6:8], strict=True):  # the last bar closes
                for slot, cell in cells_of(first).items():
                    sounds = any(row[v.KIND] == Kind.NOTE for row in cell)
                    cells += sounds
                    same += sounds and cells_of(again).get(slot) == cell
                if returns:
                    chords = [[r for r in bar if r[v.KIND] == Kind.CHORD] for bar in (first, again)]
                    assert chords[0] == chords[1]
        shares[returns] = same / cells
    assert shares[0.0] < 0.05
    assert 0.25 < shares[0.5] < 0.75
    assert shares[1.0] == 1.0


def test_what_comes_back_is_found_in_the_first_section_of_its_name():
    plan = Plan(list(BAND), False, bars=12, plan_rows=form("a b a a", 3), sections_given=True)
    sections = Draft(plan).state.sections
    assert [origin_of(sections, bar) for bar in range(12)] == [*[None] * 6, 0, 1, 2, 0, 1, 2]


# What the model is shown ---------------------------------------------------------------------


def test_a_long_piece_is_shown_from_its_header_and_its_latest_bars():
    plan = Plan([bos(), track_row(0)], False, bars=40, tempo=tempo(0),
                time_signature=signature(1, 4))  # fmt: skip
    draft = random_draft(plan, 1, notes=0.6)
    context = len(draft.rows) // 2
    shown = draft.prompt(context)
    assert len(shown) < context
    assert shown[:2] == draft.context[:2]
    assert shown[-1] == draft.context[-1]
    assert shown[2][v.KIND] == Kind.BAR
    again = (Kind.TEMPO, Kind.SECTION)  # told again where the view begins
    assert {tuple(row) for row in shown if row[v.KIND] not in again} <= {
        tuple(row) for row in draft.context
    }


def test_a_bar_that_fills_the_context_is_shown_from_its_end():
    draft = random_draft(Plan(list(BAND), False, bars=1, tempo=tempo(0)), 5, notes=0.97)
    context = 20
    assert len(draft.rows) > context
    shown = draft.prompt(context)
    assert len(shown) < context
    assert shown[-1] == draft.context[-1]
    assert shown[:4] == draft.context[:4]


def test_a_wish_to_play_on_in_the_closing_bar_ends_the_cell():
    """What is drawn too late is not moved to the last step where something may begin."""
    plan = Plan(list(BAND), False, bars=12, tempo=tempo(0), time_signature=signature(4, 4))
    rng = np.random.default_rng(1)
    draft = Draft(plan)
    while not (draft.state.bar_terms.closes and draft.state.last == Kind.NOTE):
        draft = Draft(plan) if draft.done else draft
        draft.take(random_row(draft, rng, 0.9))
    row = [int(Kind.NOTE), 0, 0, 0, 0]
    beyond = np.flatnonzero(
        draft.drawable(v.POSITION, row) & ~draft.allowed(v.POSITION, row)
    ).tolist()
    assert beyond == [
        FIRST["position"] + step
        for step in range(draft.state.bar_terms.onset_stop, draft.state.bar_steps)
    ]
    assert not draft.begins_too_late([int(Kind.NOTE), beyond[0] - 1, 0, 0, 0])
    assert draft.kinds()[Kind.NOTE]
    assert draft.begins_too_late([int(Kind.NOTE), beyond[0], 0, 0, 0])
    draft.end_cell()
    assert not draft.kinds()[[Kind.NOTE, Kind.PEDAL]].any()
    while draft.state.last != Kind.CELL and not draft.done:
        draft.take(random_row(draft, rng, 0.9))
    assert draft.done or draft.kinds()[Kind.NOTE]


# Density --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "fewest", "most"), [((0, 2), 1, 6), ((3, 4), 7, 12), ((5, 6), 13, 24)]
)
def test_a_cell_holds_as_many_notes_as_were_asked_for(classes, fewest, most):
    """In 4/4; in the closing bar no note is owed."""
    plan = Plan(list(BAND), False, bars=6, tempo=tempo(0), time_signature=signature(4, 4),
                densities=(classes,))  # fmt: skip
    counts, last = [], []
    for seed in range(12):
        bars = bars_of(random_draft(plan, seed, notes=0.5))
        sizes = [
            [sum(row[v.KIND] == Kind.NOTE for row in cell) for cell in cells_of(bar).values()]
            for bar in bars
        ]
        counts += itertools.chain.from_iterable(sizes[:-1])
        last += sizes[-1]
    assert max(counts + last) <= most
    met = [count >= fewest for count in counts]
    assert np.mean(met) > 0.85  # held notes may leave no room for another


def test_notes_that_are_owed_leave_room_for_each_other():
    plan = Plan([bos(), track_row(0)], False, bars=6, tempo=tempo(0), densities=((5, 6),),
                time_signature=signature(4, 4))  # fmt: skip
    draft = started(plan)
    draft.take([Kind.CELL, 0, FIRST["slot"], FIRST["density"] + 5, 0])
    positions = np.flatnonzero(draft.allowed(v.POSITION, [int(Kind.NOTE), 0, 0, 0, 0]))
    latest = int(positions.max()) - FIRST["position"]
    assert 0 < latest < 48 / 3  # thirteen are owed
    assert set(np.flatnonzero(draft.kinds())) <= {Kind.NOTE, Kind.PEDAL}
