"""Fingerprints of MIDI files, for asking another house: fingerprint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.cli.house_commands.common import REFUSED, Console, house_command
from gen.errors import SettingError, counted

if TYPE_CHECKING:
    from gen.likeness.print_lists import ListedWork
    from gen.safe_parse import SafeReader


@house_command
@click.argument("files", type=click.Path(path_type=Path, exists=True, file_okay=False),
                metavar="FOLDER")  # fmt: skip
@click.option("--holder", required=True, metavar="NAME", help="Who asks, as an answer will say.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE",
              help="Where the list goes.")  # fmt: skip
@click.option("--numbers", is_flag=True, help="Numbers in place of the files' names.")
def fingerprint_command(
    *, output: Console, files: Path, holder: str, out: Path, numbers: bool
) -> None:
    """List hashes of the melodies in a FOLDER of MIDI files: `disclose.py answer` looks them up.

    No house is read and none is needed. Files that a DAW wrote carelessly are read as contributions
    are. scripts/fingerprint_alone.py does the same for people without this software; docs/letter.md
    says what a list gives away. Exits 2 when a file could not be read; the others are listed.
    """
    from gen.cli.found_files import midi_files
    from gen.disk import check_can_write, write_atomically
    from gen.likeness.print_lists import PrintList
    from gen.safe_parse import SafeReader

    check_can_write(out)
    paths = list(midi_files([files]))
    if not paths:
        raise SettingError(f"no MIDI file is in {files}", mend="name the folder that holds them")
    works: list[ListedWork] = []
    unread: list[tuple[str, str]] = []
    with SafeReader() as reader, output.progress("listing", len(paths)) as advance:
        for number, path in enumerate(paths, 1):
            name = str(number) if numbers else _text_of(path.relative_to(files).as_posix())
            found = _listed(path, name, reader)
            if isinstance(found, str):
                unread.append((name, found))
            else:
                works.append(found)
            if numbers:
                output.line(f"{number} is {path}")
            advance(1)
    made = PrintList(_text_of(holder), tuple(works), tuple(unread))
    write_atomically(out, made.encode())
    for name, reason in unread:
        output.line(f"not read: {name}: {reason}")
    output.line(f"{out}: {counted(len(works), 'piece')}, {len(unread)} not read")
    output.line(f"SHA-256 {made.digest}: keep it, the answer will name it")
    output.result(file=str(out), sha256=made.digest, works=len(works), unread=dict(unread))
    if unread:
        raise SystemExit(REFUSED)


def _text_of(name: str) -> str:
    """A name as text, whatever bytes it has: fingerprint_alone.py writes the same."""
    return name.encode("utf-8", "backslashreplace").decode()


def _listed(path: Path, name: str, reader: SafeReader) -> ListedWork | str:
    """A file's entry, or why it has none."""
    from gen.disk.reading import MIDI, NamedFileError, read
    from gen.likeness.print_lists import ListedWork
    from gen.likeness.prints import STEPS, prints_of
    from gen.safe_parse import UnsafeFileError
    from gen.smf import RuleBroken

    try:
        piece = reader.examine(read(path, MIDI)).normalised.piece
    except (RuleBroken, UnsafeFileError, NamedFileError) as error:
        return getattr(error, "found", "") or error.what
    lines = prints_of(piece)
    if not lines:
        return f"no line in it has {STEPS + 1} notes: there is nothing to look it up by"
    notes = sum(len(track.notes) for track in piece.tracks if not track.is_drum)
    return ListedWork(name, notes, lines)
