"""Film scores, marches, dances and ambient music of the second volume."""

from __future__ import annotations

from starter import bass, comping, melody, rhythm
from starter.arrangement import Arrangement, Seat
from starter.dialogue import echo, riff, turns
from starter.parts import by_energy, by_kind, by_letter, by_return, by_turn, rest
from starter.styles.ambient import DRIFT
from starter.styles.folk_dance import DRIVE, STRUM

OFFBEATS = {"4/4": ".x.x.x.x", "6/8": "..x..x"}
MARCHING = {"4/4": "x-x-x-xx", "6/8": "x.xx.x"}
MARCHING_STRONG = {"4/4": "x-xxx-xx", "6/8": "xxxxxx"}
TREADING = {"4/4": "x---x-x-", "3/4": "x---x-"}
TREADING_STRONG = {"4/4": "x-xxx-xx", "3/4": "x-x-xx"}
DANCE_BASS = {"4/4": "x-x-x-x-", "6/8": "x-xx-x", "3/4": "x---x-|x-x-x-"}
DANCE_LIVELY = {"4/4": "x-x-x-xx", "6/8": "x-xx-x", "3/4": "x-x-xx"}

CINEMATIC = (
    Arrangement(
        name="ostinato and brass",
        seats=(
            Seat("Horns", 60, "main_melody",
                 by_turn(turns(melody.lead(), 0, bars=4), melody.lead()), (50, 77)),
            Seat("Trumpets", 56, "sub_melody",
                 by_kind(by_turn(turns(melody.lead(), 1, bars=4), melody.harmony(below=False)),
                         riff=rest, final=melody.closing_tone), (54, 84), enters=0.5, level=4),
            Seat("Ostinato", 48, "riff", riff(), (43, 65), level=-2),
            Seat("Low brass", 58, "pad", comping.pad(3, restrike=True, spread=14), (40, 60),
                 enters=0.7),
            Seat("Cellos and basses", 43, "bass",
                 bass.roaming(TREADING, TREADING_STRONG, 0.7, legato=0.9), (29, 52)),
            Seat("Drums", 0, "drums", rhythm.kit("cinematic"), enters=0.55),
        ),
        form="riff:4@0.35-0.5 theme@0.5-0.8! part:B@0.95^2 ending:3=plagal@0.9~broad"
             " / riff:2@0.35 part:A@0.45 build:4@0.4-0.9^3 part:AB@0.92 ending:2@0.9~late"
             " / part:A@0.45~held riff:4@0.5-0.7 part:AB@0.75 part:B@0.95^1 ending:2=plagal@0.9",
        humanise=4,
    ),
    Arrangement(
        name="solo strings, then all",
        seats=(
            Seat("Solo violin", 40, "main_melody",
                 by_return(melody.lead(), melody.lead(ornament=0.2)), (57, 93)),
            Seat("Solo cello", 42, "sub_melody",
                 by_turn(echo(), melody.counter(0.8)), (40, 69), level=2, enters=0.38),
            Seat("Harp", 46, "accompaniment",
                 comping.arpeggio({"4/4": "0.1232.1", "3/4": "0.1232"}, voices=3, root_below=True,
                                  ring=True, spread=19), (38, 76)),
            Seat("Strings", 49, "pad", comping.pad(3, spread=16), (50, 72), enters=0.6),
            Seat("Basses", 43, "bass", bass.roaming(TREADING, legato=0.95), (28, 50), enters=0.5),
        ),
        form="part:A@0.3 part:AB@0.5-0.7 part:B@0.85^2~easing ending:2=plagal@0.4~broad"
             " / intro:1=pedal@0.25 theme@0.4 break:2=dominant@0.4 part:AB@0.75 fade:4@0.4"
             " / theme@0.4~held part:AB@0.7^-2 ending:3=tag@0.4~late",
        tempo=0.92,
        humanise=7,
    ),
    Arrangement(
        name="pulse and piano",
        seats=(
            Seat("Piano", 0, "main_melody", by_turn(melody.lead(), melody.lead(octave=1)),
                 (55, 91), pedal=True),
            Seat("Choir", 52, "sub_melody", by_turn(rest, echo(), melody.doubled(0)), (52, 79),
                 enters=0.55),
            Seat("Pulse", 81, "riff", riff(), (48, 72), level=-8),
            Seat("Strings", 48, "accompaniment",
                 by_energy(comping.pad(3), comping.comp({"4/4": "x-xxx-xx", "3/4": "x-xxxx"},
                           voices=3, staccato=0.6), at=0.75), (52, 74), enters=0.5),
            Seat("Sub bass", 38, "bass", bass.roaming(TREADING, TREADING_STRONG, 0.75), (26, 48),
                 enters=0.42),
            Seat("Percussion", 0, "drums", rhythm.kit("cinematic", chorus_at=0.8), enters=0.6),
        ),
        form="theme@0.35-0.6 riff:2@0.5 build:2@0.5-0.9 part:AB@0.92 ending:2=vamp@0.5~held"
             " / riff:4@0.3-0.5 part:A@0.5 part:B@0.65! part:AB@0.9^2 fade:4@0.6"
             " / part:B@0.4 part:A@0.45 build:4=vamp@0.4-0.9^1 part:B@0.95 ending:2=plagal@0.7",
        tempo=1.05,
        humanise=4,
    ),
)  # fmt: skip

