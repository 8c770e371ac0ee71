"""One sampling run: batches are written, each take is judged, what passes is kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from gen.checkpoint import Checkpoint
from gen.disk import write_all_atomically
from gen.errors import HouseError, SettingError
from gen.harmony import nearest
from gen.likeness.fingerprint import NewPiece
from gen.likeness.originality import Finding, LearnedMusic
from gen.piece import Piece
from gen.provenance.house import House
from gen.provenance.mark import mark_generated
from gen.provenance.runs import Output, Run
from gen.sampling import receipt
from gen.sampling.decode import DrawConfig, decode
from gen.sampling.job import Finished, Job
from gen.sampling.names import reserve, title_of
from gen.sampling.scores import asked_and_got, missed
from gen.sampling.signatures import OFF, Signatures
from gen.smf import musical_hash
from gen.tokens import vocabulary

MOST_PIECES: Final = 1024
MOST_TRIES: Final = 64
PLACES: Final = frozenset(
    ["checkpoint", "pin", "out", "sign", "audio", "soundfont", "receipt", "unrecorded", "hydra"]
)
"""Settings that no note depends on: where things are, and what is made besides."""
RESAMPLE, REPORT = "resample", "report"
CPU: Final = "cpu"
DEVICES: Final = (CPU, "cuda")


@dataclass(frozen=True, slots=True)
class Policy:
    """How a run is done, whatever its music.

    Args:
        n: number of pieces.
        seed: of them all; attempt a at piece i is drawn from (seed, i, a).
        tries: most attempts at a piece that does not pass.
        originality: what becomes of a piece above the house's own line: `resample` writes
            another in its place and withholds one that stays above it, `report` only says so,
            `off` compares with nothing.
        strict: write another, too, while a control is known to be missed.
        device: where the model computes, which the last bits of its sums depend on.
    """

    n: int
    seed: int
    tries: int = 4
    originality: str = RESAMPLE
    strict: bool = False
    device: str = CPU

    def __post_init__(self) -> None:
        if not 1 <= self.n <= MOST_PIECES:
            raise SettingError(f"{self.n} is outside 1 to {MOST_PIECES}", where="n")
        if self.seed < 0:
            raise SettingError(f"{self.seed} is no whole number from 0 on", where="seed")
        if not 1 <= self.tries <= MOST_TRIES:
            raise SettingError(f"{self.tries} is outside 1 to {MOST_TRIES}", where="tries")
        nearest(self.originality, (RESAMPLE, REPORT, OFF), setting="originality")
        nearest(self.device, DEVICES, setting="device")

    @property
    def on_gpu(self) -> bool:
        return self.device != CPU


@dataclass(frozen=True, slots=True)
class Sampled:
    """One finished piece on disk; `notes` are what else there is to say about it."""

    piece: Piece
    midi: Path
    receipt: Path
    record: dict[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Take:
    """One attempt at one piece.

    Attributes:
        index, attempt: which.
        batch: indices of the pieces that were written beside it, in order: the last bits of a
            sum depend on how many there are, and a long piece's windows on how long they are.
        done: the piece and its file.
        table: what was asked and what came out.
        finding: what it has in common with the works; None where nobody asked.
    """

    index: int
    attempt: int
    batch: Sequence[int]
    done: Finished
    table: list[dict[str, Any]]
    finding: Finding | None

    @property
    def piece(self) -> Piece:
        return self.done.piece

    @property
    def music(self) -> bytes:
        return self.done.music

    @property
    def source(self) -> dict[str, Any]:
        return self.done.source

    @property
    def too_close(self) -> tuple[str, ...]:
        return self.finding.above if self.finding else ()

    @property
    def missed(self) -> tuple[str, ...]:
        """Controls that were not met, in words."""
        rows = {row["control"]: row for row in self.table}
        return tuple(
            f"{name}: {rows[name]['asked']} asked, {rows[name]['got']} got"
            for name in missed(self.table)
        )

    def rank(self) -> tuple[float, int, int]:
        """The smaller the better: original, then obedient, then early."""
        return self.finding.excess if self.finding else 0.0, len(self.missed), self.attempt


@dataclass(frozen=True, slots=True)
class Session:
    """Everything that is the same for all pieces of a run.

    Attributes:
        settings: all of them, as plain containers.
        policy, draw, job: what they say.
        checkpoint: what writes.
        house: whose model writes.
        learned: what they are compared with; None with `originality=off`.
        run: what the log knows of the checkpoint; None where it does not know it.
        signatures: who signs the receipts, and who enters the pieces.
        out: folder of the pieces.
        earlier: the highest number that a piece in it has.
    """

    settings: Mapping[str, Any]
    policy: Policy
    draw: DrawConfig
    job: Job
    checkpoint: Checkpoint
    house: House
    learned: LearnedMusic | None
    run: Run | None
    signatures: Signatures
    out: Path
    earlier: int = 0
    _rejected: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    def write(self, batch: Sequence[int], on_take: Callable[[Take], None], attempt: int) -> None:
        """Write one attempt at each piece of a batch.

        Args:
            batch: indices of the pieces.
            on_take: told of each piece as it ends; what it raises here ends the batch.
            attempt: counted from 0.
        """
        seeds = [[self.policy.seed, index, attempt] for index in batch]
        drafts = [self.job.draft(seed, self.checkpoint.habits) for seed in seeds]
        rngs = [np.random.default_rng(seed) for seed in seeds]

        def finish(place: int) -> None:
            draft, job = drafts[place], self.job
            done = job.finish(draft)
            table = asked_and_got(draft.rows, done.new, job.controls)
            finding = self.learned.compare(done.new) if self.learned else None
            on_take(Take(batch[place], attempt, batch, done, table, finding))

        decode(self.checkpoint.model, drafts, rngs, self.draw, on_done=finish)

    def flaws(self, take: Take) -> list[str]:
        """Why the policy wants another attempt; nothing where this one will do."""
        close = take.too_close if self.policy.originality == RESAMPLE else ()
        return [*close, *(take.missed if self.policy.strict else ())]

    def reject(self, take: Take) -> None:
        """Remember an attempt, for the receipt of the one that is kept."""
        told = {"attempt": take.attempt, "why": self.flaws(take)}
        self._rejected.setdefault(take.index, []).append(told)

    def keep(self, take: Take) -> Sampled:
        """Enter a piece in the log, then write receipt, signature and marked file."""
        record = self.record(take)
        text = receipt.encode(record)
        digest = hashlib.sha256(text).hexdigest()
        midi = mark_generated(take.music, digest)
        name = self._name(take)
        files = {self.out / f"{name}{receipt.SUFFIX}": text}
        signature = self.out / f"{name}{receipt.SIGNATURE_SUFFIX}"
        key = self.signatures.key
        if key:
            files[signature] = receipt.signature_of(text, key)
        files[self.out / f"{name}.mid"] = midi
        try:
            entered = self._enter(take.piece, record, digest, midi, f"{name}.mid")
            write_all_atomically(files)
        except BaseException as error:  # Ctrl-C too: a piece is there as a whole or not at all
            for path in files:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise unwritable(self.out, error) from error
            raise
        paths = self.out / f"{name}.mid", self.out / f"{name}{receipt.SUFFIX}"
        signed = (f"receipt signed by {self.signatures.signer}",) if key else ()
        return Sampled(take.piece, *paths, record, (*take.done.remarks, *signed, entered))

    def _name(self, take: Take) -> str:
        """A name that nothing in the folder has, and from now on this piece."""
        title = title_of(take.piece, self.job.controls, take.source)
        try:
            return reserve(self.out, title, self.earlier + take.index + 1, receipt.SUFFIX)
        except OSError as error:
            raise unwritable(self.out, error) from error

    def _enter(
        self, piece: Piece, record: Mapping[str, Any], digest: str, midi: bytes, name: str
    ) -> str:
        """Enter a piece in the log; what is to be said of it."""
        if self.run is None or self.signatures.log is None:
            return self.signatures.words
        roles = tuple(track.role or "" for track in piece.tracks)
        output = Output(
            run=self.run.index,
            checkpoint=self.checkpoint.digest,
            sha256=hashlib.sha256(midi).hexdigest(),
            musical_hash=record["musical_hash"],
            receipt=digest,
            fingerprint=NewPiece.of(piece, roles).fingerprint.pack(),
            path=name,
        )
        return f"entered in the log: act {self.signatures.log.enter(output)}"

    def _run_told(self) -> dict[str, Any] | None:
        """What the log knows of the model; None, said in words elsewhere, where it does not."""
        run = self.run
        return None if run is None else {"index": run.index, "asserted": run.is_asserted}

    def record(self, take: Take) -> dict[str, Any]:
        """What the receipt says."""
        manifest, policy = self.checkpoint.manifest, self.policy
        originality = None
        if take.finding and self.learned:
            originality = {**take.finding.to_dict(), **self.learned.to_dict()}
        return {
            "format": receipt.FORMAT,
            "machine_generated": True,
            "checkpoint_sha256": self.checkpoint.digest,
            "manifest_sha256": manifest.digest,
            "house": manifest.house,
            "works_learned_from": len(manifest.works),
            "run": self._run_told(),
            "entered": self.signatures.log is not None,
            "tokenizer": vocabulary.fingerprint(),
            **receipt.environment(self.checkpoint.model),
            "seed": policy.seed,
            "index": take.index,
            "attempt": take.attempt,
            "batch": list(take.batch),
            "settings": {k: v for k, v in self.settings.items() if k not in PLACES},
            "source": take.source or None,
            "rejected": [
                told
                for told in self._rejected.get(take.index, [])
                if told["attempt"] != take.attempt
            ],
            "asked_and_got": take.table,
            "scores_met": not take.missed,
            "originality": originality,
            "music_sha256": hashlib.sha256(take.music).hexdigest(),
            "musical_hash": musical_hash(take.piece),
            "notes": take.piece.note_count,
            "seconds": round(take.piece.seconds_at(take.piece.end_ticks), 3),
        }


def unwritable(folder: Path, error: OSError) -> HouseError:
    """What to say of a folder that cannot be written."""
    what = f"cannot be written ({error.strerror})"
    return HouseError(what, where=str(folder), mend="name a folder you may write to: out=FOLDER")
