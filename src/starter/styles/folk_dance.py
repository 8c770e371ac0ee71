"""Folk dance: fiddle and whistle over strings that strum and a drum held in the hand."""

from __future__ import annotations

from starter import bass, comping, drums, melody
from starter.arrangement import Arrangement, Seat
from starter.parts import by_kind, by_letter, by_return, by_turn, choose, rest

STRUM = {"4/4": "X.oxo.xo", "3/4": "X.xoxo", "6/8": "X.ox.o", "9/8": "X.ox.ox.o",
         "12/8": "X.ox.oX.ox.o", "7/8": "X.x.xoo", "5/4": "X.xoxoX.xo", "2/4": "X.xo",
         "5/8": "X.ox.", "2/2": "X.xo"}  # fmt: skip
DRIVE = {"4/4": "XoxoXoxo", "3/4": "Xoxoxo", "6/8": "XooXoo", "9/8": "XooXooXoo",
         "12/8": "XooXooXooXoo", "7/8": "XoXoXoo", "5/4": "XoxoxoXoxo", "2/4": "Xoxo",
         "5/8": "XooXo", "2/2": "XoXo"}  # fmt: skip
ROOTS = {"4/4": "1.5.", "3/4": "1.5", "6/8": "1..5..", "9/8": "1..5..1..",
         "12/8": "1..5..1..5..", "7/8": "1.5.1..", "5/4": "1.51.",
         "2/4": "1.5.", "5/8": "1..5.", "2/2": "1.5."}  # fmt: skip

_bodhran = drums.DrumPattern(
    lanes={
        "lowbongo": {"4/4": "X..x..x.", "3/4": "X...x.", "6/8": "X..x..", "9/8": "X..x..x..",
                     "12/8": "X..x..X..x..", "7/8": "X.x.X..", "5/4": "X...x.X...",
                     "2/4": "X..x", "5/8": "X..x.", "2/2": "X.x."},
        "bongo": {"4/4": ".ox.oxox", "3/4": "..xoox", "6/8": ".oo.ox", "9/8": ".oo.oo.ox",
                  "12/8": ".oo.ox.oo.ox", "7/8": ".o.o.ox", "5/4": "..xoox..ox", "2/4": ".oxo",
                  "5/8": ".oo.x", "2/2": ".o.o"},
        "tambourine": {"4/4": "..x...x.", "3/4": "..x.x.", "6/8": "...x..", "9/8": "......x..",
                       "12/8": "...x.....x..", "7/8": "....x..", "5/4": "....x...x.",
                       "2/4": "..x.", "5/8": "...x.", "2/2": "..x."},
    },
    fill={
        "lowbongo": {"4/4": "X.xxX.XX", "3/4": "X.xXXX", "6/8": "X.xXxX", "9/8": "X..x.xXxX",
                     "12/8": "X..x..X.xXxX", "7/8": "X.x.XXX", "5/4": "X...x.XXXX", "2/4": "XxXX",
                     "5/8": "X.xXX", "2/2": "XxXX"},
    },
    light={"bongo": {"4/4": "o...o...", "3/4": "o.....", "6/8": "o..o..", "9/8": "o..o..o..",
                     "12/8": "o..o..o..o..", "7/8": "o...o..", "5/4": "o.....o...",
                     "2/4": "o...", "5/8": "o..o.", "2/2": "o..."}},
    light_below=0.45,
    crash=None,
)  # fmt: skip
_frame = drums.DrumPattern(
    lanes={
        "floor": {"4/4": "X...x...", "3/4": "X.....", "6/8": "X.....", "9/8": "X........",
                  "12/8": "X.....x.....", "7/8": "X...x..", "5/4": "X.....x...", "2/4": "X...",
                  "5/8": "X..x.", "2/2": "X..."},
        "tambourine": {"4/4": "o.x.o.xo", "3/4": "o.x.xo", "6/8": "o.ox.o", "9/8": "o.ox.ox.o",
                       "12/8": "o.ox.oo.ox.o", "7/8": "o.x.xoo", "5/4": "o.x.o.x.xo",
                       "2/4": "o.xo", "5/8": "o.ox.", "2/2": "o.xo"},
        "clap": {"4/4": "....x...", "3/4": "......", "6/8": "...x..", "9/8": "......x..",
                 "12/8": "...x.....x..", "7/8": "....x..", "5/4": "......x...", "2/4": "..x.",
                 "5/8": "...x.", "2/2": "..x."},
    },
    light={"tambourine": {"4/4": "..x...x.", "3/4": "..x.x.", "6/8": "...x..", "9/8": "...x..x..",
                          "12/8": "...x.....x..", "7/8": "....x..", "5/4": "....x...x.",
                          "2/4": "..x.", "5/8": "...x.", "2/2": "..x."}},
    light_below=0.5,
    crash=None,
)  # fmt: skip

