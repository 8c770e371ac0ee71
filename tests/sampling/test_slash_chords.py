"""What stands behind the slash of a chord is in the bass, as a rule and not as a wish."""

from __future__ import annotations

import pytest

from drafts import written
from gen.analysis import analyse
from gen.piece import Note, Piece, TimeSignature, Track
from gen.safe_parse import Examined
from gen.sampling.in_file.continuation import Continuation
from gen.sampling.in_file.rewriting import Rewriting
from gen.sampling.in_file.source import Source
from gen.sampling.job import FromNothing, job_of
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.deciding import plan_of, slash_basses
from gen.sampling.planning.plan import compass_of
from gen.sampling.planning.rules import Rules
from gen.sampling.request import FileTask
from gen.smf import normalise, write

BAR = 1920
ASKED = {0: 4, 3: 9, 4: 4}  # bar: pitch class; bars 2 and 6 ask for B in their second half


def checked(notes, first_bar=0, bars=7) -> int:
    """How many notes stand under a slash; each is the one behind it, unless all of these ring."""
    notes, count = list(notes), 0
    low, high = compass_of(33, (0, 127))
    for note in notes:
        bar, tick = divmod(note.onset_ticks, BAR)
        bar -= first_bar
        asked = ASKED.get(bar, 11 if bar % 4 == 1 and tick >= BAR // 2 else None)
        if 0 <= bar < bars and asked is not None and note.pitch % 12 != asked:
            ringing = {n.pitch for n in notes if n.onset_ticks < note.onset_ticks < n.end_ticks}
            assert {p for p in range(low, high + 1) if p % 12 == asked} <= ringing
        count += 0 <= bar < bars and asked is not None and note.pitch % 12 == asked
    return count


def source() -> Source:
    """Eight bars of a bare tune."""
    notes = [Note(i * 480, 470, 60 + i % 5, 80) for i in range(32)]
    piece = Piece(480, [Track("Tune", 73, notes=notes)], [], [TimeSignature(0, 4, 4)])
    data = write(piece)
    found = normalise(data)
    return Source.of("tune.mid", data, Examined(found, analyse(found.piece)))


def test_bars_without_a_slash_ask_for_nothing():
    assert slash_basses("C | F G", [48, 48]) == {}
    assert slash_basses("C/E | F G/B | %", [48] * 4) == {
        0: ((0, 4),), 1: ((0, None), (24, 11)), 2: ((0, None), (24, 11)), 3: ((0, 4),)
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_a_bass_plays_the_note_behind_the_slash(seed):
    controls = Controls(
        bars=8, time_signature="4/4", instruments=("piano", "bass"), chords="C/E | F G/B | Am | F/A"
    )
    job = FromNothing(controls, plan_of(controls))
    piece = job.finish(written(job, seed, notes=0.5)).piece
    assert checked(n for track in piece.tracks if track.program == 33 for n in track.notes)


@pytest.mark.parametrize("seed", range(3))
def test_so_does_a_bass_that_is_added_to_a_file(seed):
    controls = Controls(chords="C/E | F G/B | Am | F/A")
    job = Rewriting.of(FileTask("accompany", None, add=("bass",)), source(), controls)
    piece = job.finish(written(job, seed, notes=0.5)).piece
    assert checked((n for t in piece.tracks if t.program == 33 for n in t.notes), bars=8)


def test_and_one_that_goes_on():
    tune = source()
    bass = Track("Bass", 33, notes=[Note(i * BAR, 1900, 36, 80) for i in range(8)])
    data = write(Piece(480, [*tune.piece.tracks, bass], [], [TimeSignature(0, 4, 4)]))
    found = normalise(data)
    both = Source.of("both.mid", data, Examined(found, analyse(found.piece)))
    job = Continuation.of(both, Controls(bars=8, chords="C/E | F G/B | Am | F/A"))
    found = 0
    for seed in range(3):
        piece = job.finish(written(job, seed, notes=0.5)).piece
        found += checked((n for t in piece.tracks if t.program == 33 for n in t.notes), 8)
    assert found


def chord_markers(rules: int, task: FileTask | None = None) -> tuple[list[str], list[Note]]:
    """What the markers of the chords that were asked for say, and the notes beside them."""
    band = {} if task else {"time_signature": "4/4", "instruments": ("piano", "bass")}
    controls = Controls(bars=4, chords="C/E | F G/B | Am | F/A", **band)
    given = source() if task else None
    job = job_of(controls, task, steering=1.0, rules=Rules(rules), source=given)
    piece = job.finish(written(job, 3, notes=0.8, context=400)).piece
    texts = [marker.text for marker in piece.markers]
    return [t for t in texts if t[0] in "ACFG"], [n for t in piece.tracks for n in t.notes]


@pytest.mark.parametrize("task", [None, FileTask("tune.mid", "continue")])
def test_markers_say_what_stands_behind_a_slash_by_the_seventh_rules(task):
    """And nothing else is another than by the sixth, whose receipts stand."""
    (named, notes), (plain, same) = chord_markers(7, task), chord_markers(6, task)
    assert named[:5] == ["C/E", "F", "G/B", "Am", "F/A"]
    assert plain[:5] == ["C", "F", "G", "Am", "F"]
    assert notes == same


def test_so_do_those_of_a_part_that_is_added():
    task = FileTask("tune.mid", "accompany", add=("bass",))
    named, plain = chord_markers(7, task)[0], chord_markers(6, task)[0]
    assert named[:5] == ["C/E", "F", "G/B", "Am", "F/A"]
    assert plain[:5] == ["C", "F", "G", "Am", "F"]
