"""What a composer states about a file: options, a row of the CSV sidecar, or answers."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from gen.analysis import Analysis
from gen.contribution.answers import tidy
from gen.disk import write_atomically
from gen.disk.reading import SIDECAR, read
from gen.disk.tables import as_text, from_text
from gen.errors import HouseError, SettingError
from gen.harmony import format_progression, parse_key, parse_progression
from gen.provenance.records.consent import Consent
from gen.provenance.records.statement import METHODS, Description, parse_composers
from gen.smf import read_instruments, read_text

FILE_COLUMN = "file"
MUST_BE_STATED = ("composers", "method", "consent")
"""What nobody may guess: without these a work is not signed."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Statements as text, "" where nothing is stated; the columns of the sidecar.

    Attributes:
        title: for people.
        composers: "ana:60 ben:40".
        method: played, programmed or score.
        genre: one of `gen.harmony.GENRES`.
        mood: one of `gen.harmony.MOODS`.
        key: as in "A minor".
        chords: bars separated by `|`.
        sections: `name:first bar`, 1-based.
        instruments: one a note-bearing track, by commas: "violin, fingered bass, drums".
        roles: one word a note-bearing track.
        consent: "general_model evaluation artist_model:ana@2030-12-31", or "nothing".
        contract: the house's reference.
    """

    title: str = ""
    composers: str = ""
    method: str = ""
    genre: str = ""
    mood: str = ""
    key: str = ""
    chords: str = ""
    sections: str = ""
    instruments: str = ""
    roles: str = ""
    consent: str = ""
    contract: str = ""

    def over(self, other: Facts) -> Facts:
        """These facts, and the other's where these say nothing."""
        mine, theirs = asdict(self), asdict(other)
        return Facts(**{name: mine[name] or theirs[name] for name in mine})

    def tidied(self) -> Facts:
        """The same facts in the form that the house keeps (see `gen.contribution.answers`)."""
        return Facts(**{name: tidy(name, text) for name, text in asdict(self).items()})

    def to_dict(self) -> dict[str, str]:
        return asdict(self)

    @property
    def description(self) -> Description:
        """What the tag keeps.

        Raises:
            SettingError: an unknown genre, mood or role; control characters.
        """
        return Description(
            title=self.title,
            genre=self.genre,
            mood=self.mood,
            key=self.key,
            chords=self.chords,
            sections=self.sections,
            roles=tuple(self.roles.split()),
        ).checked()


COLUMNS = (FILE_COLUMN, *(field.name for field in fields(Facts)))


def inferred(path: Path, analysis: Analysis, composer: str) -> Facts:
    """What can be guessed: title, key, chords, sections, instruments and roles.

    Never method or consent.
    """
    name = path.stem.encode("utf-8", "ignore").decode()  # letters that are no text fall away
    title = name.replace("_", " ").replace("-", " ").strip()
    return Facts(
        title=title[:1].upper() + title[1:],
        composers=f"{composer}:100" if composer else "",
        key=analysis.key,
        chords=analysis.chords,
        sections=analysis.sections,
        instruments=", ".join(analysis.instruments),
        roles=" ".join(analysis.roles),
    )


def find_problems(facts: Facts, analysis: Analysis, *, is_signing: bool) -> list[str]:
    """What keeps these facts from being signed, one sentence each; empty when nothing does.

    Args:
        facts: completed by what was inferred.
        analysis: of the piece they describe.
        is_signing: whether statements only a person can make must be there.
    """
    found = (
        find_problem(name, text, analysis)
        for name, text in facts.to_dict().items()
        if text or (is_signing and name in MUST_BE_STATED)
    )
    return [problem for problem in found if problem]


def find_problem(name: str, text: str, analysis: Analysis) -> str:
    """What is wrong with one fact, in a sentence; "" when nothing is.

    Args:
        name: a field of `Facts`.
        text: what is stated; "" is a problem only where the fact has to be stated.
        analysis: of the piece it describes.
    """
    if not text and name not in MUST_BE_STATED:
        return ""
    try:
        _CHECKS[name](text, analysis)
    except HouseError as error:
        join = " " if error.what.endswith("?") else "; "
        return f"{error.what}{join}{error.mend}" if error.mend else error.what
    return ""


def _check_text(name: str) -> Callable[[str, Analysis], object]:
    def check(text: str, _: Analysis) -> None:
        fact: dict[str, Any] = {name: text}
        Description(**fact).checked()

    return check


