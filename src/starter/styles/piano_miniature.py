"""Piano miniature: two hands that think separately, and one or two quiet companions."""

from __future__ import annotations

from starter import bass, comping, melody
from starter.arrangement import Arrangement, Seat
from starter.parts import by_energy, by_kind, by_turn, choose, rest, together, within

NOCTURNE = choose(
    comping.arpeggio({"4/4": "01232123", "3/4": "012321", "6/8": "012321", "12/8": "012321012321",
                      "5/4": "0123210123", "7/8": "0123212"},
                     voices=3, root_below=True, spread=19),
    comping.arpeggio({"4/4": "0.213.21", "3/4": "0.2132", "6/8": "0.2132", "12/8": "0.21320.2132",
                      "5/4": "0.213.21.2", "7/8": "0.21.32"},
                     voices=3, root_below=True, spread=17),
    comping.arpeggio({"4/4": "0123432101234321", "3/4": "012343212321", "6/8": "012343",
                      "12/8": "012343012343", "5/4": "0123212343", "7/8": "0121232"},
                     voices=4, root_below=True, spread=19),
)  # fmt: skip
STRIDE = choose(
    comping.comp({"4/4": "btbt", "3/4": "btt", "6/8": "b.tb.t", "12/8": "b.tb.tb.tb.t",
                  "5/4": "bttbt", "7/8": "b.t.b.t"}, voices=4, staccato=0.6, spread=22),
    comping.comp({"4/4": "b.tt", "3/4": "bt.", "6/8": "btt...", "12/8": "bttbttbttb..",
                  "5/4": "b.tbt", "7/8": "b.tt.t."}, voices=4, staccato=0.7, spread=22),
)  # fmt: skip
CHORDS = {"4/4": "x-x-", "3/4": "x-x", "6/8": "x--x--", "12/8": "x--x--x--x--", "5/4": "x--x-",
          "7/8": "x---x--"}  # fmt: skip
BROAD = {"4/4": "1---", "3/4": "1--", "6/8": "1-----", "12/8": "1-----1-----", "5/4": "1--1-",
         "7/8": "1------"}  # fmt: skip

_right = melody.lead(ornament_again=0.35, fragment=True)
_right_full = together(
    melody.lead(ornament_again=0.25), within(55, 79, melody.harmony(below=True, accent=-14))
)

ARRANGEMENTS = (
    Arrangement(
        name="nocturne with cello",
        seats=(
            Seat("Right hand", 0, "main_melody", by_energy(_right, _right_full, at=0.74),
                 (55, 93), pedal=True),
            Seat("Left hand", 0, "accompaniment", NOCTURNE, (33, 65), pedal=True),
            Seat("Cello", 42, "sub_melody",
                 by_turn(by_kind(melody.counter(0.4, register=52), intro=rest),
                         melody.counter(0.75, register=55)), (40, 65), enters=0.44),
        ),
        form="intro:2=head@0.3 theme@0.42 reprise@0.68 ending:4=tail@0.4"
             " / intro:4=vamp@0.3 theme@0.42 solo@0.6 reprise@0.75 ending:4@0.4",
        shifts=(0, 1, -1, 2, -2, 3),
        ritardando="lingering",
        humanise=7,
    ),
    Arrangement(
        name="piano trio",
        seats=(
            Seat("Violin", 40, "main_melody",
                 by_turn(melody.lead(ornament_again=0.2), melody.lead(ornament_again=0.35)),
                 (57, 93)),
            Seat("Piano right hand", 0, "accompaniment",
                 by_turn(comping.comp(CHORDS, voices=3, staccato=0.9),
                         comping.arpeggio({"4/4": "2101.101", "3/4": "2101.1", "6/8": "210121",
                                           "12/8": "210121210121", "5/4": "2101.1.101",
                                           "7/8": "2101121"}, voices=3)),
                 (55, 79), pedal=True),
            Seat("Piano left hand", 0, "bass",
                 bass.line(BROAD, lively={"4/4": "1-5-", "3/4": "1-5", "6/8": "1--5--",
                                          "12/8": "1--5--8--5--", "5/4": "1--5-",
                                          "7/8": "1---5--"}, from_energy=0.6, approach=0.2),
                 (31, 57), pedal=True),
            Seat("Cello", 42, "sub_melody",
                 by_turn(melody.counter(0.6), melody.harmony(below=True)), (40, 69)),
        ),
        form="intro:4=tail@0.4 theme@0.5 break:2=head@0.4 reprise@0.78 ending:4@0.6"
             " / intro:2=vamp@0.4 theme@0.5 solo@0.65 reprise@0.8 ending:3=tail@0.5",
        tempo=1.06,
        shifts=(-5, -3, 3, 4, 5, -4),
        ritardando="lingering",
        humanise=5,
    ),
    Arrangement(
        name="felt piano and strings",
        seats=(
            Seat("Felt piano", 0, "main_melody", melody.lead(octave=None, ornament_again=0.2),
                 (52, 84), level=-8, pedal=True),
            Seat("Left hand", 0, "accompaniment", STRIDE, (38, 64), level=-6, pedal=True),
            Seat("Strings", 48, "pad", comping.pad(3, spread=14), (52, 74), enters=0.45),
            Seat("Low strings", 49, "bass", bass.pedal(), (31, 52), enters=0.5),
            Seat("Celesta", 8, "sub_melody",
                 by_turn(rest, melody.counter(0.3, register=79)), (67, 93), enters=0.6),
        ),
        form="intro:4=vamp@0.3 theme@0.45 reprise@0.7 ending:4=head@0.35"
             " / intro:2=tail@0.3 theme@0.45 break:4=vamp@0.5 reprise@0.72 ending:4@0.35",
        tempo=0.88,
        shifts=(-2, 2, -6, 6, -4, 1),
        ritardando="lingering",
        humanise=7,
    ),
)  # fmt: skip
