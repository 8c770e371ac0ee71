"""The worst cells of a piece written anew: what is bad, what is kept, what a receipt says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gen.errors import SettingError
from gen.harmony import parse_chord
from gen.piece import ROLES
from gen.sampling.drafting.cell_table import CellTable
from gen.sampling.planning.deciding import time_signature_id
from gen.sampling.planning.plan import Row
from gen.sampling.polishing.critic import (
    CLASH,
    DRUMS_ALONE,
    OFF_CHORD,
    STUCK,
    Critic,
    worst,
)
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_id

WHOLE = int(np.flatnonzero(v.DURATIONS == 48)[0])
PIANO, STRINGS, DRUMS = 0, 48, 128


def song(
    bars: list[list[list[int]]], chords: str = "", programs: tuple[int, ...] = (PIANO, STRINGS),
    roles: tuple[str, ...] = ("main_melody", "accompaniment"),
) -> CellTable:  # fmt: skip
    """Bars of 4/4, in each of which a track holds some pitches: bar, track, pitches."""
    rows: list[Row] = [[int(Kind.BOS), 0, 0, 0, 0]]
    for program, role in zip(programs, roles, strict=True):
        extent = WORDS.role.id(ROLES.index(role))
        rows.append([int(Kind.TRACK), 0, WORDS.program.id(program), extent, 0])
    for bar, symbol in zip(bars, chords.split() or [""] * len(bars), strict=True):
        rows.append([int(Kind.BAR), 0, time_signature_id("4/4"), 0, 0])
        if symbol:
            value = chord_id(parse_chord(symbol))
            rows.append([int(Kind.CHORD), WORDS.position.id(0), value, 0, 0])
        for slot, pitches in enumerate(bar):
            words = WORDS.drum if programs[slot] == DRUMS else WORDS.pitch
            rows += [[int(Kind.CELL), 0, WORDS.slot.id(slot), 0, 0]] if pitches else []
            for pitch in pitches:
                row = [WORDS.position.id(0), words.id(pitch), WORDS.duration.id(WHOLE), 20]
                rows.append([int(Kind.NOTE), *row])
    return CellTable.of(rows)


def found(table: CellTable) -> set[tuple[int, int, str]]:
    return {(*fault.place, fault.why) for fault in Critic(table).faults()}


def test_a_clash_is_both_parts_fault_and_one_in_another_octave_is_one():
    assert found(song([[[60], [61]], [[60], [64]], [[60], [71]]])) == {
        (0, 0, CLASH), (0, 1, CLASH), (2, 0, CLASH), (2, 1, CLASH)
    }  # fmt: skip
    assert not found(song([[[60], [62]], [[60], [48]]]))


def test_what_accompanies_is_held_against_the_chord_and_a_melody_is_not():
    table = song([[[62], [62, 65]], [[67], [60, 64, 69]]], "C C")
    assert found(table) == {(0, 1, OFF_CHORD)}
    assert not found(song([[[62], [62, 65]]]))  # where nobody knows the chord


def test_one_pitch_for_four_bars_while_chords_change_is_stuck():
    bars = [[[60 + 2 * (n % 3)], [67]] for n in range(6)]
    assert found(song(bars, "C G Em C Eb Eb")) == {(n, 1, STUCK) for n in (3, 4, 5)}
    assert not found(song(bars, "C C C C C C"))  # it has nowhere to go
    moving = [[[60 + 2 * (n % 3)], [67] if n % 3 else [64]] for n in range(6)]
    assert not any(why == STUCK for *_, why in found(song(moving, "C G Em C Em C")))


def test_kick_and_snare_alone_count_where_other_drums_are_usual():
    def drums(sounds: list[list[int]]) -> CellTable:
        return song([[[60], each] for each in sounds], programs=(PIANO, DRUMS),
                    roles=("main_melody", "drums"))  # fmt: skip

    assert found(drums([[36, 42], [36, 38], [36, 42]])) == {(1, 1, DRUMS_ALONE)}
    assert not found(drums([[36, 38], [36, 38], [36, 42]]))


def test_the_worst_cell_comes_first_with_all_that_is_wrong():
    table = song([[[60], [64]], [[60], [61]]], "C C")
    assert worst(Critic(table).faults()) == [((1, 1), (CLASH, OFF_CHORD)), ((1, 0), (CLASH,))]
    assert worst([]) == []


# The whole path -------------------------------------------------------------------------


def settings(**some: object) -> dict[str, object]:
    band = {"instruments": ["piano", "strings", "bass"], "roles": ["pad", "accompaniment", "bass"]}
    asked = {"n": 2, "bars": 12, "density": "dense", "steering": 0.1, "originality": "off"}
    return {**band, **asked, "sign": "off", **some}


def test_a_polished_piece_has_less_wrong_and_its_receipt_says_where(ask, monkeypatch):
    from gen.sampling import job

    weights = []

    def weighed(model, draft, *more):
        weights.append([_wrong(draft.rows)])
        rewritten = polish(model, draft, *more)
        weights[-1].append(_wrong(draft.rows))
        return rewritten

    polish = job.polished
    monkeypatch.setattr(job, "polished", weighed)
    done = ask(**settings(polish=3))
    assert all(after <= before for before, after in weights)
    changed = [after < before for before, after in weights]
    assert any(changed)
    records = [json.loads(each.receipt.read_text("utf-8")) for each in done]
    assert [bool(record.get("polished")) for record in records] == changed
    for record in records:
        for cell in record.get("polished", ()):
            assert 1 <= cell["bar"] <= 12
            assert 1 <= cell["track"] <= 3
            assert cell["why"]


def _wrong(rows: list[Row]) -> float:
    table = CellTable.of(rows[:-1])
    return sum(fault.weight for fault in Critic(table).faults())


def test_a_polished_piece_comes_again_from_its_receipt_and_one_of_before_unpolished(ask):
    done = ask(**settings(polish=2))
    plain = ask(**settings(polish=0, out=str(done[0].midi.parent / "plain")))
    assert [p.midi.read_bytes() for p in plain] != [p.midi.read_bytes() for p in done]
    for number, each in enumerate([*done, *plain]):
        (again,) = ask(receipt=str(each.receipt), out=str(each.midi.parent / f"again-{number}"))
        assert again.midi.read_bytes() == each.midi.read_bytes()


def test_only_pieces_from_nothing_are_polished(ask):
    (song,) = ask(**settings(n=1, bars=4, polish=0))
    asked = {"n": 1, "infill": str(song.midi), "cells": "bar 2", "originality": "off"}
    with pytest.raises(SettingError, match="new pieces in the house's own events") as caught:
        ask(**asked, polish=1)
    assert caught.value.where == "polish"


def test_what_polish_may_be(asked):
    from gen.sampling.request import SampleRequest

    for wrong in (-1, 17):
        with pytest.raises(SettingError, match="outside 0 to 16"):
            SampleRequest.of(asked(polish=wrong))


def test_the_end_of_a_piece_stays_as_it_was_decided(ask, monkeypatch):
    from gen.sampling import job

    polish, cells = job.polished, []

    def watched(model, draft, *more):
        last = len(CellTable.of(draft.rows[:-1]).bars) - 1 - draft.plan.cadence
        rewritten = polish(model, draft, *more)
        cells.extend((cell.place[0], last) for cell in rewritten)
        return rewritten

    monkeypatch.setattr(job, "polished", watched)
    ask(**settings(polish=2, key="C"))
    assert cells
    assert all(bar < last for bar, last in cells)
