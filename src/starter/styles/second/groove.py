"""Rock, funk and house of the second volume: riffs first, breaks, builds, trades."""

from __future__ import annotations

from starter import bass, comping, guitar, melody, rhythm
from starter.arrangement import Arrangement, Seat
from starter.dialogue import echo, riff, turns, unison
from starter.parts import by_energy, by_kind, by_letter, by_turn, rest
from starter.styles.funk import (
    CLAV,
    CLAV_BUSY,
    FINGER,
    FINGER_BUSY,
    ORGAN,
    SCRATCH,
    SCRATCH_FULL,
    SLAP,
    SLAP_BUSY,
    STABS,
    STABS_BUSY,
)
from starter.styles.house import DUCKED, PIANO, PIANO_FULL, ROLLING_BASS
from starter.styles.house import STABS as HOUSE_STABS
from starter.styles.rock import CHOPS, CHUGS, DRIVING, LOCKED, OPEN, PICKING, STRUMMING

RUNNING = ("1-1-5-8-", "1-3-5-6-", "11518135", "1-8-7-5-")
SPACE_BASS = ("1--..8..1-..5.7.", "1-..1.8.5-..7.a.", "1--.8-..7-..5.a.")
PLUCKED_BASS = ("1..1..8.1..1..5.", "1..8..1.1..5..8.", "..1-.8..1-5-..a-")

ROCK = (
    Arrangement(
        name="riff and shout",
        seats=(
            Seat("Lead guitar", 29, "main_melody",
                 by_kind(melody.lead(anticipate=0.2, ornament_again=0.2),
                         solo=turns(melody.lead(), 0)), (50, 86)),
            Seat("Second guitar", 28, "sub_melody",
                 by_kind(by_turn(echo(share=0.7), melody.harmony(below=True)),
                         solo=turns(melody.lead(), 1), riff=rest), (48, 80), level=-2,
                 enters=0.55),
            Seat("Riff guitar", 30, "riff",
                 by_letter(riff(), B=guitar.power(OPEN)), (40, 67), level=-2),
            Seat("Bass", 34, "bass",
                 by_kind(by_letter(rhythm.bass(LOCKED, RUNNING, 0.7, approach=0.5, legato=0.85),
                         B=rhythm.bass(RUNNING, DRIVING, 0.85, approach=0.6)),
                         riff=unison()), (28, 55)),
            Seat("Drums", 0, "drums", rhythm.kit("rock", lock=True), enters=0.5),
        ),
        form="riff:4@0.45-0.6 theme@0.62! riff:2@0.6 part:B@0.85 ending:3=tag@0.85"
             " / riff:2@0.55 part:A@0.6 part:AB@0.7 solo:A@0.8 part:B@0.92^2 "
             "ending:2=vamp@0.9~held"
             " / part:A@0.55! riff:4@0.65 part:AB@0.8 break:4=vamp@0.4-0.8 part:B@0.95^2 "
             "fade:4@0.7",
        final_quality=("5", "5"),
        humanise=4,
    ),
    Arrangement(
        name="four on a stage",
        seats=(
            Seat("Voice", 54, "main_melody", melody.lead(anticipate=0.25), (50, 81)),
            Seat("Organ", 18, "sub_melody",
                 by_turn(echo(), by_letter(echo(), B=melody.counter(0.6)), melody.counter(0.6)),
                 (55, 79), level=-2, enters=0.5),
            Seat("Guitar", 27, "accompaniment",
                 by_energy(guitar.fingerpick(PICKING), guitar.strum(STRUMMING, upper=4), at=0.62),
                 (40, 79), silent_in=("pickup",)),
            Seat("Bass", 33, "bass", rhythm.bass(RUNNING, DRIVING, 0.85, approach=0.65), (28, 52),
                 silent_in=("intro",)),
            Seat("Drums", 0, "drums", rhythm.kit("rock", chorus_at=0.76), enters=0.45),
        ),
        form="theme@0.5 part:AB@0.75! part:B@0.9^2 ending:2=plagal@0.7~late"
             " / part:B@0.7! intro:2=vamp@0.5 part:AB@0.65 part:B@0.9 ending:3=tag@0.8~easing"
             " / part:AB@0.5 build:2@0.5-0.85^1 part:AB@0.85 fade:6@0.7",
        tempo=0.9,
        final_quality=("add9", "m7"),
    ),
    Arrangement(
        name="trio that trades",
        seats=(
            Seat("Guitar", 28, "main_melody",
                 by_kind(melody.lead(legato=0.88, ornament_again=0.25),
                         solo=turns(melody.lead(), 0, bars=4)), (52, 80)),
            Seat("Fuzz guitar", 29, "riff",
                 by_energy(riff(gaps=True), guitar.power(CHUGS), at=0.72), (40, 67), level=-3),
            Seat("Clipped chords", 26, "accompaniment", guitar.strum(CHOPS, upper=4, staccato=0.5),
                 (45, 76), level=-6, silent_in=("riff", "intro"), enters=0.5),
            Seat("Bass", 34, "bass",
                 by_kind(bass.roaming("x-xxx-x8", "xxx8xxxx", legato=0.85),
                         riff=rhythm.bass(LOCKED)), (28, 55)),
            Seat("Drums", 0, "drums", rhythm.kit("rock")),
        ),
        form="part:A@0.6 riff:2@0.6 part:AB@0.75 ending:2=vamp@0.9"
             " / riff:4@0.5-0.7 theme@0.65 solo:AB@0.75 part:B@0.9*1.05 ending:2=tag@0.9"
             " / build:4@0.4-0.8 theme@0.7! riff:2@0.7 part:B@0.9^3 ending:2=vamp@0.9~held",
        tempo=1.1,
        final_quality=("5", "5"),
        humanise=4,
    ),
)  # fmt: skip

