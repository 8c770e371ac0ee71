"""An attempt at a piece, what it is judged by, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen.likeness.originality import Finding
from gen.piece import Piece
from gen.sampling.finishing.finish import Finished, SoFar
from gen.sampling.obedience import missed
from gen.sampling.planning.plan import Row
from gen.sampling.polishing.polish import PolishedCell


@dataclass(frozen=True, slots=True)
class Sampled:
    """One finished piece on disk.

    Attributes:
        piece: as its file has it.
        midi, receipt: where.
        record: what its receipt says.
        notes: what else there is to say about it.
        score: as it is written, where it is played otherwise.
    """

    piece: Piece
    midi: Path
    receipt: Path
    record: dict[str, Any]
    notes: tuple[str, ...] = ()
    score: Piece | None = None


@dataclass(frozen=True, slots=True)
class Take:
    """One attempt at one piece.

    Attributes:
        index, attempt: which.
        batch: indices of the pieces that were written beside it, in order: the last bits of a
            sum depend on how many there are, and a long piece's windows on how long they are.
        done: the piece and its file.
        table: what was asked and what came out.
        finding: what it has in common with the works; None where that was not looked for (yet).
        reserved: what reserved music it agrees with, in words; empty for none.
        polished: the cells that were written anew.
    """

    index: int
    attempt: int
    batch: Sequence[int]
    done: Finished
    table: list[dict[str, Any]]
    finding: Finding | None
    reserved: str = ""
    polished: tuple[PolishedCell, ...] = ()

    @property
    def piece(self) -> Piece:
        return self.done.piece

    @property
    def score(self) -> Piece | None:
        """As it is written; None where it is played so."""
        return self.done.score

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

    def rank(self) -> tuple[bool, float, int, int]:
        """The smaller the better: nobody's, original, then obedient, then early."""
        return (
            bool(self.reserved),
            self.finding.excess if self.finding else 0.0,
            len(self.missed),
            self.attempt,
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a piece has come.

    Attributes:
        piece, attempt: which.
        so_far: what can be heard of it; None while no bar with new music is whole.
        works_read: of a piece that is whole, the share of the works that it is going to be compared
            with which have been read, 0 to 1; None while it is written.
    """

    piece: int
    attempt: int
    so_far: SoFar | None
    works_read: float | None = None


Watch = Callable[[Progress], None]

OnDone = Callable[[int, Finished, Sequence[Row], tuple[PolishedCell, ...]], None]
"""Takes a piece's place in its batch, the piece, its rows, and which cells were written anew."""
OnBar = Callable[[int, SoFar | None], None]
"""Takes a piece's place in its batch and what can be heard of it, as each bar is whole."""
WriteBatch = Callable[[Sequence[Sequence[int]], OnDone, OnBar | None], None]
"""Writes a piece for each seed; a model of MidiTok's tokens lets nobody watch its bars."""
