"""Control accuracy on pieces whose answer is known, and on models that know nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from corpora import song, work, works
from gen.data.windows import TokenisedWork
from gen.errors import HouseError
from gen.evaluation.control_shares import chord_fit
from gen.evaluation.parts import control
from gen.evaluation.subjects import models, samples
from gen.evaluation.subjects.requests import ControlRequest, draft_of, draw_requests
from gen.evaluation.subjects.works import MeasuredWork
from gen.harmony import parse_progression
from gen.piece import Note, Piece, Tempo, TimeSignature, Track
from gen.sampling.decoding.draw import DrawConfig
from gen.sampling.planning.controls import Controls
from gen.tokens.encoding import Annotations
from music import events_of

WORKS = works(6)


def rng():
    return np.random.default_rng(11)


def rows_of(piece):
    roles = tuple(track.role or "" for track in piece.tracks)
    return events_of(piece, Annotations(roles=roles)).tolist()


def piece(*notes, program=0, role="main_melody"):
    """Notes as (quarter, length in quarters, pitch, velocity)."""
    found = [Note(int(on * 480), int(long * 480), p, vel) for on, long, p, vel in notes]
    return Piece(
        480, [Track("", program, False, role, found)], [Tempo(0, 500_000)], [TimeSignature(0, 4, 4)]
    )


WHOLE = Controls(
    genre="waltz", key="C major", tempo=120.0, time_signature="4/4", bars=1, instruments=("0",),
    roles=("main_melody",), chords="C F", pitch_range=(60, 72), velocity_range=(60, 100),
    density="sparse",
)  # fmt: skip


def test_scores_are_those_worked_out_by_hand():
    # C for two quarters, then F: c' and e' belong to C, of g' and a' only a' to F.
    tune = piece((0, 1, 60, 63), (1, 1, 64, 63), (2, 1, 67, 103), (3, 1, 69, 63))
    got = control.score(rows_of(tune), ControlRequest(WHOLE, frozenset({"bars"})))
    assert got["chords"] == 3 / 4
    assert got["pitches"] == got["pitch_range"] == 1
    assert got["velocity_range"] == 3 / 4
    assert got["density"] == 1  # one note a quarter
    assert got["key"] == got["scale"] == 1
    assert got["tempo"] == got["time_signature"] == got["bars"] == got["instruments"] == 1


def test_scores_see_what_was_missed():
    tune = piece((0, 2, 61, 63), (2, 2, 90, 63), program=40)
    asked = replace(WHOLE, tempo=90.0, time_signature="3/4", bars=2)
    got = control.score(rows_of(tune), ControlRequest(asked, frozenset({"bars"})))
    assert got["pitches"] == 0.5
    assert got["pitch_range"] == 0  # the mean is 75.5
    assert got["scale"] == 0
    assert got["chords"] == 0
    dense = replace(WHOLE, density="dense")
    assert control.score(rows_of(tune), ControlRequest(dense, frozenset({"bars"})))["density"] == 0
    for name in ("tempo", "time_signature", "bars", "instruments", "key"):
        assert got[name] == 0, name


def test_a_note_that_outlasts_its_chord_counts_for_both():
    held = piece((0, 4, 67, 63))
    assert chord_fit(held, "C F") == 0.5
    assert chord_fit(held, "C") == 1
    assert chord_fit(held, "NC C") == 1
    assert math.isnan(chord_fit(held, "NC"))
    assert math.isnan(chord_fit(piece(), "C"))


def test_chords_begin_again_when_they_are_through():
    tune = piece((0, 4, 60, 63), (4, 4, 65, 63), (8, 4, 60, 63), (12, 4, 65, 63))
    assert chord_fit(tune, "C | F") == 1
    assert chord_fit(tune, "C | F#") == 0.5


def test_roles_are_heard_without_names_and_silence_plays_none():
    music = song(1, 8)
    for track in music.tracks:
        track.name = "bass"
    roles = tuple(track.role for track in music.tracks)
    asked = replace(WHOLE, instruments=("73", "32", "0", "drums"), roles=roles, bars=8)
    heard = control.score(rows_of(music), ControlRequest(asked, frozenset({"bars"})))["roles"]
    assert heard >= 0.75
    silent = replace(asked, instruments=(*asked.instruments, "0"), roles=(*roles, "pad"))
    less = control.score(rows_of(music), ControlRequest(silent, frozenset({"bars"})))["roles"]
    assert less == pytest.approx(heard * 4 / 5)


def test_requests_spread_over_the_grid():
    tagged = [replace(one, tokenised=work_with_harmony(i).tokenised) for i, one in enumerate(WORKS)]
    drawn = draw_requests(tagged, 400, rng())
    assert len({r.whole.key for r in drawn}) == 24
    assert {r.whole.bars for r in drawn} == {4, 5, 6, 8}
    for name in ("key", "tempo", "chords", "instruments", "pitch_range", "velocity_range"):
        share = sum(name in r.asked for r in drawn)
        assert 70 < share < 240, name
    for request in drawn:
        assert "chords" not in request.asked or "time_signature" in request.asked
        assert "roles" not in request.asked or "instruments" in request.asked
        assert len(request.whole.roles) == len(request.whole.instruments)
        assert len(parse_progression(request.whole.chords)) == 4
        draft_of(request)  # a plan follows from each
    assert draw_requests(tagged, 5, rng()) == draw_requests(tagged, 5, rng())


def work_with_harmony(seed):
    music = song(seed)
    roles = tuple(track.role for track in music.tracks)
    notes = Annotations(
        "waltz", key=("C major", "A minor")[seed % 2], chords="C | Am F", roles=roles
    )
    made = work(music)
    return replace(made, tokenised=type(made.tokenised).of(events_of(music, notes)))


def test_high_instruments_are_asked_for_what_they_can_play():
    piccolo = work(piece((0, 1, 84, 63), program=72))
    for request in draw_requests([piccolo], 40, rng()):
        draft_of(request)


def test_density_is_counted_cell_by_cell():
    tune = piece(*[(i / 4, 0.25, 60 + i, 63) for i in range(16)], (4, 1, 60, 63))
    got = control.score(rows_of(tune), ControlRequest(WHOLE, frozenset({"bars"})))
    assert got["density"] == 0.5  # four a quarter, then one in a bar


def test_chords_go_with_the_key():
    """A work in C whose chords are C | Am F: on any root the tonic is among them."""
    from gen.harmony import parse_key

    for request in draw_requests([work_with_harmony(0)], 30, rng()):
        tonic = parse_key(request.whole.key).tonic
        roots = {
            chord.root for bar in parse_progression(request.whole.chords) for chord in bar if chord
        }
        assert not roots or roots <= {tonic, (tonic + 9) % 12, (tonic + 5) % 12}


def test_what_the_grammar_guarantees_holds_for_a_model_that_knows_nothing():
    model = models.bigram([one.tokenised.bare().events for one in WORKS])
    drawn = draw_requests(WORKS, 24, rng())
    drafts = [draft_of(request) for request in drawn]
    rows = samples.write(model, drafts, DrawConfig(), [1])
    scores = [control.score(r, request) for r, request in zip(rows, drawn, strict=True)]
    receipts = [control.receipt(r, request) for r, request in zip(rows, drawn, strict=True)]
    works = control.of_works(WORKS, rng())
    found = control.figures(scores, receipts, drawn, works)
    for name in control.GUARANTEED:
        assert found[name]["asked"]["value"] == 1, name
        assert found[name]["guaranteed"]
        assert found[name]["receipt"]["value"] == (None if name == "pitches" else 1)
        assert found[name]["receipt"]["n"] == sum(name in request.asked for request in drawn)
    for name in ("tempo", "instruments", "velocity_range"):
        assert found[name]["not_asked"]["value"] < 1
        assert found[name]["verdict"] == "higher"


def test_works_are_held_to_what_their_own_tags_say():
    """A song whose harmony is plain: G, Em, C, D, a bar each."""
    piece = song(0)
    roles = tuple(track.role or "" for track in piece.tracks)
    tags = (
        Annotations(key="G major", chords="G | Em | C | D", roles=roles),
        Annotations(key="F# major", chords="F# | C#"),
    )
    right, wrong = control.of_works(
        [MeasuredWork("w", "W", "waltz", TokenisedWork.of(events_of(piece, tag))) for tag in tags],
        rng(),
    )
    assert set(right) == set(control.OF_WORKS)
    assert right["scale"] == right["key"] == 1
    assert right["chords"] > 0.8 > 0.3 > wrong["chords"]
    assert wrong["key"] == 0
    assert wrong["scale"] < 0.5
    assert right["roles"] >= 0.5
    assert math.isnan(wrong["roles"])


def test_telling_is_credited_only_with_what_it_adds():
    told = ControlRequest(WHOLE, frozenset({"bars", "key"}))
    untold = ControlRequest(WHOLE, frozenset({"bars"}))
    asked = [told, untold] * 40
    habit = [{**dict.fromkeys(control.SCORES, 1.0)} for _ in asked]
    assert control.figures(habit, [], asked, [])["key"]["verdict"] == "none"
    obeying = [{**row, "key": float(r is told)} for row, r in zip(habit, asked, strict=True)]
    got = control.figures(obeying, [], asked, [])["key"]
    assert got["verdict"] == "higher"
    assert got["obeyed"]["value"] == 1
    assert (got["asked"]["n"], got["not_asked"]["n"]) == (40, 40)


def test_diversity_tells_one_answer_from_many():
    same = control.diversity([[song(1)] * 3, [song(2)] * 3])
    assert same["same_request"]["value"] == 0
    assert same["other_requests"]["value"] > 0
    many = control.diversity([[song(i) for i in range(3)], [song(i) for i in range(3, 6)]])
    assert many["same_request"]["value"] > 0.05
    assert control.diversity([[song(1)], []])["same_request"]["value"] is None


def test_no_works_to_draw_requests_from_are_refused():
    with pytest.raises(HouseError, match="no work"):
        draw_requests([], 1, rng())
