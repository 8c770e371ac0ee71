"""Funk: sixteenths that leave holes for each other, ghost notes, horns that answer."""

from __future__ import annotations

from starter import comping, guitar, melody, rhythm
from starter.arrangement import Arrangement, Seat
from starter.parts import by_energy, by_kind, by_turn, rest

SLAP = ("1..g.1.8.g.1..5.", "1.g8..1..g5.8.7.", "1...g.18.g1.7.8.", "1.g..8.1.g.15.7.")
SLAP_BUSY = ("1g.8.g1.8.g17.8.", "1.g8g.1.g851.g7a", "1..8g.18g.175.8g")
FINGER = ("1..1.g..5.g1..3.", "1.....1.g.5.7.8.", "1..g..1...8.75..", "1.g1....5..57..a")
FINGER_BUSY = ("1.g1.15.g.1.7.8g", "1..1g.1.58.g7.5a", "1.g18.g1.57.5.3.")
SYNTH = ("1-..1.8...1-7.8.", "1-..8...1.1.5.7.", "1-.1..8.1-..7.5.")

CLAV = ("x.o.xo.x.ox.xo.o", "xo.x.xo.x.o.xox.", "x.xo.ox.oxo.x.ox", ".xo.xox..xo.xo.x")
CLAV_BUSY = ("xoxo.xoxx.oxoxox", "xo.xoxo.xoxo.xxo", "x.oxxo.xoxo.xoxX")
SCRATCH = {"4/4": "x.xu.xUx.xu.xuxx|xxu.xxU.x.xuxxux", "3/4": "x.xu.xUx.xux", "6/8": "x.u.xUx.xux.",
           "12/8": "x.u.xUx.xux.x.u.xUx.xux.", "5/4": "x.xu.xUx.xu.xuxx.xux",
           "7/8": "x.xu.xUx.xuxux"}  # fmt: skip
SCRATCH_FULL = {"4/4": "D.xuxxUx.xuxd.ux|D.xuxxUxxuxUxxuu", "3/4": "D.xuxxUx.xux",
                "6/8": "D.xuxUx.xuxu", "12/8": "D.xuxUx.xuxuD.xuxUx.xuxu",
                "5/4": "D.xuxxUx.xuxd.uxD.xu", "7/8": "D.xuxxUx.xuxux"}  # fmt: skip
SKANK = ("....x.......x.x.", "....x..x....x...", "..x...x.....x..x")

STABS = ("......x.......X.", "...x..X.........", "............xxX.", "X.........x..x..")
STABS_BUSY = ("x..x..X.......X.", "......X...x.x.X.", "X..X..x.....X.x.", "....X..X..X..X..")
ORGAN = ("x--.x..x.--.x...", "..x--...x..x--..", "x...x--.x.x..x--")
RHODES = ("x-----x...x-----", "...x----..x---x.", "x-.x-----.x-....")
ARRANGEMENTS = (
    Arrangement(
        name="clav and horns",
        seats=(
            Seat("Alto sax", 65, "main_melody",
                 melody.lead(anticipate=0.25, ornament_again=0.25, legato=0.85), (52, 81),
                ),
            Seat("Trumpet", 56, "sub_melody",
                 by_turn(rest, melody.harmony(below=False, from_energy=0.7)), (58, 84),
                 level=-3, enters=0.65),
            Seat("Horn section", 61, "riff",
                 rhythm.chords(STABS, STABS_BUSY, 0.72, voices=3, staccato=0.7, answer=True),
                 (53, 77), level=-2),
            Seat("Clavinet", 7, "accompaniment",
                 rhythm.chords(CLAV, CLAV_BUSY, 0.7, voices=2, staccato=0.6, rootless=True),
                 (50, 74), level=-3),
            Seat("Guitar", 28, "accompaniment", guitar.strum(SCRATCH, SCRATCH_FULL, upper=3,
                 staccato=0.55), (40, 79), level=-8, silent_in=("break",)),
            Seat("Slap bass", 36, "bass",
                 rhythm.bass(SLAP, SLAP_BUSY, 0.72, approach=0.35, legato=0.72, push=True),
                 (28, 55)),
            Seat("Drums", 0, "drums", rhythm.kit("funk", lock=True)),
        ),
        form="intro:4=vamp@0.5 theme@0.6 break:4=vamp@0.5 solo@0.7 reprise@0.85 ending:4=vamp@0.8",
        shifts=(0, -3, 2, 5, -5, 1),
        final_quality=("9", "m9"),
        humanise=4,
    ),
    Arrangement(
        name="organ trio plus one",
        seats=(
            Seat("Guitar", 26, "main_melody",
                 melody.lead(anticipate=0.2, ornament=0.15, ornament_again=0.4, legato=0.85),
                 (50, 82)),
            Seat("Organ", 17, "accompaniment",
                 by_kind(by_energy(rhythm.coloured(rhythm.chords(ORGAN, voices=4, staccato=0.8,
                                                                 rootless=True)),
                                   rhythm.chords(SKANK, ORGAN, 0.8, voices=4), at=0.68),
                         **{"break": comping.pad(4)}), (50, 77)),
            Seat("Finger bass", 33, "bass",
                 rhythm.bass(FINGER, FINGER_BUSY, 0.7, approach=0.45, legato=0.75), (28, 55)),
            Seat("Drums", 0, "drums", rhythm.kit("funk", lock=True)),
        ),
        form="intro:4=vamp@0.55 theme@0.55 solo@0.68 break:4=vamp@0.4-0.7 "
             "reprise@0.8 ending:2=vamp@0.8",
        tempo=1.1,
        shifts=(-2, 3, -4, 1, 4, 6),
        final_quality=("9", "m7"),
        humanise=4,
    ),
    Arrangement(
        name="laid-back Rhodes",
        seats=(
            Seat("Flute", 73, "main_melody",
                 melody.lead(ornament_again=0.3, anticipate=0.15, fragment=True), (60, 93)),
            Seat("Rhodes", 4, "accompaniment",
                 rhythm.coloured(rhythm.chords(RHODES, voices=4, rootless=True, staccato=0.92)),
                 (50, 76)),
            Seat("Muted guitar", 28, "accompaniment", guitar.strum(SCRATCH, upper=3, staccato=0.5),
                 (40, 79), level=-6, enters=0.5),
            Seat("Strings", 50, "pad", rhythm.clear(comping.pad(3)), (55, 79), enters=0.7),
            Seat("Synth bass", 38, "bass",
                 rhythm.bass(SYNTH, FINGER, 0.72, approach=0.4, legato=0.85), (28, 52)),
            Seat("Drums", 0, "drums", rhythm.kit("funk", chorus_at=0.8)),
        ),
        form="intro:4=vamp@0.35 theme@0.5 break:4=vamp@0.4 reprise@0.72 "
             "solo@0.65 ending:4=tail@0.45",
        tempo=0.88,
        shifts=(-1, 4, -3, 2, -6, 5),
        final_quality=("maj9", "m9"),
        swing=2 / 3,
        swing_unit=240,
    ),
)  # fmt: skip
