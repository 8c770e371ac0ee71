"""A copy of the house's records for an auditor, without music and without private keys."""

from __future__ import annotations

import csv
import dataclasses
import io
import shutil
from collections.abc import Sequence
from pathlib import Path

from gen.disk import check_can_write, write_atomically
from gen.disk.tables import as_text
from gen.errors import SettingError
from gen.provenance.history.log import HEAD_FILE, REGISTER_FILE
from gen.provenance.houses.house import House
from gen.provenance.houses.store import CHECKPOINT, ROSTER_FILE, WITNESSES
from gen.provenance.records.pin import INSIDE

RECORDS = (ROSTER_FILE, REGISTER_FILE, HEAD_FILE, CHECKPOINT)
MAX_LOG_BYTES = 4 << 30
README = """Records of the music house {name}: {size} acts, root {root}.

register.jsonl   every act of the house's people and machines, one a line, each signed and
                 numbered: works with what their composers signed, consent, runs, generated pieces
register.head.json   the signed head: size and root of the RFC 6962 tree over those lines
register.checkpoint  the head again, as a note that the log's key signed (C2SP tlog-checkpoint)
witnesses/       such notes with the signatures of witnesses outside the house, and time stamps
roster.json      who belongs to the house now, signed by its root keys
pin.yaml         fingerprints of the root keys; compare them with what the house told you
works.csv        a table made from the register

To check it with this software:  python scripts/house.py verify --house DIR
To check it without:  python scripts/verify_alone.py DIR --pin PIN
The second needs that file, the folder scripts/alone beside it, and the package cryptography; both
are short enough to be read, and docs/format.md explains every byte. Take PIN, and these files, from
somebody you trust, not from here. With --model FILE and --piece FILE it looks at those, too.
What it shows: every work was signed by one of its composers, accepted by another person, entered
at its index, and allowed for what the table says. The column `signed_by` names the composers who
signed; others are only named, by who contributed the work. What it cannot show: who composed it.
"""
_IN_FILES = """
{count} of the works were entered before the log held what composers sign: these signatures are in
the works' files alone, which are not here.
"""


def export_records(
    house: House, out: Path, works: Sequence[Sequence[str]], in_files: int = 0
) -> list[Path]:
    """Copy the records into the new folder `out`.

    Args:
        house: a verified house.
        out: must not exist yet, or be empty.
        works: rows of the table of works, the header first.
        in_files: how many works there are whose composers' signatures are in their files alone.

    Raises:
        SettingError: `out` holds something.
    """
    check_can_write(out, is_folder=True)
    is_new = not out.exists()
    if not is_new and any(out.iterdir()):
        raise SettingError(f"{out} is not empty", mend="name a new folder")
    # Head before lines: what the head covers is then surely among the lines copied.
    names = sorted(RECORDS, key=lambda name: name != HEAD_FILE)
    names += [f"{WITNESSES}/{name}" for name in house.store.names(WITNESSES)]
    found = {name: house.store.read_if_there(name, MAX_LOG_BYTES) for name in names}
    contents = {name: data for name, data in found.items() if data is not None}
    head = house.register_log.head()
    readme = README.format(name=house.pin.name, size=head.size, root=head.root)
    readme += _IN_FILES.format(count=in_files) if in_files else ""
    contents["README.txt"] = readme.encode("utf-8")
    contents["works.csv"] = _csv(works)
    try:
        for name, data in contents.items():
            write_atomically(out / name, data)
        dataclasses.replace(house.pin, dir=out.resolve(), path=(out / INSIDE).resolve()).save()
    except BaseException:
        if is_new:  # half a copy would be taken for a whole one
            shutil.rmtree(out, ignore_errors=True)
        raise
    return sorted(out / name for name in (*contents, INSIDE))


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([map(as_text, row) for row in rows])
    return text.getvalue().encode("utf-8-sig")
