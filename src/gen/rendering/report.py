"""One offline page on which a run's pieces are looked at and listened to.

The page is a single HTML file: styles and its few lines of script inside, no network, links
relative, so that the folder can be zipped, mailed and opened from a disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from gen.errors import HouseError
from gen.rendering import files
from gen.rendering.report_style import SCRIPT, STYLE

_TALL = 0.75  # height to width, from which a picture is shown in part


@dataclass(frozen=True, slots=True)
class Row:
    """One setting as it was asked and as the piece has it; `kept` is None where not judged."""

    setting: str
    asked: str
    got: str
    kept: bool | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One piece on the page.

    Args:
        title: the piece's name.
        piano_roll: PNG, if it was drawn.
        midi: the .mid file to download.
        audio: WAV, if it was rendered.
        score: MusicXML, if it was written.
        receipt: the receipt's JSON file, if there is one.
        summary: one line under the title, such as `A minor · 3/4 · 32 bars`.
        rows: the asked-versus-got table.
        originality: the finding against the corpus, in words.
        warning: what must not be overlooked, in few words; told while the receipt is closed too.
        record: further (name, value) pairs of the receipt: seed, checkpoint, manifest …
            A value of 32 and more hexadecimal digits is shown short, whole on hovering.
    """

    title: str
    piano_roll: Path | None
    midi: Path
    audio: Path | None = None
    score: Path | None = None
    receipt: Path | None = None
    summary: str = ""
    rows: Sequence[Row] = ()
    originality: str = ""
    warning: str = ""
    record: Sequence[tuple[str, str]] = ()


def page(
    entries: Iterable[Entry],
    path: Path | str,
    *,
    title: str,
    facts: Sequence[tuple[str, str]] = (),
    note: str = "",
) -> Path:
    """Write the page.

    Args:
        entries: the pieces, in order.
        path: the .html file to write.
        title: heading and window title.
        facts: (name, value) pairs about the run, shown under the heading.
        note: a closing sentence or two at the foot.

    Raises:
        HouseError: no entry, a file that is not there, or a folder that cannot be written.
    """
    path = Path(path)
    pieces = list(entries)
    if not pieces:
        raise HouseError("there is no piece to put on the page", where=str(path))
    body = "\n".join(
        [
            _header(title, facts, pieces),
            "<main>",
            *(_article(number, entry, path) for number, entry in enumerate(pieces, start=1)),
            "</main>",
            f"<footer><p>{escape(note)}</p></footer>" if note else "",
            '<dialog id="large" aria-label="Piano roll, enlarged">'
            '<form method="dialog"><button>Close</button></form><img alt=""></dialog>',
        ]
    )
    document = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"{body}\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
    return files.write(path, document.encode())


def _header(title: str, facts: Sequence[tuple[str, str]], pieces: list[Entry]) -> str:
    links = "".join(
        f'<li><a href="#piece-{number}">{escape(entry.title)}</a></li>'
        for number, entry in enumerate(pieces, start=1)
    )
    contents = f'<nav aria-label="Pieces"><ol>{links}</ol></nav>' if len(pieces) > 1 else ""
    return f"<header><h1>{escape(title)}</h1>{_pairs(facts)}{contents}</header>"


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    if not pairs:
        return ""
    items = (f"<div><dt>{escape(name)}</dt><dd>{_value(value)}</dd></div>" for name, value in pairs)
    return f"<dl>{''.join(items)}</dl>"


def _value(value: str) -> str:
    """Escaped; a digest is cut to twelve digits with the whole of it as its title."""
    digest = value.removeprefix("sha256:")
    if len(digest) >= 32 and set(digest) <= set("0123456789abcdef"):
        return f'<code title="{digest}">{digest[:12]}…</code>'
    return escape(value)


def _article(number: int, entry: Entry, page_path: Path) -> str:
    name = escape(entry.title)
    summary = f'<p class="summary">{escape(entry.summary)}</p>' if entry.summary else ""
    return "\n".join(
        [
            f'<article id="piece-{number}" aria-labelledby="title-{number}">',
            f'<h2 id="title-{number}"><span class="number">{number}</span>{name}</h2>{summary}',
            _roll(entry, page_path),
            f'<div class="listen">{_player(entry, page_path)}{_downloads(entry, page_path)}</div>',
            _receipt(number, entry),
            "</article>",
        ]
    )


