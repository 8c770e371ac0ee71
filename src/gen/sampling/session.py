"""One sampling run: batches are written, each take is judged, what passes is kept on disk.

Everything is read and checked before anything is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from gen.checkpoint import Checkpoint
from gen.disk import write_all_atomically
from gen.errors import HouseError, SettingError
from gen.likeness.fingerprint import NewPiece
from gen.marks.release import SIDECAR, Outlet, Released
from gen.marks.watermark_keys import WatermarkKey, keys_of
from gen.piece import Piece
from gen.provenance.desk.reservations import Reserved
from gen.provenance.history.runs import Run
from gen.provenance.houses.house import House
from gen.provenance.records.run_acts import Output
from gen.sampling import receipt
from gen.sampling.decoding.step import step_of
from gen.sampling.finishing.finish import (
    TAKEN,
    Finished,
    SoFar,
    highest_number,
    name_of,
    reserve,
    title_of,
)
from gen.sampling.job import AS_GIVEN, PieceJob, job_of, write_events
from gen.sampling.obedience import asked_and_got
from gen.sampling.opening.comparing import LearnedReader
from gen.sampling.opening.opened_model import Opened, style_number
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.plan import Row
from gen.sampling.planning.rules import Rules
from gen.sampling.polishing.polish import PolishedCell
from gen.sampling.receipt import OFF, Signatures, signatures_for
from gen.sampling.request import AUTO, MODES, PLACES, RESAMPLE, SampleRequest
from gen.sampling.takes import Progress, Sampled, Take, Watch, WriteBatch
from gen.smf import musical_hash
from gen.smf.second_reading import check_read_alike
from gen.tokens.choice import GRID, PLAYED
from gen.tokens.timing import STRAIGHT
from gen.tokens.tokenization import PLAYED_EVENTS


@dataclass(frozen=True, slots=True)
class SamplingSession:
    """Everything that is the same for all pieces of a run.

    Attributes:
        request: what is asked for.
        controls: what is asked of the pieces.
        write_batch: writes a piece for each seed, in the tokens of the model.
        checkpoint: what writes.
        house: whose model writes.
        learned: reads what they are compared with; None with `originality=off`.
        run: what the log knows of the checkpoint; None where it does not know it.
        signatures: who signs the receipts, and who enters the pieces.
        out: folder of the pieces.
        outlet: marks them.
        earlier: the highest number that a piece in it has.
        said: what receipts say of the model besides, see `Opened.said`.
        watermark: the key that chooses with chance; None for none.
        reserved: what rights-holders reserve; None where nobody does.
    """

    request: SampleRequest
    controls: Controls
    write_batch: WriteBatch
    checkpoint: Checkpoint
    house: House
    learned: LearnedReader | None
    run: Run | None
    signatures: Signatures
    out: Path
    outlet: Outlet
    earlier: int = 0
    said: dict[str, Any] = field(default_factory=dict)
    watermark: WatermarkKey | None = None
    reserved: Reserved | None = None
    _rejected: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    def write(
        self,
        batch: Sequence[int],
        on_take: Callable[[Take], None],
        attempt: int,
        watch: Watch | None = None,
    ) -> None:
        """Write one attempt at each piece of a batch.

        Args:
            batch: indices of the pieces.
            on_take: called with each piece as it ends; what it raises here ends the batch.
            attempt: counted from 0.
            watch: called as each bar is whole; what it raises ends the batch, too.
        """
        seeds = [[*self.request.seed, index, attempt] for index in batch]
        is_steered, rules = bool(self.request.run.steering), Rules(self.request.run.rules)

        def on_bar(place: int, so_far: SoFar | None) -> None:
            if watch:
                watch(Progress(batch[place], attempt, so_far))

        def finish(
            place: int, done: Finished, rows: Sequence[Row], better: tuple[PolishedCell, ...]
        ) -> None:
            table = asked_and_got(
                rows, done.new, self.controls, strict_key=is_steered,
                has_scale=rules.keeps_modes, has_mode=rules.judges_mood and not done.source,
            )  # fmt: skip
            as_played = done.played(self.request.performance)
            reserved = self.reserved.problem(done.new) if self.reserved else ""
            on_take(Take(batch[place], attempt, batch, as_played, table, None, reserved, better))

        self.write_batch(seeds, finish, on_bar if watch else None)

    @property
    def can_compare(self) -> bool:
        """Whether `compared` waits for nothing."""
        return self.learned is None or self.learned.is_ready

    def compared(self, take: Take, watch: Watch | None = None) -> Take:
        """A take with what it has in common with the works.

        Args:
            take: as `write` gives it.
            watch: called while the works are read for that; what it raises ends the waiting.

        Raises:
            HouseError: none of the works is here.
        """
        if self.learned is None:
            return take

        def tick(share: float) -> None:
            if watch:
                watch(Progress(take.index, take.attempt, None, share))

        return replace(take, finding=self.learned.get(tick).compare(take.done.new))

    def flaws(self, take: Take) -> list[str]:
        """Why the request wants another attempt; nothing where this one will do."""
        close = take.too_close if self.request.run.originality == RESAMPLE else ()
        named = (take.reserved,) if take.reserved else ()
        return [*named, *close, *(take.missed if self.request.run.strict else ())]

    def reject(self, take: Take) -> None:
        """Remember an attempt, for the receipt of the one that is kept."""
        attempt = {"attempt": take.attempt, "why": self.flaws(take)}
        self._rejected.setdefault(take.index, []).append(attempt)

    def keep(self, take: Take) -> Sampled:
        """Enter a piece in the log, then write receipt, signature and marked file."""
        record = self.record(take)
        text = receipt.encode(record)
        digest = hashlib.sha256(text).hexdigest()
        name = self._name(take)
        files = {self.out / f"{name}{receipt.SUFFIX}": text}
        signature = self.out / f"{name}{receipt.SIGNATURE_SUFFIX}"
        key = self.signatures.key
        if key:
            files[signature] = receipt.signature_of(text, key)
        try:
            released = self.released(take, record, digest)
            if not take.source:  # a given file may mean different things to different programs
                check_read_alike(released.midi, take.piece)
            files[self.out / f"{name}{SIDECAR}"] = released.sidecar
            files[self.out / f"{name}.mid"] = released.midi
            entered = self._enter(take.piece, record, digest, released.midi, f"{name}.mid")
            write_all_atomically(files)
        except BaseException as error:  # Ctrl-C too: a piece is there as a whole or not at all
            for path in files:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise unwritable(self.out, error) from error
            raise
        finally:
            with suppress(OSError):
                (self.out / f"{name}{TAKEN}").unlink()
        paths = self.out / f"{name}.mid", self.out / f"{name}{receipt.SUFFIX}"
        signed = (f"receipt signed by {self.signatures.signer}",) if key else ()
        notes = (*take.done.remarks, *signed, entered, *remarks_on(self.said))
        return Sampled(take.piece, *paths, record, notes, take.score)

    def released(self, take: Take, record: Mapping[str, Any], digest: str) -> Released:
        """The marked file of a piece whose receipt has this digest."""
        title = title_of(take.piece, self.controls, record["source"] or {})
        return self.outlet.piece(take.music, record, digest, title)

    def _name(self, take: Take) -> str:
        """A name that nothing in the folder has, and from now on this piece."""
        title = title_of(take.piece, self.controls, take.source)
        try:
            return reserve(self.out, name_of(title, MODES), self.earlier + take.index + 1)
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

    def record(self, take: Take) -> dict[str, Any]:
        """What the receipt says."""
        manifest = self.checkpoint.manifest
        originality = None
        if take.finding and self.learned:
            originality = {**take.finding.to_dict(), **self.learned.get().to_dict()}
        return {
            "format": receipt.FORMAT,
            "machine_generated": True,
            "checkpoint_sha256": self.checkpoint.digest,
            "manifest_sha256": manifest.digest,
            "house": manifest.house,
            "works_learned_from": len(manifest.works),
            **({"began_with": manifest.bases_named()} if manifest.base else {}),
            **({"foreign_code": manifest.foreign_code} if manifest.foreign_code else {}),
            "run": self.run and {"index": self.run.index, "asserted": self.run.is_asserted},
            "entered": self.signatures.log is not None,
            **self.said,
            "tokenizer": self.checkpoint.tokenization.fingerprint,
            **receipt.environment(self.checkpoint.model),
            "seed": self.request.run.seed,
            "watermark": self.watermark.id if self.watermark else None,
            "index": take.index,
            "attempt": take.attempt,
            "batch": list(take.batch),
            "settings": {k: v for k, v in self.request.settings.items() if k not in PLACES},
            "source": take.source or None,
            "rejected": [
                rejected
                for rejected in self._rejected.get(take.index, [])
                if rejected["attempt"] != take.attempt
            ],
            "asked_and_got": take.table,
            "scores_met": not take.missed,
            **({"polished": [cell.said() for cell in take.polished]} if take.polished else {}),
            "originality": originality,
            "music_sha256": hashlib.sha256(take.music).hexdigest(),
            "musical_hash": musical_hash(take.piece),
            "notes": take.piece.note_count,
            "seconds": round(take.piece.seconds_at(take.piece.end_ticks), 3),
        }


def open_session(
    request: SampleRequest,
    on_checked: Callable[[], None] = lambda: None,
    opened: Opened | None = None,
) -> SamplingSession:
    """Read and check all that a run needs.

    Args:
        request: what is asked for.
        on_checked: called when the request can be met as far as is known before the house and
            the checkpoint are read.
        opened: what it is asked of, where that was opened for this request already.

    Raises:
        HouseError: a setting is wrong, or the checkpoint or the house cannot be used.
    """
    rules = Rules(request.run.rules)
    # What is wrong is said before anything is read.
    asked = job_of(request.controls, request.task, steering=request.run.steering, rules=rules)
    if request.run.on_gpu and not torch.cuda.is_available():
        raise SettingError("PyTorch sees no CUDA device here", where="device", mend="device=cpu")
    on_checked()
    found = opened or Opened.of(request)
    is_new = request.task is None and found.checkpoint.tokenization.is_house
    if request.run.polish and not is_new:
        raise _only_new("polish")
    watermark = _watermark_of(request, found.house.pin.name, is_new=is_new)
    controls, write_batch = _written_by(request, asked, found, watermark)
    signatures = signatures_for(
        found.house, found.register, request.places.sign, is_recorded=found.run is not None
    )
    out = Path(request.places.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(out, error) from error
    learned = found.learned if request.run.originality != OFF else None
    return SamplingSession(
        request, controls, write_batch, found.checkpoint, found.house, learned, found.run,
        signatures, out, Outlet.of(found.house.pin.name, signatures.key, request.places.stamp),
        highest_number(out), found.said, watermark, Reserved.of(found.house, found.register),
    )  # fmt: skip


def _written_by(
    request: SampleRequest, asked: PieceJob, found: Opened, watermark: WatermarkKey | None
) -> tuple[Controls, WriteBatch]:
    """What is asked of the pieces, and what writes them: `asked`, as the model can do it.

    Raises:
        SettingError: the model cannot do what is asked.
    """
    checkpoint, run, style = found.checkpoint, request.run, request.controls.style
    timing = _timing_of(request, checkpoint)
    if not checkpoint.tokenization.is_house:  # MidiTok and all that it loads is not always needed
        from gen.sampling.miditok_tokens.job import TokenJob, write_in_tokens
        from gen.tokens.miditok_tokens import MidiTokTokens

        tokens = checkpoint.tokenization
        assert isinstance(tokens, MidiTokTokens)  # noqa: S101 - there are no others
        job = TokenJob.of(request.controls, request.task, tokens)
        return job.controls, partial(write_in_tokens, job, checkpoint.model, request.draw)
    if style or timing != GRID:
        number = style_number(style, checkpoint, found.register) if style else None
        asked = job_of(
            request.controls, request.task, number, run.steering, Rules(run.rules), timing,
            asked.source,
        )  # fmt: skip
    # Made here once: processes that write side by side have its copies of the matrices in common.
    step = step_of(checkpoint.model)
    write = partial(write_events, asked, step, checkpoint.habits, request, watermark)
    return asked.controls, write


def timings_of(checkpoint: Checkpoint) -> tuple[str, ...]:
    """The timings among which there is a choice; none for a model that knows but the grid."""
    return (PLAYED, STRAIGHT) if checkpoint.tokenization is PLAYED_EVENTS else ()


def _timing_of(request: SampleRequest, checkpoint: Checkpoint) -> str:
    """The timing in which a model is to write, see `Plan.timing`.

    Raises:
        SettingError: it is to play, and has learned nothing but the grid.
    """
    if timings_of(checkpoint):
        return request.run.timing or AS_GIVEN
    if request.run.timing == PLAYED:
        raise SettingError(
            "this model knows nothing of what lies beside the grid", where="timing",
            mend="leave it out (humanise=0.4 plays freely), or train one: tokenizer.timing=played",
        )  # fmt: skip
    return GRID


def remarks_on(said: Mapping[str, Any]) -> list[str]:
    """What receipts say of a model besides, in words."""
    words = []
    if retired := said.get("retired"):
        words.append(f"of a model that was retired: act {retired['act']}")
    if "terms" in said and (works := said["terms"]["not_for_sale_by"]):
        words.append(f"not to be sold by terms of {len(works)} works, the first: {works[0]}")
    return words


def _watermark_of(request: SampleRequest, house: str, *, is_new: bool) -> WatermarkKey | None:
    """The watermark key that is asked for.

    Only pieces from nothing, in the house's own events, have a watermark: what is put into a
    file is made as loud as that is, which would take most of it away.

    Raises:
        SettingError: a key was named that is not here, or for what has no watermark.
    """
    asked = request.run.watermark
    if asked == OFF or (asked == AUTO and not is_new):
        return None
    if not is_new:
        raise _only_new("watermark")
    keys = keys_of(house)
    if asked == AUTO:
        return keys[0] if keys else None
    if found := next((key for key in keys if key.id == asked), None):
        return found
    raise SettingError(
        f"the house's watermark key {asked:.40} is not on this computer", where="watermark",
        mend="copy its .watermark file into your key folder from whoever has it: without it other "
        "notes come out",
    )  # fmt: skip


def _only_new(setting: str) -> SettingError:
    what = "is for new pieces in the house's own events"
    return SettingError(what, where=setting, mend="leave it out")


def unwritable(folder: Path, error: OSError) -> HouseError:
    """What to say of a folder that cannot be written."""
    what = f"cannot be written ({error.strerror})"
    return HouseError(what, where=str(folder), mend="name a folder you may write to: out=FOLDER")
