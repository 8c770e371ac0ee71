"""Who is signed in to a house that is served: challenges that a key answers, and sessions.

A person signs in by signing a challenge in their browser. What is signed names the house, the
address that the browser shows and the person, so that no other site can pass a challenge on, and
it is of a kind of its own, so that it is no act of the house. A challenge is answered once.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from gen.errors import HouseError
from gen.provenance.history.register import Register
from gen.provenance.records.roster import Person
from gen.provenance.signing.canonical import canonical
from gen.provenance.signing.dsse import Signature, is_signed_by

SIGN_IN_TYPE = "application/vnd.music-house.sign-in+json"
CHALLENGE_SECONDS = 120
SESSION_SECONDS = 12 * 3600
MOST_CHALLENGES = 4_096
MOST_SESSIONS = 8
"""Of one person: a ninth ends the oldest."""


class SignInError(HouseError):
    """Nobody is signed in by this: a wrong key, a challenge that is old, unknown or used."""


class NotAllowedError(HouseError):
    """Somebody is signed in, and asks for what is not theirs to do."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session: whose it is, with which key it began, and when it ends (by `People`'s clock)."""

    person: str
    keyid: str
    until: float


class People:
    """Challenges and sessions, in memory: whoever was signed in when the server ends signs in anew.

    Args:
        house: its name.
        origins: addresses at which browsers see the studio, as in "https://studio.example:8400".
        clock: seconds, for tests.
    """

    def __init__(
        self, house: str, origins: frozenset[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.house, self.origins = house, origins
        self.clock = clock
        self._challenges: OrderedDict[str, float] = OrderedDict()
        self._sessions: OrderedDict[str, SignedIn] = OrderedDict()
        self._lock = threading.Lock()

    def challenge(self) -> str:
        """64 hex digits to be signed within `CHALLENGE_SECONDS`."""
        made = secrets.token_hex(32)
        with self._lock:
            self._challenges[made] = self.clock() + CHALLENGE_SECONDS
            while len(self._challenges) > MOST_CHALLENGES:
                self._challenges.popitem(last=False)
        return made

    def sign_in(
        self, register: Register, person_id: str, challenge: str, origin: str, signature: Signature
    ) -> str:
        """The token of a new session.

        Raises:
            SignInError: the challenge was not made here or is used up, the page is another's, or
                no open key of this person signed it.
        """
        with self._lock:
            until = self._challenges.pop(challenge, 0.0)
        if until < self.clock():
            raise SignInError("this challenge is used up or too old", mend="sign in once more")
        if origin not in self.origins:
            raise SignInError("what was signed is for another address than this studio's")
        person = register.roster.person(person_id)
        payload = sign_in_payload(self.house, origin, person_id, challenge)
        if not _has_signed(person, signature, payload):
            raise SignInError(
                f"this key does not open the house to {person_id[:40]!r}",
                mend="enrolled are those whom a root key's holder took in; a replaced key opens "
                "nothing any more",
            )
        return self._begin(person_id, signature.keyid)

    def _begin(self, person: str, keyid: str) -> str:
        token = secrets.token_urlsafe(32)
        with self._lock:
            theirs = [name for name, one in self._sessions.items() if one.person == person]
            for name in theirs[: max(0, len(theirs) - MOST_SESSIONS + 1)]:
                del self._sessions[name]
            session = SignedIn(person, keyid, self.clock() + SESSION_SECONDS)
            self._sessions[_named(token)] = session
        return token

    def who(self, token: str) -> SignedIn | None:
        """Whose session a token names; None where it names none, or one that has ended."""
        with self._lock:
            session = self._sessions.get(_named(token))
            if session is not None and session.until < self.clock():
                del self._sessions[_named(token)]
                return None
            return session

    def sign_out(self, token: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(_named(token), None)


def sign_in_payload(house: str, origin: str, person: str, challenge: str) -> bytes:
    """What a person signs to sign in."""
    return canonical(
        {"challenge": challenge, "format": 1, "house": house, "origin": origin, "person": person}
    )


def person_of(register: Register, session: SignedIn) -> Person:
    """Whoever is signed in, as the roster has them now.

    Raises:
        SignInError: they departed, or their key was replaced.
    """
    person = register.roster.person(session.person)
    if person is None or session.keyid not in {key.keyid for key in person.open_keys()}:
        raise SignInError(f"the key of {session.person} is no longer open", mend="sign in again")
    return person


def _has_signed(person: Person | None, signature: Signature, payload: bytes) -> bool:
    keys = {key.keyid: key.public for key in person.open_keys()} if person else {}
    public = keys.get(signature.keyid)
    return public is not None and is_signed_by(signature, public, SIGN_IN_TYPE, payload)


def _named(token: str) -> str:
    """What a session is kept under: whoever reads this memory's dump has no token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
