"""A house on disk: where things lie, how they are read, how they change.

```
<house>/roster.json                     the present roster, a copy of the register's last
        register.jsonl  register.head.json
        ledger.jsonl    ledger.head.json        runs and outputs, machine-written
        <composer>/<work>.mid           accepted works
        inbox/<work>.mid                contributed, waiting for a curator
        screening/<work>.json           screening reports of accepted works
        rejected/  withdrawn/           taken out, kept for the record
        .journal/  .lock
```

A change is one append to the register plus some renames. The renames are written down in
`.journal/plan.json` before the append; whoever opens the house next after a crash finishes
them if the append happened and forgets them if it did not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from gen.errors import HouseError
from gen.provenance.acts import Act
from gen.provenance.canonical import StrictJsonError, canonical, fields, strict_json
from gen.provenance.dsse import sign
from gen.provenance.files import (
    locked,
    remove_folder,
    replace,
    sync_folder,
    unfinished,
    write_atomically,
    write_durably,
)
from gen.provenance.keys import PrivateKey
from gen.provenance.log import HEAD_TYPE, Log, LogError
from gen.provenance.merkle import Frontier, leaf_hash
from gen.provenance.pin import Pin, PinError, load_pin
from gen.provenance.register import Register, RegisterError

INBOX, SCREENING, REJECTED, WITHDRAWN = "inbox", "screening", "rejected", "withdrawn"
JOURNAL, LOCK = ".journal", ".lock"
ROSTER_FILE = "roster.json"
ADMIN_FOLDERS = frozenset({INBOX, SCREENING, REJECTED, WITHDRAWN, JOURNAL})
ADMIN_FILES = frozenset(
    {
        ROSTER_FILE,
        "register.jsonl",
        "register.head.json",
        "ledger.jsonl",
        "ledger.head.json",
        "proposal.json",
        "pin.yaml",
        "README.md",
        ".gitattributes",
        ".gitignore",
        LOCK,
        ".ledger.lock",
    }
)
IGNORED_BY_GIT = (
    "inbox/\nrejected/\nwithdrawn/\n.journal/\n.lock\n.ledger.lock\nledger.*\nproposal.json\n"
)


KEPT_BY_GIT = "* -text\n"
"""Signed bytes must survive a checkout on Windows: no line ending is ever converted."""


@dataclass(slots=True)
class Change:
    """The files of one change: staged bytes and the renames that follow the append.

    Attributes:
        staged: name in the journal → (bytes, final place in the house).
        moves: (place, new place), inside the house.
        removes: places.
    """

    staged: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    moves: list[tuple[str, str]] = field(default_factory=list)
    removes: list[str] = field(default_factory=list)

    def stage(self, data: bytes, place: str) -> None:
        """Put `data` at `place` when the append has happened."""
        self.staged[f"{len(self.staged)}.new"] = (data, place)

    def all_moves(self) -> list[tuple[str, str]]:
        staged = [(f"{JOURNAL}/{name}", place) for name, (_, place) in self.staged.items()]
        return staged + self.moves


@dataclass(frozen=True, slots=True)
class House:
    """A house, as its pin describes it."""

    pin: Pin

    @property
    def folder(self) -> Path:
        return self.pin.dir

    @property
    def register_log(self) -> Log:
        return Log(self.folder, self.pin.name, "register")

    @property
    def ledger_log(self) -> Log:
        return Log(self.folder, self.pin.name, "ledger")

    # -- reading ----------------------------------------------------------------------------

    def load(self, *, full: bool = False, since: Register | None = None) -> Register:
        """The verified register, after finishing what a crash left open.

        Every act past the pin is verified with its signature. Those that the pin covers were,
        when it was moved there; that they are still the same follows from its root hash.

        Args:
            full: verify the signatures under the pin once more.
            since: this house's register as it was loaded before: it takes in what was appended
                meanwhile, as strictly, and is returned.

        Raises:
            PinError: older than the pin, not an extension of it, or another root.
            RegisterError, LogError: tampered with.
        """
        if (self.folder / JOURNAL).exists():
            with locked(self.folder / LOCK):
                self.recover()
        return self._load(full, since)

    def _load(self, full: bool, since: Register | None) -> Register:
        log = self.register_log
        head = log.head()
        if head.size < self.pin.min_size:
            raise PinError(
                f"the register holds {head.size} acts, the pin has seen {self.pin.min_size}",
                rule="register-rollback",
                where=str(log.path),
                mend="somebody put an older copy back: restore the newest one",
            )
        register = Register(trusted_size=0 if full else self.pin.min_size)
        if since is not None and self._holds_pin(since):
            register = since
        known = register.head
        frontier = Frontier(known.size, known.frontier) if known else Frontier()
        for line in log.lines(head, known):
            register.replay(line)
            if frontier.size < self.pin.min_size:
                frontier.append(leaf_hash(line))
                if frontier.size == self.pin.min_size:
                    self._check_pinned(register, frontier)
        register.check_head(head)
        register.pinned = (self.pin.min_size, self.pin.root_hash)
        self._check_roster_file(register)
        return register

    def _holds_pin(self, register: Register) -> bool:
        """Whether a register loaded before was held against this pin, or will be on going on."""
        pinned, head = (self.pin.min_size, self.pin.root_hash), register.head
        if head is None or head.size < self.pin.min_size:
            return head is not None
        return pinned in (register.pinned, (head.size, head.root))

    def _check_pinned(self, register: Register, frontier: Frontier) -> None:
        if frontier.root().hex() != self.pin.root_hash:
            raise PinError(
                f"the register's first {self.pin.min_size} acts hash to "
                f"{frontier.root().hex()[:16]}…, the pin says {self.pin.root_hash[:16]}…",
                rule="register-rollback",
                where=str(self.register_log.path),
                mend="its history was rewritten: restore an intact copy",
            )
        self.pin.check_roots(register.roster)

    def _check_roster_file(self, register: Register) -> None:
        path = self.folder / ROSTER_FILE
        try:
            found = canonical(strict_json(path.read_bytes()))
        except (OSError, StrictJsonError) as error:
            raise self._roster_error(f"cannot be read: {error}") from error
        if found != canonical(register.rosters[-1].to_dict()):
            raise self._roster_error(
                f"is not version {register.roster.version}, which the register ends with"
            )

    def _roster_error(self, what: str) -> RegisterError:
        return RegisterError(
            f"{ROSTER_FILE} {what}",
            rule="roster-rollback",
            mend="somebody put an older or edited copy there; the register has the right one: "
            "python scripts/house.py verify --repair",
        )

    def repair_roster_file(self) -> None:
        """Write `roster.json` anew from the register, which is verified first."""
        with locked(self.folder / LOCK):
            self.recover()
            log = self.register_log
            head, register = log.head(), Register()
            for line in log.lines(head):
                register.replay(line)
            register.check_head(head)
            write_atomically(self.folder / ROSTER_FILE, roster_text(register))

    # -- writing ----------------------------------------------------------------------------

    @contextmanager
    def writing(self, since: Register | None = None) -> Iterator[Session]:
        """Hold the lock, with the register as it now is.

        Args:
            since: as in `load`.

        Raises:
            BusyError: another command held it too long.
        """
        with locked(self.folder / LOCK):
            self.recover()
            # Another process may have moved the pin on while this one waited.
            house = House(load_pin(self.pin.path)) if self.pin.path else self
            yield Session(house, house._load(full=False, since=since))

    def recover(self) -> None:
        """Finish or forget the renames of an interrupted change. The caller holds the lock."""
        for path in self.folder.glob(".*.new"):
            # The ledger has a lock of its own: what looks left over there may be being written.
            if unfinished(path.name) in ADMIN_FILES and not path.name.startswith(".ledger"):
                path.unlink(missing_ok=True)
        journal = self.folder / JOURNAL
        if not journal.exists():
            return
        try:
            plan = _read_plan(journal / "plan.json")
        except FileNotFoundError:
            plan = None
        if plan is not None and self._was_appended(plan):
            self._apply(plan.moves, plan.removes)
        remove_folder(journal)

    def _was_appended(self, plan: _Plan) -> bool:
        head = self.register_log.head()
        if head.size < plan.size:
            return False
        for index, line in enumerate(self.register_log.lines(head)):
            if index == plan.size - 1:
                return leaf_hash(line).hex() == plan.leaf
        return False

    def _apply(self, moves: Sequence[tuple[str, str]], removes: Sequence[str]) -> None:
        folders = set()
        for source, target in moves:
            origin, place = self.folder / source, self.folder / target
            if not origin.exists():
                continue  # moved before the crash
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.parent.is_symlink():
                raise HouseError(
                    "a folder of the house is a symbolic link", where=str(place.parent)
                )
            replace(origin, place)
            folders.add(place.parent)
        for place_text in removes:
            (self.folder / place_text).unlink(missing_ok=True)
        for folder in folders:
            sync_folder(folder)

    def commit(self, acts: Sequence[Act], head_key: PrivateKey, change: Change) -> Pin:
        """Append signed acts and carry out their renames. The caller holds the lock.

        Returns:
            The pin, moved on to the new head and saved.
        """
        lines = [act.encode() for act in acts]
        journal = self.folder / JOURNAL
        if change.staged or change.moves or change.removes:
            remove_folder(journal)
            journal.mkdir(parents=True)
            write_durably({journal / name: data for name, (data, _) in change.staged.items()})
            plan = _Plan(acts[-1].index + 1, leaf_hash(lines[-1]).hex(), change.all_moves())
            write_atomically(journal / "plan.json", plan.encode(change.removes))
        head = self.register_log.append(lines, lambda payload: [sign(HEAD_TYPE, payload, head_key)])
        self._apply(change.all_moves(), change.removes)
        remove_folder(journal)
        register_roster = json.loads((self.folder / ROSTER_FILE).read_bytes())["roster"]
        return self._move_pin(register_roster, head.size, head.root)

    def _move_pin(self, roster_dict: object, size: int, root_hash: str) -> Pin:
        from gen.provenance.roster import Roster

        pin = self.pin.advanced(Roster.from_dict(roster_dict), size, root_hash)
        try:
            pin.save()
        except PermissionError:
            return self.pin  # a pin kept read-only stays behind; it still holds
        return pin


@dataclass(slots=True)
class Session:
    """A locked house and its register, for one change."""

    house: House
    register: Register

    def commit(self, acts: Sequence[Act], head_key: PrivateKey, change: Change) -> House:
        """See `House.commit`; returns the house under its new pin.

        Raises:
            RegisterError: the register would refuse one of the acts; nothing was written.
        """
        for act in acts:
            self.register.replay(act.encode())
        self.register.head_key(head_key.keyid)
        house = House(self.house.commit(acts, head_key, change))
        self.register.head = house.register_log.head()
        return house


def roster_text(register: Register) -> bytes:
    """The present roster, signed, laid out for reading."""
    return roster_file(register.rosters[-1].to_dict())


def roster_file(signed: object) -> bytes:
    """A signed roster as `roster.json` holds it."""
    text = json.dumps(signed, indent=1, sort_keys=True, ensure_ascii=False)
    return text.encode("utf-8") + b"\n"


@dataclass(frozen=True, slots=True)
class _Plan:
    size: int
    leaf: str
    moves: list[tuple[str, str]]
    removes: tuple[str, ...] = ()

    def encode(self, removes: Sequence[str]) -> bytes:
        return canonical(
            {
                "leaf": self.leaf,
                "moves": [list(pair) for pair in self.moves],
                "removes": list(removes),
                "size": self.size,
            }
        )


def _read_plan(path: Path) -> _Plan:
    found = fields(
        strict_json(path.read_bytes()), "plan", leaf=str, moves=list, removes=list, size=int
    )
    moves = [(_inside(a), _inside(b)) for a, b in found["moves"]]
    return _Plan(found["size"], found["leaf"], moves, tuple(map(_inside, found["removes"])))


def _inside(place: str) -> str:
    path = PurePosixPath(place)
    if path.is_absolute() or ".." in path.parts or "\\" in place or ":" in place:
        raise LogError(f"the journal names {place!r}, outside the house", where=JOURNAL)
    return place
