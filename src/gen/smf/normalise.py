"""Turns what sequencers export into the strict file that the house signs.

A file that is strict already and keeps one instrument a track stays as it is, byte for byte.
Any other is written anew from what it says, and every change is described in plain words;
what the new file no longer holds (controllers and the like, which the model does not hear
anyway) is named too. The composer's own file is never touched.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TypeVar

from gen.piece import (
    KeySignature,
    Marker,
    Note,
    Pedal,
    Piece,
    Tempo,
    TimeSignature,
    Track,
)
from gen.smf.general_midi import instrument_name, range_of
from gen.smf.lenient import ChannelEvent, RawFile, RawTrack, read_leniently
from gen.smf.mend import Repairs, pair_notes, pair_pedals
from gen.smf.rules import (
    MAX_MICROSECONDS_PER_QUARTER,
    MAX_TICKS_PER_QUARTER,
    MIN_MICROSECONDS_PER_QUARTER,
    MIN_TICKS_PER_QUARTER,
    RuleBroken,
)
from gen.smf.text import decode_text
from gen.smf.unheard import list_unheard
from gen.smf.walk import DRUM_CHANNEL, NoteTuple, parse, read_key_signature, read_time_signature
from gen.smf.writer import write_and_parse

_Event = TypeVar("_Event", Tempo, TimeSignature, KeySignature)

_PITCH_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_KEYSWITCH_MARGIN_SEMITONES = 5
_REPAIRS = {
    "stray-off": "{n} note-off(s) that end nothing left out",
    "doubled": "{n} note(s) doubled at the same moment joined into one",
    "dangling": "{n} note(s) that never ended given an end",
    "overlap": "{n} note(s) shortened to where the same pitch is struck again",
    "empty-hit": "{n} drum hit(s) of no length given a 32nd",
    "empty": "{n} note(s) of no length left out",
}


@dataclass(frozen=True, slots=True)
class Normalised:
    """A strict file and what became of the export it was made from.

    Attributes:
        data: the strict file; the export's own bytes where they were strict.
        piece: what `data` holds.
        changes: what was mended, one sentence each.
        unheard: what the model does not hear, one phrase each.
        advice: what looks odd and was left as it is.
    """

    data: bytes
    piece: Piece
    changes: tuple[str, ...]
    unheard: tuple[str, ...]
    advice: tuple[str, ...] = ()


def normalise(data: bytes) -> Normalised:
    """Make a strict file of an export.

    Raises:
        RuleBroken: the export has no plain reading, or exceeds the strict file's limits.
    """
    raw = read_leniently(data)
    changes = list(raw.remarks)
    repairs = Repairs()
    piece = _Assembly(raw, repairs, changes).piece()
    changes += [_describe(piece, kind, *found) for kind, found in repairs.found.items()]
    unheard, advice = list_unheard(raw, piece), tuple(_advice(piece))
    if not changes and (strict := _parse_strict(raw.music)):
        return Normalised(raw.music, strict, tuple(raw.wrapping), unheard, advice)
    changes = [*raw.wrapping, *changes]
    changes.append("written anew as a strict type-1 file, one track an instrument")
    lost = [line for line in unheard if not line.startswith("timing")]
    if lost:
        changes.append(f"the house's copy leaves out {', '.join(lost)}; your own file keeps them")
    data, piece = write_and_parse(piece)
    return Normalised(data, piece, tuple(changes), unheard, advice)


def _parse_strict(data: bytes) -> Piece | None:
    try:
        return parse(data)
    except RuleBroken:
        return None


class _Assembly:
    """Builds the piece from raw tracks; `changes` receives one sentence a change."""

    def __init__(self, raw: RawFile, repairs: Repairs, changes: list[str]) -> None:
        self.raw = raw
        self.repairs = repairs
        self.changes = changes
        self.new_unit = _fitting_unit(raw.ticks_per_quarter)
        self.channels = [_note_channels(track) for track in raw.tracks]

    def piece(self) -> Piece:
        self._rescale()
        piece = Piece(self.raw.ticks_per_quarter)
        self._conduct(piece)
        for number in range(len(self.raw.tracks)):
            piece.tracks += self._tracks_of(number)
        self._describe_layout(piece)
        return piece

    def _rescale(self) -> None:
        """Bring an extreme resolution into the range the house works with."""
        old, new = self.raw.ticks_per_quarter, self.new_unit
        if old == new:
            return
        self.changes.append(f"resolution changed from {old} to {new} ticks per quarter note")
        for track in self.raw.tracks:
            track.events = [(e[0] * new // old, *e[1:]) for e in track.events]
            track.metas = [(m[0] * new // old, *m[1:]) for m in track.metas]
            track.end_ticks = track.end_ticks * new // old
        self.raw.ticks_per_quarter = new

    def _conduct(self, piece: Piece) -> None:
        """Tempo, signatures and markers, from whichever track holds them."""
        metas = [(tick, i, kind, payload) for i, t in enumerate(self.raw.tracks)
                 for tick, kind, payload in t.metas]  # fmt: skip
        metas.sort(key=lambda meta: meta[0])
        tempos: dict[int, Tempo] = {}
        meters: dict[int, TimeSignature] = {}
        keys: dict[int, KeySignature] = {}
        for tick, number, kind, payload in metas:
            if kind == 0x06 and (text := self._text(payload)):
                piece.markers.append(Marker(tick, text))
            if kind not in (0x51, 0x58, 0x59):
                continue
            if number > 0:
                self._say("tempo, meter and key moved to the first track")
            try:
                if kind == 0x51:
                    self._keep_one(tempos, self._tempo(payload, tick))
                elif kind == 0x58:
                    meter = read_time_signature(_sized(payload, 4), tick, piece.ticks_per_quarter)
                    self._keep_one(meters, meter)
                else:
                    self._keep_one(keys, read_key_signature(_sized(payload, 2), tick))
            except RuleBroken as error:
                self._say(f"an invalid {error.rule.replace('-', ' ')} left out ({error.found})")
        piece.tempos = list(tempos.values())
        piece.time_signatures = list(meters.values())
        piece.key_signatures = list(keys.values())

    def _keep_one(self, events: dict[int, _Event], event: _Event) -> None:
        tick = event.onset_ticks
        if tick in events and events[tick] != event:
            self._say("of several tempos or signatures at one moment the last one kept")
        events[tick] = event

    def _tempo(self, payload: bytes, tick: int) -> Tempo:
        value = int.from_bytes(_sized(payload, 3), "big")
        lowest, highest = MIN_MICROSECONDS_PER_QUARTER, MAX_MICROSECONDS_PER_QUARTER
        if not lowest <= value <= highest:
            self._say("tempos outside 5 to 1000 quarter notes a minute brought into that range")
        return Tempo(tick, min(max(value, lowest), highest))

    def _tracks_of(self, number: int) -> list[Track]:
        """The instruments that one raw track holds, by channel and program."""
        raw = self.raw.tracks[number]
        names = [self._text(payload) for _, kind, payload in raw.metas if kind == 0x03]
        tracks = []
        for channel in sorted(self.channels[number]):
            events = self._events_of(number, channel)
            unit = self.raw.ticks_per_quarter
            parts = pair_notes(events, raw.end_ticks, unit, self.repairs)
            pedals = pair_pedals(events, raw.end_ticks)
            tracks += [
                _track(names[0] if names else "", channel, program, notes, pedals)
                for program, notes in parts.items()
            ]
        return _told_apart(tracks)

    def _events_of(self, number: int, channel: int) -> list[ChannelEvent]:
        """One channel's events, with program and pedal that note-less tracks send to it."""
        own = [e for e in self.raw.tracks[number].events if e[1] & 15 == channel]
        from_others: list[ChannelEvent] = []
        for other, track in enumerate(self.raw.tracks):
            if channel not in self.channels[other]:
                from_others += [e for e in track.events if _is_setup(e, channel)]
        if from_others:
            self._say("programs and pedals sent from other tracks moved to the notes they concern")
            own = sorted([*from_others, *own], key=lambda e: e[0])
        return [e for e in own if channel != DRUM_CHANNEL or e[1] & 0xF0 != 0xC0]

    def _describe_layout(self, piece: Piece) -> None:
        note_bearing = [bool(channels) for channels in self.channels]
        empty = sum(not _says_anything(track) for track in self.raw.tracks[1:])
        if self.raw.format == 0:
            self._say(f"the single track split into {len(piece.tracks)} by channel and program")
        elif len(piece.tracks) > sum(note_bearing):
            self._say("tracks with several channels or programs split, one track an instrument")
        if self.raw.format == 1 and note_bearing and note_bearing[0]:
            self._say("a conductor track put before the first instrument")
        if empty:
            self._say(f"{empty} empty track(s) left out")

    def _text(self, payload: bytes) -> str:
        text = decode_text(payload)
        if text.encode("utf-8") != payload:
            self._say(f"a name or marker read as {text!r} and written as UTF-8")
        return text

    def _say(self, change: str) -> None:
        if change not in self.changes:
            self.changes.append(change)


