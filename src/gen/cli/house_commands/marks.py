"""Marks of origin: watermark, detect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.cli.house_commands.common import Console, house_command
from gen.errors import HouseError

if TYPE_CHECKING:
    from gen.marks.detect import Sight

OURS, NOT_OURS = 0, 3
"""Exit codes of detect."""


@house_command
@click.option("--new", is_flag=True, help="Make a key; new pieces are written with the newest.")
def watermark_command(*, output: Console, new: bool) -> None:
    """Show the house's watermark keys on this computer, or make one.

    With a key, sample.py leaves a trace of it in the notes of new pieces, which `detect` finds
    again with the same key. Copy its file into the key folder of whoever else writes or detects
    for the house, and keep it secret: who has it can also write without leaving a trace.
    """
    from gen.marks.watermark_keys import keys_of, make_key

    house = output.open_house()
    if new:
        key, path = make_key(house.pin.name)
        output.line(f"made the watermark key {key.id}: {path}")
    keys = keys_of(house.pin.name)
    output.table(("key", "made"), [(key.id, key.made) for key in keys])
    if not keys:
        output.line("no watermark key is here: house.py watermark --new makes one")
    output.result(keys=[{"id": key.id, "made": key.made} for key in keys])


@house_command
@click.argument("file", type=click.Path(path_type=Path))
def anchors_command(*, output: Console, file: Path) -> None:
    """Write a PEM file with the certificates behind the marks that this computer signs.

    A stock C2PA validator calls a mark's signer untrusted unless it is given the certificate of
    the house key that certified it, as a trust anchor. Everybody who produces has one of their
    own: give out all of them together.
    """
    from gen.disk import write_atomically
    from gen.marks.signing import all_signers, as_pem

    house = output.open_house()
    roots = [signer.chain[1] for signer in all_signers() if signer.house == house.pin.name]
    if not roots:
        what = f"no mark was signed for {house.pin.name} on this computer yet"
        raise HouseError(what, mend="write a piece first, with a producer's key at hand")
    write_atomically(file, b"".join(map(as_pem, roots)))
    output.line(f"wrote {file}: certificates of {len(roots)} house keys")
    output.result(file=str(file), certificates=len(roots))


@house_command
@click.argument("file", type=click.Path(path_type=Path))
def detect_command(*, output: Console, file: Path) -> None:
    """Say whether a MIDI, WAV, PNG or MusicXML file was written by the house's models.

    By its marks, by the watermark in its notes, and by the log, which knows what was written
    even transposed, trimmed or played by other instruments. Of files other than MIDI only the
    marks are read.

    Exit codes: 0 it is the house's, 3 nothing says so, 2 it cannot be read.
    """
    from gen.contribution.known import load_known
    from gen.disk.reading import read
    from gen.likeness.thresholds import Thresholds
    from gen.marks.detect import MARKED_FILE, detect
    from gen.safe_parse import safe_examine
    from gen.smf.original import unmarked

    house = output.open_house()
    register, data = house.load(), read(file, MARKED_FILE)
    piece = safe_examine(unmarked(data)).normalised.piece if data[:4] == b"MThd" else None
    screen = load_known(house, register, Thresholds()).screen
    sights = detect(data, piece, house, register, screen)
    for sight in sights:
        output.line(f"{sight.way}: {_in_words(sight)}")
        for line in sight.says:
            output.line(f"  {line}")
    is_ours = any(sight.is_ours for sight in sights)
    output.line(f"{file}: {'written' if is_ours else 'nothing says that it was written'} by "
                f"models of {house.pin.name}")  # fmt: skip
    output.result(
        ours=is_ours,
        ways={s.way: {"ours": s.is_ours, "says": list(s.says)} for s in sights},
    )
    raise SystemExit(OURS if is_ours else NOT_OURS)


def _in_words(sight: Sight) -> str:
    return {True: "the house's", False: "no", None: "not looked at"}[sight.is_ours]
