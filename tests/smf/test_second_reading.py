"""What this program writes and reads, mido and pretty_midi read alike; a difference is said."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from hypothesis import given

from gen.errors import HouseError
from gen.piece import Note, Piece, Tempo, TimeSignature
from gen.smf import parse, write
from gen.smf.second_reading import check_read_alike
from music import Theme, pieces
from thorough import examples

PIECE = Theme(1, bars=4).piece()
FILE = write(PIECE)


@examples(60)
@given(pieces())
def test_what_is_written_is_read_alike(piece):
    data = write(piece)
    check_read_alike(data, parse(data))


def changed(change) -> Piece:
    piece = copy.deepcopy(parse(FILE))
    change(piece)
    return piece


def louder(piece):
    piece.tracks[0].notes[3] = replace(piece.tracks[0].notes[3], velocity=1)


def longer(piece):
    note = piece.tracks[1].notes[-1]
    piece.tracks[1].notes[-1] = replace(note, duration_ticks=note.duration_ticks + 1)


def one_more(piece):
    piece.tracks[0].notes.append(Note(0, 10, 30, 60))


def another_instrument(piece):
    piece.tracks[0].program += 1


def drums(piece):
    piece.tracks[1].is_drum = True


def faster(piece):
    piece.tempos[0] = Tempo(0, 400_000)


def another_meter(piece):
    piece.time_signatures[0] = TimeSignature(0, 3, 4)


def another_division(piece):
    piece.ticks_per_quarter = 240


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (louder, "other notes"), (longer, "other notes"), (one_more, "other notes"),
        (another_instrument, "other notes"), (drums, "other notes"), (faster, "other tempos"),
        (another_meter, "other meters"), (another_division, "other ticks a quarter"),
    ],
)  # fmt: skip
def test_a_difference_is_said(change, said):
    with pytest.raises(HouseError, match=f"mido reads {said}"):
        check_read_alike(FILE, changed(change))


def test_what_is_heard_in_seconds_is_compared_too(monkeypatch):
    monkeypatch.setattr("gen.smf.second_reading._check_ticks", lambda *_: None)
    check_read_alike(FILE, parse(FILE))
    for change in (louder, longer, one_more, another_instrument, faster, another_meter):
        with pytest.raises(HouseError, match="pretty_midi reads other"):
            check_read_alike(FILE, changed(change))


def test_a_file_that_another_reader_stumbles_over_is_stopped_with_a_word():
    with pytest.raises(HouseError, match="another reader cannot read it"):
        check_read_alike(FILE[:60], PIECE)


def test_neither_library_is_loaded_before_it_is_needed():
    import subprocess
    import sys

    code = "import sys, gen.contribution.flow; print({'mido', 'pretty_midi'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
