"""The guitar: chord shapes a hand can hold, strummed, picked or damped.

Patterns are drawn as in `starter.meters`; the characters are listed with each part writer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise, product
from random import Random

from gen.harmony import Chord
from starter.arrangement import PartWriter, Scene
from starter.leadsheet import TICKS
from starter.meters import Pattern, Stroke, hits
from starter.tones import Tone, nearest, sounding

STRINGS = (40, 45, 50, 55, 59, 64)
"""Open strings, E2 to E4."""
REACH = 3
"""Frets above the first finger's that the hand can stop."""
HIGHEST_POSITION = 9
_RING = 1 << 40


@dataclass(frozen=True, slots=True)
class Shape:
    """A chord on the neck: the hand's position and the pitches, lowest string first."""

    position: int
    pitches: tuple[int, ...]

    @property
    def bass(self) -> int:
        return self.pitches[0]


@cache
def shape(symbol: Chord, near: int = 0, upper: int = 5) -> Shape:
    """A playable shape for a chord, close to where the hand is.

    The bass note lies on one of the three low strings, the strings above it up to the top
    all sound; at most four fingers, with a barre counted as one.

    Args:
        symbol: the chord; its slash bass, if any, is the lowest note.
        near: position the hand comes from.
        upper: strings above the bass string to use at most (3 makes a jazz or bossa grip).
    """
    found = [
        (_cost(symbol, frets, position, near), position, frets)
        for position in range(HIGHEST_POSITION + 1)
        for frets in _grips(symbol, position, upper)
    ]
    if not found:  # a power chord does not reach over all strings
        root = nearest(symbol.bass, 45, STRINGS[0], STRINGS[0] + 11)
        return Shape(near, (root, root + 7, root + 12))
    _, position, frets = min(found)
    pitches = [STRINGS[s] + f for s, f in frets]
    return Shape(position, tuple(pitches))


Grip = tuple[tuple[int, int], ...]
"""(string, fret) of each sounding string."""


def _grips(symbol: Chord, position: int, upper: int) -> Iterator[Grip]:
    for lowest in (0, 1, 2):
        basses = [f for f in _frets(position) if (STRINGS[lowest] + f) % 12 == symbol.bass]
        above = range(lowest + 1, 6)
        above = above[:upper] if upper >= 4 else range(max(lowest + 1, 2), 5)
        choices = [_stops(string, position, symbol) for string in above]
        if not basses or not all(choices):
            continue
        for bass, *rest in product(basses, *choices):
            grip = ((lowest, bass), *zip(above, rest, strict=True))
            if _holdable(grip):
                yield grip


def _frets(position: int) -> list[int]:
    reachable = list(range(max(position, 1), max(position, 1) + REACH + 1))
    return [0, *reachable] if position <= 2 else reachable


def _stops(string: int, position: int, symbol: Chord) -> list[int]:
    return [f for f in _frets(position) if (STRINGS[string] + f) % 12 in symbol.pitch_classes]


def _holdable(grip: Grip) -> bool:
    stopped = [f for _, f in grip if f > 0]
    if not stopped:
        return True
    first = min(stopped)
    barre = stopped.count(first) > 1 and all(f > 0 for _, f in grip)
    fingers = len(stopped) - (stopped.count(first) - 1 if barre else 0)
    return fingers <= 4 and max(stopped) - first <= REACH


def _cost(symbol: Chord, grip: Grip, position: int, near: int) -> float:
    classes = [(STRINGS[s] + f) % 12 for s, f in grip]
    cost = 3.0 * sum(t not in classes for t in symbol.guides)
    cost += 1.0 * sum(t not in classes for t in symbol.pitch_classes if t != symbol.fifth)
    cost += 0.8 * (classes.count(symbol.third) - 1 if symbol.third in classes else 0)
    cost += 0.35 * abs(position - near) + 0.12 * position
    cost -= 0.3 * len(grip)
    pitches = [STRINGS[s] + f for s, f in grip]
    cost += 4.0 * sum(b - a < 2 for a, b in pairwise(pitches))
    return cost


def _shape_at(scene: Scene, symbol: Chord, upper: int) -> Shape:
    """The shape for a chord, moving the hand as little as possible through the work."""
    held = shape(symbol, int(scene.memory.get("position", 2)), upper)
    scene.memory["position"] = held.position
    return held


def pushed_symbol(scene: Scene, hit: Stroke) -> tuple[Chord, int]:
    """The chord that a hit plays and where it must stop.

    A hit within an eighth of the next chord that sounds into it anticipates it.
    """
    changes = [c.onset for c in scene.chords if c.onset > hit.onset] + [scene.section.end]
    change = changes[0]
    pushes = change - hit.onset <= TICKS // 2 and hit.onset + hit.duration > change
    if pushes and change < scene.section.end:
        stop = changes[1]
        return scene.chord_at(change), min(hit.onset + hit.duration, stop)
    return scene.chord_at(hit.onset), min(hit.onset + hit.duration, change)


