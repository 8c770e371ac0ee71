"""What is asked for nowhere is kept as the file has it, and said."""

from __future__ import annotations

import itertools

import pytest

from drafts import written
from gen.piece import DRUM_PROGRAM, Note, Piece, Tempo, TimeSignature, Track
from gen.sampling.drafting.cell_table import CellTable
from gen.sampling.in_file.inferred import BASSES, BEYOND
from gen.sampling.job import job_of
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.rules import Rules
from gen.sampling.request import FileTask
from gen.smf import write
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind

QUARTER, BARS = 480, 8
MELODY, BASS = (60, 62, 64, 67), (36, 43)
ADDED = {"add": ("cello",)}


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """Quarters in the right hand, half notes in a bass, and a kick on each quarter."""

    def part(instrument, pitches, beats):
        notes = [
            Note(number * beats * QUARTER, beats * QUARTER, pitches[number % len(pitches)], 50)
            for number in range(4 * BARS // beats)
        ]
        is_drum = instrument == DRUM_PROGRAM
        program = 0 if is_drum else instrument
        return Track(f"part {instrument}", program, is_drum=is_drum, notes=notes)

    tracks = [part(0, MELODY, 1), part(33, BASS, 2), part(DRUM_PROGRAM, (36,), 1)]
    piece = Piece(QUARTER, tracks, tempos=[Tempo(0, 500_000)])
    piece.time_signatures = [TimeSignature(0, 4, 4)]
    path = tmp_path_factory.mktemp("inferred") / "song.mid"
    path.write_bytes(write(piece))
    return path


def job(song, mode, rules=4, asked=None, **task):
    task = FileTask(mode, song, **task)
    return job_of(Controls(**(asked or {})), task, steering=1.0, rules=Rules(rules))


def notes_by_cell(draft, slot):
    """Pitches, or drum sounds, of each sounding cell of a track that was written."""
    cells = CellTable.of(draft.rows).cells
    found = [(bar, [row for row in c if row[v.KIND] == Kind.NOTE]) for (bar, s), c in
             cells.items() if s == slot]  # fmt: skip
    return {bar: [WORDS.pitch.number(row[v.VALUE]) for row in rows] for bar, rows in found if rows}


def test_a_continuation_keeps_density_and_register_of_each_track(song):
    going_on = job(song, "continue", asked={"bars": 8})
    inferred = going_on.inferred
    assert inferred.densities[:2] == ((1, 1), (0, 0))  # up to 1 and 0.5 notes a quarter
    low, high = inferred.compass[0]
    assert (low <= min(MELODY), high >= max(MELODY), high - low) == (True, True, 12)
    for seed in range(6):
        draft = written(going_on, seed, notes=0.8, context=400)
        new = {b: p for b, p in notes_by_cell(draft, 0).items() if BARS <= b < BARS + 7}
        assert new
        assert all(low <= pitch <= high for pitches in new.values() for pitch in pitches)
        assert all(3 <= len(pitches) <= 4 for pitches in new.values())


def test_what_is_added_lies_near_the_file_and_is_as_dense_as_its_parts(song):
    inferred = job(song, "accompany", **ADDED).inferred
    assert inferred.densities[-1] == (0, 1)
    assert inferred.compass[-1] == (36, max(MELODY) + BEYOND)  # from the lowest note of a cello
    assert inferred.densities[2] == (1, 1)


def test_a_bass_that_is_added_to_a_melody_lies_where_basses_do(tmp_path):
    tune = tmp_path / "tune.mid"
    pitches = MELODY * BARS
    notes = [Note(at * QUARTER, QUARTER, pitch, 50) for at, pitch in enumerate(pitches)]
    piece = Piece(QUARTER, [Track("tune", 73, notes=notes)], tempos=[Tempo(0, 500_000)])
    piece.time_signatures = [TimeSignature(0, 4, 4)]
    tune.write_bytes(write(piece))
    for mode, asked in (("harmonise", {}), ("accompany", {"add": ("cello", "bass")})):
        before, now = (job(tune, mode, rules, **asked).inferred.compass for rules in (7, 8))
        assert before[-1][0] == min(MELODY) - BEYOND
        assert now[-1] == BASSES
        assert now[:-1] == before[:-1]
    cells = notes_by_cell(written(job(tune, "harmonise", 8), 3, notes=0.8, context=400), 2)
    assert cells
    assert all(pitch <= BASSES[1] for pitches in cells.values() for pitch in pitches)
    asked = {"pitch_range": (48, 84)}
    assert job(tune, "harmonise", 8, asked=asked).inferred.compass == ()


def test_what_is_asked_for_is_not_inferred(song):
    asked = {"density": "dense", "pitch_range": (48, 84), "key": "D minor"}
    inferred = job(song, "accompany", asked={**asked, "velocity_range": (40, 90)}, **ADDED).inferred
    assert inferred.words() == []
    assert not any(inferred.record().values())
    form = job(song, "continue", asked={"bars": 8, "sections": "break:9"})
    assert form.inferred.densities == ()


def test_receipt_and_screen_say_what_was_inferred(song):
    adding = job(song, "accompany", **ADDED)
    done = adding.finish(written(adding, 1, notes=0.8, context=400))
    assert done.source["inferred"]["velocity"] == 50
    assert done.source["inferred"]["density_classes"][-1] == [0, 1]
    (remark,) = [text for text in done.remarks if text.startswith("kept as the file has it")]
    assert "velocity 50" in remark
    assert "pitch_range=" in remark


def silences(draft, slot):
    """How many bars in a row a track has no note in, before it enters and after."""
    sounds = [bar in notes_by_cell(draft, slot) for bar in range(BARS)]
    runs = [len(list(run)) for is_sound, run in itertools.groupby(sounds) if not is_sound]
    return (runs[0] if runs and not sounds[0] else 0), max(runs[not sounds[0] :], default=0)


def test_an_added_part_enters_early_and_rests_for_a_bar_at_most(song):
    found = {6: [], 7: []}
    for rules, seed in itertools.product(found, range(6)):
        adding = job(song, "accompany", rules=rules, **ADDED)
        draft = written(adding, seed, notes=0.1, context=400)
        found[rules].append(silences(draft, 3))
    assert all(entrance <= 2 and rest <= 1 for entrance, rest in found[7])
    assert any(entrance > 2 or rest > 1 for entrance, rest in found[6])


def test_by_earlier_rules_nothing_more_is_inferred(song):
    adding = job(song, "accompany", rules=3, **ADDED)
    done = adding.finish(written(adding, 1, notes=0.8, context=400))
    assert "inferred" not in done.source
    assert adding.plan.densities == ()
    assert job(song, "continue", rules=3, asked={"bars": 4}).plan.densities == ()
