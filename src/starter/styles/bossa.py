"""Bossa nova: the guitar's thumb keeps the surdo, its fingers speak against it."""

from __future__ import annotations

from starter import comping, guitar, melody, rhythm
from starter.arrangement import Arrangement, Seat
from starter.parts import by_energy, by_kind, by_turn, rest

# The thumb on one and three, the fingers on the clave; the last stroke leans into the bar.
GUITAR = {
    "4/4": "C--cq-c-|p-c-qc-c", "3/4": "C-c-qc|p-cqc-", "6/8": "C-cq-c", "12/8": "C-cq-cp-cqc-",
    "5/4": "C--cq-p-c-|p-c-qcp-c-", "7/8": "C-cqp-c",
}  # fmt: skip
GUITAR_BUSY = {
    "4/4": "C-ccq-c-|pc-cq-cc", "3/4": "C-cqcc|pc-qc-", "6/8": "Cccqcc",
    "12/8": "C-cqccp-cqcc", "5/4": "C-ccq-pc-c|pc-cq-p-cc", "7/8": "C-cqpcc",
}  # fmt: skip
ROLLED = {
    "4/4": "p321q123|p3213123", "3/4": "p32123", "6/8": "p32123", "12/8": "p32123q32123",
    "5/4": "p321q3p321", "7/8": "p3p3p32",
}  # fmt: skip
SURDO = ("1--55--1", "1--55--5", "1--51--5")
SURDO_LIVELY = ("1--55-1a", "1--15--8", "1-.55-13", "1--85--a")
LONG = ("1---5---", "1-----5-")

PIANO = ("x-.x-.x-", "..x-.x-.", "x..x..x-", ".x-.x-.x")
PIANO_BUSY = ("x.x-.x.x", ".x-x.x-x", "x-.xx-.x")
LAZY = ("x-----x-", "..x-----", "x--x----")

ARRANGEMENTS = (
    Arrangement(
        name="guitar and flute",
        seats=(
            Seat("Flute", 73, "main_melody",
                 melody.lead(anticipate=0.45, ornament_again=0.3, fragment=True), (60, 91)),
            Seat("Nylon guitar", 24, "accompaniment",
                 guitar.fingerpick(GUITAR, GUITAR_BUSY, 0.7, upper=3, ring=False), (40, 80)),
            Seat("Strings", 49, "pad",
                 rhythm.clear(comping.pad(3, rootless=True, spread=17)), (52, 76),
                 enters=0.62),
            Seat("Bass", 32, "bass",
                 rhythm.bass(SURDO, SURDO_LIVELY, 0.66, approach=0.3), (28, 52), enters=0.35),
            Seat("Drums", 0, "drums", rhythm.kit("bossa", chorus_at=0.66), enters=0.3),
        ),
        form="intro:4=tail@0.35 theme@0.48 break:4=vamp@0.4 reprise@0.68 ending:4=tail@0.45",
        shifts=(0, 2, -2, -5, 3, 5),
        final_quality=("69", "m69"),
    ),
    Arrangement(
        name="alto and piano",
        seats=(
            Seat("Alto sax", 65, "main_melody",
                 melody.lead(anticipate=0.4, ornament=0.1, ornament_again=0.35, legato=0.92),
                 (51, 81)),
            Seat("Vibraphone", 11, "sub_melody",
                 by_kind(by_turn(rest, melody.counter(0.5)), solo=rest), (55, 84), enters=0.6),
            Seat("Piano", 0, "accompaniment",
                 rhythm.beneath(rhythm.coloured(
                     rhythm.chords(PIANO, PIANO_BUSY, 0.72, voices=4, rootless=True,
                                   staccato=0.8)), 17), (49, 77)),
            Seat("Guitar", 24, "accompaniment", guitar.fingerpick(GUITAR, upper=3, ring=False),
                 (40, 79), level=-7, silent_in=("intro",)),
            Seat("Bass", 32, "bass",
                 rhythm.bass(SURDO, SURDO_LIVELY, 0.7, approach=0.4, push=True), (28, 52)),
            Seat("Drums", 0, "drums", rhythm.kit("bossa", chorus_at=0.6)),
        ),
        form="intro:4=vamp@0.45 theme@0.55 solo@0.66 reprise@0.75 ending:4=vamp@0.6",
        tempo=1.12,
        shifts=(-3, 1, 4, -1, -5, 6),
        final_quality=("69", "m9"),
    ),
    Arrangement(
        name="balcony trio",
        seats=(
            Seat("Clarinet", 71, "main_melody",
                 melody.lead(anticipate=0.3, ornament_again=0.4), (55, 86)),
            Seat("Nylon guitar", 24, "accompaniment",
                 by_energy(guitar.fingerpick(ROLLED, upper=4),
                           guitar.fingerpick(GUITAR, upper=3, ring=False), at=0.5), (40, 80)),
            Seat("Rhodes", 4, "pad",
                 rhythm.beneath(rhythm.coloured(rhythm.chords(LAZY, voices=3, rootless=True))),
                 (50, 74),
                 enters=0.5),
            Seat("Bass", 32, "bass", rhythm.bass(LONG, SURDO, 0.5, approach=0.5), (28, 50),
                 silent_in=("intro",)),
            Seat("Shaker and rim", 0, "drums", rhythm.kit("bossa", chorus_at=0.9), enters=0.45),
        ),
        form="intro:4=head@0.3 theme@0.42 solo@0.55 break:2=tail@0.4 "
             "reprise@0.58 ending:4=tail@0.3",
        tempo=0.86,
        shifts=(-4, 2, 5, -2, 3, -6),
        final_quality=("maj9", "m9"),
        ritardando="lingering",
    ),
)  # fmt: skip
