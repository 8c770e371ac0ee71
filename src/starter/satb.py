"""Four-part writing under a given soprano: a search over whole phrases, by the book's rules.

Rules priced or forbidden: parallel fifths, octaves and unisons in any pair of voices, direct
ones between the outer voices, crossing and wide spacing, doubled leading tones and sevenths,
leading tones and sevenths that do not resolve, leaps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

from gen.harmony import Chord
from starter.arrangement import PartWriter, Scene
from starter.leadsheet import TICKS
from starter.melody import closing_tone, lead
from starter.meters import beats
from starter.tones import Tone, nearest

SOPRANO, ALTO, TENOR, BASS = (60, 81), (55, 74), (48, 67), (40, 60)
_KEEP = 18
"""States kept per moment of the search."""
_VOICES = ("alto", "tenor", "bass")

State = tuple[int, int, int]
"""Alto, tenor and bass pitch."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A chord to be set: when, what it is, the soprano's pitch and the one just before."""

    onset: int
    end: int
    symbol: Chord
    soprano: int
    soprano_before: int
    leading_tone: int


def soprano(legato: float = 0.97) -> PartWriter:
    """The theme, or where there is none a plain line over the chords."""
    sing = lead(ornament_again=0.0, legato=legato, accent=4)

    def part(scene: Scene) -> list[Tone]:
        if scene.kind == "final":
            tones = closing_tone(scene)
        elif scene.melody:
            return sing(scene)
        else:
            tones = _plain_line(scene)
        scene.stage["theme"] = tones
        return tones

    return part


def voice(name: str, passing: float = 0.4) -> PartWriter:
    """The alto, tenor or bass beneath the soprano.

    Args:
        name: "alto", "tenor" or "bass".
        passing: how often a third is filled by a passing eighth.
    """

    def part(scene: Scene) -> list[Tone]:
        if name not in scene.stage:
            _set_section(scene, passing)
        return scene.stage[name]

    return part


def _plain_line(scene: Scene) -> list[Tone]:
    last = int(scene.memory.get("last", 71))
    made = []
    for span in scene.chords:
        pitches = [nearest(t, last, 64, 77) for t in span.symbol.triad]
        last = min(pitches, key=lambda p: (abs(p - last) == 0, abs(p - last)))
        made.append(Tone(span.onset, span.duration, last))
    scene.memory["last"] = last
    return made


def _set_section(scene: Scene, passing: float) -> None:
    moments = _moments(scene)
    states = _search(moments, scene.memory.get("satb"))
    scene.memory["satb"] = (moments[-1], states[-1])
    for index, name in enumerate(_VOICES):
        scene.stage[name] = _with_passing(scene, index, moments, states, passing)


def _moments(scene: Scene) -> list[Moment]:
    theme = scene.lead() or _plain_line(scene)
    scene.stage.setdefault("theme", theme)
    onsets = {c.onset for c in scene.chords}
    onsets |= {o for bar in scene.bars for o, _ in beats(bar) if any(t.onset == o for t in theme)}
    ordered = sorted(onsets)
    ends = [*ordered[1:], scene.section.end]
    made: list[Moment] = []
    for onset, end in zip(ordered, ends, strict=True):
        now = _sung(theme, onset)
        before = _sung(theme, onset - 1)
        tonic = scene.key_at(onset).tonic
        made.append(Moment(onset, end, scene.chord_at(onset), now, before, (tonic + 11) % 12))
    return made


def _sung(theme: list[Tone], tick: int) -> int:
    """The soprano's pitch at a tick: what sounds, or sounded last, or comes first."""
    begun = [t for t in theme if t.onset <= tick]
    return (begun[-1] if begun else theme[0]).pitch


