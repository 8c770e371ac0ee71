"""Arrays kept in one sealed file, of which a reader takes and checks no more than it asks for.

The file is a body of blocks, a head, the head's length, and a seal. The head has plain values, says
where in the body each array lies, and names the SHA-256 of every block; the seal is over the head.
A block is read when something in it is first asked for, on Windows all at once, into memory of this
process alone, and held against its digest there: whoever changes the file later changes nothing
that was read, and a block of another day is none of this head.
"""

from __future__ import annotations

import hashlib
import io
import math
import mmap
import os
import sys
import threading
import weakref
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from gen.disk.reading import KEPT, NamedFileError, opened
from gen.disk.sealed import sealer_of_user
from gen.disk.seals import SEAL_BYTES, Sealer
from gen.disk.writing import IS_WINDOWS, write_atomically
from gen.errors import HouseError

BLOCK_BYTES: Final = 8192
_AT_ONCE: Final = 64
"""Blocks that are read by one call, at most."""
_ALIGNED: Final = 64
_LENGTH_BYTES: Final = 8
_MOST_HEAD: Final = 1 << 28
"""Bytes of a head that is read before it is known to be sealed; that of 8 GiB has some 32 MiB."""
_DIGEST_BYTES: Final = 32
_ARRAY: Final = 1
"""Code of an array's place among the plain values."""

Ints = NDArray[np.int64]
State = dict[str, Any]
"""Plain values and arrays."""


class SpoiledError(HouseError):
    """A block that was kept is not what was sealed; the file is gone by now."""


