"""The reply to a letter: what was asked, what was found, and what it can be checked with.

One document, signed by a curator: its JSON says everything, in whole numbers (weights in tenths,
shares in percent); a Markdown page says the same for people. Beside it lie proofs that anybody
with the house's pin can check (`house.py verify --proof FILE`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gen.disclosure.copies import inventory, not_seen
from gen.disclosure.entered import enter_paper
from gen.disclosure.matching import WORK, Compared, PrintMatch
from gen.disclosure.signed import ANSWER_TYPE, heading, sign_paper
from gen.disk import check_can_write, write_all_atomically
from gen.errors import HouseError
from gen.likeness.lookup import MATCH
from gen.likeness.print_lists import PrintList, listed
from gen.provenance.history.impact import impact_of
from gen.provenance.history.register import Register
from gen.provenance.history.runs import Run
from gen.provenance.houses.house import House
from gen.provenance.houses.proofs import prove
from gen.provenance.manifests.model_file import ModelFile
from gen.provenance.manifests.recorded import run_behind
from gen.provenance.signing.canonical import utc_now
from gen.provenance.signing.keys import SigningKey

FORMAT: Final = 1
SIGNED, PAGE, PROOFS = "answer.json", "answer.md", "proofs"
LIMITS: Final = (
    "A match is a reason to listen, not a judgment about who composed what.",
    "What is heavily changed, or shares no melody of seven notes, is not found by hashes.",
    "Copies are those on the computer, and in the folders, where this was made.",
    "That the works behind the model are all that it learned from follows from replaying its run "
    "(house.py rebuild); where that was not done, it is the trainer's word.",
)

MemoryTest = Callable[[Sequence[str]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Letter:
    """What came in.

    Attributes:
        sender: who wrote.
        received: the day, ISO.
        asked: the list that came with it.
        sha256: of the list's file.
    """

    sender: str
    received: str
    asked: PrintList
    sha256: str


def answer_of(
    house: House, letter: Letter, model: ModelFile, *,
    folders: Sequence[Path] = (), cache_folders: Sequence[Path] = (),
    memory_test: MemoryTest | None = None,
    advance: Callable[[], None] = lambda: None,
) -> dict[str, Any]:  # fmt: skip
    """What is to be signed.

    Args:
        house: who answers.
        letter: what was asked.
        model: that it was asked about; the log has to name it.
        folders: where copies are looked for besides the house and the user's caches.
        cache_folders: such as `HOUSE_CACHE` named for some command.
        memory_test: asks the model for works by id (`gen.disclosure.memory`); None asks nothing.
        advance: called for each work that was read.

    Raises:
        HouseError: the log does not name the model, or cannot be read.
    """
    register = house.load(full=True)
    run = run_behind(model, register)
    works = model.manifest.works_here
    compared = Compared.of(house, register, works, _runs_of(register, works), advance)
    matches = compared.matches(letter.asked.works)
    found = sorted({match.name for match in matches if match.kind == WORK})
    copies = inventory(house, register, found, folders, cache_folders)
    found_listed = {match.listed for match in matches}
    return {
        **heading(house, register),
        "answered": utc_now(),
        "compared": {
            "from_weight_tenths": round(10 * MATCH),
            "missing": [{"why": why, "work": work} for work, why in compared.missing],
            "pieces": len(compared.pieces),
            "works": len(compared.works),
        },
        "copies": [copy.to_dict() for copy in copies],
        "format": FORMAT,
        "limits": list(LIMITS),
        "matches": [_match(match) for match in matches],
        "memory": memory_test(found) if memory_test and found else None,
        "model": _model(model, run),
        "models_not_seen": not_seen(register, found, copies),
        "nothing_found_of": [w.name for w in letter.asked.works if w.name not in found_listed],
        "question": {
            "from": letter.sender,
            "holder": letter.asked.holder,
            "list_sha256": letter.sha256,
            "pieces": listed(letter.asked.works),
            "received": letter.received,
            "unread": [{"name": n, "reason": r} for n, r in letter.asked.unread],
        },
        "works": [_work(register, work) for work in found],
    }


def _runs_of(register: Register, works: Sequence[str]) -> list[int]:
    """Every run that learned from any of these works: what its models wrote is compared, too."""
    return [run.index for run in register.runs.that_read(works)]


def _match(match: PrintMatch) -> dict[str, Any]:
    chain = match.shared.chain
    return {
        "bars": list(chain.ours),
        "kind": match.kind,
        "listed": match.listed,
        "name": match.name,
        "their_bars": list(chain.theirs),
        "weight_tenths": round(10 * match.shared.weight),
    }


def _model(model: ModelFile, run: Run) -> dict[str, Any]:
    return {
        "began_with": model.manifest.bases_named(),
        "file_sha256": model.file_sha256,
        "is_asserted": run.is_asserted,
        "manifest_sha256": model.manifest.digest,
        "purpose": model.manifest.purpose,
        "run": run.index,
        "run_name": run.name,
        "tensors_sha256": model.tensors_sha256,
        "trained": run.time,
        "transcript": run.transcript,
        "works": len(model.manifest.works_here),
    }


def _work(register: Register, work: str) -> dict[str, Any]:
    """How a work was reached, what it may be used for, and what used it."""
    record = register.works[work]
    entry = record.entry
    return {
        "accepted_by": record.accepted_by,
        "act": record.index,
        "allowed": str(register.consent_of(record)),
        "composers": [{"id": who, "share": share} for who, share in entry.composers],
        "entered": record.time,
        "music_sha256": entry.music_sha256,
        "title": entry.title,
        "used_by": impact_of(register, [work]).to_dict(),
        "withdrawn_at": record.withdrawn_at,
        "work": work,
    }


# -- signing and writing ---------------------------------------------------------------------


def check_free(folder: Path) -> None:
    """Whether an answer can be written into a folder.

    Raises:
        HouseError: there is an answer in it, or it cannot be written.
    """
    if (folder / SIGNED).exists():
        raise HouseError("there is an answer already", where=str(folder), mend="name another --out")
    check_can_write(folder, is_folder=True)


def write_answer(
    house: House,
    register: Register,
    folder: Path,
    answer: dict[str, Any],
    page: str,
    key: SigningKey,
) -> tuple[list[Path], int]:
    """Sign an answer, write it into a folder, and enter it in the log.

    Returns:
        The files' paths, and the index of the act. Proofs that go with it, one for each work that
        agrees, are of the log with that act.

    Raises:
        HouseError: the key is no curator's, or there is an answer in the folder; or it was written
            and could not be entered, with what enters it later.
    """
    check_free(folder)
    signed = sign_paper(answer, ANSWER_TYPE, register, key)
    (folder / PROOFS).mkdir(parents=True, exist_ok=True)
    files = {folder / SIGNED: signed, folder / PAGE: page.encode("utf-8")}
    write_all_atomically(files)
    try:
        act = enter_paper(house, key, signed, "answer", answer["model"]["file_sha256"])
    except HouseError as error:
        words = f"disclose.py enter {folder / SIGNED} --kind answer --about CHECKPOINT"
        error.mend = (
            f"{error.mend + '; ' if error.mend else ''}then enter what was written: {words}"
        )
        raise
    entered = house.load(full=True)
    proofs = {
        folder / PROOFS / f"{each['work']}.json": prove(house, each["act"], register=entered)
        for each in answer["works"]
    }
    write_all_atomically(
        {path: json.dumps(p, indent=1, sort_keys=True).encode() for path, p in proofs.items()}
    )
    return [*files, *proofs], act
