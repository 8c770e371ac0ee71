r"""A witness: signs heads of houses' logs, never one that does not extend those it signed before.

A house could show one history to you and another one to somebody else, or enter acts today under
an old date. It cannot, once somebody outside signs its heads with the time and remembers them.
This program is that somebody's: one file, which needs Python 3.11 and the package `cryptography`,
and nothing of the house's own software.

    python witness.py init --name society.example/w1     make a key, print its public half
    python witness.py add-log KEY                        a log to witness (house.py show prints KEY)
    python witness.py serve                              answer at http://127.0.0.1:8410
    python witness.py check REQUEST --out ANSWER         the same by files, for instance by e-mail
    python witness.py fraud FILE                         exit 0 if this proof of fraud holds, else 2

Give the line that `init` prints to the houses and to everybody who should believe you. The state,
`witness.json`, holds your key and the last head of every log: keep it private, keep it, and never
put an older copy back, or you may sign two histories.

What a signature says: at this time this was the largest head of this log that was seen here,
and it extends all that were seen before. Nothing is said of what is in the log.

Source: C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-witness (https://c2sp.org);
RFC 6962, section 2.1.2, and RFC 9162, section 2.1.4.2, for consistency proofs.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import os
import re
import stat
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LOG_KEY, WITNESS_KEY = 0x01, 0x04  # signature types of C2SP
PORT = 8410
MAX_REQUEST_BYTES = 131_072
MAX_NOTE_BYTES = 65_536
MAX_PROOF_LINES = 63
MAX_SIGNATURES = 64
MAX_FRAUD_BYTES = 1 << 20
MAX_STATE_BYTES = 64 << 20
SECONDS = 10  # for a slow client
DAY = 86_400  # seconds
FIELD = 2**255 - 19
ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL_ORDER = {0, 1, FIELD - 1, ORDER_8, FIELD - ORDER_8}  # of these points anybody can sign
SIZE_TYPE, TEXT_TYPE = "text/x.tlog.size", "text/plain; charset=utf-8"


class Refused(Exception):
    """A request that is not answered with a signature, and the status that says why."""

    def __init__(self, status: HTTPStatus, why: str, kind: str = TEXT_TYPE) -> None:
        super().__init__(why)
        self.status, self.why, self.kind = status, why, kind


# -- notes and keys --------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """Name, type and 32 public bytes; written `name+hash in hex+base64 of type and bytes`."""

    name: str
    kind: int
    public: bytes

    @property
    def hash(self) -> bytes:
        said = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(said).digest()[:4]

    def __str__(self) -> str:
        data = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.hash.hex()}+{data}"

    @staticmethod
    def parse(text: str, *kinds: int) -> Key:
        name, _, rest = text.strip().partition("+")
        digest, _, data = rest.partition("+")
        found = unbase64(data)
        y = int.from_bytes(found[1:], "little") & (2**255 - 1)
        key = Key(name, int.from_bytes(found[:1], "big"), found[1:])
        is_sound = len(found) == 33 and y < FIELD and y not in SMALL_ORDER
        is_sound = is_sound and name.isprintable()  # it is shown to people
        if not is_name(name) or key.kind not in kinds or key.hash.hex() != digest or not is_sound:
            raise ValueError(f"{text.strip()[:80]!r} is no such key")
        return key

    def verifies(self, signature: bytes, message: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Note:
    """A head: the text that was signed, what it says, and (name, key hash, signature) a line."""

    whole: str
    text: str
    origin: str
    size: int
    root: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]

    @staticmethod
    def parse(whole: str) -> Note:
        """Read a note; ValueError for anything that is not spelled as one."""
        text, gap, below = whole.rpartition("\n\n")
        lines = text.split("\n")
        if len(whole.encode()) > MAX_NOTE_BYTES or not gap or not below.endswith("\n"):
            raise ValueError("no note: text, an empty line, lines of signatures")
        if len(lines) < 3 or not all(lines) or any(c < " " and c != "\n" for c in whole):
            raise ValueError("no note of a log: origin, size, root hash")
        signed = below[:-1].split("\n")
        if len(signed) > MAX_SIGNATURES or len(unbase64(lines[2])) != 32:
            raise ValueError("too many signatures, or no root hash")
        signatures = tuple(map(signature_of, signed))
        size, root = whole_number(lines[1]), unbase64(lines[2])
        return Note(whole, text + "\n", lines[0], size, root, signatures)

    def signed_by(self, key: Key) -> bool:
        """Whether one of its lines is this log's or this witness's signature, and verifies."""
        mine = (s for name, digest, s in self.signatures if (name, digest) == (key.name, key.hash))
        if key.kind == LOG_KEY:
            return any(key.verifies(signature, self.text.encode()) for signature in mine)
        return any(
            len(s) == 72 and key.verifies(s[8:], cosigned(int.from_bytes(s[:8], "big"), self.text))
            for s in mine
        )


def cosigned(seconds: int, text: str) -> bytes:
    """What a witness signs."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def signature_of(line: str) -> tuple[str, bytes, bytes]:
    words = line.split(" ")
    if len(words) != 3 or words[0] != "—" or not is_name(words[1]):
        raise ValueError("no line of a signature")
    data = unbase64(words[2])
    if len(data) <= 4:
        raise ValueError("a signature is cut")
    return words[1], data[:4], data[4:]


