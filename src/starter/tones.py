"""A note as part writers make it, and what is often asked of several."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


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
