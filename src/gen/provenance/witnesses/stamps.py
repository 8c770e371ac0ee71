"""Time stamps of notes by an authority: RFC 3161, for whom a witness is not enough.

What is stamped is the note with the log's signature alone, which are the first five lines of
`witnesses/<size>.note`; SHA-256. Whoever has those and the authority's root certificate checks it
with other tools, too: `openssl ts -verify -data NOTE -in SIZE.tsr -CAfile ROOTS`.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from types import ModuleType
from typing import TYPE_CHECKING

from gen.disk.reading import CERTIFICATES
from gen.errors import HouseError
from gen.provenance.signing.canonical import TIME_FORMAT
from gen.provenance.signing.notes import NoteKey, SignedNote
from gen.provenance.witnesses.posting import post

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

MAX_STAMP_BYTES = 65_536


class StampError(HouseError):
    """A time stamp that is not of this note, or not of an authority that is believed."""


def stamped_bytes(note: SignedNote, log: NoteKey) -> bytes:
    """The note with its log's signature alone, as it was before any witness signed.

    Raises:
        StampError: that key did not sign it.
    """
    if not note.is_signed_by(log):
        raise StampError("the log's key did not sign this note")
    return replace(note, signatures=tuple(s for s in note.signatures if s.is_of(log))).encode()


def request_for(data: bytes) -> bytes:
    """A request (`.tsq`) for a stamp of these bytes, with the authority's certificate."""
    client = _client()
    # No nonce: an older answer is as true, and one by e-mail is matched by its digest.
    builder = client.TimestampRequestBuilder().data(data)
    builder = builder.hash_algorithm(client.HashAlgorithm.SHA256)
    request = builder.nonce(nonce=False).cert_request(cert_request=True).build()
    return bytes(request.as_bytes())


def check_stamp(answer: bytes, data: bytes, roots: bytes) -> datetime:
    """When an authority stamped these bytes.

    Args:
        answer: its response (`.tsr`).
        data: what was stamped.
        roots: PEM, certificates of the authorities that are believed.

    Raises:
        StampError: not granted, of other bytes, or of an authority that is not among them.
    """
    client = _client()
    builder = client.VerifierBuilder()
    for certificate in _certificates(roots):
        builder = builder.add_root_certificate(certificate)
    try:
        response = client.decode_timestamp_response(answer)
        builder.build().verify_message(response, data)
    except (client.VerificationError, ValueError) as error:
        raise StampError(
            f"the time stamp does not hold: {error}",
            mend="it is of another note, or its authority's root certificate is not in the file",
        ) from error
    when: datetime = response.tst_info.gen_time
    return when.astimezone(UTC)


def token_of(answer: bytes, data: bytes) -> bytes:
    """The token in an authority's answer, as signatures carry it.

    Its time is not judged here, nor whose it is: whoever reads the token does that.

    Raises:
        StampError: not granted, or of other bytes.
    """
    client = _client()
    try:
        response = client.decode_timestamp_response(answer)
        imprint = response.tst_info.message_imprint.message
        token: bytes = response.time_stamp_token()
    except ValueError as error:
        raise StampError(f"the authority gave no time stamp: {error}") from error
    if imprint != hashlib.sha256(data).digest():
        raise StampError("the authority's time stamp is of other bytes")
    return token


def _client() -> ModuleType:
    try:
        import rfc3161_client
    except ImportError as error:
        raise StampError(
            "time stamps need the package rfc3161-client, which is not installed",
            mend='install it: .venv/bin/pip install -e ".[stamps]"',
        ) from error
    return rfc3161_client


def spelled_time(when: datetime) -> str:
    """As records spell a time."""
    return when.strftime(TIME_FORMAT)


def _certificates(roots: bytes) -> list[Certificate]:
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(roots)
    except ValueError as error:
        raise StampError(f"no certificates in PEM: {error}", mend=CERTIFICATES.mend) from error


def ask_authority(url: str, request: bytes) -> bytes:
    """Have an authority answer a request over HTTP.

    Raises:
        StampError: it cannot be reached, or answers something else.
    """
    if not url.startswith(("http://", "https://")):
        raise StampError(f"{url[:80]!r} is no address", mend="write http://… or https://…")
    try:
        status, data = post(url, request, "application/timestamp-query", MAX_STAMP_BYTES)
        if status != HTTPStatus.OK:
            raise OSError(f"it answers {status}")
    except (OSError, ValueError) as error:
        raise StampError(
            f"the authority cannot be reached ({error})",
            where=url,
            mend="try again later, or by files: house.py stamp --request FILE",
        ) from error
    if len(data) > MAX_STAMP_BYTES:
        raise StampError("the authority's answer is too long", where=url)
    return data
