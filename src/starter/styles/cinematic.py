"""Cinematic: string ostinati that gather, horns that carry the theme, drums that wait."""

from __future__ import annotations

from starter import bass, comping, drums, melody
from starter.arrangement import Arrangement, Seat
from starter.parts import by_energy, by_kind, by_letter, by_turn, choose, rest

SPICCATO = choose(
    comping.arpeggio({"4/4": "0102010201020102", "3/4": "010201020102", "6/8": "012012",
                      "12/8": "012012012012", "5/4": "0102010201020102" "0102", "7/8": "0102012"},
                     voices=3),
    comping.arpeggio({"4/4": "01210121", "3/4": "012121", "6/8": "010210", "12/8": "010210010210",
                      "5/4": "0121210121", "7/8": "0121012"}, voices=3),
    comping.ostinato({"4/4": "1.1151.1", "3/4": "1.1511", "6/8": "111511", "12/8": "111511111511",
                      "5/4": "1.11511511", "7/8": "1.11511"}, register=50, staccato=0.6),
)  # fmt: skip
PULSE = {"4/4": "11111111", "3/4": "111111", "6/8": "111111", "12/8": "111111111111",
         "5/4": "1111111111", "7/8": "1111111"}  # fmt: skip
BROAD = {"4/4": "1---", "3/4": "1--", "6/8": "1-----", "12/8": "1-----1-----", "5/4": "1--1-",
         "7/8": "1------"}  # fmt: skip
PIANO = choose(
    comping.arpeggio({"4/4": "01232123", "3/4": "012321", "6/8": "012321", "12/8": "012321012321",
                      "5/4": "0123212321", "7/8": "0123212"},
                     voices=3, root_below=True, spread=17),
    comping.arpeggio({"4/4": "0..12.1.", "3/4": "0.1.2.", "6/8": "0.12.1", "12/8": "0.12.10.12.1",
                      "5/4": "0..12.1.2.", "7/8": "0.1.2.1"},
                     voices=3, root_below=True, spread=17),
)  # fmt: skip

_war = drums.DrumPattern(
    lanes={
        "floor2": {"4/4": "X..x..x.X..x..xo", "3/4": "X..x..x.x.xo", "6/8": "X.ox.x",
                   "12/8": "X.ox.xX.ox.x", "5/4": "X..x..x.X.x." + "X.xo" + "x.xo",
                   "7/8": "X.x.Xox"},
        "tom2": {"4/4": "....o.......oo..", "3/4": "....o...oo..", "6/8": "..o..o",
                 "12/8": "..o..o..o.oo", "5/4": "....o.......oo......", "7/8": "..o..oo"},
        "kick": {"4/4": "X.......x.......", "3/4": "X...........", "6/8": "X.....",
                 "12/8": "X.....x.....", "5/4": "X...........x.......", "7/8": "X...x.."},
    },
    fill={
        "floor2": {"4/4": "X.x.X.xxX.xxXXXX", "3/4": "X.x.X.xxXXXX", "6/8": "X.xXXX",
                   "12/8": "X.xX.xX.xXXX", "5/4": "X.x.X.xxX.xxX.xxXXXX", "7/8": "X.xxXXX"},
        "tom1": {"4/4": "........oooxxxxX", "3/4": "....oooxxxxX", "6/8": "...xxX",
                 "12/8": "......oooxxX", "5/4": "............oooxxxxX", "7/8": "....xxX"},
    },
    light={
        "kick": {"4/4": "o.......", "3/4": "o.....", "6/8": "o.....", "12/8": "o...........",
                 "5/4": "o.........", "7/8": "o......"},
    },
    light_below=0.5,
    crash="crash",
)  # fmt: skip
_heart = drums.DrumPattern(
    lanes={
        "kick": {"4/4": "x.o.....x.o.....", "3/4": "x.o.........", "6/8": "xo....",
                 "12/8": "xo....xo....", "5/4": "x.o.........x.o.....", "7/8": "xo..x.."},
        "shaker": {"4/4": "oooooooo", "3/4": "oooooo", "6/8": "oooooo", "12/8": "oooooooooooo",
                   "5/4": "oooooooooo", "7/8": "ooooooo"},
    },
    light={"kick": {"4/4": "o...", "3/4": "o..", "6/8": "o.....", "12/8": "o...........",
                    "5/4": "o....", "7/8": "o......"}},
    light_below=0.5,
    crash=None,
)  # fmt: skip

