"""From decoded rows to a finished piece: names, exact tempo, key, markers; and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gen import harmony
from gen.piece import KeySignature, Marker, Pedal, Piece, Tempo, Track
from gen.sampling.controls import Controls, instrument_number
from gen.sampling.grammar import Row
from gen.smf import instrument_name
from gen.tokens import events as language
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import FIRST, Kind


def finished(rows: Sequence[Row], controls: Controls) -> Piece:
    """The piece that the rows spell, ready for a sequencer."""
    piece = language.decode(np.array(rows, dtype=np.int16))
    if controls.tempo is not None:
        piece.tempos = [Tempo(0, round(60_000_000 / controls.tempo))]
    if controls.key:
        key = harmony.parse_key(controls.key)
        piece.key_signatures = [KeySignature(0, key.fifths, key.is_minor)]
    piece.markers = _markers(rows)
    piece.tracks = [track for track in piece.tracks if track.notes]
    end = piece.end_ticks
    for track in piece.tracks:
        name = instrument_name(track.instrument).title()
        role = f" ({track.role.replace('_', ' ')})" if track.role and not track.is_drum else ""
        track.name = name + role
        track.pedals = _separate(track, end)
    return piece


def _separate(track: Track, end: int) -> list[Pedal]:
    """Pedals released before they are pressed again, and before the piece is over."""
    ends = [*(pedal.onset_ticks for pedal in track.pedals), end][1:]
    return [
        Pedal(pedal.onset_ticks, min(pedal.duration_ticks, limit - pedal.onset_ticks))
        for pedal, limit in zip(track.pedals, ends, strict=True)
        if limit > pedal.onset_ticks
    ]


def _markers(rows: Sequence[Row]) -> list[Marker]:
    """Section names and chord symbols where they begin."""
    markers, start, following = [], 0, 0
    chord = ""
    for kind, position, value, _, _ in rows:
        if kind == Kind.BAR:
            signature = v.TIME_SIGNATURES[value - FIRST["time_signature"]]
            start, following = following, following + v.bar_steps(*signature)
        elif kind == Kind.SECTION:
            name = v.SECTIONS[value - FIRST["section"]]
            markers.append(Marker(start * language.TICKS_PER_STEP, name.title()))
        elif kind == Kind.CHORD:
            symbol = str(language.chord_of(value) or "NC")
            step = start + position - FIRST["position"]
            if symbol != chord:
                markers.append(Marker(step * language.TICKS_PER_STEP, symbol))
            chord = symbol
    return markers


def asked_and_got(rows: Sequence[Row], piece: Piece, controls: Controls) -> list[dict[str, Any]]:
    """What was asked beside what came out, for every control that was given.

    Returns:
        One `{"control", "asked", "got", "met"}` a control.
    """
    bars = sum(row[v.KIND] == Kind.BAR for row in rows)
    signatures = sorted({(s.numerator, s.denominator) for s in piece.time_signatures})
    got: dict[str, Any] = {
        "bars": bars,
        "tempo": round(piece.tempos[0].quarters_per_minute, 2) if piece.tempos else None,
        "time_signature": " ".join(f"{n}/{d}" for n, d in signatures),
        "instruments": [instrument_name(track.instrument) for track in piece.tracks],
    }
    pitches = [n.pitch for t in piece.tracks if not t.is_drum for n in t.notes]
    velocities = [n.velocity for t in piece.tracks for n in t.notes]
    got["pitch_range"] = [min(pitches), max(pitches)] if pitches else None
    got["velocity_range"] = [min(velocities), max(velocities)] if velocities else None
    return [
        {"control": name, "asked": asked, "got": got[name], "met": _met(name, asked, got[name])}
        for name, asked in _asked(controls).items()
    ]


def _asked(controls: Controls) -> dict[str, Any]:
    default = Controls()
    names = ("bars", "tempo", "time_signature", "instruments", "pitch_range", "velocity_range")
    given = {name: getattr(controls, name) for name in names}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if value != getattr(default, name)
    }


def _met(name: str, asked: Any, got: Any) -> bool:
    if got is None:
        return True
    if name.endswith("range"):
        return bool(asked[0] <= got[0] and got[1] <= asked[1])
    if name == "instruments":
        return bool([instrument_name(instrument_number(i)) for i in asked] == got)
    if name == "tempo":
        return bool(abs(asked - got) < 0.05)
    return bool(asked == got)
