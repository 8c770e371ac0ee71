"""Where a running studio says how to reach it: for programs of the same user, no others."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path


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
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        yield None
        return
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(session), file)
    try:
        yield path
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