ARRANGEMENTS = (
    Arrangement(
        name="orchestra",
        seats=(
            Seat("Horns", 60, "main_melody",
                 by_turn(melody.lead(), by_letter(melody.lead(), B=melody.counter(0.6))), (52, 77)),
            Seat("Violins", 48, "sub_melody",
                 by_turn(by_letter(melody.counter(0.4, register=76, intro=False),
                                   B=melody.doubled(1)),
                         melody.doubled(1)), (60, 93), enters=0.5),
            Seat("Spiccato strings", 49, "riff", SPICCATO, (43, 64)),
            Seat("Choir", 52, "pad", comping.pad(3), (58, 79), enters=0.72),
            Seat("Trombones", 57, "accompaniment",
                 comping.pad(3, restrike=True, spread=14), (41, 60), enters=0.66),
            Seat("Cellos and basses", 43, "bass",
                 bass.line(BROAD, lively=PULSE, from_energy=0.7, legato=0.85), (29, 50)),
            Seat("Timpani and drums", 0, "drums", drums.kit(_war), enters=0.52),
        ),
        form="intro:4=vamp@0.3-0.45 theme@0.5-0.75 break:4=tail@0.45-0.8 reprise@0.95 ending:4@0.9"
             " / intro:4=pedal@0.3-0.5 theme@0.5-0.8 reprise@0.95 ending:4=vamp@0.55-0.3",
        shifts=(0, -2, 2, -1, 1, 3),
        ritardando="lingering",
        humanise=4,
    ),
    Arrangement(
        name="piano and strings",
        seats=(
            Seat("Piano melody", 0, "main_melody",
                 by_turn(melody.lead(ornament_again=0.25), melody.lead(octave=None)), (57, 91),
                 pedal=True),
            Seat("Piano left hand", 0, "accompaniment", PIANO, (36, 67), pedal=True),
            Seat("Solo cello", 42, "sub_melody",
                 by_turn(by_kind(melody.counter(0.5), intro=rest), melody.counter(0.85)),
                 (43, 69), enters=0.4),
            Seat("Violins", 48, "sub_melody", by_turn(rest, melody.doubled(1)), (64, 96),
                 enters=0.6),
            Seat("Strings", 49, "pad", comping.pad(3, spread=14), (50, 72), enters=0.45),
            Seat("Basses", 43, "bass", bass.pedal(), (28, 48), enters=0.5),
        ),
        form="intro:4=head@0.25 theme@0.42 break:2=vamp@0.5 reprise@0.8 ending:4@0.35"
             " / intro:2=vamp@0.25 theme@0.4 solo@0.62 reprise@0.82 ending:4=tail@0.3",
        tempo=0.9,
        shifts=(-4, -3, 4, 5, 3, -5),
        ritardando="lingering",
        humanise=6,
    ),
    Arrangement(
        name="hybrid score",
        seats=(
            Seat("Low brass", 57, "main_melody", by_turn(rest, melody.lead()), (41, 70),
                 silent_in=("intro", "break")),
            Seat("Synth lead", 81, "main_melody", by_turn(melody.lead(), melody.doubled(1)),
                 (57, 91), level=-6),
            Seat("Pulse", 38, "riff",
                 by_energy(
                     comping.ostinato({"4/4": "1.1.1.1.1.1.1.1.", "3/4": "1.1.1.1.1.1.",
                                       "6/8": "1.11.1", "12/8": "1.11.11.11.1",
                                       "5/4": "1.1.1.1.1.", "7/8": "1.1.1.1"}, register=45),
                     comping.ostinato({"4/4": "1181151811811518", "3/4": "118115181158",
                                       "6/8": "118158", "12/8": "118158118158",
                                       "5/4": "1181151815", "7/8": "1181158"}, register=45),
                     at=0.6,
                 ), (33, 64)),
            Seat("Strings", 48, "accompaniment",
                 by_energy(comping.pad(3), comping.comp(
                     {"4/4": "x-xx-x-x", "3/4": "x-xx-x", "6/8": "x-xx-x", "12/8": "x-xx-xx-xx-x",
                      "5/4": "x-xx-x-xx-", "7/8": "x-x-xxx"}, voices=3, staccato=0.55), at=0.75),
                 (52, 76)),
            Seat("Dark pad", 89, "pad", comping.pad(3, spread=19), (43, 69)),
            Seat("Sub bass", 38, "bass", bass.pedal(), (26, 45), enters=0.4),
            Seat("Percussion", 0, "drums", drums.kit(_heart, lively=_war, from_energy=0.7),
                 enters=0.4),
        ),
        form="intro:4=pedal@0.3-0.5 theme@0.52-0.72 break:4=vamp@0.45-0.9 reprise@0.95 ending:2@0.9"
             " / intro:4=vamp@0.35 theme@0.5-0.72 solo@0.6 reprise@0.95 ending:4=vamp@0.4-0.25",
        tempo=1.06,
        shifts=(-6, -1, 1, 6, -2, 5),
        humanise=3,
    ),
)  # fmt: skip