def strum(
    pattern: Pattern,
    lively: Pattern | None = None,
    from_energy: float = 0.7,
    upper: int = 5,
    staccato: float = 0.96,
) -> PartWriter:
    """Strummed chords.

    Args:
        pattern: ``D`` accented and ``d`` plain downstroke over all strings, ``U`` and ``u``
            upstrokes over the four and three highest, ``B`` bass string alone, ``x`` damped.
        lively: the pattern from `from_energy` up.
        from_energy: energy at which `lively` takes over.
        upper: strings above the bass (see `shape`).
        staccato: share of each hit that sounds.
    """

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            return _final_strum(scene, upper)
        drawn = scene.at_energy(pattern, lively, from_energy)
        made: list[Tone] = []
        for index, bar in enumerate(scene.bars):
            for hit in hits(drawn, bar, index):
                symbol, stop = pushed_symbol(scene, hit)
                made += _stroke(_shape_at(scene, symbol, upper), hit, stop, staccato)
        return one_at_a_time(clear_of_lead(scene, made))

    return part


_STROKES = {"D": (6, 4), "d": (6, -6), "U": (4, -8), "u": (3, -14), "B": (1, 0), "x": (1, -26)}


def _stroke(held: Shape, hit: Stroke, stop: int, staccato: float) -> list[Tone]:
    count, accent = _STROKES[hit.char]
    pitches = held.pitches[:1] if hit.char == "B" else held.pitches[-count:]
    if hit.char == "x":
        pitches = held.pitches[-3:-2]
    length = 60 if hit.char == "x" else max(int((stop - hit.onset) * staccato), 60)
    return [Tone(hit.onset, length, p, accent - (2 if p != pitches[0] else 0)) for p in pitches]


def _final_strum(scene: Scene, upper: int) -> list[Tone]:
    held = _shape_at(scene, scene.chords[0].symbol, upper)
    length = scene.section.end - scene.section.onset
    return [Tone(scene.section.onset, length, p, 2) for p in held.pitches]


def fingerpick(
    pattern: Pattern,
    lively: Pattern | None = None,
    from_energy: float = 0.7,
    upper: int = 5,
    ring: bool = True,
) -> PartWriter:
    """Picked chords.

    Args:
        pattern: ``p`` thumb on the bass, ``q`` thumb on another low string, ``1`` to ``4`` a
            string counted from the top one, ``c`` the three fingers together, ``P`` bass and
            top together, ``C`` bass and fingers together; ``-`` holds and ``.`` rests.
        lively: the pattern from `from_energy` up.
        from_energy: energy at which `lively` takes over.
        upper: strings above the bass (see `shape`).
        ring: let notes sound on to the end of their chord.
    """

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            return _final_strum(scene, upper)
        drawn = scene.at_energy(pattern, lively, from_energy)
        made: list[Tone] = []
        for index, bar in enumerate(scene.bars):
            for hit in hits(drawn, bar, index):
                symbol, stop = pushed_symbol(scene, hit)
                held = _shape_at(scene, symbol, upper)
                end = max(stop, _chord_end(scene, stop - 1)) if ring else stop
                made += [
                    Tone(hit.onset, end - hit.onset, pitch, accent)
                    for pitch, accent in _plucked(held, hit.char)
                ]
        return one_at_a_time(clear_of_lead(scene, made))

    return part


def _chord_end(scene: Scene, tick: int) -> int:
    return next((c.onset for c in scene.chords if c.onset > tick), scene.section.end)


def _plucked(held: Shape, char: str) -> list[tuple[int, int]]:
    """(pitch, accent) of the strings that a character plucks."""
    bass, treble = held.pitches[0], held.pitches[1:]
    fingers = [(p, -8) for p in treble[-3:]]
    if char == "p":
        return [(bass, 2)]
    if char == "q":
        return [(_second_bass(held), -3)]
    if char == "P":
        return [(bass, 2), (treble[-1], 0)]
    if char == "C":
        return [(bass, 2), *fingers]
    if char == "c":
        return fingers
    return [(treble[-min(int(char), len(treble))], -6)]


def _second_bass(held: Shape) -> int:
    """The fifth or octave above the bass note if the grip has one, else the bass again."""
    low = held.pitches[1:-2] or held.pitches[1:2]
    return next((p for p in low if (p - held.bass) % 12 in (0, 7)), held.bass)