def _roll(entry: Entry, page_path: Path) -> str:
    """The picture; a tall one is cut off with a fade, since a click shows it whole."""
    if entry.piano_roll is None:
        return ""
    link = _link(entry.piano_roll, page_path)
    width, height = _png_size(entry.piano_roll)
    tall = " tall" if height > _TALL * width else ""
    alt = escape(f"Piano roll of {entry.title}. {entry.summary}".strip())
    size = f'width="{width}" height="{height}"'
    return (
        f'<a class="roll{tall}" href="{link}" title="Enlarge">'
        f'<img src="{link}" {size} loading="lazy" alt="{alt}"></a>'
    )


def _png_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels, from a PNG's header."""
    with path.open("rb") as file:
        head = file.read(24)
    if head[:8] != b"\x89PNG\r\n\x1a\n" or len(head) < 24:
        raise HouseError("not a PNG picture", where=str(path), mend="draw it with piano_roll")
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def _player(entry: Entry, page_path: Path) -> str:
    if entry.audio is None:
        return ""
    source, name = _link(entry.audio, page_path), escape(entry.title)
    return (
        f'<audio controls preload="metadata" src="{source}" aria-label="Listen to {name}"></audio>'
    )


def _downloads(entry: Entry, page_path: Path) -> str:
    found = (("MIDI", entry.midi), ("Score", entry.score), ("Receipt", entry.receipt))
    links = (
        f'<a href="{_link(file, page_path)}" download>{kind}'
        f'<span class="unseen"> of {escape(entry.title)}</span></a>'
        for kind, file in found
        if file is not None
    )
    return f'<p class="downloads">{"".join(links)}</p>'


def _receipt(number: int, entry: Entry) -> str:
    parts = list(_receipt_parts(entry))
    if not parts:
        return ""
    missed = sum(row.kept is False for row in entry.rows)
    told = f" · {missed} of {len(entry.rows)} settings missed" if missed else ""
    if entry.warning:
        told += f' · <span class="missed">{escape(entry.warning)}</span>'
    return (
        f"<details{' open' if number == 1 else ''}><summary>Receipt{told}</summary>"
        f"{''.join(parts)}</details>"
    )


def _receipt_parts(entry: Entry) -> Iterator[str]:
    if entry.rows:
        rows = "".join(_table_row(row) for row in entry.rows)
        yield (
            f'<table><caption class="unseen">Settings of {escape(entry.title)}</caption>'
            '<thead><tr><th scope="col">Setting</th><th scope="col">Asked</th>'
            f'<th scope="col">Got</th><td></td></tr></thead><tbody>{rows}</tbody></table>'
        )
    if entry.originality:
        yield f'<p class="originality"><b>Originality</b> {escape(entry.originality)}</p>'
    if entry.record:
        yield _pairs(entry.record)


def _table_row(row: Row) -> str:
    mark = {
        True: '<span class="kept" role="img" aria-label="kept">✓</span>',
        False: '<span class="missed" role="img" aria-label="missed">✗</span>',
        None: "",
    }[row.kept]
    cells = f"<td>{escape(row.asked)}</td><td>{escape(row.got)}</td><td>{mark}</td>"
    return f'<tr><th scope="row">{escape(row.setting)}</th>{cells}</tr>'


def _link(target: Path, page_path: Path) -> str:
    """A relative, percent-encoded link from the page to a file that is there."""
    if not target.is_file():
        raise HouseError("the page would link to a file that is not there", where=str(target))
    try:
        relative = os.path.relpath(target.resolve(), page_path.resolve().parent)
    except ValueError as error:  # Windows: another drive
        mend = "write the page to the drive its pieces are on"
        raise HouseError(f"cannot be linked ({error})", where=str(target), mend=mend) from error
    return escape(quote(Path(relative).as_posix()))
