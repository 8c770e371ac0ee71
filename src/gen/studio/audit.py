"""The audit log of a house that is served: who asked for what, when, from where, and the answer.

One JSON object a line, appended, never rewritten; nothing that opens anything is in it. What
people signed stands in the house's own log: this one says what happened around it.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from gen.errors import HouseError, printable, shortened
from gen.provenance.canonical import utc_now

_TAKEN_OUT = ("/midi", "/wav", "/musicxml", "/file", "/receipt", "/stems")
"""Reading a file is written down; looking at a page is not."""
_LETTERS = 200


class AuditLog:
    """Appends lines to a file that its own user alone can read.

    Raises:
        HouseError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            what = f"the audit log cannot be written ({error.strerror})"
            raise HouseError(what, where=str(path), mend="name another: --audit FILE") from error

    def add(self, person: str, address: str, asked: str, status: int) -> None:
        """One line. `asked` is a method and a path, without what came with it."""
        words = {"person": person, "from": address, "asked": printable(asked)}
        said = {name: shortened(text, _LETTERS) for name, text in words.items()}
        line = json.dumps({"time": utc_now(), **said, "status": status}, ensure_ascii=False) + "\n"
        with self._lock:
            os.write(self._file, line.encode("utf-8", "backslashreplace"))

    def close(self) -> None:
        os.close(self._file)


def is_written_down(method: str, path: str, status: int) -> bool:
    """Whether a request belongs into the log: changes, refusals, files that were taken out."""
    return method not in ("GET", "HEAD") or status in (401, 403, 429) or path.endswith(_TAKEN_OUT)
