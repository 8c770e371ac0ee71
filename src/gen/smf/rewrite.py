"""Other music in some bars of a file's tracks, and more tracks; all else as the file has it.

Of a stretch that is written anew the notes go, and with them what only shaped them: the sustain
pedal pressed there, pitch bends and pressure. Volume, pan, expression and every other controller,
texts and messages stay. Where other music begins on the same channel in the stretch, pedal, bends
and pressure stay, too.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gen.piece import Marker, Note, Pedal, Track
from gen.smf.general_midi import instrument_name
from gen.smf.mend import NEVER
from gen.smf.original import OriginalFile, StruckNote
from gen.smf.parts import Origin
from gen.smf.shaping import Shaping, Stretch
from gen.smf.splice import Edits, Insertion, splice
from gen.smf.text import decode_text
from gen.smf.walk import DRUM_CHANNEL
from gen.smf.writer import MELODIC_CHANNELS, meta, track_chunk

_MARKER: Final = 0x06
_WORDS: Final = {
    "pedal": "{n} pedal move(s) of the rewritten bars went with their notes",
    "bend": "{n} pitch bend and pressure event(s) of the rewritten bars went with their notes",
    "stray": "{n} note-off(s) in the rewritten bars that ended nothing left out",
    "reset": "{n} event(s) added so that bends, pressure and pedal are at rest under new notes and "
    "after them as the file has them",
    "volume": "{n} volume or expression event(s) added: the file fades out, the music goes on",
    "clash": "{n} new note(s) left out: the file's own sound on their pitch and channel",
    "shared": "{n} new pedal(s) left out: other music plays on their channel",
    "channel": "{n} new note(s) left out: another instrument plays on their channel there, and no "
    "other channel is free",
}
"""What had to change besides, in the order in which it is said."""


class NoChannelError(ValueError):
    """A track is to be added, and the file uses every channel that it could take."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be written into a file; all times are the file's own ticks.

    Attributes:
        stretches: by track, what is written anew; none overlaps another. One that ends at `NEVER`
            goes on beyond the file: what its end left behind on a channel, a held pedal or a fade
            to silence, is undone there.
        music: of every track what is new, then the tracks that are added.
        old_markers, new_markers: texts that go and that come.
        end_ticks: no track ends before.
        added_end_ticks: nor does one that is added.
    """

    stretches: Mapping[int, Sequence[Stretch]]
    music: Sequence[Track]
    old_markers: Sequence[Marker] = ()
    new_markers: Sequence[Marker] = ()
    end_ticks: int = 0
    added_end_ticks: int = 0


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A file in which something was written anew.

    Attributes:
        data: its bytes.
        changes: what had to change besides the notes, one sentence each.
    """

    data: bytes
    changes: tuple[str, ...]


def rewrite(
    original: OriginalFile, origins: Sequence[Sequence[Origin]], request: Request
) -> Rewritten:
    """The file with the new music.

    Args:
        original: the file.
        origins: of each track, where its notes stand: `normalise` finds them.
        request: what is to be written; a stretch whose new notes and pedals are those that it
            had stays as it is.

    Raises:
        NoChannelError: a track is added and no channel is free.
    """
    return _Rewriter(original, origins, request).rewritten()


def free_channels(original: OriginalFile) -> list[int]:
    """The melodic channels on which nothing in the file happens, whatever the port."""
    used = {e.status & 15 for t in original.tracks for e in t.events if e.is_channel_event}
    return [channel for channel in MELODIC_CHANNELS if channel not in used]


