"""What a file says that models do not hear, or not all of them, in a composer's words."""

from __future__ import annotations

from collections import Counter
from statistics import fmean

from gen.meter import STEPS_PER_QUARTER
from gen.piece import Piece, Tempo
from gen.smf.lenient import RawFile

OFF_GRID = f"timing finer than 1/{STEPS_PER_QUARTER} of a quarter note"
TEMPO_RANGE = (30, 240)
"""Quarter notes a minute between which the model tells tempos apart."""
EXTREME_TEMPO = "tempos below {} or above {} quarter notes a minute".format(*TEMPO_RANGE)

_CONTROLLERS = {
    0: "bank select", 1: "modulation wheel", 2: "breath", 4: "foot controller",
    5: "portamento time", 6: "parameter value", 7: "volume", 10: "pan", 11: "expression",
    32: "bank select", 38: "parameter value", 65: "portamento", 66: "sostenuto pedal",
    67: "soft pedal", 68: "legato", 71: "resonance", 72: "release time", 73: "attack time",
    74: "brightness", 91: "reverb", 93: "chorus", 98: "parameter number",
    99: "parameter number", 100: "parameter number", 101: "parameter number",
    69: "hold pedal", 84: "portamento", 96: "parameter steps", 97: "parameter steps",
    120: "all sound off", 121: "reset of all controllers", 122: "local control",
    123: "all notes off", 124: "omni mode", 125: "omni mode", 126: "mono mode", 127: "poly mode",
}  # fmt: skip
_SUSTAIN = 64
_SHOWN_KINDS = 8
_TEXTS = {0x01: "texts", 0x02: "copyright notices", 0x04: "instrument texts", 0x05: "lyrics"}


def list_unheard(raw: RawFile, piece: Piece) -> tuple[str, ...]:
    """One line for what the model does not hear: of all events, of timing and of tempos."""
    lines = [events] if (events := list_events(raw)) else []
    if off_grid := _off_grid(piece):
        apart = fmean(off_grid) * 1000
        lines.append(
            f"{OFF_GRID} ({len(off_grid):,} of {piece.note_count:,} notes, {apart:.0f} ms off on "
            "average: a model that learns played music hears it, others the nearest step)"
        )
    if extreme := [t.quarters_per_minute for t in piece.tempos if _is_extreme(t)]:
        lines.append(
            f"{EXTREME_TEMPO} ({len(extreme):,} of {len(piece.tempos):,}; "
            "they are heard as the nearest of these)"
        )
    return tuple(lines)


def list_events(raw: RawFile) -> str:
    """The kinds of event that the model does not hear, the most frequent first; "" of none."""
    counts = _count_events(raw).most_common()
    more = counts[_SHOWN_KINDS:]
    if len(more) == 1:  # as long as its name
        more = []
    shown = [f"{name} ({_events(count)})" for name, count in counts[: len(counts) - len(more)]]
    if more:
        events = _events(sum(count for _, count in more))
        shown.append(f"{len(more)} further kinds ({events})")
    return ", ".join(shown)


def _is_extreme(tempo: Tempo) -> bool:
    lowest, highest = TEMPO_RANGE
    return not lowest <= tempo.quarters_per_minute <= highest


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count:,} events"


def _count_events(raw: RawFile) -> Counter[str]:
    counts: Counter[str] = Counter()
    for track in raw.tracks:
        for (kind, number), count in track.counts.items():
            if name := _event_name(kind, number):
                counts[name] += count
        for _, kind, _ in track.metas:
            if kind in _TEXTS:
                counts[_TEXTS[kind]] += 1
        if track.system_messages:
            counts["system-exclusive messages"] += len(track.system_messages)
    return counts


def _event_name(kind: int, number: int) -> str:
    """The name of an unheard channel event, "" for those the model hears."""
    if kind == 0xB0 and number != _SUSTAIN:
        return _CONTROLLERS.get(number, "controllers without a name")
    return {0xA0: "key pressure", 0xD0: "channel pressure", 0xE0: "pitch bend"}.get(kind, "")


def _off_grid(piece: Piece) -> list[float]:
    """Seconds by which each note that begins off the grid does, at the piece's mean tempo."""
    unit, end = piece.ticks_per_quarter, piece.end_ticks
    beside = [
        n.onset_ticks * STEPS_PER_QUARTER % unit for track in piece.tracks for n in track.notes
    ]
    seconds = piece.seconds_at(end) / end / STEPS_PER_QUARTER if end else 0.0
    return [min(rest, unit - rest) * seconds for rest in beside if rest]
