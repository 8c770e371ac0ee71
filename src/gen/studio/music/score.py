"""Music as the studio's interface speaks it: a score as JSON, and the `Piece` that it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, NamedTuple

from pydantic import BaseModel, Field

from gen.errors import shortened
from gen.piece import KeySignature, Marker, Note, Pedal, Piece, Tempo, TimeSignature, Track
from gen.rendering.labels import instrument_name, signs
from gen.rendering.roll import bars_of

MOST_EVENTS = 1 << 20
"""Of each kind: more than any file holds that the house reads."""
MOST_LETTERS = 200
"""Of a name or a marker."""
_SHOWN_LETTERS = 160
"""Of those of files, which may be longer; words on how much is left out come in between."""
MOST_TICKS = 1 << 27

Tick = Annotated[int, Field(ge=0, le=MOST_TICKS)]
Byte = Annotated[int, Field(ge=0, le=127)]
Text = Annotated[str, Field(max_length=MOST_LETTERS)]


class ScoreNote(NamedTuple):
    """Onset and duration in ticks, pitch, velocity."""

    onset: Tick
    duration: Tick
    pitch: Byte
    velocity: Annotated[int, Field(ge=1, le=127)]


class ScoreTempo(NamedTuple):
    """From a tick on so many microseconds a quarter."""

    tick: Tick
    microseconds: Annotated[int, Field(ge=1, le=0xFFFFFF)]


class ScoreMeter(NamedTuple):
    """From a tick on this time signature."""

    tick: Tick
    numerator: Annotated[int, Field(ge=1, le=64)]
    denominator: Annotated[int, Field(ge=1, le=64)]


class ScoreKey(NamedTuple):
    """From a tick on this key signature: `fifths` from seven flats (-7) to seven sharps (7).

    `mode` as in `KeySignature`.
    """

    tick: Tick
    fifths: Annotated[int, Field(ge=-7, le=7)]
    minor: bool
    mode: str = ""


class ScoreMarker(NamedTuple):
    """A text at a tick."""

    tick: Tick
    text: Text


class ScorePedal(NamedTuple):
    """The sustain pedal held down."""

    onset: Tick
    duration: Tick


class ScoreTrack(BaseModel, extra="forbid"):
    """One part. `instrument` is the General MIDI name of the program, and only ever an answer."""

    name: Text = ""
    program: Byte = 0
    drums: bool = False
    role: Text | None = None
    instrument: Text = ""
    notes: Annotated[list[ScoreNote], Field(max_length=MOST_EVENTS)] = []
    pedals: Annotated[list[ScorePedal], Field(max_length=MOST_EVENTS)] = []


class Score(BaseModel, extra="forbid"):
    """A piece. `bars` are the first ticks of its bars and the end of the last.

    Bars, and which markers are chords and sections, are only ever answers.
    """

    ticks_per_quarter: Annotated[int, Field(ge=1, le=32_767)]
    tracks: Annotated[list[ScoreTrack], Field(max_length=64)] = []
    tempos: Annotated[list[ScoreTempo], Field(max_length=MOST_EVENTS)] = []
    meters: Annotated[list[ScoreMeter], Field(max_length=MOST_EVENTS)] = []
    keys: Annotated[list[ScoreKey], Field(max_length=MOST_EVENTS)] = []
    markers: Annotated[list[ScoreMarker], Field(max_length=MOST_EVENTS)] = []
    chords: Annotated[list[ScoreMarker], Field(max_length=MOST_EVENTS)] = []
    sections: Annotated[list[ScoreMarker], Field(max_length=MOST_EVENTS)] = []
    bars: Annotated[list[Tick], Field(max_length=MOST_EVENTS)] = []
    seconds: float = 0.0

    @staticmethod
    def of(piece: Piece) -> Score:
        """A piece as JSON says it."""
        bars = bars_of(piece)
        found = signs(piece)
        return Score(
            ticks_per_quarter=piece.ticks_per_quarter,
            tracks=[_track(track) for track in piece.tracks],
            tempos=[ScoreTempo(t.onset_ticks, t.microseconds_per_quarter) for t in piece.tempos],
            meters=[
                ScoreMeter(s.onset_ticks, s.numerator, s.denominator) for s in piece.time_signatures
            ],
            keys=[
                ScoreKey(k.onset_ticks, k.fifths, k.is_minor, k.mode) for k in piece.key_signatures
            ],
            markers=_texts(piece.markers),
            chords=_texts(found.chords),
            sections=_texts(found.sections),
            bars=[*(bar.start_ticks for bar in bars), bars[-1].end_ticks],
            seconds=piece.seconds_at(piece.end_ticks),
        )

    def piece(self) -> Piece:
        """The piece that it says."""
        return Piece(
            self.ticks_per_quarter,
            tracks=[
                Track(
                    track.name,
                    track.program,
                    track.drums,
                    track.role,
                    sorted(Note(*note) for note in track.notes),
                    sorted(Pedal(*pedal) for pedal in track.pedals),
                )
                for track in self.tracks
            ],
            tempos=sorted(Tempo(*tempo) for tempo in self.tempos),
            time_signatures=sorted(TimeSignature(*meter) for meter in self.meters),
            key_signatures=sorted(KeySignature(*key) for key in self.keys),
            markers=[Marker(marker.tick, marker.text) for marker in self.markers],
        )


def _texts(markers: Iterable[Marker]) -> list[ScoreMarker]:
    return [
        ScoreMarker(marker.onset_ticks, shortened(marker.text, _SHOWN_LETTERS))
        for marker in markers
    ]


def _track(track: Track) -> ScoreTrack:
    return ScoreTrack(
        name=shortened(track.name, _SHOWN_LETTERS),
        program=track.program,
        drums=track.is_drum,
        role=track.role,
        instrument=instrument_name(track),
        notes=[ScoreNote(n.onset_ticks, n.duration_ticks, n.pitch, n.velocity)
               for n in track.notes],
        pedals=[ScorePedal(p.onset_ticks, p.duration_ticks) for p in track.pedals],
    )  # fmt: skip
