"""Jazz swing: walking bass, rootless comping ahead of the beat, a chorus of variations."""

from __future__ import annotations

from starter import bass, comping, guitar, melody, rhythm
from starter.arrangement import Arrangement, Seat
from starter.parts import by_energy, by_kind, by_turn, rest

# Comping in eighths of a bar of four: short strokes, held ones, pushes over the bar line.
COMP = ("x..x----", "..x-....", ".x-..x..", "x-.....x", "...x---.", ".....x-x", "x.....x-",
        "..x..x--")  # fmt: skip
COMP_BUSY = ("x..x..x-", ".x-.x..x", "x.x-..x-", "..x-.x.X", ".x.x-..x", "X..x-.x.")
SPARSE = ("x-------", "....x---", "...x----", "x---x---", ".......x")
FOUR = {"4/4": "uuuu", "3/4": "uuu", "5/4": "uuuuu", "6/8": "u..u..", "12/8": "u..u..u..u..",
        "7/8": "u.u.u.."}  # fmt: skip
IN_TWO = {"4/4": "x---x---", "3/4": "x-----", "6/8": "x-----", "5/4": "x-----x---",
          "12/8": "x-----x-----", "7/8": "x---x--"}  # fmt: skip
KICKS = (".......X", "...X....", "x..X....", "......x.", "X.......")
KICKS_BUSY = ("...X..X.", ".X..X..X", "X..X..X.", ".....XX.")

SWING = 2 / 3

ARRANGEMENTS = (
    Arrangement(
        name="alto quartet",
        seats=(
            Seat("Alto sax", 65, "main_melody",
                 melody.lead(ornament=0.1, ornament_again=0.4, anticipate=0.3, legato=0.9),
                 (51, 81)),
            Seat("Piano", 0, "accompaniment",
                 rhythm.beneath(rhythm.coloured(
                     rhythm.chords(COMP, COMP_BUSY, 0.72, voices=4, rootless=True,
                                   staccato=0.75, restless=True)), 18), (49, 76)),
            Seat("Bass", 32, "bass", bass.walking(two_feel_below=0.5), (28, 55)),
            Seat("Drums", 0, "drums", rhythm.kit("jazz_swing", chorus_at=0.78)),
        ),
        form="intro:4=tail@0.4 theme@0.48 solo@0.66 reprise@0.74 ending:4=tail@0.5",
        shifts=(0, -2, 3, 5, -4, 1),
        swing=SWING,
        final_quality=("69", "m69"),
        humanise=7,
    ),
    Arrangement(
        name="two-horn sextet",
        seats=(
            Seat("Trumpet", 56, "main_melody",
                 by_kind(melody.lead(anticipate=0.3, ornament_again=0.25, legato=0.88),
                         solo=rest), (55, 82)),
            Seat("Tenor sax", 66, "sub_melody",
                 by_kind(by_turn(melody.counter(0.4), melody.harmony(below=True)),
                         solo=melody.lead(legato=0.9), intro=rest), (46, 75)),
            Seat("Trombone", 57, "riff",
                 by_kind(rhythm.chords(KICKS, KICKS_BUSY, 0.72, voices=2, staccato=0.6,
                                       rootless=True, answer=True), intro=rest), (43, 65),
                 enters=0.6),
            Seat("Guitar", 26, "accompaniment", guitar.strum(FOUR, upper=3, staccato=0.6),
                 (40, 79)),
            Seat("Piano", 0, "accompaniment",
                 rhythm.coloured(rhythm.chords(SPARSE, COMP, 0.65, voices=3, rootless=True,
                                               staccato=0.8, restless=True)), (53, 79), level=-3),
            Seat("Bass", 32, "bass", bass.walking(two_feel_below=0.4), (28, 55)),
            Seat("Drums", 0, "drums", rhythm.kit("jazz_swing", chorus_at=0.7)),
        ),
        form="intro:4=tail@0.5 theme@0.55 solo@0.68 break:4=tail@0.6 "
             "reprise@0.82 ending:4=tail@0.75",
        tempo=1.1,
        shifts=(-2, 2, -5, 4, 0, 6),
        swing=SWING,
        final_quality=("69", "m69"),
        humanise=6,
    ),
    Arrangement(
        name="vibes after hours",
        seats=(
            Seat("Vibraphone", 11, "main_melody",
                 melody.lead(ornament=0.2, ornament_again=0.45, anticipate=0.15, fragment=True),
                 (53, 89), pedal=True),
            Seat("Clarinet", 71, "sub_melody",
                 by_kind(by_turn(rest, melody.counter(0.55)), solo=melody.counter(0.7)),
                 (50, 77), enters=0.45),
            Seat("Guitar", 26, "accompaniment",
                 by_energy(rhythm.clear(comping.comp(IN_TWO, voices=3, rootless=True)),
                           rhythm.coloured(rhythm.chords(COMP, voices=3, rootless=True,
                                                         staccato=0.8, restless=True)),
                           at=0.45), (50, 74)),
            Seat("Bass", 32, "bass", bass.walking(two_feel_below=0.62), (28, 52)),
            Seat("Brushes", 0, "drums", rhythm.kit("jazz_swing", chorus_at=0.9)),
        ),
        form="intro:4=head@0.25 theme@0.36 solo@0.5 reprise@0.55 ending:4=tail@0.3",
        tempo=0.8,
        shifts=(-1, 3, -3, 5, -6, 2),
        swing=SWING,
        final_quality=("maj9", "m9"),
        ritardando="lingering",
        humanise=8,
    ),
)  # fmt: skip
