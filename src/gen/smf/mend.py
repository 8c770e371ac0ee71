"""Turns note-ons and note-offs as sequencers leave them into notes that cannot clash."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from gen.piece import DRUM_PROGRAM, Note, Pedal
from gen.smf.lenient import ChannelEvent
from gen.smf.walk import NoteTuple

_SUSTAIN = 64
_LONGEST_DANGLING_QUARTERS = 4
NEVER = 1 << 62
"""A tick after all."""

Change = tuple[int, int]
"""The tick from which on an instrument plays, and the instrument."""


@dataclass(slots=True)
class Repairs:
    """What was mended: kind of repair → (how often, tick and pitch of the first)."""

    found: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def note(self, kind: str, tick: int, pitch: int) -> None:
        """Count one repair; the earliest is kept as the example."""
        count, first_tick, first_pitch = self.found.get(kind, (0, tick, pitch))
        if tick < first_tick:
            first_tick, first_pitch = tick, pitch
        self.found[kind] = (count + 1, first_tick, first_pitch)


@dataclass(slots=True)
class _OpenNote:
    onset: int
    velocity: int
    instrument: int
    pitch: int
    end: int | None = None


def pair_notes(
    channels: Mapping[int, list[ChannelEvent]],
    instruments: Mapping[int, Sequence[Change]],
    end_ticks: int,
    ticks_per_quarter: int,
    repairs: Repairs,
) -> dict[int, list[NoteTuple]]:
    """The notes of a line, by instrument; none clash, none is empty.

    The first note-off ends the note that began first; what none ends, the channel's next "all
    notes off" does. A note keeps the instrument it began with.

    Args:
        channels: note-ons, note-offs and silences of each channel of the line, in order of time.
        instruments: what plays each channel, and from which tick on; the first from tick 0.
        end_ticks: where the track ends.
        ticks_per_quarter: the file's resolution.
        repairs: receives what was mended.
    """
    notes = [
        note
        for channel, events in channels.items()
        for note in _match(events, instruments[channel], repairs)
    ]
    if len(channels) > 1:
        notes.sort(key=lambda note: note.onset)
    by_key: dict[tuple[int, int], list[_OpenNote]] = {}
    for sounding in notes:
        by_key.setdefault((sounding.instrument, sounding.pitch), []).append(sounding)
    result: dict[int, list[NoteTuple]] = {}
    for (instrument, _), line in by_key.items():
        line = _merge_doubled(line, repairs)
        _end_dangling(line, end_ticks, ticks_per_quarter, repairs)
        _cut_overlaps(line, repairs)
        if instrument == DRUM_PROGRAM:
            _lengthen_empty(line, ticks_per_quarter, repairs)
        result.setdefault(instrument, []).extend(_without_empty(line, repairs))
    return {instrument: sorted(found) for instrument, found in result.items() if found}


def join_notes(one: Iterable[Note], other: Iterable[Note], repairs: Repairs) -> list[Note]:
    """Both parts' notes as one part's, which cannot strike a sounding pitch again."""
    by_pitch: dict[int, list[_OpenNote]] = {}
    for note in sorted([*one, *other]):
        sounding = _OpenNote(note.onset_ticks, note.velocity, 0, note.pitch, note.end_ticks)
        by_pitch.setdefault(note.pitch, []).append(sounding)
    joined: list[NoteTuple] = []
    for line in by_pitch.values():
        line = _merge_doubled(line, repairs)
        _cut_overlaps(line, repairs)
        joined += _without_empty(line, repairs)
    return [Note(*note) for note in sorted(joined)]


def pair_pedals(events: list[ChannelEvent], end_ticks: int) -> list[Pedal]:
    """Stretches in which the sustain pedal (controller 64) of one channel is down."""
    pedals: list[Pedal] = []
    down: int | None = None
    for tick, status, number, value in [*events, (end_ticks, 0xB0, _SUSTAIN, 0)]:
        if status & 0xF0 != 0xB0 or number != _SUSTAIN:
            continue
        if value >= 64:
            down = tick if down is None else down
        elif down is not None:
            if tick > down:
                pedals.append(Pedal(down, tick - down))
            down = None
    return pedals


def _match(
    events: list[ChannelEvent], instruments: Sequence[Change], repairs: Repairs
) -> list[_OpenNote]:
    notes: list[_OpenNote] = []
    waiting: dict[int, deque[_OpenNote]] = {}
    last_off: dict[int, int] = {}
    silences: list[int] = []
    changes = iter([*instruments[1:], (NEVER, 0)])
    (_, instrument), (next_tick, following) = instruments[0], next(changes)
    for tick, status, first, second in events:
        while tick >= next_tick:
            instrument = following
            next_tick, following = next(changes)
        if status & 0xF0 == 0xB0:
            silences.append(tick)
        elif status & 0xF0 == 0x90 and second:
            sounding = _OpenNote(tick, second, instrument, first)
            notes.append(sounding)
            waiting.setdefault(first, deque()).append(sounding)
        else:
            last_off[first] = tick
            if waiting.get(first):
                waiting[first].popleft().end = tick
            else:
                repairs.note("stray-off", tick, first)
    for pitch, left in waiting.items():
        for sounding in left:
            if sounding.onset < last_off.get(pitch, 0):
                sounding.end = last_off[pitch]
            else:
                sounding.end = next((tick for tick in silences if tick > sounding.onset), None)
    return notes


def _merge_doubled(line: list[_OpenNote], repairs: Repairs) -> list[_OpenNote]:
    """Notes that begin together become one: the longest, at the loudest velocity."""
    merged: list[_OpenNote] = []
    for note in line:
        if merged and merged[-1].onset == note.onset:
            repairs.note("doubled", note.onset, note.pitch)
            kept = merged[-1]
            kept.velocity = max(kept.velocity, note.velocity)
            ends = [end for end in (kept.end, note.end) if end is not None]
            kept.end = max(ends, default=None)
        else:
            merged.append(note)
    return merged


def _end_dangling(
    line: list[_OpenNote], end_ticks: int, ticks_per_quarter: int, repairs: Repairs
) -> None:
    for note, following in zip(line, [*line[1:], None], strict=True):
        if note.end is None:
            repairs.note("dangling", note.onset, note.pitch)
            latest = note.onset + _LONGEST_DANGLING_QUARTERS * ticks_per_quarter
            if end_ticks > note.onset:
                latest = min(latest, end_ticks)
            note.end = min(latest, following.onset) if following else latest


def _cut_overlaps(line: list[_OpenNote], repairs: Repairs) -> None:
    for note, following in pairwise(line):
        if note.end is not None and note.end > following.onset:
            repairs.note("overlap", note.onset, note.pitch)
            note.end = following.onset


def _lengthen_empty(line: list[_OpenNote], ticks_per_quarter: int, repairs: Repairs) -> None:
    for note, following in zip(line, [*line[1:], None], strict=True):
        if note.end == note.onset:
            repairs.note("empty-hit", note.onset, note.pitch)
            end = note.onset + max(1, ticks_per_quarter // 8)
            note.end = min(end, following.onset) if following else end


def _without_empty(line: list[_OpenNote], repairs: Repairs) -> list[NoteTuple]:
    kept = []
    for note in line:
        assert note.end is not None  # noqa: S101 - ended above
        if note.end > note.onset:
            kept.append((note.onset, note.end - note.onset, note.pitch, note.velocity))
        else:
            repairs.note("empty", note.onset, note.pitch)
    return kept