def _check_method(text: str, _: Analysis) -> None:
    if not text:
        raise SettingError(
            "how the work was made has to be stated",
            mend=f"say --method, or fill the method column: {', '.join(METHODS)}",
        )
    if text not in METHODS:
        raise SettingError(
            f"{text!r} is no way in which a work is made", mend=f"use one of: {', '.join(METHODS)}"
        )


def _check_consent(text: str, _: Analysis) -> None:
    if not text:
        raise SettingError(
            "what the work may be used for has to be stated",
            mend='say --consent "general_model evaluation" (or "nothing"), or fill the column',
        )
    for grant in Consent.parse(text).ended(datetime.now(UTC).date()):
        raise SettingError(
            f"the consent {grant} ended already, so it would allow nothing",
            mend="give a day to come, leave the day out, or say nothing for no use at all",
        )


def _check_instruments(text: str, analysis: Analysis) -> None:
    found, count = read_instruments(text), len(analysis.instruments)
    if len(found) != count:
        raise SettingError(
            f"{len(found)} instrument(s) for {count} track(s) with notes",
            mend=f"give one a track, in this order: {_numbered(analysis)}",
        )


def _numbered(analysis: Analysis) -> str:
    """The tracks with their names, for people to count by."""
    pairs = zip(analysis.names, analysis.instruments, strict=True)
    return ", ".join(f"{n} {name or what}" for n, (name, what) in enumerate(pairs, 1))


def _check_contract(text: str, _: Analysis) -> None:
    if not text.isprintable():
        raise SettingError(f"contract {text[:40]!r} holds control characters", mend="remove them")


def _check_chords(text: str, analysis: Analysis) -> None:
    bars, bar_count = parse_progression(text), analysis.bars
    if len(bars) > bar_count:
        raise SettingError(
            f"chords are given for {len(bars)} bars, the piece has {bar_count}",
            mend="leave out the bars that are not there",
        )
    format_progression(bars)


def _check_sections(text: str, analysis: Analysis) -> None:
    last, bar_count = 0, analysis.bars
    for word in text.split():
        name, _, bar = word.rpartition(":")
        if not name or not bar.isdecimal() or not last < int(bar) <= bar_count:
            raise SettingError(
                f"section {word!r} does not fit a piece of {bar_count} bars",
                mend="write name:first bar in ascending order, as in `intro:1 A:5 B:13`",
            )
        last = int(bar)


def _check_roles(text: str, analysis: Analysis) -> None:
    roles, count = text.split(), len(analysis.instruments)
    Description(roles=tuple(roles)).checked()
    if roles and len(roles) != count:
        raise SettingError(
            f"{len(roles)} role(s) for {count} track(s) with notes",
            mend=f"give one a track, in this order: {_numbered(analysis)}",
        )
    for number, (role, instrument) in enumerate(zip(roles, analysis.instruments, strict=False), 1):
        if (role == "drums") != (instrument == "drums"):
            name = analysis.names[number - 1]
            raise SettingError(
                f"track {number}{f' ({name})' if name else ''} is {instrument}, its role is given "
                f"as {role}",
                mend="check the order of the roles, which is that of the file's tracks; whether a "
                "track is drums is stated with its instrument",
            )


_CHECKS: dict[str, Callable[[str, Analysis], object]] = {
    "title": _check_text("title"),
    "composers": lambda text, _: parse_composers(text),
    "method": _check_method,
    "genre": _check_text("genre"),
    "mood": _check_text("mood"),
    "key": lambda text, _: parse_key(text),
    "chords": _check_chords,
    "sections": _check_sections,
    "instruments": _check_instruments,
    "roles": _check_roles,
    "consent": _check_consent,
    "contract": _check_contract,
}


