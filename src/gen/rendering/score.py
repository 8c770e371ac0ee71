"""A piece as MusicXML, for notation programs (MuseScore, Dorico, Sibelius, Finale).

Source: MusicXML 4.0 (W3C Music Notation Community Group, 2021), score-partwise. How a
performance becomes note values is described in `gen.rendering.notation`.
"""

from __future__ import annotations

import re
import statistics
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gen.errors import HouseError
from gen.harmony import parse_chord
from gen.piece import KeySignature, Marker, Piece, Tempo, Track
from gen.rendering import files, labels
from gen.rendering.expression import dynamics
from gen.rendering.notation import DIVISIONS, Ruler, Staff, Symbol, WrittenBar, staves

_DOCTYPE = (
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">'
)
_KINDS = {
    "maj": "major", "min": "minor", "dim": "diminished", "aug": "augmented",
    "sus4": "suspended-fourth", "sus2": "suspended-second", "7": "dominant",
    "maj7": "major-seventh", "m7": "minor-seventh", "m7b5": "half-diminished",
    "dim7": "diminished-seventh", "6": "major-sixth", "m6": "minor-sixth",
}  # fmt: skip
_Mark = TypeVar("_Mark", Marker, Tempo)
_LETTERS = "FCGDAEB"  # by fifths
_UNSEEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # not in XML 1.0
_TEMPO_SHOWN = 0.08  # a metronome mark for changes of 8 % and more; smaller ones only sound
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
    _put(_put(score, "work"), "work-title", title or "Untitled piece")
    encoding = _put(_put(score, "identification"), "encoding")
    _put(encoding, "supports", element="beam", type="no")
    part_list = _put(score, "part-list")
    for part in parts:
        _list_part(part_list, part)
    signs = _Signs(piece, ruler)
    for index, part in enumerate(parts):
        element = _put(score, "part", id=part.id)
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
    entry = _put(part_list, "score-part", id=part.id)
    _put(entry, "part-name", labels.track_label(part.track))
    pitches = sorted({note.pitch for note in part.track.notes}) if part.track.is_drum else [None]
    for pitch in pitches:
        name = labels.instrument_name(part.track)
        if pitch is not None:
            name = labels.DRUMS.get(pitch, f"Percussion {pitch}")
        _put(_put(entry, "score-instrument", id=part.instrument(pitch)), "instrument-name", name)
    for pitch in pitches:
        sound = _put(entry, "midi-instrument", id=part.instrument(pitch))
        _put(sound, "midi-channel", part.channel)
        _put(sound, "midi-program", part.track.program + 1)
        if pitch is not None:
            _put(sound, "midi-unpitched", pitch + 1)


def _measure(
    parent: ET.Element, part: _Part, piece: Piece, ruler: Ruler, number: int, signs: _Signs | None
) -> None:
    bar = ruler.bars[number]
    measure = _put(parent, "measure", number=number + 1)
    _attributes(measure, part, piece, ruler, number)
    if signs:
        signs.put(measure, bar)
    if mark := part.dynamics.get(bar.number):
        direction = _put(measure, "direction", placement="below")
        _put(_put(_put(direction, "direction-type"), "dynamics"), mark)
    position = 0
    voice_number = 0
    for staff_number, staff in enumerate(part.staves, start=1):
        for voice in staff.voices:
            voice_number += 1
            symbols = voice[number]
            if not symbols:
                continue
            if position:
                _put(_put(measure, "backup"), "duration", position)
            for symbol in symbols:
                _symbol(
                    measure, symbol, part, _Place(voice_number, staff_number, bar, piece, ruler)
                )
            position = bar.length
    if number + 1 == len(ruler.bars):
        _put(_put(measure, "barline", location="right"), "bar-style", "light-heavy")


def _attributes(measure: ET.Element, part: _Part, piece: Piece, ruler: Ruler, number: int) -> None:
    bar, before = ruler.bars[number], ruler.bars[number - 1] if number else None
    key = key_at(piece, ruler, bar)
    new_key = before is None or key != key_at(piece, ruler, before)
    new_time = before is None or _fraction(before) != _fraction(bar)
    if not (new_key or new_time):
        return
    attributes = _put(measure, "attributes")
    if before is None:
        _put(attributes, "divisions", DIVISIONS)
    if new_key:
        element = _put(attributes, "key")
        _put(element, "fifths", key.fifths)
        _put(element, "mode", "minor" if key.is_minor else "major")
    if new_time:
        element = _put(attributes, "time")
        _put(element, "beats", bar.signature.numerator)
        _put(element, "beat-type", bar.signature.denominator)
    if before is None:
        _clefs(attributes, part)