class _Rewriter:
    def __init__(
        self, original: OriginalFile, origins: Sequence[Sequence[Origin]], request: Request
    ) -> None:
        self.original = original
        self.origins = origins
        self.request = request
        self.edits = [Edits() for _ in original.tracks]
        self.counts: Counter[str] = Counter()
        self.shaping = Shaping(original, self.edits, self.counts)
        self.notes: dict[tuple[int, int], list[StruckNote]] = {}  # by chunk and channel
        self.stray: list[list[int]] = []
        for chunk, track in enumerate(original.tracks):
            notes, stray = track.notes()
            self.stray.append(stray)
            for note in notes:
                self.notes.setdefault((chunk, note.channel), []).append(note)
        self.free = free_channels(original)
        self.end_ticks = request.end_ticks
        self.added: list[Track] = []
        self.taken: dict[tuple[int, int, int], list[Stretch]] = {}  # by chunk, channel and pitch

    def rewritten(self) -> Rewritten:
        changing = {
            slot: [stretch for stretch in found if not self._is_as_it_was(slot, stretch)]
            for slot, found in self.request.stretches.items()
        }
        for slot, stretches in changing.items():
            for stretch in stretches:
                self._clear(slot, stretch)
        for slot, stretches in changing.items():
            for stretch in _joined(stretches):
                self._write(slot, stretch)
        self.added += self.request.music[len(self.origins) :]
        chunks = [chunk for track in self.added for chunk in self._add(track)]
        self._mark()
        data = splice(self.original, self.edits, chunks, self.end_ticks)
        said = [words.format(n=n) for kind, words in _WORDS.items() if (n := self.counts[kind])]
        return Rewritten(data, tuple(said))

    # What goes ------------------------------------------------------------------------------

    def _own(self, slot: int, stretch: Stretch) -> Iterator[tuple[int, StruckNote]]:
        """The notes of a track that begin in a stretch, each with its chunk."""
        for origin in self.origins[slot]:
            for note in self.notes.get((origin.chunk, origin.channel), ()):
                if _within(note.onset, stretch) and origin.plays_at(note.onset):
                    yield origin.chunk, note

    def _new(self, slot: int, stretch: Stretch) -> tuple[list[Note], list[Pedal]]:
        """The new notes and pedals of a track that begin in a stretch."""
        music = self.request.music[slot]
        notes = [note for note in sorted(music.notes) if _within(note.onset_ticks, stretch)]
        return notes, [pedal for pedal in music.pedals if _within(pedal.onset_ticks, stretch)]

    def _is_as_it_was(self, slot: int, stretch: Stretch) -> bool:
        notes, pedals = self._new(slot, stretch)
        new = sorted((n.onset_ticks, n.end_ticks, n.pitch, n.velocity) for n in notes)
        old = sorted((n.onset, n.end, n.pitch, n.velocity) for _, n in self._own(slot, stretch))
        channels = {origin.channel for origin in self.origins[slot]}
        held = {pedal for channel in channels for pedal in self.shaping.pedals(channel, stretch)}
        return new == old and held == {
            (pedal.onset_ticks, pedal.onset_ticks + pedal.duration_ticks) for pedal in pedals
        }

    def _clear(self, slot: int, stretch: Stretch) -> None:
        for chunk, note in self._own(slot, stretch):
            self.edits[chunk].removed |= {note.on, note.off} - {-1}
        for origin in self.origins[slot]:
            events, removed = self.original.tracks[origin.chunk].events, self.edits[origin.chunk]
            for place in self.stray[origin.chunk]:
                event = events[place]
                is_here = event.channel == origin.channel and _within(event.tick, stretch)
                if is_here and place not in removed.removed:
                    removed.removed.add(place)
                    self.counts["stray"] += 1

    # What comes -----------------------------------------------------------------------------

    def _write(self, slot: int, stretch: Stretch) -> None:
        notes, pedals = self._new(slot, stretch)
        fitting: dict[Origin, list[Note]] = {}
        homeless = []
        for number, note in enumerate(notes):
            able = [o for o in self.origins[slot] if o.plays_at(note.onset_ticks)]
            if able:
                fitting.setdefault(able[number % len(able)], []).append(note)
            else:
                homeless.append(note)
        channels = set()
        for origin in self.origins[slot]:
            if origin.channel not in channels:
                self._shape(origin, stretch, pedals, sounds=origin in fitting)
                channels.add(origin.channel)
            for note in fitting.get(origin, ()):
                self._insert(origin.chunk, origin.channel, note)
        if homeless:
            self._send_elsewhere(replace(self.request.music[slot], notes=homeless, pedals=[]))

    def _shape(
        self, origin: Origin, stretch: Stretch, pedals: Sequence[Pedal], *, sounds: bool
    ) -> None:
        """Take out what shaped the old notes of a channel, and press the new pedals."""
        chunk, channel = origin.chunk, origin.channel
        all_notes = [n for (_, c), notes in self.notes.items() if c == channel for n in notes]
        kept = list(self._kept(channel))
        if any(_within(note.onset, stretch) for note in kept):
            self.counts["shared"] += len(pedals)
            return
        self.shaping.press(chunk, channel, stretch, pedals)
        if sounds:
            self.shaping.rest(chunk, channel, stretch, kept)
            if stretch[1] == NEVER:
                self.shaping.go_on(chunk, channel, stretch[0], all_notes)

    def _kept(self, channel: int) -> Iterator[StruckNote]:
        """The notes of a channel that stay, in whichever chunk."""
        for (chunk, other), notes in self.notes.items():
            if other == channel:
                removed = self.edits[chunk].removed
                yield from (note for note in notes if note.on not in removed)

    def _insert(self, chunk: int, channel: int, note: Note) -> None:
        """Put a note among those of its channel, as long as the next of its pitch allows."""
        taken = self._taken(chunk, channel, note.pitch)
        onset, end = note.onset_ticks, max(note.end_ticks, note.onset_ticks + 1)
        if any(begin <= onset < max(stop, begin + 1) for begin, stop in taken):
            self.counts["clash"] += 1
            return
        end = min([end, *(begin for begin, _ in taken if begin > onset)])
        insort(taken, (onset, end))
        on = bytes((0x90 | channel & 15, note.pitch, note.velocity))
        off = bytes((0x80 | channel & 15, note.pitch, 64))
        self.edits[chunk].inserted += [Insertion(onset, on), Insertion(end, off, goes_first=True)]

    def _taken(self, chunk: int, channel: int, pitch: int) -> list[Stretch]:
        """When a pitch sounds, of what stays and of what was put in."""
        key = chunk, channel, pitch
        if key not in self.taken:
            removed = self.edits[chunk].removed
            self.taken[key] = sorted(
                (note.onset, note.end)
                for note in self.notes.get((chunk, channel), ())
                if note.pitch == pitch and note.on not in removed
            )
        return self.taken[key]

    # New tracks, markers --------------------------------------------------------------------

    def _send_elsewhere(self, track: Track) -> None:
        """Notes of an instrument that their channel does not play get a track of their own."""
        name = f"{track.name or instrument_name(track.instrument)} (new)"
        same = [t for t in self.added if (t.name, t.instrument) == (name, track.instrument)]
        to_come = [*self.added, *self.request.music[len(self.origins) :]]
        if same:
            same[0].notes.extend(track.notes)
        elif track.is_drum or len(self.free) > sum(not other.is_drum for other in to_come):
            self.added.append(replace(track, name=name))
        else:
            self.counts["channel"] += len(track.notes)

    def _add(self, track: Track) -> Iterator[bytes]:
        """A new track on a channel of its own: a chunk, or in a file of type 0 more events."""
        if not track.notes:
            return
        if not track.is_drum and not self.free:
            raise NoChannelError
        channel = DRUM_CHANNEL if track.is_drum else self.free.pop(0)
        if self.original.format == 1:
            yield track_chunk(track, channel, self.request.added_end_ticks)
            return
        self.end_ticks = max(self.end_ticks, self.request.added_end_ticks)
        if not track.is_drum:
            program = bytes((0xC0 | channel, track.program))
            self.edits[0].inserted.append(Insertion(0, program))
        for note in sorted(track.notes):
            self._insert(0, channel, note)
        self.shaping.press(0, channel, (0, 0), track.pedals)

    def _mark(self) -> None:
        """Take out old markers, put in new ones."""
        gone = Counter((marker.onset_ticks, marker.text) for marker in self.request.old_markers)
        for track, edits in zip(self.original.tracks, self.edits, strict=True):
            for place, event in enumerate(track.events):
                if event.is_meta(_MARKER):
                    key = event.tick, decode_text(event.payload())
                    if gone[key]:
                        gone[key] -= 1
                        edits.removed.add(place)
        self.edits[0].inserted += [
            Insertion(marker.onset_ticks, meta(_MARKER, marker.text.encode()))
            for marker in self.request.new_markers
        ]


def _within(tick: int, stretch: Stretch) -> bool:
    return stretch[0] <= tick < stretch[1]


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Neighbours as one."""
    joined: list[Stretch] = []
    for first, end in sorted(stretches):
        if joined and joined[-1][1] == first:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((first, end))
    return joined
