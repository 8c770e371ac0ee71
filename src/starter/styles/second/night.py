"""Jazz, bossa nova and lo-fi of the second volume: trades, answers, tags."""

from __future__ import annotations

from starter import bass, comping, guitar, melody, rhythm
from starter.arrangement import Arrangement, Seat
from starter.dialogue import echo, riff, turns, unison
from starter.parts import by_energy, by_kind, by_letter, by_turn, rest
from starter.styles.bossa import GUITAR, GUITAR_BUSY, LAZY, PIANO, PIANO_BUSY, ROLLED, SURDO_LIVELY
from starter.styles.jazz_swing import COMP, COMP_BUSY, FOUR, KICKS, KICKS_BUSY, SPARSE, SWING
from starter.styles.lofi import PLUCKS, RHODES, RHODES_BUSY
from starter.styles.lofi import ROLLED as LOFI_ROLLED

DANCING = ("1--55-3a", "1-35-8-a", "1--53-58", "1-.51-3a")
SLOW_WALK = ("1-----3-5---a---", "1---5---8-..5-a-", "1-----a-1-..3-5-")

JAZZ = (
    Arrangement(
        name="tenor and trumpet trade",
        seats=(
            Seat("Tenor sax", 66, "main_melody",
                 by_kind(melody.lead(ornament_again=0.35, anticipate=0.25, legato=0.9),
                         solo=turns(melody.lead(), 0, bars=4)), (46, 75)),
            Seat("Trumpet", 56, "sub_melody",
                 by_kind(by_turn(echo(), echo(), melody.doubled(1)),
                         solo=turns(melody.lead(), 1, bars=4), riff=rest), (55, 82), level=2),
            Seat("Piano", 0, "accompaniment",
                 rhythm.beneath(rhythm.coloured(
                     rhythm.chords(COMP, COMP_BUSY, 0.72, voices=3, rootless=True, staccato=0.7,
                                   restless=True, answer=True)), 18), (49, 76)),
            Seat("Bass", 32, "bass", by_kind(bass.walking(), riff=riff()), (28, 55)),
            Seat("Drums", 0, "drums", rhythm.kit("jazz_swing", chorus_at=0.78)),
        ),
        form="theme@0.5 solo@0.68 part:B@0.75! part:A@0.7 ending:4=tag@0.6"
             " / riff:4@0.45 theme@0.55 solo:A@0.7 reprise@0.8 ending:2=tag@0.7~held"
             " / part:A@0.5 part:AB@0.6 solo:AB@0.7 part:A@0.8 ending:3=tag@0.5~late",
        swing=SWING,
        final_quality=("69", "m69"),
        humanise=7,
    ),
    Arrangement(
        name="piano leads, guitar answers",
        seats=(
            Seat("Piano", 0, "main_melody",
                 by_kind(melody.lead(ornament=0.15, ornament_again=0.45), solo=rest), (57, 89)),
            Seat("Guitar", 26, "sub_melody",
                 by_kind(echo(), solo=melody.lead(octave=0), final=melody.closing_tone,
                         riff=rest), (52, 79), level=4),
            Seat("Left hand", 0, "accompaniment",
                 rhythm.coloured(rhythm.chords(SPARSE, COMP, 0.65, voices=3, rootless=True,
                                               staccato=0.8, restless=True)), (46, 67), level=-4),
            Seat("Bass", 32, "bass", bass.walking(two_feel_below=0.42), (28, 55)),
            Seat("Brushes", 0, "drums", rhythm.kit("jazz_swing", chorus_at=0.85), enters=0.4),
        ),
        form="part:A@0.38 part:AB@0.5 solo:A@0.6 part:B@0.7 ending:3=tag@0.5~late"
             " / theme@0.45 solo@0.6 part:B@0.72^1 ending:2=tag@0.5~broad"
             " / intro:4=tail@0.4 theme@0.5 solo:B@0.6 part:AB@0.72 ending:2=plagal@0.4",
        tempo=0.92,
        swing=SWING,
        final_quality=("maj9", "m9"),
        humanise=8,
    ),
    Arrangement(
        name="small band with shout",
        seats=(
            Seat("Clarinet", 71, "main_melody",
                 melody.lead(anticipate=0.2, ornament_again=0.3, legato=0.9), (52, 86)),
            Seat("Trombone", 57, "sub_melody",
                 by_turn(echo(), melody.counter(0.7)), (43, 67), level=2),
            Seat("Horns", 61, "riff",
                 by_kind(rhythm.chords(KICKS, KICKS_BUSY, 0.75, voices=3, staccato=0.55,
                                       rootless=True, answer=True), riff=riff()), (50, 72),
                 enters=0.55),
            Seat("Rhythm guitar", 26, "accompaniment", guitar.strum(FOUR, upper=3, staccato=0.55),
                 (40, 79), level=-4, silent_in=("riff",)),
            Seat("Bass", 32, "bass", by_kind(bass.walking(), riff=unison()), (28, 55)),
            Seat("Drums", 0, "drums", rhythm.kit("jazz_swing", chorus_at=0.7)),
        ),
        form="part:AB@0.6 break:2=dominant@0.5 solo:A@0.7 part:B@0.9^2! ending:3=tag@0.85"
             " / riff:4@0.5-0.7 theme@0.62 part:AB@0.85 ending:2=vamp@0.8"
             " / theme@0.55 build:4@0.5-0.85^1 part:AB@0.85! ending:2=tag@0.8~held",
        tempo=1.08,
        swing=SWING,
        final_quality=("69", "m69"),
        humanise=6,
    ),
)  # fmt: skip

