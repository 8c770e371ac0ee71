"""Bass lines: patterns of chord degrees, walking lines, pedals; with approach notes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from gen.harmony import Chord
from starter.arrangement import PartWriter, Scene
from starter.leadsheet import TICKS
from starter.meters import Pattern, Stroke, beats, hits
from starter.tones import Tone, nearest

DEGREES = "123456789"


def line(
    pattern: Pattern,
    lively: Pattern | None = None,
    from_energy: float = 0.7,
    approach: float = 0.0,
    legato: float = 0.92,
) -> PartWriter:
    """A bass line from a pattern of degrees.

    Args:
        pattern: ``1`` chord bass, ``3 5 7 8`` chord tones, ``2 4 6`` scale steps, ``a`` approach
            to the next chord, ``x`` dead low note; ``-`` holds and ``.`` rests.
        lively: the pattern from `from_energy` up.
        from_energy: energy at which `lively` takes over.
        approach: how often the last note before a new chord leads into it by step.
        legato: share of each note that sounds.
    """

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            return final_bass(scene)
        drawn = scene.at_energy(pattern, lively, from_energy)
        made: list[Tone] = []
        for index, bar in enumerate(scene.bars):
            made += _bar(scene, _on_changes(scene, hits(drawn, bar, index)), made)
        if approach:
            made = _approached(scene, made, approach)
        return [replace(t, duration=max(int(t.duration * legato), 60)) for t in made]

    return part


def _on_changes(scene: Scene, found: list[Stroke]) -> list[Stroke]:
    """The first hit at or after each new chord states its bass note; held notes stop there."""
    changed = []
    for hit in found:
        cuts = [c.onset for c in scene.chords if hit.onset < c.onset < hit.onset + hit.duration]
        pieces = [hit.onset, *cuts, hit.onset + hit.duration]
        changed.append(Stroke(hit.onset, pieces[1] - pieces[0], hit.char))
        changed += [Stroke(a, b - a, "1") for a, b in pairwise(pieces[1:])]
    for span in scene.chords:
        later = [
            i for i, h in enumerate(changed) if span.onset <= h.onset < span.onset + span.duration
        ]
        if later:
            changed[later[0]] = replace(changed[later[0]], char="1")
    return changed


def _bar(scene: Scene, found: list[Stroke], before: list[Tone]) -> list[Tone]:
    made: list[Tone] = []
    centre = scene.seat.low + min(9, (scene.seat.high - scene.seat.low) // 2)
    root = int(scene.memory.get("root", centre))
    for hit in found:
        chord = scene.chord_at(hit.onset)
        if hit.char == "1":
            near = (root + centre) // 2
            root = nearest(chord.bass, near, scene.seat.low, scene.seat.high)
            pitch = root
        elif hit.char == "a":
            last = (made or before)[-1].pitch if made or before else root
            pitch = approach_tone(scene, hit.onset, last)
        else:
            pitch = degree(scene, chord, hit.char, root, hit.onset)
        accent = 0 if hit.char == "1" else -5
        made.append(Tone(hit.onset, hit.duration, pitch, accent))
    scene.memory["root"] = root
    return made


def degree(scene: Scene, chord: Chord, char: str, root: int, tick: int) -> int:
    """A chord degree above a bass note, folded into the span."""
    number = int(char) if char in DEGREES else 1
    if number in (1, 8):
        pitch = root + (12 if number == 8 else 0)
    elif number in (3, 5, 7):
        tone = {3: chord.third, 5: chord.fifth, 7: chord.seventh}[number]
        tone = chord.root if tone is None else tone
        pitch = root + (tone - root) % 12
        if number == 5 and pitch - 12 >= scene.seat.low and (pitch - root) > 7:
            pitch -= 12
    else:
        pitch = root
        for _ in range(number - 1):
            pitch = next(p for p in range(pitch + 1, pitch + 8) if p % 12 in _ladder(scene, tick))
    return scene.fold(pitch)


def _ladder(scene: Scene, tick: int) -> set[int]:
    """The key's scale, bent to hold the chord's own tones."""
    chord = scene.chord_at(tick)
    scale = {s for s in scene.key_at(tick).scale if not {(s + 1) % 12, (s - 1) % 12} & set(
        chord.core) or s in chord.core}  # fmt: skip
    return scale | set(chord.core)


def approach_tone(scene: Scene, tick: int, last: int) -> int:
    """A step below or above the next chord's bass: by scale, or by semitone from below."""
    target_class = scene.chord_after(tick).bass
    target = nearest(target_class, last, scene.seat.low, scene.seat.high)
    if target == last:
        return scene.fold(last + 7 if last + 7 <= scene.seat.high else last - 5)
    below = target - 1 if scene.rng.random() < 0.4 else scene.key_at(tick).step(target - 1, 0)
    above = next(p for p in range(target + 1, target + 4) if p % 12 in scene.key_at(tick).scale)
    pitch = below if last <= target else above
    if pitch == last:
        pitch = above if pitch == below else below
    return scene.fold(pitch)


