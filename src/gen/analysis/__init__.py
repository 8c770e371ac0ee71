"""What a piece says about itself: key, tempo, meter, instruments, roles, chords and sections.

Guesses, for a composer to confirm or correct at contribution; nothing here is authority.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gen.analysis.chords import infer_chords
from gen.analysis.key import counts_as_stated, infer_key, names_in, stated_key
from gen.analysis.roles import infer_roles
from gen.analysis.sections import sections_of
from gen.piece import Marker, Piece
from gen.smf import instrument_name

__all__ = ["Analysis", "analyse", "infer_chords", "infer_key", "infer_roles"]

_CLEAR_LEAD = 0.05


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a composer is asked to confirm.

    Attributes:
        key: as in "A minor": the one the file states, else the likeliest.
        key_guess: what the notes suggest.
        key_stated: the first key signature; "" where there is none.
        is_key_clear: whether the file states the key, or the guess leads the next clearly.
        tempo_quarters_per_minute: the average over the piece's length.
        slowest_tempo: the lowest of those that hold while something sounds.
        fastest_tempo: the highest of them.
        tempo_changes: tempos after the first, until the last note.
        is_tempo_stated: whether the file says the tempo from the beginning.
        meters: time signatures in order of appearance, "4/4" where none is written.
        is_meter_stated: whether the file says the meter from the beginning.
        bars: number of bars.
        seconds: how long it plays.
        notes: number of notes.
        names: the tracks' own names, in file order; "" for a track without.
        instruments: one a track, in file order.
        roles: one a track, in file order.
        chords: a progression, bars separated by `|`.
        sections: as markers name them, "intro:1 verse-1:5"; "" where they name none.
    """

    key: str
    key_guess: str
    key_stated: str
    is_key_clear: bool
    tempo_quarters_per_minute: float
    slowest_tempo: float
    fastest_tempo: float
    tempo_changes: int
    is_tempo_stated: bool
    meters: tuple[str, ...]
    is_meter_stated: bool
    bars: int
    seconds: float
    notes: int
    names: tuple[str, ...]
    instruments: tuple[str, ...]
    roles: tuple[str, ...]
    chords: str
    sections: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_dict(found: dict[str, Any]) -> Analysis:
        """What `to_dict` gave, also after JSON made lists of its tuples."""
        lists = {name: tuple(value) for name, value in found.items() if isinstance(value, list)}
        return Analysis(**{**found, **lists})


def analyse(piece: Piece, cues: Sequence[Marker] = ()) -> Analysis:
    """Everything the notes and the markers say.

    Args:
        piece: any piece.
        cues: further texts of its file that may name sections.
    """
    guess, lead = infer_key(piece)
    stated = stated_key(piece)
    key = stated if stated is not None and counts_as_stated(stated, guess) else guess
    names = names_in(piece, key)
    bars = piece.bar_starts() if piece.note_count else []
    tempos = tempos_heard(piece)
    return Analysis(
        key=f"{names[key.tonic]} {key.mode}",
        key_guess=f"{names_in(piece, guess)[guess.tonic]} {guess.mode}",
        key_stated=""
        if stated is None
        else f"{names_in(piece, stated)[stated.tonic]} {stated.mode}",
        is_key_clear=key == stated or lead >= _CLEAR_LEAD,
        tempo_quarters_per_minute=round(average_tempo(piece), 2),
        slowest_tempo=round(min(tempos), 2),
        fastest_tempo=round(max(tempos), 2),
        tempo_changes=len(tempos) - 1,
        is_tempo_stated=any(tempo.onset_ticks == 0 for tempo in piece.tempos),
        meters=tuple(dict.fromkeys(f"{s.numerator}/{s.denominator}" for _, s in bars)),
        is_meter_stated=any(meter.onset_ticks == 0 for meter in piece.time_signatures),
        bars=len(bars),
        seconds=round(piece.seconds_at(piece.end_ticks), 1),
        notes=piece.note_count,
        names=tuple(track.name for track in piece.tracks),
        instruments=tuple(instrument_name(track.instrument) for track in piece.tracks),
        roles=infer_roles(piece),
        chords=infer_chords(piece, names),
        sections=sections_of(piece, cues),
    )


def tempos_heard(piece: Piece) -> list[float]:
    """The tempos in quarter notes a minute that hold before the last note ends, in order.

    120 holds until the first; at least one.
    """
    tempos = [t for t in sorted(piece.tempos) if t.onset_ticks < max(piece.end_ticks, 1)]
    found = [] if tempos and tempos[0].onset_ticks == 0 else [120.0]
    for tempo in tempos:
        if not found or tempo.quarters_per_minute != found[-1]:
            found.append(tempo.quarters_per_minute)
    return found


def average_tempo(piece: Piece) -> float:
    """Quarter notes a minute over the piece's length; the first tempo of a piece without notes."""
    end = piece.end_ticks
    if not end:
        return tempos_heard(piece)[0]
    return end / piece.ticks_per_quarter / piece.seconds_at(end) * 60
