"""Sets of pieces: what must be found different is, what is alike is not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gen.errors import HouseError
from gen.evaluation.measures.notes import sets_of
from gen.evaluation.measures.ranges import ranges
from gen.evaluation.parts import statistics
from gen.piece import Note, Piece, Track
from metric_pieces import shuffled, song


def rng(seed=3):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def songs():
    return [song(seed) for seed in range(36)]


def test_works_of_one_kind_do_not_differ_and_shuffled_notes_do(songs):
    reference, train = songs[12:24], songs[24:]
    same = statistics.compare(sets_of(songs[:12], reference, train), rng())["features"]
    differing = [
        name
        for name, block in same.items()
        if block["apart"]["distance"] and block["apart"]["distance"]["differs"]
    ]
    assert len(differing) <= 2  # of 14, 5 % each are expected by chance
    noise = [shuffled(piece, rng(1)) for piece in songs[:12]]
    found = statistics.compare(sets_of(noise, reference, train), rng())["features"]
    assert found["intervals"]["apart"]["distance"]["differs"]
    for name in ("intervals", "transitions"):
        area = found[name]["apart"]["overlap_area"]["value"]
        assert area < found[name]["real"]["overlap_area"]["value"] - 0.1
    assert found["intervals"]["verdict"] == "higher"  # wider leaps
    json.dumps(found, allow_nan=False)


def test_every_feature_has_a_unit_its_sets_and_its_histogram(songs):
    found = statistics.compare(sets_of(songs[:4], songs[4:8], songs[8:12]), rng())
    assert set(found["features"]) == set(statistics.FEATURES)
    for block in found["features"].values():
        assert block["unit"]
        assert block["generated"]["n"] == 4
        for side in ("generated", "reference", "train") if "histogram" in block else ():
            assert len(block["histogram"][side]) == len(block["values"])
            assert sum(block["histogram"][side]) == pytest.approx(1)


def test_leaps_down_count_as_leaps_up_in_the_mean(songs):
    down = Piece(12, [Track("", 0, notes=[Note(0, 6, 67, 80), Note(12, 6, 60, 80)])])
    sets = sets_of([down, down], songs[:2], songs[2:4])
    found = statistics.compare(sets, rng())["features"]["intervals"]
    assert found["generated"]["value"] == 7


def test_ranges_are_by_instrument_with_what_lies_beyond_the_works():
    def piece(program, *pitches):
        notes = [Note(12 * i, 12, pitch, 80) for i, pitch in enumerate(pitches)]
        return Piece(12, [Track("", program, notes=notes), Track("", 0, True, notes=notes)])

    found = ranges([piece(73, 60, 95), piece(40, 55)], [piece(73, 60, 70), piece(73, 80, 90)])
    violin, flute = found
    assert (violin["instrument"], flute["instrument"]) == ("violin", "flute")
    assert violin["works"] == {"pieces": 0, "notes": 0}
    assert violin["outside"] is None
    assert (flute["works"]["lowest"], flute["works"]["highest"]) == (60, 90)
    assert flute["works"]["pieces"] == 2
    assert flute["outside"]["value"] == 0.5


def test_what_no_work_uses_is_told(songs):
    def chords(*triads):
        notes = [Note(i * 48, 48, p, 80) for i, triad in enumerate(triads) for p in triad]
        return Piece(12, [Track("", 0, notes=notes)])

    c, f, g, fm = (48, 52, 55), (53, 57, 60), (43, 47, 50), (53, 56, 60)
    plain, other = chords(c, f, g, c), chords(c, fm, g, c)
    works = [plain, plain]
    found = statistics.compare(sets_of([plain, plain], works, works), rng())
    assert found["new_chords"]["generated"]["value"] == pytest.approx(0)
    found = statistics.compare(sets_of([other, other], works, works), rng())
    assert found["new_chords"]["generated"]["value"] == pytest.approx(0.25)
    assert found["new_transitions"]["generated"]["value"] == pytest.approx(2 / 3)
    assert found["new_chords"]["real"]["value"] == pytest.approx(0)


@pytest.mark.parametrize("which", range(3))
def test_a_set_without_notes_is_refused_by_name(songs, which):
    sets = [songs[:2], songs[2:4], songs[4:6]]
    sets[which] = [Piece(480)]
    name = ("generated", "reference", "train")[which]
    with pytest.raises(HouseError, match=f"none of the 1 {name} pieces has a note"):
        statistics.compare(sets_of(*sets), rng())


def test_sets_without_drums_or_without_tune_leave_out_what_they_lack(songs):
    beat = Piece(12, [Track("", 0, True, notes=[Note(0, 1, 36, 80), Note(48, 1, 36, 80)])])
    tune = Piece(12, [Track("", 0, notes=[Note(0, 6, 60, 80), Note(48, 6, 62, 80)])])
    for only in (beat, tune):
        found = statistics.compare(sets_of([only] * 3, songs[:3], songs[3:6]), rng())
        json.dumps(found, allow_nan=False)
    assert found["features"]["drum_pattern_consistency"]["generated"]["value"] is None