FUNK = (
    Arrangement(
        name="horns answer",
        seats=(
            Seat("Tenor sax", 66, "main_melody",
                 by_kind(melody.lead(legato=0.85, ornament_again=0.2),
                         solo=turns(melody.lead(ornament_again=0.5), 0)), (46, 75)),
            Seat("Trumpet", 56, "sub_melody",
                 by_kind(echo(accent=2), solo=turns(melody.lead(octave=1), 1),
                         final=melody.closing_tone), (56, 82), enters=0.5),
            Seat("Horn stabs", 61, "riff",
                 rhythm.chords(STABS, STABS_BUSY, 0.72, voices=3, staccato=0.6, answer=True),
                 (53, 76), level=-3, enters=0.6),
            Seat("Clavinet", 7, "accompaniment",
                 rhythm.chords(CLAV, CLAV_BUSY, 0.75, voices=2, staccato=0.6, rootless=True),
                 (50, 74), level=-4, silent_in=("riff",)),
            Seat("Bass", 33, "bass",
                 by_kind(rhythm.bass(FINGER, FINGER_BUSY, 0.7, approach=0.5, legato=0.75,
                                     push=True), riff=riff()), (28, 55)),
            Seat("Drums", 0, "drums", rhythm.kit("funk", lock=True), enters=0.45),
        ),
        form="riff:4@0.5 theme@0.6! part:A@0.75 ending:2=vamp@0.85"
             " / riff:2@0.45 part:A@0.55 riff:2@0.55 part:AB@0.75 ending:2=vamp@0.9~held"
             " / theme@0.6 break:4=vamp@0.35-0.75 solo:A@0.7 part:B@0.88^2 fade:4@0.7",
        final_quality=("9", "m9"),
        humanise=4,
    ),
    Arrangement(
        name="organ and guitar talk",
        seats=(
            Seat("Organ", 16, "main_melody",
                 turns(melody.lead(legato=0.85, ornament_again=0.3), 0), (55, 86)),
            Seat("Guitar", 27, "sub_melody",
                 by_kind(turns(melody.lead(legato=0.85), 1), final=melody.closing_tone),
                 (50, 81), level=6),
            Seat("Comp", 17, "accompaniment", rhythm.chords(ORGAN, voices=3, staccato=0.75,
                 rootless=True, answer=True), (50, 72), level=-5, enters=0.5),
            Seat("Riff guitar", 28, "riff", riff(gaps=True), (45, 67), level=-2,
                 silent_in=("solo",)),
            Seat("Slap bass", 36, "bass",
                 rhythm.bass(SLAP, SLAP_BUSY, 0.72, approach=0.45, legato=0.72), (28, 55)),
            Seat("Drums", 0, "drums", rhythm.kit("funk", lock=True)),
        ),
        form="part:A@0.5! part:AB@0.65 riff:2@0.6 part:B@0.85 ending:2=vamp@0.85"
             " / riff:4@0.5 part:AB@0.65 solo:A@0.7 part:A@0.85^1 ending:2=tag@0.85"
             " / build:2=vamp@0.4-0.7 theme@0.65 break:2=vamp@0.35 part:AB@0.85 ending:2=vamp@0.9",
        tempo=1.06,
        final_quality=("9", "m7"),
        humanise=4,
    ),
    Arrangement(
        name="flute over the pocket",
        seats=(
            Seat("Flute", 73, "main_melody",
                 melody.lead(ornament_again=0.35, anticipate=0.15), (60, 91)),
            Seat("Muted trumpet", 59, "sub_melody", by_turn(rest, echo(), melody.harmony(
                 below=True)), (55, 81), enters=0.55),
            Seat("Scratch guitar", 28, "accompaniment",
                 guitar.strum(SCRATCH, SCRATCH_FULL, 0.7, upper=3, staccato=0.5), (40, 79),
                 level=-6, silent_in=("break",)),
            Seat("Rhodes", 4, "pad", rhythm.coloured(comping.pad(3, rootless=True)), (50, 72),
                 enters=0.6),
            Seat("Synth bass", 38, "bass",
                 by_kind(rhythm.bass(SPACE_BASS, FINGER, 0.75, approach=0.5, legato=0.85),
                         riff=riff()), (28, 55)),
            Seat("Drums", 0, "drums", rhythm.kit("funk", chorus_at=0.8), enters=0.4),
        ),
        form="part:A@0.5 part:A@0.6 part:B@0.7! riff:2@0.5 part:A@0.75 fade:4@0.6"
             " / riff:4@0.35-0.55 theme@0.55 part:B@0.75^-2 ending:3=tag@0.6~late"
             " / theme@0.5 solo:A@0.65 break:2=vamp@0.4 part:B@0.8^3 ending:2=plagal@0.6",
        tempo=0.92,
        final_quality=("maj9", "m9"),
        swing=2 / 3,
        swing_unit=240,
    ),
)  # fmt: skip

