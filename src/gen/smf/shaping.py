"""What shapes the notes of a channel, where these are written anew: pedal, bends, pressure, volume.

Moves that belong to notes that go are taken out; after the stretch everything has the value that
it had there. Where the music goes on beyond a file's end, what the end left behind is undone: a
held pedal, a bend, a fade to silence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from gen.piece import Pedal
from gen.smf.mend import NEVER
from gen.smf.original import OriginalFile, RawEvent, StruckNote
from gen.smf.splice import Edits, Insertion

Stretch = tuple[int, int]
"""First tick, and the one past the last."""

KEY_PRESSURE, CONTROLLER, CHANNEL_PRESSURE, BEND = 0xA0, 0xB0, 0xD0, 0xE0
SUSTAIN, VOLUME, EXPRESSION = 64, 7, 11
_NEUTRAL: Final = {CHANNEL_PRESSURE: b"\x00", BEND: b"\x00\x40"}
_FADED: Final = 0.5
"""A volume at the end below this share of the usual one is the end of a fade."""


@dataclass(frozen=True, slots=True)
class _Move:
    """A controller, bend or pressure event, and where it stands."""

    chunk: int
    place: int
    event: RawEvent


@dataclass(frozen=True, slots=True)
class _HeldPedal:
    """The pedal down: when, and the moves from pressing to releasing it."""

    onset: int
    end: int
    moves: tuple[_Move, ...]


class Shaping:
    """Edits what shapes the notes of a file's channels.

    Args:
        original: the file.
        edits: of each track chunk; what is done is added to them.
        counts: what was done, by kind.
    """

    def __init__(
        self, original: OriginalFile, edits: Sequence[Edits], counts: Counter[str]
    ) -> None:
        self.edits = edits
        self.counts = counts
        self.end_ticks = original.end_ticks
        moves: dict[int, list[_Move]] = {}
        for chunk, track in enumerate(original.tracks):
            for place, event in enumerate(track.events):
                if event.is_channel_event and event.kind in (
                    KEY_PRESSURE, CONTROLLER, CHANNEL_PRESSURE, BEND
                ):  # fmt: skip
                    moves.setdefault(event.channel, []).append(_Move(chunk, place, event))
        self._moves = {c: sorted(m, key=lambda move: move.event.tick) for c, m in moves.items()}
        self._held = {channel: self._find_pedals(found) for channel, found in self._moves.items()}

    # The pedal ------------------------------------------------------------------------------

    def pedals(self, channel: int, stretch: Stretch) -> list[Stretch]:
        """From when until when each pedal that is pressed in a stretch is held."""
        held = self._held.get(channel, ())
        return [
            (p.onset, p.end if p.end >= 0 else self.end_ticks)
            for p in held
            if stretch[0] <= p.onset < stretch[1]
        ]

    def press(self, chunk: int, channel: int, stretch: Stretch, pedals: Sequence[Pedal]) -> None:
        """Other pedals in place of those that a track presses in a stretch.

        Those of other tracks on the channel stay, and beyond the file's end its own, which belong
        to no bar there.
        """
        for old in self._held.get(channel, ()):
            is_own = all(move.chunk == chunk for move in old.moves)
            if is_own and stretch[0] <= old.onset < stretch[1] < NEVER:
                for move in old.moves:
                    self._remove(move, "pedal")
        status = 0xB0 | channel & 15
        for pedal in pedals:
            end = pedal.onset_ticks + pedal.duration_ticks
            self.edits[chunk].inserted += [
                Insertion(pedal.onset_ticks, bytes((status, SUSTAIN, 127))),
                Insertion(end, bytes((status, SUSTAIN, 0)), goes_first=True),
            ]

    @staticmethod
    def _find_pedals(moves: Sequence[_Move]) -> list[_HeldPedal]:
        """The pedals of a channel; the end of one that is never released is -1."""
        found, held = list[_HeldPedal](), list[_Move]()
        for move in moves:
            number, value = (*move.event.data, 0)[:2]
            if move.event.kind != CONTROLLER or number != SUSTAIN:
                continue
            if held or value >= 64:
                held.append(move)
            if held and value < 64:
                found.append(_HeldPedal(held[0].event.tick, move.event.tick, tuple(held)))
                held = []
        if held:
            found.append(_HeldPedal(held[0].event.tick, -1, tuple(held)))
        return found

    # Bends and pressure ---------------------------------------------------------------------

    def rest(self, chunk: int, channel: int, stretch: Stretch, kept: Sequence[StruckNote]) -> None:
        """Nothing bends or presses the notes of a stretch; after it all is as the file has it.

        Args:
            chunk: to which events are added.
            channel: of the notes.
            stretch: in which notes are new.
            kept: the channel's notes that stay; while one from before rings on nothing changes.
        """
        first = max([stretch[0], *(note.end for note in kept if note.onset < stretch[0])])
        for kind in _NEUTRAL:
            self._bring_to_rest(chunk, channel, kind, (first, stretch[1]))
        for move in self._of(channel, KEY_PRESSURE):
            if move.chunk == chunk and first <= move.event.tick < stretch[1]:
                self._remove(move, "bend")

    def _bring_to_rest(self, chunk: int, channel: int, kind: int, stretch: Stretch) -> None:
        first, end = stretch
        moves, neutral = self._of(channel, kind), _NEUTRAL[kind]
        if not moves or first >= end:
            return
        within = [move for move in moves if first <= move.event.tick < end]
        if any(move.chunk != chunk for move in within):
            return  # another track shapes the channel
        rests = [move.event.tick for move in within if move.event.data == neutral]
        if self._value(moves, first) not in (None, neutral) and first not in rests:
            self._reset(chunk, channel, kind, first, neutral)
        for move in within:
            if move.event.data != neutral:
                self._remove(move, "bend")
        after = self._value(moves, end)
        is_said = any(move.event.tick == end for move in moves)
        if after not in (None, neutral) and not is_said and end <= self.end_ticks:
            self._reset(chunk, channel, kind, end, after or neutral)

    def _of(self, channel: int, kind: int, number: int = -1) -> list[_Move]:
        return [
            move
            for move in self._moves.get(channel, ())
            if move.event.kind == kind and (number < 0 or move.event.data[0] == number)
        ]

    @staticmethod
    def _value(moves: Sequence[_Move], tick: int) -> bytes | None:
        """What was last said before a tick."""
        place = bisect_right(moves, tick - 1, key=lambda move: move.event.tick)
        return moves[place - 1].event.data if place else None

    # Beyond the end -------------------------------------------------------------------------

    def go_on(self, chunk: int, channel: int, tick: int, notes: Sequence[StruckNote]) -> None:
        """Let go a pedal that the file holds to its end, and undo a fade to silence.

        Args:
            chunk: to which events are added.
            channel: that goes on.
            tick: where it does.
            notes: all that the file plays on it.
        """
        for pedal in self._held.get(channel, ()):
            if pedal.onset < tick and pedal.end < 0:
                self._reset(chunk, channel, CONTROLLER, tick, bytes((SUSTAIN, 0)))
        for number in (VOLUME, EXPRESSION):
            moves = self._of(channel, CONTROLLER, number)
            values = [self._value(moves, note.onset + 1) for note in notes]
            said = [value[1] for value in values if value is not None]
            usual = int(median(said)) if said else 0
            if said and moves[-1].event.data[1] < _FADED * usual:
                data = bytes((number, usual))
                self._reset(chunk, channel, CONTROLLER, tick, data, kind_of_change="volume")

    def _reset(
        self, chunk: int, channel: int, kind: int, tick: int, data: bytes,
        kind_of_change: str = "reset",
    ) -> None:  # fmt: skip
        message = bytes((kind | channel & 15,)) + data
        self.edits[chunk].inserted.append(Insertion(tick, message, goes_first=True))
        self.counts[kind_of_change] += 1

    def _remove(self, move: _Move, kind_of_change: str) -> None:
        removed = self.edits[move.chunk].removed
        self.counts[kind_of_change] += move.place not in removed
        removed.add(move.place)