def is_name(text: str) -> bool:
    return 0 < len(text) <= 200 and "+" not in text and not any(map(str.isspace, text))


def unbase64(text: str) -> bytes:
    data = base64.b64decode(text.encode("ascii"), validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("base64 with spare bits set")
    return data


def without_doubles(pairs: list) -> dict:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("something stands twice")
    return dict(pairs)


def from_hex(text: str) -> bytes:
    if not re.fullmatch("(?:[0-9a-f]{64})?", text):
        raise ValueError("a root or a hash of the proof is none")
    return bytes.fromhex(text)


def whole_number(text: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text):
        raise ValueError(f"{text[:20]!r} is no size")
    return int(text)


# -- the tree --------------------------------------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def extends(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree (size, root) has the tree (old, old_root), not empty, as its beginning."""
    if old == size:
        return not proof and old_root == root
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not 0 < old < size or not path:
        return False
    position, last = old - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first, second = path[0], path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            first, second = node(sibling, first), node(sibling, second)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            second = node(second, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and (first, second) == (old_root, root)


# -- the witness -----------------------------------------------------------------------------


class Witness:
    """A key, and the last head of each log; both in one file that is read for every request."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.thread = threading.Lock()

    def add_checkpoint(self, body: bytes) -> str:
        """Answer one request of tlog-witness.

        Args:
            body: `old SIZE`, lines of a consistency proof, an empty line, the note.

        Returns:
            A line with the signature of this witness. The head is on the disk by then.

        Raises:
            Refused: with the status that the protocol says.
        """
        old, proof, note = request_of(body)
        with self.locked():
            state = self.read()
            log = state["logs"].get(note.origin)
            if log is None:
                raise Refused(HTTPStatus.NOT_FOUND, "this log is not witnessed here")
            if not note.signed_by(Key.parse(log["key"], LOG_KEY)):
                raise Refused(HTTPStatus.FORBIDDEN, "the log's key did not sign it")
            self.check_growth(old, proof, note, log["note"])
            seconds = time_to_sign(state["time"])
            log["note"], state["time"] = note.whole, seconds
            self.write(state)
        private, mine = own_key(state)
        signature = (
            mine.hash + seconds.to_bytes(8, "big") + private.sign(cosigned(seconds, note.text))
        )
        return f"— {mine.name} {base64.b64encode(signature).decode()}\n"

    def check_growth(self, old: int, proof: list[bytes], note: Note, known: str) -> None:
        """Whether a note extends the last one that was signed here, if any."""
        last = Note.parse(known) if known else None
        size = last.size if last else 0
        if old > note.size:
            raise Refused(HTTPStatus.BAD_REQUEST, "old size is larger than the note's")
        is_other = bool(last) and note.size == size and note.root != last.root
        if is_other:
            self.keep_evidence(last, note)
        if old != size or is_other:
            raise Refused(HTTPStatus.CONFLICT, f"{size}\n", SIZE_TYPE)
        if size:
            is_right = extends(size, last.root, note.size, note.root, proof)
        else:
            is_right = not proof and (note.size > 0 or note.root == hashlib.sha256(b"").digest())
        if not is_right:
            raise Refused(
                HTTPStatus.UNPROCESSABLE_ENTITY, "it does not extend what was signed here"
            )

    def keep_evidence(self, first: Note, second: Note) -> None:
        """Two heads of one size that the log signed: anybody can see from them that it lied."""
        name = hashlib.sha256(first.origin.encode()).hexdigest()[:12]
        place = self.place.with_name(f"{self.place.stem}.fraud.{name}.json")
        if not place.exists():
            said = {"format": 1, "notes": [first.whole, second.whole], "old_root": "", "path": []}
            write_durably(place, json.dumps(said, indent=1, ensure_ascii=False).encode() + b"\n")

    def read(self) -> dict:
        if os.name == "posix" and self.place.stat().st_mode & 0o077:
            raise ValueError(f"others can read this key: chmod 600 {self.place}")
        return json.loads(beginning(self.place, MAX_STATE_BYTES))

    def write(self, state: dict) -> None:
        write_durably(self.place, json.dumps(state, indent=1, ensure_ascii=False).encode() + b"\n")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One request at a time, of this process and of others with the same state."""
        with self.thread, open(self.place.with_name(self.place.name + ".lock"), "ab") as file:
            if os.name == "nt":
                import msvcrt

                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                try:
                    yield
                finally:
                    file.seek(0)
                    msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX)
                yield


def time_to_sign(former: int) -> int:
    """Now, in seconds since 1970, and never earlier than the signature before."""
    now = int(time.time())
    if former > now + DAY:  # houses count no time that is so far ahead, and may not tell
        dated = time.strftime("%Y-%m-%d", time.gmtime(former))
        raise Refused(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"its clock is behind its last signature, of {dated}; if it ran ahead then, its "
            "keeper runs `witness.py clock-ran-ahead`",
        )
    return max(now, former)


def own_key(state: dict) -> tuple[Ed25519PrivateKey, Key]:
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(state["seed"]))
    return private, Key(state["name"], WITNESS_KEY, private.public_key().public_bytes_raw())