def _approached(scene: Scene, tones: list[Tone], share: float) -> list[Tone]:
    """Replace (or split off) the last note before a chord change by an approach note."""
    changes = {c.onset for c in scene.chords[1:]}
    following = scene.next_section
    if following is not None and following.chords[0].symbol.bass != scene.chords[-1].symbol.bass:
        changes.add(scene.section.end)
    made: list[Tone] = []
    for tone, after in zip(tones, [*tones[1:], None], strict=True):
        end = after.onset if after is not None else scene.section.end
        eligible = end in changes and scene.rng.random() < share
        if not eligible or end - tone.onset < TICKS:
            made.append(tone)
            continue
        step = TICKS if end - tone.onset > 2 * TICKS and scene.energy < 0.8 else TICKS // 2
        pitch = approach_tone(scene, end - 1, tone.pitch)
        made.append(replace(tone, duration=min(tone.duration, end - step - tone.onset)))
        made.append(Tone(end - step, step, pitch, -5))
    return made


def walking(two_feel_below: float = 0.0) -> PartWriter:
    """A walking bass in beats: chord tone, scale, and an approach to each new chord.

    Args:
        two_feel_below: section energy under which it plays in two.
    """

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            return final_bass(scene)
        made: list[Tone] = []
        last = int(scene.memory.get("last", scene.seat.low + 9))
        for index, bar in enumerate(scene.bars):
            slots = beats(bar)
            if scene.energy < two_feel_below:
                slots = _in_two(scene, slots)
            for place, (onset, length) in enumerate(slots):
                last = _walk_step(scene, onset, length, last, place, made)
                made.append(Tone(onset, int(length * 0.93), last, 0 if place % 2 == 0 else -3))
            if scene.energy >= 0.7 and index % 4 == 3:
                made = _skip(scene, made)
        scene.memory["last"] = last
        return made

    return part


def roaming(
    rhythms: Pattern, lively: Pattern | None = None, from_energy: float = 0.7, legato: float = 0.92
) -> PartWriter:
    """A bass that moves: roots where chords change, steps and chord tones between, approaches.

    Args:
        rhythms: where it strikes: ``x`` a note, ``8`` the last note an octave higher (lower where
            there is no room), ``-`` holds, ``.`` rests.
        lively: rhythms from `from_energy` up.
        from_energy: energy at which `lively` takes over.
        legato: share of each note that sounds.
    """

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            return final_bass(scene)
        drawn = scene.at_energy(rhythms, lively, from_energy)
        made: list[Tone] = []
        last = int(scene.memory.get("last", scene.seat.low + 9))
        for index, bar in enumerate(scene.bars):
            for place, hit in enumerate(hits(drawn, bar, index)):
                is_change = any(c.onset == hit.onset for c in scene.chords)
                if hit.char == "8" and made and not is_change:
                    up = made[-1].pitch + 12
                    pitch = up if up <= scene.seat.high else scene.fold(made[-1].pitch - 12)
                else:
                    pitch = last = _walk_step(scene, hit.onset, hit.duration, last, place, made)
                accent = 2 if is_change else -3
                made.append(Tone(hit.onset, max(int(hit.duration * legato), 60), pitch, accent))
        scene.memory["last"] = last
        return _bass_first(scene, made)

    return part


