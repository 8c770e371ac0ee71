"""The receipt of a piece: from what it was made, how, and what came of it; signed by a house key.

`NAME.json` is for people and programs alike; its SHA-256 is in the piece's mark and in the house's
log. `NAME.signature.json` is a DSSE envelope around exactly these bytes, signed by a person of
the house. There is no clock in a receipt: the same request gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import torch
from threadpoolctl import threadpool_info

import gen
from gen.disk.reading import RECEIPT, NamedFileError, parse_json, read
from gen.errors import HouseError, found_in
from gen.likeness.originality import LearnedWork
from gen.model import Transformer
from gen.provenance.desk.recording import OutputLog
from gen.provenance.history.register import Register
from gen.provenance.houses.access import key_for_role, key_of_person, passphrase_of
from gen.provenance.houses.house import House
from gen.provenance.records.roster import PRODUCER, Person
from gen.provenance.signing.canonical import StrictJsonError
from gen.provenance.signing.code import code_digest
from gen.provenance.signing.dsse import Envelope, WrongPayloadTypeError, is_signed_by
from gen.provenance.signing.key_files import PASSPHRASE_VARIABLE, find_key
from gen.provenance.signing.keys import PrivateKey
from gen.sampling.decoding.decode import MOST_AT_ONCE

OFF = "off"
FORMAT: Final = "gen receipt 3"
RECEIPT_TYPE: Final = "application/vnd.music-house.receipt+json"
SUFFIX, SIGNATURE_SUFFIX = ".json", ".signature.json"
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
    data = read(path, RECEIPT)
    with found_in(path, _MEND):
        record = parse_json(data, path, RECEIPT)
        found = record.get("format") if isinstance(record, dict) else None
        if not isinstance(found, str):
            raise HouseError("is no receipt")
        if found != FORMAT:
            raise HouseError(
                f"is of the format {found!r:.40}, this version reads {FORMAT!r}",
                mend="reproduce it with the code version that it names",
            )
        try:
            msgspec.convert(record, _Readable)
        except msgspec.ValidationError as error:
            raise HouseError(f"is a receipt that was changed: {error}") from error
    return Receipt(path, data, record)


class _Source(msgspec.Struct):
    """Of a piece that was made from a file."""

    mode: str
    file_sha256: str


class _Shared(msgspec.Struct):
    """A passage: its `bits`, or in receipts of earlier versions the `run` of its steps."""

    line: int
    of: LearnedWork
    here: str
    there: str
    bits: int | None = None
    notes: int | None = None
    run: int | None = None

    def __post_init__(self) -> None:
        if (self.bits is None) == (self.run is None):
            raise ValueError("a passage says so many bits, or has so many steps")


class _Originality(msgspec.Struct):
    """What the piece had in common with the works behind it; `gen.likeness.originality`."""

    is_above_line: bool
    above: list[str]
    compared_with: int
    house_line: dict[str, int]
    melody: _Shared | None
    accompaniment: _Shared | None
    nearest: LearnedWork | None
    share_of_melody: float
    missing: list[dict[str, str]]
    withdrawn_since: list[str]
    bass: _Shared | None = None
    searched_from: int | None = None

    def __post_init__(self) -> None:
        if "melody" not in self.house_line:
            raise ValueError("the house's line for melodies is not told")


class _Readable(msgspec.Struct):
    """What of a receipt is read back; what it claims besides is compared, not read."""

    entered: bool
    settings: dict[str, Any]
    index: int
    attempt: Annotated[int, msgspec.Meta(ge=0)]
    batch: Annotated[
        list[Annotated[int, msgspec.Meta(ge=0)]], msgspec.Meta(max_length=MOST_AT_ONCE)
    ]
    code: dict[str, Any]
    machine: dict[str, Any]
    music_sha256: str
    checkpoint_sha256: str
    source: _Source | None
    originality: _Originality | None
    asked_and_got: list[dict[str, Any]]
    watermark: str | None = None

    def __post_init__(self) -> None:
        if len(set(self.batch)) != len(self.batch) or self.index not in self.batch:
            raise ValueError("the piece is not one of its batch")


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


@dataclass(frozen=True, slots=True)
class Signatures:
    """What a session signs with.

    Attributes:
        key: signs the receipts; None for nobody.
        signer: whose key it is.
        log: enters the pieces; None where they are not entered.
        words: why they are not entered; "" where they are.
    """

    key: PrivateKey | None = None
    signer: str = ""
    log: OutputLog | None = None
    words: str = ""


def signatures_for(
    house: House, register: Register, sign: str | None, *, is_recorded: bool
) -> Signatures:
    """Who signs receipts, and who enters pieces.

    A piece of a model that the log does not vouch for is neither signed for nor entered.

    Args:
        house: whose model writes.
        register: of it.
        sign: a person of the house, who is asked for the passphrase if need be; `off` for none;
            None for a producer whose key is at hand, else for whoever's key this user has, if the
            environment holds its passphrase.
        is_recorded: whether the log vouches for the model.

    Raises:
        HouseError: the person's key is not here, or the passphrase does not open it.
    """
    if not is_recorded:
        return Signatures(words="neither signed nor entered: the log does not vouch for the model")
    producer = key_for_role(register, PRODUCER)
    key = _signing_key(register, sign, producer)
    if producer is None and key is not None and PRODUCER in _owner(register, key).roles:
        producer = key
    signer = _owner(register, key).id if key else ""
    if producer is None:
        name = register.roster.house
        why = "is sealed" if register.roster.sealed else "has no producer's key on this computer"
        return Signatures(key, signer, None, f"not entered in the log: the house {name} {why}")
    try:
        house.store.check_writable()
    except HouseError as error:
        why = f"not entered in the log: {error.what} ({error.where})"
        return Signatures(key, signer, None, why)
    return Signatures(key, signer, OutputLog(house, register, producer))


def _owner(register: Register, key: PrivateKey) -> Person:
    return register.roster.owners[key.keyid][0]


def _signing_key(
    register: Register, sign: str | None, producer: PrivateKey | None
) -> PrivateKey | None:
    if sign == OFF:
        return None
    if sign is not None:
        return key_of_person(register, sign)
    if producer is not None or PASSPHRASE_VARIABLE not in os.environ:
        return producer
    usable = {key.keyid for person in register.roster.people for key in person.open_keys()}
    return find_key(usable, passphrase_of)


def signature_of(data: bytes, key: PrivateKey) -> bytes:
    """The signature file of a receipt's bytes."""
    return Envelope(RECEIPT_TYPE, data, ()).signed_by(key).encode() + b"\n"


