from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.data.augment import (
    ATTRIBUTES,
    AugmentConfig,
    forgetful,
    random_shift,
    revoiced,
    transposed,
)
from gen.data.holes import holes_at_random, punched
from gen.data.windows import TokenisedWork, from_bar
from gen.errors import SettingError
from gen.piece import Note, Piece, Tempo, TimeSignature, Track
from gen.tokens import vocabulary as v
from gen.tokens.columns import COLUMNS, context_columns
from gen.tokens.echo import ECHO_COLUMNS, echo_columns, echoes
from gen.tokens.encoding import Annotations
from gen.tokens.events import Events
from gen.tokens.reading import decode
from gen.tokens.vocabulary import SPANS, Kind
from gen.tokens.word_ids import chord_of, section_id
from music import FIRST, STEP, Theme, covering_windows, events_of, pieces
from thorough import examples

PLAIN = AugmentConfig(transpose=0, tempo=0, velocity=0, forget=0, forget_all=0, infill=0, fresh=0)

BAR, REMAINING = (len(v.FIELDS) + COLUMNS.index(name) for name in ("bar", "remaining"))


def sequence(seed: int = 1, bars: int = 8) -> TokenisedWork:
    return TokenisedWork.of(Theme(seed, bars).events())


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def kinds(events: np.ndarray) -> np.ndarray:
    return events[:, v.KIND]


# Where windows begin --------------------------------------------------------------------


def test_a_window_from_a_bar_is_the_header_and_what_follows_that_bar():
    work = sequence()
    events, rows = from_bar(work, 0, 10_000)
    assert np.array_equal(events, work.events)
    assert rows.tolist() == list(range(len(work.events)))
    events, rows = from_bar(work, 3, 10_000)
    header = len(work.header)
    assert np.array_equal(events[:header], work.header)
    assert rows[header] == work.bar_rows[3]
    told = rows == -1
    assert np.array_equal(events[~told], work.events[rows[~told]])
    assert sorted(rows[~told]) == [*range(header), *range(work.bar_rows[3], len(work.events))]


def test_section_and_tempo_in_force_are_told_again():
    events, rows = from_bar(sequence(), 4, 10_000)
    begin = int(np.argmax(kinds(events) == Kind.BAR))
    assert kinds(events)[begin : begin + 4].tolist() == [
        Kind.BAR, Kind.SECTION, Kind.TEMPO, Kind.CELL,
    ]  # fmt: skip
    assert rows[begin + 1 : begin + 3].tolist() == [-1, -1]
    assert events[begin + 1, v.VALUE] == section_id("a")
    piece = decode(events)
    assert round(piece.tempos[0].quarters_per_minute) == 101
    assert piece.tempos[0].onset_ticks == 0


