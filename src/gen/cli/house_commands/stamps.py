"""Time stamps of the log's heads: stamp."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gen.cli.house_commands.common import Console, house_command
from gen.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.provenance.houses.house import House
    from gen.provenance.signing.notes import NoteKey, SignedNote

FILE = click.Path(path_type=Path)
READ = click.Path(path_type=Path, exists=True)


@house_command
@click.option("--url", metavar="URL", help="An authority's address: ask it now.")
@click.option("--request", type=FILE, metavar="FILE", help="Write a request (.tsq) instead.")
@click.option("--take", "answer", type=READ, metavar="FILE", help="Take in an answer (.tsr).")
@click.option("--roots", type=READ, metavar="FILE", help="PEM: whom to believe about the time.")
def stamp_command(
    *, output: Console, url: str | None, request: Path | None, answer: Path | None,
    roots: Path | None,
) -> None:  # fmt: skip
    """Have an authority stamp the log's newest note with the time (RFC 3161), or check what is.

    With --roots alone, every stamp that is kept is checked. A stamp says when the head was there,
    and nothing of other heads: only witnesses see that there is one history.
    """
    from gen.disk.reading import CERTIFICATES, read

    house = output.open_house()
    is_one_thing = sum(value is not None for value in (url, request, answer)) <= 1
    if is_one_thing and request is not None:
        _write_stamp_request(house, request, output)
        return
    if not is_one_thing or roots is None:
        raise SettingError(
            "what should be stamped, and whom do you believe about the time?",
            mend="give --url URL or --take FILE, with --roots PEM; or --request FILE",
        )
    believed = read(roots, CERTIFICATES)
    if url is None and answer is None:
        check_stamps(house, believed, output)
    else:
        _take_stamp(house, url, answer, believed, output)


def _write_stamp_request(house: House, path: Path, output: Console) -> None:
    from gen.disk import write_atomically
    from gen.provenance.witnesses.asking import keep, note_to_witness
    from gen.provenance.witnesses.stamps import request_for, stamped_bytes

    register = house.load()
    note = note_to_witness(house, register)
    assert register.roster.log is not None  # noqa: S101 - it signed the note
    request = request_for(stamped_bytes(note, register.roster.log))
    keep(house.store, note, (), house.pin.witnesses)
    write_atomically(path, request)
    output.line(f"wrote {path}: a request to stamp the head of {note.size} acts")
    output.result(file=str(path), size=note.size)


def _take_stamp(
    house: House, url: str | None, answer: Path | None, roots: bytes, output: Console
) -> None:
    from gen.disk.reading import ANSWER, read
    from gen.provenance.houses.note_files import place_of
    from gen.provenance.witnesses.asking import keep, note_to_witness
    from gen.provenance.witnesses.stamps import (
        ask_authority,
        request_for,
        spelled_time,
        stamped_bytes,
    )
    from gen.provenance.witnesses.standing import log_keys, read_notes, true_notes

    kept = read_notes(house)
    register = house.load()
    notes = true_notes(register, kept)
    if url is not None:
        note = note_to_witness(house, register)
        keep(house.store, note, (), house.pin.witnesses)
        notes, key = [note], log_keys(register)[-1]
        data = ask_authority(url, request_for(stamped_bytes(note, key)))
    else:
        assert answer is not None  # noqa: S101 - one of the two is given
        data = read(answer, ANSWER)
    note, when = _stamped(data, notes, log_keys(register), roots)
    with house.store.locked():
        house.store.write({place_of(note.size, "tsr"): data})
    output.line(f"the head of {note.size} acts was there at {spelled_time(when)}, by the authority")
    output.result(size=note.size, time=spelled_time(when))


def _stamped(
    data: bytes, notes: Sequence[SignedNote], keys: Sequence[NoteKey], roots: bytes
) -> tuple[SignedNote, Any]:
    """The note that a stamp is of, and its time."""
    from gen.provenance.witnesses.stamps import StampError, check_stamp, stamped_bytes

    problem = StampError("no note of the log is kept that could have been stamped")
    for note in sorted(notes, key=lambda note: -note.size):
        for key in filter(note.is_signed_by, keys):
            try:
                return note, check_stamp(data, stamped_bytes(note, key), roots)
            except StampError as error:
                problem = error
    raise problem


def check_stamps(house: House, roots: bytes, output: Console) -> None:
    """Check every stamp that is kept against the given root certificates."""
    from gen.provenance.houses.note_files import place_of, read_note
    from gen.provenance.houses.store import WITNESSES
    from gen.provenance.witnesses.stamps import MAX_STAMP_BYTES, spelled_time
    from gen.provenance.witnesses.standing import log_keys, true_notes

    register, found = house.load(), []
    names = [n for n in house.store.names(WITNESSES) if n.endswith(".tsr")]
    sizes = sorted(int(n.removesuffix(".tsr")) for n in names if n[:-4].isdecimal())
    for size in sizes:
        data = house.store.read(place_of(size, "tsr"), MAX_STAMP_BYTES)
        note = read_note(house.store, place_of(size))
        notes = true_notes(register, [note] if note else [])
        _, when = _stamped(data, notes, log_keys(register), roots)
        found.append({"size": size, "time": spelled_time(when)})
        output.line(f"the first {size} acts were there at {spelled_time(when)}, by the authority")
    if not found:
        output.line("no time stamp is kept")
    output.result(stamps=found)