class _Body:
    """The blocks of an opened file; each is there once something in it was needed.

    Args:
        file: opened, and read by nobody else.
        path: of it.
        size: of the body, in bytes.
        digests: SHA-256 of each block, end to end.
    """

    def __init__(self, file: io.FileIO, path: Path, size: int, digests: bytes) -> None:
        self._file, self._path, self._digests = file, path, digests
        self.bytes = np.frombuffer(_sparse_memory(size), np.uint8, size)
        self._is_there = np.zeros(-(-size // BLOCK_BYTES), np.bool_)
        self._lock = threading.Lock()
        weakref.finalize(self, file.close)

    def need(self, first: int, end: int) -> None:
        """Have bytes there, at least one.

        Raises:
            SpoiledError: a block is not what was sealed.
        """
        begin, last = first // BLOCK_BYTES, (end - 1) // BLOCK_BYTES
        if not self._is_there[begin : last + 1].all():
            self._read(np.arange(begin, last + 1))

    def need_each(self, first: Ints, end: Ints) -> None:
        """As `need` for several ranges, at least one."""
        begins, lasts = first // BLOCK_BYTES, (end - 1) // BLOCK_BYTES
        if (lasts - begins).max() <= 1:
            blocks = np.concatenate([begins, lasts])
        else:
            pairs = zip(begins.tolist(), lasts.tolist(), strict=True)
            blocks = np.concatenate([np.arange(begin, last + 1) for begin, last in pairs])
        blocks = blocks[~self._is_there[blocks]]
        if len(blocks):
            self._read(np.unique(blocks))

    def _read(self, blocks: Ints) -> None:
        with self._lock:
            missing = blocks[~self._is_there[blocks]]
            for run in np.split(missing, np.flatnonzero(np.diff(missing) != 1) + 1):
                for at in range(0, len(run), _AT_ONCE):
                    self._read_run(run[at : at + _AT_ONCE])

    def _read_run(self, run: Ints) -> None:
        """Read blocks that follow one another."""
        first, end = int(run[0]) * BLOCK_BYTES, (int(run[-1]) + 1) * BLOCK_BYTES
        data = self.bytes[first:end].data
        self._file.seek(first)
        count, digests = self._file.readinto(data), self._digests
        for place, block in enumerate(run.tolist()):
            content = data[place * BLOCK_BYTES : (place + 1) * BLOCK_BYTES]
            stated = digests[block * _DIGEST_BYTES : (block + 1) * _DIGEST_BYTES]
            if count != len(data) or hashlib.sha256(content).digest() != stated:
                self._spoiled()
        self._is_there[run] = True

    def _spoiled(self) -> None:
        with suppress(OSError):
            self._path.unlink()
        raise SpoiledError(
            "what was kept here was changed by something else than this program; it is removed now",
            where=str(self._path),
            mend="run the command again, which makes it anew, and ask who else writes there",
        )


def _sparse_memory(size: int) -> mmap.mmap:
    """Memory of this process and no copy of it that takes room in small pages, where it is filled.

    In huge ones, as numpy asks for, each block would clear, and take, two megabytes.
    """
    if sys.platform == "win32":
        return mmap.mmap(-1, max(size, 1))
    memory = mmap.mmap(-1, max(size, 1), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        with suppress(OSError):  # a kernel that knows no huge pages
            memory.madvise(mmap.MADV_NOHUGEPAGE)
    return memory


@dataclass(frozen=True, slots=True, eq=False)
class StoredArray:
    """An array in such a file.

    Every method raises SpoiledError where a block is not what was sealed.

    Attributes:
        dtype, shape: as of an array in memory.
    """

    _body: _Body
    _offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    def __len__(self) -> int:
        return self.shape[0]

    def span(self, first: int, end: int) -> NDArray[Any]:
        """The rows from `first` up to `end`, as far as there are any."""
        row, end = self._row_bytes, min(end, len(self))
        if row and 0 <= first < end:
            self._body.need(self._offset + row * first, self._offset + row * end)
        return self._view[first:end]

    def spans(self, first: Ints, end: Ints) -> list[NDArray[Any]]:
        """Several such, none of them empty or beyond the end."""
        row = self._row_bytes
        if row and len(first):
            self._body.need_each(self._offset + row * first, self._offset + row * end)
        view = self._view
        return [view[a:b] for a, b in zip(first.tolist(), end.tolist(), strict=True)]

    def at(self, places: Ints) -> NDArray[Any]:
        """The rows at some places, none negative; shape (*places, *row).

        Raises:
            IndexError: there is no such row.
        """
        row, first = self._row_bytes, self._offset
        if row and places.size and int(places.max()) < len(self):
            flat = places.ravel().astype(np.int64)
            self._body.need_each(first + row * flat, first + row * (flat + 1))
        found: NDArray[Any] = self._view[places]
        return found

    @property
    def all(self) -> NDArray[Any]:
        """Every row."""
        return self.span(0, len(self))

    @property
    def _row_bytes(self) -> int:
        return self.dtype.itemsize * math.prod(self.shape[1:])

    @property
    def _view(self) -> NDArray[Any]:
        """All of it, filled where it was read."""
        size = self._row_bytes * len(self)
        flat = self._body.bytes[self._offset : self._offset + size]
        return flat.view(self.dtype).reshape(self.shape)


class _SealedHead(msgspec.Struct, array_like=True):
    """What the seal is over: the body's size and digests; plain values with places of arrays."""

    size: int
    digests: bytes
    state: msgspec.Raw


@dataclass(frozen=True, slots=True)
class SealedArrays:
    """One such file.

    Attributes:
        path: where.
        kind: what is kept and which code wrote it; what was sealed as another kind is not read.
    """

    path: Path
    kind: str

    def read(self) -> State | None:
        """What was written, a `StoredArray` in the place of each array.

        None where nothing is, or it is not this user's own.
        """
        sealer = sealer_of_user(self.kind)
        try:
            with opened(self.path, KEPT) as file:
                return self._opened(file, sealer) if sealer else None
        except (NamedFileError, OSError, SpoiledError):
            return None

    def _opened(self, file: BinaryIO, sealer: Sealer) -> State | None:
        after = file.seek(0, os.SEEK_END) - SEAL_BYTES - _LENGTH_BYTES
        if after < 0:
            return None
        file.seek(after)
        length, seal = file.read(_LENGTH_BYTES), file.read(SEAL_BYTES)
        size = int.from_bytes(length, "little")
        if size > min(after, _MOST_HEAD):
            return None
        file.seek(after - size)
        packed = file.read(size)
        if not sealer.holds(seal, length, packed):
            return None
        head = msgspec.msgpack.decode(packed, type=_SealedHead)
        own = io.FileIO(os.dup(file.fileno()))
        body = _Body(own, self.path, head.size, head.digests)
        if IS_WINDOWS:  # a file that is open can neither be replaced nor removed there
            body.need(0, head.size)
            own.close()

        def stored(_: int, place: memoryview) -> StoredArray:
            kind, shape, offset = msgspec.msgpack.decode(place)
            return StoredArray(body, offset, np.dtype(kind), tuple(shape))

        state: State = msgspec.msgpack.decode(head.state, ext_hook=stored, strict=False)
        return state

    def write(self, state: State) -> None:
        """Keep plain values and arrays in place of what is there.

        Nothing where this user can keep no secret, or the file cannot be written.
        """
        sealer = sealer_of_user(self.kind)
        if sealer is not None:
            with suppress(OSError):
                write_atomically(self.path, _packed(state, sealer))


def _packed(state: State, sealer: Sealer) -> memoryview:
    """The file's bytes, made in one piece of memory: they may be most of what there is."""
    arrays: list[tuple[int, NDArray[Any]]] = []
    size = 0

    def placed(value: object) -> msgspec.msgpack.Ext:
        nonlocal size
        if not isinstance(value, np.ndarray):
            raise TypeError(f"a {type(value).__name__} in a state")
        unit = BLOCK_BYTES if value.nbytes >= BLOCK_BYTES else _ALIGNED
        offset = -(-size // unit) * unit
        arrays.append((offset, value))
        size = offset + value.nbytes
        place = (value.dtype.str, value.shape, offset)
        return msgspec.msgpack.Ext(_ARRAY, msgspec.msgpack.encode(place))

    plain = msgspec.msgpack.encode(state, enc_hook=placed)
    blocks = -(-size // BLOCK_BYTES)
    data = np.zeros(size + len(plain) + blocks * _DIGEST_BYTES + 1024, np.uint8)
    for offset, array in arrays:
        flat = np.ascontiguousarray(array).reshape(-1)
        data[offset : offset + array.nbytes] = flat.view(np.uint8)
    body = data[:size].data
    digests = b"".join(
        hashlib.sha256(body[at : at + BLOCK_BYTES]).digest() for at in range(0, size, BLOCK_BYTES)
    )
    head = msgspec.msgpack.encode(_SealedHead(size, digests, msgspec.Raw(plain)))
    length = len(head).to_bytes(_LENGTH_BYTES, "little")
    end = head + length + sealer.seal(length, head)
    data[size : size + len(end)] = np.frombuffer(end, np.uint8)
    return data[: size + len(end)].data
