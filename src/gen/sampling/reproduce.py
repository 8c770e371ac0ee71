"""A piece once more, from its receipt."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import torch

from gen.disk import write_all_atomically
from gen.errors import HouseError
from gen.provenance.mark import mark_generated
from gen.sampling.checkpoints import checkpoint_of
from gen.sampling.opening import open_session
from gen.sampling.receipt import Receipt, differences, environment, standing
from gen.sampling.session import CPU, OFF, Sampled, Session, Take, unwritable


class _FoundError(Exception):
    """Ends a batch as soon as the piece in question is there."""

    def __init__(self, take: Take) -> None:
        self.take = take
        super().__init__()


def reproduced(settings: Mapping[str, Any], told: Receipt) -> Sampled:
    """The piece that a receipt tells of, byte for byte, written from nothing but what it says.

    It is written among the same pieces as it was, since those side by side have a part in its
    last bits. The ledger, which has it, is left as it is.

    Raises:
        HouseError: the checkpoint or the given file is another, or the bytes differ.
    """
    record = told.record
    kept = {"device": CPU, **record["settings"]}  # older receipts do not say where
    again = {**settings, **kept, "originality": OFF, "sign": OFF}
    if kept["device"] != CPU and not torch.cuda.is_available():
        raise HouseError(
            f"was written on {record['machine'].get('device')!s:.60}, PyTorch sees no CUDA device",
            where=str(told.path), mend="write it again on such a machine",
        )  # fmt: skip
    again["checkpoint"] = str(checkpoint_of(settings["checkpoint"], record["checkpoint_sha256"]))
    if source := record["source"]:
        mode = source["mode"]
        again[mode] = settings.get(mode) or again[mode]
        _check_source(str(again[mode]), mode, source["file_sha256"])
    session = open_session(again)
    take = _again(session, record)
    if hashlib.sha256(take.music).hexdigest() != record["music_sha256"]:
        changed = differences(record, environment(session.checkpoint.model))
        raise HouseError(
            "other bytes came out than it tells of\n  "
            + "\n  ".join(changed or ["code and machine are as they were"]),
            where=str(told.path),
            mend="sample where and with what it was written" if changed
            else "the receipt was changed, or this is a fault of ours: please report it",
        )  # fmt: skip
    paths = session.out / f"{told.path.stem}.mid", session.out / told.path.name
    files = {paths[1]: told.data, paths[0]: mark_generated(take.music, told.digest)}
    try:
        write_all_atomically(files)
    except OSError as error:
        raise unwritable(session.out, error) from error
    register = session.house.load()
    notes = ("the same bytes", *standing(told, session.house, register))
    return Sampled(take.piece, *paths, record, notes)


def _check_source(path: str, mode: str, digest: str) -> None:
    try:
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise HouseError(
            f"cannot be read ({error.strerror})", where=path, mend=f"say where it is: {mode}=FILE"
        ) from error
    if found != digest:
        raise HouseError(
            f"is not the file that the piece was made from (SHA-256 {digest})", where=path,
            mend=f"name the right one: {mode}=FILE",
        )  # fmt: skip


def _again(session: Session, record: Mapping[str, Any]) -> Take:
    """The attempt that a receipt tells of."""

    def found(take: Take) -> None:
        if take.index == record["index"]:
            raise _FoundError(take)

    try:
        session.write(record["batch"], found, record["attempt"])
    except _FoundError as error:
        return error.take
    raise AssertionError("a receipt's piece is one of its batch")