def read_sidecar(path: Path) -> dict[Path, Facts]:
    """The rows of a CSV sidecar by resolved file path (relative to the sidecar's folder).

    Whatever a spreadsheet saves as CSV is read: cells divided by commas, semicolons or tabs (or
    by what a first line `sep=;` says), UTF-8, UTF-16 or the system's own encoding, headings in
    any case, empty rows and columns.

    Raises:
        NamedFileError: it is not there, or too large.
        SettingError: no table, unknown or doubled columns, a file named twice; with the line.
    """
    try:
        text = read_text(read(path, SIDECAR))
        if "\0" in text:
            raise csv.Error("it holds bytes of zero, as no table of text does")
        rows = _table(text)
        columns = _columns(path, next(rows, (1, []))[1])
        found: dict[Path, Facts] = {}
        for line, cells in rows:
            if any(cells):
                _keep_row(found, path, line, columns, cells)
    except csv.Error as error:
        mend = SIDECAR.mend
        raise SettingError(f"cannot be read: {error}", where=str(path), mend=mend) from error
    return found


_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?[^\S\n]*\r?\n", re.IGNORECASE)


def _table(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and cells, empty lines before the headings left out."""
    said = _SEPARATOR_LINE.match(text)
    body = text[said.end() :] if said else text
    head = next((line for line in body.splitlines() if line.strip()), "")
    # Many spreadsheets write semicolons or tabs and call it CSV.
    divider = said[1] if said else max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(body, newline=""), strict=True, delimiter=divider)
    is_begun = False
    for cells in reader:
        cells = [from_text(cell.strip()) for cell in cells]
        is_begun |= any(cells)
        if is_begun:
            yield reader.line_num + bool(said), cells


def _columns(path: Path, headings: list[str]) -> list[str]:
    """What each column holds; "" for one without a heading."""
    found = [tidy("genre", heading) for heading in headings]
    named = [heading for heading in found if heading]
    twice = next((heading for heading in named if named.count(heading) > 1), "")
    if twice:
        places = [str(place) for place, heading in enumerate(found, 1) if heading == twice]
        what = f"the column `{twice}` stands twice (columns {' and '.join(places)})"
        raise SettingError(what, where=str(path), mend="keep one of them")
    unknown = sorted(set(named) - set(COLUMNS))
    if unknown or FILE_COLUMN not in named:
        import difflib

        what = f"unknown column {unknown[0]!r}" if unknown else "no column `file`"
        near = difflib.get_close_matches(unknown[0], COLUMNS, 1) if unknown else []
        guess = f"did you mean {near[0]!r}? " if near else ""
        raise SettingError(what, where=str(path), mend=f"{guess}columns: {', '.join(COLUMNS)}")
    return found


def _keep_row(
    rows: dict[Path, Facts], path: Path, line: int, columns: list[str], cells: list[str]
) -> None:
    where = f"{path}, line {line}"
    # Cells beyond the headings, or under an empty one, may be empty only.
    row = dict(zip_longest(columns, cells, fillvalue=""))
    if row.pop("", ""):
        what = "a row with more cells than columns"
        raise SettingError(what, where=where, mend="quote cells that hold commas")
    name = row[FILE_COLUMN]
    if not name:
        what = "a row without a file"
        raise SettingError(what, where=where, mend="name the file in it, or delete the row")
    file = _named_file(path.parent, name)
    if file in rows:
        raise SettingError(f"{name} is named twice", where=where, mend="keep one of the rows")
    rows[file] = Facts(**{column: row.get(column, "") for column in COLUMNS[1:]}).tidied()


def _named_file(folder: Path, name: str) -> Path:
    """The file that a cell names; a backslash divides folders on any system."""
    file = folder / name
    return (file if file.exists() else folder / name.replace("\\", "/")).resolve()


def write_sidecar(path: Path, rows: Mapping[Path, Facts]) -> None:
    """Write a sidecar that `read_sidecar` and any spreadsheet read, files from its own folder on.

    Raises:
        SettingError: something is there already, or it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for file, facts in rows.items():
        cells = [_seen_from(path.parent, file), *facts.to_dict().values()]
        writer.writerow(map(as_text, cells))
    if os.path.lexists(path):
        mend = "name another file; what is filled in there is kept"
        raise SettingError("there is a file of this name", where=str(path), mend=mend)
    if not path.parent.is_dir():
        raise SettingError("cannot be written: there is no such folder", where=str(path.parent))
    try:
        # The mark at the beginning is what tells spreadsheets that this is UTF-8.
        write_atomically(path, text.getvalue().encode("utf-8-sig"))
    except OSError as error:
        raise SettingError(f"cannot be written: {error}", where=str(path)) from error


def _seen_from(folder: Path, file: Path) -> str:
    """A file's name for the sidecar: relative where there is a way from its folder."""
    try:
        return Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive
        return str(file.resolve())
