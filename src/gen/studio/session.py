"""Where a running studio says how to reach it: for programs of the same user, no others."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from gen.disk.kinds import Spot
from gen.disk.writing import beside, replace, write_new


@dataclass(frozen=True, slots=True)
class StudioSession:
    """A studio that is open.

    Attributes:
        address: of its interface, without a path.
        token: goes with each request, as `Authorization: Bearer TOKEN`.
    """

    address: str
    token: str


def session_file() -> Path:
    """`HOUSE_STUDIO`, else a file in the user's own state folder."""
    named = os.environ.get("HOUSE_STUDIO")
    if named:
        return Path(named)
    import platformdirs

    return platformdirs.user_state_path("music-house", appauthor=False) / "studio.json"


@contextmanager
def announced(session: StudioSession) -> Iterator[Path | None]:
    """Keep the file there while the studio is open; None where it cannot be written."""
    path = session_file()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with kept_while_open(path, json.dumps(asdict(session)).encode()) as written:
        yield written


@contextmanager
def kept_while_open(path: Path, data: bytes) -> Iterator[Path | None]:
    """A file that its user alone can read, and that ends with the studio; None if there is none."""
    new = path.with_name(beside(path.name))
    try:
        write_new({Spot(None, str(new)): data}, mode=0o600)
        replace(new, path)  # whoever looks sees all of it or nothing
    except OSError:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        yield None
        return
    try:
        yield path
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
