"""Time stamps of a local OpenSSL authority, which the test runs."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from authorities import OPENSSL, Authority, listening

pytest.importorskip("rfc3161_client", reason="the extra `stamps` is not installed")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed here")


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ts") / "authority")


@pytest.fixture
def url(authority):
    with listening(authority) as address:
        yield address


def test_authority_stamps_the_head_over_http(house, authority, url):
    said = house("stamp", "--url", url, "--roots", authority.roots)
    assert "the head of 1 acts was there at 20" in said
    house.enroll("ben")
    house("stamp", "--url", url, "--roots", authority.roots)
    said = house("stamp", "--roots", authority.roots)
    assert "the first 1 acts were there at 20" in said
    assert "the first 2 acts were there at 20" in said


def test_authority_stamps_the_head_by_files(house, authority):
    house("stamp", "--request", "head.tsq")
    house.enroll("ben")
    Path("head.tsr").write_bytes(authority.answer(Path("head.tsq").read_bytes()))
    assert "the head of 1 acts" in house("stamp", "--take", "head.tsr", "--roots", authority.roots)


def test_openssl_itself_accepts_what_is_kept(house, authority, url):
    house("stamp", "--url", url, "--roots", authority.roots)
    note = Path("house/witnesses/1.note").read_text(encoding="utf-8").splitlines(keepends=True)
    Path("note").write_text("".join(note[:5]), encoding="utf-8")
    command = [OPENSSL, "ts", "-verify", "-data", "note", "-in", "house/witnesses/1.tsr",
               "-CAfile", authority.roots]  # fmt: skip
    assert subprocess.run(list(map(str, command)), capture_output=True).returncode == 0


def test_stamp_of_another_authority_is_refused(house, authority, url, tmp_path):
    other = Authority(tmp_path / "other", "Another authority")
    assert "does not hold" in house("stamp", "--url", url, "--roots", other.roots, code=2)
    assert not Path("house/witnesses/1.tsr").exists()


def test_stamp_of_an_authority_whose_certificate_had_ended_is_refused(house, authority):
    """At the time that it stamps; one that ends later takes nothing away from its stamps."""
    whole = (authority.folder / "tsa.pem").read_bytes()
    try:
        (authority.folder / "tsa.pem").write_bytes(ended(authority, days=-1))
        house("stamp", "--request", "head.tsq")
        Path("head.tsr").write_bytes(authority.answer(Path("head.tsq").read_bytes()))
        said = house("stamp", "--take", "head.tsr", "--roots", authority.roots, code=2)
    finally:
        (authority.folder / "tsa.pem").write_bytes(whole)
    assert "does not hold" in said
    assert not Path("house/witnesses/1.tsr").exists()


def ended(authority, days):
    """The authority's certificate once more, which ends so many days from now."""
    signed = x509.load_pem_x509_certificate((authority.folder / "tsa.pem").read_bytes())
    root = load_pem_private_key((authority.folder / "root.key").read_bytes(), None)
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(
        signed.issuer, signed.subject, signed.public_key(), signed.serial_number,
        now - timedelta(days=9), now + timedelta(days=days), list(signed.extensions),
    )  # fmt: skip
    return made.sign(root, SHA256()).public_bytes(Encoding.PEM)


def test_stamp_of_other_bytes_is_refused(house, authority):
    from gen.provenance.witnesses.stamps import request_for

    Path("a.tsr").write_bytes(authority.answer(request_for(b"another head")))
    assert "does not hold" in house("stamp", "--take", "a.tsr", "--roots", authority.roots, code=2)


@pytest.mark.parametrize("data", [b"", b"rubbish", b"\x30\x82\xff\xff"])
def test_file_that_is_no_stamp_is_refused(house, authority, data):
    Path("a.tsr").write_bytes(data)
    assert "does not hold" in house("stamp", "--take", "a.tsr", "--roots", authority.roots, code=2)


def test_file_without_certificates_is_refused(house, authority, url):
    Path("roots.pem").write_text("nothing", encoding="utf-8")
    assert "no certificates" in house("stamp", "--url", url, "--roots", "roots.pem", code=2)


def test_authority_that_cannot_be_reached_is_said_to_be(house, authority):
    said = house("stamp", "--url", "http://127.0.0.1:1", "--roots", authority.roots, code=2)
    assert "cannot be reached" in said