def standing(receipt: Receipt, register: Register) -> list[str]:
    """What the house knows of a receipt: who signed it, and whether the log has its piece.

    Raises:
        HouseError: a producer of the house signed that the piece was entered, and the log here
            does not have it: an older copy of the house's records was put back.
    """
    house, signer = register.roster.house, _signed_by(receipt, register)
    at = register.runs.entered_at(receipt.digest)
    if at is not None:
        piece = next(piece for piece in register.runs.pieces if piece.index == at)
        stolen = (
            ", entered with a key that was compromised by then"
            if register.is_revoked(piece)
            else ""
        )
        return [signer.words, f"the log of {house} has it: act {at}{stolen}"]
    if signer.is_producer and receipt.record["entered"]:
        raise HouseError(
            f"{signer.words}, and says that the log of {house} has the piece; it does not",
            where=str(receipt.path),
            mend="an older copy of the house's records was put back: restore the newest one",
        )
    return [signer.words, f"the log of {house} does not know it: changed, or never entered there"]


@dataclass(frozen=True, slots=True)
class _Signer:
    """What is to be said of a receipt's signature, and whether a producer's key made it."""

    words: str
    is_producer: bool = False


def _signed_by(receipt: Receipt, register: Register) -> _Signer:
    path = receipt.path.with_name(receipt.path.name.removesuffix(SUFFIX) + SIGNATURE_SUFFIX)
    if not path.is_file():
        return _Signer("receipt not signed")
    try:
        envelope = Envelope.decode(read(path, RECEIPT).removesuffix(b"\n"), RECEIPT_TYPE)
    except (NamedFileError, StrictJsonError, WrongPayloadTypeError) as error:
        return _Signer(f"its signature cannot be read: {error}")
    if envelope.payload != receipt.data:
        return _Signer("its signature is about another receipt: changed since it was signed")
    signature = envelope.signatures[0]
    person, key = register.roster.owners.get(signature.keyid, (None, None))
    if person is None or key is None:
        return _Signer(f"signed by nobody of this house (key {signature.keyid[:12]}…)")
    if not is_signed_by(signature, key.public, RECEIPT_TYPE, receipt.data):
        return _Signer(f"what claims to be {person.id}'s signature is not")
    refusal = key.refusal_at(register.size)
    by_now = f" with a key that is refused by now ({refusal})" if refusal else ""
    is_producer = refusal is None and PRODUCER in person.roles
    return _Signer(f"receipt signed by {person.id}{by_now}", is_producer)
