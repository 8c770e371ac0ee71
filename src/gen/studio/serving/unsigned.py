"""Contributions that their composers have looked at and not signed yet, kept for a while.

What is signed must be what was looked at, byte for byte: so the server keeps what it made ready,
and puts nothing but the signature to it. A server that ends forgets; the page asks once more.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from gen.errors import SettingError
from gen.provenance.admission.inbox import Contribution
from gen.provenance.records.tag import Unsigned
from gen.provenance.signing.keys import SigningKey

MOST_BYTES = 128 << 20
MOST_OF_ONE = 256
SECONDS = 480
"""After which a draft is too old: the time in its statement would be."""


@dataclass(frozen=True, slots=True)
class UnsignedWork:
    """A person's contribution without their signature; `screening` is its report, if any."""

    person: str
    work: str
    unsigned: Unsigned
    screening: bytes | None
    needs_review: bool
    made: float

    def signed_by(self, key: SigningKey) -> Contribution:
        return Contribution(self.unsigned.signed_by(key), self.screening)

    @property
    def byte_count(self) -> int:
        return len(self.unsigned.music) + len(self.screening or b"")


class UnsignedWorks:
    """UnsignedWorks by an unguessable name, the oldest forgotten first."""

    def __init__(self) -> None:
        self._drafts: OrderedDict[str, UnsignedWork] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, draft: UnsignedWork) -> str:
        """Its name."""
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._drafts[name] = draft
            theirs = [key for key, one in self._drafts.items() if one.person == draft.person]
            for old in theirs[: max(0, len(theirs) - MOST_OF_ONE)]:
                del self._drafts[old]
            while sum(one.byte_count for one in self._drafts.values()) > MOST_BYTES:
                self._drafts.popitem(last=False)
        return name

    def take(self, name: str, person: str) -> UnsignedWork:
        """The draft, which is forgotten with that: it is signed once.

        Raises:
            SettingError: none of this person's is called so.
        """
        with self._lock:
            draft = self._drafts.get(name)
            if draft is not None and draft.person == person:
                del self._drafts[name]
                if time.monotonic() - draft.made < SECONDS:
                    return draft
        raise SettingError("this draft is gone", mend="look at the file again, and sign then")
