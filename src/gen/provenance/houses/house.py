"""A house as its pin describes it: opened for reading, or locked for one change.

Whoever reads changes nothing: after a crash a reader sees what the register says, and says on
stderr that a change is unfinished. Whoever writes finishes it first
(`gen.provenance.houses.settle`).

A change is signed acts plus the files they name: the files go into the journal, the acts are
appended to the register, and every file takes the place that the register now gives it. A crash
before the append leaves nothing of the change, one after it leaves only renames to be done.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gen.errors import HouseError, found_in
from gen.provenance.history.log import HEAD_TYPE, Log
from gen.provenance.history.register import Register
from gen.provenance.history.rights import key_of_head
from gen.provenance.history.verify import can_go_on, check_roster_file, check_size, replayed
from gen.provenance.houses.kept import KeptRegister
from gen.provenance.houses.note_files import try_to_sign_head
from gen.provenance.houses.settle import folders_of, roster_text, settle, works_of
from gen.provenance.houses.store import JOURNAL, MAX_RECORD_BYTES, ROSTER_FILE, Store
from gen.provenance.records.acts import Act
from gen.provenance.records.pin import Pin, load_pin
from gen.provenance.signing.dsse import sign
from gen.provenance.signing.keys import SigningKey
from gen.provenance.signing.shapes import Shape

logger = logging.getLogger(__name__)

UNFINISHED = (
    "{}: a command was interrupted in the middle of a change; what the register says counts, "
    "and the next command that changes the house puts its files in order"
)


@dataclass(frozen=True, slots=True)
class House:
    """A house, as its pin describes it."""

    pin: Pin

    @property
    def folder(self) -> Path:
        return self.pin.dir

    @property
    def store(self) -> Store:
        return Store(self.folder)

    @property
    def register_log(self) -> Log:
        return Log(self.store, self.pin.name)

    def load(
        self, *, full: bool = False, anew: bool = False, since: Register | None = None
    ) -> Register:
        """The verified register. Nothing in the house is changed.

        Every act past the pin is verified with its signature. Those that the pin covers were,
        when it was moved there; that they are still the same follows from its root hash. What
        this user's own commands verified before is kept, and gone on from
        (`gen.provenance.houses.kept`).

        Args:
            full: take no signature on the pin's word.
            anew: nor on that of earlier commands.
            since: this house's register as it was loaded before: it takes in what was appended
                meanwhile, as strictly, and is returned.

        Raises:
            PinError: older than the pin, not an extension of it, or another root.
            RegisterError, LogError: tampered with.
        """
        is_unfinished = self.store.is_unfinished()
        register = self._load(full=full, anew=anew, since=since)
        if is_unfinished:
            logger.warning(UNFINISHED.format(self.folder))
        # An interrupted change of the roster is in the register, and not yet in its copy.
        if not (is_unfinished and register.roster.register_index == register.size - 1):
            self._check_roster_file(register)
        return register

    def _load(
        self, *, full: bool = False, anew: bool = False, since: Register | None = None
    ) -> Register:
        log = self.register_log
        head = log.head()
        check_size(self.pin, head)
        kept, full = KeptRegister(log, self.pin), full or anew
        register = since if since is not None and can_go_on(self.pin, since) else None
        if register is None and not anew:
            register = kept.read(head, full=full)
        if register is None:
            register = Register(trusted_size=0 if full else self.pin.min_size)
        known = register.size
        register = replayed(self.pin, head, log.lines(head, register.head), register)
        kept.save(register, register.size - known)
        return register

    def _check_roster_file(self, register: Register) -> None:
        with found_in(ROSTER_FILE):
            data = self.store.read_if_there(ROSTER_FILE, MAX_RECORD_BYTES)
        check_roster_file(data, register)

    def repair_roster_file(self) -> None:
        """Write `roster.json` anew from the register, which is verified first."""
        with self.store.locked():
            register = self._load(anew=True)
            self.store.check_writable()
            self._finish(register)
            self.store.write({ROSTER_FILE: roster_text(register)})

    @contextmanager
    def writing(self, since: Register | None = None) -> Iterator[Session]:
        """Hold the lock, with the register as it now is and no change unfinished.

        Args:
            since: as in `load`.

        Raises:
            BusyError: another command held it too long.
            HouseError: this user may not write there.
        """
        with self.store.locked():
            # Another process may have moved the pin on while this one waited.
            house = House(load_pin(self.pin.path)) if self.pin.path else self
            register = house._load(since=since)
            house.store.check_writable()
            house._finish(register)
            house._check_roster_file(register)
            yield Session(house, register)

    def _finish(self, register: Register) -> None:
        """Put in order what an interrupted command left. The caller holds the lock."""
        self.store.sweep()
        if self.store.exists(JOURNAL):
            settle(self.store, register)
            self.store.end_change()


@dataclass(slots=True)
class Session:
    """A locked house and its register, for one change; the house is as it is after that."""

    house: House
    register: Register

    def commit(self, acts: Sequence[Act], head_key: SigningKey, files: Sequence[bytes]) -> House:
        """Append signed acts and put their files where they belong.

        Args:
            acts: in order, from the register's present size on.
            head_key: signs the new head.
            files: of the works that the acts enter.

        Returns:
            The house, under its pin moved on to the new head and saved.

        Raises:
            RegisterError: the register would refuse one of the acts; nothing was written.
            HouseError: this user may not write where the files go; nothing was written.
        """
        register, store = self.register, self.house.store
        for act in acts:
            register.replay(act.encode())
        key_of_head(register.rosters, register.size, head_key.keyid)
        works = works_of(acts)
        store.check_writable(*folders_of(register, works))
        self._append(acts, head_key, files)
        settle(store, register, works)
        store.end_change()
        self.house = self._under_new_pin()
        try_to_sign_head(store, register.newest_head, register.roster.log)
        return self.house

    def enter(self, kind: str, by: str, data: Shape, *keys: SigningKey) -> Act:
        """Append one act, which brings no files: what `by` says, signed by these keys.

        Raises:
            RegisterError, HouseError: as `commit`.
        """
        act = self.register.act(kind, by, data.to_dict(), keys[0].now()).signed_by(keys)
        self.commit([act], keys[0], ())
        return act

    def _append(self, acts: Sequence[Act], head_key: SigningKey, files: Sequence[bytes]) -> None:
        """The change happens with the last write in here, or not at all."""
        store, log = self.house.store, self.house.register_log
        try:
            store.begin_change(files)
            log.append(
                [act.encode() for act in acts],
                lambda payload: [sign(HEAD_TYPE, payload, head_key)],
                head_key.now(),
            )
        except (OSError, HouseError):
            store.end_change()  # for instance a full disk: the head is still the old one
            raise
        self.register.head = log.head()

    def _under_new_pin(self) -> House:
        head = self.register.newest_head
        pin = self.house.pin.advanced(self.register.roster, head.size, head.root)
        try:
            pin.save()
        except PermissionError:
            return self.house  # a pin kept read-only stays behind; it still holds
        return House(pin)
