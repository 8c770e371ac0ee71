"""Piano miniatures, waltzes, chorales and ballads of the second volume."""

from __future__ import annotations

from starter import bass, comping, guitar, melody, rhythm, satb
from starter.arrangement import Arrangement, Seat
from starter.dialogue import echo, turns
from starter.parts import by_energy, by_kind, by_letter, by_return, by_turn, rest, together, within
from starter.styles.pop_ballad import BROKEN, MOVING, PICKED, PICKED_BUSY, STRUMMED, STRUMMED_FULL

LEFT = {"4/4": "0.12321.", "6/8": "0.1232"}
LEFT_FLOWING = {"4/4": "01234321", "6/8": "012343"}
STEPPING = {"4/4": "x-x-x-xx", "6/8": "x--x-x", "3/4": "x-x-xx"}
STRIDING = {"4/4": "b.t.b.t.", "6/8": "b.tb.t", "3/4": "b.t.t."}
WALTZ_BASS = {"3/4": "x---x-|x-x-x-"}
WALTZ_LIVELY = {"3/4": "x-x-x-|x-xxx-"}
CHORDS_3 = {"3/4": "..x.x.|..x...", "4/4": "..x...x."}
ROLLED_3 = {"3/4": "0.12.1|0.1232"}

MINIATURES = (
    Arrangement(
        name="two hands and a walking bass",
        seats=(
            Seat("Right hand", 0, "main_melody",
                 by_return(melody.lead(), melody.lead(ornament=0.3, ornament_again=0.4)),
                 (58, 91), pedal=True),
            Seat("Inner voice", 0, "sub_melody",
                 by_kind(echo(share=0.7), final=rest), (50, 72), level=-8, enters=0.45),
            Seat("Left hand", 0, "accompaniment",
                 by_letter(comping.comp(STRIDING, voices=3, staccato=0.6),
                           B=comping.arpeggio(LEFT, voices=3, ring=True)), (45, 65), level=-4),
            Seat("Bass notes", 0, "bass", bass.roaming(STEPPING, legato=0.9), (31, 52)),
        ),
        form="theme@0.45 part:A@0.6 part:B@0.7^2! ending:3=tag@0.5~late"
             " / part:A@0.4 part:B@0.55~held part:AB@0.72 ending:2@0.4~broad"
             " / intro:1=vamp@0.35 theme@0.5 solo:A@0.6 part:B@0.78 ending:2=plagal@0.5",
        humanise=7,
    ),
    Arrangement(
        name="song without words",
        seats=(
            Seat("Melody", 0, "main_melody",
                 turns(melody.lead(ornament_again=0.25), 0, bars=4), (57, 91), pedal=True),
            Seat("Cello", 42, "sub_melody",
                 by_kind(turns(melody.lead(octave=-1), 1, bars=4), intro=rest,
                         final=melody.closing_tone), (40, 72), level=6),
            Seat("Broken chords", 0, "accompaniment",
                 comping.arpeggio(LEFT, LEFT_FLOWING, 0.6, voices=3, root_below=True, spread=19),
                 (36, 64), pedal=True, level=-4),
        ),
        form="part:AB@0.42 part:A@0.6 part:B@0.75^-3~easing ending:2=plagal@0.35"
             " / intro:2=head@0.3 theme@0.5 part:B@0.7^1 ending:3=tag@0.5~broad"
             " / theme@0.45 build:2@0.5-0.8^2 part:AB@0.8 fade:4@0.4",
        tempo=0.94,
        humanise=7,
    ),
    Arrangement(
        name="music room trio",
        seats=(
            Seat("Flute", 73, "main_melody",
                 turns(melody.lead(ornament=0.1, ornament_again=0.35), 0), (62, 91)),
            Seat("Violin", 40, "main_melody",
                 by_turn(turns(melody.lead(), 1), melody.harmony(below=True)), (57, 88)),
            Seat("Piano", 0, "accompaniment",
                 by_energy(comping.comp(STRIDING, voices=3, staccato=0.55),
                           together(within(52, 74, comping.comp(STRIDING, voices=3)),
                                    within(36, 55, bass.roaming(STEPPING))), at=0.62),
                 (36, 74)),
            Seat("Cello", 42, "bass", bass.roaming(STEPPING, legato=0.8), (36, 57), enters=0.5),
        ),
        form="theme@0.5 break:2=dominant@0.4 part:AB@0.78 ending:2@0.6"
             " / part:B@0.6 part:A@0.5 part:B@0.8^2 ending:3=tag@0.7~held"
             " / intro:4=tail@0.4-0.6 part:A@0.55 solo:A@0.6 part:B@0.8 ending:2@0.6~late",
        tempo=1.08,
        humanise=5,
    ),
)  # fmt: skip

