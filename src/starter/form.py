"""From lead sheet to plan: which sections are played, in which key, at what energy.

An arrangement's form is a line of tokens, ``kind[:number or letters][=source][@energy][^shift]``:

    intro:4            bars of introduction; source tail (default), head, vamp or pedal
    theme              every part of the lead sheet's form, melody stated
    reprise            the whole theme if it is short (to 16 bars), else its last parts, 8 to 16
    part:B             one part, melody stated (falls back to the last part if there is no B)
    solo               chords of the theme (to 16 bars), the melody to be varied: kind "solo"
    break:4            accompaniment thinned; source as for intro
    ending:4           source cadence (default), tail, head or vamp; its last bar is the final chord

``@0.3`` sets the energy (0 to 1), ``@0.3-0.9`` makes it grow, ``^2`` transposes from here on.
Several forms may be given, divided by `` / ``: a theme's number picks one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from gen.errors import HouseError
from gen.harmony import Chord, Key
from starter.abc import TICKS, Bar, ChordSpan, LeadSheet, MelodyNote, Part
from starter.arrangement import Arrangement, Plan, Section

_TOKEN = re.compile(
    r"(?P<kind>[a-z]+)(?::(?P<arg>\w+))?(?:=(?P<source>\w+))?"
    r"(?:@(?P<low>[\d.]+)(?:-(?P<high>[\d.]+))?)?(?:\^(?P<shift>-?\d+))?"
)
_KINDS = ("intro", "theme", "reprise", "part", "solo", "break", "ending")
_ENERGY = {"intro": 0.35, "theme": 0.55, "reprise": 0.8, "part": 0.7, "solo": 0.7, "break": 0.4,
           "ending": 0.6}  # fmt: skip


@dataclass(slots=True)
class _Stretch:
    """Bars, chords and melody from tick 0, before they are placed."""

    bars: tuple[Bar, ...]
    chords: tuple[ChordSpan, ...]
    melody: tuple[MelodyNote, ...] = ()


def plan(sheet: LeadSheet, arrangement: Arrangement, shift: int = 0) -> Plan:
    """Lay out the sections of a work.

    Args:
        sheet: the theme.
        arrangement: how it is played.
        shift: transposition in semitones.

    Raises:
        HouseError: a form token that is not understood.
    """
    tempo = min(max(round(sheet.tempo * arrangement.tempo), 50), 180)
    made = Plan(sheet, arrangement, shift, tempo)
    state = _State(made, shift)
    forms = arrangement.form.split(" / ")
    for token in forms[sheet.number % len(forms)].split():
        match = _TOKEN.fullmatch(token)
        if match is None or match["kind"] not in _KINDS:
            raise HouseError(f"form token {token!r} is not understood", where=arrangement.name)
        state.add(match)
    return made


@dataclass
class _State:
    made: Plan
    shift: int
    turn: int = -1
    stated: dict[str, int] = field(default_factory=dict)

    def add(self, match: re.Match[str]) -> None:
        kind, sheet = match["kind"], self.made.sheet
        low = float(match["low"] or _ENERGY[kind])
        high = float(match["high"] or low)
        self.shift += int(match["shift"] or 0)
        if kind in ("intro", "break", "ending"):
            bars = int(match["arg"] or 4)
            self._add_frame(kind, bars, match["source"], low, high)
            return
        letters = _letters(kind, match["arg"] or "", sheet)
        self.turn += 1
        stated_kind = "solo" if kind == "solo" else "theme"
        grow = (high - low) / len(letters)
        for place, letter in enumerate(letters):
            part = sheet.parts[letter]
            lift = 0.0 if high != low else _lift(sheet, letter, place, len(letters))
            start = min(1.0, low + grow * place + lift)
            name = "solo" if kind == "solo" else letter
            stretch = _Stretch(part.bars, part.chords, part.notes)
            self._place(stretch, stated_kind, name, letter, start, start + grow)

    def _add_frame(self, kind: str, bars: int, source: str | None, low: float, high: float) -> None:
        """An intro, break or ending: chords borrowed from the theme, no melody."""
        sheet = self.made.sheet
        if kind != "ending":
            stretch = _borrow(sheet, bars, source or "tail")
            self._place(stretch, kind, kind, "", low, high)
            return
        body = bars - 1
        if body > 0:
            if source in (None, "cadence"):
                stretch = _cadence(sheet, body)
            else:
                stretch = _borrow(sheet, body, source)
            self._place(stretch, "ending", "ending", "", low, high)
        self._place(_final(sheet, self.made.arrangement), "final", "ending", "", low, high)

    def _place(
        self, stretch: _Stretch, kind: str, name: str, letter: str, low: float, high: float
    ) -> None:
        at = self.made.sections[-1].end if self.made.sections else 0
        bars = tuple(
            replace(b, onset=b.onset + at, key=b.key.transposed(self.shift)) for b in stretch.bars
        )
        chords = tuple(
            replace(c, onset=c.onset + at, symbol=c.symbol.transposed(self.shift))
            for c in stretch.chords
        )
        melody = tuple(
            replace(n, onset=n.onset + at, pitch=n.pitch + self.shift) for n in stretch.melody
        )
        count = self.stated.get(letter, 0)
        if letter:
            self.stated[letter] = count + 1
        section = Section(
            len(self.made.sections), name, kind, letter, count, max(self.turn, 0),
            max(0.0, min(low, 1.0)), max(0.0, min(high, 1.0)), bars, chords, melody,
        )  # fmt: skip
        self.made.sections.append(section)


def _letters(kind: str, arg: str, sheet: LeadSheet) -> str:
    """The parts that a form token plays."""
    form = sheet.form
    if kind == "theme":
        return form
    if kind == "part":
        return arg if arg in sheet.parts else form[-1]
    if kind == "reprise":
        return form if sheet.bar_count <= 16 else _until(sheet, form[::-1])[::-1]
    return _until(sheet, form)


def _until(sheet: LeadSheet, letters: str) -> str:
    """The first letters, as many as stay within 16 bars (one at least)."""
    taken, bars = "", 0
    for letter in letters:
        bars += len(sheet.parts[letter].bars)
        if taken and bars > 16:
            break
        taken += letter
    return taken


def _lift(sheet: LeadSheet, letter: str, place: int, count: int) -> float:
    """A contrasting part is played a little stronger; so is a later one."""
    contrast = 0.08 if letter != sheet.form[0] else 0.0
    return contrast + 0.1 * place / max(count - 1, 1)


def _theme(sheet: LeadSheet) -> _Stretch:
    """The whole theme from tick 0."""
    bars: list[Bar] = []
    chords: list[ChordSpan] = []
    at = 0
    for letter in sheet.form:
        part: Part = sheet.parts[letter]
        bars += [replace(b, onset=b.onset + at) for b in part.bars]
        chords += [replace(c, onset=c.onset + at) for c in part.chords]
        at += part.ticks
    return _Stretch(tuple(bars), tuple(chords))


def _cut(theme: _Stretch, first: int, count: int) -> _Stretch:
    """Bars `first` to `first + count`, moved to tick 0; a chord that reaches in is kept."""
    bars = theme.bars[first : first + count]
    start, end = bars[0].onset, bars[-1].onset + bars[-1].ticks
    chords = []
    for span in theme.chords:
        low, high = max(span.onset, start), min(span.onset + span.duration, end)
        if low < high:
            chords.append(ChordSpan(low - start, high - low, span.symbol))
    return _Stretch(tuple(replace(b, onset=b.onset - start) for b in bars), tuple(chords))


def _borrow(sheet: LeadSheet, count: int, source: str) -> _Stretch:
    """Chords for an intro, break or ending: tail or head of the theme, a vamp or a pedal."""
    theme = _theme(sheet)
    if source == "tail":
        last = len(theme.bars)
        return _turnaround(_cut(theme, last - min(count, last), count), sheet)
    if source == "head":
        return _cut(theme, 0, count)
    bar = replace(theme.bars[0], onset=0)
    bars = tuple(replace(bar, onset=i * bar.ticks) for i in range(count))
    if source == "pedal":
        symbol = theme.chords[0].symbol
        return _Stretch(bars, (ChordSpan(0, count * bar.ticks, symbol),))
    if source != "vamp":
        raise HouseError(f"source {source!r} is not tail, head, vamp, pedal or cadence")
    pair = _vamp_pair(theme, sheet)
    chords = tuple(ChordSpan(i * bar.ticks, bar.ticks, pair[i % 2]) for i in range(count))
    return _Stretch(bars, chords)


def _vamp_pair(theme: _Stretch, sheet: LeadSheet) -> tuple[Chord, Chord]:
    """The first chord and the first one that differs from it."""
    first = theme.chords[0].symbol
    others = [c.symbol for c in theme.chords if c.symbol.root != first.root]
    return first, others[0] if others else first


def _turnaround(stretch: _Stretch, sheet: LeadSheet) -> _Stretch:
    """Turn the last bar of a closing phrase to the dominant, so that the theme can begin."""
    key, bar = stretch.bars[-1].key, stretch.bars[-1]
    opening = sheet.parts[sheet.form[0]].chords[0].symbol
    kept = [c for c in stretch.chords if c.onset < bar.onset]
    kept = [replace(c, duration=min(c.duration, bar.onset - c.onset)) for c in kept]
    dominant = Chord((key.tonic + 7) % 12, "7", (key.tonic + 7) % 12)
    if opening.root != key.tonic:
        dominant = Chord((opening.root + 7) % 12, "7", (opening.root + 7) % 12)
    if key.mode in ("dorian", "mixolydian", "phrygian") and opening.root == key.tonic:
        seventh = (key.tonic + 10) % 12
        dominant = Chord(seventh, "maj", seventh)
    return replace_chords(stretch, [*kept, ChordSpan(bar.onset, bar.ticks, dominant)])


def replace_chords(stretch: _Stretch, chords: list[ChordSpan]) -> _Stretch:
    """The same bars under other chords."""
    return _Stretch(stretch.bars, tuple(chords), stretch.melody)


def tonic_symbol(key: Key, qualities: tuple[str, str]) -> Chord:
    """The key's home chord."""
    return Chord(key.tonic, qualities[1] if key.is_minor else qualities[0], key.tonic)