def _fraction(bar: WrittenBar) -> tuple[int, int]:
    return bar.signature.numerator, bar.signature.denominator


def _clefs(attributes: ET.Element, part: _Part) -> None:
    count = len(part.staves)
    if count > 1:
        _put(attributes, "staves", count)
    for staff in range(1, count + 1):
        sign, line, octave = _clef(part.track, staff if count > 1 else 0)
        clef = _put(attributes, "clef", **({"number": staff} if count > 1 else {}))
        _put(clef, "sign", sign)
        if line:
            _put(clef, "line", line)
        if octave:
            _put(clef, "clef-octave-change", octave)


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
    return KeySignature(0, key.fifths, key.is_minor)


class _Signs:
    """What stands over the first part: rehearsal marks, tempos and chord symbols."""

    def __init__(self, piece: Piece, ruler: Ruler) -> None:
        self._ruler = ruler
        self._piece = piece
        found = labels.signs(piece)
        self._sections = self._by_bar(found.sections)
        self._chords = self._by_bar(found.chords)
        self._tempos = self._by_bar(piece.tempos or [Tempo(0, 500_000)])
        self._shown_bpm = 0.0

    def _by_bar(self, marks: Iterable[_Mark]) -> dict[int, list[tuple[int, _Mark]]]:
        found: dict[int, list[tuple[int, _Mark]]] = {}
        for mark in marks:
            position = round(self._ruler.at(mark.onset_ticks) / 3) * 3
            bar = self._ruler.bar_at(position)
            offset = min(position - bar.start, bar.length - 3)
            found.setdefault(bar.number, []).append((offset, mark))
        return found

    def put(self, measure: ET.Element, bar: WrittenBar) -> None:
        for offset, marker in self._sections.get(bar.number, ()):
            _direction(measure, offset, ("rehearsal", marker.text))
        for offset, tempo in self._tempos.get(bar.number, ()):
            self._tempo(measure, offset, tempo, bar)
        for offset, marker in self._chords.get(bar.number, ()):
            _harmony(measure, offset, marker.text)

    def _tempo(self, measure: ET.Element, offset: int, tempo: Tempo, bar: WrittenBar) -> None:
        bpm = tempo.quarters_per_minute
        shown = abs(bpm - self._shown_bpm) >= _TEMPO_SHOWN * max(bpm, 1)
        if shown:
            self._shown_bpm = bpm
            direction = _put(measure, "direction", placement="above")
            metronome = _put(_put(direction, "direction-type"), "metronome")
            _put(metronome, "beat-unit", "quarter")
            if bar.is_compound:
                _put(metronome, "beat-unit-dot")
            _put(metronome, "per-minute", round(bpm / 1.5 if bar.is_compound else bpm))
            if offset:
                _put(direction, "offset", offset)
            _put(direction, "sound", tempo=f"{bpm:.6g}")
        else:
            sound = _put(measure, "sound", tempo=f"{bpm:.6g}")
            if offset:
                _put(sound, "offset", offset)


def _direction(measure: ET.Element, offset: int, what: tuple[str, str]) -> None:
    direction = _put(measure, "direction", placement="above")
    _put(_put(direction, "direction-type"), *what)
    if offset:
        _put(direction, "offset", offset)


def _harmony(measure: ET.Element, offset: int, text: str) -> None:
    harmony = _put(measure, "harmony")
    if text in {"NC", "N.C."} or not labels.is_chord(text):
        _put(_put(harmony, "root"), "root-step", "C", text="")
        _put(harmony, "kind", "none", text="N.C." if text in {"NC", "N.C."} else text)
    else:
        root, suffix, bass = _split_chord(text)
        _named(harmony, "root", root)
        _put(harmony, "kind", _KINDS[parse_chord(text).reduced.quality], text=suffix)
        if bass:
            _named(harmony, "bass", bass)
        if re.match(r"(7|9|11|13)sus", suffix):
            degree = _put(harmony, "degree")
            for child, value in (("value", 7), ("alter", 0), ("type", "add")):
                _put(degree, f"degree-{child}", value)
    if offset:
        _put(harmony, "offset", offset)