WALTZES = (
    Arrangement(
        name="clarinet and accordion",
        seats=(
            Seat("Clarinet", 71, "main_melody",
                 by_turn(melody.lead(ornament=0.1), turns(melody.lead(ornament_again=0.4), 0,
                         bars=4), melody.lead(ornament_again=0.3)), (55, 89)),
            Seat("Accordion", 21, "sub_melody",
                 by_turn(echo(), turns(melody.lead(), 1, bars=4), melody.harmony(below=True)),
                 (50, 79), level=2),
            Seat("Guitar", 24, "accompaniment",
                 comping.comp(CHORDS_3, voices=3, staccato=0.7, strum=10), (45, 69)),
            Seat("Double bass", 43, "bass", bass.roaming(WALTZ_BASS, WALTZ_LIVELY, 0.65,
                                                         legato=0.8), (28, 50)),
        ),
        form="theme@0.5 part:A@0.6 part:B@0.75 ending:3=tag@0.7~held"
             " / part:A@0.45 break:2=dominant@0.4 part:AB@0.7*1.06 part:B@0.9*1.06 ending:2@0.9"
             " / intro:2=vamp@0.4 theme@0.55 part:AB@0.8^2 ending:2=plagal@0.6~late",
        humanise=5,
    ),
    Arrangement(
        name="strings at the ball",
        seats=(
            Seat("First violins", 48, "main_melody",
                 by_return(melody.lead(), melody.lead(ornament=0.25)), (57, 93)),
            Seat("Horn", 60, "sub_melody",
                 by_turn(echo(share=0.8), melody.counter(0.7)), (50, 72), level=2, enters=0.5),
            Seat("Harp", 46, "accompaniment",
                 comping.arpeggio(ROLLED_3, voices=3, root_below=True, ring=True, spread=19),
                 (40, 74), silent_in=("break",)),
            Seat("Violas", 49, "pad", comping.comp(CHORDS_3, voices=3, staccato=0.5), (50, 69),
                 enters=0.55),
            Seat("Cellos", 42, "bass", bass.roaming(WALTZ_BASS, WALTZ_LIVELY, 0.7, legato=0.85),
                 (36, 57)),
        ),
        form="intro:4=head@0.35-0.5 theme@0.5 part:AB@0.8^2~easing ending:4@0.6~broad"
             " / part:AB@0.5 build:4@0.45-0.85^2 part:AB@0.85 ending:3=tag@0.8~late"
             " / part:B@0.6~held part:AB@0.6 part:B@0.85^1 ending:2=plagal@0.5",
        tempo=1.04,
        humanise=5,
    ),
    Arrangement(
        name="upright and music box",
        seats=(
            Seat("Piano", 0, "main_melody",
                 by_kind(turns(melody.lead(ornament_again=0.3), 0, bars=4), solo=rest), (57, 89)),
            Seat("Music box", 10, "sub_melody",
                 by_kind(turns(melody.lead(octave=1), 1, bars=4), solo=melody.lead(octave=1),
                         intro=melody.lead(octave=1, fragment=True)), (60, 96), level=4),
            Seat("Left hand", 0, "accompaniment",
                 comping.comp({"3/4": "b.t.t.|b.t..."}, voices=4, staccato=0.65, spread=20),
                 (38, 67)),
            Seat("Bass", 32, "bass", bass.roaming(WALTZ_BASS, legato=0.85), (28, 50), enters=0.5),
        ),
        form="intro:4=head@0.3 theme@0.5 solo:A@0.55 part:B@0.65 fade:4@0.4"
             " / theme@0.45 part:A@0.55^-2 part:B@0.7~late ending:3=tag@0.4~broad"
             " / part:A@0.4 part:AB@0.6 ending:2=plagal@0.4~held",
        tempo=0.9,
        humanise=7,
    ),
)  # fmt: skip

