"""Time stamps of a local OpenSSL authority, which the test runs."""

from __future__ import annotations

import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("rfc3161_client", reason="the extra `stamps` is not installed")
OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed here")

CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[tsa]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ts]
default_tsa = authority
[authority]
serial = serial
default_policy = 1.2.3.4.1
digests = sha256, sha512
signer_digest = sha256
ess_cert_id_alg = sha256
"""


class Authority:
    """Root and signing key of a time stamping authority, made by OpenSSL."""

    def __init__(self, folder: Path, name: str = "Test authority") -> None:
        folder.mkdir()
        self.folder, self.roots = folder, folder / "root.pem"
        (folder / "ssl.cnf").write_text(CONFIG.format(name=name), encoding="utf-8")
        (folder / "serial").write_text("01", encoding="utf-8")
        new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")
        self.run("req", "-x509", *new, "-keyout", "root.key", "-out", "root.pem", "-days", "30",
                 "-config", "ssl.cnf", "-extensions", "root")  # fmt: skip
        self.run("req", *new, "-keyout", "tsa.key", "-out", "tsa.csr", "-config", "ssl.cnf",
                 "-subj", "/CN=Test time")  # fmt: skip
        self.run("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key",
                 "-CAcreateserial", "-days", "30", "-out", "tsa.pem", "-extfile", "ssl.cnf",
                 "-extensions", "tsa")  # fmt: skip

    def run(self, *words: str) -> None:
        done = subprocess.run([OPENSSL, *words], cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def answer(self, request: bytes) -> bytes:
        (self.folder / "q.tsq").write_bytes(request)
        self.run("ts", "-reply", "-queryfile", "q.tsq", "-signer", "tsa.pem", "-inkey", "tsa.key",
                 "-config", "ssl.cnf", "-section", "authority", "-out", "a.tsr")  # fmt: skip
        return (self.folder / "a.tsr").read_bytes()


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ts") / "authority")


@pytest.fixture
def url(authority):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


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
