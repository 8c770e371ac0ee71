"""What a part writer sees: one seat, one section, what the others have written so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from starter.abc import Bar, ChordSpan, MelodyNote
from starter.form import Plan, Seat, Section
from starter.symbols import Key, Symbol


@dataclass(frozen=True, slots=True)
class Tone:
    """A note on its way to the score: `accent` is added to the velocity of its moment."""

    onset: int
    duration: int
    pitch: int
    accent: int = 0

    @property
    def end(self) -> int:
        return self.onset + self.duration


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

    @property
    def kind(self) -> str:
        return self.section.kind

    @property
    def next_section(self) -> Section | None:
        later = self.plan.sections[self.section.index + 1 :]
        return later[0] if later else None

    def chord_at(self, tick: int) -> Symbol:
        """The chord that sounds at a tick of this section."""
        sounding = [c for c in self.chords if c.onset <= tick]
        return (sounding or [self.chords[0]])[-1].symbol

    def chord_after(self, tick: int) -> Symbol:
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


def fold(pitch: int, low: int, high: int) -> int:
    """The pitch moved by octaves until it lies in low…high (a span of an octave or more)."""
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch


def nearest(pitch_class: int, near: int, low: int, high: int) -> int:
    """The pitch of a class closest to `near` within low…high."""
    choices = [p for p in range(low, high + 1) if p % 12 == pitch_class % 12]
    return min(choices, key=lambda p: (abs(p - near), p))


def sounding(tones: Iterable[Tone], onset: int, end: int) -> list[Tone]:
    """Tones that overlap onset…end."""
    return [t for t in tones if t.onset < end and t.end > onset]


def merge_repeats(tones: list[Tone]) -> list[Tone]:
    """Tie a pitch that is struck again exactly when it ends: common tones are held."""
    held: dict[int, Tone] = {}
    done: list[Tone] = []
    for tone in sorted(tones, key=lambda t: (t.onset, t.pitch)):
        before = held.get(tone.pitch)
        if before is not None and before.end == tone.onset:
            held[tone.pitch] = replace(before, duration=before.duration + tone.duration)
            continue
        if before is not None:
            done.append(before)
        held[tone.pitch] = tone
    return sorted([*done, *held.values()], key=lambda t: (t.onset, t.pitch))
