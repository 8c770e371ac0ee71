"""Signed notes: a log's head as one short text that its key and its witnesses sign. No disk.

A note is text, an empty line, and one line a signature:

```
starter/78a61095da1fa8c3                        origin: which log
500                                             size: number of acts
Vm/5ZSbcv+LYSjz+aTTqTcR1FAblA0CZdKqhTf+VIKE=    root hash of the tree over them, base64

— starter/78a61095da1fa8c3 <base64 of 4 bytes key hash, 64 bytes signature>
— society.example/w1 <base64 of 4 bytes key hash, 8 bytes time, 64 bytes signature>
```

The log's key signs the text (Ed25519, type 0x01). A witness signs `cosignature/v1`, `time T`
and the text, each line with its newline (type 0x04); T is in seconds since 1970, big-endian in the
signature. The key hash is the start of SHA-256(name, newline, type byte, public key). A key is
passed on as one word, `name+hash in hex+base64 of type byte and public key`.

Source: C2SP signed-note, tlog-checkpoint and tlog-cosignature (https://c2sp.org).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gen.errors import HouseError
from gen.provenance.signing.canonical import StrictJsonError, from_base64, to_base64
from gen.provenance.signing.keys import PrivateKey, is_sound_public, verify

LOG_KEY, WITNESS_KEY = 0x01, 0x04
"""Signature types: Ed25519 over the note; a timestamped cosignature of a witness."""
MAX_NOTE_BYTES = 65_536
MAX_SIGNATURES = 64
"""Lines of signatures in a note: two for each of thirty witnesses, and the log's."""
_NAME = re.compile(r"[^\s+]{1,200}\Z")
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\Z")
_DASH = "— "


class NoteError(HouseError):
    """A note, or a key for notes, that is not spelled as it should be, or not signed."""


@dataclass(frozen=True, slots=True)
class NoteKey:
    """Whose signature under a note is believed: a log's or a witness's.

    Attributes:
        name: a log's origin, or what a witness is called, as `society.example/w1`.
        public: 32 bytes.
        kind: `LOG_KEY` or `WITNESS_KEY`.
    """

    name: str
    public: bytes
    kind: int

    @property
    def hash(self) -> bytes:
        """The four bytes before each of its signatures."""
        message = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(message).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{to_base64(bytes([self.kind]) + self.public)}"

    @staticmethod
    def parse(text: str, kind: int) -> NoteKey:
        """The key in a word as `str` writes it.

        Raises:
            NoteError: misspelt, of another kind, or a key for which anybody can sign.
        """
        name, _, rest = text.strip().partition("+")
        digest, _, data = rest.partition("+")
        try:
            found = from_base64(data)
        except StrictJsonError:
            found = b""
        what = {WITNESS_KEY: "witness", LOG_KEY: "log"}.get(kind, "log's or witness")
        is_sound = found[:1] == bytes([kind]) and is_sound_public(found[1:])
        if not is_sound or not _NAME.match(name) or not name.isprintable():  # people are shown it
            raise NoteError(
                f"{text.strip()[:80]!r} is no {what}'s key",
                mend="a key is one word: name+8 hex digits+base64",
            )
        key = NoteKey(name, found[1:], kind)
        if key.hash.hex() != digest:
            raise NoteError(f"the key of {name} was mistyped: its check digits differ")
        return key


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One line under a note; `value` is what follows the key hash."""

    name: str
    key_hash: bytes
    value: bytes

    def is_of(self, key: NoteKey) -> bool:
        """Whether it says that it was made by this key."""
        return (self.name, self.key_hash) == (key.name, key.hash)

    @property
    def time(self) -> int:
        """A cosignature's time, seconds since 1970; the largest is 2^63 - 1."""
        return int.from_bytes(self.value[:8], "big")

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {to_base64(self.key_hash + self.value)}"

    @staticmethod
    def parse(line: str) -> NoteSignature:
        words = line.split(" ")
        if len(words) != 3 or words[0] != _DASH[0] or not _NAME.match(words[1]):
            raise NoteError(f"{line[:80]!r} is no line of a signature")
        data = _base64(words[2])
        if len(data) <= 4:
            raise NoteError(f"the signature of {words[1]} is cut")
        return NoteSignature(words[1], data[:4], data[4:])