MARCH = (
    Arrangement(
        name="fifes and brass answer",
        seats=(
            Seat("Fifes", 72, "main_melody",
                 by_turn(turns(melody.lead(octave=1, legato=0.85), 0), melody.doubled(1)),
                 (74, 100)),
            Seat("Cornets", 56, "main_melody",
                 by_turn(turns(melody.lead(legato=0.85), 1), melody.lead(legato=0.85)), (56, 82)),
            Seat("Trombones", 57, "sub_melody",
                 by_kind(by_turn(echo(), melody.counter(0.7, register=55)), intro=rest), (43, 67),
                 enters=0.5),
            Seat("Horns", 60, "accompaniment", comping.comp(OFFBEATS, voices=3, staccato=0.55),
                 (50, 70), level=-2),
            Seat("Tuba", 58, "bass", bass.roaming(MARCHING, MARCHING_STRONG, 0.8, legato=0.7),
                 (29, 50)),
            Seat("Drums", 0, "drums", rhythm.kit("march"), enters=0.45),
        ),
        form="theme@0.6 part:A@0.7 part:B@0.9^5 ending:2=plagal@0.9"
             " / build:4=vamp@0.4-0.7 theme@0.65 part:AB@0.9! ending:2@0.95~held"
             " / part:A@0.5 break:2=dominant@0.45 part:AB@0.75 part:B@0.92 ending:3=tag@0.9~late",
        humanise=3,
    ),
    Arrangement(
        name="winds on the road",
        seats=(
            Seat("Clarinets", 71, "main_melody",
                 by_kind(melody.lead(legato=0.88, ornament_again=0.25),
                         solo=turns(melody.lead(), 0)), (52, 88)),
            Seat("Oboe", 68, "sub_melody",
                 by_kind(by_turn(echo(), melody.harmony(below=False)),
                         solo=turns(melody.lead(), 1), final=melody.closing_tone), (60, 86),
                 enters=0.45, level=3),
            Seat("Bassoons", 70, "accompaniment", comping.comp(OFFBEATS, voices=2, staccato=0.5),
                 (43, 64)),
            Seat("Tuba", 58, "bass", bass.roaming(MARCHING, legato=0.65), (29, 50)),
            Seat("Field drum", 0, "drums", rhythm.kit("march", chorus_at=0.9), enters=0.55),
        ),
        form="part:AB@0.5 solo:A@0.6 part:B@0.75 fade:4@0.5"
             " / theme@0.5 part:AB@0.72^-3 ending:2=plagal@0.5~easing"
             " / intro:2=vamp@0.4-0.6 part:B@0.6 part:AB@0.75*1.04 ending:2@0.7~held",
        tempo=0.96,
        humanise=4,
    ),
    Arrangement(
        name="full band, new key",
        seats=(
            Seat("Trumpets", 56, "main_melody",
                 by_letter(melody.lead(legato=0.85), B=by_return(rest, melody.lead(legato=0.85))),
                 (56, 82)),
            Seat("Euphonium", 57, "sub_melody",
                 by_letter(echo(), B=by_return(melody.lead(octave=-1), melody.counter(0.8))),
                 (43, 70), level=8),
            Seat("Flutes", 73, "sub_melody",
                 by_turn(rest, melody.doubled(1), melody.counter(0.8, register=82)), (65, 93)),
            Seat("Horns", 60, "accompaniment", comping.comp(OFFBEATS, voices=3, staccato=0.55),
                 (50, 70), level=-3),
            Seat("Basses", 58, "bass", bass.roaming(MARCHING, MARCHING_STRONG, 0.75, legato=0.7),
                 (29, 50)),
            Seat("Drums", 0, "drums", rhythm.kit("march")),
        ),
        form="intro:4=tail@0.6-0.8 theme@0.6 break:2=dominant@0.5^5 part:AB@0.9 ending:2@0.95"
             " / part:AB@0.62 build:2@0.5-0.9^2 part:AB@0.92 ending:3=tag@0.95~late"
             " / part:B@0.6 part:A@0.65! part:B@0.92^3 ending:2=plagal@0.95",
        tempo=1.06,
        humanise=3,
    ),
)  # fmt: skip

