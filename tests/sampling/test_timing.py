"""Models of played music write as players play, or straight; others refuse to in words."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from gen import smf
from gen.errors import SettingError
from gen.piece import Note
from gen.sampling.decoding.decode import decode
from gen.sampling.decoding.draw import DrawConfig
from gen.sampling.decoding.step import step_of
from gen.sampling.drafting.draft import Draft
from gen.sampling.planning.plan import Plan
from gen.sampling.request import SampleRequest
from gen.sampling.run import sample
from gen.tokens import timing
from gen.tokens import vocabulary as v
from gen.tokens.columns import context_columns
from gen.tokens.events import Events
from gen.tokens.tokenization import PLAYED_EVENTS
from gen.tokens.vocabulary import WORDS, Kind
from music import STEP
from played_music import played, written
from studios import asking, make_studio, untrained

USUAL = {"n": 1, "bars": 4, "time_signature": "4/4", "originality": "off", "sign": "off"}


@pytest.fixture(scope="session")
def players(tmp_path_factory):
    folder = tmp_path_factory.mktemp("players")
    return folder, make_studio(folder, tokens=PLAYED_EVENTS)


@pytest.fixture
def play(players, tmp_path):
    """Ask a model of played music."""
    return lambda **some: sample(SampleRequest.of(asking(*players, tmp_path / "out", **some)))


def off_grid(piece) -> int:
    notes = [note for track in piece.tracks for note in track.notes]
    return sum(note.onset_ticks * 12 % piece.ticks_per_quarter != 0 for note in notes)


def test_a_model_of_the_grid_refuses_to_play_and_says_what_does(ask):
    with pytest.raises(SettingError, match="knows nothing of what lies beside the grid"):
        ask(timing="played", **USUAL)
    (piece,) = ask(timing="straight", **USUAL)
    assert off_grid(piece.piece) == 0


def test_an_unknown_timing_is_refused(ask):
    with pytest.raises(SettingError, match="'straight'"):
        ask(timing="strait", **USUAL)


def test_a_model_of_played_music_plays_unless_it_is_to_stay_straight(play):
    (piece,) = play(**USUAL)
    assert off_grid(piece.piece) > 0
    assert off_grid(piece.score) == 0
    (straight,) = play(timing="straight", **USUAL)
    assert off_grid(straight.piece) == 0
    assert straight.score is None


def test_a_receipt_plays_it_again(play, tmp_path):
    (piece,) = play(timing="played", **USUAL)
    assert json.loads(piece.receipt.read_text("utf-8"))["settings"]["timing"] == "played"
    (again,) = play(receipt=str(piece.receipt), out=str(tmp_path / "again"))
    assert again.midi.read_bytes() == piece.midi.read_bytes()


def test_what_is_played_keeps_to_its_velocities_and_bars(play):
    (piece,) = play(velocity_range=[60, 80], **USUAL)
    notes = [note for track in piece.piece.tracks for note in track.notes]
    assert {note.velocity for note in notes} <= set(range(60, 81))
    assert any((note.velocity - 3) % 4 for note in notes)
    assert piece.piece.end_ticks <= piece.piece.bars_end_ticks == 4 * 1920
    for track in piece.piece.tracks:
        until: dict[int, int] = {}
        for note in track.notes:
            assert until.get(note.pitch, 0) <= note.onset_ticks
            until[note.pitch] = note.end_ticks


def draft_of(how: str, bars: int = 3) -> Draft:
    header = [[int(Kind.BOS), 0, 0, 0, 0], [int(Kind.TRACK), 0, WORDS.program.id(0), 0, 0]]
    return Draft(Plan(header, False, bars=bars, timing=how))


@pytest.mark.parametrize("how", [timing.PLAYED, timing.STRAIGHT])
@pytest.mark.parametrize("context", [512, 64])
def test_what_the_model_reads_while_it_writes_is_what_training_shows_it(how, context):
    step, drafts = step_of(untrained(PLAYED_EVENTS, context)), [draft_of(how), draft_of(how)]
    decode(step, drafts, [np.random.default_rng(n) for n in range(2)], DrawConfig())
    for draft in drafts:
        events = Events.of(draft.rows)
        assert events.is_played == (how == timing.PLAYED)
        columns = context_columns(events, bars=3)
        assert np.array_equal(np.concatenate([events.array, columns], axis=1), draft.context)
        timed = events.array[events.is_a(Kind.NOTE), len(v.FIELDS) :]
        assert (timed != 0).all() if how == timing.PLAYED else not timed.any()


def test_one_piece_alone_and_beside_others_is_the_same():
    step = step_of(untrained(PLAYED_EVENTS, context=512))
    alone, beside = draft_of(timing.PLAYED), [draft_of(timing.PLAYED) for _ in range(3)]
    decode(step, [alone], [np.random.default_rng(1)], DrawConfig())
    decode(step, beside, [np.random.default_rng(n) for n in (1, 2, 3)], DrawConfig())
    assert alone.rows == beside[0].rows


# In files -------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "song.mid"
    path.write_bytes(smf.write(played(written(3, 6), 3)))
    return path


def notes_before(piece, until: int) -> list[list[Note]]:
    return [[n for n in track.notes if n.onset_ticks < until] for track in piece.tracks]


def test_a_played_file_goes_on_as_it_is_played_and_keeps_its_notes(play, file):
    usual = {**USUAL, "time_signature": None}
    (piece,) = play(**{"continue": str(file)}, **usual)
    edge = 6 * 1920 - STEP // 2
    assert notes_before(piece.piece, edge) == notes_before(played(written(3, 6), 3), edge)
    new = [n for track in piece.piece.tracks for n in track.notes if n.onset_ticks >= edge]
    assert any(note.onset_ticks % STEP for note in new)
    (straight,) = play(timing="straight", **{"continue": str(file)}, **usual)
    new = [n for track in straight.piece.tracks for n in track.notes if n.onset_ticks >= edge]
    assert new
    assert not any(note.onset_ticks % STEP for note in new)


def test_into_a_straight_file_nothing_is_played_unless_asked(play, tmp_path):
    path = tmp_path / "straight.mid"
    path.write_bytes(smf.write(written(3, 6)))
    usual = {**USUAL, "bars": None, "time_signature": None}
    (piece,) = play(infill=str(path), cells="bars 2-3 of all", **usual)
    assert off_grid(piece.piece) == 0
    (piece,) = play(infill=str(path), cells="bars 2-3 of all", timing="played", **usual)
    assert off_grid(piece.piece) > 0


@pytest.mark.parametrize("task", [
    {"infill": True, "cells": "bars 2-3 of all"},
    {"accompany": True, "add": ["cello"]},
    {"vary": True, "amount": 0.3},
])  # fmt: skip
def test_outside_what_is_written_a_played_file_keeps_every_note(play, file, task):
    usual = {**USUAL, "bars": None, "time_signature": None}
    task = {name: str(file) if value is True else value for name, value in task.items()}
    (piece,) = play(**task, **usual)
    own, cells = played(written(3, 6), 3), piece.record["source"]["cells_written"]
    gone = {(bar, slot) for bar, slot in cells}
    for slot, track in enumerate(own.tracks, start=1):
        kept = [
            note for note in track.notes
            if ((note.onset_ticks + STEP // 2) // 1920 + 1, slot) not in gone
        ]  # fmt: skip
        assert set(kept) <= set(piece.piece.tracks[slot - 1].notes)


def test_a_cell_that_keeps_its_rhythm_is_played_as_it_was(play, file):
    usual = {**USUAL, "bars": None, "time_signature": None}
    (piece,) = play(infill=str(file), cells="bar 2 of right", keep="rhythm", **usual)
    own = played(written(3, 6), 3)
    was, found = (
        [note for note in one.tracks[0].notes if 1900 <= note.onset_ticks < 3820]
        for one in (own, piece.piece)
    )
    assert len(found) >= len(was) - 1
    near = [min(abs(n.onset_ticks - other.onset_ticks) for other in was) for n in found]
    assert max(near) <= STEP / timing.ONSET_PARTS / 2 + 1
    assert replace(found[0], pitch=0, onset_ticks=0).velocity in {n.velocity for n in was}


def test_cells_that_are_written_anew_are_played_too(play, tmp_path):
    band = {"instruments": ["piano", "strings", "bass"], "roles": ["pad", "accompaniment", "bass"]}
    asked = {**USUAL, **band, "bars": 12, "density": "dense", "steering": 0.1, "polish": 3}
    for timing_asked in ("played", "straight"):
        (piece,) = play(**asked, timing=timing_asked)
        assert piece.record["polished"]
        assert bool(off_grid(piece.piece)) == (timing_asked == "played")
        out = tmp_path / f"{timing_asked}-again"
        (again,) = play(receipt=str(piece.receipt), out=str(out))
        assert again.midi.read_bytes() == piece.midi.read_bytes()