CHORALES = (
    Arrangement(
        name="choir unaccompanied",
        seats=(
            Seat("Soprano", 52, "main_melody", satb.soprano(), satb.SOPRANO),
            Seat("Alto", 52, "sub_melody", satb.voice("alto", passing=0.5), satb.ALTO),
            Seat("Tenor", 53, "accompaniment", satb.voice("tenor", passing=0.5), satb.TENOR),
            Seat("Bass", 53, "bass", satb.voice("bass", passing=0.7), (40, 60)),
        ),
        form="theme@0.45 part:A@0.35~held part:B@0.7 ending:3=plagal@0.5~broad"
             " / part:A@0.4~held part:B@0.55~held part:AB@0.7^2 ending:3=plagal@0.6"
             " / theme@0.5 part:AB@0.75^1~easing ending:2@0.5~late",
        humanise=4,
    ),
    Arrangement(
        name="organ and trumpet",
        seats=(
            Seat("Trumpet", 56, "main_melody",
                 by_turn(by_letter(satb.soprano(0.95), B=satb.soprano(0.95)), satb.soprano(0.95)),
                 (58, 81)),
            Seat("Organ right hand", 19, "accompaniment", satb.voice("alto"), (55, 76)),
            Seat("Organ left hand", 19, "accompaniment", satb.voice("tenor", passing=0.6),
                 (48, 69)),
            Seat("Organ pedal", 19, "bass", satb.voice("bass", passing=0.8), (36, 60)),
        ),
        form="part:A@0.55 intro:2=tail@0.5 part:AB@0.7 ending:2=plagal@0.8~broad"
             " / intro:4=tail@0.5 theme@0.55 part:B@0.85^2 ending:2@0.85~late"
             " / theme@0.55 break:2=tail@0.5 part:AB@0.85 ending:3=plagal@0.9~held",
        tempo=1.08,
        humanise=3,
    ),
    Arrangement(
        name="string quartet",
        seats=(
            Seat("First violin", 40, "main_melody", satb.soprano(), (57, 86)),
            Seat("Second violin", 40, "sub_melody", satb.voice("alto", passing=0.7), (55, 76)),
            Seat("Viola", 41, "accompaniment", satb.voice("tenor", passing=0.7), (48, 69)),
            Seat("Cello", 42, "bass", satb.voice("bass", passing=0.9), (36, 62)),
        ),
        form="intro:2=head@0.35 theme@0.45 part:AB@0.65~easing ending:2=plagal@0.4"
             " / part:B@0.5 part:A@0.4~held part:AB@0.7^2 ending:2@0.5~broad"
             " / theme@0.45 part:B@0.7^-3 ending:3=plagal@0.45~late",
        tempo=0.94,
        humanise=5,
    ),
)  # fmt: skip

