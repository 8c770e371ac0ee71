"""From lead sheet to plan: which sections are played, in which key, at what energy.

An arrangement's form is a line of tokens, ``kind[:number or letters][=source]`` and marks:

    intro:4            bars of introduction; source tail (default), head, vamp, pedal or dominant
    theme              every part of the lead sheet's form, melody stated
    reprise            the whole theme if it is short (to 16 bars), else its last parts, 8 to 16
    part:AB            these parts, melody stated (the last part if there are none such)
    solo, solo:A       chords of the theme (to 16 bars) or of these parts, the melody to be varied
    riff:4             the lead sheet's riff (part R) by itself; what has none plays a vamp
    break:4            accompaniment thinned; source as for intro
    build:4            a break that gathers
    ending:4           source cadence (default), tail, head, vamp, plagal, or tag: the theme's last
                       bars once more, sung; its last bar is the final chord
    fade:8             a vamp, the band thinning out two bars at a time

``@0.3`` sets the energy (0 to 1), ``@0.3-0.9`` makes it grow, ``^2`` transposes and ``*1.1`` speeds
up from here on, ``~held`` slows the last bars down (`SLOWINGS`), ``!`` silences the band under the
last bar. A part's pick-up is sung in the bar before it; one that begins the work has a bar of its
own. Several forms may be given, divided by `` / ``: a theme's number picks one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from gen.errors import HouseError
from starter.arrangement import Arrangement, Plan, Section
from starter.frames import Stretch, borrow, closing, final, riff, turnaround
from starter.leadsheet import RIFF, LeadSheet, Part

_TOKEN = re.compile(
    r"(?P<kind>[a-z]+)(?::(?P<arg>\w+))?(?:=(?P<source>\w+))?"
    r"(?:@(?P<low>[\d.]+)(?:-(?P<high>[\d.]+))?)?(?:\^(?P<shift>-?\d+))?"
    r"(?:\*(?P<pace>[\d.]+))?(?:~(?P<slowing>[a-z]+))?(?P<stops>!)?"
)
_ENERGY = {"intro": 0.35, "theme": 0.55, "reprise": 0.8, "part": 0.7, "solo": 0.7, "break": 0.4,
           "ending": 0.6, "riff": 0.55, "build": 0.5, "fade": 0.5}  # fmt: skip
SLOWINGS = {
    "": (),
    "lingering": (0.95, 0.88, 0.78),
    "held": (0.82,),
    "broad": (0.97, 0.94, 0.9, 0.84, 0.76, 0.66),
    "late": (0.9, 0.7),
    "easing": (0.97, 0.93, 0.9, 0.86),
}
"""Tempo factors of the last bars, by name."""
_FADE_STEP = 2


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
        if match is None or match["kind"] not in _ENERGY:
            raise HouseError(f"form token {token!r} is not understood", where=arrangement.name)
        state.add(match)
    return made


@dataclass
class _State:
    made: Plan
    shift: int
    pace: float = 1.0
    turn: int = -1
    stated: dict[str, int] = field(default_factory=dict)

    def add(self, match: re.Match[str]) -> None:
        kind, slowing = match["kind"], match["slowing"] or ""
        if slowing not in SLOWINGS:
            raise HouseError(f"{slowing!r} is no slowing", mend=" ".join(SLOWINGS))
        low = float(match["low"] or _ENERGY[kind])
        high = float(match["high"] or low)
        self.shift += int(match["shift"] or 0)
        self.pace *= float(match["pace"] or 1)
        if kind in ("theme", "reprise", "part", "solo"):
            self._add_stated(kind, match["arg"] or "", low, high)
        else:
            self._add_frame(kind, int(match["arg"] or 4), match["source"], low, high)
        last = self.made.sections[-1]
        if kind in ("ending", "fade"):
            slowing = slowing or self.made.arrangement.ritardando
        self.made.sections[-1] = replace(last, slowing=slowing, stops=match["stops"] is not None)

    def _add_stated(self, kind: str, arg: str, low: float, high: float) -> None:
        """Parts of the theme, sung or varied."""
        sheet = self.made.sheet
        letters = _letters(kind, arg, sheet)
        self.turn += 1
        grow = (high - low) / len(letters)
        for place, letter in enumerate(letters):
            part = sheet.parts[letter]
            lift = 0.0 if high != low else _lift(sheet, letter, place, len(letters))
            start = min(1.0, low + grow * place + lift)
            if kind == "solo":
                stated, name = "solo", "solo"
            else:
                stated, name = "theme", letter
                self._lead_in(part, start)
            stretch = Stretch(part.bars, part.chords, part.notes)
            self._place(stretch, stated, name, letter, start, start + grow)

    def _lead_in(self, part: Part, energy: float) -> None:
        """Sing a part's pick-up in the bar before it, in a bar of its own where there is none."""
        if not part.pickup:
            return
        if not self.made.sections:
            bar = replace(part.bars[0], onset=0)
            stretch = turnaround(Stretch((bar,), ()), self.made.sheet)
            self._place(stretch, "pickup", part.letter, "", energy, energy)
        before = self.made.sections[-1]
        start = before.end + part.pickup[0].onset
        kept = tuple(
            replace(n, duration=min(n.duration, start - n.onset))
            for n in before.melody
            if n.onset < start
        )
        sung = tuple(
            replace(n, onset=n.onset + before.end, pitch=n.pitch + self.shift) for n in part.pickup
        )
        self.made.sections[-1] = replace(before, melody=kept + sung)

    def _add_frame(self, kind: str, bars: int, source: str | None, low: float, high: float) -> None:
        """What frames the theme: chords borrowed from it, as a rule without its melody."""
        sheet = self.made.sheet
        if kind == "riff":
            name = "interlude" if self.made.sections else "intro"
            self._place(riff(sheet, bars), "riff", name, RIFF, low, high)
        elif kind == "fade":
            self._fade(bars, low, high if high != low else 0.1)
        elif kind == "ending":
            body = bars - 1
            if body > 0:
                self._place(closing(sheet, body, source), "ending", "ending", "", low, high)
            self._place(final(sheet, self.made.arrangement), "final", "ending", "", low, high)
        else:
            stretch = borrow(sheet, bars, source or ("dominant" if kind == "build" else "tail"))
            self._place(stretch, "break" if kind == "build" else kind, kind, "", low, high)

    def _fade(self, bars: int, low: float, high: float) -> None:
        sheet = self.made.sheet
        count = max(bars // _FADE_STEP, 1)
        step = (high - low) / count
        for place in range(count):
            start = low + step * place
            stretch = borrow(sheet, _FADE_STEP, "vamp")
            self._place(stretch, "ending", "ending", "", start, start + step, thin=True)
        last = final(sheet, self.made.arrangement)
        self._place(last, "final", "ending", "", high, high, thin=True)

    def _place(
        self,
        stretch: Stretch,
        kind: str,
        name: str,
        letter: str,
        low: float,
        high: float,
        *,
        thin: bool = False,
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
            shift=self.shift, pace=self.pace, thin=thin,
        )  # fmt: skip
        self.made.sections.append(section)


def _letters(kind: str, arg: str, sheet: LeadSheet) -> str:
    """The parts that a form token plays."""
    form = sheet.form
    if kind == "theme":
        return form
    named = "".join(letter for letter in arg if letter in form)
    if kind == "part" or named:
        return named or form[-1]
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
