"""Files that hold private keys: sealed by a passphrase, or a machine's, kept open.

A key file is JSON: who the key belongs to, its public half, and the private half sealed with
ChaCha20-Poly1305 under a scrypt key derived from the passphrase. The scrypt cost is stored in
the file, so that it can rise over the years without breaking older files.

A machine's key, for the roles of trainer and producer, is kept open: no passphrase, only the
permissions of its file. `docs/threat-model.md` says what its thief can and cannot do.

Key files live in the user's own config folder (`HOUSE_KEYS` names another), never in a house.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

import msgspec

from gen.disk.kinds import Spot
from gen.disk.reading import KEY_FILE, NamedFileError, read
from gen.disk.writing import write_new
from gen.errors import HouseError, SettingError
from gen.provenance.signing.canonical import (
    StrictJsonError,
    canonical,
    canonical_json,
)
from gen.provenance.signing.keys import PrivateKey, key_id
from gen.provenance.signing.shapes import Digest, Shape

KEYS_VARIABLE = "HOUSE_KEYS"
PASSPHRASE_VARIABLE = "HOUSE_PASSPHRASE"  # noqa: S105 - the name of a variable
NEW_PASSPHRASE_VARIABLE = "HOUSE_NEW_PASSPHRASE"  # noqa: S105 - likewise
KDF_COST = 17
"""log2 of scrypt's n: 128 MiB and about 0.4 s a try, as OWASP advises (r 8, p 1)."""
_LEFT_SECONDS = 3_600
KDF_COST_RANGE = (10, 20)
TRIES = 3
"""How often a passphrase may be typed."""
OPEN_FORMAT: Final = 2


class _Open(Shape, frozen=True):
    """A machine's key."""

    WHAT: ClassVar[str] = "key file"

    format: Literal[2]
    house: str
    owner: str
    public: Digest
    seed: bytes

    def __repr__(self) -> str:
        return f"_Open(owner={self.owner!r})"


class _Sealed(Shape, frozen=True):
    """A person's key, its private half under a passphrase; `head` is sealed with it."""

    WHAT: ClassVar[str] = "key file"

    format: Literal[1]
    house: str
    kdf_cost: Annotated[int, msgspec.Meta(ge=1, le=KDF_COST_RANGE[1])]
    nonce: bytes
    owner: str
    public: Digest
    salt: bytes
    sealed: bytes

    @property
    def head(self) -> bytes:
        return _sealed_head(self.house, self.kdf_cost, self.owner)


class KeyFileError(HouseError):
    """A key file that is missing, damaged or locked by another passphrase."""


class WrongPassphraseError(KeyFileError):
    """A passphrase that does not open a key file."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a key file says without its passphrase; a machine's, which is open, needs none."""

    path: Path
    house: str
    owner: str
    keyid: str
    public: bytes
    is_open: bool = False


def keys_folder() -> Path:
    """Where this user's key files live."""
    named = os.environ.get(KEYS_VARIABLE)
    if named:
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_config_dir("music-house", appauthor=False)) / "keys"


