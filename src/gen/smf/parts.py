"""The instruments that a file's tracks hold, and how each of them is known.

What the file says counts: programs, banks, messages, channel 10. Where it says nothing, the
track's name does; where that names nothing either, General MIDI's piano plays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gen.errors import SettingError, shortened
from gen.piece import DRUM_PROGRAM, MODEL_TRACKS, Note, Pedal, Track
from gen.smf.channels import Channels
from gen.smf.general_midi import instrument_name
from gen.smf.lenient import RawFile, RawTrack
from gen.smf.mend import NEVER, Change, Repairs, join_notes, pair_notes, pair_pedals
from gen.smf.naming import instrument_beside, instrument_by_music, instrument_in
from gen.smf.rules import RuleBroken
from gen.smf.text import decode_text

UNSAID = -1
"""Stands for an instrument where the file chooses none."""
_MOST_LETTERS = 60
_PLUS, _MORE, _MOST_NAMES = " + ", "…", 3
_NAME, _CHANNEL_PREFIX = 0x03, 0x20
_ALSO_NAMES = (_NAME, 0x04, 0x08)
"""A further name, the instrument's, the program's: in words."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in a file notes of a part stand.

    Attributes:
        chunk: number of the track chunk, counted from 0.
        channel: with the port in the bits above its four.
        spans: first tick, and the one past the last, of each stretch in which the channel plays
            the part's instrument for this chunk.
    """

    chunk: int
    channel: int
    spans: tuple[tuple[int, int], ...]

    def plays_at(self, tick: int) -> bool:
        return any(first <= tick < end for first, end in self.spans)

    def scaled(self, up: int, down: int) -> Origin:
        """The same in ticks of another size."""
        spans = tuple((-(-a * up // down), -(-b * up // down)) for a, b in self.spans)
        return Origin(self.chunk, self.channel, spans)


@dataclass(slots=True)
class TrackPart:
    """One instrument's part of a raw track.

    Attributes:
        track: with notes, pedals, program.
        origins: where its notes stand, one for each of its channels.
        program: as the file chose it, None where it chose none.
        is_told: whether the file says what plays.
        named: what its name proposes, if anything.
    """

    track: Track
    origins: tuple[Origin, ...]
    program: int | None
    is_told: bool
    named: int | None = None

    @property
    def channels(self) -> tuple[int, ...]:
        return tuple(origin.channel for origin in self.origins)

    @property
    def label(self) -> str:
        name = self.track.name.strip()
        if not name:
            return "a track without a name"
        is_nameless = name == instrument_name(self.track.instrument) and not self.is_told
        place = f" (channel {(self.channels[0] & 15) + 1})" if is_nameless else ""
        return f"'{shortened(name, _MOST_LETTERS)}'{place}"


class PartReader:
    """Builds the parts of a raw file.

    Args:
        raw: what was read.
        repairs: receives what was mended in the notes.
    """

    def __init__(self, raw: RawFile, repairs: Repairs) -> None:
        self.raw = raw
        self.repairs = repairs
        self.channels = Channels(raw.tracks, raw.ticks_per_quarter)
        self.joined_channels: list[int] = []
        self.reached_others = False

    def parts(self) -> list[TrackPart]:
        return [part for track in self.raw.tracks for part in self._parts_of(track)]

    def _instrument_in(self, name: str) -> int | None:
        metas = (meta for track in self.raw.tracks for meta in track.metas)
        return instrument_beside(
            name, (decode_text(text) for _, kind, text in metas if kind == _NAME)
        )

    def _parts_of(self, raw: RawTrack) -> list[TrackPart]:
        if not raw.notes:
            return []
        lines = [(line[0], self._line(raw, line)) for line in self.channels.lines(raw)]
        parts = [part for _, of_line in lines for part in of_line]
        name = next((decode_text(text) for _, kind, text in raw.metas if kind == _NAME), "")
        if len(parts) == 1:
            self._name(parts[0], name, raw)
        own_names = _names_of_channels(raw) if len(parts) > 1 else {}
        for channel, of_line in lines:
            own = own_names.get(channel % 16, "")
            for part in of_line:
                part.named = self._instrument_in(own) if own else part.named
                if not part.is_told:
                    _take(part.track, part.named if part.named is not None else 0)
                if len(parts) > 1:
                    of_several = f"{own or name} {instrument_name(part.track.instrument)}".strip()
                    part.track.name = own if own and len(of_line) == 1 else of_several
        return parts

    def _name(self, part: TrackPart, name: str, raw: RawTrack) -> None:
        texts = (decode_text(text) for _, kind, text in raw.metas if kind in _ALSO_NAMES)
        part.track.name = name
        part.named = self._instrument_in(name)
        if part.named is None:
            part.named = next((found for found in map(instrument_in, texts) if found), None)
        if part.named is None:
            part.named = instrument_by_music(name, {note.pitch for note in part.track.notes})

    def _line(self, raw: RawTrack, line: list[int]) -> list[TrackPart]:
        """The parts of channels that are one line: one for each instrument that plays."""
        is_joined = len(line) > 1
        if is_joined:
            self.joined_channels.append(len(line))
        self.reached_others |= any(self.channels.has_foreign_setup(c, raw.number) for c in line)
        instruments = {c: self._instruments(raw.number, c, is_joined) for c in line}
        notes = pair_notes(
            {channel: raw.notes[channel] for channel in line},
            instruments,
            raw.end_ticks,
            self.raw.ticks_per_quarter,
            self.repairs,
        )
        moves = [event for c in line for event in self.channels.pedal(c, raw.number)]
        moves = sorted((e for e in moves if e[0] <= raw.end_ticks), key=lambda event: event[0])
        pedals = pair_pedals(moves, raw.end_ticks)
        parts = []
        for instrument, found in notes.items():
            track = Track(notes=[Note(*note) for note in found], pedals=list(pedals))
            _take(track, max(instrument, 0))
            patch = self.channels.patch(line[0], found[0][0], raw.number)
            origins = tuple(Origin(raw.number, c, _spans(instruments[c], instrument)) for c in line)
            parts.append(TrackPart(track, origins, patch.program, instrument != UNSAID))
        return parts

    def _instruments(self, track: int, channel: int, is_joined: bool) -> list[Change]:
        """What plays a channel for a track; the drums' channel too is a joined line's."""
        changes = []
        for tick in (0, *self.channels.changes(channel)):
            patch = self.channels.patch(channel, tick, track)
            is_drum = not is_joined and self.channels.is_drum(channel, tick, patch.bank)
            program = UNSAID if patch.program is None else patch.program
            changes.append((tick, DRUM_PROGRAM if is_drum else program))
        return changes


def _names_of_channels(raw: RawTrack) -> dict[int, str]:
    """The names that a track of several channels gives them, each behind a channel prefix."""
    names: dict[int, str] = {}
    channel = None
    for _, kind, payload in raw.metas:
        if kind == _CHANNEL_PREFIX and len(payload) == 1:
            channel = payload[0]
        elif kind == _NAME and channel is not None:
            names.setdefault(channel, decode_text(payload))
    return names


def _spans(changes: Sequence[Change], instrument: int) -> tuple[tuple[int, int], ...]:
    """The stretches in which an instrument plays; the last has no end."""
    ends = [tick for tick, _ in changes[1:]] + [NEVER]
    pairs = zip(changes, ends, strict=True)
    return tuple((tick, end) for (tick, plays), end in pairs if plays == instrument and end > tick)


def _take(track: Track, instrument: int) -> None:
    track.is_drum = instrument == DRUM_PROGRAM
    track.program = 0 if track.is_drum else instrument


def hold_in_model(parts: list[TrackPart], repairs: Repairs) -> str:
    """Join tracks of one instrument until there are no more than the model holds.

    Returns:
        What was joined, in a sentence; "" if nothing was.

    Raises:
        RuleBroken: there are too many different instruments.
    """
    count = len(parts)
    while len(parts) > MODEL_TRACKS:
        same: dict[int, list[int]] = {}
        for place, part in enumerate(parts):
            same.setdefault(part.track.instrument, []).append(place)
        places = max(same.values(), key=len)
        if len(places) == 1:
            what = f"{len(parts)} tracks of {len(same)} instruments; the model holds {MODEL_TRACKS}"
            mend = "join tracks that one instrument can play, and export again"
            raise RuleBroken("track-count", what, mend=mend)
        _join(parts, *_closest(parts, places), repairs)
    if count == len(parts):
        return ""
    return f"tracks of one instrument joined, {count} to {len(parts)}: the model holds no more"


def _closest(parts: list[TrackPart], places: list[int]) -> tuple[int, int]:
    """Of neighbours among these places the pair with the fewest notes."""
    pairs = pairwise(places)
    return min(pairs, key=lambda pair: sum(len(parts[place].track.notes) for place in pair))


def _join(parts: list[TrackPart], into: int, place: int, repairs: Repairs) -> None:
    parts[into].origins += parts[place].origins
    kept, other = parts[into].track, parts.pop(place).track
    kept.notes = join_notes(kept.notes, other.notes, repairs)
    kept.pedals = _joined_pedals([*kept.pedals, *other.pedals])
    kept.name = _joined_name(kept.name, other.name)


def _joined_name(*names: str) -> str:
    """The names of tracks that are one now, each once, and of many the first ones."""
    each = dict.fromkeys(part for name in names for part in name.split(_PLUS) if part)
    each.pop(_MORE, None)
    had_more = any(_MORE in name.split(_PLUS) for name in names)
    shown = [*each][:_MOST_NAMES]
    return _PLUS.join([*shown, *([_MORE] if had_more or len(each) > len(shown) else [])])


def _joined_pedals(pedals: list[Pedal]) -> list[Pedal]:
    joined: list[Pedal] = []
    for pedal in sorted(pedals):
        if joined and pedal.onset_ticks <= joined[-1].onset_ticks + joined[-1].duration_ticks:
            onset = joined[-1].onset_ticks
            end = max(onset + joined[-1].duration_ticks, pedal.onset_ticks + pedal.duration_ticks)
            joined[-1] = Pedal(onset, end - onset)
        else:
            joined.append(pedal)
    return joined


def read_instruments(text: str) -> tuple[int, ...]:
    """Instruments as a person lists them, by commas: General MIDI names, usual names, drums.

    Raises:
        SettingError: one of them is not known; names the nearest.
    """
    return tuple(_read_instrument(word.strip()) for word in text.replace(";", ",").split(","))


def _read_instrument(word: str) -> int:
    found = instrument_in(word)
    if found is None:
        import difflib

        from gen.smf.general_midi import NAMES

        near = difflib.get_close_matches(word.casefold(), [*NAMES, "drums"], 1, 0.5)
        guess = f"; did you mean {near[0]!r}?" if near else ""
        raise SettingError(
            f"{word!r} is no instrument{guess}",
            mend="write General MIDI names, one a track, with commas: violin, fingered bass, drums",
        )
    return found