def _split_chord(text: str) -> tuple[str, str, str]:
    match = re.fullmatch(r"([A-G][#b♯♭]*)(.*?)(?:/([A-G][#b♯♭]*))?", text)
    if match is None:
        raise HouseError(f"{text!r} is not a chord symbol", where="markers")
    return match[1], match[2], match[3] or ""


def _named(harmony: ET.Element, kind: str, name: str) -> None:
    element = _put(harmony, kind)
    _put(element, f"{kind}-step", name[0])
    alter = sum(1 if accidental in "#♯" else -1 for accidental in name[1:])
    if alter:
        _put(element, f"{kind}-alter", alter)


@dataclass(frozen=True, slots=True)
class _Place:
    voice: int
    staff: int
    bar: WrittenBar
    piece: Piece
    ruler: Ruler


def _symbol(measure: ET.Element, symbol: Symbol, part: _Part, place: _Place) -> None:
    """One rest, note or chord. The order of a note's children is the schema's."""
    if symbol.is_rest:
        note = _put(measure, "note")
        _put(note, "rest", **({} if symbol.value else {"measure": "yes"}))
        _finish(note, symbol, part, place)
        return
    for index, (pitch, velocity) in enumerate(sorted(symbol.velocities.items())):
        note = _put(measure, "note", dynamics=f"{velocity / 90 * 100:.2f}")
        if index:
            _put(note, "chord")
        if part.track.is_drum:
            line, octave, _ = _DRUM_LINES.get(pitch, ("B", 4, "slash"))
            unpitched = _put(note, "unpitched")
            _put(unpitched, "display-step", line)
            _put(unpitched, "display-octave", octave)
        else:
            _pitch(note, pitch, key_at(place.piece, place.ruler, place.bar))
        _finish(note, symbol, part, place, pitch=pitch, lead=index == 0)


def _pitch(note: ET.Element, pitch: int, key: KeySignature) -> None:
    step, alter, octave = spelled(pitch, key)
    element = _put(note, "pitch")
    _put(element, "step", step)
    if alter:
        _put(element, "alter", alter)
    _put(element, "octave", octave)


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
    place: _Place,
    *,
    pitch: int | None = None,
    lead: bool = True,
) -> None:
    _put(note, "duration", symbol.duration)
    ties = [
        kind for kind, is_so in (("stop", symbol.tied_from), ("start", symbol.tied_to)) if is_so
    ]
    for kind in ties:
        _put(note, "tie", type=kind)
    if part.track.is_drum and pitch is not None:
        _put(note, "instrument", id=part.instrument(pitch))
    _put(note, "voice", place.voice)
    if symbol.value:
        _put(note, "type", symbol.value)
        for _ in range(symbol.dots):
            _put(note, "dot")
    if symbol.is_triplet:
        modification = _put(note, "time-modification")
        _put(modification, "actual-notes", 3)
        _put(modification, "normal-notes", 2)
    if part.track.is_drum and pitch is not None:
        _put(note, "stem", "up" if place.voice == 1 else "down")
        if head := _DRUM_LINES.get(pitch, ("B", 4, "slash"))[2]:
            _put(note, "notehead", head)
    if len(part.staves) > 1:
        _put(note, "staff", place.staff)
    _notations(note, ties, symbol if lead else Symbol(0, 0))


def _notations(note: ET.Element, ties: list[str], symbol: Symbol) -> None:
    """Ties of a note; brackets, slurs and articulations of the first of a chord."""
    brackets = {"both": ["start", "stop"], "": []}.get(symbol.tuplet, [symbol.tuplet])
    if not (ties or brackets or symbol.slur or symbol.marks):
        return
    notations = _put(note, "notations")
    for kind in ties:
        _put(notations, "tied", type=kind)
    if symbol.slur:
        _put(notations, "slur", type=symbol.slur)
    for kind in brackets:
        _put(notations, "tuplet", type=kind)
    if symbol.marks:
        articulations = _put(notations, "articulations")
        for mark in symbol.marks:
            _put(articulations, mark)


def _put(parent: ET.Element, tag: str, text: object = None, /, **attributes: object) -> ET.Element:
    element = ET.SubElement(parent, tag, {k: _clean(str(v)) for k, v in attributes.items()})
    if text is not None:
        element.text = _clean(str(text))
    return element


def _clean(text: str) -> str:
    return _UNSEEN.sub("", text)
