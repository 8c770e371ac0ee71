"""The rhythm section: a drummer who hears the bass, grooving bass lines, comping in cells.

Cells are patterns (see `starter.meters`) of which a player keeps one for each part of the
theme and turns to another at the end of a four-bar phrase.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from gen.harmony import Chord, Key
from starter.arrangement import PartWriter, Scene
from starter.bass import approach_tone, degree, final_bass
from starter.comping import ACCENTS, final_chord, voicing_for
from starter.drumbook import KIT, Hit, bar_length
from starter.grooves import Drummer
from starter.guitar import clear_of_lead, one_at_a_time
from starter.leadsheet import GRID, TICKS, ChordSpan
from starter.meters import Pattern, Stroke, hits
from starter.tones import Tone, nearest, sounding

EIGHTH = TICKS // 2
FULL = 84
"""The drum book's velocity that stands for no accent: dynamics come from the section."""
Cells = Sequence[Pattern]


def kit(genre: str, lock: bool = False, chorus_at: float = 0.72) -> PartWriter:
    """Drums from the drum book.

    Args:
        genre: whose patterns to play.
        lock: let the kick fall with the bass guitar.
        chorus_at: energy from which the chorus patterns are played.
    """

    def part(scene: Scene) -> list[Tone]:
        if "drummer" not in scene.memory:
            scene.memory["drummer"] = Drummer(genre, Random(scene.vary.random()))  # noqa: S311
        drummer: Drummer = scene.memory["drummer"]
        meters = [bar.meter for bar in scene.bars]
        energy = 1 + round(4 * (scene.energy + scene.section.energy_end) / 2)
        name = _part_name(scene, chorus_at)
        if scene.kind == "final":
            bars = drummer.section(name, meters[:1], energy, fill=False)
        elif _builds(scene):
            half = len(meters) // 2
            bars = drummer.section(name, meters[:half], energy, fill=False)
            bars += drummer.section("build", meters[half:], energy + 1, fill=False)
        else:
            bars = drummer.section(name, meters, energy, crash=_crashes(scene), fill=_fills(scene))
        if lock and name in ("verse", "chorus"):
            bars = [_locked(b, scene, i) for i, b in enumerate(bars)]
        return [
            Tone(bar.onset + h.onset * GRID, h.duration * GRID, h.pitch, h.velocity - FULL)
            for bar, played in zip(scene.bars, bars, strict=False)
            for h in played
        ]

    return part


def _part_name(scene: Scene, chorus_at: float) -> str:
    if scene.kind in ("intro", "break"):
        return scene.kind
    if scene.kind == "final":
        return "ending"
    return "chorus" if scene.energy >= chorus_at else "verse"


def _builds(scene: Scene) -> bool:
    growth = scene.section.energy_end - scene.energy
    return growth >= 0.25 and scene.kind in ("break", "intro") and len(scene.bars) >= 4


def _crashes(scene: Scene) -> bool:
    """A crash where a section begins stronger than the last one, or the chorus comes."""
    if scene.section.index == 0 or scene.kind in ("intro", "break", "final"):
        return False
    before = scene.plan.sections[scene.section.index - 1]
    return scene.energy >= 0.5 and (scene.energy > before.energy_end or scene.energy >= 0.75)


def _fills(scene: Scene) -> bool:
    following = scene.next_section
    if following is None or scene.kind == "final":
        return False
    return following.kind != "break" and scene.energy >= 0.25


