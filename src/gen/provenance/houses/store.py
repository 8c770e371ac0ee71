"""A house on disk: where things lie, its lock, and what an interrupted change leaves.

```
<house>/roster.json                     the present roster, a copy of the register's last
        register.jsonl  register.head.json
        register.checkpoint             the head again, as a note that the log's key signed
        witnesses/<size>.note           the log's note of that size, with its witnesses' signatures
        witnesses/<size>.tsr            a time stamp of that note (RFC 3161)
        <composer>/<work>.mid           accepted works
        inbox/<work>.mid                contributed, waiting for a curator
        screening/<work>.json           screening reports of accepted works
        rejected/  withdrawn/           taken out, kept for the record
        complaints/<digest>.json        complaints and answers; the log has their digests
        complaints/<digest>.list        prints that a complaint reserves (`reservations`)
        .names/<digest>.json            names of people; rosters have their digests
        .journal/<sha256>               files of the change that is being made, by their digest
        .lock
```

Nothing here decides what is true: `gen.provenance.houses.house` verifies the register, and
`gen.provenance.houses.settle` derives from it which file belongs where. A file in the journal
counts for nothing unless a signed act names its digest.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from gen.disk import BusyError, Folder, UnfitFileError, locked, unfinished
from gen.disk.locking import LOCK_SECONDS, MARKER, check_lock_file, is_locked
from gen.errors import HouseError
from gen.provenance.history.log import HEAD_FILE, REGISTER_FILE
from gen.provenance.signing.canonical import is_sha256_hex, sha256_hex
from gen.smf.rules import MAX_BYTES

INBOX, SCREENING, REJECTED, WITHDRAWN = "inbox", "screening", "rejected", "withdrawn"
JOURNAL, LOCK = ".journal", ".lock"
WITNESSES = "witnesses"
COMPLAINTS = "complaints"
NAMES = ".names"
"""It begins with a dot, as no person's id does: a house may have a composer called `names`."""
CHECKPOINT = "register.checkpoint"
ROSTER_FILE = "roster.json"
PROPOSAL = "proposal.json"
MAX_FILE_BYTES = MAX_BYTES
"""Longest tagged file of a work."""
MAX_RECORD_BYTES = 4 << 20
"""Longest roster, proposal, screening report or note."""
_SWEPT = ("", INBOX, REJECTED, WITNESSES, COMPLAINTS)
"""Where a killed command leaves what it had half written."""
ADMIN_FOLDERS = frozenset(
    {INBOX, SCREENING, REJECTED, WITHDRAWN, JOURNAL, WITNESSES, COMPLAINTS, NAMES}
)
ADMIN_FILES = frozenset(
    {
        ROSTER_FILE,
        REGISTER_FILE,
        HEAD_FILE,
        CHECKPOINT,
        "ledger.jsonl",  # of older houses, whose runs and outputs were no acts of the register
        "ledger.head.json",
        PROPOSAL,
        "pin.yaml",
        "README.md",
        ".gitattributes",
        ".gitignore",
        LOCK,
        LOCK + MARKER,
        ".ledger.lock",
    }
)
IGNORED_BY_GIT = (
    "inbox/\nrejected/\nwithdrawn/\ncomplaints/\n.names/\n.journal/\n.lock*\nproposal.json\n"
)
KEPT_BY_GIT = "* -text\n"
"""Signed bytes must survive a checkout on Windows: no line ending is ever converted."""


class Store(Folder):
    """The files of one house."""

    # -- the lock ---------------------------------------------------------------------------

    @contextmanager
    def locked(self, seconds: float = LOCK_SECONDS) -> Iterator[None]:
        """Hold the house.

        Raises:
            BusyError: another command held it too long.
            HouseError: this user may not write there, or the lock is no file.
        """
        with locked(self.root / LOCK, seconds):
            yield

    def check_ready(self) -> None:
        """Whether an act could be entered, before the work that one tells of.

        Raises:
            HouseError: this user may not write there, or what should be a file or a folder is none.
        """
        check_lock_file(self.root / LOCK)
        self.check_writable()
        for folder in _SWEPT:
            self.names(folder)

    def check_writable(self, *folders: str) -> None:
        """Whether this user may write in the house and in these folders of it.

        Raises:
            HouseError: not; nothing was changed.
        """
        for folder in dict.fromkeys(("", JOURNAL, *folders)):
            if not self.is_writable(folder):
                raise HouseError(
                    "you may not write in this folder; nothing was changed",
                    where=str(self.root / folder),
                    mend="ask the house's owner for the right to, or look whether its disk is "
                    "mounted for reading only",
                )

    # -- a change ---------------------------------------------------------------------------

    def begin_change(self, files: Iterable[bytes]) -> None:
        """Put a change's files into the journal, by their digest. The caller holds the lock."""
        self.remove_folder(JOURNAL)
        self.make_folder(JOURNAL)
        self.write({f"{JOURNAL}/{sha256_hex(data)}": data for data in files})

    def end_change(self) -> None:
        """Forget the journal: every file of the change is in its place, or it never happened."""
        self.remove_folder(JOURNAL)

    def staged(self) -> set[str]:
        """Digests of the files in the journal, as their names say."""
        return set(filter(is_sha256_hex, self.names(JOURNAL)))

    def read_staged(self, digest: str) -> bytes | None:
        """The file of this digest from the journal; None when it is not there, or not it."""
        try:
            data = self.read_if_there(f"{JOURNAL}/{digest}", MAX_FILE_BYTES)
        except UnfitFileError:
            return None
        return data if data is not None and sha256_hex(data) == digest else None

    def is_unfinished(self) -> bool:
        """Whether a command was interrupted in the middle of a change; waits for one at work.

        Raises:
            BusyError: a command has been at work all that time.
        """
        deadline = time.monotonic() + LOCK_SECONDS
        while self.exists(JOURNAL):
            if not is_locked(self.root / LOCK):
                return self.exists(JOURNAL)
            if time.monotonic() > deadline:
                raise BusyError(
                    f"another command has been changing the house for {LOCK_SECONDS:.0f} s",
                    where=str(self.root / LOCK),
                    mend="wait for it to end, or end it, and try again",
                )
            time.sleep(0.02)
        return False

    def sweep(self) -> None:
        """Remove what killed commands left half written. The caller holds the lock."""
        for folder in _SWEPT:
            for name in self.names(folder):
                meant = unfinished(name)
                place = f"{folder}/{name}" if folder else name
                if meant and (folder or meant in ADMIN_FILES) and not self._is_folder(place):
                    self.remove(place)

    def _is_folder(self, place: str) -> bool:
        found = self.look(place)
        return found is not None and stat.S_ISDIR(found.st_mode)

    # -- works ------------------------------------------------------------------------------

    def waiting(self) -> list[str]:
        """The names of works in the inbox, sorted."""
        return [n.removesuffix(".mid") for n in self.names(INBOX) if n.endswith(".mid")]

    def read_work(self, place: str, digest: str) -> bytes:
        """A registered work's file, also while the change that entered it is unfinished.

        Raises:
            UnfitFileError, FileNotFoundError: as `read`.
        """
        for _ in range(2):  # it may be put in its place between the two looks
            data = self.read_if_there(place, MAX_FILE_BYTES)
            if data is None:
                data = self.read_staged(digest)
            if data is not None:
                return data
        raise FileNotFoundError(place)
