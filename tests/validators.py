"""Files by code, and what strangers' validators say of marked ones."""

from __future__ import annotations

import io
import json
import struct
import wave
import zlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from gen.marks.containers import png_chunk


def wav_file(frames: int = 30_000) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(range(256)) * (frames // 128))
    return buffer.getvalue()


def png_file() -> bytes:
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(b"\0abc")), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, data) for kind, data in parts)


@dataclass(frozen=True)
class Verdict:
    """What a validator found: whether all holds, whether it trusts the signer, and failures."""

    is_valid: bool
    is_trusted: bool
    failures: tuple[str, ...]
    codes: frozenset[str] = frozenset()
    """Of all that it looked at."""


def roots(*signers) -> str:
    certificates = [load_der_x509_certificate(signer.chain[1]) for signer in signers]
    return "".join(found.public_bytes(Encoding.PEM).decode() for found in certificates)


def by_c2pa(data: bytes, media_type: str, anchors: str = "", store: bytes | None = None) -> Verdict:
    """The Content Authenticity Initiative's own library."""
    import c2pa

    context = c2pa.Context.from_dict({"trust": {"user_anchors": anchors}} if anchors else {})
    with c2pa.Reader(media_type, io.BytesIO(data), manifest_data=store, context=context) as reader:
        state = reader.get_validation_state()
        results = reader.get_validation_results()["activeManifest"]
    codes = {each["code"] for each in results["failure"]} - {"signingCredential.untrusted"}
    everything = frozenset(each["code"] for found in results.values() for each in found)
    is_trusted = state == "Trusted"
    return Verdict(is_trusted or state == "Valid", is_trusted, tuple(codes), everything)


def by_encypher(
    data: bytes, media_type: str, anchors: str = "", store: bytes | None = None
) -> Verdict:
    """A second validator, which shares no code with the first."""
    import encypher_c2pa

    options = {"trust_pem": anchors} if anchors else {}
    if store is not None:
        options["manifest_store"] = store
    report = encypher_c2pa.verify(data, media_type, no_default_trust=True, **options)
    failures = tuple(json.dumps(each) for each in report["validation_results"]["failure"])
    is_trusted = report["trust"]["status"] == "valid_for_supplied_material"
    return Verdict(report["integrity"] == "valid", is_trusted, failures)
