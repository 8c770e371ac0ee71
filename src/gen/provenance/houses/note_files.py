"""Notes of a house's log on disk, and signing one where the log's key is at hand.

`register.checkpoint` is the newest note that the log's key signed; it may lag behind the head,
since not everybody who enters an act has that key. `witnesses/<size>.note` is the note of one
size with all that its witnesses signed. Nothing here is believed: whoever reads a note checks
its signatures and holds its root against the register's.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

from gen.disk import Folder, UnfitFileError
from gen.errors import HouseError
from gen.provenance.history.log import REGISTER_FILE, Head
from gen.provenance.houses.store import CHECKPOINT, WITNESSES, Store
from gen.provenance.signing.canonical import MAX_JSON_BYTES
from gen.provenance.signing.key_files import list_keys, unlock
from gen.provenance.signing.keys import key_id
from gen.provenance.signing.merkle import leaf_hash
from gen.provenance.signing.notes import MAX_NOTE_BYTES, NoteError, NoteKey, SignedNote

logger = logging.getLogger(__name__)

LOG_OWNER = "log"
"""Whose key file the log's is."""
_NOTE = re.compile(r"([1-9][0-9]{0,18})\.note\Z")


def place_of(size: int, kind: str = "note") -> str:
    """Where the note of this size is kept with its witnesses' signatures, or its time stamp."""
    return f"{WITNESSES}/{size}.{kind}"


def read_note(store: Store, place: str) -> SignedNote | None:
    """The note at this place; None where nothing is.

    Raises:
        NoteError: unreadable, or no note.
    """
    try:
        data = store.read_if_there(place, MAX_NOTE_BYTES)
        return None if data is None else SignedNote.parse(data)
    except (NoteError, UnfitFileError) as error:
        raise NoteError(
            error.what,
            where=str(store.root / place),
            mend="put back what was there, or remove the file: what witnesses signed is then lost",
        ) from error


def notes_of(store: Store) -> Iterator[SignedNote]:
    """Every note that is kept, smallest first. Errors as `read_note`."""
    sizes = sorted(int(found[1]) for found in map(_NOTE.match, store.names(WITNESSES)) if found)
    for place in (*map(place_of, sizes), CHECKPOINT):
        note = read_note(store, place)
        if note is not None:
            yield note


def leaves_in(records: Folder) -> list[bytes]:
    """Leaf hashes of a register of anybody's, which is not verified: its lines are only hashed.

    Raises:
        NoteError: none is there, or a line is too long.
    """
    leaves = []
    try:
        with records.open(REGISTER_FILE) as file:
            while line := file.readline(MAX_JSON_BYTES + 1):
                if len(line) > MAX_JSON_BYTES:
                    raise NoteError("a line is too long", where=str(records.root))
                leaves.append(leaf_hash(line.removesuffix(b"\n")))
    except FileNotFoundError as error:
        raise NoteError(f"no {REGISTER_FILE} is there", where=str(records.root)) from error
    return leaves


def sign_head(store: Store, head: Head, log: NoteKey | None) -> SignedNote | None:
    """Sign a head as a note and keep it, where the log's key is in this user's key folder.

    The head must be the log's for good: a note of one that is not would accuse the house.

    Raises:
        KeyFileError: the key can be read by others, or is damaged.
    """
    file = next((f for f in list_keys() if log and f.keyid == key_id(log.public)), None)
    if log is None or file is None or not file.is_open:
        return None
    note = SignedNote(log.name, head.size, bytes.fromhex(head.root)).signed_by(
        unlock(file, _nobody)
    )
    store.write({CHECKPOINT: note.encode()})
    return note


def try_to_sign_head(store: Store, head: Head, log: NoteKey | None) -> None:
    """As `sign_head`, after an act that is entered already: what goes wrong is only said."""
    try:
        sign_head(store, head, log)
    except (HouseError, OSError) as error:
        logger.warning("the new head is not signed as a note: %s", error)


def _nobody(_: object) -> str:
    return ""  # an open key asks for no passphrase
