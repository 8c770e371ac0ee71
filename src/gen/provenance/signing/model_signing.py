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
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gen.disk import write_atomically
from gen.errors import HouseError
from gen.provenance.signing.dsse import STATEMENT_TYPE, pre_authentication
from gen.provenance.signing.keys import PrivateKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

MODELS_OWNER = "models"
"""Whose key file the one that signs models is."""
SIGNATURE = "model.sig"
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
_GIT = (".git", ".gitattributes", ".github", ".gitignore")
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


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

    payload = _statement(folder)
    signature = key.sign(pre_authentication(STATEMENT_TYPE, payload), ec.ECDSA(hashes.SHA256()))
    bundle = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {
            "publicKey": {"hint": hashlib.sha256(pem_of(public_text(key))).hexdigest()},
            "tlogEntries": [],
        },
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": STATEMENT_TYPE,
            "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
        },
    }
    path = folder / SIGNATURE
    write_atomically(path, json.dumps(bundle, indent=1).encode() + b"\n")
    return path


def _statement(folder: Path) -> bytes:
    """What is signed: the name and SHA-256 of every file, and one digest over them all."""
    digests = {path.relative_to(folder).as_posix(): _sha256(path) for path in _files(folder)}
    if not digests:
        raise HouseError("holds no file of a model", where=str(folder))
    whole = hashlib.sha256(b"".join(digests[name] for name in sorted(digests))).hexdigest()
    resources = [
        {"name": name, "algorithm": "sha256", "digest": digests[name].hex()}
        for name in sorted(digests)
    ]
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": folder.resolve().name, "digest": {"sha256": whole}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "resources": resources,
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [*_GIT, SIGNATURE],
            },
        },
    }
    return json.dumps(statement, indent=1).encode()


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
