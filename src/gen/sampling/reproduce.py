"""A piece once more, from its receipt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import torch

from gen.disk import write_all_atomically
from gen.disk.reading import MIDI, NamedFileError, sha256_of
from gen.errors import HouseError
from gen.harmony import nearest
from gen.marks.release import SIDECAR
from gen.sampling.opening.checkpoints import checkpoint_of
from gen.sampling.receipt import OFF, Receipt, differences, encode, environment, standing
from gen.sampling.request import MODES, PLACES, SampleRequest
from gen.sampling.session import SamplingSession, open_session, unwritable
from gen.sampling.takes import Sampled, Take
from gen.settings import CPU

_CLAIMS: Final = (
    "machine_generated", "checkpoint_sha256", "manifest_sha256", "house", "works_learned_from",
    "run", "tokenizer", "seed", "watermark", "index", "attempt", "batch", "asked_and_got",
    "scores_met", "polished", "musical_hash", "notes", "seconds",
)  # fmt: skip
"""What a receipt says that can be worked out again."""
_UNSAID: Final = {
    "device": CPU, "steering": 0, "rules": 1, "polish": 0, "swing": 0, "humanise": 0,
    "timing": None, "watermark_kind": 1,
}  # fmt: skip
"""What receipts of earlier versions do not name, as it was then."""
_BELIEVED: Final = "how original it is, is as the receipt says: it was not compared again"


class _FoundError(Exception):
    """Ends a batch as soon as the piece in question is there."""

    def __init__(self, take: Take) -> None:
        self.take = take
        super().__init__()


def reproduced(request: SampleRequest, receipt: Receipt) -> Sampled:
    """The piece that a receipt describes, byte for byte, and whether the receipt says what is true.

    It is written among the same pieces as it was, since those side by side have a part in its
    last bits. A receipt says how the music was made and nothing else: which house is trusted,
    which files are opened and where the piece goes is the command's to say. The log, which has
    the piece, is left as it is.

    Raises:
        HouseError: the checkpoint or the given file is another, the bytes differ, the receipt
            claims what is not so, or the log lacks what a producer of the house says it has.
    """
    record = receipt.record
    settings = request.settings
    again = {
        **settings, **_musical(record["settings"]),
        "originality": OFF, "sign": OFF, "receipt": None,
    }  # fmt: skip
    if again["device"] != CPU and not torch.cuda.is_available():
        raise HouseError(
            f"was written on {record['machine'].get('device')!s:.60}, PyTorch sees no CUDA device",
            where=str(receipt.path), mend="write it again on such a machine",
        )  # fmt: skip
    again["watermark"] = record.get("watermark") or OFF
    again["checkpoint"] = str(checkpoint_of(request.places.checkpoint, record["checkpoint_sha256"]))
    if source := record["source"]:
        mode = nearest(source["mode"], MODES, setting="source")
        _check_source(settings.get(mode), mode, source["file_sha256"], receipt)
    session = open_session(SampleRequest.of(again))
    take = _again(session, record)
    if hashlib.sha256(take.music).hexdigest() != record["music_sha256"]:
        changed = differences(record, environment(session.checkpoint.model))
        raise HouseError(
            "other bytes came out than it describes\n  "
            + "\n  ".join(changed or ["code and machine are as they were"]),
            where=str(receipt.path),
            mend="sample where and with what it was written" if changed
            else "the receipt was changed, or this is a fault of ours: please report it",
        )  # fmt: skip
    _check_claims(receipt, session, take)
    known = standing(receipt, session.house.load())
    paths = session.out / f"{receipt.path.stem}.mid", session.out / receipt.path.name
    outlet = session.outlet.signing_like(receipt.path.with_suffix(".mid"))
    released = replace(session, outlet=outlet).released(take, record, receipt.digest)
    files = {
        paths[1]: receipt.data,
        paths[0].with_suffix(SIDECAR): released.sidecar,
        paths[0]: released.midi,
    }
    try:
        write_all_atomically(files)
    except OSError as error:
        raise unwritable(session.out, error) from error
    believed = () if record["originality"] is None else (_BELIEVED,)
    notes = ("the same bytes", *known, *believed)
    return Sampled(take.piece, *paths, record, notes, take.score)


def _musical(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a receipt may decide: how the music is made, not where, nor from which file."""
    kept = {name: value for name, value in settings.items() if name not in {*PLACES, *MODES}}
    return {**_UNSAID, **kept}


def _check_claims(receipt: Receipt, session: SamplingSession, take: Take) -> None:
    """Hold what the receipt says of the piece and its model against what is so.

    Raises:
        HouseError: names the first claim that is not so.
    """
    found = json.loads(encode(session.record(take)))
    for name in _CLAIMS:
        if receipt.record.get(name) != found.get(name):
            raise HouseError(
                f"claims {name} {receipt.record.get(name)!r:.80}, it is {found.get(name)!r:.80}",
                where=str(receipt.path), mend="the receipt was changed: do not believe it",
            )  # fmt: skip


def _check_source(path: object, mode: str, digest: str, receipt: Receipt) -> None:
    if not path:
        raise HouseError(
            "describes a piece that was made from a file, and does not decide which is opened",
            where=str(receipt.path), mend=f"say where the file is: {mode}=FILE",
        )  # fmt: skip
    place = str(path)
    try:
        found = sha256_of(place, MIDI)
    except NamedFileError as error:
        raise HouseError(error.what, where=place, mend=f"say where it is: {mode}=FILE") from error
    if found != digest:
        raise HouseError(
            f"is not the file that the piece was made from (SHA-256 {digest})", where=place,
            mend=f"name the right one: {mode}=FILE",
        )  # fmt: skip


def _again(session: SamplingSession, record: Mapping[str, Any]) -> Take:
    """The attempt that a receipt describes."""

    def found(take: Take) -> None:
        if take.index == record["index"]:
            raise _FoundError(take)

    try:
        session.write(record["batch"], found, record["attempt"])
    except _FoundError as error:
        return error.take
    raise AssertionError("a receipt's piece is one of its batch")