FOLK = (
    Arrangement(
        name="session, faster each time",
        seats=(
            Seat("Fiddle", 110, "main_melody",
                 by_return(melody.lead(legato=0.85), melody.lead(ornament=0.35, legato=0.85)),
                 (55, 91)),
            Seat("Whistle", 72, "sub_melody", by_turn(rest, turns(melody.doubled(1), 1, bars=4),
                 melody.doubled(1)), (74, 100)),
            Seat("Guitar", 25, "accompaniment",
                 comping.comp(STRUM, lively=DRIVE, voices=4, staccato=0.8, strum=12, spread=19),
                 (45, 69), silent_in=("pickup",)),
            Seat("Bass", 32, "bass", bass.roaming(DANCE_BASS, DANCE_LIVELY, 0.75, legato=0.75),
                 (28, 50), enters=0.5),
            Seat("Bodhran", 0, "drums", rhythm.kit("folk_dance"), enters=0.6),
        ),
        form="theme@0.5 part:AB@0.7*1.04 part:AB@0.9*1.05 ending:2@0.95"
             " / part:A@0.45 part:AB@0.62*1.03 part:AB@0.85^2*1.05 ending:2=tag@0.9"
             " / theme@0.55*0.96 part:AB@0.85*1.08 ending:2=plagal@0.9~held",
        humanise=5,
    ),
    Arrangement(
        name="two fiddles in turn",
        seats=(
            Seat("First fiddle", 40, "main_melody",
                 by_turn(turns(melody.lead(legato=0.85), 0), melody.lead(ornament_again=0.35,
                         legato=0.85)), (57, 91)),
            Seat("Second fiddle", 40, "sub_melody",
                 by_kind(by_turn(turns(melody.lead(legato=0.85), 1), melody.harmony(below=True)),
                         final=melody.closing_tone), (55, 86), level=6),
            Seat("Accordion", 21, "accompaniment",
                 comping.comp(STRUM, voices=3, staccato=0.6), (53, 72), level=-3, enters=0.5),
            Seat("Cello", 42, "bass", bass.roaming(DANCE_BASS, legato=0.75), (36, 57)),
        ),
        form="part:AB@0.5 part:AB@0.78 ending:2@0.8"
             " / intro:2=vamp@0.4 theme@0.55 part:B@0.8^2 ending:3=tag@0.8~late"
             " / part:B@0.5 part:A@0.6 break:2=dominant@0.45 part:AB@0.85 ending:2=plagal@0.7",
        tempo=0.94,
        humanise=6,
    ),
    Arrangement(
        name="flute, harp and bouzouki",
        seats=(
            Seat("Wooden flute", 75, "main_melody",
                 by_kind(melody.lead(ornament=0.15, ornament_again=0.5), solo=rest), (60, 91)),
            Seat("Bouzouki", 25, "sub_melody",
                 by_kind(by_turn(echo(), melody.harmony(below=True)), solo=melody.lead(octave=0),
                         final=melody.closing_tone), (50, 79), level=2),
            Seat("Harp", 46, "accompaniment",
                 comping.arpeggio({"4/4": "01232123", "3/4": "012343", "6/8": "012343"}, voices=3,
                                  root_below=True, ring=True, spread=17), (38, 76)),
            Seat("Frame drum", 0, "drums", rhythm.kit("folk_dance", chorus_at=0.9), enters=0.62),
        ),
        form="theme@0.42 solo:A@0.55 part:B@0.68 fade:4@0.5"
             " / part:A@0.4~held part:AB@0.6*1.08 part:B@0.75 ending:2=plagal@0.5~broad"
             " / intro:4=head@0.3 theme@0.5 part:AB@0.7^-2 ending:3=tag@0.5~late",
        tempo=0.84,
        humanise=6,
    ),
)  # fmt: skip

