"""A strict file read once more, by two libraries that know nothing of this program.

`mido` reads the bytes in ticks; `pretty_midi` hears the same messages in seconds. What they find is
held against the piece that this program finds: notes, instruments, tempo, meter and length. Where
they differ, either the file means different things to different programs, or this one is wrong.
Both are imported when they are needed, since that takes a while.
"""

from __future__ import annotations

from collections import Counter
from io import BytesIO
from typing import Any, Final

from gen.errors import HouseError
from gen.piece import DRUM_PROGRAM, Piece

_DRUM_CHANNEL: Final = 9
_TICKS_HEARD: Final = 10_000_000
"""Ticks that pretty_midi hears, at most."""
_NEARLY: Final = 1e-4
"""Seconds that sums of many lengths may differ by."""
_MEND: Final = (
    "export it anew; if that does not help, please report it: one of the readers is wrong"
)

Note = tuple[int, int, int, int, int]
"""Instrument, pitch, velocity, and first and last tick."""


def load_readers() -> None:
    """Import both libraries now."""
    import mido
    import pretty_midi

    del mido, pretty_midi


def check_read_alike(data: bytes, piece: Piece) -> None:
    """Hold what mido and pretty_midi read in a strict file against the piece that is in it.

    Args:
        data: the file; chunks after the last track are passed over.
        piece: what this program reads in it.

    Raises:
        HouseError: one of them reads other notes, tempos, meters or another length.
    """
    import mido

    try:
        file = mido.MidiFile(file=BytesIO(data))
        _check_ticks(file, piece)
        if _last_tick(file) < _TICKS_HEARD:
            _check_seconds(file, piece)
    except HouseError:
        raise
    except Exception as error:  # whatever a reader stumbles over
        raise HouseError(f"another reader cannot read it: {error}", mend=_MEND) from error


def _last_tick(file: Any) -> int:
    return int(max(sum(message.time for message in track) for track in file.tracks))


# In ticks -------------------------------------------------------------------------------


def _check_ticks(file: Any, piece: Piece) -> None:
    if file.ticks_per_beat != piece.ticks_per_quarter:
        raise _differs("mido", "ticks a quarter", piece.ticks_per_quarter, file.ticks_per_beat)
    tempos: list[tuple[int, ...]] = []
    meters: list[tuple[int, ...]] = []
    notes: Counter[Note] = Counter()
    for track in file.tracks:
        notes.update(_notes(track, tempos, meters))
    ours = [(t.onset_ticks, t.microseconds_per_quarter) for t in piece.tempos]
    _compare("mido", "tempos", ours, tempos)
    signatures = [(s.onset_ticks, s.numerator, s.denominator) for s in piece.time_signatures]
    _compare("mido", "meters", signatures, meters)
    own = Counter(
        (track.instrument, note.pitch, note.velocity, note.onset_ticks, note.end_ticks)
        for track in piece.tracks
        for note in track.notes
    )
    _compare("mido", "notes", sorted(own.elements()), sorted(notes.elements()))


def _notes(track: Any, tempos: list[tuple[int, ...]], meters: list[tuple[int, ...]]) -> list[Note]:
    """The notes of a track; its tempos and meters are added to those before."""
    tick, found = 0, list[Note]()
    programs: dict[int, int] = {}
    sounding: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for message in track:
        tick += message.time
        if message.type == "set_tempo":
            tempos.append((tick, message.tempo))
        elif message.type == "time_signature":
            meters.append((tick, message.numerator, message.denominator))
        elif message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type == "note_on" and message.velocity > 0:
            key = message.channel, message.note
            sounding.setdefault(key, []).append((message.velocity, tick))
        elif message.type in ("note_on", "note_off"):
            velocity, onset = sounding[message.channel, message.note].pop(0)
            drums = message.channel == _DRUM_CHANNEL
            instrument = DRUM_PROGRAM if drums else programs.get(message.channel, 0)
            found.append((instrument, message.note, velocity, onset, tick))
    return found


# In seconds -----------------------------------------------------------------------------


def _check_seconds(file: Any, piece: Piece) -> None:
    import pretty_midi

    read_back = pretty_midi.PrettyMIDI(mido_object=file)  # which makes its times absolute
    seconds = {tick: piece.seconds_at(tick) for tick in _ticks(piece)}
    own = sorted(
        (track.instrument, n.pitch, n.velocity, seconds[n.onset_ticks], seconds[n.end_ticks])
        for track in piece.tracks
        for n in track.notes
    )
    theirs = sorted(
        (DRUM_PROGRAM if one.is_drum else int(one.program), n.pitch, n.velocity, n.start, n.end)
        for one in read_back.instruments
        for n in one.notes
    )
    if len(own) != len(theirs):
        raise _differs("pretty_midi", "notes", len(own), len(theirs))
    for ours, their in zip(own, theirs, strict=True):
        late = max(abs(a - b) for a, b in zip(ours[3:], their[3:], strict=True))
        if ours[:3] != their[:3] or late > _NEARLY:
            raise _differs("pretty_midi", "a note", ours, their)
    meters = [(s.numerator, s.denominator) for s in read_back.time_signature_changes]
    written = [(s.numerator, s.denominator) for s in piece.time_signatures]
    _compare("pretty_midi", "meters", written, meters)


def _ticks(piece: Piece) -> set[int]:
    notes = [note for track in piece.tracks for note in track.notes]
    return {tick for note in notes for tick in (note.onset_ticks, note.end_ticks)}


def _compare(reader: str, what: str, ours: list[Any], theirs: list[Any]) -> None:
    if len(ours) != len(theirs):
        raise _differs(reader, what, len(ours), len(theirs))
    for one, other in zip(ours, theirs, strict=True):
        if one != other:
            raise _differs(reader, what, one, other)


def _differs(reader: str, what: str, ours: object, theirs: object) -> HouseError:
    return HouseError(f"{reader} reads other {what}: {theirs}, where we read {ours}", mend=_MEND)
