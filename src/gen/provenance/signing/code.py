"""What program this is: digests of its source and of what is installed beside it."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import gen


def code_digest() -> str:
    """SHA-256 over name and bytes of every Python file of this package."""
    return source_digest("")


@cache
def source_digest(room: str) -> str:
    """The same of the files in one room of it."""
    root, digest = Path(gen.__file__).parent, hashlib.sha256()
    found = (root / room).rglob("*.py")
    for path in sorted(found, key=lambda path: path.relative_to(root).as_posix()):
        text = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(root).as_posix()}\n{len(text)}\n".encode() + text)
    return digest.hexdigest()


@cache
def lock_digest() -> str:
    """SHA-256 over the installed distributions, each as `name==version`, sorted.

    Not of a lock file, which says what should be there.
    """
    found = {f"{each.metadata['Name']}=={each.version}".lower() for each in distributions()}
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()