ARRANGEMENTS = (
    Arrangement(
        name="fiddle band",
        seats=(
            Seat("Fiddle", 110, "main_melody",
                 by_return(melody.lead(legato=0.85), melody.lead(ornament=0.45, legato=0.85)),
                 (55, 91)),
            Seat("Whistle", 72, "sub_melody",
                 by_turn(by_letter(rest, B=melody.doubled(1)), melody.doubled(1)), (74, 100)),
            Seat("Guitar", 25, "accompaniment",
                 comping.comp(STRUM, lively=DRIVE, voices=4, staccato=0.8, strum=12, spread=19),
                 (45, 69)),
            Seat("Accordion", 21, "pad", comping.pad(3), (53, 72), enters=0.55),
            Seat("Upright bass", 32, "bass", bass.line(ROOTS, approach=0.3, legato=0.75),
                 (28, 50)),
            Seat("Bodhran", 0, "drums", drums.kit(_bodhran), enters=0.45),
        ),
        form="intro:4=vamp@0.4 theme@0.55 reprise@0.75 reprise@0.92 ending:2@0.9"
             " / intro:4=head@0.5 theme@0.58 solo@0.72 reprise@0.9 ending:4=tail@0.9",
        shifts=(0, 2, -2, 5, -5, 3),
        humanise=5,
    ),
    Arrangement(
        name="flute and harp",
        seats=(
            Seat("Wooden flute", 75, "main_melody", melody.lead(ornament=0.15, ornament_again=0.5),
                 (60, 91)),
            Seat("Harp", 46, "accompaniment",
                 choose(
                     comping.arpeggio({"4/4": "01232123", "3/4": "012343", "6/8": "012343",
                                       "9/8": "012343212", "12/8": "012343212343",
                                       "7/8": "0123432", "5/4": "0123432123", "2/4": "0123",
                                       "5/8": "01232", "2/2": "0123"},
                                      voices=3, root_below=True, ring=True, spread=15),
                     comping.arpeggio({"4/4": "0.21.321", "3/4": "0.2132", "6/8": "021321",
                                       "9/8": "021321321", "12/8": "021321021321",
                                       "7/8": "0213232", "5/4": "0.21.32132", "2/4": "0213",
                                       "5/8": "02132", "2/2": "0213"},
                                      voices=3, root_below=True, ring=True, spread=15),
                 ), (38, 79)),
            Seat("Viola", 41, "sub_melody",
                 by_turn(by_kind(melody.counter(0.5), intro=rest), melody.harmony(below=True)),
                 (50, 76), enters=0.45),
            Seat("Cello", 42, "bass", bass.line(ROOTS, approach=0.25, legato=0.8), (36, 57),
                 enters=0.5),
            Seat("Frame drum", 0, "drums", drums.kit(_frame), enters=0.6),
        ),
        form="intro:4=head@0.3 theme@0.48 break:4=vamp@0.42 reprise@0.75 ending:4@0.45"
             " / intro:2=vamp@0.3 theme@0.5 solo@0.62 reprise@0.8 ending:4=vamp@0.4",
        tempo=0.84,
        shifts=(-3, -1, 1, 3, 4, -4),
        ritardando="lingering",
        humanise=6,
    ),
    Arrangement(
        name="village square",
        seats=(
            Seat("Clarinet", 71, "main_melody",
                 by_letter(melody.lead(legato=0.82, ornament_again=0.4),
                           B=by_return(melody.lead(legato=0.82), melody.harmony(below=True))),
                 (55, 88)),
            Seat("Accordion", 21, "sub_melody",
                 by_turn(melody.counter(0.7), melody.harmony(below=True), melody.doubled(0)),
                 (53, 86)),
            Seat("Tambura", 25, "accompaniment",
                 comping.comp(DRIVE, voices=3, staccato=0.6, strum=8), (50, 72)),
            Seat("Dulcimer", 15, "accompaniment",
                 comping.arpeggio({"4/4": "0121321201213212", "3/4": "012132121321",
                                   "6/8": "012321", "9/8": "012321232", "12/8": "012321012321",
                                   "7/8": "01213232", "5/4": "0121321232", "2/4": "01213212",
                                   "5/8": "01232", "2/2": "0121"} | {"7/8": "0121323"},
                                  voices=3), (60, 84), enters=0.6),
            Seat("Bass", 32, "bass", bass.line(ROOTS, approach=0.2, legato=0.6), (28, 50)),
            Seat("Drums", 0, "drums", drums.kit(_bodhran)),
        ),
        form="intro:4=vamp@0.5 theme@0.6 break:4=tail@0.42 reprise@0.85 reprise@0.95 ending:2@0.95"
             " / intro:2=head@0.55 theme@0.62 reprise@0.8 reprise@0.95^2 ending:3=tail@0.95",
        tempo=1.08,
        shifts=(-6, -1, 1, 4, 6, -5),
        humanise=4,
    ),
)  # fmt: skip
