"""What a piece says about itself: key, tempo, meter, instruments, roles, chords and sections.

Guesses, for a composer to confirm or correct at contribution; nothing here is authority.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gen.analysis.chords import infer_chords
from gen.analysis.key import infer_key, names_in
from gen.analysis.roles import infer_roles
from gen.analysis.sections import sections_of
from gen.piece import Piece
from gen.smf import instrument_name

__all__ = ["Analysis", "analyse", "infer_chords", "infer_key", "infer_roles"]

_CLEAR_LEAD = 0.05


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a composer is asked to confirm.

    Attributes:
        key: as in "A minor".
        is_key_clear: whether the key leads the next likeliest clearly.
        tempo_quarters_per_minute: the tempo that holds longest.
        tempo_changes: tempos after the first.
        meters: time signatures in order of appearance, "4/4" where none is written.
        bars: number of bars.
        seconds: how long it plays.
        notes: number of notes.
        instruments: one a track, in file order.
        roles: one a track, in file order.
        chords: a progression, bars separated by `|`.
        sections: as markers name them, "intro:1 verse-1:5"; "" where they name none.
    """

    key: str
    is_key_clear: bool
    tempo_quarters_per_minute: float
    tempo_changes: int
    meters: tuple[str, ...]
    bars: int
    seconds: float
    notes: int
    instruments: tuple[str, ...]
    roles: tuple[str, ...]
    chords: str
    sections: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def analyse(piece: Piece) -> Analysis:
    """Everything the notes and the markers say."""
    key, lead = infer_key(piece)
    names = names_in(piece, key)
    bars = piece.bar_starts() if piece.note_count else []
    return Analysis(
        key=f"{names[key.tonic]} {key.mode}",
        is_key_clear=lead >= _CLEAR_LEAD,
        tempo_quarters_per_minute=round(prevailing_tempo(piece), 2),
        tempo_changes=max(len(piece.tempos) - 1, 0),
        meters=tuple(dict.fromkeys(f"{s.numerator}/{s.denominator}" for _, s in bars)),
        bars=len(bars),
        seconds=round(piece.seconds_at(piece.end_ticks), 1),
        notes=piece.note_count,
        instruments=tuple(instrument_name(track.instrument) for track in piece.tracks),
        roles=infer_roles(piece),
        chords=infer_chords(piece, names),
        sections=sections_of(piece),
    )


def prevailing_tempo(piece: Piece) -> float:
    """The tempo that holds for most ticks, in quarter notes a minute; 120 where none is set."""
    tempos = [(t.onset_ticks, t.quarters_per_minute) for t in sorted(piece.tempos)]
    if not tempos or tempos[0][0] > 0:
        tempos.insert(0, (0, 120.0))
    ends = [onset for onset, _ in tempos[1:]] + [max(piece.end_ticks, tempos[-1][0] + 1)]
    lasting: dict[float, int] = {}
    for (onset, tempo), end in zip(tempos, ends, strict=True):
        lasting[tempo] = lasting.get(tempo, 0) + end - onset
    return max(lasting, key=lambda tempo: lasting[tempo])
