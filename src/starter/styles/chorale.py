"""Chorale: four parts by the book, sung, blown or bowed."""

from __future__ import annotations

from starter import melody, satb
from starter.arrangement import Arrangement, Seat
from starter.parts import by_energy, by_kind, by_turn, rest

ARRANGEMENTS = (
    Arrangement(
        name="choir and organ",
        seats=(
            Seat("Soprano", 52, "main_melody", satb.soprano(), satb.SOPRANO, silent_in=("intro",)),
            Seat("Alto", 52, "sub_melody", satb.voice("alto"), satb.ALTO, silent_in=("intro",)),
            Seat("Tenor", 53, "accompaniment", satb.voice("tenor"), satb.TENOR,
                 silent_in=("intro",)),
            Seat("Bass", 53, "bass", satb.voice("bass"), (43, 60), silent_in=("intro",)),
            Seat("Organ", 19, "pad",
                 by_energy(by_kind(rest, intro=satb.doubling(),
                                   final=satb.doubling()),
                           satb.doubling(), at=0.55), (36, 84)),
        ),
        form="intro:4=tail@0.4 theme@0.45 reprise@0.75 ending:3@0.6"
             " / intro:2=tail@0.4 theme@0.5 reprise@0.8 ending:4@0.7",
        shifts=(0, -2, 1, 2, -1, 3),
        ritardando="lingering",
        humanise=3,
    ),
    Arrangement(
        name="brass quintet",
        seats=(
            Seat("Trumpet I", 56, "main_melody", satb.soprano(legato=0.94), (58, 81)),
            Seat("Trumpet II", 56, "sub_melody", satb.voice("alto", passing=0.3), (55, 76)),
            Seat("Horn", 60, "accompaniment", satb.voice("tenor", passing=0.5), (48, 69)),
            Seat("Trombone", 57, "bass", satb.voice("bass", passing=0.5), (40, 62)),
            Seat("Tuba", 58, "bass", satb.below("bass"), (28, 50), level=-6, enters=0.55),
        ),
        form="intro:2=tail@0.55 theme@0.55 break:2=head@0.5 reprise@0.85 ending:4@0.8"
             " / theme@0.5 break:4=tail@0.45 reprise@0.85^2 ending:3@0.85",
        tempo=1.12,
        shifts=(-3, -1, 1, -5, -4, 2),
        ritardando="lingering",
        humanise=3,
    ),
    Arrangement(
        name="strings with flute descant",
        seats=(
            Seat("Flute", 73, "sub_melody",
                 by_turn(by_kind(rest, final=melody.closing_tone),
                         melody.counter(0.85, register=81, intro=False)), (67, 93)),
            Seat("Violin I", 40, "main_melody", satb.soprano(), (58, 84)),
            Seat("Violin II", 40, "accompaniment", satb.voice("alto", passing=0.6), (55, 76)),
            Seat("Viola", 41, "accompaniment", satb.voice("tenor", passing=0.6), (48, 69)),
            Seat("Cello", 42, "bass", satb.voice("bass", passing=0.7), (38, 62)),
            Seat("Double bass", 43, "bass", satb.below("bass"), (28, 50), level=-8, enters=0.5),
        ),
        form="intro:4=head@0.35 theme@0.45 break:4=tail@0.4 reprise@0.7 ending:4@0.55"
             " / intro:2=tail@0.35 theme@0.45 reprise@0.75 ending:4=tail@0.5",
        tempo=0.94,
        shifts=(-2, 0, 2, 4, 5, -4),
        ritardando="lingering",
        humanise=5,
    ),
)  # fmt: skip
