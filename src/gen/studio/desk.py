"""What the person at the studio has before them: a house, a model, and the keys they opened."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from gen.errors import HouseError, SettingError
from gen.provenance.history.register import Register
from gen.provenance.history.verify import can_go_on
from gen.provenance.houses.access import open_house
from gen.provenance.houses.house import House
from gen.provenance.records.roster import Person
from gen.provenance.signing.key_files import list_keys, open_key
from gen.provenance.signing.keys import PrivateKey, SigningKey
from gen.studio.catalogue import Catalogue
from gen.studio.comparisons import Comparisons
from gen.studio.requests import Signed


@dataclass(slots=True)
class Desk:
    """One session's house and keys; its methods may be called by several threads.

    Args:
        folder: the house's; None takes what `HOUSE` names, or the project's own.
        pin: the pin to trust; None looks for it.
        checkpoint: the model, as `sample.py` takes it.
        out: folder that new pieces are written to.
        runs: folder of training runs.
        catalogue: what tags say.
        comparisons: what waiting works are like.
        stamp: address of an authority that stamps the marks of what is made; None for none.
    """

    folder: Path | None
    pin: Path | None
    checkpoint: str
    out: Path
    runs: Path
    catalogue: Catalogue = field(default_factory=Catalogue)
    stamp: str | None = None
    comparisons: Comparisons = field(default_factory=Comparisons)
    _register: Register | None = None
    _keys: dict[str, PrivateKey] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def make_out(self) -> None:
        """Make the folder of new pieces.

        Raises:
            HouseError: it cannot be written.
        """
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"cannot be made ({error.strerror})"
            raise HouseError(what, where=str(self.out), mend="name another: --out DIR") from error

    def house(self) -> House:
        """The house as it is now: other programs may have moved its pin."""
        return open_house(self.folder, self.pin)

    def pin_file(self) -> str:
        """Where the pin lies, as `sample.py` takes it."""
        return str(self.house().pin.path)

    @property
    def kept(self) -> Path:
        """The folder of what the studio keeps of the house, whoever is signed in."""
        return self.out

    @property
    def signed_in(self) -> str:
        """Who is signed in; "" at a studio of one computer, where keys lie in its folder."""
        return ""

    @property
    def reads_all(self) -> bool:
        """Whether they read what concerns somebody else: as whoever has the house's folder does."""
        return True

    def register(self, house: House) -> Register:
        """Its register, verified, and read anew when the log has grown.

        What was given out before stays as it is: others may be reading it.
        """
        with self._lock:
            known = self._register
            is_fresh = known is not None and known.head == house.register_log.head()
            if known is None or not is_fresh or not can_go_on(house.pin, known):
                known = self._register = house.load()
            return known

    def now(self) -> tuple[House, Register]:
        """The house and its register, as they are now."""
        house = self.house()
        return house, self.register(house)

    def people(self, register: Register) -> list[tuple[Person, bool, bool]]:
        """Everybody enrolled; whether a key of theirs lies here, and whether it is open."""
        here = {file.keyid for file in list_keys()}
        return [
            (person, bool(here & _keyids(person)), bool(self._keys.keys() & _keyids(person)))
            for person in register.roster.people
        ]

    def unlock(self, person: Person, passphrase: str) -> None:
        """Open a person's key until `lock`, or until the studio ends.

        Raises:
            HouseError: no key of theirs is here, or the passphrase is not its own.
        """
        files = [file for file in list_keys() if file.keyid in _keyids(person)]
        if not files:
            raise HouseError(
                f"no key of {person.id} is in your key folder",
                mend="open the studio where the key was made, or set HOUSE_KEYS to its folder",
            )
        key = open_key(files[0], passphrase)
        with self._lock:
            self._keys[files[0].keyid] = key

    def lock(self) -> None:
        """Forget every key."""
        with self._lock:
            self._keys.clear()

    def key(
        self, register: Register, person_id: str, role: str, signed: Signed | None = None
    ) -> SigningKey:
        """A person's open key.

        Args:
            register: of the house.
            person_id: who signs.
            role: as what.
            signed: what was signed in a browser; here, keys sign themselves.

        Raises:
            HouseError: they are not enrolled in this role, or their key is not open.
        """
        if signed is not None:
            raise SettingError("this studio is not served: it signs with keys of its own computer")
        person = register.roster.person(person_id)
        if person is None or role not in person.roles:
            raise SettingError(f"{person_id or 'nobody'} is no {role} of {register.roster.house}")
        for keyid in _keyids(person):
            if keyid in self._keys:
                return self._keys[keyid]
        raise HouseError(f"the key of {person.id} is locked", mend="open it with its passphrase")


def role_of(register: Register, person_id: str, *roles: str) -> str:
    """The first of these roles that a person has; where they have none, the last."""
    person = register.roster.person(person_id)
    return next((role for role in roles if person and role in person.roles), roles[-1])


def check_enrolled(register: Register, person_id: str) -> None:
    """Whether somebody is, or was, of the house.

    Raises:
        SettingError: nobody is called so.
    """
    if register.roster.person(person_id) is None:
        raise SettingError(f"nobody here is called {person_id[:40]!r}")


def _keyids(person: Person) -> set[str]:
    return {key.keyid for key in person.open_keys()}
