"""What the works do without exception."""

from __future__ import annotations

from dataclasses import asdict

from gen.data.habits import Habits, chord_sizes, instruments
from gen.piece import DRUM_PROGRAM, ROLES, Note, Piece, Track
from gen.tokens.encoding import Annotations
from music import events_of


def chord(onset: int, *pitches: int) -> list[Note]:
    return [Note(onset, 120, pitch, 80) for pitch in pitches]


def test_the_biggest_chord_of_each_instrument_in_each_role():
    melody = chord(0, 72) + chord(480, 74, 79)
    comping = chord(0, 60, 64, 67) + chord(1920, 60)
    hits = chord(0, 36, 42) + chord(240, 38, 42, 49)
    tracks = [Track("a", notes=melody), Track("b", notes=comping), Track("c", 0, True, notes=hits)]
    one = events_of(Piece(480, tracks), Annotations(roles=(ROLES[0], ROLES[2], "drums")))
    told = Annotations(roles=(ROLES[0],))
    other = events_of(Piece(480, [Track("a", 73, notes=chord(0, 80))]), told)
    first, third = 1, 3
    assert chord_sizes([one, other]) == {
        "0:0": 3, f"0:{first}": 2, f"0:{third}": 3,
        "73:0": 1, f"73:{first}": 1,
        f"{DRUM_PROGRAM}:0": 3, f"{DRUM_PROGRAM}:7": 3, "any:7": 3,
        "any:0": 3, f"any:{first}": 2, f"any:{third}": 3,
    }  # fmt: skip


def test_works_without_notes_have_no_habits():
    assert Habits.of([]) == Habits() == Habits.from_run({})
    assert chord_sizes([events_of(Piece(480, [Track(notes=chord(0, 60))]))[:3]]) == {}


def test_the_instruments_of_each_genre():
    def song(genre: str | None, *programs: int):
        tracks = [
            Track("t", 0 if program == DRUM_PROGRAM else program, program == DRUM_PROGRAM,
                  notes=chord(0, 60))
            for program in programs
        ]  # fmt: skip
        return events_of(Piece(480, tracks), Annotations(genre))

    works = [song("waltz", 40, 0), song("waltz", 0, DRUM_PROGRAM), song(None, 99), song("rock", 30)]
    assert instruments(works) == {"rock": [30], "waltz": [0, 40, DRUM_PROGRAM]}
    told = Habits.of(works)
    assert Habits.from_run({"steps": 5, **asdict(told)}) == told
