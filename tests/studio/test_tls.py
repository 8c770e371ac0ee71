"""A house served over TLS, as other computers reach it: somebody signs in and signs an act."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import studio_process
from desks import PATIENCE
from gen.provenance.signing.key_files import list_keys
from houses import PASSPHRASE, TestHouse
from prepared import prepared

pytest.importorskip("playwright")
from playwright.sync_api import Browser, expect

HOST = "127.0.0.1"


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for this computer that nobody vouches for, and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "studio of a test")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = tmp_path / "house.pem", tmp_path / "house.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@pytest.fixture
def address(
    small_house: TestHouse, certificate: tuple[Path, Path], tmp_path: Path
) -> Iterator[str]:
    """Where `studio.py --serve` answers, a process of its own."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    command = prepared(
        studio_process.__file__, "--serve", "--certificate", certificate[0],
        "--certificate-key", certificate[1], "--listen", HOST, "--port", port,
        "--house", small_house.folder, "--pin", small_house.pin.path, "--out", tmp_path / "pieces",
    )  # fmt: skip
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ)
        try:
            found = f"https://{HOST}:{port}"
            while True:
                assert process.poll() is None, (tmp_path / "server.log").read_text()
                try:
                    # nobody vouches for it
                    httpx.get(f"{found}/sign-in", verify=False, timeout=PATIENCE)  # noqa: S501
                    break
                except httpx.HTTPError:
                    time.sleep(0.1)
            yield found
        finally:
            process.terminate()
            process.wait(PATIENCE)


def test_somebody_signs_in_with_their_key_and_works_over_tls(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    context = browser.new_context(ignore_https_errors=True, base_url=address)
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    answer = page.goto("/")
    assert answer is not None
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert page.evaluate("isSecureContext")
    page.get_by_text("I have a key already").click()
    file = next(found.path for found in list_keys() if found.owner == "ana")
    page.get_by_label("Key file").set_input_files(file)
    page.get_by_label("Passphrase of your key").fill(PASSPHRASE)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/create")
    (cookie,) = [one for one in context.cookies() if "studio" in one["name"]]
    assert cookie["name"].startswith("__Host-")
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
    page.goto("/house")
    page.get_by_role("button", name="Small Rain").click()
    expect(page.get_by_text(re.compile("Accepted into the house"))).to_be_visible()
    page.get_by_label("Allow").fill("evaluation")
    page.get_by_role("button", name="Change consent").click()
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_text("Consent is changed")).to_be_visible()
    context.close()
    lines = (tmp_path / "pieces" / "audit.jsonl").read_text("utf-8").splitlines()
    assert any("consent" in json.loads(line)["asked"] for line in lines)


def test_plain_http_gets_no_answer_where_tls_is_spoken(address: str) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{address.replace('https', 'http')}/sign-in")
