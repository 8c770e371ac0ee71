"""Instruments that speak with each other: turns, answers, riffs under and between."""

from __future__ import annotations

from dataclasses import replace

from starter.arrangement import PartWriter, Scene
from starter.comping import final_chord
from starter.guitar import clear_of_lead
from starter.leadsheet import RIFF, TICKS, Part
from starter.melody import fit_chord
from starter.tones import Tone, nearest

EIGHTH = TICKS // 2
_LONGEST_ANSWER = 5


def turns(writer: PartWriter, place: int, bars: int = 2) -> PartWriter:
    """What falls into this seat's turns: phrases of some bars that two seats share.

    Args:
        writer: plays all of it.
        place: this seat's turn, from 0; what begins an eighth early belongs to the bar it leads to.
        bars: length of a turn.
    """

    def part(scene: Scene) -> list[Tone]:
        tones = writer(scene)
        if scene.kind == "final":
            return tones
        return [t for t in tones if _bar_index(scene, t.onset + EIGHTH) // bars % 2 == place]

    return part


def _bar_index(scene: Scene, tick: int) -> int:
    return max((i for i, bar in enumerate(scene.bars) if bar.onset <= tick), default=0)


def echo(room: int = 3 * EIGHTH, accent: int = -4, share: float = 1.0) -> PartWriter:
    """Answers: where the lead rests or holds, its last notes come back in this seat's register.

    Args:
        room: shortest silence or held rest of a note, in ticks, that is answered.
        accent: velocity against the ensemble.
        share: how many of such places are answered.
    """

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            return [replace(t, accent=accent) for t in final_chord(scene, 1)]
        theme = scene.lead()
        made: list[Tone] = []
        ends = [*(t.onset for t in theme[1:]), scene.section.end]
        for place, (tone, end) in enumerate(zip(theme, ends, strict=False)):
            start = -(-max(tone.onset + TICKS, tone.end - TICKS) // EIGHTH) * EIGHTH
            if end - start < room or scene.rng.random() >= share:
                continue
            motif = theme[max(0, place + 1 - _LONGEST_ANSWER) : place + 1]
            made += _answer(scene, motif, start, end, accent)
        return clear_of_lead(scene, made)

    return part


def _answer(scene: Scene, motif: list[Tone], start: int, end: int, accent: int) -> list[Tone]:
    """The motif's notes from `start`, fitted to the chords; the last holds on a little."""
    lengths = [min(max(t.duration, EIGHTH // 2), TICKS) for t in motif]
    while sum(lengths) > end - start and len(lengths) > 1:
        motif, lengths = motif[1:], lengths[1:]
    if len(motif) < 2:
        return []
    middle = (scene.seat.low + scene.seat.high) // 2
    octave = 12 * round((middle - sum(t.pitch for t in motif) / len(motif)) / 12)
    made, at = [], start
    for tone, length in zip(motif, lengths, strict=True):
        pitch = fit_chord(scene, scene.fold(tone.pitch + octave), at)
        made.append(Tone(at, min(length, end - at), scene.fold(pitch), accent))
        at += length
    return made


def riff(under: bool = True, gaps: bool = False, staccato: float = 0.92) -> PartWriter:
    """The lead sheet's riff (its part R), moved with the chords where others are played.

    Args:
        under: play it under the theme, too; else only in sections without one.
        gaps: under the theme only where the lead is still: an answer.
        staccato: share of each note that sounds.
    """

    def part(scene: Scene) -> list[Tone]:
        written = scene.plan.sheet.parts.get(RIFF)
        if scene.kind == "final":
            return final_chord(scene, 1)
        theme = scene.lead()
        if written is None or (scene.kind in ("theme", "solo") and not under):
            return []
        made = [
            replace(t, duration=max(int(t.duration * staccato), 60))
            for start in _windows(scene, written)
            for t in _moved(scene, written, start)
            if t.onset < scene.section.end
        ]
        if gaps and theme:
            made = [t for t in made if not any(_meets(t, other) for other in theme)]
        return clear_of_lead(scene, made)

    return part


def _windows(scene: Scene, written: Part) -> list[int]:
    """Ticks at which the riff begins in the section; none where bars are of another length."""
    if any(bar.ticks != written.bars[0].ticks for bar in scene.bars):
        return []
    return list(range(scene.section.onset, scene.section.end, written.ticks))


def _moved(scene: Scene, written: Part, start: int) -> list[Tone]:
    """The riff from a tick on, each note as far from its chord's root as it was written."""
    made = []
    if "octave" not in scene.memory:
        pitches = [n.pitch for n in written.notes]
        mean = sum(pitches) / len(pitches) + scene.section.shift
        scene.memory["octave"] = 12 * round((_middle(scene) - mean) / 12)
    for note in written.notes:
        at = start + note.onset
        chord = [c for c in written.chords if c.onset <= note.onset][-1].symbol
        chord = chord.transposed(scene.section.shift)
        pitch = scene.fold(note.pitch + scene.section.shift + int(scene.memory["octave"]))
        sounding = scene.chord_at(at)
        if sounding.root != chord.root or sounding.core != chord.core:
            way = (sounding.root - chord.root + 6) % 12 - 6
            pitch = fit_chord(scene, scene.fold(pitch + way), at)
        end = min(at + note.duration, scene.section.end)
        made.append(Tone(at, max(end - at, 60), scene.fold(pitch), 2))
    return made


def _middle(scene: Scene) -> float:
    return (scene.seat.low + scene.seat.high) / 2


def _meets(tone: Tone, other: Tone) -> bool:
    """The other sounds, and began not long before: a held note leaves room for an answer."""
    return other.onset - EIGHTH // 2 < tone.onset < min(other.end, other.onset + TICKS)


def unison() -> PartWriter:
    """A bass that doubles the riff, an octave below it."""

    def part(scene: Scene) -> list[Tone]:
        made: list[Tone] = []
        for tone in scene.others("riff"):
            near = tone.pitch - 12
            pitch = nearest(tone.pitch % 12, near, scene.seat.low, scene.seat.high)
            if not made or made[-1].onset < tone.onset:
                made.append(replace(tone, pitch=pitch, accent=-2))
        return made

    return part
