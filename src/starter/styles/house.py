"""House: four on the floor, chords that duck under the kick, builds that earn their drops."""

from __future__ import annotations

from starter import comping, melody, rhythm
from starter.arrangement import Arrangement, Seat
from starter.parts import by_energy, by_kind, by_turn, rest

OFFBEAT_BASS = ("..1-..1-..1-..1-", "..1-..1-..8-..1-", "..1...11..1-..5-")
ROLLING_BASS = (".111.111.111.118", ".118.111.157.111", ".1.1.181.1.1.7.5")
DEEP_BASS = ("1--.....1-..1---", "1--...1-..8-....", "1--.1-....1-5-7-")
PIANO = ("x..x..x...x..x..", "x..x..x..x..x.x.", "..x..x..x..x..x.")
PIANO_FULL = ("X..X..x..X.x..X.", "X..x..X.x..X.X..", "x.X..X..x.X..X..")
STABS = ("...x......x.....", "..x..x....x.....", "......x..x......", "...x..x.........")
STABS_FULL = ("..x..x..x..x..x.", "...x..x...x..x..", "x..x..x...x..x..")
DUCKED = {"4/4": ".x--.x--.x--.x--", "3/4": ".x--.x--.x--", "6/8": ".x-.x-", "5/4": ".x--" * 5,
          "12/8": ".x-.x-.x-.x-", "7/8": ".x--.x--.x----"}  # fmt: skip
ARP = {"4/4": "0123210123232123", "3/4": "012321232123", "6/8": "012321012323",
       "12/8": "012321012323012321232123", "5/4": "01232101232321232123",
       "7/8": "01232123232123"}  # fmt: skip
ARP_FULL = {"4/4": "0.3.2.30.3.2.3.1", "3/4": "0.3.2.30.3.2", "6/8": "0.32.30.32.1",
            "12/8": "0.32.30.32.10.32.30.32.3", "5/4": "0.3.2.30.3.2.3.10.3.",
            "7/8": "0.3.2.30.3.2.3"}  # fmt: skip

ARRANGEMENTS = (
    Arrangement(
        name="sunrise piano",
        seats=(
            Seat("Lead", 81, "main_melody",
                 by_kind(melody.lead(legato=0.85, ornament_again=0.15)), (60, 91)),
            Seat("Piano", 1, "accompaniment",
                 rhythm.beneath(
                     rhythm.chords(PIANO, PIANO_FULL, 0.75, voices=4, staccato=0.7)), (50, 76),
                 level=2),
            Seat("Strings", 50, "pad",
                 rhythm.beneath(comping.pad(3, spread=19)), (52, 79), enters=0.5),
            Seat("Bass", 38, "bass",
                 rhythm.bass(OFFBEAT_BASS, ROLLING_BASS, 0.8, approach=0.2, legato=0.8), (26, 50),
                 silent_in=("intro",)),
            Seat("Drums", 0, "drums", rhythm.kit("house")),
        ),
        form="intro:4=vamp@0.45 theme@0.62 break:8=tail@0.3-0.85 reprise@0.88 ending:4=vamp@0.6",
        shifts=(0, 2, -3, 4, -5, -1),
        final_quality=("add9", "m7"),
        humanise=2,
    ),
    Arrangement(
        name="deep night",
        seats=(
            Seat("Soft lead", 80, "main_melody",
                 by_kind(melody.lead(anticipate=0.25, ornament_again=0.2)),
                 (52, 84), level=-2),
            Seat("Voices", 54, "sub_melody",
                 by_turn(rest, melody.counter(0.4)), (55, 79), enters=0.6),
            Seat("Rhodes stabs", 5, "accompaniment",
                 rhythm.coloured(rhythm.chords(STABS, STABS_FULL, 0.72, voices=4, rootless=True,
                                               staccato=0.6)), (50, 74)),
            Seat("Ducked pad", 90, "pad",
                 rhythm.beneath(by_energy(
                     comping.pad(3, rootless=True),
                     rhythm.coloured(comping.comp(DUCKED, voices=3, rootless=True)),
                     at=0.5)), (52, 76)),
            Seat("Deep bass", 39, "bass",
                 rhythm.bass(DEEP_BASS, OFFBEAT_BASS, 0.78, approach=0.25), (26, 48)),
            Seat("Drums", 0, "drums", rhythm.kit("house", chorus_at=0.76), enters=0.3),
        ),
        form="intro:8=vamp@0.35-0.5 theme@0.55 break:4=vamp@0.25 reprise@0.78 ending:4=vamp@0.4",
        tempo=0.97,
        shifts=(-2, 3, 5, -4, 1, 6),
        final_quality=("maj9", "m9"),
        humanise=3,
    ),
    Arrangement(
        name="arpeggio machine",
        seats=(
            Seat("Bright lead", 81, "main_melody",
                 by_kind(by_turn(melody.lead(legato=0.9), melody.lead(octave=1,
                         ornament_again=0.15)), intro=rest), (60, 91)),
            Seat("Octave lead", 84, "sub_melody",
                 melody.doubled(octave=-1, from_energy=0.8), (48, 79), level=-6, enters=0.78),
            Seat("Arpeggio", 80, "accompaniment",
                 comping.arpeggio(ARP, ARP_FULL, 0.72, voices=4, spread=14), (55, 79), level=-8),
            Seat("Ducked pad", 95, "pad",
                 rhythm.beneath(comping.comp(DUCKED, voices=4, spread=19)), (50, 76),
                 enters=0.45),
            Seat("Stabs", 62, "accompaniment",
                 rhythm.chords(STABS, STABS_FULL, 0.8, voices=3, staccato=0.55), (55, 77),
                 enters=0.7),
            Seat("Bass", 38, "bass",
                 rhythm.bass(ROLLING_BASS, approach=0.15, legato=0.75), (26, 50), enters=0.5),
            Seat("Drums", 0, "drums", rhythm.kit("house", chorus_at=0.7), enters=0.35),
        ),
        form="intro:8=vamp@0.3-0.6 theme@0.6 break:8=tail@0.25-0.9 reprise@0.92 ending:8=vamp@0.5",
        tempo=1.03,
        shifts=(-3, 1, 4, -1, 5, -6),
        final_quality=("add9", "madd9"),
        humanise=0,
    ),
)  # fmt: skip
