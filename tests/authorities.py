"""A time stamping authority of OpenSSL, which tests run on this computer."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from loopback import answered_by

OPENSSL = shutil.which("openssl")

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
        self._one = threading.Lock()
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
        with self._one:
            (self.folder / "q.tsq").write_bytes(request)
            self.run("ts", "-reply", "-queryfile", "q.tsq", "-signer", "tsa.pem", "-inkey",
                     "tsa.key", "-config", "ssl.cnf", "-section", "authority", "-out",
                     "a.tsr")  # fmt: skip
            return (self.folder / "a.tsr").read_bytes()


@contextmanager
def listening(authority: Authority) -> Iterator[str]:
    """Has an authority answer over HTTP; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None: ...

    with answered_by(Handler) as address:
        yield address
