"""Chordal accompaniment: comping, arpeggios, pads and ostinatos, all voice-led."""

from __future__ import annotations

from dataclasses import replace

from starter.arrangement import PartWriter, Scene
from starter.bass import degree
from starter.leadsheet import TICKS, ChordSpan
from starter.meters import Pattern, hits
from starter.tones import Tone, merge_repeats, nearest, sounding
from starter.voicing import voice

ACCENTS = {"X": 10, "x": 0, "o": -16, "b": 0, "B": 6, "t": -4}


def voicing_for(
    scene: Scene, span: ChordSpan, count: int, rootless: bool = False, spread: int = 16
) -> tuple[int, ...]:
    """The chord voiced smoothly after this seat's last one, clear of the melody above it."""
    previous = tuple(scene.memory.get("voicing", ()))
    end = span.onset + span.duration
    lines = {
        kind: [t.pitch for t in sounding(tones, span.onset, end) if t.duration >= TICKS // 2]
        for kind, tones in (("lead", scene.lead()), ("sub", scene.others("sub_melody")))
    }
    sung = min((p for p in lines["lead"] if p > scene.seat.low + 7), default=127)
    chord = voice(
        span.symbol, count, scene.seat.low, scene.seat.high, previous,
        frozenset(lines["lead"] + lines["sub"]), rootless, spread, sung,
    )  # fmt: skip
    scene.memory["voicing"] = chord
    return chord


def final_chord(scene: Scene, count: int, rolled: int = 0) -> list[Tone]:
    """The home chord held through the last bar, rolled upwards if asked."""
    chord = voicing_for(scene, scene.chords[0], count)
    length = scene.section.end - scene.section.onset
    return [
        Tone(scene.section.onset + i * rolled, length - i * rolled, p) for i, p in enumerate(chord)
    ]


def comp(
    pattern: Pattern,
    lively: Pattern | None = None,
    from_energy: float = 0.7,
    voices: int = 3,
    rootless: bool = False,
    staccato: float = 0.9,
    spread: int = 16,
    strum: int = 0,
) -> PartWriter:
    """Chords on a rhythm.

    Args:
        pattern: ``x`` chord, ``X`` accented, ``o`` ghosted, ``b`` lowest voice alone, ``t`` the
            voices above the lowest; ``-`` holds and ``.`` rests.
        lively: the pattern from `from_energy` up.
        from_energy: energy at which `lively` takes over.
        voices: notes in a chord.
        rootless: leave the root to the bass.
        staccato: share of each hit that sounds.
        spread: widest distance from lowest to highest note.
        strum: ticks between the strings of a strummed chord (guitar: 8 to 20).
    """

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            return final_chord(scene, voices + (1 if voices < 4 else 0), strum * 2)
        drawn = scene.at_energy(pattern, lively, from_energy)
        chords = {
            span.onset: voicing_for(scene, span, voices, rootless, spread) for span in scene.chords
        }
        made: list[Tone] = []
        for index, bar in enumerate(scene.bars):
            for hit in hits(drawn, bar, index):
                starts = [o for o in chords if o <= hit.onset]
                chord = chords[max(starts)]
                ends = [o for o in chords if o > hit.onset]
                length = min(hit.duration, min(ends, default=1 << 40) - hit.onset)
                picked = {"b": chord[:1], "B": chord[:1], "t": chord[1:]}.get(hit.char, chord)
                duration = max(int(length * staccato), 60)
                for place, pitch in enumerate(picked):
                    made.append(
                        Tone(
                            hit.onset + place * strum, duration - place * strum, pitch,
                            ACCENTS.get(hit.char, 0),
                        )
                    )  # fmt: skip
        return made

    return part


def pad(
    voices: int = 3, restrike: bool = False, rootless: bool = False, spread: int = 16
) -> PartWriter:
    """Held chords; tones common to successive chords are tied unless `restrike`."""

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            return final_chord(scene, voices)
        made = [
            Tone(span.onset, span.duration, pitch)
            for span in scene.chords
            for pitch in voicing_for(scene, span, voices, rootless, spread)
        ]
        return made if restrike else merge_repeats(made)

    return part


def arpeggio(
    figure: Pattern,
    lively: Pattern | None = None,
    from_energy: float = 0.7,
    voices: int = 3,
    root_below: bool = False,
    ring: bool = False,
    spread: int = 16,
) -> PartWriter:
    """Broken chords.

    Args:
        figure: digits index the voiced chord from below (``0`` lowest; past the top they go on
            an octave higher); ``r`` is the chord's bass an octave or so lower; ``-`` holds,
            ``.`` rests. Eight characters make eighths of a 4/4 bar, sixteen sixteenths.
        lively: the figure from `from_energy` up.
        from_energy: energy at which `lively` takes over.
        voices: notes in the voiced chord.
        root_below: play ``0`` as the chord's bass in the seat's lowest octave and a half.
        ring: let every note sound on to the end of its chord (harp, pedalled piano, guitar).
        spread: widest distance of the voiced chord.
    """

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            return _final_arpeggio(scene, voices)
        drawn = scene.at_energy(figure, lively, from_energy)
        chords = {s.onset: (s, voicing_for(_upper(scene, root_below), s, voices, spread=spread))
                  for s in scene.chords}  # fmt: skip
        made: list[Tone] = []
        for index, bar in enumerate(scene.bars):
            for hit in hits(drawn, bar, index):
                span, chord = chords[max(o for o in chords if o <= hit.onset)]
                pitch = _pick(scene, span, chord, hit.char, root_below)
                end = span.onset + span.duration
                length = end - hit.onset if ring else min(hit.duration, end - hit.onset)
                made.append(Tone(hit.onset, length, pitch, 0 if hit.char in "0r" else -4))
        return _one_voice_per_pitch(made)

    return part


def _upper(scene: Scene, root_below: bool) -> Scene:
    """The same scene for the upper notes of a figure whose lowest is the bass."""
    if not root_below:
        return scene
    low = min(scene.seat.low + 10, scene.seat.high - 14)
    return replace(scene, seat=replace(scene.seat, span=(low, scene.seat.high)))


def _pick(
    scene: Scene, span: ChordSpan, chord: tuple[int, ...], char: str, root_below: bool
) -> int:
    if char == "r" or (char == "0" and root_below):
        centre = scene.seat.low + 7
        return nearest(span.symbol.bass, centre, scene.seat.low, scene.seat.high)
    place = int(char) - (1 if root_below else 0)
    octave, index = divmod(place, len(chord))
    return scene.fold(chord[index] + 12 * octave)


def _final_arpeggio(scene: Scene, voices: int) -> list[Tone]:
    """The home chord, spread slowly upwards and left to ring."""
    chord = voicing_for(scene, scene.chords[0], voices)
    step = TICKS // 2 if scene.plan.tempo > 76 else TICKS // 4
    end = scene.section.end
    pitches = [*chord, scene.fold(chord[0] + 12)]
    return _one_voice_per_pitch(
        [
            Tone(scene.section.onset + i * step, end - scene.section.onset - i * step, p)
            for i, p in enumerate(pitches)
        ]
    )


def _one_voice_per_pitch(tones: list[Tone]) -> list[Tone]:
    """End a ringing note where the same pitch is struck again."""
    made: list[Tone] = []
    after: dict[int, int] = {}
    for tone in sorted(tones, key=lambda t: -t.onset):
        following = after.get(tone.pitch, 1 << 40)
        if following > tone.onset:
            made.append(replace(tone, duration=min(tone.duration, following - tone.onset)))
            after[tone.pitch] = tone.onset
    return made[::-1]


def ostinato(pattern: Pattern, staccato: float = 0.8, register: int | None = None) -> PartWriter:
    """A riff of chord degrees (see `bass.line` for the characters), in any register."""

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            return final_chord(scene, 1)
        centre = register if register is not None else (scene.seat.low + scene.seat.high) // 2
        made: list[Tone] = []
        root = int(scene.memory.get("root", centre))
        for index, bar in enumerate(scene.bars):
            for hit in hits(pattern, bar, index):
                chord = scene.chord_at(hit.onset)
                near = (root + centre) // 2
                root = nearest(chord.root, near, scene.seat.low, scene.seat.high)
                pitch = degree(scene, chord, hit.char, root, hit.onset)
                accent = 4 if hit.char == "1" else -2
                made.append(Tone(hit.onset, max(int(hit.duration * staccato), 60), pitch, accent))
        scene.memory["root"] = root
        return made

    return part
