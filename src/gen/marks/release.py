"""The one place through which machine-written music leaves: it is marked here, in every form.

A piece's MIDI file carries two marks of the house (`provenance.mark`) and content credentials,
which lie beside it once more (`.c2pa`) for validators that do not know MIDI. What is made from
that file, a score, a picture, sound or a stem, is signed as the file is, and keeps the file's
credentials among its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gen
from gen.errors import HouseError
from gen.marks.claims import Claims, Ingredient, Stamp, beside, embedded
from gen.marks.containers import Midi, container_of
from gen.marks.cose import CoseError
from gen.marks.jumbf import BrokenStoreError
from gen.marks.manifest import PIECE, read_store
from gen.marks.signing import Signer, signer_for, signer_with
from gen.provenance.admission.mark import is_generated, mark_generated
from gen.provenance.signing.keys import PrivateKey

SIDECAR: Final = ".c2pa"
_SOFTWARE: Final = ("music-house gen", gen.__version__)
_FACTS: Final = ("house", "checkpoint_sha256", "manifest_sha256", "music_sha256", "entered")
_MIDI: Final = Midi()


@dataclass(frozen=True, slots=True)
class Released:
    """A piece as it leaves: its file, and the credentials that lie beside it."""

    midi: bytes
    sidecar: bytes


@dataclass(frozen=True, slots=True)
class Outlet:
    """Marks pieces.

    Attributes:
        signer: signs their credentials.
        stamp: has an authority stamp them; None for no authority.
    """

    signer: Signer
    stamp: Stamp | None = None

    @staticmethod
    def of(house: str, key: PrivateKey | None, authority: str | None = None) -> Outlet:
        """An outlet of a house.

        Args:
            house: its name.
            key: a producer's; without one, marks are signed for this computer alone.
            authority: address of a time-stamp authority (RFC 3161).
        """
        return Outlet(signer_for(house, key), stamp_by(authority))

    def signing_like(self, midi: Path) -> Outlet:
        """The same, signing as a file on disk is signed where its signer is here."""
        try:
            found = _signer_of(midi.read_bytes())
        except OSError:
            return self
        return Outlet(found, self.stamp) if found else self

    def piece(
        self, music: bytes, record: Mapping[str, Any], receipt_digest: str, title: str
    ) -> Released:
        """Mark a new piece.

        Args:
            music: its MIDI file; credentials that are in it, of a file that was worked on, are
                kept among the new ones.
            record: its receipt.
            receipt_digest: SHA-256 of the receipt's bytes, hex.
            title: what the piece is called.

        Raises:
            HouseError: the authority does not stamp it.
        """
        held = _MIDI.find(music)
        marked = mark_generated(_MIDI.without(music), receipt_digest)
        claims = _claims(record, receipt_digest, title, held.store if held else None)
        midi = embedded(marked, _MIDI, claims, self.signer, self.stamp)
        return Released(midi, beside(midi, claims, self.signer, self.stamp))


def _claims(
    record: Mapping[str, Any], receipt_digest: str, title: str, store: bytes | None
) -> Claims:
    source = record.get("source")
    made_from = [
        Ingredient("checkpoint", "application/octet-stream", "inputTo",
                   record["checkpoint_sha256"]),
        Ingredient("receipt", "application/json", "inputTo", receipt_digest),
    ]  # fmt: skip
    if source:
        parent = Ingredient(
            source["file"], _MIDI.media_type, "parentOf", source["file_sha256"], store
        )
        made_from.insert(0, parent)
    facts = {name: record[name] for name in _FACTS if name in record}
    return Claims(title, _SOFTWARE, {**facts, "receipt_sha256": receipt_digest}, made_from)


def like(midi: bytes, data: bytes, title: str, stamp: Stamp | None = None) -> bytes:
    """What was made from a piece's file, marked as that is; as it is where that has no mark.

    Args:
        midi: the piece's file.
        data: a score, a picture, sound, or a stem as MIDI.
        title: what the piece is called.
        stamp: has an authority stamp the marks; None for no authority.

    Raises:
        HouseError: the authority does not stamp them.
    """
    container = container_of(data)
    if container is None or not is_generated(midi):
        return data
    held = _MIDI.find(midi)
    store = held.store if held else None
    digest = hashlib.sha256(midi).hexdigest()
    facts = {**_facts_in(store), "midi_sha256": digest}
    source = Ingredient(title, _MIDI.media_type, "inputTo", digest, store)
    signer = _signer_of(midi) or signer_for("", None)
    return embedded(data, container, Claims(title, _SOFTWARE, facts, (source,)), signer, stamp)


def mark_beside(midi: Path, *made: Path, authority: str | None = None) -> None:
    """Mark files that were made from a piece's file, in their places; nothing without that file.

    Args:
        midi: the piece's file.
        made: what was made from it.
        authority: address of a time-stamp authority (RFC 3161), which stamps each mark.

    Raises:
        HouseError: one of them cannot be written, or the authority does not stamp it.
    """
    from gen.disk import write_atomically

    if not midi.is_file():
        return
    data, stamp = midi.read_bytes(), stamp_by(authority)
    for path in made:
        try:
            write_atomically(path, like(data, path.read_bytes(), midi.stem, stamp))
        except OSError as error:
            what = f"cannot be marked ({error.strerror})"
            raise HouseError(what, where=str(path)) from error


def _facts_in(store: bytes | None) -> dict[str, Any]:
    try:
        found = read_store(store or b"").active.assertions.get(PIECE)
    except BrokenStoreError:
        return {}
    return dict(found) if isinstance(found, Mapping) else {}


def _signer_of(midi: bytes) -> Signer | None:
    held = _MIDI.find(midi)
    if held is None:
        return None
    try:
        signature = read_store(held.store).active.signature
        return signer_with(signature.certificate) if signature else None
    except (BrokenStoreError, CoseError):
        return None


def stamp_by(url: str | None) -> Stamp | None:
    """Has an authority stamp bytes, and checks nothing of the answer but that it is of them."""
    if url is None:
        return None
    from gen.provenance.witnesses.stamps import ask_authority, request_for, token_of

    return lambda data: token_of(ask_authority(url, request_for(data)), data)
