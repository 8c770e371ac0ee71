"""What happens to a theme in an arrangement: laid for an instrument, adorned, accompanied."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from gen.harmony import Chord, Key
from starter.arrangement import PartWriter, Scene
from starter.leadsheet import TICKS, MelodyNote
from starter.meters import weight
from starter.tones import Tone, fold, nearest, sounding

EIGHTH = TICKS // 2


def lead(
    octave: int | None = None,
    ornament: float = 0.0,
    ornament_again: float = 0.3,
    anticipate: float = 0.0,
    legato: float = 0.96,
    fragment: bool = False,
    accent: int = 8,
) -> PartWriter:
    """The theme itself; in solo sections a variation on it; at the end a closing tone.

    Args:
        octave: octaves to move it; None finds the one that suits the seat.
        ornament: how much of a first statement is adorned (0 to 1).
        ornament_again: how much of a return is adorned.
        anticipate: share of strong beats sung an eighth early (pop, jazz, bossa).
        legato: share of each note's length that sounds.
        fragment: play the theme's opening in the second half of an introduction.
        accent: velocity above the ensemble.
    """

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            return closing_tone(scene, accent)
        notes = list(scene.melody)
        if scene.kind == "intro" and fragment and not notes:
            notes = opening_fragment(scene)
        if not notes:
            return []
        tones = lay(scene, notes, octave)
        if scene.kind == "solo":
            tones = vary(tones, scene, 0.75)
        else:
            amount = ornament if scene.section.statement == 0 else ornament_again
            tones = adorn(tones, scene, amount)
        if anticipate:
            tones = anticipated(tones, scene, anticipate)
        scene.memory["last"] = tones[-1].pitch
        scene.stage.setdefault("theme", tones)
        return [
            replace(
                t,
                pitch=scene.fold(t.pitch),
                duration=max(int(t.duration * legato), 60),
                accent=t.accent + accent,
            )
            for t in tones
        ]

    return part


def lay(scene: Scene, notes: list[MelodyNote], octave: int | None = None) -> list[Tone]:
    """The notes in the octave that suits the seat, the same for the whole work."""
    if "octave" not in scene.memory:
        scene.memory["octave"] = octave if octave is not None else best_octave(scene)
    shift = 12 * int(scene.memory["octave"])
    return [Tone(n.onset, n.duration, scene.fold(n.pitch + shift)) for n in notes]


def best_octave(scene: Scene) -> int:
    """Octaves that bring the whole theme into the seat's span, nearest to its upper middle."""
    pitches = [n.pitch for n in scene.plan.melody]
    low, high = scene.seat.low, scene.seat.high
    target = low + 0.55 * (high - low)
    mean = sum(pitches) / len(pitches)

    def cost(octave: int) -> tuple[int, float]:
        moved = [p + 12 * octave for p in pitches]
        outside = sum(not low <= p <= high for p in moved)
        return outside, abs(octave) * 4 + abs(mean + 12 * octave - target)

    return min(range(-3, 4), key=cost)


