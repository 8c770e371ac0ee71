"""Keys that are made for a change of a house, and go again when the change fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gen.errors import HouseError
from gen.provenance.history.log import Log
from gen.provenance.houses.export import MAX_LOG_BYTES
from gen.provenance.houses.store import PROPOSAL, Store
from gen.provenance.signing.key_files import keys_folder, read_key_file


@contextmanager
def unless_it_fails(folder: Path, house: str) -> Iterator[None]:
    """Key files that are made within stay, unless the change that they are for fails.

    A key that the records of the house name stays, whatever failed after they did.

    Args:
        folder: of the house.
        house: its name.
    """
    before = set(keys_folder().glob("*.key"))
    try:
        yield
    except BaseException:
        for path in set(keys_folder().glob("*.key")) - before:
            if not is_named(folder, house, read_key_file(path).public.hex()):
                path.unlink(missing_ok=True)
        raise


def is_named(folder: Path, house: str, text: str) -> bool:
    """Whether a house's register, or a change that waits for signatures, has a text in it.

    Also where they cannot be read.

    Args:
        folder: of the house.
        house: its name.
        text: a public key in hex, or what stands in the place of a name.
    """
    store = Store(folder)
    log = Log(store, house)
    try:
        entered = log.head().byte_count  # what follows is the rest of an interrupted append
        found = [
            (store.read_if_there(log.place, MAX_LOG_BYTES) or b"")[:entered],
            store.read_if_there(PROPOSAL, MAX_LOG_BYTES) or b"",
        ]
    except (HouseError, OSError):
        return True  # nobody knows
    return any(text.encode() in data for data in found)