AMBIENT = (
    Arrangement(
        name="figure in the dark",
        seats=(
            Seat("Soft lead", 82, "main_melody", melody.lead(), (55, 88), level=-4),
            Seat("Figure", 98, "riff", riff(staccato=1.0), (60, 88), level=-4),
            Seat("Sweep pad", 95, "pad", comping.pad(3, spread=21), (46, 72)),
            Seat("Bass", 39, "bass", bass.roaming(TREADING, legato=1.0), (28, 48), enters=0.42),
        ),
        form="riff:4@0.25-0.35 theme@0.42 part:B@0.55 fade:6@0.4"
             " / part:A@0.3 riff:2@0.35 part:AB@0.5^2 fade:4@0.4"
             " / riff:2@0.3 part:A@0.4 part:B@0.5 part:A@0.55^3 ending:2=plagal@0.3~broad",
        humanise=7,
    ),
    Arrangement(
        name="piano and far bells",
        seats=(
            Seat("Piano", 0, "main_melody", melody.lead(ornament_again=0.15), (55, 91), level=-5,
                 pedal=True),
            Seat("Bells", 11, "sub_melody", echo(share=0.8), (67, 91), level=-4, enters=0.35),
            Seat("Strings", 49, "pad", comping.pad(3, spread=19), (50, 72), enters=0.4),
            Seat("Low piano", 0, "bass", bass.roaming(TREADING, legato=1.0), (33, 52), level=-8,
                 pedal=True),
        ),
        form="theme@0.32 part:AB@0.52~easing ending:2=plagal@0.3"
             " / intro:1=pedal@0.2 part:AB@0.4 break:2=vamp@0.3 part:B@0.55 ending:3=tag@0.3~broad"
             " / part:B@0.32~held part:A@0.42 part:B@0.55^-2 fade:4@0.35",
        tempo=0.92,
        humanise=8,
    ),
    Arrangement(
        name="harp, choir and cello",
        seats=(
            Seat("Cello", 42, "main_melody",
                 turns(melody.lead(octave=-1), 0, bars=4), (40, 76), level=2),
            Seat("Choir", 91, "sub_melody",
                 by_kind(turns(melody.lead(), 1, bars=4), riff=rest, final=melody.closing_tone),
                 (55, 84), level=6),
            Seat("Harp", 46, "accompaniment", DRIFT, (45, 81)),
            Seat("Warm pad", 89, "pad", comping.pad(3, rootless=True, spread=19), (48, 70),
                 enters=0.45),
            Seat("Contrabass", 43, "bass", bass.roaming(TREADING, legato=1.0), (28, 48),
                 enters=0.38),
        ),
        form="part:AB@0.38 part:AB@0.55^1 fade:4@0.4"
             " / intro:2=vamp@0.25 theme@0.42 part:B@0.58^2 ending:2=plagal@0.3~late"
             " / theme@0.38 break:2=pedal@0.3 part:A@0.52 ending:3=tag@0.35~broad",
        tempo=1.05,
        humanise=8,
    ),
)  # fmt: skip

ARRANGEMENTS = {
    "cinematic": CINEMATIC,
    "march": MARCH,
    "folk_dance": FOLK,
    "ambient": AMBIENT,
}
