"""What an arrangement is made of: seats and their part writers, sections, what a writer sees.

An `Arrangement` seats an ensemble; `starter.form` lays a lead sheet out as a `Plan` of sections;
each seat's `PartWriter` is given a `Scene` (one seat, one section) and returns its tones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from gen.harmony import Chord, Key
from starter.instruments import playing_range
from starter.leadsheet import TICKS, Bar, ChordSpan, LeadSheet, MelodyNote
from starter.tones import Tone, fold

T = TypeVar("T")
PartWriter = Callable[["Scene"], list[Tone]]
"""Writes one seat's tones for one section."""


@dataclass(frozen=True, slots=True)
class Seat:
    """An instrument in the ensemble and what it plays.

    Args:
        name: track name, unique in its arrangement.
        program: General MIDI program (ignored for drums).
        role: one of `gen.piece.ROLES`; "drums" makes it the drum kit.
        part: the writer, called once per section.
        span: lowest and highest pitch to use; the instrument's range when None.
        level: velocity above or below the ensemble.
        pedal: sustain pedal held from chord to chord.
        enters: lowest section energy at which it plays (0: always).
        silent_in: section kinds it sits out ("intro", "break", …).
    """

    name: str
    program: int
    role: str
    part: PartWriter
    span: tuple[int, int] | None = None
    level: int = 0
    pedal: bool = False
    enters: float = 0.0
    silent_in: tuple[str, ...] = ()

    @property
    def is_drum(self) -> bool:
        return self.role == "drums"

    @property
    def low(self) -> int:
        return self.span[0] if self.span else playing_range(self.program)[0]

    @property
    def high(self) -> int:
        return self.span[1] if self.span else playing_range(self.program)[1]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """One way to play a genre's lead sheets.

    Args:
        name: a few words, "string quartet": title suffix and part of the work's name.
        seats: the ensemble, 3 to 8.
        form: see the module's docstring.
        tempo: factor on the lead sheet's tempo.
        shifts: transpositions in semitones to choose from.
        swing: where the second half of a swung unit falls: 1/2 straight, 2/3 triplets.
        swing_unit: the pair's length in ticks: 480 swings eighths, 240 swings sixteenths.
        humanise: ticks of timing noise at most (musical onsets are 40 ticks apart).
        ritardando: how it slows down at the end (see `starter.form`); "" for not at all.
        final_quality: chord qualities of the last chord for major and minor.
        meters: meters it can play; empty for all.
    """

    name: str
    seats: tuple[Seat, ...]
    form: str = "intro:4 theme reprise ending:4"
    tempo: float = 1.0
    shifts: tuple[int, ...] = (0,)
    swing: float = 0.5
    swing_unit: int = TICKS
    humanise: int = 5
    ritardando: str = ""
    final_quality: tuple[str, str] = ("maj", "min")
    meters: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of the plan. Times are absolute ticks; chords and melody are transposed.

    `name` is what the marker says; `kind` one of pickup, intro, riff, theme, solo, break, ending,
    final (the last bar); `letter` the part whose chords it plays; `statement` how many times this
    letter was stated before; `turn` the form token's place among those that state melody.
    `shift` is its transposition in semitones, `pace` a factor on the tempo; with `slowing` its
    last bars slow down, with `stops` the band is silent under the lead's last bar, and a `thin`
    one is played, be it the last, only by seats whose `enters` it reaches; of the last chord
    melody and bass are always there.
    """

    index: int
    name: str
    kind: str
    letter: str
    statement: int
    turn: int
    energy: float
    energy_end: float
    bars: tuple[Bar, ...]
    chords: tuple[ChordSpan, ...]
    melody: tuple[MelodyNote, ...]
    shift: int = 0
    pace: float = 1.0
    slowing: str = ""
    stops: bool = False
    thin: bool = False

    @property
    def onset(self) -> int:
        return self.bars[0].onset

    @property
    def end(self) -> int:
        return self.bars[-1].onset + self.bars[-1].ticks


@dataclass(slots=True)
class Plan:
    """A whole work before any instrument has played."""

    sheet: LeadSheet
    arrangement: Arrangement
    shift: int
    tempo: float
    sections: list[Section] = field(default_factory=list)

    @property
    def bars(self) -> list[Bar]:
        return [bar for section in self.sections for bar in section.bars]

    @property
    def chords(self) -> list[ChordSpan]:
        return [span for section in self.sections for span in section.chords]

    @property
    def melody(self) -> list[MelodyNote]:
        return [note for section in self.sections for note in section.melody]

    @property
    def end(self) -> int:
        return self.sections[-1].end


@dataclass(slots=True)
class Scene:
    """One seat's task: write the tones of one section.

    Args:
        plan: the whole work.
        section: the section to write.
        seat: who plays.
        rng: the same for every return of a part's letter, so that figures come back.
        vary: different in every section, for what should not repeat exactly.
        memory: kept from section to section by this seat (voice leading, figures chosen).
        band: what the seats before this one have written in this section.
        stage: "theme" holds the lead as played in this section, once it is written.
    """

    plan: Plan
    section: Section
    seat: Seat
    rng: Random
    vary: Random
    memory: dict[str, Any]
    band: dict[str, list[Tone]] = field(default_factory=dict)
    stage: dict[str, list[Tone]] = field(default_factory=dict)

    @property
    def bars(self) -> tuple[Bar, ...]:
        return self.section.bars

    @property
    def chords(self) -> tuple[ChordSpan, ...]:
        return self.section.chords

    @property
    def melody(self) -> tuple[MelodyNote, ...]:
        """The section's theme as composed (transposed, not yet laid for any instrument)."""
        return self.section.melody

    @property
    def energy(self) -> float:
        return self.section.energy

    def at_energy(self, usual: T, lively: T | None, from_energy: float) -> T:
        """What is played here: `lively`, where there is such, from that energy up."""
        return usual if lively is None or self.energy < from_energy else lively

    @property
    def kind(self) -> str:
        return self.section.kind

    @property
    def next_section(self) -> Section | None:
        later = self.plan.sections[self.section.index + 1 :]
        return later[0] if later else None

    def chord_at(self, tick: int) -> Chord:
        """The chord that sounds at a tick of this section."""
        sounding = [c for c in self.chords if c.onset <= tick]
        return (sounding or [self.chords[0]])[-1].symbol

    def chord_after(self, tick: int) -> Chord:
        """The next chord to begin after a tick; the section after supplies the last one."""
        for span in self.chords:
            if span.onset > tick:
                return span.symbol
        following = self.next_section
        return following.chords[0].symbol if following else self.chords[-1].symbol

    def key_at(self, tick: int) -> Key:
        sounding = [b for b in self.bars if b.onset <= tick]
        return (sounding or [self.bars[0]])[-1].key

    def bar_at(self, tick: int) -> Bar:
        sounding = [b for b in self.bars if b.onset <= tick]
        return (sounding or [self.bars[0]])[-1]

    def fold(self, pitch: int) -> int:
        """The pitch moved by octaves into the seat's span."""
        return fold(pitch, self.seat.low, self.seat.high)

    def lead(self) -> list[Tone]:
        """The theme as it is played in this section (as composed, while nobody has yet)."""
        written = self.stage.get("theme")
        if written is not None:
            return written
        return [Tone(n.onset, n.duration, n.pitch) for n in self.melody]

    def others(self, *roles: str) -> list[Tone]:
        """Tones written so far by seats of these roles (all when none is named)."""
        found: list[Tone] = []
        for name, tones in self.band.items():
            if not roles or self._role(name) in roles:
                found += tones
        return sorted(found, key=lambda t: (t.onset, t.pitch))

    def _role(self, name: str) -> str:
        return next(s.role for s in self.plan.arrangement.seats if s.name == name)
