"""Draws the pictures of the composers' guide from a piece that is written here, note by note.

    python docs/composers/pictures.py

Beside the pictures it can write the piece as a MIDI file to try the commands with:

    python docs/composers/pictures.py slate-roofs.mid
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from gen.piece import Marker, Note, Pedal, Piece, Tempo, TimeSignature, Track
from gen.rendering import piano_roll
from gen.smf import write

HERE = Path(__file__).resolve().parent
TITLE = "Slate Roofs"
QUARTER = 480
BAR = 4 * QUARTER
BEATS_PER_MINUTE = 92
SECTIONS = ((0, "intro"), (2, "A"), (10, "B"), (18, "end"))

# One chord a bar as the piano's left and right hand take it, lowest note first.
CHORDS = (
    (50, 57, 62, 65), (50, 57, 62, 65),
    (50, 57, 62, 65), (48, 55, 64, 67), (46, 53, 62, 65), (45, 52, 61, 67),
    (50, 57, 62, 65), (43, 55, 58, 62), (45, 52, 61, 64), (45, 52, 61, 67),
    (53, 57, 60, 69), (48, 55, 64, 67), (50, 57, 62, 65), (46, 53, 62, 65),
    (43, 55, 58, 62), (48, 55, 64, 70), (46, 53, 62, 65), (45, 52, 61, 67),
    (50, 57, 62, 65), (50, 57, 62, 69),
)  # fmt: skip
# Bar by bar from the third on: (length in eighths, pitch); None is a rest.
MELODY = (
    ((3, 74), (1, 77), (4, 76)), ((2, 72), (2, 74), (3, 76), (1, 72)),
    ((6, 74), (1, 70), (1, 69)), ((7, 69), (1, None)),
    ((3, 74), (1, 77), (2, 81), (2, 79)), ((3, 79), (1, 77), (2, 74), (2, 70)),
    ((4, 73), (2, 76), (2, 79)), ((6, 73), (2, None)),
    ((2, 77), (2, 81), (3, 84), (1, 82)), ((3, 79), (1, 76), (4, 72)),
    ((2, 74), (2, 77), (3, 81), (1, 79)), ((6, 77), (2, None)),
    ((2, 74), (2, 70), (2, 79), (2, 77)), ((3, 76), (1, 72), (2, 70), (2, 72)),
    ((4, 74), (4, 77)), ((3, 76), (1, 73), (2, 69), (2, 73)),
    ((4, 74), (2, 69), (2, 65)), ((8, 62),),
)  # fmt: skip
ARPEGGIO = (0, 1, 2, 3, 2, 1, 2, 1)


def slate_roofs() -> Piece:
    """Twenty bars for flute, piano, bass and drums, played a little loosely."""
    tracks = [
        Track("Flute", 73, notes=_flute()),
        Track("Piano", 0, notes=_piano(), pedals=_pedals()),
        Track("Bass", 33, notes=_bass()),
        Track("Drums", 0, is_drum=True, notes=_drums()),
    ]
    return Piece(
        QUARTER,
        tracks,
        [Tempo(0, 60_000_000 // BEATS_PER_MINUTE)],
        [TimeSignature(0, 4, 4)],
        markers=[Marker(bar * BAR, name) for bar, name in SECTIONS],
    )


def _loose(number: int) -> int:
    """A few ticks late, as hands are; never the same twice in a row."""
    return number * 7 % 11


def _flute() -> list[Note]:
    notes, tick = [], 2 * BAR
    for bar in MELODY:
        for number, (eighths, pitch) in enumerate(bar):
            length = eighths * QUARTER // 2
            if pitch is not None:
                loudness = 92 - 6 * (number > 0) + (pitch - 72)
                notes.append(Note(tick + _loose(pitch), length * 15 // 16, pitch, loudness))
            tick += length
    return notes


def _piano() -> list[Note]:
    notes = []
    for bar, chord in enumerate(CHORDS[:-1]):
        for step, tone in enumerate(ARPEGGIO):
            tick = bar * BAR + step * QUARTER // 2
            velocity = 64 - 8 * (step % 2) - 4 * (step > 0)
            notes.append(Note(tick + _loose(bar + step), QUARTER // 2, chord[tone], velocity))
    last = (len(CHORDS) - 1) * BAR
    notes += [Note(last + 24 * i, BAR - 96, p, 58 - 2 * i) for i, p in enumerate(CHORDS[-1])]
    return notes


def _pedals() -> list[Pedal]:
    return [Pedal(bar * BAR + 12, BAR - 24) for bar in range(len(CHORDS))]


def _bass() -> list[Note]:
    notes = []
    for bar in range(2, len(CHORDS) - 2):
        root, start = CHORDS[bar][0] - 12, bar * BAR
        notes.append(Note(start + _loose(bar), QUARTER * 3 // 2, root, 86))
        notes.append(Note(start + 2 * QUARTER, QUARTER - 40, root + 7, 76))
        notes.append(Note(start + 3 * QUARTER, QUARTER - 40, root + 12, 72))
    ends = (len(CHORDS) - 2, len(CHORDS) - 1)
    return notes + [Note(bar * BAR, BAR - 96, CHORDS[bar][0] - 12, 80) for bar in ends]


def _drums() -> list[Note]:
    notes = []
    for bar in range(2, len(CHORDS) - 1):
        for eighth in range(8):
            tick = bar * BAR + eighth * QUARTER // 2
            notes.append(Note(tick + _loose(eighth), 60, 42, 60 - 16 * (eighth % 2)))
            if eighth in (2, 6):
                notes.append(Note(tick, 60, 38, 80))
            if eighth == 0 or (eighth == 4 and bar % 2):
                notes.append(Note(tick, 60, 36, 94))
    return [*notes, Note((len(CHORDS) - 1) * BAR, 240, 49, 84)]


def without_a_click(piece: Piece) -> Piece:
    """The same playing into a project whose tempo nobody set (120): its first eight bars."""
    stretch = 120 / BEATS_PER_MINUTE

    def moved(note: Note) -> Note:
        onset, end = round(note.onset_ticks * stretch), round(note.end_ticks * stretch)
        return replace(note, onset_ticks=onset + 700, duration_ticks=end - onset)

    first_bars = 8 * BAR
    tracks = [
        replace(t, notes=[moved(n) for n in t.notes if moved(n).end_ticks < first_bars], pedals=[])
        for t in piece.tracks
    ]
    return replace(piece, tracks=tracks, tempos=[Tempo(0, 500_000)], markers=[])


def main() -> None:
    """Write the pictures, or the piece to the file that is named."""
    piece = slate_roofs()
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_bytes(write(piece))
        return
    piano_roll(piece, HERE / "slate-roofs.png", title=TITLE)
    piano_roll(
        without_a_click(piece),
        HERE / "without-a-click.png",
        title="The same playing, recorded without a click",
    )


if __name__ == "__main__":
    main()
