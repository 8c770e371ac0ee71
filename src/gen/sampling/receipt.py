"""The receipt of a piece: from what it was made, how, and what came of it; signed by a house key.

`NAME.json` is for people and programs alike; its SHA-256 is in the piece's mark and in the house's
ledger. `NAME.signature.json` is a DSSE envelope around exactly these bytes, signed by a person of
the house. There is no clock in a receipt: the same request gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from threadpoolctl import threadpool_info

import gen
from gen.errors import HouseError
from gen.model import Transformer
from gen.provenance.access import key_of_person, passphrase_of
from gen.provenance.canonical import StrictJsonError
from gen.provenance.dsse import Envelope, WrongPayloadTypeError, is_signed_by
from gen.provenance.house import House
from gen.provenance.keys import PASSPHRASE_VARIABLE, PrivateKey, list_keys, open_key
from gen.provenance.ledger import OUTPUT, records
from gen.provenance.register import Register
from gen.sampling.batches import MOST_AT_ONCE

FORMAT: Final = "gen receipt 2"
RECEIPT_TYPE: Final = "application/vnd.music-house.receipt+json"
SUFFIX, SIGNATURE_SUFFIX = ".json", ".signature.json"
MOST_BYTES: Final = 4 * 1024 * 1024
_MEND: Final = "name the .json that was written beside a piece"


def encode(record: Mapping[str, Any]) -> bytes:
    """The bytes that are kept, hashed and signed."""
    return json.dumps(record, indent=2, ensure_ascii=False).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as it lies on disk."""

    path: Path
    data: bytes
    record: dict[str, Any]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def read_receipt(path: Path) -> Receipt:
    """Read a receipt.

    Raises:
        HouseError: no such file, or not a receipt of this format.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise HouseError(
            f"cannot be read ({error.strerror})", where=str(path), mend=_MEND
        ) from error
    try:
        record = json.loads(data)
        told = record["format"]
        sound = _is_sound(record) if told == FORMAT else True
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise HouseError("is no receipt", where=str(path), mend=_MEND) from error
    if told != FORMAT:
        raise HouseError(
            f"is of the format {told!r:.40}, this version reads {FORMAT!r}", where=str(path),
            mend="reproduce it with the code version that it names",
        )  # fmt: skip
    if not sound:
        raise HouseError("is a receipt that was changed", where=str(path), mend=_MEND)
    return Receipt(path, data, record)


def _is_sound(record: Mapping[str, Any]) -> bool:
    """Whether what a piece is written again from is there, and of the right kind."""
    kinds = {"settings": dict, "index": int, "attempt": int, "batch": list, "code": dict,
             "machine": dict, "music_sha256": str, "checkpoint_sha256": str}  # fmt: skip
    batch, source = record["batch"], record["source"]
    return (
        all(type(record[name]) is kind for name, kind in kinds.items())
        and all(type(index) is int and index >= 0 for index in batch)
        and record["attempt"] >= 0
        and len(set(batch)) == len(batch) <= MOST_AT_ONCE
        and record["index"] in batch
        and (source is None or all(type(source[name]) is str for name in ("mode", "file_sha256")))
    )


# Where and with what --------------------------------------------------------------------


def environment(model: Transformer) -> dict[str, Any]:
    """Code and machine, as far as the bytes of a piece may depend on them."""
    return {
        "code": {"version": gen.__version__, "sha256": code_digest()},
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "instructions": torch.backends.cpu.get_cpu_capability(),
            "device": _name_of(model.embedding.weight.device),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "blas": " ".join(
                f"{pool['internal_api']} {pool['version']} {pool.get('architecture', '')}".strip()
                for pool in threadpool_info()
                if pool["user_api"] == "blas"
            ),
        },
    }


def _name_of(device: torch.device) -> str:
    if device.type != "cuda":
        return str(device)
    return f"cuda {torch.version.cuda}, {torch.cuda.get_device_name(device)}"


@cache
def code_digest() -> str:
    """SHA-256 over name and bytes of every Python file of this package."""
    root, digest = Path(gen.__file__).parent, hashlib.sha256()
    for path in sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix()):
        text = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(root).as_posix()}\n{len(text)}\n".encode() + text)
    return digest.hexdigest()


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What is not as it was when the receipt was written, in words."""
    found = []
    for group in ("code", "machine"):
        before, after = then.get(group, {}), now[group]
        found += [
            f"{group} {name}: {before.get(name)!s:.16} then, {value!s:.16} now"
            for name, value in after.items()
            if before.get(name) != value
        ]
    return found


# Signatures -----------------------------------------------------------------------------


def signing_key(register: Register, sign: str | None) -> PrivateKey | None:
    """Whose key signs the receipts.

    Args:
        register: of the house.
        sign: a person of the house, who is asked for the passphrase if need be; `off` for none;
            None for whoever's key is in this user's key folder, if the environment holds its
            passphrase.

    Raises:
        HouseError: the person's key is not here, or the passphrase does not open it.
    """
    if sign == "off":
        return None
    if sign is not None:
        return key_of_person(register, sign)
    if PASSPHRASE_VARIABLE not in os.environ:
        return None
    usable = {key.keyid for person in register.roster.people for key in person.open_keys()}
    file = next((file for file in list_keys() if file.keyid in usable), None)
    return open_key(file, passphrase_of(file)) if file else None


def signature_of(data: bytes, key: PrivateKey) -> bytes:
    """The signature file of a receipt's bytes."""
    return Envelope(RECEIPT_TYPE, data, ()).signed_by(key).encode() + b"\n"


def standing(receipt: Receipt, house: House, register: Register) -> list[str]:
    """What the house knows of a receipt: who signed it, and whether the ledger has it."""
    entered = any(
        record.kind == OUTPUT and record.data.get("receipt") == receipt.digest
        for record in records(house)
    )
    ledger = (
        f"the ledger of {house.pin.name} has it"
        if entered
        else f"the ledger of {house.pin.name} does not know it: changed since, or written elsewhere"
    )
    return [_signed_by(receipt, register), ledger]


def _signed_by(receipt: Receipt, register: Register) -> str:
    path = receipt.path.with_name(receipt.path.name.removesuffix(SUFFIX) + SIGNATURE_SUFFIX)
    if not path.is_file():
        return "receipt not signed"
    try:
        envelope = Envelope.decode(path.read_bytes().removesuffix(b"\n"), RECEIPT_TYPE)
    except (OSError, StrictJsonError, WrongPayloadTypeError) as error:
        return f"its signature cannot be read: {error}"
    if envelope.payload != receipt.data:
        return "its signature is about another receipt: it was changed since it was signed"
    signature = envelope.signatures[0]
    person, key = register.roster.owners.get(signature.keyid, (None, None))
    if person is None or key is None:
        return f"signed by nobody of this house (key {signature.keyid[:12]}…)"
    if not is_signed_by(signature, key.public, RECEIPT_TYPE, receipt.data):
        return f"what claims to be {person.id}'s signature is not"
    refusal = key.refusal_at(register.size)
    by_now = f" with a key that is refused by now ({refusal})" if refusal else ""
    return f"receipt signed by {person.id}{by_now}"