def _search(moments: list[Moment], past: tuple[Moment, State] | None) -> list[State]:
    """The cheapest path through each moment's best states, following on from the past."""
    table: list[dict[State, tuple[float, State | None]]] = []
    for place, moment in enumerate(moments):
        column: dict[State, tuple[float, State | None]] = {}
        for state, price in _states(moment):
            if place == 0:
                seam = _move(past[0], moment, past[1], state) if past else 0.0
                column[state] = (price + seam, None)
                continue
            cost, before = min(
                (reached[0] + _move(moments[place - 1], moment, old, state), old)
                for old, reached in table[-1].items()
            )
            column[state] = (cost + price, before)
        table.append(column)
    state = min(table[-1], key=lambda s: (table[-1][s][0], s))
    path = [state]
    for column in reversed(table[1:]):
        came_from = column[path[-1]][1]
        assert came_from is not None  # noqa: S101 - only the first column has no past
        path.append(came_from)
    return path[::-1]


def _states(moment: Moment) -> list[tuple[State, float]]:
    """The cheapest settings of one moment by itself."""
    top = moment.soprano
    tones = set(moment.symbol.core)
    found: list[tuple[State, float]] = []
    for bass in _pitches(_basses(moment.symbol), BASS):
        for tenor in _pitches(tones, TENOR):
            for alto in _pitches(tones, ALTO):
                if bass <= tenor <= alto <= max(top, ALTO[0]) and alto - tenor <= 12:
                    state = (alto, tenor, bass)
                    found.append((state, _price(state, moment)))
    found.sort(key=lambda item: (item[1], item[0]))
    return found[:_KEEP]


def _basses(symbol: Chord) -> set[int]:
    """The written bass; root and third may change places to mend the outer voices."""
    is_free = symbol.quality in ("maj", "min", "7", "m7", "m7b5")
    is_free = is_free and symbol.bass in (symbol.root, symbol.third)
    return {symbol.root, symbol.third} if is_free else {symbol.bass}


def _pitches(classes: set[int], span: tuple[int, int]) -> list[int]:
    return [p for p in range(span[0], span[1] + 1) if p % 12 in classes]


def _price(state: State, moment: Moment) -> float:
    alto, tenor, bass = state
    symbol = moment.symbol
    inverted = 5.0 * (bass % 12 != symbol.bass)
    classes = [moment.soprano % 12, alto % 12, tenor % 12, bass % 12]
    cost = 0.0
    for tone, weight in ((symbol.third, 9.0), (symbol.root, 4.0), (symbol.fifth, 1.5)):
        cost += weight * (tone not in classes)
    seventh = symbol.seventh
    if seventh is not None:
        cost += 5.0 * (seventh not in classes) + 6.0 * (classes.count(seventh) > 1)
    if symbol.is_dominant or symbol.third == moment.leading_tone:
        cost += 8.0 * (classes.count(moment.leading_tone) > 1)
    cost += 1.0 * (classes.count(symbol.third) > 1)
    cost += 4.0 * (moment.soprano - alto > 12) + 2.0 * (tenor - bass > 19)
    cost += 2.0 * (alto == tenor) + 2.0 * (alto == moment.soprano) + 2.5 * (tenor == bass)
    cost += 3.0 * (moment.soprano - alto == 1) + 1.5 * (tenor - bass < 5 and bass < 48)
    return cost + inverted + 0.05 * (abs(alto - 65) + abs(tenor - 57) + abs(bass - 50))


def _move(before: Moment, now: Moment, old: State, new: State) -> float:
    """The price of going from one setting to the next."""
    cost = sum(abs(a - b) for a, b in zip(old[:2], new[:2], strict=True)) * 0.5
    cost += sum(3.0 for a, b in zip(old[:2], new[:2], strict=True) if abs(a - b) > 5)
    cost += 0.2 * abs(new[2] - old[2]) + 3.0 * (abs(new[2] - old[2]) > 8)
    for top in {before.soprano, now.soprano_before}:
        cost += 40.0 * _parallel((top, *old), (now.soprano, *new))
    up, down = now.soprano - before.soprano, new[2] - old[2]
    if up * down > 0 and abs(up) > 2 and (now.soprano - new[2]) % 12 in (0, 7):
        cost += 4.0
    return cost + _tendencies(before, now, old, new)


def _parallel(old: tuple[int, ...], new: tuple[int, ...]) -> int:
    """Pairs of voices that move in parallel unisons, octaves or fifths."""
    found = 0
    for a, b in combinations(range(4), 2):
        was, now = (old[a] - old[b]) % 12, (new[a] - new[b]) % 12
        if was == now and now in (0, 7) and old[a] != new[a] and old[b] != new[b]:
            found += 1
    return found