def _bass_first(scene: Scene, tones: list[Tone]) -> list[Tone]:
    """Each chord's first note is its bass."""
    made = list(tones)
    for span in scene.chords:
        end = span.onset + span.duration
        first = next((i for i, t in enumerate(made) if span.onset <= t.onset < end), None)
        if first is not None and made[first].pitch % 12 != span.symbol.bass:
            low, high = scene.seat.low, scene.seat.high
            pitch = nearest(span.symbol.bass, made[first].pitch, low, high)
            made[first] = replace(made[first], pitch=pitch)
    return made


def _in_two(scene: Scene, slots: list[tuple[int, int]]) -> list[tuple[int, int]]:
    changes = {c.onset for c in scene.chords}
    kept = [s for i, s in enumerate(slots) if i % 2 == 0 or s[0] in changes]
    ends = [s[0] for s in kept[1:]] + [slots[-1][0] + slots[-1][1]]
    return [(s[0], e - s[0]) for s, e in zip(kept, ends, strict=True)]


def _walk_step(
    scene: Scene, onset: int, length: int, last: int, place: int, made: list[Tone]
) -> int:
    chord = scene.chord_at(onset)
    low, high = scene.seat.low, scene.seat.high
    if any(c.onset == onset for c in scene.chords):
        return nearest(chord.bass, (2 * last + low + 12) // 3, low, high)
    changes = [c.onset for c in scene.chords] + [scene.section.end]
    if onset + length in changes:
        return approach_tone(scene, onset, last)
    before = made[-2].pitch if len(made) > 1 else None
    pool = [
        p
        for p in range(max(low, last - 7), min(high, last + 7) + 1)
        if p != last and p != before and p % 12 in (chord.core if place % 2 == 0 else _ladder(
            scene, onset))
    ]  # fmt: skip
    if not pool:
        return scene.fold(last + 7)
    way = 1 if last < (low + high) / 2 - 3 else -1
    return min(
        pool,
        key=lambda p: abs(p - last) - 1.2 * ((p - last) * way > 0) + scene.rng.random() * 2,
    )


def _skip(scene: Scene, made: list[Tone]) -> list[Tone]:
    """A skipped eighth before the last note of a phrase."""
    tone = made[-1]
    if tone.duration < TICKS * 0.8:
        return made
    half = TICKS // 2
    return [
        *made[:-1],
        replace(tone, duration=half - 20),
        Tone(tone.onset + half, half - 30, tone.pitch, -12),
    ]


def pedal(octave_doubled: bool = False) -> PartWriter:
    """Long bass notes, one per chord, common tones held."""

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            return final_bass(scene)
        made: list[Tone] = []
        near = int(scene.memory.get("root", scene.seat.low + 9))
        for span in scene.chords:
            centre = (near + scene.seat.low + 9) // 2
            near = nearest(span.symbol.bass, centre, scene.seat.low, scene.seat.high)
            made.append(Tone(span.onset, span.duration, near))
            if octave_doubled and near + 12 <= scene.seat.high:
                made.append(Tone(span.onset, span.duration, near + 12, -8))
        scene.memory["root"] = near
        return made

    return part


def final_bass(scene: Scene) -> list[Tone]:
    """The home note, low, for the whole last bar."""
    chord = scene.chords[0].symbol
    near = int(scene.memory.get("root", scene.memory.get("last", scene.seat.low + 7)))
    pitch = nearest(chord.root, min(near, scene.seat.low + 11), scene.seat.low, scene.seat.high)
    return [Tone(scene.section.onset, scene.section.end - scene.section.onset, pitch)]
