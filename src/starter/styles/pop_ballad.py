"""Pop ballad: a sung line over broken chords, a rhythm section that arrives with the chorus."""

from __future__ import annotations

from starter import comping, guitar, melody, rhythm
from starter.arrangement import Arrangement, PartWriter, Seat
from starter.parts import by_energy, by_kind, by_return, by_turn, rest, together, within

# The left hand's bass and fifth, the right hand's chords.
LEFT = {"4/4": "1---5---", "3/4": "1-----", "6/8": "1--5--", "12/8": "1-----5-----"}
LEFT_MOVING = {"4/4": "1--58-5-", "3/4": "1-5-8-", "6/8": "1-58-5", "12/8": "1-58-51-58-5"}
ROCKING = ("x-x-x-xx", "x-xxx-x-", "x-x-xxx-")
BROKEN = {"4/4": "01212321", "3/4": "012321", "6/8": "012321", "12/8": "012321012321"}
BROKEN_WIDE = {"4/4": "0213213203213213", "3/4": "021321321321", "6/8": "012132",
               "12/8": "012132012132"}  # fmt: skip
PICKED = {"4/4": "P.2.q132|p.312.q1", "3/4": "P.2.1.3.2.1.", "6/8": "P.23.1",
          "12/8": "P.23.1q.23.1"}  # fmt: skip
PICKED_BUSY = {"4/4": "P.32q.12p.31q.21", "3/4": "p.32q.12.132", "6/8": "p23123",
               "12/8": "p23123q23123"}  # fmt: skip
STRUMMED = {"4/4": "D--dd-u-", "3/4": "D-dud-", "6/8": "D-du-u", "12/8": "D-du-uD-du-u"}
STRUMMED_FULL = {"4/4": "D---d-uu-ud-d-du", "3/4": "D-dudu", "6/8": "D-dudu",
                 "12/8": "D-duduD-dudu"}  # fmt: skip

ROOTS = ("1-----5-", "1-----1-", "1---5---")
MOVING = ("1--11-5-", "1--1--5-", "1--51-3-", "1--18-5-")


def _piano() -> PartWriter:
    """Broken chords in verses; in choruses rocking chords over a moving left hand."""
    calm = comping.arpeggio(BROKEN, voices=4, root_below=True, ring=True, spread=19)
    left = rhythm.bass((LEFT,), (LEFT_MOVING,), approach=0.15, legato=0.98)
    strong = together(
        within(50, 74, rhythm.beneath(rhythm.chords(ROCKING, voices=4, staccato=0.97, push=False))),
        within(31, 55, left),
    )
    return by_energy(calm, strong, at=0.7)


ARRANGEMENTS = (
    Arrangement(
        name="piano ballad",
        seats=(
            Seat("Voice", 53, "main_melody",
                 melody.lead(anticipate=0.15, ornament_again=0.25), (50, 79)),
            Seat("Harmony voice", 54, "sub_melody",
                 by_kind(by_turn(rest, melody.harmony(below=True, from_energy=0.7)), solo=rest),
                 (46, 74), enters=0.6),
            Seat("Piano", 0, "accompaniment", _piano(), (31, 79), pedal=True),
            Seat("Strings", 48, "pad",
                 rhythm.beneath(comping.pad(3, spread=19)), (50, 74), enters=0.62),
            Seat("Bass", 33, "bass",
                 rhythm.bass(ROOTS, MOVING, approach=0.5), (28, 52), enters=0.5,
                 silent_in=("intro",)),
            Seat("Drums", 0, "drums", rhythm.kit("pop_ballad", lock=True), enters=0.55,
                 silent_in=("intro",)),
        ),
        form="intro:4=head@0.3 theme@0.48 break:4=tail@0.55 reprise@0.82^2 ending:4@0.5",
        shifts=(0, -2, 1, 3, -4, 5),
        ritardando="lingering",
        final_quality=("add9", "min"),
    ),
    Arrangement(
        name="porch guitar",
        seats=(
            Seat("Harmonica", 22, "main_melody",
                 by_kind(by_return(melody.lead(fragment=True), melody.lead(ornament_again=0.35)),
                         solo=rest), (60, 91)),
            Seat("Steel guitar", 25, "accompaniment",
                 by_energy(guitar.fingerpick(PICKED, PICKED_BUSY, 0.55),
                           guitar.strum(STRUMMED, STRUMMED_FULL, 0.85), at=0.72), (40, 84)),
            Seat("Electric piano", 4, "sub_melody",
                 by_kind(melody.counter(0.5), intro=rest, solo=melody.lead(octave=0,
                         ornament_again=0.5)), (55, 80), enters=0.5),
            Seat("Bass", 32, "bass",
                 rhythm.bass(("1---5---", "1-------", "1-----5-"), MOVING, approach=0.5),
                 (28, 50), silent_in=("intro",)),
            Seat("Percussion", 0, "drums", rhythm.kit("pop_ballad", chorus_at=0.85), enters=0.45),
        ),
        form="intro:4=vamp@0.35 theme@0.5 solo@0.66 break:2=tail@0.45 "
             "reprise@0.78 ending:4=vamp@0.35",
        tempo=1.08,
        shifts=(2, -3, -1, 4, -5, 0),
        final_quality=("maj", "m7"),
    ),
    Arrangement(
        name="strings and half time",
        seats=(
            Seat("Piano melody", 0, "main_melody",
                 by_turn(melody.lead(fragment=True), melody.lead(octave=1, ornament_again=0.3)),
                 (60, 96), pedal=True),
            Seat("Cello", 42, "sub_melody", melody.counter(0.65, register=55), (43, 67)),
            Seat("Violins", 48, "pad",
                 rhythm.clear(comping.pad(3, spread=17)), (55, 79), enters=0.4),
            Seat("Harp", 46, "accompaniment",
                 rhythm.clear(comping.arpeggio(BROKEN, BROKEN_WIDE, 0.7, voices=4, ring=True,
                                               spread=19)),
                 (43, 79)),
            Seat("Synth bass", 39, "bass",
                 rhythm.bass(("1-------",), ("1-----1-", "1-----5-", "1--1----"), approach=0.35),
                 (28, 52), enters=0.5),
            Seat("Choir", 52, "pad", rhythm.clear(comping.pad(3)), (52, 74), enters=0.8),
            Seat("Drums", 0, "drums", rhythm.kit("pop_ballad"), enters=0.5,
                 silent_in=("intro",)),
        ),
        form="intro:4=tail@0.3 theme@0.45-0.65 break:4=pedal@0.35-0.75 reprise@0.88 ending:6@0.55",
        tempo=0.92,
        shifts=(-3, 1, -5, 3, 6, -1),
        ritardando="lingering",
        final_quality=("add9", "madd9"),
    ),
)  # fmt: skip