def request_of(body: bytes) -> tuple[int, list[bytes], Note]:
    """Old size, consistency proof and note of a request."""
    try:
        if len(body) > MAX_REQUEST_BYTES:
            raise ValueError(f"more than {MAX_REQUEST_BYTES} bytes")
        above, gap, whole = body.decode().partition("\n\n")
        first, *proof = above.split("\n")
        if not gap or not first.startswith("old ") or len(proof) > MAX_PROOF_LINES:
            raise ValueError("a request is `old SIZE`, a proof, an empty line, a note")
        hashes = list(map(unbase64, proof))
        if any(len(found) != 32 for found in hashes):
            raise ValueError("a line of the proof is no hash")
        return whole_number(first[4:]), hashes, Note.parse(whole)
    except ValueError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from error


def write_durably(place: Path, data: bytes) -> None:
    """Replace a file: after a crash it is the old one or the new one, and no half."""
    beside = place.with_name(f".{place.name}.new")
    beside.unlink(missing_ok=True)  # never written through, if somebody laid a link there
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, place)
    if os.name == "posix":
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


# -- fraud proofs ----------------------------------------------------------------------------


def signers_of_both(data: bytes, keys: Sequence[Key]) -> list[str]:
    """Whose signatures are under two heads that cannot both be true.

    Args:
        data: a fraud proof: two notes of one log, and for different sizes the root that the
            larger tree had at the smaller size, with the consistency proof that shows it.
        keys: of logs and witnesses whose signatures are looked for.

    Raises:
        ValueError: the two heads do not contradict each other.
    """
    if len(data) > MAX_FRAUD_BYTES:
        raise ValueError("too long for a fraud proof")
    said = json.loads(data, object_pairs_hook=without_doubles)
    try:
        if said.keys() != {"format", "notes", "old_root", "path"}:
            raise ValueError("other fields than a fraud proof has")
        small, large = map(Note.parse, said["notes"])
        old_root, *path = map(from_hex, [said["old_root"], *said["path"]])
    except (TypeError, AttributeError) as error:
        raise ValueError("no fraud proof") from error
    if said["format"] != 1 or said["format"] is True:
        raise ValueError("no fraud proof of format 1")
    if small.origin != large.origin or not 0 < small.size <= large.size:
        raise ValueError("the two notes are of different logs, or in the wrong order")
    if small.size == large.size:
        old_root, path = large.root, []
    if old_root == small.root or not extends(small.size, old_root, large.size, large.root, path):
        raise ValueError("the two heads do not contradict each other")
    return [key.name for key in keys if small.signed_by(key) and large.signed_by(key)]


# -- commands --------------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    """`POST /add-checkpoint`, and nothing else."""

    protocol_version = "HTTP/1.1"
    timeout = SECONDS
    witness: Witness

    def do_POST(self) -> None:
        try:
            body = self.body()  # of a slow client: TimeoutError, which ends the connection
            try:
                self.reply(HTTPStatus.OK, self.witness.add_checkpoint(body))
            except (OSError, ValueError, KeyError) as error:  # a state that is gone, or damaged
                self.log_error("nothing was signed: %r", error)
                status = HTTPStatus.INTERNAL_SERVER_ERROR
                raise Refused(status, "its state cannot be read or written") from error
        except Refused as refused:
            self.close_connection = True
            self.reply(refused.status, refused.why, refused.kind)

    def body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if self.path != "/add-checkpoint":
            raise Refused(HTTPStatus.NOT_FOUND, "POST to /add-checkpoint")
        is_short = length.isdecimal() and int(length) <= MAX_REQUEST_BYTES
        if not is_short or "Transfer-Encoding" in self.headers:
            raise Refused(HTTPStatus.BAD_REQUEST, "too long, or of unknown length")
        return self.rfile.read(int(length))

    def reply(self, status: HTTPStatus, text: str, kind: str = TEXT_TYPE) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def init(state: Path, name: str) -> int:
    if state.exists() or not is_name(name):
        raise ValueError(f"{state} is there already, or {name!r} is no name (no spaces, no plus)")
    key = Ed25519PrivateKey.generate()
    made = {"format": 1, "name": name, "seed": key.private_bytes_raw().hex(), "time": 0, "logs": {}}
    Witness(state).write(made)
    return show(state)