def _fitting_unit(ticks_per_quarter: int) -> int:
    if ticks_per_quarter < MIN_TICKS_PER_QUARTER:
        return ticks_per_quarter * -(-MIN_TICKS_PER_QUARTER // ticks_per_quarter)
    return min(ticks_per_quarter, MAX_TICKS_PER_QUARTER)


def _sized(payload: bytes, length: int) -> bytes:
    if len(payload) != length:
        raise RuleBroken("meta-event", f"{len(payload)} bytes where {length} belong")
    return payload


def _note_channels(track: RawTrack) -> set[int]:
    """The channels on which a track strikes notes."""
    return {e[1] & 15 for e in track.events if e[1] & 0xF0 == 0x90 and e[3] > 0}


def _is_setup(event: ChannelEvent, channel: int) -> bool:
    """Whether the event sets the channel's program or sustain pedal."""
    return event[1] == 0xC0 | channel or (event[1] == 0xB0 | channel and event[2] == 64)


def _says_anything(track: RawTrack) -> bool:
    return bool(track.events) or any(kind != 0x03 for _, kind, _ in track.metas)


def _track(
    name: str,
    channel: int,
    program: int,
    notes: list[NoteTuple],
    pedals: list[Pedal],
) -> Track:
    is_drum = channel == DRUM_CHANNEL
    track = Track(name, 0 if is_drum else program, is_drum)
    track.notes = [Note(*note) for note in notes]
    track.pedals = list(pedals)
    return track


def _told_apart(tracks: list[Track]) -> list[Track]:
    """Tracks split from one get the instrument's name beside the name they shared."""
    if len(tracks) > 1:
        for track in tracks:
            track.name = f"{track.name} {instrument_name(track.instrument)}".strip()
    return tracks


def _describe(piece: Piece, kind: str, count: int, tick: int, pitch: int) -> str:
    what = _REPAIRS[kind].format(n=f"{count:,}")
    first = "the first: " if count > 1 else ""
    return f"{what} ({first}{note_name(pitch)} in bar {bar_number(piece, tick)})"


def note_name(pitch: int) -> str:
    """A pitch as musicians write it; 60 is C4."""
    return f"{_PITCH_NAMES[pitch % 12]}{pitch // 12 - 1}"


def bar_number(piece: Piece, tick: int) -> int:
    """The bar, counted from 1, that a tick falls in."""
    return max(1, bisect_right(piece.bar_starts(), tick, key=lambda bar: bar[0]))


def _advice(piece: Piece) -> list[str]:
    """Notes so far below an instrument's range that they look like keyswitches."""
    lines = []
    for track in piece.tracks:
        lowest = range_of(track.instrument)[0] - _KEYSWITCH_MARGIN_SEMITONES
        low = sorted({n.pitch for n in track.notes if n.pitch < lowest})
        if low:
            count = sum(n.pitch < lowest for n in track.notes)
            named = ", ".join(note_name(pitch) for pitch in low[:6])
            lines.append(
                f"{count} very low note(s) in '{track.name}' ({named}), below the range of the "
                f"{instrument_name(track.instrument)}: if they switch a sample library's "
                "articulations, delete them before contributing; the model takes them for music"
            )
    return lines