BOSSA = (
    Arrangement(
        name="voice and guitar",
        seats=(
            Seat("Voice", 53, "main_melody",
                 melody.lead(anticipate=0.4, ornament_again=0.25), (50, 79)),
            Seat("Flute", 73, "sub_melody",
                 by_turn(rest, echo(), melody.counter(0.5)), (64, 86), enters=0.5),
            Seat("Nylon guitar", 24, "accompaniment",
                 guitar.fingerpick(GUITAR, GUITAR_BUSY, 0.7, upper=3, ring=False), (40, 80)),
            Seat("Bass", 32, "bass", rhythm.bass(DANCING, SURDO_LIVELY, 0.72, approach=0.5),
                 (28, 52), enters=0.45),
            Seat("Percussion", 0, "drums", rhythm.kit("bossa", chorus_at=0.7), enters=0.5),
        ),
        form="theme@0.42 part:AB@0.62 ending:4=tag@0.45"
             " / part:A@0.4 part:AB@0.55 solo:A@0.6 part:B@0.7 fade:6@0.5"
             " / intro:2=vamp@0.35 theme@0.5 part:B@0.68^2 ending:3=tag@0.45~late",
        final_quality=("69", "m69"),
        humanise=6,
    ),
    Arrangement(
        name="saxophone and trombone",
        seats=(
            Seat("Alto sax", 65, "main_melody",
                 by_turn(turns(melody.lead(anticipate=0.3, legato=0.92), 0, bars=4),
                         melody.lead(anticipate=0.3, ornament_again=0.35)), (51, 81)),
            Seat("Trombone", 57, "sub_melody",
                 by_kind(by_turn(turns(melody.lead(octave=-1), 1, bars=4), echo()),
                         final=melody.closing_tone), (45, 70), level=5),
            Seat("Piano", 0, "accompaniment",
                 rhythm.beneath(rhythm.coloured(
                     rhythm.chords(PIANO, PIANO_BUSY, 0.72, voices=3, rootless=True,
                                   staccato=0.8)), 17), (49, 77)),
            Seat("Bass", 32, "bass", rhythm.bass(SURDO_LIVELY, DANCING, 0.6, approach=0.5,
                 push=True), (28, 52)),
            Seat("Drums", 0, "drums", rhythm.kit("bossa", chorus_at=0.6)),
        ),
        form="part:AB@0.55 break:2=dominant@0.45 part:AB@0.75 ending:2=tag@0.6~held"
             " / theme@0.55 solo:AB@0.68 part:B@0.78^3 ending:2=plagal@0.5"
             " / intro:4=tail@0.45 part:B@0.55 part:AB@0.7! fade:4@0.6",
        tempo=1.08,
        final_quality=("69", "m9"),
    ),
    Arrangement(
        name="vibraphone at the window",
        seats=(
            Seat("Vibraphone", 11, "main_melody",
                 melody.lead(ornament=0.1, ornament_again=0.35), (55, 86), pedal=True),
            Seat("Clarinet", 71, "sub_melody", by_turn(echo(share=0.8), melody.counter(0.6)),
                 (52, 77), enters=0.42),
            Seat("Guitar", 24, "accompaniment",
                 by_energy(guitar.fingerpick(ROLLED, upper=4),
                           guitar.fingerpick(GUITAR, upper=3, ring=False), at=0.52), (40, 80)),
            Seat("Rhodes", 4, "pad",
                 rhythm.beneath(rhythm.coloured(rhythm.chords(LAZY, voices=3, rootless=True))),
                 (50, 72), enters=0.6),
            Seat("Bass", 32, "bass", rhythm.bass(("1---5-3a", "1--5--8-"), DANCING, 0.6,
                 approach=0.6), (28, 50)),
        ),
        form="part:B@0.4~held part:AB@0.5 part:AB@0.65^-2 ending:2=plagal@0.4~broad"
             " / theme@0.42 break:4=vamp@0.35 part:AB@0.6 fade:4@0.4"
             " / part:AB@0.45 solo:B@0.55 part:A@0.6~easing ending:3=tag@0.35",
        tempo=0.88,
        final_quality=("maj9", "m9"),
        humanise=7,
    ),
)  # fmt: skip