def _tendencies(before: Moment, now: Moment, old: State, new: State) -> float:
    """Leading tones rise and sevenths fall when the chord changes."""
    if before.symbol == now.symbol:
        return 0.0
    cost = 0.0
    seventh = before.symbol.seventh if 10 in before.symbol.intervals else None
    for a, b in zip(old, new, strict=True):
        if a % 12 == before.leading_tone == before.symbol.third and b - a not in (1, 0, -4):
            cost += 3.0
        if seventh is not None and a % 12 == seventh and b - a not in (-1, -2, 0):
            cost += 3.0
    return cost


def _with_passing(
    scene: Scene, index: int, moments: list[Moment], states: list[State], share: float
) -> list[Tone]:
    """One lower voice as tones, thirds filled by a passing eighth where no rule is broken."""
    made: list[Tone] = []
    for place, moment in enumerate(moments):
        tone = Tone(moment.onset, moment.end - moment.onset, states[place][index])
        last = place + 1 == len(moments)
        if last or tone.duration < TICKS or scene.rng.random() > share:
            made.append(tone)
            continue
        passing = _passing_tone(scene, index, moments, states, place)
        if passing is None:
            made.append(tone)
        else:
            cut = tone.duration - TICKS // 2
            made += [
                replace(tone, duration=cut),
                Tone(tone.onset + cut, TICKS // 2, passing, -4),
            ]
    return _tied(made, moments)


def _passing_tone(
    scene: Scene, index: int, moments: list[Moment], states: list[State], place: int
) -> int | None:
    here, there = states[place][index], states[place + 1][index]
    if abs(there - here) not in (3, 4):
        return None
    scale = scene.key_at(moments[place].onset).scale
    low, high = sorted((here, there))
    between = [p for p in range(low + 1, high) if p % 12 in scale]
    if len(between) != 1:
        return None
    after = moments[place + 1]
    old = [after.soprano_before, *states[place]]
    old[index + 1] = between[0]
    new = (after.soprano, *states[place + 1])
    clash = any(abs(p - between[0]) in (1, 13) for i, p in enumerate(old) if i != index + 1)
    return None if clash or _parallel(tuple(old), new) else between[0]


def _tied(tones: list[Tone], moments: list[Moment]) -> list[Tone]:
    """Hold a pitch through moments of one chord; strike again where the chord changes."""
    changes = {
        now.onset
        for before, now in zip([None, *moments], moments, strict=False)
        if before is None or before.symbol != now.symbol
    }
    made: list[Tone] = []
    for tone in tones:
        if made and made[-1].pitch == tone.pitch and tone.onset not in changes:
            made[-1] = replace(made[-1], duration=made[-1].duration + tone.duration)
        else:
            made.append(tone)
    return made


def doubling() -> PartWriter:
    """All four voices on one keyboard, the bass an octave lower as well."""

    def part(scene: Scene) -> list[Tone]:
        if "alto" not in scene.stage:
            _set_section(scene, 0.0)
        tones = [*scene.lead(), *scene.stage["alto"], *scene.stage["tenor"], *scene.stage["bass"]]
        low = [t for t in scene.stage["bass"] if t.pitch - 12 >= scene.seat.low]
        tones += [replace(t, pitch=t.pitch - 12, accent=t.accent - 6) for t in low]
        inside = [t for t in tones if scene.seat.low <= t.pitch <= scene.seat.high]
        return [replace(t, accent=t.accent - 4) for t in inside]

    return part


def below(name: str) -> PartWriter:
    """A lower voice doubled an octave down where the instrument reaches, else in unison."""

    def part(scene: Scene) -> list[Tone]:
        if name not in scene.stage:
            _set_section(scene, 0.4)
        low = scene.seat.low
        return [
            replace(t, pitch=t.pitch - 12 if t.pitch - 12 >= low else t.pitch)
            for t in scene.stage[name]
            if t.pitch <= scene.seat.high + 12
        ]

    return part
