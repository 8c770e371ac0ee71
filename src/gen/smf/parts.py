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
from gen.smf.naming import contradicts, instrument_in
from gen.smf.rules import RuleBroken
from gen.smf.text import decode_text
from gen.smf.walk import DRUM_CHANNEL

UNSAID = -1
"""Stands for an instrument where the file chooses none."""
_KITS = frozenset({0, 8, 16, 24, 25, 26, 32, 40, 48, 49, 50, 51, 52, 53, 56, 57, 126, 127})
"""Programs that call a drum kit in General MIDI 2, GS or XG."""
_LOWEST_DRUM, _HIGHEST_DRUM = 35, 59
"""The pitches of kick, snare, toms and cymbals: a kit plays mostly these."""
_KIT_SOUNDS = (frozenset({35, 36}), frozenset({38, 40}), frozenset({42, 44, 46, 51}))
"""Kicks, snares, and what keeps time on cymbals."""
_OFTEN_STRUCK = frozenset().union(*_KIT_SOUNDS, {37, 39, 49, 53, 57, 59})
_NAMED, _MOST_LETTERS = 4, 60
_NAME, _CHANNEL_PREFIX = 0x03, 0x20
STATE = "state the instruments (--instruments, or a column of that name)"


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
        return f"'{shortened(name, _MOST_LETTERS)}'" if name else "a track without a name"


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
                part.named = instrument_in(own) if own else part.named
                if not part.is_told:
                    _take(part.track, part.named if part.named is not None else 0)
                if len(parts) > 1:
                    of_several = f"{own or name} {instrument_name(part.track.instrument)}".strip()
                    part.track.name = own if own and len(of_line) == 1 else of_several
        return parts

    def _name(self, part: TrackPart, name: str, raw: RawTrack) -> None:
        texts = (decode_text(text) for _, kind, text in raw.metas if kind == 0x04)
        part.track.name = name
        part.named = instrument_in(name)
        if part.named is None:
            part.named = next((found for found in map(instrument_in, texts) if found), None)

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
    if other.name and other.name != kept.name:
        kept.name = f"{kept.name} + {other.name}" if kept.name else other.name


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


# -- what wants a look ------------------------------------------------------------------------


def look_at_instruments(parts: Sequence[TrackPart]) -> list[str]:
    """What a person should look at before trusting the instruments, one sentence a kind."""
    lines = [_about_unsaid([part for part in parts if not part.is_told])]
    lines.append(_about_kits_elsewhere(parts))
    lines += [_about_drums(part) for part in parts]
    lines += [_about_contradiction(part) for part in parts]
    return [line for line in lines if line]


def unsure(parts: Sequence[TrackPart]) -> tuple[int, ...]:
    """The tracks, counted from 0, whose instrument a person should confirm."""
    return tuple(
        place
        for place, part in enumerate(parts)
        if not part.is_told
        or _is_kit_elsewhere(part)
        or _about_drums(part)
        or _about_contradiction(part)
    )


def _about_unsaid(parts: list[TrackPart]) -> str:
    if not parts:
        return ""
    named = [part for part in parts if part.named is not None]
    others = [part for part in parts if part.named is None]
    how = "by its name" if len(named) == 1 else "by their names"
    taken = [f"taken {how}: {_as_instruments(named)}"] if named else []
    taken += [f"taken as General MIDI does: {_as_instruments(others)}"] if others else []
    how = "; ".join(taken)
    return (
        f"{len(parts)} track(s) with notes and no program change, {how}; if that is wrong, {STATE}"
    )


def _as_instruments(parts: list[TrackPart]) -> str:
    return _first_few([_as_instrument(part) for part in parts])


def _as_instrument(part: TrackPart) -> str:
    place = f" on channel {(part.channels[0] & 15) + 1}" if _is_kit_elsewhere(part) else ""
    return f"{part.label} as {instrument_name(part.track.instrument)}{place}"


def _first_few(words: list[str]) -> str:
    more = [f"{len(words) - _NAMED} more"] if len(words) > _NAMED else []
    return ", ".join([*words[:_NAMED], *more])


def _about_kits_elsewhere(parts: Sequence[TrackPart]) -> str:
    """Drums away from channel 10 by a bank or a message; those by a name are unsaid already."""
    found = [part for part in parts if _is_kit_elsewhere(part) and part.is_told]
    labels = _first_few([part.label for part in found])
    if len(found) == 1:
        channel = (found[0].channels[0] & 15) + 1
        what = f"{labels} plays drums on channel {channel}, as its bank or a system message says"
        return f"{what}; if it is no drum kit, {STATE}"
    what = f"{labels} play drums away from channel 10, as banks or system messages say"
    return f"{what}; if they are no drums, {STATE}" if found else ""


def _is_kit_elsewhere(part: TrackPart) -> bool:
    return part.track.is_drum and part.channels[0] & 15 != DRUM_CHANNEL


def _about_drums(part: TrackPart) -> str:
    """What sounds like drums and is none, and what is no drum kit on channel 10."""
    channel = part.channels[0] & 15
    if part.named == DRUM_PROGRAM and not part.track.is_drum:
        program = instrument_name(part.track.instrument)
        return (
            f"{part.label} is named like drums, but plays on channel {channel + 1} as {program}, "
            f"not on channel 10, the drums': if it is a drum kit, {STATE}"
        )
    if part.track.is_drum and len(part.channels) == 1 and (why := _why_no_kit(part)):
        return (
            f"{part.label} plays on channel 10, which is the drums', but {why}: if it is no drum "
            f"kit, {STATE}"
        )
    if not part.track.is_drum and part.named is None and _is_like_a_kit(part):
        program = instrument_name(part.track.instrument)
        return (
            f"{part.label} plays what a drum kit plays (kick, snare, hi-hat), but as {program}: "
            f"if it is a drum kit, {STATE}"
        )
    return ""


def _is_like_a_kit(part: TrackPart) -> bool:
    """Whether a piano that nobody named strikes kick, snare, cymbals, and next to nothing else."""
    pitches = {note.pitch for note in part.track.notes}
    if part.track.program or not all(pitches & sounds for sounds in _KIT_SOUNDS):
        return False
    of_a_kit = sum(note.pitch in _OFTEN_STRUCK for note in part.track.notes)
    onsets = {note.onset_ticks for note in part.track.notes}
    return of_a_kit >= 0.9 * len(part.track.notes) >= 0.9 * 1.1 * len(onsets)


def _why_no_kit(part: TrackPart) -> str:
    if part.named not in (None, DRUM_PROGRAM):
        return f"its name says {instrument_name(part.named or 0)}"
    if part.program is not None and part.program not in _KITS:
        return f"its program is {instrument_name(part.program)}"
    notes = part.track.notes
    beyond = sum(not _LOWEST_DRUM <= note.pitch <= _HIGHEST_DRUM for note in notes)
    is_kit = part.named == DRUM_PROGRAM or beyond <= len(notes) / 2
    return "" if is_kit else "most of its notes are no kit's"


def _about_contradiction(part: TrackPart) -> str:
    instrument = part.track.instrument
    is_about_drums = DRUM_PROGRAM in (part.named, instrument)
    if not part.is_told or is_about_drums or not contradicts(part.track.name, instrument):
        return ""
    return (
        f"{part.label} is named like a {instrument_name(part.named or 0)}, but the file makes it "
        f"a {instrument_name(instrument)}: if the name is right, {STATE}"
    )


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
