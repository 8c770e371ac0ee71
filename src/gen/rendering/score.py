"""A piece as MusicXML, for notation programs (MuseScore, Dorico, Sibelius, Finale).

Source: MusicXML 4.0 (W3C Music Notation Community Group, 2021), score-partwise. How a
performance becomes note values is described in `gen.rendering.notation`.
"""

from __future__ import annotations

import statistics
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gen.errors import HouseError
from gen.piece import KeySignature, Piece, Track
from gen.rendering import files, labels
from gen.rendering.expression import dynamics
from gen.rendering.notation import Staff, Symbol, staves
from gen.rendering.ruler import DIVISIONS, Ruler, WrittenBar
from gen.rendering.score_marks import ScoreMarks, put

_DOCTYPE = (
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">'
)
_LETTERS = "FCGDAEB"  # by fifths
_GUITARS, _BASSES = range(24, 32), range(32, 40)

# Display line and notehead of the usual drums: line names as on a treble staff.
_DRUM_LINES = {
    35: ("E", 4, ""), 36: ("F", 4, ""), 37: ("C", 5, "x"), 38: ("C", 5, ""), 39: ("C", 5, "x"),
    40: ("C", 5, ""), 41: ("G", 4, ""), 42: ("G", 5, "x"), 43: ("A", 4, ""), 44: ("D", 4, "x"),
    45: ("A", 4, ""), 46: ("G", 5, "circle-x"), 47: ("B", 4, ""), 48: ("D", 5, ""),
    49: ("A", 5, "x"), 50: ("E", 5, ""), 51: ("F", 5, "x"), 52: ("B", 5, "x"),
    53: ("F", 5, "diamond"), 54: ("E", 5, "triangle"), 55: ("B", 5, "x"), 56: ("E", 5, "triangle"),
    57: ("A", 5, "x"), 59: ("F", 5, "x"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of the score: a track with notes, and how it is written."""

    id: str
    track: Track
    channel: int
    staves: list[Staff]
    dynamics: dict[int, str]

    def instrument(self, pitch: int | None = None) -> str:
        return f"{self.id}-I{pitch}" if pitch is not None else f"{self.id}-I1"


SUFFIX: Final = ".musicxml"


def musicxml(piece: Piece, path: Path | str, *, title: str = "") -> Path:
    """Write the piece as an uncompressed MusicXML 4.0 score.

    Raises:
        HouseError: the piece has no notes, or the folder cannot be written.
    """
    if not piece.note_count:
        raise HouseError("the piece has no notes, so there is nothing to write down")
    score = _score(piece, title)
    ET.indent(score)
    body = ET.tostring(score, encoding="unicode")
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{_DOCTYPE}\n{body}\n'
    return files.write(Path(path), text.encode())


def _score(piece: Piece, title: str) -> ET.Element:
    ruler = Ruler(piece)
    parts = list(_parts(piece, ruler))
    score = ET.Element("score-partwise", version="4.0")
    put(put(score, "work"), "work-title", title or "Untitled piece")
    encoding = put(put(score, "identification"), "encoding")
    put(encoding, "supports", element="beam", type="no")
    part_list = put(score, "part-list")
    for part in parts:
        _list_part(part_list, part)
    signs = ScoreMarks(piece, ruler)
    for index, part in enumerate(parts):
        element = put(score, "part", id=part.id)
        for number in range(len(ruler.bars)):
            _measure(element, part, piece, ruler, number, signs if index == 0 else None)
    return score


def _parts(piece: Piece, ruler: Ruler) -> Iterator[_Part]:
    channels = [c for c in range(1, 17) if c != 10]
    tracks = [track for track in piece.tracks if track.notes]
    for index, track in enumerate(tracks):
        channel = 10 if track.is_drum else channels[index % len(channels)]
        yield _Part(f"P{index + 1}", track, channel, staves(track, ruler), dynamics(track, ruler))


def _list_part(part_list: ET.Element, part: _Part) -> None:
    entry = put(part_list, "score-part", id=part.id)
    put(entry, "part-name", labels.track_label(part.track))
    pitches = sorted({note.pitch for note in part.track.notes}) if part.track.is_drum else [None]
    for pitch in pitches:
        name = labels.instrument_name(part.track)
        if pitch is not None:
            name = labels.DRUMS.get(pitch, f"Percussion {pitch}")
        put(put(entry, "score-instrument", id=part.instrument(pitch)), "instrument-name", name)
    for pitch in pitches:
        sound = put(entry, "midi-instrument", id=part.instrument(pitch))
        put(sound, "midi-channel", part.channel)
        put(sound, "midi-program", part.track.program + 1)
        if pitch is not None:
            put(sound, "midi-unpitched", pitch + 1)


def _measure(
    parent: ET.Element,
    part: _Part,
    piece: Piece,
    ruler: Ruler,
    number: int,
    signs: ScoreMarks | None,
) -> None:
    bar = ruler.bars[number]
    measure = put(parent, "measure", number=number + 1)
    _attributes(measure, part, piece, ruler, number)
    if signs:
        signs.put(measure, bar)
    if mark := part.dynamics.get(bar.number):
        direction = put(measure, "direction", placement="below")
        put(put(put(direction, "direction-type"), "dynamics"), mark)
    position = 0
    voice_number = 0
    for staff_number, staff in enumerate(part.staves, start=1):
        for voice in staff.voices:
            voice_number += 1
            symbols = voice[number]
            if not symbols:
                continue
            if position:
                put(put(measure, "backup"), "duration", position)
            for symbol in symbols:
                _symbol(
                    measure, symbol, part, _NotePlace(voice_number, staff_number, bar, piece, ruler)
                )
            position = bar.length
    if number + 1 == len(ruler.bars):
        put(put(measure, "barline", location="right"), "bar-style", "light-heavy")


def _attributes(measure: ET.Element, part: _Part, piece: Piece, ruler: Ruler, number: int) -> None:
    bar, before = ruler.bars[number], ruler.bars[number - 1] if number else None
    key = key_at(piece, ruler, bar)
    new_key = before is None or key != key_at(piece, ruler, before)
    new_time = before is None or _fraction(before) != _fraction(bar)
    if not (new_key or new_time):
        return
    attributes = put(measure, "attributes")
    if before is None:
        put(attributes, "divisions", DIVISIONS)
    if new_key:
        element = put(attributes, "key")
        put(element, "fifths", key.fifths)
        put(element, "mode", key.mode or ("minor" if key.is_minor else "major"))
    if new_time:
        element = put(attributes, "time")
        put(element, "beats", bar.signature.numerator)
        put(element, "beat-type", bar.signature.denominator)
    if before is None:
        _clefs(attributes, part)


def _fraction(bar: WrittenBar) -> tuple[int, int]:
    return bar.signature.numerator, bar.signature.denominator


def _clefs(attributes: ET.Element, part: _Part) -> None:
    count = len(part.staves)
    if count > 1:
        put(attributes, "staves", count)
    for staff in range(1, count + 1):
        sign, line, octave = _clef(part.track, staff if count > 1 else 0)
        clef = put(attributes, "clef", **({"number": staff} if count > 1 else {}))
        put(clef, "sign", sign)
        if line:
            put(clef, "line", line)
        if octave:
            put(clef, "clef-octave-change", octave)


def _clef(track: Track, staff: int) -> tuple[str, int, int]:
    """(sign, line, octave change); `staff` is 1 or 2 of a grand staff, 0 of a single one."""
    if track.is_drum:
        return "percussion", 0, 0
    if staff:
        return ("G", 2, 0) if staff == 1 else ("F", 4, 0)
    middle = statistics.median(note.pitch for note in track.notes)
    if track.program in _BASSES:
        return "F", 4, -1
    if track.program in _GUITARS:
        return "G", 2, -1
    return ("G", 2, 0) if middle >= 58 else ("F", 4, 0)


def key_at(piece: Piece, ruler: Ruler, bar: WrittenBar) -> KeySignature:
    """The key signature in force at a bar's first half; C major until the first one."""
    key = KeySignature(0, 0, False)
    for change in piece.key_signatures:
        if ruler.at(change.onset_ticks) >= bar.start + bar.length / 2:
            break
        key = change
    return replace(key, onset_ticks=0)


@dataclass(frozen=True, slots=True)
class _NotePlace:
    voice: int
    staff: int
    bar: WrittenBar
    piece: Piece
    ruler: Ruler


def _symbol(measure: ET.Element, symbol: Symbol, part: _Part, place: _NotePlace) -> None:
    """One rest, note or chord. The order of a note's children is the schema's."""
    if symbol.is_rest:
        note = put(measure, "note")
        put(note, "rest", **({} if symbol.value else {"measure": "yes"}))
        _finish(note, symbol, part, place)
        return
    for index, (pitch, velocity) in enumerate(sorted(symbol.velocities.items())):
        note = put(measure, "note", dynamics=f"{velocity / 90 * 100:.2f}")
        if index:
            put(note, "chord")
        if part.track.is_drum:
            line, octave, _ = _DRUM_LINES.get(pitch, ("B", 4, "slash"))
            unpitched = put(note, "unpitched")
            put(unpitched, "display-step", line)
            put(unpitched, "display-octave", octave)
        else:
            _pitch(note, pitch, key_at(place.piece, place.ruler, place.bar))
        _finish(note, symbol, part, place, pitch=pitch, lead=index == 0)


def _pitch(note: ET.Element, pitch: int, key: KeySignature) -> None:
    step, alter, octave = spelled(pitch, key)
    element = put(note, "pitch")
    put(element, "step", step)
    if alter:
        put(element, "alter", alter)
    put(element, "octave", octave)


def spelled(pitch: int, key: KeySignature) -> tuple[str, int, int]:
    """(letter, alteration, octave) of a pitch, from the twelve names nearest to the key.

    Majors reach four fifths below their tonic and minors one less, so that A minor has G#.
    """
    lowest = key.fifths - (3 if key.is_minor else 4)
    fifths = lowest + (pitch * 7 - lowest) % 12
    alter = (fifths + 1) // 7
    return _LETTERS[(fifths + 1) % 7], alter, (pitch - alter) // 12 - 1


def _finish(
    note: ET.Element,
    symbol: Symbol,
    part: _Part,
    place: _NotePlace,
    *,
    pitch: int | None = None,
    lead: bool = True,
) -> None:
    put(note, "duration", symbol.duration)
    ties = [
        kind for kind, is_so in (("stop", symbol.tied_from), ("start", symbol.tied_to)) if is_so
    ]
    for kind in ties:
        put(note, "tie", type=kind)
    if part.track.is_drum and pitch is not None:
        put(note, "instrument", id=part.instrument(pitch))
    put(note, "voice", place.voice)
    if symbol.value:
        put(note, "type", symbol.value)
        for _ in range(symbol.dots):
            put(note, "dot")
    if symbol.is_triplet:
        modification = put(note, "time-modification")
        put(modification, "actual-notes", 3)
        put(modification, "normal-notes", 2)
    if part.track.is_drum and pitch is not None:
        put(note, "stem", "up" if place.voice == 1 else "down")
        if head := _DRUM_LINES.get(pitch, ("B", 4, "slash"))[2]:
            put(note, "notehead", head)
    if len(part.staves) > 1:
        put(note, "staff", place.staff)
    _notations(note, ties, symbol if lead else Symbol(0, 0))


def _notations(note: ET.Element, ties: list[str], symbol: Symbol) -> None:
    """Ties of a note; brackets, slurs and articulations of the first of a chord."""
    brackets = {"both": ["start", "stop"], "": []}.get(symbol.tuplet, [symbol.tuplet])
    if not (ties or brackets or symbol.slur or symbol.marks):
        return
    notations = put(note, "notations")
    for kind in ties:
        put(notations, "tied", type=kind)
    if symbol.slur:
        put(notations, "slur", type=symbol.slur)
    for kind in brackets:
        put(notations, "tuplet", type=kind)
    if symbol.marks:
        articulations = put(notations, "articulations")
        for mark in symbol.marks:
            put(articulations, mark)