def _locked(bar: tuple[Hit, ...], scene: Scene, index: int) -> tuple[Hit, ...]:
    """The bar with its kicks moved to the bass's notes; fills and busy bass lines stay."""
    start, length = scene.bars[index].onset, bar_length(scene.bars[index].meter)
    bass = {(t.onset - start) // GRID for t in scene.others("bass") if t.accent > -15}
    struck = {at for at in bass if 0 <= at < length}
    if not struck or len(struck) > 6:
        return bar
    backbeat = {h.onset for h in bar if h.pitch in (KIT["sd"], KIT["rs"]) and h.velocity > 60}
    kept = [h for h in bar if h.pitch != KIT["bd"] or h.onset in struck or h.onset == 0]
    have = {h.onset for h in kept if h.pitch == KIT["bd"]}
    added = [Hit(at, 3, KIT["bd"], 84 if at % 12 == 0 else 74) for at in struck - have - backbeat]
    return tuple(sorted([*kept, *added]))


def choose_cell(scene: Scene, cells: Cells, index: int, main: int, turn: int) -> Pattern:
    """The part's main cell; in each fourth bar the turning one."""
    return cells[turn if index % 4 == 3 else main]


def _drawn(scene: Scene, cells: Cells) -> list[list[Stroke]]:
    """The strokes of each bar of the section."""
    main = scene.rng.randrange(len(cells))
    turn = (main + 1 + scene.rng.randrange(max(len(cells) - 1, 1))) % len(cells)
    return [
        hits(choose_cell(scene, cells, index, main, turn), bar, index)
        for index, bar in enumerate(scene.bars)
    ]


def _spans(scene: Scene) -> list[ChordSpan]:
    """The section's chords and the one that follows."""
    following = scene.next_section
    return [*scene.chords, *(following.chords[:1] if following else ())]


def heard_span(scene: Scene, stroke: Stroke, push: bool) -> tuple[ChordSpan, int]:
    """The chord a stroke plays and the tick where it must stop.

    With `push`, a stroke in the last eighth before a chord that touches it plays that chord.
    """
    spans = _spans(scene)
    place = max((i for i, s in enumerate(spans) if s.onset <= stroke.onset), default=0)
    stop = spans[place].onset + spans[place].duration
    end = stroke.onset + stroke.duration
    early = push and stop - EIGHTH <= stroke.onset and end >= stop
    if early and stroke.onset % TICKS and place + 1 < len(spans):
        after = spans[place + 1]
        return after, min(end, after.onset + after.duration)
    return spans[place], min(end, stop)


def bass(
    cells: Cells,
    lively: Cells | None = None,
    from_energy: float = 0.7,
    approach: float = 0.4,
    legato: float = 0.9,
    push: bool = False,
) -> PartWriter:
    """A grooving bass line.

    Args:
        cells: patterns of degrees: ``1`` chord bass, ``3 5 7 8`` chord tones, ``2 4 6`` steps,
            ``a`` approach to the next chord, ``g`` ghost note; ``-`` holds, ``.`` rests.
        lively: cells from `from_energy` up.
        from_energy: energy at which `lively` takes over.
        approach: how often the last note before a new chord leads into it.
        legato: share of each note that sounds.
        push: play a chord's bass early where a note off the beat leads over to it.
    """

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            return final_bass(scene)
        chosen = scene.at_energy(cells, lively, from_energy)
        made: list[Tone] = []
        for strokes in _drawn(scene, chosen):
            made += [_bass_tone(scene, stroke, legato, push) for stroke in strokes]
        made = _rooted(scene, made, push)
        return _leading(scene, made, approach)

    return part


def _bass_tone(scene: Scene, stroke: Stroke, legato: float, push: bool) -> Tone:
    span, stop = heard_span(scene, stroke, push)
    root = _root(scene, span.symbol)
    scene.memory["root"] = root
    length = max(int((stop - stroke.onset) * legato), 60)
    if stroke.char == "g":
        return Tone(stroke.onset, 60, root, -26)
    if stroke.char == "a":
        return Tone(stroke.onset, length, approach_tone(scene, stroke.onset, root), -4)
    tick = min(max(stroke.onset, span.onset), scene.section.end - 1)
    pitch = degree(scene, span.symbol, stroke.char, root, tick)
    return Tone(stroke.onset, length, pitch, 3 if stroke.char == "1" else -3)


def _rooted(scene: Scene, tones: list[Tone], push: bool) -> list[Tone]:
    """Each chord's first full note is its bass, unless an early one has said it."""
    made = list(tones)
    for span in scene.chords:
        end = span.onset + span.duration
        early = span.onset - EIGHTH if push else span.onset
        inside = [i for i, t in enumerate(made) if early <= t.onset < end and t.accent > -15]
        first = [i for i in inside if made[i].onset >= span.onset or made[i].end >= span.onset]
        if first and made[first[0]].pitch % 12 != span.symbol.bass:
            tone = made[first[0]]
            low, high = scene.seat.low, scene.seat.high
            made[first[0]] = replace(tone, pitch=nearest(span.symbol.bass, tone.pitch, low, high))
    return made


def _leading(scene: Scene, tones: list[Tone], share: float) -> list[Tone]:
    """The last note before a change of bass becomes (or gets) an approach note."""
    changes = {s.onset for s in _spans(scene)[1:]}
    made: list[Tone] = []
    for tone, after in zip(tones, [*tones[1:], None], strict=True):
        end = after.onset if after is not None else scene.section.end
        target = after.pitch if after is not None else _root(scene, _spans(scene)[-1].symbol)
        leads = end in changes and target != tone.pitch and tone.accent > -15
        if not leads or scene.rng.random() >= share:
            made.append(tone)
            continue
        pitch = _neighbour(scene, end - 1, tone.pitch, target)
        if end - tone.onset > EIGHTH:
            start = end - EIGHTH
            made.append(replace(tone, duration=min(tone.duration, start - tone.onset)))
            made.append(Tone(start, int(EIGHTH * 0.9), pitch, -6))
        elif tone.pitch % 12 != scene.chord_at(tone.onset).bass:
            made.append(replace(tone, pitch=pitch))
        else:
            made.append(tone)
    return made


def _root(scene: Scene, symbol: Chord) -> int:
    """The chord's bass near the last one, in the seat's lowest octave and a third."""
    low = scene.seat.low
    centre = low + 8
    near = (int(scene.memory.get("root", centre)) + centre) // 2
    return nearest(symbol.bass, near, low, min(scene.seat.high, low + 15))


def _neighbour(scene: Scene, tick: int, last: int, target: int) -> int:
    """A note next to `target` on the side of `last`: a scale step, or a semitone below."""
    low, high, scale = scene.seat.low, scene.seat.high, scene.key_at(tick).scale
    above = next(p for p in range(target + 1, target + 4) if p % 12 in scale)
    below = target - 1 if scene.rng.random() < 0.5 else scene.key_at(tick).step(target - 1, 0)
    choice = below if last < target else above
    other = above if choice == below else below
    return next((p for p in (choice, other) if low <= p <= high and p != last), last)


def chords(
    cells: Cells,
    lively: Cells | None = None,
    from_energy: float = 0.7,
    voices: int = 3,
    rootless: bool = False,
    staccato: float = 0.9,
    spread: int = 16,
    push: bool = True,
    restless: bool = False,
    answer: bool = False,
) -> PartWriter:
    """Comping: voice-led chords on cells, ahead of the beat where the style pushes.

    Args:
        cells: ``X`` and ``x`` accented and plain chord, ``t`` without the lowest voice, ``b`` the
            lowest voice alone, ``o`` the highest alone, ghosted.
        lively: cells from `from_energy` up.
        from_energy: energy at which `lively` takes over.
        voices: notes in a chord.
        rootless: leave the root to the bass.
        staccato: share of each stroke that sounds.
        spread: widest distance from lowest to highest note.
        push: anticipate chords (see `heard_span`).
        restless: another cell in every bar, as a jazz pianist comps.
        answer: be silent where the lead moves: a horn section that answers.
    """

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            return final_chord(scene, voices)
        chosen = scene.at_energy(cells, lively, from_energy)
        drawn = _restless(scene, chosen) if restless else _drawn(scene, chosen)
        voicings: dict[int, tuple[int, ...]] = {}
        made: list[Tone] = []
        for stroke in (s for strokes in drawn for s in strokes):
            if answer and _busy(scene, stroke):
                continue
            span, stop = heard_span(scene, stroke, push)
            if span.onset not in voicings:
                voicings[span.onset] = voicing_for(scene, span, voices, rootless, spread)
            length = max(int((stop - stroke.onset) * staccato), 60)
            made += [
                Tone(stroke.onset, length, p, ACCENTS.get(stroke.char, 0))
                for p in _picked(voicings[span.onset], stroke.char)
            ]
        return one_at_a_time(clear_of_lead(scene, made))

    return part


def _picked(chord: tuple[int, ...], char: str) -> tuple[int, ...]:
    return {"b": chord[:1], "t": chord[1:], "o": chord[-1:]}.get(char, chord)


def _restless(scene: Scene, cells: Cells) -> list[list[Stroke]]:
    """Another cell for each bar, never one twice running."""
    drawn: list[list[Stroke]] = []
    last = -1
    for index, bar in enumerate(scene.bars):
        last = scene.vary.choice([i for i in range(len(cells)) if i != last or len(cells) == 1])
        drawn.append(hits(cells[last], bar, index))
    return drawn


def _busy(scene: Scene, stroke: Stroke) -> bool:
    """The lead strikes close to this stroke."""
    start, end = stroke.onset - TICKS // 4, stroke.onset + max(stroke.duration, EIGHTH)
    return any(start <= t.onset < end for t in scene.lead())


def clear(writer: PartWriter) -> PartWriter:
    """The writer without the notes that grate on the lead (see `guitar.clear_of_lead`)."""

    def part(scene: Scene) -> list[Tone]:
        return clear_of_lead(scene, writer(scene))

    return part


def beneath(writer: PartWriter, room: int = 15) -> PartWriter:
    """The writer kept under most of the lead's notes, with `room` semitones at least."""

    def part(scene: Scene) -> list[Tone]:
        theme = sorted(t.pitch for t in scene.lead())
        if not theme:
            return writer(scene)
        low = max(45, min(scene.seat.low, theme[0] - 7))
        high = min(scene.seat.high, max(theme[len(theme) // 4] - 1, low + room))
        narrow = replace(scene, seat=replace(scene.seat, span=(low, high)))
        return clear_of_lead(narrow, writer(narrow))

    return part


def coloured(writer: PartWriter) -> PartWriter:
    """The writer playing sevenths and ninths over plainer symbols, where key and lead allow."""

    def part(scene: Scene) -> list[Tone]:
        spans = tuple(replace(span, symbol=enriched(scene, span)) for span in scene.chords)
        return writer(replace(scene, section=replace(scene.section, chords=spans)))

    return part


_RICHER = {
    "maj": ("maj9", "maj7", "add9", "69"), "6": ("69",), "maj7": ("maj9",), "min": ("m9", "m7"),
    "m7": ("m9",), "m6": ("m69",), "7": ("13", "9", "7b9"), "9": ("13",), "add9": ("maj9",),
    "7sus4": ("9sus4",), "sus4": ("7sus4",),
}  # fmt: skip


def enriched(scene: Scene, span: ChordSpan) -> Chord:
    """The richest chord over the same root whose new tones suit the key and the lead."""
    symbol, key = span.symbol, scene.key_at(span.onset)
    theme = sounding(scene.lead(), span.onset, span.onset + span.duration)
    held = {t.pitch % 12 for t in theme if t.duration >= EIGHTH}
    choices = _RICHER.get(symbol.quality, ())
    if symbol.bass != symbol.root:
        return symbol
    for quality in choices:
        richer = replace(symbol, quality=quality)
        if _suits(richer, symbol, key, held):
            return richer
    return symbol


def _suits(richer: Chord, plain: Chord, key: Key, held: set[int]) -> bool:
    new = set(richer.pitch_classes) - set(plain.pitch_classes)
    return all(
        tone in key.scale and not held & {(tone + 1) % 12, (tone - 1) % 12} - {plain.third}
        for tone in new
    )
