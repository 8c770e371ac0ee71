"""What a composer states about a file: options, a row of the CSV sidecar, or answers."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TextIO

from gen.analysis import Analysis
from gen.errors import HouseError, SettingError
from gen.harmony import format_progression, parse_key, parse_progression
from gen.provenance.consent import Consent
from gen.provenance.statement import METHODS, Description, parse_composers

FILE_COLUMN = "file"
MUST_BE_STATED = ("composers", "method", "consent")
"""What nobody may guess: without these a work is not signed."""
_MAX_SIDECAR_BYTES = 64 * 1024 * 1024


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
    roles: str = ""
    consent: str = ""
    contract: str = ""

    def over(self, other: Facts) -> Facts:
        """These facts, and the other's where these say nothing."""
        mine, theirs = asdict(self), asdict(other)
        return Facts(**{name: mine[name] or theirs[name] for name in mine})

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
    """What can be guessed: title, key, chords, sections and roles; never method or consent."""
    title = path.stem.replace("_", " ").replace("-", " ").strip()
    return Facts(
        title=title[:1].upper() + title[1:],
        composers=f"{composer}:100" if composer else "",
        key=analysis.key,
        chords=analysis.chords,
        sections=analysis.sections,
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
    Consent.parse(text)


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
            mend=f"give one a track, in this order: {', '.join(analysis.instruments)}",
        )
    for number, (role, instrument) in enumerate(zip(roles, analysis.instruments, strict=False), 1):
        if (role == "drums") != (instrument == "drums"):
            raise SettingError(
                f"track {number} is {instrument}, its role is given as {role}",
                mend="check the order of the roles: it is that of the file's tracks",
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
    "roles": _check_roles,
    "consent": _check_consent,
    "contract": _check_contract,
}


def read_sidecar(path: Path) -> dict[Path, Facts]:
    """The rows of a CSV sidecar by resolved file path (relative to the sidecar's folder).

    Raises:
        SettingError: unreadable, unknown columns, a file named twice; with the line.
    """
    try:
        if path.stat().st_size > _MAX_SIDECAR_BYTES:
            raise SettingError("the sidecar is larger than 64 MiB", where=str(path))
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True, delimiter=_delimiter(file))
            _check_columns(path, reader.fieldnames or ())
            rows: dict[Path, Facts] = {}
            for row in reader:
                _keep_row(rows, path, reader.line_num, row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        mend = "save the sheet as CSV, UTF-8, with commas"
        raise SettingError(f"cannot be read: {error}", where=str(path), mend=mend) from error
    return rows


def _delimiter(file: TextIO) -> str:
    """What divides the cells: many spreadsheets write semicolons or tabs and call it CSV."""
    head = file.readline()
    file.seek(0)
    return max(",;\t", key=head.count)


def _check_columns(path: Path, columns: object) -> None:
    found = [str(name) for name in columns] if isinstance(columns, list | tuple) else []
    unknown = sorted(set(found) - set(COLUMNS))
    if unknown or FILE_COLUMN not in found:
        import difflib

        what = f"unknown column {unknown[0]!r}" if unknown else "no column `file`"
        near = difflib.get_close_matches(unknown[0], COLUMNS, 1) if unknown else []
        guess = f"did you mean {near[0]!r}? " if near else ""
        raise SettingError(what, where=str(path), mend=f"{guess}columns: {', '.join(COLUMNS)}")


def _keep_row(
    rows: dict[Path, Facts], path: Path, line: int, row: Mapping[str | None, str | None]
) -> None:
    where = f"{path}, line {line}"
    name = (row.get(FILE_COLUMN) or "").strip()
    if not name or None in row:
        what = "a row without a file" if not name else "a row with more cells than columns"
        raise SettingError(what, where=where, mend="quote cells that hold commas")
    file = (path.parent / name).resolve()
    if file in rows:
        raise SettingError(f"{name} is named twice", where=where, mend="keep one of the rows")
    texts = {column: (row.get(column) or "").strip() for column in COLUMNS[1:]}
    rows[file] = Facts(**texts)


def write_sidecar(path: Path, rows: Mapping[Path, Facts]) -> None:
    """Write a sidecar that `read_sidecar` and any spreadsheet read, files from its own folder on.

    Raises:
        SettingError: something is there already, or it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for file, facts in rows.items():
        writer.writerow([_seen_from(path.parent, file), *facts.to_dict().values()])
    try:
        # The mark at the beginning is what tells spreadsheets that this is UTF-8.
        with path.open("x", encoding="utf-8-sig", newline="") as sidecar:
            sidecar.write(text.getvalue())
    except FileExistsError as error:
        mend = "name another file; what is filled in there is kept"
        raise SettingError("there is a file of this name", where=str(path), mend=mend) from error
    except OSError as error:
        raise SettingError(f"cannot be written: {error}", where=str(path)) from error


def _seen_from(folder: Path, file: Path) -> str:
    """A file's name for the sidecar: relative where there is a way from its folder."""
    try:
        return Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive
        return str(file.resolve())
