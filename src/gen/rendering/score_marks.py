"""Marks of a score that belong to no part: tempos, sections, chord symbols."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from typing import TypeVar

from gen.errors import HouseError
from gen.harmony import parse_chord
from gen.piece import Marker, Piece, Tempo
from gen.rendering import labels
from gen.rendering.ruler import Ruler, WrittenBar

_KINDS = {
    "maj": "major", "min": "minor", "dim": "diminished", "aug": "augmented",
    "sus4": "suspended-fourth", "sus2": "suspended-second", "7": "dominant",
    "maj7": "major-seventh", "m7": "minor-seventh", "m7b5": "half-diminished",
    "dim7": "diminished-seventh", "6": "major-sixth", "m6": "minor-sixth",
}  # fmt: skip
_Mark = TypeVar("_Mark", Marker, Tempo)
_UNSEEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # not in XML 1.0
_TEMPO_SHOWN = 0.08  # a metronome mark for changes of 8 % and more; smaller ones only sound


class ScoreMarks:
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
        is_marked = abs(bpm - self._shown_bpm) >= _TEMPO_SHOWN * max(bpm, 1)
        if is_marked:
            self._shown_bpm = bpm
            direction = put(measure, "direction", placement="above")
            metronome = put(put(direction, "direction-type"), "metronome")
            put(metronome, "beat-unit", "quarter")
            if bar.is_compound:
                put(metronome, "beat-unit-dot")
            put(metronome, "per-minute", round(bpm / 1.5 if bar.is_compound else bpm))
            if offset:
                put(direction, "offset", offset)
            put(direction, "sound", tempo=f"{bpm:.6g}")
        else:
            sound = put(measure, "sound", tempo=f"{bpm:.6g}")
            if offset:
                put(sound, "offset", offset)


def _direction(measure: ET.Element, offset: int, what: tuple[str, str]) -> None:
    direction = put(measure, "direction", placement="above")
    put(put(direction, "direction-type"), *what)
    if offset:
        put(direction, "offset", offset)


def _harmony(measure: ET.Element, offset: int, text: str) -> None:
    harmony = put(measure, "harmony")
    if text in {"NC", "N.C."} or not labels.is_chord(text):
        put(put(harmony, "root"), "root-step", "C", text="")
        put(harmony, "kind", "none", text="N.C." if text in {"NC", "N.C."} else text)
    else:
        root, suffix, bass = _split_chord(text)
        _named(harmony, "root", root)
        put(harmony, "kind", _KINDS[parse_chord(text).reduced.quality], text=suffix)
        if bass:
            _named(harmony, "bass", bass)
        if re.match(r"(7|9|11|13)sus", suffix):
            degree = put(harmony, "degree")
            for child, value in (("value", 7), ("alter", 0), ("type", "add")):
                put(degree, f"degree-{child}", value)
    if offset:
        put(harmony, "offset", offset)


def _split_chord(text: str) -> tuple[str, str, str]:
    match = re.fullmatch(r"([A-G][#b♯♭]*)(.*?)(?:/([A-G][#b♯♭]*))?", text)
    if match is None:
        raise HouseError(f"{text!r} is not a chord symbol", where="markers")
    return match[1], match[2], match[3] or ""


def _named(harmony: ET.Element, kind: str, name: str) -> None:
    element = put(harmony, kind)
    put(element, f"{kind}-step", name[0])
    alter = sum(1 if accidental in "#♯" else -1 for accidental in name[1:])
    if alter:
        put(element, f"{kind}-alter", alter)


def put(parent: ET.Element, tag: str, text: object = None, /, **attributes: object) -> ET.Element:
    """A new element in another, with text and attributes that XML can hold."""
    element = ET.SubElement(parent, tag, {k: clean(str(v)) for k, v in attributes.items()})
    if text is not None:
        element.text = clean(str(text))
    return element


def clean(text: str) -> str:
    """The text without characters that XML 1.0 has no place for."""
    return _UNSEEN.sub("", text)