@dataclass(frozen=True, slots=True)
class SignedNote:
    """What a log amounts to at one size, and who signed that.

    Attributes:
        origin: which log.
        size: number of acts.
        root: 32 bytes.
        signatures: of the log and of witnesses, in the order of the lines.
        extension: lines after the root hash, with newlines; this house writes none.
    """

    origin: str
    size: int
    root: bytes
    signatures: tuple[NoteSignature, ...] = ()
    extension: str = ""

    @property
    def text(self) -> bytes:
        """The bytes that the log signs."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n{self.extension}".encode()

    def encode(self) -> bytes:
        lines = "".join(f"{signature}\n" for signature in self.signatures)
        return self.text + b"\n" + lines.encode()

    @staticmethod
    def parse(data: bytes) -> SignedNote:
        """Read a note; nothing of it is believed before `is_signed_by`.

        Raises:
            NoteError: too long, not UTF-8, or not spelled as a note of a log.
        """
        if len(data) > MAX_NOTE_BYTES:
            raise NoteError(f"a note of more than {MAX_NOTE_BYTES} bytes")
        try:
            found = data.decode()
        except UnicodeDecodeError as error:
            raise NoteError(f"a note is UTF-8 (byte {error.start})") from error
        text, gap, below = found.rpartition("\n\n")
        lines = text.split("\n")
        if not gap or not below.endswith("\n") or len(lines) < 3 or _has_control(found):
            raise NoteError("no note: text, an empty line, lines of signatures")
        if not all(lines) or not _SIZE.match(lines[1]) or len(_base64(lines[2])) != 32:
            raise NoteError("no note of a log: origin, size, root hash")
        signed = below[:-1].split("\n")
        if len(signed) > MAX_SIGNATURES:
            raise NoteError(f"{len(signed)} signatures, more than {MAX_SIGNATURES}")
        rest = "".join(f"{line}\n" for line in lines[3:])
        signatures = tuple(map(NoteSignature.parse, signed))
        return SignedNote(lines[0], int(lines[1]), _base64(lines[2]), signatures, rest)

    def signed_by(self, key: PrivateKey) -> SignedNote:
        """With the log's signature, made by `key`, before all others."""
        log = NoteKey(self.origin, key.public, LOG_KEY)
        mine = NoteSignature(log.name, log.hash, key.sign(self.text))
        return replace(self, signatures=(mine, *(s for s in self.signatures if not s.is_of(log))))

    def is_signed_by(self, log: NoteKey) -> bool:
        """Whether the log signed it."""
        return log.kind == LOG_KEY and any(
            s.is_of(log) and verify(log.public, s.value, self.text) for s in self.signatures
        )

    def cosignatures(self, witness: NoteKey) -> list[NoteSignature]:
        """This witness's signatures that verify, earliest first."""
        found = {s for s in self.signatures if s.is_of(witness) and self._is_cosigned(witness, s)}
        return sorted(found, key=lambda s: s.time)

    def _is_cosigned(self, witness: NoteKey, signature: NoteSignature) -> bool:
        message = b"cosignature/v1\ntime %d\n" % signature.time + self.text
        return (
            len(signature.value) == 72
            and signature.time < 2**63
            and verify(witness.public, signature.value[8:], message)
        )

    def with_cosignatures(
        self, new: Iterable[NoteSignature], known: Iterable[NoteKey]
    ) -> SignedNote:
        """With those of `new` that verify; of each witness the earliest and the latest stay.

        Args:
            new: lines that somebody sent.
            known: keys of the witnesses that are believed.
        """
        everything = replace(self, signatures=(*self.signatures, *new))
        keys = list(known)
        others = [s for s in self.signatures if not any(map(s.is_of, keys))]
        ours: list[NoteSignature] = []
        for key in keys:
            found = everything.cosignatures(key)
            ours += dict.fromkeys([*found[:1], *found[-1:]])
        room = MAX_SIGNATURES - len(ours)  # of strangers' lines only as many as a note may have
        return replace(self, signatures=(*others[:room], *ours))


def kind_of(word: str) -> int:
    """Whether a key, as a word, is a log's or a witness's; 0 for neither."""
    try:
        data = from_base64(word.strip().rpartition("+")[2])
    except StrictJsonError:
        return 0
    return data[0] if data[:1] in (bytes([LOG_KEY]), bytes([WITNESS_KEY])) else 0


def _base64(text: str) -> bytes:
    try:
        return from_base64(text)
    except StrictJsonError as error:
        raise NoteError(error.what) from error


def _has_control(text: str) -> bool:
    return any(character < " " and character != "\n" for character in text)
