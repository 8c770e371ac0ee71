"""Lo-fi: dusty swung drums, ninths on an electric piano, a melody that does not hurry."""

from __future__ import annotations

from starter import comping, guitar, melody, rhythm
from starter.arrangement import Arrangement, Seat
from starter.parts import by_energy, by_kind, by_turn, rest, together, within

RHODES = ("x---------x-----", "x-----x---------", "..x-----..x-----", "x-------..x---x-")
RHODES_BUSY = ("x--x------x-----", "x-----x---x--x--", "..x--x----x-----")
FELT = {"4/4": "0213", "3/4": "021", "6/8": "021321", "12/8": "021321021321", "5/4": "02132",
        "7/8": "0213213"}  # fmt: skip
FELT_BUSY = {"4/4": "02132123", "3/4": "021321", "6/8": "021321", "12/8": "021321021321",
             "5/4": "0213213213", "7/8": "0213213"}  # fmt: skip
PLUCKS = {"4/4": "p.3.2.1.q.2.3...", "3/4": "p.3.2.1.q.2.", "6/8": "p32q23", "12/8": "p32q23p32q23",
          "5/4": "p.3.2.1.q.2.p.3.2...", "7/8": "p32q32."}  # fmt: skip
ROLLED = {"4/4": "P...2.3.q..1..2.", "3/4": "P...2.3.q.2.", "6/8": "P.23q.", "12/8": "P.23q.p.23q.",
          "5/4": "P...2.3.q..1..2.q.2.", "7/8": "P.2.q32"}  # fmt: skip

SUB = ("1-----..1-....5-", "1---....1-..8---", "1-------..1---5-", "1---..1-......a-")
SUB_BUSY = ("1--1--..1-..8-5-", "1---..1-3-..5-a-", "1-..1---5-..8-..")
UPRIGHT = ("1-------5---....", "1-----1-5-------", "1-------3---a---", "1-..1---8---5---")
STRUM = ("x-------........", "......x-x-------", "x---..x-........")

ARRANGEMENTS = (
    Arrangement(
        name="dusty Rhodes",
        seats=(
            Seat("Vibraphone", 11, "main_melody",
                 melody.lead(ornament_again=0.3, anticipate=0.2, fragment=True), (57, 89)),
            Seat("Rhodes", 4, "accompaniment",
                 rhythm.beneath(rhythm.coloured(
                     rhythm.chords(RHODES, RHODES_BUSY, 0.6, voices=4, rootless=True,
                                   staccato=0.96))), (47, 72), level=2),
            Seat("Warm pad", 89, "pad",
                 rhythm.beneath(comping.pad(3, rootless=True)), (50, 74), enters=0.5),
            Seat("Sub bass", 39, "bass",
                 rhythm.bass(SUB, SUB_BUSY, 0.6, approach=0.35, legato=0.95), (28, 50),
                 silent_in=("intro",)),
            Seat("Drums", 0, "drums", rhythm.kit("lofi", lock=True, chorus_at=0.6)),
        ),
        form="intro:4=vamp@0.25 theme@0.45 break:4=vamp@0.35 reprise@0.6 ending:4=vamp@0.3",
        tempo=0.96,
        shifts=(0, -3, 2, -5, 4, 1),
        final_quality=("maj9", "m9"),
        humanise=9,
        swing=2 / 3,
        swing_unit=240,
    ),
    Arrangement(
        name="tape guitar",
        seats=(
            Seat("Jazz guitar", 26, "main_melody",
                 by_turn(melody.lead(anticipate=0.2), melody.lead(ornament_again=0.4,
                         anticipate=0.2)), (55, 84), level=2),
            Seat("Nylon guitar", 24, "accompaniment",
                 guitar.fingerpick(PLUCKS, ROLLED, 0.6, upper=4), (40, 79), level=-2),
            Seat("Rhodes", 4, "pad",
                 rhythm.beneath(rhythm.coloured(rhythm.chords(STRUM, voices=4, rootless=True))),
                 (47, 72),
                 enters=0.45),
            Seat("Upright bass", 32, "bass",
                 rhythm.bass(UPRIGHT, SUB, 0.65, approach=0.5), (28, 52), silent_in=("intro",)),
            Seat("Drums", 0, "drums", rhythm.kit("lofi", chorus_at=0.75), silent_in=("intro",)),
        ),
        form="intro:4=head@0.3 theme@0.46 solo@0.55 break:2=tail@0.3 "
             "reprise@0.62 ending:4=tail@0.3",
        tempo=0.88,
        shifts=(-2, 3, -4, 1, 5, -6),
        final_quality=("maj7", "m7"),
        humanise=8,
        swing=2 / 3,
        swing_unit=240,
    ),
    Arrangement(
        name="felt piano loop",
        seats=(
            Seat("Muted trumpet", 59, "main_melody",
                 by_kind(melody.lead(ornament_again=0.25, anticipate=0.25)),
                 (55, 82)),
            Seat("Felt piano", 0, "accompaniment",
                 by_energy(
                     rhythm.beneath(rhythm.coloured(
                         comping.arpeggio(FELT, FELT_BUSY, 0.5, voices=4, ring=True))),
                     together(
                         within(50, 74, rhythm.beneath(rhythm.coloured(
                             rhythm.chords(RHODES, voices=4, rootless=True)))),
                         within(36, 55, rhythm.bass(("1-------5-------", "1-----5---------"))),
                     ),
                     at=0.58,
                 ), (36, 77), pedal=True),
            Seat("Music box", 10, "sub_melody",
                 by_turn(rest, melody.counter(0.35, intro=False)), (67, 91), level=-6,
                 enters=0.5),
            Seat("Choir pad", 91, "pad",
                 rhythm.beneath(comping.pad(3, rootless=True)), (50, 72), enters=0.55),
            Seat("Bass", 38, "bass",
                 rhythm.bass(SUB, approach=0.4, legato=0.95), (26, 48), silent_in=("intro",)),
            Seat("Drums", 0, "drums", rhythm.kit("lofi", lock=True, chorus_at=0.58)),
        ),
        form="intro:4=tail@0.3 theme@0.42 break:4=vamp@0.3-0.5 reprise@0.6 ending:4=vamp@0.28",
        shifts=(-1, 2, -3, 4, -5, 6),
        final_quality=("maj9", "m9"),
        humanise=8,
        swing=2 / 3,
        swing_unit=240,
    ),
)  # fmt: skip
