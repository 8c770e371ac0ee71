"""Whether a file was written by the house's models: by mark, by watermark, by log.

No way alone is enough. Marks are taken off in a moment; the watermark needs the key and enough
notes; the log knows only what was entered. What each way says is kept apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gen.disk.reading import FileKind
from gen.likeness.fingerprint import NewPiece
from gen.likeness.report import BLOCK, OUTPUT, WITHDRAWN, WORK, Match
from gen.likeness.screening import Screen
from gen.marks.containers import container_of
from gen.marks.cose import CoseError, name_on, signed_by
from gen.marks.evidence import SURE, evidence
from gen.marks.jumbf import BrokenStoreError
from gen.marks.manifest import PIECE, ContentManifest, binds, read_store
from gen.marks.watermark_keys import WatermarkKey, keys_of
from gen.piece import Piece
from gen.provenance.admission.mark import is_generated, receipt_named, says_machine_made
from gen.provenance.desk.recording import outputs_of
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.signing.canonical import sha256_hex
from gen.smf import musical_hash

MARK, WATERMARK, LOG = "mark", "watermark", "log"
MARKED_FILE: Final = FileKind("file", 1 << 30)


@dataclass(frozen=True, slots=True)
class Sight:
    """What one way says.

    Attributes:
        way: `MARK`, `WATERMARK` or `LOG`.
        is_ours: whether it finds that the house's models wrote it; None where it cannot look.
        says: in sentences.
    """

    way: str
    is_ours: bool | None
    says: tuple[str, ...]


# By mark --------------------------------------------------------------------------------


def by_mark(data: bytes, register: Register) -> Sight:
    """What a file's marks say, and whether they are the house's.

    A mark is the house's where its signature holds, is about these bytes, and is by a key that a
    person of the house certified with one that was not declared stolen. Anybody can write the name
    of a receipt into a file: that is said, and counts for nothing.
    """
    says, is_ours = [], False
    if (receipt := receipt_named(data)) is not None:
        at = register.runs.entered_at(receipt)
        known = f"which the log has: act {at}" if at is not None else "which the log does not know"
        says.append(f"it names the receipt {receipt[:16]}…, {known}")
    container = container_of(data)
    held = container.find(data) if container else None
    if held is not None:
        try:
            manifests = read_store(held.store).manifests
            holds = binds(manifests[-1], data, held)
        except BrokenStoreError as error:
            says.append(f"its content credentials cannot be read: {error}")
        else:
            is_ours, found = _credentials(manifests, holds, register)
            says += found
    elif says_machine_made(data) or (not says and is_generated(data)):
        says.append("it says of itself that a machine made it")
    return Sight(MARK, is_ours, tuple(says) or ("none that is known",))


def _credentials(
    manifests: Sequence[ContentManifest], holds: bool | None, register: Register
) -> tuple[bool, list[str]]:
    active = manifests[-1]
    publics = {
        f"{person.id} of {register.roster.house}": key.public
        for person in register.roster.people
        for key in person.keys
        if key.compromised_from is None
    }
    try:
        certificate = active.signature.certificate if active.signature else b""
        signer = signed_by(certificate, publics) if certificate else None
        named = name_on(certificate) if certificate else "nobody"
    except (CoseError, ValueError):
        signer, named = None, "nobody whose certificate can be read"
    about = {True: "and are about these bytes", False: "but are about other bytes: it was changed",
             None: "and are bound to it in a way that is not checked here"}[holds]  # fmt: skip
    says = [f"content credentials, signed by {signer or f'{named}, whom the house does not know'}"]
    if active.problems:
        says.append(f"they do not hold: {'; '.join(active.problems)}")
    else:
        says.append(f"they hold, {about}")
    says += [f"they say: {kind.rpartition('/')[2]}" for kind in active.source_types]
    facts = active.assertions.get(PIECE)
    if isinstance(facts, Mapping) and isinstance(receipt := facts.get("receipt_sha256"), str):
        says.append(f"they name the receipt {receipt[:16]}…")
    says += [f"made from another with credentials: {m.label}" for m in manifests[:-1]]
    return bool(signer) and not active.problems and holds is True, says


# By watermark ---------------------------------------------------------------------------


def by_watermark(piece: Piece | None, keys: Sequence[WatermarkKey]) -> Sight:
    """Whether one of the house's keys wrote in the notes.

    With several keys the evidence for each counts less, so that all together err no oftener.
    """
    if piece is None:
        return Sight(WATERMARK, None, ("only the notes of a MIDI file can be looked at",))
    if not keys:
        return Sight(WATERMARK, None, ("no watermark key of the house is on this computer",))
    best, key = max(((evidence(piece, key.secret), key) for key in keys), key=lambda f: f[0].powers)
    needed = SURE + math.log10(len(keys))
    says = (
        f"{best.choices} choices speak for the key {key.id} as in one of 10^{best.powers:.1f} "
        f"pieces without it; one of 10^{needed:.1f} is sure"
    )
    return Sight(WATERMARK, best.powers >= needed, (says,))


# By log ---------------------------------------------------------------------------------


def by_log(
    data: bytes, piece: Piece | None, house: House, register: Register, screen: Screen
) -> Sight:
    """Whether the log has this file, this sound, or a piece that it is made of.

    Likeness is that of contribution: passages or bars of an output, be they transposed, at
    another tempo, trimmed or played by other instruments. What is as close to a work of the
    house says nothing of a model: models learned from the works.

    Args:
        data: the file.
        piece: its music; None where that cannot be read.
        house: whose log.
        register: of it.
        screen: knows the house's works and outputs.
    """
    digest, sound = sha256_hex(data), musical_hash(piece) if piece else ""
    for output in outputs_of(house, register):
        if output.sha256 == digest:
            return Sight(LOG, True, (f"it is the output {output.path or output.receipt}",))
        if output.musical_hash == sound:
            return Sight(LOG, True, (f"it sounds as the output {output.path or output.receipt}",))
    if piece is None:
        return Sight(LOG, False, ("no output is this very file; its notes cannot be looked at",))
    if (work := register.same_music("", sound)) is not None:
        return Sight(LOG, False, (f"it is the work {work.entry.work}",))
    report = screen.compare(NewPiece.of(piece))
    outputs = [match for match in report.matches if match.known.kind == OUTPUT]
    closest = max((m for m in outputs if m.verdict == BLOCK), key=_closeness, default=None)
    works = (match for match in report.matches if match.known.kind in (WORK, WITHDRAWN))
    work_too = max(works, key=_closeness, default=None)
    if closest is None:
        return Sight(LOG, False, (f"like no output among {report.compared} pieces it knows",))
    if work_too is not None and _closeness(work_too) >= _closeness(closest):
        says = f"nearer to the work {work_too.known.name} than to any output"
        return Sight(LOG, False, (says,))
    return Sight(LOG, True, (f"it is made of the output with the receipt {closest.known.name}",))


def _closeness(match: Match) -> tuple[float, int]:
    """How much of the whole is alike, and how much the longest passage says."""
    whole = max(match.similarity, match.bars if match.known.kind == OUTPUT else 0.0)
    return round(whole, 1), match.passage.bits if match.passage else 0


# All ------------------------------------------------------------------------------------


def detect(
    data: bytes, piece: Piece | None, house: House, register: Register, screen: Screen
) -> tuple[Sight, ...]:
    """What each way says of a file; see `by_log` for the arguments."""
    return (
        by_mark(data, register),
        by_watermark(piece, keys_of(house.pin.name)),
        by_log(data, piece, house, register, screen),
    )