def _cadence(sheet: LeadSheet, count: int) -> _Stretch:
    """A closing phrase in the last key: home, subdominant, … dominant, one chord a bar."""
    last = _theme(sheet).bars[-1]
    key = last.key
    bars = tuple(replace(last, onset=i * last.ticks) for i in range(count))
    degrees = _CADENCES[key.mode][-count:]
    chords = []
    for place in range(count):
        step, quality = degrees[place % len(degrees)]
        root = (key.tonic + step) % 12
        chords.append(ChordSpan(place * last.ticks, last.ticks, Chord(root, quality, root)))
    return _Stretch(bars, tuple(chords))


_CADENCES: dict[str, tuple[tuple[int, str], ...]] = {
    "major": ((0, "maj"), (9, "m7"), (5, "maj"), (7, "sus4"), (5, "maj"), (2, "m7"), (7, "7")),
    "minor": ((0, "min"), (8, "maj7"), (5, "min"), (7, "sus4"), (8, "maj"), (5, "min"), (7, "7")),
    "dorian": ((0, "min"), (5, "maj"), (0, "min"), (3, "maj"), (5, "maj"), (10, "maj")),
    "mixolydian": ((0, "maj"), (10, "maj"), (5, "maj"), (0, "maj"), (5, "maj"), (10, "maj")),
    "phrygian": ((0, "min"), (1, "maj"), (0, "min"), (8, "maj"), (10, "min"), (1, "maj")),
    "lydian": ((0, "maj"), (2, "maj"), (0, "maj"), (9, "m7"), (2, "maj"), (2, "maj")),
}


def _final(sheet: LeadSheet, arrangement: Arrangement) -> _Stretch:
    """One bar of the home chord, two where bars are short."""
    last = _theme(sheet).bars[-1]
    count = 1 if last.ticks > 3 * TICKS else 2
    bars = tuple(replace(last, onset=i * last.ticks) for i in range(count))
    home = tonic_symbol(last.key, arrangement.final_quality)
    return _Stretch(bars, (ChordSpan(0, count * last.ticks, home),))
