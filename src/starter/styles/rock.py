"""Rock: power chords and riffs, a bass that lives with the kick drum, sections that turn."""

from __future__ import annotations

from starter import comping, guitar, melody, rhythm
from starter.arrangement import Arrangement, Seat
from starter.parts import by_energy, by_kind, by_letter, by_turn, rest

CHUGS = {
    "4/4": "M-mmmmM-mmM-mmmm|M-mmmmM-M-mmM-M-", "3/4": "M-mmM-mmmmmm|M-mmM-M-mmM-",
    "6/8": "M-mmM-M-mmmm", "12/8": "M-mmM-M-mmmmM-mmM-M-mmmm", "5/4": "M-mmM-mmM-mmM-mmmmM-",
    "7/8": "M-mmM-mmM-mmM-",
}  # fmt: skip
OPEN = {
    "4/4": "X-----x-X---x---|X-----x-X---X-x-", "3/4": "X-----x-x---|X-----X-X---",
    "6/8": "X-----X-x---", "12/8": "X-----X-x---X-----X-x---", "5/4": "X-----x-X---X---x-x-",
    "7/8": "X---x---X-----",
}  # fmt: skip
EIGHTHS = {"4/4": "XxxxXxxx|XxxxXxX-", "3/4": "XxxXxx", "6/8": "XxxXxx", "12/8": "XxxXxxXxxXxx",
           "5/4": "XxxxxxXxxx", "7/8": "XxXxXxx"}  # fmt: skip

DRIVING = ("11111111", "1111111a", "11115511", "11181117")
LOCKED = ("1..1..1.1...5...", "1.....1.1..11.5.", "1..11...1...8.7.", "1...1.1...1.1...")
SPACIOUS = ("1---1-5-", "1--1--5-", "1---5-3-")

STRUMMING = {"4/4": "D.du.udu|D.dud.du", "3/4": "D.dudu", "6/8": "D.udu.", "12/8": "D.udu.D.udu.",
             "5/4": "D.dudud.du", "7/8": "D.d.dud"}  # fmt: skip
CHOPS = {"4/4": "..U...U.|..U...Uu", "3/4": "..U.U.", "6/8": "..U..U", "12/8": "..U..U..U..U",
         "5/4": "..U...U.U.", "7/8": "..U..U."}  # fmt: skip
PICKING = {"4/4": "p3212321|p321q232", "3/4": "p32123", "6/8": "p32123", "12/8": "p32123q32123",
           "5/4": "p3212p3212", "7/8": "p3p3p32"}  # fmt: skip
ORGAN = ("X-----x-x---x---", "X---x---x-----x-", "x-------X---x---", "x-----X-----x---")

ARRANGEMENTS = (
    Arrangement(
        name="twin guitars",
        seats=(
            Seat("Lead guitar", 29, "main_melody",
                 melody.lead(anticipate=0.2, ornament_again=0.2), (52, 86)),
            Seat("Harmony guitar", 30, "sub_melody",
                 by_turn(rest, melody.harmony(below=True, from_energy=0.75)), (48, 81),
                 level=-4, enters=0.7),
            Seat("Riff guitar", 30, "riff",
                 by_kind(by_energy(guitar.own_riff, guitar.power(OPEN), at=0.78),
                         intro=guitar.own_riff, solo=guitar.power(CHUGS)),
                 (40, 64), level=-3),
            Seat("Clean guitar", 27, "accompaniment",
                 guitar.fingerpick(PICKING), (40, 79), level=-6, silent_in=("intro",)),
            Seat("Bass", 34, "bass", rhythm.bass(LOCKED, DRIVING, 0.75, approach=0.5, legato=0.85),
                 (28, 52)),
            Seat("Drums", 0, "drums", rhythm.kit("rock", lock=True)),
        ),
        form="intro:4=vamp@0.6 theme@0.62 break:4=vamp@0.6 solo@0.75 "
             "reprise@0.88 ending:4=vamp@0.8",
        shifts=(0, -2, 2, -5, 3, 5),
        final_quality=("5", "5"),
        humanise=4,
    ),
    Arrangement(
        name="slow organ",
        seats=(
            Seat("Guitar", 27, "main_melody",
                 melody.lead(ornament_again=0.35, anticipate=0.15, fragment=True), (48, 81),
                ),
            Seat("Organ", 18, "accompaniment",
                 rhythm.beneath(by_energy(
                     comping.pad(4, spread=17),
                     rhythm.chords(ORGAN, voices=4, staccato=0.97), at=0.62)), (48, 77)),
            Seat("Rhythm guitar", 26, "accompaniment",
                 by_energy(guitar.strum(CHOPS, upper=4, staccato=0.5),
                           guitar.strum(STRUMMING, upper=4), at=0.7), (40, 79), level=-5,
                 silent_in=("intro",)),
            Seat("Voices", 52, "pad", rhythm.clear(comping.pad(3)), (52, 72), enters=0.8),
            Seat("Bass", 33, "bass", rhythm.bass(SPACIOUS, LOCKED, 0.75, approach=0.55), (28, 52)),
            Seat("Drums", 0, "drums", rhythm.kit("rock", lock=True, chorus_at=0.76),
                 enters=0.35),
        ),
        form="intro:4=tail@0.35 theme@0.5 solo@0.62 break:4=vamp@0.45-0.75 "
             "reprise@0.8 ending:4@0.5",
        tempo=0.84,
        shifts=(-3, 1, -1, 4, -4, 6),
        ritardando="lingering",
        final_quality=("add9", "m7"),
    ),
    Arrangement(
        name="garage trio",
        seats=(
            Seat("Lead", 28, "main_melody",
                 by_letter(melody.lead(legato=0.85, anticipate=0.3)), (52, 80)),
            Seat("Power guitar", 29, "accompaniment",
                 by_kind(by_energy(guitar.power(CHUGS), guitar.power(EIGHTHS), at=0.7),
                         **{"break": guitar.own_riff}), (40, 64)),
            Seat("Bass", 34, "bass", rhythm.bass(DRIVING, approach=0.6, legato=0.88), (28, 52)),
            Seat("Drums", 0, "drums", rhythm.kit("rock", chorus_at=0.68)),
        ),
        form="intro:2=vamp@0.6 theme@0.66 break:4=vamp@0.5-0.8 reprise@0.9 ending:2=vamp@0.9",
        tempo=1.14,
        shifts=(4, -1, 5, -3, 2, -6),
        final_quality=("5", "5"),
        humanise=4,
    ),
)  # fmt: skip