def test_a_bar_that_changes_tempo_later_is_told_the_tempo_it_begins_with():
    work = sequence()
    events, rows = from_bar(work, 1, 10_000)
    begin = int(np.argmax(kinds(events) == Kind.BAR))
    tempos = np.flatnonzero(kinds(events) == Kind.TEMPO)
    assert tempos.tolist() == [begin + 2, begin + 3]
    assert rows[tempos].tolist()[0] == -1
    found = [(t.onset_ticks // STEP, round(t.quarters_per_minute)) for t in decode(events).tempos]
    assert found == [(0, 120), (12, 101)]


def test_a_bar_that_begins_with_its_own_tempo_is_told_no_other():
    notes = [Note(bar * 1920, 1920, 60, 83) for bar in range(3)]
    tempos = [Tempo(0, 500_000), Tempo(1920, 400_000)]
    piece = Piece(480, [Track(notes=notes)], tempos, [TimeSignature(0, 4, 4)])
    events, rows = from_bar(TokenisedWork.of(events_of(piece)), 1, 100)
    assert (kinds(events) == Kind.TEMPO).sum() == 1
    assert -1 not in rows


def test_a_work_cut_off_right_after_a_bar_line_can_still_be_cut():
    """As the walk of a piece that is being written may be."""
    work = sequence()
    unfinished = TokenisedWork.of(work.events[: work.bar_rows[3] + 1])
    events, _ = from_bar(unfinished, 3, 100)
    assert kinds(events)[-3:].tolist() == [Kind.BAR, Kind.SECTION, Kind.TEMPO]


# Covering -------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [64, 100, 150, 4000])
def test_covering_windows_count_every_event_once_in_order(length):
    for work in (sequence(bars=16), sequence(2, bars=16).bare()):
        counted = []
        for window in covering_windows(work, length):
            assert len(window.targets) <= length
            counted.append(window.targets[window.counted])
        assert np.array_equal(np.concatenate(counted), work.events[1:])  # all but BOS


@given(pieces(most_tracks=3), st.integers(60, 120))
@examples(30)
def test_covering_windows_count_every_event_of_any_piece_once(piece, length):
    work = TokenisedWork.of(events_of(piece, Annotations(sections="A:1", genre="rock")))
    windows = covering_windows(work, length)
    counted = np.concatenate([window.targets[window.counted] for window in windows])
    assert np.array_equal(counted, work.events[1:])


def test_what_counts_is_predicted_from_half_a_window_of_music():
    work, length = sequence(bars=64).bare(), 200
    for window in covering_windows(work, length)[1:-1]:
        before = int(np.argmax(window.counted))
        assert before >= (length - len(work.header)) // 2


def test_covering_windows_do_not_tell_how_many_bars_there_are():
    for window in covering_windows(sequence(), 150):
        assert (window.columns[:, BAR] > 0).any()
        assert not window.columns[:, REMAINING].any()


@pytest.mark.parametrize("length", [4, 12, 20])
def test_a_bar_larger_than_the_window_is_refused_with_the_window(length):
    with pytest.raises(SettingError, match=f"than a window of {length}") as caught:
        covering_windows(sequence(), length)
    assert caught.value.where == "data.training_window"


# Training windows -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_each_target_of_a_training_window_is_the_next_event_seen(seed):
    window = sequence().training_window(80, AugmentConfig(), rng(seed))
    assert np.array_equal(window.columns[1:, :5], window.targets[:-1])
    assert len(window.columns) == len(window.targets) == len(window.counted) <= 80
    assert window.counted.all()
    assert window.columns[0, v.KIND] == Kind.BOS


@pytest.mark.parametrize("seed", range(10))
def test_a_training_window_without_variation_is_a_stretch_of_the_work(seed):
    work = sequence()
    window = work.training_window(80, PLAIN, rng(seed))
    events = np.concatenate([window.columns[:1, :5], window.targets])
    first = int(np.argmax(kinds(events) == Kind.BAR))
    bar = int(window.columns[first, BAR]) - 1
    expected, rows = from_bar(work, bar, 81)
    assert np.array_equal(events, expected)
    context = context_columns(expected, first_bar=bar, bars=8, echo=work.echo_at(rows))
    assert np.array_equal(window.columns[:, 5:], context[:-1])


@pytest.mark.parametrize("seed", range(10))
def test_a_shorter_training_window_is_the_beginning_of_a_longer_one(seed):
    """Seen events never tell what is to come."""
    long = sequence().training_window(100, PLAIN, rng(seed))
    columns = long.columns[:60]
    first = int(np.argmax(columns[:, 0] == Kind.BAR))
    again = context_columns(Events(columns[:, :5]), first_bar=int(columns[first, BAR]) - 1, bars=8)
    own = len(COLUMNS) - len(ECHO_COLUMNS)
    assert np.array_equal(columns[:, 5:][:, :own], again[:, :own])


def test_a_window_hears_what_was_before_it_and_nothing_that_comes():
    """The echo of a window's rows is that of the work cut off there, not of the window alone."""
    work = sequence(bars=16)
    events, rows = from_bar(work, 8, 60)
    whole = work.echo_at(rows)
    begun = TokenisedWork.of(work.events[: rows.max() + 1])
    assert np.array_equal(whole, begun.echo_at(rows))
    own = context_columns(events, first_bar=8)[:, -len(ECHO_COLUMNS) :]
    length = ECHO_COLUMNS.index("echo_length")
    assert (whole[:, length] >= own[:, length]).all()
    assert (whole[:, length] > own[:, length]).any()


@pytest.mark.parametrize("seed", range(8))
def test_a_varied_window_echoes_its_own_variation(seed):
    work = sequence(bars=16)
    augment = AugmentConfig(transpose=5, forget=0, forget_all=0, infill=0, tempo=0, fresh=0)
    window = work.training_window(100, augment, rng(seed))
    is_key = kinds(window.columns) == Kind.KEY
    key = int(window.columns[is_key, v.VALUE][0] - FIRST["key"]) // 2
    before = int(work.events[kinds(work.events) == Kind.KEY, v.VALUE][0] - FIRST["key"]) // 2
    semitones = (key - before + 6) % 12 - 6
    first = int(np.argmax(kinds(window.columns) == Kind.BAR))
    bar = int(window.columns[first, COLUMNS.index("bar") + 5]) - 1
    _, rows = from_bar(work, bar, 100)
    note = int(np.argmax(kinds(window.columns) == Kind.NOTE))
    louder = int(window.columns[note, v.LEVEL] - work.events[rows[note], v.LEVEL])
    played = TokenisedWork.of(
        revoiced(transposed(work.events, semitones), tempo=0, velocity=louder)
    )
    expected = played.echo_at(rows)[: len(window.columns)]
    assert np.array_equal(window.columns[:, -len(ECHO_COLUMNS) :], expected)


def test_a_share_of_windows_echoes_itself_alone():
    """As a piece does that has just begun: those windows tell what their own columns tell."""
    work, own = sequence(bars=16), []
    for seed in range(200):
        window = work.training_window(80, replace(PLAIN, fresh=0.5), rng(seed))
        first = int(np.argmax(kinds(window.columns) == Kind.BAR))
        bar = int(window.columns[first, COLUMNS.index("bar") + 5]) - 1
        again = context_columns(Events(window.columns[:, :5]), first_bar=bar, bars=16)
        if bar > 0:
            own.append(bool(np.array_equal(window.columns[:, 5:], again)))
    assert 0.35 < np.mean(own) < 0.65


def test_the_same_seed_gives_the_same_window_and_another_another():
    windows = [sequence().training_window(80, AugmentConfig(), rng(s)) for s in (3, 3, 4)]
    same = [np.array_equal(windows[0].columns, w.columns) for w in windows]
    assert same == [True, True, False]


def test_training_windows_begin_everywhere_but_are_rarely_short():
    work = sequence(bars=16)
    windows = [work.training_window(80, PLAIN, rng(seed)) for seed in range(300)]
    first_bars = {int(w.columns[:, BAR].max(initial=0)) for w in windows}
    assert len(first_bars) > 8
    assert sum(len(w.targets) < 60 for w in windows) == 0


def test_a_piece_shorter_than_the_window_is_seen_whole():
    work = TokenisedWork.of(events_of(Piece(480, [Track(notes=[Note(0, 480, 60, 83)])])))
    window = work.training_window(500, PLAIN, rng())
    assert np.array_equal(window.targets, work.events[1:])


def test_training_never_changes_the_work():
    work = sequence()
    before = work.events.array.copy()
    for seed in range(5):
        work.training_window(80, AugmentConfig(), rng(seed))
    assert np.array_equal(work.events.array, before)


# Variation ------------------------------------------------------------------------------


@pytest.mark.parametrize("semitones", [-7, -1, 0, 3, 12])
def test_transposing_events_is_transposing_the_music(semitones):
    events = transposed(Theme(1).events(), semitones)
    expected = Theme(1).piece()
    for track in expected.tracks[:2]:
        track.notes = [
            Note(n.onset_ticks, n.duration_ticks, n.pitch + semitones, n.velocity)
            for n in track.notes
        ]
    found = decode(events)
    assert [t.notes for t in found.tracks] == [t.notes for t in expected.tracks]


@pytest.mark.parametrize("semitones", [-7, 5, 12])
def test_chords_and_key_move_with_the_notes_and_keep_their_quality(semitones):
    before, after = Theme(1).events(), transposed(Theme(1).events(), semitones)
    for a, b in zip(before.tolist(), after.tolist(), strict=True):
        if a[v.KIND] == Kind.CHORD:
            assert chord_of(b[v.VALUE]) == chord_of(a[v.VALUE]).transposed(semitones)
        elif a[v.KIND] == Kind.KEY:
            old, new = (divmod(row[v.VALUE] - FIRST["key"], 2) for row in (a, b))
            assert new == ((old[0] + semitones) % 12, old[1])
        elif a[v.KIND] != Kind.NOTE:
            assert a == b


@pytest.mark.parametrize("semitones", [-7, 5, 12])
def test_told_registers_are_those_of_the_transposed_music(semitones):
    work, piece = sequence(), Theme(1).piece()
    for track in piece.tracks[:2]:
        track.notes = [
            Note(n.onset_ticks, n.duration_ticks, n.pitch + semitones, n.velocity)
            for n in track.notes
        ]
    expected, found = events_of(piece), transposed(work.events, semitones, work.means)
    tracks = [e[kinds(e) == Kind.TRACK, v.LEVEL].tolist() for e in (expected, found)]
    assert tracks[0] == tracks[1]
    assert tracks[1] != work.events[kinds(work.events) == Kind.TRACK, v.LEVEL].tolist()


def test_no_chord_stays_no_chord():
    events = events_of(Theme(1).piece(), Annotations(chords="NC"))
    row = int(np.argmax(kinds(events) == Kind.CHORD))
    assert transposed(events, 5)[row] == events[row]


@given(st.integers(0, 127), st.integers(0, 127), st.integers(0, 12), st.integers(0, 9))
def test_a_random_shift_keeps_every_pitch_on_the_keyboard(low, high, most, seed):
    notes = [Note(0, 480, low, 83), Note(480, 480, high, 83)]
    events = events_of(Piece(480, [Track(notes=notes)]))
    shift = random_shift(events, most, rng(seed))
    assert -most <= shift <= most
    assert all(0 <= pitch + shift <= 127 for pitch in (low, high))


def test_drums_alone_are_never_shifted():
    drums = Piece(480, [Track(is_drum=True, notes=[Note(0, 40, 36, 83)])])
    assert [random_shift(events_of(drums), 6, rng(s)) for s in range(5)] == [0] * 5


def test_every_shift_within_reach_occurs():
    shifts = {random_shift(Theme(1).events(), 2, rng(seed)) for seed in range(60)}
    assert shifts == {-2, -1, 0, 1, 2}


@pytest.mark.parametrize(("tempo", "velocity"), [(3, -2), (-1, 1), (0, 2)])
def test_revoicing_moves_all_velocities_alike_and_all_tempos_alike(tempo, velocity):
    before = Theme(1).events().array.astype(int)
    after = revoiced(Theme(1).events(), tempo=tempo, velocity=velocity).array.astype(int)
    notes, tempos = kinds(before) == Kind.NOTE, kinds(before) == Kind.TEMPO
    assert set((after - before)[notes, v.LEVEL]) == {velocity}
    assert set((after - before)[tempos, v.VALUE]) == {tempo}
    after[notes, v.LEVEL], after[tempos, v.VALUE] = 0, 0
    before[notes, v.LEVEL], before[tempos, v.VALUE] = 0, 0
    assert np.array_equal(before, after)


@pytest.mark.parametrize("shift", [-9, 9])
def test_revoicing_stays_within_what_exists(shift):
    loud = Piece(480, [Track(notes=[Note(0, 480, 60, 127)])], [Tempo(0, 250_000)])
    decode(revoiced(events_of(loud), tempo=shift, velocity=shift))


def test_training_windows_are_varied_in_every_way_they_may_be():
    augment = AugmentConfig(transpose=2, tempo=1, velocity=1, forget=0, forget_all=0, infill=0)
    plain = [sequence().training_window(60, PLAIN, rng(s)).targets.astype(int) for s in range(60)]
    varied = [sequence().training_window(60, augment, rng(s)).targets for s in range(60)]
    moves: dict[tuple[int, int], set[int]] = {}
    for before, after in zip(plain, varied, strict=True):
        for kind, field in ((Kind.NOTE, v.LEVEL), (Kind.TEMPO, v.VALUE), (Kind.KEY, v.VALUE)):
            chosen = kinds(before) == kind
            moves.setdefault((kind, field), set()).update((after - before)[chosen, field].tolist())
    assert moves[Kind.NOTE, v.LEVEL] == moves[Kind.TEMPO, v.VALUE] == {-1, 0, 1}
    assert len({move % 24 for move in moves[Kind.KEY, v.VALUE]}) == 5


def test_forgetting_all_leaves_only_music():
    events = Theme(1).events()
    left, kept = forgetful(events, 1.0, rng())
    assert left.kind.tolist() == events[kept].kind.tolist()
    assert not np.isin(kinds(left), ATTRIBUTES).any()
    assert not left[kinds(left) == Kind.TRACK, v.EXTENT :].any()
    assert not left[kinds(left) == Kind.CELL, v.EXTENT].any()
    music, before = decode(left), decode(events)
    for track in before.tracks:
        track.role = None
    assert music == before


def test_forgetting_nothing_leaves_everything():
    assert forgetful(Theme(1).events(), 0.0, rng())[0] == Theme(1).events()


def test_each_annotation_is_forgotten_by_itself():
    seen = set()
    for seed in range(40):
        left, _ = forgetful(Theme(1).events(), 0.5, rng(seed))
        seen.add(tuple(bool((kinds(left) == kind).any()) for kind in ATTRIBUTES))
    assert len(seen) > 20


def test_bare_is_the_same_whoever_asks():
    work = sequence()
    assert np.array_equal(work.bare().events, work.bare().events)
    assert work.bare().notes == work.notes == 64 + 8 + 16


def test_without_roles_and_chords_events_are_bare_but_for_density_and_register():
    work = TokenisedWork.of(events_of(Theme(1).piece())).bare()
    assert np.array_equal(work.events, sequence().bare().events)


@pytest.mark.parametrize(
    "changes",
    [{"forget": 1.1}, {"forget_all": -0.1}, {"transpose": -1}, {"tempo": -1}, {"velocity": -2}],
)
def test_variation_outside_its_range_is_refused_by_name(changes):
    with pytest.raises(
        SettingError, match=rf"^{next(iter(changes))}: {next(iter(changes.values()))}"
    ):
        AugmentConfig(**changes)


def test_pitches_stay_pitches_and_drums_stay_drums():
    value = transposed(Theme(1).events(), 6)[:, v.VALUE]
    before = Theme(1).events()[:, v.VALUE]
    drum = np.isin(before, SPANS["drum"])
    assert np.array_equal(value[drum], before[drum])
    assert np.isin(value[np.isin(before, SPANS["pitch"])], SPANS["pitch"]).all()


# Holes ----------------------------------------------------------------------------------


def same_music(a: Events, b: Events) -> bool:
    found, expected = decode(a), decode(b)
    for track in expected.tracks:
        track.notes.sort(key=lambda note: (note.onset_ticks, note.pitch))
        track.pedals.sort()
    return found == expected


@pytest.mark.parametrize("seed", range(20))
def test_what_is_punched_out_and_filled_in_again_is_the_same_music(seed):
    work = sequence(seed)
    holes = rng(seed).random((8, 3)) < 0.4
    events, origin = punched(work.events, holes)
    assert np.array_equal(events[origin >= 0, :3], work.events[origin[origin >= 0], :3])
    assert (kinds(events) == Kind.HOLE).sum() == (kinds(events) == Kind.FILL).sum() == holes.sum()
    assert same_music(events, work.events)


def test_holes_stand_where_their_cells_stood_and_are_filled_in_their_order():
    holes = np.zeros((8, 3), dtype=bool)
    holes[2, 0] = holes[2, 2] = holes[5, 1] = True
    events, _ = punched(sequence().events, holes)
    bar = np.cumsum(kinds(events) == Kind.BAR) - 1
    where = [
        (int(bar[row]), int(events[row, v.VALUE]) - FIRST["slot"])
        for row in np.flatnonzero(kinds(events) == Kind.HOLE)
    ]
    assert where == [(2, 0), (2, 2), (5, 1)]
    fills = events[kinds(events) == Kind.FILL]
    assert (fills[:, v.VALUE] - FIRST["slot"]).tolist() == [0, 2, 1]
    first_fill = int(np.argmax(kinds(events) == Kind.FILL))
    assert set(kinds(events[first_fill:])) <= {Kind.FILL, Kind.NOTE, Kind.PEDAL, Kind.EOS}
    assert kinds(events)[-1] == Kind.EOS


def test_a_fill_is_told_the_density_of_its_cell_and_an_empty_cell_has_none():
    work = sequence()
    cells = work.events[kinds(work.events) == Kind.CELL]
    every, _ = punched(work.events, np.ones((8, 3), dtype=bool))
    fills = every[kinds(every) == Kind.FILL]
    assert sorted(e for e in fills[:, v.EXTENT] if e) == sorted(cells[:, v.EXTENT].tolist())
    assert len(fills) == 24


@pytest.mark.parametrize("seed", range(100))
def test_punched_windows_fit_and_ask_for_holes_without_predicting_where(seed):
    augment = AugmentConfig(infill=1.0)
    length = (40, 60, 120, 250)[seed % 4]
    window = sequence(seed % 3, bars=16).training_window(length, augment, rng(seed))
    assert len(window.targets) <= length
    holes = kinds(window.columns) == Kind.HOLE
    assert not kinds(window.targets)[:-1][holes[1:]].any()
    fills = kinds(window.columns) == Kind.FILL
    assert holes.sum() == fills.sum()
    bar = COLUMNS.index("bar") + 5
    assert window.columns[holes, bar].tolist() == window.columns[fills, bar].tolist()


def test_scattered_cells_whole_tracks_and_stretches_of_bars_are_all_asked_for():
    shapes = set()
    for seed in range(60):
        holes = holes_at_random(sequence(bars=8).events, 400, rng(seed))
        assert holes.shape == (8, 3)
        tracks, bars = holes.any(0), holes.any(1)
        full = bool((holes == np.outer(bars, tracks)).all())
        shapes.add("tracks" if full and bars.all() else "stretch" if full else "scattered")
    assert shapes == {"tracks", "stretch", "scattered"}


def test_a_stretch_without_a_whole_bar_stays_as_it_is():
    events = sequence().events[:20]
    assert holes_at_random(events, 20, rng()) is None


@pytest.mark.parametrize("seed", range(6))
def test_a_window_with_holes_hears_the_whole_work_but_for_its_holes(seed):
    """What is told is what the whole work, with these holes and transposed alike, tells."""
    work = sequence(seed % 3, bars=16)
    augment = AugmentConfig(transpose=5, forget=0, forget_all=0, infill=1, fresh=0)
    window = work.training_window(120, augment, rng(seed))
    events = np.concatenate([window.columns[:, :5], [[Kind.EOS, 0, 0, 0, 0]]])
    bar = window.columns[:, BAR]
    is_hole = kinds(window.columns) == Kind.HOLE
    assert is_hole.any()
    holes = np.zeros((16, 3), dtype=bool)
    holes[bar[is_hole] - 1, window.columns[is_hole, v.VALUE] - FIRST["slot"]] = True
    shift = int(np.argmax(kinds(events) == Kind.KEY))
    key = (int(events[shift, v.VALUE]) - int(work.events[shift, v.VALUE])) // 2
    played = revoiced(transposed(work.events, (key + 6) % 12 - 6), tempo=0, velocity=0)
    whole, _ = punched(played, holes)
    told = echo_columns(echoes(whole))
    fills = np.flatnonzero(kinds(whole) == Kind.FILL)
    first_fill = int(np.argmax(kinds(window.columns) == Kind.FILL))
    found = window.columns[first_fill:, -len(ECHO_COLUMNS) :]
    level = ECHO_COLUMNS.index("echo_level")  # louder or softer by chance
    expected = np.delete(told[fills[0] :][: len(found)], level, axis=1)
    assert np.array_equal(np.delete(found, level, axis=1), expected)
    assert found.any()
