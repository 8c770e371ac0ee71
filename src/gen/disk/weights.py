"""Reading a file of weights (safetensors): its header is looked at before the rest is read.

The file is eight bytes with the length of a JSON header, the header, the tensors.
Source: https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from gen.disk.kinds import read_up_to
from gen.disk.reading import CHECKPOINT, NamedFileError, check_levels, opened

MOST_HEADER_BYTES = 64 << 20
_LENGTH_BYTES = 8


def read_weights(path: Path) -> bytes:
    """The whole file, when it begins as a file of weights does.

    Raises:
        NamedFileError: as `reading.opened`, or not a file of weights.
    """
    with opened(path, CHECKPOINT) as file:
        header = _header(file, path)
        rest = read_up_to(file, CHECKPOINT.max_bytes)
    return len(header).to_bytes(_LENGTH_BYTES, "little") + header + rest


def _header(file: BinaryIO, path: Path) -> bytes:
    length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    size = os.fstat(file.fileno()).st_size
    if not 0 < length <= min(MOST_HEADER_BYTES, size - _LENGTH_BYTES):
        raise _no_weights(path)
    header = file.read(length)
    try:
        check_levels(header)
    except ValueError as error:
        raise _no_weights(path) from error
    return header


def _no_weights(path: Path) -> NamedFileError:
    what = "is not a checkpoint of this format"
    return NamedFileError(what, where=str(path), mend=CHECKPOINT.mend)
