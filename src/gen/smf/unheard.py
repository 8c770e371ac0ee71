"""What a file says that the model does not hear, in a composer's words."""

from __future__ import annotations

from collections import Counter

from gen.piece import Piece
from gen.smf.lenient import RawFile

STEPS_PER_QUARTER = 12
"""The model's grid: finer timing is rounded to it."""

_CONTROLLERS = {
    0: "bank select", 1: "modulation wheel", 2: "breath", 4: "foot controller",
    5: "portamento time", 7: "volume", 10: "pan", 11: "expression", 32: "bank select",
    65: "portamento", 66: "sostenuto pedal", 67: "soft pedal", 68: "legato", 71: "resonance",
    72: "release time", 73: "attack time", 74: "brightness", 91: "reverb", 93: "chorus",
}  # fmt: skip
_SUSTAIN = 64
_TEXTS = {0x01: "texts", 0x02: "copyright notices", 0x04: "instrument texts", 0x05: "lyrics"}


def list_unheard(raw: RawFile, piece: Piece) -> tuple[str, ...]:
    """One line for each kind of event or detail that the model does not hear."""
    counts = _count_events(raw)
    lines = [f"{name} ({count:,} {_events(count)})" for name, count in sorted(counts.items())]
    off_grid, note_count = _count_off_grid(piece), piece.note_count
    if off_grid:
        lines.append(
            f"timing finer than 1/{STEPS_PER_QUARTER} of a quarter note "
            f"({off_grid:,} of {note_count:,} notes; they are heard on the nearest step)"
        )
    return tuple(lines)


def _events(count: int) -> str:
    return "event" if count == 1 else "events"


def _count_events(raw: RawFile) -> Counter[str]:
    counts: Counter[str] = Counter()
    for track in raw.tracks:
        kinds = Counter((status & 0xF0, first) for _, status, first, _ in track.events)
        for (kind, number), count in kinds.items():
            if name := _event_name(kind, number):
                counts[name] += count
        for _, kind, _ in track.metas:
            if kind in _TEXTS:
                counts[_TEXTS[kind]] += 1
        if track.system_message_count:
            counts["system-exclusive messages"] += track.system_message_count
    return counts


def _event_name(kind: int, number: int) -> str:
    """The name of an unheard channel event, "" for those the model hears."""
    if kind == 0xB0 and number != _SUSTAIN:
        return _CONTROLLERS.get(number, f"controller {number}")
    return {0xA0: "key pressure", 0xD0: "channel pressure", 0xE0: "pitch bend"}.get(kind, "")


def _count_off_grid(piece: Piece) -> int:
    unit = piece.ticks_per_quarter
    return sum(n.onset_ticks * STEPS_PER_QUARTER % unit != 0 for t in piece.tracks for n in t.notes)
