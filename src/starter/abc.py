"""Lead sheets in a plain subset of ABC 2.1: a melody, chord symbols, and a form.

Strict on purpose: a bar that is not exactly full, an onset off the grid of twelve per
quarter or a tie into nothing is an error that names the tune, the line and the bar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from gen.errors import HouseError
from gen.harmony import GENRES, MOODS, Chord, Key, parse_chord, pitch_class
from starter.keys import parse_abc_key
from starter.leadsheet import GRID, RIFF, TICKS, Bar, ChordSpan, LeadSheet, MelodyNote, Part

LOWEST, HIGHEST = 52, 84
"""The melody's written range: E3 to C6."""

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |"(?P<chord>[^"]*)"
    |\[(?P<field>[KM]):(?P<value>[^\]]*)\]
    |(?P<bar>\|\||\|\]|\|:|\|)
    |\((?P<tuplet>3)(?!:)
    |(?P<accidental>\^\^|\^|__|_|=)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)
        (?P<length>\d*/*\d*)(?P<tie>-?)
    |(?P<rest>[zx])(?P<rest_length>\d*/*\d*)
    |(?P<broken>>|<)""",
    re.VERBOSE,
)
_ACCIDENTALS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
_SHARP_ORDER = "FCGDAEB"


@dataclass
class _Reader:
    """What is known while one part is read. Times are ticks from the part's start."""

    where: str
    unit: Fraction
    key: Key
    fifths: int
    meter: tuple[int, int]
    letter: str
    line: int = 0
    now: int = 0
    bar_start: int = 0
    bars: list[Bar] = field(default_factory=list)
    notes: list[MelodyNote] = field(default_factory=list)
    pickup: tuple[MelodyNote, ...] = ()
    chords: list[tuple[int, Chord]] = field(default_factory=list)
    accidentals: dict[tuple[str, str], int] = field(default_factory=dict)
    tied: int | None = None
    tied_name: tuple[str, str] = ("", "")
    triplet_left: int = 0
    broken: Fraction | None = None

    def error(self, what: str, mend: str = "") -> HouseError:
        place = f"{self.where}, line {self.line}, part {self.letter}, bar {len(self.bars) + 1}"
        return HouseError(what, where=place, mend=mend)

    @property
    def bar_ticks(self) -> int:
        return TICKS * 4 * self.meter[0] // self.meter[1]


def parse(text: str, where: str = "lead sheet") -> list[LeadSheet]:
    """Read every tune of an ABC text.

    Args:
        text: tunes, each beginning with an ``X:`` line.
        where: what errors call the text, a path as a rule.

    Raises:
        HouseError: naming tune, line and bar, for anything outside the subset.
    """
    tunes: list[list[tuple[int, str]]] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.split("%")[0].strip()
        if line.startswith("X:"):
            tunes.append([])
        if line and not tunes:
            raise HouseError("text before the first X: line", where=f"{where}, line {number}")
        if line:
            tunes[-1].append((number, line))
    return [_read_tune(lines, where) for lines in tunes]


def load(folder: Path) -> list[LeadSheet]:
    """Every lead sheet of a folder, by file name and then by position.

    Raises:
        HouseError: an unreadable tune, or a title used twice.
    """
    sheets: list[LeadSheet] = []
    for path in sorted(folder.glob("*.abc")):
        sheets += parse(path.read_text(encoding="utf-8"), where=path.name)
    seen: set[str] = set()
    for sheet in sheets:
        if sheet.slug in seen:
            raise HouseError(f"the title {sheet.title!r} is used twice", mend="rename one tune")
        seen.add(sheet.slug)
    return sheets


def _read_tune(lines: list[tuple[int, str]], where: str) -> LeadSheet:
    header: dict[str, str] = {}
    bodies: list[tuple[str, list[tuple[int, str]]]] = []
    for number, line in lines:
        name, value = (line[0], line[2:].strip()) if re.match(r"^[A-Z]:", line) else ("", line)
        if name == "P" and "K" in header and "P" in header:
            bodies.append((value, []))
        elif bodies and name in ("K", "M"):
            bodies[-1][1].append((number, f"[{name}:{value}]"))
        elif bodies and not name:
            bodies[-1][1].append((number, line))
        elif name and name.isupper() and not bodies:
            header[name] = f"{header[name]} {value}" if name == "N" and name in header else value
        else:
            raise HouseError(f"{line!r} does not belong here", where=f"{where}, line {number}")
    return _make_sheet(header, bodies, f"{where}, line {lines[0][0]}", where)


