"""Signatures of model folders that OpenSSF's `model-signing` verifies with its stock install.

A bundle (Sigstore v0.3) around a DSSE envelope, whose payload is an in-toto Statement with the
SHA-256 of every file. The key is ECDSA on P-256, since `model-signing` takes no Ed25519; the
house's roster names it (`models`), so that a stranger has it from the log and not from beside the
signature. It is worked out from the seed of an ordinary key file of the owner `models`.

Source: https://github.com/sigstore/model-transparency, `model_signing/_signing/signing.py` and
`sign_ec_key.py` (version 1.1); https://docs.sigstore.dev/about/bundle.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen.disk import write_atomically
from gen.disk.reading import FileKind, NamedFileError, check_levels, read_text
from gen.errors import HouseError
from gen.provenance.signing.canonical import (
    MAX_JSON_BYTES,
    StrictJsonError,
    from_base64,
    strict_json,
)
from gen.provenance.signing.dsse import STATEMENT_TYPE, pre_authentication
from gen.provenance.signing.keys import PrivateKey
from gen.provenance.signing.shapes import P256Key, read_as

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

MODELS_OWNER = "models"
"""Whose key file the one that signs models is."""
SIGNATURE = "model.sig"
FOLDER_SIGNATURE = FileKind("signature of a model's folder", MAX_JSON_BYTES)
PUBLIC_KEY = FileKind("public key", 4_096)
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
_GIT = (".git", ".gitattributes", ".github", ".gitignore")
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class FolderSignatureError(HouseError):
    """A signature of a model's folder that shows nothing, with the reason."""


def models_key(key: PrivateKey) -> EllipticCurvePrivateKey:
    """The P-256 key of a key file's seed: SHA-512 of a label and the seed, into 1 … order - 1."""
    from cryptography.hazmat.primitives.asymmetric import ec

    drawn = hashlib.sha512(b"music-house models P-256\n" + key.seed()).digest()
    return ec.derive_private_key(int.from_bytes(drawn, "big") % (_ORDER - 1) + 1, ec.SECP256R1())


def public_text(key: EllipticCurvePrivateKey) -> str:
    """Its public half as a roster names it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    data = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(data).decode()


def pem_of(public: str) -> bytes:
    """The PEM file of a public key that a roster names, for `model_signing verify key`."""
    lines = [public[at : at + 64] for at in range(0, len(public), 64)]
    return "\n".join(
        ["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""]
    ).encode()


def pem_beside(pin: Path) -> Path:
    """Where the public key of a house's models lies: with the pin, which is trusted as it is."""
    return pin.with_name(f"{pin.stem}.models.pem")


def trusted_key(named: str, pin: Path | None) -> str:
    """The key that signs a house's models, as a reader of the house knows it.

    Args:
        named: by the roster, "" where it names none.
        pin: the file that the house is trusted by; None for a pin in memory.

    Returns:
        What the roster names, else what the file beside the pin holds; "" where neither is.
    """
    if named or pin is None:
        return named
    try:
        text = read_text(pem_beside(pin), PUBLIC_KEY)
        public = read_as(P256Key, "".join(text.splitlines()[1:-1]), PUBLIC_KEY.name)
    except (NamedFileError, StrictJsonError):
        return ""
    return public if pem_of(public) == text.encode() else ""


def sign_folder(folder: Path, key: EllipticCurvePrivateKey) -> Path:
    """Sign every file of a model's folder; the signature becomes its `model.sig`.

    Args:
        folder: whatever lies in it belongs to the model, but for what git keeps.
        key: of `models_key`.

    Returns:
        The path of the signature, which is in the folder and not signed itself.

    Raises:
        HouseError: the folder is empty, or something in it is no plain file.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    digests = {path.relative_to(folder).as_posix(): _sha256(path) for path in _files(folder)}
    if not digests:
        raise HouseError("holds no file of a model", where=str(folder))
    payload = _statement(folder.resolve().name, digests)
    signature = key.sign(pre_authentication(STATEMENT_TYPE, payload), ec.ECDSA(hashes.SHA256()))
    path = folder / SIGNATURE
    write_atomically(path, _bundle(payload, signature, public_text(key)))
    return path


def signed_digests(bundle: bytes, public: str) -> dict[str, str]:
    """Every file that a folder's signature names, with its SHA-256 in hex.

    Believed is what this key signed, and nothing else in the bundle: what is read of it is written
    again, and has to be the same to the last byte.

    Args:
        bundle: bytes of a `model.sig`.
        public: the key that is trusted, as a roster names it.

    Raises:
        FolderSignatureError: it is not what `sign_folder` writes, or not signed with this key.
    """
    try:
        envelope = _json(bundle)["dsseEnvelope"]
        payload = from_base64(envelope["payload"])
        signature = from_base64(envelope["signatures"][0]["sig"])
        _check_signed(public, signature, payload)
        statement = _json(payload)
        named = statement["predicate"]["resources"]
        found = {each["name"]: bytes.fromhex(each["digest"]) for each in named}
        again = _statement(statement["subject"][0]["name"], found)
        if (again, _bundle(again, signature, public)) != (payload, bundle):
            raise ValueError("it is spelled otherwise")
    except (StrictJsonError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise FolderSignatureError(f"not as a house signs folders ({error})") from error
    return {name: digest.hex() for name, digest in found.items()}


def _json(data: bytes) -> Any:
    check_levels(data)
    return strict_json(data)


def _check_signed(public: str, signature: bytes, payload: bytes) -> None:
    """Whether this key signed the payload as a statement.

    Raises:
        FolderSignatureError: it did not.
        ValueError: it is no key of P-256.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    key = load_der_public_key(base64.b64decode(public))
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("no key of P-256")
    signed = pre_authentication(STATEMENT_TYPE, payload)
    try:
        key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise FolderSignatureError("not signed with the house's key for models") from error


def _statement(name: str, digests: Mapping[str, bytes]) -> bytes:
    """What is signed: the folder's name, every file's and its SHA-256, one digest over them all."""
    names = sorted(digests)
    whole = hashlib.sha256(b"".join(digests[each] for each in names)).hexdigest()
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": whole}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "resources": [
                {"name": each, "algorithm": "sha256", "digest": digests[each].hex()}
                for each in names
            ],
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [*_GIT, SIGNATURE],
            },
        },
    }
    return json.dumps(statement, indent=1).encode()


def _bundle(payload: bytes, signature: bytes, public: str) -> bytes:
    """The file of a signature."""
    bundle = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {
            "publicKey": {"hint": hashlib.sha256(pem_of(public)).hexdigest()},
            "tlogEntries": [],
        },
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": STATEMENT_TYPE,
            "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
        },
    }
    return json.dumps(bundle, indent=1).encode() + b"\n"


def _files(folder: Path) -> Iterator[Path]:
    """Every file below a folder, but for the signature and for what git keeps at its top."""
    for place, names, files in os.walk(folder):
        if Path(place) == folder:
            names[:] = [name for name in names if name not in _GIT]
            files = [name for name in files if name not in (*_GIT, SIGNATURE)]
        for path in (Path(place, name) for name in (*names, *files)):
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise HouseError(
                    "is a link or no plain file, which no signature covers",
                    where=str(path),
                    mend="put the file itself there, or move it out of the model's folder",
                )
        yield from (Path(place, name) for name in files)


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
