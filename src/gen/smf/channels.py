"""What holds on each channel of a file: program, drums, pedal, and which channels are one.

A program, a bank and a pedal hold for a channel of a port, whichever track sends them, from
their tick on. Sources: MIDI 1.0; General MIDI 2 and Roland GS (rhythm parts), Yamaha XG (part
modes); MIDI Polyphonic Expression 1.0, M1-100-UM (zones).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gen.smf.lenient import CHANNEL_BITS, PORT_SHIFT, ChannelEvent, RawTrack
from gen.smf.walk import DRUM_CHANNEL

_SUSTAIN, _BANK, _DATA, _NUMBER_LOW, _NUMBER_HIGH = 64, 0, 6, 100, 101
_GM2_DRUM_BANK, _GM2_MELODY_BANK = 120, 121
_XG_DRUM_BANKS = (126, 127)
_MASTERS = (0, 15)
_MPE_PARAMETER = 6
_FEWEST_MPE_CHANNELS = 3


@dataclass(frozen=True, slots=True)
class Patch:
    """What a channel plays: `program` is None where none was chosen."""

    program: int | None = None
    bank: int = 0


class Channels:
    """Looks up what holds on a channel; channels are named by `CHANNEL_BITS` of a status.

    Args:
        tracks: of the file, in file order.
        ticks_per_quarter: the file's resolution.
    """

    def __init__(self, tracks: Sequence[RawTrack], ticks_per_quarter: int) -> None:
        self._grace_ticks = ticks_per_quarter // 8
        setups = sorted(
            ((event, track.number) for track in tracks for event in track.setups),
            key=lambda setup: setup[0][0],
        )
        self._patches = _patches(setups)
        self._pedals: dict[int, list[tuple[ChannelEvent, int]]] = {}
        for event, number in setups:
            if event[1] & 0xF0 == 0xB0 and event[2] == _SUSTAIN:
                self._pedals.setdefault(event[1] & CHANNEL_BITS, []).append((event, number))
        messages = [message for track in tracks for message in track.system_messages]
        self._rhythm_parts = _rhythm_parts(messages)
        is_roland = any(_is_roland(payload) for _, _, payload in messages)
        self._is_gm2 = any(p[:1] == b"\x7e" and p[2:4] == b"\x09\x03" for _, _, p in messages)
        self._drum_banks = (_GM2_DRUM_BANK, *(() if is_roland else _XG_DRUM_BANKS))
        self._zones = _mpe_zones(event for event, _ in setups)

    def patch(self, channel: int, tick: int, track: int) -> Patch:
        """What a note of a track plays: the last choice until its tick.

        Of choices at one tick the track's own counts before those of other tracks. A first choice
        that comes no more than a 32nd late holds already: sequencers write it so.
        """
        ticks, patches = self._patches.get(self._chooser(channel), ((), ()))
        last = bisect_right(ticks, tick) - 1
        if last < 0 and ticks and ticks[0] <= tick + self._grace_ticks:
            last = bisect_right(ticks, ticks[0]) - 1
        if last < 0:
            return Patch()
        first = bisect_right(ticks, ticks[last] - 1)
        own = [patch for patch, number in patches[first : last + 1] if number == track]
        return own[-1] if own else patches[last][0]

    def changes(self, channel: int) -> list[int]:
        """The ticks at which a channel may begin to play something else."""
        messages = (tick for tick, _ in self._rhythm_parts.get(channel, ()))
        ticks = self._patches.get(self._chooser(channel), ((), ()))[0]
        early = [max(tick - self._grace_ticks, 0) for tick in ticks[:1]]
        return sorted({*early, *ticks, *messages})

    def _chooser(self, channel: int) -> int:
        """The channel whose programs count: a zone's master where the member chooses none."""
        master = self._zone_of(channel)
        return channel if channel in self._patches or master is None else master

    def is_drum(self, channel: int, tick: int, bank: int) -> bool:
        """Whether the channel plays drums: as a message says, or channel 10, or a drum bank."""
        said = [is_drum for when, is_drum in self._rhythm_parts.get(channel, ()) if when <= tick]
        if said:
            return said[-1]
        if self._is_gm2 and bank == _GM2_MELODY_BANK:
            return False
        return channel & 15 == DRUM_CHANNEL or bank in self._drum_banks

    def pedal(self, channel: int, track: int) -> list[ChannelEvent]:
        """The pedal's moves that reach a track: the channel's, of drums only its own."""
        is_shared = channel & 15 != DRUM_CHANNEL
        moves = self._pedals.get(channel, ())
        return [event for event, number in moves if is_shared or number == track]

    def has_foreign_setup(self, channel: int, track: int) -> bool:
        """Whether other tracks choose what this track's channel plays, or move its pedal."""
        _, patches = self._patches.get(channel, ((), ()))
        others = (number != track for _, number in (*patches, *self._pedals.get(channel, ())))
        return any(others) and channel & 15 != DRUM_CHANNEL

    def lines(self, track: RawTrack) -> list[list[int]]:
        """The track's channels, those together that one expressive (MPE) instrument plays."""
        channels = sorted(_struck(track))
        lines, left = [], set(channels)
        for channel in channels:
            zone = [other for other in channels if self._zone_of(other) == self._zone_of(channel)]
            if channel in left and self._zone_of(channel) is not None:
                lines.append(zone)
                left -= set(zone)
        if not lines and self._is_spread(track, channels):
            return [channels]
        return sorted(lines + [[channel] for channel in left])

    def _zone_of(self, channel: int) -> int | None:
        """The master channel of the MPE zone that a channel belongs to."""
        port = channel & ~15
        for master in _MASTERS:
            members = self._zones.get(port | master, 0)
            if members and abs(channel - (port | master)) <= members:
                return port | master
        return None

    def _is_spread(self, track: RawTrack, channels: list[int]) -> bool:
        """Whether one line was recorded over several channels, a note at a time on each."""
        if len(channels) < _FEWEST_MPE_CHANNELS or any(c in self._patches for c in channels):
            return False
        if len({channel >> PORT_SHIFT for channel in channels}) > 1:
            return False
        strokes = sorted(
            event for channel in channels for event in track.notes[channel] if _is_on(event)
        )
        return _takes_turns(strokes, len(channels)) and not any(
            _overlaps(track.notes[channel]) for channel in channels
        )