def add_log(state: Path, key: str) -> int:
    """Witness a log from now on; of a log that is known already, this replaces the key."""
    log, witness = Key.parse(key, LOG_KEY), Witness(state)
    with witness.locked():
        found = witness.read()
        known = found["logs"].setdefault(log.name, {"note": "", "key": str(log)})
        if known["key"] != str(log):  # proofs of fraud under the former one still count
            known.setdefault("former", []).append(known["key"])
        known["key"] = str(log)
        witness.write(found)
    print(f"witnesses {log.name}, under the key {log}")
    return 0


def clock_ran_ahead(state: Path) -> int:
    """Date by the clock again, after it had run ahead; what was signed is not forgotten."""
    witness, now = Witness(state), int(time.time())
    with witness.locked():
        found = witness.read()
        if found["time"] <= now + DAY:
            raise ValueError("the last signature is not dated ahead of this clock")
        found.setdefault("dated_ahead", []).append([found["time"], now])
        found["time"] = now
        witness.write(found)
    print(f"dates by this clock again: {time.strftime('%Y-%m-%d %H:%M', time.gmtime(now))} UTC")
    return 0


def show(state: Path) -> int:
    found = Witness(state).read()
    print(own_key(found)[1])
    for origin, log in found["logs"].items():
        print(f"{origin}: {Note.parse(log['note']).size if log['note'] else 0} acts signed")
    return 0


def beginning(path: Path, most: int) -> bytes:
    """The first bytes of a file, which is none that keeps its reader waiting or never ends."""
    with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError(f"{path} is no plain file: name the file itself")
        return file.read(most) or b""


def check(state: Path, request: Path, out: Path) -> int:
    """Answer a request file: a line with the status, then what the protocol answers."""
    body = beginning(request, MAX_REQUEST_BYTES + 1)
    try:
        status, text = HTTPStatus.OK, Witness(state).add_checkpoint(body)
    except Refused as refused:
        status, text = refused.status, refused.why
    write_durably(out, f"{status.value} {status.phrase}\n{text.rstrip()}\n".encode())
    print(f"{status.value} {status.phrase}: {out}")
    return 0 if status is HTTPStatus.OK else 2


def serve(state: Path, host: str, port: int) -> int:
    Handler.witness = Witness(state)
    Handler.witness.read()
    with ThreadingHTTPServer((host, port), Handler) as server:
        print(f"answers at http://{host}:{server.server_port}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0


def fraud(state: Path, file: Path, key: Sequence[str]) -> int:
    """Whether the keys that are named, else those of the logs that are witnessed, signed both."""
    logs = Witness(state).read()["logs"].values() if state.exists() and not key else ()
    words = [*key, *(word for log in logs for word in (log["key"], *log.get("former", ())))]
    keys = [Key.parse(word, LOG_KEY, WITNESS_KEY) for word in words]
    guilty = signers_of_both(beginning(file, MAX_FRAUD_BYTES + 1), keys)
    print(f"signed both: {', '.join(guilty)}" if guilty else "no key that is known signed both")
    return 0 if guilty else 2


def main(arguments: Sequence[str] | None = None) -> int:
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shape)
    parser.add_argument("--state", type=Path, default=Path("witness.json"), metavar="FILE")
    commands = parser.add_subparsers(required=True)
    adds = {}
    for run in (init, add_log, show, serve, check, clock_ran_ahead, fraud):
        command = commands.add_parser(run.__name__.replace("_", "-"), help=run.__doc__)
        command.set_defaults(run=run)
        adds[run] = command.add_argument
    adds[init]("--name", required=True)
    adds[add_log]("key")
    adds[serve]("--host", default="127.0.0.1")
    adds[serve]("--port", type=int, default=PORT)
    adds[check]("request", type=Path)
    adds[check]("--out", type=Path, required=True, metavar="FILE")
    adds[fraud]("file", type=Path)
    adds[fraud]("--key", action="append", default=[], help="of a log or of a witness")
    chosen = vars(parser.parse_args(arguments))
    try:
        return chosen.pop("run")(**chosen)
    except (ValueError, OSError, RecursionError) as error:
        print(f"refused: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
