"""What the register knows of runs, of the models that they left, and of the pieces these wrote."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gen.errors import HouseError, SettingError, in_line
from gen.provenance.records.acts import Act
from gen.provenance.records.run_acts import (
    AssertedModel,
    Begin,
    End,
    ModelDigest,
    Output,
    Retirement,
)
from gen.provenance.signing.canonical import StrictJsonError


@dataclass(frozen=True, slots=True)
class Retired:
    """A model's retirement, as the register keeps it; `keyids` signed it."""

    index: int
    by: str
    time: str
    keyids: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class LoggedPiece:
    """What the register keeps in memory of an output: all but its fingerprint.

    `keyid` names the key that entered it.
    """

    index: int
    keyid: str
    run: int
    sha256: str
    receipt: str
    path: str


@dataclass(slots=True)
class Run:
    """What the register knows of a run, or of a model that was asserted.

    Attributes:
        index: of its `begin`, or of the `model` act.
        by: who signed that.
        time: of that act, for people.
        name, purpose, manifest, works: as it says.
        begin: None for a model that was asserted.
        ended_at: index of its `end`; None while it runs, and for ever if it was killed.
        models: the checkpoints that it left.
        transcript: root of its transcript; "" for none.
        signed: key id and index of its `begin` and its `end`; nothing for one that was asserted.
        base: index of the run of this house whose weights it began with; None where its seed gave
            them, or another house's model.
    """

    index: int
    by: str
    time: str
    name: str
    purpose: str
    manifest: str
    works: tuple[str, ...]
    begin: Begin | None
    ended_at: int | None = None
    models: tuple[ModelDigest, ...] = ()
    transcript: str = ""
    signed: tuple[tuple[str, int], ...] = ()
    base: int | None = None

    @property
    def is_asserted(self) -> bool:
        return self.begin is None

    def __str__(self) -> str:
        kind = "asserted model" if self.is_asserted else "run"
        return f"{kind} {self.index} ({in_line(self.name)})"


