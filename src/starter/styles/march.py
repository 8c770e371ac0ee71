"""March: brass that states, woodwind that answers, a bass that strides, drums that place it."""

from __future__ import annotations

from starter import bass, comping, drums, melody
from starter.arrangement import Arrangement, Seat
from starter.parts import by_kind, by_letter, by_return, by_turn, choose, rest, together

OFFBEATS = {"4/4": ".x.x.x.x", "6/8": "..x..x", "3/4": ".x.x.x", "2/4": ".x.x"}
STRIDE = {"4/4": "1.5.", "6/8": "1..5..", "3/4": "1..", "2/4": "1.5."}
STRONG = {"4/4": "1-5-1-5a", "6/8": "1..5..", "3/4": "1-5-5-", "2/4": "1.5."}

_street = drums.DrumPattern(
    lanes={
        "kick": {"4/4": "X.x.", "6/8": "X..x..", "3/4": "X..", "2/4": "X."},
        "snare": {"4/4": "x..gx.xgx..gxoxo|x..gx.x.x.xgxoo.", "6/8": "x.ox.o|x.oxgo",
                  "3/4": "x.xgxo", "2/4": "xgoo"},
        "crash2": {"4/4": "o...", "6/8": "o.....", "3/4": "o..", "2/4": "o."},
    },
    fill={
        "kick": {"4/4": "X.x.", "6/8": "X..x..", "3/4": "X..", "2/4": "X."},
        "snare": {"4/4": "ooooooxxxxxxX.X.", "6/8": "ooxxXX", "3/4": "ooxxXX", "2/4": "ooxX"},
    },
    light={
        "snare": {"4/4": "o..oo..oo.oo.ooo", "6/8": "o.oo.o", "3/4": "o.o.oo", "2/4": "o.oo"},
    },
    light_below=0.45,
    crash="crash",
)  # fmt: skip
_procession = drums.DrumPattern(
    lanes={
        "kick": {"4/4": "X...x...", "6/8": "X..x..", "3/4": "X.....", "2/4": "X..."},
        "snare": {"4/4": "x...o.oox...xoxo|x...o.oox.o.x.oo", "6/8": "x.ox..|x.oxoo",
                  "3/4": "x.o.oo", "2/4": "x.oo"},
    },
    fill={
        "kick": {"4/4": "X...X.X.", "6/8": "X..X..", "3/4": "X.....", "2/4": "X..."},
        "snare": {"4/4": "oooooooooxxxxxXX", "6/8": "ooxxXX", "3/4": "ooxxXX", "2/4": "ooxX"},
        "crash": {"4/4": "....", "6/8": "......", "3/4": "...", "2/4": ".."},
    },
    light={"kick": {"4/4": "o...o...", "6/8": "o.....", "3/4": "o..", "2/4": "o."}},
    light_below=0.4,
    crash="crash",
)  # fmt: skip

ARRANGEMENTS = (
    Arrangement(
        name="parade band",
        seats=(
            Seat("Trumpets", 56, "main_melody",
                 by_letter(melody.lead(legato=0.85), B=by_return(melody.counter(0.3),
                                                                 melody.lead(legato=0.85))),
                 (58, 82)),
            Seat("Piccolo", 72, "sub_melody",
                 by_turn(by_letter(by_return(rest, melody.doubled(1)),
                                   B=melody.lead(octave=1)),
                         melody.doubled(1)), (74, 100), enters=0.5),
            Seat("Clarinets", 71, "sub_melody",
                 by_kind(melody.harmony(below=True), intro=rest), (52, 84)),
            Seat("Trombones", 57, "riff",
                 by_turn(comping.ostinato({"4/4": "....1.5.|....1-3-", "6/8": "...1.5",
                                           "3/4": "...1.3", "2/4": "..13"}, register=52),
                         melody.counter(0.8, register=53)), (42, 67), enters=0.5),
            Seat("Horns", 60, "accompaniment", comping.comp(OFFBEATS, voices=3, staccato=0.55),
                 (50, 70)),
            Seat("Tuba", 58, "bass", bass.line(STRIDE, lively=STRONG, legato=0.65), (29, 50)),
            Seat("Drums", 0, "drums", drums.kit(_street)),
        ),
        form="intro:4=tail@0.6-0.8 theme@0.6 break:4=vamp@0.42 reprise@0.9 ending:3@0.9"
             " / intro:4=vamp@0.42-0.6 theme@0.65 reprise@0.9 ending:4@0.9",
        shifts=(0, -2, 2, 3, -3, -5),
        humanise=3,
    ),
    Arrangement(
        name="wind ensemble procession",
        seats=(
            Seat("Oboe", 68, "main_melody",
                 by_turn(melody.lead(), melody.doubled(0)), (60, 89)),
            Seat("Horn solo", 60, "main_melody", by_turn(rest, melody.lead(legato=0.95)), (50, 77),
                 silent_in=("intro", "break")),
            Seat("Flute", 73, "sub_melody",
                 by_turn(by_kind(melody.counter(0.5), intro=rest), melody.counter(0.9)), (65, 91)),
            Seat("Clarinet", 71, "accompaniment",
                 comping.arpeggio({"4/4": "01210121", "6/8": "012101", "3/4": "012101",
                                   "2/4": "0121"}, voices=3), (52, 74)),
            Seat("Bassoon", 70, "bass",
                 bass.line(STRIDE, approach=0.4, legato=0.6), (34, 57)),
            Seat("Field drum", 0, "drums", drums.kit(_procession)),
        ),
        form="intro:2=vamp@0.35 theme@0.5 break:2=head@0.42 reprise@0.82 ending:4@0.6"
             " / intro:4=tail@0.38 theme@0.52 solo@0.65 reprise@0.85 ending:3@0.75",
        tempo=0.86,
        shifts=(-4, 1, 4, -1, 5, 6),
        ritardando="lingering",
        humanise=4,
    ),
    Arrangement(
        name="orchestral quick march",
        seats=(
            Seat("Violins", 48, "main_melody",
                 by_return(melody.lead(legato=0.8), melody.lead(ornament=0.4, legato=0.85)),
                 (57, 91)),
            Seat("Trumpet", 56, "sub_melody",
                 by_turn(by_kind(rest, final=melody.closing_tone), melody.doubled(0)), (55, 82)),
            Seat("Woodwinds", 73, "sub_melody",
                 by_kind(choose(melody.counter(0.9, register=82), melody.harmony(below=False)),
                         intro=rest), (65, 93)),
            Seat("Violas", 49, "accompaniment", comping.comp(OFFBEATS, voices=3, staccato=0.5),
                 (50, 70)),
            Seat("Cellos and basses", 43, "bass",
                 together(bass.line(STRIDE, lively=STRONG, legato=0.7)), (31, 55)),
            Seat("Timpani", 47, "riff",
                 comping.ostinato({"4/4": "1...5...", "6/8": "1..5..", "3/4": "1.....",
                                   "2/4": "1.5."}, register=44), (38, 55), enters=0.6),
            Seat("Snare and cymbals", 0, "drums", drums.kit(_street), enters=0.5),
        ),
        form="intro:4=head@0.5-0.7 theme@0.58 break:4=tail@0.45 reprise@0.88^2 ending:4@0.9"
             " / intro:2=tail@0.6 theme@0.6 solo@0.65 reprise@0.9 ending:4@0.9",
        tempo=1.1,
        shifts=(-6, -1, 1, 2, 5, -3),
        humanise=3,
    ),
)  # fmt: skip