LOFI = (
    Arrangement(
        name="loop first",
        seats=(
            Seat("Rhodes lead", 4, "main_melody",
                 melody.lead(ornament_again=0.3, anticipate=0.15), (55, 86)),
            Seat("Loop", 11, "riff", by_letter(riff(gaps=True), R=riff()), (57, 81), level=-3),
            Seat("Chords", 5, "accompaniment",
                 rhythm.beneath(rhythm.coloured(
                     rhythm.chords(RHODES, RHODES_BUSY, 0.6, voices=3, rootless=True))), (47, 72)),
            Seat("Bass", 39, "bass", rhythm.bass(SLOW_WALK, approach=0.5, legato=0.95), (28, 50),
                 enters=0.4),
            Seat("Drums", 0, "drums", rhythm.kit("lofi", lock=True, chorus_at=0.6), enters=0.38),
        ),
        form="riff:4@0.3-0.4 theme@0.45 riff:2@0.4 part:AB@0.6 fade:4@0.4"
             " / part:A@0.35 riff:4@0.45 part:AB@0.55 part:B@0.65^2 fade:4@0.4"
             " / riff:2@0.35 part:AB@0.5! riff:2@0.4 part:A@0.6 ending:2=vamp@0.3~late",
        final_quality=("maj9", "m9"),
        humanise=9,
        swing=2 / 3,
        swing_unit=240,
    ),
    Arrangement(
        name="guitar and flute, half asleep",
        seats=(
            Seat("Jazz guitar", 26, "main_melody",
                 turns(melody.lead(ornament_again=0.35), 0, bars=4), (52, 81), level=2),
            Seat("Flute", 73, "sub_melody",
                 by_kind(turns(melody.lead(octave=1), 1, bars=4), riff=rest,
                         final=melody.closing_tone), (62, 88), level=5),
            Seat("Nylon guitar", 24, "accompaniment",
                 guitar.fingerpick(PLUCKS, LOFI_ROLLED, 0.6, upper=4), (40, 79), level=-3),
            Seat("Upright bass", 32, "bass", bass.roaming("x--x--x-", "x-xx-xx-", 0.55), (28, 52),
                 enters=0.42),
            Seat("Drums", 0, "drums", rhythm.kit("lofi", chorus_at=0.75), enters=0.45),
        ),
        form="theme@0.42 part:AB@0.58 ending:2=plagal@0.35"
             " / intro:2=vamp@0.3 part:A@0.45 break:2=tail@0.3 part:AB@0.6 fade:4@0.4"
             " / part:B@0.4 part:A@0.5 part:B@0.62^-3 ending:3=tag@0.35~broad",
        tempo=0.94,
        final_quality=("maj7", "m7"),
        humanise=8,
        swing=2 / 3,
        swing_unit=240,
    ),
    Arrangement(
        name="muted horn, warm tape",
        seats=(
            Seat("Muted trumpet", 59, "main_melody",
                 melody.lead(anticipate=0.2, ornament_again=0.3), (54, 81)),
            Seat("Answers", 4, "sub_melody", echo(), (57, 79), enters=0.45, level=-4),
            Seat("Tape pad", 89, "pad", rhythm.beneath(comping.pad(3, rootless=True)), (48, 70)),
            Seat("Bass", 38, "bass", by_kind(rhythm.bass(SLOW_WALK, ("1-5-8-5-", "1-3-5-a-"), 0.58,
                 approach=0.6, legato=0.95), riff=riff()), (28, 52)),
            Seat("Drums", 0, "drums", rhythm.kit("lofi", lock=True, chorus_at=0.58), enters=0.4),
        ),
        form="part:A@0.4! part:AB@0.5 break:2=vamp@0.3 part:B@0.6 ending:3=tag@0.4~easing"
             " / riff:4@0.35 theme@0.45 part:B@0.6^1 fade:4@0.4"
             " / theme@0.42 solo:A@0.5 part:B@0.6 ending:2=vamp@0.3",
        tempo=1.04,
        final_quality=("maj9", "m9"),
        humanise=8,
        swing=2 / 3,
        swing_unit=240,
    ),
)  # fmt: skip

ARRANGEMENTS = {"jazz_swing": JAZZ, "bossa": BOSSA, "lofi": LOFI}
