"""Turns what sequencers export into the strict file that the house signs.

A file that is strict already and keeps one instrument a track stays as it is, byte for byte.
Any other is written anew from what it says, and every change is described in plain words;
what the new file no longer holds (controllers and the like, which the model does not hear
anyway) is named too. The composer's own file is never touched.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from gen.errors import shortened
from gen.piece import (
    DRUM_PROGRAM,
    KeySignature,
    Marker,
    Piece,
    Tempo,
    TimeSignature,
)
from gen.smf.bars import look_at_time, set_bar_lines
from gen.smf.doubts import look_at_instruments, unsure
from gen.smf.general_midi import instrument_name, range_of
from gen.smf.lenient import RawFile, read_leniently
from gen.smf.mend import Repairs
from gen.smf.parts import Origin, PartReader, TrackPart, hold_in_model
from gen.smf.rules import (
    CONTRIBUTE,
    EXPORT,
    MAX_MICROSECONDS_PER_QUARTER,
    MAX_TICKS_PER_QUARTER,
    MIN_MICROSECONDS_PER_QUARTER,
    MIN_TICKS_PER_QUARTER,
    RuleBroken,
)
from gen.smf.text import decode_text
from gen.smf.unheard import list_events, list_unheard
from gen.smf.walk import parse, read_key_signature, read_time_signature
from gen.smf.writer import write_and_parse

_Event = TypeVar("_Event", Tempo, TimeSignature, KeySignature)

_PITCH_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_KEYSWITCH_MARGIN_SEMITONES = 5
_SHOWN_TRACKS = 4
_CLICKS = frozenset(
    ["click", "metronome", "metronom", "klick", "clic", "metronomo", "métronome", "metrónomo"]
)
_MOST_LETTERS = 60
NO_LENGTH = "note(s) of no length left out"
_REPAIRS = {
    "stray-off": "{n} note-off(s) that end nothing left out",
    "doubled": "{n} note(s) doubled at the same moment joined into one",
    "dangling": "{n} note(s) that never ended given an end",
    "overlap": "{n} note(s) shortened to where the same pitch is struck again",
    "empty-hit": "{n} drum hit(s) of no length given a 32nd",
    "empty": f"{{n}} {NO_LENGTH}",
}
_TEXT, _NAME, _MARKER, _CUE = 0x01, 0x03, 0x06, 0x07
_CONDUCTOR = (0x51, 0x58, 0x59)
_LEFT_OUT = (
    "the house's copy leaves out the events that the model does not hear; your own file keeps them"
)
_WRITTEN_ANEW = "written anew as a strict type-1 file, one track an instrument"


@dataclass(frozen=True, slots=True)
class Normalised:
    """A strict file and what became of the export it was made from.

    Attributes:
        data: the strict file; the export's own bytes where they were strict.
        piece: what `data` holds.
        changes: what was mended, one sentence each.
        unheard: what the model does not hear, one phrase each.
        advice: what looks odd and was left as it is, or guessed.
        unsure: the tracks, counted from 0, whose instrument a person should confirm.
        cues: cue points, and plain texts of the first track, which may name sections.
        origins: where in the export the notes of each track stand, in its own ticks.
    """

    data: bytes
    piece: Piece
    changes: tuple[str, ...]
    unheard: tuple[str, ...]
    advice: tuple[str, ...] = ()
    unsure: tuple[int, ...] = ()
    cues: tuple[Marker, ...] = ()
    origins: tuple[tuple[Origin, ...], ...] = ()


def normalise(data: bytes) -> Normalised:
    """Make a strict file of an export.

    Raises:
        RuleBroken: the export has no plain reading, or exceeds the strict file's limits.
    """
    try:
        return _Normaliser(read_leniently(data)).normalised()
    except RuleBroken as error:
        if error.mend == CONTRIBUTE:  # that is what was just tried
            raise RuleBroken(**{**error.to_dict(), "mend": EXPORT}) from error
        raise


def with_instruments(found: Normalised, instruments: Sequence[int]) -> Normalised:
    """The same music played by other instruments, one a track: 0-127, or `DRUM_PROGRAM`.

    What a person states is no longer in doubt.
    """
    piece = found.piece
    tracks = [
        replace(track, program=0 if i == DRUM_PROGRAM else i, is_drum=i == DRUM_PROGRAM)
        for track, i in zip(piece.tracks, instruments, strict=True)
    ]
    stated = [
        f"'{new.name or number}' {instrument_name(new.instrument)}"
        for number, (new, old) in enumerate(zip(tracks, piece.tracks, strict=True), 1)
        if new.instrument != old.instrument
    ]
    if not stated:
        return replace(found, unsure=())
    data, piece = write_and_parse(replace(piece, tracks=tracks), has_ports=True)
    said = f"instruments set as stated: {', '.join(stated)}"
    anew = () if _WRITTEN_ANEW in found.changes else (_WRITTEN_ANEW,)
    return replace(found, data=data, piece=piece, changes=(*found.changes, said, *anew), unsure=())


class _Normaliser:
    """Builds the strict file from raw tracks; `changes` receives one sentence a change."""

    def __init__(self, raw: RawFile) -> None:
        self.raw = raw
        self.original_unit = raw.ticks_per_quarter
        self.changes = list(raw.remarks)
        self.repairs = Repairs()
        self.texts: list[str] = []
        self.invalid: dict[str, list[str]] = {}

    def normalised(self) -> Normalised:
        piece, parts = self._piece()
        unheard = list_unheard(self.raw, piece)
        music = (*look_at_time(piece), *_keyswitches(piece), *_clicks(piece))
        advice = (*look_at_instruments(parts), *music)
        found = Normalised(b"", piece, (), unheard, advice, unsure(parts), self._cues(piece))
        found = replace(found, origins=self._origins(parts))
        if not self.changes and (strict := _parse_strict(self.raw.music)):
            if strict.tracks == piece.tracks:
                wrapping = tuple(self.raw.wrapping)
                return replace(found, data=self.raw.music, piece=strict, changes=wrapping)
            self._describe_difference(strict, piece)
        silent = sum(not t.notes and t.number > 0 for t in self.raw.tracks)
        left_out = [f"{silent} track(s) without notes left out"] if silent else []
        changes = [*self.raw.wrapping, *self.changes, *left_out, _WRITTEN_ANEW]
        if list_events(self.raw):
            changes.append(_LEFT_OUT)
        data, piece = write_and_parse(piece, has_ports=True)
        return replace(found, data=data, piece=piece, changes=tuple(changes))

    def _origins(self, parts: list[TrackPart]) -> tuple[tuple[Origin, ...], ...]:
        new, old = self.raw.ticks_per_quarter, self.original_unit
        return tuple(tuple(o.scaled(old, new) for o in part.origins) for part in parts)

    def _describe_difference(self, strict: Piece, piece: Piece) -> None:
        """What a file says that no single track of it does."""
        drums = [[track.is_drum for track in one.tracks] for one in (strict, piece)]
        if drums[0] != drums[1]:
            self._say("parts that a bank or a message makes drums, or no drums, written as such")
        if drums[0] == drums[1] or self.reader.reached_others:
            self._say("programs and pedals of a channel brought to every track that plays on it")

    def _piece(self) -> tuple[Piece, list[TrackPart]]:
        self._rescale()
        self.reader = PartReader(self.raw, self.repairs)
        piece = Piece(self.raw.ticks_per_quarter)
        self._conduct(piece)
        parts = self.reader.parts()
        self._describe_layout(parts)
        joined = hold_in_model(parts, self.repairs)
        piece.tracks = [part.track for part in parts]
        self._describe_texts()
        moved = set_bar_lines(piece) if piece.note_count else ""
        self.changes += filter(None, (joined, moved))
        repairs = self.repairs.found
        self.changes += [_describe(piece, kind, *found) for kind, found in repairs.items()]
        return piece, parts

    def _rescale(self) -> None:
        """Bring an extreme resolution into the range the house works with."""
        old, new = self.raw.ticks_per_quarter, _fitting_unit(self.raw.ticks_per_quarter)
        if old == new:
            return
        self.changes.append(f"resolution changed from {old} to {new} ticks per quarter note")
        for track in self.raw.tracks:
            track.notes = {
                channel: [(e[0] * new // old, *e[1:]) for e in events]
                for channel, events in track.notes.items()
            }
            track.setups = [(e[0] * new // old, *e[1:]) for e in track.setups]
            track.metas = [(m[0] * new // old, *m[1:]) for m in track.metas]
            track.system_messages = [(m[0] * new // old, *m[1:]) for m in track.system_messages]
            track.end_ticks = track.end_ticks * new // old
        self.raw.ticks_per_quarter = new

    def _conduct(self, piece: Piece) -> None:
        """Tempo, signatures and markers, from whichever track holds them."""
        metas = [(tick, track.number, kind, payload) for track in self.raw.tracks
                 for tick, kind, payload in track.metas]  # fmt: skip
        metas.sort(key=lambda meta: meta[0])
        tempos: dict[int, Tempo] = {}
        meters: dict[int, TimeSignature] = {}
        keys: dict[int, KeySignature] = {}
        for tick, number, kind, payload in metas:
            if kind == _MARKER and (text := self._text(payload)):
                piece.markers.append(Marker(tick, text))
            if kind not in _CONDUCTOR:
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
                self.invalid.setdefault(error.rule.replace("-", " "), []).append(error.found)
        for what, found in self.invalid.items():
            how_many = f"an invalid {what}" if len(found) == 1 else f"{len(found)} invalid {what}s"
            self._say(f"{how_many} left out ({found[0]})")
        piece.tempos = list(tempos.values())
        piece.time_signatures = list(meters.values())
        piece.key_signatures = list(keys.values())

    def _cues(self, piece: Piece) -> tuple[Marker, ...]:
        factor = piece.ticks_per_quarter // self.raw.ticks_per_quarter
        return tuple(
            Marker(tick * factor, decode_text(payload))
            for track in self.raw.tracks
            for tick, kind, payload in track.metas
            if kind == _CUE or (kind == _TEXT and track.number == 0)
        )

    def _keep_one(self, events: dict[int, _Event], event: _Event) -> None:
        tick = event.onset_ticks
        if tick in events and events[tick] != event:
            self._say("of several tempos or signatures at one moment the last one kept")
        events[tick] = event

    def _tempo(self, payload: bytes, tick: int) -> Tempo:
        value = int.from_bytes(_sized(payload, 3), "big")
        lowest, highest = MIN_MICROSECONDS_PER_QUARTER, MAX_MICROSECONDS_PER_QUARTER
        if value == 0:
            raise RuleBroken("tempo", "0 microseconds a quarter note")
        if not lowest <= value <= highest:
            self._say("tempos outside 5 to 1000 quarter notes a minute brought into that range")
        return Tempo(tick, min(max(value, lowest), highest))

    def _describe_layout(self, parts: list[TrackPart]) -> None:
        note_bearing = [bool(track.notes) for track in self.raw.tracks]
        if self.raw.format == 0 and len(parts) > 1:
            self._say(f"the single track split into {len(parts)} by channel and program")
        elif len(parts) > sum(note_bearing):
            self._say("tracks with several channels or programs split, one track an instrument")
        if self.raw.format == 1 and note_bearing and note_bearing[0]:
            self._say("a conductor track put before the first instrument")
        if self.raw.empty_tracks:
            self._say(f"{self.raw.empty_tracks} empty track(s) left out")
        if joined := self.reader.joined_channels:
            lines = f"a line spread over {joined[0]} channels (MPE) joined into one track"
            if len(joined) > 1:
                lines = f"{len(joined)} lines spread over several channels each (MPE) joined"
            self._say(lines)
        if self.changes and self.reader.reached_others:
            self._say("programs and pedals of a channel brought to every track that plays on it")
        named = sum(part.named is not None and not part.is_told for part in parts)
        if named:
            self._say(f"{named} instrument(s) that the file does not choose taken from track names")

    def _describe_texts(self) -> None:
        """Say which names and markers were no clean UTF-8."""
        for track in self.raw.tracks:
            for _, kind, payload in track.metas:
                if kind == _NAME:
                    self._text(payload)
        if self.texts:
            count = len(self.texts)
            what = "a name or marker" if count == 1 else f"{count} names or markers"
            texts = [f"'{text}'" for text in dict.fromkeys(self.texts)]
            shown = ", ".join([*texts[:3], *(["…"] if len(texts) > 3 else [])])
            self._say(f"{what} read as {shown} and written as UTF-8")

    def _text(self, payload: bytes) -> str:
        text = decode_text(payload)
        if text.encode("utf-8") != payload:
            self.texts.append(text or "(nothing)")
        return text

    def _say(self, change: str) -> None:
        if change not in self.changes:
            self.changes.append(change)


def _parse_strict(data: bytes) -> Piece | None:
    try:
        return parse(data)
    except RuleBroken:
        return None


def _fitting_unit(ticks_per_quarter: int) -> int:
    if ticks_per_quarter < MIN_TICKS_PER_QUARTER:
        return ticks_per_quarter * -(-MIN_TICKS_PER_QUARTER // ticks_per_quarter)
    return min(ticks_per_quarter, MAX_TICKS_PER_QUARTER)


def _sized(payload: bytes, length: int) -> bytes:
    if len(payload) != length:
        raise RuleBroken("meta-event", f"{len(payload)} bytes where {length} belong")
    return payload


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


def _keyswitches(piece: Piece) -> list[str]:
    """Notes so far below an instrument's range that they look like keyswitches."""
    places = []
    for number, track in enumerate(piece.tracks, 1):
        lowest = range_of(track.instrument)[0] - _KEYSWITCH_MARGIN_SEMITONES
        low = [n.pitch for n in track.notes if n.pitch < lowest]
        if low:
            pitches = ", ".join(note_name(pitch) for pitch in sorted(set(low))[:6])
            instrument = instrument_name(track.instrument)
            name = shortened(track.name, _MOST_LETTERS) or number
            what = f"in '{name}' ({pitches}), below the range of the {instrument}"
            places.append((len(low), what))
    if not places:
        return []
    where = "; ".join(what for _, what in places[:_SHOWN_TRACKS])
    more = len(places) - _SHOWN_TRACKS
    return [
        f"{sum(count for count, _ in places):,} very low note(s) {where}"
        f"{f'; and in {more} more' if more > 0 else ''}: if they switch a sample library's "
        "articulations, delete them before contributing; the model takes them for music"
    ]


def _clicks(piece: Piece) -> list[str]:
    """Tracks that are named as metronomes are."""
    named = (re.sub(r"[\W\d_]+", " ", track.name).split() for track in piece.tracks)
    found = [
        f"'{shortened(track.name, _MOST_LETTERS)}'"
        for track, words in zip(piece.tracks, named, strict=True)
        if not _CLICKS.isdisjoint(word.casefold() for word in words)
    ]
    if not found:
        return []
    what, it = "is named as a metronome: if it only clicks", "it"
    if len(found) > 1:
        what, it = "are named as metronomes: if they only click", "them"
    return [
        f"{', '.join(found[:_SHOWN_TRACKS])} {what}, delete {it} and export again; the model takes "
        f"{it} for music"
    ]