BALLADS = (
    Arrangement(
        name="voice and piano, band later",
        seats=(
            Seat("Voice", 53, "main_melody",
                 melody.lead(anticipate=0.15, ornament_again=0.3), (50, 81)),
            Seat("Violin", 40, "sub_melody",
                 by_turn(rest, echo(), melody.counter(0.7)), (57, 84), enters=0.5),
            Seat("Piano", 0, "accompaniment",
                 by_energy(comping.arpeggio(BROKEN, voices=4, root_below=True, ring=True,
                                            spread=19),
                           rhythm.beneath(rhythm.chords(("x-x-x-xx", "x-xxx-x-"), voices=4)),
                           at=0.7), (36, 76), pedal=True),
            Seat("Bass", 33, "bass",
                 rhythm.bass(("1---58--", "1--5--3-"), MOVING, approach=0.6), (28, 52),
                 enters=0.5, silent_in=("intro",)),
            Seat("Drums", 0, "drums", rhythm.kit("pop_ballad", lock=True), enters=0.6),
        ),
        form="theme@0.42 part:A@0.6 part:B@0.8 part:B@0.92^2 ending:3=tag@0.6~broad"
             " / part:B@0.4~held part:AB@0.62 build:2@0.6-0.9^2 part:B@0.92 ending:2@0.5~late"
             " / part:AB@0.45! part:A@0.65 part:B@0.88^1 fade:6@0.6",
        final_quality=("add9", "min"),
    ),
    Arrangement(
        name="duet on the porch",
        seats=(
            Seat("First voice", 52, "main_melody",
                 by_turn(turns(melody.lead(anticipate=0.2), 0, bars=4),
                         melody.lead(ornament_again=0.3)), (52, 81)),
            Seat("Second voice", 54, "sub_melody",
                 by_kind(by_turn(turns(melody.lead(anticipate=0.2), 1, bars=4),
                         melody.harmony(below=True)), final=melody.closing_tone), (46, 76),
                 level=6),
            Seat("Steel guitar", 25, "accompaniment",
                 by_energy(guitar.fingerpick(PICKED, PICKED_BUSY, 0.55),
                           guitar.strum(STRUMMED, STRUMMED_FULL, 0.85), at=0.68), (40, 84)),
            Seat("Harmonica", 22, "riff", by_kind(echo(share=0.8), intro=melody.lead(octave=1,
                 fragment=True)), (60, 86), enters=0.45, level=-2),
            Seat("Bass", 32, "bass",
                 rhythm.bass(("1---5-a-", "1--5--3a"), ("1-3-5-3-", "1-585-3-"), approach=0.6),
                 (28, 50), enters=0.45),
        ),
        form="intro:2=vamp@0.35 theme@0.5 part:AB@0.72 ending:3=tag@0.6"
             " / part:A@0.45 break:2=tail@0.4 part:AB@0.6 part:B@0.8^2! ending:2=plagal@0.5~held"
             " / theme@0.5 solo:A@0.6 part:B@0.78 fade:4@0.5",
        tempo=1.08,
        final_quality=("maj", "m7"),
    ),
    Arrangement(
        name="keys and choir",
        seats=(
            Seat("Electric piano lead", 5, "main_melody",
                 by_turn(melody.lead(fragment=True), melody.lead(octave=1, ornament_again=0.3)),
                 (58, 93)),
            Seat("Choir", 52, "sub_melody", by_turn(echo(), melody.counter(0.5)), (52, 76),
                 enters=0.55),
            Seat("Pad", 89, "pad", rhythm.beneath(comping.pad(3, spread=19)), (48, 74)),
            Seat("Synth bass", 39, "bass",
                 rhythm.bass(("1--1--5-", "1---8-5a"), ("1-11-185", "1--58-53"), approach=0.5),
                 (28, 52), enters=0.45),
            Seat("Drums", 0, "drums", rhythm.kit("pop_ballad", chorus_at=0.75), enters=0.5),
        ),
        form="part:B@0.55! part:A@0.5 part:B@0.8 break:4=vamp@0.35-0.8 part:B@0.9^3 fade:4@0.6"
             " / intro:4=pedal@0.3-0.5 theme@0.5 part:B@0.85^2 ending:2=plagal@0.5"
             " / theme@0.5 build:4@0.4-0.9 part:AB@0.85^1 ending:2=tag@0.6~easing",
        tempo=0.96,
        final_quality=("add9", "madd9"),
    ),
)  # fmt: skip

ARRANGEMENTS = {
    "piano_miniature": MINIATURES,
    "waltz": WALTZES,
    "chorale": CHORALES,
    "pop_ballad": BALLADS,
}