def _patches(
    setups: Sequence[tuple[ChannelEvent, int]],
) -> dict[int, tuple[list[int], list[tuple[Patch, int]]]]:
    """For each channel the ticks of its choices, and each choice with its track's number.

    A bank that is selected while a program plays waits for the next program, as MIDI has it; at
    one tick, or where no program was chosen yet, either may come first.
    """
    found: dict[int, tuple[list[int], list[tuple[Patch, int]]]] = {}
    latest: dict[tuple[int, int | None], Patch] = {}
    chosen: dict[int, int] = {}  # by channel, the tick of its latest program
    waiting: dict[int, int] = {}  # by channel, the bank of its next one
    for (tick, status, first, second), number in setups:
        is_program = status & 0xF0 == 0xC0
        if not is_program and (status & 0xF0 != 0xB0 or first != _BANK):
            continue
        channel = status & CHANNEL_BITS
        before = latest.get((channel, number)) or latest.get((channel, None)) or Patch()
        if is_program:
            patch = Patch(first, waiting.pop(channel, before.bank))
            chosen[channel] = tick
        elif chosen.get(channel, tick) < tick:
            waiting[channel] = second
            continue
        else:
            patch = Patch(before.program, second)
        latest[channel, number] = latest[channel, None] = patch
        ticks, patches = found.setdefault(channel, ([], []))
        ticks.append(tick)
        patches.append((patch, number))
    return found


def _is_roland(payload: bytes) -> bool:
    """Whether a system message speaks GS, in which bank 127 is a sound map, no drum kit."""
    return payload[:1] == b"\x41" and payload[2:4] == b"\x42\x12"


def _rhythm_parts(
    messages: Sequence[tuple[int, int, bytes]],
) -> dict[int, list[tuple[int, bool]]]:
    """By channel: when GS or XG messages make its part play drums, or stop it from it."""
    found: dict[int, list[tuple[int, bool]]] = {}
    for tick, port, payload in sorted(messages, key=lambda message: message[0]):
        part = _rhythm_part(payload)
        if part is not None:
            channel, is_drum = part
            found.setdefault(port << PORT_SHIFT | channel, []).append((tick, is_drum))
    return found


def _rhythm_part(payload: bytes) -> tuple[int, bool] | None:
    """The channel and whether it plays drums, of a GS "use for rhythm" or XG "part mode"."""
    padded = payload.ljust(8, b"\0")
    if _is_roland(padded) and (padded[4], padded[5] & 0xF0, padded[6]) == (0x40, 0x10, 0x15):
        block = padded[5] & 15  # block 0 is part 10, 1 to 9 are parts 1 to 9
        channel = DRUM_CHANNEL if block == 0 else block - (block <= DRUM_CHANNEL)
        return channel, padded[7] > 0
    is_yamaha = padded[:1] == b"\x43" and padded[2:4] == b"\x4c\x08"
    return (padded[4], padded[6] > 0) if is_yamaha and padded[4] < 16 and padded[5] == 7 else None


def _mpe_zones(setups: Iterator[ChannelEvent]) -> dict[int, int]:
    """By master channel: how many member channels its MPE zone has (the last message counts)."""
    zones: dict[int, int] = {}
    numbers: dict[int, tuple[int, int]] = {}
    for _, status, first, second in setups:
        channel = status & CHANNEL_BITS
        if status & 0xF0 != 0xB0 or channel & 15 not in _MASTERS:
            continue
        high, low = numbers.get(channel, (127, 127))
        if first == _NUMBER_HIGH:
            numbers[channel] = second, low
        elif first == _NUMBER_LOW:
            numbers[channel] = high, second
        elif first == _DATA and (high, low) == (0, _MPE_PARAMETER):
            zones[channel] = min(second, 15)
    return zones


def _struck(track: RawTrack) -> set[int]:
    """The channels on which a track strikes notes."""
    return {channel for channel, events in track.notes.items() if any(map(_is_on, events))}


def _is_on(event: ChannelEvent) -> bool:
    return event[1] & 0xF0 == 0x90 and event[3] > 0


def _takes_turns(strokes: list[ChannelEvent], channel_count: int) -> bool:
    """Whether single notes wander over the channels, rather than parts sounding together."""
    onsets: dict[int, list[int]] = {}
    for event in strokes:
        onsets.setdefault(event[0], []).append(event[1])
    at_once = len(strokes) / len(onsets)
    order = [channel for channels in onsets.values() for channel in channels]
    moves = sum(one != other for one, other in pairwise(order))
    return at_once <= channel_count / 2 and moves >= 0.8 * (len(order) - 1)


def _overlaps(events: list[ChannelEvent]) -> bool:
    """Whether a channel sounds more than one note at a time."""
    sounding = 0
    strokes = (event for event in events if event[1] & 0xF0 != 0xB0)
    for event in sorted(strokes, key=lambda event: (event[0], _is_on(event))):
        sounding = sounding + 1 if _is_on(event) else max(sounding - 1, 0)
        if sounding > 1:
            return True
    return False
