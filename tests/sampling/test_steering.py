"""What is added to the model's scores: against clashes, for the key, and nothing without it."""

from __future__ import annotations

import numpy as np
import pytest

from gen.analysis.key import KRUMHANSL_MAJOR, KRUMHANSL_MINOR
from gen.harmony import Chord
from gen.sampling.drafting.draft import Draft
from gen.sampling.drafting.home import Hold, chord_bias, off_harmony, towards
from gen.sampling.drafting.steering import AHEAD, CLASH, clashing, fits_chord, off_chord, soon
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.deciding import MAJOR_MOODS, MINOR_MOODS, at_home, plan_of
from gen.sampling.planning.plan import Plan
from gen.sampling.request import SampleRequest
from gen.sampling.run import sample
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_id, key_id

C = key_id("C")
STEPS = 48


def test_a_pitch_clashes_with_what_sounds_a_semitone_beside_it_in_the_next_eighth():
    found = soon(clashing([(0, 12, 60)], 0, STEPS + AHEAD), STEPS)
    assert found.shape == (STEPS, 128)
    assert set(np.flatnonzero(found[0])) == {59, 61, 60 - 11, 60 + 11, 60 - 13, 60 + 13}
    assert found[12 - AHEAD // 2, 61] == pytest.approx(0.5)
    assert not found[12:].any()


def test_a_note_from_the_bar_before_counts_as_long_as_it_lasts():
    found = soon(clashing([(90, 100, 60)], 96, STEPS + AHEAD), STEPS)
    assert found[0, 61] == pytest.approx(4 / AHEAD)
    assert not clashing([(0, 96, 60)], 96, STEPS).any()


def test_a_chords_tones_are_favoured_while_it_holds_and_the_key_before_and_after_all():
    bias = off_harmony([(0, chord_id(Chord(2, "maj", 2))), (24, chord_id(Chord(0, "maj", 0)))],
                       C, STEPS)  # fmt: skip
    sharp = 66  # F#: of D major, not of C
    assert bias[0, sharp] > bias[24, sharp]
    assert bias[24, 60] > bias[24, 62] > bias[24, 61]


def test_a_chord_holds_until_the_next_and_nothing_is_foreign_before_the_first():
    chords = [(-6, 0), (6, chord_id(Chord(2, "maj", 2))), (24, chord_id(Chord(0, "maj", 0)))]
    foreign = off_chord(chords, STEPS)
    assert not foreign[:6].any()
    assert [foreign[step, 66] for step in (6, 23, 24, STEPS - 1)] == [0, 0, 1, 1]
    assert foreign[24:, 60].max() == 0


def test_a_key_pulls_by_as_much_as_what_was_heard_fits_another_better():
    heard = np.array([3.0, 0, 1, 0, 2, 0, 0, 3, 0, 1, 0, 1])
    turned = {
        (kind, tonic): np.roll(profile, tonic)
        for kind, profile in enumerate((KRUMHANSL_MAJOR, KRUMHANSL_MINOR))
        for tonic in range(12)
    }
    fits = {key: np.corrcoef(profile, heard)[0, 1] for key, profile in turned.items()}
    rival = max(fits.keys() - {(0, 0)}, key=lambda key: fits[key])
    hold = Hold(pull=2.0, lead=2 * (fits[0, 0] - fits[rival]))
    bias = towards(C, heard, hold)
    assert np.abs(bias).max() == pytest.approx(1.0, rel=1e-6)
    own, other = ((p - np.mean(p)) / np.std(p) for p in (turned[0, 0], turned[rival]))
    assert bias == pytest.approx((own - other) / np.abs(own - other).max(), rel=1e-5)
    firm = Hold(lead=fits[0, 0] - fits[rival] - 1e-9)
    assert not towards(C, heard, firm).any()


def test_a_tone_of_the_chord_fits_beside_its_other_tones_and_not_beside_what_is_foreign():
    major_seventh = [(0, chord_id(Chord(0, "maj7", 0)))]
    alone, beside_b, beside_c_sharp = (
        fits_chord(others, major_seventh, 0, STEPS)[:, 60]
        for others in ([], [(0, 12, 71)], [(0, 12, 61)])
    )
    assert alone.all()
    assert beside_b.all()
    assert not beside_c_sharp[:12].any()
    assert beside_c_sharp[12:].all()
    assert not fits_chord([], major_seventh, 0, STEPS)[:, 61].any()


def test_without_key_and_chord_nothing_is_added():
    assert not off_harmony([], 0, STEPS).any()
    assert not off_chord([], STEPS).any()
    assert not chord_bias(0)[1:].any() or set(np.unique(chord_bias(0))) <= {0}


def test_chords_with_notes_outside_the_key_are_less_likely_and_the_tonic_more():
    bias = chord_bias(C)
    assert bias[chord_id(Chord(0, "maj", 0))] > bias[chord_id(Chord(7, "maj", 7))] == 0
    assert bias[chord_id(Chord(2, "maj", 2))] < 0


@pytest.mark.parametrize("mood", sorted(MINOR_MOODS | MAJOR_MOODS))
def test_a_mood_with_a_mode_decides_it_where_no_key_is_asked(mood):
    plan = plan_of(Controls(genre="waltz", mood=mood, bars=4))
    keys = []
    for seed in range(20):
        header = at_home(plan, mood, [seed]).header
        assert [row[v.KIND] for row in header] == [Kind.BOS, Kind.GENRE, Kind.MOOD, Kind.KEY]
        keys.append(int(WORDS.key.number(header[-1][v.VALUE])))
    assert {key % 2 for key in keys} == {int(mood in MINOR_MOODS)}
    assert len(set(keys)) > 3


def test_only_a_steered_draft_adds_to_scores_of_values():
    row = [int(Kind.CHORD), WORDS.position.id(0), 0, 0, 0]
    plan = plan_of(Controls(key="C", bars=4))
    assert Draft(plan).bias(v.VALUE, row) is None
    steered = Draft(Plan(plan.header, tracks_open=True, bars=4, steering=0.5))
    while steered.forced:
        steered.take(steered.forced.popleft())
    np.testing.assert_allclose(steered.bias(v.VALUE, row), 0.5 * chord_bias(C))
    assert steered.bias(v.POSITION, row) is None


def test_fewer_parts_clash_the_more_a_piece_is_steered(asked):
    from gen.evaluation.measures import tonal

    def share(steering: float) -> float:
        told = asked(n=4, bars=8, instruments=["flute", "piano", "strings"], key="C",
                     originality="off", steering=steering)  # fmt: skip
        return tonal.mean([tonal.clash(s.piece) for s in sample(SampleRequest.of(told))])[0]

    assert CLASH > 0
    assert share(4.0) < share(0.0) / 2


def test_a_steered_close_gets_no_faster_and_not_slower_than_the_works(ask):
    for result in ask(n=4, bars=9, originality="off", steering=1.0):
        tempos = [tempo.quarters_per_minute for tempo in result.piece.tempos]
        closing = tempos[1:] if len(tempos) > 1 else tempos
        assert closing == sorted(closing, reverse=True)
        assert min(closing) >= 0.75 * min(tempos[0], closing[0])


def test_other_requests_begin_from_other_chance_and_the_same_from_the_same(asked):
    one, same, other = (SampleRequest.of(asked(bars=bars)).seed for bars in (4, 4, 5))
    assert one == same != other
    assert SampleRequest.of(asked(bars=4, steering=0)).seed == (1,)


def test_a_receipt_that_does_not_name_steering_is_written_again_without(asked, ask, monkeypatch):
    import json

    from gen.sampling import session

    real = session.PLACES
    monkeypatch.setattr(session, "PLACES", {*real, "steering"})
    (done,) = ask(n=1, steering=0.0, originality="off", sign="off")
    assert "steering" not in json.loads(done.receipt.read_text("utf-8"))["settings"]
    monkeypatch.setattr(session, "PLACES", real)
    (again,) = ask(receipt=str(done.receipt), out=str(done.midi.parent / "again"))
    assert again.midi.read_bytes() == done.midi.read_bytes()
