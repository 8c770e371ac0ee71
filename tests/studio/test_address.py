"""Where a house is served: never beyond this computer without a certificate."""

from __future__ import annotations

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gen.cli.studio import main
from gen.errors import HouseError
from gen.studio.address import address_of
from gen.studio.serving.served import AuditLog

NAMES = [x509.DNSName("studio.example"), x509.DNSName("*.example"),
         x509.IPAddress(ipaddress.ip_address("192.168.1.20"))]  # fmt: skip


def certificate(folder: Path, names: list[x509.GeneralName] = NAMES, days: int = 30):
    """A certificate that nobody vouches for, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "studio")])
    end = datetime.now(UTC) + timedelta(days=days)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(end - timedelta(days=60))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    files = folder / f"{days}.pem", folder / f"{days}.key"
    files[0].write_bytes(made.public_bytes(pem))
    plain = serialization.NoEncryption()
    files[1].write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    )
    return files


def test_without_a_certificate_it_stays_on_this_computer() -> None:
    found = address_of(None, (), None, None)
    assert found.listen == "127.0.0.1"
    assert found.origins(8400) == {"http://127.0.0.1:8400", "http://localhost:8400"}
    assert "http://[::1]:1" in address_of("::1", (), None, None).origins(1)
    for listen in ("0.0.0.0", "192.168.1.20", "::"):  # noqa: S104 - refused
        with pytest.raises(HouseError, match="no certificate"):
            address_of(listen, (), None, None)


def test_the_certificate_says_its_names(tmp_path: Path) -> None:
    found = address_of(None, (), *certificate(tmp_path))
    assert found.listen == "0.0.0.0"  # noqa: S104 - with a certificate
    assert found.origins(8400) == {"https://studio.example:8400", "https://192.168.1.20:8400"}
    assert found.origins(443) == {"https://studio.example", "https://192.168.1.20"}
    assert address_of(None, ("other.example",), *certificate(tmp_path)).names == ("other.example",)


def test_files_that_do_not_serve_are_refused_in_words(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    old, _ = certificate(tmp_path, days=-1)
    bare = certificate(tmp_path, [x509.DNSName("*.example")], days=9)
    cases = [
        ((cert, None), "go together"), ((old, key), "ended on"), ((bare[0], key), "no address"),
        ((cert, bare[1]), "cannot be used"), ((key, key), "no certificate can be read"),
        ((tmp_path / "none", key), "cannot be read"),
    ]  # fmt: skip
    for files, word in cases:
        with pytest.raises(HouseError, match=word):
            address_of(None, (), *files)


@pytest.mark.parametrize(("arguments", "word"), [
    (["--serve", "--listen", "192.168.1.20"], "no certificate"),
    (["--serve", "--listen", "here"], "no IP address"),
    (["--listen", "127.0.0.1"], "--listen: of a house that is served"),
    (["--serve", "--certificate", "none.pem"], "go together"),
])  # fmt: skip
def test_the_command_refuses_what_is_not_safe(arguments: list[str], word: str) -> None:
    answer = CliRunner().invoke(main, [*arguments, "--port", "0"])
    assert answer.exit_code == 2
    assert word in answer.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_would_keep_the_studio_waiting_is_refused(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for files in ((pipe, key), (cert, pipe)):
        with pytest.raises(HouseError, match="is a pipe, and should be a file of certificates"):
            address_of(None, (), *files)
    with pytest.raises(HouseError, match="audit log") as refused:
        AuditLog(pipe)
    assert refused.value.mend == "name another: --audit FILE"