HOUSE = (
    Arrangement(
        name="riff machine",
        seats=(
            Seat("Lead", 81, "main_melody", melody.lead(legato=0.88, ornament_again=0.15),
                 (57, 88)),
            Seat("Riff", 80, "riff", by_letter(riff(), B=riff(gaps=True)), (52, 74), level=-4),
            Seat("Stabs", 62, "accompaniment",
                 rhythm.beneath(rhythm.chords(HOUSE_STABS, voices=3, staccato=0.55)), (52, 74),
                 enters=0.62),
            Seat("Bass", 38, "bass", rhythm.bass(PLUCKED_BASS, ROLLING_BASS, 0.8, approach=0.4,
                 legato=0.75), (26, 50), enters=0.5),
            Seat("Drums", 0, "drums", rhythm.kit("house", chorus_at=0.75), enters=0.4),
        ),
        form="riff:8@0.3-0.6 theme@0.62 build:4=vamp@0.3-0.9 part:B@0.9^2 fade:4@0.6"
             " / part:A@0.5 riff:4@0.6 part:AB@0.75 ending:4=vamp@0.6"
             " / riff:4@0.5 part:B@0.7! part:A@0.6 build:4@0.4-0.9^3 part:B@0.92 ending:2=vamp@0.7",
        final_quality=("add9", "m7"),
        humanise=2,
    ),
    Arrangement(
        name="voices and piano",
        seats=(
            Seat("Voice", 54, "main_melody", turns(melody.lead(anticipate=0.2), 0, bars=4),
                 (52, 81)),
            Seat("Soft lead", 80, "sub_melody",
                 by_kind(turns(melody.lead(), 1, bars=4), riff=rest, final=melody.closing_tone),
                 (55, 84), level=5),
            Seat("Answers", 11, "riff", echo(share=0.8), (65, 88), enters=0.55, level=-4),
            Seat("Piano", 1, "accompaniment",
                 rhythm.beneath(rhythm.chords(PIANO, PIANO_FULL, 0.75, voices=4, staccato=0.7)),
                 (50, 76)),
            Seat("Bass", 39, "bass", rhythm.bass(SPACE_BASS, PLUCKED_BASS, 0.72, approach=0.5),
                 (26, 50), enters=0.5),
            Seat("Drums", 0, "drums", rhythm.kit("house"), enters=0.45),
        ),
        form="theme@0.45-0.65 break:4=vamp@0.25-0.8 part:AB@0.85 fade:6@0.6"
             " / intro:8=vamp@0.35-0.6 part:B@0.6 part:A@0.6! part:B@0.88^2 ending:4=vamp@0.5"
             " / part:B@0.5! part:AB@0.68 build:4@0.4-0.9 part:B@0.9^1 fade:4@0.6",
        tempo=0.98,
        final_quality=("maj9", "m9"),
        humanise=3,
    ),
    Arrangement(
        name="night drive",
        seats=(
            Seat("Square lead", 80, "main_melody",
                 by_turn(melody.lead(legato=0.9), melody.lead(octave=1, ornament_again=0.2)),
                 (57, 91)),
            Seat("Riff", 81, "riff", by_kind(riff(gaps=True), riff=riff()), (55, 79), level=-6),
            Seat("Ducked pad", 95, "pad",
                 rhythm.beneath(comping.comp(DUCKED, voices=3, spread=19)), (50, 74),
                 enters=0.45),
            Seat("Bass", 38, "bass", bass.roaming("x-x8x-xx", "x8x8x8xx", 0.75, legato=0.8),
                 (26, 52), enters=0.4),
            Seat("Drums", 0, "drums", rhythm.kit("house", chorus_at=0.7), enters=0.5),
        ),
        form="part:A@0.4-0.6 riff:4@0.6 part:B@0.7 build:4=vamp@0.3-0.9 part:AB@0.9 "
             "ending:2=vamp@0.6"
             " / theme@0.55 riff:4@0.5 part:B@0.85^2 fade:4@0.6"
             " / riff:2@0.4 part:A@0.5 part:B@0.7 break:4=pedal@0.3-0.7 part:AB@0.9 fade:4@0.5",
        tempo=1.03,
        final_quality=("add9", "madd9"),
        humanise=0,
    ),
)  # fmt: skip

ARRANGEMENTS = {"rock": ROCK, "funk": FUNK, "house": HOUSE}
