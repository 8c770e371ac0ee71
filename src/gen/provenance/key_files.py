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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gen.disk.reading import KEY_FILE, NamedFileError, read
from gen.errors import HouseError, SettingError
from gen.provenance.canonical import (
    StrictJsonError,
    canonical,
    canonical_json,
    fields,
    from_base64,
    is_sha256_hex,
    to_base64,
)
from gen.provenance.keys import PrivateKey, key_id

KEYS_VARIABLE = "HOUSE_KEYS"
PASSPHRASE_VARIABLE = "HOUSE_PASSPHRASE"  # noqa: S105 - the name of a variable
KDF_COST = 17
"""log2 of scrypt's n: 128 MiB and about 0.4 s a try, as OWASP advises (r 8, p 1)."""
_LEFT_SECONDS = 3_600
KDF_COST_RANGE = (10, 20)
TRIES = 3
"""How often a passphrase may be typed."""
OPEN_FORMAT = 2
_OPEN_FIELDS = dict.fromkeys(("house", "owner", "public", "seed"), str) | {"format": int}
_SEALED_FIELDS = dict.fromkeys(("house", "nonce", "owner", "public", "salt", "sealed"), str) | {
    "format": int,
    "kdf_cost": int,
}


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

    kdf = Scrypt(salt=salt, length=32, n=2**cost, r=8, p=1)
    return kdf.derive(passphrase.encode("utf-8"))


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
    low, high = KDF_COST_RANGE
    if not low <= kdf_cost <= high:
        raise SettingError(f"kdf_cost is {kdf_cost}", mend=f"choose {low} to {high}")
    check_passphrase(passphrase)
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    salt, nonce = os.urandom(16), os.urandom(12)
    head = {"format": 1, "house": house, "kdf_cost": kdf_cost, "owner": owner}
    sealing = ChaCha20Poly1305(_seal_key(passphrase, salt, kdf_cost))
    record = {
        **head,
        "nonce": to_base64(nonce),
        "public": key.public.hex(),
        "salt": to_base64(salt),
        "sealed": to_base64(sealing.encrypt(nonce, key.seed(), canonical(head))),
    }
    return _save(key, record, folder)


def save_open_key(key: PrivateKey, *, house: str, owner: str, folder: Path | None = None) -> Path:
    """Write a machine's key, which no passphrase seals, and return its path."""
    record = {
        "format": OPEN_FORMAT,
        "house": house,
        "owner": owner,
        "public": key.public.hex(),
        "seed": to_base64(key.seed()),
    }
    return _save(key, record, folder)


def _save(key: PrivateKey, record: dict[str, object], folder: Path | None) -> Path:
    folder = folder or keys_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    words = _file_word(str(record["house"])), _file_word(str(record["owner"]))
    path = folder / f"{words[0]}.{words[1]}.{key.keyid[:16]}.key"
    write_private(path, canonical(record) + b"\n")
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
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _read_record(path: Path) -> dict[str, object]:
    try:
        found = canonical_json(read(path, KEY_FILE).rstrip(b"\n"))
        is_open = isinstance(found, dict) and found.get("format") == OPEN_FORMAT
        record = fields(found, "key file", **(_OPEN_FIELDS if is_open else _SEALED_FIELDS))
    except (NamedFileError, StrictJsonError) as error:
        raise KeyFileError(
            f"the key file cannot be read: {error.what}",
            where=str(path),
            mend="restore it from your own backup, or ask the root key's holder to rotate the key",
        ) from error
    cost = 1 if is_open else record["kdf_cost"]
    is_fit = is_sha256_hex(record["public"]) and 1 <= cost <= KDF_COST_RANGE[1]
    if record["format"] != (OPEN_FORMAT if is_open else 1) or not is_fit:
        raise KeyFileError("not a key file of format 1", where=str(path))
    return record


def read_key_file(path: Path) -> KeyFile:
    """What the file says in the clear.

    Raises:
        KeyFileError: unreadable or not a key file.
    """
    record = _read_record(path)
    public = bytes.fromhex(str(record["public"]))
    words = str(record["house"]), str(record["owner"])
    return KeyFile(path, *words, key_id(public), public, record["format"] == OPEN_FORMAT)


def list_keys(folder: Path | None = None) -> Iterator[KeyFile]:
    """Every key file of this user, sorted by name."""
    for path in sorted((folder or keys_folder()).glob("*.key")):
        yield read_key_file(path)


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
    if file.is_open:
        _check_private(file.path)
        return _matching(PrivateKey.from_seed(from_base64(record["seed"])), file)
    cost = int(str(record["kdf_cost"]))
    head = {name: record[name] for name in ("format", "house", "kdf_cost", "owner")}
    sealing = ChaCha20Poly1305(_seal_key(passphrase, from_base64(record["salt"]), cost))
    try:
        seed = sealing.decrypt(
            from_base64(record["nonce"]), from_base64(record["sealed"]), canonical(head)
        )
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


def find_key(
    keyids: set[str], passphrase: Callable[[KeyFile], str], folder: Path | None = None
) -> PrivateKey | None:
    """This user's first key among `keyids`, opened; None when none is here."""
    for file in list_keys(folder):
        if file.keyid in keyids:
            return unlock(file, passphrase)
    return None
