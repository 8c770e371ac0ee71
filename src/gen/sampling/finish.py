"""From decoded rows to a finished piece: names, exact tempo, key, markers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gen import harmony
from gen.analysis import infer_key
from gen.piece import KeySignature, Marker, Pedal, Piece, Tempo, Track
from gen.sampling.controls import Controls
from gen.sampling.plan import steps_of
from gen.sampling.view import Row
from gen.smf import instrument_name
from gen.tokens import vocabulary as v
from gen.tokens.events import Events, chord_of
from gen.tokens.grid import TICKS_PER_STEP
from gen.tokens.reading import decode
from gen.tokens.vocabulary import FIRST, Kind

_PLAIN: Final = {3: (5, "F"), 4: (0, "C")}
"""Sharps of a minor key: its leading note as a pitch class, and the plain name of that sound."""


def finished(rows: Sequence[Row], controls: Controls) -> Piece:
    """The piece that the rows spell, ready for a sequencer.

    Its key signature is the key that was asked for, else the one its notes suggest.
    """
    piece = decode(Events.of(rows))
    if controls.tempo is not None:
        piece.tempos = [Tempo(0, round(60_000_000 / controls.tempo))]
    piece.tracks = [track for track in piece.tracks if track.notes]
    if controls.key or any(not track.is_drum for track in piece.tracks):
        piece.key_signatures = [signature_of(controls.key or str(infer_key(piece)[0]))]
    piece.markers = markers_of(rows, piece.key_signatures)
    end = piece.end_ticks
    for track in piece.tracks:
        track.name = track_name(track)
        track.pedals = _separate(track, end)
    return piece


def signature_of(name: str) -> KeySignature:
    """The key signature that spells a key's tonic as its name does: flats for Eb minor.

    Where that takes more than seven sharps or flats it is the usual one of the same notes.
    """
    key = harmony.parse_key(name)
    tonic = re.match(r"\s*([A-Ga-g])([#b♯♭]?)", name)
    spelt = tonic[1].upper() + tonic[2].translate({ord("♯"): "#", ord("♭"): "b"}) if tonic else ""
    ways = (fifths for fifths in range(key.fifths - 12, key.fifths + 13, 12) if abs(fifths) <= 7)
    for fifths in ways:
        if harmony.note_names(fifths, is_minor=key.is_minor)[key.tonic] == spelt:
            return KeySignature(0, fifths, key.is_minor)
    return KeySignature(0, key.fifths, key.is_minor)


def _separate(track: Track, end: int) -> list[Pedal]:
    """Pedals released before they are pressed again, and before the piece is over."""
    ends = [*(pedal.onset_ticks for pedal in track.pedals), end][1:]
    return [
        Pedal(pedal.onset_ticks, min(pedal.duration_ticks, limit - pedal.onset_ticks))
        for pedal, limit in zip(track.pedals, ends, strict=True)
        if limit > pedal.onset_ticks
    ]


def track_name(track: Track) -> str:
    """Its instrument, and what it does if that is known."""
    role = f" ({track.role.replace('_', ' ')})" if track.role and not track.is_drum else ""
    return instrument_name(track.instrument).title() + role


def markers_of(rows: Sequence[Row], keys: Sequence[KeySignature]) -> list[Marker]:
    """Section names and chord symbols, spelt by the key, where they begin: at 480 ticks."""
    markers, start, following = [], 0, 0
    chord = ""
    for kind, position, value, _, _ in rows:
        if kind == Kind.BAR:
            start, following = following, following + steps_of(value)
        elif kind == Kind.SECTION:
            name = v.SECTIONS[value - FIRST["section"]]
            title = name.title() if len(name) > 1 else f"Section {name.upper()}"  # A is a chord
            markers.append(Marker(start * TICKS_PER_STEP, title))
        elif kind == Kind.CHORD:
            found = chord_of(value)
            symbol = _symbol(found, keys[0]) if found and keys else str(found or "NC")
            step = start + position - FIRST["position"]
            if symbol != chord:
                markers.append(Marker(step * TICKS_PER_STEP, symbol))
            chord = symbol
    return markers


def _symbol(chord: harmony.Chord, key: KeySignature) -> str:
    """A chord as it is called in a key.

    On E#, the leading note of F# minor, and B#, that of C# minor, only diminished chords are
    called by it, which lead to the tonic; others are chords on F and C.
    """
    names = list(harmony.note_names(key.fifths, is_minor=key.is_minor))
    if key.is_minor and key.fifths in _PLAIN and chord.quality not in ("dim", "dim7", "m7b5"):
        place, name = _PLAIN[key.fifths]
        names[place] = name
    return chord.spelt(names)
