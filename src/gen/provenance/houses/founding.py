"""Starting a house: its first roster, its register of one act, and its pin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

from gen.errors import SettingError
from gen.provenance.history.log import Log, LogError
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House, Session
from gen.provenance.houses.settle import roster_file
from gen.provenance.houses.store import (
    IGNORED_BY_GIT,
    KEPT_BY_GIT,
    ROSTER_FILE,
    Store,
)
from gen.provenance.records.acts import KEY, ROOT, Act, KeyChange
from gen.provenance.records.pin import Pin
from gen.provenance.records.roster import (
    HOUSE_NAME,
    ROSTER_TYPE,
    Person,
    Roster,
    SignedRoster,
    identity_of,
    origin_of,
)
from gen.provenance.signing.canonical import today_utc, utc_now
from gen.provenance.signing.dsse import sign
from gen.provenance.signing.keys import PrivateKey, key_id
from gen.provenance.signing.merkle import leaf_hash
from gen.provenance.signing.notes import LOG_KEY, NoteKey

ROSTER_DAYS = 400
"""How long a roster counts before the root has to sign a fresh one."""


def create_house(
    folder: Path,
    name: str,
    root_keys: Sequence[PrivateKey],
    *,
    pin_path: Path | None,
    threshold: int = 1,
    people: Sequence[Person] = (),
    days: int = ROSTER_DAYS,
    root_public: Sequence[bytes] = (),
    takes_machine_written: bool = False,
    log_key: PrivateKey | None = None,
) -> House:
    """Start a house: its first roster, its register of one act, and its pin.

    Args:
        folder: where; may exist, must hold no register.
        name: lower-case, as its pin will be called.
        root_keys: those at hand, at least `threshold` of them.
        pin_path: where the pin goes; None keeps it in memory.
        threshold: how many root keys a roster needs.
        people: enrolled from the start.
        days: until the roster expires.
        root_public: public halves of further root keys, held elsewhere.
        takes_machine_written: whether works that a machine wrote may enter, declared as such.
        log_key: signs notes of the log for witnesses; None for a log that nobody can witness.

    Raises:
        SettingError: an unfit name or threshold, or a house is there already.
    """
    check_free(folder, name)
    check_threshold(threshold, len(root_keys))
    roots = (*(key.public for key in root_keys), *root_public)
    log = log_of(name, map(key_id, roots), log_key.public) if log_key else None
    roster = _first_roster(name, roots, threshold, people, days, takes_machine_written, log)
    signed = signed_roster(roster, root_keys)
    act = key_act(signed, 0)
    pin = Pin(
        name,
        folder.resolve(),
        tuple(sorted(roster.root_keyids)),
        threshold,
        1,
        leaf_hash(act.encode()).hex(),
        pin_path,
        log=roster.log,
    )
    return _begin(House(pin), signed, act, root_keys[0])


def _first_roster(
    name: str,
    roots: tuple[bytes, ...],
    threshold: int,
    people: Sequence[Person],
    days: int,
    takes_machine_written: bool,
    log: NoteKey | None,
) -> Roster:
    return Roster(
        name,
        1,
        0,
        today_utc() + timedelta(days=days),
        False,
        roots,
        threshold,
        tuple(sorted(people, key=lambda p: p.id)),
        change=f"the house {name} begins",
        takes_machine_written=takes_machine_written,
        statements_in_log=True,
        identity=identity_of(name, map(key_id, roots)),
        log=log,
    )


def _begin(house: House, signed: SignedRoster, act: Act, key: PrivateKey) -> House:
    """Write a new house: its pin, its roster, and the log's first act."""
    store = house.store
    store.make_folder()
    with store.locked():
        check_free(house.folder, house.pin.name)
        store.write({".gitignore": IGNORED_BY_GIT.encode(), ".gitattributes": KEPT_BY_GIT.encode()})
        # The pin comes first: a crash before the append leaves no house, and init starts over.
        house.pin.save()
        store.write({ROSTER_FILE: roster_file(signed.to_dict())})
        return Session(house, Register()).commit([act], key, ())


def check_threshold(threshold: int, at_hand: int) -> None:
    """Whether a first roster can be signed here.

    Raises:
        SettingError: it needs more root keys than are at hand.
    """
    if not 1 <= threshold <= at_hand:
        raise SettingError(
            f"threshold {threshold} with {at_hand} root keys at hand",
            mend="begin with a threshold that the keys made here reach; "
            "house.py rotate --root raises it, with everybody's signatures",
        )


def check_free(folder: Path, name: str) -> None:
    """Whether a house called `name` can begin in `folder`.

    Raises:
        SettingError: an unfit name, or a house is there already.
    """
    if not HOUSE_NAME.match(name):
        raise SettingError(f"{name!r} is no house name", mend="use a-z, digits and hyphens")
    try:
        size = Log(Store(folder), name).head().size
    except LogError:
        size = 1  # of another name, or damaged: not ours to overwrite
    if size:
        raise SettingError(f"a house is there already: {folder}", mend="choose another folder")


def signed_roster(roster: Roster, keys: Sequence[PrivateKey]) -> SignedRoster:
    """The roster under the signatures of these root keys."""
    payload = roster.payload()
    return SignedRoster(roster, tuple(sign(ROSTER_TYPE, payload, key) for key in keys))


def key_act(signed: SignedRoster, index: int) -> Act:
    """The act by which a roster takes effect; it needs no signature besides the roster's own."""
    return Act(index, KEY, ROOT, utc_now(), KeyChange(signed.to_dict()).to_dict())


def log_of(house: str, root_keyids: Iterable[str], public: bytes) -> NoteKey:
    """The log's key, under the origin that its house begins with."""
    return NoteKey(origin_of(house, root_keyids), public, LOG_KEY)
