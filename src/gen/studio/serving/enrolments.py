"""Requests to be enrolled, as browsers make them, until the root key's holder took them in.

Enrolling is a change of the roster, which root keys sign at the command line: what is kept here
is only what that command takes, with proof that whoever asks holds the key.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from gen.disk import write_atomically
from gen.errors import HouseError, SettingError
from gen.provenance.history.register import Register
from gen.provenance.records.consent import PERSON_ID
from gen.provenance.records.enrolment import parse_request
from gen.provenance.signing.canonical import is_sha256_hex, utc_now
from gen.provenance.signing.keys import key_id

MOST_WAITING = 200


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Somebody asks to be enrolled under an id; `request` is what `house.py enroll` takes."""

    keyid: str
    id: str
    name: str
    request: str
    time: str


class Enrolments:
    """Waiting requests, one small file each.

    Args:
        folder: where they are kept.
        house: name of the house.
    """

    def __init__(self, folder: Path, house: str) -> None:
        self._folder, self._house = folder, house

    def add(self, register: Register, person: str, name: str, request: str) -> Enrolment:
        """Keep a request; the same key's earlier one is replaced.

        Raises:
            SettingError: no id, no proof that the key is theirs, or a key that belongs to somebody.
            HouseError: so many wait that nobody seems to look at them.
        """
        if not PERSON_ID.match(person) or person == "root":
            raise SettingError(f"{person[:40]!r} is no id", mend="use a-z, digits and hyphens")
        keyid = key_id(parse_request(request, self._house, person))
        if keyid in register.roster.owners or keyid in register.roster.root_keyids:
            raise SettingError("this key belongs to somebody of the house already")
        self._folder.mkdir(parents=True, exist_ok=True)
        if len(list(self._folder.glob("*.json"))) >= MOST_WAITING:
            raise HouseError(
                f"{MOST_WAITING} requests wait already", mend="tell the holder of a root key"
            )
        made = Enrolment(keyid, person, name, "".join(request.split()).lower(), utc_now())
        text = json.dumps(asdict(made), ensure_ascii=False)
        write_atomically(self._path(keyid), text.encode("utf-8"))
        return made

    def waiting(self, register: Register) -> list[Enrolment]:
        """Those that still wait, the oldest first; whoever was enrolled meanwhile is forgotten."""
        found = []
        for path in self._folder.glob("*.json"):
            one = Enrolment(**json.loads(path.read_text("utf-8")))
            if one.keyid in register.roster.owners:
                path.unlink(missing_ok=True)
            else:
                found.append(one)
        return sorted(found, key=lambda one: one.time)

    def forget(self, keyid: str) -> None:
        """Drop a request."""
        if is_sha256_hex(keyid):
            self._path(keyid).unlink(missing_ok=True)

    def _path(self, keyid: str) -> Path:
        return self._folder / f"{keyid}.json"
