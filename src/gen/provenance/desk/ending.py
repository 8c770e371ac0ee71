"""What a run has to enter at its end, kept in its folder until it is entered.

The log may be busy, or the disk full, when a run of days ends. So its end lies in its folder first,
under a seal of the user's own (`gen.disk.seals`), and `house.py end FOLDER` enters it later.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from gen.disk import write_atomically
from gen.disk.reading import RUN_END, read
from gen.disk.seals import Sealer, user_secret
from gen.errors import HouseError
from gen.provenance.records.run_acts import End
from gen.provenance.signing.canonical import StrictJsonError, canonical, canonical_json
from gen.provenance.signing.shapes import Shape

FILE = "end.json"


class _SealedEnd(Shape, frozen=True):
    """What the file holds."""

    WHAT: ClassVar[str] = "end"

    end: End
    house: str
    seal: str


def _sealed_part(end: End, house: str) -> bytes:
    return canonical({"end": end.to_dict(), "house": house})


def keep_end(folder: Path, house: str, end: End) -> bool:
    """Leave a run's end in its folder; False where no secret is there to seal it with.

    Args:
        folder: of the run.
        house: whose log it belongs in.
        end: what is to be entered.
    """
    if secret := user_secret():
        seal = _sealer(secret).seal(_sealed_part(end, house)).hex()
        write_atomically(folder / FILE, canonical(_SealedEnd(end, house, seal).to_dict()))
    return bool(secret)


def kept_end(folder: Path, house: str) -> End:
    """The end that a run left in its folder.

    Raises:
        HouseError: there is none, another house's, or not of this user's own.
    """
    path = folder / FILE
    if not path.is_file():
        raise HouseError(
            "holds no end of a run: it was killed before it ended, or is entered already",
            where=str(folder),
            mend="see house.py log; to go on with a killed one: train.py with its settings and "
            f"ckpt={folder / 'last.ckpt'}",
        )
    try:
        sealed = _SealedEnd.from_dict(canonical_json(read(path, RUN_END)))
        seal = bytes.fromhex(sealed.seal)
    except (StrictJsonError, ValueError) as error:
        raise HouseError(f"is no end of a run: {error}", where=str(path)) from error
    secret = user_secret()
    if not secret or not _sealer(secret).holds(seal, _sealed_part(sealed.end, sealed.house)):
        raise HouseError(
            "its seal does not hold: the file was changed, or another user's run wrote it",
            where=str(path), mend="enter it as the user who trained",
        )  # fmt: skip
    if sealed.house != house:
        raise HouseError(f"is of the house {sealed.house}", where=str(path), mend="name its --pin")
    return sealed.end


def forget_end(folder: Path) -> None:
    """It was entered."""
    (folder / FILE).unlink(missing_ok=True)


def _sealer(secret: bytes) -> Sealer:
    return Sealer(secret, "run end 1")