def opening_fragment(scene: Scene) -> list[MelodyNote]:
    """The theme's first bars, moved to the second half of a section."""
    plan = scene.plan
    first = next(s for s in plan.sections if s.melody)
    half = scene.bars[len(scene.bars) // 2]
    room = scene.section.end - half.onset
    found = []
    for note in first.melody:
        at = note.onset - first.onset
        if at + note.duration <= room:
            pitch = fit_chord(scene, note.pitch, half.onset + at)
            found.append(MelodyNote(half.onset + at, note.duration, pitch))
    return found


def fit_chord(scene: Scene, pitch: int, tick: int) -> int:
    """The same pitch if chord and key allow it, else the nearest chord tone."""
    chord = scene.chord_at(tick)
    strong = weight(scene.bar_at(tick).meter, tick - scene.bar_at(tick).onset) >= 0.5
    allowed = set(chord.pitch_classes) | (set() if strong else set(scene.key_at(tick).scale))
    if pitch % 12 in allowed:
        return pitch
    return min(
        (p for p in range(pitch - 5, pitch + 6) if p % 12 in chord.pitch_classes),
        key=lambda p: abs(p - pitch),
    )


def closing_tone(scene: Scene, accent: int = 0) -> list[Tone]:
    """The home chord's root, third or fifth, near where the melody was."""
    chord = scene.chords[0].symbol
    last = scene.memory.get("last")
    near = int(last) if last is not None else (scene.seat.low + scene.seat.high) // 2
    tones = (chord.root, chord.third, chord.fifth)
    pitches = [nearest(t, near, scene.seat.low, scene.seat.high) for t in tones]
    pitch = min(pitches, key=lambda p: abs(p - near) + (0 if p % 12 == chord.root else 2))
    return [Tone(scene.section.onset, scene.section.end - scene.section.onset, pitch, accent)]


def adorn(tones: list[Tone], scene: Scene, amount: float) -> list[Tone]:
    """Ornament long notes: neighbours, passing runs to the next note, gentle turns."""
    if amount <= 0:
        return tones
    made: list[Tone] = []
    for tone, after in zip(tones, [*tones[1:], None], strict=True):
        if tone.duration < TICKS or scene.vary.random() > amount:
            made.append(tone)
            continue
        made += _ornament(tone, after, scene)
    return made


def _ornament(tone: Tone, after: Tone | None, scene: Scene) -> list[Tone]:
    key = scene.key_at(tone.onset)
    if after is not None and after.onset == tone.end and 3 <= abs(after.pitch - tone.pitch) <= 9:
        return _run_into(tone, after, key)
    if tone.duration >= 2 * TICKS:
        return _neighbour(tone, key, scene.vary)
    return [tone]


def _run_into(tone: Tone, after: Tone, key: Key) -> list[Tone]:
    """Shorten the tone and walk by step to the next one."""
    way = 1 if after.pitch > tone.pitch else -1
    path: list[int] = []
    pitch = after.pitch
    room = min(3, tone.duration // EIGHTH - 1)
    for _ in range(room):
        pitch = key.step(pitch, -way) if way > 0 else _above(key, pitch)
        if (pitch - tone.pitch) * way <= 0:
            break
        path.insert(0, pitch)
    if not path:
        return [tone]
    start = tone.end - EIGHTH * len(path)
    steps = [Tone(start + i * EIGHTH, EIGHTH, p, -6) for i, p in enumerate(path)]
    return [replace(tone, duration=start - tone.onset), *steps]


def _above(key: Key, pitch: int) -> int:
    """The next scale tone up."""
    return next(p for p in range(pitch + 1, pitch + 4) if p % 12 in key.scale)


def _neighbour(tone: Tone, key: Key, rng: Random) -> list[Tone]:
    """Leave a long tone for its neighbour and come back."""
    other = _above(key, tone.pitch) if rng.random() < 0.6 else key.step(tone.pitch - 1, 0)
    away = tone.duration - 2 * EIGHTH
    return [
        replace(tone, duration=away),
        Tone(tone.onset + away, EIGHTH, other, -6),
        Tone(tone.onset + away + EIGHTH, EIGHTH, tone.pitch, -6),
    ]


def vary(tones: list[Tone], scene: Scene, density: float) -> list[Tone]:
    """A variation: the theme's tones stay where they are, the space between is filled.

    Long tones give way to chord arpeggios and scale runs in eighths that lead on to the
    theme's next tone; rests of a beat or more get a pickup.
    """
    made: list[Tone] = []
    for tone, after in zip(tones, [*tones[1:], None], strict=True):
        end = after.onset if after is not None else tone.end
        count = (end - tone.onset) // EIGHTH
        if count < 2 or scene.vary.random() > density:
            made.append(tone)
            continue
        target = after.pitch if after is not None else tone.pitch
        keep = 1 if count <= 3 else scene.vary.choice((1, 2, 3))
        path = _path(tone.pitch, target, count - keep, scene, tone.onset + keep * EIGHTH)
        made.append(replace(tone, duration=keep * EIGHTH))
        for place, pitch in enumerate(path):
            at = tone.onset + (keep + place) * EIGHTH
            made.append(Tone(at, EIGHTH, scene.fold(pitch), -4))
    return made


def _path(start: int, target: int, count: int, scene: Scene, tick: int) -> list[int]:
    """`count` eighths that wander from start and arrive next to the target."""
    path = [start]
    for place in range(count):
        at = tick + place * EIGHTH
        left = count - place
        key, chord = scene.key_at(at), scene.chord_at(at)
        bar = scene.bar_at(at)
        strong = weight(bar.meter, at - bar.onset) >= 0.5
        pool = [
            p
            for p in range(path[-1] - 7, path[-1] + 8)
            if p % 12 in (chord.pitch_classes if strong else key.scale) and p != path[-1]
        ]
        before = path[-2] if len(path) > 1 else path[-1]
        path.append(min(pool, key=lambda p: _path_cost(p, path[-1], before, target, left, scene)))
    return path[1:]


def _path_cost(pitch: int, last: int, before: int, target: int, left: int, scene: Scene) -> float:
    reach = abs(target - pitch) / max(left, 1)
    cost = (
        abs(pitch - last) * 0.5
        + max(0.0, reach - 2) * 2
        + (2.0 if left == 1 else 0.0) * (pitch == target)
    )
    cost += 2.0 * (pitch == before)  # no trill
    cost += 4.0 * (not scene.seat.low <= pitch <= scene.seat.high)
    return cost + scene.vary.random() * 2.5


def anticipated(tones: list[Tone], scene: Scene, share: float) -> list[Tone]:
    """Some notes on beats begin an eighth early, where the note before leaves room."""
    made: list[Tone] = []
    for tone in tones:
        bar = scene.bar_at(tone.onset)
        on_beat = (tone.onset - bar.onset) % TICKS == 0 and tone.onset > scene.section.onset
        room = not made or made[-1].duration >= TICKS or made[-1].end <= tone.onset - EIGHTH
        if on_beat and room and tone.duration >= TICKS and scene.rng.random() < share:
            if made and made[-1].end > tone.onset - EIGHTH:
                made[-1] = replace(made[-1], duration=tone.onset - EIGHTH - made[-1].onset)
            tone = replace(tone, onset=tone.onset - EIGHTH, duration=tone.duration + EIGHTH)
        made.append(tone)
    return made


def doubled(octave: int = 1, from_energy: float = 0.0, accent: int = -6) -> PartWriter:
    """The lead at another octave, once the section is strong enough."""

    def part(scene: Scene) -> list[Tone]:
        if scene.energy < from_energy:
            return []
        low, high = scene.seat.low, scene.seat.high
        return [
            replace(t, pitch=fold(t.pitch + 12 * octave, low, high), accent=t.accent + accent)
            for t in scene.lead()
        ]

    return part


def harmony(below: bool = True, from_energy: float = 0.0, accent: int = -4) -> PartWriter:
    """A second voice in thirds and sixths with the lead."""

    def part(scene: Scene) -> list[Tone]:
        if scene.energy < from_energy:
            return []
        made: list[Tone] = []
        for tone in scene.lead():
            last = made[-1].pitch if made else None
            pitch = _second_voice(scene, tone, last, below)
            made.append(replace(tone, pitch=pitch, accent=tone.accent + accent))
        return made

    return part


def _second_voice(scene: Scene, tone: Tone, last: int | None, below: bool) -> int:
    sign = -1 if below else 1
    chord, key = scene.chord_at(tone.onset), scene.key_at(tone.onset)
    bar = scene.bar_at(tone.onset)
    strong = weight(bar.meter, tone.onset - bar.onset) >= 0.5 or tone.duration >= TICKS

    def cost(interval: int) -> float:
        pitch = tone.pitch + sign * interval
        price = {3: 0.0, 4: 0.0, 8: 0.8, 9: 0.8, 5: 2.5, 7: 4.0, 6: 3.0}.get(interval, 5.0)
        if pitch % 12 not in chord.pitch_classes:
            price += (4.0 if strong else 0.5) + (0.0 if pitch % 12 in key.scale else 3.0)
        if last is not None:
            price += 0.25 * abs(pitch - last)
        return price + (20.0 if not scene.seat.low <= pitch <= scene.seat.high else 0.0)

    interval = min(range(3, 10), key=cost)
    return scene.fold(tone.pitch + sign * interval)


_COUNTER_ACCENT = -6
"""Velocity of a countermelody against the ensemble."""


def counter(density: float = 0.5, register: int | None = None, intro: bool = True) -> PartWriter:
    """A countermelody: guide tones that move against the lead, busier where it rests.

    Args:
        density: how readily it moves in eighths while the lead holds or rests.
        register: pitch it circles; the middle of the seat's span when None.
        intro: play where there is no lead as well.
    """

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            return closing_tone(scene, _COUNTER_ACCENT)
        theme = scene.lead()
        if not theme and not intro:
            return []
        centre = register if register is not None else (scene.seat.low + scene.seat.high) // 2
        guides = _guide_line(scene, theme, centre)
        tones = _fill(scene, guides, theme, density)
        scene.memory["last"] = tones[-1].pitch
        return [replace(t, accent=t.accent + _COUNTER_ACCENT) for t in tones]

    return part


def _guide_line(scene: Scene, theme: list[Tone], centre: int) -> list[Tone]:
    """One long tone per chord: guide tones, contrary to the lead, no clash with it."""
    line: list[Tone] = []
    last = int(scene.memory.get("last", centre))
    for span in scene.chords:
        against = sounding(theme, span.onset, span.onset + span.duration)
        pool = [
            p
            for p in range(scene.seat.low, scene.seat.high + 1)
            if p % 12 in span.symbol.core and abs(p - last) <= 9
        ] or [nearest(span.symbol.third, last, scene.seat.low, scene.seat.high)]
        rising = _direction(against)

        prices = {p: _guide_cost(p, last, centre, against, rising, span.symbol) for p in pool}
        last = min(pool, key=prices.__getitem__)
        line.append(Tone(span.onset, span.duration, last))
    return line


def _guide_cost(
    pitch: int, last: int, centre: int, against: list[Tone], rising: int, symbol: Chord
) -> float:
    clash = sum(6.0 for t in against if abs(t.pitch - pitch) in (1, 2, 13))
    unison = sum(2.0 for t in against if t.pitch % 12 == pitch % 12)
    parallel = 1.0 if (pitch - last) * rising > 0 else 0.0
    same = 1.5 if pitch == last else 0.0
    colour = 0.0 if pitch % 12 in symbol.guides else 1.2
    drift = 0.45 * abs(pitch - last) + 0.12 * abs(pitch - centre)
    return drift + clash + unison + parallel + same + colour


def _direction(tones: list[Tone]) -> int:
    if len(tones) < 2:
        return 0
    return (tones[-1].pitch > tones[0].pitch) - (tones[-1].pitch < tones[0].pitch)


def _fill(scene: Scene, line: list[Tone], theme: list[Tone], density: float) -> list[Tone]:
    """Lead from each long tone to the next by step in the time when the theme is still."""
    made: list[Tone] = []
    for tone, after in zip(line, [*line[1:], None], strict=True):
        start = tone.end - min(tone.duration // 2, 2 * TICKS)
        moving = [t for t in theme if start <= t.onset < tone.end]
        still = len(moving) <= 1
        wants = after is not None and still and scene.rng.random() < density
        if not wants or after is None or tone.duration < 2 * TICKS:
            made.append(tone)
            continue
        made += _lead_on(scene, tone, after, theme)
    return made


def _lead_on(scene: Scene, tone: Tone, after: Tone, theme: list[Tone]) -> list[Tone]:
    key = scene.key_at(tone.onset)
    if abs(after.pitch - tone.pitch) <= 2:
        other = _above(key, tone.pitch) if scene.rng.random() < 0.5 else key.step(tone.pitch - 1, 0)
        path = [other, tone.pitch] if after.pitch != tone.pitch else [other]
    else:
        way = 1 if after.pitch > tone.pitch else -1
        path, pitch = [], tone.pitch
        while len(path) < 3:
            pitch = _above(key, pitch) if way > 0 else key.step(pitch - 1, 0)
            if (after.pitch - pitch) * way <= 0:
                break
            path.append(pitch)
    path = [scene.fold(p) for p in path]
    step = EIGHTH if tone.duration < 3 * TICKS or len(path) > 2 else TICKS
    start = tone.end - step * len(path)
    steps = [Tone(start + i * step, step, p, -3) for i, p in enumerate(path)]
    clash = any(
        abs(t.pitch - s.pitch) in (1, 13) for s in steps for t in sounding(theme, s.onset, s.end)
    )
    if clash or not path:
        return [tone]
    return [replace(tone, duration=start - tone.onset), *steps]
