"""What is written into a file: everything else of it stays, and what is new keeps the rules."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutants import make_valid, mutate

from drafts import CONTEXT, written
from gen.analysis import analyse
from gen.errors import HouseError, SettingError
from gen.piece import (
    DRUM_PROGRAM,
    KeySignature,
    Marker,
    Note,
    Pedal,
    Piece,
    Tempo,
    TimeSignature,
    Track,
)
from gen.provenance.admission.mark import mark_generated
from gen.rendering.labels import kinds_of, signs
from gen.safe_parse import Examined
from gen.sampling.drafting.draft import Draft
from gen.sampling.in_file.continuation import Continuation
from gen.sampling.in_file.rewriting import Rewriting
from gen.sampling.in_file.source import MOST_FILE_BARS, Source
from gen.sampling.job import FromNothing, job_of
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.plan import DRUM_SOUNDS
from gen.sampling.request import FileTask
from gen.smf import Normalised, normalise, parse, write
from gen.tokens import vocabulary as v
from gen.tokens.columns import COLUMNS, context_columns
from gen.tokens.echo import ECHO_COLUMNS
from gen.tokens.events import Events
from gen.tokens.vocabulary import Kind
from gen.tokens.word_ids import chord_of
from houses import make_piece
from music import FIRST, loose_pieces, pieces, random_row
from thorough import examples

SEEDS = range(40)
BAR = len(v.FIELDS) + COLUMNS.index("bar")


def source_of(piece: Piece) -> Source:
    """The piece as it comes back from a file."""
    return Source.of("song.mid", write(piece), examined(write(piece)))


def examined(data: bytes) -> Examined:
    normalised = normalise(data)
    return Examined(normalised, analyse(normalised.piece, normalised.cues))


def readable(piece: Piece) -> bool:
    """Whether the tokenizer takes the piece: a bar cut short may have no signature."""
    try:
        source_of(piece)
    except HouseError:
        return False
    return True


def apart(piece: Piece) -> Piece:
    """The piece without notes, pedals and signatures that a strict file may not hold."""
    for track in piece.tracks:
        notes: list[Note] = []
        free: dict[int, int] = {}
        for note in track.notes:
            if note.onset_ticks >= free.get(note.pitch, 0):
                notes.append(note)
                free[note.pitch] = note.end_ticks
        pedals: list[Pedal] = []
        for pedal in track.pedals:
            if not pedals or pedal.onset_ticks >= sum((pedals[-1].onset_ticks,
                                                       pedals[-1].duration_ticks)):  # fmt: skip
                pedals.append(pedal)
        track.notes, track.pedals = notes, pedals
    for name in ("tempos", "time_signatures"):
        setattr(piece, name, list({e.onset_ticks: e for e in getattr(piece, name)}.values()))
    return piece


anything = (pieces(most_tracks=3) | loose_pieces()).map(apart).filter(readable)


def counted(notes: list[Note]) -> dict[Note, int]:
    return {note: notes.count(note) for note in notes}


def check(source: Source, piece: Piece, places: set[tuple[int, int]], bars: int) -> list[Note]:
    """Whether all else is as it was; the new notes."""
    old = source.piece
    assert parse(write(piece)).tracks  # strict: nothing is struck while it sounds
    assert piece.ticks_per_quarter == old.ticks_per_quarter
    assert (piece.tempos, piece.time_signatures) == (old.tempos, old.time_signatures)
    assert piece.key_signatures == old.key_signatures
    kinds = [kind for kind, _ in kinds_of(old)]
    lasting = [m for m, kind in zip(old.markers, kinds, strict=True) if kind != "chord"]
    assert not Counter(lasting) - Counter(piece.markers)
    steps = Fraction(old.ticks_per_quarter, v.STEPS_PER_QUARTER)
    new = []
    for slot, track in enumerate(piece.tracks):
        before = old.tracks[slot] if slot < len(old.tracks) else Track()
        if before.notes:
            assert (track.name, track.instrument) == (before.name, before.instrument)
        kept = [n for n in before.notes if (source.bar_of(n.onset_ticks), slot) not in places]
        pedals = [p for p in before.pedals if (source.bar_of(p.onset_ticks), slot) not in places]
        assert [p for p in track.pedals if p in pedals] == pedals
        fresh = list(track.notes)
        for note in kept:
            fresh.remove(note)
        for note in fresh:
            bar = int(np.searchsorted(source.starts, note.onset_ticks / steps, side="right")) - 1
            assert bar >= bars or (bar, slot) in places
            end = bar + 1  # of the cells beside it
            while (end, slot) in places:
                end += 1
            if bar < bars:
                assert note.end_ticks <= source.ticks(int(source.starts[end]))
            low, high = DRUM_SOUNDS if track.is_drum else (0, 127)
            assert low <= note.pitch <= high
        new += fresh
    return new


@examples(60)
@given(anything, st.integers(0, 2**32), st.floats(0.05, 1), st.sampled_from([0.0, 0.6, 0.95]))
def test_a_variation_rewrites_its_share_and_nothing_else(piece, seed, amount, notes):
    source = source_of(piece)
    job = Rewriting.of(FileTask("vary", None, amount=amount), source, Controls())
    draft = written(job, seed, notes=notes)
    places = {(hole.bar, hole.slot) for hole in draft.order.holes}
    result = job.finish(draft).piece
    sounding = {
        (source.bar_of(note.onset_ticks), slot)
        for slot, track in enumerate(source.piece.tracks)
        for note in track.notes
    }
    assert places <= sounding
    assert len(places) == max(round(amount * len(sounding)), 1)
    check(source, result, places, source.bars)


@examples(60)
@given(anything, st.integers(0, 2**32), st.sampled_from([0.0, 0.6, 0.95]))
def test_every_instrument_that_is_added_sounds_and_the_file_stays(piece, seed, notes):
    source = source_of(piece)
    task = FileTask("accompany", None, add=("violin", "drums"))
    job = Rewriting.of(task, source, Controls(pitch_range=(50, 80), velocity_range=(40, 90)))
    result = job.finish(written(job, seed, notes=notes)).piece
    count = len(source.piece.tracks)
    places = {(bar, slot) for bar in range(source.bars) for slot in (count, count + 1)}
    new = check(source, result, places, source.bars)
    assert [track.instrument for track in result.tracks[count:]] == [40, DRUM_PROGRAM]
    assert all(track.notes for track in result.tracks)
    assert all(40 <= note.velocity <= 90 for note in new)
    assert all(55 <= note.pitch <= 80 for note in result.tracks[count].notes)


@examples(60)
@given(anything, st.integers(0, 2**32), st.integers(1, 6), st.sampled_from([0.0, 0.6, 0.95]))
def test_a_continuation_has_its_bars_after_all_that_was_there(piece, seed, bars, notes):
    source = source_of(piece)
    job = Continuation.of(source, Controls(bars=bars))
    result = job.finish(written(job, seed, notes=notes)).piece
    new = check(source, result, set(), job.given)
    assert new
    begin = source.ticks(int(source.starts[job.given]))
    assert all(note.onset_ticks >= begin for note in new)
    signature = source.grid.bars[job.given - 1][1:]
    end = int(source.starts[job.given]) + bars * v.bar_steps(*signature)
    assert all(note.end_ticks <= source.ticks(end) for note in new)


@examples(40)
@given(anything, st.integers(0, 2**32), st.data())
def test_cells_that_are_filled_in_are_those_that_were_named(piece, seed, data):
    source = source_of(piece)
    first = data.draw(st.integers(1, source.bars))
    last = data.draw(st.integers(first, source.bars))
    slot = data.draw(st.integers(1, len(source.piece.tracks)))
    task = FileTask("infill", None, cells=f"bars {first}-{last} of {slot}, bar {first} of all")
    job = Rewriting.of(task, source, Controls())
    draft = written(job, seed)
    places = {(bar, slot - 1) for bar in range(first - 1, last)}
    places |= {(first - 1, other) for other in range(len(source.piece.tracks))}
    assert {(hole.bar, hole.slot) for hole in draft.order.holes} == places
    check(source, job.finish(draft).piece, places, source.bars)


@examples(30)
@given(anything, st.integers(0, 2**32))
def test_the_columns_of_a_filling_are_those_of_what_is_shown(piece, seed):
    source = source_of(piece)
    job = Rewriting.of(FileTask("vary", None, amount=0.6), source, Controls())
    draft, rng = job.draft([seed]), np.random.default_rng(seed)
    while not draft.done:
        shown = draft.prompt(CONTEXT)
        first = next(row[BAR] - 1 for row in shown if row[v.KIND] == Kind.BAR)
        for _ in range(CONTEXT - len(shown)):
            if draft.rests:
                break
            draft.take(random_row(draft, rng, 0.5))
        full = np.array(draft.context)
        events = Events(full[:, : len(v.FIELDS)].astype(np.int16))
        echo = full[:, -len(ECHO_COLUMNS) :]  # hears more than is shown, see test_fill
        columns = context_columns(events, first_bar=first, bars=source.bars, echo=echo)
        assert np.array_equal(full[:, len(v.FIELDS) :], columns)


# By example -----------------------------------------------------------------------------


def melody(*pitches: int, quarters: int = 1, division: int = 480) -> Piece:
    """One note after another, one voice."""
    length = quarters * division
    notes = [Note(i * length, length, pitch, 80) for i, pitch in enumerate(pitches)]
    return Piece(division, [Track("Tune", 73, notes=notes)], [Tempo(0, 500_000)],
                 [TimeSignature(0, 4, 4)])  # fmt: skip


def rows(draft: Draft, kind: Kind) -> list[list[int]]:
    return [row for row in draft.rows if row[v.KIND] == kind]


def rewriting(piece: Piece, controls: Controls | None = None, **task: object) -> Rewriting:
    mode = str(task.pop("mode", "infill"))
    asked = FileTask(mode, None, **task)  # type: ignore[arg-type]
    return Rewriting.of(asked, source_of(piece), controls or Controls())


def test_a_new_note_gives_way_to_what_was_played_off_the_grid():
    """A kept note reaches half a step into the hole, another begins half a step before its end."""
    notes = [Note(0, 1930, 60, 80), Note(1940, 1000, 62, 80), Note(3835, 900, 60, 80)]
    piece = Piece(480, [Track("Tune", 73, notes=notes)])
    job = rewriting(piece, Controls(pitch_range=(60, 61)), cells="bar 2 of 1")
    struck = 0
    for seed in SEEDS:
        result = job.finish(written(job, seed, notes=0.8)).piece
        assert parse(write(result)).note_count == result.note_count
        same = [n for n in result.tracks[0].notes if n.pitch == 60]
        struck += len(same) > 2
        assert all(a.end_ticks <= b.onset_ticks for a, b in itertools.pairwise(same))
    assert struck > 10


def test_a_pedal_that_stays_is_not_pressed_again():
    piece = melody(*[60] * 16)
    piece.tracks[0].pedals = [Pedal(0, 2400), Pedal(3830, 500)]
    job = rewriting(piece, cells="bar 2 of 1")
    for seed in SEEDS:
        pedals = job.finish(written(job, seed)).piece.tracks[0].pedals
        ends = [p.onset_ticks + p.duration_ticks for p in pedals]
        assert all(end <= p.onset_ticks for end, p in zip(ends, pedals[1:], strict=False))
        assert {Pedal(0, 2400), Pedal(3830, 500)} <= set(pedals)


def test_a_cell_that_sounded_sounds_again_and_a_silent_one_may_stay_silent():
    piece = make_piece(bars=8)
    piece.tracks[1].notes = [n for n in piece.tracks[1].notes if n.onset_ticks >= 4 * 1920]
    job = rewriting(piece, cells="bars 1-8 of bass")
    heard = np.zeros(8)
    for seed in range(60):
        draft = written(job, seed, notes=0.1)
        notes = job.finish(draft).piece.tracks[1].notes
        heard[sorted({n.onset_ticks // 1920 for n in notes})] += 1
    assert (heard[4:] == 60).all()
    assert (heard[:4] > 0).all()
    assert (heard[:4] < 60).any()


def test_what_is_written_anew_is_told_as_dense_as_what_it_replaces():
    job = rewriting(make_piece(bars=4), cells="bars 2-3 of all")
    draft = written(job, 1)
    before = {place: cell[0][v.EXTENT] for place, cell in job.table.cells.items()}
    after = {place: cell[0][v.EXTENT] for place, cell in draft.order.table.cells.items()}
    assert after == before
    asked = rewriting(make_piece(bars=4), Controls(density=7), cells="bars 2-3 of all")
    densest = {(hole.bar, hole.slot) for hole in asked.holes}
    found = {
        place: cell[0][v.EXTENT] for place, cell in written(asked, 1).order.table.cells.items()
    }
    dense = FIRST["density"] + 7
    assert {place for place, density in found.items() if density == dense} >= densest


def test_density_is_told_of_added_tracks_where_it_is_asked():
    piece = make_piece(bars=4)
    untold = rewriting(piece, mode="accompany", add=("violin", "drums"))
    assert {row[v.EXTENT] for row in rows(written(untold, 1), Kind.CELL)} == {0}
    job = rewriting(piece, Controls(density=("dense", 1)), mode="accompany",
                    add=("violin", "drums"))  # fmt: skip
    cells = {slot: set() for slot in range(5)}
    for row in rows(written(job, 1), Kind.CELL):
        cells[row[v.VALUE] - FIRST["slot"]].add(row[v.EXTENT] - FIRST["density"])
    assert all(density >= 0 for slot in range(3) for density in cells[slot])
    assert cells[3] - {-FIRST["density"]} <= {5, 6, 7}
    assert cells[4] - {-FIRST["density"]} <= {1}
    with pytest.raises(SettingError, match="3 densities for 2 tracks"):
        rewriting(piece, Controls(density=(1, 2, 3)), mode="accompany", add=("violin", "drums"))


def test_a_bar_that_fills_the_context_is_shown_without_its_longest_cells():
    chords = [Note(i * 120, 100, 40 + p * 3, 80) for i in range(64) for p in range(8)]
    tune = [Note(i * 480, 400, 70, 80) for i in range(16)]
    piece = Piece(480, [Track("Chords", 0, notes=chords), Track("Tune", 73, notes=tune)])
    job = rewriting(piece, cells="bars 2-3 of tune")
    draft = job.draft([1])
    shown = draft.prompt(CONTEXT)
    assert len(shown) < CONTEXT
    assert sum(row[v.KIND] == Kind.BAR for row in shown) == 1
    check(job.source, job.finish(written(job, 1)).piece, {(1, 1), (2, 1)}, 4)


def test_a_long_piece_is_filled_stretch_by_stretch_around_its_holes():
    piece = make_piece(bars=40)
    job = rewriting(piece, mode="accompany", add=("violin",))
    draft, rng = job.draft([1]), np.random.default_rng(1)
    views = []
    while not draft.done:
        shown = draft.prompt(CONTEXT)
        numbers = [row[BAR] - 1 for row in shown if row[v.KIND] == Kind.BAR]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert all(row[BAR] == 0 for row in shown[: len(draft.order.table.header)])
        assert draft.order.holes[draft.order.filled].bar in numbers
        views.append(numbers)
        for _ in range(CONTEXT - len(shown)):
            if not draft.rests:
                draft.take(random_row(draft, rng, 0.2))
    assert len(views) > 5
    assert views[-1][-1] == 39
    middle = views[len(views) // 2]
    assert middle[0] > 0
    assert middle[-1] < 39


def test_a_continuation_begins_after_the_last_bar_that_sounds():
    def given(*notes: Note) -> int:
        piece = Piece(480, [Track("Tune", 73, notes=list(notes))])
        return Continuation.of(source_of(piece), Controls(bars=4)).given

    assert given(Note(0, 480, 60, 80)) == 1
    assert given(Note(0, 1920 + 470, 60, 80)) == 1  # a tail of a quarter is no bar
    assert given(Note(0, 1920 + 960, 60, 80)) == 2
    assert given(Note(0, 480, 60, 80), Note(3840 + 960, 480, 60, 80)) == 3


def test_a_continuation_keeps_tempo_and_meter_and_takes_chords_for_its_own_bars():
    piece = make_piece(bars=6, tempos=[Tempo(0, 500_000), Tempo(1920, 600_000)],
                       markers=[Marker(0, "Here")])  # fmt: skip
    controls = Controls(bars=4, chords="Am | F", sections="a:1 ending:7")
    job = Continuation.of(source_of(piece), controls)
    draft = written(job, 2)
    assert len(rows(draft, Kind.BAR)) == 10
    result = job.finish(draft).piece
    assert result.tempos == piece.tempos
    texts = [(marker.onset_ticks // 1920, marker.text) for marker in result.markers]
    assert texts == [(0, "Here"), (6, "Ending"), (6, "Am"), (7, "F"), (8, "Am"), (9, "F")]
    assert job.controls.bars == 10


def begun_with(last: str, **asked: str) -> set[str]:
    """The sections that first new bars begin with after one of this name; "" for none.

    Without a name the file names no section at all.
    """
    names = [Marker(0, "Intro"), Marker(1920, "Section A"), Marker(4 * 1920, last)]
    names = names if last else []
    job = Continuation.of(source_of(make_piece(bars=6, markers=names)), Controls(bars=4, **asked))
    found = set()
    for seed in SEEDS:
        draft = written(job, seed)
        first = draft.rows[draft.state.bar_rows[6] + 1]
        is_named = first[v.KIND] == Kind.SECTION
        found.add(v.SECTIONS[first[v.VALUE] - FIRST["section"]] if is_named else "")
    return found


def test_after_an_ending_another_section_begins():
    after = begun_with("Ending")
    assert len(after) > 5
    assert not after & {"", "intro", "ending", "other"}
    assert "" in begun_with("Section B")
    assert begun_with("Outro", sections="intro:7 a:9") == {"intro"}


def test_where_no_section_is_named_the_second_begins():
    assert begun_with("") == {"b"}
    assert begun_with("", sections="intro:7 a:9") == {"intro"}
    assert begun_with("Ending", sections="a:8") == {""}


def test_a_variation_draws_other_cells_for_other_seeds():
    job = rewriting(make_piece(bars=8), mode="vary", amount=0.25)
    drawn = [{(h.bar, h.slot) for h in job.draft([seed]).order.holes} for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_a_harmony_is_made_for_a_bare_melody_and_heard_in_anything_fuller():
    tune = melody(60, 64, 67, 64, 65, 69, 65, 69, 67, 71, 74, 71, 60, 64, 60, 60)
    job = rewriting(tune, mode="harmonise")
    chords = [str(chord_of(row[v.VALUE])) for row in job.table.bars[0] if row[0] == Kind.CHORD]
    told = [
        str(chord_of(row[v.VALUE])) for bar in job.table.bars for row in bar if row[0] == Kind.CHORD
    ]
    assert told == ["C", "F", "G", "C"]
    assert chords == ["C"]
    result = job.finish(written(job, 1)).piece
    assert [t.name for t in result.tracks] == [
        "Tune", "Acoustic Grand Piano (accompaniment)", "Acoustic Bass (bass)",
    ]  # fmt: skip
    full = replace(tune, tracks=[*tune.tracks, Track("Pad", 89, notes=[
        Note(bar * 1920, 1920, pitch, 60)
        for bar, chord in enumerate([(57, 60, 64), (50, 53, 57), (52, 55, 59), (57, 60, 64)])
        for pitch in chord
    ])])  # fmt: skip
    heard = rewriting(full, mode="harmonise", add=("cello",))
    assert heard.source.analysis.chords
    assert heard.chords == ()  # nobody chose them
    roots = [chord_of(r[v.VALUE]).root for b in heard.table.bars for r in b if r[0] == Kind.CHORD]
    assert roots != [0, 5, 7, 0]
    given = rewriting(tune, Controls(chords="Am | %"), mode="harmonise")
    asked = {str(chord_of(r[v.VALUE])) for b in given.table.bars for r in b if r[0] == Kind.CHORD}
    assert asked == {"Am"}


@pytest.mark.parametrize(
    ("before", "chords", "after"),
    [
        ([], None, [(0, "C"), (1, "F"), (2, "G"), (3, "C")]),
        ([(0, "Verse"), (0, "Dm"), (1, "G7")], "Am | F", [
            (0, "Verse"), (0, "Am"), (1, "F"), (2, "Am"), (3, "F"),
        ]),
        ([(0, "A"), (2, "B")], "Am | %", [(0, "A"), (0, "Am"), (2, "B"), (2, "Am")]),
    ],
)  # fmt: skip
def test_chords_that_were_chosen_stand_as_markers_and_nothing_else_is_changed(
    before, chords, after
):
    tune = melody(60, 64, 67, 64, 65, 69, 65, 69, 67, 71, 74, 71, 60, 64, 60, 60)
    tune.markers = [Marker(bar * 1920, text) for bar, text in before]
    job = rewriting(tune, Controls(chords=chords), mode="harmonise")
    draft = written(job, 1)
    result = job.finish(draft).piece
    assert [(marker.onset_ticks // 1920, marker.text) for marker in result.markers] == after
    sections = {text for _, text in before} - {"Dm", "G7"}
    assert {marker.text for marker in signs(result).sections} == sections
    plain = replace(job, chords=()).finish(draft).piece
    assert replace(result, markers=tune.markers) == plain


@pytest.mark.parametrize(
    ("first", "chords", "lie"),
    [
        (1440, "C | F", [(0, "NC"), (1, "C"), (2, "F"), (3, "C")]),  # begins on the fourth beat
        (480, "C | F", [(0, "C"), (1, "F"), (2, "C"), (3, "F")]),
        (1440, "G | C | F | C", [(0, "G"), (1, "C"), (2, "F"), (3, "C")]),  # one for every bar
    ],
)
def test_chords_of_a_file_with_a_pick_up_begin_where_its_first_whole_bar_does(first, chords, lie):
    tune = melody(*[60] * 13)
    tune.tracks[0].notes = [Note(first + i * 480, 480, 60, 80) for i in range(13)]
    job = rewriting(tune, Controls(chords=chords), mode="harmonise")
    found = [(marker.onset_ticks // 1920, marker.text) for marker in job.chords]
    assert [pair for pair in found if pair[0] < 4] == lie


def test_degrees_given_for_a_file_are_those_of_its_key():
    tune = melody(67, 71, 74, 71, 72, 76, 79, 76, 74, 78, 81, 78, 79, 83, 79, 67)
    tune.key_signatures = [KeySignature(0, 1, False)]
    job = rewriting(tune, Controls(chords="I | IV | V | I"), mode="harmonise")
    assert [marker.text for marker in job.chords] == ["G", "C", "D", "G"]


# Settings and files -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"continue": "a.mid", "vary": "b.mid"}, "continue and vary at once"),
        ({"infill": "a.mid"}, "cells: is missing"),
        ({"accompany": "a.mid"}, "add: is missing"),
        ({"accompany": "a.mid", "add": ["bass"], "cells": "bar 1 of all"}, "belongs to infill"),
        ({"vary": "a.mid", "add": ["bass"]}, "belongs to accompany or harmonise"),
        ({"add": ["bass"]}, "belongs to accompany or harmonise"),
        ({"amount": 0.5}, "belongs to vary"),
        ({"vary": "a.mid", "amount": 1.5}, "no share above 0"),
        ({"vary": "a.mid", "amount": "much"}, "is no number"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(wrong, message):
    with pytest.raises(SettingError) as refused:
        FileTask.of(wrong)
    assert message in str(refused.value)


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    path = tmp_path_factory.mktemp("songs") / "song.mid"
    path.write_bytes(write(make_piece(bars=4)))
    return path


@pytest.mark.parametrize(
    ("controls", "settings", "message"),
    [
        (Controls(tempo=100), {"vary": ""}, "comes from the file that vary= names"),
        (Controls(instruments=("flute",)), {"continue": ""}, "comes from the file"),
        (Controls(time_signature="3/4"), {"continue": ""}, "comes from the file"),
        (Controls(roles=("bass",)), {"vary": ""}, "roles: belongs to add"),
        (Controls(), {"continue": ""}, "bars: is missing"),
        (Controls(bars=4, chords="A|B|C|D|E"), {"continue": ""}, "5 bars for 4 bars"),
        (Controls(chords="A|B|C|D|E"), {"vary": ""}, "5 bars for 4 bars"),
        (Controls(), {"accompany": "", "add": ["fluit"]}, "did you mean 'flute'"),
        (Controls(), {"accompany": "", "add": ["flute"] * 22}, "3 tracks and 22 more"),
        (Controls(), {"infill": "", "cells": "bar 9 of all"}, "the file has 4 bars"),
        (
            Controls(pitch_range=(0, 30)),
            {"infill": "", "cells": "all of melody"},
            "leaves 'melody' nothing to play: it plays 59 to 98",
        ),
        (
            Controls(pitch_range=(110, 120)),
            {"infill": "", "cells": "all of melody"},
            "leaves 'melody' nothing to play: it plays 59 to 98",
        ),
        (Controls(bars=4, pitch_range=(110, 120)), {"continue": ""}, "leaves 'melody' nothing"),
        (Controls(pitch_range=(0, 30)), {"accompany": "", "add": ["flute"]}, "leaves flute"),
    ],
)
def test_what_the_file_cannot_follow_is_refused(song, controls, settings, message):
    named = {name: value or str(song) for name, value in settings.items()}
    with pytest.raises(SettingError) as refused:
        job_of(controls, FileTask.of(named))
    assert message in str(refused.value)


def test_without_a_file_pieces_are_from_nothing():
    job = job_of(Controls(bars=2, instruments=("flute",)), FileTask.of({"vary": None, "add": []}))
    assert isinstance(job, FromNothing)
    assert job.finish(written(job, 1)).piece.tracks[0].program == 73
    assert job.finish(written(job, 1)).source == {}


def test_a_generated_piece_can_be_gone_on_with(song, tmp_path):
    marked = tmp_path / "marked.mid"
    marked.write_bytes(mark_generated(song.read_bytes(), "a" * 64))
    assert Source.read(marked).piece == Source.read(song).piece
    assert Source.read(song).name == "song.mid"
    job = job_of(Controls(), FileTask.of({"infill": str(marked), "cells": "bar 1 of bass"}))
    done = job.finish(written(job, 1))
    assert done.source["mode"] == "infill"
    assert done.music.count(b"HGEN") == 1
    assert mark_generated(done.music, "b" * 64).count(b"HGEN") == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "cannot be read"),
        (b"", "the file is empty"),
        (b"MThd" + bytes(range(100)), ""),
        (b"HGEN", "is no MIDI file"),
        (b"\0" * (4 * 1024 * 1024 + 1), "bytes"),
    ],
)
def test_a_file_that_is_no_music_gives_one_message_that_names_it(tmp_path, data, message):
    path = tmp_path / "song.mid"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(HouseError) as refused:
        Source.read(path)
    assert str(path) in str(refused.value)
    assert message in str(refused.value)


def test_a_file_without_notes_or_too_long_is_refused(tmp_path):
    silent = Piece(480, [Track("Tune", 73)])
    with pytest.raises(HouseError, match="no track holds a note"):
        Source.of("a.mid", b"", Examined(Normalised(b"", silent, (), ()), analyse(silent)))
    long = melody(*[60] * (MOST_FILE_BARS + 1), quarters=4)
    with pytest.raises(HouseError, match=f"{MOST_FILE_BARS + 1} bars"):
        source_of(long)


@pytest.mark.parametrize("seed", range(12))
def test_a_corrupted_file_is_read_or_refused(tmp_path, seed):
    rng = random.Random(seed)  # noqa: S311 - no secret
    path = tmp_path / "song.mid"
    path.write_bytes(mutate(rng, make_valid(rng)))
    try:
        source = Source.read(path)
    except HouseError:
        return
    job = Rewriting.of(FileTask("vary", path), source, Controls())
    assert job.finish(written(job, seed)).piece.note_count


def test_whatever_but_a_note_or_pedal_is_wished_for_ends_the_cell():
    draft = rewriting(make_piece(), cells="bar 1 of bass").draft([1])
    draft.prompt(CONTEXT)
    draft.take(random_row(draft, np.random.default_rng(1)))
    scores = np.zeros(len(Kind), dtype=np.float32)
    scores[[Kind.CELL, Kind.BAR]] = 9.0
    wishes = draft.kind_scores(scores)
    assert wishes[Kind.EOS] > 9.0 + np.log(2) - 0.01
    assert wishes[Kind.NOTE] == wishes[Kind.PEDAL] == 0
