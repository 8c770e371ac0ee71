"""Ambient: long harmonies, bells at a distance, arpeggios that never hurry."""

from __future__ import annotations

from starter import bass, comping, melody
from starter.arrangement import Arrangement, Seat
from starter.parts import by_kind, by_turn, choose, rest

DRIFT = choose(
    comping.arpeggio({"4/4": "0.1.2.3.", "3/4": "0.1.2.", "6/8": "0.12.3", "12/8": "0.12.34.32.1",
                      "5/4": "0.1.2.3.2.", "7/8": "0.1.2.3"}, voices=4, ring=True, spread=19),
    comping.arpeggio({"4/4": "0123432101234321", "3/4": "012343212321", "6/8": "012343",
                      "12/8": "012343012343", "5/4": "0123432123", "7/8": "0123432"},
                     voices=4, ring=True, spread=21),
    comping.arpeggio({"4/4": "0.2.1.3.|0.2.4.1.", "3/4": "0.2.1.|0.3.1.", "6/8": "0.21.3",
                      "12/8": "0.21.30.24.1", "5/4": "0.2.1.3.1.", "7/8": "0.2.1.3"},
                     voices=3, ring=True, spread=19),
)  # fmt: skip
SLOW = choose(
    comping.arpeggio({"4/4": "0-1-2-3-|4-3-2-1-", "3/4": "0-1-2-|3-2-1-", "6/8": "0--2--",
                      "12/8": "0--1--2--3--", "5/4": "0-1-2-3-1-", "7/8": "0-1-2--"},
                     voices=3, ring=True, spread=17),
    comping.arpeggio({"4/4": "0---2---|1---3---", "3/4": "0---2-", "6/8": "0--1--",
                      "12/8": "0-----2-----", "5/4": "0---2---1-", "7/8": "0---2--"},
                     voices=4, ring=True, spread=19),
)  # fmt: skip

ARRANGEMENTS = (
    Arrangement(
        name="bells and warm pad",
        seats=(
            Seat("Vibraphone", 11, "main_melody", melody.lead(ornament_again=0.15), (53, 89),
                 pedal=True),
            Seat("Warm pad", 89, "pad", comping.pad(4, spread=21), (46, 76)),
            Seat("Harp", 46, "accompaniment", DRIFT, (48, 84), enters=0.35),
            Seat("Glass", 92, "sub_melody", by_turn(melody.counter(0.2, register=79),
                                                    melody.counter(0.5, register=76)),
                 (67, 91), enters=0.45),
            Seat("Bass", 39, "bass", bass.pedal(), (28, 47), enters=0.35),
        ),
        form="intro:4=vamp@0.25 theme@0.38 break:4=vamp@0.4 reprise@0.58 ending:4=vamp@0.3"
             " / intro:4=pedal@0.2-0.35 theme@0.4 solo@0.5 reprise@0.6 ending:4=vamp@0.3-0.2",
        shifts=(0, 1, -1, 2, -2, 6),
        ritardando="lingering",
        humanise=8,
    ),
    Arrangement(
        name="piano in a large room",
        seats=(
            Seat("Piano", 0, "main_melody", melody.lead(octave=None), (55, 91), level=-6,
                 pedal=True),
            Seat("Low piano", 0, "accompaniment", SLOW, (40, 67), level=-6, pedal=True),
            Seat("Strings", 48, "pad", comping.pad(3, spread=19), (50, 74), enters=0.35),
            Seat("Choir", 91, "sub_melody",
                 by_turn(rest, melody.counter(0.3)), (60, 84), enters=0.5),
            Seat("Contrabass", 43, "bass", bass.pedal(), (28, 47), enters=0.4),
        ),
        form="intro:2=vamp@0.25 theme@0.36 reprise@0.52 ending:4=vamp@0.25"
             " / intro:4=head@0.25 theme@0.38 break:4=pedal@0.3 reprise@0.55 ending:4@0.3",
        tempo=0.88,
        shifts=(-3, 3, -5, 5, 4, -4),
        ritardando="lingering",
        humanise=8,
    ),
    Arrangement(
        name="slow synthesisers",
        seats=(
            Seat("Soft lead", 82, "main_melody",
                 by_kind(melody.lead(ornament_again=0.1), solo=melody.lead()), (52, 86), level=-6),
            Seat("Sweep pad", 95, "pad", comping.pad(4, spread=21), (45, 74)),
            Seat("Sequence", 88, "accompaniment",
                 choose(
                     comping.ostinato({"4/4": "1.5.8.5.1.5.8.9.", "3/4": "1.5.8.5.8.5.",
                                       "6/8": "158958", "12/8": "158958158958",
                                       "5/4": "1.5.8.5.9.", "7/8": "1.5.8.5"}, register=60,
                                      staccato=0.95),
                     comping.arpeggio({"4/4": "0123012301230123", "3/4": "012301230123",
                                       "6/8": "012321", "12/8": "012321012321",
                                       "5/4": "0123012301", "7/8": "0123012"}, voices=4),
                 ), (52, 86), enters=0.36),
            Seat("Crystal", 98, "sub_melody",
                 by_turn(melody.counter(0.15, register=84, intro=False),
                         melody.harmony(below=False)), (67, 96), enters=0.45),
            Seat("Sub", 38, "bass", bass.pedal(), (26, 45)),
        ),
        form="intro:4=pedal@0.25-0.4 theme@0.42 break:4=vamp@0.38 reprise@0.62"
             " ending:4=vamp@0.4-0.2"
             " / intro:4=vamp@0.3 theme@0.44 solo@0.5 reprise@0.65 ending:2@0.4",
        tempo=1.12,
        shifts=(-6, -2, 2, 1, -1, 6),
        humanise=5,
    ),
)  # fmt: skip