@dataclass(slots=True)
class Runs:
    """Every run, asserted model and output that the log holds."""

    by_index: dict[int, Run] = field(default_factory=dict)
    pieces: list[LoggedPiece] = field(default_factory=list)
    retired: dict[str, list[Retired]] = field(default_factory=dict)
    _by_file: dict[str, list[int]] = field(default_factory=dict)
    _by_tensors: dict[str, int] = field(default_factory=dict)
    _by_sound: dict[str, list[int]] = field(default_factory=dict)
    _receipts: dict[str, int] = field(default_factory=dict)

    def at(self, index: Any) -> Run:
        """The run, or asserted model, of this index.

        Raises:
            SettingError: there is none.
        """
        run = self.by_index.get(index)
        if run is None:
            known = ", ".join(map(str, self.by_index)) or "none"
            raise SettingError(f"there is no run {index}", mend=f"runs in the log: {known}")
        return run

    def of_file(self, file_sha256: str) -> list[Run]:
        """Every run, or asserted model, that left this very file, the first first."""
        return [self.by_index[index] for index in self._by_file.get(file_sha256, ())]

    def of_tensors(self, tensors_sha256: str) -> Run | None:
        """A run that left a checkpoint with these tensors."""
        index = self._by_tensors.get(tensors_sha256)
        return None if index is None else self.by_index[index]

    def of_sound(self, musical_hash: str) -> list[LoggedPiece]:
        """Every output that sounds so; `Register.wrote` says which of them count."""
        return [self.pieces[place] for place in self._by_sound.get(musical_hash, ())]

    def entered_at(self, receipt_sha256: str) -> int | None:
        """Index of the output with this receipt."""
        piece = self._of_receipt(receipt_sha256)
        return piece.index if piece else None

    def in_file(self, sha256: str) -> LoggedPiece:
        """The output whose file has this digest.

        Raises:
            HouseError: there is none.
        """
        piece = next((piece for piece in self.pieces if piece.sha256 == sha256), None)
        if piece is None:
            raise HouseError(
                "the house's log has no such piece, or it was changed since",
                mend="name the file as sample.py or the studio wrote it",
            )
        return piece

    def _of_receipt(self, receipt: str) -> LoggedPiece | None:
        """The output with this receipt, the first where there are several."""
        place = self._receipts.get(receipt)
        return None if place is None else self.pieces[place]

    def that_read(self, works: Iterable[str]) -> list[Run]:
        """Runs whose manifests name any of these works, and those that went on from such."""
        wanted, found = set(works), dict[int, Run]()
        for index, run in self.by_index.items():  # in the order of the log: a base comes first
            if run.base in found or wanted.intersection(run.works):
                found[index] = run
        return list(found.values())

    def learned_for(self, purpose: str) -> dict[str, int]:
        """Works that a model of this purpose learned from, each with the first such run."""
        found: dict[str, int] = {}
        for index, run in self.by_index.items():
            if run.purpose == purpose and run.models:
                for work in run.works:
                    found.setdefault(work, index)
        return found

    def works_behind(self, run: Run) -> list[str]:
        """The works that a run read, and those of the runs whose weights it began with."""
        found = dict.fromkeys(run.works)
        while run.base is not None:
            run = self.by_index[run.base]
            found.update(dict.fromkeys(run.works))
        return list(found)

    # -- taking acts in; who may was checked before ------------------------------------------

    def take_begin(self, act: Act, begin: Begin) -> None:
        if begin.continues is not None and begin.continues not in self.by_index:
            raise StrictJsonError(f"it goes on from a run {begin.continues}, which never began")
        self.by_index[act.index] = Run(
            act.index, act.by, act.time, begin.name, begin.purpose, begin.manifest, begin.works,
            begin, signed=((act.keyid, act.index),), base=self._by_tensors.get(begin.start),
        )  # fmt: skip

    def take_end(self, act: Act, end: End) -> None:
        run = self.by_index.get(end.begin)
        if run is None or run.is_asserted or run.ended_at is not None:
            state = "never began" if run is None or run.is_asserted else "ended before"
            raise StrictJsonError(f"the run {end.begin} {state}")
        if run.by != act.by:
            raise StrictJsonError(f"{run.by} began the run {end.begin}, not {act.by}")
        run.ended_at, run.signed = act.index, (*run.signed, (act.keyid, act.index))
        run.transcript = end.transcript
        self._keep(run, end.models)

    def take_model(self, act: Act, asserted: AssertedModel) -> None:
        run = Run(
            act.index, act.by, act.time, asserted.name, asserted.purpose, asserted.manifest,
            asserted.works, begin=None,
        )  # fmt: skip
        self.by_index[act.index] = run
        self._keep(run, (asserted.model,))

    def _keep(self, run: Run, models: tuple[ModelDigest, ...]) -> None:
        run.models = models
        for model in models:
            self._by_file.setdefault(model.file_sha256, []).append(run.index)
            self._by_tensors.setdefault(model.tensors_sha256, run.index)

    def take_output(self, act: Act, output: Output) -> None:
        run = self.by_index.get(output.run)
        if run is None or all(output.checkpoint != model.file_sha256 for model in run.models):
            raise StrictJsonError(f"the run {output.run} left no checkpoint that wrote it")
        piece = LoggedPiece(
            act.index, act.keyid, output.run, output.sha256, output.receipt, output.path
        )
        place = len(self.pieces)
        self._by_sound.setdefault(output.musical_hash, []).append(place)
        self._receipts.setdefault(output.receipt, place)
        self.pieces.append(piece)

    def that_wrote(self, receipt: str) -> int:
        """Index of the run whose model wrote the piece with this receipt.

        Raises:
            StrictJsonError: the log has no such piece.
        """
        piece = self._of_receipt(receipt)
        if piece is None:
            raise StrictJsonError("no piece in the log has this receipt")
        return piece.run

    def check_approved(self, run: int, receipt: str) -> None:
        """Whether there is what an approval speaks of: a run, a piece of it."""
        if run not in self.by_index:
            raise StrictJsonError(f"the run {run} never began")
        piece = self._of_receipt(receipt) if receipt else None
        if receipt and (piece is None or piece.run != run):
            raise StrictJsonError(f"the run {run} wrote no such piece")

    def take_retirement(self, act: Act, retirement: Retirement) -> None:
        run = self.by_index.get(retirement.run)
        if run is None or not {*retirement.models} <= {model.file_sha256 for model in run.models}:
            raise StrictJsonError(f"the run {retirement.run} left no such models")
        keyids = tuple(signature.keyid for signature in act.signatures)
        for model in retirement.models:
            retired = Retired(act.index, act.by, act.time, keyids, retirement.reason)
            self.retired.setdefault(model, []).append(retired)
