"""Waltz: a light bass on one, chords that answer, a countermelody that breathes with the lead."""

from __future__ import annotations

from starter import bass, comping, drums, melody
from starter.arrangement import Arrangement, Seat
from starter.parts import by_energy, by_kind, by_return, by_turn, rest, together, within

OOMPAH = {"4/4": ".xx.", "3/4": ".xx", "6/8": ".x.x.x"}
BASS = {"4/4": "1-5-", "3/4": "1-.|5-.", "6/8": "1-.5-."}
BROAD = {"4/4": "1---", "3/4": "1--", "6/8": "1-----"}
ROLLING = {"4/4": "01232321", "3/4": "012321", "6/8": "012321"}

_brush = drums.DrumPattern(
    lanes={
        "kick": {"4/4": "x...", "3/4": "x..", "6/8": "x....."},
        "stick": {"4/4": "..o.", "3/4": ".oo", "6/8": "..o..o"},
        "ride": {"4/4": "oooo", "3/4": "ooo", "6/8": "o.oo.o"},
    },
    fill={
        "kick": {"4/4": "x...", "3/4": "x..", "6/8": "x....."},
        "snare": {"4/4": "..oooxox", "3/4": "......oo.xox", "6/8": "...o.x"},
    },
    light={"ride": {"4/4": "o.o.", "3/4": "o.o", "6/8": "o....o"}},
    light_below=0.45,
    crash=None,
)

ARRANGEMENTS = (
    Arrangement(
        name="salon quartet",
        seats=(
            Seat("Violin", 40, "main_melody",
                 melody.lead(octave=None, ornament_again=0.35, fragment=True), (62, 93)),
            Seat("Clarinet", 71, "sub_melody",
                 by_turn(melody.counter(0.6), melody.harmony(below=True)), (52, 79)),
            Seat("Piano", 0, "accompaniment",
                 by_energy(
                     comping.comp(OOMPAH, voices=3, staccato=0.6),
                     together(
                         within(52, 74, comping.comp(OOMPAH, voices=3, staccato=0.65)),
                         within(50, 62, bass.line(BROAD, legato=0.5)),
                     ),
                     at=0.72,
                 ), (50, 74)),
            Seat("Cello", 42, "bass", bass.line(BASS, approach=0.35, legato=0.7), (36, 57)),
        ),
        form="intro:4=tail@0.35 theme@0.5 break:4=vamp@0.4 reprise@0.78 ending:4@0.65",
        shifts=(0, -2, 2, -3, 3, 5),
        ritardando="lingering",
    ),
    Arrangement(
        name="ballroom orchestra",
        seats=(
            Seat("Violins", 48, "main_melody",
                 by_turn(melody.lead(), melody.lead(ornament_again=0.2)), (57, 93)),
            Seat("Flute", 73, "sub_melody",
                 by_turn(by_kind(melody.counter(0.7), intro=rest),
                         melody.doubled(octave=1, from_energy=0.6)), (65, 94), enters=0.5),
            Seat("Horn", 60, "accompaniment",
                 comping.comp(OOMPAH, voices=2, staccato=0.5), (53, 70), level=-4),
            Seat("Harp", 46, "accompaniment",
                 comping.arpeggio(ROLLING, voices=3, spread=16), (48, 76),
                 silent_in=("break",)),
            Seat("Violas", 49, "pad", comping.pad(2), (50, 68), enters=0.6),
            Seat("Double bass", 43, "bass",
                 bass.line({"4/4": "1.5.", "3/4": "1..|5..", "6/8": "1..5.."}, approach=0.25,
                           legato=0.6), (28, 50)),
            Seat("Percussion", 0, "drums", drums.kit(_brush), enters=0.45),
        ),
        form="intro:4=vamp@0.3-0.5 theme@0.55 break:4=tail@0.45 reprise@0.85 ending:6=cadence@0.8",
        tempo=1.08,
        shifts=(-5, -3, -1, 1, 4, 5),
        ritardando="lingering",
        humanise=4,
    ),
    Arrangement(
        name="music box and accordion",
        seats=(
            Seat("Music box", 10, "main_melody",
                 by_kind(by_return(melody.lead(octave=1), melody.lead(octave=1, ornament=0.3))),
                 (60, 96)),
            Seat("Accordion", 21, "sub_melody",
                 by_turn(melody.counter(0.45), melody.lead(octave=0)), (53, 84)),
            Seat("Nylon guitar", 24, "accompaniment",
                 comping.arpeggio({"4/4": "0.12", "3/4": "012321", "6/8": "012321"},
                                  voices=4, root_below=True, ring=True, spread=19), (40, 74)),
            Seat("Bass", 32, "bass", bass.line(BROAD, approach=0.3), (28, 50), enters=0.4),
        ),
        form="intro:4=vamp@0.25 theme@0.4 solo@0.55 reprise@0.65 ending:4=tail@0.35",
        tempo=0.86,
        shifts=(-4, -2, 2, 3, 6, -6),
        ritardando="lingering",
    ),
)  # fmt: skip
