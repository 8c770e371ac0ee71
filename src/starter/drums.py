"""Drum grooves drawn as lanes of patterns, with fills, crashes and dynamics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from starter.arrangement import PartWriter, Scene
from starter.leadsheet import TICKS, Bar
from starter.meters import Pattern, hits
from starter.tones import Tone

KIT = {  # General MIDI percussion
    "kick": 36, "kick2": 35, "stick": 37, "snare": 38, "clap": 39, "snare2": 40, "floor": 41,
    "hat": 42, "floor2": 43, "pedalhat": 44, "tom3": 45, "openhat": 46, "tom2": 47, "tom1": 48,
    "crash": 49, "hightom": 50, "ride": 51, "china": 52, "bell": 53, "tambourine": 54,
    "splash": 55, "cowbell": 56, "crash2": 57, "ride2": 59, "bongo": 60, "lowbongo": 61,
    "mutedconga": 62, "conga": 63, "lowconga": 64, "timbale": 65, "lowtimbale": 66, "cabasa": 69,
    "maracas": 70, "guiro": 73, "claves": 75, "block": 76, "lowblock": 77, "triangle": 81,
    "mutedtriangle": 80, "shaker": 82,
}  # fmt: skip
_ACCENTS = {"X": 14, "x": 0, "o": -18, "g": -28}


@dataclass(frozen=True, slots=True)
class DrumPattern:
    """A drum pattern.

    Args:
        lanes: by name of `KIT`: ``X`` accent, ``x`` stroke, ``o`` soft, ``g`` ghost, ``.`` none.
        fill: lanes that replace the groove in the last bar of a section.
        light: lanes under `light_below` energy (intro, break); `lanes` when empty.
        light_below: see `light`.
        crash: a cymbal on the first beat after a fill.
    """

    lanes: Mapping[str, Pattern]
    fill: Mapping[str, Pattern] = field(default_factory=dict)
    light: Mapping[str, Pattern] = field(default_factory=dict)
    light_below: float = 0.4
    crash: str | None = "crash"


def kit(
    groove: DrumPattern, lively: DrumPattern | None = None, from_energy: float = 0.75
) -> PartWriter:
    """Play a groove; `lively` from `from_energy` up."""

    def part(scene: Scene) -> list[Tone]:
        chosen = scene.at_energy(groove, lively, from_energy)
        if scene.kind == "final":
            return _final_stroke(scene, chosen)
        made: list[Tone] = []
        for index, bar in enumerate(scene.bars):
            made += _bar(scene, chosen, bar, index)
        first = scene.section.index == 0
        if chosen.crash and not first and scene.energy >= 0.5:
            made = [t for t in made if not (t.onset == scene.section.onset and t.pitch in (42, 51))]
            made.append(Tone(scene.section.onset, TICKS, KIT[chosen.crash], 4))
        return made

    return part


def _bar(scene: Scene, groove: DrumPattern, bar: Bar, index: int) -> list[Tone]:
    last = index == len(scene.bars) - 1
    lanes = groove.lanes
    if groove.light and scene.energy < groove.light_below:
        lanes = groove.light
    if groove.fill and last and len(scene.bars) > 1:
        lanes = groove.fill
    return strokes(lanes, bar, index)


def strokes(lanes: Mapping[str, Pattern], bar: Bar, index: int = 0) -> list[Tone]:
    """One bar of lanes as tones of the kit."""
    return [
        Tone(hit.onset, TICKS // 4, KIT[name], _ACCENTS.get(hit.char, 0))
        for name, pattern in lanes.items()
        for hit in hits(pattern, bar, index)
    ]


def _final_stroke(scene: Scene, groove: DrumPattern) -> list[Tone]:
    onset = scene.section.onset
    if groove.crash is None:
        return [Tone(onset, TICKS, KIT[next(iter(groove.lanes))], 0)]
    return [Tone(onset, TICKS, KIT["kick"], 6), Tone(onset, 2 * TICKS, KIT[groove.crash], 4)]


def roll(name: str, from_energy: float = 0.6) -> PartWriter:
    """A roll in sixteenths that swells over the last bar of each section."""

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final" or scene.energy < from_energy:
            return []
        bar = scene.bars[-1]
        count = bar.ticks // (TICKS // 4)
        return [
            Tone(bar.onset + i * TICKS // 4, TICKS // 4, KIT[name], -25 + 30 * i // count)
            for i in range(count)
        ]

    return part
