"""The in-memory piece: what a MIDI file says, in ticks, without MIDI's encodings.

A *work* (contributed) and a *piece* (generated) share this form. All times are integer
ticks, all positions absolute; `ticks_per_quarter` gives their size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

DRUM_PROGRAM = 128
"""The number that stands for a drum kit where programs are listed as one number."""

MODEL_TRACKS = 24
"""How many tracks with notes the model holds."""

ROLES = ("main_melody", "sub_melody", "accompaniment", "bass", "pad", "riff", "drums")
"""What a track does in its piece (the terms of the ComMU dataset, and drums)."""


@dataclass(init=False, repr=False, eq=False, match_args=False)
class Note(msgspec.Struct, frozen=True, order=True, gc=False):
    """One sounding note. Pitch and velocity as in MIDI (0-127, velocity at least 1).

    A house has millions: a struct is made five times as fast as a dataclass; what is made for
    dataclasses (`replace`) takes it all the same.
    """

    onset_ticks: int
    duration_ticks: int
    pitch: int
    velocity: int

    @property
    def end_ticks(self) -> int:
        return self.onset_ticks + self.duration_ticks


@dataclass(frozen=True, slots=True, order=True)
class Pedal:
    """The sustain pedal held down."""

    onset_ticks: int
    duration_ticks: int


@dataclass(slots=True)
class Track:
    """One instrument's part. `program` is the General MIDI number, 0-127; drums use 0."""

    name: str = ""
    program: int = 0
    is_drum: bool = False
    role: str | None = None
    notes: list[Note] = field(default_factory=list)
    pedals: list[Pedal] = field(default_factory=list)

    @property
    def instrument(self) -> int:
        """0-127 for a melodic program, `DRUM_PROGRAM` for drums."""
        return DRUM_PROGRAM if self.is_drum else self.program


@dataclass(frozen=True, slots=True, order=True)
class Tempo:
    """The speed from a tick on."""

    onset_ticks: int
    microseconds_per_quarter: int

    @property
    def quarters_per_minute(self) -> float:
        return 60_000_000 / self.microseconds_per_quarter


@dataclass(frozen=True, slots=True, order=True)
class TimeSignature:
    """The meter from a tick on."""

    onset_ticks: int
    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True, order=True)
class KeySignature:
    """`fifths` from -7 (seven flats) to 7 (seven sharps).

    `mode` is the name of one that is neither major nor minor, which a MIDI file does not say.
    """

    onset_ticks: int
    fifths: int
    is_minor: bool
    mode: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Marker:
    """A text at a time: a section name, a chord symbol, a mark of origin."""

    onset_ticks: int
    text: str


@dataclass(slots=True)
class Piece:
    """Tracks on one time line. Lists are sorted by onset."""

    ticks_per_quarter: int
    tracks: list[Track] = field(default_factory=list)
    tempos: list[Tempo] = field(default_factory=list)
    time_signatures: list[TimeSignature] = field(default_factory=list)
    key_signatures: list[KeySignature] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)

    @property
    def note_count(self) -> int:
        return sum(len(track.notes) for track in self.tracks)

    @property
    def end_ticks(self) -> int:
        """The last note-off (0 for an empty piece)."""
        ends = [n.onset_ticks + n.duration_ticks for t in self.tracks for n in t.notes]
        return max(ends, default=0)

    @property
    def bars_end_ticks(self) -> int:
        """The end of the bar in which the last note ends."""
        start, signature = self.bar_starts()[-1]
        return start + self.bar_ticks(signature)

    def bar_ticks(self, signature: TimeSignature) -> int:
        """Length of one bar under `signature`, in ticks."""
        return self.ticks_per_quarter * 4 * signature.numerator // signature.denominator

    def bar_starts(self) -> list[tuple[int, TimeSignature]]:
        """Each bar's first tick and the signature in force, until the last note-off.

        4/4 holds until the first signature; a signature that falls inside a bar cuts it
        short, as sequencers do.
        """
        signatures = sorted(self.time_signatures)
        if not signatures or signatures[0].onset_ticks > 0:
            signatures.insert(0, TimeSignature(0, 4, 4))
        last = max(self.end_ticks, 1)
        ends = [min(s.onset_ticks, last) for s in signatures[1:]] + [last]
        bars = []
        for signature, end in zip(signatures, ends, strict=True):
            starts = range(signature.onset_ticks, end, self.bar_ticks(signature))
            bars += [(start, signature) for start in starts]
        return bars

    def seconds_at(self, tick: int) -> float:
        """Seconds from the beginning to `tick`, following the tempo map (120 by default)."""
        total, last, tempo = 0, 0, 500_000  # of ticks times microseconds a quarter: exact
        for change in sorted(self.tempos):
            if change.onset_ticks >= tick:
                break
            total += (change.onset_ticks - last) * tempo
            last, tempo = change.onset_ticks, change.microseconds_per_quarter
        return (total + (tick - last) * tempo) / (self.ticks_per_quarter * 1_000_000)

    def to_pretty_midi(self) -> Any:
        """The piece as a `pretty_midi.PrettyMIDI`: times in seconds, an instrument a track."""
        import mido
        import pretty_midi

        conductor: list[tuple[int, Any]] = [
            (t.onset_ticks, mido.MetaMessage("set_tempo", tempo=t.microseconds_per_quarter))
            for t in self.tempos
        ]
        for s in self.time_signatures:
            meter = {"numerator": s.numerator, "denominator": s.denominator}
            conductor.append((s.onset_ticks, mido.MetaMessage("time_signature", **meter)))
        file = mido.MidiFile(ticks_per_beat=self.ticks_per_quarter)
        file.tracks.append(_in_sequence(conductor))
        file.tracks.extend(_in_sequence(_messages(track)) for track in self.tracks)
        return pretty_midi.PrettyMIDI(mido_object=file)


def _messages(track: Track) -> list[tuple[int, Any]]:
    """A track's messages with their ticks; ends before beginnings."""
    import mido

    channel = _DRUM_CHANNEL if track.is_drum else 0
    begin = [
        mido.MetaMessage("track_name", name=track.name.encode("latin1", "replace").decode("latin1"))
    ]
    begin.append(mido.Message("program_change", program=track.program, channel=channel))
    found: list[tuple[int, Any]] = [(0, message) for message in begin]
    for note in track.notes:
        sound = {"note": note.pitch, "channel": channel}
        found.append((note.end_ticks, mido.Message("note_off", **sound)))
        found.append((note.onset_ticks, mido.Message("note_on", velocity=note.velocity, **sound)))
    for pedal in track.pedals:
        for tick, value in (
            (pedal.onset_ticks, 127),
            (pedal.onset_ticks + pedal.duration_ticks, 0),
        ):
            press = mido.Message("control_change", control=64, value=value, channel=channel)
            found.append((tick, press))
    return found


def _in_sequence(messages: Iterable[tuple[int, Any]]) -> Any:
    """Messages by tick as a track, each after the time since the one before."""
    import mido

    order = {"note_off": 1, "note_on": 2}
    track, now = mido.MidiTrack(), 0
    for tick, message in sorted(messages, key=lambda one: (one[0], order.get(one[1].type, 0))):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track"))
    return track


_DRUM_CHANNEL = 9
