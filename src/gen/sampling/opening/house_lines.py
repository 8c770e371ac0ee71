"""The house's own lines as a model's folder brings them: worked out once, signed with the models.

They follow from the works behind the model and from how passages are measured. Who has neither
changed may take them, on the word of those who sign the house's models; nobody else's counts.
"""

from __future__ import annotations

import logging
import os
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal, Self

import msgspec

from gen.disk import write_atomically
from gen.disk.reading import MEBIBYTE, FileKind, NamedFileError, read
from gen.likeness.originality import Lines
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.signing.canonical import StrictJsonError, canonical, canonical_json
from gen.provenance.signing.model_signing import (
    FOLDER_SIGNATURE,
    SIGNATURE,
    FolderSignatureError,
    signed_digests,
    trusted_key,
)
from gen.provenance.signing.shapes import Digest, Shape

logger = logging.getLogger(__name__)

NAME: Final = "house_lines.json"
_FILE: Final = FileKind("file of a house's lines", MEBIBYTE)
_Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class _LinesRecord(Shape, frozen=True):
    """`Lines` as the file has them."""

    melody: _Count
    bass: _Count
    accompaniment: _Count
    works: _Count


class LinesFile(Shape, frozen=True):
    """A file of the lines of each corpus behind the models of a folder.

    Attributes:
        format: of its JSON.
        measure: what they were measured by, which other versions do not take them for.
        corpora: by a digest that names the works.
    """

    WHAT: ClassVar[str] = "house's lines"

    format: Literal["gen house lines 1"]
    measure: str
    corpora: dict[Digest, _LinesRecord]

    @classmethod
    def write(cls, folder: Path, measure: str, corpora: dict[str, Lines]) -> Path:
        """Write it into a model's folder; the path."""
        records = {works: _LinesRecord(**asdict(lines)) for works, lines in corpora.items()}
        data = canonical(cls("gen house lines 1", measure, records).to_dict())
        write_atomically(folder / NAME, data)
        return folder / NAME


@dataclass(frozen=True, slots=True)
class SignedLines:
    """Where a model's folder brings lines, and whose signature they need.

    Attributes:
        folder: that is signed.
        key: the public key of the house's models, as a roster names it.
    """

    folder: Path
    key: str

    @classmethod
    def beside(cls, checkpoint: Path, house: House, register: Register) -> Self | None:
        """What lies in the folder of a model, or in the one above, which may be signed with it.

        None where no such file is there, or the house's people name no key to sign it with.
        """
        key = trusted_key(register.roster.models, house.pin.path)
        folders = checkpoint.absolute().parents[:2]
        found = next((each for each in folders if os.path.isfile(each / NAME)), None)
        return cls(found, key) if found and key else None

    def of(self, works: str, measure: str) -> Lines | None:
        """The lines of a corpus; None where they have to be worked out.

        A signature that does not hold is said in the log: somebody changed what was signed.

        Args:
            works: the digest that names them.
            measure: what these lines have to be measured by.
        """
        try:
            data = self._signed()
            found = LinesFile.from_dict(canonical_json(data))
        except (NamedFileError, FolderSignatureError, StrictJsonError) as error:
            logger.warning(
                "%s: not taken, and worked out from the works instead: %s",
                self.folder / NAME, error.what,
            )  # fmt: skip
            return None
        record = found.corpora.get(works) if found.measure == measure else None
        return Lines(**record.to_dict()) if record else None

    def _signed(self) -> bytes:
        """The file's bytes, which the signature names."""
        data = read(self.folder / NAME, _FILE)
        named = signed_digests(read(self.folder / SIGNATURE, FOLDER_SIGNATURE), self.key)
        if named.get(NAME) != sha256(data).hexdigest():
            raise FolderSignatureError("its bytes are not those that were signed")
        return data