def _make_sheet(
    header: dict[str, str],
    bodies: list[tuple[str, list[tuple[int, str]]]],
    place: str,
    where: str,
) -> LeadSheet:
    missing = [name for name in "XTRNMLQKP" if name not in header]
    if missing:
        raise HouseError(f"header fields missing: {' '.join(missing)}", where=place)
    place = f"{place} ({header['T']})"
    mood = re.search(r"mood=(\w+)", header["N"])
    key, fifths = parse_abc_key(header["K"])
    meter, unit = _fraction(header["M"], place), Fraction(header["L"])
    parts = {}
    for letter, lines in bodies:
        if letter in parts or not re.fullmatch("[A-Z]", letter):
            raise HouseError(f"part {letter!r} is defined twice or is no letter", where=place)
        reader = _Reader(f"{where} ({header['T']})", unit, key, fifths, meter, letter)
        parts[letter] = _read_part(reader, lines)
    form = re.sub(r"[\s.]", "", header["P"])
    if not form or set(form) != set(parts) - {RIFF}:
        raise HouseError(f"P:{form} does not match the parts {''.join(parts)}", where=place)
    sheet = LeadSheet(
        int(header["X"]), header["T"], header["R"], mood[1] if mood else "", key, meter,
        _tempo(header["Q"], place), form, parts,
    )  # fmt: skip
    _check_sheet(sheet, place)
    return sheet


def _check_sheet(sheet: LeadSheet, place: str) -> None:
    if sheet.genre not in GENRES:
        raise HouseError(f"R:{sheet.genre} is no genre", where=place, mend=" ".join(GENRES))
    if sheet.mood not in MOODS:
        raise HouseError(f"mood={sheet.mood} is no mood", where=place, mend=" ".join(MOODS))
    if not 16 <= sheet.bar_count <= 32:
        raise HouseError(f"the theme plays {sheet.bar_count} bars, not 16 to 32", where=place)


def _fraction(text: str, place: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)/(\d+)", text.strip())
    if match is None or int(match[2]) not in (2, 4, 8, 16):
        raise HouseError(f"meter {text!r} is not understood", where=place, mend="write M:6/8")
    return int(match[1]), int(match[2])


def _tempo(text: str, place: str) -> float:
    match = re.fullmatch(r"(\d+/\d+)\s*=\s*(\d+)", text.strip())
    if match is None:
        raise HouseError(f"tempo {text!r} is not understood", where=place, mend="Q:1/4=120")
    return float(Fraction(match[1]) * 4 * int(match[2]))


def _read_part(reader: _Reader, lines: list[tuple[int, str]]) -> Part:
    for number, line in lines:
        reader.line, at = number, 0
        while at < len(line):
            match = _TOKEN.match(line, at)
            if match is None or match.end() == at:
                raise reader.error(f"{line[at : at + 12]!r} is outside the subset")
            _take(reader, match)
            at = match.end()
    if reader.now != reader.bar_start:
        raise reader.error("the last bar has no bar line", "end the part with |")
    if not reader.bars:
        raise reader.error("the part is empty")
    return _finish(reader)


def _take(reader: _Reader, match: re.Match[str]) -> None:
    if match["chord"] is not None:
        _take_chord(reader, match["chord"])
    elif match["field"]:
        _take_field(reader, match["field"], match["value"])
    elif match["bar"] == "|:":
        _close_pickup(reader)
    elif match["bar"]:
        _close_bar(reader)
    elif match["tuplet"]:
        reader.triplet_left = 3
    elif match["letter"]:
        _take_note(reader, match)
    elif match["rest"]:
        if reader.tied is not None:
            raise reader.error("a tie leads into a rest")
        reader.now += _ticks(reader, match["rest_length"])
    elif match["broken"]:
        _take_broken(reader, match["broken"])


def _take_chord(reader: _Reader, text: str) -> None:
    try:
        symbol = parse_chord(text)
    except HouseError as error:
        raise reader.error(error.what, error.mend) from error
    if reader.chords and reader.chords[-1][0] == reader.now:
        raise reader.error(f'two chords at one place, the second "{text}"')
    reader.chords.append((reader.now, symbol))


def _take_field(reader: _Reader, name: str, value: str) -> None:
    if reader.now != reader.bar_start:
        raise reader.error(f"[{name}:{value}] stands inside a bar", "put it after a bar line")
    if name == "M":
        reader.meter = _fraction(value, reader.where)
    else:
        reader.key, reader.fifths = parse_abc_key(value)


def _close_bar(reader: _Reader) -> None:
    if reader.now == reader.bar_start and reader.bars:
        return  # a double bar line written after a bar line, or at the start of a line
    if reader.now == 0:
        return
    length = reader.now - reader.bar_start
    if length != reader.bar_ticks:
        found, due = Fraction(length, TICKS), Fraction(reader.bar_ticks, TICKS)
        raise reader.error(f"the bar holds {found} quarters, its meter {due}")
    reader.bars.append(Bar(reader.bar_start, length, reader.meter, reader.key))
    reader.bar_start = reader.now
    reader.accidentals.clear()


