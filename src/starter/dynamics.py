"""From tones to notes: velocity, swing, a little human unevenness."""

from __future__ import annotations

import math
from random import Random

from gen.piece import Note
from starter.arrangement import Plan, Seat, Section
from starter.leadsheet import Bar
from starter.meters import weight
from starter.tones import Tone

ROLE_LEVELS = {
    "main_melody": 8, "sub_melody": -3, "accompaniment": -9, "bass": -2, "pad": -16,
    "riff": -4, "drums": -2,
}  # fmt: skip
QUIETEST, LOUDEST = 20, 122
PHRASE_BARS = 4


def perform(plan: Plan, seat: Seat, section: Section, tones: list[Tone], rng: Random) -> list[Note]:
    """One seat's tones of one section as notes, with velocity and time as played."""
    notes = []
    for tone in sorted(tones, key=lambda t: (t.onset, t.pitch)):
        bar = _bar_at(section, tone.onset)
        velocity = _velocity(seat, section, bar, tone) + rng.randint(-3, 3)
        velocity = min(max(velocity, QUIETEST), LOUDEST)
        onset, end = (_swung(plan, bar, tick) for tick in (tone.onset, tone.end))
        noise = 2 if seat.is_drum else plan.arrangement.humanise
        onset = max(0, onset + round(rng.triangular(-noise, noise, 0)))
        notes.append(Note(onset, max(end - onset, 30), tone.pitch, velocity))
    return notes


def _bar_at(section: Section, tick: int) -> Bar:
    found = [b for b in section.bars if b.onset <= tick]
    return found[-1] if found else section.bars[0]


def _velocity(seat: Seat, section: Section, bar: Bar, tone: Tone) -> int:
    """Energy of the moment, metric weight, the swell of a four-bar phrase, the tone's accent."""
    span = max(section.end - section.onset, 1)
    place = min(max((tone.onset - section.onset) / span, 0.0), 1.0)
    energy = section.energy + (section.energy_end - section.energy) * place
    index = section.bars.index(bar)
    within = (index % PHRASE_BARS + (tone.onset - bar.onset) / bar.ticks) / PHRASE_BARS
    swell = 5.0 * math.sin(math.pi * min(max(within, 0.0), 1.0))
    metric = 7.0 * (weight(bar.meter, tone.onset - bar.onset) - 0.4)
    level = ROLE_LEVELS[seat.role] + seat.level + tone.accent
    return round(52 + 44 * energy + swell + metric + level)


def _swung(plan: Plan, bar: Bar, tick: int) -> int:
    """The tick with the second half of each swung pair delayed; triplets stay."""
    arrangement = plan.arrangement
    unit = arrangement.swing_unit
    if arrangement.swing == 0.5 or bar.meter[1] == 8:
        return tick
    start, place = tick - (tick - bar.onset) % unit, (tick - bar.onset) % unit
    if place * 3 % unit == 0:
        return tick
    half = unit / 2
    middle = unit * arrangement.swing
    if place <= half:
        return start + round(place * middle / half)
    return start + round(middle + (place - half) * (unit - middle) / half)


def separate(notes: list[Note], end: int) -> list[Note]:
    """Cut notes so that no pitch sounds over itself and nothing outlasts the piece."""
    made: list[Note] = []
    last: dict[int, int] = {}
    for note in sorted(notes):
        if note.onset_ticks >= end:
            continue
        before = last.get(note.pitch)
        if before is not None and made[before].end_ticks > note.onset_ticks:
            old = made[before]
            length = note.onset_ticks - old.onset_ticks
            if length < 20:  # struck twice at one moment: keep the first
                continue
            made[before] = Note(old.onset_ticks, length, old.pitch, old.velocity)
        last[note.pitch] = len(made)
        length = min(note.duration_ticks, end - note.onset_ticks)
        made.append(Note(note.onset_ticks, length, note.pitch, note.velocity))
    return sorted(made)