def power(pattern: Pattern) -> PartWriter:
    """Power chords: root, fifth and octave, palm-muted or let ring; with low riff notes.

    Args:
        pattern: ``X`` and ``x`` ringing chord, ``M`` root and fifth accented, ``m`` the same
            palm-muted, ``1 3 5 7 8`` a single note of the chord, ``2 4 6`` steps of the key.
    """

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            length = scene.section.end - scene.section.onset
            grip = _power_grip(scene, scene.chords[0].symbol)
            return [Tone(scene.section.onset, length, p, 6) for p in grip]
        made: list[Tone] = []
        for index, bar in enumerate(scene.bars):
            for hit in hits(pattern, bar, index):
                symbol, stop = pushed_symbol(scene, hit)
                made += _power_hit(scene, symbol, hit, stop)
        return one_at_a_time(made)

    return part


def own_riff(scene: Scene) -> list[Tone]:
    """A two-bar riff of low single notes invented for this theme, the same all through it."""
    pattern = {
        f"{top}/{bottom}": _invented(f"{scene.plan.sheet.slug}/{top}/{bottom}", top * 8 // bottom)
        for top, bottom in {bar.meter for bar in scene.bars} | {(4, 4)}
    }
    return power(pattern)(scene)


@cache
def _invented(seed: str, eighths: int) -> str:
    """Degrees on eighths: a motif, and the motif again with another ending."""
    rng = Random(seed)  # noqa: S311 - draws music, not secrets
    ladder, place, cells = "134578", 0, ["1"]
    while len(cells) < eighths + eighths // 2:
        if cells[-1] not in ".-" and rng.random() < 0.3:
            cells.append(rng.choice(".-"))
            continue
        place = max(0, min(len(ladder) - 1, place + rng.choice((-2, -1, 1, 2, 3))))
        cells.append(ladder[place])
    half = eighths - eighths // 2
    return "".join(cells[:eighths]) + "|" + "".join([*cells[:half], *cells[eighths:]])


def _power_grip(scene: Scene, symbol: Chord) -> tuple[int, int, int]:
    low = max(scene.seat.low, STRINGS[0])
    root = nearest(symbol.bass, int(scene.memory.get("root", 43)), low, low + 11)
    scene.memory["root"] = root
    fifth = root + (symbol.fifth - symbol.root) % 12 if symbol.bass == symbol.root else root + 7
    if symbol.bass != symbol.root and (root + 7) % 12 not in symbol.pitch_classes:
        fifth = root + next(i for i in (5, 8, 9, 3, 4) if (root + i) % 12 in symbol.core)
    return root, fifth, root + 12


def _power_hit(scene: Scene, symbol: Chord, hit: Stroke, stop: int) -> list[Tone]:
    root, fifth, octave = _power_grip(scene, symbol)
    length = stop - hit.onset
    if hit.char in "Xx":
        accent = 8 if hit.char == "X" else 0
        return [Tone(hit.onset, int(length * 0.97), p, accent) for p in (root, fifth, octave)]
    if hit.char in "Mm":
        length, accent = (int(length * 0.97), 6) if hit.char == "M" else (min(length, 100), -10)
        return [Tone(hit.onset, length, p, accent) for p in (root, fifth)]
    third = root + (symbol.third - symbol.root) % 12
    seventh = symbol.seventh if symbol.seventh is not None else (symbol.root + 10) % 12
    key = scene.key_at(hit.onset)
    single = {
        "1": root, "3": third, "5": fifth, "8": octave, "2": key.step(root, 1),
        "4": key.step(root, 3), "6": key.step(root, 5), "7": root + (seventh - symbol.root) % 12,
    }[hit.char]  # fmt: skip
    return [Tone(hit.onset, int(length * 0.9), single, -2)]


def clear_of_lead(scene: Scene, tones: list[Tone]) -> list[Tone]:
    """Without what grates on the lead: a semitone, or that an octave apart, held with it.

    A note struck before the lead's is damped as it comes; one struck with or after it is left
    out, unless it is the bass of its moment.
    """
    lowest: dict[int, int] = {}
    for tone in tones:
        lowest[tone.onset] = min(tone.pitch, lowest.get(tone.onset, 127))
    made = []
    for tone in tones:
        against = [
            t
            for t in sounding(scene.lead(), tone.onset, tone.end)
            if abs(t.pitch - tone.pitch) in (1, 13) and t.duration >= TICKS // 2
        ]
        first = min((t.onset for t in against), default=tone.end)
        if first - tone.onset >= TICKS // 4:
            made.append(replace(tone, duration=first - tone.onset))
        elif not against or tone.pitch == lowest[tone.onset] < 48:
            made.append(tone)
    return made


def one_at_a_time(tones: list[Tone]) -> list[Tone]:
    """A string sounds one note: a pitch ends where it is struck again, and is struck once."""
    made: list[Tone] = []
    following: dict[int, int] = {}
    for tone in sorted(tones, key=lambda t: (-t.onset, t.pitch, -t.duration)):
        limit = following.get(tone.pitch, _RING)
        if limit > tone.onset:
            made.append(replace(tone, duration=min(tone.duration, limit - tone.onset)))
            following[tone.pitch] = tone.onset
    return sorted(made, key=lambda t: (t.onset, t.pitch))