def _seal_key(passphrase: str, salt: bytes, cost: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    try:
        text = passphrase.encode("utf-8")
    except UnicodeEncodeError as error:
        mend = f"type it at a terminal that speaks UTF-8, or set {PASSPHRASE_VARIABLE} to such text"
        raise KeyFileError("the passphrase is no text in UTF-8", mend=mend) from error
    return Scrypt(salt=salt, length=32, n=2**cost, r=8, p=1).derive(text)


def save_key(
    key: PrivateKey,
    *,
    house: str,
    owner: str,
    passphrase: str,
    folder: Path | None = None,
    kdf_cost: int = KDF_COST,
) -> Path:
    """Write `key`, sealed, into the user's key folder and return its path.

    Args:
        key: what to keep.
        house: the house it signs for.
        owner: a person's id, or "root".
        passphrase: see `check_passphrase`.
        folder: another folder than the user's own.
        kdf_cost: log2 of scrypt's n, 10 to 20.

    Raises:
        SettingError: the passphrase is too short or the cost out of range.
    """
    return _save(key, _seal(key, house, owner, passphrase, kdf_cost), folder)


def seal_anew(file: KeyFile, key: PrivateKey, passphrase: str, kdf_cost: int = KDF_COST) -> None:
    """Write a key file again in its place, sealed by another passphrase, with another salt.

    Copies of the file that were made before are still opened by the passphrase before.

    Raises:
        SettingError: as `save_key`.
    """
    record = _seal(key, file.house, file.owner, passphrase, kdf_cost)
    write_private(file.path, canonical(record.to_dict()) + b"\n")


def _seal(key: PrivateKey, house: str, owner: str, passphrase: str, kdf_cost: int) -> _Sealed:
    low, high = KDF_COST_RANGE
    if not low <= kdf_cost <= high:
        raise SettingError(f"kdf_cost is {kdf_cost}", mend=f"choose {low} to {high}")
    check_passphrase(passphrase)
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    salt, nonce = os.urandom(16), os.urandom(12)
    sealing = ChaCha20Poly1305(_seal_key(passphrase, salt, kdf_cost))
    sealed = sealing.encrypt(nonce, key.seed(), _sealed_head(house, kdf_cost, owner))
    return _Sealed(1, house, kdf_cost, nonce, owner, key.public.hex(), salt, sealed)


def _sealed_head(house: str, kdf_cost: int, owner: str) -> bytes:
    return canonical({"format": 1, "house": house, "kdf_cost": kdf_cost, "owner": owner})


def save_open_key(key: PrivateKey, *, house: str, owner: str, folder: Path | None = None) -> Path:
    """Write a machine's key, which no passphrase seals, and return its path."""
    return _save(key, _Open(OPEN_FORMAT, house, owner, key.public.hex(), key.seed()), folder)


def _save(key: PrivateKey, record: _Open | _Sealed, folder: Path | None) -> Path:
    folder = folder or keys_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    words = _file_word(record.house), _file_word(record.owner)
    path = folder / f"{words[0]}.{words[1]}.{key.keyid[:16]}.key"
    write_private(path, canonical(record.to_dict()) + b"\n")
    return path


def check_passphrase(passphrase: str) -> None:
    """Refuse what is guessed in a moment, whatever the cost of a guess.

    Raises:
        SettingError: shorter than 12 characters, or of fewer than 6 different ones.
    """
    if len(passphrase) < 12 or len(set(passphrase.lower())) < 6:
        raise SettingError(
            f"the passphrase has {len(passphrase)} characters, "
            f"{len(set(passphrase.lower()))} of them different",
            mend="use at least 12, for instance four words that nobody would put together",
        )


def _file_word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]", "_", text)


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only this user can read, whole or not at all."""
    for left in path.parent.glob("*.new"):  # by commands that were killed
        if time.time() - left.lstat().st_mtime > _LEFT_SECONDS:
            left.unlink(missing_ok=True)
    beside = path.with_suffix(f".{os.getpid()}.new")
    write_new({Spot(None, str(beside)): data}, 0o600)
    beside.replace(path)


def _read_record(path: Path) -> _Open | _Sealed:
    try:
        found = canonical_json(read(path, KEY_FILE).rstrip(b"\n"))
        is_open = isinstance(found, dict) and found.get("format") == OPEN_FORMAT
        return _Open.from_dict(found) if is_open else _Sealed.from_dict(found)
    except (NamedFileError, StrictJsonError) as error:
        raise KeyFileError(
            f"the key file cannot be read: {error.what}",
            where=str(path),
            mend="restore it from your own backup, or ask the root key's holder to rotate the key",
        ) from error


def read_key_file(path: Path) -> KeyFile:
    """What the file says in the clear.

    Raises:
        KeyFileError: unreadable or not a key file.
    """
    record = _read_record(path)
    public = bytes.fromhex(record.public)
    is_open = isinstance(record, _Open)
    return KeyFile(path, record.house, record.owner, key_id(public), public, is_open)


def list_keys() -> Iterator[KeyFile]:
    """Every key file of this user, sorted by name."""
    return map(read_key_file, sorted(keys_folder().glob("*.key")))


def unlock(file: KeyFile, ask: Callable[[KeyFile], str]) -> PrivateKey:
    """The key in a file; whoever holds its passphrase is asked for it where there is one.

    Three times, unless the environment names it: people mistype.

    Raises:
        KeyFileError: as `open_key`.
    """
    tries = 1 if file.is_open or PASSPHRASE_VARIABLE in os.environ else TRIES
    for left in range(tries - 1, 0, -1):
        try:
            return open_key(file, ask(file))
        except WrongPassphraseError as error:
            print(f"{error.what} ({left} {'tries' if left > 1 else 'try'} left)", file=sys.stderr)
    return open_key(file, "" if file.is_open else ask(file))


def open_key(file: KeyFile, passphrase: str) -> PrivateKey:
    """Unseal the private half.

    Raises:
        WrongPassphraseError: or the sealed half was changed.
        KeyFileError: unreadable, or the halves do not belong together.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    record = _read_record(file.path)
    if isinstance(record, _Open):
        _check_private(file.path)
        return _matching(PrivateKey.from_seed(record.seed), file)
    sealing = ChaCha20Poly1305(_seal_key(passphrase, record.salt, record.kdf_cost))
    try:
        seed = sealing.decrypt(record.nonce, record.sealed, record.head)
    except (InvalidTag, ValueError) as error:
        raise WrongPassphraseError(
            f"the passphrase does not open the key of {file.owner}",
            where=str(file.path),
            mend=f"type it again, or set {PASSPHRASE_VARIABLE} to the right one",
        ) from error
    return _matching(PrivateKey.from_seed(seed), file)


def _check_private(path: Path) -> None:
    """Refuse an open key that other users of this computer can read, as ssh does."""
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise KeyFileError(
            "other users of this computer can read this key",
            where=str(path),
            mend=f"chmod 600 {path}; if somebody may have read it, a root key's holder replaces it",
        )


def _matching(key: PrivateKey, file: KeyFile) -> PrivateKey:
    if key.keyid != file.keyid:
        raise KeyFileError("the file's two halves do not belong together", where=str(file.path))
    return key


def others_environment() -> dict[str, str]:
    """The environment for a program that is started: this one's, without the passphrases."""
    secret = (PASSPHRASE_VARIABLE, NEW_PASSPHRASE_VARIABLE)
    return {name: value for name, value in os.environ.items() if name not in secret}


def unlock_all(files: Iterable[KeyFile], ask: Callable[[KeyFile], str]) -> list[PrivateKey]:
    """The keys in several files; what opened one of them is tried at the next before anybody is
    asked again: one person may have sealed them all by one passphrase.

    Raises:
        KeyFileError: as `open_key`.
    """
    keys: list[PrivateKey] = []
    typed = ""

    def asked(file: KeyFile) -> str:
        nonlocal typed
        typed = ask(file)
        return typed

    for file in files:
        key = None
        if typed and not file.is_open:
            with suppress(WrongPassphraseError):
                key = open_key(file, typed)
        keys.append(key or unlock(file, asked))
    return keys


def find_key(keyids: set[str], ask: Callable[[KeyFile], str]) -> PrivateKey | None:
    """This user's first key among `keyids`, opened; None when none is here."""
    file = next((file for file in list_keys() if file.keyid in keyids), None)
    return unlock(file, ask) if file else None