def _close_pickup(reader: _Reader) -> None:
    """What stands before ``|:`` leads into the part."""
    fits = 0 < reader.now < reader.bar_ticks and not reader.bars and not reader.chords
    if not fits or reader.tied is not None:
        raise reader.error("|: does not stand after a pick-up of less than a bar, without chords")
    reader.pickup = tuple(
        MelodyNote(n.onset - reader.now, n.duration, n.pitch) for n in reader.notes
    )
    reader.now, reader.notes = 0, []
    reader.accidentals.clear()


def _ticks(reader: _Reader, text: str) -> int:
    """Duration in ticks of a length suffix, with triplet and broken rhythm applied."""
    match = re.fullmatch(r"(\d*)(/*)(\d*)", text)
    if match is None or (match[3] and len(match[2]) != 1):
        raise reader.error(f"length {text!r} is not understood")
    below = int(match[3]) if match[3] else 2 ** len(match[2])
    quarters = reader.unit * 4 * Fraction(int(match[1] or 1), below)
    if reader.triplet_left:
        quarters *= Fraction(2, 3)
        reader.triplet_left -= 1
    if reader.broken is not None:
        quarters *= reader.broken
        reader.broken = None
    ticks = quarters * TICKS
    if ticks.denominator != 1 or ticks % GRID or ticks == 0:
        mend = "use sixteenths, eighth triplets or longer"
        raise reader.error(f"a length of {quarters} quarters is off the grid", mend)
    return int(ticks)


def _take_broken(reader: _Reader, sign: str) -> None:
    """Lengthen or shorten the note before, and remember the opposite for the next."""
    if not reader.notes or reader.notes[-1].end != reader.now or reader.tied is not None:
        raise reader.error(f"{sign} does not stand between two notes")
    last = reader.notes.pop()
    long = sign == ">"
    duration = last.duration * (3 if long else 1) // 2
    reader.notes.append(MelodyNote(last.onset, duration, last.pitch))
    reader.now = last.onset + duration
    reader.broken = Fraction(1, 2) if long else Fraction(3, 2)


def _take_note(reader: _Reader, match: re.Match[str]) -> None:
    pitch = _pitch(reader, match)
    onset = reader.now
    duration = _ticks(reader, match["length"])
    reader.now += duration
    if reader.tied is not None:
        if reader.tied != pitch:
            raise reader.error(f"a tie leads to another pitch at {match[0]!r}")
        last = reader.notes.pop()
        reader.notes.append(MelodyNote(last.onset, last.duration + duration, pitch))
    else:
        reader.notes.append(MelodyNote(onset, duration, pitch))
    reader.tied = pitch if match["tie"] else None
    reader.tied_name = (match["letter"], match["octave"])


def _pitch(reader: _Reader, match: re.Match[str]) -> int:
    letter, octave = match["letter"], match["octave"]
    name = (letter, octave)
    upper = letter.upper()
    octaves = 5 + letter.islower() + octave.count("'") - octave.count(",")
    natural = 12 * octaves + pitch_class(upper, "")
    if match["accidental"]:
        reader.accidentals[name] = _ACCIDENTALS[match["accidental"]]
    elif reader.tied is not None and name == reader.tied_name and name not in reader.accidentals:
        return reader.tied  # a tie carries its accidental over the bar line
    pitch = natural + reader.accidentals.get(name, _signature(upper, reader.fifths))
    if not LOWEST <= pitch <= HIGHEST:
        raise reader.error(f"{match[0]!r} is MIDI {pitch}, outside E3 to C6")
    return pitch


def _signature(letter: str, fifths: int) -> int:
    place = _SHARP_ORDER.index(letter)
    if fifths >= 0:
        return (fifths - place + 6) // 7
    return -((-fifths - (6 - place) + 6) // 7)


def _finish(reader: _Reader) -> Part:
    if reader.tied is not None:
        raise reader.error("the part ends in a tie", "write the last note at full length")
    if not reader.chords or reader.chords[0][0] != 0:
        raise reader.error("the part does not begin with a chord symbol")
    ends = [onset for onset, _ in reader.chords[1:]] + [reader.now]
    spans = tuple(
        ChordSpan(onset, end - onset, symbol)
        for (onset, symbol), end in zip(reader.chords, ends, strict=True)
    )
    if not reader.notes:
        raise reader.error("the part has no notes")
    bars, notes = tuple(reader.bars), tuple(reader.notes)
    return Part(reader.letter, bars, notes, spans, reader.pickup)
